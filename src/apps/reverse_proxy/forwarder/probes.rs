//! Destinations are asked how they do, again and again (`HealthCheck:Active`).

use std::sync::Arc;
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue, Method};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::destination::{Destination, place_of};
use crate::apps::reverse_proxy::options::{ActiveCheckOptions, DestinationAddress};
use crate::diagnostics::{events, in_log, in_log_boxed};
use crate::upstream::{self, Answer, Client, Outgoing, Server};

/// Whose destinations are asked.
pub(super) trait Probed: Send + Sync + 'static {
    fn id(&self) -> &str;

    fn destinations(&self) -> &[Arc<Destination>];

    fn client(&self) -> &Arc<Client>;

    fn version(&self) -> (http::Version, upstream::VersionPolicy);

    /// What is known of a destination is another.
    fn look_again(self: &Arc<Self>);
}

/// Asks now, and then in intervals, until nobody has the cluster any more.
pub(super) fn begin<C: Probed>(cluster: &Arc<C>, check: ActiveCheckOptions) {
    let cluster = Arc::downgrade(cluster);
    tokio::spawn(in_log_boxed(async move {
        let mut ticks = interval(check.interval);
        // Whoever was slow is not asked twice in a row for it.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(cluster) = cluster.upgrade() else { return };
            round(&cluster, &check).await;
        }
    }));
}

/// Asks all at once.
async fn round<C: Probed>(cluster: &Arc<C>, check: &ActiveCheckOptions) {
    let mut probes = JoinSet::new();
    for destination in cluster.destinations() {
        let (cluster, destination) = (Arc::clone(cluster), Arc::clone(destination));
        let check = check.clone();
        probes.spawn(in_log(async move {
            let asked = ask(&*cluster, &destination, &check);
            let failure = match timeout(check.timeout, asked).await {
                Ok(answered) => answered.err(),
                Err(_) => Some(format!("no answer within {}", seconds(check.timeout))),
            };
            take(&cluster, &destination, &check, failure);
        }));
    }
    while probes.join_next().await.is_some() {}
}

fn take<C: Probed>(
    cluster: &Arc<C>,
    destination: &Destination,
    check: &ActiveCheckOptions,
    failure: Option<String>,
) {
    let (name, id) = (&*destination.options.name, cluster.id());
    if let Some(failure) = &failure {
        events::probe_failed(name, id, failure);
    }
    if destination.kept.health.probed(failure.is_none(), check.threshold) {
        cluster.look_again();
        match failure {
            Some(failure) => events::destination_unhealthy(name, id, "active", &failure),
            None => events::destination_healthy(name, id, "active"),
        }
    }
}

/// Asks one; why it is not healthy if it is not.
async fn ask<C: Probed>(
    cluster: &C,
    destination: &Destination,
    check: &ActiveCheckOptions,
) -> Result<(), String> {
    let options = &destination.options;
    let address: &DestinationAddress = options.health.as_ref().unwrap_or(&options.address);
    // Asked elsewhere, it is asked on connections of the question's own.
    let elsewhere;
    let server = match options.health {
        None => &destination.server,
        Some(_) => {
            elsewhere = Server::new(Arc::clone(cluster.client()), place_of(address));
            &elsewhere
        }
    };
    // Asked elsewhere, it is asked directly.
    let before_path = match options.health {
        None => &*destination.before_path,
        Some(_) => &*address.base_path,
    };
    let path = match (before_path, &*check.path) {
        ("", "") => "/".to_owned(),
        (before, path) => format!("{before}{path}"),
    };
    let target = path + &check.query;
    let who = concat!("kestrel/", env!("CARGO_PKG_VERSION"), " (Active Health Check Monitor)");
    let mut fields = HeaderMap::new();
    fields.insert(USER_AGENT, HeaderValue::from_static(who));
    let host = options.host.as_deref().unwrap_or(&address.authority);
    let mut outgoing = Outgoing {
        method: &Method::GET,
        target: target.as_bytes(),
        host: host.as_bytes(),
        fields: &fields,
        content: None,
        upgrade: None,
        version: cluster.version(),
        activity_timeout: check.timeout,
        takes: &|_| false,
        leaves_lines: None,
    };
    let status = match server.send(&mut outgoing, &mut |_, _| {}).await {
        Ok(Answer::Response(response)) => response.status(),
        Ok(Answer::Lines(response, _)) => response.status(),
        Ok(Answer::Upgraded(..)) => return Err("it answered with another protocol".to_owned()),
        Err(failure) => return Err(failure.to_string()),
    };
    match status.is_success() {
        true => Ok(()),
        false => Err(format!("it answered {}", status.as_u16())),
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
