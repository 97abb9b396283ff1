//! Many clients that take their time on purpose, beside one that does not.

use std::io;
use std::time::Duration;

use axum::body::Bytes;
use axum::routing::any;
use kestrel::MinDataRate;
use tokio::io::Interest;
use tokio::task::JoinSet;

use crate::support::{Wire, limited, really, saying, soon, started, stopped};

/// How many of them there are.
const MANY: usize = 100;

/// Lets `crowd` run, and asks again and again beside it whether a new client is served.
async fn beside(address: &str, mut crowd: JoinSet<()>) {
    let mut served = 0;
    let over = async {
        while let Some(one) = crowd.join_next().await {
            one.expect("it saw what it should");
        }
    };
    let others = async {
        loop {
            assert_eq!(Wire::connect(address).await.get("/").await.body, "hello");
            served += 1;
            really(Duration::from_millis(50)).await;
        }
    };
    let all = async {
        tokio::select! {
            () = over => {}
            () = others => {}
        }
    };
    soon("the end of the slow ones", all).await;
    // One after the other, while the crowd is there. How fast is the machine's business.
    assert!(served >= 3, "only {served} were served");
}

/// Sends `bytes` one by one until the peer closes, and returns what it said.
async fn drip(mut wire: Wire<tokio::net::TcpStream>, bytes: impl Iterator<Item = u8>) -> String {
    let mut bytes = bytes;
    loop {
        let Some(byte) = bytes.next() else {
            panic!("it was let through");
        };
        if !wire.try_send([byte]).await || wire.has_bytes(Duration::from_millis(200)).await {
            let said = wire.end().await.unwrap_or_default();
            return String::from_utf8_lossy(&said).into_owned();
        }
    }
}

#[tokio::test]
async fn heads_that_come_byte_by_byte_end_with_408_and_keep_nobody_waiting() {
    let host = started(limited(&[("RequestHeadersTimeout", "00:00:00.5")])).await;
    let address = host.addresses()[0].clone();
    let mut crowd = JoinSet::new();
    for _ in 0..MANY {
        let address = address.clone();
        crowd.spawn(async move {
            let wire = Wire::connect(&address).await;
            let head = "GET / HTTP/1.1\r\nHost: a\r\nX-Filler: ".bytes();
            let said = drip(wire, head.chain(std::iter::repeat(b'a'))).await;
            assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
        });
    }
    beside(&address, crowd).await;
    stopped(host).await;
}

#[tokio::test]
async fn bodies_that_come_byte_by_byte_end_with_408_and_keep_nobody_waiting() {
    let app = saying("hello").route("/read", any(async |body: Bytes| format!("{}", body.len())));
    let host = started(limited(&[]).app(app).configure_kestrel(|options| {
        let rate = MinDataRate::new(100.0, Duration::from_millis(1100));
        options.limits.min_request_body_data_rate = Some(rate.expect("it is one"));
    }))
    .await;
    let address = host.addresses()[0].clone();
    let mut crowd = JoinSet::new();
    for number in 0..MANY {
        let address = address.clone();
        crowd.spawn(async move {
            let mut wire = Wire::connect(&address).await;
            let framed = match number % 2 {
                0 => "Content-Length: 10000\r\n\r\n",
                _ => "Transfer-Encoding: chunked\r\n\r\n2710\r\n",
            };
            wire.send(format!("POST /read HTTP/1.1\r\nHost: a\r\n{framed}")).await;
            let said = drip(wire, std::iter::repeat(b'a')).await;
            assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
        });
    }
    beside(&address, crowd).await;
    stopped(host).await;
}

#[tokio::test]
async fn clients_that_do_not_take_their_answers_are_cut_off() {
    // More than the system holds for a client.
    const LARGE: usize = 16 * 1024 * 1024;
    // Not a static: the program would carry it.
    let body = Bytes::from(vec![b'x'; LARGE]);
    let app = saying("hello").route("/large", any(|| std::future::ready(body)));
    let host = started(limited(&[]).app(app).configure_kestrel(|options| {
        // A client that reads is faster than that on any machine.
        let rate = MinDataRate::new(1e5, Duration::from_millis(1100));
        options.limits.min_response_data_rate = Some(rate.expect("it is one"));
    }))
    .await;
    let address = host.addresses()[0].clone();
    let request = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut crowd = JoinSet::new();
    for _ in 0..10 {
        let address = address.clone();
        crowd.spawn(async move {
            let mut wire = Wire::connect(&address).await;
            wire.send(request).await;
            // The system knows of the end before anything is read.
            let cut_off = wire.stream().ready(Interest::ERROR);
            soon("the end of the connection", cut_off).await.expect("it is open");
            let error = wire.end().await.expect_err("it is not whole");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        });
    }
    crowd.spawn({
        let address = address.clone();
        async move {
            let mut wire = Wire::connect(&address).await;
            wire.send(request).await;
            wire.head().await;
            assert_eq!(wire.take(LARGE).await.len(), LARGE, "who reads gets all of it");
            assert_eq!(wire.get("/").await.body, "hello");
        }
    });
    beside(&address, crowd).await;
    stopped(host).await;
}

/// What Linux takes beyond the bound, and the bound, of which half has to be free: so much of an
/// answer leaves the system before a client that takes it is seen to.
#[cfg(target_os = "linux")]
const UNSEEN: usize = 64 * 1024 + BOUND / 2;
#[cfg(target_os = "linux")]
const BOUND: usize = 4096;

/// Bytes a second.
#[cfg(target_os = "linux")]
const SLOWEST: usize = 20 * 1024;

/// A host whose clients take a large answer at [`SLOWEST`], and one that asked for it.
#[cfg(target_os = "linux")]
async fn asked_slowly(large: usize) -> (kestrel::RunningHost, Wire<tokio::net::TcpStream>) {
    let app = saying("hello").route("/large", any(async move || Bytes::from(vec![b'x'; large])));
    let host = started(limited(&[]).app(app).configure_kestrel(|options| {
        let rate = MinDataRate::new(SLOWEST as f64, Duration::from_millis(1100));
        options.limits.min_response_data_rate = Some(rate.expect("it is one"));
        options.limits.max_response_buffer_size = Some(BOUND);
    }))
    .await;
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    // Of a size that opens its window again in steps of a packet, not of all that it holds.
    socket.set_recv_buffer_size(256 * 1024).expect("it is one");
    let address = crate::support::socket_address(&host.addresses()[0]);
    let mut wire = Wire::new(socket.connect(address).await.expect("somebody listens"));
    wire.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.head().await;
    (host, wire)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_just_above_the_rate_is_served_to_the_end() {
    const LARGE: usize = 2 * 1024 * 1024;
    let (host, mut wire) = asked_slowly(LARGE).await;
    let begun = tokio::time::Instant::now();
    let faster = (SLOWEST * 11 / 10) as f64;
    let mut taken = 0;
    // Two waits of the server, and a little.
    while taken < UNSEEN * 9 / 4 {
        taken += wire.take(512).await.len();
        tokio::time::sleep_until(begun + Duration::from_secs_f64(taken as f64 / faster)).await;
    }
    assert_eq!(wire.take(LARGE - taken).await.len(), LARGE - taken);
    assert_eq!(wire.get("/").await.body, "hello");
    stopped(host).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_takes_nothing_has_the_time_for_what_cannot_be_seen() {
    let begun = tokio::time::Instant::now();
    let (host, mut wire) = asked_slowly(2 * 1024 * 1024).await;
    let cut_off = wire.stream().ready(Interest::ERROR);
    soon("the end of the connection", cut_off).await.expect("it is open");
    // And the second that every timeout is given.
    let least = Duration::from_secs_f64(UNSEEN as f64 / SLOWEST as f64 + 1.0);
    assert!(begun.elapsed() >= least, "{:?} of {least:?}", begun.elapsed());
    let error = wire.end().await.expect_err("it is not whole");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    stopped(host).await;
}

#[tokio::test]
async fn idle_connections_end_after_their_time_and_keep_nobody_waiting() {
    let host = started(limited(&[("KeepAliveTimeout", "00:00:00.5")])).await;
    let address = host.addresses()[0].clone();
    let mut crowd = JoinSet::new();
    for number in 0..MANY {
        let address = address.clone();
        crowd.spawn(async move {
            let mut wire = Wire::connect(&address).await;
            if number % 2 == 0 {
                assert_eq!(wire.get("/").await.body, "hello");
            }
            assert_eq!(wire.rest().await, b"");
        });
    }
    beside(&address, crowd).await;
    stopped(host).await;
}

#[tokio::test]
async fn a_burst_of_connections_above_the_limit_leaves_the_others_alone() {
    let host = started(limited(&[("MaxConcurrentConnections", "5")])).await;
    let address = host.addresses()[0].clone();
    let mut served = Vec::new();
    for _ in 0..5 {
        let mut wire = Wire::connect(&address).await;
        assert_eq!(wire.get("/").await.body, "hello");
        served.push(wire);
    }
    let mut crowd = JoinSet::new();
    for number in 0..MANY {
        let address = address.clone();
        crowd.spawn(async move {
            let mut wire = Wire::connect(&address).await;
            if number % 2 == 0 {
                wire.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            }
            // What was sent too late to be read makes the system end with a reset.
            assert_eq!(wire.end().await.unwrap_or_default(), b"");
        });
    }
    let asking = async {
        loop {
            for wire in &mut served {
                assert_eq!(wire.get("/").await.body, "hello");
            }
            really(Duration::from_millis(1)).await;
        }
    };
    let refused =
        async { while crowd.join_next().await.transpose().expect("refused").is_some() {} };
    tokio::select! {
        () = soon("the end of the burst", refused) => {}
        () = asking => {}
    }
    for wire in &mut served {
        assert_eq!(wire.get("/").await.body, "hello");
    }
    stopped(host).await;
}
