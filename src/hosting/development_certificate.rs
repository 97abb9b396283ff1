//! The certificate of https endpoints that have none: that of development, as .NET keeps it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::surroundings::Surroundings;
use crate::dev_certificates::{self, Trust};
use crate::diagnostics::{Notice, events};
use crate::tls::certificate::ServerCertificate;
use crate::tls::{self, CertificateLocation, CertificateSource, Secret};

/// How to come by one.
pub(super) const TO_MAKE_ONE: &str = "make one for development: kestrel dev-certs https";

/// What is to be said of the development certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Development {
    /// The application's file is served.
    FileUsed {
        subject: String,
        thumbprint: String,
    },
    FileMissing(PathBuf),
    FileUnreadable(PathBuf),
    Missing,
    NotTrusted,
    PartlyTrusted {
        /// The command that is left to do, where trusting it anew would change nothing.
        command: Option<String>,
    },
}

impl Development {
    /// In words.
    pub(super) fn notice(&self) -> Notice {
        match self {
            Self::FileUsed { subject, thumbprint } => {
                events::development_certificate_used(subject, thumbprint)
            }
            Self::FileMissing(path) => {
                events::development_file_missing(&path.display().to_string())
            }
            Self::FileUnreadable(path) => {
                events::development_file_unreadable(&path.display().to_string())
            }
            Self::Missing => events::development_certificate_missing(),
            Self::NotTrusted => events::development_certificate_not_trusted(),
            Self::PartlyTrusted { command } => {
                events::development_certificate_partly_trusted(command.as_deref())
            }
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) certificate: Option<Arc<ServerCertificate>>,
    /// What is to be said of it.
    pub(super) said: Vec<Development>,
    /// The files that were looked at.
    pub(super) files: Vec<PathBuf>,
}

/// Looks for it: the application's file, if there is a `password` for it, else the user's.
pub(super) fn find(
    password: Option<&Secret>,
    surroundings: &Surroundings,
    now: SystemTime,
) -> Found {
    let mut found = Found::default();
    found.certificate = of_application(password, surroundings, now, &mut found)
        .or_else(|| of_user(surroundings, now, &mut found));
    if found.certificate.is_none() {
        found.said.push(Development::Missing);
    }
    found
}

/// The application's development file, if a password for it is set. Neither its version nor
/// its dates are looked at, as on Kestrel.
fn of_application(
    password: Option<&Secret>,
    Surroundings { places, application, .. }: &Surroundings,
    now: SystemTime,
    found: &mut Found,
) -> Option<Arc<ServerCertificate>> {
    let password = password?.clone();
    let path = places.development_file(application);
    found.files.push(path.clone());
    if !path.exists() {
        found.said.push(Development::FileMissing(path));
        return None;
    }
    let location =
        CertificateLocation::File { path: path.clone(), key_path: None, password: Some(password) };
    let source =
        CertificateSource::new("Development", "Kestrel:Certificates:Development", location);
    let Ok(certificate) = tls::load::load(&source, places, now) else {
        found.said.push(Development::FileUnreadable(path));
        return None;
    };
    let leaf = certificate.certified.cert.first()?;
    if !dev_certificates::is_development_certificate(leaf) {
        return None;
    }
    found.said.push(Development::FileUsed {
        subject: certificate.facts.subject.clone(),
        thumbprint: certificate.facts.thumbprint.clone(),
    });
    Some(Arc::new(certificate))
}

/// The user's development certificate.
fn of_user(
    surroundings: &Surroundings,
    now: SystemTime,
    found: &mut Found,
) -> Option<Arc<ServerCertificate>> {
    let user = dev_certificates::find(&surroundings.places, now)?;
    let chain = user.certificates.into_iter().map(Into::into).collect();
    let certificate = ServerCertificate::from_pkcs8(chain, user.key).ok()?;
    found.said.extend(match user.trust {
        Trust::None => Some(Development::NotTrusted),
        Trust::Partial => Some(Development::PartlyTrusted { command: user.trust_command }),
        Trust::Full => None,
    });
    Some(Arc::new(certificate))
}

/// Where it was looked for in vain, and what there was instead; `said` is what was said of it.
pub(super) fn looked_at(
    password: Option<&Secret>,
    said: &[Development],
    Surroundings { places, application, .. }: &Surroundings,
    now: SystemTime,
) -> Vec<String> {
    let file = places.development_file(application);
    let found = match password {
        None => "not looked at (Kestrel:Certificates:Development:Password is not set)",
        Some(_) if !file.exists() => "missing",
        Some(_) if said.contains(&Development::FileUnreadable(file.clone())) => {
            "unreadable, or not with Kestrel:Certificates:Development:Password"
        }
        Some(_) => "no development certificate",
    };
    let why_none = dev_certificates::why_none(places, now);
    let looked_at = [(file, found), (places.store("My"), &*why_none)];
    looked_at.map(|(path, found)| format!("{}: {found}", path.display())).into()
}
