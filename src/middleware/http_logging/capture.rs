//! What is kept of a body for the log, while it goes where it goes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::text_types::Charset;

/// The beginning of a body, and how far it got.
#[derive(Debug)]
pub(super) struct Capture {
    charset: Charset,
    limit: usize,
    kept: Vec<u8>,
    progress: Progress,
}

/// How far a body was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    NotBegun,
    Begun,
    Ended,
    /// As much as the limit lets be kept; whether there was more is not looked at.
    AtLimit,
}

impl Capture {
    pub(super) fn new(charset: Charset, limit: usize) -> Self {
        Self { charset, limit, kept: Vec::new(), progress: Progress::NotBegun }
    }

    /// A piece comes by. Whether it fills the limit.
    fn take(&mut self, piece: &[u8]) -> bool {
        if self.progress == Progress::AtLimit {
            return false;
        }
        self.progress = Progress::Begun;
        let room = self.limit - self.kept.len();
        self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
        if self.kept.len() < self.limit {
            return false;
        }
        self.progress = Progress::AtLimit;
        true
    }

    /// The body ends. Whether that is news.
    fn end(&mut self) -> bool {
        let is_news = matches!(self.progress, Progress::NotBegun | Progress::Begun);
        if is_news {
            self.progress = Progress::Ended;
        }
        is_news
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress
    }

    /// What is kept, as text.
    pub(super) fn text(&self) -> String {
        self.charset.text(&self.kept, self.progress == Progress::AtLimit)
    }
}

/// A capture that a body fills, and somebody else tells of.
#[derive(Clone, Debug)]
pub(super) struct Captured(Arc<Mutex<Capture>>);

impl Captured {
    pub(super) fn new(capture: Capture) -> Self {
        Self(Arc::new(Mutex::new(capture)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Capture> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that is captured: it is neither held nor changed, and lasts no longer.
pub(super) struct Watched<F> {
    inner: Body,
    captured: Captured,
    /// What is to be done once all is there that is kept.
    filled: Option<F>,
}

impl<F: FnOnce(&Capture) + Send + Unpin + 'static> Watched<F> {
    pub(super) fn body(inner: Body, captured: Captured, filled: F) -> Body {
        Body::new(Self { inner, captured, filled: Some(filled) })
    }
}

impl<F: FnOnce(&Capture) + Unpin> http_body::Body for Watched<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let mut capture = self.captured.lock();
        let is_filled = match &polled {
            // Who sees that this was the last piece asks for no other.
            Poll::Ready(Some(Ok(frame))) => {
                frame.data_ref().is_some_and(|data| capture.take(data))
                    || self.inner.is_end_stream() && capture.end()
            }
            Poll::Ready(None) => capture.end(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        drop(capture);
        if is_filled && let Some(filled) = self.filled.take() {
            filled(&self.captured.lock());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(limit: usize, pieces: &[&str], ends: bool) -> (String, Progress) {
        let mut capture = Capture::new(Charset::Utf8, limit);
        let mut news = 0;
        for piece in pieces {
            news += u32::from(capture.take(piece.as_bytes()));
        }
        if ends {
            news += u32::from(capture.end());
        }
        let expected = matches!(capture.progress, Progress::Ended | Progress::AtLimit);
        assert_eq!(news, u32::from(expected), "it is told once");
        (capture.text(), capture.progress)
    }

    #[test]
    fn a_body_is_kept_up_to_the_limit() {
        for (limit, pieces, ends, expected) in [
            (10, &["ab", "cd"][..], true, ("abcd", Progress::Ended)),
            (10, &["ab", "cd"], false, ("abcd", Progress::Begun)),
            (10, &[], true, ("", Progress::Ended)),
            (10, &[], false, ("", Progress::NotBegun)),
            (4, &["ab", "cd"], true, ("abcd", Progress::AtLimit)),
            (3, &["ab", "cd", "ef"], true, ("abc", Progress::AtLimit)),
            (5, &["abcd\u{fc}\u{fc}"], true, ("abcd", Progress::AtLimit)),
        ] {
            let (text, progress) = after(limit, pieces, ends);
            assert_eq!((text.as_str(), progress), expected, "{pieces:?}");
        }
    }
}
