//! Sends requests in clear text to https.

use std::sync::Once;

use axum::body::Body;
use http::header::{CONTENT_LENGTH, LOCATION};
use http::{HeaderValue, StatusCode};

use crate::diagnostics::events;
use crate::features::{
    EffectiveRequest, RequestTarget, ServerAddresses, escaped_path, without_port,
};
use crate::pipeline::{Enter, Request, Response, Stage};

/// Answers requests in clear text with where they are served by https. (What `HttpsRedirectionMiddleware`
/// is in ASP.NET Core.)
#[derive(Debug)]
pub(crate) struct HttpsRedirection {
    options: Redirection,
    addresses: ServerAddresses,
    told: Once,
}

/// How requests in clear text are sent to https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirection {
    pub(crate) status: StatusCode,
    /// The port of https; `None` is that of an endpoint.
    pub(crate) port: Option<u16>,
}

impl HttpsRedirection {
    pub(crate) fn new(options: Redirection, addresses: ServerAddresses) -> Self {
        Self { options, addresses, told: Once::new() }
    }

    /// The port to send requests to; `None`, which is told, if none is known.
    fn port(&self) -> Option<u16> {
        if let Some(port) = self.options.port {
            self.told.call_once(|| events::https_port_of_configuration(port));
            return Some(port);
        }
        let Some((port, others)) = self.addresses.https_port() else {
            self.told.call_once(events::https_port_unknown);
            return None;
        };
        self.told.call_once(|| match others {
            0 => events::https_port_of_endpoint(port),
            _ => events::several_https_ports(port),
        });
        Some(port)
    }
}

/// The same by https, as it stands in a URL; `None` if the request names no host.
fn by_https(request: &Request, port: u16) -> Option<HeaderValue> {
    let (meant, target) = (EffectiveRequest::of(request), RequestTarget::of(request));
    let host = Some(without_port(meant.host())).filter(|host| !host.is_empty())?;
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let (base, path) = (meant.escaped_path_base(), target.path());
    let path = match base.is_empty() && path.is_empty() {
        true => "/".into(),
        false => escaped_path(&path),
    };
    // What begins a fragment ends a URL.
    let query = target.query().replace('#', "%23");
    HeaderValue::try_from(format!("https://{host}{port}{base}{path}{query}")).ok()
}

impl Stage for HttpsRedirection {
    fn enter(&self, request: &mut Request) -> Enter {
        if EffectiveRequest::of(request).is_https() {
            return Enter::Next;
        }
        let Some(port) = self.port() else { return Enter::Next };
        let mut response = Response::new(Body::empty());
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        match by_https(request, port) {
            Some(location) => {
                events::redirected_to_https(location.to_str().unwrap_or_default());
                *response.status_mut() = self.options.status;
                response.headers_mut().insert(LOCATION, location);
            }
            None => *response.status_mut() = StatusCode::BAD_REQUEST,
        }
        Enter::Answer(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Overlay;

    fn answer(stage: &HttpsRedirection, uri: &str, host: &str) -> Option<(u16, String)> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri.parse().unwrap();
        request.headers_mut().insert("host", host.parse().unwrap());
        match stage.enter(&mut request) {
            Enter::Answer(response) => {
                let location = response.headers().get(LOCATION);
                let location = location.map_or("", |location| location.to_str().unwrap());
                Some((response.status().as_u16(), location.to_owned()))
            }
            _ => None,
        }
    }

    fn stage(port: Option<u16>, bound: &[&str]) -> HttpsRedirection {
        let addresses = ServerAddresses::default();
        addresses.publish(bound.iter().map(|it| (*it).to_owned()).collect(), Vec::new());
        let status = StatusCode::TEMPORARY_REDIRECT;
        HttpsRedirection::new(Redirection { status, port }, addresses)
    }

    #[test]
    fn a_request_is_sent_to_the_same_by_https() {
        for (port, uri, host, location) in [
            (443, "/a%20b?x=%20&y", "a.example:80", "https://a.example/a%20b?x=%20&y"),
            (8443, "/%7Ea/%2F?", "[::1]:5000", "https://[::1]:8443/~a/%2F?"),
            (8443, "*", "A.example", "https://A.example:8443/"),
            (8443, "/a/../b", "a.example", "https://a.example:8443/b"),
        ] {
            let seen = answer(&stage(Some(port), &[]), uri, host);
            assert_eq!(seen, Some((307, location.to_owned())), "{uri}");
        }
        assert_eq!(answer(&stage(Some(443), &[]), "/", ""), Some((400, String::new())));
    }

    #[test]
    fn the_port_is_that_of_the_options_else_that_of_an_endpoint() {
        let bound = &["http://[::]:80", "https://[::]:444", "https://127.0.0.1:445"];
        for (port, bound, location) in [
            (Some(5001), &bound[..], Some("https://a:5001/")),
            (None, &bound[..], Some("https://a:444/")),
            (None, &bound[..1], None),
        ] {
            let seen = answer(&stage(port, bound), "/", "a").map(|(_, location)| location);
            assert_eq!(seen.as_deref(), location);
        }
    }

    #[test]
    fn what_came_by_https_passes() {
        let mut request = Request::new(Body::empty());
        Overlay::change(&mut request, |overlay| overlay.scheme = Some("https".into()));
        assert!(matches!(stage(Some(443), &[]).enter(&mut request), Enter::Next));
    }
}
