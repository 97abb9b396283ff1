//! Which kind of key a certificate or a private key has, in words.

use rustls::pki_types::PrivateKeyDer;
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

    /// The kind of a public key in DER form.
    pub(super) fn of_public(key: &[u8]) -> Option<Self> {
        Some(Self::of(&SubjectPublicKeyInfo::from_der(key).ok()?.1))
    }

    /// The kind of a private key, as far as its form tells.
    pub(super) fn of_private(key: &PrivateKeyDer<'_>) -> Option<Self> {
        use der::oid::ObjectIdentifier;
        use der::{AnyRef, Decode, Encode};

        let number = |bytes: &[u8]| -> Option<String> {
            let number: ObjectIdentifier = ObjectIdentifier::from_der(bytes).ok()?;
            Some(number.to_string())
        };
        // RFC 8017 appendix A.1.2: version, then the modulus.
        let rsa_bits = |bytes: &[u8]| -> Option<usize> {
            let fields = <Vec<AnyRef<'_>>>::from_der(bytes).ok()?;
            let modulus = fields.get(1)?.value();
            let significant = modulus.iter().skip_while(|byte| **byte == 0);
            let leading = modulus.iter().find(|byte| **byte != 0)?.leading_zeros();
            Some(significant.count() * 8 - usize::try_from(leading).ok()?)
        };
        match key {
            PrivateKeyDer::Pkcs1(key) => {
                let bits = rsa_bits(key.secret_pkcs1_der())?;
                Some(Self::of_algorithm(RSA, None, Some(bits)))
            }
            // RFC 5915 section 3: version, key, then the curve under tag 0.
            PrivateKeyDer::Sec1(key) => {
                let fields = <Vec<AnyRef<'_>>>::from_der(key.secret_sec1_der()).ok()?;
                let curve = fields.get(2).and_then(|field| number(field.value()));
                Some(Self::of_algorithm(EC, curve.as_deref(), None))
            }
            PrivateKeyDer::Pkcs8(key) => {
                let key = pkcs8::PrivateKeyInfoRef::from_der(key.secret_pkcs8_der()).ok()?;
                let curve = key.algorithm.parameters.and_then(|any| any.to_der().ok());
                let curve = curve.and_then(|any| number(&any));
                let algorithm = key.algorithm.oid.to_string();
                let bits = if algorithm == RSA {
                    Some(rsa_bits(key.private_key.as_bytes())?)
                } else {
                    None
                };
                Some(Self::of_algorithm(&algorithm, curve.as_deref(), bits))
            }
            _ => None,
        }
    }

    fn of_algorithm(algorithm: &str, curve: Option<&str>, bits: Option<usize>) -> Self {
        Self { algorithm: algorithm.to_owned(), words: words(algorithm, curve, bits) }
    }

    /// Whether keys of this kind can sign here: what aws-lc-rs offers to rustls.
    pub(super) fn can_sign(&self) -> bool {
        let words = self.words.as_str();
        match words.strip_prefix("RSA, ").and_then(|rest| rest.strip_suffix(" bits")) {
            Some(bits) => bits.parse().is_ok_and(|bits: usize| (2048..=8192).contains(&bits)),
            None => {
                let curves = ["EC, curve P-256", "EC, curve P-384", "EC, curve P-521"];
                curves.contains(&words) || words == "Ed25519" || words.starts_with("ML-DSA-")
            }
        }
    }

    /// Whether both are of one algorithm, whatever their sizes are.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
    }
}

/// The object identifiers that the code compares.
const RSA: &str = "1.2.840.113549.1.1.1";
const DSA: &str = "1.2.840.10040.4.1";
const EC: &str = "1.2.840.10045.2.1";

fn words(algorithm: &str, curve: Option<&str>, bits: Option<usize>) -> String {
    let plain = match algorithm {
        RSA => match bits {
            Some(bits) => return format!("RSA, {bits} bits"),
            None => "RSA",
        },
        EC => {
            return match curve {
                Some(curve) => format!("EC, curve {}", curve_name(curve)),
                None => "EC, a curve without a name".to_owned(),
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
