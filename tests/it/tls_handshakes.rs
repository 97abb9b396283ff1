//! Handshakes that are slow, broken, too large or none at all.

use std::time::{Duration, Instant};

use kestrel::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Wire, soon, started, stopped};
use crate::tls_client::{Client, ONLY_TLS12, connected, options, serving};
use crate::tls_host::{address, app, host};

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
async fn clear_text_is_told_to_use_https_and_nothing_of_it_is_repeated() {
    let host = host(options()).await;
    let mut wire = Wire::new(connected(&address(&host)).await);
    wire.send("GET /evil?b HTTP/1.1\r\nHost: evil.example:1\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains(" Use https://"), "{}", answer.body);
    assert!(!answer.body.contains("evil"), "{}", answer.body);
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
