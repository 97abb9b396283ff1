//! What load balancers are told: a host that is to stop is alive and not ready, and serves on for a while.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kestrel::{Health, HostBuilder, Reloaded};
use tracing::Level;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::blame::Told;
use crate::http2_frames::Http2;
use crate::reload::Stage;
use crate::support::{Wire, builder, pass, saying, soon, started, stopped};

fn healthy_host() -> HostBuilder {
    builder()
        .use_urls("http://127.0.0.1:0")
        .use_setting("HealthChecks:Enabled", "true")
        .app(saying("hello"))
}

/// The head and the rest of an answer on a connection of its own.
async fn asked(address: &str, method: &str, path: &str) -> (String, String) {
    let mut wire = Wire::connect(address).await;
    wire.send(format!("{method} {path} HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\n\r\n"))
        .await;
    let text = String::from_utf8(wire.rest().await).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

/// The status and the word at a path.
async fn told(address: &str, path: &str) -> (u16, String) {
    let (head, body) = asked(address, "GET", path).await;
    let status = head.split(' ').nth(1).expect("a status line").parse().expect("a number");
    (status, body.split("\r\n").nth(1).unwrap_or_default().to_owned())
}

#[tokio::test]
async fn health_is_told_whatever_host_is_named_and_in_clear_text_and_not_logged() {
    let heard = Told::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let host = healthy_host()
        .use_setting("AllowedHosts", "a.example")
        .use_setting("HttpsRedirection:Enabled", "true")
        .use_setting("HttpsRedirection:HttpsPort", "443");
    let host = started(host).await;
    let address = host.addresses()[0].clone();
    for path in ["/healthz/live", "/healthz/ready", "/HEALTHZ/ready/?verbose"] {
        let (head, body) = asked(&address, "GET", path).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        assert_eq!(body, "7\r\nHealthy\r\n0\r\n\r\n", "{path}");
        let lower = head.to_ascii_lowercase();
        for header in [
            "content-type: text/plain\r\n",
            "cache-control: no-store, no-cache\r\n",
            "pragma: no-cache\r\n",
            "expires: thu, 01 jan 1970 00:00:00 gmt\r\n",
        ] {
            assert!(format!("{lower}\r\n").contains(header), "{path}: {head}");
        }
        let (of_head, body) = asked(&address, "HEAD", path).await;
        assert!(of_head.starts_with("HTTP/1.1 200 ") && body.is_empty(), "{path}: {of_head}");
    }
    let mut http2 = Http2::connect(&address).await;
    http2.request(1, "/healthz/ready").await;
    assert_eq!(http2.body_of(1).await, b"Healthy");
    assert_eq!(asked(&address, "GET", "/").await.0.split(' ').nth(1), Some("400"));
    stopped(host).await;
    assert_eq!(heard.statuses(), [400], "the probes are not told");
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_host_that_is_to_stop_is_not_ready_and_serves_until_the_delay_is_over() {
    let host = started(healthy_host().use_setting("HealthChecks:StopDelay", "01:00:00")).await;
    let address = host.addresses()[0].clone();
    let lifetime = host.lifetime();
    assert_eq!(told(&address, "/healthz/ready").await, (200, "Healthy".to_owned()));
    let stop = tokio::spawn(host.stop());
    soon("a host that is not ready", async {
        while told(&address, "/healthz/ready").await.0 != 503 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(told(&address, "/healthz/ready").await, (503, "Unhealthy".to_owned()));
    assert_eq!(told(&address, "/healthz/live").await, (200, "Healthy".to_owned()));
    pass(HOUR / 2).await;
    assert!(!lifetime.is_stopping(), "streams go on");
    let mut wire = Wire::connect(&address).await;
    let answer = wire.get("/").await;
    assert_eq!((answer.status, answer.header("connection")), (200, None), "{}", answer.head);
    pass(HOUR / 2).await;
    assert!(soon("the stop", stop).await.expect("no panic").is_clean());
    assert_eq!(wire.rest().await, b"");
    assert!(lifetime.is_stopping());
}

#[tokio::test]
async fn checks_of_the_program_decide_whether_it_is_ready() {
    type Outcome = Result<Health, &'static str>;
    let state: Arc<Mutex<Outcome>> = Arc::new(Mutex::new(Ok(Health::Healthy)));
    let of_check = Arc::clone(&state);
    let heard = Told::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let host = healthy_host().health_check("fine", async || Ok(Health::Healthy)).health_check(
        "it",
        move || {
            let now = of_check.lock().expect("no panic").clone();
            async move {
                assert_ne!(now, Err("panic"), "this one is for the test");
                if now == Err("slow") {
                    std::future::pending::<()>().await;
                }
                Ok(now?)
            }
        },
    );
    let host = started(host).await;
    let address = host.addresses()[0].clone();
    for (outcome, status, word, event) in [
        (Ok(Health::Healthy), 200, "Healthy", (Level::DEBUG, 103)),
        (Ok(Health::Degraded("so so".to_owned())), 200, "Degraded", (Level::WARN, 103)),
        (Ok(Health::Unhealthy("broken".to_owned())), 503, "Unhealthy", (Level::DEBUG, 103)),
        (Err("out of order"), 503, "Unhealthy", (Level::DEBUG, 104)),
        (Err("panic"), 503, "Unhealthy", (Level::DEBUG, 104)),
        (Ok(Health::Healthy), 200, "Healthy", (Level::DEBUG, 103)),
    ] {
        *state.lock().expect("no panic") = outcome.clone();
        let seen = told(&address, "/healthz/ready").await;
        assert_eq!(seen, (status, word.to_owned()), "{outcome:?}");
        assert!(heard.has(event.0, event.1), "{outcome:?}");
        assert_eq!(told(&address, "/healthz/live").await.0, 200, "{outcome:?}");
    }
    *state.lock().expect("no panic") = Err("slow");
    let slow = told(&address, "/healthz/ready");
    let limit = async {
        loop {
            pass(Duration::from_secs(1)).await;
        }
    };
    let seen = tokio::select! {
        seen = slow => seen,
        () = limit => unreachable!("it goes on for ever"),
    };
    assert_eq!(seen, (503, "Unhealthy".to_owned()));
    stopped(host).await;
}

#[tokio::test]
async fn a_reload_switches_it_and_moves_it() {
    const A: &str = r#""Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}"#;
    let stage = Stage::new(&format!("{{{A}}}"));
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    assert_eq!(told(&address, "/healthz/ready").await.0, 404);
    for (section, at, not_at) in [
        (r#""Enabled":true"#, "/healthz/ready", "/up"),
        (r#""Enabled":true,"ReadyPath":"/up""#, "/up", "/healthz/ready"),
    ] {
        stage.write(&format!(r#"{{"HealthChecks":{{{section}}},{A}}}"#));
        assert_eq!(host.reload().await.expect("it is right"), Reloaded::Changed);
        assert_eq!(told(&address, at).await.0, 200, "{section}");
        assert_eq!(told(&address, not_at).await.0, 404, "{section}");
    }
    stopped(host).await;
}

#[test]
fn checks_of_one_name_are_refused_and_checks_that_nobody_asks_for_are_told() {
    let check = async || Ok(Health::Healthy);
    let twice = healthy_host().health_check("a", check).health_check("a", check).build();
    let error = twice.expect_err("they cannot be told apart").to_string();
    assert!(error.contains("Several health checks are called 'a'."), "{error}");
    let unasked = builder().health_check("a", check).strict(true).build();
    assert!(unasked.is_ok(), "it is no mistake: {unasked:?}");
}
