//! What is configured for single names (`Sni`): what they share with their endpoint and with each
//! other, and what they must not.

use kestrel::tls::{ClientCertificateMode, SniOptions, TlsOptions};
use kestrel::{HostBuilder, Reloaded, TlsHandshake};

use axum::Router;
use axum::routing::get;

use crate::reload::Stage;
use crate::support::{configured, saying, started, stopped};
use crate::test_data::file;
use crate::tls_client::{Client, ONLY_TLS12, ONLY_TLS13, certificate, serving};
use crate::tls_host::{address, host, http2_body, section, sections};

async fn facts(tls: TlsHandshake) -> String {
    let protocol = tls.application_protocol().unwrap_or("-");
    format!("{} {protocol} {}", tls.protocol(), tls.client_certificate_chain().count())
}

fn app() -> Router {
    Router::new().route("/", get(facts))
}

/// What a client is told, or `None` if it is refused, in the handshake or behind it.
async fn told(client: &Client, address: &str) -> Option<String> {
    let mut wire = client.try_connect(address).await.ok()?;
    // A client of TLS 1.3 learns only now that it was refused.
    wire.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.answer_or_end().await.ok()?;
    assert_eq!(answer.status, 200);
    Some(answer.body)
}

fn of_two(name: &str, change: impl FnOnce(&mut SniOptions)) -> SniOptions {
    let mut section = SniOptions::default();
    section.name = name.to_owned();
    section.certificate = Some(certificate("two"));
    change(&mut section);
    section
}

#[tokio::test]
async fn a_name_has_its_certificate_its_protocols_and_its_versions() {
    let options = sections(vec![
        section("one.example", |one| {
            one.certificate = Some(certificate("one"));
            one.protocols = kestrel::HttpProtocols::parse("Http1");
        }),
        section("*.two.example", |two| {
            two.certificate = Some(certificate("two"));
            two.ssl_protocols.get_or_insert_default().tls13 = false;
        }),
    ]);
    let host = host(options).await;
    let both = &["h2", "http/1.1"];
    // A client takes no certificate but one for the name it asks for.
    for (name, expected) in [
        ("one.example", "https Tls13 one.example http/1.1 0"),
        ("ONE.example", "https Tls13 one.example http/1.1 0"),
        ("x.two.example", "https Tls12 x.two.example h2 0"),
    ] {
        let client = Client { name, ..Client::offering(both) };
        let mut wire = client.connect(&address(&host)).await;
        let body = match expected.contains("h2") {
            true => http2_body(wire).await,
            false => wire.get("/").await.body,
        };
        assert_eq!(body, expected);
    }
    for name in ["two.example", "x.one.example", "127.0.0.1"] {
        let error = Client::asking(name).try_connect(&address(&host)).await.map(|_| ());
        let error = error.unwrap_err().to_string();
        assert!(error.contains("Unrecogniz") || error.contains("UnrecognisedName"), "{error}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_name_without_a_certificate_takes_the_endpoints_and_a_star_takes_all_the_rest() {
    let mut options = sections(vec![
        section("one.example", |one| one.certificate = Some(certificate("one"))),
        section("*", |_| {}),
    ]);
    options.certificate = Some(certificate("server"));
    let host = host(options).await;
    for (name, expected) in [
        ("one.example", "https Tls13 one.example - 0"),
        ("localhost", "https Tls13 localhost - 0"),
        ("127.0.0.1", "https Tls13 - - 0"),
    ] {
        let mut wire = Client::asking(name).connect(&address(&host)).await;
        assert_eq!(wire.get("/").await.body, expected);
    }
    stopped(host).await;
}

#[tokio::test]
async fn names_of_one_certificate_have_rules_of_their_own() {
    let mut options = TlsOptions::default();
    options.sni = vec![
        of_two("open.two.example", |_| {}),
        of_two("strict.two.example", |it| {
            it.client_certificate_mode = Some(ClientCertificateMode::RequireCertificate);
        }),
        of_two("old.two.example", |it| it.ssl_protocols.get_or_insert_default().tls13 = false),
        of_two("http1.two.example", |it| {
            it.protocols = kestrel::HttpProtocols::parse("Http1");
        }),
    ];
    let host = started(serving(options).app(app())).await;
    let address = host.addresses()[0].clone();
    for (name, certificate, offered, expected) in [
        ("open.two.example", None, &[][..], Some("Tls13 - 0")),
        ("open.two.example", Some("client"), &[], Some("Tls13 - 0")),
        ("strict.two.example", None, &[], None),
        ("strict.two.example", Some("stranger"), &[], None),
        ("strict.two.example", Some("client"), &[], Some("Tls13 - 1")),
        ("old.two.example", None, &[], Some("Tls12 - 0")),
        ("http1.two.example", None, &["h2", "http/1.1"], Some("Tls13 http/1.1 0")),
    ] {
        let client = Client { certificate, ..Client { name, ..Client::offering(offered) } };
        assert_eq!(told(&client, &address).await.as_deref(), expected, "{name} {certificate:?}");
    }
    stopped(host).await;
}

/// An endpoint that is strict about everything, and names of it with nothing but a certificate, or
/// with something of their own.
fn strict() -> HostBuilder {
    let file = |name: &str| file(name).display().to_string();
    let (trusted, pem, key) = (file("trusted.pem"), file("two.pem"), file("two.key"));
    configured(&[
        ("SSL_CERT_FILE", &trusted),
        ("Kestrel__Endpoints__A__Url", "https://127.0.0.1:0"),
        ("Kestrel__Endpoints__A__Protocols", "Http1"),
        ("Kestrel__Endpoints__A__SslProtocols__0", "Tls12"),
        ("Kestrel__Endpoints__A__ClientCertificateMode", "RequireCertificate"),
        ("Kestrel__Endpoints__A__Sni__same.two.example__Certificate__Path", &pem),
        ("Kestrel__Endpoints__A__Sni__same.two.example__Certificate__KeyPath", &key),
        ("Kestrel__Endpoints__A__Sni__open.two.example__Certificate__Path", &pem),
        ("Kestrel__Endpoints__A__Sni__open.two.example__Certificate__KeyPath", &key),
        ("Kestrel__Endpoints__A__Sni__open.two.example__ClientCertificateMode", "NoCertificate"),
    ])
    .app(app())
}

#[tokio::test]
async fn what_is_not_said_of_a_name_is_as_its_endpoint_says() {
    let host = started(strict()).await;
    let address = host.addresses()[0].clone();
    let offered = &["h2", "http/1.1"][..];
    for (name, versions, certificate, expected) in [
        ("same.two.example", rustls::ALL_VERSIONS, None, None),
        ("same.two.example", rustls::ALL_VERSIONS, Some("client"), Some("Tls12 http/1.1 1")),
        ("same.two.example", ONLY_TLS13, Some("client"), None),
        ("open.two.example", ONLY_TLS12, None, Some("Tls12 http/1.1 0")),
        ("open.two.example", ONLY_TLS13, None, None),
    ] {
        let client = Client { name, versions, certificate, protocols: offered };
        let what = format!("{name} {versions:?} {certificate:?}");
        assert_eq!(told(&client, &address).await.as_deref(), expected, "{what}");
    }
    stopped(host).await;
}

/// Which certificate is served belongs to the socket, not to a place in a list.
#[tokio::test]
async fn certificates_follow_their_endpoints_wherever_they_stand() {
    let endpoint = |name: &str, host: &str, certificate: &str, more: &str| {
        format!(
            r#""{name}":{{"Url":"https://{host}:0"{more},"Certificate":{{"Path":"{certificate}.pem","KeyPath":"{certificate}.key"}}}}"#
        )
    };
    let http1 = r#","Protocols":"Http1""#;
    let first = [endpoint("A", "127.0.0.1", "one", ""), endpoint("B", "[::1]", "server", "")];
    let stage = Stage::with_endpoints(&first.join(","));
    let install = |from: &str, to: &str| {
        for kind in ["pem", "key"] {
            let to = stage.path(&format!("{to}.{kind}"));
            std::fs::copy(file(&format!("{from}.{kind}")), to).expect("the folder is ours");
        }
    };
    install("one", "one");
    install("server", "server");
    install("two", "two");
    let host = stage.started(saying("hello")).await;
    // Clients take no certificate but one for the name they ask for.
    let served = async |place: usize, socket: &str, name: &'static str| {
        let address = host.addresses()[place].clone();
        assert!(address.contains(socket), "{address} at {place}");
        Client::asking(name).try_connect(&address).await.is_ok()
    };
    assert!(served(0, "127.0.0.1", "one.example").await);
    assert!(served(1, "[::1]", "localhost").await);
    // In another order, with something different about both, and a new one before them.
    let swapped = [
        endpoint("A", "127.0.0.2", "two", ""),
        endpoint("B", "[::1]", "server", http1),
        endpoint("C", "127.0.0.1", "one", http1),
    ];
    assert_eq!(stage.go_over_to(&host, &swapped.join(",")).await.unwrap(), Reloaded::Changed);
    assert!(served(0, "127.0.0.2", "x.two.example").await);
    assert!(served(1, "[::1]", "localhost").await);
    assert!(served(2, "127.0.0.1", "one.example").await);
    // Back again, where nothing but a file is different, of the endpoint that is last now.
    let back = [endpoint("A", "127.0.0.1", "one", http1), endpoint("B", "[::1]", "server", http1)];
    install("two", "server");
    assert_eq!(stage.go_over_to(&host, &back.join(",")).await.unwrap(), Reloaded::Changed);
    assert!(served(0, "127.0.0.1", "one.example").await);
    assert!(served(1, "[::1]", "x.two.example").await);
    // The same while both change their places.
    let swapped =
        [endpoint("A", "[::1]", "server", http1), endpoint("B", "127.0.0.1", "one", http1)];
    install("server", "server");
    assert_eq!(stage.go_over_to(&host, &swapped.join(",")).await.unwrap(), Reloaded::Changed);
    assert!(served(0, "[::1]", "localhost").await);
    assert!(served(1, "127.0.0.1", "one.example").await);
    stopped(host).await;
}

#[tokio::test]
async fn the_certificate_of_any_name_is_replaced_by_a_reload() {
    let section = |name: &str| {
        format!(r#""{name}":{{"Certificate":{{"Path":"{name}.pem","KeyPath":"{name}.key"}}}}"#)
    };
    // In the order of their names, so that the last one is the one that changes.
    let stage = Stage::with_endpoints(&format!(
        r#""A":{{"Url":"https://127.0.0.1:0","Sni":{{{},{}}}}}"#,
        section("a.two.example"),
        section("localhost")
    ));
    let install = |from: &str, to: &str| {
        for kind in ["pem", "key"] {
            let to = stage.path(&format!("{to}.{kind}"));
            std::fs::copy(file(&format!("{from}.{kind}")), to).expect("the folder is ours");
        }
    };
    let shown = async |address: &str| {
        let wire = Client::asking("localhost").connect(address).await;
        let (_, session) = wire.stream().get_ref();
        let chain = session.peer_certificates().expect("the handshake is over");
        chain[0].clone().into_owned()
    };
    install("two", "a.two.example");
    install("server", "localhost");
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let before = shown(&address).await;
    install("server-2", "localhost");
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    assert_ne!(shown(&address).await, before);
    assert_eq!(host.reload().await.unwrap(), Reloaded::Unchanged);
    stopped(host).await;
}
