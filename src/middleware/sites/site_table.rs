//! Which site a request is for.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

use super::site_host::{HostPattern, SiteHost};
use crate::middleware::path_rules::{length_in, with_single_slashes};

/// Where a site is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SitePlace {
    pub(crate) hosts: Vec<SiteHost>,
    /// What the paths of its requests begin with, without escapes; empty for every path.
    pub(crate) path: String,
}

/// What tells sites apart.
pub(crate) struct AskedSite<'a> {
    /// The host without its port; empty if there is none.
    pub(crate) host: &'a str,
    /// The port that the request came in at, if it did by one.
    pub(crate) port: Option<u16>,
    /// The address of this machine that the client connected to, if it did by one.
    pub(crate) address: Option<IpAddr>,
    /// The decoded path, for whoever has to know it.
    pub(crate) path: &'a dyn Fn() -> Cow<'a, str>,
}

/// Sites by their hosts: a thousand of them are found as soon as ten.
///
/// The kinds of hosts are asked in their order (see [`HostPattern`]), of names below others the longer ones first.
/// Among the sites of one host that with the longest path counts, then one that names the port. (As HTTP.sys finds
/// the owner of a URL prefix: <https://learn.microsoft.com/windows/win32/http/urlprefix-strings>.)
#[derive(Debug, Default)]
pub(crate) struct SiteTable {
    every_first: Vec<Entry>,
    names: HashMap<String, Vec<Entry>>,
    below: HashMap<String, Vec<Entry>>,
    addresses: HashMap<IpAddr, Vec<Entry>>,
    every_last: Vec<Entry>,
}

/// A site at one of its hosts.
#[derive(Debug)]
struct Entry {
    port: Option<u16>,
    path: String,
    site: usize,
}

impl SiteTable {
    /// Of the places of sites, which are numbered in this order.
    pub(crate) fn new<'a>(places: impl IntoIterator<Item = &'a SitePlace>) -> Self {
        let mut table = Self::default();
        for (site, place) in places.into_iter().enumerate() {
            for host in &place.hosts {
                let path = place.path.clone();
                table.at(&host.host).push(Entry { port: host.port, path, site });
            }
        }
        let ends = [&mut table.every_first, &mut table.every_last].into_iter();
        let named = table.names.values_mut().chain(table.below.values_mut());
        for entries in ends.chain(named).chain(table.addresses.values_mut()) {
            entries.sort_by_key(|it| (Reverse(it.path.len()), it.port.is_none()));
        }
        table
    }

    fn at(&mut self, host: &HostPattern) -> &mut Vec<Entry> {
        match host {
            HostPattern::EveryFirst => &mut self.every_first,
            HostPattern::Name(name) => self.names.entry(name.clone()).or_default(),
            HostPattern::Below(end) => self.below.entry(end.clone()).or_default(),
            HostPattern::Address(address) => self.addresses.entry(*address).or_default(),
            HostPattern::EveryLast => &mut self.every_last,
        }
    }

    /// The number of the site that it is for.
    pub(crate) fn find(&self, asked: AskedSite<'_>) -> Option<usize> {
        let host = asked.host.strip_suffix('.').unwrap_or(asked.host);
        let host = match host.bytes().any(|it| it.is_ascii_uppercase()) {
            true => Cow::Owned(host.to_ascii_lowercase()),
            false => Cow::Borrowed(host),
        };
        let of = |entries: &Vec<Entry>| first(entries, &asked);
        of(&self.every_first)
            .or_else(|| self.names.get(&*host).and_then(of))
            .or_else(|| self.below(&host, of))
            .or_else(|| self.addresses.get(&asked.address?.to_canonical()).and_then(of))
            .or_else(|| of(&self.every_last))
    }

    /// The site that a request for this host, which comes in at this port, is for, if it is for no path in particular.
    pub(crate) fn of_host(&self, host: &str, port: u16) -> Option<usize> {
        let address = host.trim_matches(['[', ']']).parse().ok();
        self.find(AskedSite { host, port: Some(port), address, path: &|| "/".into() })
    }

    /// The first of those that the host is below, the longest one first.
    fn below(&self, host: &str, of: impl Fn(&Vec<Entry>) -> Option<usize>) -> Option<usize> {
        if self.below.is_empty() {
            return None;
        }
        let ends = host.match_indices('.').map(|(at, _)| at).filter(|at| *at > 0);
        ends.filter_map(|at| self.below.get(&host[at..])).find_map(of)
    }
}

/// The first site at a host whose port and path a request has.
fn first(entries: &[Entry], asked: &AskedSite<'_>) -> Option<usize> {
    let mut path = None;
    let is_it = |entry: &&Entry| {
        let mut begins = || {
            let path = path.get_or_insert_with(|| as_a_file_has_it((asked.path)()));
            length_in(path, &entry.path).is_some()
        };
        entry.port.is_none_or(|port| asked.port == Some(port))
            && (entry.path.is_empty() || begins())
    };
    entries.iter().find(is_it).map(|entry| entry.site)
}

/// A path as whoever looks for a file, and some apps, would have it: with one slash for several, and for each that is
/// escaped. What a site protects is not to be had from another one by such a path.
fn as_a_file_has_it(path: Cow<'_, str>) -> Cow<'_, str> {
    let path = match path.contains('%') {
        true => Cow::Owned(path.replace("%2F", "/").replace("%2f", "/")),
        false => path,
    };
    match path.contains("//") {
        true => Cow::Owned(with_single_slashes(&path).into_owned()),
        false => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        sites: &[(&str, &str)],
        (host, port, address): (&str, u16, &str),
        path: &str,
    ) -> Option<usize> {
        let places: Vec<_> = sites
            .iter()
            .map(|(hosts, path)| SitePlace {
                hosts: hosts.split(';').map(|host| SiteHost::parse(host).unwrap()).collect(),
                path: (*path).to_owned(),
            })
            .collect();
        let address = address.parse().ok();
        let path = || Cow::Owned(path.to_owned());
        SiteTable::new(&places).find(AskedSite { host, port: Some(port), address, path: &path })
    }

    #[test]
    fn the_kind_of_host_counts_before_the_path() {
        let sites = [
            ("*", ""),
            ("10.0.0.5", "/a"),
            ("*.example", ""),
            ("*.b.example", ""),
            ("a.b.example", ""),
            ("a.b.example", "/shop"),
            ("+", "/first"),
        ];
        for (host, path, expected) in [
            ("a.b.example", "/", 4),
            ("A.B.EXAMPLE.", "/shop", 5),
            ("a.b.example", "/SHOP/cart", 5),
            ("a.b.example", "/shopping", 4),
            ("a.b.example", "/first/x", 6),
            ("a.b.example", "//first", 6),
            ("a.b.example", "/%2Fshop%2fcart", 5),
            ("c.b.example", "/shop", 3),
            ("c.example", "/", 2),
            ("example", "/", 0),
            (".example", "/", 0),
            ("other", "/a", 1),
            ("other", "/", 0),
            ("", "/", 0),
        ] {
            let found = found(&sites, (host, 80, "::ffff:10.0.0.5"), path);
            assert_eq!(found, Some(expected), "{host}{path}");
        }
    }

    #[test]
    fn one_that_names_the_port_counts_before_one_that_does_not() {
        let sites = [("a", ""), ("a:8080;b:8080", ""), ("a", "/x"), ("c:81", "")];
        for (host, port, path, expected) in [
            ("a", 80, "/", Some(0)),
            ("a", 8080, "/", Some(1)),
            ("a", 8080, "/x", Some(2)),
            ("b", 8080, "/", Some(1)),
            ("b", 80, "/", None),
            ("c", 80, "/", None),
            ("d", 80, "/", None),
        ] {
            assert_eq!(
                found(&sites, (host, port, "10.0.0.5"), path),
                expected,
                "{host}:{port}{path}"
            );
        }
    }

    #[test]
    fn what_comes_by_no_address_is_for_no_site_at_one() {
        let sites = [("10.0.0.5", ""), ("*:80", "")];
        assert_eq!(found(&sites, ("a", 80, ""), "/"), Some(1));
        assert_eq!(found(&sites, ("a", 81, ""), "/"), None);
    }
}
