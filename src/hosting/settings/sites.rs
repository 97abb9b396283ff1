//! `Sites`: several on the addresses of the host, each with settings of its own.
//!
//! What stands in a site is read as it is at the top, by the same readers: to them, the section of the site is the
//! whole configuration. What they say of it gets the name of the site.

use super::allowed_hosts::never_matches;
use super::cors::CodeCors;
use super::pipeline::{self, SiteSettings, SitesSettings, StageSettings};
use super::stage_places;
use super::{host, static_files, tls};
use crate::configuration::{
    Configuration, Loaded, Problem, Section, Setting, address_without_user_info, keys_equal,
};
use crate::middleware::{HostPattern, SiteHost, SitePlace};

const KEY: &str = "Sites";

/// The section of a site.
pub(crate) fn site_section(name: &str) -> String {
    format!("{KEY}:{name}")
}

/// The name of the site that a key is of.
pub(crate) fn site_of(key: &str) -> Option<&str> {
    let mut parts = key.splitn(3, ':');
    let is_of_sites = parts.next().is_some_and(|first| keys_equal(first, KEY));
    parts.next().filter(|name| is_of_sites && !name.is_empty())
}

/// What is to be said of a site, with its name: to whoever found it, the section of the site was everything.
pub(crate) fn of_site(name: &str, mut problem: Problem) -> Problem {
    let key = match problem.key.take() {
        Some(key) if site_of(&key).is_some() => key,
        Some(key) => format!("{}:{key}", site_section(name)),
        None => site_section(name),
    };
    problem.message = format!("The site '{name}': {}", problem.message);
    problem.key(key)
}

/// Reads all sites; `stages` is what the host has besides.
pub(super) fn read(
    loaded: &Loaded,
    stages: &StageSettings,
    problems: &mut Vec<Problem>,
) -> Option<SitesSettings> {
    let section = loaded.configuration.section(KEY);
    if let Some(setting) = section.setting().filter(|it| it.value.is_some()) {
        problems.push(no_section(setting, KEY));
    }
    let sections = section.children();
    let mut sites: Vec<SiteSettings> = Vec::new();
    for section in &sections {
        let Some(site) = site(loaded, section, problems) else { continue };
        problems.extend(sites.iter().find_map(|other| at_the_same_place(other, &site)));
        problems.extend(stage_places::logs_in(&loaded.configuration, stages, &site.stages));
        sites.push(site);
    }
    let is_last =
        loaded.host_alone && stages.static_files.is_none() && stages.reverse_proxy.is_none();
    (!sites.is_empty()).then_some(SitesSettings { sites, is_last })
}

fn site(
    loaded: &Loaded,
    section: &Section<'_>,
    problems: &mut Vec<Problem>,
) -> Option<SiteSettings> {
    let first = section.first_setting()?;
    if let Some(setting) = section.setting().filter(|it| it.value.is_some()) {
        problems.push(no_section(setting, section.path()));
        return None;
    }
    let name = section.name().to_owned();
    let whole = below(loaded, section);
    let mut own = Vec::new();
    let stages = stages(&whole, &loaded.configuration, &mut own);
    let hosts = hosts(&whole.configuration, &mut own);
    let path = stages.path_base.as_ref().map(|it| it.value.text().to_owned());
    let named = whole.configuration.section("Hosts").first_setting();
    if named.is_none() && path.is_none() {
        own.push(for_nobody(&whole.configuration, first));
    }
    let by = named.or_else(|| whole.configuration.setting("PathBase")).unwrap_or(first);
    own.extend(answers_nothing(&stages, by));
    own.extend(root_missing(&whole, &stages));
    problems.extend(own.into_iter().map(|problem| of_site(&name, problem)));
    let certificate = section.section("Certificate");
    let root = &loaded.content_root.value;
    let certificate = tls::certificate(&certificate, certificate.path(), root, problems);
    let hosts = match (hosts.is_empty(), path.is_some()) {
        (true, true) => vec![SiteHost { host: HostPattern::EveryLast, port: None }],
        (_, _) => hosts,
    };
    Some(SiteSettings {
        name,
        origin: first.origin.clone(),
        place: SitePlace { hosts, path: path.unwrap_or_default() },
        certificate,
        stages: Box::new(stages),
    })
}

/// A site as if it were the whole configuration, of a host without an app.
fn below(loaded: &Loaded, section: &Section<'_>) -> Loaded {
    let configuration = loaded.configuration.rooted_at(section.path());
    let mut whole = Loaded { configuration, problems: Vec::new(), ..loaded.clone() };
    // Without a folder of its own, it is not to serve that of another one.
    whole.host_alone = host::web_root(&whole).is_some();
    whole
}

fn stages(whole: &Loaded, of_host: &Configuration, problems: &mut Vec<Problem>) -> StageSettings {
    let mut stages = pipeline::read(whole, &CodeCors::default(), problems);
    stages.static_files = static_files::read_all(whole, false, problems);
    stages.files_before_routes();
    // What is the host's: it is done before it is known for which site a request is, or around all of them.
    stages.health_checks = None;
    stages.allowed_hosts = None;
    stages.forwarded_headers = None;
    stages.error_pages.developer_page = None;
    problems.extend(stage_places::told(whole, of_host, &stages));
    stages
}

/// `Hosts`: a list, or one text with `;` between.
fn hosts(configuration: &Configuration, problems: &mut Vec<Problem>) -> Vec<SiteHost> {
    let section = configuration.section("Hosts");
    let listed = section.children();
    let listed = listed.iter().filter_map(Section::setting);
    let texts = section.setting().into_iter().chain(listed);
    let entries = texts.flat_map(|setting| {
        let text = setting.value.as_deref().unwrap_or_default();
        text.split(';').map(move |entry| (setting, entry.trim()))
    });
    let mut hosts = Vec::new();
    for (setting, entry) in entries {
        // What has one may have a password in any of its parts.
        let has_user =
            setting.value.as_deref().is_some_and(|it| it.contains('@') || it.contains("%40"));
        if has_user {
            problems.push(with_user(setting));
            return hosts;
        }
        match host(entry) {
            Ok(host) => hosts.push(host),
            Err((why, fix)) => problems.push(
                Problem::error(format!("'{}' is no host of a site: {why}.", entry.escape_debug()))
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix(fix),
            ),
        }
    }
    hosts
}

fn with_user(setting: &Setting) -> Problem {
    Problem::error(format!("'{}' is no host of a site: a host has no user.", setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write the host alone")
}

fn host(entry: &str) -> Result<SiteHost, (&'static str, String)> {
    let host = SiteHost::parse(entry);
    let is_whole = |host: &SiteHost| match host.host {
        HostPattern::EveryFirst | HostPattern::EveryLast | HostPattern::Address(_) => true,
        HostPattern::Name(_) | HostPattern::Below(_) => false,
    };
    match host {
        Some(host) if is_whole(&host) => Ok(host),
        Some(host) => {
            let name = SiteHost { port: None, ..host.clone() }.to_string();
            never_matches(&name).map_or(Ok(host), Err)
        }
        None => Err(never_matches(entry)
            .filter(|(why, _)| !why.contains("port"))
            .unwrap_or(("its port is none", "write a port from 1 to 65535, or none".to_owned()))),
    }
}

/// A text in the place of a section.
fn no_section(setting: &Setting, key: &str) -> Problem {
    let fix = match keys_equal(key, KEY) {
        true => {
            "write {\"Shop\": {\"Hosts\": [\"shop.example\"], \"webroot\": \"shop\"}}".to_owned()
        }
        false => "write {\"Hosts\": [\"shop.example\"], \"webroot\": \"shop\"}".to_owned(),
    };
    Problem::error(format!("'{key}' is a section: a text has no effect there."))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(fix)
}

fn for_nobody(configuration: &Configuration, first: &Setting) -> Problem {
    let path_base = configuration.setting("PathBase");
    let problem = Problem::error("It is for no request: neither its Hosts are named, nor its PathBase.")
        .key(first.key.clone())
        .origin(first.origin.clone())
        .fix("name its hosts, such as \"Hosts\": [\"shop.example\"]; * is every host that no other site has");
    match path_base {
        Some(_) => problem.cause("A PathBase that is the root tells nothing apart."),
        None => problem,
    }
}

/// A site that nothing answers for.
fn answers_nothing(stages: &StageSettings, by: &Setting) -> Option<Problem> {
    let answers = stages.static_files.is_some()
        || stages.reverse_proxy.is_some()
        || stages.rewrite.is_some()
        || stages.https_redirection.is_some();
    (!answers).then(|| {
        Problem::warning("Nothing answers its requests: it has neither files nor routes.")
            .key(by.key.clone())
            .origin(by.origin.clone())
            .fix("name the folder of its files, webroot, or add ReverseProxy with routes and clusters")
    })
}

/// A folder of files that is named, and not there: nobody makes it.
fn root_missing(whole: &Loaded, stages: &StageSettings) -> Option<Problem> {
    let root = host::web_root(whole)?;
    (stages.static_files.is_some() && !root.value.is_dir()).then(|| {
        let shown = root.value.display().to_string();
        let shown = address_without_user_info(&shown);
        Problem::warning(format!("The web root {shown} is not there: nothing is served from it."))
            .key("webroot")
            .origin(root.origin)
            .fix("create the folder, or name another one")
    })
}

/// Two sites for the same requests.
fn at_the_same_place(one: &SiteSettings, other: &SiteSettings) -> Option<Problem> {
    let is_same = one.place.path.to_lowercase() == other.place.path.to_lowercase();
    let both = other.place.hosts.iter().find(|host| is_same && one.place.hosts.contains(host))?;
    let below = match &*other.place.path {
        "" => String::new(),
        path => format!(", below {path}"),
    };
    Some(
        Problem::error(format!(
            "The sites '{}' and '{}' are for the same requests: those for {both}{below}.",
            one.name, other.name
        ))
        .key(site_section(&other.name))
        .origin(other.origin.clone())
        .fix("let one of them have another host, or a PathBase"),
    )
}

impl SiteSettings {
    /// Where it is, in words.
    pub(crate) fn shown(&self) -> String {
        let hosts: Vec<_> = self.place.hosts.iter().map(ToString::to_string).collect();
        let path = &self.place.path;
        let below = if path.is_empty() { String::new() } else { format!(" below {path}") };
        format!("{} for {}{below}", self.name, hosts.join(", "))
    }

    /// The names among its hosts that clients of https ask for.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.place.hosts.iter().filter_map(|host| match &host.host {
            HostPattern::Name(name) => Some(name.clone()),
            HostPattern::Below(end) => Some(format!("*{end}")),
            HostPattern::EveryFirst | HostPattern::EveryLast | HostPattern::Address(_) => None,
        })
    }
}
