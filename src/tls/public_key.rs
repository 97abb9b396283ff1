//! Which kind of key a certificate or a private key has, in words.

use x509_parser::der_parser::asn1_rs::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// What a public key is: enough to compare two of them and to name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The object identifier of its algorithm.
    pub(super) algorithm: String,
    /// In words, such as `RSA, 2048 bits` or `EC, curve P-256`.
    pub(super) words: String,
}

impl Kind {
    /// The kind of a public key.
    pub(super) fn of(key: &SubjectPublicKeyInfo<'_>) -> Self {
        let algorithm = key.algorithm.algorithm.to_id_string();
        let bits = match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => Some(rsa.key_size()),
            _ => None,
        };
        let parameters = key.algorithm.parameters.as_ref();
        let curve = parameters.and_then(|any| any.clone().oid().ok()).map(|oid| oid.to_id_string());
        let words = words(&algorithm, curve.as_deref(), bits);
        Self { algorithm, words }
    }

    /// The kind of a private key whose algorithm has these identifiers.
    pub(super) fn of_private(algorithm: &str, curve: Option<&str>, bits: Option<usize>) -> Self {
        Self { algorithm: algorithm.to_owned(), words: words(algorithm, curve, bits) }
    }

    /// Whether both are of one algorithm, whatever their sizes are.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
    }
}

/// The object identifiers that the code compares.
pub(super) const RSA: &str = "1.2.840.113549.1.1.1";
pub(super) const DSA: &str = "1.2.840.10040.4.1";
pub(super) const EC: &str = "1.2.840.10045.2.1";

fn words(algorithm: &str, curve: Option<&str>, bits: Option<usize>) -> String {
    let plain = match algorithm {
        RSA => match bits {
            Some(bits) => return format!("RSA, {bits} bits"),
            None => "RSA",
        },
        EC => {
            return match curve {
                Some(curve) => format!("EC, curve {}", curve_name(curve)),
                None => "EC".to_owned(),
            };
        }
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        DSA => "DSA",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        other => return format!("of algorithm {other}"),
    };
    plain.to_owned()
}

fn curve_name(curve: &str) -> &str {
    match curve {
        "1.2.840.10045.3.1.7" => "P-256",
        "1.3.132.0.34" => "P-384",
        "1.3.132.0.35" => "P-521",
        "1.3.132.0.10" => "secp256k1",
        other => other,
    }
}

/// Whether a certificate's public key is the one that `key` (in the same form) says.
///
/// The bytes of both forms can differ for one key: an RSA key without the `NULL` of its algorithm,
/// and a point of a curve with only one coordinate.
pub(super) fn same(certificate: &SubjectPublicKeyInfo<'_>, key: &[u8]) -> bool {
    let Ok((_, key)) = SubjectPublicKeyInfo::from_der(key) else {
        return false;
    };
    if certificate.algorithm.algorithm != key.algorithm.algorithm {
        return false;
    }
    let (left, right) = (&certificate.subject_public_key.data, &key.subject_public_key.data);
    let uncompressed = match (left.first(), right.first(), right.last()) {
        (Some(sign @ (2 | 3)), Some(4), Some(last))
            if key.algorithm.algorithm.to_id_string() == EC =>
        {
            let coordinate = right.get(1..=right.len() / 2);
            left.get(1..) == coordinate && sign & 1 == last & 1
        }
        _ => false,
    };
    left == right || uncompressed
}
