//! Whose requests pass, by the client's address (`AddressFilter`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use http::header::{CONTENT_LENGTH, FORWARDED};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::strangers::{Strangers, remedy};
use crate::diagnostics::{Repeated, events};
use crate::features::{EffectiveRequest, IpNetwork};
use crate::pipeline::{Enter, Request, Response, Stage};

/// The networks of clients that pass, and of those that do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddressFilterOptions {
    /// Whose requests pass; without any, all but those of `deny`.
    pub(crate) allow: Vec<IpNetwork>,
    /// Whose do not, whatever `allow` has.
    pub(crate) deny: Vec<IpNetwork>,
}

impl AddressFilterOptions {
    /// Whether a client passes. One without an address, which is on this machine, is in no list.
    fn passes(&self, client: Option<IpAddr>) -> bool {
        // A dual-mode socket writes addresses of IPv4 as ones of IPv6.
        let client = client.map(|it| it.to_canonical());
        let is_in = |networks: &[IpNetwork]| {
            client.is_some_and(|it| networks.iter().any(|network| network.contains(it)))
        };
        !is_in(&self.deny) && (self.allow.is_empty() || is_in(&self.allow))
    }

    /// Whether nobody can pass: all that is allowed is denied.
    pub(crate) fn lets_nobody_in(&self) -> bool {
        let denied = |it: &IpNetwork| self.deny.iter().any(|network| network.has(it));
        match self.allow.is_empty() {
            true => IpNetwork::all().iter().all(denied),
            false => self.allow.iter().all(denied),
        }
    }
}

/// Lets requests pass by the address of the client, which may be the one that a proxy tells. (nginx has `allow` and
/// `deny`, in whose order the first that fits counts; here the order says nothing.)
#[derive(Debug)]
pub(crate) struct AddressFilter {
    options: AddressFilterOptions,
    told: Repeated,
    strangers: Arc<Strangers>,
}

impl AddressFilter {
    /// `strangers` are those of whom other stages have told.
    pub(crate) fn new(options: AddressFilterOptions, strangers: Arc<Strangers>) -> Self {
        Self { options, told: Repeated::default(), strangers }
    }

    /// Whether the client passes; if it does not, the log is told why.
    fn lets_in(&self, meant: &EffectiveRequest<'_>, headers: &HeaderMap) -> bool {
        let client = meant.client().map(|it| it.ip().to_canonical());
        let shown = || client.map_or_else(|| "a local process".to_owned(), |it| it.to_string());
        if meant.has_unread_client() {
            // The address is that of a proxy, which has let somebody else through.
            events::unread_client_not_let_in(&shown(), self.told.happened(Instant::now()));
            return false;
        }
        if !meant.has_told_client()
            && let Some(header) = header_of_proxies(headers)
            && self.strangers.is_new(client)
        {
            let remedy = remedy(client, &header, "X-Forwarded-For");
            events::stranger_is_filtered(&shown(), &remedy, header.as_str());
        }
        let passes = self.options.passes(client);
        if !passes {
            events::address_not_let_in(&shown(), self.told.happened(Instant::now()));
        }
        passes
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What of a request says that it is somebody else's.
fn header_of_proxies(headers: &HeaderMap) -> Option<HeaderName> {
    [X_FORWARDED_FOR, FORWARDED].into_iter().find(|name| headers.contains_key(name))
}

impl Stage for AddressFilter {
    fn enter(&self, request: &mut Request) -> Enter {
        if self.lets_in(&EffectiveRequest::of(request), request.headers()) {
            return Enter::Next;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::FORBIDDEN;
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        Enter::Answer(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Overlay;

    fn filter(allow: &[&str], deny: &[&str]) -> AddressFilterOptions {
        let [allow, deny] =
            [allow, deny].map(|all| all.iter().map(|it| it.parse().unwrap()).collect());
        AddressFilterOptions { allow, deny }
    }

    #[test]
    fn who_is_denied_does_not_pass_and_who_is_not_allowed_neither() {
        let within: &[&str] = &["10.0.0.0/8", "2001:db8::/32"];
        for (allow, deny, client, passes) in [
            (within, &[][..], Some("10.1.2.3"), true),
            (within, &[], Some("::ffff:10.1.2.3"), true),
            (within, &[], Some("2001:db8::1"), true),
            (within, &[], Some("11.1.2.3"), false),
            (within, &[], Some("::1"), false),
            (within, &[], None, false),
            (within, &["10.1.2.3"], Some("10.1.2.3"), false),
            (within, &["10.1.2.3"], Some("::ffff:10.1.2.3"), false),
            (within, &["10.1.2.3"], Some("10.1.2.4"), true),
            (&[], &["10.0.0.0/8"], Some("10.1.2.3"), false),
            (&[], &["10.0.0.0/8"], Some("11.1.2.3"), true),
            (&[], &["0.0.0.0/0"], Some("2001:db8::1"), true),
            (&[], &["10.0.0.0/8"], None, true),
            (&["::/0"], &[], Some("::ffff:10.1.2.3"), false),
        ] {
            let client = client.map(|it| it.parse().unwrap());
            let passed = filter(allow, deny).passes(client);
            assert_eq!(passed, passes, "{client:?} with {allow:?} without {deny:?}");
        }
    }

    #[test]
    fn a_client_that_cannot_be_read_is_not_the_proxy_that_tells_of_it() {
        let proxy = "127.0.0.1:5000".parse().unwrap();
        for (allow, deny) in [(&["127.0.0.0/8"][..], &[][..]), (&[], &["192.0.2.1"])] {
            let filter = AddressFilter::new(filter(allow, deny), Arc::default());
            for (is_unread, passes) in [(false, true), (true, false)] {
                let mut request = Request::new(Body::empty());
                Overlay::change(&mut request, |overlay| {
                    (overlay.client, overlay.client_is_unread) = (Some(proxy), is_unread);
                });
                let passed = matches!(filter.enter(&mut request), Enter::Next);
                assert_eq!(passed, passes, "{is_unread} with {allow:?} without {deny:?}");
            }
        }
    }

    #[test]
    fn what_lets_a_proxy_be_believed_goes_by_where_it_is() {
        let here = "set ForwardedHeaders:Enabled to true";
        for (proxy, header, expected) in [
            (None, X_FORWARDED_FOR, here.to_owned()),
            (Some("127.0.0.1"), X_FORWARDED_FOR, here.to_owned()),
            (
                Some("10.0.0.9"),
                X_FORWARDED_FOR,
                format!("{here} and add 10.0.0.9 to ForwardedHeaders:KnownProxies"),
            ),
            (
                Some("::1"),
                FORWARDED,
                format!("{here}, and let it send X-Forwarded-For: Forwarded is not read"),
            ),
        ] {
            let proxy = proxy.map(|it| it.parse().unwrap());
            assert_eq!(remedy(proxy, &header, "X-Forwarded-For"), expected);
        }
    }

    #[test]
    fn it_is_known_when_nobody_passes() {
        for (allow, deny, nobody) in [
            (&["10.0.0.0/8"][..], &["10.0.0.0/7"][..], true),
            (&["10.0.0.0/8"], &["10.0.0.0/8"], true),
            (&["10.0.0.0/8"], &["10.0.0.0/9"], false),
            (&["10.0.0.0/8", "::1"], &["10.0.0.0/8"], false),
            (&[], &["0.0.0.0/0"], false),
            (&[], &["0.0.0.0/0", "::/0"], true),
            (&[], &[], false),
        ] {
            assert_eq!(filter(allow, deny).lets_nobody_in(), nobody, "{allow:?} {deny:?}");
        }
    }
}
