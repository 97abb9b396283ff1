//! The hash that `htpasswd -B` makes of a password: bcrypt, whose cipher takes long to be set up.
//!
//! [Provos and Mazières, "A Future-Adaptable Password Scheme", 1999; `$2y$` as crypt_blowfish has it.]

use base64ct::{Base64Bcrypt, Encoding as _};
use blowfish::Blowfish;
use subtle::ConstantTimeEq as _;

/// How often, as a power of two, the keys are set up: each step doubles the work of every guess, and twelve take
/// a quarter of a second.
pub(crate) const MOST_COST: u32 = 12;

/// Of what is encrypted, the last byte is left out of the hash.
const HASH: usize = 23;
const SALT: usize = 16;

/// No more of a password counts: the keys have no more bytes.
const KEY: usize = 72;

/// A hash.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bcrypt {
    cost: u32,
    salt: [u8; SALT],
    hash: [u8; HASH],
}

impl Bcrypt {
    /// Reads what stands behind `$2y$`, such as `05$`, 22 letters of salt and 31 of the hash.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (cost, rest) = text.split_once('$')?;
        let is_cost = cost.len() == 2 && cost.bytes().all(|it| it.is_ascii_digit());
        let cost = cost.parse().ok().filter(|cost| is_cost && (4..=31).contains(cost))?;
        let (salt, hash) = rest.split_at_checked(22)?;
        let bytes = |text: &str| Base64Bcrypt::decode_vec(text).ok();
        let (salt, hash) = (bytes(salt)?.try_into().ok()?, bytes(hash)?.try_into().ok()?);
        Some(Self { cost, salt, hash })
    }

    pub(super) fn cost(&self) -> u32 {
        self.cost
    }

    /// Whether it is the hash of this password. Takes a thousandth of a second, and twice as long for each step of its cost
    /// beyond 5.
    pub(super) fn is_of(&self, password: &[u8]) -> bool {
        // The key ends with a nul, and would begin anew behind it.
        if password.contains(&0) {
            return false;
        }
        let mut key = [password, &[0]].concat();
        key.truncate(KEY);
        let mut cipher = Blowfish::bc_init_state();
        cipher.salted_expand_key(&self.salt, &key);
        for _ in 0..1_u64 << self.cost {
            cipher.bc_expand_key(&key);
            cipher.bc_expand_key(&self.salt);
        }
        let mut computed = Vec::new();
        for pair in b"OrpheanBeholderScryDoubt".chunks_exact(8) {
            let (left, right) = pair.split_at(4);
            let word = |bytes: &[u8]| bytes.iter().fold(0, |word, it| word << 8 | u32::from(*it));
            let mut pair = [word(left), word(right)];
            for _ in 0..64 {
                pair = cipher.bc_encrypt(pair);
            }
            computed.extend(pair.into_iter().flat_map(u32::to_be_bytes));
        }
        computed.truncate(HASH);
        computed.ct_eq(&self.hash).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hash_that_other_programs_make() {
        let long = "0123456789".repeat(8);
        for (hash, password) in [
            // Of `htpasswd -nbB`, and of crypt_blowfish's own tests.
            ("05$P.FLRzNN7Oi3Bikw74eNx.fPnEPTOnp6sHB854gePvJY9imMkrfQ6", "sesame"),
            ("05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
            ("05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
            ("05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"),
            ("05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", ""),
        ] {
            let read = Bcrypt::read(hash).unwrap_or_else(|| panic!("{hash}"));
            assert!(read.is_of(password.as_bytes()), "{hash}");
            assert!(!read.is_of(b"sesam") && !read.is_of(long.as_bytes()), "{hash}");
            // The key would begin anew behind a nul, and be the same.
            assert!(!read.is_of(format!("{password}\0{password}").as_bytes()), "{hash}");
        }
    }

    #[test]
    fn a_hash_that_is_not_whole_is_none() {
        for text in [
            "",
            "05$",
            "5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "+5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
            "05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW",
            "05$CCCCCCCCCCCCCCCCCCCC\u{e9}.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyO-W",
        ] {
            assert!(Bcrypt::read(text).is_none(), "{text}");
        }
    }
}
