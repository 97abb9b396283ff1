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
#[cfg(feature = "pkcs12")]
mod encrypted_key;
#[cfg(not(feature = "pkcs12"))]
#[path = "no_encrypted_key.rs"]
mod encrypted_key;
mod file;
#[cfg(all(any(test, fuzzing), feature = "pkcs12"))]
pub(crate) mod invariants;
mod key;
mod memory;
mod not_pkcs12;
mod pem;
#[cfg(feature = "pkcs12")]
mod pkcs12;
#[cfg(not(feature = "pkcs12"))]
#[path = "no_pkcs12.rs"]
mod pkcs12;
pub(crate) mod roots;
#[cfg(feature = "pkcs12")]
mod store;
#[cfg(not(feature = "pkcs12"))]
#[path = "no_store.rs"]
mod store;
mod told;
mod trusted;
mod unfit;
#[cfg(feature = "pkcs12")]
mod user_store;
#[cfg(not(feature = "pkcs12"))]
#[path = "no_user_store.rs"]
mod user_store;
#[cfg(feature = "pkcs12")]
mod vouch;
mod wanted;

use std::path::Path;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;

use self::told::Mistake;
use super::certificate::ServerCertificate;
use super::places::Places;
use super::{CertificateLocation, CertificateSource, Secret};
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

/// Reads a certificate that other servers are shown: it need not be one for servers.
///
/// # Errors
///
/// One problem with its key, its cause and its fix. The origin is for the caller to look up.
#[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "nobody else asks other servers"))]
pub(crate) fn load_for_client(
    source: &CertificateSource,
    places: &Places,
    now: SystemTime,
) -> Result<ServerCertificate, Problem> {
    let read = match &source.location {
        CertificateLocation::File { path, key_path, password } => {
            file(source, (path, key_path.as_deref()), password, ServerCertificate::for_any_use)
        }
        _ => read(source, places, now),
    };
    read.map_err(|mistake| mistake.problem)
}

fn file(
    source: &CertificateSource,
    (path, key_path): (&Path, Option<&Path>),
    password: &Option<Secret>,
    make: certificate_and_key::Make,
) -> Result<ServerCertificate, Mistake> {
    let password = password.as_ref().map(Secret::reveal);
    match key_path {
        Some(key_path) => certificate_and_key::read(source, path, key_path, password, make),
        None => pkcs12::read(source, path, password, make),
    }
}

/// What is wrong with a key's file beside that of its certificate, which is refused already: who mends
/// the one is not to meet the other at the next start.
pub(crate) fn also_wrong(source: &CertificateSource, told: &Problem) -> Option<Problem> {
    let CertificateLocation::File { key_path: Some(key_path), path, password } = &source.location
    else {
        return None;
    };
    let key = format!("{}:KeyPath", source.key);
    if key_path == path || told.key.as_deref() == Some(&*key) {
        return None;
    }
    let password = password.as_ref().map(super::Secret::reveal);
    let also = certificate_and_key::key(source, key_path, password).err()?.problem;
    // It may be what was told.
    (also != *told).then_some(also)
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
            file(source, (path, key_path.as_deref()), password, ServerCertificate::new)
        }
        CertificateLocation::Memory(certificate) => memory::read(source, &certificate.0),
        CertificateLocation::Store { subject, store, location, allow_invalid } => {
            let wanted = wanted::Wanted {
                subject,
                store,
                location: *location,
                allow_invalid: *allow_invalid,
            };
            store::find(&wanted, places, now).map_err(|told| told.of(source, "Subject"))
        }
    }
}

/// The certificates that the system trusts, and the user's own.
pub(crate) fn trusted(places: &Places) -> Vec<CertificateDer<'static>> {
    trusted::certificates(places)
}

const NO_CERTIFICATE: &str = "Unable to configure HTTPS endpoint. No server certificate was specified, and the \
     default developer certificate could not be found or is out of date.";

/// The same of a host that looks for none by itself.
pub(crate) fn none_given() -> Problem {
    Problem::error(NO_CERTIFICATE)
        .cause("A host that reads nothing looks for no certificate.")
        .fix("give the endpoint one: TlsOptions::with(certificate)")
}

/// An https endpoint has no certificate, neither its own nor the default nor that of development.
///
/// `endpoint_key` is the key of the endpoint where there is one; `looked_at` says where a development
/// certificate would have been and what was found there, `make_one` how to come by one. Only this machine
/// reaches an endpoint that is `local`: the development certificate serves it in every environment.
pub(crate) fn none_found(
    endpoint_key: Option<&str>,
    looked_at: Vec<String>,
    make_one: &str,
    (environment, local): (&str, bool),
) -> Problem {
    let own = endpoint_key.map(|key| format!("{key}:Certificate: not set"));
    let default = "Kestrel:Certificates:Default: not set".to_owned();
    let searched: Vec<_> = own.into_iter().chain([default]).chain(looked_at).collect();
    let problem = Problem::error(NO_CERTIFICATE)
        .cause(format!("looked for in:\n  {}", searched.join("\n  ")));
    const NAME_ONE: &str = "set Kestrel:Certificates:Default:Path and \
         Kestrel:Certificates:Default:KeyPath to the PEM files of a certificate and its key";
    let fix = match environment.eq_ignore_ascii_case("Development") {
        true => make_one.to_owned(),
        false if local => format!("{NAME_ONE}; or, since only this machine reaches it, {make_one}"),
        false => NAME_ONE.to_owned(),
    };
    match endpoint_key {
        Some(key) => problem.key(key),
        None => problem,
    }
    .fix(fix)
}

#[cfg(test)]
pub(in crate::tls) mod tests;
