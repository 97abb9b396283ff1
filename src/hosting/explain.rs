//! Decisions in words: which source lost, which won, and how to turn it round.

use super::finding::{Finding, Subject};
use crate::addresses::{GivenAddress, Note, PlannedEndpoint};
use crate::configuration::{Origin, Sourced};
use crate::diagnostics::{Notice, events};

/// What is to be said about a plan before it is bound.
pub(super) fn before_binding<'a>(notes: impl IntoIterator<Item = &'a Note>) -> Vec<Finding> {
    let said = notes.into_iter().filter_map(notice);
    said.map(|notice| Finding::of_notice(Subject::Configuration, notice)).collect()
}

fn notice(note: &Note) -> Option<Notice> {
    Some(match note {
        Note::PortsOverridden { http, https, urls, lost } => {
            events::ports_overridden(http, https, &urls.value, &ports_detail(urls, lost))
        }
        Note::AddressesOverridden { addresses, won } => {
            let detail = addresses_detail(addresses, won);
            events::addresses_overridden(&joined(addresses), &detail)
        }
        Note::EndpointsOverridden { addresses, lost, preference } => {
            let detail = endpoints_detail(addresses, lost, preference);
            events::endpoints_overridden(&joined(addresses), &detail)
        }
        Note::UrlsShadowed { used, shadowed } => {
            events::urls_shadowed(&shadowed_detail(used, shadowed))
        }
        Note::NameBindsAll { host, address } => {
            events::name_binds_all(&address.value, host, &name_detail(&address.origin))
        }
        Note::BlankTrimmed { address, origin } => events::blank_trimmed(
            address,
            &format!("set by: {origin}\nfix: remove the blanks beside ';'"),
        ),
        Note::InsideOnly { endpoints, container } => {
            let addresses: Vec<_> = endpoints.iter().map(crate::addresses::planned_text).collect();
            events::inside_only(&addresses.join(", "), &inside_detail(endpoints, container))
        }
        Note::Http3NeedsTls { endpoint } => events::http3_not_enabled(endpoint),
        // Said after binding, as on Kestrel.
        Note::DefaultAddress { .. } => return None,
    })
}

/// What is to be said once everything is bound.
pub(super) fn after_binding(notes: &[Note]) -> Vec<Notice> {
    let said = notes.iter().filter_map(|note| match note {
        Note::DefaultAddress { address } => Some(events::default_address(address)),
        _ => None,
    });
    said.collect()
}

fn joined(addresses: &[GivenAddress]) -> String {
    addresses.iter().map(|address| address.text.value.as_str()).collect::<Vec<_>>().join(", ")
}

fn lines(of: impl IntoIterator<Item = String>) -> String {
    of.into_iter().collect::<Vec<_>>().join("\n")
}

fn ports_detail(urls: &Sourced<String>, lost: &[Sourced<String>]) -> String {
    let lost = lost.iter().map(|ports| format!("lost: {}, set by {}", ports.value, ports.origin));
    lines(lost.chain([
        format!("won: {}, set by {}", urls.value, urls.origin),
        "to turn it round: remove the urls; ports count only without them".to_owned(),
    ]))
}

fn addresses_detail(addresses: &[GivenAddress], won: &[PlannedEndpoint]) -> String {
    let lost = addresses.iter().map(|GivenAddress { key, text }| {
        format!("lost: {} ({key}), set by {}", text.value, text.origin)
    });
    let won = won.iter().map(|endpoint| {
        let addresses = crate::addresses::planned_text(endpoint);
        format!("won: {addresses} ({}), set by {}", endpoint.key, endpoint.origin)
    });
    let turn = "to turn it round: set PreferHostingUrls to true (--preferHostingUrls true), or remove the endpoint";
    lines(lost.chain(won).chain([turn.to_owned()]))
}

fn endpoints_detail(
    addresses: &[GivenAddress],
    lost: &[PlannedEndpoint],
    preference: &Origin,
) -> String {
    let lost = lost.iter().map(|endpoint| {
        let addresses = crate::addresses::planned_text(endpoint);
        format!("lost: {addresses} ({}), set by {}", endpoint.key, endpoint.origin)
    });
    let won = addresses
        .iter()
        .map(|address| format!("won: {}, set by {}", address.text.value, address.text.origin));
    let turn = format!("to turn it round: remove the preference, which is set by {preference}");
    lines(lost.chain(won).chain([turn]))
}

fn shadowed_detail(used: &Sourced<String>, shadowed: &Sourced<String>) -> String {
    format!(
        "used: {}, set by {}\nnot used: {}, set by {}",
        used.value, used.origin, shadowed.value, shadowed.origin
    )
}

fn inside_detail(endpoints: &[PlannedEndpoint], container: &str) -> String {
    let set = endpoints
        .iter()
        .map(|endpoint| format!("set by: {}, key {}", endpoint.origin, endpoint.key));
    let by_urls = endpoints
        .iter()
        .all(|endpoint| endpoint.key == "urls" && !matches!(endpoint.origin, Origin::Code(_)));
    let by_serve = endpoints.iter().all(|endpoint| endpoint.origin.is_of_serve());
    let fix = if by_serve {
        "--lan"
    } else if by_urls {
        "--urls http://*:8080, or no urls and the variable ASPNETCORE_HTTP_PORTS=8080"
    } else {
        "write * in the place of the loopback"
    };
    let mut set: Vec<_> = set.collect();
    set.dedup();
    let why = format!("This is a container, whose loopback is its own: {container}.");
    lines([why].into_iter().chain(set).chain([format!(
        "fix: leave it for a sidecar, which shares it; to be reached from outside: {fix}"
    )]))
}

fn name_detail(origin: &Origin) -> String {
    format!(
        "set by: {origin}\nfix: write an IP address to bind only that, or * to say that all interfaces are meant"
    )
}
