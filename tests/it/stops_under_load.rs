//! What a stop, and a reload that removes an endpoint, do to clients that always have a request under
//! way: none is lost. A connection that is refused is no loss, a request without an answer is.

use std::convert::Infallible;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use http_body::Frame;
use kestrel::RunningHost;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::http2_frames::{
    self as frames, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2, frame,
};
use crate::reload::Stage;
use crate::slow_app::{SlowApp, Step};
use crate::support::{Wire, builder, really, saying, socket_address, soon, started, stopped};
use crate::tls_client::{Client, options, serving};

/// How many clients there are.
const CLIENTS: usize = 16;
/// How many stops each way of connecting sees, and how many of them at the same time: a client that
/// comes when the socket is about to close waits for a second until it is refused.
const STOPS: usize = 30;
const AT_ONCE: usize = 3;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// An app that answers at once, or a moment later. (Else the clients would keep the machine busy, and
/// what is slow here would be they.)
fn app() -> Router {
    let number = Arc::new(AtomicUsize::new(0));
    Router::new().route(
        "/",
        get(async move || {
            if !number.fetch_add(1, Ordering::Relaxed).is_multiple_of(4) {
                really(Duration::from_millis(20)).await;
            }
            "hello"
        }),
    )
}

/// What became of the requests of all clients.
#[derive(Debug, Default)]
struct Seen {
    answered: AtomicUsize,
    told: AtomicUsize,
    lost: AtomicUsize,
}

/// Sends one request after the other, until it is refused. It looks before it sends, as clients do: a
/// connection that was closed by then has not lost anything.
async fn ask<S, F>(connect: impl Fn() -> F, seen: Arc<Seen>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = io::Result<Wire<S>>>,
{
    while let Ok(mut wire) = connect().await {
        while !wire.has_bytes(Duration::ZERO).await {
            wire.send_until_closed(REQUEST).await;
            let Ok(answer) = wire.answer_or_end().await else {
                seen.lost.fetch_add(1, Ordering::Relaxed);
                break;
            };
            assert_eq!((answer.status, &*answer.body), (200, "hello"));
            seen.answered.fetch_add(1, Ordering::Relaxed);
            if answer.header("Connection") == Some("close") {
                seen.told.fetch_add(1, Ordering::Relaxed);
                break;
            }
        }
    }
}

/// Lets clients ask until `stop` is over and all of them were refused.
async fn none_is_lost<S, F>(
    connect: impl Fn() -> F + Clone + Send + 'static,
    stop: impl Future<Output = ()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = io::Result<Wire<S>>> + Send + 'static,
{
    let seen = Arc::new(Seen::default());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask(connect.clone(), Arc::clone(&seen)));
    }
    let under_way = async {
        while seen.answered.load(Ordering::Relaxed) < 10 * CLIENTS {
            really(Duration::from_millis(5)).await;
        }
    };
    soon("answers", under_way).await;
    stop.await;
    while let Some(client) = soon("a client that is refused", clients.join_next()).await {
        client.expect("it saw what it should");
    }
    assert_eq!(seen.lost.load(Ordering::Relaxed), 0, "{seen:?}");
    assert!(seen.told.load(Ordering::Relaxed) > 0, "{seen:?}");
}

async fn tcp(address: String) -> io::Result<Wire<TcpStream>> {
    let stream = TcpStream::connect(socket_address(&address)).await?;
    stream.set_nodelay(true)?;
    Ok(Wire::new(stream))
}

/// Does something [`STOPS`] times, some of them at once.
async fn again_and_again<F: Future<Output = ()> + Send + 'static>(one: impl Fn() -> F) {
    let mut running = JoinSet::new();
    for _ in 0..STOPS {
        running.spawn(one());
        if running.len() == AT_ONCE {
            running.join_next().await.expect("one of them").expect("nothing was lost");
        }
    }
    while let Some(done) = running.join_next().await {
        done.expect("nothing was lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_loses_no_request() {
    again_and_again(async || {
        let host = started(builder().use_urls("http://127.0.0.1:0").app(app())).await;
        let address = host.addresses()[0].clone();
        none_is_lost(move || tcp(address.clone()), stopped(host)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_loses_no_request_over_tls() {
    again_and_again(async || {
        let host = started(serving(options()).app(app())).await;
        let address = host.addresses()[0].clone();
        let config = Client::default().config();
        let connect = move || {
            let (address, config) = (address.clone(), Arc::clone(&config));
            async move {
                let authority = address.strip_prefix("https://").expect("an https address");
                let tcp = TcpStream::connect(authority).await?;
                tcp.set_nodelay(true)?;
                let name = "127.0.0.1".try_into().expect("a name");
                let connector = tokio_rustls::TlsConnector::from(config);
                // Before its end nothing was asked.
                connector.connect(name, tcp).await.map(Wire::new)
            }
        };
        none_is_lost(connect, stopped(host)).await;
    })
    .await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_loses_no_request_over_unix_sockets() {
    again_and_again(async || {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("k.sock");
        let host = started(builder().listen_unix_socket(&path).app(app())).await;
        let connect = move || {
            let path = path.clone();
            async move { Ok(Wire::new(tokio::net::UnixStream::connect(path).await?)) }
        };
        none_is_lost(connect, stopped(host)).await;
    })
    .await;
}

const A: &str = r#""A":{"Url":"http://127.0.0.1:0"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_a_reload_removes_loses_no_request() {
    again_and_again(async || {
        let stage = Stage::with_endpoints(&format!(r#"{A},"B":{{"Url":"http://127.0.0.1:0"}}"#));
        let host = stage.started(app()).await;
        let address = host.addresses()[1].clone();
        let remove = async {
            stage.go_over_to(&host, A).await.expect("a reload");
        };
        none_is_lost(move || tcp(address.clone()), remove).await;
        stopped(host).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_a_reload_moves_loses_no_request() {
    again_and_again(async || {
        let stage = Stage::with_endpoints(A);
        let host = stage.started(app()).await;
        let address = host.addresses()[0].clone();
        let moves = async {
            let elsewhere = A.replace("127.0.0.1", "127.0.0.2");
            stage.go_over_to(&host, &elsewhere).await.expect("a reload");
        };
        none_is_lost(move || tcp(address.clone()), moves).await;
        stopped(host).await;
    })
    .await;
}

/// The same on HTTP/2: a request is lost if it gets no answer and no GOAWAY says that it was not
/// looked at.
async fn ask_http2(address: String, seen: Arc<Seen>) {
    while let Ok(wire) = tcp(address.clone()).await {
        let mut http2 = Http2::over(wire).await;
        let mut streams = (1..).step_by(2);
        let mut last = u32::MAX;
        'requests: while last == u32::MAX {
            let stream = streams.next().expect("a number");
            let request = frame(HEADERS, END_HEADERS | END_STREAM, stream, &frames::get("/"));
            http2.send_until_closed(&request).await;
            let mut answered = false;
            while !answered {
                let Some(frame) = http2.next_or_end().await else {
                    if last >= stream {
                        seen.lost.fetch_add(1, Ordering::Relaxed);
                    }
                    break 'requests;
                };
                match frame.kind {
                    GOAWAY => last = frame.number(0).min(last),
                    DATA | HEADERS => answered = frame.flags & END_STREAM != 0,
                    _ => {}
                }
            }
            seen.answered.fetch_add(1, Ordering::Relaxed);
        }
        if last != u32::MAX {
            seen.told.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_loses_no_request_of_http2() {
    again_and_again(async || {
        let host = started(builder().use_urls("http://127.0.0.1:0").app(app())).await;
        let address = host.addresses()[0].clone();
        let seen = Arc::new(Seen::default());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(ask_http2(address.clone(), Arc::clone(&seen)));
        }
        while seen.answered.load(Ordering::Relaxed) < 10 * CLIENTS {
            really(Duration::from_millis(5)).await;
        }
        stopped(host).await;
        while let Some(client) = soon("a client that is refused", clients.join_next()).await {
            client.expect("it saw what it should");
        }
        assert_eq!(seen.lost.load(Ordering::Relaxed), 0, "{seen:?}");
        assert!(seen.told.load(Ordering::Relaxed) > 0, "{seen:?}");
    })
    .await;
}

/// A connection that is made, and a request that is sent, before anybody else has a turn.
fn at_once(address: &str) -> Wire<TcpStream> {
    let stream = std::net::TcpStream::connect(socket_address(address)).expect("somebody listens");
    (&stream).write_all(REQUEST.as_bytes()).expect("it is taken");
    stream.set_nonblocking(true).expect("a socket");
    Wire::new(TcpStream::from_std(stream).expect("a socket"))
}

async fn is_the_last_answer<S: AsyncRead + AsyncWrite + Unpin>(mut wire: Wire<S>, what: &str) {
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.header("Connection")), (200, Some("close")), "{what}");
    assert_eq!(wire.rest().await, b"", "{what}");
}

async fn quick_host() -> RunningHost {
    started(builder().use_urls("http://127.0.0.1:0").app(saying("hello"))).await
}

#[tokio::test]
async fn connections_that_wait_to_be_accepted_are_answered() {
    let host = quick_host().await;
    let address = host.addresses()[0].clone();
    let waiting: Vec<_> = (0..100).map(|_| at_once(&address)).collect();
    stopped(host).await;
    for wire in waiting {
        is_the_last_answer(wire, "in the queue of the system").await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn connections_that_wait_at_a_unix_socket_are_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let host = started(builder().listen_unix_socket(&path).app(saying("hello"))).await;
    let connect = |_| {
        let stream = std::os::unix::net::UnixStream::connect(&path).expect("somebody listens");
        (&stream).write_all(REQUEST.as_bytes()).expect("it is taken");
        stream.set_nonblocking(true).expect("a socket");
        Wire::new(tokio::net::UnixStream::from_std(stream).expect("a socket"))
    };
    let waiting: Vec<_> = (0..100).map(connect).collect();
    stopped(host).await;
    for wire in waiting {
        is_the_last_answer(wire, "in the queue of the system").await;
    }
}

/// Writes before anybody else has a turn.
fn write_at_once(wire: &Wire<TcpStream>, bytes: &str) {
    assert_eq!(wire.stream().try_write(bytes.as_bytes()).expect("it is taken"), bytes.len());
}

#[tokio::test]
async fn requests_that_lie_in_their_sockets_when_the_stop_begins_are_answered() {
    for waits in [Duration::ZERO, Duration::from_millis(500)] {
        let host = quick_host().await;
        let address = &host.addresses()[0].clone();
        let (mut used, unused) = (Wire::connect(address).await, Wire::connect(address).await);
        assert_eq!(used.get("/").await.status, 200);
        // For some time it is kept ready for the next one.
        really(waits).await;
        write_at_once(&used, REQUEST);
        write_at_once(&unused, REQUEST);
        stopped(host).await;
        is_the_last_answer(used, "behind an answer").await;
        is_the_last_answer(unused, "the first").await;
    }
}

#[tokio::test]
async fn a_request_that_comes_right_behind_the_stop_is_answered() {
    for waits in [Duration::ZERO, Duration::from_millis(500)] {
        let host = quick_host().await;
        let address = &host.addresses()[0].clone();
        let (mut used, mut half) = (Wire::connect(address).await, Wire::connect(address).await);
        let mut unused = Wire::connect(address).await;
        assert_eq!(used.get("/").await.status, 200);
        half.send(&REQUEST[..20]).await;
        really(waits).await;
        let stop = tokio::spawn(stopped(host));
        // Its task runs until it waits.
        tokio::task::yield_now().await;
        used.send(REQUEST).await;
        unused.send(REQUEST).await;
        half.send(&REQUEST[20..]).await;
        is_the_last_answer(used, "behind an answer").await;
        is_the_last_answer(unused, "the first").await;
        is_the_last_answer(half, "the rest of one").await;
        soon("the stop", stop).await.expect("it does not panic");
    }
}

/// A host with a request in its slow handler.
async fn slow_request(behind: &str) -> (RunningHost, SlowApp, Wire<TcpStream>) {
    let (app, mut slow) = SlowApp::new();
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(format!("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n{behind}")).await;
    assert_eq!(slow.next_step().await, Step::Entered);
    (host, slow, wire)
}

#[tokio::test]
async fn requests_that_were_received_behind_another_are_answered_and_the_last_one_says_so() {
    for first in [true, false] {
        let (host, slow, mut wire) = slow_request(if first { REQUEST } else { "" }).await;
        let stop = tokio::spawn(stopped(host));
        tokio::task::yield_now().await;
        if !first {
            wire.send(REQUEST).await;
            // Until it is read.
            really(Duration::from_millis(20)).await;
        }
        slow.let_go();
        let answer = wire.answer().await;
        assert_eq!((&*answer.body, answer.header("Connection")), ("finished", None));
        is_the_last_answer(wire, "behind another").await;
        soon("the stop", stop).await.expect("it does not panic");
    }
}

#[tokio::test]
async fn a_client_that_never_stops_to_ask_does_not_hold_the_stop() {
    let (host, slow, mut wire) = slow_request(REQUEST).await;
    let stop = tokio::spawn(stopped(host));
    // Longer than anything else is waited for.
    really(Duration::from_millis(700)).await;
    slow.let_go();
    let answer = wire.answer().await;
    assert_eq!((&*answer.body, answer.header("Connection")), ("finished", Some("close")));
    assert_eq!(wire.end().await.unwrap_or_default(), b"", "it was told that nothing follows");
    soon("the stop", stop).await.expect("it does not panic");
}

/// A body without a byte, that ends when its sender is gone.
struct UntilClosed(mpsc::Receiver<()>);

impl http_body::Body for UntilClosed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|_| None)
    }
}

#[tokio::test]
async fn an_answer_that_could_not_say_that_it_is_the_last_is_followed_by_one_that_does() {
    let (more, body) = mpsc::channel(1);
    let body = Arc::new(Mutex::new(Some(Body::new(UntilClosed(body)))));
    let long = move || {
        let body = body.lock().expect("no panic").take();
        async { body.expect("it is asked for once") }
    };
    let app = saying("hello").route("/long", get(long));
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!wire.head().await.contains("close"), "there is no stop");
    let stop = tokio::spawn(stopped(host));
    tokio::task::yield_now().await;
    drop(more);
    assert_eq!(wire.take(5).await, b"0\r\n\r\n");
    wire.send(REQUEST).await;
    is_the_last_answer(wire, "behind one without it").await;
    soon("the stop", stop).await.expect("it does not panic");
}
