//! Connections of https endpoints: what is agreed on, what is refused, and how they end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{any, get, post};
use kestrel::tls::{ClientCertificateMode, SniOptions, SslProtocols, TlsOptions};
use kestrel::{Connection, Limits, MinDataRate, RunningHost, TlsHandshake};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http2_frames::{DATA, Http2, SETTINGS, WINDOW_UPDATE};
use crate::support::{Wire, configured, really, saying, skipped, soon, started, stopped};
use crate::tls_client::{Client, ONLY_TLS12, Tls, certificate, connected, file, options, serving};
use crate::upgrades::echo;

const VERSIONS: [(&[&rustls::SupportedProtocolVersion], &str); 2] =
    [(&[&TLS12], "Tls12"), (&[&TLS13], "Tls13")];

/// Says what it knows: scheme, version, name, protocol, whether there is a client's certificate.
async fn facts(connection: Connection, handshake: Option<TlsHandshake>) -> String {
    let Some(tls) = handshake else {
        return connection.scheme().as_str().to_owned();
    };
    assert_eq!(connection.tls(), Some(&tls));
    format!(
        "{} {} {} {} {}",
        connection.scheme().as_str(),
        tls.protocol(),
        tls.server_name().unwrap_or("-"),
        tls.application_protocol().unwrap_or("-"),
        tls.client_certificate_chain().count(),
    )
}

fn app() -> Router {
    Router::new().route("/", get(facts))
}

async fn host(options: TlsOptions) -> RunningHost {
    // The frames of these tests say `http`.
    let builder = serving(options).configure_kestrel(|options| {
        options.allow_alternate_schemes = true;
    });
    started(builder.app(app())).await
}

fn address(host: &RunningHost) -> String {
    host.addresses()[0].clone()
}

/// The body of an answer over HTTP/2.
async fn http2_body(wire: Wire<Tls>) -> String {
    let mut http2 = Http2::over(wire).await;
    http2.request(1, "/").await;
    let body = http2.next_of_kind(DATA).await.payload;
    String::from_utf8(body).expect("a text")
}

/// What is said of single names, and nothing of the others.
fn sections(sections: Vec<SniOptions>) -> TlsOptions {
    let mut options = TlsOptions::default();
    options.sni = sections;
    options
}

fn section(name: &str, change: impl FnOnce(&mut SniOptions)) -> SniOptions {
    let mut section = SniOptions::default();
    section.name = name.to_owned();
    change(&mut section);
    section
}

#[tokio::test]
async fn versions_and_protocols_are_agreed_on() {
    let host = host(options()).await;
    for (versions, version) in VERSIONS {
        for (offered, agreed) in [
            (&["h2", "http/1.1"][..], Some("h2")),
            (&["http/1.1", "h2"], Some("h2")),
            (&["foo", "http/1.1"], Some("http/1.1")),
            (&[], None),
        ] {
            let client = Client { versions, ..Client::offering(offered) };
            let mut wire = client.connect(&address(&host)).await;
            let (_, session) = wire.stream().get_ref();
            assert_eq!(session.alpn_protocol(), agreed.map(str::as_bytes));
            if agreed == Some("h2") {
                assert_eq!(http2_body(wire).await, format!("https {version} - h2 0"));
            } else {
                let body = wire.get("/").await.body;
                assert_eq!(body, format!("https {version} - {} 0", agreed.unwrap_or("-")));
            }
        }
        let client = Client { versions, ..Client::offering(&["foo", "http/1.0"]) };
        let error = client.try_connect(&address(&host)).await.map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_endpoint_speaks_the_versions_of_tls_it_is_allowed() {
    for (tls12, tls13) in [(true, false), (false, true), (false, false)] {
        let mut options = options();
        let mut allowed = SslProtocols::default();
        (allowed.tls12, allowed.tls13) = (tls12, tls13);
        options.ssl_protocols = allowed;
        let host = host(options).await;
        for ((versions, version), served) in VERSIONS.into_iter().zip([tls12, tls13]) {
            let client = Client { versions, ..Client::default() };
            match client.try_connect(&address(&host)).await {
                Ok(mut wire) => {
                    assert!(served, "{version}");
                    assert_eq!(wire.get("/").await.body, format!("https {version} - - 0"));
                }
                Err(error) => {
                    assert!(!served, "{version}: {error}");
                    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
                }
            }
        }
        stopped(host).await;
    }
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
async fn http2_alone_is_not_spoken_without_an_agreement() {
    let mut options = options();
    options.sni = vec![section("*", |all| {
        all.protocols = kestrel::HttpProtocols::parse("Http2");
    })];
    let host = host(options).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    assert_eq!(wire.rest().await, b"");
    let error = Client::offering(&["http/1.1"]).try_connect(&address(&host)).await.map(|_| ());
    assert!(error.unwrap_err().to_string().contains("NoApplicationProtocol"));
    assert_eq!(
        http2_body(Client::offering(&["h2"]).connect(&address(&host)).await).await,
        "https Tls13 - h2 0"
    );
    stopped(host).await;
}

#[tokio::test]
async fn an_endpoint_without_protocols_closes_every_connection() {
    let mut options = options();
    options.sni = vec![section("*", |all| {
        all.protocols = kestrel::HttpProtocols::parse("None");
    })];
    let host = host(options).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    assert_eq!(wire.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn certificates_of_clients_are_asked_for_and_judged() {
    use ClientCertificateMode::{
        AllowCertificate, DelayCertificate, NoCertificate, RequireCertificate,
    };

    for (mode, none, trusted, strange) in [
        (NoCertificate, Some(0), Some(0), Some(0)),
        (AllowCertificate, Some(0), Some(1), None),
        (RequireCertificate, None, Some(1), None),
        (DelayCertificate, Some(0), Some(0), Some(0)),
    ] {
        let mut options = options();
        options.client_certificate_mode = mode;
        let host = host(options).await;
        for (versions, version) in VERSIONS {
            for (certificate, seen) in [
                (None, none),
                (Some("client"), trusted),
                // One that is trusted itself.
                (Some("own"), trusted),
                (Some("stranger"), strange),
                (Some("other-use"), strange),
            ] {
                let client = Client { versions, certificate, ..Client::default() };
                let what = format!("{mode:?} {version} {certificate:?}");
                match seen {
                    Some(seen) => {
                        let body = client.connect(&address(&host)).await.get("/").await.body;
                        assert_eq!(body, format!("https {version} - - {seen}"), "{what}");
                    }
                    // A client of TLS 1.3 only learns of it when it reads.
                    None => {
                        let refused = match client.try_connect(&address(&host)).await {
                            Ok(mut wire) => wire.end().await.map(|_| ()),
                            Err(error) => Err(error),
                        };
                        let error = refused.expect_err(&what).to_string();
                        assert!(error.contains("received fatal alert"), "{what}: {error}");
                    }
                }
            }
        }
        stopped(host).await;
    }
}

#[tokio::test]
async fn a_session_is_taken_up_again() {
    let host = host(options()).await;
    for (versions, version) in VERSIONS {
        let client = Client { versions, ..Client::default() };
        let config = client.config();
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let wire = client.try_connect_with(Arc::clone(&config), &address(&host)).await;
            let mut wire = wire.expect("a handshake");
            // The ticket comes with the answer.
            wire.get("/").await;
            let (_, session) = wire.stream().get_ref();
            assert_eq!(session.handshake_kind(), Some(kind), "{version}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_session_of_a_lenient_name_is_not_taken_up_where_a_certificate_is_required() {
    let options = sections(vec![
        section("one.example", |one| one.certificate = Some(certificate("one"))),
        section("localhost", |two| {
            two.certificate = Some(certificate("server"));
            two.client_certificate_mode = Some(ClientCertificateMode::RequireCertificate);
        }),
    ]);
    let host = host(options).await;
    for (versions, version) in VERSIONS {
        let client = Client { versions, ..Client::asking("one.example") };
        let mut config = (*client.config()).clone();
        // A client that takes up any session anywhere.
        config.resumption = rustls::client::Resumption::store(Arc::new(AnyName::default()));
        let config = Arc::new(config);
        let wire = client.try_connect_with(Arc::clone(&config), &address(&host)).await;
        wire.expect("a handshake").get("/").await;
        let strict = Client { versions, ..Client::asking("localhost") };
        let refused = match strict.try_connect_with(config, &address(&host)).await {
            Ok(mut wire) => wire.end().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(refused.is_err(), "{version}");
    }
    stopped(host).await;
}

/// Sessions without regard for the name they were made for.
#[derive(Debug)]
struct AnyName(rustls::client::ClientSessionMemoryCache);

impl Default for AnyName {
    fn default() -> Self {
        Self(rustls::client::ClientSessionMemoryCache::new(8))
    }
}

impl AnyName {
    fn name() -> rustls::pki_types::ServerName<'static> {
        "any.example".try_into().expect("a name")
    }
}

impl rustls::client::ClientSessionStore for AnyName {
    fn set_kx_hint(&self, _: rustls::pki_types::ServerName<'static>, group: rustls::NamedGroup) {
        self.0.set_kx_hint(Self::name(), group);
    }

    fn kx_hint(&self, _: &rustls::pki_types::ServerName<'_>) -> Option<rustls::NamedGroup> {
        self.0.kx_hint(&Self::name())
    }

    fn set_tls12_session(
        &self,
        _: rustls::pki_types::ServerName<'static>,
        value: rustls::client::Tls12ClientSessionValue,
    ) {
        self.0.set_tls12_session(Self::name(), value);
    }

    fn tls12_session(
        &self,
        _: &rustls::pki_types::ServerName<'_>,
    ) -> Option<rustls::client::Tls12ClientSessionValue> {
        self.0.tls12_session(&Self::name())
    }

    fn remove_tls12_session(&self, _: &rustls::pki_types::ServerName<'static>) {
        self.0.remove_tls12_session(&Self::name());
    }

    fn insert_tls13_ticket(
        &self,
        _: rustls::pki_types::ServerName<'static>,
        value: rustls::client::Tls13ClientSessionValue,
    ) {
        self.0.insert_tls13_ticket(Self::name(), value);
    }

    fn take_tls13_ticket(
        &self,
        _: &rustls::pki_types::ServerName<'static>,
    ) -> Option<rustls::client::Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&Self::name())
    }
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_given_up() {
    // More than a handshake takes where everything takes its time.
    const LIMIT: Duration = Duration::from_secs(3);

    let builder = serving(options()).configure_kestrel(|options| options.handshake_timeout = LIMIT);
    let host = started(builder.app(app())).await;
    let mut served = Client::default().connect(&address(&host)).await;
    let given_up = async |sent: &'static [u8]| {
        let begun = Instant::now();
        let mut wire = Wire::new(connected(&address(&host)).await);
        wire.send(sent).await;
        assert_eq!(wire.rest().await, b"");
        let took = begun.elapsed();
        assert!(took >= LIMIT - Duration::from_millis(5) && took < 10 * LIMIT, "{took:?}");
    };
    tokio::join!(given_up(b""), given_up(b"\x16\x03\x01\x02"), given_up(b"GET / HTTP/1.1"),);
    // One whose handshake is done has all the time of a connection.
    assert_eq!(served.get("/").await.status, 200);
    stopped(host).await;
}

#[test]
fn a_handshake_has_some_time() {
    let builder = serving(options()).configure_kestrel(|options| {
        options.handshake_timeout = Duration::ZERO;
    });
    let error = builder.build().expect_err("no time is none");
    assert!(error.to_string().contains("Value must be a positive TimeSpan."), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_may_speak_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s");
    let url = format!("https://unix:{}", path.display());
    let file = |name: &str| file(name).display().to_string();
    let host = started(
        configured(&[
            ("ASPNETCORE_URLS", &url),
            ("Kestrel__Certificates__Default__Path", &file("server.pem")),
            ("Kestrel__Certificates__Default__KeyPath", &file("server.key")),
        ])
        .app(app()),
    )
    .await;
    let socket = tokio::net::UnixStream::connect(&path).await.expect("somebody listens");
    let connector = tokio_rustls::TlsConnector::from(Client::default().config());
    let name = "localhost".try_into().expect("a name");
    let stream = soon("a handshake", connector.connect(name, socket)).await.expect("a handshake");
    let mut wire = Wire::new(stream);
    assert_eq!(wire.get("/").await.body, "https Tls13 localhost - 0");
    stopped(host).await;
}

/// A host whose clients have to take what they ask for.
async fn impatient_host() -> RunningHost {
    let app = Router::new().route("/", get(|| async { Body::from(vec![b'x'; 50_000_000]) }));
    let builder = serving(options()).app(app).configure_kestrel(|options| {
        let grace = Duration::from_millis(1100);
        options.limits.min_response_data_rate = MinDataRate::new(1e9, grace).ok();
        options.allow_alternate_schemes = true;
    });
    started(builder).await
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let host = impatient_host().await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.head().await;
    // It is cut off while it looks away: the stop has nothing to wait for.
    stopped(host).await;
    assert!(wire.end().await.is_err());
}

#[tokio::test]
async fn a_client_of_http2_that_takes_nothing_is_cut_off() {
    let host = impatient_host().await;
    let wire = Client::offering(&["h2"]).connect(&address(&host)).await;
    let mut http2 = Http2::over(wire).await;
    // Windows without an end, so that the socket is what is full.
    http2.send(SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]).await;
    http2.send(WINDOW_UPDATE, 0, 0, &[0x7f, 0, 0, 0]).await;
    http2.request(1, "/").await;
    http2.next_of_kind(DATA).await;
    stopped(host).await;
    assert!(http2.0.end().await.is_err());
}

#[tokio::test]
async fn the_stop_does_not_wait_for_handshakes() {
    let builder = serving(options()).configure_kestrel(|options| {
        options.handshake_timeout = Limits::NEVER;
    });
    let host = started(builder.app(app())).await;
    let mut silent = Wire::new(connected(&address(&host)).await);
    let mut half = Wire::new(connected(&address(&host)).await);
    half.send(b"\x16\x03\x01\x02").await;
    // Both are accepted by now.
    Client::default().connect(&address(&host)).await.get("/").await;
    stopped(host).await;
    assert_eq!(silent.rest().await, b"");
    assert!(half.end().await.is_ok_and(|rest| rest.is_empty()));
}

#[tokio::test]
async fn a_handshake_may_come_byte_by_byte() {
    let host = host(options()).await;
    let (mut near, far) = tokio::io::duplex(1);
    let mut tcp = connected(&address(&host)).await;
    let relay =
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut tcp).await });
    let name = "localhost".try_into().expect("a name");
    let connector = tokio_rustls::TlsConnector::from(Client::default().config());
    let stream = soon("a handshake", connector.connect(name, far)).await.expect("a handshake");
    let mut wire = Wire::new(stream);
    assert_eq!(wire.get("/").await.body, "https Tls13 localhost - 0");
    drop(wire);
    let _ = relay.await;
    stopped(host).await;
}

/// Neither may be kept until the time of the handshake is over, which here never is.
#[tokio::test]
async fn what_a_client_sends_before_the_end_of_its_handshake_is_bounded() {
    let builder = serving(options()).configure_kestrel(|options| {
        options.handshake_timeout = Limits::NEVER;
    });
    let host = started(builder.app(app())).await;
    // Clear text that is no line.
    let mut wire = Wire::new(connected(&address(&host)).await);
    wire.send("GET /".to_owned() + &"a".repeat(16 * 1024)).await;
    // What was not read makes the system end with a reset.
    assert_eq!(wire.end().await.unwrap_or_default(), b"");
    // A message that comes in pieces of one byte, each a record of six.
    let name = "localhost".try_into().expect("a name");
    let client = Client { versions: ONLY_TLS12, ..Client::default() };
    let mut session = rustls::ClientConnection::new(client.config(), name).expect("a client");
    let mut hello = Vec::new();
    session.write_tls(&mut hello).expect("memory takes it");
    let mut wire = Wire::new(connected(&address(&host)).await);
    wire.send(&hello).await;
    // The server's part begins with its hello.
    assert_eq!(wire.take(1).await, [22]);
    // ClientKeyExchange, 60,000 bytes.
    wire.send([22, 3, 3, 0, 4, 16, 0, 0xea, 0x60]).await;
    for _ in 0..60 {
        if !wire.try_send([22, 3, 3, 0, 1, 0].repeat(999)).await {
            break;
        }
    }
    if let Ok(rest) = wire.end().await {
        assert!(rest.ends_with(&[21, 3, 3, 0, 2, 2, 50]), "the alert decode_error");
    }
    stopped(host).await;
}

#[tokio::test]
async fn clear_text_is_told_the_url() {
    let host = host(options()).await;
    let mut wire = Wire::new(connected(&address(&host)).await);
    wire.send("GET /a?b HTTP/1.1\r\nHost: localhost:1\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.ends_with(" Use https://localhost:1/a?b"), "{}", answer.body);
    assert_eq!(wire.rest().await, b"");
    for nonsense in ["HELLO\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut wire = Wire::new(connected(&address(&host)).await);
        wire.send(nonsense).await;
        assert_eq!(wire.rest().await, b"", "{nonsense:?}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn broken_records_end_the_connection_and_no_other() {
    let host = host(options()).await;
    let (unexpected_message, record_overflow, decode_error, protocol_version) = (10, 22, 50, 70);
    for (broken, minor, description) in [
        (&b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"[..], 3, decode_error),
        (b"\x16\x03\x01\x00\x05\x01\x01\x00\x00\x00", 3, decode_error),
        (b"\x16\x03\x01\xff\xff\x01\x00\x00\x00", 3, record_overflow),
        (b"\x16\x03\x01\x40\x01\x01\x00\x00\x00", 3, record_overflow),
        (b"\x16\x03\x01\x00\x00", 3, unexpected_message),
        (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", 3, unexpected_message),
        (b"\x16\x03\x01\x00\x05\x63\x00\x00\x01\x00", 3, unexpected_message),
        (b"\x17\x03\x03\x00\x05\x01\x00\x00\x01\x00", 3, unexpected_message),
        (b"\x14\x03\x03\x00\x01\x01", 3, unexpected_message),
        (b"\x63\x03\x03\x00\x01\x01", 3, unexpected_message),
        // A hello of SSL 2.0.
        (b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10", 0, protocol_version),
    ] {
        let mut wire = Wire::new(connected(&address(&host)).await);
        wire.send(broken).await;
        let alert = [21, 3, minor, 0, 2, 2, description];
        assert_eq!(wire.rest().await, alert, "{broken:?}");
    }
    // What is no TLS has no alert.
    for broken in [&b"\x00\x01\x02\x03"[..], b"\x16\x09\x09\x00\x05\x01\x00\x00\x01\x00"] {
        let mut wire = Wire::new(connected(&address(&host)).await);
        wire.send(broken).await;
        assert_eq!(wire.rest().await, b"", "{broken:?}");
    }
    // In the middle of a connection, too.
    let wire = Client::default().connect(&address(&host)).await;
    let (mut tcp, _) = wire.into_stream().into_inner();
    tcp.write_all(b"\x17\x03\x03\x00\x20................................").await.expect("sent");
    let mut rest = Vec::new();
    soon("the end", tcp.read_to_end(&mut rest)).await.expect("the end");
    stopped(host).await;
}

/// rustls has nothing to say about it any more, and asserts so.
#[tokio::test]
async fn what_comes_behind_the_goodbye_is_passed_over() {
    let host = host(options()).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 400);
    assert_eq!(wire.rest().await, b"");
    let (mut tcp, _) = wire.into_stream().into_inner();
    for _ in 0..64 {
        tcp.write_all(&[23; 64 * 1024]).await.expect("somebody still reads it");
    }
    stopped(host).await;
}

#[tokio::test]
async fn connections_are_counted_before_their_handshake() {
    let builder = serving(options()).configure_kestrel(|options| {
        options.limits.max_concurrent_connections = Some(1);
    });
    let host = started(builder.app(app())).await;
    let mut first = Client::default().connect(&address(&host)).await;
    assert_eq!(first.get("/").await.status, 200);
    let mut second = Wire::new(connected(&address(&host)).await);
    assert_eq!(second.rest().await, b"");
    assert!(Client::default().try_connect(&address(&host)).await.is_err());
    stopped(host).await;

    // One that never says its hello has its place, too.
    let builder = serving(options()).configure_kestrel(|options| {
        options.limits.max_concurrent_connections = Some(1);
        options.handshake_timeout = Limits::NEVER;
    });
    let host = started(builder.app(app())).await;
    let silent = Wire::new(connected(&address(&host)).await);
    assert!(Client::default().try_connect(&address(&host)).await.is_err());
    drop(silent);
    stopped(host).await;
}

#[tokio::test]
async fn a_connection_ends_with_a_goodbye() {
    let builder = serving(options()).configure_kestrel(|options| {
        // More than lies between a handshake and a request where everything takes its time.
        options.limits.keep_alive_timeout = Duration::from_secs(2);
    });
    let host = started(builder.app(app())).await;
    // Without close_notify, this client would have an error.
    let idle = async {
        let mut idle = Client::default().connect(&address(&host)).await;
        idle.get("/").await;
        assert_eq!(idle.rest().await, b"");
    };
    let silent = async {
        let mut silent = Client::default().connect(&address(&host)).await;
        assert_eq!(silent.rest().await, b"");
    };
    tokio::join!(idle, silent);
    let mut last = Client::default().connect(&address(&host)).await;
    last.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(last.answer().await.status, 200);
    assert_eq!(last.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn the_stop_says_goodbye() {
    let host = host(options()).await;
    let mut idle = Client::default().connect(&address(&host)).await;
    idle.get("/").await;
    let mut http2 = Http2::over(Client::offering(&["h2"]).connect(&address(&host)).await).await;
    http2.seen().await;
    stopped(host).await;
    assert_eq!(idle.rest().await, b"");
    assert_eq!(http2.goaway().await, (0, 0));
}

#[tokio::test]
async fn a_client_may_leave_without_a_goodbye() {
    let host = host(options()).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.get("/").await;
    let (mut tcp, _) = wire.into_stream().into_inner();
    tcp.shutdown().await.expect("it is connected");
    let mut rest = Vec::new();
    // The end, not a reset.
    soon("the end", tcp.read_to_end(&mut rest)).await.expect("the end");
    stopped(host).await;
}

/// Says how much came.
async fn length(body: Bytes) -> String {
    body.len().to_string()
}

#[tokio::test]
async fn large_bodies_go_both_ways() {
    const SIZE: usize = 5_000_000;

    let app = Router::new()
        .route("/length", post(length))
        .route("/large", get(|| async { Body::from(vec![b'x'; SIZE]) }));
    let host = started(serving(options()).app(app)).await;
    for (versions, _) in VERSIONS {
        let mut wire = Client { versions, ..Client::default() }.connect(&address(&host)).await;
        for _ in 0..2 {
            wire.send(format!(
                "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n"
            ))
            .await;
            wire.send(vec![b'y'; SIZE]).await;
            assert_eq!(wire.answer().await.body, SIZE.to_string());
            assert_eq!(wire.get("/large").await.body.len(), SIZE);
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_is_whole_for_a_client_that_reads_late() {
    const SIZE: usize = 3_000_000;

    let app = Router::new().route("/", get(|| async { Body::from(vec![b'x'; SIZE]) }));
    let host = started(serving(options()).app(app)).await;
    for connection in ["keep-alive", "close"] {
        let mut wire = Client::default().connect(&address(&host)).await;
        wire.send(format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n")).await;
        // Longer than hyper is kept for an idle connection, several times.
        for _ in 0..4 {
            really(Duration::from_millis(250)).await;
            wire.take(SIZE / 5).await;
        }
        let answer = wire.take(SIZE / 5).await;
        assert!(answer.ends_with(b"xxx"));
        if connection == "close" {
            let rest = wire.rest().await;
            assert!(rest.iter().all(|byte| *byte == b'x') && rest.len() < 1000, "{}", rest.len());
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_turn() {
    let host = host(options()).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(500)).await;
    for _ in 0..500 {
        assert_eq!(wire.answer().await.body, "https Tls13 - - 0");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_client_may_change_its_keys() {
    let host = host(options()).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    for _ in 0..3 {
        wire.stream_mut().get_mut().1.refresh_traffic_keys().expect("TLS 1.3");
        assert_eq!(wire.get("/").await.status, 200);
    }
    stopped(host).await;
}

#[tokio::test]
async fn another_protocol_may_take_over() {
    let app = saying("hello").route("/echo", any(echo));
    let host = started(serving(options()).app(app)).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    wire.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        .await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    let large = vec![b'z'; 1_000_000];
    let (mut reader, mut writer) = tokio::io::split(wire.into_stream());
    let sent = large.clone();
    let sending = tokio::spawn(async move {
        writer.write_all(&sent).await.expect("sent");
        writer.flush().await.expect("sent");
        writer
    });
    let mut back = vec![0; large.len()];
    soon("the echo", reader.read_exact(&mut back)).await.expect("the echo");
    assert!(back == large);
    sending.await.expect("sent").shutdown().await.expect("the end");
    stopped(host).await;
}

#[tokio::test]
async fn tls_to_clear_text_is_refused_as_before() {
    let host = configured(&[("ASPNETCORE_URLS", "http://127.0.0.1:0")]).app(app());
    let host = started(host).await;
    let https = address(&host).replace("http://", "https://");
    assert!(Client::default().try_connect(&https).await.is_err());
    let mut wire = Wire::connect(&address(&host)).await;
    assert_eq!(wire.get("/").await.body, "http");
    stopped(host).await;
}

#[tokio::test]
async fn curl_and_openssl_are_served() {
    use tokio::process::Command;

    let host = host(options()).await;
    let url = address(&host).to_owned();
    let authority = file("ca.pem");
    for (arguments, expected) in [
        (&["--http1.1"][..], "https Tls13 - http/1.1 0"),
        (&["--http2"], "https Tls13 - h2 0"),
        (&["--http2", "--tls-max", "1.2"], "https Tls12 - h2 0"),
        (&["--no-alpn"], "https Tls13 - - 0"),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--cacert"]).arg(&authority).args(arguments).arg(&url);
        let Ok(output) = soon("curl", curl.output()).await else {
            return skipped("curl_and_openssl_are_served", "curl (apt-get install curl)");
        };
        let (out, error) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&out), expected, "{arguments:?}: {error}");
    }
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-brief", "-connect", &url["https://".len()..], "-CAfile"]);
    openssl.arg(&authority).args(["-alpn", "foo"]).stdin(std::process::Stdio::null());
    let Ok(output) = soon("openssl", openssl.output()).await else {
        return skipped("curl_and_openssl_are_served", "openssl (apt-get install openssl)");
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no application protocol"), "{told}");
    stopped(host).await;
}

/// A client from before TLS 1.2, and one that could speak it and may not.
#[tokio::test]
async fn old_clients_are_told_that_their_version_is_not_spoken() {
    use tokio::process::Command;

    let host = host(options()).await;
    let authority = address(&host)["https://".len()..].to_owned();
    for (version, minor) in [("-tls1", 1), ("-tls1_1", 2)] {
        // As it stands on the wire.
        let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, minor];
        hello.extend([7; 32]);
        hello.extend(b"\0\0\x02\xc0\x13\x01\0");
        let mut wire = Wire::new(connected(&address(&host)).await);
        wire.send(&hello).await;
        assert_eq!(wire.rest().await, [21, 3, minor, 0, 2, 2, 70], "{version}");
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-connect", &authority, version]);
        openssl.args(["-cipher", "DEFAULT@SECLEVEL=0"]).stdin(std::process::Stdio::null());
        let name = "old_clients_are_told_that_their_version_is_not_spoken";
        let Ok(output) = soon("openssl", openssl.output()).await else {
            return skipped(name, "openssl (apt-get install openssl)");
        };
        let told = String::from_utf8_lossy(&output.stderr);
        if told.contains("no protocols available") || told.contains("nknown option") {
            return skipped(name, "an openssl that speaks TLS 1.0 and 1.1");
        }
        assert!(told.contains("alert protocol version"), "{version}: {told}");
    }
    stopped(host).await;
}
