//! A private key out of a PEM file, encrypted or not.

use der::oid::ObjectIdentifier;
use der::{AnyRef, Decode};
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::content::{Content, KeyForm, key_form, text};
use super::pem::{Broken, Fault, Pem};

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
