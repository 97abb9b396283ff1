//! The seal of a PKCS#12 file (RFC 7292 section 4 and appendix B).

use aws_lc_rs::{digest, hmac};
use der::{
    AnyRef, Decode, Encode, Reader, SliceReader, Tag, asn1::ObjectIdentifier, asn1::OctetStringRef,
};

/// More turns than any tool asks for would be a way to keep us busy.
const MAX_ITERATIONS: u32 = 1_000_000;

/// A digest a seal can be made with, and the size of its blocks.
#[derive(Clone, Copy)]
pub(super) struct Digest {
    hash: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
    block: usize,
}

const SHA1: Digest = Digest {
    hash: &digest::SHA1_FOR_LEGACY_USE_ONLY,
    hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    block: 64,
};
const SHA256: Digest = Digest { hash: &digest::SHA256, hmac: hmac::HMAC_SHA256, block: 64 };
const SHA384: Digest = Digest { hash: &digest::SHA384, hmac: hmac::HMAC_SHA384, block: 128 };
const SHA512: Digest = Digest { hash: &digest::SHA512, hmac: hmac::HMAC_SHA512, block: 128 };

impl Digest {
    fn named(identifier: ObjectIdentifier) -> Option<Self> {
        match identifier.to_string().as_str() {
            "1.3.14.3.2.26" => Some(SHA1),
            "2.16.840.1.101.3.4.2.1" => Some(SHA256),
            "2.16.840.1.101.3.4.2.2" => Some(SHA384),
            "2.16.840.1.101.3.4.2.3" => Some(SHA512),
            _ => None,
        }
    }

    /// The key of the seal. It is as long as the digest, so the first round of the derivation in
    /// appendix B.2 is the whole of it. No `password` at all and an empty one differ: the text
    /// ends with a zero character, and nothing has no end.
    fn key(self, password: Option<&str>, salt: &[u8], iterations: u32) -> Vec<u8> {
        const MAC: u8 = 3;
        let password: Vec<u8> = match password {
            Some(text) => text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect(),
            None => Vec::new(),
        };
        let mut text = vec![MAC; self.block];
        for part in [salt, &password] {
            let length = part.len().div_ceil(self.block) * self.block;
            text.extend(part.iter().cycle().take(length));
        }
        let mut key = digest::digest(self.hash, &text);
        for _ in 1..iterations {
            key = digest::digest(self.hash, key.as_ref());
        }
        key.as_ref().to_vec()
    }
}

/// The seal of `content` with SHA-256, as the two numbers and the salt in a file say it.
pub(super) fn sha256(content: &[u8], password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
    let key = hmac::Key::new(SHA256.hmac, &SHA256.key(Some(password), salt, iterations));
    hmac::sign(&key, content).as_ref().to_vec()
}

/// The outermost parts of a file.
pub(super) struct Envelope<'a> {
    version: AnyRef<'a>,
    /// What is sealed, with what says that it is data.
    content_info: AnyRef<'a>,
    seal: Option<AnyRef<'a>>,
}

impl<'a> Envelope<'a> {
    /// Takes a file apart; `None` if it is not PKCS#12.
    pub(super) fn open(file: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(file).ok()?;
        let envelope = reader
            .sequence(|inner| {
                let version = AnyRef::decode(inner)?;
                let content_info = AnyRef::decode(inner)?;
                let seal = (!inner.is_finished()).then(|| AnyRef::decode(inner)).transpose()?;
                Ok::<_, der::Error>(Self { version, content_info, seal })
            })
            .ok()?;
        let known =
            envelope.version.value() == [3] && envelope.content_info.value().starts_with(&[6]);
        known.then_some(envelope)
    }

    /// Whether the file is sealed at all.
    pub(super) fn is_sealed(&self) -> bool {
        self.seal.is_some()
    }

    /// Whether the seal is that of no password, which is not the same as an empty one.
    pub(super) fn is_sealed_without_password(&self) -> bool {
        self.verify(None).unwrap_or(false)
    }

    fn verify(&self, password: Option<&str>) -> Option<bool> {
        let content = self.content()?;
        let mut reader = SliceReader::new(self.seal?.value()).ok()?;
        let (algorithm, expected) = reader
            .sequence(|digest_info| {
                let algorithm = digest_info.sequence(|algorithm| {
                    let identifier = <ObjectIdentifier>::decode(algorithm)?;
                    // What follows is NULL or nothing.
                    while !algorithm.is_finished() {
                        AnyRef::decode(algorithm)?;
                    }
                    Ok::<_, der::Error>(identifier)
                })?;
                Ok::<_, der::Error>((algorithm, <&OctetStringRef>::decode(digest_info)?))
            })
            .ok()?;
        let salt = <&OctetStringRef>::decode(&mut reader).ok()?;
        let iterations = if reader.is_finished() { 1 } else { u32::decode(&mut reader).ok()? };
        if iterations > MAX_ITERATIONS {
            return None;
        }
        let digest = Digest::named(algorithm)?;
        let key = hmac::Key::new(digest.hmac, &digest.key(password, salt.as_bytes(), iterations));
        Some(hmac::verify(&key, content, expected.as_bytes()).is_ok())
    }

    /// What is sealed: the content of an octet string, below an explicit tag, behind an identifier.
    fn content(&self) -> Option<&'a [u8]> {
        let mut reader = SliceReader::new(self.content_info.value()).ok()?;
        <ObjectIdentifier>::decode(&mut reader).ok()?;
        let explicit = AnyRef::decode(&mut reader).ok()?;
        Some(<&OctetStringRef>::from_der(explicit.value()).ok()?.as_bytes())
    }

    /// The same file without its seal.
    pub(super) fn without_seal(&self) -> Option<Vec<u8>> {
        let content = [self.version.to_der().ok()?, self.content_info.to_der().ok()?].concat();
        AnyRef::new(Tag::Sequence, &content).ok()?.to_der().ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::tls::asn1::{identifier, integer, octets, sequence};

    #[test]
    fn seals_of_openssl_are_verified() {
        for (file, password) in [
            (&include_bytes!("../../../tests/data/pfx/legacy.pfx")[..], "secret"),
            (include_bytes!("../../../tests/data/pfx/modern.pfx"), "secret"),
            (include_bytes!("../../../tests/data/pfx/aes128_sha512.pfx"), "secret"),
            (include_bytes!("../../../tests/data/pfx/utf8_password.pfx"), "pä$€"),
        ] {
            let envelope = Envelope::open(file).unwrap();
            assert_eq!(envelope.verify(Some(password)), Some(true), "{password}");
            assert_eq!(envelope.verify(Some("other")), Some(false), "{password}");
            assert_eq!(envelope.verify(None), Some(false), "{password}");
        }
    }

    /// The file with an empty password again, sealed without one.
    pub(in super::super) fn sealed_without_password() -> Vec<u8> {
        let file = include_bytes!("../../../tests/data/pfx/empty_password.pfx");
        let envelope = Envelope::open(file).unwrap();
        let salt = [5; 20];
        let key = hmac::Key::new(SHA1.hmac, &SHA1.key(None, &salt, 3));
        let seal = hmac::sign(&key, envelope.content().unwrap());
        let info =
            sequence(&[&sequence(&[&identifier(&[1, 3, 14, 3, 2, 26])]), &octets(seal.as_ref())]);
        let mac = sequence(&[&info, &octets(&salt), &integer(&[3])]);
        let bare = envelope.without_seal().unwrap();
        let inner = AnyRef::from_der(&bare).unwrap();
        sequence(&[inner.value(), &mac])
    }
}
