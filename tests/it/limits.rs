//! The limits of connections and request heads.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use crate::http2_frames::Http2;
use crate::support::{
    Wire, builder, configured, limited, pass, saying, socket_address, soon, started, stopped,
};

#[tokio::test]
async fn a_surplus_connection_is_closed_without_a_byte_and_a_freed_slot_is_used_again() {
    let host = started(limited(&[("MaxConcurrentConnections", "2")])).await;
    let address = &host.addresses()[0].clone();
    let mut one = Wire::connect(address).await;
    let mut two = Wire::connect(address).await;
    // Their answers mean that both have their slots.
    assert_eq!(one.get("/").await.status, 200);
    assert_eq!(two.get("/").await.status, 200);
    for _ in 0..2 {
        assert_eq!(Wire::connect(address).await.rest().await, b"");
    }
    assert_eq!(one.get("/").await.status, 200, "the first two go on");
    drop(two);
    // The server takes its time to see that; until then new ones are closed.
    let served = async {
        loop {
            let mut three = Wire::connect(address).await;
            let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            three.send(request).await;
            if three.end().await.is_ok_and(|answer| !answer.is_empty()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("a freed slot", served).await;
    assert_eq!(one.get("/").await.status, 200);
    stopped(host).await;
}

#[tokio::test]
async fn surplus_connections_are_counted_as_rejected_and_as_over() {
    let builder = builder().use_urls("http://127.0.0.1:0").app(saying("hello"));
    let host = started(builder.configure_kestrel(|options| {
        options.limits.max_concurrent_connections = Some(1);
    }))
    .await;
    let counters = host.counters().expect("the built-in server counts");
    let address = &host.addresses()[0].clone();
    let mut only = Wire::connect(address).await;
    assert_eq!(only.get("/").await.status, 200);
    for _ in 0..2 {
        assert_eq!(Wire::connect(address).await.rest().await, b"");
    }
    assert_eq!((counters.accepted(), counters.rejected(), counters.closed()), (3, 2, 2));
    stopped(host).await;
    let all_closed = async {
        while counters.closed() < 3 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the last one", all_closed).await;
    assert_eq!((counters.accepted(), counters.rejected(), counters.closed()), (3, 2, 3));
}

#[tokio::test]
async fn a_connection_of_http2_has_its_slot_until_it_ends() {
    let host = started(limited(&[("MaxConcurrentConnections", "1")])).await;
    let address = &host.addresses()[0].clone();
    let mut http2 = Http2::connect(address).await;
    for stream in [1, 3] {
        http2.request(stream, "/").await;
        assert_eq!(http2.body_of(stream).await, b"hello");
        assert_eq!(Wire::connect(address).await.rest().await, b"");
    }
    drop(http2);
    stopped(host).await;
}

/// A reset could be taken for a broken network.
#[tokio::test]
async fn a_surplus_connection_that_has_sent_its_request_sees_an_end_and_no_reset() {
    let host = started(limited(&[("MaxConcurrentConnections", "1")])).await;
    let address = &host.addresses()[0].clone();
    let mut only = Wire::connect(address).await;
    assert_eq!(only.get("/").await.status, 200);
    for length in [0, 1000] {
        // Nobody accepts while this task does not wait: the request is here first.
        let mut surplus = TcpStream::connect(socket_address(address)).expect("somebody listens");
        let filler = "a".repeat(length);
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {filler}\r\n\r\n");
        surplus.write_all(request.as_bytes()).expect("the system takes it");
        surplus.set_nonblocking(true).expect("a socket");
        let surplus = tokio::net::TcpStream::from_std(surplus).expect("a socket");
        assert_eq!(Wire::new(surplus).rest().await, b"", "no error");
    }
    stopped(host).await;
}

#[tokio::test]
async fn each_endpoint_counts_its_own_connections() {
    let two = configured(&[
        ("ASPNETCORE_URLS", "http://127.0.0.1:0;http://[::1]:0"),
        ("Kestrel__Limits__MaxConcurrentConnections", "1"),
    ]);
    let host = started(two.app(saying("hello"))).await;
    let mut wires = Vec::new();
    for address in host.addresses() {
        let mut wire = Wire::connect(&address).await;
        assert_eq!(wire.get("/").await.status, 200, "{address}");
        wires.push(wire);
    }
    for address in host.addresses() {
        assert_eq!(Wire::connect(&address).await.rest().await, b"", "{address}");
    }
    stopped(host).await;
}

/// Sends a request and checks that it is refused, and the connection closed.
async fn refused(address: &str, request: &str, status: u16) {
    let mut wire = Wire::connect(address).await;
    wire.send_until_closed(request).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, status, "{}", answer.head);
    assert_eq!(answer.header("Connection"), Some("close"), "{}", answer.head);
    // The rest of the request was not read, so the system may end with a reset.
    assert_eq!(wire.end().await.unwrap_or_default(), b"");
}

fn request_with_path(length: usize) -> String {
    let path = "a".repeat(length);
    format!("GET /?{path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

#[tokio::test]
async fn a_request_line_that_is_too_long_is_refused_with_414() {
    let host = started(limited(&[])).await;
    let address = &host.addresses()[0].clone();
    let around = "GET /? HTTP/1.1\r\n".len();
    let mut wire = Wire::connect(address).await;
    wire.send(request_with_path(8192 - around)).await;
    assert_eq!(wire.answer().await.status, 200, "the longest that is allowed");
    refused(address, &request_with_path(8192 - around + 1), 414).await;
    refused(address, &request_with_path(20_000), 414).await;
    stopped(host).await;
}

#[tokio::test]
async fn the_length_of_the_request_line_can_be_set() {
    let host = started(limited(&[("MaxRequestLineSize", "100")])).await;
    let address = &host.addresses()[0].clone();
    assert_eq!(Wire::connect(address).await.get("/").await.status, 200);
    refused(address, &request_with_path(100), 414).await;
    stopped(host).await;
}

#[tokio::test]
async fn header_lines_that_are_too_long_are_refused_with_431() {
    let host = started(limited(&[])).await;
    let address = &host.addresses()[0].clone();
    let request =
        |length| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(length));
    let mut wire = Wire::connect(address).await;
    wire.send(request(30_000)).await;
    assert_eq!(wire.answer().await.status, 200, "30,000 bytes are allowed");
    refused(address, &request(60_000), 431).await;
    stopped(host).await;
}

#[tokio::test]
async fn too_many_header_lines_are_refused_with_431() {
    for (limits, most) in [(&[][..], 100), (&[("MaxRequestHeaderCount", "10")], 10)] {
        let host = started(limited(limits)).await;
        let address = &host.addresses()[0].clone();
        let request = |lines| {
            // Host is a line, too.
            let more: String = (1..lines).map(|line| format!("X-{line}: x\r\n")).collect();
            format!("GET / HTTP/1.1\r\nHost: a\r\n{more}\r\n")
        };
        let mut wire = Wire::connect(address).await;
        wire.send(request(most)).await;
        assert_eq!(wire.answer().await.status, 200, "{most} lines are allowed");
        refused(address, &request(most + 1), 431).await;
        stopped(host).await;
    }
}

#[tokio::test]
async fn the_first_bytes_have_the_time_of_a_head_to_tell_what_they_are() {
    let host = started(limited(&[])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("PRI * HTTP").await;
    pass(Duration::from_secs(20)).await;
    wire.send("/2.0").await;
    pass(Duration::from_secs(20)).await;
    // It could have become HTTP/2, but a head that takes too long is one of HTTP/1.
    let answer = String::from_utf8(wire.rest().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    stopped(host).await;
}

#[tokio::test]
async fn code_sets_limits_over_the_configuration() {
    let host = limited(&[("MaxRequestLineSize", "8000"), ("MaxRequestHeaderCount", "5")])
        .configure_kestrel(|options| options.limits.max_request_line_size = 30)
        .configure_kestrel(|options| options.add_server_header = false);
    let host = started(host).await;
    let address = &host.addresses()[0].clone();
    let answer = Wire::connect(address).await.get("/").await;
    assert_eq!((answer.status, answer.header("server")), (200, None));
    let long = format!("/{}", "a".repeat(30));
    assert_eq!(Wire::connect(address).await.get(&long).await.status, 414);
    stopped(host).await;
}

#[test]
fn code_that_sets_an_impossible_limit_is_refused() {
    let host =
        limited(&[]).configure_kestrel(|options| options.limits.max_request_header_count = 0);
    let error = host.build().expect_err("it is refused");
    assert_eq!(
        error.problems()[0].to_string(),
        "Value must be a positive number. 'Kestrel:Limits:MaxRequestHeaderCount' is '0'.\n  \
         set by: code (configure_kestrel), key Kestrel:Limits:MaxRequestHeaderCount\n  \
         fix: write 1 or more"
    );
}

#[tokio::test]
async fn a_timeout_that_never_comes_does_not_trouble_the_clock() {
    let endless = "-00:00:00.0010000";
    let host = limited(&[("KeepAliveTimeout", endless), ("RequestHeadersTimeout", endless)]);
    for host in [
        host,
        limited(&[]).configure_kestrel(|options| {
            options.limits.keep_alive_timeout = Duration::MAX;
            options.limits.request_headers_timeout = Duration::MAX;
        }),
    ] {
        let host = started(host).await;
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        assert_eq!(wire.get("/").await.status, 200);
        assert_eq!(wire.get("/").await.status, 200);
        stopped(host).await;
    }
}
