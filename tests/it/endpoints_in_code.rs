//! What a program says of each endpoint in code: how it is served, and what of it is refused.

use std::net::SocketAddr;

use kestrel::addresses::UnixSocketOptions;
use kestrel::configuration::{Origin, Problem, Severity};
use kestrel::tls::{ClientCertificateMode, SslProtocols, TlsOptions};
use kestrel::{Endpoint, Host, HostBuilder, HostError, HttpProtocols};

use crate::support::{Wire, builder, saying, soon, started, stopped};
use crate::tls_client::{Client, certificate, options};
use crate::tls_host::app;

const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// What a client that offers both versions is told of an https endpoint.
async fn facts(announced: &str) -> String {
    let mut wire = Client::offering(&["h2", "http/1.1"]).connect(announced).await;
    wire.get("/").await.body
}

/// The mistakes that refuse a host.
fn refused(builder: HostBuilder) -> Vec<Problem> {
    match builder.build() {
        Err(HostError::Configuration(problems)) => problems,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_endpoint_has_its_own_protocols_and_its_own_tls() {
    let http1 = HttpProtocols::parse("Http1").expect("a protocol");
    let host = builder()
        .listen_on(ANY_PORT)
        .listen_on(Endpoint::ip(ANY_PORT).https(options()).protocols(http1))
        .listen_on(Endpoint::ip(ANY_PORT).protocols(HttpProtocols::Http2).named("h2c"));
    let host = started(host.app(app())).await;
    let addresses = host.addresses();
    assert_eq!(addresses.len(), 3, "{addresses:?}");
    assert_eq!(Wire::connect(&addresses[0]).await.get("/").await.body, "http");
    assert_eq!(facts(&addresses[1]).await, "https Tls13 - http/1.1 0");
    let answer = Wire::connect(&addresses[2]).await.get("/").await;
    assert_eq!(answer.status, 400, "HTTP/1.1 is not spoken there");
    stopped(host).await;
}

#[tokio::test]
async fn names_have_their_certificates_and_all_others_that_of_the_endpoint() {
    let tls = options().for_name("one.example", certificate("one")).for_all_other_names();
    let host = started(builder().listen_on(Endpoint::ip(ANY_PORT).https(tls)).app(app())).await;
    let address = &host.addresses()[0];
    // A client takes no certificate but one for the name it asks for.
    for name in ["one.example", "127.0.0.1"] {
        let mut wire = Client::asking(name).connect(address).await;
        assert_eq!(wire.get("/").await.status, 200, "{name}");
    }
    stopped(host).await;

    let tls = TlsOptions::default().for_name("one.example", certificate("one"));
    let host = started(builder().listen_on(Endpoint::ip(ANY_PORT).https(tls)).app(app())).await;
    assert!(Client::default().try_connect(&host.addresses()[0]).await.is_err(), "no such name");
    stopped(host).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_of_a_socket_is_as_code_says() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.sock");
    let mut file = UnixSocketOptions::default();
    file.mode = Some(0o640);
    let endpoint = Endpoint::unix_socket(&path).socket_file(file);
    let host = started(builder().listen_on(endpoint).app(saying("hello"))).await;
    let metadata = std::fs::metadata(&path).expect("it is there");
    assert_eq!(metadata.mode() & 0o777, 0o640);
    stopped(host).await;
}

#[test]
fn what_does_not_go_together_is_told_at_once_with_the_call() {
    let mut twice = TlsOptions::with(certificate("server"))
        .for_name("a.example", certificate("one"))
        .for_name("A.example", certificate("two"))
        .for_name("", certificate("two"));
    twice.ssl_protocols = SslProtocols::TLS12;
    let mut silent = options();
    silent.ssl_protocols.tls12 = false;
    silent.ssl_protocols.tls13 = false;
    let mut file = UnixSocketOptions::default();
    file.mode = Some(0o600);
    let problems = refused(
        builder()
            .listen_on(Endpoint::ip(ANY_PORT).https(twice).named("one"))
            .listen_on(Endpoint::ip(ANY_PORT).https(silent).named("ONE"))
            .listen_on(Endpoint::ip(ANY_PORT).named(" "))
            .listen_on(Endpoint::unix_socket("app.sock"))
            .listen_on(Endpoint::ip(ANY_PORT).socket_file(file))
            .listen_on(Endpoint::ip(ANY_PORT).protocols(HttpProtocols::Http3)),
    );
    let told: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    for expected in [
        "The name A.example is there twice.",
        "A name that clients ask for cannot be empty.",
        "Two endpoints are named 'ONE'.",
        "An https endpoint that speaks no version of TLS serves nobody.",
        "An endpoint with an empty name cannot be told from others.",
        "Unix socket path must be absolute.",
        "Only the file of a Unix socket has a mode, an owner and a group.",
        "HTTP/3 requires HTTPS.",
    ] {
        assert!(told.contains(&expected), "{expected}: {told:#?}");
    }
    for problem in &problems {
        assert_eq!(problem.origin, Some(Origin::Code("listen_on")), "{problem}");
        assert!(problem.fix.is_some(), "{problem}");
    }
}

#[test]
fn what_means_nothing_is_a_warning() {
    let mut tls = options();
    tls.client_certificate_mode = ClientCertificateMode::DelayCertificate;
    tls.client_certificate_roots = vec!["ca.pem".into()];
    let problems = refused(builder().strict(true).listen_on(Endpoint::ip(ANY_PORT).https(tls)));
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.severity == Severity::Warning));
    assert!(problems[0].message.contains("they are never asked"), "{}", problems[0]);
    assert!(problems[1].message.contains("mean nothing"), "{}", problems[1]);
}

#[tokio::test]
async fn an_empty_builder_reads_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = r#"{ "Greeting": "from a file", "Urls": "http://nonsense:port" }"#;
    std::fs::write(folder.path().join("appsettings.json"), settings).expect("a file");
    let host = Host::empty_builder()
        .content_root(folder.path())
        .use_setting("Said", "by code")
        .listen_on(ANY_PORT)
        .app(saying("hello"))
        .build()
        .expect("nothing is wrong with it");
    assert_eq!(host.environment(), "Production");
    let configuration = host.configuration();
    assert_eq!(configuration.value("Greeting"), None);
    assert_eq!(configuration.value("PATH"), None, "a variable of the process");
    assert_eq!(configuration.value("Said"), Some("by code"));
    let host = soon("the start", host.start()).await.expect("a free port");
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/").await.body, "hello");
    host.stop().await;
}

#[test]
fn an_empty_builder_looks_for_no_certificate() {
    let https = Endpoint::ip(ANY_PORT).https(TlsOptions::default());
    let error = Host::empty_builder().listen_on(https).build().expect_err("there is none");
    let told = error.to_string();
    assert!(told.contains("No server certificate was specified"), "{told}");
    assert!(!told.contains("dev-certs") && !told.contains(".dotnet"), "{told}");
    assert!(format!("{error:?}").contains("TlsOptions::with"), "{error:?}");
}
