//! Over TLS.

use std::sync::Arc;

use http::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::kit::{Upstream, get, post};
use crate::features::HttpProtocols;
use crate::tls::ClientCertificateMode::{self, AllowCertificate, RequireCertificate};
use crate::tls::{ClientTls, SslProtocols, test_sides};
use crate::upstream::{
    Client, ClientSettings, Destination, FailureKind, Place, Server, VersionPolicy,
};

/// A server that secures its connections, and answers requests with what it read of them.
fn echoing(certificate: &'static str, mode: ClientCertificateMode) -> Upstream {
    let tls = Arc::new(test_sides::server(certificate, HttpProtocols::Http1, mode));
    Upstream::start(move |_, peer| {
        let tls = Arc::clone(&tls);
        async move {
            let mut socket = peer.stream;
            let Ok(accepted) = tls.accept(&mut socket).await else { return };
            let asked = accepted.handshake.server_name().unwrap_or("nothing").to_owned();
            let certificates = accepted.handshake.client_certificate_chain().count();
            let mut stream = accepted.into_stream(socket);
            let mut read = Vec::new();
            loop {
                while !read.windows(4).any(|four| four == b"\r\n\r\n") {
                    if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                read.clear();
                let body = format!("{asked} {certificates}");
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(body.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    })
}

fn secured(upstream: &Upstream, tls: &Arc<ClientTls>) -> Arc<Server> {
    let settings = ClientSettings { tls: Some(Arc::clone(tls)), ..ClientSettings::default() };
    let place = Place::Host { name: "127.0.0.1".to_owned(), port: upstream.address.port() };
    Server::new(Client::new(settings, Arc::default()), Destination { secure: true, place })
}

#[tokio::test]
async fn a_certificate_is_judged_by_the_host_that_is_sent() {
    let upstream = echoing("server", AllowCertificate);
    let trusting = test_sides::client(&["ca"], false, None);
    let server = secured(&upstream, &trusting);
    for (host, body) in
        [("localhost", Some("localhost 0")), ("127.0.0.1:99", Some("nothing 0")), ("a.test", None)]
    {
        let mut ask = get("/");
        ask.host = host;
        match ask.send(&server).await {
            Ok(got) => assert_eq!(Some(&*String::from_utf8_lossy(&got.body)), body, "{host}"),
            Err(failure) => {
                assert_eq!((failure.kind(), body), (FailureKind::Tls, None), "{host}: {failure}");
                assert!(failure.to_string().contains("not for 'a.test'"), "{failure}");
                assert!(failure.is_unsent());
            }
        }
    }
    // Each name has connections of its own.
    assert_eq!(upstream.connections(), 3);
    for host in ["localhost", "127.0.0.1", "localhost"] {
        let mut ask = get("/");
        ask.host = host;
        ask.send(&server).await.unwrap();
    }
    assert_eq!(upstream.connections(), 3);
}

#[tokio::test]
async fn who_is_believed_is_said() {
    for (certificate, trusted, accept_any, is_taken) in [
        ("server", &["ca"][..], false, true),
        ("server", &["own"], false, false),
        ("server", &[], false, false),
        ("server", &[], true, true),
        ("expired", &["ca"], false, false),
        ("expired", &["ca"], true, true),
        // Trusted itself.
        ("server", &["server"], false, true),
    ] {
        let upstream = echoing(certificate, AllowCertificate);
        let server = secured(&upstream, &test_sides::client(trusted, accept_any, None));
        let mut ask = get("/");
        ask.host = "localhost";
        let sent = ask.send(&server).await;
        let case = format!("{certificate} by {trusted:?}, any {accept_any}");
        assert_eq!(sent.is_ok(), is_taken, "{case}: {sent:?}");
        if let Err(failure) = sent {
            assert_eq!(failure.kind(), FailureKind::Tls, "{case}");
        }
    }
}

#[tokio::test]
async fn a_certificate_of_our_own_is_shown() {
    let upstream = echoing("server", RequireCertificate);
    let ask = || {
        let mut ask = get("/");
        ask.host = "localhost";
        ask
    };
    let with = secured(&upstream, &test_sides::client(&["ca"], false, Some("client")));
    assert_eq!(ask().send(&with).await.unwrap().body, b"localhost 1");
    let without = secured(&upstream, &test_sides::client(&["ca"], false, None));
    ask().send(&without).await.unwrap_err();
}

#[tokio::test]
async fn versions_of_tls_are_chosen() {
    let upstream = echoing("server", AllowCertificate);
    let (old, new) =
        (SslProtocols { tls12: true, tls13: false }, SslProtocols { tls12: false, tls13: true });
    for versions in [old, new] {
        let tls = test_sides::client_of_versions(&["ca"], false, None, versions);
        let server = secured(&upstream, &tls);
        for _ in 0..3 {
            let mut ask = get("/");
            ask.host = "localhost";
            assert_eq!(ask.send(&server).await.unwrap().body, b"localhost 0");
        }
    }
    // Tickets of TLS 1.3 are no bytes out of turn.
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn clear_text_in_the_place_of_a_handshake_is_told() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        peer.ended().await;
    });
    let server = secured(&upstream, &test_sides::client(&["ca"], false, None));
    let failure = post("hi", Some(2)).send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Tls);
    assert!(failure.to_string().contains("does not speak TLS"), "{failure}");
    let silent = Upstream::start(|_, peer| async move { drop(peer) });
    let server = secured(&silent, &test_sides::client(&["ca"], false, None));
    let failure = post("hi", Some(2)).send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Tls);
}

#[tokio::test]
async fn a_server_that_knows_no_http2_is_spoken_to_in_http1() {
    let upstream = echoing("server", AllowCertificate);
    let server = secured(&upstream, &test_sides::client(&["ca"], false, None));
    for (policy, is_taken) in [
        (VersionPolicy::OrLower, true),
        (VersionPolicy::OrHigher, false),
        (VersionPolicy::Exact, false),
    ] {
        let mut ask = get("/").field("accept", "*/*");
        (ask.host, ask.version) = ("localhost", (Version::HTTP_2, policy));
        let sent = ask.send(&server).await;
        assert_eq!(sent.as_ref().is_ok(), is_taken, "{policy:?}: {sent:?}");
        if let Ok(got) = sent {
            assert_eq!(got.version, Version::HTTP_11);
        }
    }
}

/// A server that secures its connections, and speaks HTTP/2 if that is agreed on.
fn negotiating(protocols: HttpProtocols) -> Upstream {
    let tls = Arc::new(test_sides::server("server", protocols, AllowCertificate));
    Upstream::start(move |_, peer| {
        let tls = Arc::clone(&tls);
        async move {
            let mut socket = peer.stream;
            let Ok(accepted) = tls.accept(&mut socket).await else {
                return;
            };
            let http2 = accepted.handshake.application_protocol() == Some("h2");
            let mut stream = accepted.into_stream(socket);
            if !http2 {
                let mut head = [0; 4096];
                while stream.read(&mut head).await.is_ok_and(|length| length > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                }
                return;
            }
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                respond.send_response(http::Response::new(()), true).unwrap();
            }
        }
    })
}

#[tokio::test]
async fn the_version_is_agreed_on() {
    use HttpProtocols::{Http1, Http1AndHttp2, Http2};
    use VersionPolicy::{Exact, OrHigher, OrLower};

    const V1: Version = Version::HTTP_11;
    const V2: Version = Version::HTTP_2;
    for (offered, version, policy, spoken) in [
        (Http1AndHttp2, V2, OrLower, Some(V2)),
        (Http1AndHttp2, V2, OrHigher, Some(V2)),
        (Http1AndHttp2, V2, Exact, Some(V2)),
        (Http1AndHttp2, V1, OrLower, Some(V1)),
        (Http1AndHttp2, V1, Exact, Some(V1)),
        (Http1AndHttp2, V1, OrHigher, Some(V2)),
        (Http1, V2, OrLower, Some(V1)),
        (Http1, V1, OrHigher, Some(V1)),
        (Http1, V2, Exact, None),
        (Http2, V2, OrLower, Some(V2)),
    ] {
        let upstream = negotiating(offered);
        let server = secured(&upstream, &test_sides::client(&["ca"], false, None));
        let asks: Vec<_> = (0..5)
            .map(|_| {
                let server = Arc::clone(&server);
                let mut ask = get("/");
                (ask.host, ask.version) = ("localhost", (version, policy));
                tokio::spawn(async move { ask.send(&server).await })
            })
            .collect();
        for ask in asks {
            let spoke = ask.await.unwrap().map(|got| got.version);
            let case = format!("{offered:?} {version:?} {policy:?}");
            assert_eq!(spoke.as_ref().ok(), spoken.as_ref(), "{case}: {spoke:?}");
        }
        if spoken == Some(V2) {
            // All waited for the first connection.
            assert_eq!(upstream.connections(), 1);
        }
    }
}

/// A proxy that answers the first request on a connection so, and is a tunnel to the server behind that.
fn proxy_before(upstream: &Upstream, answer: &'static str) -> (Upstream, Arc<Server>) {
    let address = upstream.address;
    let proxy = Upstream::start(move |_, mut peer| async move {
        peer.head().await;
        peer.send(answer).await;
        let mut there = tokio::net::TcpStream::connect(address).await.unwrap();
        // Whoever ends it says so to the other one.
        let _ = tokio::io::copy_bidirectional(&mut peer.stream, &mut there).await;
    });
    let tls = test_sides::client(&["ca"], false, None);
    let settings = ClientSettings { tls: Some(tls), ..ClientSettings::default() };
    let proxy_at = (proxy.address.ip().to_string(), proxy.address.port());
    let place = Place::Through { name: "far.test".to_owned(), port: 8443, proxy: proxy_at };
    let server =
        Server::new(Client::new(settings, Arc::default()), Destination { secure: true, place });
    (proxy, server)
}

#[tokio::test]
async fn a_proxy_in_between_is_a_tunnel_that_it_sees_nothing_of() {
    let upstream = echoing("server", AllowCertificate);
    let (proxy, server) =
        proxy_before(&upstream, "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n");
    for _ in 0..2 {
        let mut ask = get("/");
        ask.host = "localhost";
        let got = ask.send(&server).await.unwrap();
        assert_eq!(got.body, b"localhost 0");
    }
    assert_eq!((proxy.connections(), upstream.connections()), (1, 1));
    let heads = proxy.heads.lock().unwrap().join("");
    assert_eq!(heads, "CONNECT far.test:8443 HTTP/1.1\r\nHost: far.test:8443\r\n\r\n");
}

#[tokio::test]
async fn a_proxy_that_connects_nobody_is_told_with_what_it_said() {
    let upstream = echoing("server", AllowCertificate);
    for (answer, told) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "does not connect to it: 'HTTP/1.1 403 Forbidden'"),
        ("nonsense\r\n\r\n", "does not connect to it: 'nonsense'"),
    ] {
        let (_proxy, server) = proxy_before(&upstream, answer);
        let Err(failure) = get("/").send(&server).await else { panic!("{told}") };
        assert!(failure.to_string().contains(told), "{failure}");
        assert!(failure.is_unsent() && failure.kind() == FailureKind::Unreachable);
    }
}

#[tokio::test]
async fn what_was_read_tells_servers_from_each_other_if_they_are_secured() {
    let place = Place::Host { name: "127.0.0.1".to_owned(), port: 1 };
    let made = |secure, settings: ClientSettings| {
        Server::new(
            Client::new(settings, Arc::default()),
            Destination { secure, place: place.clone() },
        )
    };
    let settings = |trusted: &[&'static str], own| {
        let tls = Some(test_sides::client(trusted, false, own));
        ClientSettings { tls, ..ClientSettings::default() }
    };
    let secured = made(true, settings(&["ca"], None));
    let clear = made(false, ClientSettings::default());
    for (trusted, own, is_like) in [
        (&["ca"][..], None, true),
        (&["own"], None, false),
        (&["ca", "own"], None, false),
        (&["ca"], Some("client"), false),
    ] {
        let other = settings(trusted, own);
        assert_eq!(secured.is_like(secured.destination(), &other), is_like, "{trusted:?} {own:?}");
        assert!(clear.is_like(clear.destination(), &other));
        assert!(!clear.is_like(secured.destination(), &other));
    }
}
