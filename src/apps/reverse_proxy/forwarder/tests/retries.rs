//! Which requests are sent to another destination, and which must not be.

use axum::body::Body;
use http::{Method, Request};

use super::kit::{
    Scripted, all_to, application, ask, cluster, destination, is_probe, nobody, ok, one_probe,
};
use crate::apps::reverse_proxy::forwarder::Upstreams;
use crate::apps::reverse_proxy::options::{ActiveCheckOptions, LoadBalancing, ProxyOptions};

/// Requests go to the first of two destinations, for as long as it can answer.
fn first_of(ports: [u16; 2], check: Option<ActiveCheckOptions>) -> ProxyOptions {
    let [first, second] = ports;
    let mut cluster = cluster(vec![destination("a", first), destination("b", second)]);
    cluster.load_balancing = LoadBalancing::FirstAlphabetical;
    cluster.active_check = check;
    all_to(cluster)
}

fn asking(method: Method, body: &'static str) -> Request<Body> {
    let request = Request::builder().method(method).uri("/x").header("host", "app.test");
    let request = match body.is_empty() {
        true => request,
        false => request.header("content-length", body.len()),
    };
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn what_may_have_taken_effect_is_not_sent_to_another_destination() {
    for (method, body, times) in [
        (Method::POST, "pay 100", 1),
        (Method::POST, "", 1),
        (Method::PATCH, "", 1),
        // Sent twice, as any that may be repeated, but to the same server.
        (Method::GET, "", 2),
        (Method::DELETE, "", 2),
    ] {
        let first = Scripted::start(|request| is_probe(request).then(|| ok("").unwrap())).await;
        let second = Scripted::start(|_| ok("second")).await;
        let options = first_of([first.port, second.port], Some(one_probe()));
        let upstreams = Upstreams::default();
        let mut application = application(&upstreams, &options);
        let (status, _) = ask(&mut application, asking(method.clone(), body)).await;
        assert_eq!((status.as_u16(), second.seen()), (502, vec![]), "{method} {body}");
        assert_eq!(first.seen().len(), times, "{method} {body}");
    }
}

#[tokio::test]
async fn what_could_not_be_sent_goes_to_another_destination_where_there_are_probes() {
    let gone = nobody().await;
    for (check, status, came) in [(Some(one_probe()), 200, 1), (None, 502, 0)] {
        let second =
            Scripted::start(|request| ok(if is_probe(request) { "" } else { "second" })).await;
        let upstreams = Upstreams::default();
        let mut application = application(&upstreams, &first_of([gone, second.port], check));
        let (got, _) = ask(&mut application, asking(Method::POST, "pay 100")).await;
        assert_eq!(got.as_u16(), status);
        let seen = second.seen();
        assert_eq!(seen.len(), came);
        assert!(seen.iter().all(|it| it.ends_with("\r\n\r\npay 100")), "{seen:?}");
    }
}

#[tokio::test]
async fn what_is_safe_goes_to_another_destination_without_probes_if_the_cluster_says_so() {
    let gone = nobody().await;
    for (retry, method, body, status) in [
        (true, Method::GET, "", 200),
        (true, Method::DELETE, "", 200),
        (true, Method::PUT, "new", 502),
        (true, Method::POST, "", 502),
        (false, Method::GET, "", 502),
    ] {
        let second = Scripted::start(|_| ok("second")).await;
        let mut options = first_of([gone, second.port], None);
        options.clusters[0].retry = retry;
        let upstreams = Upstreams::default();
        let mut application = application(&upstreams, &options);
        let (got, _) = ask(&mut application, asking(method.clone(), body)).await;
        assert_eq!(got.as_u16(), status, "{retry} {method} {body}");
        assert_eq!(second.seen().len(), usize::from(status == 200), "{retry} {method} {body}");
    }
}

#[tokio::test]
async fn what_was_sent_is_not_repeated_elsewhere_and_nothing_is_tried_twice() {
    // It had the request, and ended the connection.
    let first = Scripted::start(|_| None).await;
    let second = Scripted::start(|_| ok("second")).await;
    for ports in [[first.port, second.port], [nobody().await; 2]] {
        let mut options = first_of(ports, None);
        options.clusters[0].retry = true;
        let upstreams = Upstreams::default();
        let mut application = application(&upstreams, &options);
        let (got, _) = ask(&mut application, asking(Method::GET, "")).await;
        assert_eq!((got.as_u16(), second.seen()), (502, vec![]));
        assert!(!first.seen().is_empty());
    }
}
