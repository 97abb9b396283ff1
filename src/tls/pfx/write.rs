//! Writing PKCS#12 files, in the form .NET 10 gives those of its certificate stores: PBES2 with
//! PBKDF2, SHA-256 and AES-256, sealed with SHA-256.

use aws_lc_rs::rand;
use der::Encode;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2;

use super::mac;
use crate::tls::asn1::{explicit, identifier, implicit, integer, octets, sequence, set};

/// RFC 7292 section 4 and RFC 5652 name what a file is made of.
const DATA: &[u32] = &[1, 2, 840, 113_549, 1, 7, 1];
const ENCRYPTED_DATA: &[u32] = &[1, 2, 840, 113_549, 1, 7, 6];
const KEY_BAG: &[u32] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 2];
const CERTIFICATE_BAG: &[u32] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 3];
const X509: &[u32] = &[1, 2, 840, 113_549, 1, 9, 22, 1];
const LOCAL_KEY_ID: &[u32] = &[1, 2, 840, 113_549, 1, 9, 21];
const SHA256: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];

/// How hard a password is to be guessed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Iterations {
    /// As in the stores of .NET, whose files have no password to protect.
    One,
    /// For a file that a password protects: as many as .NET takes for keys in PEM form.
    Many,
}

impl Iterations {
    fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Many => 100_000,
        }
    }
}

/// The file cannot be written: the system has no randomness to give, or the password is too long.
#[derive(Debug, thiserror::Error)]
#[error("the key cannot be encrypted")]
pub(crate) struct WriteError;

/// A file with certificates and, if there is one, the private key of the first of them.
///
/// # Errors
///
/// See [`WriteError`].
pub(crate) fn write(
    certificates: &[Vec<u8>],
    key: Option<&[u8]>,
    password: &str,
    iterations: Iterations,
) -> Result<Vec<u8>, WriteError> {
    let lock = Lock { password, iterations: iterations.number() };
    let bags: Vec<u8> = certificates
        .iter()
        .enumerate()
        .flat_map(|(place, der)| certificate_bag(der, key.is_some() && place == 0))
        .collect();
    let mut content = encrypted_data(&sequence(&[&bags]), lock)?;
    // There is a part for keys even if there are none.
    let keys = key.map(|key| key_bag(key, lock)).transpose()?.unwrap_or_default();
    content.extend(data(&sequence(&[&keys])));
    let content = sequence(&[&content]);
    let seal = seal(&content, lock)?;
    Ok(sequence(&[&integer(&[3]), &data(&content), &seal]))
}

#[derive(Clone, Copy)]
struct Lock<'a> {
    password: &'a str,
    iterations: u32,
}

impl Lock<'_> {
    /// Encrypts, and names the way it was done (RFC 8018 section 6.2).
    fn encrypt(self, plain: &[u8]) -> Result<(Vec<u8>, Vec<u8>), WriteError> {
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        rand::fill(&mut salt).map_err(|_| WriteError)?;
        rand::fill(&mut iv).map_err(|_| WriteError)?;
        let way = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(self.iterations, &salt, iv)
            .map_err(|_| WriteError)?;
        let encrypted = way.encrypt(self.password, plain).map_err(|_| WriteError)?;
        let way = EncryptionScheme::Pbes2(way).to_der().map_err(|_| WriteError)?;
        Ok((way, encrypted))
    }
}

/// A private key in PKCS#8 form, encrypted (RFC 5958 section 3).
///
/// # Errors
///
/// See [`WriteError`].
pub(crate) fn encrypted_key(key: &[u8], password: &str) -> Result<Vec<u8>, WriteError> {
    let lock = Lock { password, iterations: Iterations::Many.number() };
    let (way, encrypted) = lock.encrypt(key)?;
    Ok(sequence(&[&way, &octets(&encrypted)]))
}

fn data(content: &[u8]) -> Vec<u8> {
    sequence(&[&identifier(DATA), &explicit(0, &octets(content))])
}

fn encrypted_data(content: &[u8], lock: Lock<'_>) -> Result<Vec<u8>, WriteError> {
    let (way, encrypted) = lock.encrypt(content)?;
    let info = sequence(&[&identifier(DATA), &way, &implicit(0, &encrypted)]);
    let content = sequence(&[&integer(&[0]), &info]);
    Ok(sequence(&[&identifier(ENCRYPTED_DATA), &explicit(0, &content)]))
}

fn certificate_bag(der: &[u8], has_key: bool) -> Vec<u8> {
    let certificate = sequence(&[&identifier(X509), &explicit(0, &octets(der))]);
    let attributes = if has_key { local_key_id() } else { Vec::new() };
    sequence(&[&identifier(CERTIFICATE_BAG), &explicit(0, &certificate), &attributes])
}

fn key_bag(key: &[u8], lock: Lock<'_>) -> Result<Vec<u8>, WriteError> {
    let (way, encrypted) = lock.encrypt(key)?;
    let key = sequence(&[&way, &octets(&encrypted)]);
    Ok(sequence(&[&identifier(KEY_BAG), &explicit(0, &key), &local_key_id()]))
}

/// What says that a key and a certificate belong together.
fn local_key_id() -> Vec<u8> {
    const ONLY_ONE: [u8; 4] = [1, 0, 0, 0];
    set(&[&sequence(&[&identifier(LOCAL_KEY_ID), &set(&[&octets(&ONLY_ONE)])])])
}

fn seal(content: &[u8], lock: Lock<'_>) -> Result<Vec<u8>, WriteError> {
    let mut salt = [0; 32];
    rand::fill(&mut salt).map_err(|_| WriteError)?;
    let seal = mac::sha256(content, lock.password, &salt, lock.iterations);
    let algorithm = sequence(&[&identifier(SHA256)]);
    // One is what the number is when it is left out, and DER leaves that out.
    let iterations = match lock.iterations {
        1 => Vec::new(),
        more => integer(&more.to_be_bytes()),
    };
    Ok(sequence(&[&sequence(&[&algorithm, &octets(&seal)]), &octets(&salt), &iterations]))
}

#[cfg(test)]
mod tests {
    use super::super::{certificates, read};
    use super::*;

    const LEAF: &[u8] = include_bytes!("../../../tests/data/pfx/rsa.cer");
    const ISSUER: &[u8] = include_bytes!("../../../tests/data/pfx/issuer.cer");
    const KEY: &[u8] = include_bytes!("../../../tests/data/pfx/rsa.p8");

    #[test]
    fn what_is_written_is_read_again() {
        let chain = [LEAF.to_vec(), ISSUER.to_vec()];
        for (password, iterations) in
            [("", Iterations::One), ("secret", Iterations::Many), ("p wü", Iterations::One)]
        {
            let file = write(&chain, Some(KEY), password, iterations).unwrap();
            let identity = read(&file, password).unwrap();
            assert_eq!(identity.certificates, chain, "{password}");
            assert_eq!(identity.key, KEY, "{password}");
            assert!(read(&file, "other").is_err(), "{password}");
        }
    }

    #[test]
    fn a_file_may_be_without_a_key() {
        let file = write(&[LEAF.to_vec()], None, "", Iterations::One).unwrap();
        assert_eq!(certificates(&file, ""), Ok(vec![LEAF.to_vec()]));
        assert!(read(&file, "").is_err());
    }

    #[test]
    fn a_key_is_never_in_clear() {
        let file = write(&[LEAF.to_vec()], Some(KEY), "secret", Iterations::One).unwrap();
        let key = encrypted_key(KEY, "secret").unwrap();
        for bytes in [file, key] {
            assert!(!bytes.windows(16).any(|window| window == &KEY[100..116]));
        }
    }
}
