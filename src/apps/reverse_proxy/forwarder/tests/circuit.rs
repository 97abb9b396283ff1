//! A destination whose requests fail gets none, until one of them has seen that it answers again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;

use super::kit::{
    Scripted, Seen, all_to, application, ask, ask_for_head, cluster, destination, get, nobody, ok,
    one_probe,
};
use crate::apps::reverse_proxy::forwarder::Upstreams;
use crate::apps::reverse_proxy::forwarder::cluster::Cluster;
use crate::apps::reverse_proxy::forwarder::destination::Destination;
use crate::apps::reverse_proxy::options::{
    AvailableDestinations, ClusterOptions, PassiveCheckOptions,
};
use crate::pipeline::Application;

/// Two destinations that are watched, each of which gets every other request.
fn watched(ports: [u16; 2]) -> ClusterOptions {
    let [first, second] = ports;
    let mut cluster = cluster(vec![destination("a", first), destination("b", second)]);
    let reactivation_period = Duration::from_secs(60);
    cluster.passive_check = Some(PassiveCheckOptions { reactivation_period, failure_rate: 0.3 });
    cluster
}

/// One that cuts every connection off until the switch is on.
async fn broken_until(is_up: &Arc<AtomicBool>) -> Scripted {
    let is_up = Arc::clone(is_up);
    Scripted::start(move |_| if is_up.load(Ordering::SeqCst) { ok("b") } else { None }).await
}

fn the_cluster(upstreams: &Upstreams) -> (Arc<Cluster>, Arc<Destination>) {
    let cluster = Arc::clone(&upstreams.clusters()[0]);
    let broken = Arc::clone(&cluster.destinations[1]);
    (cluster, broken)
}

/// What happens once its time is over.
fn reactivate(upstreams: &Upstreams) {
    use crate::apps::reverse_proxy::forwarder::probes::Probed as _;
    let (cluster, broken) = the_cluster(upstreams);
    assert!(broken.kept.health.reactivate());
    cluster.look_again();
}

async fn statuses(application: &mut Application, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(ask(application, get("/")).await.0.as_u16());
    }
    statuses
}

#[tokio::test]
async fn a_destination_that_fails_gets_one_request_at_a_time_until_it_answers() {
    let is_up = Arc::new(AtomicBool::new(false));
    let (good, bad) = (Scripted::start(|_| ok("a")).await, broken_until(&is_up).await);
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &all_to(watched([good.port, bad.port])));
    // Ten requests say something.
    let failed = statuses(&mut application, 20).await;
    assert_eq!(failed.iter().filter(|status| **status == 502).count(), 10);
    let seen = bad.seen().len();
    assert_eq!(statuses(&mut application, 20).await, [200; 20]);
    assert_eq!(bad.seen().len(), seen, "it gets none");
    // One request sees that it still fails. (It is sent twice, as any that may be repeated.)
    reactivate(&upstreams);
    let mut after = statuses(&mut application, 20).await;
    assert_eq!((after.remove(0), after), (502, vec![200; 19]));
    assert_eq!(bad.seen().len(), seen + 2);
    // The next one sees that it answers, and the others follow.
    reactivate(&upstreams);
    is_up.store(true, Ordering::SeqCst);
    assert_eq!(statuses(&mut application, 21).await, [200; 21]);
    assert_eq!(bad.seen().len(), seen + 2 + 11);
}

#[tokio::test]
async fn who_tries_a_destination_that_is_not_there_is_answered_by_another_one() {
    let good = Scripted::start(|_| ok("a")).await;
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &all_to(watched([good.port, nobody().await])));
    assert!(statuses(&mut application, 20).await.contains(&502));
    for _ in 0..3 {
        reactivate(&upstreams);
        assert_eq!(statuses(&mut application, 5).await, [200; 5]);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_counts_though_another_one_answers_it() {
    let good = Scripted::start(|_| ok("a")).await;
    let upstreams = Upstreams::default();
    let mut options = watched([good.port, nobody().await]);
    options.active_check = Some(one_probe());
    let mut application = application(&upstreams, &all_to(options));
    assert_eq!(statuses(&mut application, 20).await, [200; 20]);
    assert!(!the_cluster(&upstreams).1.kept.health.is_available());
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_its_place_to_the_next() {
    let (good, told) = (Scripted::start(|_| ok("a")).await, Seen::default());
    let silent = Scripted::silent(&told).await;
    let upstreams = Upstreams::default();
    let mut options = watched([good.port, silent.port]);
    options.available = AvailableDestinations::HealthyAndUnknown;
    let application = application(&upstreams, &all_to(options));
    let (cluster, bad) = the_cluster(&upstreams);
    for _ in 0..10 {
        cluster.watch(&bad, true);
    }
    assert!(!bad.kept.health.is_available());
    reactivate(&upstreams);
    for _ in 0..3 {
        let mut asking = application.clone();
        let asking = tokio::spawn(async move { ask(&mut asking, get("/")).await });
        told.wait().await;
        // It is on its way, so that all others go elsewhere.
        assert_eq!(statuses(&mut application.clone(), 5).await, [200; 5]);
        asking.abort();
        asking.await.unwrap_err();
    }
}

#[tokio::test]
async fn an_answer_that_has_begun_is_enough() {
    let good = Scripted::start(|_| ok("a")).await;
    let endless = |_: &str| Some("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc".to_owned());
    let slow = Scripted::start(endless).await;
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &all_to(watched([good.port, slow.port])));
    let (cluster, bad) = the_cluster(&upstreams);
    for _ in 0..10 {
        cluster.watch(&bad, true);
    }
    reactivate(&upstreams);
    let tried = ask_for_head(&mut application, get("/")).await;
    assert_eq!(tried.headers.get("content-length").unwrap(), "6");
    assert!(bad.kept.health.is_available());
}

#[tokio::test]
async fn what_a_client_does_is_not_the_destinations_doing() {
    let server = Scripted::start(|_| ok("a")).await;
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &all_to(watched([server.port, server.port])));
    for _ in 0..40 {
        let mut request = get("/");
        request.headers_mut().insert("content-length", 6.into());
        let broken = futures_util::stream::iter([Ok("abc"), Err("gone")]);
        *request.body_mut() = Body::from_stream(broken);
        assert_eq!(ask(&mut application, request).await.0, 400);
    }
    let cluster = Arc::clone(&upstreams.clusters()[0]);
    assert!(cluster.destinations.iter().all(|it| it.kept.health.is_available()));
}

#[tokio::test(start_paused = true)]
async fn its_next_chance_comes_when_no_failure_counts_any_more() {
    let upstreams = Upstreams::default();
    let mut options = watched([1, 1]);
    // Shorter than the minute in which failures count.
    options.passive_check.as_mut().unwrap().reactivation_period = Duration::from_secs(1);
    options.available = AvailableDestinations::HealthyAndUnknown;
    drop(application(&upstreams, &all_to(options.clone())));
    let (cluster, bad) = the_cluster(&upstreams);
    for _ in 0..10 {
        cluster.watch(&bad, true);
    }
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert!(!bad.kept.health.is_on_trial());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let picked = |cluster: &Arc<Cluster>| cluster.pick().unwrap().options.name.clone();
    let first_three = [picked(&cluster), picked(&cluster), picked(&cluster)];
    assert_eq!(first_three, ["b", "a", "a"]);
    // A reload meanwhile makes another cluster, which hears of it.
    options.available = AvailableDestinations::HealthyOrPanic;
    drop(application(&upstreams, &all_to(options)));
    let (after, _) = the_cluster(&upstreams);
    assert!(!Arc::ptr_eq(&cluster, &after));
    assert_eq!([picked(&after), picked(&after)], ["a", "a"]);
    cluster.watch(&bad, false);
    let names = [picked(&after), picked(&after), picked(&after), picked(&after)];
    assert_eq!(names.iter().filter(|name| *name == "b").count(), 2, "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reload_leaves_it_its_next_chance_and_its_share_grows_after_that() {
    let upstreams = Upstreams::default();
    let mut options = watched([1, 1]);
    drop(application(&upstreams, &all_to(options.clone())));
    let (before, bad) = the_cluster(&upstreams);
    for _ in 0..10 {
        before.watch(&bad, true);
    }
    options.slow_start = Some(Duration::from_secs(100));
    drop(application(&upstreams, &all_to(options)));
    drop((before, bad));
    let (cluster, bad) = the_cluster(&upstreams);
    let of_bad = |times: usize| {
        let picked = (0..times).map(|_| cluster.pick().unwrap());
        picked.filter(|it| Arc::ptr_eq(it, &bad)).count()
    };
    assert_eq!(of_bad(22), 0);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(of_bad(22), 1, "the one that is to see");
    cluster.watch_head(&bad);
    assert_eq!(of_bad(22), 2, "a tenth of the other's");
    tokio::time::sleep(Duration::from_secs(101)).await;
    assert_eq!(of_bad(22), 11);
}

#[tokio::test]
async fn a_reload_that_connects_in_another_way_does_not_forget_who_failed() {
    let (good, upstreams) = (Scripted::start(|_| ok("a")).await, Upstreams::default());
    let mut options = all_to(watched([good.port, nobody().await]));
    let mut before = application(&upstreams, &options);
    assert!(statuses(&mut before, 20).await.contains(&502));
    options.clusters[0].client.max_connections_per_server = Some(60);
    let mut after = application(&upstreams, &options);
    assert_eq!(statuses(&mut after, 20).await, [200; 20]);
}

#[tokio::test]
async fn if_none_does_well_all_get_requests_unless_that_is_not_wanted() {
    for (available, status) in [
        (AvailableDestinations::HealthyOrPanic, 502),
        (AvailableDestinations::HealthyAndUnknown, 503),
    ] {
        let upstreams = Upstreams::default();
        let mut options = watched([nobody().await, nobody().await]);
        options.available = available;
        let mut application = application(&upstreams, &all_to(options));
        statuses(&mut application, 25).await;
        assert_eq!(statuses(&mut application, 3).await, [status; 3], "{available:?}");
    }
}
