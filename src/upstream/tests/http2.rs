//! HTTP/2, by prior knowledge.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Method, Request, Response, Version};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::Notify;

use super::kit::{Ask, Upstream, channel, data, get, post};
use crate::upstream::{Answer, ClientSettings, FailureKind, Spare, VersionPolicy};

type Asked = (Request<RecvStream>, SendResponse<Bytes>);

/// A server of HTTP/2 that does with each request what a test says.
fn h2<F, Ends>(streams: u32, script: F) -> Upstream
where
    F: Fn(Asked) -> Ends + Clone + Send + Sync + 'static,
    Ends: Future<Output = ()> + Send + 'static,
{
    Upstream::start(move |_, peer| {
        let script = script.clone();
        async move {
            let mut builder = h2::server::Builder::new();
            builder.max_concurrent_streams(streams);
            let Ok(mut connection) = builder.handshake(peer.stream).await else {
                return;
            };
            while let Some(Ok(asked)) = connection.accept().await {
                tokio::spawn(script(asked));
            }
        }
    })
}

fn ok() -> Response<()> {
    Response::new(())
}

/// All of a body, and its trailers.
async fn read(mut body: RecvStream) -> (Vec<u8>, Option<HeaderMap>) {
    let mut all = Vec::new();
    while let Some(Ok(data)) = body.data().await {
        body.flow_control().release_capacity(data.len()).unwrap();
        all.extend_from_slice(&data);
    }
    (all, body.trailers().await.unwrap_or_default())
}

/// Asked for in HTTP/2, and nothing else.
fn in_http2(mut ask: Ask) -> Ask {
    ask.version = (Version::HTTP_2, VersionPolicy::Exact);
    ask
}

#[tokio::test]
async fn a_request_and_its_answer_go_through() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&heads);
    let upstream = h2(100, move |(request, mut respond)| {
        let noted = Arc::clone(&noted);
        async move {
            let (parts, body) = request.into_parts();
            let (body, trailers) = read(body).await;
            let mut response = ok();
            response.headers_mut().append("x-a", "1".parse().unwrap());
            response.headers_mut().append("x-a", "2".parse().unwrap());
            response.headers_mut().append("alt-svc", "x".parse().unwrap());
            noted.lock().unwrap().push((parts, trailers));
            let mut stream = respond.send_response(response, false).unwrap();
            stream.send_data(Bytes::from(body), false).unwrap();
            let trailers = [("x-t".parse().unwrap(), "1".parse().unwrap())];
            stream.send_trailers(HeaderMap::from_iter(trailers)).unwrap();
        }
    });
    let server = upstream.server();
    let (frames, body) = channel();
    frames.send(data(b"hel")).unwrap();
    frames.send(data(b"lo")).unwrap();
    let trailers = [("x-r".parse().unwrap(), "2".parse().unwrap())];
    frames.send(Ok(http_body::Frame::trailers(HeaderMap::from_iter(trailers)))).unwrap();
    drop(frames);
    let ask = Ask::new(Method::PUT, "/a%20b?c=%zz")
        .body(body, None)
        .field("x-b", "1")
        .field("te", "trailers")
        .field("connection", "keep-alive")
        .field("keep-alive", "x")
        .field("upgrade", "h2c")
        .field("host", "other.test");
    let got = in_http2(ask).send(&server).await.unwrap();
    assert_eq!((got.version, &*got.body), (Version::HTTP_2, &b"hello"[..]));
    assert_eq!(got.fields.get_all("x-a").iter().count(), 2);
    assert_eq!(got.trailers["x-t"], "1");
    let (parts, trailers) = heads.lock().unwrap().pop().unwrap();
    assert_eq!(parts.method, Method::PUT);
    assert_eq!(parts.uri, "http://host.test/a%20b?c=%zz");
    let mut names: Vec<_> = parts.headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["te", "x-b"]);
    assert_eq!(trailers.unwrap()["x-r"], "2");
    // With a length.
    let got = in_http2(post("hello", Some(5))).send(&server).await.unwrap();
    assert_eq!(got.body, b"hello");
    assert_eq!(heads.lock().unwrap().pop().unwrap().0.headers["content-length"], "5");
    in_http2(Ask::new(Method::POST, "/")).send(&server).await.unwrap();
    assert_eq!(heads.lock().unwrap().pop().unwrap().0.headers["content-length"], "0");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let upstream = h2(100, |(request, mut respond)| async move {
        let mut response = ok();
        if request.uri().path() == "/204" {
            *response.status_mut() = http::StatusCode::NO_CONTENT;
        } else {
            response.headers_mut().append("content-length", "3".parse().unwrap());
        }
        let is_bare = request.method() == Method::HEAD || request.uri().path() == "/204";
        let mut stream = respond.send_response(response, is_bare).unwrap();
        if !is_bare {
            stream.send_data(Bytes::from_static(b"abc"), true).unwrap();
        }
    });
    let server = upstream.server();
    for (method, target, exact, body) in [
        (Method::HEAD, "/", Some(0), &b""[..]),
        (Method::GET, "/204", Some(0), b""),
        (Method::GET, "/", Some(3), b"abc"),
    ] {
        let ask = in_http2(Ask::new(method.clone(), target));
        let Ok(Answer::Response(response)) = ask.answer(&server, &mut vec![]).await else {
            panic!("{method} {target}")
        };
        assert_eq!(response.body().size_hint().exact(), exact, "{method} {target}");
        assert_eq!(response.headers().contains_key("content-length"), target == "/");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
    }
}

/// A server that answers once it is told to, and counts who waits.
fn held(streams: u32) -> (Upstream, Arc<AtomicUsize>, Arc<Notify>) {
    let (waiting, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counter, gone) = (Arc::clone(&waiting), Arc::clone(&go));
    let upstream = h2(streams, move |(_, mut respond)| {
        let (counter, gone) = (Arc::clone(&counter), Arc::clone(&gone));
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            gone.notified().await;
            drop(respond.send_response(ok(), true));
        }
    });
    (upstream, waiting, go)
}

async fn reached(counter: &AtomicUsize, number: usize) {
    while counter.load(Ordering::SeqCst) < number {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn requests_share_a_connection_up_to_its_limit() {
    for (streams, multiple, connections) in [(100, true, 1), (4, true, 3), (4, false, 1)] {
        let (upstream, waiting, go) = held(streams);
        let settings =
            ClientSettings { multiple_http2_connections: multiple, ..ClientSettings::default() };
        let server = upstream.server_with(settings);
        // The first one learns of the limit.
        let first = tokio::spawn({
            let server = Arc::clone(&server);
            async move { in_http2(get("/")).send(&server).await }
        });
        reached(&waiting, 1).await;
        go.notify_one();
        first.await.unwrap().unwrap();
        let asks: Vec<_> = (0..12)
            .map(|_| {
                let server = Arc::clone(&server);
                tokio::spawn(async move { in_http2(get("/")).send(&server).await })
            })
            .collect();
        if multiple {
            reached(&waiting, 13).await;
        } else {
            reached(&waiting, 5).await;
        }
        for _ in 0..12 {
            go.notify_one();
            tokio::task::yield_now().await;
        }
        let all = async {
            for ask in asks {
                assert_eq!(ask.await.unwrap().unwrap().status, 200);
            }
        };
        tokio::pin!(all);
        while tokio::time::timeout(Duration::from_millis(20), &mut all).await.is_err() {
            go.notify_waiters();
            go.notify_one();
        }
        assert_eq!(upstream.connections(), connections, "{streams} {multiple}");
    }
}

#[tokio::test]
async fn a_stream_that_was_refused_is_asked_for_once_more() {
    for (reason, method, times) in [
        (Reason::REFUSED_STREAM, Method::GET, 2),
        (Reason::REFUSED_STREAM, Method::POST, 2),
        (Reason::INTERNAL_ERROR, Method::GET, 1),
        (Reason::NO_ERROR, Method::GET, 1),
        (Reason::CANCEL, Method::GET, 1),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let upstream = h2(100, move |(_, mut respond)| {
            counter.fetch_add(1, Ordering::SeqCst);
            async move { respond.send_reset(reason) }
        });
        let ask = in_http2(Ask::new(method.clone(), "/"));
        let failure = ask.send(&upstream.server()).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Http2);
        assert_eq!(asked.load(Ordering::SeqCst), times, "{method} {reason:?}");
    }
}

#[tokio::test]
async fn a_connection_to_an_address_that_the_name_has_no_more_takes_no_new_request() {
    let (old, old_waits, go) = held(100);
    let (new, new_waits, go_on) = held(100);
    let server = old.named_server();
    let ask = || {
        let server = Arc::clone(&server);
        tokio::spawn(async move { in_http2(get("/")).send(&server).await })
    };
    let first = ask();
    reached(&old_waits, 1).await;
    server.following().lead_to(&[new.address]);
    server.following().look().await;
    let second = ask();
    reached(&new_waits, 1).await;
    go.notify_one();
    go_on.notify_one();
    for asked in [first, second] {
        assert_eq!(asked.await.unwrap().unwrap().status, 200);
    }
    assert_eq!((old.connections(), new.connections()), (1, 1));
}

#[tokio::test]
async fn a_connection_that_says_goodbye_is_followed_by_another() {
    // Each connection answers one request.
    let upstream = Upstream::start(|_, peer| async move {
        let mut connection = h2::server::handshake(peer.stream).await.unwrap();
        let mut is_first = true;
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            if std::mem::take(&mut is_first) {
                respond.send_response(ok(), true).unwrap();
                connection.graceful_shutdown();
            } else {
                respond.send_reset(Reason::REFUSED_STREAM);
            }
        }
    });
    let server = upstream.server();
    for _ in 0..10 {
        assert_eq!(in_http2(get("/")).send(&server).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_costs_an_idempotent_request_nothing() {
    let upstream = Upstream::start(|number, peer| async move {
        let mut connection = h2::server::handshake(peer.stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            if number % 2 == 1 {
                return;
            }
            respond.send_response(ok(), true).unwrap();
        }
    });
    assert_eq!(in_http2(get("/")).send(&upstream.server()).await.unwrap().status, 200);
    let broken = Upstream::start(|_, peer| async move {
        let mut connection = h2::server::handshake(peer.stream).await.unwrap();
        connection.accept().await;
    });
    in_http2(get("/")).send(&broken.server()).await.unwrap_err();
    assert_eq!(broken.connections(), 2);
    let failed = in_http2(post("hi", Some(2))).send(&broken.server()).await;
    assert_eq!(failed.unwrap_err().kind(), FailureKind::Reset);
    assert_eq!(broken.connections(), 3);
}

#[tokio::test]
async fn who_speaks_http1_is_found_out() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        peer.ended().await;
    });
    let failure = in_http2(get("/")).send(&upstream.server()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Http2);
    assert_eq!(upstream.connections(), 1);
    // And the other way round.
    let upstream = h2(100, |(_, mut respond)| async move {
        respond.send_response(ok(), true).unwrap();
    });
    let failure = get("/").send(&upstream.server()).await.unwrap_err();
    assert!(matches!(
        failure.kind(),
        FailureKind::MalformedHead | FailureKind::Ended | FailureKind::Reset
    ));
}

#[tokio::test]
async fn an_answer_that_breaks_off_says_so() {
    for length in [None, Some("10")] {
        for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL] {
            let upstream = h2(100, move |(_, mut respond)| async move {
                let mut response = ok();
                if let Some(length) = length {
                    response.headers_mut().append("content-length", length.parse().unwrap());
                }
                let mut stream = respond.send_response(response, false).unwrap();
                stream.send_data(Bytes::from_static(b"abc"), false).unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
                stream.send_reset(reason);
            });
            let got = in_http2(get("/")).send(&upstream.server()).await.unwrap();
            assert_eq!(got.body, b"abc");
            let kind = got.cut_off.map(|failure| failure.kind());
            assert_eq!(kind, Some(FailureKind::BodyCutOff), "{length:?} {reason:?}");
        }
    }
}

#[tokio::test]
async fn an_early_answer_does_not_end_the_upload() {
    let (told, mut came) = tokio::sync::mpsc::unbounded_channel();
    let upstream = h2(100, move |(request, mut respond)| {
        let told = told.clone();
        async move {
            let mut stream = respond.send_response(ok(), false).unwrap();
            stream.send_data(Bytes::from_static(b"early"), true).unwrap();
            told.send(read(request.into_body()).await.0).unwrap();
        }
    });
    let server = upstream.server();
    let (frames, body) = channel();
    frames.send(data(b"he")).unwrap();
    let got = in_http2(post(body, Some(5))).send(&server).await.unwrap();
    assert_eq!(got.body, b"early");
    frames.send(data(b"llo")).unwrap();
    drop(frames);
    assert_eq!(came.recv().await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_server_that_wants_no_more_of_the_request_is_heard() {
    let upstream = h2(100, |(request, mut respond)| async move {
        let mut response = ok();
        *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
        let mut stream = respond.send_response(response, false).unwrap();
        stream.send_data(Bytes::from_static(b"no"), true).unwrap();
        // All that the window lets through: by then the answer is out, which a reset would take back.
        let mut body = request.into_body();
        let mut came = 0;
        while came < 65_535 {
            came += body.data().await.unwrap().unwrap().len();
        }
        stream.send_reset(Reason::NO_ERROR);
    });
    let body = vec![b'x'; 1_000_000];
    let ask = in_http2(post(body, Some(1_000_000)));
    let got = ask.send(&upstream.server()).await.unwrap();
    assert_eq!(got.status, 413);
    assert!(got.cut_off.is_none(), "{:?}", got.cut_off);
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let upstream = h2(100, |(request, mut respond)| async move {
        let mut stream = respond.send_response(ok(), false).unwrap();
        let mut body = request.into_body();
        while let Some(Ok(data)) = body.data().await {
            body.flow_control().release_capacity(data.len()).unwrap();
            stream.send_data(data, false).unwrap();
        }
        stream.send_data(Bytes::new(), true).unwrap();
    });
    let server = upstream.server();
    let (frames, body) = channel();
    let ask = in_http2(post(body, None));
    let Ok(Answer::Response(response)) = ask.answer(&server, &mut vec![]).await else {
        panic!("no answer")
    };
    let mut answer = response.into_body();
    for word in [b"a", b"b", b"c"] {
        frames.send(data(word)).unwrap();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), &word[..]);
    }
    drop(frames);
    assert!(answer.frame().await.is_none());
    // More than any window.
    let all: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let got = in_http2(post(all.clone(), Some(3_000_000))).send(&server).await.unwrap();
    assert!(got.body == all);
}

#[tokio::test]
async fn what_nobody_reads_is_not_sent() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let upstream = h2(100, move |(_, mut respond)| {
        let counter = Arc::clone(&counter);
        async move {
            let mut stream = respond.send_response(ok(), false).unwrap();
            loop {
                stream.reserve_capacity(16_384);
                let capacity = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
                let Some(Ok(capacity)) = capacity else { return };
                counter.fetch_add(capacity, Ordering::SeqCst);
                if stream.send_data(Bytes::from(vec![0; capacity]), false).is_err() {
                    return;
                }
            }
        }
    });
    let server = upstream.server();
    let stalled = in_http2(get("/")).answer(&server, &mut vec![]).await.unwrap();
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        match sent.load(Ordering::SeqCst) {
            now if now == before => break,
            now => before = now,
        }
    }
    assert!(before <= 300_000, "{before}");
    drop(stalled);
}

#[tokio::test]
async fn time_is_limited_as_in_http1() {
    let resets = Arc::new(Notify::new());
    let told = Arc::clone(&resets);
    let upstream = h2(100, move |(_, mut respond)| {
        let told = Arc::clone(&told);
        async move {
            let reset = std::future::poll_fn(|cx| respond.poll_reset(cx)).await;
            assert_eq!(reset.unwrap(), Reason::CANCEL);
            told.notify_one();
        }
    });
    let server = upstream.server();
    let failure = in_http2(get("/")).within(100).send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::TimedOut);
    resets.notified().await;
    let (frames, body) = channel();
    frames.send(data(b"a")).unwrap();
    let failure = in_http2(post(body, None)).within(100).send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::ClientTimedOut);
    resets.notified().await;
    // Given up by the client.
    let sending = tokio::spawn({
        let server = Arc::clone(&server);
        async move { in_http2(get("/")).send(&server).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    sending.abort();
    resets.notified().await;
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn leave_to_send_a_body_is_waited_for() {
    let upstream = h2(100, |(request, mut respond)| async move {
        let mut early = ok();
        *early.status_mut() = http::StatusCode::CONTINUE;
        respond.send_informational(early).unwrap();
        let (body, _) = read(request.into_body()).await;
        let mut stream = respond.send_response(ok(), false).unwrap();
        stream.send_data(Bytes::from(body), true).unwrap();
    });
    let begun = Instant::now();
    let ask = in_http2(post("hello", Some(5)).expecting());
    let got = ask.send(&upstream.server()).await.unwrap();
    assert_eq!((&*got.body, got.interim[0].0.as_u16()), (&b"hello"[..], 100));
    assert!(begun.elapsed() < Duration::from_millis(900));
}

/// Where no descriptor is left, as for connections of HTTP/1.1.
#[tokio::test]
async fn an_idle_connection_is_given_up_for_another() {
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (noted, waited) = (Arc::clone(&asked), Arc::clone(&answer));
    let upstream = h2(100, move |(_, mut respond)| {
        let (asked, answer) = (Arc::clone(&noted), Arc::clone(&waited));
        async move {
            asked.notify_one();
            answer.notified().await;
            let _ = respond.send_response(ok(), true);
        }
    });
    let spare = Arc::new(Spare::default());
    let server = upstream.server_sparing(&spare);
    assert!(!spare.free().await, "there is none yet");
    let sending = server.clone();
    let sent = tokio::spawn(async move { in_http2(get("/a")).send(&sending).await.map(drop) });
    asked.notified().await;
    assert!(!spare.free().await, "it has a request");
    answer.notify_one();
    assert!(sent.await.unwrap().is_ok());
    assert!(spare.free().await);
    assert!(!spare.free().await, "it is gone");
    answer.notify_one();
    assert!(in_http2(get("/b")).send(&server).await.is_ok());
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let ended = Arc::new(Notify::new());
    let told = Arc::clone(&ended);
    let upstream = Upstream::start(move |_, peer| {
        let told = Arc::clone(&told);
        async move {
            let mut connection = h2::server::handshake(peer.stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                respond.send_response(ok(), true).unwrap();
            }
            told.notify_one();
        }
    });
    let idle_timeout = Duration::from_millis(10);
    let server = upstream.server_with(ClientSettings { idle_timeout, ..Default::default() });
    in_http2(get("/")).send(&server).await.unwrap();
    ended.notified().await;
    in_http2(get("/")).send(&server).await.unwrap();
    drop(server);
    ended.notified().await;
    assert_eq!(upstream.connections(), 2);
}

/// A WebSocket of HTTP/1.1, towards HTTP/2.
fn websocket(key: &'static str) -> Ask {
    let mut ask = in_http2(get("/ws").field("sec-websocket-version", "13"));
    if !key.is_empty() {
        ask = ask.field("sec-websocket-key", key);
    }
    ask.upgrade = Some(b"WebSocket");
    ask
}

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A server that takes tunnels, and echoes what comes in them.
fn tunnelling(status: u16) -> Upstream {
    Upstream::start(move |_, peer| async move {
        let mut builder = h2::server::Builder::new();
        builder.enable_connect_protocol();
        let mut connection = builder.handshake::<_, Bytes>(peer.stream).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            assert_eq!(request.method(), Method::CONNECT);
            assert_eq!(request.uri(), "http://host.test/ws");
            let protocol = request.extensions().get::<h2::ext::Protocol>().unwrap();
            assert_eq!(protocol.as_str(), "websocket");
            assert!(!request.headers().contains_key("sec-websocket-key"));
            assert!(!request.headers().contains_key("content-length"));
            let mut response = ok();
            *response.status_mut() = status.try_into().unwrap();
            tokio::spawn(async move {
                let mut stream = respond.send_response(response, false).unwrap();
                let mut body = request.into_body();
                while let Some(Ok(data)) = body.data().await {
                    body.flow_control().release_capacity(data.len()).unwrap();
                    stream.send_data(data, false).unwrap();
                }
                stream.send_data(Bytes::from_static(b"bye"), true).unwrap();
            });
        }
    })
}

#[tokio::test]
async fn a_tunnel_is_a_stream() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let upstream = tunnelling(200);
    let server = upstream.server();
    for key in [KEY, ""] {
        let answered = websocket(key).answer(&server, &mut vec![]).await.unwrap();
        let Answer::Upgraded(head, mut stream) = answered else { panic!("{answered:?}") };
        let accept = head.headers().get("sec-websocket-accept").map(|it| it.to_str().unwrap());
        let expected = (key == KEY).then_some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!((head.status().as_u16(), accept), (200, expected));
        let word = vec![b'w'; 200_000];
        let (mut from, mut to) = tokio::io::split(&mut stream);
        let mut echo = vec![0; word.len()];
        let (wrote, read) = tokio::join!(to.write_all(&word), from.read_exact(&mut echo));
        wrote.unwrap();
        read.unwrap();
        assert!(echo == word);
        stream.shutdown().await.unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "bye");
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_tunnel_that_is_not_to_be_had_is_refused() {
    let upstream = tunnelling(200);
    let failure = websocket("short").send(&upstream.server()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::WebSocketKey);
    assert!(!failure.is_of_server());
    let refusing = tunnelling(403);
    let got = websocket(KEY).send(&refusing.server()).await.unwrap();
    assert_eq!((got.status.as_u16(), &*got.body), (403, &b"bye"[..]));
    let plain = h2(100, |(_, mut respond)| async move {
        respond.send_response(ok(), true).unwrap();
    });
    let failure = websocket(KEY).send(&plain.server()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Version);
    assert!(failure.is_unsent());
}
