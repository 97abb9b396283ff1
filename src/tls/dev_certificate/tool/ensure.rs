//! A certificate: found or made, exported, trusted.

use std::path::Path;

use super::super::certificate::{CURRENT_VERSION, DevelopmentCertificate, SUBJECT};
use super::super::export::{self, Failure};
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

/// Finds or makes a certificate, and does with it what is asked for.
pub(super) fn ensure(
    surroundings: &Surroundings,
    export: Option<Export>,
    trust: Option<TrustBy>,
    report: &mut Report,
) -> Exit {
    if trust.is_some() {
        report.warning(
            "Trusting the HTTPS development certificate was requested. Trust is per-user and may require additional configuration. See https://aka.ms/dev-certs-trust for more information.",
        );
    }
    let (entry, made) = match find_or_make(surroundings, report) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    if let Some(export) = &export
        && let Err(exit) =
            write(&surroundings.current_directory.join(&export.path), &export.form, &entry, report)
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
    if let Some(export) = export
        && report.is_verbose()
    {
        report.answer(format!("The certificate was exported to {}", export.path));
    }
    Exit::Success
}

/// The certificate, and whether it had to be made.
fn find_or_make(surroundings: &Surroundings, report: &mut Report) -> Result<(Entry, bool), Exit> {
    let Surroundings { places, now, .. } = surroundings;
    let mut entries = listing::valid(places, *now, report);
    listing::tell_of_machine(report);
    // A newer tool adds a certificate beside an older one, which an older tool goes on using.
    let wanted = |certificate: &DevelopmentCertificate| {
        certificate.subject == SUBJECT && certificate.version >= CURRENT_VERSION
    };
    listing::tell_chosen(&entries, wanted, report);
    entries.retain(|entry| wanted(&entry.certificate));
    if entries.is_empty() {
        return make(surroundings, report).map(|entry| (entry, true));
    }
    report.step(
        14,
        format!("Valid certificates: {}", described(&entries.iter().collect::<Vec<_>>())),
    );
    let entry = entries.swap_remove(0);
    report.step(15, format!("Selected certificate: {}", entry.certificate));
    Ok((entry, false))
}

fn make(surroundings: &Surroundings, report: &mut Report) -> Result<Entry, Exit> {
    report.step(16, "No valid certificates found.");
    report.step(17, "Generating HTTPS development certificate.");
    let made = generate(surroundings.now).ok().and_then(|made| {
        let certificate = DevelopmentCertificate::read(&made.certificate)?;
        Some(Entry::new(certificate, made.key))
    });
    let Some(entry) = made else {
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
        report.error(
            "There was an error saving the HTTPS developer certificate to the current user personal certificate store.",
        );
        report.error(format!("  {}: {error}", store.folder().display()));
        return Err(Exit::NotSaved);
    }
    report.step(21, "Finished saving certificate to the store.");
    Ok(())
}

fn write(path: &Path, form: &Form, entry: &Entry, report: &mut Report) -> Result<(), Exit> {
    let mut fail = |text: String| {
        report.warning(text);
        Err(Exit::NotExported)
    };
    let Some(folder) = path.parent().filter(|_| !path.is_dir()) else {
        return fail(NOT_EXPORTED.to_owned());
    };
    if !folder.is_dir() {
        return fail(format!(
            "{NOT_EXPORTED} Please create the target directory before exporting. Choose permissions carefully when creating it."
        ));
    }
    let der = &entry.certificate.der;
    let key = entry.key.as_deref().unwrap_or_default();
    let files = match form {
        Form::Der => Ok(vec![(path.to_owned(), der.clone())]),
        Form::Pfx(password) => {
            export::pfx(&entry.chain, key, password).map(|file| vec![(path.to_owned(), file)])
        }
        Form::Pem(pem_key) => {
            let certificate = (path.to_owned(), export::pem("CERTIFICATE", der).into_bytes());
            let key = match pem_key {
                PemKey::None => Ok(None),
                PemKey::Plain => Ok(Some(export::pem("PRIVATE KEY", key))),
                PemKey::Encrypted(password) => export::encrypted_pem(key, password).map(Some),
            };
            key.map(|key| {
                let key = key.map(|text| (key_path(path), text.into_bytes()));
                std::iter::once(certificate).chain(key).collect()
            })
        }
    };
    let how = match form {
        Form::Der | Form::Pem(PemKey::None) => "without",
        _ => "with",
    };
    report.step(
        23,
        format!(
            "Saving certificate '{}' to {} {how} private key.",
            entry.certificate,
            path.display()
        ),
    );
    report.step(25, format!("Creating directory {}.", folder.display()));
    let written = files.and_then(|files| export::write(folder, files, report));
    written.map_err(|failure| {
        report.warning(NOT_EXPORTED);
        report.warning(match failure {
            Failure::NotEncrypted => "  the key cannot be encrypted".to_owned(),
            Failure::NotWritten(path, error) => format!("  {}: {error}", path.display()),
        });
        Exit::NotExported
    })
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
