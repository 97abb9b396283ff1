//! What a program can ask a host that runs, and what its stop tells.

use std::future::pending;
use std::process::ExitCode;
use std::time::Duration;

use axum::{Router, routing::get};
use kestrel::{App, AppContext, AppError, Ending, HostedService, Reloaded};
use tokio::sync::mpsc;

use crate::reload::Stage;
use crate::support::{Wire, builder, saying, socket_address, soon, started, stopped};

#[tokio::test]
async fn the_sockets_are_told_that_really_listen() {
    let urls = "http://127.0.0.1:0;http://[::1]:0";
    let host = started(builder().use_urls(urls).app(saying("hello"))).await;
    let told: Vec<_> = host.addresses().iter().map(|address| socket_address(address)).collect();
    assert_eq!(host.socket_addresses(), told);
    assert!(told.iter().all(|address| address.port() != 0));
    stopped(host).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_none_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = started(builder().listen_unix_socket(folder.path().join("s"))).await;
    assert_eq!((host.addresses().len(), host.socket_addresses().len()), (1, 0));
    stopped(host).await;
}

#[tokio::test]
async fn a_reload_changes_the_sockets_and_the_configuration_that_are_told() {
    let settings = |endpoints: &str| {
        format!(r#"{{"Greeting":"{}","Kestrel":{{"Endpoints":{{{endpoints}}}}}}}"#, endpoints.len())
    };
    let one = r#""A":{"Url":"http://127.0.0.1:0"}"#;
    let two = format!(r#"{one},"B":{{"Url":"http://127.0.0.1:0"}}"#);
    let stage = Stage::new(&settings(one));
    let host = stage.started(saying("hello")).await;
    assert_eq!(host.socket_addresses().len(), 1);
    let before = host.configuration();
    stage.write(&settings(&two));
    assert_eq!(host.reload().await.expect("a free port"), Reloaded::Changed);
    assert_eq!(host.socket_addresses().len(), 2);
    let text = |length: usize| Some(length.to_string());
    assert_eq!(host.configuration().value("Greeting").map(str::to_owned), text(two.len()));
    assert_eq!(before.value("Greeting").map(str::to_owned), text(one.len()));
    stopped(host).await;
}

#[tokio::test]
async fn a_host_that_was_started_waits_for_its_end() {
    let app = App::from(saying("hello")).exit_with(async { ExitCode::from(9) });
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let code = soon("the end", host.wait_for_shutdown()).await.expect("signals can be watched");
    assert_eq!(code, ExitCode::from(9));
}

/// A service that does not stop.
struct Stays;

impl HostedService for Stays {
    async fn start(&mut self, _: AppContext) -> Result<(), AppError> {
        Ok(())
    }

    async fn stop(&mut self) {
        pending().await
    }
}

#[tokio::test]
async fn a_stop_tells_what_it_had_to_cut_off() {
    let (asked, mut asks) = mpsc::unbounded_channel();
    let slow = get(async move || {
        asked.send(()).expect("the test waits");
        pending::<()>().await;
    });
    let stays = async |_: Ending| pending().await;
    let app = App::from(Router::new().route("/", slow)).background(stays);
    let host = builder().use_urls("http://127.0.0.1:0").shutdown_timeout(Duration::ZERO);
    let host = host.service("quick", Quick).service("stays", Stays).app(app);
    let host = started(host).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
    soon("the request", asks.recv()).await.expect("it is there");
    let counters = host.counters().expect("the server counts");
    let cut = soon("the stop", host.stop()).await;
    assert!(!cut.is_clean());
    assert_eq!((cut.connections, cut.tasks), (1, 1));
    assert_eq!(cut.services, ["stays"]);
    assert_eq!(counters.cut_off(), 1);

    let host = started(builder().use_urls("http://127.0.0.1:0").service("quick", Quick)).await;
    assert!(soon("the stop", host.stop()).await.is_clean());
}

/// A service that has nothing to do.
struct Quick;

impl HostedService for Quick {
    async fn start(&mut self, _: AppContext) -> Result<(), AppError> {
        Ok(())
    }
}
