//! No certificate any more, or another one.

use super::super::certificate::DevelopmentCertificate;
use super::super::report::Report;
use super::super::store::{Entry, Store};
use super::super::trust;
use super::{Exit, Surroundings, ensure, listing};
use crate::tls::Secret;
use crate::tls::pfx;

/// Removes all certificates and the trust in them. One that is to come in their place is looked
/// at before anything is removed.
pub(super) fn clean(
    surroundings: &Surroundings,
    import: Option<(String, Secret)>,
    report: &mut Report,
) -> Exit {
    let import = match import
        .map(|(file, password)| read(surroundings, &file, &password).map(|entry| (file, entry)))
    {
        None => None,
        Some(Ok(import)) => Some(import),
        Some(Err((exit, told))) => {
            report.error(told);
            report.error("  Nothing was removed.");
            return exit;
        }
    };
    report.answer(
        "Cleaning HTTPS development certificates from the machine. You may wish to update the SSL_CERT_DIR environment variable. See https://aka.ms/dev-certs-trust for more information.",
    );
    if !remove_all(surroundings, report) {
        return Exit::NotCleaned;
    }
    report.answer("HTTPS development certificates successfully removed from the machine.");
    let Some((file, entry)) = import else { return Exit::Success };
    listing::all(&surroundings.places, report);
    listing::finished(report);
    report.step(61, format!("Loading certificate from path '{file}'."));
    report
        .step(62, format!("The certificate '{}' has been loaded successfully.", entry.certificate));
    if let Err(exit) = ensure::save(surroundings, &entry, report) {
        return exit;
    }
    report.answer("The certificate was successfully imported.");
    Exit::Success
}

fn remove_all(surroundings: &Surroundings, report: &mut Report) -> bool {
    let places = &surroundings.places;
    let store = Store::personal(places);
    let entries = listing::all(places, report);
    listing::finished(report);
    listing::tell_chosen(&entries, |_| true, report);
    let mut stayed = Vec::new();
    for Entry { certificate, .. } in &entries {
        // While somebody trusts it, it must be found again, so that this can be tried again.
        if !trust::withdraw(places, certificate, report) {
            stayed.push(certificate);
            continue;
        }
        report.step(42, format!("Removing the certificate from the user store {certificate}."));
        if let Err(error) = store.remove(certificate) {
            report.failure(43, format!("{}: {error}", store.folder().display()));
            stayed.push(certificate);
            continue;
        }
        report.step(43, "Finished removing the certificate from the user store.");
    }
    if !stayed.is_empty() {
        report.error(
            "There was an error trying to clean HTTPS development certificates on this machine.",
        );
    }
    for DevelopmentCertificate { thumbprint, .. } in &stayed {
        report.error(format!(
            "There was an error removing the certificate with thumbprint '{thumbprint}'."
        ));
    }
    stayed.is_empty()
}

/// Reads what is to be imported.
fn read(
    surroundings: &Surroundings,
    file: &str,
    password: &Secret,
) -> Result<Entry, (Exit, String)> {
    let path = surroundings.current_directory.join(file);
    if !path.is_file() {
        let told = format!("The certificate file '{file}' does not exist.");
        return Err((Exit::ImportMissing, told));
    }
    let unreadable = |reason: &dyn std::fmt::Display| {
        let told = format!(
            "The provided certificate file '{file}' is not a valid PFX file or the password is incorrect.\n  {reason}"
        );
        (Exit::ImportUnreadable, told)
    };
    let bytes = std::fs::read(&path).map_err(|error| unreadable(&error))?;
    let identity = pfx::read(&bytes, password.reveal()).map_err(|error| unreadable(&error))?;
    let leaf = identity.certificates.first().and_then(|der| DevelopmentCertificate::read(der));
    let Some(certificate) = leaf else {
        let told = format!(
            "The certificate at '{file}' is not a valid ASP.NET Core HTTPS development certificate."
        );
        return Err((Exit::ImportOfAnother, told));
    };
    Ok(Entry::new(certificate, identity.key))
}
