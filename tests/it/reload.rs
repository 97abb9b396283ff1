//! A reload: endpoints come, go and change while others serve on, and whatever is wrong with a new
//! configuration changes nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use kestrel::{Host, HostBuilder, HostError, Reloaded, RunningHost};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::slow_app::{SlowApp, Step};
use crate::support::{
    NEVER, Wire, pass, saying, socket_address, soon, started, stopped, taken_port,
};

/// A folder with an appsettings.json that is only read when a test says so.
pub(crate) struct Stage(TempDir);

impl Stage {
    pub(crate) fn new(settings: &str) -> Self {
        let stage = Self(tempfile::tempdir().expect("a folder"));
        stage.write(settings);
        stage
    }

    /// With these endpoints: the members of `Kestrel:Endpoints`.
    pub(crate) fn with_endpoints(endpoints: &str) -> Self {
        Self::new(&settings(endpoints))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, settings: &str) {
        std::fs::write(self.path("appsettings.json"), settings).expect("the folder is ours");
    }

    /// Puts another file in the place of one, at once.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        let beside = self.path("beside");
        std::fs::write(&beside, text).expect("the folder is ours");
        std::fs::rename(&beside, self.path(name)).expect("the folder is ours");
    }

    pub(crate) fn builder(&self) -> HostBuilder {
        Host::builder()
            .environment_variables([("DOTNET_hostBuilder__reloadConfigOnChange", "false")])
            .current_directory(self.0.path())
            .shutdown_timeout(NEVER)
            .without_logging()
    }

    pub(crate) async fn started(&self, app: Router) -> RunningHost {
        started(self.builder().app(app)).await
    }

    /// Trusts the certificates of a file, of clients.
    pub(crate) async fn started_trusting(&self, roots: &Path, app: Router) -> RunningHost {
        let roots = roots.to_str().expect("a path of ASCII");
        let variables =
            [("DOTNET_hostBuilder__reloadConfigOnChange", "false"), ("SSL_CERT_FILE", roots)];
        started(self.builder().environment_variables(variables).app(app)).await
    }

    /// Writes other endpoints and reloads.
    pub(crate) async fn go_over_to(
        &self,
        host: &RunningHost,
        endpoints: &str,
    ) -> Result<Reloaded, HostError> {
        self.write(&settings(endpoints));
        soon("the reload", host.reload()).await
    }
}

pub(crate) fn settings(endpoints: &str) -> String {
    format!(r#"{{"Kestrel":{{"Endpoints":{{{endpoints}}}}}}}"#)
}

async fn is_refused(address: &str) -> bool {
    let error = TcpStream::connect(socket_address(address)).await.err();
    error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

async fn status_of(address: &str) -> u16 {
    Wire::connect(address).await.get("/").await.status
}

const A: &str = r#""A":{"Url":"http://127.0.0.1:0"}"#;
const A_AND_B: &str = r#""A":{"Url":"http://127.0.0.1:0"},"B":{"Url":"http://[::1]:0"}"#;

#[tokio::test]
async fn an_unchanged_endpoint_keeps_its_port_and_its_connections() {
    let stage = Stage::with_endpoints(A);
    let host = stage.started(saying("hello")).await;
    let before = host.addresses();
    let mut wire = Wire::connect(&before[0]).await;
    assert_eq!(wire.get("/").await.status, 200);

    assert_eq!(stage.go_over_to(&host, A_AND_B).await.unwrap(), Reloaded::Changed);
    let with_b = host.addresses();
    assert_eq!((with_b.len(), &with_b[0]), (2, &before[0]));
    assert_eq!(status_of(&with_b[1]).await, 200);
    // Called otherwise, and in another order.
    let renamed = r#""Z":{"Url":"http://127.0.0.1:0"},"B":{"Url":"http://[::1]:0"}"#;
    assert_eq!(stage.go_over_to(&host, renamed).await.unwrap(), Reloaded::Changed);
    assert_eq!(host.addresses(), with_b);
    assert_eq!(stage.go_over_to(&host, renamed).await.unwrap(), Reloaded::Unchanged);

    assert_eq!(stage.go_over_to(&host, A).await.unwrap(), Reloaded::Changed);
    assert_eq!(host.addresses(), before);
    assert_eq!(wire.get("/").await.status, 200, "the same connection");
    assert_eq!(status_of(&before[0]).await, 200);
    assert!(is_refused(&with_b[1]).await);
    stopped(host).await;
}

#[tokio::test]
async fn an_endpoint_that_goes_closes_what_is_idle_and_finishes_what_runs() {
    let (app, mut slow) = SlowApp::new();
    let stage = Stage::with_endpoints(A_AND_B);
    let host = stage.started(app).await;
    let b = host.addresses()[1].clone();
    let mut idle = Wire::connect(&b).await;
    assert_eq!(idle.get("/").await.status, 200);
    let mut busy = Wire::connect(&b).await;
    busy.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);

    stage.go_over_to(&host, A).await.unwrap();
    assert!(is_refused(&b).await, "it does not listen once the reload is over");
    assert_eq!(idle.rest().await, b"");
    slow.let_go();
    let answer = busy.answer().await;
    assert_eq!((&*answer.body, answer.header("Connection")), ("finished", Some("close")));
    assert_eq!(busy.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn what_outlives_the_grace_of_its_endpoint_is_reset() {
    let (app, mut slow) = SlowApp::new();
    let stage = Stage::with_endpoints(A_AND_B);
    let host = stage.started(app).await;
    let mut busy = Wire::connect(&host.addresses()[1]).await;
    busy.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);

    stage.go_over_to(&host, A).await.unwrap();
    // The reload itself took some of the five seconds.
    pass(Duration::from_millis(4000)).await;
    assert!(slow.steps.is_empty(), "the handler still has time");
    pass(Duration::from_millis(1100)).await;
    assert_eq!(slow.next_step().await, Step::Left, "the handler is dropped");
    let end = busy.end().await.expect_err("a reset, not the end of a whole answer");
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    stopped(host).await;
}

#[tokio::test]
async fn the_stop_waits_for_an_endpoint_that_goes_and_a_drop_cuts_it_off() {
    for drops in [false, true] {
        let (app, mut slow) = SlowApp::new();
        let stage = Stage::with_endpoints(A_AND_B);
        let host = stage.started(app).await;
        let mut busy = Wire::connect(&host.addresses()[1]).await;
        busy.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert_eq!(slow.next_step().await, Step::Entered);
        stage.go_over_to(&host, A).await.unwrap();
        if drops {
            drop(host);
            assert_eq!(slow.next_step().await, Step::Left, "the handler is dropped");
        } else {
            let stop = tokio::spawn(host.stop());
            pass(Duration::from_secs(1)).await;
            assert!(!stop.is_finished());
            slow.let_go();
            assert_eq!(busy.answer().await.body, "finished");
            soon("the stop", stop).await.expect("it does not panic");
        }
    }
}

#[tokio::test]
async fn other_protocols_are_for_new_connections_on_the_same_socket() {
    let stage = Stage::with_endpoints(r#""A":{"Url":"http://127.0.0.1:0","Protocols":"Http1"}"#);
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let mut old = Wire::connect(&address).await;
    assert_eq!(old.get("/").await.status, 200);
    let http2 = r#""A":{"Url":"http://127.0.0.1:0","Protocols":"Http2"}"#;
    stage.go_over_to(&host, http2).await.unwrap();
    assert_eq!(host.addresses(), std::slice::from_ref(&address));
    assert_eq!(old.get("/").await.status, 200, "it goes on as it began");
    assert_eq!(status_of(&address).await, 400, "HTTP/1.1 to an HTTP/2 endpoint");
    // `EndpointDefaults` change endpoints, too.
    stage.write(
        r#"{"Kestrel":{"EndpointDefaults":{"Protocols":"Http1"},"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}}"#,
    );
    host.reload().await.unwrap();
    assert_eq!(status_of(&address).await, 200);
    stopped(host).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_new_endpoint_may_want_the_address_of_one_that_goes() {
    let reserved = crate::support::ReservedPort::new();
    let port = reserved.address().port();
    let (app, mut slow) = SlowApp::new();
    let exact = format!(r#""A":{{"Url":"http://127.0.0.1:{port}"}}"#);
    let any = format!(r#""A":{{"Url":"http://*:{port}"}}"#);
    let stage = Stage::with_endpoints(&exact);
    let host = stage.started(app).await;
    let address = host.addresses()[0].clone();
    let mut busy = Wire::connect(&address).await;
    busy.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(slow.next_step().await, Step::Entered);

    // Another new endpoint cannot be bound, so the old one is taken back.
    let (_taken, taken) = taken_port();
    let failing = format!(r#"{any},"B":{{"Url":"http://{taken}"}}"#);
    let error = stage.go_over_to(&host, &failing).await.expect_err("B's port is taken");
    assert!(matches!(error, HostError::Bind(_)), "{error}");
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
    assert_eq!(host.addresses(), std::slice::from_ref(&address));
    assert_eq!(status_of(&address).await, 200);
    assert!(is_refused(&format!("http://[::1]:{port}")).await);

    stage.go_over_to(&host, &any).await.unwrap();
    assert_eq!(host.addresses(), [format!("http://[::]:{port}")]);
    assert_eq!(status_of(&format!("http://[::1]:{port}")).await, 200);
    assert_eq!(status_of(&address).await, 200);
    slow.let_go();
    assert_eq!(busy.answer().await.body, "finished");
    stopped(host).await;
}

#[tokio::test]
async fn whatever_is_wrong_changes_nothing() {
    let (_taken, taken) = taken_port();
    let stage = Stage::with_endpoints(A);
    let host = stage.started(saying("hello")).await;
    let before = host.addresses();
    let mut wire = Wire::connect(&before[0]).await;
    assert_eq!(wire.get("/").await.status, 200);
    let taken_too = format!(r#""B":{{"Url":"http://[::1]:0"}},"C":{{"Url":"http://{taken}"}}"#);
    let unreachable = r#""A":{"Url":"http://192.0.2.1:0"}"#.to_owned();
    for (broken, told) in [
        ("{ nonsense".to_owned(), "appsettings.json:1:3"),
        (settings(r#""A":{"Url":"nonsense"}"#), "Invalid url: 'nonsense'"),
        (settings(r#""A":{"Protocols":"Http1"}"#), "missing the required 'Url'"),
        (r#"{"Kestrel":{"Limits":{"KeepAliveTimeout":"x"}}}"#.to_owned(), "KeepAliveTimeout"),
        (settings(&taken_too), "address already in use"),
        (settings(&unreachable), "Cannot assign requested address"),
        (settings(r#""A":{"Url":"http://*:1"},"B":{"Url":"http://*:1"}"#), "Two endpoints want it"),
        (settings(""), "The last endpoint is gone"),
        ("{}".to_owned(), "The last endpoint is gone"),
    ] {
        stage.write(&broken);
        let error = soon("the reload", host.reload()).await.expect_err(&broken).to_string();
        assert!(error.contains(told), "{broken}: {error}");
        assert_eq!(host.addresses(), before, "{broken}");
        assert_eq!(wire.get("/").await.status, 200, "{broken}");
        assert_eq!(status_of(&before[0]).await, 200, "{broken}");
    }
    std::fs::remove_file(stage.path("appsettings.json")).expect("it is there");
    host.reload().await.expect_err("it had the endpoint");
    // The next good edit counts.
    stage.go_over_to(&host, A_AND_B).await.unwrap();
    assert_eq!(host.addresses().len(), 2);
    stopped(host).await;
}

#[tokio::test]
async fn addresses_and_calls_stay_beside_the_endpoints_that_come_and_go() {
    let stage = Stage::new("{}");
    let url = |host: HostBuilder| host.use_urls("http://127.0.0.1:0");
    let listen = |host: HostBuilder| host.listen("127.0.0.1:0".parse().expect("an address"));
    let hosts: [fn(HostBuilder) -> HostBuilder; 2] = [url, listen];
    for with in hosts {
        stage.write("{}");
        let host = started(with(stage.builder()).app(saying("hello"))).await;
        let before = host.addresses();
        stage.go_over_to(&host, A_AND_B).await.unwrap();
        let after = host.addresses();
        assert_eq!((after.len(), &after[0]), (3, &before[0]));
        for address in &after {
            assert_eq!(status_of(address).await, 200, "{address}");
        }
        stage.write(r#"{"Urls":"http://127.0.0.1:1"}"#);
        host.reload().await.unwrap();
        assert_eq!(host.addresses(), before);
        stopped(host).await;
    }
    // Where addresses are preferred, nothing comes or goes.
    let preferring = url(stage.builder()).prefer_hosting_urls(true);
    let host = started(preferring.app(saying("hello"))).await;
    let before = host.addresses();
    stage.go_over_to(&host, A_AND_B).await.unwrap();
    assert_eq!(host.addresses(), before);
    stopped(host).await;
}

#[tokio::test]
async fn limits_are_for_new_connections_and_code_has_the_last_word_again() {
    let limits = |bytes: usize| {
        format!(
            r#"{{"Kestrel":{{"Endpoints":{{{A}}},"AddServerHeader":true,"Limits":{{"MaxRequestBodySize":{bytes}}}}}}}"#
        )
    };
    let stage = Stage::new(&limits(4));
    let app = Router::new().route("/", axum::routing::any(async |body: String| body));
    let builder = stage.builder().app(app).configure_kestrel(|it| it.add_server_header = false);
    let host = started(builder).await;
    let address = host.addresses()[0].clone();
    let post = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\n12345678";
    let status = async |wire: &mut Wire<TcpStream>| {
        wire.send(post).await;
        wire.answer().await.status
    };
    let mut old = Wire::connect(&address).await;
    assert_eq!(old.get("/").await.status, 200);
    stage.write(&limits(8));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    let mut new = Wire::connect(&address).await;
    assert_eq!(status(&mut new).await, 200);
    assert_eq!(new.get("/").await.header("Server"), None);
    assert_eq!(status(&mut old).await, 413, "it goes on as it began");
    stopped(host).await;
}

#[tokio::test]
async fn the_live_configuration_is_that_of_the_last_reload() {
    let stage = Stage::new(r#"{"Greeting":"one"}"#);
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let builder = stage.builder().use_urls("http://127.0.0.1:0").app_with(async |context| {
        let live = context.live_configuration.clone();
        sender.send(live.clone()).expect("the test waits");
        let greeting = move || async move { live.value("greeting").unwrap_or_default() };
        Ok(Router::new().route("/", axum::routing::get(greeting)))
    });
    let host = started(builder).await;
    let mut live = receiver.await.expect("the app is made");
    let address = host.addresses()[0].clone();
    let mut wire = Wire::connect(&address).await;
    assert_eq!(wire.get("/").await.body, "one");
    stage.write(r#"{"Greeting":"two"}"#);
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    assert_eq!(wire.get("/").await.body, "two");
    let changed = soon("the change", live.changed()).await.expect("the host is there");
    assert_eq!(changed.value("Greeting"), Some("two"));
    stage.write("{ nonsense");
    host.reload().await.expect_err("that is no JSON");
    assert_eq!(live.value("Greeting").as_deref(), Some("two"));
    stopped(host).await;
    drop(wire);
    assert!(soon("the end of the host", live.changed()).await.is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_come_and_go_with_their_files() {
    let stage = Stage::with_endpoints(A);
    let host = stage.started(saying("hello")).await;
    let socket = stage.path("k.sock");
    let unix = format!(r#"{A},"U":{{"Url":"http://unix:{}"}}"#, socket.display());
    stage.go_over_to(&host, &unix).await.unwrap();
    let stream = tokio::net::UnixStream::connect(&socket).await.expect("somebody listens");
    assert_eq!(Wire::new(stream).get("/").await.status, 200);
    stage.go_over_to(&host, A).await.unwrap();
    assert!(!socket.exists());
    stopped(host).await;
}

/// Endpoints come, go and change under the eyes of clients that never stop asking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_to_an_unchanged_endpoint_fails_while_others_are_reloaded() {
    const CLIENTS: usize = 64;
    const RELOADS: usize = 50;
    let stage = Stage::with_endpoints(A);
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let (ends, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (address, ends, served) = (address.clone(), ends.clone(), served.clone());
            tokio::spawn(async move {
                let mut wire = Wire::connect(&address).await;
                while !ends.load(Ordering::Relaxed) {
                    let answer = wire.get("/").await;
                    assert_eq!((answer.status, &*answer.body), (200, "hello"));
                    let count = served.fetch_add(1, Ordering::Relaxed);
                    if (count + client).is_multiple_of(16) {
                        // New connections are accepted all the while.
                        wire = Wire::connect(&address).await;
                    }
                }
            })
        })
        .collect();
    let others = [
        r#""B":{"Url":"http://127.0.0.1:0"}"#,
        r#""B":{"Url":"http://127.0.0.1:0","Protocols":"Http2"},"C":{"Url":"http://[::1]:0"}"#,
        r#""C":{"Url":"http://[::1]:0","Protocols":"Http1"}"#,
        r#""D":{"Url":"http://*:0"}"#,
    ];
    for reload in 0..RELOADS {
        let before = served.load(Ordering::Relaxed);
        let endpoints = format!("{A},{}", others[reload % others.len()]);
        assert_eq!(stage.go_over_to(&host, &endpoints).await.unwrap(), Reloaded::Changed);
        assert_eq!(host.addresses()[0], address);
        // Every reload happens to clients at work.
        let at_work = async {
            while served.load(Ordering::Relaxed) < before + CLIENTS {
                assert!(!clients.iter().any(tokio::task::JoinHandle::is_finished), "one failed");
                tokio::task::yield_now().await;
            }
        };
        soon("answers", at_work).await;
    }
    ends.store(true, Ordering::Relaxed);
    for client in clients {
        soon("the end of a client", client).await.expect("no request failed");
    }
    stopped(host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_files_that_do_not_answer() {
    let stage = Stage::with_endpoints(A);
    let (entered, mut entries) = tokio::sync::mpsc::unbounded_channel();
    // Reading the configuration takes as long as the test likes, like a file on a network.
    let (answer, answers) = std::sync::mpsc::channel::<()>();
    let mut calls = 0;
    let builder = stage.builder().app(saying("hello")).configure_kestrel(move |_| {
        calls += 1;
        if calls > 1 {
            entered.send(()).expect("the test listens");
            let _ = answers.recv();
        }
    });
    let host = Arc::new(started(builder).await);
    let address = host.addresses()[0].clone();
    let reloads = [1, 2].map(|_| {
        let host = Arc::clone(&host);
        tokio::spawn(async move { host.reload().await })
    });
    soon("the reading", entries.recv()).await;
    assert_eq!(status_of(&address).await, 200);
    // The one that reads, and the one that waits for it.
    reloads.iter().for_each(tokio::task::JoinHandle::abort);
    for reload in reloads {
        assert!(reload.await.is_err_and(|error| error.is_cancelled()));
    }
    soon("the stop", Arc::into_inner(host).expect("nobody else has it").stop()).await;
    drop(answer);
}

#[tokio::test]
async fn code_that_panics_refuses_a_reload_and_no_later_one() {
    let stage = Stage::with_endpoints(A);
    let (called, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let mut count = 0;
    let watching = Host::builder()
        .current_directory(stage.0.path())
        .environment_variables([("A", "b")])
        .shutdown_timeout(NEVER)
        .without_logging()
        .app_with(async |context| {
            sender.send(context.live_configuration.clone()).expect("the test waits");
            Ok(saying("hello"))
        })
        .configure_kestrel(move |_| {
            count += 1;
            called.send(()).expect("the test listens");
            assert_ne!(count, 2, "a defect of the app");
        });
    let host = started(watching).await;
    let mut live = receiver.await.expect("the app is made");
    calls.recv().await.expect("the start");
    stage.write(r#"{"Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}},"Other":"1"}"#);
    soon("the reload that panics", calls.recv()).await.expect("the file is watched");
    // Files are watched as before.
    stage.write(&settings(A_AND_B));
    soon("the next reload", live.changed()).await.expect("the host is there");
    assert_eq!(host.addresses().len(), 2);
    stopped(host).await;
}
