//! What stands for passwords in a build without the feature `basic-auth`: there are none, and the settings refuse
//! to ask for one.

/// Whether passwords can be compared.
pub(crate) const ARE_THERE: bool = false;

/// How many rounds a hash may have.
pub(crate) const MOST_ROUNDS: u32 = 0;

/// How often, as a power of two, one of bcrypt may set up its keys.
pub(crate) const MOST_COST: u32 = 0;

/// A password that nobody can make.
#[derive(Debug)]
pub(crate) enum Password {}

/// A password that somebody has typed.
pub(super) struct Typed;

/// What is known of a password that somebody has typed.
#[expect(dead_code, reason = "nobody has one to judge")]
pub(super) enum Judgement {
    Right,
    NotKnownYet,
}

/// Why a hash is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "nobody has one to read")]
pub(crate) enum HashMistake {
    Kind,
    Form,
    Rounds,
}

impl Password {
    pub(crate) fn read(_: &str) -> Result<Self, HashMistake> {
        Err(HashMistake::Kind)
    }

    pub(crate) fn is_hash(&self) -> bool {
        match *self {}
    }

    pub(super) fn judge(&self, _: &Typed) -> Judgement {
        match *self {}
    }

    pub(super) fn check(&self, _: &[u8]) -> bool {
        match *self {}
    }

    pub(super) fn is_as_written(&self, _: &Self) -> bool {
        match *self {}
    }
}

impl Typed {
    pub(super) fn new(_: &[u8]) -> Self {
        Self
    }
}

pub(super) fn from_base64(_: &[u8]) -> Option<Vec<u8>> {
    None
}
