//! Which endpoints are bound: a pure function from settings to a plan.

use std::fmt;

use super::binding_address::{AddressError, AddressProblem, BindingAddress, Host};
use super::claim::Claim;
use super::display;
use super::endpoint::{
    ConfiguredEndpoint, ConfiguredTls, EndpointSettings, ListenAddr, ListenTarget, PlannedEndpoint,
    Targets, Transport,
};
use super::socket_options::UnixSocketOptions;
use crate::configuration::{Excerpt, Origin, Problem, Sourced};
use crate::features::HttpProtocols;
use crate::tls::TlsOptions;

/// What will be bound, what has to be said about it, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointPlan {
    /// The endpoints, in the order they are bound.
    pub endpoints: Vec<PlannedEndpoint>,
    /// What an operator wants to know about the choice.
    pub notes: Vec<Note>,
    /// Mistakes; with one of them nothing is bound.
    pub problems: Vec<PlanProblem>,
}

/// Something to be said about a plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// `urls` won over `http_ports` and `https_ports`.
    PortsOverridden {
        /// The list of HTTP ports, empty if there is none.
        http: String,
        /// The list of HTTPS ports, empty if there is none.
        https: String,
        /// The list of addresses that won.
        urls: Sourced<String>,
        /// Where the ports were set.
        lost: Vec<Sourced<String>>,
    },
    /// Endpoints won over addresses.
    AddressesOverridden {
        /// The addresses that lost, as they were written.
        addresses: Vec<Sourced<String>>,
        /// The key of the addresses, such as `urls`.
        key: &'static str,
        /// The endpoints that won.
        won: Vec<PlannedEndpoint>,
    },
    /// Addresses won over endpoints, because the setting says so.
    EndpointsOverridden {
        /// The addresses that won, as they were written.
        addresses: Vec<Sourced<String>>,
        /// The endpoints that lost.
        lost: Vec<PlannedEndpoint>,
        /// Where the preference was set.
        preference: Origin,
    },
    /// A stronger source gave other addresses.
    UrlsShadowed {
        /// The list that is used.
        used: Sourced<String>,
        /// A list that is not.
        shadowed: Sourced<String>,
    },
    /// Nothing was configured.
    DefaultAddress {
        /// The default address.
        address: String,
    },
    /// A host name is no filter: it stands for all interfaces.
    NameBindsAll {
        /// The host, as it was written.
        host: String,
        /// The address, as it was written.
        address: Sourced<String>,
    },
    /// Blanks around an address of a list were dropped.
    BlankTrimmed {
        /// The address without the blanks.
        address: String,
        /// Where the list was set.
        origin: Origin,
    },
    /// HTTP/3 was asked for in clear text, beside protocols that work there.
    Http3NeedsTls {
        /// The endpoint, such as `127.0.0.1:5000`.
        endpoint: String,
    },
}

/// A mistake in a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanProblem {
    /// What, where it was set, how to fix it.
    pub problem: Problem,
    /// Whether the same address is planned twice; else the address itself is wrong.
    pub address_in_use: bool,
}

/// The address that is bound if nobody says anything.
const DEFAULT_ADDRESS: &str = "http://localhost:5000";

/// Decides what will be bound.
///
/// Endpoints (`Listen`, `--listen`, `Kestrel:Endpoints`) win over addresses (`urls`, ports), all
/// of them over all of those, unless `PreferHostingUrls` is set and there is an address. Addresses
/// that lose are not even read; endpoints are read in any case. Nothing at all means
/// `http://localhost:5000`.
pub fn plan(settings: &EndpointSettings) -> EndpointPlan {
    let mut plan = EndpointPlan::default();
    let endpoints: Vec<_> = settings
        .listen
        .iter()
        .chain(&settings.endpoints)
        .filter_map(|endpoint| plan.configured(endpoint, settings))
        .collect();
    let configured = !settings.listen.is_empty() || !settings.endpoints.is_empty();
    let addresses = plan.addresses(settings);
    let preference = preference(settings);

    match (addresses.list.is_empty(), configured) {
        (true, true) => plan.endpoints = endpoints,
        (false, false) => plan.read_all(&addresses, settings),
        (false, true) if preference.is_some() => {
            plan.notes.push(Note::EndpointsOverridden {
                addresses: addresses.list.clone(),
                lost: endpoints,
                preference: preference.unwrap_or(Origin::Default),
            });
            plan.read_all(&addresses, settings);
        }
        (false, true) => {
            plan.notes.push(Note::AddressesOverridden {
                addresses: addresses.list,
                key: addresses.key,
                won: endpoints.clone(),
            });
            plan.endpoints = endpoints;
        }
        (true, false) => {
            plan.notes.push(Note::DefaultAddress { address: DEFAULT_ADDRESS.to_owned() });
            let list = vec![Sourced::new(DEFAULT_ADDRESS.to_owned(), Origin::Default)];
            plan.read_all(&Addresses { key: "urls", list }, settings);
        }
    }
    plan.find_duplicates();
    plan
}

/// Decides what will be bound after a reload: what is `fixed`, and beside it the endpoints that
/// the configuration names now.
pub fn replan(fixed: &[PlannedEndpoint], settings: &EndpointSettings) -> EndpointPlan {
    let mut plan = EndpointPlan { endpoints: fixed.to_vec(), ..EndpointPlan::default() };
    for endpoint in &settings.endpoints {
        let planned = plan.configured(endpoint, settings);
        plan.endpoints.extend(planned);
    }
    plan.find_duplicates();
    plan
}

/// The endpoints of a plan that no reload touches: those of code, addresses and ports. `None` if no
/// reload touches any, because addresses were preferred.
pub fn fixed(plan: &EndpointPlan, settings: &EndpointSettings) -> Option<Vec<PlannedEndpoint>> {
    let addresses = EndpointPlan::default().addresses(settings).list;
    if !addresses.is_empty() && preference(settings).is_some() {
        return None;
    }
    let is_fixed = |planned: &&PlannedEndpoint| {
        !settings.endpoints.iter().any(|configured| configured.key == planned.key)
    };
    Some(plan.endpoints.iter().filter(is_fixed).cloned().collect())
}

/// Where it was said that addresses win over endpoints, if it was.
fn preference(settings: &EndpointSettings) -> Option<Origin> {
    let dictated = settings.process_manager.as_ref().map(|manager| manager.port.origin.clone());
    let preferred = settings.prefer_hosting_urls.as_ref().filter(|preferred| preferred.value);
    dictated.or_else(|| preferred.map(|preferred| preferred.origin.clone()))
}

/// What an endpoint says of TLS, over the defaults.
fn tls_options(said: ConfiguredTls, settings: &EndpointSettings) -> TlsOptions {
    TlsOptions {
        certificate: said.certificate,
        ssl_protocols: said.ssl_protocols.or(settings.default_ssl_protocols).unwrap_or_default(),
        client_certificate_mode: said
            .client_certificate_mode
            .or(settings.default_client_certificate_mode)
            .unwrap_or_default(),
        sni: said.sni,
    }
}

/// Addresses as they were written, not yet read.
struct Addresses {
    key: &'static str,
    list: Vec<Sourced<String>>,
}

impl EndpointPlan {
    fn addresses(&mut self, settings: &EndpointSettings) -> Addresses {
        if !settings.added_urls.is_empty() {
            return Addresses { key: "add_url", list: settings.added_urls.clone() };
        }
        if let Some((key, urls)) = Self::url_list(settings) {
            for shadowed in &settings.shadowed_urls {
                if shadowed.value != urls.value {
                    let (used, shadowed) = (urls.clone(), shadowed.clone());
                    self.notes.push(Note::UrlsShadowed { used, shadowed });
                }
            }
            let lost: Vec<_> = [&settings.http_ports, &settings.https_ports]
                .into_iter()
                .flatten()
                .filter(|ports| !ports.value.is_empty())
                .cloned()
                .collect();
            if !lost.is_empty() {
                let text = |ports: &Option<Sourced<String>>| {
                    ports.as_ref().map(|ports| ports.value.clone()).unwrap_or_default()
                };
                self.notes.push(Note::PortsOverridden {
                    http: text(&settings.http_ports),
                    https: text(&settings.https_ports),
                    urls: urls.clone(),
                    lost,
                });
            }
            return Addresses { key, list: self.split_list(&urls) };
        }
        let list = [("http", &settings.http_ports), ("https", &settings.https_ports)]
            .into_iter()
            .filter_map(|(scheme, ports)| ports.as_ref().map(|ports| (scheme, ports)))
            .flat_map(|(scheme, ports)| {
                let items = ports.value.split(';').map(str::trim).filter(|port| !port.is_empty());
                items.map(move |port| {
                    Sourced::new(format!("{scheme}://*:{port}"), ports.origin.clone())
                })
            })
            .collect();
        Addresses { key: "http_ports", list }
    }

    /// The `;` list that counts. A process manager's address beats every configured one, but not
    /// the one that code sets.
    fn url_list(settings: &EndpointSettings) -> Option<(&'static str, Sourced<String>)> {
        let urls = settings.urls.clone().filter(|urls| !urls.value.is_empty());
        let from_code = urls.as_ref().is_some_and(|urls| matches!(urls.origin, Origin::Code(_)));
        match &settings.process_manager {
            Some(manager) if !from_code => {
                let port = manager.port.clone().map(|port| format!("http://127.0.0.1:{port}"));
                Some(("ASPNETCORE_PORT", port))
            }
            _ => urls.map(|urls| ("urls", urls)),
        }
    }

    /// Splits a list at `;`. Kestrel keeps blanks and then stumbles over them; a blank beside a
    /// `;` is always meant as none, so it is dropped with a note. One at the very start is not.
    fn split_list(&mut self, urls: &Sourced<String>) -> Vec<Sourced<String>> {
        let last = urls.value.split(';').count() - 1;
        let mut list = Vec::new();
        for (place, item) in urls.value.split(';').enumerate() {
            if item.is_empty() {
                continue;
            }
            let mut address = item;
            if place > 0 {
                address = address.trim_start();
            }
            if place < last {
                address = address.trim_end();
            }
            if address.is_empty() {
                continue;
            }
            if address != item {
                let origin = urls.origin.clone();
                self.notes.push(Note::BlankTrimmed { address: address.to_owned(), origin });
            }
            list.push(Sourced::new(address.to_owned(), urls.origin.clone()));
        }
        list
    }

    fn read_all(&mut self, addresses: &Addresses, settings: &EndpointSettings) {
        for address in &addresses.list {
            let endpoint = ConfiguredEndpoint {
                name: address.value.clone(),
                key: addresses.key.to_owned(),
                target: address.clone().map(ListenTarget::Url),
                protocols: None,
                tls: None,
                unix_socket: UnixSocketOptions::default(),
            };
            let planned = self.configured(&endpoint, settings);
            self.endpoints.extend(planned);
        }
    }

    /// Plans one endpoint; what is wrong with it goes to the problems.
    fn configured(
        &mut self,
        endpoint: &ConfiguredEndpoint,
        settings: &EndpointSettings,
    ) -> Option<PlannedEndpoint> {
        let origin = endpoint.target.origin.clone();
        let protocols = endpoint.protocols.or(settings.default_protocols);
        let planned = |targets, local_name, transport| PlannedEndpoint {
            name: endpoint.name.clone(),
            key: endpoint.key.clone(),
            origin: origin.clone(),
            written: endpoint.target.value.to_string(),
            targets,
            local_name,
            protocols: protocols.unwrap_or_default(),
            transport,
            tls: (transport == Transport::Https)
                .then(|| tls_options(endpoint.tls.clone().unwrap_or_default(), settings)),
            unix_socket: endpoint.unix_socket.clone(),
        };
        let said = if endpoint.tls.is_some() { Transport::Https } else { Transport::Http };
        let plain = |targets| planned(targets, "localhost".to_owned(), said);
        let planned = match &endpoint.target.value {
            ListenTarget::Url(url) => match BindingAddress::parse(url) {
                Ok(address) => {
                    if let Host::Name(host) = &address.host {
                        let (host, address) =
                            (host.clone(), Sourced::new(url.clone(), origin.clone()));
                        self.notes.push(Note::NameBindsAll { host, address });
                    }
                    let transport = if address.https { Transport::Https } else { Transport::Http };
                    let (targets, local_name) = targets(address);
                    planned(targets, local_name, transport)
                }
                Err(error) => {
                    self.wrong_address(endpoint, url, error);
                    return None;
                }
            },
            ListenTarget::Ip(literal, port) => {
                let address = literal.clone();
                plain(Targets::Exactly(ListenAddr { address, port: *port }))
            }
            ListenTarget::Localhost(port) => plain(Targets::localhost(*port)),
            ListenTarget::AnyIp(port) => plain(Targets::any_ip(*port)),
            ListenTarget::UnixSocket(path) => plain(Targets::UnixSocket(path.clone())),
            ListenTarget::AbstractSocket(name) => plain(Targets::AbstractSocket(name.clone())),
        };
        self.check(planned, protocols.is_some())
    }

    /// The rules that hold for every kind of endpoint.
    fn check(&mut self, mut planned: PlannedEndpoint, explicit: bool) -> Option<PlannedEndpoint> {
        if let Targets::AtLeastOne([ListenAddr { port: 0, .. }, _]) = planned.targets {
            let command = "--urls \"http://127.0.0.1:0;http://[::1]:0\"";
            self.refuse(&planned, Problem::error(
                "Dynamic port binding is not supported when binding to localhost. You must either bind to \
                 127.0.0.1:0 or [::1]:0, or both.",
            )
            .fix(format!("write {command} (the two ports may differ), or http://127.0.0.1:0 for IPv4 only")));
            return None;
        }
        if let Targets::UnixSocket(path) = &planned.targets
            && let Some(problem) = display::unix_path_problem(path)
        {
            self.refuse(&planned, problem);
            return None;
        }
        if let Some(problem) = display::socket_file_problem(&planned) {
            self.refuse(&planned, problem);
            return None;
        }
        if matches!(planned.targets, Targets::NamedPipe(_)) && cfg!(not(windows)) {
            let message = "Named pipes transport requires a Windows operating system.";
            self.refuse(
                &planned,
                Problem::error(message).fix("use a Unix socket: http://unix:/run/app.sock"),
            );
            return None;
        }
        if planned.transport == Transport::Http {
            match planned.protocols {
                HttpProtocols::Http3 => {
                    let fix = "write an https address, or add Http1 or Http2 to its Protocols";
                    self.refuse(&planned, Problem::error("HTTP/3 requires HTTPS.").fix(fix));
                    return None;
                }
                HttpProtocols::Http1AndHttp2AndHttp3 => {
                    if explicit {
                        let endpoint = display::socket_text(&planned);
                        self.notes.push(Note::Http3NeedsTls { endpoint });
                    }
                    planned.protocols = HttpProtocols::Http1AndHttp2;
                }
                _ => {}
            }
        }
        Some(planned)
    }

    fn refuse(&mut self, planned: &PlannedEndpoint, problem: Problem) {
        let problem = problem.key(planned.key.clone()).origin(planned.origin.clone());
        self.problems.push(PlanProblem { problem, address_in_use: false });
    }

    fn wrong_address(&mut self, endpoint: &ConfiguredEndpoint, url: &str, error: AddressError) {
        let mut message = error.problem.to_string();
        if let AddressProblem::InvalidUrl(_) = error.problem
            && endpoint.name != url
        {
            message.push_str(&format!(" for the endpoint {}", endpoint.name));
        }
        let mut problem = Problem::error(message)
            .key(endpoint.key.clone())
            .origin(endpoint.target.origin.clone())
            .fix(error.fix);
        if let Some(position) = error.position {
            let column = url.get(..position).map_or(1, |before| before.chars().count() + 1);
            problem = problem.excerpt(Excerpt { line: None, column, text: url.to_owned() });
        }
        self.problems.push(PlanProblem { problem, address_in_use: false });
    }

    /// Finds addresses that two endpoints want, before the system would.
    fn find_duplicates(&mut self) {
        let mut taken: Vec<(Claim, usize)> = Vec::new();
        for place in 0..self.endpoints.len() {
            let endpoint = &self.endpoints[place];
            let claims = Claim::all(&endpoint.targets);
            let clash = claims.iter().find_map(|claim| {
                let (_, first) = taken.iter().find(|(other, _)| claim.clashes_with(other))?;
                Some((claim, &self.endpoints[*first]))
            });
            if let Some((claim, first)) = clash {
                let address = claim.shown(endpoint.transport);
                let problem = Problem::error(format!(
                    "Failed to bind to address {address}: address already in use. Two endpoints want it."
                ))
                .key(endpoint.key.clone())
                .origin(endpoint.origin.clone())
                .fix(format!(
                    "give one of them another port, or remove it; the first is {}, set by {}",
                    display::planned_text(first),
                    first.origin
                ));
                self.problems.push(PlanProblem { problem, address_in_use: true });
            }
            taken.extend(claims.into_iter().map(|claim| (claim, place)));
        }
    }
}

fn targets(address: BindingAddress) -> (Targets, String) {
    let localhost = || "localhost".to_owned();
    let port = address.port;
    match address.host {
        Host::Localhost(name) => (Targets::localhost(port), name),
        Host::Ip(address) => (Targets::Exactly(ListenAddr { address, port }), localhost()),
        Host::Any | Host::Name(_) => (Targets::any_ip(port), localhost()),
        Host::UnixSocket(path) => (Targets::UnixSocket(path), localhost()),
        Host::NamedPipe(name) => (Targets::NamedPipe(name), localhost()),
    }
}

impl fmt::Display for EndpointPlan {
    /// The plan as a table: what would be bound, with which protocols, and who said so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for endpoint in &self.endpoints {
            writeln!(f, "{}", display::planned_text(endpoint))?;
            writeln!(f, "  sockets:   {}", display::sockets_text(endpoint))?;
            if !endpoint.unix_socket.is_empty() {
                writeln!(f, "  file:      {}", endpoint.unix_socket)?;
            }
            writeln!(f, "  protocols: {}", endpoint.protocols)?;
            if let Some(tls) = &endpoint.tls {
                writeln!(f, "  tls:       {tls}")?;
            }
            writeln!(f, "  set by:    {}, key {}", endpoint.origin, endpoint.key)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
