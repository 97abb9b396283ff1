//! Certificates, keys and configurations of TLS that a program has in memory.

use std::sync::Arc;

use kestrel::configuration::{Origin, Problem};
use kestrel::tls::{
    CertificateSource, ClientCertificateMode, RootsSource, SslProtocols, TlsOptions,
};
use kestrel::{Endpoint, HostError, HttpProtocols};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;

use crate::support::{builder, started, stopped};
use crate::test_data::{chain, file, key};
use crate::tls_client::{Client, serving};
use crate::tls_host::app;

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).expect("a file of the tests")
}

fn certified(name: &str, of_key: &str) -> Arc<CertifiedKey> {
    let signer = any_supported_type(&key(of_key)).expect("a key that signs");
    Arc::new(CertifiedKey::new(chain(name), signer))
}

/// The certificate for 127.0.0.1 in each form.
fn forms() -> Vec<(&'static str, CertificateSource)> {
    let both = text("server.pem") + &text("server.key");
    let der: Vec<_> = chain("server").iter().map(|it| it.to_vec()).collect();
    vec![
        ("PEM", CertificateSource::pem_text(text("server.pem"), text("server.key"))),
        ("one text", CertificateSource::pem_text(both.clone(), both)),
        (
            "encrypted",
            CertificateSource::encrypted_pem_text(
                text("server.pem"),
                text("encrypted.key"),
                "secret",
            ),
        ),
        (
            "PKCS#12",
            CertificateSource::pfx_bytes(
                std::fs::read(file("server.pfx")).expect("a file of the tests"),
                "secret",
            ),
        ),
        ("DER", CertificateSource::der(der, key("server").secret_der())),
        ("ready", CertificateSource::certified_key(certified("server", "server"))),
    ]
}

async fn facts(client: Client, announced: &str) -> String {
    client.connect(announced).await.get("/").await.body
}

fn refused(options: TlsOptions) -> Vec<Problem> {
    let address = ([127, 0, 0, 1], 0).into();
    match builder().listen_on(Endpoint::ip(address).https(options)).build() {
        Err(HostError::Certificate(problems) | HostError::Configuration(problems)) => problems,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_form_of_a_certificate_is_served() {
    for (form, source) in forms() {
        let shown = format!("{source:?} {source}");
        assert!(shown.contains("memory") && !shown.contains("BEGIN"), "{shown}");
        let host = started(serving(TlsOptions::with(source)).app(app())).await;
        let said = facts(Client::offering(&["http/1.1"]), &host.addresses()[0]).await;
        assert_eq!(said, "https Tls13 - http/1.1 0", "{form}");
        stopped(host).await;
    }
}

#[tokio::test]
async fn names_have_certificates_of_memory_too() {
    let of = |name: &str| {
        CertificateSource::pem_text(text(&format!("{name}.pem")), text(&format!("{name}.key")))
    };
    let options =
        TlsOptions::with(of("server")).for_name("one.example", of("one")).for_all_other_names();
    let host = started(serving(options).app(app())).await;
    for name in ["one.example", "127.0.0.1"] {
        let mut wire = Client::asking(name).connect(&host.addresses()[0]).await;
        assert_eq!(wire.get("/").await.status, 200, "{name}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn the_roots_of_clients_may_be_in_memory() {
    let clients = Client { certificate: Some("client"), ..Client::default() };
    let said = async |roots: &str| {
        let mut options =
            TlsOptions::with(CertificateSource::pem_text(text("server.pem"), text("server.key")));
        options.client_certificate_mode = ClientCertificateMode::RequireCertificate;
        options.client_certificate_roots = vec![RootsSource::Memory(text(roots).into_bytes())];
        let host = started(serving(options).app(app())).await;
        let mut wire = clients.connect(&host.addresses()[0]).await;
        wire.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = wire.answer_or_end().await.map(|answer| answer.body);
        drop(wire);
        stopped(host).await;
        answer.ok()
    };
    assert!(said("ca.pem").await.is_some_and(|body| body.starts_with("https ")));
    assert_eq!(said("strange-ca.pem").await, None, "an authority of others");
}

#[tokio::test]
async fn a_configuration_of_rustls_is_served_with_the_protocols_of_the_endpoint() {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("a version")
        .with_no_client_auth()
        .with_single_cert(chain("server"), key("server"))
        .expect("they fit");
    config.alpn_protocols = vec![b"nonsense".to_vec()];
    let config = Arc::new(config);
    let endpoint =
        || Endpoint::ip(([127, 0, 0, 1], 0).into()).https(TlsOptions::with_config(config.clone()));
    let http1 = HttpProtocols::parse("Http1").expect("a protocol");
    let host = started(builder().listen_on(endpoint().protocols(http1)).app(app())).await;
    let said = facts(Client::offering(&["h2", "http/1.1"]), &host.addresses()[0]).await;
    assert_eq!(said, "https Tls12 - http/1.1 0");
    stopped(host).await;
}

#[test]
fn what_cannot_be_served_is_told_and_no_key_is_shown() {
    let pem = |certificate: &str, key: &str| {
        TlsOptions::with(CertificateSource::pem_text(text(certificate), text(key)))
    };
    let no_der = CertificateSource::der([b"no certificate".to_vec()], b"no key".to_vec());
    let no_pfx = CertificateSource::pfx_bytes(b"no file".to_vec(), "hunter2");
    for (options, expected) in [
        (pem("server.pem", "one.key"), "Error getting private key"),
        (pem("server.key", "server.key"), "ASN1 corrupted data."),
        (TlsOptions::with(no_der), "ASN1 corrupted data."),
        (TlsOptions::with(no_pfx), "ASN1 corrupted data."),
        (
            TlsOptions::with(CertificateSource::certified_key(certified("server", "one"))),
            "Error getting private key",
        ),
    ] {
        let problems = refused(options.clone());
        let [problem] = &problems[..] else { panic!("{problems:#?}") };
        assert!(problem.message.contains(expected), "{problem}");
        assert_eq!(problem.origin, Some(Origin::Code("listen_on")), "{problem}");
        assert!(problem.fix.as_ref().is_some_and(|fix| fix.starts_with("give ")), "{problem}");
        let shown = format!("{options:?} {problem} {problem:?}");
        assert!(!shown.contains("PRIVATE KEY-") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn what_cannot_be_served_is_told_for_each_endpoint_with_its_name() {
    let wrong = || CertificateSource::pem_text(text("server.pem"), text("one.key"));
    let other = || CertificateSource::pem_text(text("one.pem"), text("server.key"));
    let at = |port| Endpoint::ip(([127, 0, 0, 1], port).into());
    let right = || CertificateSource::pem_text(text("server.pem"), text("server.key"));
    let third = CertificateSource::pem_text(text("two.pem"), text("server.key"));
    let of_names = TlsOptions::with(right()).for_name("one.example", third);
    let mut of_clients = TlsOptions::with(right());
    of_clients.client_certificate_mode = ClientCertificateMode::RequireCertificate;
    of_clients.client_certificate_roots = vec![RootsSource::Memory(b"nothing".to_vec())];
    let refused = builder()
        .listen_on(at(5001).https(TlsOptions::with(wrong())))
        .listen_on(at(5002).https(TlsOptions::with(other())).named("shop"))
        .listen_on(at(5003).https(of_names).named("names"))
        .listen_on(at(5004).https(of_clients))
        .build();
    let Err(HostError::Certificate(problems)) = refused else { panic!("{refused:?}") };
    let told = problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
    for whose in [
        "It is for the endpoint 127.0.0.1:5001.",
        "It is for the endpoint shop.",
        "It is for the name one.example of the endpoint names.",
        "It is for the endpoint 127.0.0.1:5004.",
    ] {
        assert!(told.contains(whose), "{whose} is missing in {told}");
    }
    assert_eq!(told.matches("set by: code (listen_on)").count(), problems.len(), "{told}");
}

#[test]
fn beside_a_configuration_of_rustls_nothing_else_is_said() {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain("server"), key("server"))
        .expect("they fit");
    let mut options = TlsOptions::with_config(Arc::new(config));
    options.ssl_protocols = SslProtocols::TLS13;
    options.certificate = Some(forms().remove(0).1);
    let problems = refused(options);
    let [problem] = &problems[..] else { panic!("{problems:#?}") };
    assert_eq!(
        problem.message,
        "A configuration of rustls says all of TLS, and beside it there is certificate and ssl_protocols."
    );
    assert_eq!(problem.origin, Some(Origin::Code("listen_on")));
}
