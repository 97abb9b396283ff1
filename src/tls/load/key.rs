//! A private key out of a PEM file, encrypted or not.

use std::path::Path;

use der::oid::ObjectIdentifier;
use der::{AnyRef, Decode};
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::content::{Content, KeyForm, key_form, text};
use super::pem::{Broken, Fault, Pem};
use super::told::Told;
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
    /// It is encrypted, and there is no password.
    NoPassword,
    /// There is a password, and it is not encrypted.
    NotEncrypted,
    /// The password is not that of the key.
    WrongPassword,
    /// It is encrypted in a way that we do not read; its number.
    Encryption(String),
    /// To decrypt it would take more time or memory than any tool asks for.
    TooCostly(String),
    /// It is no private key, whatever its label says.
    Malformed,
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
        None if plain == 0 && encrypted > 0 => return Err(KeyFault::NoPassword),
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
        "ENCRYPTED PRIVATE KEY" => decrypt(&section.der, password.unwrap_or_default()),
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

/// PBES2 (RFC 8018 section 6.2), the only scheme that pkcs8 decrypts.
const PBES2: &str = "1.2.840.113549.1.5.13";

fn decrypt(key: &[u8], password: &str) -> Result<PrivateKeyDer<'static>, KeyFault> {
    // The scheme is read by hand first: of one it does not know, the crate tells no name.
    let scheme = scheme(key).ok_or(KeyFault::Malformed)?;
    if scheme != PBES2 {
        return Err(KeyFault::Encryption(scheme));
    }
    let key = EncryptedPrivateKeyInfoRef::from_der(key).map_err(|error| match error.kind() {
        der::ErrorKind::OidUnknown { oid } => KeyFault::Encryption(oid.to_string()),
        _ => KeyFault::Malformed,
    })?;
    let kdf = key.encryption_algorithm.pbes2().map(|scheme| &scheme.kdf);
    // The crate takes the logarithm of it, and panics.
    if kdf.and_then(Kdf::scrypt).is_some_and(|scrypt| scrypt.cost_parameter == 0) {
        return Err(KeyFault::Malformed);
    }
    if let Some(cost) = kdf.and_then(too_costly) {
        return Err(KeyFault::TooCostly(cost));
    }
    let decrypted = key.decrypt(password).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs5::Error::UnsupportedAlgorithm { oid }
            | pkcs5::Error::AlgorithmParametersInvalid { oid },
        ) => KeyFault::Encryption(oid.to_string()),
        // A wrong password can end in good padding by chance: then what comes out is noise.
        _ => KeyFault::WrongPassword,
    })?;
    if pkcs8::PrivateKeyInfoRef::try_from(decrypted.as_bytes()).is_err() {
        return Err(KeyFault::WrongPassword);
    }
    Ok(PrivatePkcs8KeyDer::from(decrypted.as_bytes().to_vec()).into())
}

fn scheme(key: &[u8]) -> Option<String> {
    let fields = <Vec<AnyRef<'_>>>::from_der(key).ok()?;
    let algorithm = fields.first()?.decode_as::<Vec<AnyRef<'_>>>().ok()?;
    let scheme: ObjectIdentifier = algorithm.first()?.decode_as().ok()?;
    Some(scheme.to_string())
}

/// OpenSSL writes 2048 rounds, .NET 100,000, careful people a million. A file that asks for two
/// billion would hold the start for an hour.
const MOST_ROUNDS: u32 = 10_000_000;
/// OpenSSL's own bound for scrypt is 32 MiB.
const MOST_MEMORY: u64 = 256 << 20;

fn too_costly(kdf: &Kdf) -> Option<String> {
    match kdf {
        Kdf::Pbkdf2(kdf) if kdf.iteration_count > MOST_ROUNDS => {
            Some(format!("{} rounds of PBKDF2", kdf.iteration_count))
        }
        Kdf::Scrypt(kdf) => {
            let memory = u64::from(kdf.block_size).saturating_mul(128);
            let memory = memory.saturating_mul(kdf.cost_parameter);
            let work = memory.saturating_mul(u64::from(kdf.parallelization));
            (memory > MOST_MEMORY || work > 4 * MOST_MEMORY)
                .then(|| format!("{} MiB for scrypt", memory >> 20))
        }
        _ => None,
    }
}

const NO_KEY: &str = "No supported key formats were found. Check that the input represents the \
                      contents of a PEM-encoded key file, not the path to such a file. (Parameter \
                      'input')";

impl KeyFault {
    /// The setting that is to blame.
    pub(super) fn setting(&self) -> &'static str {
        match self {
            Self::NoPassword | Self::NotEncrypted | Self::WrongPassword => "Password",
            _ => "KeyPath",
        }
    }

    /// In words, for the key file at `path`.
    pub(super) fn told(self, path: &Path) -> Told {
        let shown = path.display();
        let rewrite = |why: &str| {
            format!(
                "write the key anew, {why}: openssl pkey -in '{shown}' -aes256 -out key.pem, and set Password to its password"
            )
        };
        match self {
            Self::NoKey(content) => no_key(content, &shown.to_string()),
            Self::Broken { fault: Fault::OldEncryption, label, line } => Told::new(NO_KEY)
                .cause(format!(
                    "The {label} on line {line} of {shown} is encrypted in the old form of PEM \
                     (Proc-Type: 4,ENCRYPTED), which OpenSSL wrote before 3.0 and writes with \
                     -traditional, and which is not read."
                ))
                .fix(rewrite("in PKCS#8 form")),
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
            Self::NoPassword => no_password(&shown.to_string()),
            Self::NotEncrypted => Told::new(NO_KEY)
                .cause(format!(
                    "There is a password, but the private key in {shown} is not encrypted."
                ))
                .fix("remove Password (an empty one counts as well), or encrypt the key with it"),
            Self::WrongPassword => wrong_password(&shown.to_string()),
            Self::Encryption(number) => Told::new(format!(
                "The private key in '{shown}' is encrypted in a way that is not read."
            ))
            .cause(format!("Its encryption is {}.", scheme_name(&number)))
            .fix(rewrite("with the encryption of today")),
            Self::TooCostly(cost) => {
                Told::new(format!("The private key in '{shown}' takes too much work to decrypt."))
                    .cause(format!("It asks for {cost}."))
                    .fix(rewrite("with usual costs"))
            }
            Self::Malformed => Told::new("ASN1 corrupted data.")
                .cause(format!("The private key in {shown} is damaged."))
                .fix("copy the file anew"),
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

fn no_password(shown: &str) -> Told {
    Told::new(
        "An encrypted key was found, but no password was provided. Use ImportFromEncryptedPem to \
         import this key. (Parameter 'input')",
    )
    .cause(format!("The private key in {shown} is encrypted."))
    .fix("set Password beside KeyPath, best as a user secret or an environment variable")
}

fn wrong_password(shown: &str) -> Told {
    Told::new(
        "The EncryptedPrivateKeyInfo structure was decoded but was not successfully interpreted, \
         the password may be incorrect.",
    )
    .cause(format!("The password does not open the private key in {shown}."))
    .fix(format!(
        "correct Password; openssl pkey -in '{shown}' -noout asks for it and tells whether it is \
         right"
    ))
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

#[cfg(test)]
mod tests {
    use der::Encode;
    use der::asn1::OctetStringRef;
    use pkcs8::pkcs5::pbes2::{Parameters, Pbkdf2Params, ScryptParams};

    use super::super::pem::tests::section;
    use super::*;

    /// A key file whose encryption asks for what `change` makes of usual parameters.
    fn asking(scrypt: bool, change: impl FnOnce(&mut Kdf)) -> String {
        let mut parameters =
            Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"salt salt", [7; 16]).unwrap();
        if scrypt {
            let usual = pkcs5::scrypt::Params::new(14, 8, 1).unwrap();
            parameters.kdf =
                Kdf::Scrypt(ScryptParams::from_params_and_salt(usual, b"salt salt").unwrap());
        }
        change(&mut parameters.kdf);
        let key = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: parameters.into(),
            encrypted_data: OctetStringRef::new(&[1; 32]).unwrap(),
        };
        section("ENCRYPTED PRIVATE KEY", &key.to_der().unwrap())
    }

    fn scrypt(change: impl FnOnce(&mut ScryptParams)) -> String {
        asking(true, |kdf| {
            let Kdf::Scrypt(scrypt) = kdf else { panic!() };
            change(scrypt);
        })
    }

    fn pbkdf2(change: impl FnOnce(&mut Pbkdf2Params)) -> String {
        asking(false, |kdf| {
            let Kdf::Pbkdf2(pbkdf2) = kdf else { panic!() };
            change(pbkdf2);
        })
    }

    #[test]
    fn a_key_that_would_hold_the_start_is_refused() {
        let costly = |cost: &str| KeyFault::TooCostly(cost.to_owned());
        let cases = [
            (pbkdf2(|_| {}), KeyFault::WrongPassword),
            (pbkdf2(|kdf| kdf.iteration_count = u32::MAX), costly("4294967295 rounds of PBKDF2")),
            (scrypt(|_| {}), KeyFault::WrongPassword),
            (scrypt(|kdf| kdf.cost_parameter = 0), KeyFault::Malformed),
            (scrypt(|kdf| kdf.cost_parameter = 1 << 40), costly("1073741824 MiB for scrypt")),
            (scrypt(|kdf| kdf.parallelization = u16::MAX), costly("16 MiB for scrypt")),
        ];
        for (file, fault) in cases {
            assert_eq!(read(file.as_bytes(), Some("pw")).unwrap_err(), fault, "{file}");
        }
    }

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
            (pem(&["ENCRYPTED PRIVATE KEY"]), None, Err(KeyFault::NoPassword)),
            (pem(&["ENCRYPTED PRIVATE KEY"]), Some("pw"), Err(KeyFault::Malformed)),
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
