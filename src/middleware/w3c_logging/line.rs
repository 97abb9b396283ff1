//! A line of a request: what is known when it comes, and what at its end. Pure.

use std::fmt::Write as _;
use std::net::IpAddr;

use http::HeaderName;
use http::header::{COOKIE, HOST, REFERER, USER_AGENT};

use super::fields::W3cFields;
use super::options::W3cOptions;
use crate::diagnostics::{events, turns_text};
use crate::features::without_secrets;
use crate::features::{
    Completed, Connection, EffectiveRequest, Local, RequestTarget, escaped_path,
};
use crate::middleware::joined_headers::joined;
use crate::middleware::line_writer::Moment;
use crate::middleware::watching::broken;
use crate::pipeline::Request;

/// The values of a line, each behind a blank. Status and duration stand in the middle.
#[derive(Debug, Default)]
pub(super) struct Line {
    before: String,
    /// Where the user's name comes in between them.
    user_at: usize,
    after: String,
    /// Whether one of them says something.
    has_values: bool,
}

/// What is known at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    /// Who was let in.
    pub(super) user: Option<&'a str>,
    /// `None` if nothing was sent.
    pub(super) status: Option<u16>,
    pub(super) milliseconds: f64,
    /// How much of the body was sent.
    pub(super) bytes: u64,
    pub(super) how: Completed,
}

impl Line {
    pub(super) fn of(options: &W3cOptions, machine: &str, now: Moment, request: &Request) -> Self {
        let mut line = Self::default();
        let (fields, is_there) = (options.fields, true);
        if fields.has(W3cFields::DATE | W3cFields::TIME) {
            line.moment(fields, now);
        }
        line.peers(fields, machine, request);
        let target = RequestTarget::of(request);
        line.before_if(fields.has(W3cFields::METHOD), || request.method().as_str().to_owned());
        line.before_if(fields.has(W3cFields::STEM), || {
            let base = EffectiveRequest::of(request).escaped_path_base();
            format!("{base}{}", escaped_path(&target.lent_path()))
        });
        line.before_if(fields.has(W3cFields::QUERY), || without_secrets(target.query()).into());
        let headers = request.headers();
        if fields.has(W3cFields::VERSION) {
            line.has_values |= add(&mut line.after, events::protocol_name(request.version()));
        }
        if fields.has(W3cFields::HOST) {
            let host = joined(headers, &HOST);
            // On HTTP/2 it is no header.
            let host = if host.is_empty() { target.host() } else { &host };
            line.has_values |= add(&mut line.after, host);
        }
        let of_fields = [
            (fields.has(W3cFields::USER_AGENT), &USER_AGENT),
            (fields.has(W3cFields::COOKIE), &COOKIE),
            (fields.has(W3cFields::REFERER), &REFERER),
        ];
        let more = options.headers.iter().map(|(name, _)| (is_there, name));
        for (_, name) in of_fields.into_iter().chain(more).filter(|(is_there, _)| *is_there) {
            line.header(request, name);
        }
        line
    }

    /// Date and time.
    fn moment(&mut self, fields: W3cFields, now: Moment) {
        let it = now.calendar();
        if fields.has(W3cFields::DATE) {
            let _ = write!(self.before, " {:04}-{:02}-{:02}", it.year, it.month, it.day);
        }
        if fields.has(W3cFields::TIME) {
            let _ = write!(self.before, " {:02}:{:02}:{:02}", it.hour, it.minute, it.second);
        }
        self.has_values = true;
    }

    /// Who asked, and who was asked.
    fn peers(&mut self, fields: W3cFields, machine: &str, request: &Request) {
        let connection: Option<&Connection> = request.extensions().get();
        let local = connection.and_then(Connection::local).map(|Local(address)| address);
        let text =
            |ip: Option<IpAddr>| ip.map_or_else(String::new, |ip| ip.to_canonical().to_string());
        self.before_if(fields.has(W3cFields::CLIENT), || {
            text(EffectiveRequest::of(request).client().map(|it| it.ip()))
        });
        self.user_at = self.before.len();
        self.before_if(fields.has(W3cFields::SERVER_NAME), || machine.to_owned());
        self.before_if(fields.has(W3cFields::SERVER_IP), || text(local.map(|it| it.ip())));
        self.before_if(fields.has(W3cFields::SERVER_PORT), || {
            local.map_or(0, |it| it.port()).to_string()
        });
    }

    fn before_if(&mut self, is_wanted: bool, value: impl FnOnce() -> String) {
        if is_wanted {
            self.has_values |= add(&mut self.before, &value());
        }
    }

    fn header(&mut self, request: &Request, name: &HeaderName) {
        let value = joined(request.headers(), name);
        let shown = if *name == REFERER { without_secrets(&value) } else { value.as_str().into() };
        self.has_values |= add(&mut self.after, &shown);
    }

    /// Whether there is a line at all: one of nothing but `-` is none.
    pub(super) fn is_written(&self, fields: W3cFields) -> bool {
        let of_the_end = W3cFields::STATUS | W3cFields::TIME_TAKEN;
        self.has_values || fields.has(of_the_end | W3cFields::BYTES_SENT | W3cFields::COMPLETION)
    }

    /// The same, as long as it is not known who will be let in.
    pub(super) fn may_be_written(&self, fields: W3cFields) -> bool {
        self.is_written(fields) || fields.has(W3cFields::USER)
    }

    /// Writes it with what is known at the end.
    pub(super) fn write(&self, fields: W3cFields, end: &End<'_>, out: &mut String) {
        let start = out.len();
        let (before, behind) = self.before.split_at(self.user_at);
        out.push_str(before);
        if fields.has(W3cFields::USER) {
            add(out, end.user.unwrap_or_default());
        }
        out.push_str(behind);
        if fields.has(W3cFields::STATUS) {
            let _ = match end.status {
                Some(status) => write!(out, " {status}"),
                None => write!(out, " -"),
            };
        }
        if fields.has(W3cFields::TIME_TAKEN) {
            let _ = write!(out, " {:.4}", end.milliseconds);
        }
        out.push_str(&self.after);
        if fields.has(W3cFields::BYTES_SENT) {
            let _ = write!(out, " {}", end.bytes);
        }
        if fields.has(W3cFields::COMPLETION) {
            let _ = write!(out, " {}", broken(end.how).unwrap_or("sent"));
        }
        // The blank in front of the first, which is no directive.
        if out.len() > start {
            let (length, first) = if out[start..].starts_with(" #") { (2, "+") } else { (1, "") };
            out.replace_range(start..start + length, first);
        }
    }
}

/// Adds a value that is one word: what would part it, or let it be read as another, becomes `+`. Whether it says something.
fn add(line: &mut String, value: &str) -> bool {
    let value = value.trim();
    line.push(' ');
    if value.is_empty() {
        line.push('-');
        return false;
    }
    let parts = |it: char| it <= ' ' || it.is_control() || turns_text(it);
    line.extend(value.chars().map(|it| if parts(it) { '+' } else { it }));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_client_writes_a_directive() {
        let of = |before: &str| Line { before: before.to_owned(), ..Line::default() };
        let end =
            End { user: None, status: None, milliseconds: 0.0, bytes: 0, how: Completed::Sent };
        for (before, expected) in
            [(" #Fields:+date", "+Fields:+date"), (" GET #a", "GET #a"), (" -", "-"), ("", "")]
        {
            let mut out = "\n".to_owned();
            of(before).write(W3cFields::NONE, &end, &mut out);
            assert_eq!(out, format!("\n{expected}"), "{before}");
        }
    }

    #[test]
    fn a_value_is_one_word() {
        for (value, expected, says_something) in [
            ("", " -", false),
            ("  ", " -", false),
            ("-", " -", true),
            ("a  b\tc ", " a++b+c", true),
            ("a+b", " a+b", true),
            ("say \"hi\" #1", " say+\"hi\"+#1", true),
            ("a\nb\u{7f}\u{85}", " a+b+", true),
            ("ümläut 日", " ümläut+日", true),
            ("a\u{202e}b\u{2028}c", " a+b+c", true),
        ] {
            let mut line = String::new();
            assert_eq!(
                (add(&mut line, value), line.as_str()),
                (says_something, expected),
                "{value}"
            );
        }
    }
}
