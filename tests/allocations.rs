//! How often the server asks for memory to answer a request: an exact small number, and the same
//! for every request.
//!
//! The whole process is counted, which is why this is a program of its own with one test. The
//! client is in it too, with sockets of the standard library and buffers that are there before
//! the count begins: it asks for nothing. What is compared is the same app on bare hyper.

#![expect(clippy::print_stdout, reason = "the figures, for who asks for them")]

use std::alloc::System;
use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use axum::extract::State;
use axum::{Router, routing::get};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kestrel::{AppContext, Host, HostBuilder, RunningHost};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const TEXT: &str = "Hello, World!";

/// How often is asked while it counts, and before that, so that every buffer has its size.
const COUNTED: usize = 1000;
const WARM_UP: usize = 100;

/// What our server asks for, request by request, beside what axum's router on bare hyper does.
const MORE: [(&str, usize); 1] =
    [("the facts of the connection in the request's extensions, which box each of them", 1)];
/// What it saves of that.
const LESS: [(&str, usize); 2] = [
    ("the body of a request that has none is not put in a box", 1),
    ("hyper does not look for the end of the stream, with a buffer and its handle", 2),
];

/// How many come at once.
const DEPTH: usize = 16;

#[test]
fn a_request_needs_no_memory_that_is_not_known() {
    let runtime = runtime();
    let hyper = runtime.block_on(axum_on_hyper());
    let (ours, _running) = runtime.block_on(kestrel(&[], app()));
    let sum = |known: &[(&str, usize)]| known.iter().map(|(_, times)| times).sum::<usize>();

    let (theirs, own) = (counted(hyper, 1), counted(ours, 1));
    println!("allocations for a request: axum on hyper {theirs}, kestrel {own}");
    assert!(own + sum(&LESS) <= theirs + sum(&MORE), "{own}, but {theirs} on bare hyper");

    let (keeping, _keeping) = runtime.block_on(kestrel_with_state(AppContext::clone));
    // Not nothing: then axum clones no box.
    let (small, _small) = runtime.block_on(kestrel_with_state(|_| 0_u8));
    let (keeping, small) = (counted(keeping, 1), counted(small, 1));
    println!("with the context as state {keeping}, with a number {small}");
    assert_eq!(keeping, small, "a clone of the context copies nothing of what it holds");

    let believing = [
        ("ForwardedHeaders:Enabled", "true"),
        ("ForwardedHeaders:ForwardedHeaders", "All"),
        ("ForwardedHeaders:RequireHeaderSymmetry", "true"),
    ];
    let (proxied, _believing) = runtime.block_on(kestrel(&believing, app()));
    assert_eq!(counted(proxied, 1), own, "no proxy has told anything of these requests");

    let (theirs, together) = (counted(hyper, DEPTH), counted(ours, DEPTH));
    println!("for {DEPTH} at once: axum on hyper {theirs}, kestrel {together}");
    // There hyper has no reason to look, so that nothing is saved of that.
    assert!(together <= theirs, "{together} for {DEPTH}, but {theirs} on bare hyper");
}

/// How many allocations `depth` requests need that come at once.
fn counted(address: SocketAddr, depth: usize) -> usize {
    let requests = REQUEST.repeat(depth);
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_nodelay(true).expect("a socket");
    let mut answers = vec![0; answer_length(&mut stream) * depth];
    let mut ask = |times: usize| {
        for _ in 0..times {
            stream.write_all(&requests).expect("the server reads");
            stream.read_exact(&mut answers).expect("the server answers");
        }
    };
    ask(WARM_UP);
    let region = Region::new(ALLOCATOR);
    ask(COUNTED);
    let change = region.change();
    assert!(answers.ends_with(TEXT.as_bytes()));
    // A buffer that grows is one more.
    let all = change.allocations + change.reallocations;
    // The date is made anew every second, and seconds are long.
    assert!(all % COUNTED <= COUNTED / 50, "{all} for {COUNTED} times {depth} is not even");
    all / COUNTED
}

/// Asks once. With a body and a date of fixed length, all answers are as long as the first.
fn answer_length(stream: &mut TcpStream) -> usize {
    stream.write_all(REQUEST).expect("the server reads");
    let mut answer = Vec::new();
    while !answer.ends_with(TEXT.as_bytes()) {
        let mut piece = [0; 1024];
        let length = stream.read(&mut piece).expect("the server answers");
        assert_ne!(length, 0, "the answer is cut off");
        answer.extend_from_slice(&piece[..length]);
    }
    answer.len()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn app() -> Router {
    Router::new().route("/", get(|| async { TEXT }))
}

async fn kestrel(settings: &[(&str, &str)], app: Router) -> (SocketAddr, RunningHost) {
    started(settings, Host::builder().app(app)).await
}

/// An app whose handler has a state, which each request clones.
async fn kestrel_with_state<S: Clone + Send + Sync + 'static>(
    state: fn(&AppContext) -> S,
) -> (SocketAddr, RunningHost) {
    let app = async move |context: AppContext| {
        let handler = get(async |State(_): State<S>| TEXT);
        Ok(Router::new().route("/", handler).with_state(state(&context)))
    };
    started(&[], Host::builder().app_with(app)).await
}

async fn started(settings: &[(&str, &str)], builder: HostBuilder) -> (SocketAddr, RunningHost) {
    let builder =
        settings.iter().fold(builder, |builder, (key, value)| builder.use_setting(key, value));
    let host = builder
        // Looking at files takes memory, too.
        .environment_variables([("DOTNET_hostBuilder__reloadConfigOnChange", "false")])
        .without_logging()
        .use_urls("http://127.0.0.1:0")
        .build()
        .expect("a host")
        .start()
        .await
        .expect("a free port");
    let address = host.addresses()[0].trim_start_matches("http://").parse();
    (address.expect("an address"), host)
}

#[expect(clippy::disallowed_methods, reason = "it is not our server's socket")]
async fn axum_on_hyper() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let app = app().with_state(());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).expect("a socket");
            let app = app.clone();
            let service = service_fn(move |request| {
                let answer = app.clone().call(request);
                async { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    address
}
