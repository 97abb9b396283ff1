//! Sends requests in clear text to https.

use std::sync::{Arc, Once};

use axum::body::Body;
use http::header::{CONTENT_LENGTH, FORWARDED, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::strangers::{Strangers, remedy};
use crate::diagnostics::events;
use crate::features::{
    Connection, EffectiveRequest, Remote, RequestTarget, ServerAddresses, escaped_path,
    without_port,
};
use crate::pipeline::{Enter, Request, Response, Stage};

/// Answers requests in clear text with where they are served by https. (What `HttpsRedirectionMiddleware`
/// is in ASP.NET Core.)
#[derive(Debug)]
pub(crate) struct HttpsRedirection {
    options: Redirection,
    addresses: ServerAddresses,
    told: Once,
    strangers: Arc<Strangers>,
}

/// How requests in clear text are sent to https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirection {
    pub(crate) status: StatusCode,
    /// The port of https; `None` is that of an endpoint.
    pub(crate) port: Option<u16>,
}

impl HttpsRedirection {
    /// `strangers` are those of whom other stages have told.
    pub(crate) fn new(
        options: Redirection,
        addresses: ServerAddresses,
        strangers: Arc<Strangers>,
    ) -> Self {
        Self { options, addresses, told: Once::new(), strangers }
    }

    /// Tells of a proxy that has taken a request by https and is not believed: its client is sent to where it came
    /// from, again and again.
    fn tell_of_circle(&self, request: &Request) {
        let Some(header) = says_https(request.headers()) else { return };
        let meant = EffectiveRequest::of(request);
        let is_believed = meant.has_told_client();
        let peer = match is_believed {
            true => request.extensions().get::<Connection>().and_then(Connection::remote),
            false => meant.client().map(Remote),
        };
        let peer = peer.map(|it| it.0.ip().to_canonical());
        if !self.strangers.is_new(peer) {
            return;
        }
        // Who is believed for whom it asks is not if it tells the scheme in a way that is not read.
        let remedy = match is_believed {
            true if header == FORWARDED => {
                "let it send X-Forwarded-Proto: Forwarded is not read".to_owned()
            }
            true => "add XForwardedProto to ForwardedHeaders:ForwardedHeaders".to_owned(),
            false => remedy(peer, &header, "X-Forwarded-Proto"),
        };
        let shown = peer.map_or_else(|| "a local process".to_owned(), |it| it.to_string());
        events::stranger_is_redirected(&shown, &remedy, header.as_str());
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

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What of a request says that its client has asked by https: what the nearest proxy wrote, at the end.
fn says_https(headers: &HeaderMap) -> Option<HeaderName> {
    let is_https = |text: &str| text.trim().trim_matches('"').eq_ignore_ascii_case("https");
    let last = |name: &HeaderName| {
        let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        line.rsplit(',').next()
    };
    if last(&X_FORWARDED_PROTO).is_some_and(is_https) {
        return Some(X_FORWARDED_PROTO);
    }
    let says = |pair: &str| {
        let pair = pair.split_once('=');
        pair.is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("proto") && is_https(value)
        })
    };
    last(&FORWARDED).is_some_and(|it| it.split(';').any(says)).then_some(FORWARDED)
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
                self.tell_of_circle(request);
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
        HttpsRedirection::new(Redirection { status, port }, addresses, Arc::default())
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
    fn it_is_seen_what_says_that_a_client_came_by_https() {
        for (name, value, expected) in [
            ("x-forwarded-proto", "https", true),
            ("x-forwarded-proto", "http, HTTPS ", true),
            ("x-forwarded-proto", "https, http", false),
            ("x-forwarded-for", "https", false),
            ("forwarded", "for=192.0.2.1;proto=https", true),
            ("forwarded", "proto=http, for=192.0.2.1; Proto=\"https\"", true),
            ("forwarded", "proto=https, proto=http", false),
            ("forwarded", "host=https", false),
        ] {
            let name = HeaderName::from_static(name);
            let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static(value))]);
            assert_eq!(says_https(&headers), expected.then_some(name), "{value}");
        }
    }

    #[test]
    fn what_came_by_https_passes() {
        let mut request = Request::new(Body::empty());
        Overlay::change(&mut request, |overlay| overlay.scheme = Some("https".into()));
        assert!(matches!(stage(Some(443), &[]).enter(&mut request), Enter::Next));
    }
}
