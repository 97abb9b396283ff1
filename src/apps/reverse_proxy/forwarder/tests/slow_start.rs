//! A destination that comes, or comes back, gets its share over a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::kit::{
    Scripted, all_to, application, ask, cluster, destination, get, is_probe, ok, one_probe,
};
use crate::apps::reverse_proxy::forwarder::Upstreams;
use crate::apps::reverse_proxy::options::{ActiveCheckOptions, ClusterOptions, LoadBalancing};

/// So long that nothing of it passes while a test runs.
const LONG: Option<Duration> = Some(Duration::from_secs(36_000));

/// How often each of some destinations is picked, in so many picks.
fn picks<const N: usize>(upstreams: &Upstreams, names: [&str; N], times: usize) -> [usize; N] {
    let cluster = Arc::clone(&upstreams.clusters()[0]);
    let mut counts = [0; N];
    for _ in 0..times {
        let picked = cluster.pick().unwrap();
        let place = names.iter().position(|name| *name == picked.options.name).unwrap();
        counts[place] += 1;
    }
    counts
}

fn of(names: &[&str], slow_start: Option<Duration>) -> ClusterOptions {
    let destinations = names.iter().map(|name| destination(name, 1)).collect();
    ClusterOptions { slow_start, ..cluster(destinations) }
}

#[tokio::test(start_paused = true)]
async fn who_is_added_by_a_reload_gets_a_share_that_grows() {
    for balancing in [LoadBalancing::RoundRobin, LoadBalancing::LeastRequests] {
        let upstreams = Upstreams::default();
        let time = Some(Duration::from_secs(100));
        let with = |names: &[&str]| ClusterOptions { load_balancing: balancing, ..of(names, time) };
        drop(application(&upstreams, &all_to(with(&["a", "b"]))));
        assert_eq!(picks(&upstreams, ["a", "b"], 20), [10, 10], "all are new");
        drop(application(&upstreams, &all_to(with(&["a", "b", "c"]))));
        assert_eq!(picks(&upstreams, ["a", "b", "c"], 21), [10, 10, 1]);
        tokio::time::sleep(Duration::from_millis(51_000)).await;
        assert_eq!(picks(&upstreams, ["a", "b", "c"], 50), [20, 20, 10]);
        // Another reload changes nothing of it.
        let mut other = with(&["a", "b", "c"]);
        other.available =
            crate::apps::reverse_proxy::options::AvailableDestinations::HealthyAndUnknown;
        drop(application(&upstreams, &all_to(other)));
        assert_eq!(picks(&upstreams, ["a", "b", "c"], 50), [20, 20, 10]);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(picks(&upstreams, ["a", "b", "c"], 30), [10, 10, 10]);
    }
}

#[tokio::test]
async fn without_it_the_whole_share_is_there_at_once() {
    let upstreams = Upstreams::default();
    drop(application(&upstreams, &all_to(of(&["a"], None))));
    drop(application(&upstreams, &all_to(of(&["a", "b"], None))));
    assert_eq!(picks(&upstreams, ["a", "b"], 20), [10, 10]);
}

#[tokio::test]
async fn it_counts_beside_weights_and_chance() {
    let upstreams = Upstreams::default();
    let mut options = of(&["a", "b"], LONG);
    options.destinations[1].metadata.0.push(("Weight".to_owned(), "20".to_owned()));
    drop(application(&upstreams, &all_to(of(&["a"], LONG))));
    drop(application(&upstreams, &all_to(options.clone())));
    assert_eq!(picks(&upstreams, ["a", "b"], 30), [10, 20], "a tenth of twenty");
    for balancing in [LoadBalancing::Random, LoadBalancing::PowerOfTwoChoices] {
        let upstreams = Upstreams::default();
        let with = |names: &[&str]| ClusterOptions { load_balancing: balancing, ..of(names, LONG) };
        drop(application(&upstreams, &all_to(with(&["a"]))));
        drop(application(&upstreams, &all_to(with(&["a", "b"]))));
        // A tenth of what the other one gets, by chance.
        let [_, new] = picks(&upstreams, ["a", "b"], 11_000);
        assert!((700..1300).contains(&new), "{balancing:?}: {new}");
    }
}

#[tokio::test]
async fn who_is_healthy_again_begins_with_a_tenth() {
    let is_up = Arc::new(AtomicBool::new(false));
    let probed = Arc::clone(&is_up);
    let first = Scripted::start(|_| ok("first")).await;
    let second = Scripted::start(move |request| match is_probe(request) {
        true if !probed.load(Ordering::SeqCst) => None,
        _ => ok("second"),
    })
    .await;
    let mut options = cluster(vec![destination("a", first.port), destination("b", second.port)]);
    options.slow_start = LONG;
    let interval = Duration::from_millis(5);
    options.active_check = Some(ActiveCheckOptions { interval, threshold: 1, ..one_probe() });
    let upstreams = Upstreams::default();
    let mut application = application(&upstreams, &all_to(options));
    let health = || upstreams.clusters()[0].destinations[1].kept.health.is_available();
    while health() {
        tokio::task::yield_now().await;
    }
    is_up.store(true, Ordering::SeqCst);
    // Until it is known, all go to the first.
    while ask(&mut application, get("/")).await.1 != "second" {}
    let mut seconds = 0;
    for _ in 0..22 {
        seconds += usize::from(ask(&mut application, get("/")).await.1 == "second");
    }
    assert_eq!(seconds, 2);
}
