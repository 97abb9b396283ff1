//! What the user's store has, told step by step.

use std::cmp::Reverse;
use std::time::SystemTime;

use super::super::certificate::{DevelopmentCertificate, MINIMUM_VERSION};
use super::super::report::Report;
use super::super::store::{Contents, Entry, Store};
use crate::tls::places::Places;

/// How .NET names the user's store.
pub(super) const USERS_STORE: &str = "CurrentUser\\My";
/// How it names the machine's, which there is on Windows only.
const MACHINES_STORE: &str = "LocalMachine\\My";

/// A number of certificates in words, and each of them, in the order of their thumbprints.
pub(super) fn described(entries: &[&Entry]) -> String {
    let count = match entries.len() {
        0 => "no certificates".to_owned(),
        1 => "1 certificate".to_owned(),
        more => format!("{more} certificates"),
    };
    let mut entries = entries.to_vec();
    entries.sort_by(|a, b| a.certificate.thumbprint.cmp(&b.certificate.thumbprint));
    let lines = entries
        .iter()
        .enumerate()
        .map(|(place, entry)| format!("\n    {}) {}", place + 1, entry.certificate));
    std::iter::once(count).chain(lines).collect()
}

/// All development certificates of the user.
///
/// # Errors
///
/// The store cannot be read, which has been told.
pub(super) fn all(places: &Places, report: &mut Report) -> Result<Vec<Entry>, Unreadable> {
    report.step(1, format!("Listing certificates from {USERS_STORE}"));
    let store = Store::personal(places);
    let contents = store.contents().map_err(|error| {
        report.failed_step(7, format!("An error occurred while listing the certificates: {error}"));
        report.cause(format!("{} cannot be read: {error}", store.folder().display()));
        Unreadable
    })?;
    let Contents { entries, unread } = contents.each_once();
    for (path, error) in unread {
        report.note(format!("{} cannot be read: {error}", path.display()));
    }
    report
        .step(2, format!("Found certificates: {}", described(&entries.iter().collect::<Vec<_>>())));
    Ok(entries)
}

/// The user's store cannot be read.
pub(super) struct Unreadable;

/// Those that can be served now, the best first; none if the store cannot be read.
pub(super) fn valid(places: &Places, now: SystemTime, report: &mut Report) -> Vec<Entry> {
    let Ok(mut entries) = all(places, report) else { return Vec::new() };
    report.step(3, "Checking certificates validity");
    let by_date = |entry: &&Entry| entry.certificate.is_valid_at(now);
    let new_enough = |entry: &&Entry| entry.certificate.version >= MINIMUM_VERSION;
    let (valid, invalid): (Vec<_>, Vec<_>) = entries.iter().partition(by_date);
    let (new, old): (Vec<&Entry>, Vec<&Entry>) = valid.iter().copied().partition(new_enough);
    report.step(4, format!("Valid certificates: {}", described(&valid)));
    report.step(5, format!("Invalid certificates: {}", described(&invalid)));
    report.step(118, format!("Meets minimum version certificates: {}", described(&new)));
    report.step(119, format!("Below minimum version certificates: {}", described(&old)));
    finished(report);
    for entry in new.into_iter().filter(|entry| entry.key.is_none()) {
        report.note(format!(
            "{} cannot be served: it has no private key that belongs to its certificate",
            entry.path.display()
        ));
    }
    entries.retain(|entry| entry.key.is_some() && by_date(&entry) && new_enough(&entry));
    entries.sort_by_key(|entry| Reverse(entry.certificate.version));
    entries
}

/// Says that there is no more to list.
pub(super) fn finished(report: &mut Report) {
    report.step(6, "Finished listing certificates.");
}

/// Says what .NET says of the machine's store on Unix: that there is none.
pub(super) fn tell_of_machine(report: &mut Report) {
    report.step(1, format!("Listing certificates from {MACHINES_STORE}"));
    report.failed_step(
        7,
        "An error occurred while listing the certificates: Unix LocalMachine X509Store is limited to the Root and CertificateAuthority stores.",
    );
}

/// Tells which certificates were chosen by what they are, and which were not.
pub(super) fn tell_chosen(
    entries: &[Entry],
    chosen: impl Fn(&DevelopmentCertificate) -> bool,
    report: &mut Report,
) {
    let (yes, no): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| chosen(&entry.certificate));
    report.step(8, format!("Filtered certificates: {}", described(&yes)));
    report.step(9, format!("Excluded certificates: {}", described(&no)));
}
