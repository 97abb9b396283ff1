//! No certificate any more, or another one.

use super::super::certificate::{DevelopmentCertificate, SUBJECT};
use super::super::report::Report;
use super::super::store::{Entry, Store};
use super::super::trust;
use super::{Exit, Surroundings, ensure, listing};
use crate::tls::Secret;
use crate::tls::pfx;

const FAILED: &str =
    "There was an error trying to clean HTTPS development certificates on this machine.";

/// Removes all certificates and the trust in them. One that is to come in their place is looked
/// at before anything is removed.
pub(super) fn clean(
    surroundings: &Surroundings,
    import: Option<(String, Secret)>,
    report: &mut Report,
) -> Exit {
    let import = match import {
        None => None,
        Some((file, password)) => match read(surroundings, &file, &password, report) {
            Ok(entry) => Some((file, entry)),
            Err(exit) => return exit,
        },
    };
    report.answer(
        "Cleaning HTTPS development certificates from the machine. You may wish to update the SSL_CERT_DIR environment variable. See https://aka.ms/dev-certs-trust for more information.",
    );
    if !remove_all(surroundings, report) {
        return Exit::NotCleaned;
    }
    report
        .answer_and_causes("HTTPS development certificates successfully removed from the machine.");
    let Some((file, entry)) = import else { return Exit::Success };
    if listing::all(&surroundings.places, report).is_ok() {
        listing::finished(report);
    }
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
    let Ok(entries) = listing::all(places, report) else {
        report.error(FAILED);
        return false;
    };
    listing::finished(report);
    let is_wanted = |certificate: &DevelopmentCertificate| certificate.subject == SUBJECT;
    listing::tell_chosen(&entries, is_wanted, report);
    let mut stayed = Vec::new();
    for Entry { certificate, .. } in entries.iter().filter(|entry| is_wanted(&entry.certificate)) {
        // While somebody trusts it, it must be found again, so that this can be tried again.
        if !trust::withdraw(places, certificate, report) {
            stayed.push(certificate);
            continue;
        }
        report.step(42, format!("Removing the certificate from the user store {certificate}."));
        if let Err(error) = store.remove(certificate) {
            let why = format!("{}: {error}", store.folder().display());
            report.failed_step(
                44,
                format!("An error has occurred while removing the certificate from the user store: {why}."),
            );
            report.cause(why);
            stayed.push(certificate);
            continue;
        }
        report.step(43, "Finished removing the certificate from the user store.");
    }
    if stayed.is_empty() {
        return true;
    }
    let each = stayed.iter().map(|DevelopmentCertificate { thumbprint, .. }| {
        format!("There was an error removing the certificate with thumbprint '{thumbprint}'.")
    });
    report.error(std::iter::once(FAILED.to_owned()).chain(each).collect::<Vec<_>>().join("\n"));
    false
}

/// Reads what is to be imported.
fn read(
    surroundings: &Surroundings,
    file: &str,
    password: &Secret,
    report: &mut Report,
) -> Result<Entry, Exit> {
    let mut refused = |exit, told: String, why: Option<String>| {
        report.error(told);
        if let Some(why) = why {
            report.error(format!("  {why}"));
        }
        report.error("  Nothing was removed.");
        Err(exit)
    };
    let path = surroundings.current_directory.join(file);
    if !path.is_file() {
        let why = path.is_dir().then(|| "it is a directory".to_owned());
        return refused(
            Exit::ImportMissing,
            format!("The certificate file '{file}' does not exist."),
            why,
        );
    }
    let others = Store::personal(&surroundings.places).entries();
    if let Some(other) = others.iter().find(|entry| entry.certificate.subject != SUBJECT) {
        return refused(
            Exit::OthersPresent,
            "There are one or more ASP.NET Core HTTPS development certificates present in the environment. Remove them before importing the given certificate.".to_owned(),
            Some(format!(
                "{} is for {}, and --clean removes those for {SUBJECT}",
                other.path.display(),
                other.certificate.subject
            )),
        );
    }
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    let identity = match read
        .and_then(|bytes| pfx::read(&bytes, password.reveal()).map_err(|error| error.to_string()))
    {
        Ok(identity) => identity,
        Err(why) => {
            return refused(
                Exit::ImportUnreadable,
                format!(
                    "The provided certificate file '{file}' is not a valid PFX file or the password is incorrect."
                ),
                Some(why),
            );
        }
    };
    let leaf = identity.certificates.first().and_then(|der| DevelopmentCertificate::read(der));
    let (certificate, why) = match leaf {
        Some(leaf) if leaf.subject == SUBJECT => (Some(leaf), None),
        Some(leaf) => (None, Some(format!("it is for {}, and not for {SUBJECT}", leaf.subject))),
        None => (None, None),
    };
    let Some(certificate) = certificate else {
        return refused(
            Exit::ImportOfAnother,
            format!(
                "The certificate at '{file}' is not a valid ASP.NET Core HTTPS development certificate."
            ),
            why,
        );
    };
    Ok(Entry::new(certificate, identity.key))
}
