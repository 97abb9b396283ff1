//! Which addresses a host has, and that they answer.

use crate::support::{Wire, builder, configured, saying, socket_address, started, stopped};

#[tokio::test]
async fn port_0_is_announced_as_the_port_the_system_chose() {
    for url in ["http://127.0.0.1:0", "http://[::1]:0"] {
        let host = started(builder().use_urls(url).app(saying("hello"))).await;
        let [address] = &host.addresses()[..] else {
            panic!("one address, not {:?}", host.addresses());
        };
        assert_ne!(socket_address(address).port(), 0, "{address}");
        assert_eq!(Wire::connect(address).await.get("/").await.body, "hello");
        stopped(host).await;
    }
}

#[tokio::test]
async fn addresses_are_listed_in_the_order_they_were_given() {
    let host =
        started(builder().use_urls("http://[::1]:0;http://127.0.0.1:0").app(saying("hello"))).await;
    let [first, second] = &host.addresses()[..] else {
        panic!("two addresses, not {:?}", host.addresses());
    };
    assert!(first.starts_with("http://[::1]:"), "{first}");
    assert!(second.starts_with("http://127.0.0.1:"), "{second}");
    for address in [first, second] {
        assert_eq!(Wire::connect(address).await.get("/").await.status, 200);
    }
    stopped(host).await;
}

#[tokio::test]
async fn all_interfaces_answer_over_ipv4_and_ipv6() {
    let host = started(builder().listen_any_ip(0).app(saying("hello"))).await;
    let [address] = &host.addresses()[..] else {
        panic!("one address, not {:?}", host.addresses());
    };
    let port = socket_address(address).port();
    assert_eq!(*address, format!("http://[::]:{port}"));
    for loopback in ["127.0.0.1", "[::1]"] {
        let mut wire = Wire::connect(&format!("http://{loopback}:{port}")).await;
        assert_eq!(wire.get("/").await.body, "hello", "{loopback}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn listen_beats_urls_unless_urls_are_preferred() {
    for (prefer, expected) in [
        (None, "http://127.0.0.1:"),
        (Some(false), "http://127.0.0.1:"),
        (Some(true), "http://[::1]:"),
    ] {
        let mut both = builder().listen(([127, 0, 0, 1], 0).into()).use_urls("http://[::1]:0");
        if let Some(prefer) = prefer {
            both = both.prefer_hosting_urls(prefer);
        }
        let host = started(both).await;
        let [address] = &host.addresses()[..] else {
            panic!("prefer {prefer:?}: {:?}", host.addresses());
        };
        assert!(address.starts_with(expected), "prefer {prefer:?}: {address}");
        stopped(host).await;
    }
}

#[tokio::test]
async fn added_addresses_replace_all_others() {
    let host = started(
        configured(&[("ASPNETCORE_URLS", "http://127.0.0.1:0")])
            .use_urls("http://127.0.0.1:0")
            .add_url("http://[::1]:0")
            .add_url("http://127.0.0.1:0"),
    )
    .await;
    let families: Vec<_> =
        host.addresses().iter().map(|address| socket_address(address).is_ipv6()).collect();
    assert_eq!(families, [true, false], "{:?}", host.addresses());
    stopped(host).await;
}

#[tokio::test]
async fn endpoints_of_the_configuration_and_of_code_are_bound_together() {
    let host = started(
        configured(&[("Kestrel__Endpoints__A__Url", "http://[::1]:0")])
            .listen(([127, 0, 0, 1], 0).into()),
    )
    .await;
    let [code, configuration] = &host.addresses()[..] else {
        panic!("two addresses, not {:?}", host.addresses());
    };
    assert!(code.starts_with("http://127.0.0.1:"), "{code}");
    assert!(configuration.starts_with("http://[::1]:"), "{configuration}");
    stopped(host).await;
}

#[tokio::test]
async fn the_app_can_ask_for_the_addresses_once_the_host_has_started() {
    use axum::{Router, routing::get};

    let host = started(builder().use_urls("http://127.0.0.1:0").app_with(async |context| {
        let addresses = context.addresses.clone();
        assert!(addresses.list().is_empty(), "nothing is bound yet");
        Ok(Router::new().route("/", get(|| async move { addresses.list().join(";") })))
    }))
    .await;
    let told = Wire::connect(&host.addresses()[0]).await.get("/").await.body;
    assert_eq!(host.addresses(), [told]);
    stopped(host).await;
}

#[tokio::test]
async fn two_hosts_live_and_die_apart() {
    let local = || builder().use_urls("http://127.0.0.1:0");
    let one = started(local().app(saying("one"))).await;
    let two = started(local().app(saying("two"))).await;
    let (first, second) = (one.addresses()[0].clone(), two.addresses()[0].clone());
    let mut to_two = Wire::connect(&second).await;
    assert_eq!(Wire::connect(&first).await.get("/").await.body, "one");
    assert_eq!(to_two.get("/").await.body, "two");
    stopped(one).await;
    assert_eq!(to_two.get("/").await.body, "two", "on the open connection");
    assert_eq!(Wire::connect(&second).await.get("/").await.body, "two", "on a new connection");
    stopped(two).await;
}

#[tokio::test]
async fn a_host_without_an_app_shows_the_welcome_page() {
    let host = started(builder().use_urls("http://127.0.0.1:0")).await;
    let address = host.addresses()[0].clone();
    let answer = Wire::connect(&address).await.get("/").await;
    assert_eq!(answer.status, 200);
    let elsewhere = Wire::connect(&address).await.get("/any/path").await;
    assert_eq!(elsewhere.status, 404);
    let page: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(page["addresses"], serde_json::json!([address]));
    stopped(host).await;
}

#[tokio::test]
async fn nothing_is_bound_before_the_start() {
    let host =
        builder().use_urls("http://127.0.0.1:0").build().expect("the configuration is right");
    assert_eq!(host.plan().endpoints.len(), 1);
    let shown = host.plan().to_string();
    assert!(shown.starts_with("http://127.0.0.1:0\n"), "{shown}");
}
