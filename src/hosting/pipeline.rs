//! The stages that requests go through, in their order: the one list of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::child_process::{self, Around, Children};
use super::request_logs::RequestLogs;
use super::reverse_proxy::{self, Material, Upstreams};
use super::settings::{SiteSettings, StageSettings, Switched};
use super::sites::{Materials, SitesOfHost};
use crate::addresses::{self, EndpointPlan, Holder, ListenAddr, PlannedEndpoint, Targets};
use crate::apps::child_process::options::Listen;
use crate::apps::reverse_proxy::options::{Place, RouteOptions};
use crate::configuration::{Origin, Problem, Sourced};
use crate::diagnostics::in_log_boxed;
use crate::features::{Lifetime, Proxies, RoutePolicy, ServerAddresses};
use crate::middleware::{
    AddressFilter, BodyLimit, Checks, ForwardedHeaders, HealthChecks, HttpsRedirection, Limiters,
    ProcessManager, RateLimiter, RequestTimeouts, SiteTable, Sites, StaticFiles, Strangers,
};
use crate::pipeline::Stage;

/// A stage that is on.
pub(super) struct On {
    /// Its name, for people.
    pub(super) name: &'static str,
    /// The key that switched it on, and where that was set.
    pub(super) key: &'static str,
    pub(super) origin: Origin,
    /// What it goes by, in words.
    pub(super) values: Vec<Sourced<String>>,
    stage: Box<dyn Stage>,
}

/// What stages know of their host besides their settings. It outlives reloads.
#[derive(Clone, Debug, Default)]
pub(super) struct OfHost {
    /// Where it listens.
    pub(super) addresses: ServerAddresses,
    pub(super) lifetime: Lifetime,
    /// What the program's code says of its health.
    pub(super) checks: Arc<Checks>,
    /// What its stages write besides the log.
    pub(super) logs: RequestLogs,
    /// What has passed of limits.
    pub(super) limiters: Arc<Limiters>,
    /// The servers that requests are handed to.
    pub(super) upstreams: Arc<Upstreams>,
    /// The programs behind it.
    pub(super) children: Arc<Children>,
    /// What programs are started with.
    pub(super) around: Arc<Around>,
    /// What its sites have of their own.
    pub(super) sites: SitesOfHost,
    /// Of whom its stages, and those of its sites, have told that they are no proxies. Not over reloads: they may be then.
    pub(super) strangers: Arc<Strangers>,
}

impl OfHost {
    /// The same for a site, whose limits and servers are its own.
    fn of_site(&self, name: &str) -> Self {
        let own = self.sites.of(name);
        let (limiters, upstreams, children) = (own.limiters, own.upstreams, own.children);
        Self { limiters, upstreams, children, ..self.clone() }
    }

    /// Starts the programs that are to run and do not yet.
    pub(super) fn begin_children(&self) {
        self.children.begin();
        self.sites.children().iter().for_each(|children| children.begin());
    }

    /// How long the programs may take to end.
    pub(super) fn end_of_children(&self) -> Duration {
        let of_sites = self.sites.children();
        let all = of_sites.iter().chain([&self.children]);
        all.map(|children| children.longest_end()).max().unwrap_or_default()
    }

    /// Ends all programs, by then at the latest.
    pub(super) async fn end_children(&self, by: Instant) {
        let mut ends = JoinSet::new();
        for children in self.sites.children().into_iter().chain([Arc::clone(&self.children)]) {
            ends.spawn(in_log_boxed(async move { children.end(by).await }));
        }
        while ends.join_next().await.is_some() {}
    }
}

/// Makes a stage of the settings, if they switch it on.
type Make = fn(&StageSettings, &OfHost) -> Option<On>;

/// All stages, outermost first. Behind the last one stands the app, with the layers that the program has
/// put around it (`pipeline/layers.rs`).
const ORDER: &[Make] = &[
    // First of all, so that no answer goes past it.
    access_log,
    // Around everything, so that every answer has them.
    answer_headers,
    // Before whatever turns requests away: who asks names the host by its address, in clear text.
    health_checks,
    // Early, so that it sees the host that was sent: what proxies tell of it has a list of its own.
    host_filtering,
    // What follows goes by what the client did, not the proxy.
    forwarded_headers,
    // Before all that is for its requests alone, and behind the two as on ASP.NET Core.
    process_manager,
    // Which asks below its path, as its clients do.
    health_checks_of_process_manager,
    // Around all that may fail.
    developer_page,
    exception_handler,
    // As requests came, whatever the app is asked for then.
    http_logging,
    w3c_logging,
    // By whom the client is, which all before says; behind the logs, which have everybody.
    address_filter,
    // What follows makes links.
    path_base,
    // Before the redirection, so that its answers by https have it, too.
    hsts,
    https_redirection,
    // Before whatever looks at the path, behind what says how it begins.
    rewrite,
    status_pages,
    // Before whatever reads a body, or changes it.
    body_limit,
    // Around whatever answers.
    response_compression,
    request_decompression,
    // Before what goes by them.
    policies_of_routes,
    // Before whatever answers, files as well.
    cors,
    // Inside of what gives its answer a body, or says who may read it.
    request_timeouts,
    // Behind it, since who waits for a turn does so within that time; and before passwords are guessed.
    rate_limiter,
    // Behind what browsers ask without a user (preflight requests), before all that is to be seen.
    basic_authentication,
    // What is for one of them is not for what follows, which has the rest.
    sites,
    // What is here is nobody else's.
    static_files,
    // What no route takes is the app's.
    reverse_proxy,
    // Last: it is an app.
    child_process,
];

/// The stages that the settings switch on, outermost first.
pub(super) fn on(settings: &StageSettings) -> Vec<On> {
    made(settings, &OfHost::default())
}

/// The same, to be gone through, on this host, with what was read for its clusters.
pub(super) fn stages(
    settings: &StageSettings,
    materials: &Materials,
    host: &OfHost,
) -> Box<[Box<dyn Stage>]> {
    let host = &OfHost { strangers: Arc::default(), ..host.clone() };
    open(settings, &materials.own, host);
    let sites = settings.sites.as_ref().map_or(&[][..], |it| &it.sites);
    for (site, materials) in sites.iter().zip(&materials.of_sites) {
        open(&site.stages, materials, &host.of_site(&site.name));
    }
    host.sites.keep(sites.iter().map(|site| site.name.as_str()));
    made(settings, host).into_iter().map(|on| on.stage).collect()
}

/// Makes ready what stages write to, and the servers that they hand requests to.
fn open(settings: &StageSettings, materials: &[Material], host: &OfHost) {
    host.logs.open(settings);
    let clusters = settings.reverse_proxy.as_ref().map_or(&[][..], |it| &it.value.clusters);
    host.upstreams.change_to(clusters, materials);
    let program = settings.child_process.as_ref().map(|it| &it.value);
    host.children.change_to(program, &host.around);
}

fn made(settings: &StageSettings, host: &OfHost) -> Vec<On> {
    ORDER.iter().filter_map(|make| make(settings, host)).collect()
}

/// What a reload did to the stages.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct StageChanges {
    /// A line for each that is another one: `+` is on now, `-` is off, `~` goes by something else.
    pub(super) lines: Vec<String>,
    /// What protected before and does not now.
    pub(super) losses: Vec<String>,
}

/// What differs between the stages of two settings.
pub(super) fn changes(old: &StageSettings, new: &StageSettings) -> StageChanges {
    let (before, after) = (on(old), on(new));
    let texts = |on: &On| on.values.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
    let mut changes = StageChanges::default();
    // Of sites, each for itself.
    for now in after.iter().filter(|it| it.name != SITES) {
        let sign = match before.iter().find(|it| it.name == now.name) {
            None => '+',
            Some(was) if texts(was) != texts(now) => '~',
            Some(_) => continue,
        };
        changes.lines.push(format!("{sign} {}: {}", now.name, texts(now).join(", ")));
    }
    if has_other_passwords(old, new) && !changes.lines.iter().any(|it| it.contains(PASSWORDS)) {
        changes.lines.push(format!("~ {PASSWORDS}: other passwords"));
    }
    let gone = before.iter().filter(|was| !after.iter().any(|now| now.name == was.name));
    let gone = gone.filter(|was| was.name != SITES);
    changes.lines.extend(gone.map(|was| format!("- {} is off now", was.name)));
    changes.losses = losses(old, new).into_iter().map(str::to_owned).collect();
    of_sites(old, new, &mut changes);
    changes
}

/// Whether the same users have other passwords, which no line shows.
fn has_other_passwords(old: &StageSettings, new: &StageSettings) -> bool {
    match (&old.basic_authentication, &new.basic_authentication) {
        (Some(old), Some(new)) => old.value != new.value,
        _ => false,
    }
}

/// What differs between the sites.
fn of_sites(old: &StageSettings, new: &StageSettings, changes: &mut StageChanges) {
    // One that is for nobody is closed because its hosts are wrong.
    let all = |settings: &StageSettings| {
        let sites = settings.sites.iter().flat_map(|it| &it.sites);
        sites.filter(|it| !it.place.hosts.is_empty()).cloned().collect::<Vec<_>>()
    };
    let (before, after) = (all(old), all(new));
    for now in &after {
        let was = before.iter().find(|was| was.name.eq_ignore_ascii_case(&now.name));
        let Some(was) = was else {
            changes.lines.push(format!("+ the site {}", now.shown()));
            continue;
        };
        if was.shown() != now.shown() {
            changes.lines.push(format!("~ the site {} (it was {})", now.shown(), was.shown()));
        }
        let of_site = self::changes(&was.stages, &now.stages);
        let name = &now.name;
        let line = |line: String| line.replacen(' ', &format!(" the site {name}: "), 1);
        changes.lines.extend(of_site.lines.into_iter().map(line));
        let lost = of_site.losses.into_iter();
        changes.losses.extend(lost.map(|it| format!("The site '{name}': {it}")));
    }
    for gone in &before {
        if !after.iter().any(|now| now.name.eq_ignore_ascii_case(&gone.name)) {
            changes.lines.push(format!("- the site {} is off now", gone.name));
            changes.losses.push(format!(
                "The site '{}' is off now: what answered its requests does not any more.",
                gone.name
            ));
        }
    }
}

fn losses(old: &StageSettings, new: &StageSettings) -> Vec<&'static str> {
    let mut losses = Vec::new();
    if old.allowed_hosts.is_some() && new.allowed_hosts.is_none() {
        losses.push("Host filtering is off now: every host passes.");
    }
    if old.reverse_proxy.is_some() && new.reverse_proxy.is_none() {
        losses.push("The reverse proxy is off now: no request is handed on any more.");
    }
    if old.child_process.is_some() && new.child_process.is_none() {
        losses.push("No program runs behind this one any more: its requests have no answer.");
    }
    if old.static_files.is_some() && new.static_files.is_none() {
        losses.push("Static files are off now: what was served from the web root is not any more.");
    }
    if old.health_checks.is_some() && new.health_checks.is_none() {
        losses
            .push("Health checks are off now: whoever asks for health gets what the app answers.");
    }
    if old.hsts.is_some() && new.hsts.is_none() {
        losses.push("HSTS is off now: browsers are no longer told to stay with https.");
    }
    if old.answer_headers.is_some() && new.answer_headers.is_none() {
        losses.push("Headers are off now: answers no longer have those that protect.");
    }
    if old.https_redirection.is_some() && new.https_redirection.is_none() {
        losses.push("HTTPS redirection is off now: requests in clear text are served.");
    }
    if old.basic_authentication.is_some() && new.basic_authentication.is_none() {
        losses.push("Basic authentication is off now: nobody is asked for a password.");
    }
    let allows_some = |it: &StageSettings| {
        it.address_filter.as_ref().is_some_and(|it| !it.value.allow.is_empty())
    };
    if old.address_filter.is_some() && new.address_filter.is_none() {
        losses.push("The address filter is off now: everybody passes, from whatever address.");
    } else if allows_some(old) && !allows_some(new) {
        losses
            .push("The address filter has no list of those who pass any more: all others do, too.");
    }
    if old.rate_limiter.is_some() && new.rate_limiter.is_none() {
        losses.push("The rate limiter is off now: any number of requests passes.");
    }
    let believed = |settings: &StageSettings| {
        settings.forwarded_headers.as_ref().map(|it| it.believed.clone())
    };
    let (was, Some(now)) = (believed(old), believed(new)) else { return losses };
    let of_all = |proxies: &Proxies| *proxies == Proxies::All || proxies.network_of_all().is_some();
    if of_all(&now.proxies) && was.as_ref().is_none_or(|was| !of_all(&was.proxies)) {
        losses.push("Everybody who connects is believed who the client is now.");
    }
    if now.host.is_some() && now.hosts.is_none() && was.is_some_and(|was| was.hosts.is_some()) {
        losses.push("A proxy may tell any host now: ForwardedHeaders:AllowedHosts is gone.");
    }
    losses
}

fn policies_of_routes(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.reverse_proxy.as_ref()?;
    let sites = settings.sites.as_ref();
    let sites = sites.map(|it| SiteTable::new(it.sites.iter().map(|site| &site.place)));
    let stage = reverse_proxy::policies(&it.value, sites)?;
    let shown = it.value.routes.iter().filter_map(policies_shown);
    let values = shown.map(|text| Sourced::new(text, it.origin.clone())).collect();
    Some(On { name: "policies of routes", key: it.key, origin: it.origin.clone(), values, stage })
}

/// The policies of a route in words; `None` if it names none.
fn policies_shown(route: &RouteOptions) -> Option<String> {
    let all = [
        ("RateLimiterPolicy", &route.rate_limiter_policy),
        ("CorsPolicy", &route.cors_policy),
        ("TimeoutPolicy", &route.timeout_policy),
    ];
    let named = all.into_iter().filter_map(|(key, policy)| {
        let name = match policy.as_ref()? {
            RoutePolicy::Default => "Default",
            RoutePolicy::Disable => "Disable",
            RoutePolicy::Named(name) => name,
        };
        Some(format!("{key} {name}"))
    });
    let named: Vec<_> = named.collect();
    (!named.is_empty()).then(|| format!("{}: {}", route.id, named.join(", ")))
}

fn reverse_proxy(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.reverse_proxy.as_ref()?;
    let stage = reverse_proxy::stage(&it.value, &host.upstreams)?;
    Some(switched("reverse proxy", it, stage))
}

fn child_process(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.child_process.as_ref()?;
    let stage = child_process::stage(&host.children)?;
    Some(switched("app in a process", it, stage))
}

/// The name of the stage that asks for passwords.
const PASSWORDS: &str = "basic authentication";

/// The name of the stage of sites.
const SITES: &str = "sites";

fn sites(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.sites.as_ref()?;
    let table = SiteTable::new(it.sites.iter().map(|site| &site.place));
    let certificate = |site: &SiteSettings| {
        let own = &site.certificate.as_ref()?.location;
        let same =
            |it: &SiteSettings| it.certificate.as_ref().is_some_and(|it| it.location == *own);
        it.sites.iter().position(same)
    };
    let stages = |site: &SiteSettings| {
        let on = made(&site.stages, &host.of_site(&site.name));
        (on.into_iter().map(|on| on.stage).collect(), certificate(site))
    };
    let stage = Sites::new(table, it.sites.iter().map(stages), it.is_last);
    Some(On {
        name: SITES,
        key: "Sites",
        origin: it.sites.first()?.origin.clone(),
        values: it.sites.iter().flat_map(site_values).collect(),
        stage: Box::new(stage),
    })
}

/// What a site goes by, in words: where it is, and what its requests go through.
fn site_values(site: &SiteSettings) -> Vec<Sourced<String>> {
    let mut values = vec![Sourced::new(site.shown(), site.origin.clone())];
    for on in on(&site.stages) {
        let of_stage = |text: &str| format!("  {}: {}{text}", site.name, on.name);
        if on.values.is_empty() {
            values.push(Sourced::new(of_stage(""), on.origin.clone()));
        }
        let each = on.values.iter();
        values.extend(
            each.map(|it| Sourced::new(of_stage(&format!(", {}", it.value)), it.origin.clone())),
        );
    }
    values
}

fn health_checks(settings: &StageSettings, host: &OfHost) -> Option<On> {
    // What has a process manager answers nobody else.
    settings.process_manager.is_none().then(|| health(settings, host)).flatten()
}

fn health_checks_of_process_manager(settings: &StageSettings, host: &OfHost) -> Option<On> {
    settings.process_manager.is_some().then(|| health(settings, host)).flatten()
}

fn health(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.health_checks.as_ref()?;
    let (lifetime, checks) = (host.lifetime.clone(), Arc::clone(&host.checks));
    let stage = HealthChecks::new(it.value.clone(), lifetime, checks);
    Some(switched("health checks", it, Box::new(stage)))
}

fn host_filtering(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let hosts = settings.allowed_hosts.as_ref()?;
    Some(On {
        name: "host filtering",
        key: "AllowedHosts",
        origin: hosts.origin.clone(),
        values: settings.values.allowed_hosts.clone(),
        stage: Box::new(hosts.value.clone()),
    })
}

fn forwarded_headers(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.forwarded_headers.as_ref()?;
    Some(On {
        name: "forwarded headers",
        key: it.key,
        origin: it.origin.clone(),
        values: settings.values.forwarded_headers.clone(),
        stage: Box::new(
            ForwardedHeaders::new(it.believed.clone()).beside(Arc::clone(&host.strangers)),
        ),
    })
}

fn address_filter(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.address_filter.as_ref()?;
    let stage = AddressFilter::new(it.value.clone(), Arc::clone(&host.strangers));
    Some(switched("address filter", it, Box::new(stage)))
}

fn process_manager(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.process_manager.as_ref()?;
    let stage = ProcessManager::new(it.value.clone(), host.lifetime.clone());
    Some(switched("process manager", it, Box::new(stage)))
}

/// Whether somebody in front is believed who the client is.
fn has_proxies(settings: &StageSettings) -> bool {
    settings.forwarded_headers.is_some() || settings.process_manager.is_some()
}

/// What is to be said if everybody is believed and other machines can connect.
pub(super) fn believes_everybody(settings: &StageSettings, plan: &EndpointPlan) -> Option<Problem> {
    let it = settings.forwarded_headers.as_ref()?;
    let others_connect = |endpoint: &&PlannedEndpoint| match endpoint.targets {
        Targets::Exactly(_) | Targets::AtLeastOne(_) | Targets::FirstThatWorks(_) => {
            !endpoint.targets.are_loopback()
        }
        Targets::UnixSocket(_) | Targets::AbstractSocket(_) | Targets::NamedPipe(_) => false,
    };
    let open = plan.endpoints.iter().find(others_connect)?;
    let why = match (&it.believed.proxies, it.believed.proxies.network_of_all()) {
        (Proxies::All, _) => "no proxy is named".to_owned(),
        (_, Some(network)) => format!("{network} is every address"),
        (_, None) => return None,
    };
    Some(
        Problem::information(format!(
            "Everybody who connects is believed who the client is: {why}."
        ))
        .cause(format!(
            "Who reaches {} without the proxy can claim any address and scheme.",
            open.written
        ))
        .key(it.key)
        .origin(it.origin.clone())
        .fix(
            "if others than the proxy can connect, name it: ForwardedHeaders:KnownProxies or \
             ForwardedHeaders:KnownIPNetworks",
        ),
    )
}

/// What is to be said of a program that is to have a port of this host's.
pub(super) fn takes_own_port(settings: &StageSettings, plan: &EndpointPlan) -> Option<Problem> {
    let it = settings.child_process.as_ref()?;
    let Listen::ThisPort(port) = it.value.listen else { return None };
    let is_it = |one: &ListenAddr| {
        let address = one.address.address.to_canonical();
        one.port == port && (address.is_loopback() || address.is_unspecified())
    };
    let has_it = |endpoint: &&PlannedEndpoint| match &endpoint.targets {
        Targets::Exactly(one) => is_it(one),
        Targets::AtLeastOne(all) | Targets::FirstThatWorks(all) => all.iter().any(is_it),
        Targets::UnixSocket(_) | Targets::AbstractSocket(_) | Targets::NamedPipe(_) => false,
    };
    let own = plan.endpoints.iter().find(has_it)?;
    Some(
        Problem::error(format!(
            "The program cannot have port {port}: this server listens there itself."
        ))
        .cause(format!("It is that of {}.", own.written))
        .key("AspNetCore:Listen")
        .origin(it.origin.clone())
        .fix("set Listen to another port, or remove it: a port that is free is chosen then"),
    )
}

/// What is to be said of a program whose port somebody has at this moment, other than this host will.
pub(super) fn finds_port_taken(settings: &StageSettings, plan: &EndpointPlan) -> Option<Problem> {
    let it = settings.child_process.as_ref()?;
    let Listen::ThisPort(port) = it.value.listen else { return None };
    if takes_own_port(settings, plan).is_some() {
        return None;
    }
    let (error, holder) = addresses::hindrance_of_port(port)?;
    let what = format!(
        "The program could not listen on port {port} at this moment: {}.",
        addresses::error_reason(&error)
    );
    // Whoever asks before a reload has it running.
    let is_own = holder.as_ref().is_some_and(Holder::is_of_copy);
    let problem = match is_own {
        true => Problem::information(what)
            .fix("if that is the program of the host that is to be reloaded, it keeps the port"),
        false => Problem::warning(what)
            .fix("end what has it, set Listen to another port, or remove it: a port that is free is chosen then"),
    };
    let problem = problem.key("AspNetCore:Listen").origin(it.origin.clone());
    Some(match holder {
        Some(holder) => problem.cause(holder.to_string()),
        None => problem,
    })
}

/// What is to be said if clients are told apart by an address that all of them may share.
pub(super) fn limits_proxies(settings: &StageSettings, plan: &EndpointPlan) -> Option<Problem> {
    let it = settings.rate_limiter.as_ref()?;
    if !it.value.tells_addresses_apart() || !all_may_be_proxies(settings, plan) {
        return None;
    }
    Some(
        Problem::information(
            "Only this machine can connect, and each address of a client has a limit.",
        )
        .cause("Behind a proxy all clients share one, because no proxy is believed who they are.")
        .key(it.key)
        .origin(it.origin.clone())
        .fix("behind a proxy, set ForwardedHeaders:Enabled to true"),
    )
}

/// What is to be said if clients are to be kept out by an address that all of them may share.
pub(super) fn filters_proxies(settings: &StageSettings, plan: &EndpointPlan) -> Option<Problem> {
    let it = settings.address_filter.as_ref()?;
    if !all_may_be_proxies(settings, plan) {
        return None;
    }
    let is_socket = |endpoint: &PlannedEndpoint| {
        matches!(endpoint.targets, Targets::UnixSocket(_) | Targets::AbstractSocket(_))
    };
    let are_sockets = plan.endpoints.iter().all(is_socket);
    let problem = match (are_sockets, it.value.allow.is_empty()) {
        (true, false) => Problem::warning(
            "Nobody passes: whoever connects over a Unix socket has no address, and 'Allow' asks for one.",
        )
        .cause("No proxy is believed who the client is."),
        (true, true) => Problem::information(
            "Everybody passes: whoever connects over a Unix socket has no address that 'Deny' could name.",
        )
        .cause("No proxy is believed who the client is."),
        (false, _) => Problem::information(
            "Only this machine can connect, and clients pass by their addresses.",
        )
        .cause("Behind a proxy all clients have its address, because no proxy is believed who they are."),
    };
    let fix = "behind a proxy, set ForwardedHeaders:Enabled to true";
    Some(problem.key(it.key).origin(it.origin.clone()).fix(fix))
}

/// Whether whoever connects may be a proxy that is not believed: only this machine can.
fn all_may_be_proxies(settings: &StageSettings, plan: &EndpointPlan) -> bool {
    let is_of_proxy = |endpoint: &PlannedEndpoint| {
        let is_near = match endpoint.targets {
            Targets::Exactly(_) | Targets::AtLeastOne(_) | Targets::FirstThatWorks(_) => {
                endpoint.targets.are_loopback()
            }
            Targets::UnixSocket(_) | Targets::AbstractSocket(_) | Targets::NamedPipe(_) => true,
        };
        is_near && endpoint.proxy_protocol.is_none()
    };
    !has_proxies(settings) && !plan.endpoints.is_empty() && plan.endpoints.iter().all(is_of_proxy)
}

/// What is to be said of the certificate of a site if no endpoint speaks https.
pub(super) fn serves_no_certificate(site: &SiteSettings, plan: &EndpointPlan) -> Option<Problem> {
    let certificate = site.certificate.as_ref()?;
    let mut endpoints = plan.endpoints.iter().chain(&plan.refused);
    let is_served = endpoints.any(|endpoint| endpoint.tls.is_some());
    (!is_served && !plan.endpoints.is_empty()).then(|| {
        Problem::warning("Its certificate is never served: no endpoint speaks https.")
            .key(certificate.key.clone())
            .origin(site.origin.clone())
            .fix("listen on an address of https, such as https://*:443, or remove it")
    })
}

/// Whether an endpoint of TCP is secured by TLS.
fn is_https(endpoint: &PlannedEndpoint) -> bool {
    let is_tcp = matches!(
        endpoint.targets,
        Targets::Exactly(_) | Targets::AtLeastOne(_) | Targets::FirstThatWorks(_)
    );
    is_tcp && endpoint.tls.is_some()
}

/// What is to be said if requests in clear text are to be sent to https, and nobody knows where that is.
pub(super) fn leads_nowhere(settings: &StageSettings, plan: &EndpointPlan) -> Option<Problem> {
    let it = settings.https_redirection.as_ref()?;
    let is_known = it.value.port.is_some() || plan.endpoints.iter().any(is_https);
    (!is_known && !plan.endpoints.is_empty()).then(|| {
        Problem::warning("Failed to determine the https port for redirect: requests are served in clear text.")
            .cause("No endpoint speaks https, and no setting names the port of it.")
            .key(it.key)
            .origin(it.origin.clone())
            .fix("set HttpsRedirection:HttpsPort to the port that clients know, such as 443, or listen on an address of https")
    })
}

/// What is to be said of a destination that is this host: every request would come back, until nothing is left.
/// `comes_back` says whether one for a host at a port would be for these routes again.
pub(super) fn asks_itself(
    settings: &StageSettings,
    plan: &EndpointPlan,
    comes_back: impl Fn(&str, u16) -> bool,
) -> Option<Problem> {
    let it = settings.reverse_proxy.as_ref()?;
    let is_ours = |name: &str, port: u16| {
        let address = name.parse::<IpAddr>().ok();
        let is_meant = |listen: &ListenAddr| {
            let ours = listen.address.address.to_canonical();
            let is_there = match address {
                Some(address) => ours == address || ours.is_unspecified() && address.is_loopback(),
                None => ours.is_loopback() || ours.is_unspecified(),
            };
            listen.port == port && port != 0 && is_there
        };
        plan.endpoints.iter().any(|endpoint| match &endpoint.targets {
            Targets::Exactly(listen) => is_meant(listen),
            Targets::AtLeastOne(both) | Targets::FirstThatWorks(both) => both.iter().any(is_meant),
            Targets::UnixSocket(_) | Targets::AbstractSocket(_) | Targets::NamedPipe(_) => false,
        })
    };
    let clusters = it.value.clusters.iter();
    let all = clusters.flat_map(|cluster| cluster.destinations.iter().map(move |it| (cluster, it)));
    let mut ours = all.filter(|(_, destination)| match &destination.address.place {
        Place::Tcp(name, port) => {
            let is_this_machine =
                name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok();
            is_this_machine && is_ours(name, *port) && comes_back(name, *port)
        }
        Place::Unix(_) => false,
    });
    let (cluster, destination) = ours.next()?;
    Some(
        Problem::error(format!(
            "The destination '{}' of the cluster '{}' is this host itself: {} is an address that it listens on.",
            destination.name, cluster.id, destination.address.authority
        ))
        .cause("A request for it would come back again and again.")
        .key(it.key)
        .origin(it.origin.clone())
        .fix("name the port of the server behind, or let this host listen on another one, such as by --urls"),
    )
}

/// What is to be said if passwords can be read on their way from other machines.
pub(super) fn shows_passwords(settings: &StageSettings, plan: &EndpointPlan) -> Option<Problem> {
    let it = settings.basic_authentication.as_ref()?;
    // Who asks in clear text is sent away before, or a proxy is what others connect to.
    let is_sent_away =
        settings.https_redirection.is_some() && leads_nowhere(settings, plan).is_none();
    if is_sent_away || has_proxies(settings) {
        return None;
    }
    let is_open = |endpoint: &&PlannedEndpoint| match endpoint.targets {
        Targets::Exactly(_) | Targets::AtLeastOne(_) | Targets::FirstThatWorks(_) => {
            endpoint.tls.is_none() && !endpoint.targets.are_loopback()
        }
        Targets::UnixSocket(_) | Targets::AbstractSocket(_) | Targets::NamedPipe(_) => false,
    };
    let open = plan.endpoints.iter().find(is_open)?;
    let fix = match (open.origin.is_of_serve(), plan.endpoints.iter().any(is_https)) {
        (true, _) => "add --tls, or put a proxy in front that speaks https",
        (false, true) => {
            "set HttpsRedirection:Enabled to true, so that who asks in clear text is sent to https"
        }
        (false, false) => {
            "listen on an address of https, or let a proxy speak it and set ForwardedHeaders:Enabled to true"
        }
    };
    Some(
        Problem::warning(format!(
            "Passwords go over the network in clear text: other machines connect to {}.",
            open.written
        ))
        .key(it.key)
        .origin(it.origin.clone())
        .fix(fix),
    )
}

fn hsts(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let hsts = settings.hsts.as_ref()?;
    Some(On {
        name: "HSTS",
        key: "Hsts:Enabled",
        origin: hsts.origin.clone(),
        values: settings.values.hsts.clone(),
        stage: Box::new(hsts.value.clone()),
    })
}

fn path_base(settings: &StageSettings, _: &OfHost) -> Option<On> {
    settings.path_base.as_ref().map(|it| switched("path base", it, Box::new(it.value.clone())))
}

fn https_redirection(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.https_redirection.as_ref()?;
    let strangers = Arc::clone(&host.strangers);
    let stage = HttpsRedirection::new(it.value.clone(), host.addresses.clone(), strangers);
    Some(switched("HTTPS redirection", it, Box::new(stage)))
}

/// A stage with what has switched it on.
fn switched<T>(name: &'static str, it: &Switched<T>, stage: Box<dyn Stage>) -> On {
    On { name, key: it.key, origin: it.origin.clone(), values: it.shown.clone(), stage }
}

fn rate_limiter(settings: &StageSettings, host: &OfHost) -> Option<On> {
    let it = settings.rate_limiter.as_ref()?;
    let stage = RateLimiter::new(&it.value, &host.limiters);
    Some(switched("rate limiter", it, Box::new(stage)))
}

fn request_timeouts(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.request_timeouts.as_ref()?;
    Some(switched("request timeouts", it, Box::new(RequestTimeouts::new(it.value.clone()))))
}

fn static_files(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.static_files.as_ref()?;
    Some(On {
        name: "static files",
        key: it.key,
        origin: it.origin.clone(),
        values: it.values.clone(),
        stage: Box::new(StaticFiles::new(it.options.clone())),
    })
}

fn developer_page(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.error_pages.developer_page.as_ref()?;
    Some(switched("page for developers", it, Box::new(it.value.clone())))
}

fn exception_handler(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.error_pages.exception_handler.as_ref()?;
    Some(switched("exception handler", it, Box::new(it.value.clone())))
}

fn http_logging(settings: &StageSettings, _: &OfHost) -> Option<On> {
    settings
        .http_logging
        .as_ref()
        .map(|it| switched("HTTP logging", it, Box::new(it.value.clone())))
}

fn access_log(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.access_log.as_ref()?;
    let told_later = has_proxies(settings) || settings.basic_authentication.is_some();
    let stage = match told_later {
        false => it.value.stage.clone(),
        true => it.value.stage.told_later(),
    };
    Some(switched("access log", it, Box::new(stage)))
}

fn w3c_logging(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.w3c_logging.as_ref()?;
    Some(switched("W3C log files", it, Box::new(it.value.clone())))
}

fn status_pages(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.error_pages.status_pages.as_ref()?;
    Some(switched("status code pages", it, Box::new(it.value.clone())))
}

fn cors(settings: &StageSettings, _: &OfHost) -> Option<On> {
    settings.cors.as_ref().map(|it| switched("CORS", it, Box::new(it.value.clone())))
}

fn basic_authentication(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.basic_authentication.as_ref()?;
    Some(switched(PASSWORDS, it, Box::new(it.value.clone())))
}

fn body_limit(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.body_limit.as_ref()?;
    Some(switched("limit of bodies", it, Box::new(BodyLimit(it.value))))
}

fn response_compression(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.response_compression.as_ref()?;
    Some(switched("response compression", it, Box::new(it.value.clone())))
}

fn request_decompression(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.request_decompression.as_ref()?;
    Some(switched("request decompression", it, Box::new(it.value.clone())))
}

fn answer_headers(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.answer_headers.as_ref()?;
    Some(switched("headers of answers", it, Box::new(it.value.clone())))
}

fn rewrite(settings: &StageSettings, _: &OfHost) -> Option<On> {
    let it = settings.rewrite.as_ref()?;
    Some(switched("rewrite rules", it, Box::new(it.value.clone())))
}
