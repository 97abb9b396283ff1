//! Whose the place of a server is, where the place alone does not say it.

use std::fmt;

/// Who knows whose it is.
pub(crate) trait Owner: fmt::Debug + Send + Sync {
    /// What stands for who accepts connections there at this moment: the same as long as it is the same.
    ///
    /// # Errors
    ///
    /// It is nobody that requests are to go to: who, in words.
    fn look(&self) -> Result<u64, String>;
}
