//! Reading the certificate that a setting names.
//!
//! In goes a [`CertificateSource`], and the folders and the clock that it may look at; out comes a
//! [`ServerCertificate`], or one problem that says what is wrong with which file, by which setting,
//! and how to put it right. The first line of a problem is Kestrel's where it has one.
//!
//! The forms (`pem`, `key`; PKCS#12 in `tls/pfx`) are read without files, and `content` names what
//! was given in the place of what was expected. What is served of it, and whether it can be, is
//! decided in `tls/certificate`.
//!
//! What it does not do: choose between certificates, or look for the development certificate.

mod certificate_and_key;
mod content;
mod file;
mod key;
mod pem;
mod pkcs12;
mod store;
mod told;
mod trusted;

use std::path::PathBuf;
use std::time::SystemTime;

use self::told::{Mistake, Told};
use super::certificate::{ServerCertificate, Unfit};
use super::places::Places;
use super::{CertificateLocation, CertificateSource};
use crate::configuration::{Problem, Severity};

/// Reads a certificate.
///
/// An expired one is served, as Kestrel does; [`ServerCertificate::announce`] says so.
///
/// # Errors
///
/// One problem with its key, its cause and its fix. The origin is for the caller to look up.
pub(crate) fn load(
    source: &CertificateSource,
    places: &Places,
    now: SystemTime,
) -> Result<ServerCertificate, Problem> {
    read(source, places, now).map_err(|mistake| mistake.problem)
}

/// Reads a default certificate that no endpoint uses: what is wrong with it ends a start of Kestrel
/// all the same, unless it is found only when it is served. That is a warning then.
pub(crate) fn check_unused(
    source: &CertificateSource,
    places: &Places,
    now: SystemTime,
) -> Option<Problem> {
    let Mistake { mut problem, only_when_served } = read(source, places, now).err()?;
    if only_when_served {
        problem.severity = Severity::Warning;
    }
    let fix = problem.fix.take().unwrap_or_default();
    Some(problem.fix(format!("{fix}; or remove {}, which no endpoint uses", source.key)))
}

fn read(
    source: &CertificateSource,
    places: &Places,
    now: SystemTime,
) -> Result<ServerCertificate, Mistake> {
    match &source.location {
        CertificateLocation::File { path, key_path, password } => {
            let password = password.as_ref().map(super::Secret::reveal);
            match key_path {
                Some(key_path) => certificate_and_key::read(source, path, key_path, password),
                None => pkcs12::read(source, path, password),
            }
        }
        CertificateLocation::Store { subject, store, location, allow_invalid } => {
            let wanted = store::Wanted {
                subject,
                store,
                location: *location,
                allow_invalid: *allow_invalid,
            };
            store::find(&wanted, places, now).map_err(|told| told.of(source, "Subject"))
        }
    }
}

/// An https endpoint has no certificate, neither its own nor the default nor that of development.
///
/// `endpoint_key` is the key of the endpoint where there is one, `development_file` the file that
/// a development certificate would have been in.
pub(crate) fn none_found(
    endpoint_key: Option<&str>,
    development_file: Option<PathBuf>,
    places: &Places,
) -> Problem {
    let mut searched = Vec::new();
    searched.extend(endpoint_key.map(|key| format!("{key}:Certificate")));
    searched.push("Kestrel:Certificates:Default".to_owned());
    searched.extend(development_file.map(|file| file.display().to_string()));
    searched.push(places.store("My").display().to_string());
    let problem = Problem::error(format!(
        "Unable to configure HTTPS endpoint. No server certificate was specified, and the default \
         developer certificate could not be found or is out of date.\n  looked for in: {}",
        searched.join(", ")
    ));
    let fix = "for development run kestrel dev-certs https; else name a certificate in \
               Kestrel:Certificates:Default, with Path and KeyPath, or with Path and Password";
    match endpoint_key {
        Some(key) => problem.key(key),
        None => problem,
    }
    .fix(fix)
}

/// Why a chain and a key cannot be served, in words. `what` names the certificate's file or its
/// place in a store, `key_file` the file of the key, which for PKCS#12 is the same.
fn unfit(unfit: Unfit, what: &str, key_file: &str) -> Told {
    const KINDS: &str =
        "use an RSA key of 2048 bits or more, or an EC key on curve P-256, P-384 or P-521";
    match unfit {
        Unfit::Empty => Told::new("The server mode SSL must use a certificate with the associated private key.")
            .cause(format!("{what} has no certificate."))
            .fix("name a file with the certificate"),
        Unfit::NotACertificate(place) => Told::new(
            "The certificate contents do not contain a PEM with a CERTIFICATE label, or the content is malformed.",
        )
        .cause(format!("Certificate {place} of {what} is not an X.509 certificate."))
        .fix("export the certificate anew; openssl x509 -in FILE -text shows what is wrong with it"),
        Unfit::CertificateKind { algorithm, words } => {
            Told::new(format!("Unknown algorithm for certificate with public key type '{algorithm}'."))
                .cause(format!("{what} has a key of a kind that cannot be served here: {words}."))
                .fix(KINDS)
        }
        Unfit::KeyKind(words) => Told::new(format!("The private key in '{key_file}' cannot be used: {words}.")).only_when_served()
            .cause("Keys of this kind or size cannot sign here, and browsers do not take them.")
            .fix(KINDS),
        Unfit::BrokenKey => Told::new("ASN1 corrupted data.")
            .cause(format!("The private key in {key_file} is damaged, or of a form that is not known."))
            .fix(format!("openssl pkey -in '{key_file}' -noout -check tells whether the key is sound; if it is: {KINDS}")),
        Unfit::OtherKey { certificate, key, alike, belongs_to } => {
            let first = if alike {
                format!("Error getting private key from '{key_file}'.")
            } else {
                "Key is not a valid public or private key.".to_owned()
            };
            let cause = format!(
                "The provided key does not match the public key for this certificate: the \
                 certificate's is {certificate}, the file's is {key}."
            );
            match belongs_to {
                Some(place) => Told::new(first)
                    .cause(format!("{cause} It is the key of certificate {place} in {what}."))
                    .fix("put the certificate of the key first in its file, and its issuers behind it"),
                None => Told::new(first)
                    .cause(cause)
                    .fix("name the key that the certificate was requested with, or request a new certificate for this key"),
            }
        }
        Unfit::NotForServers { thumbprint } => Told::new(format!(
            "Certificate {thumbprint} cannot be used as an SSL server certificate. It has an Extended Key Usage \
             extension but the usages do not include Server Authentication (OID 1.3.6.1.5.5.7.3.1)."
        )).only_when_served()
        .cause(format!("{what} is a certificate for other uses, such as clients or mail."))
        .fix("request a certificate with the extended key usage serverAuth"),
    }
}

#[cfg(test)]
pub(in crate::tls) mod tests;
