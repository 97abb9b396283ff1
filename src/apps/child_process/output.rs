//! What a process writes: into the log line by line, and the last of it kept for whoever asks why it ended.
//!
//! It is read as fast as it comes, whatever becomes of it: a process is never held up by its log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::output_line::{self, Severity};
use crate::diagnostics::{events, in_log_boxed};
use crate::middleware::LineWriter;

/// How many lines are kept.
const KEPT: usize = 20;

/// A longer line is told in parts.
const LONGEST: usize = 16 * 1024;

/// Whoever has inherited the pipes may hold them for ever: so long is waited for what is in them.
const REST: Duration = Duration::from_millis(500);

/// What a process writes.
#[derive(Debug)]
pub(super) struct Output {
    shared: Arc<Shared>,
    readers: JoinSet<()>,
}

/// Whose output it is, and where it goes.
pub(super) struct Told {
    /// The program's name.
    pub(super) program: String,
    pub(super) process: u32,
    /// The file that it is written to besides.
    pub(super) file: Option<Arc<LineWriter>>,
}

struct Shared {
    told: Told,
    last: Mutex<VecDeque<String>>,
    /// Told of all that is written.
    wrote: Arc<Notify>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("process", &self.told.process).finish_non_exhaustive()
    }
}

impl Output {
    /// Begins to read.
    pub(super) fn new(told: Told) -> Self {
        let shared = Arc::new(Shared { told, last: Mutex::default(), wrote: Arc::default() });
        Self { shared, readers: JoinSet::new() }
    }

    /// Reads this, too.
    pub(super) fn add(&mut self, stream: impl AsyncRead + Unpin + Send + 'static) {
        let shared = Arc::clone(&self.shared);
        self.readers.spawn(in_log_boxed(read(stream, shared)));
    }

    /// Told whenever something was written.
    pub(super) fn wrote(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.wrote)
    }

    /// The last lines, of a process that has ended.
    pub(super) async fn last_lines(&mut self) -> Vec<String> {
        let _ = timeout(REST, async { while self.readers.join_next().await.is_some() {} }).await;
        self.lines_so_far()
    }

    /// The last lines.
    pub(super) fn lines_so_far(&self) -> Vec<String> {
        self.shared.last().iter().cloned().collect()
    }
}

impl Shared {
    fn last(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line; one that does not say how much it matters goes on what was said before.
    fn take(&self, bytes: &[u8], before: Severity) -> Severity {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches('\r');
        if text.is_empty() {
            return before;
        }
        let line = output_line::read(text);
        let goes_on = text.starts_with([' ', '\t']);
        let default = if goes_on { before } else { Severity::Information };
        let severity = line.severity.unwrap_or(default);
        events::process_wrote(
            &self.told.program,
            self.told.process,
            severity as u8,
            (&line.message, &line.fields),
        );
        if let Some(file) = &self.told.file {
            file.push(|lines| lines.push_str(text));
        }
        let mut last = self.last();
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(text.to_owned());
        severity
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, shared: Arc<Shared>) {
    let (mut buffer, mut severity) = (Vec::with_capacity(4096), Severity::Information);
    loop {
        // What is left of a line that has not ended stands at the beginning.
        let is_over = !matches!(stream.read_buf(&mut buffer).await, Ok(1..));
        shared.wrote.notify_one();
        let mut rest = &buffer[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            severity = shared.take(&rest[..end], severity);
            rest = &rest[end + 1..];
        }
        if is_over || rest.len() >= LONGEST {
            severity = shared.take(rest, severity);
            rest = &[];
        }
        if is_over {
            return;
        }
        let read = buffer.len() - rest.len();
        buffer.drain(..read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept() {
        let told = Told { program: "app".to_owned(), process: 1, file: None };
        let mut output = Output::new(told);
        let long = "x".repeat(3 * LONGEST);
        let mut written: String = (0..KEPT).map(|number| format!("{number}\r\n")).collect();
        written += &format!("\n{long}\nwithout an end");
        output.add(std::io::Cursor::new(written.into_bytes()));
        let lines = output.last_lines().await;
        assert_eq!(lines.len(), KEPT);
        assert_eq!(lines.last().map(String::as_str), Some("without an end"));
        assert!(lines.iter().all(|line| line.len() <= 2 * LONGEST));
        assert_eq!(lines.concat().matches('x').count(), 3 * LONGEST);
    }
}
