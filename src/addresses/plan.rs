//! Which endpoints are bound: a pure function from settings to a plan.

use std::path::PathBuf;

use super::address_error::{AddressError, AddressProblem};
use super::advice;
use super::binding_address::{BindingAddress, BindingHost};
use super::claim::Claim;
use super::display;
use super::endpoint::{
    ConfiguredEndpoint, ConfiguredTls, EndpointSettings, GivenAddress, ListenAddr, ListenTarget,
    PlannedEndpoint, Targets, Transport,
};
use super::endpoint_plan::{EndpointPlan, Note, PlanProblem};
use super::near_miss::{NearMiss, near_miss};
use super::passed;
use super::ports;
use super::socket_options::UnixSocketOptions;
use crate::configuration::{Excerpt, Origin, Problem, Sourced, address_without_user_info};
use crate::features::HttpProtocols;
use crate::tls::TlsOptions;

/// Said of everything that asks for HTTP/3.
const NO_HTTP3: &str = "HTTP/3 is not there yet in this version";

/// What to write for the protocols of an endpoint.
const PROTOCOLS: &str =
    "write Protocols as Http1AndHttp2, Http1 or Http2, or leave it out for Http1AndHttp2";

/// The address that is bound if nobody says anything.
const DEFAULT_ADDRESS: &str = "http://localhost:5000";

/// Decides what will be bound.
///
/// Endpoints (`Listen`, `--listen`, `Kestrel:Endpoints`) win over addresses (`urls`, ports), all
/// of them over all of those, unless `PreferHostingUrls` is set and there is an address. Addresses
/// that lose are not even read; endpoints are read in any case. Nothing at all means
/// `http://localhost:5000`.
///
/// A socket that was passed is that of the endpoint, or of the address, that names where it is. One that
/// nobody names is an endpoint.
pub fn plan(settings: &EndpointSettings) -> EndpointPlan {
    let mut plan = EndpointPlan::default();
    let mut endpoints: Vec<_> = settings
        .listen
        .iter()
        .chain(&settings.endpoints)
        .filter_map(|endpoint| plan.configured(endpoint, settings))
        .collect();
    plan.look_at_refused(settings);
    let own = plan.passed_to_nobody(&endpoints, settings);
    let configured = !own.is_empty()
        || [&settings.listen, &settings.endpoints, &settings.refused]
            .into_iter()
            .any(|endpoints| !endpoints.is_empty());
    endpoints.splice(0..0, own);
    let said_of_endpoints = (plan.notes.split_off(0), std::mem::take(&mut plan.warnings));
    let addresses = plan.addresses(settings);
    let preference = preference(settings);
    let addresses_lose = addresses.is_empty() || (configured && preference.is_none());

    match (addresses.is_empty(), configured) {
        (true, true) => plan.endpoints = endpoints,
        (false, false) => plan.read_all(&addresses, settings),
        (false, true) if preference.is_some() => {
            plan.notes.push(Note::EndpointsOverridden {
                addresses: addresses.clone(),
                lost: endpoints,
                preference: preference.unwrap_or(Origin::Default),
            });
            plan.read_all(&addresses, settings);
        }
        (false, true) => {
            // If none of them can be, that is told alone: nobody has won.
            if !endpoints.is_empty() {
                plan.notes.push(Note::AddressesOverridden { addresses, won: endpoints.clone() });
            }
            plan.endpoints = endpoints;
        }
        (true, false) => {
            let address = settings.default_address.unwrap_or(DEFAULT_ADDRESS).to_owned();
            plan.notes.push(Note::DefaultAddress { address: address.clone() });
            let text = Sourced::new(address, Origin::Default);
            plan.read_all(&[GivenAddress { key: "urls", text }], settings);
        }
    }
    // Of endpoints that lose, only their mistakes are told.
    if addresses_lose {
        let (notes, warnings) = said_of_endpoints;
        plan.notes.splice(0..0, notes);
        plan.warnings.splice(0..0, warnings);
    }
    plan.find_duplicates();
    plan.tell_reach(settings);
    plan
}

/// Decides what will be bound after a reload: what is `fixed`, and beside it the endpoints that
/// the configuration names now.
pub(crate) fn replan(fixed: &[PlannedEndpoint], settings: &EndpointSettings) -> EndpointPlan {
    let mut plan = EndpointPlan { endpoints: fixed.to_vec(), ..EndpointPlan::default() };
    for endpoint in &settings.endpoints {
        let planned = plan.configured(endpoint, settings);
        plan.endpoints.extend(planned);
    }
    plan.look_at_refused(settings);
    plan.find_duplicates();
    plan.tell_reach(settings);
    plan.warnings.extend(until_restart(fixed, settings));
    plan
}

/// What is to be said of addresses that go on beside endpoints which the configuration has only now. (Kestrel lets them
/// go on, too, without a word: no reload touches them, and the next start would not bind them.)
fn until_restart(fixed: &[PlannedEndpoint], settings: &EndpointSettings) -> Option<Problem> {
    let of_start = plan(settings).endpoints;
    let is_bound = |kept: &&PlannedEndpoint| {
        of_start.iter().any(|it| it.key == kept.key && it.written == kept.written)
    };
    let kept = fixed.iter().find(|kept| !is_bound(kept))?;
    let won = settings.endpoints.first()?;
    Some(
        Problem::warning(format!(
            "{} is listened on beside the endpoints that are configured now, until the next start.",
            kept.written
        ))
        .cause("No reload closes it; a start binds the endpoints alone, because they win.")
        .key(won.key.clone())
        .origin(won.target.origin.clone())
        .fix(format!(
            "start again to have the endpoints alone; to keep {}, make it one of them",
            kept.written
        )),
    )
}

/// The endpoints of a plan that no reload touches: those of code, addresses and ports. `None` if no
/// reload touches any, because addresses were preferred.
pub(crate) fn fixed(
    plan: &EndpointPlan,
    settings: &EndpointSettings,
) -> Option<Vec<PlannedEndpoint>> {
    let addresses = EndpointPlan::default().addresses(settings);
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
        client_certificate_roots: match said.client_certificate_roots {
            roots if roots.is_empty() => settings.default_client_certificate_roots.clone(),
            roots => roots,
        },
        sni: said.sni,
        server_config: said.server_config,
    }
}

impl EndpointPlan {
    /// The sockets that were passed and that no endpoint names, nor an address that counts: endpoints of
    /// their own.
    fn passed_to_nobody(
        &mut self,
        endpoints: &[PlannedEndpoint],
        settings: &EndpointSettings,
    ) -> Vec<PlannedEndpoint> {
        let left = passed::left_by(endpoints, &settings.passed);
        if left.is_empty() {
            return Vec::new();
        }
        let addresses = Self::default().addresses(settings);
        let preferred = preference(settings).is_some();
        let alone = [&settings.listen, &settings.endpoints, &settings.refused]
            .into_iter()
            .all(|endpoints| endpoints.is_empty());
        let mut of_addresses = Self::default();
        if !addresses.is_empty() && (preferred || alone) {
            of_addresses.read_all(&addresses, settings);
        }
        let left = passed::beside(left, &of_addresses.endpoints, preferred);
        left.into_iter().filter_map(|socket| self.configured(socket, settings)).collect()
    }

    /// The addresses that count, as they were given.
    fn addresses(&mut self, settings: &EndpointSettings) -> Vec<GivenAddress> {
        let given = |key, text| GivenAddress { key, text };
        if !settings.added_urls.is_empty() {
            let added = settings.added_urls.iter().map(printable);
            return added.map(|url| given("add_url", url)).collect();
        }
        if let Some((key, urls)) = Self::url_list(settings) {
            for shadowed in settings.shadowed_urls.iter().map(printable) {
                if shadowed.value != urls.value {
                    self.notes.push(Note::UrlsShadowed { used: urls.clone(), shadowed });
                }
            }
            let lost: Vec<_> = [&settings.http_ports, &settings.https_ports]
                .into_iter()
                .flatten()
                .filter(|ports| !ports.value.is_empty())
                .map(printable)
                .collect();
            if !lost.is_empty() {
                let text = |ports: &Option<Sourced<String>>| {
                    ports.as_ref().map(|ports| printable(ports).value).unwrap_or_default()
                };
                self.notes.push(Note::PortsOverridden {
                    http: text(&settings.http_ports),
                    https: text(&settings.https_ports),
                    urls: urls.clone(),
                    lost,
                });
            }
            return self.split_list(&urls).into_iter().map(|text| given(key, text)).collect();
        }
        let of = |key, scheme, list: &Option<Sourced<String>>| {
            list.as_ref().map(|list| ports::addresses(key, scheme, list)).unwrap_or_default()
        };
        let mut addresses = of("http_ports", "http", &settings.http_ports);
        addresses.extend(of("https_ports", "https", &settings.https_ports));
        addresses
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
            _ => urls.map(|urls| ("urls", printable(&urls))),
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

    fn read_all(&mut self, addresses: &[GivenAddress], settings: &EndpointSettings) {
        for address in addresses {
            if address.key.ends_with("_ports")
                && let Err(error) = BindingAddress::parse(&address.text.value)
            {
                let problem = ports::problem(address, error)
                    .key(address.key)
                    .origin(address.text.origin.clone());
                self.problems.push(PlanProblem { problem, unbindable: false });
                continue;
            }
            let endpoint = ConfiguredEndpoint {
                name: address.text.value.clone(),
                key: address.key.to_owned(),
                target: address.text.clone().map(ListenTarget::Url),
                protocols: None,
                tls: None,
                unix_socket: UnixSocketOptions::default(),
                proxy_protocol: None,
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
            proxy_protocol: endpoint.proxy_protocol.clone(),
            given: None,
            passed: Vec::new(),
        };
        let said = if endpoint.tls.is_some() { Transport::Https } else { Transport::Http };
        let plain = |targets| planned(targets, "localhost".to_owned(), said);
        let planned = match &endpoint.target.value {
            ListenTarget::Url(url) => match BindingAddress::parse(url) {
                Ok(address) => {
                    if let BindingHost::Name(host) = &address.host {
                        self.name(endpoint, url, (host, address.port));
                    }
                    if let BindingHost::Ip(literal) = &address.host {
                        self.warnings.extend(advice::short_ip(endpoint, url, literal));
                    }
                    let transport = if address.https { Transport::Https } else { Transport::Http };
                    let (targets, local_name) = targets(address);
                    planned(targets, local_name, transport)
                }
                Err(error) => {
                    self.wrong_address(endpoint, url, error);
                    self.without_address(endpoint, settings);
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
            ListenTarget::Given(socket) => {
                let Some(targets) = passed::targets(socket) else {
                    let problem = Problem::error("A socket was given that has no address.")
                        .cause("Nobody could connect to it.")
                        .fix("bind it to an address, and let it listen, before it is given");
                    self.refuse(&plain(Targets::UnixSocket(PathBuf::new())), problem);
                    return None;
                };
                PlannedEndpoint { given: Some(socket.clone()), ..plain(targets) }
            }
        };
        let mut planned = planned;
        if planned.given.is_none() {
            planned.passed = passed::at(&planned.targets, &settings.passed);
        }
        self.check(planned, endpoint, protocols.is_some())
    }

    /// Looks at the endpoints whose address could not be read at all.
    fn look_at_refused(&mut self, settings: &EndpointSettings) {
        for endpoint in &settings.refused {
            self.without_address(endpoint, settings);
        }
    }

    /// What is wrong with an endpoint besides its address.
    fn without_address(&mut self, endpoint: &ConfiguredEndpoint, settings: &EndpointSettings) {
        let written = endpoint.target.value.to_string();
        let written = address_without_user_info(&written).into_owned();
        let clear = written.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
            || endpoint.key == "--listen";
        let mut planned = PlannedEndpoint {
            name: endpoint.name.clone(),
            key: endpoint.key.clone(),
            origin: endpoint.target.origin.clone(),
            written,
            targets: Targets::UnixSocket(PathBuf::new()),
            local_name: String::new(),
            protocols: endpoint.protocols.or(settings.default_protocols).unwrap_or_default(),
            transport: if clear { Transport::Http } else { Transport::Https },
            tls: endpoint.tls.clone().map(|said| tls_options(said, settings)),
            unix_socket: endpoint.unix_socket.clone(),
            proxy_protocol: endpoint.proxy_protocol.clone(),
            given: None,
            passed: Vec::new(),
        };
        // What is only odd can wait until there is an address.
        let told = (self.notes.len(), self.warnings.len());
        let _ = self.check_protocols(&mut planned, false);
        self.notes.truncate(told.0);
        self.warnings.truncate(told.1);
        self.refused.push(planned);
    }

    /// A host name, which is no filter: told, and as a slip if it looks like one.
    fn name(&mut self, endpoint: &ConfiguredEndpoint, url: &str, (host, port): (&str, u16)) {
        let origin = endpoint.target.origin.clone();
        let Some(meant) = near_miss(host) else {
            let (host, address) = (host.to_owned(), Sourced::new(url.to_owned(), origin));
            self.notes.push(Note::NameBindsAll { host, address });
            return;
        };
        let instead = |name: &str| url.replacen(host, name, 1);
        // The system chooses no port for `localhost`.
        let name_or_ip = |name: &str, port| match port {
            0 => instead("127.0.0.1"),
            _ => instead(name),
        };
        let (kind, fix) = match meant {
            NearMiss::Localhost(name) => {
                ("localhost", format!("write {} for the loopback", name_or_ip(&name, port)))
            }
            NearMiss::Ip(Some(address)) => (
                "an IP address",
                format!("write {} for that address", instead(&address.to_string())),
            ),
            NearMiss::Ip(None) => {
                ("an IP address", "write an IP address in digits alone".to_owned())
            }
        };
        self.warnings.push(
            Problem::warning(format!(
                "'{host}' in {url} is a name that nearly is {kind}: it is bound to all interfaces."
            ))
            .key(endpoint.key.clone())
            .origin(origin)
            .fix(format!("{fix}, or {} if all interfaces are meant", instead("*"))),
        );
    }

    /// The rules that hold for every kind of endpoint.
    fn check(
        &mut self,
        mut planned: PlannedEndpoint,
        endpoint: &ConfiguredEndpoint,
        explicit: bool,
    ) -> Option<PlannedEndpoint> {
        if let Targets::AtLeastOne([ListenAddr { port: 0, .. }, _]) = planned.targets {
            let fix = advice::both_loopbacks(&planned, &endpoint.target.value);
            self.refuse(&planned, Problem::error(
                "Dynamic port binding is not supported when binding to localhost. You must either bind to \
                 127.0.0.1:0 or [::1]:0, or both.",
            )
            .cause("The two loopback addresses would get different ports from the system.")
            .fix(fix));
            return None;
        }
        if let Targets::Exactly(listen) = &planned.targets
            && let Some(problem) = advice::never_bound(&planned, listen)
        {
            let problem = problem.key(planned.key.clone()).origin(planned.origin.clone());
            self.problems.push(PlanProblem { problem, unbindable: true });
            return None;
        }
        if let Some(fix) = advice::not_served_here(&planned.targets) {
            let address = display::planned_text(&planned);
            let problem =
                Problem::error(format!("Failed to bind to address {address}: unsupported."))
                    .cause(match planned.targets {
                        Targets::NamedPipe(_) => "Named pipes are not served yet.",
                        Targets::AbstractSocket(_) => "Abstract sockets exist on Linux only.",
                        _ => "On this system no Unix sockets are served.",
                    })
                    .fix(fix)
                    .key(planned.key.clone())
                    .origin(planned.origin.clone());
            self.problems.push(PlanProblem { problem, unbindable: true });
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
        self.check_protocols(&mut planned, explicit)?;
        Some(planned)
    }

    /// HTTP/3 is not spoken yet, whatever is asked for.
    fn check_protocols(&mut self, planned: &mut PlannedEndpoint, explicit: bool) -> Option<()> {
        match (planned.transport, planned.protocols) {
            (_, HttpProtocols::Http3) => {
                let message = match planned.transport {
                    Transport::Http => "HTTP/3 requires HTTPS.",
                    Transport::Https => {
                        "Unable to bind an HTTP/3 endpoint. This could be because QUIC has not been configured using \
                         UseQuic, or the platform doesn't support QUIC or HTTP/3."
                    }
                };
                let cause =
                    format!("{NO_HTTP3}: an endpoint that speaks nothing else would serve nobody.");
                self.refuse(planned, Problem::error(message).cause(cause).fix(PROTOCOLS));
                return None;
            }
            (Transport::Http, HttpProtocols::Http1AndHttp2AndHttp3) => {
                if explicit {
                    let endpoint = display::socket_text(planned);
                    self.notes.push(Note::Http3NeedsTls { endpoint });
                }
                planned.protocols = HttpProtocols::Http1AndHttp2;
            }
            (Transport::Https, HttpProtocols::Http1AndHttp2AndHttp3) => {
                let endpoint = display::planned_text(planned);
                self.warn(planned, format!("{NO_HTTP3}: {endpoint} speaks HTTP/1.1 and HTTP/2."));
                planned.protocols = HttpProtocols::Http1AndHttp2;
            }
            (_, HttpProtocols::None) => {
                let endpoint = display::planned_text(planned);
                self.warn(
                    planned,
                    format!("{endpoint} speaks no protocol: every connection to it is closed."),
                );
            }
            _ => {}
        }
        self.check_names(planned)
    }

    /// The same for the names of an endpoint that speak other protocols than it does.
    fn check_names(&mut self, planned: &mut PlannedEndpoint) -> Option<()> {
        let names = planned.tls.iter_mut().flat_map(|tls| &mut tls.sni);
        let mut less = Vec::new();
        for name in names {
            match name.protocols {
                Some(HttpProtocols::Http3) => {
                    let name = name.name.clone();
                    let message = format!("{NO_HTTP3}: the name {name} would be served to nobody.");
                    self.refuse(planned, Problem::error(message).fix(PROTOCOLS));
                    return None;
                }
                Some(HttpProtocols::Http1AndHttp2AndHttp3) => {
                    name.protocols = Some(HttpProtocols::Http1AndHttp2);
                    less.push(format!(
                        "{NO_HTTP3}: the name {} has HTTP/1.1 and HTTP/2.",
                        name.name
                    ));
                }
                _ => {}
            }
        }
        for message in less {
            self.warn(planned, message);
        }
        Some(())
    }

    fn warn(&mut self, planned: &PlannedEndpoint, message: String) {
        let problem = Problem::warning(message).fix(PROTOCOLS);
        self.warnings.push(problem.key(planned.key.clone()).origin(planned.origin.clone()));
    }

    fn refuse(&mut self, planned: &PlannedEndpoint, problem: Problem) {
        let problem = problem.key(planned.key.clone()).origin(planned.origin.clone());
        self.problems.push(PlanProblem { problem, unbindable: false });
    }

    fn wrong_address(&mut self, endpoint: &ConfiguredEndpoint, url: &str, error: AddressError) {
        let url = &*address_without_user_info(url);
        let mut message = error.problem.to_string();
        if let AddressProblem::InvalidUrl(_) = error.problem
            && address_without_user_info(&endpoint.name) != url
        {
            message.push_str(&format!(" for the endpoint {}", endpoint.name));
        }
        let fix = advice::one_address(endpoint, url).unwrap_or(error.fix);
        let mut problem = Problem::error(message)
            .key(endpoint.key.clone())
            .origin(endpoint.target.origin.clone())
            .fix(fix);
        problem.cause = error.cause;
        if let Some(position) = error.position {
            let column = url.get(..position).map_or(1, |before| before.chars().count() + 1);
            problem = problem.excerpt(Excerpt { line: None, column, text: url.to_owned() });
        }
        self.problems.push(PlanProblem { problem, unbindable: false });
    }

    /// In a container, tells that nobody outside reaches a loopback, if there is nothing else. Whoever
    /// configured it may mean it: a sidecar shares the network.
    fn tell_reach(&mut self, settings: &EndpointSettings) {
        let Some(container) = &settings.container else {
            return;
        };
        // Who cannot be bound yet may be reached.
        let unknown =
            self.problems.iter().any(|wrong| !wrong.unbindable) || !settings.refused.is_empty();
        if self.endpoints.is_empty()
            || unknown
            || !self.endpoints.iter().all(|endpoint| endpoint.targets.are_loopback())
        {
            return;
        }
        let by_default = self.notes.iter().any(|note| matches!(note, Note::DefaultAddress { .. }));
        if !by_default {
            let (endpoints, container) = (self.endpoints.clone(), container.clone());
            self.notes.push(Note::InsideOnly { endpoints, container });
            return;
        }
        self.warnings.push(
            Problem::warning(format!(
                "{DEFAULT_ADDRESS}, the default, is reached only from inside this container, and not by its published ports."
            ))
            .cause(format!("This is a container, whose loopback is its own: {container}."))
            .key("urls")
            .origin(Origin::Default)
            .fix("listen on all interfaces: --urls http://*:8080, or the variable ASPNETCORE_HTTP_PORTS=8080"),
        );
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
                .origin(endpoint.origin.clone());
                let problem = advice::two_endpoints(problem, first, endpoint);
                self.problems.push(PlanProblem { problem, unbindable: true });
            }
            taken.extend(claims.into_iter().map(|claim| (claim, place)));
        }
    }
}

/// A value that may be told.
fn printable(value: &Sourced<String>) -> Sourced<String> {
    Sourced::new(address_without_user_info(&value.value).into_owned(), value.origin.clone())
}

fn targets(address: BindingAddress) -> (Targets, String) {
    let localhost = || "localhost".to_owned();
    let port = address.port;
    match address.host {
        BindingHost::Localhost(name) => (Targets::localhost(port), name),
        BindingHost::Ip(address) => (Targets::Exactly(ListenAddr { address, port }), localhost()),
        BindingHost::Any | BindingHost::Name(_) => (Targets::any_ip(port), localhost()),
        BindingHost::UnixSocket(path) => (Targets::UnixSocket(path), localhost()),
        BindingHost::NamedPipe(name) => (Targets::NamedPipe(name), localhost()),
    }
}

#[cfg(test)]
mod tests;
