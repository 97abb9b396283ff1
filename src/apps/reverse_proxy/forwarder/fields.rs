//! The fields of a request on its way to a destination: which of the client's go on, and which are
//! ours.

use std::io::Write as _;
use std::net::IpAddr;

use http::header::{CONNECTION, COOKIE, SEC_WEBSOCKET_KEY, TE, USER_AGENT};
use http::{HeaderMap, HeaderName};

use super::facts::Facts;
use crate::upstream::{Fields, Value};

/// Whether a field is of one connection, or says of the message what whoever sends it says himself. (What
/// YARP leaves out, and RFC 9110 section 7.6.1.)
pub(super) fn is_of_connection(name: &HeaderName) -> bool {
    is_of_one_hop(name.as_str()) || is_of_message(name.as_str())
}

fn is_of_message(name: &str) -> bool {
    matches!(name, "connection" | "transfer-encoding" | "content-length" | "host")
}

/// Whether a field is of one connection, of those that have nothing to do with where a message ends.
pub(super) fn is_of_one_hop(name: &str) -> bool {
    matches!(
        name,
        "keep-alive"
            | "upgrade"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-features"
            | "proxy-instruction"
            | "security-scheme"
            | "alpn"
            | "close"
            | "http2-settings"
            | "upgrade-insecure-requests"
            | "te"
            | "alt-svc"
    )
}

/// Whether a name is that of a field which a client cannot say, to servers that know no difference between `-` and `_`:
/// to those that take fields for variables (CGI, WSGI), and to some that look for the length of a message.
pub(super) fn is_another(name: &str) -> bool {
    name.contains('_') && {
        let meant = name.replace('_', "-");
        meant.starts_with("x-forwarded-")
            || is_of_one_hop(&meant)
            || is_of_message(&meant)
            || is_replaced(&meant)
    }
}

/// The names that a client's `Connection` has, which are of its connection, too.
#[derive(Debug, Default)]
pub(super) struct Named<'a>(Vec<&'a [u8]>);

impl<'a> Named<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let values = headers.get_all(CONNECTION).iter();
        let names = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        let plain = names.map(<[u8]>::trim_ascii).filter(|name| {
            let is_known = |known: &[u8]| name.eq_ignore_ascii_case(known);
            !name.is_empty()
                && !is_known(b"close")
                && !is_known(b"keep-alive")
                && !is_known(b"upgrade")
        });
        Self(plain.collect())
    }

    pub(super) fn contains(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|named| named.eq_ignore_ascii_case(name.as_str().as_bytes()))
    }
}

/// What stands between the values of a field that was sent several times, once they are in one line.
pub(super) fn separator(name: &HeaderName) -> &'static [u8] {
    if *name == COOKIE {
        b"; "
    } else if *name == USER_AGENT {
        b" "
    } else {
        b", "
    }
}

/// The fields of a request whose route changes nothing but what is changed by itself.
pub(super) struct PassedFields<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) named: &'a Named<'a>,
    pub(super) facts: &'a Facts<'a>,
    /// Whether the client takes trailers, and can say so to whom it does not know (HTTP/2).
    pub(super) takes_trailers: bool,
    /// The key of a WebSocket, if the client has none.
    pub(super) key: Option<&'a str>,
}

impl PassedFields<'_> {
    /// Whether a field of the client's goes on.
    fn passes(&self, name: &HeaderName) -> bool {
        let text = name.as_str();
        !is_of_connection(name)
            && !is_replaced(text)
            && !is_another(text)
            && !self.named.contains(name)
    }
}

/// What we tell ourselves, and what would tell something else.
fn is_replaced(name: &str) -> bool {
    matches!(
        name,
        "forwarded"
            | "x-forwarded-for"
            | "x-forwarded-host"
            | "x-forwarded-proto"
            | "x-forwarded-prefix"
    )
}

impl Fields for PassedFields<'_> {
    fn each(&self, field: &mut dyn FnMut(&HeaderName, Value<'_>)) {
        each_in_one_line(self.headers, |name| self.passes(name), field);
        if self.takes_trailers {
            field(&TE, Value::Made(&[b"trailers"]));
        }
        if let Some(key) = self.key {
            field(&SEC_WEBSOCKET_KEY, Value::Made(&[key.as_bytes()]));
        }
        let facts = self.facts;
        if let Some(client) = facts.client {
            let text = Text::of(client.ip());
            field(&X_FORWARDED_FOR, Value::Made(&[text.bytes()]));
        }
        for (name, value) in [
            (&X_FORWARDED_HOST, facts.host),
            (&X_FORWARDED_PREFIX, &*facts.path_base),
            (&X_FORWARDED_PROTO, facts.scheme),
        ] {
            if !value.is_empty() {
                field(name, Value::Made(&[value.as_bytes()]));
            }
        }
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Room for an address in words.
struct Text {
    bytes: [u8; 48],
    length: usize,
}

impl Text {
    fn of(address: IpAddr) -> Self {
        let mut text = Self { bytes: [0; 48], length: 0 };
        match address {
            // By hand in a tenth of the time.
            IpAddr::V4(address) => text.put_octets(address.octets()),
            IpAddr::V6(address) => drop(write!(text, "{address}")),
        }
        text
    }

    fn put_octets(&mut self, octets: [u8; 4]) {
        for (place, octet) in octets.into_iter().enumerate() {
            if place > 0 {
                self.put(b'.');
            }
            if octet >= 100 {
                self.put(b'0' + octet / 100);
            }
            if octet >= 10 {
                self.put(b'0' + octet / 10 % 10);
            }
            self.put(b'0' + octet % 10);
        }
    }

    fn put(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl std::io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut room = &mut self.bytes[self.length..];
        let written = room.write(bytes)?;
        self.length += written;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Tells the fields that pass, those of one name in one line.
pub(super) fn each_in_one_line(
    headers: &HeaderMap,
    passes: impl Fn(&HeaderName) -> bool,
    field: &mut dyn FnMut(&HeaderName, Value<'_>),
) {
    let are_apart = headers.len() > headers.keys_len();
    if !are_apart {
        for (name, value) in headers {
            if passes(name) {
                field(name, Value::Kept(value));
            }
        }
        return;
    }
    for name in headers.keys().filter(|name| passes(name)) {
        let mut values = headers.get_all(name).iter();
        let Some(first) = values.next() else { continue };
        let mut rest = values.peekable();
        if rest.peek().is_none() {
            field(name, Value::Kept(first));
            continue;
        }
        let separator = separator(name);
        let mut parts = vec![first.as_bytes()];
        rest.for_each(|value| parts.extend([separator, value.as_bytes()]));
        field(name, Value::Made(&parts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_as_they_are_written() {
        for address in
            ["0.0.0.0", "127.0.0.1", "9.10.99.100", "255.205.200.109", "::1", "2001:db8::1:0:0:1"]
        {
            let parsed: IpAddr = address.parse().expect("an address");
            assert_eq!(str::from_utf8(Text::of(parsed).bytes()), Ok(address));
        }
    }
}
