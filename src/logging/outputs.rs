//! The two ends of the log: lines in a row, and the streams they are written to.

use std::fmt;
use std::io::{self, ErrorKind, Write};
#[cfg(unix)]
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::limits::{LARGEST_KEPT_BUFFER, LAST_WAIT};

/// How long to wait before another attempt when an output was set not to block and is full.
const RETRY_AFTER: Duration = Duration::from_millis(1);

/// Where lines are written to. Errors are ignored: there is nowhere left to report them. For the same reason an output
/// must not log: its events would wait for itself.
#[non_exhaustive]
pub struct Outputs {
    /// Takes what is below the threshold for standard error.
    pub stdout: Box<dyn Write + Send>,
    /// Takes the rest.
    pub stderr: Box<dyn Write + Send>,
}

impl Outputs {
    /// The standard streams of the process.
    #[must_use]
    pub fn standard() -> Self {
        Self { stdout: standard(io::stdout()), stderr: standard(io::stderr()) }
    }

    /// Where `print!` and `eprint!` write: a test's harness keeps it, for the test on whose thread the log begins.
    pub(super) fn captured() -> Self {
        Self {
            stdout: Box::new(Printing(Stream::Stdout)),
            stderr: Box::new(Printing(Stream::Stderr)),
        }
    }

    pub(super) fn write(&mut self, batch: &Batch) {
        let mut start = 0;
        for (stream, end) in &batch.runs {
            let output = match stream {
                Stream::Stdout => &mut self.stdout,
                Stream::Stderr => &mut self.stderr,
            };
            write_all(output.as_mut(), &batch.bytes[start..*end]);
            start = *end;
        }
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outputs").finish_non_exhaustive()
    }
}

/// Prints by the macros, which alone a test's harness hears.
struct Printing(Stream);

impl Write for Printing {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "only the macros can be captured"
    )]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Batches end with lines, and lines are text.
        let text = String::from_utf8_lossy(bytes);
        match self.0 {
            Stream::Stdout => print!("{text}"),
            Stream::Stderr => eprint!("{text}"),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A standard stream without the lock and the buffer that the standard library puts before it: a reader that has
/// stopped would hold whoever wants that lock, and the end of the process where the buffer is written.
#[cfg(unix)]
fn standard(stream: impl AsFd + Send + 'static) -> Box<dyn Write + Send> {
    struct Raw<S>(S);

    impl<S: AsFd> Write for Raw<S> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(nix::unistd::write(&self.0, bytes)?)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    Box::new(Raw(stream))
}

#[cfg(not(unix))]
fn standard(stream: impl Write + Send + 'static) -> Box<dyn Write + Send> {
    Box::new(stream)
}

/// Writes the last words of a process to standard error, and waits for them to be taken no longer than for those of its
/// log.
pub(crate) fn last_words(text: String) {
    let (written, done) = mpsc::channel();
    let write = move || {
        write_all(standard(io::stderr()).as_mut(), text.as_bytes());
        // Whoever waited may have given up.
        let _ = written.send(());
    };
    // Without a thread they go untold rather than hold the end: the exit code is left.
    if thread::Builder::new().name("last words".to_owned()).spawn(write).is_ok() {
        let _ = done.recv_timeout(LAST_WAIT);
    }
}

/// Which of the two outputs a line goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// Lines in a row, and where each stretch of them goes.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Each stretch with the index where it ends.
    runs: Vec<(Stream, usize)>,
    pub(super) lines: usize,
}

impl Batch {
    pub(super) fn push(&mut self, stream: Stream, line: &str) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.lines += 1;
        match self.runs.last_mut() {
            Some((last, end)) if *last == stream => *end = self.bytes.len(),
            _ => self.runs.push((stream, self.bytes.len())),
        }
    }

    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > LARGEST_KEPT_BUFFER {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.runs.clear();
        self.lines = 0;
    }
}

/// Like `Write::write_all` with a flush, but patient with an output that was set not to block, as a terminal shared
/// with another process can be. Gives up at any other error, such as a reader that is gone.
fn write_all(output: &mut dyn Write, mut bytes: &[u8]) {
    loop {
        let result =
            if bytes.is_empty() { output.flush().map(|()| 0) } else { output.write(bytes) };
        match result {
            Ok(0) => return,
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_AFTER),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one byte at a time, and fails before each.
    struct Grudging(Vec<u8>, Option<ErrorKind>, bool);

    impl Write for Grudging {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.2 = !self.2;
            match self.1 {
                Some(kind) if self.2 => Err(kind.into()),
                _ => self.0.write(&bytes[..1]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn passing_errors_are_retried_and_others_end_the_write() {
        for (error, expected) in [
            (None, "abc\n"),
            (Some(ErrorKind::Interrupted), "abc\n"),
            (Some(ErrorKind::WouldBlock), "abc\n"),
            (Some(ErrorKind::BrokenPipe), ""),
        ] {
            let mut output = Grudging(Vec::new(), error, false);
            write_all(&mut output, b"abc\n");
            assert_eq!(output.0, expected.as_bytes(), "{error:?}");
        }
    }
}
