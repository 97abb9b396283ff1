//! A mistake in what the user gave us: what, where it was set, how to fix it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::key::key_without_secret;
use super::origin::Origin;
use super::user_info::{address_without_user_info, without_user_info};

/// One mistake in the configuration, told as what / why / where it was set / how to fix.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// What is wrong. Kestrel's own text where Kestrel has one, because people search for it.
    pub message: String,
    /// Why, where the message does not say it: that of Kestrel often does not.
    pub cause: Option<String>,
    /// The key it is about, as it was spelled.
    pub key: Option<String>,
    /// Where it was set.
    pub origin: Option<Origin>,
    /// The line of the file, where one is to blame.
    pub excerpt: Option<Excerpt>,
    /// How to put it right.
    pub fix: Option<String>,
    /// Whether the start goes on.
    pub severity: Severity,
}

/// Whether a mistake ends the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// The start is refused.
    Error,
    /// The start goes on, unless `--strict` was given.
    Warning,
    /// Nothing is wrong, but it may not be what was meant: the start goes on in any case.
    Information,
}

/// A line of a file and the place in it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excerpt {
    /// The line's number, counted from 1; `None` for a text that is no file.
    pub line: Option<usize>,
    /// The column, in characters, counted from 1.
    pub column: usize,
    /// The line's text.
    pub text: String,
}

impl Problem {
    /// A mistake that ends the start.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(message.into(), Severity::Error)
    }

    /// A mistake that is reported, and ends the start only under `--strict`.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(message.into(), Severity::Warning)
    }

    /// Something that is told, and never ends the start.
    pub fn information(message: impl Into<String>) -> Self {
        Self::new(message.into(), Severity::Information)
    }

    fn new(message: String, severity: Severity) -> Self {
        let message = printable(message);
        Self { message, cause: None, key: None, origin: None, excerpt: None, fix: None, severity }
    }

    /// Says why.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(printable(cause.into()));
        self
    }

    /// Names the key it is about.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key_without_secret(&key.into()).into_owned());
        self
    }

    /// Names where it was set.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Shows the line.
    #[must_use]
    pub fn excerpt(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = Some(excerpt);
        self
    }

    /// Says how to put it right.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(printable(fix.into()));
        self
    }

    /// Whether it ends the start in any case.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The lines below the message: why, where it was set, the line of the file, the fix.
    pub fn details(&self) -> String {
        let mut lines: Vec<String> = self.cause.iter().cloned().collect();
        match (&self.key, &self.origin) {
            (Some(key), Some(origin)) => lines.push(format!("set by: {origin}, key {key}")),
            (None, Some(origin)) => lines.push(format!("set by: {origin}")),
            (Some(key), None) => lines.push(format!("key: {key}")),
            (None, None) => {}
        }
        if let Some(excerpt) = &self.excerpt {
            lines.extend(excerpt.to_string().lines().map(str::to_owned));
        }
        if let Some(fix) = &self.fix {
            lines.push(format!("fix: {fix}"));
        }
        lines.join("\n")
    }
}

/// A text without the users and passwords of the URLs in it: a value that is shown because it is
/// wrong may be an address, whatever its key is, and with or without its scheme.
///
/// What stands in quotes is one value, blanks included. (Whoever quotes a value blots it out itself:
/// only there is it known where it ends.)
fn printable(text: String) -> String {
    if !(text.contains('@') || text.contains("%40")) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(quoted) = first_quoted(rest) {
        shown.extend(words_without_user_info(&rest[..quoted.start]));
        shown.push_str(&word_without_user_info(&rest[quoted.clone()]));
        let behind = quoted.end + 1;
        shown.push_str(&rest[quoted.end..behind]);
        rest = &rest[behind..];
    }
    shown.extend(words_without_user_info(rest));
    shown
}

/// The first value in quotes, without them. An apostrophe is none: it stands inside of a word.
fn first_quoted(text: &str) -> Option<Range<usize>> {
    let mut before = ' ';
    let mut open = None;
    for (at, character) in text.char_indices() {
        let next = text[at + character.len_utf8()..].chars().next();
        match open {
            None if matches!(character, '\'' | '"')
                && (before.is_whitespace() || "([=".contains(before)) =>
            {
                open = Some((at + 1, character));
            }
            Some((start, quote))
                if character == quote && next.is_none_or(|next| !next.is_alphanumeric()) =>
            {
                return Some(start..at);
            }
            _ => {}
        }
        before = character;
    }
    None
}

fn words_without_user_info(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split_inclusive(char::is_whitespace).map(word_without_user_info)
}

fn word_without_user_info(word: &str) -> Cow<'_, str> {
    if word.contains("://") {
        return without_user_info(word);
    }
    let bare = word.trim_start_matches(['\'', '"', '(']);
    let shown = address_without_user_info(bare);
    // An address to write to has no password; the name of an abstract socket is one.
    let has_password = shown.rfind(['@', '%']).is_some_and(|at| bare[..at].contains(':'));
    match has_password && !bare.starts_with("unix:@") {
        true => Cow::Owned(format!("{}{shown}", &word[..word.len() - bare.len()])),
        false => Cow::Borrowed(word),
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for line in self.details().lines() {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A minified file is one line of any length: show what lies around the place.
        const BEFORE: usize = 60;
        const SHOWN: usize = 100;
        let number = self.line.map(|line| format!("{line} | ")).unwrap_or_default();
        let skipped = self.column.saturating_sub(BEFORE + 1);
        let shown: String = self
            .text
            .chars()
            .skip(skipped)
            .take(SHOWN)
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect();
        writeln!(f, "{number}{shown}")?;
        let margin: String = number.chars().map(|c| if c == '|' { '|' } else { ' ' }).collect();
        write!(f, "{margin}{:>caret$}", "^", caret = self.column - skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_what_where_how() {
        let problem = Problem::error("Invalid url: 'x'")
            .cause("There is no scheme.")
            .key("Urls")
            .origin(Origin::EnvironmentVariable("ASPNETCORE_URLS".to_owned()))
            .excerpt(Excerpt { line: Some(12), column: 3, text: "  x".to_owned() })
            .fix("write http://localhost:5000");
        assert_eq!(
            problem.to_string(),
            "Invalid url: 'x'\n  There is no scheme.\n  set by: environment variable ASPNETCORE_URLS, key Urls\n  \
             12 |   x\n     |   ^\n  fix: write http://localhost:5000"
        );
    }

    #[test]
    fn a_password_is_not_shown_whatever_the_problem_is() {
        let problem = Problem::warning("'http://a:hunter2@b' is no number.")
            .cause("It is http://a:hunter2@b, and https://c:hunter2@d.")
            .fix("write unix:@name, or http://a:hunter2@b:5000");
        assert_eq!(
            problem.to_string(),
            "'http://*********@b' is no number.\n  It is http://*********@b, and https://*********@d.\n  \
             fix: write unix:@name, or http://*********@b:5000"
        );
        let problem = Problem::warning("Could not find file '/srv/a:hunter2 hunter3@b'.")
            .cause("It isn't \"a: hunter2@b\", nor 'http://a:hunter2 @b', nor ''.")
            .fix("write 'me@b', or 'a:b' and me@b");
        assert_eq!(
            problem.to_string(),
            "Could not find file '**********************@b'.\n  \
             It isn't \"**********@b\", nor 'http://**********@b', nor ''.\n  \
             fix: write 'me@b', or 'a:b' and me@b"
        );
        let problem = Problem::warning("'a:hunter2@b' (a:hunter2%40b) is not me@b, /srv/a@b.sock:")
            .cause("The content root /srv/http:/a:hunter2@b/ is none.");
        assert_eq!(
            problem.to_string(),
            "'*********@b' (*********%40b) is not me@b, /srv/a@b.sock:\n  \
             The content root ********************@b/ is none."
        );
    }

    proptest::proptest! {
        #[test]
        fn every_text_can_be_told(text in "\\PC*|(['\"@:/ aé]|://|%40)*") {
            let told = printable(text.clone());
            proptest::prop_assert_eq!(told.len(), text.len());
        }
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let shown = Excerpt { line: None, column: 501, text }.to_string();
        let (line, caret) = shown.split_once('\n').unwrap();
        assert!(line.len() < 120, "{line}");
        assert_eq!(line.find('X'), caret.find('^'));
    }
}
