//! An encrypted private key in PKCS#8 form, and the password that opens it.

use der::oid::ObjectIdentifier;
use der::{AnyRef, Decode};
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::told::{Told, rewrite_key};

/// Why an encrypted key stays closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Locked {
    /// There is no password.
    NoPassword,
    /// The password is not that of the key.
    WrongPassword,
    /// It is encrypted in a way that we do not read; its number.
    Encryption(String),
    /// To decrypt it would take more time or memory than any tool asks for.
    TooCostly(String),
    /// It is no private key, whatever its label says.
    Malformed,
}

/// PBES2 (RFC 8018 section 6.2), the only scheme that pkcs8 decrypts.
const PBES2: &str = "1.2.840.113549.1.5.13";

/// Decrypts a private key.
pub(super) fn open(key: &[u8], password: &str) -> Result<PrivateKeyDer<'static>, Locked> {
    // The scheme is read by hand first: of one it does not know, the crate tells no name.
    let scheme = scheme(key).ok_or(Locked::Malformed)?;
    if scheme != PBES2 {
        return Err(Locked::Encryption(scheme));
    }
    let key = EncryptedPrivateKeyInfoRef::from_der(key).map_err(|error| match error.kind() {
        der::ErrorKind::OidUnknown { oid } => Locked::Encryption(oid.to_string()),
        _ => Locked::Malformed,
    })?;
    let kdf = key.encryption_algorithm.pbes2().map(|scheme| &scheme.kdf);
    // The crate takes the logarithm of it, and panics.
    if kdf.and_then(Kdf::scrypt).is_some_and(|scrypt| scrypt.cost_parameter == 0) {
        return Err(Locked::Malformed);
    }
    if let Some(cost) = kdf.and_then(too_costly) {
        return Err(Locked::TooCostly(cost));
    }
    let decrypted = key.decrypt(password).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs5::Error::UnsupportedAlgorithm { oid }
            | pkcs5::Error::AlgorithmParametersInvalid { oid },
        ) => Locked::Encryption(oid.to_string()),
        // A wrong password can end in good padding by chance: then what comes out is noise.
        _ => Locked::WrongPassword,
    })?;
    if pkcs8::PrivateKeyInfoRef::try_from(decrypted.as_bytes()).is_err() {
        return Err(Locked::WrongPassword);
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

impl Locked {
    /// What is to be said of a key for which there is no password.
    pub(super) fn no_password() -> Self {
        Self::NoPassword
    }

    /// The setting that is to blame.
    pub(super) fn setting(&self) -> &'static str {
        match self {
            Self::NoPassword | Self::WrongPassword => "Password",
            _ => "KeyPath",
        }
    }

    /// In words, for the key file that is shown like this.
    pub(super) fn told(self, shown: &str) -> Told {
        match self {
            Self::NoPassword => no_password(shown),
            Self::WrongPassword => wrong_password(shown),
            Self::Encryption(number) => Told::new(format!(
                "The private key in '{shown}' is encrypted in a way that is not read."
            ))
            .cause(format!("Its encryption is {}.", scheme_name(&number)))
            .fix(rewrite_key(shown, "with the encryption of today")),
            Self::TooCostly(cost) => {
                Told::new(format!("The private key in '{shown}' takes too much work to decrypt."))
                    .cause(format!("It asks for {cost}."))
                    .fix(rewrite_key(shown, "with usual costs"))
            }
            Self::Malformed => Told::new("ASN1 corrupted data.")
                .cause(format!("The private key in {shown} is damaged."))
                .fix("copy the file anew"),
        }
    }
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

    use super::*;

    /// A key whose encryption asks for what `change` makes of usual parameters.
    fn asking(scrypt: bool, change: impl FnOnce(&mut Kdf)) -> Vec<u8> {
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
        key.to_der().unwrap()
    }

    fn scrypt(change: impl FnOnce(&mut ScryptParams)) -> Vec<u8> {
        asking(true, |kdf| {
            let Kdf::Scrypt(scrypt) = kdf else { panic!() };
            change(scrypt);
        })
    }

    fn pbkdf2(change: impl FnOnce(&mut Pbkdf2Params)) -> Vec<u8> {
        asking(false, |kdf| {
            let Kdf::Pbkdf2(pbkdf2) = kdf else { panic!() };
            change(pbkdf2);
        })
    }

    #[test]
    fn a_key_that_would_hold_the_start_is_refused() {
        let costly = |cost: &str| Locked::TooCostly(cost.to_owned());
        let cases = [
            (pbkdf2(|_| {}), Locked::WrongPassword),
            (pbkdf2(|kdf| kdf.iteration_count = u32::MAX), costly("4294967295 rounds of PBKDF2")),
            (scrypt(|_| {}), Locked::WrongPassword),
            (scrypt(|kdf| kdf.cost_parameter = 0), Locked::Malformed),
            (scrypt(|kdf| kdf.cost_parameter = 1 << 40), costly("1073741824 MiB for scrypt")),
            (scrypt(|kdf| kdf.parallelization = u16::MAX), costly("16 MiB for scrypt")),
        ];
        assert_eq!(open(b"x", "pw").unwrap_err(), Locked::Malformed);
        for (key, fault) in cases {
            assert_eq!(open(&key, "pw").unwrap_err(), fault);
        }
    }
}
