//! One cluster, and its destinations.

use super::reader::{Numbers, Reader, in_order};
use super::routes::name;
use super::{address, affinity, client, health};
use crate::apps::reverse_proxy::options::{ClusterOptions, DestinationOptions, LoadBalancing};
use crate::hosting::settings::parse::shown;

/// How destinations are chosen.
pub(in super::super) const LOAD_BALANCING: [(&str, LoadBalancing); 5] = [
    ("PowerOfTwoChoices", LoadBalancing::PowerOfTwoChoices),
    ("FirstAlphabetical", LoadBalancing::FirstAlphabetical),
    ("Random", LoadBalancing::Random),
    ("RoundRobin", LoadBalancing::RoundRobin),
    ("LeastRequests", LoadBalancing::LeastRequests),
];

/// What the metadata of a cluster can say to us.
const METADATA: [&str; 4] = ["SlowStart", "Retry", health::THRESHOLD, health::RATE_LIMIT];

/// Reads the cluster of this section.
pub(super) fn read(reader: &mut Reader<'_, '_>) -> ClusterOptions {
    let id = name(&reader.path);
    let metadata = reader.metadata(&METADATA);
    let destinations = destinations(reader, &id);
    let load_balancing =
        reader.word("LoadBalancingPolicy", (&LOAD_BALANCING, Numbers::Unknown), |text| {
            format!(
                "No matching ILoadBalancingPolicy found for the load balancing policy '{text}' set on the cluster '{id}'."
            )
        });
    let slow_start = reader.below("Metadata").time("SlowStart", |_| {
        format!("The SlowStart set in the metadata of the cluster '{id}' must be positive.")
    });
    let retry = reader.below("Metadata").boolean("Retry").unwrap_or_default();
    let affinity = affinity::read(&mut reader.below("SessionAffinity"), &id);
    let (available, active_check, passive_check) =
        health::read(&mut reader.below("HealthCheck"), (&id, &metadata));
    let client = client::read(&mut reader.below("HttpClient"), &id);
    let request = client::request(&mut reader.below("HttpRequest"), &id);
    ClusterOptions {
        destinations,
        load_balancing: load_balancing.unwrap_or_default(),
        slow_start,
        retry,
        affinity,
        available,
        active_check,
        passive_check,
        client,
        request,
        metadata,
        id,
    }
}

fn destinations(reader: &mut Reader<'_, '_>, cluster: &str) -> Vec<DestinationOptions> {
    let mut destinations = Vec::new();
    for section in in_order(&reader.section("Destinations")) {
        let key = format!("Destinations:{}", section.name());
        destinations.extend(destination(&mut reader.below(&key), cluster));
    }
    destinations
}

fn destination(reader: &mut Reader<'_, '_>, cluster: &str) -> Option<DestinationOptions> {
    let name = name(&reader.path);
    let metadata = reader.metadata(&["Weight"]);
    let weight =
        metadata.get("Weight").map(|it| (it, reader.section("Metadata").setting_at("Weight")));
    if let Some((text, Some(setting))) = weight
        && !text.trim().parse::<u32>().is_ok_and(|weight| weight > 0)
    {
        let text = shown(&setting.key, text);
        let message =
            format!("'{text}' is no weight of destination '{name}' on cluster '{cluster}'.");
        reader.wrong(setting, message, "write a whole number from 1 on");
    }
    let health = address::read(reader, "Health", |text| {
        format!("Invalid Health address '{text}' of destination '{name}' on cluster '{cluster}'.")
    });
    if reader.text("Address").is_none() {
        let message = format!("No address found for destination '{name}' on cluster '{cluster}'.");
        match reader.misspelled("Address") {
            Some(setting) => {
                let fix = format!("did you mean {}?", reader.key("Address"));
                reader.wrong(setting, message, fix);
            }
            None => {
                reader.wrong_here(message, "write its Address, such as http://localhost:3000");
            }
        }
    }
    let address = address::read(reader, "Address", |text| {
        format!("Invalid address '{text}' of destination '{name}' on cluster '{cluster}'.")
    });
    let host = host(reader, (&name, cluster));
    Some(DestinationOptions { address: address?, name, health, host, metadata })
}

/// The host that requests name.
fn host(reader: &mut Reader<'_, '_>, (name, cluster): (&str, &str)) -> Option<String> {
    let (setting, text) = reader.text("Host")?;
    let is_right =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(&byte);
    if !text.bytes().all(is_right) {
        let text = shown(&setting.key, text);
        let message =
            format!("'{text}' can be no Host of destination '{name}' on cluster '{cluster}'.");
        reader.wrong(
            setting,
            message,
            "write a host with or without a port, such as inner.example.com",
        );
        return None;
    }
    Some(text.to_owned())
}
