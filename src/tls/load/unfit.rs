//! Why a chain and a key cannot be served, in words.

use super::told::Told;
use crate::tls::certificate::Unfit;

/// `what` names the certificate's file or its place in a store, `key_file` the file of the key,
/// which for PKCS#12 is the same.
pub(super) fn told(unfit: Unfit, what: &str, key_file: &str) -> Told {
    const KINDS: &str =
        "use an RSA key of 2048 bits or more, or an EC key on curve P-256, P-384 or P-521";
    match unfit {
        Unfit::Empty => {
            Told::new("The server mode SSL must use a certificate with the associated private key.")
                .cause(format!("{what} has no certificate."))
                .fix("name a file with the certificate")
        }
        Unfit::NotACertificate(place) => Told::new(
            "The certificate contents do not contain a PEM with a CERTIFICATE label, or the \
             content is malformed.",
        )
        .cause(format!("Certificate {place} of {what} is not an X.509 certificate."))
        .fix(
            "export the certificate anew; openssl x509 -in FILE -text shows what is wrong with it",
        ),
        Unfit::CertificateKind { algorithm, words } => Told::new(format!(
            "Unknown algorithm for certificate with public key type '{algorithm}'."
        ))
        .cause(format!("{what} has a key of a kind that cannot be served here: {words}."))
        .fix(KINDS),
        Unfit::KeyKind(words) => {
            Told::new(format!("The private key in '{key_file}' cannot be used: {words}."))
                .only_when_served()
                .cause("Keys of this kind or size cannot sign here, and browsers do not take them.")
                .fix(KINDS)
        }
        Unfit::BrokenKey => Told::new("ASN1 corrupted data.")
            .cause(format!(
                "The private key in {key_file} is damaged, or of a form that is not known."
            ))
            .fix(format!(
                "openssl pkey -in '{key_file}' -noout -check tells whether the key is sound; if \
                 it is: {KINDS}"
            )),
        Unfit::OtherKey { certificate, key, alike, belongs_to } => {
            let first = if alike {
                format!("Error getting private key from '{key_file}'.")
            } else {
                "Key is not a valid public or private key.".to_owned()
            };
            let (cause, fix) = no_pair(&certificate, &key, belongs_to, what);
            Told::new(first).cause(cause).fix(fix)
        }
        Unfit::NotForServers { thumbprint } => Told::new(format!(
            "Certificate {thumbprint} cannot be used as an SSL server certificate. It has an \
             Extended Key Usage extension but the usages do not include Server Authentication \
             (OID 1.3.6.1.5.5.7.3.1)."
        ))
        .only_when_served()
        .cause(format!("{what} is a certificate for other uses, such as clients or mail."))
        .fix("request a certificate with the extended key usage serverAuth"),
    }
}

/// Why a key of one kind is not that of a certificate with another, and what to do about it; the key
/// may belong to another certificate of the chain.
fn no_pair(
    certificate: &str,
    key: &str,
    belongs_to: Option<usize>,
    what: &str,
) -> (String, &'static str) {
    let kinds = if certificate == key {
        format!("both are {key}, but they are no pair")
    } else {
        format!("the certificate's is {certificate}, the file's is {key}")
    };
    let cause =
        format!("The provided key does not match the public key for this certificate: {kinds}.");
    match belongs_to {
        Some(place) => (
            format!("{cause} It is the key of certificate {place} in {what}."),
            "put the certificate of the key first in its file, and its issuers behind it",
        ),
        None => (
            cause,
            "name the key that the certificate was requested with, or request a new certificate \
             for this key",
        ),
    }
}
