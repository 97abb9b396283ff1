//! The body of an answer that is a part of a file which the system sends by itself (HTTP/1 in clear text).
//!
//! A piece that the system has not in memory is fetched first, on a thread that may wait, so that a slow disk
//! holds nobody else.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::activity::Http1Activity;
use super::clock::Moment;
use super::pieces::{LONGEST, Piece};
use super::send_file::{Whereabouts, fetch, whereabouts};
use crate::diagnostics::events;
use crate::features::CutOff;
use crate::pipeline::FilePart;

/// A part of a file as a body for hyper, and for nobody else: what it gives stands for bytes, and is none.
pub(super) struct SentFile {
    part: FilePart,
    activity: Arc<Http1Activity>,
    /// A piece that is fetched.
    fetching: Option<JoinHandle<io::Result<()>>>,
}

impl SentFile {
    pub(super) fn new(part: FilePart, activity: Arc<Http1Activity>) -> Self {
        Self { part, activity, fetching: None }
    }

    /// Ready when the next piece can be sent without a wait.
    fn poll_here(&mut self, length: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let at = self.part.range.start;
        let piece = at..at + length as u64;
        let now = Moment::now().as_millis();
        if self.fetching.is_none() {
            if self.part.file.was_in_memory(&piece, now) {
                return Poll::Ready(Ok(()));
            }
            match whereabouts(self.part.file.file(), at, length) {
                Whereabouts::Memory => {
                    self.part.file.is_in_memory(&piece, now);
                    return Poll::Ready(Ok(()));
                }
                Whereabouts::Nowhere => {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                Whereabouts::Disk => {
                    let file = Arc::clone(&self.part.file);
                    let fetch = move || fetch(file.file(), at, length);
                    self.fetching = Some(tokio::task::spawn_blocking(fetch));
                }
            }
        }
        let Some(fetching) = &mut self.fetching else { return Poll::Ready(Ok(())) };
        let fetched = ready!(Pin::new(fetching).poll(cx));
        self.fetching = None;
        Poll::Ready(fetched.unwrap_or_else(|gone| Err(io::Error::other(gone))))
    }
}

impl Body for SentFile {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = self.get_mut();
        let left = this.part.length();
        if left == 0 {
            return Poll::Ready(None);
        }
        let length = this.part.next_piece(LONGEST);
        if let Err(error) = ready!(this.poll_here(length, cx)) {
            events::static_file_ended(&this.part.name, &error, left);
            return Poll::Ready(Some(Err(CutOff(error))));
        }
        let piece = Piece {
            file: Arc::clone(&this.part.file),
            at: this.part.range.start,
            length,
            behind: left - length as u64,
            name: Arc::clone(&this.part.name),
        };
        this.part.range.start += length as u64;
        Poll::Ready(Some(Ok(Frame::data(this.activity.pieces().queue(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.part.length() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.part.length())
    }
}
