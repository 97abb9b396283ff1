//! A file as the body of an answer, for a server that can let the system send it.

use std::fs::File;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use http::Response;

/// The longest piece that a server sends at once. The system sends it in one go if the client takes it: long enough
/// that what a piece costs besides does not count, short enough that the other connections of a thread get their turn.
pub(crate) const LONGEST_PIECE: usize = 1024 * 1024;

/// Of how many pieces, at most, it is kept when they were in memory: those of four gigabytes.
const MOST_PIECES: u64 = 4096;

/// For how many milliseconds a piece that was in memory is taken to be there still.
const STAYS: u32 = 1000;

/// A file that is open, and which pieces of it the system had in memory lately: to ask for each answer costs more than
/// a file that everybody asks for is worth.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    file: File,
    length: u64,
    /// When each piece was in memory, in milliseconds that begin anew after seven weeks: a piece that is taken to be there
    /// and is not is waited for.
    in_memory: OnceLock<Box<[AtomicU32]>>,
}

impl OpenedFile {
    /// A file that had this length when it was opened.
    pub(crate) fn new(file: File, length: u64) -> Self {
        Self { file, length, in_memory: OnceLock::new() }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Whether a piece was in memory a moment before `now`, in milliseconds.
    pub(crate) fn was_in_memory(&self, piece: &Range<u64>, now: u64) -> bool {
        let seen = self.seen(piece).map(|seen| seen.load(Ordering::Relaxed));
        seen.is_some_and(|seen| seen != 0 && (now as u32).wrapping_sub(seen) < STAYS)
    }

    /// A piece is in memory.
    pub(crate) fn is_in_memory(&self, piece: &Range<u64>, now: u64) {
        if let Some(seen) = self.seen(piece) {
            seen.store(now as u32, Ordering::Relaxed);
        }
    }

    /// The mark of a piece, if it is one: neither a part of a piece, nor a part of two.
    fn seen(&self, piece: &Range<u64>) -> Option<&AtomicU32> {
        let longest = LONGEST_PIECE as u64;
        let ends = piece.end == self.length || piece.end == piece.start + longest;
        if !ends || !piece.start.is_multiple_of(longest) {
            return None;
        }
        let pieces = || self.length.div_ceil(longest).min(MOST_PIECES);
        let all = self.in_memory.get_or_init(|| (0..pieces()).map(|_| AtomicU32::new(0)).collect());
        all.get(usize::try_from(piece.start / longest).ok()?)
    }
}

/// The part of a file that an answer consists of. It stands in the extensions of the answer, beside a body that
/// reads the very same: a server that can let the system send files may do that in the place of the body.
///
/// It comes as far as the server only past stages that let the body be: one that counts, compresses or changes
/// it must see all of it, and takes this out (`Stage::knows_files`). The pipeline takes it out for those that
/// do not know of it.
#[derive(Clone, Debug)]
pub(crate) struct FilePart {
    pub(crate) file: Arc<OpenedFile>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_was_in_memory_is_there_for_a_second() {
        let longest = LONGEST_PIECE as u64;
        let file = OpenedFile::new(tempfile::tempfile().unwrap(), longest + 100);
        for (piece, is_one) in [
            (0..longest, true),
            (longest..longest + 100, true),
            (0..longest - 1, false),
            (longest..longest + 99, false),
            (1..longest + 1, false),
            (longest + 50..longest + 100, false),
            (2 * longest..3 * longest, false),
        ] {
            for now in [10_000, u64::from(u32::MAX) + 10] {
                assert!(!file.was_in_memory(&piece, now), "{piece:?} {now}");
                file.is_in_memory(&piece, now);
                assert_eq!(file.was_in_memory(&piece, now + 999), is_one, "{piece:?} {now}");
                assert!(!file.was_in_memory(&piece, now + 1000), "{piece:?} {now}");
            }
        }
    }
}
