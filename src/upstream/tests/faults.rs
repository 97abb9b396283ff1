//! What goes wrong, and what is told of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Version;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

use super::kit::{Upstream, channel, data, get, post};
use crate::upstream::{
    Answer, Client, ClientSettings, Destination, FailureKind, Place, Server, VersionPolicy,
};

#[tokio::test]
async fn heads_that_are_none_are_refused_at_once() {
    for (answer, kind) in [
        ("SSH-2.0-x\r\n", FailureKind::MalformedHead),
        ("hello", FailureKind::MalformedHead),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", FailureKind::MalformedHead),
        ("HTTP/2.0 200 OK\r\n", FailureKind::MalformedHead),
        ("HTTP/1.2 200 OK\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 abc OK\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 20 OK\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 099 OK\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 1000 OK\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1  200 OK\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 O\x01K\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\nX-A: 1\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nX-A: 1\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nX-A : 1\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nnocolon\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nX(A): 1\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\n: 1\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nX-F: a\r\n b\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nX-A: a\x01b\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nX-A: a\0b\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nX-A: a\rb\r\n", FailureKind::MalformedHead),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            FailureKind::MalformedHead,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", FailureKind::MalformedHead),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n",
            FailureKind::MalformedHead,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            FailureKind::MalformedHead,
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", FailureKind::MalformedHead),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            FailureKind::MalformedHead,
        ),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", FailureKind::MalformedHead),
        ("HTTP/1.1 205 X\r\nContent-Length: 3\r\n\r\nabc", FailureKind::MalformedHead),
        ("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", FailureKind::MalformedHead),
    ] {
        let upstream = Upstream::start(move |_, mut peer| async move {
            peer.head().await;
            peer.send(answer).await;
            peer.ended().await;
        });
        let failure = get("/").send(&upstream.server()).await.unwrap_err();
        assert_eq!(failure.kind(), kind, "{answer:?}: {failure}");
        assert!(failure.is_of_server() && !failure.is_timeout(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_head_is_no_larger_than_64_kibibytes() {
    for (length, is_taken) in [(65_000, true), (65_490, true), (66_000, false), (100_000, false)] {
        let value = "y".repeat(length);
        let answer = format!("HTTP/1.1 200 OK\r\nX-H: {value}\r\nContent-Length: 2\r\n\r\nok");
        let upstream = Upstream::answering(answer);
        match get("/").send(&upstream.server()).await {
            Ok(got) => assert!(is_taken && got.body == b"ok", "{length}"),
            Err(failure) => {
                assert!(!is_taken, "{length}: {failure}");
                assert_eq!(failure.kind(), FailureKind::HeadTooLarge);
            }
        }
    }
    let endless = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 103 X\r\n\r\n".repeat(100)).await;
        peer.ended().await;
    });
    let failure = get("/").send(&endless.server()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::MalformedHead);
}

#[tokio::test]
async fn an_answer_that_breaks_off_says_so() {
    for (answer, resets, kind) in [
        ("Content-Length: 10\r\n\r\nabc", false, FailureKind::BodyCutOff),
        ("Content-Length: 10\r\n\r\n", false, FailureKind::BodyCutOff),
        ("Content-Length: 10\r\n\r\nabc", true, FailureKind::BodyCutOff),
        ("Transfer-Encoding: chunked\r\n\r\n", false, FailureKind::BodyCutOff),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nab", false, FailureKind::BodyCutOff),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", false, FailureKind::BodyCutOff),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", false, FailureKind::BodyCutOff),
        (
            "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-T: 1",
            false,
            FailureKind::BodyCutOff,
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX T: 1\r\n\r\n",
            false,
            FailureKind::MalformedBody,
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: 1\n\r\n",
            false,
            FailureKind::MalformedBody,
        ),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n", false, FailureKind::MalformedBody),
        ("Transfer-Encoding: chunked\r\n\r\nzz\r\nhello", false, FailureKind::MalformedBody),
        ("Transfer-Encoding: chunked\r\n\r\n-1\r\n", false, FailureKind::MalformedBody),
        ("Transfer-Encoding: chunked\r\n\r\n2\nab\n0\n\n", false, FailureKind::MalformedBody),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", false, FailureKind::MalformedBody),
        ("Transfer-Encoding: chunked\r\n\r\n100000000\r\n", false, FailureKind::MalformedBody),
        ("\r\nabc", true, FailureKind::BodyCutOff),
    ] {
        let upstream = Upstream::start(move |_, mut peer| async move {
            peer.head().await;
            peer.send(format!("HTTP/1.1 200 OK\r\n{answer}")).await;
            if resets {
                // What was sent is to be read first.
                peer.take(1).await;
                peer.reset();
            }
        });
        let server = upstream.server();
        let mut interim = Vec::new();
        let (frames, body) = channel();
        let ask = if resets { post(body, None) } else { get("/") };
        let Ok(Answer::Response(response)) = ask.answer(&server, &mut interim).await else {
            panic!("{answer:?}: no head")
        };
        frames.send(data(b"x")).ok();
        let failure = response.into_body().collect().await.unwrap_err();
        assert_eq!(failure.kind(), kind, "{answer:?}: {failure}");
        // It is not used again.
        drop(get("/").within(100).send(&server).await);
        assert!(upstream.connections() > 1, "{answer:?}");
    }
}

/// It still reads, and its connection is there: what it has not said it will not say.
#[tokio::test]
async fn a_server_that_ends_its_side_alone_is_not_waited_for() {
    for (answer, told) in [
        ("", Err(FailureKind::Ended)),
        ("HTTP/1.1 200 OK\r\nX-A: 1\r\n", Err(FailureKind::Ended)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Ok(Some(FailureKind::BodyCutOff))),
        ("HTTP/1.1 200 OK\r\n\r\nabc", Ok(None)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", Ok(None)),
    ] {
        for has_body in [false, true] {
            let upstream = Upstream::start(move |_, mut peer| async move {
                peer.head().await;
                peer.send(answer).await;
                peer.stream.shutdown().await.ok();
                peer.ended().await;
            });
            let server = upstream.server();
            // Of which more would come.
            let (frames, body) = channel();
            frames.send(data(b"he")).unwrap();
            let ask = if has_body { post(body, None) } else { get("/") };
            let got = ask.send(&server).await;
            let kind = got.map(|got| got.cut_off.map(|failure| failure.kind()));
            let kind = kind.map_err(|failure| failure.kind());
            assert_eq!(kind, told, "{answer:?} {has_body}");
            // It is not used again.
            let before = upstream.connections();
            drop(get("/").within(100).send(&server).await);
            assert!(upstream.connections() > before, "{answer:?} {has_body}");
        }
    }
}

#[tokio::test]
async fn nobody_there_is_told_apart() {
    let upstream = Upstream::answering("");
    let address = upstream.address;
    drop(upstream);
    // It is closed once its task is gone.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let server = |name: &str, port| {
        let place = Place::Host { name: name.to_owned(), port };
        Server::new(
            Client::new(ClientSettings::default(), Arc::default()),
            Destination { secure: false, place },
        )
    };
    let port = address.port();
    for (name, kind) in [
        ("127.0.0.1", FailureKind::Refused),
        ("localhost", FailureKind::Refused),
        ("nowhere.invalid", FailureKind::Name),
    ] {
        let mut failure = post("hi", Some(2)).send(&server(name, port)).await.unwrap_err();
        assert_eq!(failure.kind(), kind, "{name}: {failure}");
        assert!(failure.is_unsent() && failure.take_body().is_some(), "{name}");
    }
}

#[tokio::test]
async fn localhost_is_whichever_address_answers() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let place = Place::Host { name: "localhost".to_owned(), port: upstream.address.port() };
    let client = Client::new(ClientSettings::default(), Arc::default());
    let server = Server::new(client, Destination { secure: false, place });
    assert_eq!(get("/").send(&server).await.unwrap().body, b"ok");
}

#[tokio::test]
async fn a_connection_that_does_not_come_to_be_has_a_time() {
    // The queue of one that does not accept is full before long, and then nothing answers.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut fillers = Vec::new();
    loop {
        let connecting = tokio::net::TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(300), connecting).await {
            Ok(filler) => fillers.push(filler.unwrap()),
            Err(_) => break,
        }
        assert!(fillers.len() < 100, "the queue is endless");
    }
    let place = Place::Host { name: "127.0.0.1".to_owned(), port: address.port() };
    let connect_timeout = Duration::from_millis(100);
    let settings = ClientSettings { connect_timeout, ..ClientSettings::default() };
    let server =
        Server::new(Client::new(settings, Arc::default()), Destination { secure: false, place });
    let failure = get("/").send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::ConnectTimedOut);
    assert!(failure.is_timeout() && failure.is_unsent());
}

#[tokio::test]
async fn a_server_that_does_nothing_has_the_activity_timeout() {
    let begun = Instant::now();
    let silent = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.ended().await;
    });
    let failure = get("/").within(100).send(&silent.server()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::TimedOut);
    assert!(failure.is_timeout() && failure.is_of_server());
    assert!(begun.elapsed() >= Duration::from_millis(80));
    // What comes of a head does not help.
    let trickling = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\n").await;
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            peer.send("X-A: 1\r\n").await;
        }
    });
    let begun = Instant::now();
    let failure = get("/").within(200).send(&trickling.server()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn bodies_restart_the_activity_timeout() {
    let trickling = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n").await;
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            peer.send("a").await;
        }
        peer.ended().await;
    });
    let got = get("/").within(350).send(&trickling.server()).await.unwrap();
    assert!(got.body == b"aaaaaa" && got.cut_off.is_none());
    let stopping = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc").await;
        peer.ended().await;
    });
    let got = get("/").within(100).send(&stopping.server()).await.unwrap();
    assert_eq!(got.body, b"abc");
    assert_eq!(got.cut_off.map(|failure| failure.kind()), Some(FailureKind::TimedOut));
}

#[tokio::test]
async fn a_slow_client_is_told_from_a_slow_server() {
    let reading = || {
        Upstream::start(|_, mut peer| async move {
            peer.head().await;
            peer.take_until(b"0\r\n\r\n").await;
            peer.send("HTTP/1.1 204 X\r\n\r\n").await;
            peer.ended().await;
        })
    };
    let upstream = reading();
    let server = upstream.server();
    let (frames, body) = channel();
    frames.send(data(b"he")).unwrap();
    let failure = post(body, None).within(100).send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::ClientTimedOut);
    assert!(!failure.is_of_server());
    // Pieces that come in time restart it.
    let upstream = reading();
    let server = upstream.server();
    let (frames, body) = channel();
    let sending = tokio::spawn(async move { post(body, None).within(400).send(&server).await });
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        frames.send(data(b"a")).unwrap();
    }
    drop(frames);
    assert_eq!(sending.await.unwrap().unwrap().status, 204);
    // One that reads nothing.
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        tokio::time::sleep(Duration::from_secs(20)).await;
    });
    let body = vec![b'x'; 20_000_000];
    let ask = post(body, Some(20_000_000)).within(200);
    let failure = ask.send(&upstream.server()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::TimedOut);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    let server = upstream.server();
    let Ok(Answer::Response(response)) = get("/").within(100).answer(&server, &mut vec![]).await
    else {
        panic!("no answer")
    };
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    tokio::time::sleep(Duration::from_millis(250)).await;
    let failure = body.frame().await.unwrap().unwrap_err();
    assert_eq!(failure.kind(), FailureKind::ClientStalled);
    assert!(!failure.is_of_server());
}

#[tokio::test]
async fn the_error_of_the_body_is_the_clients() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.ended().await;
    });
    let server = upstream.server();
    let (frames, body) = channel();
    frames.send(data(b"he")).unwrap();
    frames.send(Err(std::io::Error::other("gone"))).unwrap();
    let mut failure = post(body, None).send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::ClientBody);
    assert!(failure.client_error().is_some_and(|error| error.to_string() == "gone"));
    // A body is as long as its head said.
    for (body, length) in [("abc", 2), ("abc", 4), ("", 1)] {
        let failure = post(body, Some(length)).send(&server).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::ClientBody, "{body} of {length}");
    }
}

#[tokio::test]
async fn an_early_answer_is_handed_on_at_once() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await;
        peer.ended().await;
    });
    let server = upstream.server();
    let (frames, body) = channel();
    frames.send(data(b"he")).unwrap();
    let got = post(body, Some(5)).send(&server).await.unwrap();
    assert_eq!((got.status.as_u16(), &*got.body), (413, &b"no"[..]));
    assert!(got.cut_off.is_none());
    // The rest of the body is not asked for, and the connection is not used again.
    frames.send(data(b"llo")).unwrap_err();
    get("/").send(&server).await.unwrap();
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn an_early_answer_survives_that_nobody_reads() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await;
    });
    let server = upstream.server();
    let body = vec![b'x'; 4_000_000];
    let got = post(body, Some(4_000_000)).send(&server).await.unwrap();
    assert_eq!((got.status.as_u16(), &*got.body), (413, &b"no"[..]));
}

#[tokio::test]
async fn an_answer_and_its_request_stream_at_the_same_time() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        for _ in 0..3 {
            let chunk = peer.take(6).await;
            peer.send(chunk).await;
        }
        let end = peer.take(5).await;
        peer.send(end).await;
        while peer.head().await.is_some() {
            peer.send("HTTP/1.1 204 X\r\n\r\n").await;
        }
    });
    let server = upstream.server();
    let (frames, body) = channel();
    let Ok(Answer::Response(response)) = post(body, None).answer(&server, &mut vec![]).await else {
        panic!("no answer")
    };
    let mut answer = response.into_body();
    for word in [b"a", b"b", b"c"] {
        frames.send(data(word)).unwrap();
        let frame = answer.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), &word[..]);
    }
    drop(frames);
    assert!(answer.frame().await.is_none());
    get("/").send(&server).await.unwrap();
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn leave_to_send_a_body_is_waited_for() {
    // Given.
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        assert!(peer.read.is_empty());
        peer.send("HTTP/1.1 100 Continue\r\n\r\n").await;
        let body = peer.take(5).await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").await;
        peer.send(body).await;
        peer.ended().await;
    });
    let begun = Instant::now();
    let got = post("hello", Some(5)).expecting().send(&upstream.server()).await.unwrap();
    assert_eq!(got.body, b"hello");
    assert_eq!(got.interim[0].0, 100);
    assert!(begun.elapsed() < Duration::from_millis(900));
    // Never said: the body goes after a second.
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.take(5).await;
        peer.send("HTTP/1.1 204 OK\r\n\r\n").await;
        peer.ended().await;
    });
    let begun = Instant::now();
    let got = post("hello", Some(5)).expecting().send(&upstream.server()).await.unwrap();
    assert_eq!(got.status, 204);
    assert!(begun.elapsed() >= Duration::from_millis(950));
    // Refused: the body is not read.
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno").await;
        peer.ended().await;
    });
    let (frames, body) = channel();
    let server = upstream.server();
    let got = post(body, Some(5)).expecting().send(&server).await.unwrap();
    assert_eq!(got.status, 417);
    frames.send(data(b"hello")).unwrap_err();
    get("/").send(&server).await.unwrap();
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn a_secured_destination_takes_what_secures_it() {
    let upstream = Upstream::answering("HTTP/1.1 204 X\r\n\r\n");
    let place = Place::Host { name: "127.0.0.1".to_owned(), port: upstream.address.port() };
    let client = Client::new(ClientSettings::default(), Arc::default());
    let server = Server::new(client, Destination { secure: true, place });
    let mut ask = get("/");
    ask.version = (Version::HTTP_11, VersionPolicy::Exact);
    let failure = ask.send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Tls);
    assert!(failure.is_unsent());
}
