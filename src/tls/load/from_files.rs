//! Certificates in files: PEM or DER with a key file, and PKCS#12.

use std::path::{Path, PathBuf};

use der::{AnyRef, Encode, Reader, SliceReader};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::content::{Content, KeyForm, is_certificate, text};
use super::key::{self, KeyFault};
use super::pem::{Fault, Pem};
use super::told::Told;
use super::{file, unfit};
use crate::configuration::Problem;
use crate::tls::CertificateSource;
use crate::tls::certificate::{ServerCertificate, Unfit};
use crate::tls::pfx;

/// `Path` with `KeyPath`.
pub(super) fn certificate_and_key(
    source: &CertificateSource,
    path: &Path,
    key_path: &Path,
    password: Option<&str>,
) -> Result<ServerCertificate, Problem> {
    let bytes = file::read(path).map_err(|told| told.of(source, "Path"))?;
    let Chain { certificates, skipped } =
        certificates(&bytes, path).map_err(|(told, setting)| told.of(source, setting))?;

    let key_bytes = file::read(key_path).map_err(|told| told.of(source, "KeyPath"))?;
    let key = key::read(&key_bytes, password).map_err(|fault| {
        let setting = match fault {
            KeyFault::NoPassword | KeyFault::NotEncrypted | KeyFault::WrongPassword => "Password",
            _ => "KeyPath",
        };
        key_told(fault, key_path).of(source, setting)
    })?;
    let mut files = vec![path.to_owned()];
    if key_path != path {
        files.push(key_path.to_owned());
    }
    let mut loaded = put_together(source, certificates, key, (path, key_path), files)?;
    loaded.skipped = skipped;
    Ok(loaded)
}

/// `Path` alone: a PKCS#12 file.
pub(super) fn pfx(
    source: &CertificateSource,
    path: &Path,
    password: Option<&str>,
) -> Result<ServerCertificate, Problem> {
    let bytes = file::read(path).map_err(|told| told.of(source, "Path"))?;
    let identity = pfx::read(&bytes, password.unwrap_or_default()).map_err(|error| {
        let (told, setting) = pfx_told(&error, &bytes, path, password.is_some());
        told.of(source, setting)
    })?;
    let certificates = identity.certificates.into_iter().map(CertificateDer::from).collect();
    let key = PrivatePkcs8KeyDer::from(identity.key).into();
    put_together(source, certificates, key, (path, path), vec![path.to_owned()])
}

fn put_together(
    source: &CertificateSource,
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    (path, key_path): (&Path, &Path),
    files: Vec<PathBuf>,
) -> Result<ServerCertificate, Problem> {
    ServerCertificate::new(certificates, key, files).map_err(|reason| {
        let setting = match reason {
            Unfit::OtherKey { .. } | Unfit::KeyKind(_) | Unfit::BrokenKey if key_path != path => {
                "KeyPath"
            }
            _ => "Path",
        };
        let (path, key_path) = (path.display().to_string(), key_path.display().to_string());
        unfit(reason, &path, &key_path).of(source, setting)
    })
}

/// The certificates of a file, and what of it was skipped.
#[derive(Debug)]
struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    skipped: Option<String>,
}

fn certificates(bytes: &[u8], path: &Path) -> Result<Chain, (Told, &'static str)> {
    let shown = path.display();
    let content = Content::of(bytes);
    if content == Content::DerCertificate {
        return Ok(Chain { certificates: vec![bytes.to_vec().into()], skipped: None });
    }
    let text = text(bytes);
    let pem = Pem::read(&text);
    let broken = pem.broken.iter().find(|broken| is_certificate(broken.label)).map(|broken| {
        format!(
            "the section {} on line {} {}",
            broken.label,
            broken.line,
            fault_words(broken.fault)
        )
    });
    let certificates: Vec<_> = pem
        .sections
        .into_iter()
        .filter(|section| is_certificate(section.label))
        .map(|section| match section.label {
            "TRUSTED CERTIFICATE" => first_element(&section.der).unwrap_or(section.der),
            _ => section.der,
        })
        .map(CertificateDer::from)
        .collect();
    if !certificates.is_empty() {
        return Ok(Chain { certificates, skipped: broken });
    }
    let expected = "name the PEM or DER file of the certificate";
    Err(match (content, broken) {
        (_, Some(broken)) => (
            Told::new("ASN1 corrupted data.")
                .cause(format!("{shown} has a certificate that is not complete: {broken}."))
                .fix("copy the file anew, from the line -----BEGIN CERTIFICATE----- to the line -----END CERTIFICATE-----"),
            "Path",
        ),
        (Content::Pfx, None) => (
            Told::new("The provided key file is missing or invalid.")
                .cause(format!("{shown} {}.", content.words()))
                .fix("remove KeyPath, and set Password if the file has one"),
            "KeyPath",
        ),
        (Content::DerPkcs7 | Content::Pem { pkcs7: true, .. }, None) => (
            Told::new("The provided key file is missing or invalid.")
                .cause(format!("{shown} {}.", content.words()))
                .fix(format!("convert it: openssl pkcs7 -in '{shown}' -print_certs -out certificate.pem (for DER with -inform DER)")),
            "Path",
        ),
        (Content::Empty, None) => (
            Told::new("Error occurred during a cryptographic operation.")
                .cause(format!("{shown} is empty."))
                .fix(expected),
            "Path",
        ),
        (_, None) => (
            Told::new("ASN1 corrupted data.").cause(format!("{shown} {}.", content.words())).fix(expected),
            "Path",
        ),
    })
}

/// The first element of several in a row: behind a certificate that OpenSSL calls trusted, stands
/// what it is trusted for.
fn first_element(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    reader.decode::<AnyRef<'_>>().ok()?.to_der().ok()
}

fn fault_words(fault: Fault) -> &'static str {
    match fault {
        Fault::NotClosed => "has no -----END line",
        Fault::NotBase64 => "is not base64",
        Fault::OldEncryption => "is encrypted",
    }
}

const NO_KEY: &str = "No supported key formats were found. Check that the input represents the contents of \
                      a PEM-encoded key file, not the path to such a file. (Parameter 'input')";

/// Why a key file gives no key, in words.
fn key_told(fault: KeyFault, path: &Path) -> Told {
    let shown = path.display();
    let rewrite = |why: &str| {
        format!("write the key anew, {why}: openssl pkey -in '{shown}' -aes256 -out key.pem")
    };
    match fault {
        KeyFault::NoKey(content) => {
            let fix = match content {
                Content::DerKey | Content::DerEncryptedKey => {
                    format!("convert it: openssl pkey -inform DER -in '{shown}' -out key.pem")
                }
                Content::Pfx => "remove KeyPath, and name this file in Path".to_owned(),
                Content::Pem { key: KeyForm::OpenSsh, .. } => {
                    "name the key that the certificate was requested with".to_owned()
                }
                _ => "name the PEM file of the certificate's private key; it may be that of the certificate if both are in it".to_owned(),
            };
            Told::new(NO_KEY).cause(format!("{shown} {}.", content.words())).fix(fix)
        }
        KeyFault::Broken { fault: Fault::OldEncryption, label, line } => Told::new(NO_KEY)
            .cause(format!(
                "The {label} on line {line} of {shown} is encrypted in the way of OpenSSL before 1.0 (Proc-Type: 4,ENCRYPTED), which is not read."
            ))
            .fix(rewrite("in PKCS#8 form")),
        KeyFault::Broken { fault, label, line } => Told::new(NO_KEY)
            .cause(format!("The {label} on line {line} of {shown} {}.", fault_words(fault)))
            .fix("copy the file anew, from its -----BEGIN line to its -----END line"),
        KeyFault::Several(number) => {
            Told::new("The input contains multiple keys, but only one key can be imported. (Parameter 'input')")
                .cause(format!("{shown} has {number} keys."))
                .fix("leave only the certificate's private key in the file")
        }
        KeyFault::Public => Told::new(format!("Error getting private key from '{shown}'."))
            .cause("It holds a public key only.")
            .fix("name the file of the private key that the certificate was requested with"),
        KeyFault::NoPassword => Told::new(
            "An encrypted key was found, but no password was provided. Use ImportFromEncryptedPem to import this key. (Parameter 'input')",
        )
        .cause(format!("The private key in {shown} is encrypted."))
        .fix("set Password beside KeyPath, best as a user secret or an environment variable"),
        KeyFault::NotEncrypted => Told::new(NO_KEY)
            .cause(format!("There is a password, but the private key in {shown} is not encrypted."))
            .fix("remove Password (an empty one counts as well), or encrypt the key with it"),
        KeyFault::WrongPassword => Told::new(
            "The EncryptedPrivateKeyInfo structure was decoded but was not successfully interpreted, the password may be incorrect.",
        )
        .cause(format!("The password does not open the private key in {shown}."))
        .fix(format!("correct Password; openssl pkey -in '{shown}' -noout asks for it and tells whether it is right")),
        KeyFault::Encryption(number) => {
            Told::new(format!("The private key in '{shown}' is encrypted in a way that is not read."))
                .cause(format!("Its encryption is {}.", scheme_name(&number)))
                .fix(rewrite("with the encryption of today"))
        }
        KeyFault::TooCostly(cost) => {
            Told::new(format!("The private key in '{shown}' takes too much work to decrypt."))
                .cause(format!("It asks for {cost}."))
                .fix(rewrite("with usual costs"))
        }
        KeyFault::Malformed => Told::new("ASN1 corrupted data.")
            .cause(format!("The private key in {shown} is damaged."))
            .fix("copy the file anew"),
        KeyFault::Dsa => unfit(Unfit::KeyKind("DSA".to_owned()), "", &shown.to_string()),
    }
}

fn scheme_name(number: &str) -> String {
    let name = match number {
        "1.2.840.113549.1.5.3" => "PBE with MD5 and DES",
        "1.2.840.113549.1.5.6" => "PBE with MD5 and RC2",
        "1.2.840.113549.1.5.10" => "PBE with SHA-1 and DES",
        "1.2.840.113549.1.5.11" => "PBE with SHA-1 and RC2",
        "1.2.840.113549.1.12.1.1" => "PBE with SHA-1 and RC4, 128 bits",
        "1.2.840.113549.1.12.1.2" => "PBE with SHA-1 and RC4, 40 bits",
        "1.2.840.113549.1.12.1.3" => "PBE with SHA-1 and 3DES",
        "1.2.840.113549.1.12.1.4" => "PBE with SHA-1 and 3DES, two keys",
        "1.2.840.113549.1.12.1.5" => "PBE with SHA-1 and RC2, 128 bits",
        "1.2.840.113549.1.12.1.6" => "PBE with SHA-1 and RC2, 40 bits",
        other => return format!("of the kind {other}"),
    };
    format!("{name} ({number})")
}

/// Why a file that should be PKCS#12 gives no certificate, in words, and by which setting.
fn pfx_told(
    error: &pfx::ReadError,
    bytes: &[u8],
    path: &Path,
    has_password: bool,
) -> (Told, &'static str) {
    const NO_KEY_WITH_IT: &str =
        "The server mode SSL must use a certificate with the associated private key.";
    let shown = path.display();
    match error {
        pfx::ReadError::WrongPassword => {
            let told = Told::new(
                "The certificate data cannot be read with the provided password, the password may be incorrect.",
            );
            let told = if has_password {
                told.cause(format!("The password does not open {shown}.")).fix(format!(
                    "correct Password; openssl pkcs12 -in '{shown}' -noout asks for it and tells whether it is right"
                ))
            } else {
                told.cause(format!("{shown} has a password, and none is set."))
                    .fix("set Password beside Path, best as a user secret or an environment variable")
            };
            (told, "Password")
        }
        pfx::ReadError::NoKey => (
            Told::new(NO_KEY_WITH_IT)
                .cause(format!("{shown} has certificates, but no private key."))
                .fix("export it with its private key: openssl pkcs12 -export -inkey key.pem -in certificate.pem -out certificate.pfx"),
            "Path",
        ),
        pfx::ReadError::KeyOfNoCertificate => (
            Told::new(NO_KEY_WITH_IT)
                .cause(format!("The private key in {shown} belongs to none of the certificates in it."))
                .fix("export the certificate with its own private key"),
            "Path",
        ),
        pfx::ReadError::NoCertificate => (
            Told::new(NO_KEY_WITH_IT)
                .cause(format!("{shown} has no certificate."))
                .fix("export it with the certificate: openssl pkcs12 -export -inkey key.pem -in certificate.pem -out certificate.pfx"),
            "Path",
        ),
        pfx::ReadError::Unsupported(what) => (
            Told::new(format!("The PKCS#12 file '{shown}' is of a form that is not read."))
                .cause(format!("{what}."))
                .fix("write it anew with OpenSSL 3: openssl pkcs12 -in old.pfx -nodes -out all.pem, then openssl pkcs12 -export -in all.pem -out new.pfx"),
            "Path",
        ),
        pfx::ReadError::NotPkcs12 => not_pkcs12(Content::of(bytes), &shown.to_string()),
    }
}

fn not_pkcs12(content: Content, shown: &str) -> (Told, &'static str) {
    const NO_KEY_WITH_IT: &str =
        "The server mode SSL must use a certificate with the associated private key.";
    let cause = format!("{shown} {}.", content.words());
    let told = match content {
        Content::Pem { certificate: true, key: KeyForm::Plain | KeyForm::Encrypted, .. } => {
            Told::new(NO_KEY_WITH_IT)
                .cause(format!("{cause} Without KeyPath the key in it is not read."))
                .fix(format!("set KeyPath beside Path, to the same file: {shown}"))
        }
        Content::Pem { certificate: true, .. } | Content::DerCertificate | Content::DerPkcs7 => {
            Told::new(NO_KEY_WITH_IT)
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
    };
    (told, "Path")
}
