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
    let path = surroundings.current_directory.join(file);
    if file.is_empty() || !path.is_file() {
        report.failed_step(59, format!("The file '{file}' does not exist."));
        let why = match file {
            "" => Some("the path is empty".to_owned()),
            _ => path.is_dir().then(|| "it is a directory".to_owned()),
        };
        let told = format!("The certificate file '{file}' does not exist.");
        return Err(refused(Exit::ImportMissing, told, why, report));
    }
    no_others(surroundings, report)?;
    let loaded = std::fs::read(&path).map_err(|error| error.to_string());
    let loaded = loaded
        .and_then(|bytes| pfx::read(&bytes, password.reveal()).map_err(|error| error.to_string()));
    let identity = loaded.map_err(|why| {
        report.step(61, format!("Loading certificate from path '{file}'."));
        report.failed_step(
            63,
            format!("An error has occurred while loading the certificate from disk: {why}."),
        );
        let told = format!(
            "The provided certificate file '{file}' is not a valid PFX file or the password is incorrect."
        );
        refused(Exit::ImportUnreadable, told, Some(why), report)
    })?;
    let leaf = identity.certificates.first().and_then(|der| DevelopmentCertificate::read(der));
    let why = match leaf {
        Some(leaf) if leaf.subject == SUBJECT => return Ok(Entry::new(leaf, identity.key)),
        Some(leaf) => Some(format!("it is for {}, and not for {SUBJECT}", leaf.subject)),
        None => None,
    };
    report.step(61, format!("Loading certificate from path '{file}'."));
    report.failed_step(
        64,
        format!("The provided certificate '{file}' is not a valid ASP.NET Core HTTPS development certificate."),
    );
    let told = format!(
        "The certificate at '{file}' is not a valid ASP.NET Core HTTPS development certificate."
    );
    Err(refused(Exit::ImportOfAnother, told, why, report))
}

/// Makes sure that there will be no other certificate in the store.
fn no_others(surroundings: &Surroundings, report: &mut Report) -> Result<(), Exit> {
    let mut others = Store::personal(&surroundings.places).entries();
    others.retain(|entry| entry.certificate.subject != SUBJECT);
    let Some(first) = others.first() else { return Ok(()) };
    let all = listing::described(&others.iter().collect::<Vec<_>>());
    report.failed_step(60, format!("One or more HTTPS certificates exist '{all}'."));
    let why = format!(
        "{} is for {}; --clean removes those for {SUBJECT} only\n  fix: remove that file",
        first.path.display(),
        first.certificate.subject
    );
    let told = "There are one or more ASP.NET Core HTTPS development certificates present in the environment. Remove them before importing the given certificate.";
    Err(refused(Exit::OthersPresent, told.to_owned(), Some(why), report))
}

/// Tells why nothing was imported.
fn refused(exit: Exit, told: String, why: Option<String>, report: &mut Report) -> Exit {
    let lines = [Some(told), why.map(|why| format!("  {why}"))];
    let lines = lines.into_iter().flatten().chain(["  Nothing was removed.".to_owned()]);
    report.error(lines.collect::<Vec<_>>().join("\n"));
    exit
}
