//! What goes out and comes back when all goes well.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode, Version};
use http_body::Body as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::kit::{Ask, Upstream, channel, data, get, post};
use crate::upstream::{Answer, Fields, Outgoing, Value, VersionPolicy};

/// A request without a body, as it is sent.
fn bodiless(ask: &Ask) -> Outgoing<'_> {
    Outgoing {
        method: &ask.method,
        target: b"/",
        host: b"a",
        fields: &ask.fields,
        content: None,
        upgrade: None,
        version: ask.version,
        activity_timeout: ask.activity_timeout,
        takes: &|_| true,
        leaves_lines: None,
    }
}

#[tokio::test]
async fn a_head_goes_out_as_it_is_told() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let server = upstream.server();
    let ask = get("/a%20b?c=%zz")
        .field("x-a", "1")
        .field("x-a", "2")
        .field("te", "trailers")
        .field("connection", "close")
        .field("content-length", "99")
        .field("transfer-encoding", "chunked")
        .field("host", "other.test")
        .field("upgrade", "h2c");
    let got = ask.send(&server).await.unwrap();
    assert_eq!((got.status, &*got.body), (StatusCode::OK, &b"ok"[..]));
    assert_eq!(
        upstream.heads.lock().unwrap()[0],
        "GET /a%20b?c=%zz HTTP/1.1\r\nHost: host.test\r\nX-A: 1\r\nX-A: 2\r\nTE: trailers\r\n\r\n"
    );
}

#[tokio::test]
async fn values_that_are_none_are_left_out() {
    struct Made;

    impl Fields for Made {
        fn each(&self, field: &mut dyn FnMut(&http::HeaderName, Value<'_>)) {
            let name = http::HeaderName::from_static;
            field(&name("x-one"), Value::Made(&[b"10.0.0.1", b", ", b"::1"]));
            field(&name("x-two"), Value::Made(&[b"a", b"\r\nx-evil: 1"]));
            field(&name("x-three"), Value::Made(&[b"\xc3\xa9"]));
        }
    }

    let upstream = Upstream::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let ask = get("/");
    let mut outgoing = Outgoing { fields: &Made, ..bodiless(&ask) };
    upstream.server().send(&mut outgoing, &mut |_, _| {}).await.unwrap();
    let head = upstream.heads.lock().unwrap()[0].clone();
    assert_eq!(
        head,
        "GET / HTTP/1.1\r\nHost: a\r\nX-One: 10.0.0.1, ::1\r\nX-Three: \u{e9}\r\n\r\n"
    );
}

#[tokio::test]
async fn what_would_break_the_head_is_not_sent() {
    let upstream = Upstream::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let server = upstream.server();
    for target in ["/a b", "/a\r\nx: y", "", "/\u{1}"] {
        let failure = get(target).send(&server).await.unwrap_err();
        assert_eq!(failure.kind(), crate::upstream::FailureKind::Request, "{target:?}");
    }
    assert!(upstream.lines().is_empty());
}

#[tokio::test]
async fn a_request_without_a_body_says_so_where_one_could_be() {
    let upstream = Upstream::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let server = upstream.server();
    for (method, says) in [
        (Method::GET, false),
        (Method::HEAD, false),
        (Method::DELETE, false),
        (Method::OPTIONS, false),
        (Method::POST, true),
        (Method::PUT, true),
        (Method::PATCH, true),
        (Method::from_bytes(b"PURGE").unwrap(), true),
    ] {
        Ask::new(method.clone(), "/").send(&server).await.unwrap();
        let head = upstream.heads.lock().unwrap().pop().unwrap();
        assert_eq!(head.contains("Content-Length: 0"), says, "{method}");
    }
}

#[tokio::test]
async fn bodies_go_out_by_length_and_in_chunks() {
    let upstream = Upstream::start(|_, mut peer| async move {
        while let Some(head) = peer.head().await {
            let body = match head.contains("chunked") {
                true => peer.take_until(b"0\r\n\r\n").await,
                false => peer.take(10).await,
            };
            let length = body.len();
            peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")).await;
            peer.send(body).await;
        }
    });
    let server = upstream.server();
    let got = post("0123456789", Some(10)).send(&server).await.unwrap();
    assert_eq!(got.body, b"0123456789");
    let got = post("0123456789", None).send(&server).await.unwrap();
    assert_eq!(got.body, b"a\r\n0123456789\r\n0\r\n\r\n");
    let got = post("", None).send(&server).await.unwrap();
    assert_eq!(got.body, b"0\r\n\r\n");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn frames_that_are_here_share_a_chunk_and_each_is_sent_at_once() {
    let (frames, body) = channel();
    let (went, mut goes) = tokio::sync::mpsc::unbounded_channel::<Vec<u8>>();
    let upstream = Upstream::start(move |_, mut peer| {
        let went = went.clone();
        async move {
            peer.head().await;
            went.send(peer.take(11).await).unwrap();
            went.send(peer.take(8).await).unwrap();
            went.send(peer.take_until(b"\r\n\r\n").await).unwrap();
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            peer.ended().await;
        }
    });
    let server = upstream.server();
    frames.send(data(b"abc")).unwrap();
    frames.send(data(b"")).unwrap();
    frames.send(data(b"def")).unwrap();
    let sending = tokio::spawn(async move { post(body, None).send(&server).await });
    assert_eq!(goes.recv().await.unwrap(), b"6\r\nabcdef\r\n");
    frames.send(data(b"gh!")).unwrap();
    assert_eq!(goes.recv().await.unwrap(), b"3\r\ngh!\r\n");
    let trailers = [("x-t", "1"), ("content-length", "5")];
    let trailers = trailers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let trailers = http::HeaderMap::from_iter(trailers);
    frames.send(Ok(http_body::Frame::trailers(trailers))).unwrap();
    assert_eq!(goes.recv().await.unwrap(), b"0\r\nx-t: 1\r\n\r\n");
    assert_eq!(sending.await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn an_answer_is_the_same_however_it_is_split() {
    const WHOLE: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
        HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\nX-Utf: \xc3\xa9\r\n\r\n\
        5\r\nhello\r\nC;a=b\r\n, dear world\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n";
    let upstream = Upstream::start(|number, mut peer| async move {
        peer.head().await;
        let at = number % WHOLE.len();
        peer.stream.set_nodelay(true).unwrap();
        peer.send(&WHOLE[..at]).await;
        tokio::task::yield_now().await;
        peer.send(&WHOLE[at..]).await;
        // Another connection for each, so that each is split elsewhere.
    });
    let server = upstream.server();
    for at in 0..WHOLE.len() {
        let got = get("/").send(&server).await.unwrap();
        assert_eq!(got.body, b"hello, dear world", "split at {at}");
        assert!(got.cut_off.is_none(), "split at {at}: {:?}", got.cut_off);
        assert_eq!(got.fields["x-a"], "1");
        assert_eq!(got.fields["x-utf"].as_bytes(), b"\xc3\xa9");
        assert!(!got.fields.contains_key("transfer-encoding"));
        assert_eq!(
            (&got.trailers["x-t"], &got.trailers["x-u"]),
            (&"1".parse().unwrap(), &"2".parse().unwrap())
        );
        let [(status, fields)] = &got.interim[..] else { panic!("{:?}", got.interim) };
        assert_eq!((status.as_u16(), &fields["link"]), (103, &"</a>".parse().unwrap()));
    }
}

#[tokio::test]
async fn bodies_end_where_head_and_method_say() {
    let cases: [(Method, &str, &[u8], Option<u64>); 12] = [
        (Method::GET, "200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", Some(3)),
        (
            Method::GET,
            "200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            b"abc",
            Some(3),
        ),
        (Method::GET, "200 OK\r\n\r\nuntil the end", b"until the end", None),
        (Method::GET, "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"", Some(0)),
        (
            Method::GET,
            "200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            b"abc",
            None,
        ),
        (Method::HEAD, "200 OK\r\nContent-Length: 3\r\n\r\n", b"", Some(0)),
        (Method::HEAD, "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"", Some(0)),
        (Method::GET, "204 No Content\r\nContent-Length: 3\r\n\r\n", b"", Some(0)),
        (Method::GET, "304 Not Modified\r\nContent-Length: 3\r\n\r\n", b"", Some(0)),
        (Method::GET, "205 Reset Content\r\nContent-Length: 0\r\n\r\n", b"", Some(0)),
        (Method::GET, "999 Whatever\r\nContent-Length: 1\r\n\r\nx", b"x", Some(1)),
        (Method::GET, "200\r\nContent-Length: 1\r\n\r\nx", b"x", Some(1)),
    ];
    for (method, answer, body, exact) in cases {
        let upstream = Upstream::start(move |_, mut peer| async move {
            peer.head().await;
            peer.send(format!("HTTP/1.1 {answer}")).await;
        });
        let server = upstream.server();
        let mut interim = Vec::new();
        let answered = Ask::new(method.clone(), "/").answer(&server, &mut interim).await;
        let Ok(Answer::Response(response)) = answered else { panic!("{answer}: {answered:?}") };
        assert_eq!(response.body().size_hint().exact(), exact, "{answer}");
        let keeps_length = method == Method::HEAD && answer.contains("Length: 3");
        let length = response.headers().get("content-length").map(|length| length.as_bytes());
        if response.status() == 204 {
            assert_eq!(length, None);
        } else if keeps_length {
            assert_eq!(length, Some(&b"3"[..]));
        }
        let got = Ask::new(method, "/").send(&server).await.unwrap();
        assert_eq!(got.body, body, "{answer}");
        assert!(got.cut_off.is_none(), "{answer}");
    }
}

#[tokio::test]
async fn what_is_of_the_connection_stays_here() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nConnection: X-Secret, Keep-Alive, x-other\r\nX-Secret: 1\r\nX-Other: 1\r\n\
        x-other: 2\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nTE: x\r\n\
        Via: 1.1 x\r\nTrailer: X-T\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    );
    let got = get("/").send(&upstream.server()).await.unwrap();
    let mut fields: Vec<_> = got.fields.iter().map(|(name, _)| name.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["content-length", "set-cookie", "set-cookie", "trailer", "via"]);
}

/// What a server answers, for somebody whom lines will do.
async fn in_lines(method: Method, answer: &'static str) -> Answer {
    let upstream = Upstream::start(move |_, mut peer| async move {
        while peer.head().await.is_some() {
            peer.send(answer).await;
        }
    });
    let ask = Ask::new(method, "/");
    let leaves_lines: &(dyn Fn(&str) -> bool + Sync) = &|name| name == "alt-svc";
    let mut outgoing = Outgoing { leaves_lines: Some(leaves_lines), ..bodiless(&ask) };
    upstream.server().send(&mut outgoing, &mut |_, _| {}).await.unwrap()
}

#[tokio::test]
async fn what_is_all_here_may_come_as_lines() {
    for (head, lines) in [
        (
            "A-b: 1\r\nContent-Length: 2\r\nDate: x\r\n",
            "A-b: 1\r\nContent-Length: 2\r\nDate: x\r\n",
        ),
        // What is of the connection, at the beginning, in the middle and at the end.
        (
            "Connection: keep-alive\r\nA: 1\r\nalt-svc: h3\r\nB: 2\r\ncontent-length: 2\r\nKeep-Alive: timeout=5\r\n",
            "A: 1\r\nB: 2\r\ncontent-length: 2\r\n",
        ),
        // Blanks are as usual where they go on.
        (
            "A:1\r\nB:  2 \r\nC: 3\r\nD:\r\nContent-Length: 2\r\n",
            "A: 1\r\nB: 2\r\nC: 3\r\nD: \r\nContent-Length: 2\r\n",
        ),
    ] {
        let answer = format!("HTTP/1.1 201 Created\r\n{head}\r\nok").leak();
        let answered = in_lines(Method::GET, answer).await;
        let Answer::Lines(response, came) = answered else { panic!("{head}: {answered:?}") };
        assert_eq!((response.status(), &response.body()[..]), (StatusCode::CREATED, &b"ok"[..]));
        assert!(response.headers().is_empty());
        assert_eq!((&came.bytes[..], came.length), (lines.as_bytes(), 2));
        assert_eq!((came.has_date, came.has_server), (head.contains("Date"), false));
    }
}

#[tokio::test]
async fn what_needs_a_second_look_comes_as_headers() {
    for (method, answer) in [
        (Method::GET, "200 OK\r\nContent-Length: 3\r\n\r\nok"),
        (Method::HEAD, "200 OK\r\nContent-Length: 2\r\n\r\n"),
        (Method::GET, "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (Method::GET, "200 OK\r\nContent-Length: 0\r\n\r\n"),
        (Method::GET, "200 OK\r\nContent-Length: 02\r\n\r\nok"),
        (Method::GET, "200 OK\r\nContent-Length: 2\r\nTrailer: x\r\n\r\nok"),
        (Method::GET, "200 OK\r\nContent-Length: 2\r\nX: \u{e9}\r\n\r\nok"),
        (Method::GET, "200 OK\r\nContent-Length: 2\r\nConnection: x\r\nX: 1\r\n\r\nok"),
        (Method::GET, "200 Fine\r\nContent-Length: 2\r\n\r\nok"),
        (Method::GET, "299 \r\nContent-Length: 2\r\n\r\nok"),
        (Method::GET, "304 Not Modified\r\nContent-Length: 2\r\n\r\n"),
    ] {
        let answered = in_lines(method, format!("HTTP/1.1 {answer}").leak()).await;
        assert!(matches!(answered, Answer::Response(_)), "{answer}: {answered:?}");
    }
}

#[tokio::test]
async fn trailers_say_nothing_of_where_a_message_ends_and_goes() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\nHost: x\r\nTE: x\r\n\
        Transfer-Encoding: chunked\r\nConnection: close\r\nKeep-Alive: x\r\nUpgrade: x\r\nTrailer: x\r\n\
        Proxy-Connection: x\r\nX-Kept: 1\r\n\r\n",
    );
    let got = get("/").send(&upstream.server()).await.unwrap();
    let names: Vec<_> = got.trailers.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["x-kept"]);
}

#[tokio::test]
async fn the_caller_chooses_fields_of_the_answer() {
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\nAlt-Svc: x\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n");
    let ask = get("/");
    let mut outgoing = Outgoing { takes: &|name| name != "alt-svc", ..bodiless(&ask) };
    let Answer::Response(response) =
        upstream.server().send(&mut outgoing, &mut |_, _| {}).await.unwrap()
    else {
        panic!("no response")
    };
    assert!(response.headers().contains_key("x-a") && !response.headers().contains_key("alt-svc"));
    // The length is not asked for: it says how the answer is framed.
    assert!(response.headers().contains_key("content-length"));
}

#[tokio::test]
async fn versions_and_reasons_come_along() {
    let upstream =
        Upstream::answering("HTTP/1.0 200 My \u{e9} Reason\r\nContent-Length: 0\r\n\r\n");
    let server = upstream.server();
    let mut interim = Vec::new();
    let Ok(Answer::Response(response)) = get("/").answer(&server, &mut interim).await else {
        panic!("no answer")
    };
    assert_eq!(response.version(), Version::HTTP_10);
    let reason = response.extensions().get::<hyper::ext::ReasonPhrase>().unwrap();
    assert_eq!(reason.as_bytes(), b"My ?? Reason");
    // One of HTTP/1.0 that does not say so is not kept.
    get("/").send(&server).await.unwrap();
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn a_protocol_changes_if_it_was_asked_for() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-A: 1\r\n\r\nfirst").await;
        let said = peer.take(4).await;
        peer.send(said).await;
        peer.ended().await;
        peer.send("bye").await;
    });
    let server = upstream.server();
    let mut ask = get("/");
    ask.upgrade = Some(b"echo");
    let mut interim = Vec::new();
    let answered = ask.answer(&server, &mut interim).await.unwrap();
    let Answer::Upgraded(head, mut stream) = answered else { panic!("{answered:?}") };
    assert_eq!(head.headers()["upgrade"], "echo");
    assert_eq!(head.headers()["x-a"], "1");
    assert!(
        upstream.heads.lock().unwrap()[0].contains("\r\nConnection: Upgrade\r\nUpgrade: echo\r\n")
    );
    let mut first = [0; 5];
    stream.read_exact(&mut first).await.unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!((&first, &echo), (b"first", b"ping"));
    // One side ends, the other goes on.
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"bye");
}

#[tokio::test]
async fn a_large_body_goes_both_ways() {
    const SIZE: usize = 5_000_000;
    let upstream = Upstream::start(|_, mut peer| async move {
        while peer.head().await.is_some() {
            let body = peer.take(SIZE).await;
            peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n")).await;
            peer.send(body).await;
        }
    });
    let server = upstream.server();
    let body: Vec<u8> = (0..SIZE).map(|at| (at * 7 + at / 251) as u8).collect();
    for _ in 0..3 {
        let got = post(body.clone(), Some(SIZE as u64)).send(&server).await.unwrap();
        assert!(got.body == body, "the body came back changed");
    }
    assert_eq!(upstream.connections(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_a_destination() {
    use crate::upstream::{Client, ClientSettings, Destination, Place, Server};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 1024];
        for _ in 0..2 {
            let length = stream.read(&mut head).await.unwrap();
            assert!(head[..length].starts_with(b"GET /u HTTP/1.1\r\n"));
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    });
    let place = Place::Unix(path.clone());
    let destination = Destination { secure: false, place };
    let client = Client::new(ClientSettings::default(), Arc::default());
    let server = Server::new(Arc::clone(&client), destination);
    for _ in 0..2 {
        assert_eq!(get("/u").send(&server).await.unwrap().body, b"ok");
    }
    answering.await.unwrap();
    let gone = Destination { secure: false, place: Place::Unix(folder.path().join("no.sock")) };
    let failure = get("/u").send(&Server::new(client, gone)).await.unwrap_err();
    assert_eq!(failure.kind(), crate::upstream::FailureKind::Refused);
}

#[tokio::test]
async fn a_version_that_cannot_be_had_is_refused_before_anything_is_sent() {
    let upstream = Upstream::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let mut ask = post(Bytes::from_static(b"abc"), Some(3));
    ask.version = (Version::HTTP_3, VersionPolicy::Exact);
    let mut failure = ask.send(&upstream.server()).await.unwrap_err();
    assert_eq!(failure.kind(), crate::upstream::FailureKind::Version);
    assert!(failure.is_unsent() && failure.take_body().is_some());
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn http10_is_said_if_it_is_asked_for() {
    let upstream = Upstream::answering("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let server = upstream.server();
    for (length, is_sent) in [(Some(2), true), (None, false)] {
        let mut ask = post("hi", length);
        ask.version = (Version::HTTP_10, VersionPolicy::OrLower);
        assert_eq!(ask.send(&server).await.is_ok(), is_sent);
    }
    assert_eq!(upstream.lines(), ["POST / HTTP/1.0"]);
}
