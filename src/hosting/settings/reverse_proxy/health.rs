//! `HealthCheck`: which destinations may get requests.

use std::time::Duration;

use super::reader::{Numbers, Reader};
use crate::apps::reverse_proxy::options::{
    ActiveCheckOptions, AvailableDestinations, Metadata, PassiveCheckOptions,
};
use crate::configuration::text::double;
use crate::features::escaped_path;
use crate::hosting::settings::parse::shown;

/// Which destinations may get requests.
pub(in super::super) const AVAILABLE_DESTINATIONS: [(&str, AvailableDestinations); 2] = [
    ("HealthyOrPanic", AvailableDestinations::HealthyOrPanic),
    ("HealthyAndUnknown", AvailableDestinations::HealthyAndUnknown),
];

pub(super) const THRESHOLD: &str = "ConsecutiveFailuresHealthPolicy.Threshold";
pub(super) const RATE_LIMIT: &str = "TransportFailureRateHealthPolicy.RateLimit";

type Checks = (AvailableDestinations, Option<ActiveCheckOptions>, Option<PassiveCheckOptions>);

/// Reads the section of a cluster.
pub(super) fn read(reader: &mut Reader<'_, '_>, (id, metadata): (&str, &Metadata)) -> Checks {
    let known = (&AVAILABLE_DESTINATIONS[..], Numbers::Unknown);
    let available = reader.word("AvailableDestinationsPolicy", known, |text| {
        format!(
            "No matching IAvailableDestinationsPolicy found for the available destinations policy '{text}' set on the cluster '{id}'."
        )
    });
    let active = active(&mut reader.below("Active"), (id, metadata));
    let passive = passive(&mut reader.below("Passive"), (id, metadata));
    (available.unwrap_or_default(), active, passive)
}

fn active(
    reader: &mut Reader<'_, '_>,
    (id, metadata): (&str, &Metadata),
) -> Option<ActiveCheckOptions> {
    let is_on = reader.boolean("Enabled").unwrap_or_default();
    let interval = reader.time("Interval", |_| {
        format!("Destination probing interval set on the cluster '{id}' must be positive.")
    });
    let timeout = reader.time("Timeout", |_| {
        format!("Destination probing timeout set on the cluster '{id}' must be positive.")
    });
    if !is_on {
        return None;
    }
    let known = [("ConsecutiveFailures", ())];
    reader.word("Policy", (&known, Numbers::Unknown), |text| {
        format!(
            "No matching IActiveHealthCheckPolicy found for the active health check policy name '{text}' set on the cluster '{id}'."
        )
    });
    let threshold = of_metadata(reader, metadata, THRESHOLD, |number| number >= 1.0);
    // Probes are whole, and so are failures in a row.
    let threshold = threshold.map_or(2, |number| number.ceil().min(f64::from(u32::MAX)) as u32);
    let (path, query_in_path) = probe_path(reader);
    let query = match reader.text("Query") {
        Some((_, text)) => format!("?{}", text.strip_prefix('?').unwrap_or(text)),
        None => query_in_path,
    };
    Some(ActiveCheckOptions {
        interval: interval.unwrap_or(Duration::from_secs(15)),
        timeout: timeout.unwrap_or(Duration::from_secs(10)),
        threshold,
        path,
        query: query.replace(' ', "%20"),
    })
}

/// The path that is asked, with its slash, and the query that somebody has written behind it.
fn probe_path(reader: &Reader<'_, '_>) -> (String, String) {
    let Some((_, text)) = reader.text("Path") else { return Default::default() };
    let (path, query) = match text.find('?') {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let slash = if path.starts_with('/') || path.is_empty() { "" } else { "/" };
    (format!("{slash}{}", escaped_path(path)), query.to_owned())
}

fn passive(
    reader: &mut Reader<'_, '_>,
    (id, metadata): (&str, &Metadata),
) -> Option<PassiveCheckOptions> {
    let is_on = reader.boolean("Enabled").unwrap_or_default();
    let reactivation_period = reader.time("ReactivationPeriod", |_| {
        format!(
            "Unhealthy destination reactivation period set on the cluster '{id}' must be positive."
        )
    });
    if !is_on {
        return None;
    }
    if let (Some(period), Some((setting, _))) =
        (reactivation_period, reader.setting("ReactivationPeriod"))
        && period < Duration::from_secs(60)
    {
        let message = format!(
            "The ReactivationPeriod of the cluster '{id}' is shorter than the minute in which failures count: it is that minute."
        );
        reader.odd(setting, message, "write 00:01:00 or more");
    }
    let known = [("TransportFailureRate", ())];
    reader.word("Policy", (&known, Numbers::Unknown), |text| {
        format!(
            "No matching IPassiveHealthCheckPolicy found for the passive health check policy name '{text}' set on the cluster '{id}'."
        )
    });
    let rate = of_metadata(reader, metadata, RATE_LIMIT, |rate| rate > 0.0 && rate <= 1.0);
    Some(PassiveCheckOptions {
        reactivation_period: reactivation_period.unwrap_or(Duration::from_secs(60)),
        failure_rate: rate.unwrap_or(0.3),
    })
}

/// A number that stands in the metadata of the cluster. One that cannot be is told, and does not count.
fn of_metadata(
    reader: &mut Reader<'_, '_>,
    metadata: &Metadata,
    name: &str,
    is_right: impl FnOnce(f64) -> bool,
) -> Option<f64> {
    let text = metadata.get(name)?;
    let number = double(text).filter(|number| is_right(*number));
    let cluster = reader.path.rsplitn(3, ':').last().unwrap_or_default();
    let setting = reader.elsewhere(&format!("{cluster}:Metadata:{name}"));
    if let (None, Some(setting)) = (number, setting) {
        let text = shown(&setting.key, text);
        let message =
            format!("'{text}' is no number that '{name}' can do with: the default counts.");
        let fix = match name {
            THRESHOLD => "write a number from 1 on, such as 2",
            _ => "write a number above 0 and up to 1, such as 0.3",
        };
        reader.odd(setting, message, fix);
    }
    number
}
