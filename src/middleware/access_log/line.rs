//! A line in one of its forms: what is known of a request when it comes, and what at its end.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use http::HeaderName;
use http::header::{REFERER, USER_AGENT};

use super::escape;
use crate::diagnostics::events;
use crate::features::without_secrets;
use crate::features::{Completed, Completion, Connection, RequestTarget, TlsProtocol};
use crate::middleware::line_writer::Moment;
use crate::middleware::watching::broken;
use crate::pipeline::Request;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessLogFormat {
    /// The Common Log Format of NCSA's server.
    Common,
    /// The same with referer and user agent, as most servers write it.
    Combined,
    /// An object of JSON.
    Json,
}

impl AccessLogFormat {
    pub(crate) const NAMES: [(&'static str, Self); 3] =
        [("Common", Self::Common), ("Combined", Self::Combined), ("Json", Self::Json)];

    /// As it is written in settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Common => "Common",
            Self::Combined => "Combined",
            Self::Json => "Json",
        }
    }

    pub(super) fn has_duration(self) -> bool {
        self == Self::Json
    }
}

/// What is known when the answer is out.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) client: Option<IpAddr>,
    pub(super) user: Option<&'a str>,
    /// `None` if nothing was sent.
    pub(super) status: Option<u16>,
    pub(super) bytes: u64,
    pub(super) duration: Option<Duration>,
    pub(super) how: Completed,
}

/// The parts of a line that the request tells: those before the status, then those behind it.
#[derive(Debug)]
pub(super) struct Line {
    format: AccessLogFormat,
    text: String,
    /// Where the second part begins.
    rest: usize,
}

impl Line {
    pub(super) fn of(format: AccessLogFormat, request: &Request) -> Self {
        let headers = request.headers();
        let header = |name: &HeaderName| match format {
            AccessLogFormat::Common => &[][..],
            _ => headers.get(name).map_or(&[][..], |it| it.as_bytes()),
        };
        let (referer, agent) = (header(&REFERER), header(&USER_AGENT));
        // One piece of memory for all of it, mostly.
        let length = request.uri().path_and_query().map_or(1, |it| it.as_str().len());
        let text = String::with_capacity(length + referer.len() + agent.len() + 128);
        let mut line = Self { format, text, rest: 0 };
        match format {
            AccessLogFormat::Common | AccessLogFormat::Combined => {
                line.text.push('"');
                line.request_line(request);
                line.text.push('"');
                line.rest = line.text.len();
                if format == AccessLogFormat::Combined {
                    line.quoted(shown_referer(referer).as_deref().unwrap_or(referer));
                    line.quoted(agent);
                }
            }
            AccessLogFormat::Json => line.members(request, referer, agent),
        }
        line
    }

    fn request_line(&mut self, request: &Request) {
        let text = &mut self.text;
        text.push_str(request.method().as_str());
        text.push(' ');
        let target = RequestTarget::of(request).raw();
        escape::quoted(without_secrets(&target).as_bytes(), text);
        text.push(' ');
        text.push_str(events::protocol_name(request.version()));
    }

    /// A header between quotes, `-` if there is none.
    fn quoted(&mut self, value: &[u8]) {
        self.text.push_str(" \"");
        match value.is_empty() {
            true => self.text.push('-'),
            false => escape::quoted(value, &mut self.text),
        }
        self.text.push('"');
    }

    fn members(&mut self, request: &Request, referer: &[u8], agent: &[u8]) {
        let target = RequestTarget::of(request);
        self.member("method", request.method().as_str().as_bytes());
        self.member("target", without_secrets(&target.raw()).as_bytes());
        self.member("protocol", events::protocol_name(request.version()).as_bytes());
        self.member("host", target.host().as_bytes());
        self.rest = self.text.len();
        self.member("referer", shown_referer(referer).as_deref().unwrap_or(referer));
        self.member("user_agent", agent);
        let connection: Option<&Connection> = request.extensions().get();
        if let Some(connection) = connection {
            if let Some(tls) = connection.tls() {
                let version = match tls.protocol() {
                    TlsProtocol::Tls12 => "TLSv1.2",
                    TlsProtocol::Tls13 => "TLSv1.3",
                };
                self.member("tls", version.as_bytes());
            }
            let number = Completion::of(request).map_or(0, |it| it.request());
            let _ = write!(self.text, ",\"request_id\":\"{}:{number:08X}\"", connection.id());
        }
    }

    /// A member with its comma, unless there is no value.
    fn member(&mut self, name: &str, value: &[u8]) {
        if !value.is_empty() {
            member(name, value, &mut self.text);
        }
    }

    /// Writes all of it.
    pub(super) fn write(&self, end: &End<'_>, out: &mut String) {
        let (before, behind) = self.text.split_at(self.rest);
        out.reserve(self.text.len() + 128);
        match self.format {
            AccessLogFormat::Common | AccessLogFormat::Combined => {
                match end.client {
                    Some(client) => address(client.to_canonical(), out),
                    None => out.push('-'),
                }
                out.push_str(" - ");
                match end.user {
                    Some(user) => escape::word(user.as_bytes(), out),
                    None => out.push('-'),
                }
                out.push_str(" [");
                with_date(|date| out.push_str(date));
                out.push_str("] ");
                out.push_str(before);
                match end.status {
                    Some(status) => {
                        out.push(' ');
                        number(status.into(), out);
                        out.push(' ');
                    }
                    None => out.push_str(" - "),
                }
                number(end.bytes, out);
                out.push_str(behind);
            }
            AccessLogFormat::Json => {
                json_time(Moment::now(), out);
                if let Some(client) = end.client {
                    _ = write!(out, ",\"client\":\"{}\"", client.to_canonical());
                }
                if let Some(user) = end.user {
                    member("user", user.as_bytes(), out);
                }
                out.push_str(before);
                if let Some(status) = end.status {
                    _ = write!(out, ",\"status\":{status}");
                }
                _ = write!(out, ",\"bytes\":{}", end.bytes);
                if let Some(duration) = end.duration {
                    _ = write!(out, ",\"duration_ms\":{:.3}", duration.as_secs_f64() * 1000.0);
                }
                out.push_str(behind);
                if let Some(how) = broken(end.how) {
                    _ = write!(out, ",\"broken\":\"{how}\"");
                }
                out.push('}');
            }
        }
    }
}

fn member(name: &str, value: &[u8], out: &mut String) {
    let _ = write!(out, ",\"{name}\":\"");
    escape::json(value, out);
    out.push('"');
}

/// An address. Most have four numbers, and are written without the machinery for all kinds of them, which
/// takes as long as the rest of a line.
fn address(address: IpAddr, out: &mut String) {
    match address {
        IpAddr::V4(address) => {
            let [first, rest @ ..] = address.octets();
            number(first.into(), out);
            for octet in rest {
                out.push('.');
                number(octet.into(), out);
            }
        }
        IpAddr::V6(address) => _ = write!(out, "{address}"),
    }
}

/// The numbers below a thousand, one after the other, each with three digits.
const THREE_DIGITS: [u8; 3000] = {
    let mut digits = [b'0'; 3000];
    let mut at = 0;
    while at < digits.len() {
        let number = at / 3;
        digits[at] += (number / 100) as u8;
        digits[at + 1] += (number / 10 % 10) as u8;
        digits[at + 2] += (number % 10) as u8;
        at += 3;
    }
    digits
};

const BELOW_A_THOUSAND: &str = match std::str::from_utf8(&THREE_DIGITS) {
    Ok(digits) => digits,
    Err(_) => unreachable!(),
};

/// A number, in the same way: three digits at a time, as a status and the parts of an address have no more.
fn number(number: u64, out: &mut String) {
    let (above, below) = (number / 1000, (number % 1000) as usize);
    let skipped = match below {
        _ if above > 0 => 0,
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    if above > 0 {
        self::number(above, out);
    }
    out.push_str(&BELOW_A_THOUSAND[below * 3 + skipped..below * 3 + 3]);
}

/// Where a link was followed, if there is a secret in it that is not shown.
fn shown_referer(referer: &[u8]) -> Option<Vec<u8>> {
    if !referer.iter().any(|byte| matches!(byte, b'=' | b'@')) {
        return None;
    }
    let text = String::from_utf8_lossy(referer);
    Some(without_secrets(&text).into_owned().into_bytes())
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

thread_local! {
    /// The second it was made in, and the date.
    static DATE: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
}

/// The date of the common format, which is made once a second.
fn with_date(write: impl FnOnce(&str)) {
    let now = Moment::now();
    DATE.with_borrow_mut(|(made, date)| {
        if *made != now.second {
            date.clear();
            common_date(now, date);
            *made = now.second;
        }
        write(date);
    });
}

fn common_date(moment: Moment, out: &mut String) {
    let it = moment.calendar();
    let month = usize::try_from(it.month - 1).ok().and_then(|month| MONTHS.get(month));
    let _ = write!(
        out,
        "{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000",
        it.day,
        month.unwrap_or(&"-"),
        it.year,
        it.hour,
        it.minute,
        it.second
    );
}

fn json_time(moment: Moment, out: &mut String) {
    let it = moment.calendar();
    let _ = write!(
        out,
        "{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\"",
        it.year, it.month, it.day, it.hour, it.minute, it.second, moment.milliseconds
    );
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::features::{RawTarget, Scheme, TlsHandshake};

    fn request() -> Request {
        let request = http::Request::builder().uri("/a?token=t&q=1").header("host", "a.example");
        let request =
            request.header("user-agent", "agent \"1\"").header("referer", "http://b/?sig=s");
        let mut request = request.body(Body::empty()).unwrap();
        let connection = Connection::new(1, None, None, Scheme::Http);
        let tls = TlsHandshake::new(TlsProtocol::Tls13, "TLS_AES_256_GCM_SHA384");
        request.extensions_mut().insert(connection.secured(tls));
        request.extensions_mut().insert(RawTarget("/a?token=t&q=<\u{fc}>".into()));
        request
    }

    fn line(format: AccessLogFormat, end: &End<'_>) -> String {
        let mut out = String::new();
        Line::of(format, &request()).write(end, &mut out);
        out
    }

    #[test]
    fn a_line_has_what_its_form_has() {
        let sent = End {
            client: Some("::ffff:192.0.2.1".parse().unwrap()),
            user: Some("Ann \"B\""),
            status: Some(404),
            bytes: 12,
            duration: Some(Duration::from_micros(1500)),
            how: Completed::Sent,
        };
        let nothing = End {
            client: None,
            user: None,
            status: None,
            bytes: 0,
            duration: None,
            how: Completed::Aborted,
        };
        let asked = "\"GET /a?token=[Redacted]&q=<\\xC3\\xBC> HTTP/1.1\"";
        let more = " \"http://b/?sig=[Redacted]\" \"agent \\\"1\\\"\"";
        for (format, end, start, rest) in [
            (
                AccessLogFormat::Common,
                &sent,
                "192.0.2.1 - Ann\\x20\\\"B\\\" [",
                format!("] {asked} 404 12"),
            ),
            (
                AccessLogFormat::Combined,
                &sent,
                "192.0.2.1 - Ann\\x20\\\"B\\\" [",
                format!("] {asked} 404 12{more}"),
            ),
            (AccessLogFormat::Common, &nothing, "- - - [", format!("] {asked} - 0")),
        ] {
            let line = line(format, end);
            assert!(line.starts_with(start) && line.ends_with(&rest), "{line}");
            let date = &line[start.len()..line.len() - rest.len()];
            assert!(date.len() == 26 && date.ends_with(" +0000"), "{line}");
        }
    }

    #[test]
    fn an_object_of_json_has_all() {
        let end = End {
            client: Some("2001:db8::1".parse().unwrap()),
            user: Some("ann"),
            status: Some(200),
            bytes: 3,
            duration: Some(Duration::from_micros(1500)),
            how: Completed::ClientGone,
        };
        let line = line(AccessLogFormat::Json, &end);
        let read: serde_json::Value = serde_json::from_str(&line).expect(&line);
        for (member, expected) in [
            ("client", serde_json::json!("2001:db8::1")),
            ("user", "ann".into()),
            ("method", "GET".into()),
            ("target", "/a?token=[Redacted]&q=<\u{fc}>".into()),
            ("protocol", "HTTP/1.1".into()),
            ("host", "a.example".into()),
            ("status", 200.into()),
            ("bytes", 3.into()),
            ("duration_ms", 1.5.into()),
            ("referer", "http://b/?sig=[Redacted]".into()),
            ("user_agent", "agent \"1\"".into()),
            ("tls", "TLSv1.3".into()),
            ("broken", "client_gone".into()),
        ] {
            assert_eq!(read[member], expected, "{member} in {line}");
        }
        assert_eq!(read["time"].as_str().map(str::len), Some(24), "{line}");
        assert!(read["request_id"].as_str().is_some_and(|id| id.ends_with(":00000000")), "{line}");
    }

    #[test]
    fn numbers_and_addresses_are_written_as_ever() {
        let long = [1000, 1001, 9999, 10_000, 65_535, 999_999, 1_000_000, 1_000_010, u64::MAX];
        for value in (0..1000).chain(long) {
            let mut out = String::new();
            number(value, &mut out);
            assert_eq!(out, value.to_string());
        }
        for value in ["0.0.0.0", "192.0.2.10", "255.255.255.255", "2001:db8::1"] {
            let mut out = String::new();
            address(value.parse().unwrap(), &mut out);
            assert_eq!(out, value);
        }
    }

    #[test]
    fn dates_are_written_as_each_form_has_them() {
        let moment = Moment { second: 1_795_946_405, milliseconds: 7 };
        let (mut common, mut json) = (String::new(), String::new());
        common_date(moment, &mut common);
        json_time(moment, &mut json);
        assert_eq!(common, "29/Nov/2026:10:00:05 +0000");
        assert_eq!(json, "{\"time\":\"2026-11-29T10:00:05.007Z\"");
    }
}
