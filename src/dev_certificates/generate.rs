//! Making a development certificate, byte for byte as .NET's tool makes it.

use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use aws_lc_rs::{digest, rand};
use x509_parser::prelude::ASN1Time;

use super::certificate::CURRENT_VERSION;
use crate::tls::asn1::{
    bits, explicit, identifier, implicit, integer, null, octets, printable, sequence, set,
    some_bits, utc_time, yes,
};

const VALID_FOR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The names it is for: this machine, and this machine as containers see it.
const DNS_NAMES: [&str; 5] = [
    "localhost",
    "*.dev.localhost",
    "*.dev.internal",
    "host.docker.internal",
    "host.containers.internal",
];
const LOOPBACK_V4: [u8; 4] = [127, 0, 0, 1];
const LOOPBACK_V6: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// A new certificate and its key.
pub(crate) struct Generated {
    /// The certificate, in DER form.
    pub(crate) certificate: Vec<u8>,
    /// The private key, in PKCS#8 DER form.
    pub(crate) key: Vec<u8>,
}

/// Makes a key of 2048 bits and a certificate that it signs itself, valid for a year from `now`.
///
/// # Errors
///
/// The system has no randomness to give.
pub(crate) fn generate(now: SystemTime) -> Result<Generated, Unspecified> {
    of_version(CURRENT_VERSION, now)
}

pub(super) fn of_version(version: u8, now: SystemTime) -> Result<Generated, Unspecified> {
    of_name("localhost", version, now)
}

pub(super) fn of_name(name: &str, version: u8, now: SystemTime) -> Result<Generated, Unspecified> {
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    let mut serial = [0; 8];
    rand::fill(&mut serial)?;
    let body = body(name, key.public_key().as_ref(), &serial, version, now);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &rand::SystemRandom::new(), &body, &mut signature)?;
    let certificate = sequence(&[&body, &sha256_with_rsa(), &bits(&signature)]);
    let key = AsDer::<Pkcs8V1Der<'_>>::as_der(&key)?;
    Ok(Generated { certificate, key: key.as_ref().to_vec() })
}

/// What is signed (RFC 5280 section 4.1).
fn body(name: &str, public_key: &[u8], serial: &[u8], mark: u8, now: SystemTime) -> Vec<u8> {
    let name = sequence(&[&set(&[&sequence(&[&identifier(&[2, 5, 4, 3]), &printable(name)])])]);
    let validity = sequence(&[&utc_time(&utc(now)), &utc_time(&utc(now + VALID_FOR))]);
    let rsa = sequence(&[&identifier(&[1, 2, 840, 113_549, 1, 1, 1]), &null()]);
    let identity = digest::digest(&digest::SHA256, public_key);
    let version = explicit(0, &integer(&[2]));
    sequence(&[
        &version,
        &integer(serial),
        &sha256_with_rsa(),
        &name,
        &validity,
        &name,
        &sequence(&[&rsa, &bits(public_key)]),
        &explicit(3, &extensions(mark, identity.as_ref())),
    ])
}

/// The extensions, in the order of .NET's tool.
fn extensions(mark: u8, identity: &[u8]) -> Vec<u8> {
    let critical =
        |arcs: &[u32], value: &[u8]| sequence(&[&identifier(arcs), &yes(), &octets(value)]);
    let plain = |arcs: &[u32], value: &[u8]| sequence(&[&identifier(arcs), &octets(value)]);
    // digitalSignature and keyEncipherment: the first and the third bit of eight, five unused.
    let key_usage = some_bits(5, 0b1010_0000);
    let server_authentication = sequence(&[&identifier(&[1, 3, 6, 1, 5, 5, 7, 3, 1])]);
    let names: Vec<u8> = DNS_NAMES
        .iter()
        .map(|name| implicit(2, name.as_bytes()))
        .chain([implicit(7, &LOOPBACK_V4), implicit(7, &LOOPBACK_V6)])
        .flatten()
        .collect();
    sequence(&[
        // Not a certificate authority, which is what an empty sequence says.
        &critical(&[2, 5, 29, 19], &sequence(&[])),
        &critical(&[2, 5, 29, 15], &key_usage),
        &critical(&[2, 5, 29, 37], &server_authentication),
        &critical(&[2, 5, 29, 17], &sequence(&[&names])),
        // The mark's content is the bare byte; the readers know no DER here.
        &plain(&[1, 3, 6, 1, 4, 1, 311, 84, 1, 1], &[mark]),
        &plain(&[2, 5, 29, 14], &octets(identity)),
        &plain(&[2, 5, 29, 35], &sequence(&[&implicit(0, identity)])),
    ])
}

fn sha256_with_rsa() -> Vec<u8> {
    sequence(&[&identifier(&[1, 2, 840, 113_549, 1, 1, 11]), &null()])
}

/// A time as `{yy}{MM}{dd}{HH}{mm}{ss}Z`, which is good until 2049 (RFC 5280 section 4.1.2.5.1).
fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let time = ASN1Time::from_timestamp(seconds as i64).map(|time| time.to_datetime());
    let Ok(time) = time else { return String::new() };
    format!(
        "{:02}{:02}{:02}{:02}{:02}{:02}Z",
        time.year() % 100,
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use x509_parser::prelude::{FromDer, X509Certificate};

    use super::super::certificate::DevelopmentCertificate;
    use super::*;

    #[test]
    fn it_is_what_the_recordings_say_of_it() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let made = generate(now).unwrap();
        let facts = DevelopmentCertificate::read(&made.certificate).unwrap();
        assert_eq!(facts.subject, "CN=localhost");
        assert_eq!(facts.version, 6);
        assert_eq!(facts.dns_names, DNS_NAMES);
        assert_eq!(facts.dates(' ').0, "2027-01-15 08:00:00");
        assert_eq!(facts.dates('T').1, "2028-01-15T08:00:00");
        let (_, certificate) = X509Certificate::from_der(&made.certificate).unwrap();
        let extension = |place: usize| &certificate.extensions()[place];
        let order: Vec<_> = (0..certificate.extensions().len())
            .map(|place| (extension(place).oid.to_id_string(), extension(place).critical))
            .collect();
        let order: Vec<_> = order.iter().map(|(oid, critical)| (oid.as_str(), *critical)).collect();
        assert_eq!(
            order,
            [
                ("2.5.29.19", true),
                ("2.5.29.15", true),
                ("2.5.29.37", true),
                ("2.5.29.17", true),
                ("1.3.6.1.4.1.311.84.1.1", false),
                ("2.5.29.14", false),
                ("2.5.29.35", false),
            ]
        );
        assert_eq!(extension(0).value, [0x30, 0x00]);
        assert_eq!(extension(1).value, [0x03, 0x02, 0x05, 0xa0]);
        assert_eq!(extension(4).value, [0x06]);
        let public_key = &certificate.public_key().subject_public_key.data;
        let identity = digest::digest(&digest::SHA256, public_key);
        assert_eq!(extension(5).value, octets(identity.as_ref()));
        assert_eq!(extension(6).value, sequence(&[&implicit(0, identity.as_ref())]));
        let signed = aws_lc_rs::signature::UnparsedPublicKey::new(
            &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
            public_key,
        );
        signed
            .verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data)
            .unwrap();
    }

    #[test]
    fn its_dates_include_their_first_and_last_second() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let made = DevelopmentCertificate::read(&generate(now).unwrap().certificate).unwrap();
        let second = Duration::from_secs(1);
        assert!(!made.is_valid_at(now - second));
        assert!(made.is_valid_at(now));
        assert!(made.is_valid_at(now + VALID_FOR));
        assert!(!made.is_valid_at(now + VALID_FOR + second));
    }

    #[test]
    fn no_two_are_the_same() {
        let now = SystemTime::now();
        assert_ne!(generate(now).unwrap().certificate, generate(now).unwrap().certificate);
    }
}
