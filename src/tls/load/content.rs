//! What is in a file, when it is not what was expected: so that a message can say so.

use std::borrow::Cow;

use der::{AnyRef, Decode, Tag, Tagged};
use rustls::pki_types::PrivateKeyDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::pem::Pem;

/// What a file is, as far as its bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// There is nothing in it.
    Empty,
    /// PEM, with these kinds of sections.
    Pem { certificate: bool, key: KeyForm, request: bool, pkcs7: bool },
    /// A PKCS#12 file.
    Pfx,
    /// A certificate in DER form.
    DerCertificate,
    /// A private key in DER form.
    DerKey,
    /// An encrypted private key in DER form.
    DerEncryptedKey,
    /// PKCS#7 in DER form.
    DerPkcs7,
    /// A key store of Java.
    JavaKeyStore,
    /// Nothing that we know.
    Unknown,
}

/// The form of the first key in a PEM file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyForm {
    None,
    Plain,
    Encrypted,
    Public,
    OpenSsh,
}

impl Content {
    /// Looks at the bytes of a file.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        if bytes.starts_with(&[0xFE, 0xED, 0xFE, 0xED]) {
            return Self::JavaKeyStore;
        }
        if let Some(kind) = of_der(bytes) {
            return kind;
        }
        let text = text(bytes);
        let pem = Pem::read(&text);
        let labels: Vec<&str> = pem
            .sections
            .iter()
            .map(|section| section.label)
            .chain(pem.broken.iter().map(|broken| broken.label))
            .collect();
        if labels.is_empty() {
            return Self::Unknown;
        }
        let key = labels.iter().map(|label| key_form(label)).find(|form| *form != KeyForm::None);
        Self::Pem {
            certificate: labels.iter().any(|label| is_certificate(label)),
            key: key.unwrap_or(KeyForm::None),
            request: labels.iter().any(|label| label.ends_with("CERTIFICATE REQUEST")),
            pkcs7: labels.contains(&"PKCS7"),
        }
    }

    /// In words that follow "it".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::Pem { certificate: true, key, .. } => match key {
                KeyForm::None => "is a PEM file with a certificate and no private key",
                KeyForm::Plain => "is a PEM file with a certificate and a private key",
                KeyForm::Encrypted => {
                    "is a PEM file with a certificate and an encrypted private key"
                }
                KeyForm::Public => "is a PEM file with a certificate and a public key",
                KeyForm::OpenSsh => "is a PEM file with a certificate and a key of OpenSSH",
            },
            Self::Pem { request: true, .. } => {
                "is a request for a certificate, which an authority has to sign first"
            }
            Self::Pem { pkcs7: true, .. } | Self::DerPkcs7 => {
                "is a PKCS#7 file, which has certificates but no private key"
            }
            Self::Pem { key: KeyForm::Plain, .. } => {
                "is a PEM file with a private key and no certificate"
            }
            Self::Pem { key: KeyForm::Encrypted, .. } => {
                "is a PEM file with an encrypted private key and no certificate"
            }
            Self::Pem { key: KeyForm::Public, .. } => "is a PEM file with a public key only",
            Self::Pem { key: KeyForm::OpenSsh, .. } => {
                "is a key of OpenSSH, which TLS does not use"
            }
            Self::Pem { .. } => "is a PEM file without a certificate and without a private key",
            Self::Pfx => "is a PKCS#12 (PFX) file, which has the certificate and its private key",
            Self::DerCertificate => "is a certificate in DER form, without a private key",
            Self::DerKey => "is a private key in DER form",
            Self::DerEncryptedKey => "is an encrypted private key in DER form",
            Self::JavaKeyStore => "is a key store of Java",
            Self::Unknown => {
                "is neither a certificate, nor a private key, nor a PKCS#12 (PFX) file"
            }
        }
    }
}

/// The text of a file, without its byte order mark and as UTF-8. Editors on Windows write both.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, [u8]> {
    let decode = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(unit)
            .collect();
        Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Cow::Borrowed(rest),
        [0xFF, 0xFE, rest @ ..] => decode(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => decode(rest, u16::from_be_bytes),
        _ => Cow::Borrowed(bytes),
    }
}

/// Whether a section with this label is a certificate. The two long names are OpenSSL's.
pub(super) fn is_certificate(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
}

/// What a section with this label is of a key.
pub(super) fn key_form(label: &str) -> KeyForm {
    match label {
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" => KeyForm::Plain,
        "ENCRYPTED PRIVATE KEY" => KeyForm::Encrypted,
        "PUBLIC KEY" | "RSA PUBLIC KEY" => KeyForm::Public,
        "OPENSSH PRIVATE KEY" => KeyForm::OpenSsh,
        _ => KeyForm::None,
    }
}

fn of_der(bytes: &[u8]) -> Option<Content> {
    if X509Certificate::from_der(bytes).is_ok() {
        return Some(Content::DerCertificate);
    }
    let fields = <Vec<AnyRef<'_>>>::from_der(bytes).ok()?;
    let tags: Vec<Tag> = fields.iter().map(Tagged::tag).collect();
    let first = fields.first()?;
    match tags[..] {
        // RFC 7292 section 4: version 3, then the content, then the seal.
        [Tag::Integer, Tag::Sequence, ..] if first.value() == [3] => Some(Content::Pfx),
        [Tag::Sequence, Tag::OctetString] => Some(Content::DerEncryptedKey),
        [Tag::ObjectIdentifier, ..] => Some(Content::DerPkcs7),
        _ => PrivateKeyDer::try_from(bytes).is_ok().then_some(Content::DerKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_with_any_mark() {
        let utf16: Vec<u8> = "\u{FEFF}AB".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{FEFF}AB".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [b"AB".as_slice(), b"\xEF\xBB\xBFAB", &utf16, &big] {
            assert_eq!(text(bytes).as_ref(), b"AB");
        }
    }

    #[test]
    fn a_file_is_named_by_what_is_in_it() {
        let section =
            |label: &str| format!("-----BEGIN {label}-----\nQUI=\n-----END {label}-----\n");
        let pem = |labels: &[&str]| labels.iter().map(|label| section(label)).collect::<String>();
        let cases: [(String, &str); 9] = [
            (" \n".to_owned(), "is empty"),
            ("hello".to_owned(), "is neither a certificate, nor a private key, nor"),
            (pem(&["CERTIFICATE"]), "is a PEM file with a certificate and no private key"),
            (pem(&["PRIVATE KEY", "CERTIFICATE"]), "with a certificate and a private key"),
            (pem(&["CERTIFICATE", "ENCRYPTED PRIVATE KEY"]), "and an encrypted private key"),
            (pem(&["RSA PRIVATE KEY"]), "is a PEM file with a private key and no certificate"),
            (pem(&["PUBLIC KEY"]), "with a public key only"),
            (pem(&["NEW CERTIFICATE REQUEST"]), "is a request for a certificate"),
            (pem(&["OPENSSH PRIVATE KEY"]), "is a key of OpenSSH"),
        ];
        for (file, words) in cases {
            let found = Content::of(file.as_bytes()).words();
            assert!(found.contains(words), "{file}: {found}");
        }
    }
}
