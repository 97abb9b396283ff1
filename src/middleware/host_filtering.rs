//! Which hosts requests may be for (`AllowedHosts`).

use axum::body::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use super::host_name::in_ascii;
use crate::diagnostics::events;
use crate::features::{EffectiveRequest, without_port};
use crate::pipeline::{Enter, Request, Response, Stage};

/// The hosts that requests may be for. Everybody who knows an address can send any Host, and an app that
/// makes links of it would send people elsewhere.
///
/// (What `HostFilteringMiddleware` is in ASP.NET Core; a request without a host passes, as there.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AllowedHosts(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Host(String),
    /// What stands behind the `*` of `*.example.com`.
    Below(String),
}

impl AllowedHosts {
    /// The hosts of a list such as `example.com;*.example.com`; `None` if any host may be. Blanks
    /// belong to their entry, as on ASP.NET Core.
    pub(crate) fn parse(list: &str) -> Option<Self> {
        let entries: Vec<_> = list.split(';').filter(|entry| !entry.is_empty()).collect();
        if entries.is_empty() || entries.iter().any(|entry| ALL.contains(entry)) {
            return None;
        }
        let mut patterns = Vec::new();
        for entry in entries {
            let pattern = match entry.strip_prefix('*').filter(|rest| rest.starts_with('.')) {
                Some(rest) => Pattern::Below(format!(".{}", in_ascii(&rest[1..]))),
                None => Pattern::Host(in_ascii(entry)),
            };
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        Some(Self(patterns))
    }

    /// The hosts, each as it is written in a list.
    #[cfg(feature = "cli")]
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |pattern: &Pattern| match pattern {
            Pattern::Host(host) => host.clone(),
            Pattern::Below(end) => format!("*{end}"),
        };
        self.0.iter().map(name).collect()
    }

    /// Whether a request for `host`, which may have a port, passes.
    pub(crate) fn allow(&self, host: &str) -> bool {
        let host = without_port(host);
        self.0.iter().any(|pattern| match pattern {
            Pattern::Host(allowed) => allowed.eq_ignore_ascii_case(host),
            Pattern::Below(end) => host
                .len()
                .checked_sub(end.len())
                .filter(|start| *start > 0)
                .and_then(|start| host.get(start..))
                .is_some_and(|rest| rest.eq_ignore_ascii_case(end)),
        })
    }
}

/// Entries that let every host pass: Kestrel has the last two for an address of all interfaces.
const ALL: [&str; 3] = ["*", "[::]", "0.0.0.0"];

impl Stage for AllowedHosts {
    fn enter(&self, request: &mut Request) -> Enter {
        let host = EffectiveRequest::of(request).host();
        if host.is_empty() {
            events::missing_host_allowed(request.version());
            return Enter::Next;
        }
        if self.allow(host) {
            events::host_allowed(host);
            return Enter::Next;
        }
        events::host_not_allowed(host);
        Enter::Answer(refusal())
    }
}

/// The answer to a request for another host, as ASP.NET Core has it.
const REFUSAL: &str = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n\
    <HTML><HEAD><TITLE>Bad Request</TITLE>\r\n\
    <META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; charset=us-ascii\"></ HEAD >\r\n\
    <BODY><h2>Bad Request - Invalid Hostname</h2>\r\n\
    <hr><p>HTTP Error 400. The request hostname is invalid.</p>\r\n\
    </BODY></HTML>";

fn refusal() -> Response {
    let mut response = Response::new(Body::from(REFUSAL));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(REFUSAL.len()));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(not(feature = "idna"), ignore = "takes the feature `idna`")]
    fn a_host_passes_that_is_in_the_list() {
        for (host, list, passes) in [
            ("localHost", "localhost", true),
            ("localhost:9090", "example.com;localHost", true),
            ("localHost:80", "localhost;", true),
            ("foo.eXample.com:443", "*.exampLe.com", true),
            ("f.eXample.com:443", "*.exampLe.com", true),
            ("127.0.0.1:443", "127.0.0.1", true),
            ("xn--bcher-kva.example:443", "bücher.example", true),
            ("a.xn--bcher-kva.example", "*.bücher.example", true),
            ("[::ABC]", "[::aBc]", true),
            ("[::1]:80", "[::1]", true),
            ("example.com", "localhost", false),
            ("localhost:9090", "example.com;", false),
            (";:80", "example.com;localhost", false),
            (":80", "localhost", false),
            ("example.com:443", "*.example.com", false),
            (".example.com:443", "*.example.com", false),
            ("foo.com:443", "*.example.com", false),
            ("foo.example.com.bar:443", "*.example.com", false),
            (".com:443", "*.com", false),
            ("[::1", "[::1]", false),
            ("a.example", "a.example:5000", false),
            ("b.example", "a.example; b.example", false),
        ] {
            let allowed = AllowedHosts::parse(list).expect("a list");
            assert_eq!(allowed.allow(host), passes, "{host} of {list}");
        }
    }

    #[test]
    fn a_list_without_hosts_and_one_with_a_wildcard_lets_every_host_pass() {
        for list in ["", ";;", "*", "a;*", "[::]", "0.0.0.0;a"] {
            assert_eq!(AllowedHosts::parse(list), None, "{list}");
        }
    }
}
