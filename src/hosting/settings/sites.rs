//! `Sites`: several on the addresses of the host, each with settings of its own.
//!
//! What stands in a site is read as it is at the top, by the same readers: to them, the section of the site is the
//! whole configuration. What they say of it gets the name of the site.

use super::allowed_hosts::never_matches;
use super::cors::CodeCors;
use super::given_away::KeyFile;
use super::keys::{Place, place};
use super::lists;
use super::pipeline::{self, SiteSettings, SitesSettings, StageSettings};
use super::section_meant::section_meant;
use super::site_names::{KEY, of_site};
use super::site_places as places;
use super::stage_places;
use super::{host, site_limits, static_files, tls};
use crate::configuration::near_names::did_you_mean;
use crate::configuration::text::boolean;
use crate::configuration::{
    Configuration, Loaded, Problem, Section, Setting, address_without_user_info,
    key_without_secret, keys_equal,
};
use crate::middleware::{HostPattern, SiteHost, SitePlace};

/// Reads all sites. `host` is what the host has besides: its stages, and the keys that all its settings name.
pub(super) fn read(
    loaded: &Loaded,
    (stages, keys): (&StageSettings, &[KeyFile<'_>]),
    problems: &mut Vec<Problem>,
) -> Option<SitesSettings> {
    let section = loaded.configuration.section(KEY);
    if let Some(setting) = section.setting().filter(|it| it.value.is_some()) {
        problems.push(no_section(setting, KEY));
    }
    let reading = Reading { loaded, stages, keys };
    let sections = section.children();
    let sites: Vec<_> = sections.iter().filter_map(|it| reading.site(it, problems)).collect();
    problems.extend(places::at_one_place(&sites));
    problems.extend(places::two_certificates(&sites));
    problems.extend(places::at_one_port(stages, &sites));
    let is_last =
        loaded.host_alone && stages.static_files.is_none() && !stages.answers_without_files();
    (!sites.is_empty()).then_some(SitesSettings { sites, is_last })
}

/// What sites are read with.
struct Reading<'a> {
    loaded: &'a Loaded,
    /// What the host has around all sites.
    stages: &'a StageSettings,
    keys: &'a [KeyFile<'a>],
}

impl Reading<'_> {
    fn site(&self, section: &Section<'_>, problems: &mut Vec<Problem>) -> Option<SiteSettings> {
        let first = section.first_setting()?;
        let name = section.name();
        let wrong = match section.setting().filter(|it| it.value.is_some()) {
            Some(setting) => Some(no_section(setting, section.path())),
            None => no_name(name, first),
        };
        if let Some(problem) = wrong {
            problems.push(problem);
            return None;
        }
        let whole = below(self.loaded, section);
        let mut own = unknown(section);
        let stages = self.stages_of(name, &whole, &mut own);
        let hosts = hosts(&whole.configuration, &mut own);
        let path = places::path(&whole.configuration, &stages, &mut own);
        let named = whole.configuration.section("Hosts").first_setting();
        let by = named.or_else(|| whole.configuration.setting("PathBase")).unwrap_or(first);
        if named.is_none() && path.is_empty() {
            own.push(for_nobody(&whole.configuration, by));
        }
        // Where something is wrong, nothing may answer because of that.
        if !own.iter().any(Problem::is_error) {
            own.extend(answers_nothing(&stages, switched_off(&whole.configuration).unwrap_or(by)));
        }
        own.extend(root_missing(&whole, &stages));
        own.extend(self.of_the_host(&whole.configuration, &hosts));
        problems.extend(own.into_iter().map(|problem| of_site(name, problem)));
        problems.extend(stage_places::logs_in(&self.loaded.configuration, self.stages, &stages));
        let certificate = section.section("Certificate");
        let root = &self.loaded.content_root.value;
        let certificate = tls::certificate(&certificate, certificate.path(), root, problems);
        let hosts = match (named, path.is_empty()) {
            (None, false) => vec![SiteHost { host: HostPattern::EveryLast, port: None }],
            (_, _) => hosts,
        };
        let site = SiteSettings {
            name: name.to_owned(),
            origin: by.origin.clone(),
            place: SitePlace { hosts, path },
            certificate,
            stages: Box::new(stages),
        };
        problems.extend(places::certificate_for_nobody(&site));
        Some(site)
    }

    fn stages_of(&self, name: &str, whole: &Loaded, problems: &mut Vec<Problem>) -> StageSettings {
        let mut stages = pipeline::read(whole, &CodeCors::default(), problems);
        let wrong = std::mem::take(&mut stages.cannot_start).into_iter();
        stages.cannot_start = wrong.map(|it| of_site(name, it)).collect();
        if let Some(program) = &mut stages.child_process {
            program.value.site = Some(name.to_owned());
        }
        stages.static_files =
            static_files::read_all(whole, (stages.child_process.is_none(), false), problems);
        stages.files_before_routes();
        stages.body_limit = site_limits::read(&whole.configuration, problems);
        // What is the host's: it is done before it is known for which site a request is, or around all of them.
        stages.health_checks = None;
        stages.allowed_hosts = None;
        stages.forwarded_headers = None;
        stages.error_pages.developer_page = None;
        let of_host = (&self.loaded.configuration, self.keys);
        problems.extend(stage_places::told(whole, of_host, &stages));
        stages
    }

    /// What the host does around a site against what the site says.
    fn of_the_host(&self, own: &Configuration, hosts: &[SiteHost]) -> Vec<Problem> {
        let switch =
            |configuration: &Configuration, key: &str| configuration.value(key).and_then(boolean);
        let sections = own.section("").children();
        let switches = sections.iter().map(|section| format!("{}:Enabled", section.path()));
        let off = switches.filter(|key| switch(own, key) == Some(false));
        let vain = off.filter(|key| switch(&self.loaded.configuration, key) == Some(true));
        let mut problems: Vec<_> = vain
            .filter_map(|key| {
                let setting = own.setting(&key)?;
                let problem = Problem::warning(format!(
                    "'{}' has no effect: it is on for all sites.",
                    setting.key
                ));
                let problem = problem.key(setting.key.clone()).origin(setting.origin.clone());
                Some(
                    problem.fix(format!(
                        "set {key} in the sites that are to have it, and not at the top"
                    )),
                )
            })
            .collect();
        let allowed = self.stages.allowed_hosts.as_ref().map(|it| &it.value);
        let kept_out = hosts.iter().find_map(|host| match &host.host {
            HostPattern::Name(name) => allowed.filter(|it| !it.allow(name)).map(|_| name),
            _ => None,
        });
        problems.extend(kept_out.map(|name| {
            Problem::warning(format!("No request for {name} gets here: AllowedHosts refuses them."))
                .key("Hosts")
                .fix(format!("add {name} to AllowedHosts, or remove AllowedHosts"))
        }));
        problems
    }
}

/// What stands in a site that it does not have. Nobody else reads it: it is meant for the site, and a misspelled
/// word must not open it.
fn unknown(section: &Section<'_>) -> Vec<Problem> {
    let wrong = section.children().into_iter().filter_map(|child| {
        let Place::Unknown { names, .. } = place(child.path()) else { return None };
        let setting = child.first_setting()?;
        let known = || names.iter().map(|row| row.name);
        let name = child.name();
        let meant = did_you_mean(name, known()).or_else(|| section_meant(&child, names));
        let fix = match (meant, place(name)) {
            (Some(meant), _) => format!("did you mean {meant}?"),
            (None, Place::Known(row)) => format!("write {} at the top: it is the host's", row.name),
            (None, _) => {
                format!("remove it; a site has {}", known().collect::<Vec<_>>().join(", "))
            }
        };
        let shown = key_without_secret(child.path());
        let problem = Problem::error(format!("The key '{shown}' means nothing to the server."));
        Some(problem.key(child.path()).origin(setting.origin.clone()).fix(fix))
    });
    wrong.collect()
}

/// A name that would spoil what is shown of it, or that nobody can write.
fn no_name(name: &str, first: &Setting) -> Option<Problem> {
    let is_one = !name.trim().is_empty() && !name.chars().any(char::is_control);
    (!is_one).then(|| {
        Problem::error(format!("'{}' is no name of a site.", name.escape_debug()))
            .key(KEY)
            .origin(first.origin.clone())
            .fix("write a name of letters and digits, such as Shop")
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

/// `Hosts`: a list, or one text with `;` between; of both, what was said more strongly.
fn hosts(configuration: &Configuration, problems: &mut Vec<Problem>) -> Vec<SiteHost> {
    let section = configuration.section("Hosts");
    let listed = section.children();
    let strongest = listed.iter().filter_map(|it| Some(it.first_setting()?.layer)).max();
    let text = section.setting().filter(|it| it.value.is_some());
    let text = text.filter(|it| strongest.is_none_or(|layer| it.layer >= layer));
    let entries: Vec<_> = match text {
        Some(text) => vec![(text, text.value.as_deref().unwrap_or_default())],
        None if listed.is_empty() => Vec::new(),
        None => lists::list(configuration, "Hosts", problems).entries,
    };
    let mut hosts = Vec::new();
    for (setting, text) in entries {
        // What has one may have a password in any of its parts.
        if text.contains('@') || text.contains("%40") {
            problems.push(with_user(setting));
            continue;
        }
        for entry in text.split(';').map(str::trim) {
            match host(entry) {
                Ok(host) => hosts.push(host),
                Err((why, fix)) => problems.push(
                    Problem::error(format!(
                        "'{}' is no host of a site: {why}.",
                        entry.escape_debug()
                    ))
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix(fix),
                ),
            }
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
    let every = || "write *, which is every host that no other site has".to_owned();
    match SiteHost::parse(entry) {
        Some(host) => match &host.host {
            HostPattern::EveryFirst | HostPattern::EveryLast => Ok(host),
            HostPattern::Address(address) if address.is_unspecified() => {
                Err(("no request comes in at it", every()))
            }
            HostPattern::Address(_) => Ok(host),
            HostPattern::Name(name) if name == "_" => Err(("no request names it", every())),
            HostPattern::Name(name) if is_nearly_an_address(name) => {
                Err(("it is no address", "write an address of this machine, or a name".to_owned()))
            }
            HostPattern::Name(_) | HostPattern::Below(_) => {
                let name = SiteHost { port: None, ..host.clone() }.to_string();
                let has_gap =
                    name.contains("..") || name.get(1..).is_some_and(|it| it.contains('*'));
                match never_matches(&name) {
                    Some(why) => Err(why),
                    None if has_gap => Err((
                        "no name has such a part",
                        "write the host as it stands in a URL".to_owned(),
                    )),
                    None => Ok(host),
                }
            }
        },
        None => Err(never_matches(entry)
            .filter(|(why, _)| !why.contains("port"))
            .unwrap_or(("its port is none", "write a port from 1 to 65535, or none".to_owned()))),
    }
}

/// Digits and dots that are no address.
fn is_nearly_an_address(name: &str) -> bool {
    name.contains('.') && name.bytes().all(|it| it.is_ascii_digit() || it == b'.')
}

/// A text in the place of a section.
fn no_section(setting: &Setting, key: &str) -> Problem {
    let fix = match keys_equal(key, KEY) {
        true => {
            "write {\"Shop\": {\"Hosts\": [\"shop.example\"], \"webroot\": \"shop\"}}".to_owned()
        }
        false => "write {\"Hosts\": [\"shop.example\"], \"webroot\": \"shop\"}".to_owned(),
    };
    Problem::error(format!("'{key}' is a section: what stands there has no effect."))
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

/// What switches a program off that would answer.
fn switched_off(configuration: &Configuration) -> Option<&Setting> {
    configuration.setting("AspNetCore:ProcessPath")?;
    configuration.setting("AspNetCore:Enabled")
}

/// A site that nothing answers for.
fn answers_nothing(stages: &StageSettings, by: &Setting) -> Option<Problem> {
    let answers = stages.static_files.is_some()
        || stages.reverse_proxy.is_some()
        || stages.child_process.is_some()
        || stages.rewrite.is_some()
        || stages.https_redirection.is_some();
    (!answers).then(|| {
        Problem::warning("Nothing answers its requests: it has neither files nor routes, nor a program.")
            .key(by.key.clone())
            .origin(by.origin.clone())
            .fix("name the folder of its files, webroot, or add ReverseProxy with routes and clusters, or AspNetCore with a program")
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

impl SiteSettings {
    /// The same without anything that answers its requests: they are not found.
    pub(crate) fn closed(&self) -> Self {
        Self { certificate: None, stages: Box::default(), ..self.clone() }
    }

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
