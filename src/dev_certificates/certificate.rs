//! What a development certificate says of itself.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::prelude::{
    ASN1Time, FromDer, GeneralName, ParsedExtension, X509Certificate, X509Name,
};

use crate::tls::certificate::thumbprint;

/// The extension that makes a certificate a development certificate.
pub(super) const MARK: &str = "1.3.6.1.4.1.311.84.1.1";
/// The content of the extension before versions were counted.
const MARK_OF_OLD: &[u8] = b"ASP.NET Core HTTPS development certificate";
/// Versions from this one on are served, and pass a check.
pub(super) const MINIMUM_VERSION: u8 = 4;
/// The version that is made, and that a plain run wants to see.
pub(super) const CURRENT_VERSION: u8 = 6;
/// The one subject that the tools look for.
pub(super) const SUBJECT: &str = "CN=localhost";

/// A certificate with the mark of a development certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DevelopmentCertificate {
    /// The certificate, in DER form.
    pub(crate) der: Vec<u8>,
    /// The SHA-1 digest of it, in hexadecimal digits, upper case.
    pub(crate) thumbprint: String,
    /// Its subject, such as `CN=localhost`.
    pub(crate) subject: String,
    /// The first byte of the mark; 0 for the marks of old.
    pub(super) version: u8,
    /// The DNS names it is for.
    pub(super) dns_names: Vec<String>,
    not_before: ASN1Time,
    not_after: ASN1Time,
}

impl DevelopmentCertificate {
    /// Looks into a certificate; `None` if it is none, or has not the mark.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let mark = certificate.extensions().iter().find(|e| e.oid.to_id_string() == MARK)?;
        Some(Self {
            der: der.to_vec(),
            thumbprint: thumbprint(der),
            subject: name(certificate.subject()),
            version: version(mark.value),
            dns_names: dns_names(&certificate),
            not_before: certificate.validity().not_before,
            not_after: certificate.validity().not_after,
        })
    }

    /// Whether its dates include this time. Its last second is one of them.
    pub(super) fn is_valid_at(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        (self.not_before.timestamp()..=self.not_after.timestamp()).contains(&now)
    }

    /// Whether it is valid at this time, or was once.
    pub(super) fn has_begun_at(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        self.not_before.timestamp() <= now
    }

    /// Its dates, as `{year}-{month}-{day}{separator}{hour}:{minute}:{second}` in UTC.
    pub(super) fn dates(&self, separator: char) -> (String, String) {
        let text = |time: ASN1Time| {
            let time = time.to_datetime();
            format!(
                "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}",
                time.year(),
                u8::from(time.month()),
                time.day(),
                time.hour(),
                time.minute(),
                time.second()
            )
        };
        (text(self.not_before), text(self.not_after))
    }
}

/// As .NET's tool describes it. A key in a folder can always be exported.
impl fmt::Display for DevelopmentCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { thumbprint, subject, .. } = self;
        let (from, to) = self.dates(' ');
        write!(
            f,
            "{thumbprint} - {subject} - Valid from {from}Z to {to}Z - \
             IsHttpsDevelopmentCertificate: true - IsExportable: true"
        )
    }
}

/// The version a mark tells. Its content is bare bytes, not DER: the first one counts.
fn version(mark: &[u8]) -> u8 {
    match mark {
        text if text.len() == MARK_OF_OLD.len() && text.starts_with(b"A") => 0,
        bytes => bytes.first().copied().unwrap_or(0),
    }
}

/// A name as .NET shows it: the last part first, parts divided by a comma.
fn name(name: &X509Name<'_>) -> String {
    let part = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
        let kind = match attribute.attr_type().to_id_string().as_str() {
            "2.5.4.3" => "CN".to_owned(),
            "2.5.4.6" => "C".to_owned(),
            "2.5.4.7" => "L".to_owned(),
            "2.5.4.8" => "S".to_owned(),
            "2.5.4.10" => "O".to_owned(),
            "2.5.4.11" => "OU".to_owned(),
            "0.9.2342.19200300.100.1.25" => "DC".to_owned(),
            "1.2.840.113549.1.9.1" => "E".to_owned(),
            other => format!("OID.{other}"),
        };
        let value = match attribute.as_str() {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(attribute.as_slice()).into_owned(),
        };
        // What is printed must not steer a terminal.
        let value: String = value.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        format!("{kind}={value}")
    };
    let mut parts: Vec<String> = name.iter_attributes().map(part).collect();
    parts.reverse();
    parts.join(", ")
}

fn dns_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names =
        certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        });
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    };
    names.into_iter().flatten().filter_map(dns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_of_the_mark_is_the_version() {
        for (mark, expected) in [
            (&[6][..], 6),
            (&[6, 6], 6),
            // DER, where bare bytes belong.
            (&[2, 1, 6], 2),
            (&[], 0),
            (MARK_OF_OLD, 0),
            (b"ASP", 65),
        ] {
            assert_eq!(version(mark), expected, "{mark:?}");
        }
    }

    #[test]
    fn certificates_without_the_mark_are_none() {
        let other = include_bytes!("../../tests/data/pfx/rsa.cer");
        assert_eq!(DevelopmentCertificate::read(other), None);
        assert_eq!(DevelopmentCertificate::read(b"junk"), None);
    }
}
