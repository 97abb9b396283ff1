//! The stop: idle connections end after a moment, running requests finish, what takes longer than the
//! shutdown timeout is aborted.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::{Router, routing::any};
use kestrel::{RunningHost, Stopped};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::http2_frames::{self as frames, Http2};
use crate::slow_app::{SlowApp, Step};
use crate::support::{NEVER, Wire, builder, pass, socket_address, soon, started, stopped};
use crate::upgrades::echo;

const HOUR: Duration = Duration::from_secs(3600);

async fn slow_host(timeout: Duration) -> (RunningHost, SlowApp, String) {
    let (app, slow) = SlowApp::new();
    let host =
        started(builder().use_urls("http://127.0.0.1:0").shutdown_timeout(timeout).app(app)).await;
    let address = host.addresses()[0].clone();
    (host, slow, address)
}

/// A connection whose request is in the handler of `/slow`.
async fn running_request(address: &str, slow: &mut SlowApp) -> Wire<TcpStream> {
    let mut wire = Wire::connect(address).await;
    wire.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    wire
}

/// Begins the stop and waits until it is seen from outside: nobody listens any more.
async fn begin_stop(host: RunningHost) -> JoinHandle<Stopped> {
    let address = socket_address(&host.addresses()[0]);
    let stop = tokio::spawn(host.stop());
    soon("connections are refused", until_refused(address)).await;
    stop
}

async fn until_refused(address: SocketAddr) {
    loop {
        match TcpStream::connect(address).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return,
            // One more that was queued before the listener went.
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn an_idle_keep_alive_connection_is_closed() {
    let (host, _slow, address) = slow_host(NEVER).await;
    let mut wire = Wire::connect(&address).await;
    assert_eq!(wire.get("/").await.body, "quick");
    stopped(host).await;
    assert_eq!(wire.rest().await, b"");
}

#[tokio::test]
async fn a_connection_that_has_said_nothing_is_closed() {
    let (host, _slow, address) = slow_host(NEVER).await;
    let mut silent = Wire::connect(&address).await;
    // The server has accepted the first connection when it answers the second.
    assert_eq!(Wire::connect(&address).await.get("/").await.status, 200);
    stopped(host).await;
    assert_eq!(silent.rest().await, b"");
}

/// Sends `half` and checks that the stop does not wait for the rest of it.
async fn does_not_hold_the_stop(before: Option<&str>, half: &str) {
    let (host, _slow, address) = slow_host(NEVER).await;
    let mut wire = Wire::connect(&address).await;
    if let Some(request) = before {
        wire.send(request).await;
        assert_eq!(wire.answer().await.status, 200);
    }
    wire.send(half).await;
    // The bytes have arrived when another connection has been served.
    assert_eq!(Wire::connect(&address).await.get("/").await.status, 200);
    stopped(host).await;
    // What was not read makes the system end with a reset.
    assert_eq!(wire.end().await.unwrap_or_default(), b"");
}

const HALF_A_HEAD: &str = "GET / HTTP/1.1\r\nHost: te";

#[tokio::test]
async fn half_a_request_head_does_not_hold_the_stop() {
    does_not_hold_the_stop(None, HALF_A_HEAD).await;
}

#[tokio::test]
async fn half_the_head_of_a_second_request_does_not_hold_the_stop() {
    let first = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    does_not_hold_the_stop(Some(first), HALF_A_HEAD).await;
}

#[tokio::test]
async fn half_a_preface_does_not_hold_the_stop() {
    does_not_hold_the_stop(None, "PRI * HTTP/2").await;
}

/// Empty lines are no request: a client that sends nothing else is idle, however much it sends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_only_sends_empty_lines_does_not_hold_the_stop() {
    for first in ["", "GET / HTTP/1.1\r\nHost: test\r\n\r\n"] {
        let (host, _slow, address) = slow_host(NEVER).await;
        let mut stream = TcpStream::connect(socket_address(&address)).await.expect("it listens");
        stream.write_all(first.as_bytes()).await.expect("it is open");
        let lines = "\r\n".repeat(5000);
        let (under_way, sends) = oneshot::channel();
        let flood = tokio::spawn(async move {
            for _ in 0..20 {
                stream.write_all(lines.as_bytes()).await.expect("it is open");
            }
            let _ = under_way.send(());
            while stream.write_all(lines.as_bytes()).await.is_ok() {}
        });
        soon("empty lines", sends).await.expect("they are sent");
        stopped(host).await;
        soon("the end of the connection", flood).await.expect("it does not panic");
    }
}

#[tokio::test]
async fn a_running_request_finishes_and_its_answer_closes_the_connection() {
    let (host, mut slow, address) = slow_host(NEVER).await;
    let mut wire = running_request(&address, &mut slow).await;
    let stop = begin_stop(host).await;
    pass(NEVER / 2).await;
    assert!(!stop.is_finished(), "the stop waits for the request");
    slow.let_go();
    let answer = wire.answer().await;
    assert_eq!((answer.status, &*answer.body), (200, "finished"));
    assert_eq!(answer.header("Connection"), Some("close"), "{}", answer.head);
    assert_eq!(wire.rest().await, b"");
    soon("the stop", stop).await.expect("it does not panic");
}

#[tokio::test]
async fn a_request_that_outlives_the_shutdown_timeout_is_reset() {
    let (host, mut slow, address) = slow_host(HOUR).await;
    let mut wire = running_request(&address, &mut slow).await;
    let stop = begin_stop(host).await;
    pass(HOUR / 2).await;
    assert!(slow.steps.is_empty(), "the handler still has half of its time");
    pass(HOUR / 2).await;
    assert_eq!(slow.next_step().await, Step::Left, "the handler is dropped");
    let end = wire.end().await.expect_err("a reset, not the end of a whole answer");
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    soon("the stop", stop).await.expect("it does not panic");
}

#[tokio::test]
async fn without_a_shutdown_timeout_running_requests_are_reset_at_once() {
    let (host, mut slow, address) = slow_host(Duration::ZERO).await;
    let mut wire = running_request(&address, &mut slow).await;
    stopped(host).await;
    assert_eq!(slow.next_step().await, Step::Left, "the handler is dropped");
    let end = wire.end().await.expect_err("a reset, not the end of a whole answer");
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_stop_without_connections_is_complete_at_once() {
    let (host, _slow, address) = slow_host(NEVER).await;
    stopped(host).await;
    soon("no listener", until_refused(socket_address(&address))).await;
}

#[tokio::test]
async fn an_idle_http2_connection_is_told_goodbye_and_closed() {
    let (host, _slow, address) = slow_host(NEVER).await;
    let mut http2 = Http2::connect(&address).await;
    http2.request(1, "/").await;
    assert_eq!(http2.body_of(1).await, b"quick");
    let stop = begin_stop(host).await;
    let goaway = http2.next_of_kind(frames::GOAWAY).await;
    assert_eq!(goaway.error_code(), frames::NO_ERROR);
    http2.until_closed().await;
    soon("the stop", stop).await.expect("it does not panic");
}

#[tokio::test]
async fn an_idle_http2_connection_is_closed_even_if_its_client_says_nothing_more() {
    let (host, _slow, address) = slow_host(NEVER).await;
    let mut http2 = Http2::connect(&address).await;
    http2.request(1, "/").await;
    assert_eq!(http2.body_of(1).await, b"quick");
    // No PING is answered: the client may be asleep.
    stopped(host).await;
}

#[tokio::test]
async fn a_running_http2_stream_finishes_after_goaway() {
    let (host, mut slow, address) = slow_host(NEVER).await;
    let mut http2 = Http2::connect(&address).await;
    http2.request(1, "/slow").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    let stop = begin_stop(host).await;
    let goaway = http2.next_of_kind(frames::GOAWAY).await;
    assert_eq!(goaway.error_code(), frames::NO_ERROR);
    pass(NEVER / 2).await;
    assert!(!stop.is_finished(), "the stop waits for the stream");
    slow.let_go();
    assert_eq!(http2.body_of(1).await, b"finished");
    http2.until_closed().await;
    soon("the stop", stop).await.expect("it does not panic");
}

#[tokio::test]
async fn an_http2_stream_that_outlives_the_shutdown_timeout_is_aborted() {
    let (host, mut slow, address) = slow_host(Duration::ZERO).await;
    let mut http2 = Http2::connect(&address).await;
    http2.request(1, "/slow").await;
    assert_eq!(slow.next_step().await, Step::Entered);
    stopped(host).await;
    assert_eq!(slow.next_step().await, Step::Left, "the handler is dropped");
}

#[tokio::test]
async fn a_wish_to_stop_is_heard_even_if_it_was_there_before() {
    let (host, _slow, _) = slow_host(NEVER).await;
    let handle = host.lifetime();
    handle.stop();
    handle.stop();
    soon("the request for the stop", host.stop_requested()).await;
    stopped(host).await;
}

#[tokio::test]
async fn run_ends_with_0_when_its_lifetime_is_asked_to_stop() {
    use std::process::ExitCode;

    let handle = kestrel::Lifetime::default();
    handle.stop();
    let run = builder().use_urls("http://127.0.0.1:0").lifetime(handle).run();
    assert_eq!(soon("the end", run).await, ExitCode::SUCCESS);
}

#[tokio::test]
async fn dropping_a_host_cuts_off_what_it_serves() {
    let (host, mut slow, address) = slow_host(NEVER).await;
    let mut wire = running_request(&address, &mut slow).await;
    drop(host);
    assert_eq!(slow.next_step().await, Step::Left, "the handler is dropped");
    let end = wire.end().await.expect_err("a reset, not the end of a whole answer");
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    soon("connections are refused", until_refused(socket_address(&address))).await;
}

#[tokio::test]
async fn an_upgraded_connection_goes_on_and_the_stop_waits_for_it() {
    let app = Router::new().route("/", any(echo));
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "), "it is upgraded");
    let stop = begin_stop(host).await;
    wire.send("ping").await;
    assert_eq!(wire.take(4).await, b"ping");
    pass(NEVER / 2).await;
    assert!(!stop.is_finished(), "the stop waits for the connection");
    drop(wire);
    soon("the stop", stop).await.expect("it does not panic");
}
