//! What the tool has to say: to whom, and only if asked.

/// Where a line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// The lines of one run, in their order. Events have the numbers of .NET's tool.
#[derive(Debug, Default)]
pub(crate) struct Report {
    verbose: bool,
    quiet: bool,
    lines: Vec<(Stream, String)>,
}

impl Report {
    pub(super) fn new(verbose: bool, quiet: bool) -> Self {
        Self { verbose, quiet, lines: Vec::new() }
    }

    /// One that nobody reads.
    pub(super) fn silent() -> Self {
        Self::new(false, true)
    }

    pub(crate) fn lines(&self) -> &[(Stream, String)] {
        &self.lines
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// What was asked for.
    pub(super) fn answer(&mut self, text: impl Into<String>) {
        if !self.quiet {
            self.lines.push((Stream::Output, text.into()));
        }
    }

    /// What must be known even by those who want quiet.
    pub(super) fn warning(&mut self, text: impl Into<String>) {
        self.lines.push((Stream::Output, text.into()));
    }

    /// Why nothing came of it.
    pub(super) fn error(&mut self, text: impl Into<String>) {
        self.lines.push((Stream::Error, text.into()));
    }

    /// A step, for those who want to know all of them.
    pub(super) fn step(&mut self, id: u32, text: impl AsRef<str>) {
        if self.verbose {
            self.lines.push((Stream::Output, format!("[{id}] {}", text.as_ref())));
        }
    }

    /// What the user should do now.
    pub(super) fn advice(&mut self, id: u32, text: impl AsRef<str>) {
        if self.verbose || !self.quiet {
            self.lines.push((Stream::Output, format!("[{id}] {}", text.as_ref())));
        }
    }

    /// A step that failed.
    pub(super) fn failure(&mut self, id: u32, text: impl AsRef<str>) {
        if self.verbose || !self.quiet {
            self.lines.push((Stream::Error, format!("[{id}] {}", text.as_ref())));
        }
    }
}
