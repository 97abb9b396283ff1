//! The server of tests: an app behind its host, with connections in memory.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Request};
use axum::http::{self, HeaderMap, Method, StatusCode, Version};
use axum::routing::{any, get, post};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use kestrel::testing::{TestError, TestServer};
use kestrel::{
    App, Completed, Completion, Connection, Counters, EffectiveRequest, Host, HostBuilder,
    Lifetime, Local, Remote,
};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;
use tokio_rustls::TlsConnector;

use crate::support::{NEVER, Wire, saying, soon};
use crate::tls_client::{self, Client};
use crate::upgrades::{UPGRADE, echo};

async fn served(app: impl Into<App>) -> TestServer {
    TestServer::start(app).await.expect("the host starts")
}

async fn hosted(host: HostBuilder) -> TestServer {
    TestServer::start_host(host).await.expect("the host starts")
}

fn counters(server: &TestServer) -> Counters {
    server.host().counters().expect("the built-in server counts")
}

/// Waits until all connections are over.
async fn all_closed(counters: &Counters) {
    soon("the end of all connections", async {
        while counters.open() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// An app that says what it was asked.
fn echoing() -> Router {
    Router::new().fallback(async |request: Request| {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let header = |name: &str| parts.headers.get(name).map(|it| it.to_str().expect("text"));
        let text = format!(
            "{} {} {:?} host={:?} a={:?} type={:?} {}",
            parts.method,
            parts.uri,
            parts.version,
            header("host"),
            header("a"),
            header("content-type"),
            String::from_utf8_lossy(&body)
        );
        (StatusCode::ACCEPTED, [("X-B", "c")], text)
    })
}

#[tokio::test]
async fn a_request_reaches_the_app_and_its_answer_comes_back() {
    let server = served(echoing()).await;
    assert_eq!(server.base_url(), "http://localhost");
    let response = server.put("/p?q=1").header("A", "b").body("text").send().await.expect("one");
    assert_eq!((response.status(), response.version()), (StatusCode::ACCEPTED, Version::HTTP_11));
    assert_eq!((response.header("x-b"), response.header("server")), (Some("c"), Some("Kestrel")));
    assert_eq!(response.header("content-length"), Some("69"), "{:?}", response.headers());
    let text = response.text().await.expect("a text");
    assert_eq!(text, r#"PUT /p?q=1 HTTP/1.1 host=Some("localhost") a=Some("b") type=None text"#);

    let response = server.post("/").http2().json(&[1, 2]).send().await.expect("one");
    assert_eq!(response.version(), Version::HTTP_2);
    let text = response.text().await.expect("a text");
    let expected =
        r#"POST http://localhost/ HTTP/2.0 host=None a=None type=Some("application/json") [1,2]"#;
    assert_eq!(text, expected);
    assert!(server.stop().await.is_clean());
}

#[tokio::test]
async fn every_method_and_every_request_can_be_sent() {
    let server = served(echoing()).await;
    for (request, expected) in [
        (server.get("/"), "GET / "),
        (server.post("/"), "POST / "),
        (server.patch("/"), "PATCH / "),
        (server.delete("/"), "DELETE / "),
        (server.method(Method::OPTIONS, "*"), "OPTIONS * "),
        (server.request(http::Request::get("/r").body("x").expect("one")), "GET /r "),
    ] {
        let text = request.send().await.expect("a response").text().await.expect("a text");
        assert!(text.starts_with(expected), "{text}");
    }
    // Whom it is said to.
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let request = |uri: &str, host: Option<&str>| {
            let request = http::Request::get(uri).version(version);
            let request = host.into_iter().fold(request, |it, host| it.header("Host", host));
            server.request(request.body("").expect("a request")).send()
        };
        for (uri, host) in [("http://a.test:81/x", None), ("/x", Some("a.test:81"))] {
            let text = request(uri, host).await.expect("one").text().await.expect("a text");
            let as_seen = match version {
                Version::HTTP_11 => r#"GET /x HTTP/1.1 host=Some("a.test:81")"#,
                _ => "GET http://a.test:81/x HTTP/2.0 host=None",
            };
            assert!(text.starts_with(as_seen), "{text}");
        }
    }
}

#[tokio::test]
async fn what_is_no_request_is_told_and_not_sent() {
    let server = served(saying("hello")).await;
    for (request, expected) in [
        (server.get("path"), "'path' is no path: it has to begin with /"),
        (server.get("/a b"), "'/a b' is no path: "),
        (server.get("/").header("a b", "c"), "a header's name: "),
        (server.get("/").header("a", "b\n"), "a header's value: "),
        (server.get("/").json(&BTreeMap::from([((), 1)])), "the value of its body: "),
        (server.get("/").to("https://a.test"), "the client of tests speaks no TLS, as https://a"),
    ] {
        match request.send().await {
            Err(TestError::Request(why)) => assert!(why.starts_with(expected), "{why}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let connection = server.connect().http1().await.expect("a connection");
    let elsewhere = connection.get("/").to("http://a").send().await;
    assert!(matches!(elsewhere, Err(TestError::Request(_))), "{elsewhere:?}");
    let elsewhere = connection.get("/").remote_address(([1, 1, 1, 1], 1).into()).send().await;
    assert!(matches!(elsewhere, Err(TestError::Request(_))), "{elsewhere:?}");
    let nowhere = server.get("/").to("http://localhost:81").send().await;
    let Err(TestError::Connect(nowhere)) = nowhere else { panic!("{nowhere:?}") };
    assert_eq!(nowhere.kind(), std::io::ErrorKind::ConnectionRefused);
    connection.get("/").send().await.expect("a response");
    assert_eq!(counters(&server).accepted(), 1, "nothing else was sent");
}

#[tokio::test]
async fn a_body_is_read_as_what_it_is() {
    let app = Router::new()
        .route("/json", get(async || r#"{"a":1}"#))
        .route("/bytes", get(async || Bytes::from_static(&[0xff])));
    let server = served(app).await;
    let get = async |path| server.get(path).send().await.expect("a response");
    let json: BTreeMap<String, i32> = get("/json").await.json().await.expect("JSON");
    assert_eq!(json["a"], 1);
    assert_eq!(get("/bytes").await.bytes().await.expect("bytes"), &[0xff][..]);
    assert!(matches!(get("/bytes").await.text().await, Err(TestError::Body(_))));
    assert!(matches!(get("/bytes").await.json::<()>().await, Err(TestError::Body(_))));
    let response: http::Response<Body> = get("/json").await.into();
    assert_eq!(response.into_body().collect().await.expect("a body").to_bytes(), r#"{"a":1}"#);
}

#[tokio::test]
async fn bodies_stream_in_both_directions() {
    let app = Router::new().fallback(async |body: Body| Body::from_stream(body.into_data_stream()));
    let server = served(app).await;
    for http2 in [false, true] {
        let (say, pieces) = unbounded_channel::<Result<&str, std::io::Error>>();
        let pieces = futures_util::stream::unfold(pieces, async |mut pieces| {
            Some((pieces.recv().await?, pieces))
        });
        let request = server.post("/").body(Body::from_stream(pieces));
        let request = if http2 { request.http2() } else { request };
        let mut response = request.send().await.expect("a response");
        for piece in ["one", "two"] {
            say.send(Ok(piece)).expect("it is read");
            let came = soon("the piece", response.chunk()).await.expect("no error");
            assert_eq!(came.as_deref(), Some(piece.as_bytes()), "{http2}");
        }
        drop(say);
        assert_eq!(soon("the end", response.chunk()).await.expect("no error"), None);
        assert!(response.trailers().is_none());
    }
    assert!(server.stop().await.is_clean());
}

#[tokio::test]
async fn trailers_are_there_behind_the_body() {
    let app = Router::new().fallback(async || {
        let trailers = HeaderMap::from_iter([(
            http::HeaderName::from_static("sum"),
            http::HeaderValue::from_static("1"),
        )]);
        Body::new(http_body_util::Full::from("x").with_trailers(async { Some(Ok(trailers)) }))
    });
    let server = served(app).await;
    let mut response = server.get("/").http2().send().await.expect("a response");
    while response.chunk().await.expect("no error").is_some() {}
    assert_eq!(response.trailers().and_then(|it| it.get("sum")).expect("a trailer"), "1");
}

/// An app that says who the client is, in all the ways there are.
fn who() -> Router {
    Router::new().fallback(async |request: Request| {
        let connection = request.extensions().get::<Connection>().expect("facts").clone();
        let info = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.to_string());
        let local = connection.local().map(|Local(address)| address.to_string());
        let remote = connection.remote().map(|Remote(address)| address.to_string());
        let meant = EffectiveRequest::of(&request);
        format!("{info:?} {local:?} {remote:?} {} {}", meant.scheme(), meant.host())
    })
}

#[tokio::test]
async fn a_connection_has_the_addresses_that_a_test_wants() {
    let urls = "http://127.0.0.1:5000;http://*:5001;http://[::1]:5002;http://unix:/run/x.sock";
    let server = hosted(Host::builder().connect_info().app(who()).use_urls(urls)).await;
    let remote: SocketAddr = ([192, 0, 2, 7], 7).into();
    let asked = async |address: &str| {
        let request = server.get("/").to(address).remote_address(remote);
        request.send().await.expect("a response").text().await.expect("a text")
    };
    let addresses = server.host().addresses();
    assert_eq!(addresses[1], "http://[::]:5001");
    let expected =
        r#"Some("192.0.2.7:7") Some("127.0.0.1:5000") Some("192.0.2.7:7") http 127.0.0.1:5000"#;
    assert_eq!(asked(&addresses[0]).await, expected);
    let mapped = "[::ffff:192.0.2.7]:7";
    let expected = format!(
        r#"Some("{mapped}") Some("[::ffff:127.0.0.1]:5001") Some("{mapped}") http localhost:5001"#
    );
    assert_eq!(asked(&addresses[1]).await, expected);
    assert!(asked(&addresses[2]).await.contains(r#"Some("[::1]:5002")"#));
    assert_eq!(asked(&addresses[3]).await, "None None None http localhost");

    // Without a wish, everybody comes from here, and from a port of their own.
    let one = server.get("/").send().await.expect("a response").text().await.expect("a text");
    let other = server.get("/").send().await.expect("a response").text().await.expect("a text");
    assert!(one.starts_with(r#"Some("127.0.0.1:"#) && one != other, "{one} {other}");
}

#[tokio::test]
async fn the_stages_of_the_configuration_stand_before_the_app() {
    let host = Host::builder()
        .connect_info()
        .app(who())
        .use_setting("ForwardedHeaders:Enabled", "true")
        .use_setting("ForwardedHeaders:ForwardedHeaders", "XForwardedFor,XForwardedProto");
    let server = hosted(host).await;
    for (peer, expected) in [([127, 0, 0, 1], "192.0.2.9"), ([198, 51, 100, 1], "198.51.100.1")] {
        let request = server.get("/").header("X-Forwarded-For", "192.0.2.9");
        let response = request.remote_address((peer, 1).into()).send().await.expect("a response");
        let text = response.text().await.expect("a text");
        assert!(text.starts_with(&format!("Some(\"{expected}:")), "{text}");
    }
}

#[tokio::test]
async fn the_rules_of_the_real_server_hold() {
    let host = Host::builder()
        .app(Router::new().route("/", post(async |_: Bytes| "read")))
        .configure_kestrel(|options| options.limits.max_request_body_size = Some(10))
        .configure_kestrel(|options| options.limits.max_concurrent_connections = Some(2));
    let server = hosted(host).await;
    let post = async |body: &'static str| server.post("/").body(body).send().await;
    assert_eq!(post("0123456789").await.expect("a response").status(), StatusCode::OK);
    assert_eq!(post("0123456789a").await.expect("one").status(), StatusCode::PAYLOAD_TOO_LARGE);
    all_closed(&counters(&server)).await;

    let bytes = || async { Wire::new(server.connect().await.expect("a connection")) };
    let (mut first, _second) = (bytes().await, bytes().await);
    assert!(bytes().await.at_end().await, "one too many");
    first.send("no request\r\n\r\n").await;
    let answer = String::from_utf8(first.rest().await).expect("text");
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let together = std::sync::Arc::new(tokio::sync::Barrier::new(3));
    let app = Router::new()
        .route("/id", get(async |connection: Connection| connection.id().to_string()))
        .route(
            "/together",
            get(async move || {
                together.wait().await;
            }),
        );
    let server = served(app).await;
    let http1 = server.connect().http1().await.expect("a connection");
    let http2 = server.connect().http2().await.expect("a connection");
    for connection in [&http1, &http2] {
        let id = async || {
            let response = connection.get("/id").send().await.expect("a response");
            response.text().await.expect("a text")
        };
        assert_eq!(id().await, id().await);
    }
    let asked = || async { http2.get("/together").send().await.expect("a response").status() };
    let answered = soon("all three", async { tokio::join!(asked(), asked(), asked()) }).await;
    assert_eq!(answered, (StatusCode::OK, StatusCode::OK, StatusCode::OK));
    assert_eq!(counters(&server).accepted(), 2);
    // They are open and idle.
    assert!(soon("the stop", server.stop()).await.is_clean());
}

#[tokio::test]
async fn a_connection_can_become_another_protocol() {
    let echo_frames = async |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async |mut socket| {
            while let Some(Ok(message)) = socket.recv().await {
                let _ = socket.send(message).await;
            }
        })
    };
    let app = Router::new().route("/ws", any(echo_frames)).route("/echo", any(echo));
    let server = served(app.route("/no", get(async || "no"))).await;
    let request = server
        .get("/ws")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let response = request.send().await.expect("a response");
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    let mut frames = response.upgrade().await.expect("an upgrade");
    // A text of two bytes under the mask 0; the server masks nothing.
    frames.write_all(b"\x81\x82\0\0\0\0hi").await.expect("it reads");
    let mut frame = [0; 4];
    soon("the frame", frames.read_exact(&mut frame)).await.expect("a frame");
    assert_eq!(&frame, b"\x81\x02hi");
    drop(frames);

    let mut wire = Wire::new(server.connect().await.expect("a connection"));
    wire.send(format!("{UPGRADE}ping")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(wire.take(4).await, b"ping");
    drop(wire);

    let response = server.get("/no").send().await.expect("a response");
    assert!(matches!(response.upgrade().await, Err(TestError::Broken(_))));
    assert!(soon("the stop", server.stop()).await.is_clean());
}

#[tokio::test]
async fn the_app_learns_that_a_client_has_gone() {
    let (told, mut tells) = unbounded_channel();
    let app = Router::new().fallback(async move |completion: Completion| {
        told.send(None).expect("the test waits");
        let told = told.clone();
        completion.on_end(move |end| told.send(Some(end)).expect("the test waits"));
        pending::<()>().await;
    });
    let server = served(app).await;
    for http2 in [false, true] {
        let request = if http2 { server.get("/").http2() } else { server.get("/") };
        tokio::select! {
            response = request.send() => panic!("{response:?}"),
            asked = soon("the request", tells.recv()) => assert_eq!(asked, Some(None)),
        }
        let end = soon("the end", tells.recv()).await.expect("it is told");
        assert_eq!(end, Some(Completed::ClientGone), "HTTP/2: {http2}");
    }
    assert!(server.stop().await.is_clean());
}

#[tokio::test]
async fn an_answer_that_is_broken_off_is_an_error() {
    let app = Router::new().route("/head", get(async || kestrel::Abort)).route(
        "/body",
        get(async || {
            let pieces = [Ok("x"), Err(std::io::Error::other("out of ink"))];
            Body::from_stream(
                futures_util::stream::iter(pieces).chain(futures_util::stream::pending()),
            )
        }),
    );
    let server = served(app).await;
    for http2 in [false, true] {
        let get = |path| if http2 { server.get(path).http2() } else { server.get(path) };
        let broken = soon("the end", get("/head").send()).await;
        assert!(matches!(broken, Err(TestError::Broken(_))), "{broken:?}");
        let broken = get("/body").send().await.expect("a head").text();
        let broken = soon("the end", broken).await;
        assert!(matches!(broken, Err(TestError::Broken(_))), "{broken:?}");
    }
}

/// An app whose answers never come, and who tells that it was asked.
fn never() -> (Router, tokio::sync::mpsc::UnboundedReceiver<()>) {
    let (asked, asks) = unbounded_channel();
    let app = Router::new().fallback(async move || {
        asked.send(()).expect("the test waits");
        pending::<()>().await;
    });
    (app, asks)
}

#[tokio::test]
async fn a_stop_tells_what_it_cut_off() {
    let (app, mut asks) = never();
    let host = Host::builder().app(app).shutdown_timeout(Duration::ZERO);
    let server = hosted(host).await;
    let connection = server.connect().http1().await.expect("a connection");
    let request = tokio::spawn(async move { connection.get("/").send().await.map(drop) });
    soon("the request", asks.recv()).await;
    let stopped = soon("the stop", server.stop()).await;
    assert_eq!(stopped.connections, 1);
    let cut = soon("the end", request).await.expect("no panic");
    assert!(matches!(cut, Err(TestError::Broken(_))), "{cut:?}");
}

#[tokio::test]
async fn dropping_a_server_ends_everything() {
    let (app, mut asks) = never();
    let lifetime = Lifetime::new();
    let (begun, mut ends) = unbounded_channel();
    let app = App::from(app).background(async move |_| {
        begun.send(()).expect("the test waits");
        pending::<()>().await;
    });
    let host = Host::builder().app(app).lifetime(lifetime.clone()).shutdown_timeout(NEVER);
    let server = hosted(host).await;
    let connection = server.connect().http1().await.expect("a connection");
    let request = tokio::spawn(async move { connection.get("/").send().await.map(drop) });
    soon("the request", asks.recv()).await;
    soon("the task", ends.recv()).await.expect("it has begun");
    drop(server);
    let cut = soon("the end", request).await.expect("no panic");
    assert!(matches!(cut, Err(TestError::Broken(_))), "{cut:?}");
    soon("the end of the task", ends.recv()).await;
    soon("the end of the host", lifetime.stopped()).await;
}

#[tokio::test]
async fn servers_run_side_by_side_at_one_address() {
    let host = |text| Host::builder().app(saying(text)).use_urls("http://127.0.0.1:5000");
    let (one, other) = (hosted(host("one")).await, hosted(host("other")).await);
    assert_eq!(one.base_url(), other.base_url());
    for (server, expected) in [(&one, "one"), (&other, "other")] {
        let response = server.get("/").send().await.expect("a response");
        assert_eq!(response.text().await.expect("a text"), expected);
    }
    // Nothing is there for others.
    TcpStream::connect("127.0.0.1:5000").await.expect_err("nothing is bound");
    assert_eq!(one.host().socket_addresses(), []);
}

#[tokio::test]
async fn a_reload_adds_and_removes_endpoints_in_memory() {
    let endpoint = |port: u16| {
        format!(
            r#"{{ "Kestrel": {{ "Endpoints": {{ "A": {{ "Url": "http://127.0.0.1:{port}" }} }} }} }}"#
        )
    };
    let host = Host::builder().app(saying("hello")).file("appsettings.json", endpoint(5000));
    let server = hosted(host).await;
    let old = server.connect().http1().await.expect("a connection");
    let get = async || server.get("/").send().await.map(|response| response.status());
    assert_eq!(get().await.expect("a response"), StatusCode::OK);
    let root = server.host().configuration().value("contentRoot").expect("a folder").to_owned();
    std::fs::write(format!("{root}/appsettings.json"), endpoint(5001)).expect("it is ours");
    server.host().reload().await.expect("it is right");
    assert_eq!(server.base_url(), "http://127.0.0.1:5001");
    assert_eq!(get().await.expect("a response"), StatusCode::OK);
    let gone = server.get("/").to("http://127.0.0.1:5000").send().await;
    assert!(matches!(gone, Err(TestError::Connect(_))), "{gone:?}");
    drop(old);
    assert!(server.stop().await.is_clean());
}

#[tokio::test]
async fn an_https_endpoint_takes_a_client_of_tls() {
    let host = Host::builder().connect_info().app(who());
    let host = host.listen_https(([127, 0, 0, 1], 443).into(), tls_client::options());
    let server = hosted(host).await;
    let address = server.host().addresses().remove(0);
    assert_eq!(server.base_url(), "https://127.0.0.1");
    let stream = server.connect().to(address).await.expect("a connection");
    let client = TlsConnector::from(Client::default().config());
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream = soon("the handshake", client.connect(name, stream)).await.expect("it is trusted");
    let mut wire = Wire::new(stream);
    let text = wire.get("/").await.body;
    assert!(text.ends_with(r#"https test"#), "{text}");
    drop(wire);
    // Nothing else is there for our client.
    let nowhere = server.get("/").send().await;
    assert!(matches!(nowhere, Err(TestError::Connect(_))), "{nowhere:?}");
    assert!(soon("the stop", server.stop()).await.is_clean());
}

#[tokio::test]
async fn a_server_on_a_socket_is_there_for_everybody() {
    let server =
        TestServer::listen(Host::builder().connect_info().app(who())).await.expect("it starts");
    let url = server.base_url();
    let port = url.strip_prefix("http://127.0.0.1:").expect("this machine").to_owned();
    assert_ne!(port, "0");
    let mut socket = Wire::connect(&url).await;
    let local = socket.local_address();
    assert!(socket.get("/").await.body.starts_with(&format!("Some(\"{local}\")")));
    for request in [server.get("/"), server.get("/").http2()] {
        let text = request.send().await.expect("a response").text().await.expect("a text");
        assert!(text.ends_with(&format!(" http 127.0.0.1:{port}")), "{text}");
    }
    let elsewhere = server.get("/").remote_address(([192, 0, 2, 7], 7).into()).send().await;
    let Err(TestError::Connect(elsewhere)) = elsewhere else { panic!("{elsewhere:?}") };
    assert_eq!(elsewhere.kind(), std::io::ErrorKind::Unsupported);
    drop(socket);
    assert!(server.stop().await.is_clean());
}
