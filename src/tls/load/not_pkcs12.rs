//! `Path` alone, and something else than a PKCS#12 file.

use super::content::{Content, KeyForm};
use super::told::Told;

/// Kestrel's words where there is a certificate and no key.
pub(super) const NO_KEY_WITH_IT: &str =
    "The server mode SSL must use a certificate with the associated private key.";

/// What is to be said of a file that should be PKCS#12, and is not.
pub(super) fn not_pkcs12(content: Content, shown: &str) -> Told {
    let cause = format!("{shown} {}.", content.words());
    match content {
        Content::Pem { certificate: true, key: KeyForm::Plain | KeyForm::Encrypted, .. } => {
            Told::new(NO_KEY_WITH_IT)
                .only_when_served()
                .cause(format!("{cause} Without KeyPath the key in it is not read."))
                .fix(format!("set KeyPath beside Path, to the same file: {shown}"))
        }
        Content::Pem { certificate: true, .. } | Content::DerCertificate | Content::DerPkcs7 => {
            Told::new(NO_KEY_WITH_IT)
                .only_when_served()
                .cause(cause)
                .fix("set KeyPath beside Path, to the PEM file of its private key")
        }
        Content::Empty => Told::new("Error occurred during a cryptographic operation.")
            .cause(cause)
            .fix("name a PKCS#12 (PFX) file, or set KeyPath as well for a PEM certificate"),
        Content::Pem { key: KeyForm::Plain | KeyForm::Encrypted, .. }
        | Content::DerKey
        | Content::DerEncryptedKey => Told::new("ASN1 corrupted data.")
            .cause(cause)
            .fix("name the certificate in Path, and this file in KeyPath"),
        _ => Told::new("ASN1 corrupted data.")
            .cause(cause)
            .fix("name a PKCS#12 (PFX) file, or set KeyPath as well for a PEM certificate"),
    }
}
