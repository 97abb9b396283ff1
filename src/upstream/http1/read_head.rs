//! The head of an answer: status line and header lines (RFC 9112 sections 4 and 5), and trailers.
//!
//! In go the bytes as they arrive; out comes the head with its fields, or why it is none. What comes is
//! judged line by line, so that a server which speaks something else is found out at its first line, and
//! the result is the same however the bytes are split. Nothing is taken that another reader could take
//! for something else: no bare line ends, no folded lines, no blanks before a colon, no length beside
//! chunks, no coding but `chunked`.

use std::ops::Range;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::ext::ReasonPhrase;
use memchr::{memchr, memmem};

use crate::server::{is_token, plain_length, trimmed};
use crate::upstream::field_lines::FieldLines;
use crate::upstream::outgoing::is_value;

/// The most bytes of a head, with its line ends.
pub(super) const LARGEST: usize = 64 * 1024;

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::upstream) struct Head {
    pub(super) status: StatusCode,
    /// If it is another than the usual one.
    pub(super) reason: Option<ReasonPhrase>,
    /// It is one of HTTP/1.0.
    pub(super) old: bool,
    pub(in crate::upstream) fields: HeaderMap,
    /// In the place of the fields, if they were asked for as lines, and all of the body is here.
    pub(super) lines: Option<FieldLines>,
    pub(super) framing: Framing,
    /// Whether the connection can be used once more, as far as the head says.
    pub(super) keeps: bool,
    /// For how many seconds, if it says so (`Keep-Alive: timeout=5`).
    pub(super) keeps_for: Option<u64>,
}

/// Where the body of an answer ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::upstream) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Why a head is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    TooLarge,
    /// In words.
    Is(&'static str),
}

use Malformed::Is;

/// What is asked of a head besides.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The request was one of HEAD.
    pub(super) head_only: bool,
    /// Which fields are taken.
    pub(super) takes: &'a (dyn Fn(&HeaderName) -> bool + Sync),
    /// Lines will do, without those of these names.
    pub(super) leaves_lines: Option<&'a (dyn Fn(&str) -> bool + Sync)>,
}

/// Finds where a head ends; to make it takes longer than to find most ends.
static END: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\r\n\r\n"));

/// A head that is read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Where the first line begins that was not judged.
    judged: usize,
    /// Up to where there is no line end behind that.
    searched: usize,
}

impl Reader {
    /// Takes the head off what came, once all of it is there. Values are slices of it. `read` begins with
    /// the same bytes as before.
    pub(super) fn take(
        &mut self,
        read: &mut BytesMut,
        asked: Asked<'_>,
    ) -> Result<Option<Head>, Malformed> {
        let from = self.searched.saturating_sub(3);
        let end = END.find(&read[from.min(read.len())..]).map(|at| from + at + 4);
        match end.filter(|end| *end <= LARGEST) {
            Some(end) => {
                *self = Self::default();
                let bytes = read.split_to(end).freeze();
                let leaves = asked.leaves_lines;
                if let Some(head) = leaves.and_then(|leaves| plain_head(&bytes, read.len(), leaves))
                {
                    return Ok(Some(head));
                }
                Parser::new(bytes).head(asked).map(Some)
            }
            None => {
                self.judge(&read[..read.len().min(LARGEST)])?;
                match read.len() >= LARGEST {
                    true => Err(Malformed::TooLarge),
                    false => Ok(None),
                }
            }
        }
    }

    /// The lines that are complete, and the beginning of the first one.
    fn judge(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        if self.judged == 0 {
            check_beginning(bytes)?;
        }
        while let Some(at) = memchr(b'\n', &bytes[self.searched.min(bytes.len())..]) {
            let line = &bytes[self.judged..self.searched + at + 1];
            let line = line.strip_suffix(b"\r\n").ok_or(BARE_LF)?;
            match self.judged {
                0 => {
                    status_line(line)?;
                }
                // It would be the end.
                _ if line.is_empty() => {}
                _ => {
                    Line::of(line)?;
                }
            }
            self.searched += at + 1;
            self.judged = self.searched;
        }
        self.searched = bytes.len();
        Ok(())
    }
}

const BARE_LF: Malformed = Is("a line of the head ends without CR LF");
const BAD_LINE: Malformed = Is("a line of the head is no field");

/// What every answer of HTTP/1 begins with.
fn check_beginning(bytes: &[u8]) -> Result<(), Malformed> {
    const BEGINNING: &[u8] = b"HTTP/1.";
    let length = bytes.len().min(BEGINNING.len());
    match bytes[..length] == BEGINNING[..length] {
        true => Ok(()),
        false => Err(Is("the answer is not HTTP/1")),
    }
}

/// Version (whether it is 1.0), status and reason phrase.
fn status_line(line: &[u8]) -> Result<(bool, StatusCode, &[u8]), Malformed> {
    check_beginning(line)?;
    let old = match line.get(7..9) {
        Some(b"1 ") => false,
        Some(b"0 ") => true,
        _ => return Err(Is("the version of the answer is neither HTTP/1.0 nor HTTP/1.1")),
    };
    let status = line.get(9..12).and_then(|digits| StatusCode::from_bytes(digits).ok());
    let status = status.ok_or(Is("the status is not one of three digits from 100 on"))?;
    let reason = match line.get(12..).unwrap_or_default() {
        [] => &[],
        [b' ', reason @ ..] => reason,
        _ => return Err(Is("the status is not one of three digits from 100 on")),
    };
    match is_value(reason) {
        true => Ok((old, status, reason)),
        false => Err(Is("the reason phrase has control characters")),
    }
}

/// A header line, its value without the blanks around it.
struct Line<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Line<'a> {
    /// The line that these bytes begin with, and what is behind it, if it is a field of printable ASCII: then its end
    /// is found while it is judged.
    fn plain(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let colon = bytes.iter().position(|byte| !is_token(*byte))?;
        if colon == 0 || bytes[colon] != b':' || colon > LONGEST_NAME {
            return None;
        }
        let end = colon + 1 + plain_length(&bytes[colon + 1..]);
        let rest = bytes[end..].strip_prefix(b"\r\n")?;
        let value = trimmed(bytes, colon + 1..end);
        Some((Self { name: &bytes[..colon], value: &bytes[value] }, rest))
    }

    fn of(line: &'a [u8]) -> Result<Self, Malformed> {
        let colon = line.iter().position(|byte| !is_token(*byte)).ok_or(BAD_LINE)?;
        if colon == 0 || line[colon] != b':' || colon > LONGEST_NAME {
            return Err(match line[0] {
                b' ' | b'\t' => Is("a line of the head is folded"),
                _ => BAD_LINE,
            });
        }
        if !is_value(&line[colon + 1..]) {
            return Err(Is("a value has control characters"));
        }
        let value = trimmed(line, colon + 1..line.len());
        Ok(Self { name: &line[..colon], value: &line[value] })
    }
}

/// The longest name that the type for names holds.
const LONGEST_NAME: usize = 65_535;

/// The head of an answer of the kind that nearly all are of, with its fields as lines: one of HTTP/1.1 with a body of a
/// length, all of which is among the `here` bytes behind it. `None` leaves the judgement to the parser, which is as
/// strict and takes more.
fn plain_head(bytes: &Bytes, here: usize, leaves: &dyn Fn(&str) -> bool) -> Option<Head> {
    let mut lines = Lines(bytes);
    let (old, status, reason) = status_line(lines.next()?.ok()?).ok()?;
    let may_have_body = !status.is_informational() && !matches!(status.as_u16(), 204 | 205 | 304);
    if old || !may_have_body || reason != status.canonical_reason()?.as_bytes() {
        return None;
    }
    let (mut length, mut keeps, mut keeps_for) = (None, true, None);
    let (mut has_date, mut has_server) = (false, false);
    let mut kept = Kept { bytes, run: 0..0, copied: Vec::new() };
    let mut rest = lines.0;
    while rest != b"\r\n" {
        let start = bytes.len() - rest.len();
        let (line, behind) = Line::plain(rest)?;
        rest = behind;
        let small = &mut [0; 64];
        let small = small.get_mut(..line.name.len())?;
        small.copy_from_slice(line.name);
        small.make_ascii_lowercase();
        match &*small {
            b"connection" if line.value.eq_ignore_ascii_case(b"keep-alive") => continue,
            b"connection" if line.value.eq_ignore_ascii_case(b"close") => {
                keeps = false;
                continue;
            }
            b"keep-alive" => {
                keeps_for = keep_alive_timeout(line.value);
                continue;
            }
            b"content-length" if length.is_none() && line.value.first() != Some(&b'0') => {
                length = Some(content_length(line.value).ok()?);
            }
            b"connection" | b"content-length" | b"proxy-connection" | b"te" | b"trailer"
            | b"transfer-encoding" | b"upgrade" => return None,
            b"date" => has_date = true,
            b"server" => has_server = true,
            name if leaves(std::str::from_utf8(name).ok()?) => continue,
            _ => {}
        }
        kept.add(start..bytes.len() - rest.len(), &line);
    }
    let length = length.filter(|length| (1..=here as u64).contains(length))?;
    Some(Head {
        status,
        reason: None,
        old,
        fields: HeaderMap::new(),
        lines: Some(FieldLines { bytes: kept.into_bytes(), length, has_date, has_server }),
        framing: Framing::Length(length),
        keeps,
        keeps_for,
    })
}

/// Lines of a head that go on. As long as they stand together nothing is copied.
struct Kept<'a> {
    bytes: &'a Bytes,
    /// Where those stand that were not copied.
    run: Range<usize>,
    copied: Vec<u8>,
}

impl Kept<'_> {
    fn add(&mut self, at: Range<usize>, line: &Line<'_>) {
        // Other blanks than one behind the colon are not for whoever comes next.
        let is_usual = at.len() == line.name.len() + line.value.len() + 4
            && self.bytes.get(at.start + line.name.len() + 1) == Some(&b' ');
        if is_usual && self.run.end == at.start {
            self.run.end = at.end;
            return;
        }
        self.copy_run();
        if is_usual {
            self.run = at;
            return;
        }
        for part in [line.name, b": ", line.value, b"\r\n"] {
            self.copied.extend_from_slice(part);
        }
    }

    fn copy_run(&mut self) {
        self.copied.extend_from_slice(&self.bytes[std::mem::take(&mut self.run)]);
    }

    fn into_bytes(mut self) -> Bytes {
        if self.copied.is_empty() {
            return self.bytes.slice(self.run);
        }
        self.copy_run();
        self.copied.into()
    }
}

/// The bytes of a head, with what its lines have said so far.
struct Parser {
    bytes: Bytes,
    fields: HeaderMap,
    length: Option<u64>,
    coding: Option<Coding>,
    closes: bool,
    keeps_alive: bool,
    keeps_for: Option<u64>,
    /// `Connection` names fields.
    names_fields: bool,
}

/// What Transfer-Encoding says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Chunked,
    Other,
}

impl Parser {
    fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            fields: HeaderMap::new(),
            length: None,
            coding: None,
            closes: false,
            keeps_alive: false,
            keeps_for: None,
            names_fields: false,
        }
    }

    fn head(mut self, asked: Asked<'_>) -> Result<Head, Malformed> {
        let bytes = self.bytes.clone();
        let mut lines = Lines(&bytes);
        let (old, status, reason) = status_line(lines.next().ok_or(BARE_LF)??)?;
        // Few lines are shorter.
        self.fields.reserve(bytes.len() / 24);
        let upgrades = status == StatusCode::SWITCHING_PROTOCOLS;
        while let Some(line) = lines.next_field()? {
            self.field(&line, upgrades, asked.takes)?;
        }
        if self.names_fields {
            self.remove_named(&bytes);
        }
        let framing = self.framing(status, old, asked.head_only)?;
        let keeps = !self.closes && (!old || self.keeps_alive) && framing != Framing::UntilClose;
        Ok(Head {
            status,
            reason: unusual(reason, status),
            old,
            fields: self.fields,
            lines: None,
            framing,
            keeps,
            keeps_for: self.keeps_for,
        })
    }

    /// Takes a field, unless it is of the connection.
    fn field(
        &mut self,
        line: &Line<'_>,
        upgrades: bool,
        takes: &(dyn Fn(&HeaderName) -> bool + Sync),
    ) -> Result<(), Malformed> {
        let name = HeaderName::from_bytes(line.name).map_err(|_| BAD_LINE)?;
        // The length first: nearly every field is compared with nothing.
        match name.as_str().len() {
            2 if name == header::TE => return Ok(()),
            7 if name == header::UPGRADE && !upgrades => return Ok(()),
            10 if name == header::CONNECTION => {
                self.connection(line.value);
                return Ok(());
            }
            10 if name.as_str() == "keep-alive" => {
                self.keeps_for = keep_alive_timeout(line.value);
                return Ok(());
            }
            14 if name == header::CONTENT_LENGTH => {
                let length = content_length(line.value)?;
                match self.length.replace(length) {
                    None => {}
                    // Said twice, but not differently.
                    Some(before) if before == length => return Ok(()),
                    Some(_) => return Err(Is("two lengths that differ")),
                }
            }
            16 if name.as_str() == "proxy-connection" => return Ok(()),
            17 if name == header::TRANSFER_ENCODING => {
                let chunked = line.value.eq_ignore_ascii_case(b"chunked");
                self.coding = Some(match (chunked, self.coding) {
                    (true, None) => Coding::Chunked,
                    _ => Coding::Other,
                });
                return Ok(());
            }
            _ if !takes(&name) => return Ok(()),
            _ => {}
        }
        let value = HeaderValue::from_maybe_shared(self.bytes.slice_ref(line.value));
        let value = value.map_err(|_| Is("a value has control characters"))?;
        self.fields.try_append(name, value).map_err(|_| Malformed::TooLarge)?;
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for token in tokens(value) {
            if token.eq_ignore_ascii_case(b"close") {
                self.closes = true;
            } else if token.eq_ignore_ascii_case(b"keep-alive") {
                self.keeps_alive = true;
            } else if !token.is_empty() && !token.eq_ignore_ascii_case(b"upgrade") {
                self.names_fields = true;
            }
        }
    }

    /// Removes the fields that `Connection` names (RFC 9110 section 7.6.1). The length is ours to say.
    fn remove_named(&mut self, bytes: &[u8]) {
        for line in Lines(bytes).skip(1).flatten() {
            let Ok(Line { name, value }) = Line::of(line) else {
                continue;
            };
            if !name.eq_ignore_ascii_case(b"connection") {
                continue;
            }
            for token in tokens(value) {
                if let Ok(named) = HeaderName::from_bytes(token)
                    && named != header::CONTENT_LENGTH
                    && named != header::UPGRADE
                {
                    self.fields.remove(named);
                }
            }
        }
    }

    fn framing(
        &mut self,
        status: StatusCode,
        old: bool,
        head_only: bool,
    ) -> Result<Framing, Malformed> {
        match (self.coding, self.length) {
            (Some(_), _) if old => return Err(Is("Transfer-Encoding in an answer of HTTP/1.0")),
            (Some(Coding::Other), _) => return Err(Is("a Transfer-Encoding other than chunked")),
            (Some(Coding::Chunked), Some(_)) => {
                return Err(Is("both Content-Length and Transfer-Encoding"));
            }
            _ => {}
        }
        let empty = status.is_informational() || status == StatusCode::NO_CONTENT;
        if empty {
            self.fields.remove(header::CONTENT_LENGTH);
        }
        if status == StatusCode::RESET_CONTENT && self.length.is_some_and(|length| length > 0) {
            return Err(Is("a 205 that has a body"));
        }
        Ok(match (self.coding, self.length) {
            _ if empty || head_only || status == StatusCode::NOT_MODIFIED => Framing::Length(0),
            (Some(_), _) => Framing::Chunked,
            (None, Some(length)) => Framing::Length(length),
            (None, None) => Framing::UntilClose,
        })
    }
}

/// The lines of a head, without their ends.
struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    /// The next line that is not empty.
    fn next_field(&mut self) -> Result<Option<Line<'a>>, Malformed> {
        if let Some((line, rest)) = Line::plain(self.0) {
            self.0 = rest;
            return Ok(Some(line));
        }
        for line in self {
            let line = line?;
            if !line.is_empty() {
                return Line::of(line).map(Some);
            }
        }
        Ok(None)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a [u8], Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.0).map_or(self.0.len(), |at| at + 1);
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(line.strip_suffix(b"\r\n").ok_or(BARE_LF))
    }
}

/// A reason phrase that is not the usual one. What is no ASCII becomes a question mark, as on Kestrel.
fn unusual(reason: &[u8], status: StatusCode) -> Option<ReasonPhrase> {
    let usual = status.canonical_reason().unwrap_or_default();
    if reason.is_empty() || reason == usual.as_bytes() {
        return None;
    }
    let ascii: Vec<u8> =
        reason.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect();
    ReasonPhrase::try_from(ascii).ok()
}

/// The items of a list.
fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// A length: digits, and no more of them than .NET's Int64 holds.
fn content_length(value: &[u8]) -> Result<u64, Malformed> {
    let text = std::str::from_utf8(value).ok();
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length = text.and_then(|text| text.parse::<i64>().ok());
    length
        .and_then(|length| u64::try_from(length).ok())
        .ok_or(Is("a Content-Length that is no number"))
}

/// How many seconds a server keeps the connection.
fn keep_alive_timeout(value: &[u8]) -> Option<u64> {
    let parameter = tokens(value).find_map(|token| {
        let (name, seconds) = token.split_at_checked(8)?;
        name.eq_ignore_ascii_case(b"timeout=").then_some(seconds)
    })?;
    std::str::from_utf8(parameter).ok()?.parse().ok()
}

/// The trailers behind the last chunk, once all of them are here: whether there are any, and the fields.
/// Those that would say how the message is framed are left out (RFC 9110 section 6.5.1).
pub(super) fn take_trailers(read: &mut BytesMut) -> Result<Option<HeaderMap>, Malformed> {
    let mut at = 0;
    loop {
        let Some(length) = memchr(b'\n', &read[at..]) else {
            return match read.len() > LARGEST {
                true => Err(Malformed::TooLarge),
                false => Ok(None),
            };
        };
        let line = read[at..at + length + 1].strip_suffix(b"\r\n").ok_or(BARE_LF)?;
        at += length + 1;
        if line.is_empty() {
            break;
        }
        Line::of(line)?;
    }
    if at > LARGEST {
        return Err(Malformed::TooLarge);
    }
    let bytes = read.split_to(at).freeze();
    let mut trailers = HeaderMap::new();
    for line in Lines(&bytes) {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let Line { name, value } = Line::of(line)?;
        let name = HeaderName::from_bytes(name).map_err(|_| BAD_LINE)?;
        if is_of_framing(&name) {
            continue;
        }
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(value));
        let value = value.map_err(|_| Is("a value has control characters"))?;
        trailers.try_append(name, value).map_err(|_| Malformed::TooLarge)?;
    }
    Ok(Some(trailers))
}

/// Whether a field is one that no trailer may be: how the message is framed, routed and kept.
pub(super) fn is_of_framing(name: &HeaderName) -> bool {
    match name.as_str().len() {
        2 => name == header::TE,
        4 => name == header::HOST,
        7 => name == header::UPGRADE || name == header::TRAILER,
        10 => name == header::CONNECTION || name.as_str() == "keep-alive",
        14 => name == header::CONTENT_LENGTH,
        16 => name.as_str() == "proxy-connection",
        17 => name == header::TRANSFER_ENCODING,
        _ => false,
    }
}
