//! A certificate: found or made, exported, trusted.

use std::path::{Path, is_separator};

use super::super::certificate::{CURRENT_VERSION, DevelopmentCertificate, SUBJECT};
use super::super::export;
use super::super::file::{full_path, tell_if_open, write_all};
use super::super::generate::generate;
use super::super::report::Report;
use super::super::store::{Entry, Store};
use super::super::trust::{self, Trust};
use super::listing::{self, USERS_STORE, described};
use super::plan::{Export, Form, PemKey, TrustBy, key_path};
use super::{Exit, Surroundings};

/// The first line of every failure to export.
pub(super) const NOT_EXPORTED: &str =
    "There was an error exporting the HTTPS developer certificate to a file.";
/// What is said before anything is done if trust is asked for.
pub(super) const TRUSTING: &str = "Trusting the HTTPS development certificate was requested. Trust is per-user and may require additional configuration. See https://aka.ms/dev-certs-trust for more information.";

/// Finds or makes a certificate, and does with it what is asked for.
pub(super) fn ensure(
    surroundings: &Surroundings,
    export: Option<Export>,
    trust: Option<TrustBy>,
    report: &mut Report,
) -> Exit {
    if trust.is_some() {
        report.warning(TRUSTING);
    }
    let (entry, made) = match find_or_make(surroundings, report) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let current_directory = &surroundings.current_directory;
    if let Some(export) = &export
        && let Err(exit) = write(current_directory, export, &entry, report)
    {
        return exit;
    }
    let answer = match (trust, made) {
        (None, true) => "The HTTPS developer certificate was generated successfully.",
        (None, false) => "A valid HTTPS certificate is already present.",
        (Some(trust), made) => {
            if let Some(problem) = untrusted(surroundings, &entry.certificate, trust, report) {
                report.warning(problem);
                return Exit::NotTrusted;
            }
            if made {
                "Successfully created and trusted a new HTTPS certificate."
            } else {
                "Successfully trusted the existing HTTPS certificate."
            }
        }
    };
    report.answer(answer);
    // With trust, .NET's tool does not say so.
    if let Some(export) = export
        && trust.is_none()
    {
        let path = full_path(current_directory, Path::new(&export.path));
        report.verbose_answer(format!("The certificate was exported to {}", path.display()));
    }
    Exit::Success
}

/// The certificate, and whether it had to be made.
fn find_or_make(surroundings: &Surroundings, report: &mut Report) -> Result<(Entry, bool), Exit> {
    let Surroundings { places, now, .. } = surroundings;
    let mut entries = listing::valid(places, *now, report);
    listing::tell_of_machine(report);
    listing::tell_chosen(&entries, wanted, report);
    entries.retain(|entry| wanted(&entry.certificate));
    if entries.is_empty() {
        return make(surroundings, report).map(|entry| (entry, true));
    }
    report.forget_causes();
    report.step(
        14,
        format!("Valid certificates: {}", described(&entries.iter().collect::<Vec<_>>())),
    );
    let entry = entries.swap_remove(0);
    report.step(15, format!("Selected certificate: {}", entry.certificate));
    Ok((entry, false))
}

/// Whether no new certificate is needed. A newer tool adds one beside an older one, which an older
/// tool goes on using.
fn wanted(certificate: &DevelopmentCertificate) -> bool {
    certificate.subject == SUBJECT && certificate.version >= CURRENT_VERSION
}

/// Makes a certificate, and puts it into the user's store.
fn make(surroundings: &Surroundings, report: &mut Report) -> Result<Entry, Exit> {
    report.forget_causes();
    report.step(16, "No valid certificates found.");
    report.step(17, "Generating HTTPS development certificate.");
    let made = generate(surroundings.now).ok().and_then(|made| {
        let certificate = DevelopmentCertificate::read(&made.certificate)?;
        Some(Entry::new(certificate, made.key))
    });
    let Some(entry) = made else {
        report.failure(
            19,
            "An error has occurred generating the certificate: the system has no randomness to give.",
        );
        report.error("There was an error creating the HTTPS developer certificate.");
        return Err(Exit::NotCreated);
    };
    report.step(18, "Finished generating HTTPS development certificate.");
    save(surroundings, &entry, report)?;
    report.step(51, format!("Correcting the the certificate state for '{}'.", entry.certificate));
    report.step(52, "Finished correcting the certificate state.");
    Ok(entry)
}

/// Puts a certificate into the user's store.
pub(super) fn save(
    surroundings: &Surroundings,
    entry: &Entry,
    report: &mut Report,
) -> Result<(), Exit> {
    report.step(20, format!("Saving certificate '{}' to store {USERS_STORE}.", entry.certificate));
    let store = Store::personal(&surroundings.places);
    if let Err(error) = store.save(&entry.chain, entry.key.as_deref()) {
        let why = format!("{}: {error}", store.folder().display());
        report.failed_step(22, format!("An error has occurred saving the certificate: {why}."));
        report.cause(why);
        report.fix("HOME decides where that is: set it to a folder that this user can write to");
        report.error(
            "There was an error saving the HTTPS developer certificate to the current user personal certificate store.",
        );
        return Err(Exit::NotSaved);
    }
    report.step(21, "Finished saving certificate to the store.");
    Ok(())
}

fn write(
    current_directory: &Path,
    Export { path: typed, form }: &Export,
    entry: &Entry,
    report: &mut Report,
) -> Result<(), Exit> {
    let failed = "An error has occurred while exporting the certificate:";
    let folder = folder_of(typed);
    if !current_directory.join(folder).is_dir() {
        report.failed_step(26, format!("{failed} The directory '{folder}' does not exist.  Choose permissions carefully when creating it."));
        report.warning(format!(
            "{NOT_EXPORTED} Please create the target directory before exporting. Choose permissions carefully when creating it."
        ));
        return Err(Exit::NotExported);
    }
    let (how, bare_key) = match form {
        Form::Der | Form::Pem(PemKey::None) => ("without", false),
        Form::Pem(PemKey::Plain) => ("with", true),
        _ => ("with", false),
    };
    let certificate = &entry.certificate;
    report.step(23, format!("Saving certificate '{certificate}' to {typed} {how} private key."));
    if bare_key {
        report.step(24, "Exporting certificate with private key but no password.");
    }
    if !folder.is_empty() {
        report.step(25, format!("Creating directory {folder}."));
        tell_if_open(&full_path(current_directory, Path::new(folder)), report);
    }
    let written = files(typed, form, entry).map_err(|error| error.to_string()).and_then(|files| {
        for (id, (typed, _)) in [27, 57].into_iter().zip(&files) {
            report.step(id, format!("Writing the certificate to: {typed}."));
        }
        let files = files.into_iter().map(|(typed, bytes)| (current_directory.join(typed), bytes));
        let written = match typed.as_str() {
            "" => Err("the path is empty".to_owned()),
            _ => write_all(&files.collect::<Vec<_>>())
                .map_err(|(path, error)| format!("{}: {error}", path.display())),
        };
        written.inspect_err(|why| {
            report.failed_step(
                28,
                format!("An error has occurred while writing the certificate to disk: {why}."),
            );
        })
    });
    written.map_err(|why| {
        report.failed_step(26, format!("{failed} {why}."));
        report.cause(why);
        report.warning(NOT_EXPORTED);
        Exit::NotExported
    })
}

/// The folder of a path, as it was typed; empty if none was.
fn folder_of(path: &str) -> &str {
    match path.rfind(is_separator) {
        None => "",
        Some(slash) => match path[..slash].trim_end_matches(is_separator) {
            "" => "/",
            folder => folder,
        },
    }
}

/// The files of an export: their paths as they were typed, and what is to be in them.
fn files(
    path: &str,
    form: &Form,
    entry: &Entry,
) -> Result<Vec<(String, Vec<u8>)>, export::NotEncrypted> {
    let der = &entry.certificate.der;
    let key = entry.key.as_deref().unwrap_or_default();
    let first = match form {
        Form::Der => der.clone(),
        Form::Pfx(password) => export::pfx(&entry.chain, key, password)?,
        Form::Pem(_) => export::pem("CERTIFICATE", der).into_bytes(),
    };
    let second = match form {
        Form::Pem(PemKey::Plain) => Some(export::pem("PRIVATE KEY", key)),
        Form::Pem(PemKey::Encrypted(password)) => Some(export::encrypted_pem(key, password)?),
        _ => None,
    };
    let second = second.map(|text| (key_path(path), text.into_bytes()));
    Ok(std::iter::once((path.to_owned(), first)).chain(second).collect())
}

/// Has the certificate trusted; what is to be said if not everybody does.
fn untrusted(
    surroundings: &Surroundings,
    certificate: &DevelopmentCertificate,
    by: TrustBy,
    report: &mut Report,
) -> Option<&'static str> {
    let places = &surroundings.places;
    // First the machine: what it trusts, OpenSSL trusts without being told of another folder.
    let system = match by {
        TrustBy::User => true,
        TrustBy::System => trust::system::trust(places, certificate, report),
    };
    let trust = trust::establish(places, certificate, report);
    match (trust, system) {
        (Trust::Full, true) => None,
        (Trust::None, _) => Some("There was an error trusting the HTTPS developer certificate."),
        _ => Some(
            "There was an error trusting the HTTPS developer certificate. It will be trusted by some clients but not by others.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_what_stands_before_the_last_slash() {
        for (path, expected) in [
            ("a.pfx", ""),
            ("", ""),
            ("/a.pfx", "/"),
            ("x/a.pfx", "x"),
            ("x//a.pfx", "x"),
            ("./a.pfx", "."),
            ("missing/", "missing"),
            ("~/a", "~"),
        ] {
            assert_eq!(folder_of(path), expected, "{path}");
        }
    }
}
