//! The scan of a head, line by line.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::characters::{is_token, plain_length, tls, trimmed};
use super::framing::{Coding, Framing, content_length, transfer_encoding};
use crate::server::host_header::is_valid_host;
use crate::server::http1::target::{self, Form};
use crate::server::options::ServerOptions;
use crate::server::rejection::{Reason, Rejection};

/// What a head may look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The longest request line, with its line end.
    pub(crate) line_size: usize,
    /// The most bytes of all header lines.
    pub(crate) headers_total_size: usize,
    /// The most header lines.
    pub(crate) header_count: usize,
    /// Whether a bare LF ends a line.
    pub(crate) bare_line_feeds: bool,
    /// Whether an absolute target may have another host than the Host header, and replaces it.
    pub(crate) host_override: bool,
}

impl From<&ServerOptions> for Rules {
    fn from(options: &ServerOptions) -> Self {
        Self {
            line_size: options.limits.max_request_line_size,
            headers_total_size: options.limits.max_request_headers_total_size,
            header_count: options.limits.max_request_header_count.min(MOST_HEADERS),
            bare_line_feeds: !options.disable_http1_line_feed_terminators,
            host_override: options.allow_host_header_override,
        }
    }
}

/// What is known of a head so far.
#[derive(Debug)]
pub(crate) enum Progress {
    /// It is not complete.
    Partial,
    /// It is, and is good.
    Complete(Head),
    /// It cannot become good.
    Rejected(Rejection),
}

/// A good head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Where it begins, behind empty lines.
    pub(crate) start: usize,
    /// Where it ends, behind its empty line.
    pub(crate) end: usize,
    /// How its body is framed.
    pub(crate) framing: Framing,
    /// It is one of HTTP/1.0.
    pub(crate) old: bool,
    /// What may come next are bytes of another protocol, if the app says so.
    pub(crate) upgrade: Upgrade,
    /// What its header lines leave for trailers: bytes and lines.
    pub(crate) left: (usize, usize),
    /// What hyper is given instead.
    pub(crate) rewritten: Option<Box<Rewritten>>,
}

/// A head that hyper would refuse or misread, said in a way that it understands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// The whole head.
    pub(crate) bytes: Vec<u8>,
    /// The target as the client sent it.
    pub(crate) raw_target: Box<str>,
}

/// Whether a request may end HTTP on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    /// It may not.
    No,
    /// It names a protocol to change to.
    Asked,
}

/// A scan of one head.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Where the head begins.
    start: usize,
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Up to where there is no LF behind `line`.
    searched: usize,
    request: Option<RequestLine>,
    /// Where the header lines begin.
    headers: usize,
    count: usize,
    hosts: usize,
    host: Range<usize>,
    content_length: Option<u64>,
    transfer_encoding: Option<Coding>,
    upgrade: bool,
}

#[derive(Clone, Debug)]
struct RequestLine {
    method: Range<usize>,
    target: Range<usize>,
    form: Form,
    http_11: bool,
}

impl Scan {
    /// Whether a byte of the request itself has come, not only empty lines.
    pub(crate) fn has_begun(&self, bytes: &[u8]) -> bool {
        self.request.is_some() || bytes.get(self.start).is_some_and(|byte| *byte != b'\r')
    }

    /// How many bytes of empty lines stand before the head.
    pub(crate) fn blank(&self) -> usize {
        self.start
    }

    /// Why a head that ends here, with the stream, is rejected.
    pub(crate) fn cut_off(&self, bytes: &[u8]) -> Rejection {
        match self.request {
            None => Reason::InvalidRequestLine.with(&bytes[self.start..]),
            Some(_) => Reason::MalformedRequestInvalidHeaders.into(),
        }
    }

    /// Goes on with the scan. `bytes` begins with the same bytes as before.
    pub(crate) fn advance(&mut self, bytes: &[u8], rules: &Rules) -> Progress {
        match self.lines(bytes, rules) {
            Ok(None) => Progress::Partial,
            Ok(Some(head)) => Progress::Complete(head),
            Err(rejection) => Progress::Rejected(rejection),
        }
    }

    fn lines(&mut self, bytes: &[u8], rules: &Rules) -> Result<Option<Head>, Rejection> {
        if self.request.is_none() {
            self.skip_empty_lines(bytes)?;
            self.plain_request_line(bytes, rules);
        }
        if self.request.is_none() {
            // Whatever byte ends a line may stand in a length of TLS.
            match tls(&bytes[self.start..]) {
                Some(true) => return Err(Reason::TlsOverHttpError.into()),
                Some(false) => {}
                None => return Ok(None),
            }
        }
        loop {
            if self.plain_header(bytes, rules) {
                continue;
            }
            if self.request.is_some() && bytes[self.line..].starts_with(b"\r\n") {
                return self.complete(bytes, self.line, self.line + 2, rules).map(Some);
            }
            let Some(at) = memchr(b'\n', &bytes[self.searched..]) else {
                self.check_returns(bytes, bytes.len(), rules)?;
                self.searched = bytes.len();
                self.check_unfinished(bytes, rules)?;
                return Ok(None);
            };
            let next = self.searched + at + 1;
            self.check_returns(bytes, next, rules)?;
            let line = self.line..next - 1;
            (self.line, self.searched) = (next, next);
            if self.request.is_none() {
                self.request_line(bytes, line, rules)?;
                self.headers = next;
                continue;
            }
            let text = &bytes[line.start..line.end];
            // Before all else: of a line that is not complete, nothing but its length is known.
            if !matches!(text, [] | [b'\r']) && next - self.headers > rules.headers_total_size {
                return Err(Reason::HeadersExceedMaxTotalSize.into());
            }
            let text = match text {
                [text @ .., b'\r'] => text,
                _ if rules.bare_line_feeds => text,
                _ => return Err(Reason::InvalidRequestHeader.with(&bytes[line.start..next])),
            };
            if text.is_empty() {
                return self.complete(bytes, line.start, next, rules).map(Some);
            }
            self.count += 1;
            if self.count > rules.header_count {
                return Err(Reason::TooManyHeaders.into());
            }
            self.header(bytes, line.start, text, next)?;
        }
    }

    /// The request line as nearly all clients send it: a path, HTTP/1.1, CR LF. Any other is left
    /// for the full look.
    fn plain_request_line(&mut self, bytes: &[u8], rules: &Rules) {
        let rest = &bytes[self.start..];
        let method = rest.iter().take_while(|byte| is_token(**byte)).count();
        let [b' ', b'/', ..] = &rest[method..] else {
            return;
        };
        let begin = method + 1;
        let target = rest[begin..].iter().take_while(|byte| target::is_plain(**byte)).count();
        let end = begin + target + PLAIN_END.len();
        if method == 0
            || end > rules.line_size
            || target > target::LONGEST
            || !rest[begin + target..].starts_with(PLAIN_END)
        {
            return;
        }
        self.request = Some(RequestLine {
            method: self.start..self.start + method,
            target: self.start + begin..self.start + begin + target,
            form: Form::Origin { unsafe_characters: false },
            http_11: true,
        });
        self.line = self.start + end;
        (self.searched, self.headers) = (self.line, self.line);
    }

    /// A header line of plain characters, ended by CR LF, that concerns only the app; whether it
    /// was one. Any other, and a limit that is passed, is left for the full look.
    fn plain_header(&mut self, bytes: &[u8], rules: &Rules) -> bool {
        if self.searched > self.line || self.request.is_none() {
            return false;
        }
        let rest = &bytes[self.line..];
        let colon = rest.iter().take_while(|byte| is_token(**byte)).count();
        if colon == 0
            || rest.get(colon) != Some(&b':')
            || frames(&rest[..colon])
            || colon > LONGEST_NAME
        {
            return false;
        }
        let value = plain_length(&rest[colon + 1..]);
        let end = colon + 1 + value;
        if !rest[end..].starts_with(b"\r\n") {
            return false;
        }
        let next = self.line + end + 2;
        if next - self.headers > rules.headers_total_size || self.count == rules.header_count {
            return false;
        }
        if colon == 4 && rest[..4].eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
            self.host = trimmed(bytes, self.line + colon + 1..self.line + end);
        }
        self.count += 1;
        (self.line, self.searched) = (next, next);
        true
    }

    /// Whole empty lines before a request line are passed over (RFC 9112 section 2.2).
    fn skip_empty_lines(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        // A CR may have been here alone before.
        if self.searched > self.start && bytes[self.start] != b'\r' {
            return Ok(());
        }
        loop {
            match bytes[self.start..] {
                [b'\n', ..] => self.start += 1,
                [b'\r', b'\n', ..] => self.start += 2,
                [b'\r', _, ..] => return Err(Reason::InvalidRequestLine.with(&bytes[self.start..])),
                _ => break,
            }
        }
        (self.line, self.searched) = (self.start, self.start);
        Ok(())
    }

    /// A CR is the beginning of a line's end and nothing else: one that no LF follows is told as
    /// soon as that is known (RFC 9112 section 2.2), unless a limit was passed before. The line goes
    /// up to `end`, as far as it is here.
    fn check_returns(&self, bytes: &[u8], end: usize, rules: &Rules) -> Result<(), Rejection> {
        // One at the end of what was here before had no next byte then.
        let from = self.searched.saturating_sub(1).max(self.line);
        let bare = |at: &usize| bytes[..end].get(at + 1).is_some_and(|next| *next != b'\n');
        let Some(at) = memchr_iter(b'\r', &bytes[from..end]).map(|at| from + at).find(bare) else {
            return Ok(());
        };
        let told_at = at + 2;
        let line = &bytes[self.line..told_at];
        if self.request.is_none() {
            return match told_at - self.start <= rules.line_size {
                true => Err(Reason::InvalidRequestLine.with(line)),
                false => Err(Reason::RequestLineTooLong.into()),
            };
        }
        match told_at - self.headers <= rules.headers_total_size.saturating_add(3) {
            true if at == self.line => Err(Reason::InvalidRequestHeadersNoCrLf.into()),
            true => Err(Reason::InvalidRequestHeader.with(line)),
            false => Err(Reason::HeadersExceedMaxTotalSize.into()),
        }
    }

    /// Limits are told as soon as they are passed, not when the line ends.
    fn check_unfinished(&self, bytes: &[u8], rules: &Rules) -> Result<(), Rejection> {
        if self.request.is_none() {
            if bytes.len() - self.start >= rules.line_size {
                return Err(Reason::RequestLineTooLong.into());
            }
        } else if bytes.len() - self.headers > rules.headers_total_size.saturating_add(2) {
            return Err(Reason::HeadersExceedMaxTotalSize.into());
        }
        Ok(())
    }

    fn request_line(
        &mut self,
        bytes: &[u8],
        line: Range<usize>,
        rules: &Rules,
    ) -> Result<(), Rejection> {
        let whole = &bytes[line.start..line.end + 1];
        if whole.len() > rules.line_size {
            return Err(Reason::RequestLineTooLong.into());
        }
        let invalid = || Reason::InvalidRequestLine.with(whole);
        let text = match &bytes[line.start..line.end] {
            [text @ .., b'\r'] => text,
            text if rules.bare_line_feeds => text,
            _ => return Err(invalid()),
        };
        let method = text.iter().position(|byte| !is_token(*byte)).ok_or_else(invalid)?;
        if method == 0 || text[method] != b' ' {
            return Err(invalid());
        }
        let rest = &text[method + 1..];
        let target = memchr(b' ', rest).ok_or_else(invalid)?;
        if target == 0 || matches!(rest[0], b'?' | b'%') {
            return Err(invalid());
        }
        // One blank between two parts, and no more (RFC 9112 section 3).
        let http_11 = match &rest[target + 1..] {
            b"HTTP/1.1" => true,
            b"HTTP/1.0" => false,
            version
                if version.len() == 8 && version.iter().all(|byte| (0x21..0x7F).contains(byte)) =>
            {
                return Err(Reason::UnrecognizedHttpVersion.with(version));
            }
            _ => return Err(invalid()),
        };
        let form = target::form(&text[..method], &rest[..target])?;
        let begin = line.start + method + 1;
        self.request = Some(RequestLine {
            method: line.start..line.start + method,
            target: begin..begin + target,
            form,
            http_11,
        });
        Ok(())
    }

    fn header(
        &mut self,
        bytes: &[u8],
        start: usize,
        text: &[u8],
        next: usize,
    ) -> Result<(), Rejection> {
        let colon = text.iter().position(|byte| !is_token(*byte));
        let Some(colon) = colon.filter(|at| *at > 0 && text[*at] == b':') else {
            return Err(bad_name(&bytes[start..next]));
        };
        if colon > LONGEST_NAME {
            return Err(Reason::HeadersExceedMaxTotalSize.into());
        }
        let value = &text[colon + 1..];
        // One look at all bytes; what is unusual gets a second one.
        if value.iter().fold(false, |odd, byte| odd | !(0x20..0x7F).contains(byte)) {
            check_value(value, &bytes[start..next])?;
        }
        match colon {
            4 if text[..4].eq_ignore_ascii_case(b"host") => {
                self.hosts += 1;
                self.host = trimmed(bytes, start + colon + 1..start + text.len());
            }
            7 if text[..7].eq_ignore_ascii_case(b"upgrade") => self.upgrade = true,
            14 if text[..14].eq_ignore_ascii_case(b"content-length") => {
                if self.content_length.is_some() {
                    return Err(Reason::MultipleContentLengths.into());
                }
                let value = trimmed(bytes, start + colon + 1..start + text.len());
                self.content_length = Some(content_length(&bytes[value])?);
            }
            17 if text[..17].eq_ignore_ascii_case(b"transfer-encoding") => {
                let value = start + colon + 1..start + text.len();
                transfer_encoding(bytes, value, &mut self.transfer_encoding);
            }
            _ => {}
        }
        Ok(())
    }

    /// The checks that need the whole head.
    fn complete(
        &mut self,
        bytes: &[u8],
        lines_end: usize,
        end: usize,
        rules: &Rules,
    ) -> Result<Head, Rejection> {
        let Some(request) = self.request.take() else {
            return Err(Reason::InvalidRequestLine.into());
        };
        let method = &bytes[request.method.clone()];
        let host = &bytes[self.host.clone()];
        match self.hosts {
            0 if request.http_11 => return Err(Reason::MissingHostHeader.into()),
            0 | 1 => {}
            _ => return Err(Reason::MultipleHostHeaders.into()),
        }
        if !is_valid_host(host) {
            return Err(Reason::InvalidHostHeader.with(host));
        }
        let target = &bytes[request.target.clone()];
        let mut host_is_replaced = false;
        if self.hosts == 1 && !target::host_matches(&request.form, target, host) {
            if !(rules.host_override && matches!(request.form, Form::Absolute { .. })) {
                return Err(Reason::InvalidHostHeader.with(host));
            }
            host_is_replaced = true;
        }
        let framing = match &self.transfer_encoding {
            Some(coding) => coding.framing(bytes, request.http_11)?,
            None => match self.content_length {
                Some(length) => Framing::Length(length),
                None if !request.http_11 && matches!(method, b"POST" | b"PUT") => {
                    return Err(Reason::LengthRequiredHttp10.with(method));
                }
                None => Framing::Length(0),
            },
        };
        let rewritten = request
            .form
            .needs_rewriting()
            .then(|| self.rewritten(bytes, &request, end, host_is_replaced));
        Ok(Head {
            start: self.start,
            end,
            framing,
            old: !request.http_11,
            upgrade: match self.upgrade && request.http_11 || method == b"CONNECT" {
                true => Upgrade::Asked,
                false => Upgrade::No,
            },
            left: (
                rules.headers_total_size.saturating_sub(lines_end - self.headers),
                rules.header_count - self.count,
            ),
            rewritten,
        })
    }

    fn rewritten(
        &self,
        bytes: &[u8],
        request: &RequestLine,
        end: usize,
        host_is_replaced: bool,
    ) -> Box<Rewritten> {
        let target = &bytes[request.target.clone()];
        let mut head = Vec::with_capacity(end - self.start + 64);
        head.extend_from_slice(&bytes[request.method.clone()]);
        head.push(b' ');
        request.form.write_for_hyper(target, &mut head);
        head.extend_from_slice(if request.http_11 { b" HTTP/1.1\r\n" } else { b" HTTP/1.0\r\n" });
        if host_is_replaced {
            head.extend_from_slice(&bytes[self.headers..self.host.start]);
            head.extend_from_slice(request.form.authority(target));
            head.extend_from_slice(&bytes[self.host.end..end]);
        } else {
            head.extend_from_slice(&bytes[self.headers..end]);
        }
        // A target is ASCII, or it would have been rejected.
        let raw_target = String::from_utf8_lossy(target).into();
        Box::new(Rewritten { bytes: head, raw_target })
    }
}

/// The most headers that a request may have whatever the limit is: the type that holds them has no
/// room for more.
pub(in crate::server::http1) const MOST_HEADERS: usize = 24_576;

/// The longest name that the type for names holds.
pub(super) const LONGEST_NAME: usize = 65_535;

/// Whether a header says how the request is framed, or what comes behind it.
fn frames(name: &[u8]) -> bool {
    match name.len() {
        7 => name.eq_ignore_ascii_case(b"upgrade"),
        14 => name.eq_ignore_ascii_case(b"content-length"),
        17 => name.eq_ignore_ascii_case(b"transfer-encoding"),
        _ => false,
    }
}

/// What stands behind the target of a plain request line.
const PLAIN_END: &[u8] = b" HTTP/1.1\r\n";

/// Why a line has no good name.
fn bad_name(line: &[u8]) -> Rejection {
    let name = memchr(b':', line).map_or(&line[..0], |colon| &line[..colon]);
    match name.iter().any(|byte| *byte == 0 || *byte >= 0x80) {
        true => Reason::InvalidCharactersInHeaderName.into(),
        false => Reason::InvalidRequestHeader.with(line),
    }
}

/// Control characters and what is no UTF-8 have no place in a value.
fn check_value(value: &[u8], line: &[u8]) -> Result<(), Rejection> {
    if value.contains(&0) || std::str::from_utf8(value).is_err() {
        return Err(Reason::MalformedRequestInvalidHeaders.into());
    }
    match value.iter().any(|byte| *byte < 0x20 && *byte != b'\t' || *byte == 0x7F) {
        true => Err(Reason::InvalidRequestHeader.with(line)),
        false => Ok(()),
    }
}
