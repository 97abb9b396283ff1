//! What the tool has to say: to whom, and only if asked.

/// Where a line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// The lines of one run, in their order. Events have the numbers of .NET's tool, which tells them
/// with `--verbose` only. Here those that are the cause of a failure are told without it, too: as
/// plain lines below the one that says what failed.
#[derive(Debug, Default)]
pub(crate) struct Report {
    verbose: bool,
    quiet: bool,
    lines: Vec<(Stream, String)>,
    /// What the next failure is to be explained by.
    causes: Vec<String>,
}

impl Report {
    pub(super) fn new(verbose: bool, quiet: bool) -> Self {
        Self { verbose, quiet, ..Self::default() }
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

    /// An answer for those who want to know more, even if they want quiet.
    pub(super) fn verbose_answer(&mut self, text: impl Into<String>) {
        if self.verbose {
            self.lines.push((Stream::Output, text.into()));
        }
    }

    /// What was asked for.
    pub(super) fn answer(&mut self, text: impl Into<String>) {
        if !self.quiet {
            self.lines.push((Stream::Output, text.into()));
        }
    }

    /// An answer that may not be what was hoped for, and its causes.
    pub(super) fn answer_and_causes(&mut self, text: impl Into<String>) {
        self.answer(text);
        if self.quiet {
            self.causes.clear();
        }
        self.tell_causes(Stream::Output);
    }

    /// What must be known even by those who want quiet, and its causes.
    pub(super) fn warning(&mut self, text: impl Into<String>) {
        self.lines.push((Stream::Output, text.into()));
        self.tell_causes(Stream::Output);
    }

    /// Why nothing came of it, and the causes of that.
    pub(super) fn error(&mut self, text: impl Into<String>) {
        self.lines.push((Stream::Error, text.into()));
        self.tell_causes(Stream::Error);
    }

    /// A step, for those who want to know all of them.
    pub(super) fn step(&mut self, id: u32, text: impl AsRef<str>) {
        if self.verbose {
            self.lines.push((Stream::Output, format!("[{id}] {}", text.as_ref())));
        }
    }

    /// What the user should do now.
    pub(super) fn advice(&mut self, id: u32, text: impl AsRef<str>) {
        self.answer(format!("[{id}] {}", text.as_ref()));
    }

    /// A step that did not succeed: for those who want to know all of them, and a cause if all
    /// fails.
    pub(super) fn drawback(&mut self, id: u32, text: impl AsRef<str>) {
        self.step(id, &text);
        self.cause(text);
    }

    /// A step that failed, likewise.
    pub(super) fn failure(&mut self, id: u32, text: impl AsRef<str>) {
        self.failed_step(id, &text);
        self.cause(text);
    }

    /// A step that failed, for those who want to know all of them.
    pub(super) fn failed_step(&mut self, id: u32, text: impl AsRef<str>) {
        if self.verbose {
            self.lines.push((Stream::Error, format!("[{id}] {}", text.as_ref())));
        }
    }

    /// A cause if all fails, which no step has told.
    pub(super) fn cause(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        if !self.verbose && !self.causes.iter().any(|known| known == text) {
            self.causes.push(text.to_owned());
        }
    }

    /// A cause that .NET's tool has no step for: for those who want to know all, and if all fails.
    pub(super) fn note(&mut self, text: impl AsRef<str>) {
        if self.verbose {
            self.lines.push((Stream::Output, format!("  {}", text.as_ref())));
        }
        self.cause(text);
    }

    /// What would mend the causes told so far.
    pub(super) fn fix(&mut self, text: impl AsRef<str>) {
        self.cause(format!("fix: {}", text.as_ref()));
    }

    /// All went well so far: what did not is no cause of what is to come.
    pub(super) fn forget_causes(&mut self) {
        self.causes.clear();
    }

    fn tell_causes(&mut self, stream: Stream) {
        let causes = std::mem::take(&mut self.causes);
        self.lines.extend(causes.iter().map(|cause| (stream, format!("  {cause}"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(verbose: bool, quiet: bool) -> Vec<(Stream, String)> {
        let mut report = Report::new(verbose, quiet);
        report.step(1, "step");
        report.drawback(2, "drawback");
        report.failure(3, "failure");
        report.fix("this");
        report.warning("warning");
        report.advice(4, "advice");
        report.cause("cause");
        report.answer_and_causes("answer");
        report.error("error");
        report.lines
    }

    #[test]
    fn causes_are_told_below_what_failed_unless_the_steps_told_them() {
        use Stream::{Error, Output};
        let lines = |lines: &[(Stream, &str)]| {
            lines.iter().map(|(stream, text)| (*stream, (*text).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            told(false, false),
            lines(&[
                (Output, "warning"),
                (Output, "  drawback"),
                (Output, "  failure"),
                (Output, "  fix: this"),
                (Output, "[4] advice"),
                (Output, "answer"),
                (Output, "  cause"),
                (Error, "error"),
            ])
        );
        assert_eq!(
            told(true, false),
            lines(&[
                (Output, "[1] step"),
                (Output, "[2] drawback"),
                (Error, "[3] failure"),
                (Output, "warning"),
                (Output, "[4] advice"),
                (Output, "answer"),
                (Error, "error"),
            ])
        );
        assert_eq!(
            told(false, true),
            lines(&[
                (Output, "warning"),
                (Output, "  drawback"),
                (Output, "  failure"),
                (Output, "  fix: this"),
                (Error, "error"),
            ])
        );
        // The steps are for those who ask for them, whatever else they ask for.
        assert_eq!(
            told(true, true),
            lines(&[
                (Output, "[1] step"),
                (Output, "[2] drawback"),
                (Error, "[3] failure"),
                (Output, "warning"),
                (Error, "error"),
            ])
        );
    }
}
