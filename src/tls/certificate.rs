//! A certificate that can be served: its chain, its private key, and what is to be known of it.

mod facts;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use self::facts::parse;
use super::public_key::{self, Kind};
use crate::diagnostics::{Notice, events};

pub(crate) use facts::{CertificateFacts, Validity, thumbprint, timestamp};

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
    /// Whether the program has it in memory.
    pub(crate) in_memory: bool,
}

impl PartialEq for ServerCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.certified.cert == other.certified.cert
    }
}

impl Eq for ServerCertificate {}

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
        let certificate = Self::for_any_use(chain, key, files)?;
        match certificate.facts.usable_for_servers {
            true => Ok(certificate),
            false => Err(Unfit::NotForServers { thumbprint: certificate.facts.thumbprint }),
        }
    }

    /// The same of one that a client may show.
    ///
    /// # Errors
    ///
    /// If rustls could not show them.
    pub(crate) fn for_any_use(
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
        let private_kind = Kind::of_private(&key);
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
                Some(kind) if kind.can_sign() => Unfit::BrokenKey,
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
            let key_kind = Kind::of_public(&public).or(private_kind);
            let key_kind = key_kind.unwrap_or_else(|| certificate_kind.clone());
            if !certificate_kind.can_sign() {
                let Kind { algorithm, words } = certificate_kind;
                return Err(Unfit::CertificateKind { algorithm, words });
            }
            return Err(mismatch(&key_kind, belongs_to));
        }
        Ok(Self {
            certified: Arc::new(CertifiedKey::new(chain, signer)),
            facts,
            files,
            skipped: None,
            in_memory: false,
        })
    }

    /// The same for a chain with what signs for it.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new). Where a key does not show its public part, nothing is compared.
    pub(crate) fn ready(certified: Arc<CertifiedKey>) -> Result<Self, Unfit> {
        let leaf = certified.cert.first().ok_or(Unfit::Empty)?;
        let leaf = parse(leaf).ok_or(Unfit::NotACertificate(1))?;
        let facts = CertificateFacts::of_parsed(&leaf).ok_or(Unfit::NotACertificate(1))?;
        if let Some(public) = certified.key.public_key()
            && !public_key::same(leaf.public_key(), &public)
        {
            let certificate = Kind::of(leaf.public_key());
            let key = Kind::of_public(&public).unwrap_or_else(|| certificate.clone());
            return Err(Unfit::OtherKey {
                alike: certificate.is_like(&key),
                certificate: certificate.words,
                key: key.words,
                belongs_to: None,
            });
        }
        if !facts.usable_for_servers {
            return Err(Unfit::NotForServers { thumbprint: facts.thumbprint });
        }
        let (files, skipped) = (Vec::new(), None);
        Ok(Self { certified, facts, files, skipped, in_memory: false })
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

    /// What an operator wants to know of a certificate that is served: names that are missing, and an
    /// end that has come or is near. `source` says what it is for.
    pub(crate) fn notices(&self, source: &str, now: SystemTime) -> Vec<Notice> {
        let facts = &self.facts;
        let mut notices = Vec::new();
        if !facts.has_subject_alternative_name {
            notices.push(events::certificate_without_names(&facts.thumbprint));
        }
        if facts.version < 3 {
            notices.push(events::certificate_of_old_version(source, &facts.subject, facts.version));
        }
        if let Some(skipped) = &self.skipped {
            notices.push(events::certificate_file_read_in_part(source, skipped));
        }
        notices.extend(match facts.validity(now) {
            Validity::Valid => None,
            Validity::Expired { since } => {
                Some(events::certificate_expired(source, &facts.subject, &timestamp(since)))
            }
            Validity::NotYet { from } => {
                Some(events::certificate_not_yet_valid(source, &facts.subject, &timestamp(from)))
            }
            Validity::ExpiresSoon { at } => {
                Some(events::certificate_expires_soon(source, &facts.subject, &timestamp(at)))
            }
        });
        notices
    }
}

/// The certificates of a text in PEM form, in DER form. What is broken in it is left out.
pub(crate) fn in_pem(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    CertificateDer::pem_slice_iter(text).flatten().map(|certificate| certificate.to_vec())
}

#[cfg(test)]
mod tests;
