//! The bytes of a file on their way out, a piece at a time, so that memory is flat with its length. A piece that
//! the system has in memory is read here and now; one that it has not, on a thread that may wait.
//!
//! What was promised is sent or the answer fails: of a file that grows, what was there at first; one that was
//! removed or replaced is sent as it was; one that became shorter ends the answer.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::read;
use crate::diagnostics::events;
use crate::features::CutOff;
use crate::pipeline::FilePart;

/// How much is read at once, and what a client that reads slowly holds.
const PIECE: usize = 64 * 1024;

/// A part of a file as a body.
pub(super) struct FileBody {
    /// What is left of it.
    part: FilePart,
    /// A piece that is waited for.
    job: Option<JoinHandle<io::Result<Piece>>>,
}

impl FileBody {
    pub(super) fn new(part: FilePart) -> Self {
        Self { part, job: None }
    }

    /// Takes what was read.
    fn take(&mut self, read: io::Result<Piece>) -> Result<Frame<Bytes>, CutOff> {
        let read = read.and_then(|piece| match piece.length {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(piece),
        });
        let piece = read.inspect_err(|error| {
            events::static_file_ended(&self.part.name, error, self.part.length());
        })?;
        self.part.range.start += piece.length as u64;
        Ok(Frame::data(Bytes::from_owner(piece)))
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = self.get_mut();
        if this.part.length() == 0 {
            return Poll::Ready(None);
        }
        if this.job.is_none() {
            let mut piece = Piece::new();
            let (at, most) = (this.part.range.start, this.part.next_piece(PIECE));
            match read::now(this.part.file.file(), &mut piece.buffer[..most], at) {
                Some(read) => {
                    let read = read.map(|length| {
                        piece.length = length;
                        piece
                    });
                    return Poll::Ready(Some(this.take(read)));
                }
                None => {
                    let file = Arc::clone(&this.part.file);
                    let job = move || piece.filled(file.file(), at, most);
                    this.job = Some(tokio::task::spawn_blocking(job));
                }
            }
        }
        let Some(job) = &mut this.job else { return Poll::Ready(None) };
        let read = ready!(Pin::new(job).poll(cx));
        this.job = None;
        let read = read.unwrap_or_else(|gone| Err(io::Error::other(gone)));
        Poll::Ready(Some(this.take(read)))
    }

    fn is_end_stream(&self) -> bool {
        self.part.length() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.part.length())
    }
}

/// A buffer on loan, and how much of it is filled.
struct Piece {
    buffer: Vec<u8>,
    length: usize,
}

thread_local! {
    /// Buffers that were sent: a fresh one would be zeroed first, and its pages fetched from the system.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// How many a thread keeps.
const MOST_SPARE: usize = 16;

impl Piece {
    fn new() -> Self {
        let spare = SPARE.with_borrow_mut(Vec::pop);
        Self { buffer: spare.unwrap_or_else(|| vec![0; PIECE]), length: 0 }
    }

    /// Waits for as much as there is, up to `most`.
    fn filled(mut self, file: &File, at: u64, most: usize) -> io::Result<Self> {
        while self.length < most {
            let from = at + self.length as u64;
            match read::at_offset(file, &mut self.buffer[self.length..most], from) {
                Ok(0) => break,
                Ok(read) => self.length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        // A thread that ends has no use for it.
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut()
                && spare.len() < MOST_SPARE
            {
                spare.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::ops::Range;

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::pipeline::OpenedFile;

    fn file(length: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..length).map(|at| (at / 7 + at / 256) as u8).collect();
        file.write_all(&bytes).unwrap();
        (file, bytes)
    }

    fn body(file: &tempfile::NamedTempFile, part: Range<u64>) -> FileBody {
        let file = file.reopen().unwrap();
        let length = file.metadata().unwrap().len();
        let file = Arc::new(OpenedFile::new(file, length));
        FileBody::new(FilePart { file, range: part, name: "a.bin".into() })
    }

    #[tokio::test]
    async fn a_part_is_sent_to_its_last_byte() {
        let (file, bytes) = file(3 * PIECE + 5);
        for part in [0..bytes.len(), 1..2, PIECE - 1..2 * PIECE + 1, 7..7] {
            let body = body(&file, part.start as u64..part.end as u64);
            assert_eq!(body.size_hint().exact(), Some(part.len() as u64));
            let sent = body.collect().await.unwrap().to_bytes();
            assert!(sent == bytes[part]);
        }
    }

    #[tokio::test]
    async fn what_was_added_meanwhile_is_not_sent() {
        let (mut file, bytes) = file(PIECE);
        let body = body(&file, 0..bytes.len() as u64);
        file.write_all(b"more").unwrap();
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), bytes.len());
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_sent_as_it_was() {
        let (file, bytes) = file(2 * PIECE);
        let mut body = body(&file, 0..bytes.len() as u64);
        body.frame().await.unwrap().unwrap();
        drop(file);
        body.collect().await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_cut_short_fails_the_body() {
        let (file, bytes) = file(3 * PIECE);
        let mut body = body(&file, 0..bytes.len() as u64);
        body.frame().await.unwrap().unwrap();
        file.as_file().set_len(PIECE as u64 + 10).unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 10);
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.0.kind(), io::ErrorKind::UnexpectedEof);
    }
}
