//! Certificates: what an operator wants to know of one that is served, of the development certificate, and
//! of those that clients show.

use super::categories::{CORE, HTTPS, OUR_CERTIFICATES};
use crate::diagnostics::notice::Notice;

/// The application's development file is served.
pub(crate) fn development_certificate_used(subject: &str, thumbprint: &str) -> Notice {
    notice!(CORE, DEBUG, 0,
        "Using development certificate: {certificateSubjectName} (Thumbprint: {certificateThumbprint})";
        certificateSubjectName = subject, certificateThumbprint = thumbprint)
}

/// An endpoint needs a development certificate, and there is none.
pub(crate) fn development_certificate_missing() -> Notice {
    notice!(CORE, DEBUG, 1, "Unable to locate an appropriate development https certificate.")
}

pub(crate) fn development_file_missing(path: &str) -> Notice {
    notice!(CORE, DEBUG, 2,
        "Failed to locate the development https certificate at '{certificatePath}'."; certificatePath = path)
}

pub(crate) fn development_file_unreadable(path: &str) -> Notice {
    notice!(CORE, DEBUG, 3,
        "Failed to load the development https certificate at '{certificatePath}'."; certificatePath = path)
}

pub(crate) fn development_certificate_not_trusted() -> Notice {
    notice!(
        CORE,
        WARN,
        8,
        "The ASP.NET Core developer certificate is not trusted. For information about trusting the ASP.NET Core developer certificate, see https://aka.ms/aspnet/https-trust-dev-cert",
        detail: "fix: kestrel dev-certs https --trust"
    )
}

pub(crate) fn development_certificate_partly_trusted(command: Option<&str>) -> Notice {
    let fix = match command {
        Some(command) => {
            format!("OpenSSL does not look where it lies; before the start: {command}")
        }
        None => "kestrel dev-certs https --trust".to_owned(),
    };
    notice!(
        CORE,
        WARN,
        9,
        "The ASP.NET Core developer certificate is only trusted by some clients. For information about trusting the ASP.NET Core developer certificate, see https://aka.ms/aspnet/https-trust-dev-cert",
        detail: &format!("fix: {fix}")
    )
}

/// Browsers read names only from the extension that this certificate has not.
pub(crate) fn certificate_without_names(thumbprint: &str) -> Notice {
    notice!(HTTPS, INFO, 9,
        "Certificate with thumbprint {Thumbprint} lacks the subjectAlternativeName (SAN) extension and may not be accepted by browsers.";
        Thumbprint = thumbprint)
}

/// It is served all the same, as Kestrel does: clients will complain, and this says why.
pub(crate) fn certificate_expired(source: &str, subject: &str, since: &str) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 1,
        "The certificate of {Source} ({Subject}) expired on {Since}: clients will not accept it. Renew it.";
        Source = source, Subject = subject, Since = since)
}

pub(crate) fn certificate_not_yet_valid(source: &str, subject: &str, from: &str) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 2,
        "The certificate of {Source} ({Subject}) is not valid before {From}: clients will not accept it. Is the clock right?";
        Source = source, Subject = subject, From = from)
}

pub(crate) fn certificate_expires_soon(source: &str, subject: &str, at: &str) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 3,
        "The certificate of {Source} ({Subject}) expires on {At}. Renew it in time.";
        Source = source, Subject = subject, At = at)
}

/// OpenSSL's `x509 -req` makes such ones where nobody says otherwise.
pub(crate) fn certificate_of_old_version(source: &str, subject: &str, version: u32) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 4,
        "The certificate of {Source} ({Subject}) is of X.509 version {Version}: some clients take version 3 only. Make it with extensions, such as a subjectAltName.";
        Source = source, Subject = subject, Version = version)
}

/// A part of a chain is missing from what is served.
pub(crate) fn certificate_file_read_in_part(source: &str, skipped: &str) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 5,
        "The file with the certificate of {Source} was read in part: {Skipped}. Clients may miss an issuer.";
        Source = source, Skipped = skipped)
}

/// A client showed a certificate that is not taken. Told once of each, and of so many only.
pub(crate) fn client_certificate_refused(endpoint: &str, subject: &str, reason: &str, fix: &str) {
    emit!(OUR_CERTIFICATES, INFO, 6,
        "A client of {Endpoint} was refused for its certificate ({Subject}): {Reason}.",
        detail: fix; Endpoint = endpoint, Subject = subject, Reason = reason);
}
