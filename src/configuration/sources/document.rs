//! A file's text, and how to point into it.

use std::path::{Path, PathBuf};

use super::file::failed;
use crate::configuration::origin::Origin;
use crate::configuration::problem::{Excerpt, Problem};

/// A file's text and how to point into it.
pub(super) struct Document<'a> {
    text: &'a str,
    /// Where each line starts: every value asks for its line.
    line_starts: Vec<usize>,
    path: &'a Path,
    shown: &'a Path,
}

impl<'a> Document<'a> {
    /// The text of the file at `path`, which origins call `shown`.
    pub(super) fn new(text: &'a str, path: &'a Path, shown: &'a Path) -> Self {
        let newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { text, line_starts: std::iter::once(0).chain(newlines).collect(), path, shown }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Line and column, both from 1, of a byte offset.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.start_of(line);
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    fn start_of(&self, line: usize) -> usize {
        self.line_starts.get(line - 1).copied().unwrap_or_default()
    }

    /// The place of a byte offset.
    pub(super) fn origin(&self, offset: usize) -> Origin {
        let (line, column) = self.place(offset);
        Origin::File { path: PathBuf::from(self.shown), line, column }
    }

    /// What is wrong at a byte offset. `printable` is given the line, and what stands above and below it:
    /// it gives the line as it may be printed, `None` if it may not, because it may be part of a secret.
    pub(super) fn problem(
        &self,
        offset: usize,
        reason: &str,
        fix: &str,
        printable: impl Fn(&str, &str, &str) -> Option<String>,
    ) -> Problem {
        let (line, column) = self.place(offset);
        let start = self.start_of(line);
        let above = self.text.get(..start).unwrap_or_default();
        let problem = Problem::error(format!("{} {reason}", failed(self.path)))
            .origin(self.origin(offset))
            .fix(fix);
        let below = self.text.get(start..).and_then(|rest| rest.split_once('\n'));
        let below = below.map_or("", |(_, below)| below);
        match printable(self.text.lines().nth(line - 1).unwrap_or_default(), above, below) {
            Some(text) => problem.excerpt(Excerpt { line: Some(line), column, text }),
            None => problem.cause("The line is not shown: it may hold a secret."),
        }
    }
}
