//! What a proxy has to know of this host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::forwarded::Forwarded;
use super::plain_text::{HOST, PATH, is_host, is_plain, refused};
use super::wanted::Wanted;
use crate::addresses::{PlannedEndpoint, Targets, Transport};
use crate::configuration::Problem;
use crate::features::HttpProtocols;
use crate::hosting::prepare::Prepared;
use crate::hosting::settings::{SiteSettings, SitesSettings};
use crate::middleware::{HostPattern, SiteHost};

/// Which endpoints a proxy can be in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Those that are told of the client by a header of the request.
    EndpointOfHttp,
    /// Those of the PROXY protocol, too.
    AnyEndpoint,
}

/// Where the proxy connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Upstream {
    /// An address with its port.
    Tcp(String),
    UnixSocket(PathBuf),
}

/// What a proxy has to know.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The first lines: what it is for, and what is to be done here for it.
    pub(super) comments: Vec<String>,
    pub(super) upstream: Upstream,
    /// Whether the endpoint speaks the PROXY protocol.
    pub(super) proxy_protocol: bool,
    /// Whether the endpoint speaks nothing but HTTP/2.
    pub(super) only_http2: bool,
    /// Empty: any.
    pub(super) names: Vec<String>,
    pub(super) port: Option<u16>,
    pub(super) certificate: Option<(String, String)>,
    /// `None` is no limit.
    pub(super) max_request_body_size: Option<u64>,
    /// What a request line may have, with its end.
    pub(super) max_line: usize,
    /// What a head may have, its request line aside.
    pub(super) max_headers: usize,
    /// How many lines of headers there may be.
    pub(super) max_header_count: usize,
    pub(super) forwarded: Forwarded,
    /// How long the proxy may keep a connection to us without a request: less than we do, so that none is
    /// used that we are about to close.
    pub(super) keep_alive: Duration,
}

impl Facts {
    /// Gathers them for a proxy in front of the first endpoint that it can be in front of.
    ///
    /// # Errors
    ///
    /// There is no such endpoint, or its port is not known before it is bound.
    pub(super) fn of(
        wanted: &Wanted,
        prepared: &Prepared,
        behind: Behind,
    ) -> Result<Self, Problem> {
        let endpoints = &prepared.plan.endpoints;
        let fits = |endpoint: &&PlannedEndpoint| {
            endpoint.transport == Transport::Http
                && (behind == Behind::AnyEndpoint || endpoint.proxy_protocol.is_none())
                && upstream(&endpoint.targets).is_some()
        };
        let endpoint = endpoints.iter().find(fits).ok_or_else(|| none_fits(endpoints, behind))?;
        let upstream = upstream(&endpoint.targets).ok_or_else(|| none_fits(endpoints, behind))?;
        if matches!(&upstream, Upstream::Tcp(address) if address.ends_with(":0")) {
            return Err(free_port(endpoint));
        }
        if let Upstream::UnixSocket(path) = &upstream
            && !is_plain(path)
        {
            let path = path.display().to_string();
            return Err(refused("the address of the app", &path, PATH)
                .key(endpoint.key.clone())
                .origin(endpoint.origin.clone()));
        }
        let names = names(wanted, prepared);
        if let Some(name) = names.iter().find(|name| !is_host(name)) {
            let (what, key) = match prepared.settings.stages.allowed_hosts {
                Some(_) => ("one of AllowedHosts", "AllowedHosts"),
                None => ("a host of a site", "Sites"),
            };
            return Err(refused(what, name, HOST).key(key));
        }
        let limits = &prepared.settings.server.limits;
        let text = |path: &PathBuf| path.display().to_string();
        Ok(Self {
            comments: comments(prepared, endpoint, &upstream),
            upstream,
            proxy_protocol: endpoint.proxy_protocol.is_some(),
            only_http2: endpoint.protocols == HttpProtocols::Http2,
            names,
            port: wanted.port,
            certificate: wanted.certificate.as_ref().map(|(chain, key)| (text(chain), text(key))),
            max_request_body_size: largest_body(prepared),
            max_line: limits.max_request_line_size,
            max_headers: limits.max_request_headers_total_size,
            max_header_count: limits.max_request_header_count,
            forwarded: Forwarded::of(&prepared.settings.stages)?,
            keep_alive: shorter(limits.keep_alive_timeout),
        })
    }

    /// Where the proxy listens.
    pub(super) fn port(&self) -> u16 {
        let default = if self.certificate.is_some() { 443 } else { 80 };
        self.port.unwrap_or(default)
    }

    /// Whether it is to answer whatever is asked for on port 80, where distributions have a site of their own.
    pub(super) fn is_first_of_port_80(&self) -> bool {
        self.names.is_empty() && (self.port() == 80 || self.redirects())
    }

    /// Whether it leads from http to https.
    pub(super) fn redirects(&self) -> bool {
        self.certificate.is_some() && self.port.is_none()
    }

    /// The comments, each line begun with `#`.
    pub(super) fn head(&self) -> String {
        // A path may have what ends a line.
        let line = |line: &String| format!("# {}\n", line.replace(char::is_control, "?"));
        self.comments.iter().map(line).collect()
    }

    /// The time without a request, in seconds.
    pub(super) fn keep_alive_seconds(&self) -> u64 {
        self.keep_alive.as_secs().max(1)
    }
}

/// Ten seconds less, or half of it if it is short.
fn shorter(keep_alive: Duration) -> Duration {
    const LESS: Duration = Duration::from_secs(10);
    match keep_alive > LESS * 2 {
        true => keep_alive - LESS,
        false => keep_alive / 2,
    }
}

/// Where a proxy on this machine connects to, if it can.
fn upstream(targets: &Targets) -> Option<Upstream> {
    let on = |address: IpAddr, port: u16| match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    };
    match targets {
        Targets::Exactly(listen) => {
            let address = match listen.address.address {
                // Every interface of the family, the loopback among them.
                IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
                address => address,
            };
            Some(Upstream::Tcp(on(address, listen.port)))
        }
        Targets::AtLeastOne([listen, _]) | Targets::FirstThatWorks([listen, _]) => {
            Some(Upstream::Tcp(on(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port)))
        }
        Targets::UnixSocket(path) => Some(Upstream::UnixSocket(path.clone())),
        Targets::AbstractSocket(_) | Targets::NamedPipe(_) => None,
    }
}

/// The names that were asked for, else those that requests may be for.
fn names(wanted: &Wanted, prepared: &Prepared) -> Vec<String> {
    let stages = &prepared.settings.stages;
    match (wanted.server_names.is_empty(), &stages.allowed_hosts) {
        (false, _) => wanted.server_names.clone(),
        (true, Some(hosts)) => hosts.value.names(),
        (true, None) => stages.sites.as_ref().map(names_of_sites).unwrap_or_default(),
    }
}

/// The names of all sites, those without `*` first, as Apache wants the first to be; none, if there is an answer for
/// others, too.
fn names_of_sites(sites: &SitesSettings) -> Vec<String> {
    let places = sites.sites.iter().map(|site| &site.place);
    let mut hosts = places.flat_map(|place| &place.hosts);
    let is_named =
        |host: &SiteHost| matches!(host.host, HostPattern::Name(_) | HostPattern::Below(_));
    if !sites.is_last || !hosts.all(is_named) {
        return Vec::new();
    }
    let mut names: Vec<_> = sites.sites.iter().flat_map(SiteSettings::names).collect();
    names.sort_by_key(|name| name.starts_with('*'));
    let mut once = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// The largest body that is taken, of any site: whose it is, the proxy does not know. `None` is no limit.
fn largest_body(prepared: &Prepared) -> Option<u64> {
    let stages = &prepared.settings.stages;
    let sites = stages.sites.iter().flat_map(|it| &it.sites);
    let own = sites.filter_map(|site| Some(site.stages.body_limit.as_ref()?.value.max_size()));
    let own = own.chain([prepared.settings.server.limits.max_request_body_size]);
    own.map(|limit| limit.unwrap_or(u64::MAX)).max().filter(|limit| *limit != u64::MAX)
}

fn comments(prepared: &Prepared, endpoint: &PlannedEndpoint, upstream: &Upstream) -> Vec<String> {
    let written = &endpoint.written;
    let mut comments = vec![
        format!("By 'kestrel generate' for {written}, set by {}.", endpoint.origin),
        "Make it anew after a change of limits, addresses or ForwardedHeaders there.".to_owned(),
    ];
    if endpoint.proxy_protocol.is_none()
        && let Some(what) = lets_it_be_believed(prepared, upstream)
    {
        comments.push(format!(
            "For the app to see who the client is, let this proxy be believed: {what}."
        ));
        if has_address_filter(prepared) {
            let what = "Without that, AddressFilter takes the address of this proxy for that of every client.";
            comments.push(what.to_owned());
        }
    }
    if stages_want_prefix(prepared) {
        let what = "RequireHeaderSymmetry wants a prefix of every proxy, and this one has none to tell: leave \
                    XForwardedPrefix out of ForwardedHeaders:ForwardedHeaders.";
        comments.push(what.to_owned());
    }
    comments
}

/// Whether nothing is believed without a path base.
fn stages_want_prefix(prepared: &Prepared) -> bool {
    let it = prepared.settings.stages.forwarded_headers.as_ref();
    it.is_some_and(|it| it.believed.all_or_nothing && it.believed.path_base.is_some())
}

/// What is to be done for this proxy to be believed, if that is not so.
fn lets_it_be_believed(prepared: &Prepared, upstream: &Upstream) -> Option<String> {
    let Some(it) = &prepared.settings.stages.forwarded_headers else {
        return Some("set ForwardedHeaders:Enabled to true".to_owned());
    };
    if it.believed.client.is_none() {
        return Some("add XForwardedFor to ForwardedHeaders:ForwardedHeaders".to_owned());
    }
    // On this machine it connects from the address that it connects to.
    let from = match upstream {
        Upstream::Tcp(address) => address.parse::<SocketAddr>().ok()?.ip(),
        Upstream::UnixSocket(_) => return None,
    };
    let is_known = it.believed.proxies.have(from);
    (!is_known).then(|| format!("add {from} to ForwardedHeaders:KnownProxies"))
}

/// Whether clients pass by their addresses, somewhere.
fn has_address_filter(prepared: &Prepared) -> bool {
    let stages = &prepared.settings.stages;
    let mut sites = stages.sites.iter().flat_map(|it| &it.sites);
    stages.address_filter.is_some() || sites.any(|it| it.stages.address_filter.is_some())
}

fn none_fits(endpoints: &[PlannedEndpoint], behind: Behind) -> Problem {
    let all: Vec<_> = endpoints.iter().map(|endpoint| endpoint.written.as_str()).collect();
    let proxied = endpoints.iter().find(|endpoint| endpoint.proxy_protocol.is_some());
    let fix = match (behind, proxied) {
        (Behind::EndpointOfHttp, Some(_)) => {
            "an endpoint of the PROXY protocol is for HAProxy (kestrel generate haproxy); add one without \
             ProxyProtocol for this proxy"
        }
        _ => {
            "add an endpoint in clear text, such as http://127.0.0.1:5000 or http://unix:/run/app/app.sock"
        }
    };
    Problem::error("There is no endpoint in clear text that the proxy could connect to.")
        .cause(format!("These are planned: {}.", all.join(", ")))
        .fix(fix)
}

fn free_port(endpoint: &PlannedEndpoint) -> Problem {
    Problem::error(format!("The port of {} is not known before it is bound.", endpoint.written))
        .key(endpoint.key.clone())
        .origin(endpoint.origin.clone())
        .fix("choose a port, or a Unix socket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_gives_a_connection_up_before_we_do() {
        for (ours, theirs) in [(130, 120.0), (21, 11.0), (20, 10.0), (3, 1.5)] {
            let shorter = shorter(Duration::from_secs(ours)).as_secs_f64();
            assert!((shorter - theirs).abs() < 1e-9, "{ours}: {shorter}");
        }
    }
}
