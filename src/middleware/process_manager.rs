//! What a process manager in front asks of the process that it has started: the contract of the ASP.NET Core
//! Module, on the side of the child.

use std::fmt;
use std::hint::black_box;

use http::{HeaderName, Method, StatusCode};

use super::forwarded_headers::{Believed, ForwardedHeaders};
use super::path_base::PathBase;
use crate::diagnostics::events;
use crate::features::{Lifetime, RequestTarget};
use crate::pipeline::{Enter, Request, Response, Stage};

/// Where each request has the token.
const TOKEN: HeaderName = HeaderName::from_static("ms-aspnetcore-token");
/// Where the process manager says what has happened on its side.
const EVENT: HeaderName = HeaderName::from_static("ms-aspnetcore-event");
/// Where it says so, below the path base.
const EVENTS: &str = "/iisintegration";
/// What it says when this process is to end.
const SHUTDOWN: &[u8] = b"shutdown";

/// What a process manager has told the process at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessManagerOptions {
    pub(crate) token: PairingToken,
    /// The path below which clients see the app; `None` is the root.
    pub(crate) path_base: Option<PathBase>,
    /// What the process manager is believed of a request. `None` where forwarded headers have settings of
    /// their own: they are taken once, since each time takes another proxy's word.
    pub(crate) believed: Option<Believed>,
}

/// What requests have to show. Nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PairingToken(Box<[u8]>);

impl PairingToken {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.as_bytes().into())
    }

    /// Whether this is it. How long the answer takes says nothing of where they differ; how long the token is
    /// may be known.
    fn is(&self, shown: &[u8]) -> bool {
        let differing =
            self.0.iter().zip(shown).fold(0, |all, (own, its)| black_box(all | (own ^ its)));
        self.0.len() == shown.len() && differing == 0
    }
}

impl fmt::Debug for PairingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingToken(..)")
    }
}

/// Lets requests of the process manager pass, and no others; takes what it tells of them, and ends the host
/// when it says so. (What `IISSetupFilter` and `IISMiddleware` are in ASP.NET Core.)
#[derive(Debug)]
pub(crate) struct ProcessManager {
    token: PairingToken,
    path_base: Option<PathBase>,
    forwarded: Option<ForwardedHeaders>,
    lifetime: Lifetime,
}

impl ProcessManager {
    pub(crate) fn new(options: ProcessManagerOptions, lifetime: Lifetime) -> Self {
        let ProcessManagerOptions { token, path_base, believed } = options;
        Self { token, path_base, forwarded: believed.map(ForwardedHeaders::new), lifetime }
    }

    /// Whether a request has the token, in one line. What shows headers leaves it out from here on.
    fn takes_token(&self, request: &mut Request) -> bool {
        let mut lines = request.headers().get_all(&TOKEN).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return false };
        let is_it = self.token.is(line.as_bytes());
        if let Some(line) = request.headers_mut().get_mut(&TOKEN) {
            line.set_sensitive(true);
        }
        is_it
    }
}

/// Whether it says that this process is to end. Another method or event is the app's.
fn is_shutdown(request: &Request) -> bool {
    let mut lines = request.headers().get_all(&EVENT).iter();
    let said = match (lines.next(), lines.next()) {
        (Some(line), None) => line.as_bytes(),
        _ => return false,
    };
    request.method() == Method::POST
        && said.eq_ignore_ascii_case(SHUTDOWN)
        && RequestTarget::of(request).lent_path().eq_ignore_ascii_case(EVENTS)
}

impl Stage for ProcessManager {
    fn enter(&self, request: &mut Request) -> Enter {
        // Of every request, as on ASP.NET Core: what is told of one that is turned away says whose it was.
        if let Some(base) = &self.path_base {
            base.enter(request);
        }
        if let Some(forwarded) = &self.forwarded {
            forwarded.enter(request);
        }
        if !self.takes_token(request) {
            events::pairing_token_does_not_match();
            return Enter::Answer(empty(StatusCode::BAD_REQUEST));
        }
        if is_shutdown(request) {
            // This request is one of those that the stop waits for.
            self.lifetime.stop();
            return Enter::Answer(empty(StatusCode::ACCEPTED));
        }
        Enter::Next
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::HeaderValue;

    use super::*;
    use crate::features::EffectiveRequest;

    fn stage(base: &str, lifetime: &Lifetime) -> ProcessManager {
        let options = ProcessManagerOptions {
            token: PairingToken::new("abc"),
            path_base: PathBase::of_text(base),
            believed: None,
        };
        ProcessManager::new(options, lifetime.clone())
    }

    fn request(method: &str, path: &str, headers: &[(HeaderName, &str)]) -> Request {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method.parse().expect("a method");
        *request.uri_mut() = path.parse().expect("a path");
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a value");
            request.headers_mut().append(name, value);
        }
        request
    }

    fn status(stage: &ProcessManager, request: &mut Request) -> Option<u16> {
        match stage.enter(request) {
            Enter::Answer(response) => Some(response.status().as_u16()),
            _ => None,
        }
    }

    #[test]
    fn only_requests_with_the_token_pass() {
        let stage = stage("/", &Lifetime::new());
        for (lines, expected) in [
            (&["abc"][..], None),
            (&[], Some(400)),
            (&[""], Some(400)),
            (&["ab"], Some(400)),
            (&["abcd"], Some(400)),
            (&["ABC"], Some(400)),
            (&["xbc"], Some(400)),
            (&["abx"], Some(400)),
            // ASP.NET Core reads them as one text, with a comma.
            (&["abc", "abc"], Some(400)),
            (&["no", "abc"], Some(400)),
        ] {
            let headers: Vec<_> = lines.iter().map(|line| (TOKEN, *line)).collect();
            let mut request = request("GET", "/x", &headers);
            assert_eq!(status(&stage, &mut request), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_token_is_not_shown() {
        let stage = stage("/", &Lifetime::new());
        let mut request = request("GET", "/x", &[(TOKEN, "abc")]);
        assert_eq!(status(&stage, &mut request), None);
        let token = &request.headers()[&TOKEN];
        // The app gets it, as on ASP.NET Core.
        assert_eq!(token, "abc");
        assert!(token.is_sensitive());
        let shown = format!("{stage:?} {:?}", request.headers());
        assert!(!shown.contains("abc") && !shown.contains("97, 98"), "{shown}");
    }

    #[test]
    fn the_host_ends_when_the_process_manager_says_so() {
        for (method, path, event, token, expected, stops) in [
            ("POST", "/app/iisintegration", "shutdown", "abc", Some(202), true),
            ("POST", "/APP/IISIntegration", "ShutDown", "abc", Some(202), true),
            // Outside of the path base, too, as on ASP.NET Core.
            ("POST", "/iisintegration", "shutdown", "abc", Some(202), true),
            ("POST", "/app/iisintegration", "shutdown", "", Some(400), false),
            ("POST", "/app/iisintegration", "shutdown", "abd", Some(400), false),
            ("GET", "/app/iisintegration", "shutdown", "abc", None, false),
            ("POST", "/app/iisintegration", "recycle", "abc", None, false),
            ("POST", "/app/iisintegration/", "shutdown", "abc", None, false),
            ("POST", "/app/x/iisintegration", "shutdown", "abc", None, false),
        ] {
            let lifetime = Lifetime::new();
            let mut request = request(method, path, &[(TOKEN, token), (EVENT, event)]);
            let told = format!("{method} {path} {event} {token}");
            assert_eq!(status(&stage("/app", &lifetime), &mut request), expected, "{told}");
            assert_eq!(lifetime.is_stopping(), stops, "{told}");
        }
        let lifetime = Lifetime::new();
        let mut silent = request("POST", "/app/iisintegration", &[(TOKEN, "abc")]);
        assert_eq!(status(&stage("/app", &lifetime), &mut silent), None);
        assert!(!lifetime.is_stopping());
    }

    #[test]
    fn what_is_below_the_path_base_is_what_the_app_is_asked_for() {
        for (base, target, expected) in [
            ("/app", "/app/x", ("/app", "/x")),
            ("/app", "/APP/x", ("/APP", "/x")),
            ("/app", "/app", ("/app", "")),
            ("/app", "/x", ("", "/x")),
            ("/app/", "/app/x", ("/app", "/x")),
            // It is a path, and none as it stands in a URL.
            ("/a b", "/a%20b/x", ("/a b", "/x")),
            ("/a%20b", "/a%20b/x", ("", "/a b/x")),
            ("/a%20b", "/a%2520b/x", ("/a%20b", "/x")),
        ] {
            let mut request = request("GET", target, &[(TOKEN, "abc")]);
            assert_eq!(status(&stage(base, &Lifetime::new()), &mut request), None);
            let (base_of, path) =
                (EffectiveRequest::of(&request).path_base(), RequestTarget::of(&request).path());
            assert_eq!((base_of, &*path), expected, "{target} below {base}");
        }
    }
}
