//! Which connections are used again, and when a request is sent a second time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;

use super::kit::{Ask, Upstream, channel, data, get, post};
use crate::upstream::{ClientSettings, FailureKind};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn a_connection_is_used_again_if_both_sides_keep_it() {
    for (answer, kept) in [
        (OK, true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", true),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false),
        ("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok", false),
        ("HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 2\r\n\r\nok", false),
        ("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok", false),
        ("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60, max=9\r\nContent-Length: 2\r\n\r\nok", true),
        // Bytes out of turn.
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEXTRA", false),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", false),
    ] {
        let upstream = Upstream::answering(answer);
        let server = upstream.server();
        for _ in 0..3 {
            get("/").send(&server).await.unwrap();
        }
        assert_eq!(upstream.connections(), if kept { 1 } else { 3 }, "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_to_its_end_closes_the_connection() {
    let (told, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(move |_, mut peer| {
        let told = told.clone();
        async move {
            peer.head().await;
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc").await;
            peer.ended().await;
            told.send(()).unwrap();
        }
    });
    let server = upstream.server();
    let answer = get("/").answer(&server, &mut Vec::new()).await.unwrap();
    drop(answer);
    ended.recv().await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_given_up_closes_the_connection() {
    let (told, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(move |_, mut peer| {
        let told = told.clone();
        async move {
            peer.head().await;
            told.send(()).unwrap();
            peer.ended().await;
            told.send(()).unwrap();
        }
    });
    let server = upstream.server();
    let sending = tokio::spawn(async move { get("/").send(&server).await });
    ended.recv().await.unwrap();
    sending.abort();
    ended.recv().await.unwrap();
}

#[tokio::test]
async fn a_kept_connection_that_ends_meanwhile_is_not_used() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send(OK).await;
    });
    let server = upstream.server();
    for number in 1..=20 {
        // The end is here as soon as the runtime has heard of it; before, the retry is there for it.
        let got = get("/").send(&server).await.unwrap();
        assert_eq!(got.body, b"ok", "{number}");
    }
    assert_eq!(upstream.lines().len(), 20);
}

#[tokio::test]
async fn no_retry_is_needed_once_the_end_of_a_kept_connection_is_known() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let after = Upstream::start(move |_, _| {
        let told = told.clone();
        async move { told.send(()).unwrap() }
    });
    let address = after.address;
    let upstream = Upstream::start(move |_, mut peer| async move {
        peer.head().await;
        peer.send(OK).await;
        drop(peer);
        // The runtime hears of this after the end of the connection.
        tokio::net::TcpStream::connect(address).await.unwrap();
    });
    let server = upstream.server();
    get("/").send(&server).await.unwrap();
    heard.recv().await.unwrap();
    // It must not be sent twice: on the old connection it would fail.
    let got = post("hi", Some(2)).send(&server).await.unwrap();
    assert_eq!(got.body, b"ok");
    assert_eq!(upstream.connections(), 2);
}

/// The server closes each connection when the second request comes.
fn closing_at_the_second() -> Upstream {
    Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.send(OK).await;
        peer.head().await;
    })
}

#[tokio::test]
async fn the_race_of_keep_alive_loses_no_request_that_may_be_repeated() {
    let upstream = closing_at_the_second();
    let server = upstream.server();
    for number in 0..1000 {
        let method = [Method::GET, Method::DELETE, Method::HEAD, Method::PUT][number % 4].clone();
        let got = Ask::new(method, "/").send(&server).await.unwrap();
        assert_eq!(got.status, 200, "{number}");
    }
}

#[tokio::test]
async fn the_race_of_keep_alive_doubles_no_request_that_may_not() {
    let upstream = closing_at_the_second();
    let server = upstream.server();
    let mut failed = 0;
    for number in 0..1000 {
        let ask = Ask::new(Method::POST, format!("/{number}").leak()).body("hi", Some(2));
        match ask.send(&server).await {
            Ok(got) => assert_eq!(got.status, 200),
            Err(failure) => {
                assert!(matches!(failure.kind(), FailureKind::Ended | FailureKind::Reset));
                assert!(!failure.is_unsent());
                failed += 1;
            }
        }
    }
    let came = upstream.lines();
    let once: std::collections::BTreeSet<_> = came.iter().collect();
    assert_eq!(once.len(), came.len(), "one came twice");
    assert!(failed > 0, "there was no race");
}

#[tokio::test]
async fn what_has_left_is_not_sent_again_if_it_may_not_be_repeated() {
    let upstream = closing_at_the_second();
    let server = upstream.server();
    for length in [None, Some(0)] {
        get("/").send(&server).await.unwrap();
        // The connection is kept, and ends when the request has come.
        let mut ask = Ask::new(Method::POST, "/pay");
        if length.is_some() {
            ask = ask.body("", length);
        }
        let failure = ask.send(&server).await.unwrap_err();
        assert!(matches!(failure.kind(), FailureKind::Ended | FailureKind::Reset));
    }
    assert_eq!(upstream.lines().iter().filter(|line| line.contains("/pay")).count(), 2);
}

#[tokio::test]
async fn what_a_server_that_is_gone_did_not_answer_may_be_sent_elsewhere_if_it_may_be_repeated() {
    for (method, elsewhere) in [(Method::GET, true), (Method::PUT, true), (Method::POST, false)] {
        let (told, mut came) = tokio::sync::mpsc::unbounded_channel();
        let ends = Arc::new(tokio::sync::Notify::new());
        let ended = Arc::clone(&ends);
        let mut upstream = Upstream::start(move |_, mut peer| {
            let (told, ended) = (told.clone(), Arc::clone(&ended));
            async move {
                peer.head().await;
                peer.send(OK).await;
                peer.head().await;
                told.send(()).unwrap();
                ended.notified().await;
            }
        });
        let server = upstream.server();
        get("/").send(&server).await.unwrap();
        let asked = method.clone();
        let sending = tokio::spawn(async move { Ask::new(asked, "/").send(&server).await });
        came.recv().await.unwrap();
        upstream.closes().await;
        ends.notify_one();
        let failure = sending.await.unwrap().unwrap_err();
        assert_eq!(failure.may_go_elsewhere(), elsewhere, "{method}: {failure:?}");
        assert!(!failure.is_unsent(), "{method}: {failure:?}");
    }
}

#[tokio::test]
async fn who_does_not_answer_in_time_is_not_asked_again() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.ended().await;
    });
    let failure = get("/").within(50).send(&upstream.server()).await.unwrap_err();
    assert_eq!((failure.kind(), upstream.lines().len()), (FailureKind::TimedOut, 1));
}

#[tokio::test]
async fn one_retry_on_a_new_connection_and_no_more() {
    for (method, times) in
        [(Method::GET, 2), (Method::DELETE, 2), (Method::POST, 1), (Method::PATCH, 1)]
    {
        let upstream = Upstream::start(|_, mut peer| async move {
            peer.head().await;
        });
        let failure = Ask::new(method.clone(), "/").send(&upstream.server()).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Ended);
        assert_eq!(upstream.lines().len(), times, "{method}");
    }
    // A reset is as good as an end, a byte is an answer, and so is an interim one.
    for (answer, resets, times) in
        [("", true, 2), ("HT", false, 1), ("HTTP/1.1 103 X\r\n\r\n", false, 1), ("HT", true, 1)]
    {
        let upstream = Upstream::start(move |_, mut peer| async move {
            peer.head().await;
            peer.send(answer).await;
            if resets {
                peer.reset();
            }
        });
        let failure = get("/").send(&upstream.server()).await.unwrap_err();
        assert!(matches!(failure.kind(), FailureKind::Ended | FailureKind::Reset));
        assert_eq!(upstream.lines().len(), times, "{answer:?} {resets}");
    }
}

#[tokio::test]
async fn a_request_whose_body_was_read_is_not_sent_again() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.take(2).await;
    });
    let server = upstream.server();
    let put = || Ask::new(Method::PUT, "/").body("hi", Some(2));
    let mut failure = put().send(&server).await.unwrap_err();
    assert!(failure.take_body().is_none());
    assert_eq!(upstream.lines().len(), 1);
    // One whose body was not looked at is.
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
    });
    let (frames, body) = channel();
    let ask = Ask::new(Method::PUT, "/").body(body, Some(2)).expecting();
    let mut failure = ask.send(&upstream.server()).await.unwrap_err();
    assert!(failure.take_body().is_some());
    assert_eq!(upstream.lines().len(), 2);
    frames.send(data(b"hi")).unwrap_err();
}

#[tokio::test]
async fn the_last_connection_is_the_next() {
    let upstream = Upstream::start(|number, mut peer| async move {
        while peer.head().await.is_some() {
            peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}")).await;
        }
    });
    let server = upstream.server();
    let ask = || async {
        let mut interim = Vec::new();
        get("/").answer(&server, &mut interim).await.unwrap()
    };
    let both = tokio::join!(ask(), ask(), ask());
    drop(both);
    assert_eq!(upstream.connections(), 3);
    let first = get("/").send(&server).await.unwrap().body;
    for _ in 0..5 {
        assert_eq!(get("/").send(&server).await.unwrap().body, first);
    }
    assert_eq!(upstream.connections(), 3);
}

#[tokio::test]
async fn idle_connections_are_closed_in_time() {
    let (told, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(move |_, mut peer| {
        let told = told.clone();
        async move {
            peer.head().await;
            peer.send(OK).await;
            peer.ended().await;
            told.send(()).unwrap();
        }
    });
    let idle_timeout = Duration::from_millis(10);
    let settings = ClientSettings { idle_timeout, ..ClientSettings::default() };
    let server = upstream.server_with(settings);
    get("/").send(&server).await.unwrap();
    ended.recv().await.unwrap();
    let server = upstream.server();
    get("/").send(&server).await.unwrap();
    server.close();
    ended.recv().await.unwrap();
    get("/").send(&server).await.unwrap();
    ended.recv().await.unwrap();
    let server = upstream.server();
    get("/").send(&server).await.unwrap();
    drop(server);
    ended.recv().await.unwrap();
}

#[tokio::test]
async fn there_are_no_more_connections_than_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, peak) = (Arc::clone(&now), Arc::clone(&most));
    let upstream = Upstream::start(move |_, mut peer| {
        let (counter, peak) = (Arc::clone(&counter), Arc::clone(&peak));
        async move {
            while peer.head().await.is_some() {
                let running = counter.fetch_add(1, Ordering::SeqCst) + 1;
                peak.fetch_max(running, Ordering::SeqCst);
                tokio::task::yield_now().await;
                counter.fetch_sub(1, Ordering::SeqCst);
                peer.send(OK).await;
            }
        }
    });
    let settings = ClientSettings { max_connections: Some(2), ..ClientSettings::default() };
    let server = upstream.server_with(settings);
    let asks = (0..50).map(|_| {
        let server = Arc::clone(&server);
        tokio::spawn(async move { get("/").send(&server).await.unwrap().body })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert_eq!(ask.await.unwrap(), b"ok");
    }
    assert!(upstream.connections() <= 2 && most.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn who_waits_for_a_connection_waits_no_longer_than_for_an_answer() {
    let upstream = Upstream::start(|_, mut peer| async move {
        peer.head().await;
        peer.ended().await;
    });
    let settings = ClientSettings { max_connections: Some(1), ..ClientSettings::default() };
    let server = upstream.server_with(settings);
    let holder = tokio::spawn({
        let server = Arc::clone(&server);
        async move { get("/").send(&server).await }
    });
    while upstream.lines().is_empty() {
        tokio::task::yield_now().await;
    }
    let failure = get("/").within(50).send(&server).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::TimedOut);
    assert!(failure.to_string().contains("MaxConnectionsPerServer") && failure.is_unsent());
    holder.abort();
}

#[tokio::test]
async fn a_connection_to_an_address_that_the_name_has_no_more_is_not_used_again() {
    let reading = || {
        Upstream::start(|_, mut peer| async move {
            while peer.head().await.is_some() && peer.take(3).await == b"abc" {
                peer.send(OK).await;
            }
        })
    };
    let (old, new, newest) = (reading(), reading(), reading());
    let server = old.named_server();
    for _ in 0..2 {
        post("abc", Some(3)).send(&server).await.unwrap();
        server.following().look().await;
    }
    assert_eq!(old.connections(), 1);
    // It waits for a request.
    server.following().lead_to(&[new.address]);
    server.following().look().await;
    post("abc", Some(3)).send(&server).await.unwrap();
    assert_eq!((old.connections(), new.connections()), (1, 1));
    // It has one, which goes on.
    let (sender, body) = channel();
    let under_way = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { post(body, Some(3)).send(&server).await })
    };
    while new.lines().len() < 2 {
        tokio::task::yield_now().await;
    }
    server.following().lead_to(&[newest.address]);
    server.following().look().await;
    sender.send(data(b"abc")).unwrap();
    drop(sender);
    assert_eq!(under_way.await.unwrap().unwrap().body, b"ok");
    post("abc", Some(3)).send(&server).await.unwrap();
    assert_eq!((old.connections(), new.connections(), newest.connections()), (1, 1, 1));
    // Both are there.
    server.following().lead_to(&[new.address, newest.address]);
    server.following().look().await;
    post("abc", Some(3)).send(&server).await.unwrap();
    assert_eq!((new.connections(), newest.connections()), (1, 1));
}

/// Beside requests, without which nobody looks.
#[tokio::test]
async fn the_addresses_of_a_name_are_looked_up_again_while_there_are_requests() {
    let (old, new) = (Upstream::answering(OK), Upstream::answering(OK));
    let server = old.named_server();
    get("/").send(&server).await.unwrap();
    server.following().lead_to(&[new.address]);
    let begun = Instant::now();
    while new.connections() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is never followed");
        tokio::time::sleep(Duration::from_millis(20)).await;
        get("/").send(&server).await.unwrap();
    }
    assert_eq!(old.connections(), 1);
}
