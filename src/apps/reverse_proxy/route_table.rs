//! Which route a request takes.
//!
//! All routes are compiled into a tree of path segments once. A request goes down the tree, and meets only
//! routes whose paths are like its own; these stand there by host. So a thousand routes cost what ten cost.
//!
//! Of all that are for the path and the method, only those count that name the request's host in the most special
//! way, and those that name none. Of these it is the one whose order is lower; then whose template is more special,
//! segment by segment; which names methods, and hosts; which has more conditions of headers, and then of the query.
//! (What ASP.NET Core's routing and YARP's policies come to: the host is looked at before conditions and
//! constraints, so that a route which fails by those does not leave a request to one of a wider host.)

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;

use http::Method;
use http::header::{HeaderMap, HeaderValue};

use super::conditions::{headers_hold, query_holds};
use super::options::{HostName, HostPattern, RouteMatch, RouteOptions};
use super::segment::Segment;
use super::template::Template;
use crate::features::{EffectiveRequest, RequestTarget};

/// All routes, compiled.
#[derive(Debug, Default)]
pub(crate) struct RouteTable {
    root: Node,
    routes: Vec<Compiled>,
    /// Whether a route names hosts.
    names_hosts: bool,
}

/// What routes are found by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    /// Decoded, dot segments resolved.
    pub(crate) path: &'a str,
    /// As it was sent, with or without its `?`.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// With its port, if it was sent; empty if none was named.
    pub(crate) host: &'a str,
    pub(crate) is_https: bool,
}

impl<'a> Asked<'a> {
    /// What a request asks for, by its path, which is lent.
    pub(crate) fn of<B>(request: &'a http::Request<B>, path: &'a str) -> Self {
        let meant = EffectiveRequest::of(request);
        Self {
            method: request.method(),
            path,
            query: RequestTarget::of(request).query(),
            headers: request.headers(),
            host: meant.host(),
            is_https: meant.is_https(),
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It takes the route in this place.
    Route(usize),
    /// There are routes for its path, and none for its method; these methods there are (`Allow`).
    MethodNotAllowed(HeaderValue),
    /// There is none.
    Nothing,
    /// There are several, and nothing says which one.
    Ambiguous(Vec<usize>),
}

/// A place in the tree: what comes next in the path.
#[derive(Debug, Default)]
struct Node {
    /// By its text in small letters.
    literals: HashMap<Box<str>, Self>,
    /// A segment that is or has a parameter.
    parameter: Option<Box<Self>>,
    /// Routes for paths that end here.
    ends: Option<Box<Leaf>>,
    /// Routes for all that follows.
    rest: Option<Box<Leaf>>,
}

/// Routes for the same paths, by host.
#[derive(Debug, Default)]
struct Leaf {
    /// Whether one of them takes every method.
    takes_any_method: bool,
    /// The methods that the others take.
    methods: Vec<Method>,
    hosts: HashMap<Box<str>, Vec<Candidate>>,
    /// By what hosts end with behind a dot.
    below: HashMap<Box<str>, Vec<Candidate>>,
    any_host: Vec<Candidate>,
}

/// A route for a host.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    route: usize,
    port: Option<u16>,
    /// How special the host is: less is more.
    host_rank: u8,
    /// How long the host of a wildcard is.
    host_length: usize,
}

/// What a route wants that the tree does not judge.
#[derive(Debug)]
struct Compiled {
    /// By order, template and methods.
    rank: usize,
    /// By the number of conditions.
    conditions_rank: usize,
    matching: RouteMatch,
    /// Whether its template says more than the tree does.
    has_constraints: bool,
}

/// How good a route is: by rank, the length of a wildcard's host, and conditions. Less is better.
type Quality = (usize, Reverse<usize>, usize);

/// The best routes so far.
#[derive(Default)]
struct Best {
    found: Option<(Quality, usize)>,
    /// Others that are as good.
    equal: Vec<usize>,
}

/// The rank of routes that name no host.
const NO_HOST: u8 = 6;

/// A search under way.
struct Search<'a> {
    asked: Asked<'a>,
    host: Cow<'a, str>,
    port: Option<u16>,
    /// The most special way in which a route names the host.
    host_rank: u8,
    /// Of the routes that name it in this way.
    of_host: Best,
    /// Of those that name none.
    of_any: Best,
    /// Whether there is a route for the path at all, and one that takes the method.
    is_there: bool,
    takes_method: bool,
    #[cfg(test)]
    steps: usize,
}

impl RouteTable {
    /// Compiles routes.
    pub(crate) fn new(routes: &[RouteOptions]) -> Self {
        let qualities = routes.iter().map(|route| {
            let template = route.matching.path.as_ref().map(Template::precedence);
            // Every path is any rest of it.
            (route.order, template.unwrap_or_else(|| vec![5]), route.matching.methods.is_empty())
        });
        let conditions = routes.iter().map(|RouteOptions { matching, .. }| {
            (Reverse(matching.headers.len()), Reverse(matching.query.len()))
        });
        let qualities = ranks(qualities.collect());
        let conditions = ranks(conditions.collect());
        let mut table = Self::default();
        for (place, route) in routes.iter().enumerate() {
            let template = route.matching.path.as_ref();
            table.routes.push(Compiled {
                rank: qualities.get(place).copied().unwrap_or_default(),
                conditions_rank: conditions.get(place).copied().unwrap_or_default(),
                matching: route.matching.clone(),
                has_constraints: template.is_some_and(says_more_than_the_tree),
            });
            table.names_hosts |= !route.matching.hosts.is_empty();
            table.root.add(place, &route.matching);
        }
        table
    }

    /// The route that a request takes.
    pub(crate) fn find(&self, asked: Asked<'_>) -> Found {
        let Search { of_host, of_any, is_there, takes_method, .. } = self.search(asked);
        let rank = |best: &Best| best.found.map_or(usize::MAX, |((rank, ..), _)| rank);
        // Of two that are alike, the one that names a host.
        let best = if rank(&of_any) < rank(&of_host) { of_any } else { of_host };
        match best.found {
            Some((_, first)) if !best.equal.is_empty() => {
                let mut routes = best.equal;
                routes.insert(0, first);
                Found::Ambiguous(routes)
            }
            Some((_, route)) => Found::Route(route),
            None if is_there && !takes_method => Found::MethodNotAllowed(self.allowed(&asked)),
            None => Found::Nothing,
        }
    }

    fn search<'a>(&self, asked: Asked<'a>) -> Search<'a> {
        let (host, port) = match self.names_hosts {
            true => host_and_port(asked.host),
            false => ("", None),
        };
        let port = port.or(Some(if asked.is_https { 443 } else { 80 }));
        let mut search = Search {
            asked,
            host: in_small_letters(host),
            port,
            host_rank: NO_HOST,
            of_host: Best::default(),
            of_any: Best::default(),
            is_there: false,
            takes_method: false,
            #[cfg(test)]
            steps: 0,
        };
        let path = asked.path.strip_prefix('/').unwrap_or(asked.path);
        self.root.walk(path, &mut |leaf| search.meet(leaf, &self.routes));
        search
    }

    /// The methods that routes for the path take.
    fn allowed(&self, asked: &Asked<'_>) -> HeaderValue {
        let mut methods: Vec<&str> = Vec::new();
        let path = asked.path.strip_prefix('/').unwrap_or(asked.path);
        self.root.walk(path, &mut |leaf| {
            if let Some(leaf) = leaf {
                methods.extend(leaf.methods.iter().map(Method::as_str));
            }
        });
        methods.sort_unstable();
        methods.dedup();
        HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static(""))
    }
}

/// Ranks of what is compared: equal ones have the same.
fn ranks<T: Ord>(of: Vec<T>) -> Vec<usize> {
    let mut sorted: Vec<&T> = of.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    of.iter().map(|it| sorted.partition_point(|other| *other < it)).collect()
}

/// Whether a path can be another one than the tree takes it for.
fn says_more_than_the_tree(template: &Template) -> bool {
    template.parameters.iter().any(|it| !it.constraints.is_empty())
        || template.segments.iter().any(|it| matches!(it, Segment::Parts(_)))
}

impl Node {
    fn add(&mut self, route: usize, matching: &RouteMatch) {
        let Some(template) = &matching.path else {
            return self.rest.get_or_insert_default().add(route, matching);
        };
        let required = template.required_segments();
        let mut node = self;
        for (depth, segment) in template.segments.iter().enumerate() {
            if depth >= required && !matches!(segment, Segment::CatchAll(_)) {
                node.ends.get_or_insert_default().add(route, matching);
            }
            node = match segment {
                Segment::Literal(text) => {
                    node.literals.entry(text.to_lowercase().into()).or_default()
                }
                Segment::Parameter(_) | Segment::Parts(_) => node.parameter.get_or_insert_default(),
                Segment::CatchAll(_) => {
                    return node.rest.get_or_insert_default().add(route, matching);
                }
            };
        }
        node.ends.get_or_insert_default().add(route, matching);
    }

    /// Meets what routes there are for a path, of which the first slash is gone; and nothing for every step
    /// between.
    fn walk<'n>(&'n self, path: &str, meet: &mut dyn FnMut(Option<&'n Leaf>)) {
        meet(None);
        if path.is_empty() {
            meet(self.ends.as_deref());
        } else {
            let (segment, behind) = path.split_once('/').unwrap_or((path, ""));
            if let Some(node) = self.literal(segment) {
                node.walk(behind, meet);
            }
            if let Some(node) = self.parameter.as_deref().filter(|_| !segment.is_empty()) {
                node.walk(behind, meet);
            }
        }
        meet(self.rest.as_deref());
    }

    fn literal(&self, segment: &str) -> Option<&Self> {
        match self.literals.is_empty() || segment.is_empty() {
            true => None,
            false => self.literals.get(&*in_small_letters(segment)),
        }
    }
}

impl Leaf {
    fn add(&mut self, route: usize, matching: &RouteMatch) {
        self.takes_any_method |= matching.methods.is_empty();
        for method in &matching.methods {
            if !self.methods.contains(method) {
                self.methods.push(method.clone());
            }
        }
        if matching.hosts.is_empty() {
            let of_any = Candidate { route, port: None, host_rank: NO_HOST, host_length: 0 };
            self.any_host.push(of_any);
        }
        for HostPattern { name, port } in &matching.hosts {
            let (candidates, host_rank) = match name {
                HostName::Exactly(name) => (self.hosts.entry(name.clone()).or_default(), 0),
                HostName::Below(name) => (self.below.entry(name.clone()).or_default(), 2),
                HostName::Any => (&mut self.any_host, 4),
            };
            let host_rank = host_rank + u8::from(port.is_none());
            let host_length = match name {
                HostName::Below(name) => name.len(),
                HostName::Exactly(_) | HostName::Any => 0,
            };
            candidates.push(Candidate { route, port: *port, host_rank, host_length });
        }
    }

    fn takes(&self, method: &Method) -> bool {
        self.takes_any_method || takes(&self.methods, method)
    }
}

/// Whether a method is among these; case does not count.
fn takes(methods: &[Method], method: &Method) -> bool {
    methods.iter().any(|it| it == method || it.as_str().eq_ignore_ascii_case(method.as_str()))
}

impl Best {
    /// Whether there is one already that is better, or this one itself.
    fn is_better(&self, quality: Quality, route: usize) -> bool {
        self.found.is_some_and(|(best, known)| quality > best || known == route && quality == best)
    }

    /// Takes one that is no worse.
    fn take(&mut self, quality: Quality, route: usize) {
        match self.found {
            Some((best, _)) if best == quality => {
                if !self.equal.contains(&route) {
                    self.equal.push(route);
                }
            }
            _ => {
                self.found = Some((quality, route));
                self.equal.clear();
            }
        }
    }
}

impl Search<'_> {
    fn meet(&mut self, leaf: Option<&Leaf>, routes: &[Compiled]) {
        #[cfg(test)]
        {
            self.steps += 1;
        }
        let Some(leaf) = leaf else { return };
        self.is_there = true;
        if !leaf.takes(self.asked.method) {
            return;
        }
        self.takes_method = true;
        let host = std::mem::take(&mut self.host);
        if let Some(candidates) = leaf.hosts.get(&*host).filter(|_| !host.is_empty()) {
            self.judge_all(candidates, routes);
        }
        if !leaf.below.is_empty() {
            for (dot, _) in host.match_indices('.') {
                if let Some(candidates) = leaf.below.get(&host[dot + 1..]) {
                    self.judge_all(candidates, routes);
                }
            }
        }
        self.host = host;
        self.judge_all(&leaf.any_host, routes);
    }

    fn judge_all(&mut self, candidates: &[Candidate], routes: &[Compiled]) {
        for candidate in candidates {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            let is_for_port = candidate.port.is_none_or(|port| self.port == Some(port));
            if let Some(route) = routes.get(candidate.route).filter(|_| is_for_port) {
                self.judge(*candidate, route);
            }
        }
    }

    fn judge(&mut self, candidate: Candidate, route: &Compiled) {
        let Candidate { route: place, host_rank, host_length, .. } = candidate;
        let methods = &route.matching.methods;
        if !methods.is_empty() && !takes(methods, self.asked.method) {
            return;
        }
        if host_rank < self.host_rank {
            self.host_rank = host_rank;
            self.of_host = Best::default();
        }
        let names_host = host_rank != NO_HOST;
        if names_host && host_rank > self.host_rank {
            return;
        }
        let quality = (route.rank, Reverse(host_length), route.conditions_rank);
        let known = if names_host { &self.of_host } else { &self.of_any };
        if known.is_better(quality, place) || !self.holds(route) {
            return;
        }
        let best = if names_host { &mut self.of_host } else { &mut self.of_any };
        best.take(quality, place);
    }

    /// Whether everything holds that a route wants beside host and method, and path as far as the tree judges it.
    fn holds(&self, route: &Compiled) -> bool {
        let matching = &route.matching;
        let Asked { path, query, headers, host, .. } = self.asked;
        let has_path = || matching.path.as_ref().is_none_or(|template| template.is_like(path));
        (!route.has_constraints || has_path())
            && headers_hold(&matching.headers, headers, host)
            && query_holds(&matching.query, query)
    }
}

/// A host and its port as they stand in a request.
fn host_and_port(host: &str) -> (&str, Option<u16>) {
    let end = host.find(']').map_or(0, |at| at + 1);
    match host.get(end..).and_then(|behind| behind.rfind(':')) {
        Some(at) => match host[end + at + 1..].parse() {
            Ok(port) => (&host[..end + at], Some(port)),
            Err(_) => (host, None),
        },
        None => (host, None),
    }
}

/// Lent if it is so already.
fn in_small_letters(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        true => Cow::Owned(text.to_lowercase()),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests;
