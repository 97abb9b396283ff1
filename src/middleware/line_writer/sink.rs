//! Where the lines of requests go.

/// Where lines go.
pub(crate) trait LineSink: Send {
    /// Writes whole lines, each with its end. It tells by itself if it cannot.
    fn write(&mut self, lines: &str);

    /// Opens anew what it writes to, because somebody has renamed it.
    fn reopen(&mut self) {}
}
