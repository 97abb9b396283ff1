//! What proxies in front tell of a request (`X-Forwarded-For` and its like).

mod members;
#[cfg(test)]
mod tests;
mod values;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use self::members::Members;
use super::AllowedHosts;
use super::strangers::Strangers;
use crate::diagnostics::{Repeated, events};
use crate::features::{EffectiveRequest, LateFacts, Overlay, Proxies, path_of_escapes};
use crate::pipeline::{Enter, Request, Stage};

/// What is believed, and of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Believed {
    /// Which header tells the client's address, if any does, and so on.
    pub(crate) client: Option<Names>,
    pub(crate) scheme: Option<Names>,
    pub(crate) host: Option<Names>,
    pub(crate) path_base: Option<Names>,
    /// What all of them call the headers that keep what was before, believed or not.
    pub(crate) originals: [HeaderName; 4],
    /// How many proxies are believed, from the nearest on; `None` is all.
    pub(crate) limit: Option<u32>,
    pub(crate) proxies: Proxies,
    /// The hosts that a proxy may tell; `None` is any.
    pub(crate) hosts: Option<AllowedHosts>,
    /// Whether nothing counts unless each proxy has told all of it.
    pub(crate) all_or_nothing: bool,
}

/// A header of proxies, and the one that keeps what the request had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) forwarded: HeaderName,
    pub(crate) original: HeaderName,
}

/// Believes what proxies tell of requests. (What `ForwardedHeadersMiddleware` is in ASP.NET Core.)
///
/// Each proxy adds who has connected to it at the end of a list. So the lists are read from the end:
/// what the last member says is from whoever has connected to this server, and is believed if that is
/// one of the proxies; the member before it is from the address that the last one names, and so on.
#[derive(Debug)]
pub(crate) struct ForwardedHeaders {
    believed: Believed,
    refused: Repeated,
    strangers: Arc<Strangers>,
}

/// What one proxy has told, or some.
#[derive(Clone, Copy, Default)]
struct Told<'a> {
    client: Option<SocketAddr>,
    scheme: Option<&'a str>,
    host: Option<&'a str>,
    path_base: Option<&'a str>,
}

/// What is believed of a request, and of how many proxies it is.
struct Heard<'a> {
    told: Option<(Told<'a>, usize)>,
    /// Somebody who is believed tells of a client, and which one that is could not be taken.
    client_is_unread: bool,
}

impl Heard<'_> {
    fn nothing_of(client_is_unread: bool) -> Self {
        Self { told: None, client_is_unread }
    }
}

/// What the lists of a request say, the last member of each first.
struct Lists<'a> {
    client: Members<'a>,
    scheme: Members<'a>,
    host: Members<'a>,
    path_base: Members<'a>,
}

/// Members that stand at the same place of their lists, counted from the end.
struct Hop<'a> {
    client: Option<&'a [u8]>,
    scheme: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    path_base: Option<&'a [u8]>,
}

impl<'a> Lists<'a> {
    fn hop(&mut self) -> Option<Hop<'a>> {
        let hop = Hop {
            client: self.client.next(),
            scheme: self.scheme.next(),
            host: self.host.next(),
            path_base: self.path_base.next(),
        };
        let all = [hop.client, hop.scheme, hop.host, hop.path_base];
        all.iter().any(Option::is_some).then_some(hop)
    }
}

impl ForwardedHeaders {
    pub(crate) fn new(believed: Believed) -> Self {
        Self { believed, refused: Repeated::default(), strangers: Arc::default() }
    }

    /// The same beside other stages that tell of strangers.
    pub(crate) fn beside(self, strangers: Arc<Strangers>) -> Self {
        Self { strangers, ..self }
    }

    /// What there is to believe of a request from `peer`.
    fn heard<'a>(&self, headers: &'a HeaderMap, peer: Option<SocketAddr>) -> Heard<'a> {
        let believed = &self.believed;
        if believed.all_or_nothing && !self.are_of_one_length(headers) {
            return Heard::nothing_of(believed.tells_client(headers, peer));
        }
        let mut lists = believed.lists(headers);
        let (mut told, mut hops) = (Told::default(), 0);
        let mut client_is_unread = false;
        // Who has told the next of it. A peer without an address is on this machine.
        let mut teller = peer;
        while believed.limit.is_none_or(|limit| hops < limit as usize) {
            let Some(hop) = lists.hop() else { break };
            if let Some(unknown) = teller.filter(|it| !believed.proxies.have(it.ip())) {
                events::unknown_proxy(&unknown);
                // Further on it is a client that has used a proxy, as all do.
                if hops == 0 && self.strangers.is_new(Some(unknown.ip())) {
                    let header = believed.first_of(headers).map_or("", HeaderName::as_str);
                    events::stranger_not_believed(unknown.ip().to_canonical(), header);
                }
                break;
            }
            let client = hop.client.map(text);
            let address = client.and_then(values::endpoint);
            if let (Some(text), None) = (client, address) {
                events::forwarded_address_not_read(text);
                client_is_unread = true;
                break;
            }
            let this = Told { client: address, ..believed.valid(&hop) };
            if believed.all_or_nothing
                && let Some(name) = believed.lacking(&this)
            {
                events::forwarded_header_not_taken(
                    name.as_str(),
                    self.refused.happened(Instant::now()),
                );
                return Heard::nothing_of(believed.tells_client(headers, peer));
            }
            told = this.or(told);
            teller = address.or(teller);
            hops += 1;
        }
        Heard { told: told.is_anything().then_some((told, hops)), client_is_unread }
    }

    fn are_of_one_length(&self, headers: &HeaderMap) -> bool {
        let mut names = self.believed.names().into_iter().flatten();
        let Some(first) = names.next() else { return true };
        let length = |names: &Names| Members::of(headers, Some(&names.forwarded)).count();
        let expected = length(first);
        let Some(other) = names.find(|names| length(names) != expected) else { return true };
        let telling = self.refused.happened(Instant::now());
        events::forwarded_headers_mismatch(
            other.forwarded.as_str(),
            first.forwarded.as_str(),
            telling,
        );
        false
    }
}

impl Believed {
    fn names(&self) -> [Option<&Names>; 4] {
        [&self.client, &self.scheme, &self.host, &self.path_base].map(Option::as_ref)
    }

    fn lists<'a>(&self, headers: &'a HeaderMap) -> Lists<'a> {
        let [client, scheme, host, path_base] =
            self.names().map(|names| Members::of(headers, names.map(|names| &names.forwarded)));
        Lists { client, scheme, host, path_base }
    }

    /// Whether a request of `peer` has a client that it would be believed.
    fn tells_client(&self, headers: &HeaderMap, peer: Option<SocketAddr>) -> bool {
        let is_told = |names: &Names| headers.contains_key(&names.forwarded);
        let is_believed = peer.is_none_or(|it| self.proxies.have(it.ip()));
        is_believed && self.client.as_ref().is_some_and(is_told)
    }

    /// The first header of proxies that a request has.
    fn first_of(&self, headers: &HeaderMap) -> Option<&HeaderName> {
        let mut all = self.names().into_iter().flatten().map(|names| &names.forwarded);
        all.find(|name| headers.contains_key(*name))
    }

    /// What can be meant of what a proxy has told, but for the client.
    fn valid<'a>(&self, hop: &Hop<'a>) -> Told<'a> {
        let may_be = |host: &&str| self.hosts.as_ref().is_none_or(|hosts| hosts.allow(host));
        Told {
            client: None,
            scheme: hop.scheme.map(text).filter(|it| values::is_scheme(it)),
            host: hop.host.map(text).filter(|it| values::is_host(it)).filter(may_be),
            path_base: hop.path_base.map(text).filter(|it| values::is_path_base(it)),
        }
    }

    /// The header of which a proxy has not told what it should.
    fn lacking(&self, told: &Told<'_>) -> Option<&HeaderName> {
        let there = [
            told.client.is_some(),
            told.scheme.is_some(),
            told.host.is_some(),
            told.path_base.is_some(),
        ];
        let mut all = self.names().into_iter().zip(there);
        all.find_map(|(names, there)| names.filter(|_| !there).map(|names| &names.forwarded))
    }
}

impl Told<'_> {
    fn or(self, other: Self) -> Self {
        Self {
            client: self.client.or(other.client),
            scheme: self.scheme.or(other.scheme),
            host: self.host.or(other.host),
            path_base: self.path_base.or(other.path_base),
        }
    }

    fn is_anything(&self) -> bool {
        let Self { client, scheme, host, path_base } = self;
        client.is_some() || scheme.is_some() || host.is_some() || path_base.is_some()
    }
}

/// Puts another host into a URI that has one: on HTTP/2 all have, and whoever looks there should find what
/// the Host header says. (A CONNECT is to a host, and not for one.)
fn tell_uri(uri: &mut Uri, host: &str) {
    if uri.authority().is_none() || uri.path_and_query().is_none() {
        return;
    }
    let mut parts = uri.clone().into_parts();
    parts.authority = host.parse().ok();
    // There is hardly one that a URI does not take; it is none of the sender's then.
    if parts.authority.is_none() {
        parts.scheme = None;
    }
    if let Ok(told) = Uri::from_parts(parts) {
        *uri = told;
    }
}

/// A member as text; one that is none is nothing that can be meant.
fn text(member: &[u8]) -> &str {
    std::str::from_utf8(member).unwrap_or("\u{fffd}")
}

impl Stage for ForwardedHeaders {
    fn enter(&self, request: &mut Request) -> Enter {
        let peer = EffectiveRequest::of(request).client();
        let Heard { told, client_is_unread } = self.heard(request.headers(), peer);
        if let Some((told, hops)) = told {
            let changes = Changes::of(request, &self.believed, told, hops);
            changes.make(request);
        }
        if client_is_unread {
            Overlay::change(request, |overlay| overlay.client_is_unread = true);
        }
        Enter::Next
    }
}

/// What becomes other in a request.
#[derive(Default)]
struct Changes {
    facts: Overlay,
    /// Headers with their new lines; one without a line goes.
    headers: Vec<(HeaderName, Vec<HeaderValue>)>,
}

impl Changes {
    fn of(request: &Request, believed: &Believed, told: Told<'_>, hops: usize) -> Self {
        let meant = EffectiveRequest::of(request);
        let headers = request.headers();
        let mut changes = Self::default();
        let peer = meant.client();
        // The peer is kept beside what else was told, too, as on ASP.NET Core.
        if let Some(names) = believed.client.as_ref().filter(|_| told.client.or(peer).is_some()) {
            changes.take(headers, names, hops, peer.map(|peer| peer.to_string()));
            changes.facts.client = told.client;
        }
        if let (Some(names), Some(scheme)) = (&believed.scheme, told.scheme) {
            changes.take(headers, names, hops, Some(meant.scheme().to_owned()));
            changes.facts.scheme = Some(match scheme {
                "https" => Cow::Borrowed("https"),
                "http" => Cow::Borrowed("http"),
                other => Cow::Owned(other.to_owned()),
            });
        }
        if let (Some(names), Some(host)) = (&believed.host, told.host) {
            changes.take(headers, names, hops, Some(meant.host().to_owned()));
            changes.headers.push((HOST, HeaderValue::from_str(host).into_iter().collect()));
            changes.facts.host = Some(host.into());
        }
        if let (Some(names), Some(path_base)) = (&believed.path_base, told.path_base) {
            changes.take(headers, names, hops, Some(meant.escaped_path_base().into_owned()));
            changes.facts.path_base = Some(path_of_escapes(path_base).into());
        }
        changes.drop_claims(headers, believed);
        changes
    }

    /// Lets those of a client go that look like ours, of whatever kind: beside what was believed, they would
    /// be taken for it.
    fn drop_claims(&mut self, headers: &HeaderMap, believed: &Believed) {
        for name in &believed.originals {
            if headers.contains_key(name) && !self.headers.iter().any(|(other, _)| other == name) {
                self.headers.push((name.clone(), Vec::new()));
            }
        }
    }

    /// Takes what `hops` proxies have told out of a header, and keeps what the request had before.
    fn take(&mut self, headers: &HeaderMap, names: &Names, hops: usize, before: Option<String>) {
        let mut members = Members::of(headers, Some(&names.forwarded));
        members.by_ref().take(hops).for_each(drop);
        let before = before.filter(|before| !before.is_empty());
        let before = before.and_then(|before| HeaderValue::try_from(before).ok());
        self.headers.push((names.forwarded.clone(), members.left()));
        self.headers.push((names.original.clone(), before.into_iter().collect()));
    }

    fn make(self, request: &mut Request) {
        let headers = request.headers_mut();
        for (name, lines) in self.headers {
            headers.remove(&name);
            for line in lines {
                // One that has no room has nothing to say either.
                let _ = headers.try_append(&name, line);
            }
        }
        let facts = self.facts;
        if let Some(host) = &facts.host {
            tell_uri(request.uri_mut(), host);
        }
        LateFacts::tell(request, facts.client, None);
        Overlay::change(request, |overlay| overlay.lay(facts));
    }
}

/// Checks what four lines come to: of clients, schemes, hosts and prefixes. What is taken of them is an address, a
/// scheme, a host and a path, and nothing but that.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(input: &[u8]) {
    use axum::body::Body;

    use self::values::{is_host, is_path_base, is_scheme};
    use crate::features::escaped_path;

    let [client, scheme, host, path_base] = ["for", "proto", "host", "prefix"].map(|kind| {
        let header = |which: &str| HeaderName::try_from(format!("x-{which}-{kind}"));
        let (Ok(forwarded), Ok(original)) = (header("forwarded"), header("original")) else {
            unreachable!("they are names");
        };
        Names { forwarded, original }
    });
    let names = [&client, &scheme, &host, &path_base];
    let believed = Believed {
        client: Some(client.clone()),
        scheme: Some(scheme.clone()),
        host: Some(host.clone()),
        path_base: Some(path_base.clone()),
        originals: names.map(|names| names.original.clone()),
        limit: None,
        proxies: Proxies::All,
        hosts: None,
        all_or_nothing: input.first() == Some(&b'!'),
    };
    let mut request = Request::new(Body::empty());
    for (names, line) in names.into_iter().zip(input.split(|byte| *byte == b'\n')) {
        let value = HeaderValue::from_bytes(line).ok();
        request.headers_mut().extend(value.map(|value| (names.forwarded.clone(), value)));
    }
    ForwardedHeaders::new(believed).enter(&mut request);
    let meant = EffectiveRequest::of(&request);
    assert!(is_scheme(meant.scheme()), "{:?}", meant.scheme());
    assert!(meant.host().is_empty() || is_host(meant.host()), "{:?}", meant.host());
    let base = meant.path_base();
    assert!(base.is_empty() || is_path_base(&escaped_path(base)), "{base:?}");
}
