//! A file as the body of an answer, for a server that can let the system send it.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use http::Response;

/// The part of a file that an answer consists of. It stands in the extensions of the answer, beside a body that
/// reads the very same: a server that can let the system send files may do that in the place of the body.
///
/// It comes as far as the server only past stages that let the body be: one that counts, compresses or changes
/// it must see all of it, and takes this out (`Stage::knows_files`). The pipeline takes it out for those that
/// do not know of it.
#[derive(Clone, Debug)]
pub(crate) struct FilePart {
    pub(crate) file: Arc<File>,
    pub(crate) range: Range<u64>,
    /// What it is called, for the log.
    pub(crate) name: Arc<str>,
}

impl FilePart {
    /// How long it is.
    pub(crate) fn length(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    /// How long the next piece of it is, of `most` bytes at most.
    pub(crate) fn next_piece(&self, most: usize) -> usize {
        usize::try_from(self.length()).map_or(most, |left| left.min(most))
    }

    /// Takes it out of an answer.
    pub(crate) fn take<B>(response: &mut Response<B>) -> Option<Self> {
        let extensions = response.extensions_mut();
        // Most have none, and a look for one costs more.
        if extensions.is_empty() { None } else { extensions.remove() }
    }
}
