//! A password as it stands in the settings, and how one that was typed is compared with it.

use std::fmt;
use std::sync::OnceLock;

use base64ct::{Base64, Encoding as _};
use sha_crypt::password_hash::Error;
use sha_crypt::{PasswordVerifier as _, ShaCrypt};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::bcrypt::Bcrypt;
pub(crate) use super::bcrypt::MOST_COST;

/// Whether passwords can be compared.
pub(crate) const ARE_THERE: bool = true;

/// How many rounds a hash may have: each is work for every guess, about a millionth of a second.
pub(crate) const MOST_ROUNDS: u32 = 200_000;

/// What passwords are compared by: so that how long it takes says nothing of their length, or of how much of
/// them is right.
type Fingerprint = [u8; 32];

/// A password as it stands in the settings.
pub(crate) enum Password {
    /// As it is.
    Plain(Fingerprint),
    /// The hash of one, and the one that was found to be right.
    Hashed { hash: Hash, right: OnceLock<Fingerprint> },
}

/// A hash as it stands there.
#[derive(PartialEq, Eq)]
pub(crate) enum Hash {
    /// SHA-256 or SHA-512, in rounds.
    Sha(String),
    Bcrypt(Bcrypt),
}

/// A password that somebody has typed.
pub(super) struct Typed(Fingerprint);

/// What is known of a password that somebody has typed.
pub(super) enum Judgement {
    Right,
    Wrong,
    /// The hash has to be computed.
    NotKnownYet,
}

/// Why a hash is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashMistake {
    /// It is one of another kind.
    Kind,
    /// It is not whole.
    Form,
    /// It has too many rounds.
    Rounds,
}

impl Password {
    /// Reads a password, or a hash of one: the latter begins with `$` and the kind of hash.
    ///
    /// # Errors
    ///
    /// It is a hash of a kind that is not known, or not a whole one.
    pub(crate) fn read(text: &str) -> Result<Self, HashMistake> {
        let kind = text.strip_prefix('$').and_then(|rest| rest.split_once('$'));
        let Some((kind, rest)) = kind.filter(|(kind, _)| is_kind(kind)) else {
            // As other servers have them.
            let is_of_another = ["{SHA}", "{SSHA}"].iter().any(|kind| text.starts_with(kind));
            return match is_of_another {
                true => Err(HashMistake::Kind),
                false => Ok(Self::Plain(Typed::new(text.as_bytes()).0)),
            };
        };
        if matches!(kind, "2a" | "2b" | "2y") {
            return match Bcrypt::read(rest) {
                None => Err(HashMistake::Form),
                Some(hash) if hash.cost() > MOST_COST => Err(HashMistake::Rounds),
                Some(hash) => Ok(Self::hashed(Hash::Bcrypt(hash))),
            };
        }
        if !matches!(kind, "5" | "6") {
            return Err(HashMistake::Kind);
        }
        let rounds = rest.strip_prefix("rounds=").and_then(|rest| rest.split_once('$'));
        if let Some((rounds, _)) = rounds
            && rounds.parse::<u32>().map_err(|_| HashMistake::Form)? > MOST_ROUNDS
        {
            return Err(HashMistake::Rounds);
        }
        let whole = if kind == "5" { 43 } else { 86 };
        let is_whole = rest.rsplit('$').next().is_some_and(|hash| hash.len() == whole);
        match is_whole && is_understood(text) {
            true => Ok(Self::hashed(Hash::Sha(text.to_owned()))),
            false => Err(HashMistake::Form),
        }
    }

    fn hashed(hash: Hash) -> Self {
        Self::Hashed { hash, right: OnceLock::new() }
    }

    /// Whether it does not stand there as it is.
    pub(crate) fn is_hash(&self) -> bool {
        matches!(self, Self::Hashed { .. })
    }

    /// What is known without computing a hash.
    pub(super) fn judge(&self, typed: &Typed) -> Judgement {
        let right = match self {
            Self::Plain(right) => right,
            Self::Hashed { right, .. } => match right.get() {
                Some(right) => right,
                None => return Judgement::NotKnownYet,
            },
        };
        match right.ct_eq(&typed.0).into() {
            true => Judgement::Right,
            false => Judgement::Wrong,
        }
    }

    /// The same, and computes the hash if need be: takes a thousandth of a second, or more if its rounds
    /// say so.
    pub(super) fn check(&self, typed: &[u8]) -> bool {
        let fingerprint = Typed::new(typed);
        match (self.judge(&fingerprint), self) {
            (Judgement::Right, _) => true,
            (_, Self::Plain(_)) => false,
            // One that is wrong by what is known takes as long; and bcrypt has several passwords for a hash.
            (_, Self::Hashed { hash, right }) => {
                let is_right = match hash {
                    Hash::Sha(hash) => {
                        ShaCrypt::default().verify_password(typed, hash.as_str()).is_ok()
                    }
                    Hash::Bcrypt(hash) => hash.is_of(typed),
                };
                if is_right {
                    // Somebody else may have been first, with the same.
                    let _ = right.set(fingerprint.0);
                }
                is_right
            }
        }
    }

    /// Whether both stand in the settings alike.
    pub(super) fn is_as_written(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(one), Self::Plain(other)) => one == other,
            (Self::Hashed { hash: one, .. }, Self::Hashed { hash: other, .. }) => one == other,
            _ => false,
        }
    }
}

/// Whether a hash can be compared with. (A check is what tells.)
fn is_understood(hash: &str) -> bool {
    let check = ShaCrypt::default().verify_password(b"", hash);
    matches!(check, Ok(()) | Err(Error::PasswordInvalid))
}

/// Whether what stands between two `$` names a kind of hash.
fn is_kind(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl Typed {
    pub(super) fn new(password: &[u8]) -> Self {
        Self(Sha256::digest(password).into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What base64 stands for; `None`, if it is none.
pub(super) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    Base64::decode_vec(std::str::from_utf8(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `openssl passwd -6 -salt saltsalt sesame`, the same with `-5`, and of `htpasswd -nbB`.
    const HASHES: [&str; 3] = [
        "$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1",
        "$5$saltsalt$Arv3XkXcPR5LHLrzVCBdKV5hwRocYIyFvUvGa9tbc06",
        "$2y$05$P.FLRzNN7Oi3Bikw74eNx.fPnEPTOnp6sHB854gePvJY9imMkrfQ6",
    ];

    fn judged(password: &Password, typed: &str) -> &'static str {
        match password.judge(&Typed::new(typed.as_bytes())) {
            Judgement::Right => "right",
            Judgement::Wrong => "wrong",
            Judgement::NotKnownYet => "not known",
        }
    }

    #[test]
    fn a_plain_password_is_compared_at_once() {
        for text in ["sesame", "a:b", "$", "$5", "$ 5$a", "pässword"] {
            let password = Password::read(text).unwrap();
            assert_eq!(judged(&password, text), "right");
            for other in ["", "sesam", "sesame ", "Sesame"] {
                assert_eq!(judged(&password, other), "wrong", "{text}: {other}");
            }
        }
    }

    #[test]
    fn a_hash_is_computed_until_the_right_password_is_known() {
        for hash in HASHES {
            let password = Password::read(hash).unwrap();
            assert_eq!(judged(&password, "sesame"), "not known");
            assert!(!password.check(b"sesam"));
            assert_eq!(judged(&password, "sesame"), "not known");
            assert!(password.check(b"sesame"));
            assert_eq!(judged(&password, "sesame"), "right");
            assert_eq!(judged(&password, "sesam"), "wrong");
            assert!(!password.check(b"sesam"));
        }
    }

    #[test]
    fn hashes_that_cannot_be_checked_are_none() {
        for (text, mistake) in [
            ("$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", HashMistake::Kind),
            ("$2y$05$abcdefghijklmnopqrstuu", HashMistake::Form),
            ("$2y$13$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", HashMistake::Rounds),
            ("$apr1$salt$abc", HashMistake::Kind),
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", HashMistake::Kind),
            ("{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", HashMistake::Kind),
            ("$6$saltsalt", HashMistake::Form),
            ("$6$saltsalt$tooshort", HashMistake::Form),
            ("$6$rounds=many$saltsalt$abc", HashMistake::Form),
            ("$6$rounds=999999999$saltsalt$abc", HashMistake::Rounds),
        ] {
            assert_eq!(Password::read(text).err(), Some(mistake), "{text}");
        }
    }
}
