//! Whose requests pass, by the client's address (`AddressFilter`).

use std::net::IpAddr;
use std::time::Instant;

use axum::body::Body;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};

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
}

impl AddressFilter {
    pub(crate) fn new(options: AddressFilterOptions) -> Self {
        Self { options, told: Repeated::default() }
    }
}

impl Stage for AddressFilter {
    fn enter(&self, request: &mut Request) -> Enter {
        let client = EffectiveRequest::of(request).client().map(|it| it.ip());
        if self.options.passes(client) {
            return Enter::Next;
        }
        let telling = self.told.happened(Instant::now());
        let client = client.map(|it| it.to_canonical().to_string());
        events::address_not_let_in(client.as_deref().unwrap_or("a local process"), telling);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::FORBIDDEN;
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        Enter::Answer(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
