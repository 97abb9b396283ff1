//! The pieces of files that the system sends by itself, and what stands for them on their way through hyper.
//!
//! hyper moves the bytes of a body about and never looks at them. So the body of such an answer
//! (`sent_file`) gives it places in one block of memory that nothing else lies in, and queues which piece of
//! which file each stands for; the gate knows them by their address, and has the system send the piece. Only
//! hyper stands between the two.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use crate::pipeline::{LONGEST_PIECE, OpenedFile};

/// The longest piece.
pub(super) const LONGEST: usize = LONGEST_PIECE;

/// Nobody reads or writes here, so that it takes no memory. (It is no constant: a program may have one like it,
/// and the compiler may make one of both.)
static PLACES: OnceLock<Bytes> = OnceLock::new();

/// A piece of a file on its way.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) file: Arc<OpenedFile>,
    pub(super) at: u64,
    pub(super) length: usize,
    /// How much of the answer comes behind it.
    pub(super) behind: u64,
    /// What the file is called, for the log.
    pub(super) name: Arc<str>,
}

/// The pieces of a connection, in the order in which what stands for them comes to the gate.
#[derive(Debug, Default)]
pub(super) struct Pieces(Mutex<VecDeque<Piece>>);

impl Pieces {
    /// Queues a piece, and gives what stands for it.
    pub(super) fn queue(&self, piece: Piece) -> Bytes {
        let places = PLACES.get_or_init(|| vec![0; LONGEST].into());
        let stand_in = places.slice(..piece.length.min(LONGEST));
        self.all().push_back(piece);
        stand_in
    }

    /// The piece that is to be sent now, as far as it is not sent yet.
    pub(super) fn first(&self) -> Option<Piece> {
        self.all().front().cloned()
    }

    /// So many bytes of the first piece were sent.
    pub(super) fn sent(&self, length: usize) {
        let mut all = self.all();
        let Some(piece) = all.front_mut() else { return };
        piece.at += length as u64;
        piece.length = piece.length.saturating_sub(length);
        if piece.length == 0 {
            all.pop_front();
        }
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Piece>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether these bytes stand for a piece of a file.
#[inline]
pub(super) fn is_stand_in(bytes: &[u8]) -> bool {
    let Some(places) = PLACES.get() else { return false };
    let first = places.as_ptr().addr();
    !bytes.is_empty() && (first..first + LONGEST).contains(&bytes.as_ptr().addr())
}

#[cfg(test)]
mod tests {
    use bytes::Buf;

    use super::*;

    fn piece(at: u64, length: usize) -> Piece {
        let file = Arc::new(OpenedFile::new(tempfile::tempfile().unwrap(), at + length as u64));
        Piece { file, at, length, behind: 0, name: "a".into() }
    }

    #[test]
    fn what_stands_for_a_piece_is_known_however_it_is_cut() {
        let pieces = Pieces::default();
        let mut stand_in = pieces.queue(piece(0, LONGEST));
        assert!(is_stand_in(&stand_in));
        stand_in.advance(LONGEST - 1);
        assert!(is_stand_in(&stand_in.clone()), "the last byte");
        stand_in.advance(1);
        assert!(!is_stand_in(&stand_in), "nothing is left");
        for other in [&[0; 100][..], b"", &vec![0; LONGEST], Bytes::from_static(b"a").as_ref()] {
            assert!(!is_stand_in(other));
        }
    }

    #[test]
    fn pieces_go_one_after_the_other() {
        let pieces = Pieces::default();
        assert!(pieces.first().is_none());
        for (at, length) in [(0, 10), (10, 5)] {
            assert_eq!(pieces.queue(piece(at, length)).len(), length);
        }
        let first = || pieces.first().map(|piece| (piece.at, piece.length));
        pieces.sent(4);
        assert_eq!(first(), Some((4, 6)));
        pieces.sent(6);
        assert_eq!(first(), Some((10, 5)));
        pieces.sent(5);
        assert_eq!(first(), None);
        pieces.sent(1);
    }
}
