//! A certificate that can be served: its chain, its private key, and what is to be known of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_X509_EXT_EXTENDED_KEY_USAGE;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Version;

use super::distinguished_name;
use super::public_key::{self, Kind};
use crate::diagnostics::events;

/// A certificate with its chain and its private key.
///
/// Two are equal if they serve the same chain: a new key comes with a new certificate.
#[derive(Clone, Debug)]
pub(crate) struct ServerCertificate {
    /// The chain, the certificate itself first, and the key: what rustls serves.
    ///
    /// rustls' own comparison of both (`keys_match`) refuses certificates of X.509 version 1, which
    /// Kestrel serves; ours is done when this is made.
    pub(crate) certified: Arc<CertifiedKey>,
    /// What is known of the certificate.
    pub(crate) facts: CertificateFacts,
    /// The files it was read from, as they were named: links are not followed.
    pub(crate) files: Vec<PathBuf>,
    /// What of the file is not served, because it could not be read.
    pub(crate) skipped: Option<String>,
}

impl PartialEq for ServerCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.certified.cert == other.certified.cert
    }
}

impl Eq for ServerCertificate {}

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

/// Why a chain and a key cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// There is no certificate.
    Empty,
    /// One of the chain, counted from 1, is no certificate.
    NotACertificate(usize),
    /// The certificate has a key of a kind that cannot be served.
    CertificateKind { algorithm: String, words: String },
    /// The private key is of a kind that cannot sign here.
    KeyKind(String),
    /// The private key cannot be read.
    BrokenKey,
    /// The private key is that of another certificate: both kinds in words, whether they are of
    /// one algorithm, and which certificate of the chain it does belong to, counted from 1.
    OtherKey { certificate: String, key: String, alike: bool, belongs_to: Option<usize> },
    /// It is for other uses than servers.
    NotForServers { thumbprint: String },
}

impl ServerCertificate {
    /// Puts a chain, the certificate itself first, and its private key together.
    ///
    /// # Errors
    ///
    /// If rustls could not serve them, or a client would not take them.
    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        files: Vec<PathBuf>,
    ) -> Result<Self, Unfit> {
        let leaf = chain.first().ok_or(Unfit::Empty)?;
        let leaf = parse(leaf).ok_or(Unfit::NotACertificate(1))?;
        let facts = CertificateFacts::of_parsed(&leaf).ok_or(Unfit::NotACertificate(1))?;
        if let Some(place) = chain.iter().position(|der| parse(der).is_none()) {
            return Err(Unfit::NotACertificate(place + 1));
        }

        let certificate_kind = Kind::of(leaf.public_key());
        let private_kind = kind_of_private(&key);
        let mismatch = |key_kind: &Kind, belongs_to| Unfit::OtherKey {
            certificate: certificate_kind.words.clone(),
            key: key_kind.words.clone(),
            alike: certificate_kind.is_like(key_kind),
            belongs_to,
        };
        let Ok(signer) = any_supported_type(&key) else {
            return Err(match private_kind {
                None => Unfit::BrokenKey,
                Some(kind) if !kind.is_like(&certificate_kind) => mismatch(&kind, None),
                Some(kind) if can_sign(&kind.words) => Unfit::BrokenKey,
                Some(kind) => Unfit::KeyKind(kind.words),
            });
        };
        // Without a public key there is nothing to compare: rustls accepts such a pair, too.
        if let Some(public) = signer.public_key()
            && !public_key::same(leaf.public_key(), &public)
        {
            let belongs = |der: &CertificateDer<'_>| {
                parse(der).is_some_and(|other| public_key::same(other.public_key(), &public))
            };
            let belongs_to = chain.iter().position(belongs).map(|place| place + 1);
            let key_kind = kind_of_public(&public).or(private_kind);
            let key_kind = key_kind.unwrap_or_else(|| certificate_kind.clone());
            if !can_sign(&certificate_kind.words) {
                let Kind { algorithm, words } = certificate_kind;
                return Err(Unfit::CertificateKind { algorithm, words });
            }
            return Err(mismatch(&key_kind, belongs_to));
        }
        if !facts.usable_for_servers {
            return Err(Unfit::NotForServers { thumbprint: facts.thumbprint });
        }
        Ok(Self {
            certified: Arc::new(CertifiedKey::new(chain, signer)),
            facts,
            files,
            skipped: None,
        })
    }

    /// The same for a key in PKCS#8 form that was read from no file of the configuration.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub(crate) fn from_pkcs8(
        chain: Vec<CertificateDer<'static>>,
        key: Vec<u8>,
    ) -> Result<Self, Unfit> {
        Self::new(chain, PrivatePkcs8KeyDer::from(key).into(), Vec::new())
    }

    /// Tells the log what an operator wants to know of a certificate that is served from now on:
    /// names that are missing, and an end that has come or is near. `source` says what it is for.
    pub(crate) fn announce(&self, source: &str, now: SystemTime) {
        let facts = &self.facts;
        if !facts.has_subject_alternative_name {
            events::certificate_without_names(&facts.thumbprint);
        }
        if facts.version < 3 {
            events::certificate_of_old_version(source, &facts.subject, facts.version);
        }
        if let Some(skipped) = &self.skipped {
            events::certificate_file_read_in_part(source, skipped);
        }
        match facts.validity(now) {
            Validity::Valid => {}
            Validity::Expired { since } => {
                events::certificate_expired(source, &facts.subject, &timestamp(since));
            }
            Validity::NotYet { from } => {
                events::certificate_not_yet_valid(source, &facts.subject, &timestamp(from));
            }
            Validity::ExpiresSoon { at } => {
                events::certificate_expires_soon(source, &facts.subject, &timestamp(at));
            }
        }
    }
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

    fn of_parsed(certificate: &X509Certificate<'_>) -> Option<Self> {
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

/// The SHA-1 of bytes in hexadecimal, upper case. A name for a certificate, no proof of anything.
pub(crate) fn thumbprint(certificate: &[u8]) -> String {
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    hexadecimal(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref())
}

/// Bytes in hexadecimal, upper case.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The certificate in these bytes, if they are one and nothing else.
fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
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

fn kind_of_public(key: &[u8]) -> Option<Kind> {
    use x509_parser::x509::SubjectPublicKeyInfo;
    Some(Kind::of(&SubjectPublicKeyInfo::from_der(key).ok()?.1))
}

/// Whether keys of this kind can sign here: what aws-lc-rs offers to rustls.
fn can_sign(words: &str) -> bool {
    match words.strip_prefix("RSA, ").and_then(|rest| rest.strip_suffix(" bits")) {
        Some(bits) => bits.parse().is_ok_and(|bits: usize| (2048..=8192).contains(&bits)),
        None => {
            let curves = ["EC, curve P-256", "EC, curve P-384", "EC, curve P-521"];
            curves.contains(&words) || words == "Ed25519" || words.starts_with("ML-DSA-")
        }
    }
}

/// The kind of a private key, as far as its form tells.
fn kind_of_private(key: &PrivateKeyDer<'_>) -> Option<Kind> {
    use der::oid::ObjectIdentifier;
    use der::{AnyRef, Decode, Encode};

    let number = |bytes: &[u8]| -> Option<String> {
        let number: ObjectIdentifier = ObjectIdentifier::from_der(bytes).ok()?;
        Some(number.to_string())
    };
    // RFC 8017 appendix A.1.2: version, then the modulus.
    let rsa_bits = |bytes: &[u8]| -> Option<usize> {
        let fields = <Vec<AnyRef<'_>>>::from_der(bytes).ok()?;
        let modulus = fields.get(1)?.value();
        let significant = modulus.iter().skip_while(|byte| **byte == 0);
        let leading = modulus.iter().find(|byte| **byte != 0)?.leading_zeros();
        Some(significant.count() * 8 - usize::try_from(leading).ok()?)
    };
    match key {
        PrivateKeyDer::Pkcs1(key) => {
            let bits = rsa_bits(key.secret_pkcs1_der())?;
            Some(Kind::of_private(public_key::RSA, None, Some(bits)))
        }
        // RFC 5915 section 3: version, key, then the curve under tag 0.
        PrivateKeyDer::Sec1(key) => {
            let fields = <Vec<AnyRef<'_>>>::from_der(key.secret_sec1_der()).ok()?;
            let curve = fields.get(2).and_then(|field| number(field.value()));
            Some(Kind::of_private(public_key::EC, curve.as_deref(), None))
        }
        PrivateKeyDer::Pkcs8(key) => {
            let key = pkcs8::PrivateKeyInfoRef::from_der(key.secret_pkcs8_der()).ok()?;
            let curve = key.algorithm.parameters.and_then(|any| any.to_der().ok());
            let curve = curve.and_then(|any| number(&any));
            let algorithm = key.algorithm.oid.to_string();
            let bits = if algorithm == public_key::RSA {
                Some(rsa_bits(key.private_key.as_bytes())?)
            } else {
                None
            };
            Some(Kind::of_private(&algorithm, curve.as_deref(), bits))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
