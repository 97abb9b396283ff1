//! What a client says of itself: `Authorization: Basic` and a user with a password, in base64.

use std::fmt;

/// A user's name and a password, as they were sent.
pub(super) struct Credentials {
    /// Both, with a colon between.
    text: Vec<u8>,
    colon: usize,
}

impl Credentials {
    /// Reads the value of the header; `None`, if it is another scheme, or none of this.
    pub(super) fn read(header: &[u8]) -> Option<Self> {
        let (scheme, rest) = header.split_at_checked(5)?;
        let encoded = rest.trim_ascii();
        if !scheme.eq_ignore_ascii_case(b"Basic") || rest.first() != Some(&b' ') {
            return None;
        }
        let text = super::password::from_base64(encoded)?;
        let colon = text.iter().position(|byte| *byte == b':')?;
        Some(Self { text, colon })
    }

    pub(super) fn user(&self) -> &[u8] {
        &self.text[..self.colon]
    }

    pub(super) fn password(&self) -> &[u8] {
        &self.text[self.colon + 1..]
    }

    /// The name for the log, which it is not to fill.
    pub(super) fn user_shown(&self) -> String {
        const MOST: usize = 64;
        String::from_utf8_lossy(self.user()).chars().take(MOST).collect()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "basic-auth"))]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_a_user_and_a_password() {
        for (header, expected) in [
            ("Basic YTpi", Some(("a", "b"))),
            ("bASIC  YTpi ", Some(("a", "b"))),
            ("Basic YTpiOmM=", Some(("a", "b:c"))),
            ("Basic Og==", Some(("", ""))),
            // A name alone.
            ("Basic YQ==", None),
            ("Basic YTpi=", None),
            ("Basic !!!!", None),
            ("BasicYTpi", None),
            ("Basic", None),
            ("Bearer YTpi", None),
            ("", None),
        ] {
            let read = Credentials::read(header.as_bytes());
            let read = read.as_ref().map(|it| (it.user(), it.password()));
            let expected = expected.map(|(user, word)| (user.as_bytes(), word.as_bytes()));
            assert_eq!(read, expected, "{header}");
        }
    }
}
