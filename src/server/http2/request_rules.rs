//! What is wrong with a request that hyper's library let through.
//!
//! Malformed requests (RFC 9113 section 8.1.1) are reset, requests beyond a limit are answered. One
//! such request does not touch the others of its connection. What can be told of a single field,
//! and what is too much, [`block`] has found before.

use std::borrow::Cow;
use std::sync::OnceLock;

use http::header::{CONTENT_LENGTH, COOKIE, HOST};
use http::uri::{self, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use hyper::ext::Protocol;

use super::block::{self, Excess};
use crate::features::{Overlay, Scheme};
use crate::server::error::StreamError;
use crate::server::host_header::{is_valid_host, names_a_port};
use crate::server::options::ServerOptions;
use crate::server::rejection::{Reason, Refusal};

/// Checks a request, and makes its fields what an app may rely on: one Host, and that of the
/// `:authority`; one Cookie.
pub(super) fn check<B>(
    request: &mut Request<B>,
    options: &ServerOptions,
    scheme: Scheme,
    known: &KnownHost,
) -> Result<(), Refusal> {
    let extended = request.extensions().get::<Protocol>().is_some();
    let uri = request.uri();
    let headers = request.headers();
    let fields = Fields::find(headers)?;
    check_target(request.method(), uri, extended)?;
    // Without an authority the library does not tell the scheme.
    let other = uri.scheme().filter(|named| *named != scheme.as_str());
    if other.is_some() && !options.allow_alternate_schemes {
        return malformed("The request :scheme header does not match the transport scheme.");
    }
    check_host(uri, &fields, known)?;
    let (misleads, cookies) = (fields.mislead(uri), fields.cookies);
    if let Some(other) = other.cloned() {
        // As on Kestrel: it is allowed because whoever is in front knows better.
        Overlay::change(request, |overlay| overlay.scheme = Some(in_words(&other)));
    }
    if misleads {
        settle_host(request);
    }
    if cookies > 1 {
        join_cookies(request.headers_mut());
    }
    Ok(())
}

/// The first host that the requests of a connection named rightly: mostly all of them name it.
#[derive(Debug, Default)]
pub(super) struct KnownHost(OnceLock<Box<[u8]>>);

impl KnownHost {
    /// A longer one is not kept.
    const LONGEST: usize = 64;

    fn is_valid(&self, host: &[u8]) -> bool {
        let known = self.0.get();
        if known.is_some_and(|known| **known == *host) {
            return true;
        }
        let is_valid = is_valid_host(host);
        if is_valid && known.is_none() && host.len() <= Self::LONGEST {
            // Another thread may have been faster.
            let _ = self.0.set(host.into());
        }
        is_valid
    }
}

fn in_words(scheme: &uri::Scheme) -> Cow<'static, str> {
    match scheme.as_str() {
        "https" => Cow::Borrowed("https"),
        "http" => Cow::Borrowed("http"),
        other => Cow::Owned(other.to_owned()),
    }
}

fn malformed<T>(why: &'static str) -> Result<T, Refusal> {
    Err(Refusal::Reset(StreamError::Malformed, why))
}

/// Why the trailers of a request are too much, if they are.
pub(super) fn excess(trailers: &HeaderMap) -> Option<Reason> {
    block::excess(trailers).map(Reason::from)
}

impl From<Excess> for Reason {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::Line => Self::RequestLineTooLong,
            Excess::Size => Self::HeadersExceedMaxTotalSize,
            Excess::Count => Self::TooManyHeaders,
        }
    }
}

/// The fields that are looked at, found in one pass: to look each of them up costs more.
#[derive(Default)]
struct Fields<'a> {
    /// The first one.
    host: Option<&'a HeaderValue>,
    hosts: usize,
    cookies: usize,
}

impl<'a> Fields<'a> {
    /// Finds them, and the mark of a request that is too much.
    fn find(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let mut fields = Self::default();
        let mut lengths = 0;
        for (name, value) in headers {
            if let Some(excess) = block::mark(value) {
                return Err(Refusal::Answer(Reason::from(excess).into()));
            }
            if *name == HOST {
                fields.host.get_or_insert(value);
                fields.hosts += 1;
            } else if *name == COOKIE {
                fields.cookies += 1;
            } else if *name == CONTENT_LENGTH {
                lengths += 1;
            }
        }
        // The library takes several if they are equal; somebody behind us may take another one.
        if lengths > 1 {
            return malformed("There are several Content-Length headers.");
        }
        Ok(fields)
    }

    /// Whether a Host field says something else than the `:authority`, or says it twice.
    fn mislead(&self, uri: &Uri) -> bool {
        uri.authority().is_some_and(|authority| {
            let authority = authority.as_str().as_bytes();
            self.hosts > 1 || self.host.is_some_and(|host| host.as_bytes() != authority)
        })
    }
}

fn check_target(method: &Method, uri: &Uri, extended: bool) -> Result<(), Refusal> {
    if method == Method::CONNECT && !extended {
        return match uri.authority() {
            Some(authority) if names_a_port(authority.as_str().as_bytes()) => Ok(()),
            Some(_) => malformed("The :authority of a CONNECT request is no host and port."),
            None => malformed("A CONNECT request has no :authority."),
        };
    }
    let target = uri.path_and_query().map_or("", PathAndQuery::as_str);
    if target == "*" && method == Method::OPTIONS {
        return Ok(());
    }
    if !target.starts_with('/') {
        return malformed("The request :path is invalid.");
    }
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~') && byte != b'#';
    // A nul that is decoded ends the name of a file where it should not.
    if !path.bytes().chain(query.bytes()).all(is_printable) || path.contains("%00") {
        return malformed("The request :path is invalid.");
    }
    Ok(())
}

fn check_host(uri: &Uri, fields: &Fields<'_>, known: &KnownHost) -> Result<(), Refusal> {
    let host = match uri.authority() {
        Some(authority) => authority.as_str().as_bytes(),
        None if fields.hosts > 1 => return malformed("There are several Host headers."),
        None => fields.host.map_or(&[][..], HeaderValue::as_bytes),
    };
    if known.is_valid(host) { Ok(()) } else { malformed("Invalid Host header.") }
}

/// A Host field that says something else than the `:authority` does not count (RFC 9113 section
/// 8.3.1), and nobody behind us must believe it.
fn settle_host<B>(request: &mut Request<B>) {
    let Some(authority) = request.uri().authority() else {
        return;
    };
    let host = HeaderValue::from_str(authority.as_str());
    let headers = request.headers_mut();
    match host {
        Ok(host) => headers.insert(HOST, host),
        // Not reached: it is a valid host.
        Err(_) => headers.remove(HOST),
    };
}

/// RFC 9113 section 8.2.3: a client may split the field, an app is to see one.
fn join_cookies(headers: &mut HeaderMap) {
    let mut cookies = headers.get_all(COOKIE).iter();
    let (Some(first), Some(second)) = (cookies.next(), cookies.next()) else {
        return;
    };
    let mut joined = first.as_bytes().to_vec();
    for cookie in std::iter::once(second).chain(cookies) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(cookie.as_bytes());
    }
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::EffectiveRequest;

    /// A request as the library hands it on: without a scheme if it has no authority.
    fn request(method: &str, uri: &str, fields: &[(&str, &[u8])]) -> Request<()> {
        let mut request = Request::builder().method(method);
        if uri == "*" || uri.starts_with('/') {
            let mut parts = http::uri::Parts::default();
            parts.path_and_query = Some(uri.parse().unwrap());
            request = request.uri(Uri::from_parts(parts).unwrap());
        } else {
            request = request.uri(uri);
        }
        for (name, value) in fields {
            request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
        }
        request.body(()).unwrap()
    }

    #[test]
    fn a_host_that_is_known_vouches_for_no_other() {
        let known = KnownHost::default();
        let long = "a".repeat(KnownHost::LONGEST + 1);
        for (host, is_valid) in [
            ("a b", false),
            ("a.test", true),
            ("a b", false),
            ("a.test:80", true),
            ("a.test", true),
            ("a.test:x", false),
            ("", true),
            (&long, true),
        ] {
            assert_eq!(known.is_valid(host.as_bytes()), is_valid, "{host}");
            let first = known.0.get().map(|it| &**it);
            assert!(first.is_none_or(|it| it == b"a.test"), "{first:?}");
        }
    }

    fn outcome(mut request: Request<()>, options: &ServerOptions) -> &'static str {
        match check(&mut request, options, Scheme::Http, &KnownHost::default()) {
            Ok(()) => "served",
            Err(Refusal::Answer(rejection)) if rejection == Reason::RequestLineTooLong.into() => {
                "414"
            }
            Err(Refusal::Answer(_)) => "431",
            Err(Refusal::Reset(StreamError::Malformed, _)) => "reset",
            Err(Refusal::Reset(..)) => "another reset",
        }
    }

    #[test]
    fn requests_are_judged_by_their_parts() {
        let options = ServerOptions::default();
        for (method, uri, fields, expected) in [
            ("GET", "http://a/", &[][..], "served"),
            ("GET", "http://a/%20?%00#", &[], "served"),
            ("GET", "/", &[], "served"),
            ("GET", "/", &[("host", &b"b"[..])], "served"),
            ("GET", "/", &[("host", b"")], "served"),
            ("GET", "/", &[("host", b"a b")], "reset"),
            ("GET", "/", &[("host", b"a"), ("host", b"a")], "reset"),
            ("GET", "http://a/", &[("host", b"b"), ("host", b"c")], "served"),
            ("GET", "http://u@a/", &[], "reset"),
            ("GET", "http://[::1]:80/", &[], "served"),
            ("GET", "https://a/", &[], "reset"),
            ("GET", "ftp://a/", &[], "reset"),
            ("OPTIONS", "*", &[], "served"),
            ("GET", "*", &[], "reset"),
            ("GET", "/a%00", &[], "reset"),
            ("GET", "/a%2500", &[], "served"),
            ("GET", "/\u{e5}", &[], "reset"),
            ("GET", "/?\u{e5}", &[], "reset"),
            ("CONNECT", "a:80", &[], "served"),
            ("CONNECT", "[::1]:80", &[], "served"),
            ("CONNECT", "u@a:80", &[], "reset"),
            ("CONNECT", "a", &[], "reset"),
            ("CONNECT", "[::1]", &[], "reset"),
            ("CONNECT", "a:", &[], "reset"),
            ("CONNECT", "a:0", &[], "reset"),
            ("CONNECT", "a:65536", &[], "reset"),
            ("GET", "http://a/", &[("x", b"a b")], "served"),
            ("GET", "http://a/", &[("x", b"")], "served"),
            ("GET", "http://a/", &[("content-length", b"0"), ("content-length", b"0")], "reset"),
            ("GET", "http://a/", &[("x", b"\xffl")], "414"),
            ("GET", "https://a/", &[("y", b"z"), ("x", b"\xffs")], "431"),
            ("GET", "*", &[("x", b"\xffc")], "431"),
            ("GET", "http://a/", &[("x", "\u{e5}".as_bytes())], "served"),
        ] {
            assert_eq!(
                outcome(request(method, uri, fields), &options),
                expected,
                "{uri} {fields:?}"
            );
        }
    }

    #[test]
    fn another_scheme_may_be_allowed() {
        let options = ServerOptions { allow_alternate_schemes: true, ..ServerOptions::default() };
        for (uri, scheme) in [("https://a/", "https"), ("ftp://a/", "ftp"), ("http://a/", "http")] {
            let mut request = request("GET", uri, &[]);
            check(&mut request, &options, Scheme::Http, &KnownHost::default()).unwrap();
            assert_eq!(EffectiveRequest::of(&request).scheme(), scheme, "{uri}");
        }
    }

    #[test]
    fn an_extended_connect_has_a_path() {
        let options = ServerOptions::default();
        let mut connect = request("CONNECT", "http://a/chat", &[]);
        assert_eq!(outcome(connect.clone(), &options), "reset", "there is no port");
        connect.extensions_mut().insert(Protocol::from_static("websocket"));
        assert_eq!(outcome(connect, &options), "served");
    }

    #[test]
    fn the_authority_is_the_host() {
        for hosts in [&["b"][..], &["a", "a"], &["b", "c"], &["a"]] {
            let mut request = request("GET", "http://a/", &[]);
            for host in hosts {
                request.headers_mut().append(HOST, HeaderValue::from_static(host));
            }
            check(&mut request, &ServerOptions::default(), Scheme::Http, &KnownHost::default())
                .unwrap();
            let seen: Vec<_> = request.headers().get_all(HOST).iter().collect();
            assert_eq!(seen, ["a"], "{hosts:?}");
        }
    }

    #[test]
    fn cookies_are_joined_if_there_are_several() {
        for (cookies, joined) in [(&["a=1"][..], "a=1"), (&["a=1", "b=2", "c=3"], "a=1; b=2; c=3")]
        {
            let mut request = request("GET", "http://a/", &[]);
            for cookie in cookies {
                request.headers_mut().append(COOKIE, HeaderValue::from_static(cookie));
            }
            check(&mut request, &ServerOptions::default(), Scheme::Http, &KnownHost::default())
                .unwrap();
            let seen: Vec<_> = request.headers().get_all(COOKIE).iter().collect();
            assert_eq!(seen, [joined]);
        }
    }
}
