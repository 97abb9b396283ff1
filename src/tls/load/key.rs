//! A private key out of a PEM file, encrypted or not.

use std::path::Path;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::content::{Content, KeyForm, key_form, text};
use super::encrypted_key::{self, Locked};
use super::pem::{Broken, Fault, Pem};
use super::told::{Told, rewrite_key};
use super::unfit;
use crate::tls::certificate::Unfit;

/// Why a file gives no private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyFault {
    /// There is none in it.
    NoKey(Content),
    /// The section that should be one cannot be read.
    Broken { label: String, line: usize, fault: Fault },
    /// There are several.
    Several(usize),
    /// There is a public key in the place of a private one.
    Public,
    /// There is a password, and it is not encrypted.
    NotEncrypted,
    /// It is encrypted, and stays closed.
    Locked(Locked),
    /// It is a DSA key in a form of its own.
    Dsa,
}

/// Reads the private key of a file.
///
/// With a password, even an empty one, only an encrypted key will do, as with Kestrel.
pub(super) fn read(
    file: &[u8],
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, KeyFault> {
    let text = text(file);
    let mut pem = Pem::read(&text);
    let of =
        |form: KeyForm| pem.sections.iter().filter(move |section| key_form(section.label) == form);
    let plain = of(KeyForm::Plain).count();
    let encrypted = of(KeyForm::Encrypted).count();
    let public = of(KeyForm::Public).count();

    let (wanted, number) = match password {
        Some(_) if encrypted == 0 && plain > 0 => return Err(KeyFault::NotEncrypted),
        Some(_) => (KeyForm::Encrypted, encrypted),
        // The reference counts public keys, too: which of them is meant is not ours to guess.
        None if plain + public > 1 => return Err(KeyFault::Several(plain + public)),
        None if plain == 0 && public == 1 => return Err(KeyFault::Public),
        None if plain == 0 && encrypted > 0 => return Err(KeyFault::Locked(Locked::no_password())),
        None => (KeyForm::Plain, plain),
    };
    if number > 1 {
        return Err(KeyFault::Several(number));
    }
    let place = pem.sections.iter().position(|section| key_form(section.label) == wanted);
    let Some(section) = place.map(|place| pem.sections.swap_remove(place)) else {
        return Err(none(file, &pem));
    };
    match section.label {
        "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(section.der).into()),
        "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(section.der).into()),
        "DSA PRIVATE KEY" => Err(KeyFault::Dsa),
        "ENCRYPTED PRIVATE KEY" => encrypted_key::open(&section.der, password.unwrap_or_default())
            .map_err(KeyFault::Locked),
        _ => Ok(PrivatePkcs8KeyDer::from(section.der).into()),
    }
}

fn none(file: &[u8], pem: &Pem<'_>) -> KeyFault {
    let is_key = |broken: &&Broken<'_>| key_form(broken.label) != KeyForm::None;
    match pem.broken.iter().find(is_key) {
        Some(Broken { label, line, fault }) => {
            KeyFault::Broken { label: (*label).to_owned(), line: *line, fault: *fault }
        }
        None => KeyFault::NoKey(Content::of(file)),
    }
}

const NO_KEY: &str = "No supported key formats were found. Check that the input represents the \
                      contents of a PEM-encoded key file, not the path to such a file. (Parameter \
                      'input')";

impl KeyFault {
    /// The setting that is to blame.
    pub(super) fn setting(&self) -> &'static str {
        match self {
            Self::NotEncrypted => "Password",
            Self::Locked(locked) => locked.setting(),
            _ => "KeyPath",
        }
    }

    /// In words, for the key file at `path`.
    pub(super) fn told(self, path: &Path) -> Told {
        let shown = path.display();
        match self {
            Self::NoKey(content) => no_key(content, &shown.to_string()),
            Self::Broken { fault: Fault::OldEncryption, label, line } => Told::new(NO_KEY)
                .cause(format!(
                    "The {label} on line {line} of {shown} is encrypted in the old form of PEM \
                     (Proc-Type: 4,ENCRYPTED), which OpenSSL wrote before 3.0 and writes with \
                     -traditional, and which is not read."
                ))
                .fix(rewrite_key(&shown.to_string(), "in PKCS#8 form")),
            Self::Broken { fault, label, line } => Told::new(NO_KEY)
                .cause(format!("The {label} on line {line} of {shown} {}.", fault.words()))
                .fix("copy the file anew, from its -----BEGIN line to its -----END line"),
            Self::Several(number) => Told::new(
                "The input contains multiple keys, but only one key can be imported. (Parameter \
                 'input')",
            )
            .cause(format!("{shown} has {number} keys."))
            .fix("leave only the certificate's private key in the file"),
            Self::Public => Told::new(format!("Error getting private key from '{shown}'."))
                .cause("It holds a public key only.")
                .fix("name the file of the private key that the certificate was requested with"),
            Self::NotEncrypted => Told::new(NO_KEY)
                .cause(format!(
                    "There is a password, but the private key in {shown} is not encrypted."
                ))
                .fix("remove Password (an empty one counts as well), or encrypt the key with it"),
            Self::Locked(locked) => locked.told(&shown.to_string()),
            Self::Dsa => unfit::told(Unfit::KeyKind("DSA".to_owned()), "", &shown.to_string()),
        }
    }
}

/// The file holds something else.
fn no_key(content: Content, shown: &str) -> Told {
    let fix = match content {
        Content::DerKey | Content::DerEncryptedKey => {
            format!("convert it: openssl pkey -inform DER -in '{shown}' -out key.pem")
        }
        Content::Pfx => "remove KeyPath, and name this file in Path".to_owned(),
        Content::Pem { key: KeyForm::OpenSsh, .. } => {
            "name the key that the certificate was requested with".to_owned()
        }
        _ => "name the PEM file of the certificate's private key; it may be that of the \
              certificate if both are in it"
            .to_owned(),
    };
    Told::new(NO_KEY).cause(format!("{shown} {}.", content.words())).fix(fix)
}

#[cfg(test)]
mod tests {
    use super::super::pem::tests::section;
    use super::*;

    #[test]
    fn a_key_is_told_by_its_section() {
        let pem = |labels: &[&str]| -> String {
            labels.iter().map(|label| section(label, b"x")).collect()
        };
        let none = |file: &str| Err(KeyFault::NoKey(Content::of(file.as_bytes())));
        let certificate = pem(&["CERTIFICATE"]);
        let cases = [
            (pem(&["PRIVATE KEY"]), None, Ok("Pkcs8")),
            (pem(&["RSA PRIVATE KEY"]), None, Ok("Pkcs1")),
            (pem(&["EC PARAMETERS", "EC PRIVATE KEY"]), None, Ok("Sec1")),
            (pem(&["DSA PRIVATE KEY"]), None, Err(KeyFault::Dsa)),
            (certificate.clone(), None, none(&certificate)),
            (certificate.clone(), Some("pw"), none(&certificate)),
            (pem(&["PUBLIC KEY"]), None, Err(KeyFault::Public)),
            (pem(&["PUBLIC KEY", "PRIVATE KEY"]), None, Err(KeyFault::Several(2))),
            (pem(&["ENCRYPTED PRIVATE KEY"; 2]), Some("pw"), Err(KeyFault::Several(2))),
            (pem(&["ENCRYPTED PRIVATE KEY"]), None, Err(KeyFault::Locked(Locked::no_password()))),
            (pem(&["PRIVATE KEY"]), Some(""), Err(KeyFault::NotEncrypted)),
        ];
        for (file, password, expected) in cases {
            let found = read(file.as_bytes(), password).map(|key| match key {
                PrivateKeyDer::Pkcs1(_) => "Pkcs1",
                PrivateKeyDer::Sec1(_) => "Sec1",
                PrivateKeyDer::Pkcs8(_) => "Pkcs8",
                _ => "other",
            });
            assert_eq!(found, expected, "{file} {password:?}");
        }
    }
}
