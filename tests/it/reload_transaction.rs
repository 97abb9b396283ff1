//! A reload is one transaction: what was refused leaves nothing behind for the next one, and what
//! was accepted is what the next one is compared with.

use std::fs;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::any;
use kestrel::{Host, HostBuilder, HostError, LiveConfiguration, Reloaded, RunningHost};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::reload::Stage;
use crate::support::{NEVER, Wire, pass, really, saying, soon, started, stopped, taken_port};
use crate::test_data::file;
use crate::tls_client::Client;
use crate::upgrades::echo;

const A: &str = r#""A":{"Url":"http://127.0.0.1:0"}"#;
const A_AND_B: &str = r#""A":{"Url":"http://127.0.0.1:0"},"B":{"Url":"http://[::1]:0"}"#;

/// Settings with these endpoints, a limit for bodies, and a value of the app's own.
fn settings(endpoints: &str, most_bytes: usize, greeting: &str) -> String {
    format!(
        r#"{{"Greeting":"{greeting}","Kestrel":{{"Endpoints":{{{endpoints}}},"Limits":{{"MaxRequestBodySize":{most_bytes}}}}}}}"#
    )
}

/// An app that takes bodies, and a handle on the configuration.
async fn started_with_bodies(stage: &Stage) -> (RunningHost, LiveConfiguration) {
    let given = Arc::new(Mutex::new(None));
    let gives = Arc::clone(&given);
    let builder = stage.builder().app_with(async move |context| {
        *gives.lock().expect("no panic") = Some(context.live_configuration.clone());
        Ok(Router::new().route("/", any(async |body: String| body)))
    });
    let host = started(builder).await;
    let live = given.lock().expect("no panic").take().expect("the app is made");
    (host, live)
}

/// Whether a new connection may send a body of eight bytes.
async fn takes_eight_bytes(address: &str) -> bool {
    let mut wire = Wire::connect(address).await;
    wire.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\n12345678").await;
    match wire.answer().await.status {
        200 => true,
        413 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_was_refused_leaves_nothing_behind() {
    let stage = Stage::new(&settings(A, 4, "one"));
    let (host, live) = started_with_bodies(&stage).await;
    let address = host.addresses()[0].clone();
    // Everything is right but a port, which is only found out when it is bound.
    let (_taken, taken) = taken_port();
    let failing = format!(r#"{A},"B":{{"Url":"http://{taken}"}}"#);
    stage.write(&settings(&failing, 8, "two"));
    let error = soon("the reload", host.reload()).await.expect_err("the port is taken");
    assert!(matches!(error, HostError::Bind(_)), "{error}");
    assert_eq!(live.value("Greeting").as_deref(), Some("one"));
    assert!(!takes_eight_bytes(&address).await);
    // The same limit, which nothing has taken in yet.
    stage.write(&settings(A, 8, "two"));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    assert!(takes_eight_bytes(&address).await);
    assert_eq!(live.value("Greeting").as_deref(), Some("two"));
    stopped(host).await;
}

#[tokio::test]
async fn a_limit_that_goes_back_is_another_one_again_and_new_endpoints_have_the_newest() {
    let stage = Stage::new(&settings(A, 4, "one"));
    let (host, _) = started_with_bodies(&stage).await;
    for (endpoints, most_bytes) in
        [(A, 8), (A_AND_B, 8), (A_AND_B, 4), (A, 4), (A_AND_B, 4), (A, 8), (A, 4)]
    {
        stage.write(&settings(endpoints, most_bytes, "one"));
        assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
        for address in host.addresses() {
            let takes = takes_eight_bytes(&address).await;
            assert_eq!(takes, most_bytes == 8, "{address} of {endpoints}, {most_bytes} bytes");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn other_limits_do_not_forget_which_connections_are_upgraded() {
    let limits = |most_bytes: usize| {
        format!(
            r#"{{"Kestrel":{{"Endpoints":{{{A}}},"Limits":{{"MaxConcurrentUpgradedConnections":1,"MaxRequestBodySize":{most_bytes}}}}}}}"#
        )
    };
    let stage = Stage::new(&limits(4));
    let host = stage.started(Router::new().route("/", any(echo))).await;
    let address = host.addresses()[0].clone();
    let asked = async |wire: &mut Wire<TcpStream>| {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            .await;
        wire.head().await
    };
    let mut upgraded = Wire::connect(&address).await;
    assert!(asked(&mut upgraded).await.starts_with("HTTP/1.1 101 "));
    stage.write(&limits(8));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    let head = asked(&mut Wire::connect(&address).await).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "there is one already: {head}");
    drop(upgraded);
    stopped(host).await;
}

/// The sockets of an endpoint that is taken back are new ones, its connections are not.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_endpoint_that_is_taken_back_has_the_connections_it_had() {
    let reserved = crate::support::ReservedPort::new();
    let port = reserved.address().port();
    let settings = |endpoints: &str| {
        format!(
            r#"{{"Kestrel":{{"Endpoints":{{{endpoints}}},"Limits":{{"MaxConcurrentConnections":1}}}}}}"#
        )
    };
    let stage = Stage::new(&settings(&format!(r#""A":{{"Url":"http://127.0.0.1:{port}"}}"#)));
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let mut only = Wire::connect(&address).await;
    assert_eq!(only.get("/").await.status, 200);
    assert_eq!(Wire::connect(&address).await.rest().await, b"", "there is no place for it");
    let (_taken, taken) = taken_port();
    let any = format!(r#""A":{{"Url":"http://*:{port}"}},"B":{{"Url":"http://{taken}"}}"#);
    stage.write(&settings(&any));
    let error = soon("the reload", host.reload()).await.expect_err("B's port is taken");
    assert!(matches!(error, HostError::Bind(_)), "{error}");
    assert_eq!(Wire::connect(&address).await.rest().await, b"", "nor is there now");
    assert_eq!(only.get("/").await.status, 200);
    stopped(host).await;
}

/// A body without an end, and how much of it was asked for.
#[cfg(target_os = "linux")]
#[derive(Clone, Default)]
struct Endless(Arc<AtomicUsize>);

#[cfg(target_os = "linux")]
impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        static PIECE: [u8; 16 * 1024] = [b'x'; 16 * 1024];
        self.0.fetch_add(PIECE.len(), Ordering::Relaxed);
        Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(&PIECE)))))
    }
}

/// How much is asked of an app for a client that takes nothing shows how much is kept for it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn another_bound_of_what_is_kept_for_a_client_is_for_new_connections() {
    /// More than systems keep for a client that takes nothing, where they are bounded.
    const MUCH: usize = 1024 * 1024;
    let settings = |most: &str| {
        format!(
            r#"{{"Kestrel":{{"Endpoints":{{{A}}},"Limits":{{"MaxResponseBufferSize":{most},"MinResponseDataRate":null}}}}}}"#
        )
    };
    let stage = Stage::new(&settings("null"));
    let asked = Endless::default();
    let body = asked.clone();
    let app = Router::new().route("/", any(async move || axum::body::Body::new(body)));
    let host = stage.started(app).await;
    let address = host.addresses()[0].clone();
    for (most, is_bounded) in [("null", false), ("4096", true), ("null", false)] {
        stage.write(&settings(most));
        host.reload().await.expect("it is right");
        asked.0.store(0, Ordering::Relaxed);
        let mut wire = Wire::connect(&address).await;
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let asked_for_much = async {
            loop {
                let before = asked.0.load(Ordering::Relaxed);
                if before > MUCH {
                    return true;
                }
                really(Duration::from_millis(500)).await;
                // A machine that is slower than that says nothing.
                if before > 0 && asked.0.load(Ordering::Relaxed) == before && is_bounded {
                    return false;
                }
            }
        };
        assert_eq!(soon("an answer", asked_for_much).await, !is_bounded, "{most}");
        wire.reset();
    }
    stopped(host).await;
}

/// Times that are no dates, which the start bounds, are bounded by a reload, too.
#[tokio::test]
async fn a_time_without_end_is_none_after_a_reload_either() {
    let stage = Stage::with_endpoints(A);
    let builder = stage.builder().app(saying("hello")).configure_kestrel(|options| {
        options.limits.keep_alive_timeout = Duration::MAX;
        options.limits.request_headers_timeout = Duration::MAX;
    });
    let host = started(builder).await;
    stage.write(&settings(A_AND_B, 8, "one"));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    for address in host.addresses() {
        let mut wire = Wire::connect(&address).await;
        wire.send("GET / HTTP/1.1\r\n").await;
        assert!(!wire.has_bytes(Duration::from_millis(50)).await, "it is not whole");
        wire.send("Host: a\r\n\r\n").await;
        assert_eq!(wire.answer().await.body, "hello");
        let mut http2 = crate::http2_frames::Http2::connect(&address).await;
        http2.request(1, "/").await;
        assert_eq!(http2.body_of(1).await, b"hello");
    }
    stopped(host).await;
}

/// The stop waits for all endpoints, wherever they stand in the plan.
#[tokio::test]
async fn the_stop_waits_for_every_endpoint() {
    for busy in [0, 1] {
        let (app, mut slow) = crate::slow_app::SlowApp::new();
        let stage = Stage::with_endpoints(A_AND_B);
        let host = stage.started(app).await;
        let mut wire = Wire::connect(&host.addresses()[busy]).await;
        wire.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert_eq!(slow.next_step().await, crate::slow_app::Step::Entered);
        let stop = tokio::spawn(host.stop());
        pass(Duration::from_secs(1)).await;
        assert!(!stop.is_finished(), "endpoint {busy} is busy");
        slow.let_go();
        assert_eq!(wire.answer().await.body, "finished");
        soon("the stop", stop).await.expect("it does not panic");
    }
}

/// A host that watches its files, and tells of each reading of them.
async fn watching(stage: &Stage, mut read: impl FnMut(usize) + Send + 'static) -> HostBuilder {
    // What was written just before it is read is read again: the clock of a file system is coarse.
    really(Duration::from_millis(100)).await;
    let mut readings = 0;
    Host::builder()
        .environment_variables([("A", "b")])
        .current_directory(stage.root())
        .shutdown_timeout(NEVER)
        .without_logging()
        .app(saying("hello"))
        .configure_kestrel(move |_| {
            readings += 1;
            read(readings);
        })
}

async fn next(readings: &mut UnboundedReceiver<usize>) -> usize {
    soon("a reading of the configuration", readings.recv()).await.expect("the host is there")
}

#[tokio::test]
async fn what_is_edited_before_the_start_is_read_after_it() {
    let stage = Stage::with_endpoints(A);
    let (told, mut readings) = unbounded_channel();
    let read = move |reading| told.send(reading).expect("the test listens");
    let host = watching(&stage, read).await.build().expect("the configuration is right");
    assert_eq!(next(&mut readings).await, 1);
    stage.replace("appsettings.json", &crate::reload::settings(A_AND_B));
    let host = soon("the start", host.start()).await.expect("the host starts");
    assert_eq!(next(&mut readings).await, 2);
    let both = async {
        while host.addresses().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    soon("the second endpoint", both).await;
    stopped(host).await;
}

/// Endpoints that are secured by `b.pem`, besides A.
fn with_b() -> String {
    crate::reload::settings(&format!(
        r#"{A},"B":{{"Url":"https://127.0.0.1:0","Certificate":{{"Path":"b.pem","KeyPath":"b.key"}}}}"#
    ))
}

/// Waits until B is served.
async fn served_securely(host: &RunningHost) {
    let address = async {
        loop {
            if let Some(address) = host.addresses().get(1) {
                return address.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let address = soon("the secured endpoint", address).await;
    assert_eq!(Client::default().connect(&address).await.get("/").await.status, 200);
}

#[tokio::test]
async fn a_certificate_that_was_refused_is_watched_until_it_is_good() {
    let stage = Stage::with_endpoints(A);
    fs::write(stage.path("b.pem"), "no certificate").expect("the folder is ours");
    fs::copy(file("server.key"), stage.path("b.key")).expect("the folder is ours");
    let (told, mut readings) = unbounded_channel();
    let read = move |reading| told.send(reading).expect("the test listens");
    let host = started(watching(&stage, read).await).await;
    assert_eq!(next(&mut readings).await, 1);
    stage.replace("appsettings.json", &with_b());
    assert_eq!(next(&mut readings).await, 2);
    // Whoever waits for this reload's turn has it behind them.
    host.reload().await.expect_err("that is no certificate");
    assert_eq!(next(&mut readings).await, 3);
    assert_eq!(host.addresses().len(), 1);
    stage.replace("b.pem", &fs::read_to_string(file("server.pem")).expect("it is there"));
    served_securely(&host).await;
    stopped(host).await;
}

/// A certificate that changes while the configuration that first names it is read may have been
/// read half: so it is read again, though nothing happens any more.
#[tokio::test]
async fn a_certificate_that_changes_while_it_is_first_read_is_read_again() {
    let stage = Stage::with_endpoints(A);
    let folder = stage.root().to_owned();
    let (told, mut readings) = unbounded_channel();
    let read = move |reading| {
        if reading == 2 {
            for kind in ["pem", "key"] {
                let from = file(&format!("server.{kind}"));
                fs::copy(from, folder.join(format!("b.{kind}"))).expect("the folder is ours");
            }
        }
        told.send(reading).expect("the test listens");
    };
    let host = started(watching(&stage, read).await).await;
    assert_eq!(next(&mut readings).await, 1);
    stage.replace("appsettings.json", &with_b());
    assert_eq!(next(&mut readings).await, 2);
    assert_eq!(next(&mut readings).await, 3, "once more, for what changed meanwhile");
    served_securely(&host).await;
    stopped(host).await;
}
