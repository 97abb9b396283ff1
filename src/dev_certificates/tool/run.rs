//! What a run begins with, and how it ends.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::tls::places::Places;

/// How a run ended: the exit codes of .NET's tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Success = 0,
    NotCreated = 1,
    NotSaved = 2,
    NotExported = 3,
    NotTrusted = 4,
    NoneFound = 6,
    NoneTrusted = 7,
    NotCleaned = 8,
    UnknownFormat = 10,
    ImportMissing = 12,
    ImportUnreadable = 13,
    ImportOfAnother = 14,
    OthersPresent = 15,
    Usage = 255,
}

/// What a run works with.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// Where certificates are kept.
    pub(crate) places: Places,
    /// What relative paths are relative to.
    pub(crate) current_directory: PathBuf,
    /// The time.
    pub(crate) now: SystemTime,
}
