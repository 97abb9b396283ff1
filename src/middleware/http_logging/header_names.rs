//! The names of headers as they are usually written, and which of them are shown. Pure.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

use crate::middleware::joined_headers::{REDACTED, joined};

/// The headers whose values are shown; of all others only the names are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownHeaders(Vec<HeaderName>);

impl ShownHeaders {
    /// Of requests, these beside the usual ones.
    pub(crate) fn of_requests(more: Vec<HeaderName>) -> Self {
        Self::usual(&OF_REQUESTS, more)
    }

    /// Of answers, these beside the usual ones.
    pub(crate) fn of_responses(more: Vec<HeaderName>) -> Self {
        Self::usual(&OF_RESPONSES, more)
    }

    fn usual(usual: &[&'static str], more: Vec<HeaderName>) -> Self {
        let usual = usual.iter().map(|name| HeaderName::from_static(name));
        Self(usual.chain(more).collect())
    }

    /// What is shown of a header: its lines in one, if it is to be shown.
    pub(super) fn value(&self, headers: &HeaderMap, name: &HeaderName) -> String {
        if self.0.contains(name) { joined(headers, name) } else { REDACTED.to_owned() }
    }
}

/// The headers of requests that are shown: nothing that lets somebody in, or tells who somebody is.
const OF_REQUESTS: [&str; 26] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "dnt",
    "expect",
    "host",
    "max-forwards",
    "range",
    "sec-websocket-extensions",
    "sec-websocket-version",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "warning",
    "x-requested-with",
    "x-ua-compatible",
];

/// The headers of answers that are shown.
const OF_RESPONSES: [&str; 19] = [
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "connection",
    "content-disposition",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "expires",
    "last-modified",
    "location",
    "server",
    "transfer-encoding",
    "upgrade",
    "x-powered-by",
];

/// Names with letters that are large, or small, in other places than at the beginning of a word.
const UNUSUAL: [(&str, &str); 24] = [
    ("baggage", "baggage"),
    ("content-md5", "Content-MD5"),
    ("dnt", "DNT"),
    ("etag", "ETag"),
    ("http2-settings", "HTTP2-Settings"),
    ("mime-version", "MIME-Version"),
    ("sec-ch-ua", "Sec-CH-UA"),
    ("sec-ch-ua-mobile", "Sec-CH-UA-Mobile"),
    ("sec-ch-ua-platform", "Sec-CH-UA-Platform"),
    ("sec-gpc", "Sec-GPC"),
    ("sec-websocket-accept", "Sec-WebSocket-Accept"),
    ("sec-websocket-extensions", "Sec-WebSocket-Extensions"),
    ("sec-websocket-key", "Sec-WebSocket-Key"),
    ("sec-websocket-protocol", "Sec-WebSocket-Protocol"),
    ("sec-websocket-version", "Sec-WebSocket-Version"),
    ("te", "TE"),
    ("traceparent", "traceparent"),
    ("tracestate", "tracestate"),
    ("www-authenticate", "WWW-Authenticate"),
    ("x-correlation-id", "X-Correlation-ID"),
    ("x-real-ip", "X-Real-IP"),
    ("x-request-id", "X-Request-ID"),
    ("x-ua-compatible", "X-UA-Compatible"),
    ("x-xss-protection", "X-XSS-Protection"),
];

/// A name as it is usually written: the parser keeps names in small letters.
pub(super) fn usual(name: &HeaderName) -> Cow<'static, str> {
    if let Some((_, usual)) = UNUSUAL.iter().find(|(small, _)| *small == name.as_str()) {
        return Cow::Borrowed(usual);
    }
    let mut begins = true;
    let letters = name.as_str().chars().map(|letter| {
        let written = if begins { letter.to_ascii_uppercase() } else { letter };
        begins = letter == '-';
        written
    });
    Cow::Owned(letters.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_people_write_them() {
        for name in [
            "Accept",
            "X-Own",
            "User-Agent",
            "DNT",
            "ETag",
            "TE",
            "Sec-WebSocket-Key",
            "baggage",
            "X-Forwarded-For",
            "A",
            "-A-",
            "1a-B",
        ] {
            assert_eq!(usual(&name.parse().unwrap()), name);
        }
        for (small, _) in UNUSUAL {
            assert!(
                small.parse::<HeaderName>().is_ok_and(|name| name.as_str() == small),
                "{small}"
            );
        }
    }

    #[test]
    fn only_what_is_listed_is_shown() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("accept", "a"),
            ("accept", "b"),
            ("cookie", "a=b"),
            ("x-own", "1"),
            ("etag", "\u{fc}"),
        ] {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        let own = vec![HeaderName::from_static("x-own")];
        for (shown, expected) in [
            (ShownHeaders::of_requests(own.clone()), ["a,b", REDACTED, "1", REDACTED]),
            (ShownHeaders::of_responses(own), [REDACTED, REDACTED, "1", REDACTED]),
            (
                ShownHeaders::of_responses(vec![http::header::ETAG, http::header::COOKIE]),
                [REDACTED, "a=b", REDACTED, "\u{fc}"],
            ),
        ] {
            let values = headers.keys().map(|name| shown.value(&headers, name));
            assert_eq!(values.collect::<Vec<_>>(), expected);
        }
    }
}
