//! Lets pages of other origins read answers (`Cors`).

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::path_rules::PathRules;
use crate::diagnostics::events;
use crate::features::{RoutePolicies, RoutePolicy};
use crate::pipeline::{Enter, Request, Response, Stage};

/// The policies that count, each for some requests. (What `CorsMiddleware` is in ASP.NET Core, and the metadata of
/// endpoints that it heeds.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cors {
    /// For all that have none of their own.
    pub(crate) default: Option<CorsPolicy>,
    /// For paths; `None` is that nothing is told.
    pub(crate) paths: Arc<PathRules<Option<CorsPolicy>>>,
    /// For routes that name one.
    pub(crate) by_name: Vec<(String, CorsPolicy)>,
}

/// Which pages of other origins may read answers, and how. (What `CorsPolicy` is in ASP.NET Core.)
///
/// A request of another origin is answered like any other; what the answer says of it is for its browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CorsPolicy {
    pub(crate) origins: Origins,
    /// What code says of origins that are not listed.
    pub(crate) check: Option<OriginCheck>,
    pub(crate) methods: Allowed,
    pub(crate) headers: Allowed,
    /// The headers of answers that pages may read beside the usual ones.
    pub(crate) exposed: Option<HeaderValue>,
    /// Whether requests may come with cookies and the like.
    pub(crate) credentials: bool,
    /// For how many seconds a browser may remember the answer of a preflight.
    pub(crate) max_age: Option<HeaderValue>,
}

/// Says whether the pages of an origin may read answers.
#[derive(Clone)]
pub(crate) struct OriginCheck(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl OriginCheck {
    pub(crate) fn new(is_allowed: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_allowed))
    }
}

impl PartialEq for OriginCheck {
    /// Code cannot be compared: only the same is the same.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OriginCheck {}

impl fmt::Debug for OriginCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OriginCheck")
    }
}

/// The origins whose pages may read answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origins {
    Any,
    These(Vec<OriginPattern>),
}

/// One origin, or all below one, as browsers write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OriginPattern {
    Exactly(String),
    /// What stands before and behind the name of a host: `https://` and `.example.com:8443`.
    Below {
        before: String,
        behind: String,
    },
}

/// Methods, or headers, of requests that pages may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Whatever is asked for.
    Any,
    /// These, whatever is asked for: the browser compares.
    These(HeaderValue),
    /// None beside those that need no permission.
    None,
}

impl OriginPattern {
    fn is(&self, origin: &str) -> bool {
        match self {
            Self::Exactly(own) => own == origin,
            Self::Below { before, behind } => {
                let lower = origin.to_ascii_lowercase();
                let name = lower.strip_prefix(&**before).and_then(|it| it.strip_suffix(&**behind));
                name.is_some_and(|name| {
                    let of_host = |it: u8| it.is_ascii_alphanumeric() || b"-._".contains(&it);
                    !name.is_empty() && name.bytes().all(of_host)
                })
            }
        }
    }
}

impl CorsPolicy {
    /// What an answer tells the pages of this origin; `None` if they may not read it.
    fn told(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match &self.origins {
            Origins::Any if self.credentials => Some(origin.clone()),
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::These(patterns) => {
                let text = origin.to_str().ok()?;
                let is_listed = patterns.iter().any(|pattern| pattern.is(text));
                let is_allowed = is_listed || self.check.as_ref().is_some_and(|it| (it.0)(text));
                is_allowed.then(|| origin.clone())
            }
        }
    }

    /// Whether answers differ by the origin that asks, which caches have to know.
    fn differs_by_origin(&self) -> bool {
        self.origins != Origins::Any || self.credentials
    }

    fn tell(&self, headers: &mut HeaderMap, origin: HeaderValue) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    fn vary(&self, headers: &mut HeaderMap) {
        let names_it = |line: &HeaderValue| {
            let line = line.to_str().unwrap_or_default();
            line.split(',').any(|it| it.trim().eq_ignore_ascii_case("origin"))
        };
        if self.differs_by_origin() && !headers.get_all(VARY).iter().any(names_it) {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
    }

    /// The answer to a browser that asks before it sends a request.
    fn preflight(&self, request: &HeaderMap, origin: Option<HeaderValue>) -> Response {
        let mut response = no_content();
        let headers = response.headers_mut();
        if let Some(origin) = origin {
            self.tell(headers, origin);
            let methods = self.methods.told(request.get(ACCESS_CONTROL_REQUEST_METHOD));
            headers.extend(methods.map(|it| (ACCESS_CONTROL_ALLOW_METHODS, it)));
            let asked = members(request);
            let names = self.headers.told(asked.as_ref());
            headers.extend(names.map(|it| (ACCESS_CONTROL_ALLOW_HEADERS, it)));
            let age = self.max_age.clone();
            headers.extend(age.map(|it| (ACCESS_CONTROL_MAX_AGE, it)));
        }
        self.vary(headers);
        response
    }
}

impl Allowed {
    fn told(&self, asked: Option<&HeaderValue>) -> Option<HeaderValue> {
        match self {
            Self::Any => asked.filter(|asked| !asked.is_empty()).cloned(),
            Self::These(list) => Some(list.clone()),
            Self::None => None,
        }
    }
}

/// The headers that a browser asks for, as one list.
fn members(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|it| !it.is_empty());
    HeaderValue::try_from(names.collect::<Vec<_>>().join(",")).ok()
}

/// The origin of the page that asks; `None` if there is none, or several are told.
fn origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut lines = headers.get_all(ORIGIN).iter();
    lines.next().filter(|_| lines.next().is_none())
}

/// Whether a browser asks before it sends a request.
fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    headers.contains_key(ORIGIN)
        && request.method() == Method::OPTIONS
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl Stage for Cors {
    fn enter(&self, request: &mut Request) -> Enter {
        let default = || self.default.as_ref().map_or(Enter::Next, |policy| policy.enter(request));
        match RoutePolicies::of(request).and_then(|it| it.cors.as_ref()) {
            // The destination answers what browsers ask.
            Some(RoutePolicy::Disable) => return Enter::Next,
            Some(RoutePolicy::Default) => return default(),
            Some(RoutePolicy::Named(name)) => {
                let named = self.by_name.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
                if let Some((_, policy)) = named {
                    return policy.enter(request);
                }
            }
            None => {}
        }
        match self.paths.of(request) {
            Some(Some(policy)) => policy.enter(request),
            // Browsers take that for a no.
            Some(None) if is_preflight(request) => Enter::Answer(no_content()),
            Some(None) => Enter::Next,
            None => default(),
        }
    }

    fn knows_files(&self) -> bool {
        true
    }
}

fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

impl CorsPolicy {
    fn enter(&self, request: &Request) -> Enter {
        let headers = request.headers();
        let is_of_a_page = headers.contains_key(ORIGIN);
        let origin = origin(headers).cloned();
        let allowed = origin.as_ref().and_then(|origin| self.told(origin));
        if is_of_a_page {
            let shown = origin.as_ref().and_then(|origin| origin.to_str().ok()).unwrap_or_default();
            events::request_of_origin(shown);
            match allowed {
                Some(_) => events::origin_allowed(),
                None => events::origin_not_allowed(shown),
            }
        }
        if is_preflight(request) {
            events::preflight_request();
            return Enter::Answer(self.preflight(headers, allowed));
        }
        if allowed.is_none() && !self.differs_by_origin() {
            return Enter::Next;
        }
        let policy = self.clone();
        Enter::Then(Box::new(move |mut response| {
            let headers = response.headers_mut();
            if let Some(origin) = allowed {
                policy.tell(headers, origin);
                let exposed = policy.exposed.clone();
                headers.extend(exposed.map(|names| (ACCESS_CONTROL_EXPOSE_HEADERS, names)));
            }
            policy.vary(headers);
            response
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> CorsPolicy {
        let origin = |text: &str| OriginPattern::Exactly(text.to_owned());
        CorsPolicy {
            origins: Origins::These(vec![origin("https://a.example"), origin("null")]),
            check: None,
            methods: Allowed::These(HeaderValue::from_static("GET,PUT")),
            headers: Allowed::Any,
            exposed: None,
            credentials: false,
            max_age: None,
        }
    }

    /// The statuses and headers of an answer; without a status if the request goes on.
    fn asked(
        policy: &CorsPolicy,
        method: Method,
        headers: &[(&'static str, &str)],
    ) -> (u16, String) {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let (status, response) = match policy.enter(&request) {
            Enter::Answer(response) => (response.status().as_u16(), response),
            Enter::Then(leave) => (0, leave(Response::default())),
            _ => (0, Response::default()),
        };
        let text = |(name, value): (&http::HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut lines: Vec<_> = response.headers().iter().map(text).collect();
        lines.sort();
        (status, lines.join("; ").replace("access-control-", ""))
    }

    #[test]
    fn an_answer_says_whose_pages_may_read_it() {
        const ASKED: (&str, &str) = ("access-control-request-method", "GET");
        let names = ("access-control-request-headers", "X-A,  x-b ,");
        let any = CorsPolicy { origins: Origins::Any, ..policy() };
        let with_cookies = CorsPolicy { credentials: true, ..any.clone() };
        for (policy, method, headers, expected) in [
            (
                policy(),
                Method::GET,
                &[("origin", "https://a.example")][..],
                (0, "allow-origin: https://a.example; vary: Origin"),
            ),
            (policy(), Method::GET, &[("origin", "https://A.example")], (0, "vary: Origin")),
            (policy(), Method::GET, &[], (0, "vary: Origin")),
            (policy(), Method::GET, &[("origin", "null"), ("origin", "null")], (0, "vary: Origin")),
            (any.clone(), Method::GET, &[("origin", "null")], (0, "allow-origin: *")),
            (any.clone(), Method::GET, &[], (0, "")),
            (
                with_cookies,
                Method::GET,
                &[("origin", "https://b")],
                (0, "allow-credentials: true; allow-origin: https://b; vary: Origin"),
            ),
            (
                any.clone(),
                Method::OPTIONS,
                &[("origin", "https://b"), ASKED, names],
                (204, "allow-headers: X-A,x-b; allow-methods: GET,PUT; allow-origin: *"),
            ),
            (policy(), Method::OPTIONS, &[("origin", "https://b"), ASKED], (204, "vary: Origin")),
            (any.clone(), Method::OPTIONS, &[ASKED], (0, "")),
            (any, Method::OPTIONS, &[("origin", "https://b")], (0, "allow-origin: *")),
        ] {
            let seen = asked(&policy, method.clone(), headers);
            assert_eq!((seen.0, seen.1.as_str()), expected, "{method} {headers:?}");
        }
    }

    #[test]
    fn code_has_its_say_beside_the_list() {
        let check = OriginCheck::new(|origin| origin.ends_with(".code.example"));
        assert_eq!(check, check.clone());
        assert_ne!(check, OriginCheck::new(|_| true));
        let policy = CorsPolicy { check: Some(check), ..policy() };
        for (origin, expected) in [
            ("https://a.example", "allow-origin: https://a.example; vary: Origin"),
            ("https://x.code.example", "allow-origin: https://x.code.example; vary: Origin"),
            ("https://other.example", "vary: Origin"),
        ] {
            let seen = asked(&policy, Method::GET, &[("origin", origin)]);
            assert_eq!(seen, (0, expected.to_owned()));
        }
    }

    #[test]
    fn a_path_may_have_another_policy_or_none() {
        let other = CorsPolicy { origins: Origins::Any, ..policy() };
        let paths = [("/open".to_owned(), Some(other)), ("/open/off".to_owned(), None)];
        let paths = Arc::new(PathRules::new(paths));
        let all = Cors { default: Some(policy()), paths, by_name: Vec::new() };
        let only_paths = Cors { default: None, ..all.clone() };
        for (cors, path, preflight, expected) in [
            (&all, "/", "204 vary", "vary"),
            (&all, "/open/x", "204 allow-origin", "allow-origin"),
            (&all, "/open/off", "204", ""),
            (&only_paths, "/", "", ""),
            (&only_paths, "/OPEN", "204 allow-origin", "allow-origin"),
        ] {
            for (method, expected) in [(Method::OPTIONS, preflight), (Method::GET, expected)] {
                let mut request = Request::new(Body::empty());
                *request.method_mut() = method;
                *request.uri_mut() = path.parse().unwrap();
                let headers = request.headers_mut();
                headers.insert(ORIGIN, "https://b.example".parse().unwrap());
                headers.insert(ACCESS_CONTROL_REQUEST_METHOD, "GET".parse().unwrap());
                let (status, response) = match cors.enter(&mut request) {
                    Enter::Answer(response) => ("204", response),
                    Enter::Then(leave) => ("", leave(Response::default())),
                    _ => ("", Response::default()),
                };
                let names = response.headers().keys().map(|name| name.as_str());
                let names = names.filter(|name| !name.ends_with("-methods"));
                let names: Vec<_> = names.map(|it| it.replace("access-control-", "")).collect();
                let seen = format!("{status} {}", names.join(" "));
                assert_eq!(seen.trim(), expected, "{path}");
            }
        }
    }

    #[test]
    fn what_is_below_a_host_is_of_its_scheme_and_port() {
        let pattern = OriginPattern::Below {
            before: "https://".to_owned(),
            behind: ".example.com".to_owned(),
        };
        for (origin, expected) in [
            ("https://a.example.com", true),
            ("https://X.Y.EXAMPLE.com", true),
            ("https://example.com", false),
            ("https://.example.com", false),
            ("http://a.example.com", false),
            ("https://a.example.com:8443", false),
            ("https://evil.example/.example.com", false),
            ("https://evil.example?.example.com", false),
            ("https://evil.example:80@.example.com", false),
        ] {
            assert_eq!(pattern.is(origin), expected, "{origin}");
        }
    }
}
