//! What is to be known of a certificate, and how a moment lies to its time.

use std::time::{Duration, SystemTime};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_X509_EXT_EXTENDED_KEY_USAGE;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Version;

use crate::tls::distinguished_name;
use crate::tls::hexadecimal::hexadecimal;

/// What is known of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFacts {
    /// The SHA-1 of the certificate in hexadecimal, upper case: what .NET calls the thumbprint.
    pub(crate) thumbprint: String,
    /// Whom it is for, as .NET prints it: `CN=localhost`.
    pub(crate) subject: String,
    /// The values of the subject alone, in which a `Subject` of configuration is looked for.
    pub(crate) subject_values: String,
    /// From when it is valid.
    pub(crate) not_before: SystemTime,
    /// Until when it is valid.
    pub(crate) not_after: SystemTime,
    /// Whether it has the extension that browsers read names from (RFC 5280 section 4.2.1.6).
    pub(crate) has_subject_alternative_name: bool,
    /// The DNS names and IP addresses of that extension.
    pub(crate) names: Vec<String>,
    /// Whether it may be used by servers: it says nothing of its use, or says this one.
    pub(crate) usable_for_servers: bool,
    /// The version of X.509, 1 to 3. Some clients take 3 only.
    pub(crate) version: u32,
}

/// How a moment lies to the time that a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    /// It is valid, and will be for a while.
    Valid,
    /// It is valid, but not for long.
    ExpiresSoon {
        /// Its end.
        at: SystemTime,
    },
    /// It is valid no longer.
    Expired {
        /// Its end.
        since: SystemTime,
    },
    /// It is not valid yet.
    NotYet {
        /// Its beginning.
        from: SystemTime,
    },
}

/// How long before its end a certificate is spoken of. A certificate of 90 days is renewed a month
/// ahead by the usual tools: with two weeks left, that has failed.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

impl CertificateFacts {
    /// What is known of a certificate in DER form; `None` if it is none.
    pub(crate) fn of(certificate: &[u8]) -> Option<Self> {
        Self::of_parsed(&parse(certificate)?)
    }

    pub(super) fn of_parsed(certificate: &X509Certificate<'_>) -> Option<Self> {
        let mut names = Vec::new();
        let mut has_subject_alternative_name = false;
        let mut uses_said = false;
        let mut server_use_said = false;
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(found) => {
                    has_subject_alternative_name = true;
                    names.extend(found.general_names.iter().filter_map(name));
                }
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    uses_said = true;
                    server_use_said |= usage.server_auth;
                }
                // One that cannot be read says of no use that it is allowed.
                _ if extension.oid == OID_X509_EXT_EXTENDED_KEY_USAGE => uses_said = true,
                _ => {}
            }
        }
        let validity = certificate.validity();
        Some(Self {
            thumbprint: thumbprint(certificate.as_raw()),
            subject: distinguished_name::text(certificate.subject()),
            subject_values: distinguished_name::values(certificate.subject()),
            not_before: system_time(validity.not_before)?,
            not_after: system_time(validity.not_after)?,
            has_subject_alternative_name,
            names,
            usable_for_servers: !uses_said || server_use_said,
            version: match certificate.version() {
                X509Version(number) => number.saturating_add(1),
            },
        })
    }

    /// How `now` lies to the time it is valid.
    pub(crate) fn validity(&self, now: SystemTime) -> Validity {
        if now < self.not_before {
            Validity::NotYet { from: self.not_before }
        } else if now > self.not_after {
            Validity::Expired { since: self.not_after }
        } else if now.checked_add(SOON).is_some_and(|then| then > self.not_after) {
            Validity::ExpiresSoon { at: self.not_after }
        } else {
            Validity::Valid
        }
    }
}

/// A moment as .NET's tools print it: `2026-11-21 02:52:43Z`.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs()).ok().map(|seconds| -seconds),
    };
    let Some(time) = seconds.and_then(|seconds| ASN1Time::from_timestamp(seconds).ok()) else {
        return "a time out of all bounds".to_owned();
    };
    let time = time.to_datetime();
    let (hour, minute, second) = time.to_hms();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

/// The SHA-1 of a certificate in hexadecimal, upper case: how .NET names it. No proof of anything.
pub(crate) fn thumbprint(certificate: &[u8]) -> String {
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    hexadecimal(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref())
}

/// The certificate in these bytes, if they are one and nothing else.
pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then_some(certificate)
}

fn system_time(time: ASN1Time) -> Option<SystemTime> {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let address =
                address.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
            Some(address.ok()?.to_string())
        }
        _ => None,
    }
}
