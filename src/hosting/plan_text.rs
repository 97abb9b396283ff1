//! What `--plan` prints: the endpoints, and what requests would go through.

use super::certificates::Certificates;
use super::pipeline;
use super::prepare::Prepared;
use crate::addresses::EndpointPlan;
use crate::configuration::Origin;
use crate::pipeline::Layers;

/// What requests would go through on their way to the app; nothing, if they go straight to it.
pub(super) fn go_through(prepared: &Prepared, layers: &Layers) -> String {
    let mut lines = Vec::new();
    for on in pipeline::on(&prepared.settings.stages) {
        lines.push(format!("{} (set by {}, key {})", on.name, on.origin, on.key));
        lines.extend(on.values.iter().map(|it| match &it.origin {
            Origin::Default => format!("  {} (default)", it.value),
            origin => format!("  {} (set by {origin})", it.value),
        }));
    }
    if !layers.is_empty() {
        lines.push("the program's layers".to_owned());
    }
    if lines.is_empty() {
        return String::new();
    }
    // A program behind the host is all that there is behind the stages.
    if prepared.settings.stages.child_process.is_none() {
        lines.push("the app".to_owned());
    }
    format!("\nrequests go through:\n  {}\n", lines.join("\n  "))
}

/// The plan as a table, with the certificates that would be served.
pub(super) fn plan_table(
    plan: &EndpointPlan,
    certificates: &Certificates,
    another_server: bool,
) -> String {
    let is_ready = |place: usize| {
        let tls = plan.endpoints.get(place).and_then(|endpoint| endpoint.tls.as_ref());
        tls.is_some_and(|tls| tls.server_config.is_some())
    };
    plan.table(|place| match certificates.served(place).split_first() {
        // Another server may have one, and nobody knows.
        None if another_server => Vec::new(),
        // A configuration of rustls' has them, or chooses them.
        None if is_ready(place) => Vec::new(),
        None => vec!["no certificate".to_owned()],
        Some(((first, own), rest)) => {
            let all = certificates.served(place);
            // Without one of its own, it serves those of names alone.
            let (own, of_names) = match first.contains(":Sni:") {
                true => ("no certificate for other names".to_owned(), &all[..]),
                false => (own.clone(), rest),
            };
            let of_names = of_names.iter().map(|(of, text)| format!("{of}: {text}"));
            std::iter::once(own).chain(of_names).collect()
        }
    })
}
