//! The stage that hands requests on to processes.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::children::Children;
use super::pool::Pool;
use crate::features::{
    Connection, EffectiveRequest, Overlay, RequestTarget, change_target, escaped_path,
};
use crate::pipeline::{Enter, Request, Responding, Stage};

/// The headers that only a host may send.
const OF_HOST: &str = "ms-aspnetcore";
const CLIENT_CERTIFICATE: HeaderName = HeaderName::from_static("ms-aspnetcore-clientcert");

/// Hands every request on to a process. It is the last stage: nothing is behind it.
#[derive(Debug)]
pub(crate) struct ChildProcess(Option<Arc<Pool>>);

impl ChildProcess {
    /// With the processes of a host.
    pub(crate) fn new(children: &Children) -> Self {
        Self(children.pool())
    }
}

impl Stage for ChildProcess {
    fn enter(&self, request: &mut Request) -> Enter {
        let Some(pool) = self.0.clone() else { return Enter::Next };
        tell_certificate(request);
        put_base_back(request, &pool.options().path_base);
        let request = std::mem::take(request);
        Enter::Taken(Responding::later(pool.answer(request)))
    }
}

/// Takes away what a client says in the place of its host, and tells the certificate that it really has.
fn tell_certificate(request: &mut Request) {
    let headers = request.headers_mut();
    while let Some(name) = headers.keys().find(|name| is_of_host(name)).cloned() {
        headers.remove(name);
    }
    if let Some(value) = without_ours(headers) {
        headers.insert(CONNECTION, value);
    }
    let connection = request.extensions().get::<Connection>();
    let certificate = connection.and_then(|it| it.tls()?.client_certificate());
    let value = certificate.and_then(|it| HeaderValue::from_str(&Base64::encode_string(it)).ok());
    if let Some(value) = value {
        request.headers_mut().insert(CLIENT_CERTIFICATE, value);
    }
}

/// What programs and their libraries believe of a proxy besides what the host sends itself: Rack takes `X-Forwarded-Ssl: on`
/// for https, and others the client's address out of `X-Real-IP`.
const BELIEVED: [&str; 8] = [
    "x-forwarded",
    "x-forwarded-port",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-real-ip",
    "x-url-scheme",
    "front-end-https",
];

/// Whether only the host may say it. Programs that take headers for variables (CGI, WSGI) know no difference between `-` and
/// `_`, and take `Proxy` for a setting of theirs.
fn is_of_host(name: &HeaderName) -> bool {
    let name = name.as_str();
    let has_underscore = name.contains('_');
    if !has_underscore {
        return name.starts_with(OF_HOST) || name == "proxy" || BELIEVED.contains(&name);
    }
    let meant = name.replace('_', "-");
    meant.starts_with(OF_HOST)
        || meant.starts_with("x-forwarded-")
        || meant == "forwarded"
        || BELIEVED.contains(&&*meant)
}

/// A list of what is for one connection, without our headers, which are for the process; `None` if it has none of them.
fn without_ours(headers: &HeaderMap) -> Option<HeaderValue> {
    // It may stand in several lines, and what is taken out of one is not to stay in another.
    let names = || {
        let lines = headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim)
    };
    let is_ours = |name: &&str| {
        name.get(..OF_HOST.len()).is_some_and(|start| start.eq_ignore_ascii_case(OF_HOST))
    };
    names().any(|name| is_ours(&name)).then_some(())?;
    let others: Vec<_> = names().filter(|name| !is_ours(name)).collect();
    HeaderValue::from_str(&others.join(", ")).ok()
}

/// Puts the path that the program was told into the path again: whoever was told it takes it off by itself, and knows
/// then what its links begin with. What a proxy in front has taken off goes on as what the client sees before it.
fn put_base_back(request: &mut Request, told: &str) {
    let base = EffectiveRequest::of(request).path_base();
    let Some(before) = base.len().checked_sub(told.len()) else { return };
    let Some((before, own)) = base.split_at_checked(before) else { return };
    if own.is_empty() || own.to_lowercase() != told.to_lowercase() {
        return;
    }
    let (before, target) = (before.to_owned(), RequestTarget::of(request));
    // Without a path behind it, the request has a slash that nobody has asked for.
    let rest = if target.path().is_empty() { "" } else { request.uri().path() };
    let (path, query) = (format!("{}{rest}", escaped_path(own)), target.query().to_owned());
    change_target(request, &path, &query);
    Overlay::change(request, |overlay| overlay.path_base = Some(before.into()));
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::middleware::PathBase;

    #[test]
    fn what_only_a_host_may_say_is_known_however_it_is_written() {
        for (name, expected) in [
            ("ms-aspnetcore-token", true),
            ("ms_aspnetcore_token", true),
            ("proxy", true),
            ("forwarded", false),
            ("x_forwarded_for", true),
            ("x-forwarded-ssl", true),
            ("x_real_ip", true),
            ("x-real-ip", true),
            ("x-forwarded-for", false),
            ("x-request-id", false),
            ("x_request_id", false),
        ] {
            assert_eq!(is_of_host(&HeaderName::from_static(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_program_gets_the_path_that_it_was_told_to_take_off() {
        for (sent, told, expected) in [
            ("/shop/a%2Fb?c=d", "/shop", ("", "/shop/a%2Fb?c=d")),
            ("/SHOP/a", "/shop", ("", "/SHOP/a")),
            ("/shop", "/shop", ("", "/shop")),
            ("/shop/", "/shop", ("", "/shop/")),
            ("/a%20b/c", "/a b", ("", "/a%20b/c")),
            ("/other", "/", ("", "/other")),
            ("/proxy/shop/a", "/shop", ("/proxy", "/shop/a")),
            // It was told something else.
            ("/shop/a", "/", ("/shop", "/a")),
        ] {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = sent.parse().unwrap();
            let bases = ["/proxy", "/shop", "/a b"].into_iter();
            for base in bases.filter_map(PathBase::of_text) {
                base.enter(&mut request);
            }
            put_base_back(&mut request, told);
            let target = request.uri().path_and_query().unwrap().as_str();
            let seen = (EffectiveRequest::of(&request).path_base(), target);
            assert_eq!(seen, expected, "{sent} of {told}");
        }
    }

    #[test]
    fn a_client_cannot_speak_for_its_host() {
        let mut request = Request::new(Body::empty());
        for (name, value) in [
            ("ms-aspnetcore-token", "guessed"),
            ("ms-aspnetcore-clientcert", "another"),
            ("MS-ASPNETCORE-Event", "shutdown"),
            ("MS_ASPNETCORE_TOKEN", "guessed"),
            ("X_Forwarded_For", "10.0.0.1"),
            ("X-Forwarded_Proto", "https"),
            ("Proxy", "http://evil.test"),
            ("my_own", "kept"),
            ("accept", "*/*"),
        ] {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(&name, HeaderValue::from_static(value));
            request.headers_mut().append(&name, HeaderValue::from_static(value));
        }
        tell_certificate(&mut request);
        let mut names: Vec<_> = request.headers().keys().collect();
        names.sort_by_key(|name| name.as_str());
        assert_eq!(names, ["accept", "my_own"]);
    }

    #[test]
    fn what_a_host_says_is_for_no_single_connection() {
        for (named, expected) in [
            (&["close"][..], None),
            (&["MS-AspNetCore-Token"], Some("")),
            (&["close, ms-aspnetcore-token , x-other"], Some("close, x-other")),
            (&["x-own", "ms-aspnetcore-token", "close"], Some("x-own, close")),
        ] {
            let lines = named.iter().map(|it| (CONNECTION, HeaderValue::from_static(it)));
            let mut headers = HeaderMap::new();
            lines.for_each(|(name, line)| {
                headers.append(name, line);
            });
            let found = without_ours(&headers);
            assert_eq!(found, expected.map(HeaderValue::from_static), "{named:?}");
        }
    }
}
