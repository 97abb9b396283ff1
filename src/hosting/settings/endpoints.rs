//! `urls`, the ports, `Kestrel:Endpoints`, `Kestrel:EndpointDefaults` and what a process manager
//! dictates.

use super::keys::{Part, words_for};
use super::parse::{host_boolean, separated};
use super::protocols::protocols;
use super::{in_code, process_manager, proxy_protocol, tls, unix_socket};
use crate::addresses::{
    BindingAddress, BindingHost, ConfiguredEndpoint, EndpointSettings, ListenTarget,
    ProcessManager, UnixSocketOptions,
};
use crate::configuration::near_names::did_you_mean;
use crate::configuration::{
    Configuration, Loaded, Origin, Problem, Section, Setting, Sourced, address_without_user_info,
};

/// What code and the surroundings say of endpoints: it stands beside the configuration, not in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeEndpoints {
    pub(crate) listen: Vec<ConfiguredEndpoint>,
    /// Those of which the target could not be read.
    pub(crate) refused: Vec<ConfiguredEndpoint>,
    pub(crate) added_urls: Vec<Sourced<String>>,
    /// The sockets that were passed to this process.
    pub(crate) passed: Vec<ConfiguredEndpoint>,
    /// What says that this process runs in a container.
    pub(crate) container: Option<String>,
    /// What is bound if nobody says anything, in the place of Kestrel's default.
    pub(crate) default_address: Option<&'static str>,
}

pub(super) fn read(
    loaded: &Loaded,
    code: CodeEndpoints,
    problems: &mut Vec<Problem>,
) -> EndpointSettings {
    let configuration = &loaded.configuration;
    let content_root = &loaded.content_root.value;
    let (default_ssl_protocols, default_client_certificate_mode) =
        tls::defaults(configuration, problems);
    in_code::check(&code.listen, problems);
    unix_socket::check_accounts(code.listen.iter().chain(&code.refused), problems);
    let mut refused = code.refused;
    let endpoints = configuration
        .section("Kestrel:Endpoints")
        .children()
        .iter()
        .filter_map(|section| endpoint(section, loaded, &mut refused, problems))
        .collect();
    let owned = |key| configuration.non_empty(key).map(|setting| setting.map(str::to_owned));
    let urls = separated(configuration, "urls", problems);
    let prefer_hosting_urls = host_boolean(configuration, "preferHostingUrls", problems);
    let settings = EndpointSettings {
        listen: code.listen,
        endpoints,
        refused,
        added_urls: code.added_urls,
        passed: code.passed,
        shadowed_urls: shadowed(configuration, "urls", urls.as_ref()),
        urls,
        http_ports: owned("http_ports"),
        https_ports: owned("https_ports"),
        prefer_hosting_urls,
        default_protocols: protocols(&configuration.section("Kestrel:EndpointDefaults"), problems),
        default_ssl_protocols,
        default_client_certificate_mode,
        default_client_certificate_roots: tls::client_certificate_roots(
            &configuration.section("Kestrel:EndpointDefaults"),
            content_root,
        ),
        process_manager: process_manager::said(&loaded.aspnetcore_variables)
            .map(|said| ProcessManager { port: said.port.map(str::to_owned) }),
        container: code.container,
        default_address: code.default_address,
    };
    tls::tell_unused_roots(configuration, &settings, problems);
    settings
}

/// Values of `key` that lost to `used`; one that is empty or null says nothing.
fn shadowed(
    configuration: &Configuration,
    key: &str,
    used: Option<&Sourced<String>>,
) -> Vec<Sourced<String>> {
    let Some(setting) = configuration.setting(key) else {
        return Vec::new();
    };
    // A list in the place of the text may have won.
    let itself = used.filter(|used| used.origin != setting.origin);
    let itself = itself.map(|_| (setting.value.as_ref(), &setting.origin));
    let weaker = setting.shadowed.iter().map(|lost| (lost.value.as_ref(), &lost.origin));
    itself
        .into_iter()
        .chain(weaker)
        .filter_map(|(value, origin)| Some(Sourced::new(value?.clone(), origin.clone())))
        .filter(|lost| !lost.value.is_empty())
        .collect()
}

/// Reads one endpoint. One that has no `Url` goes to those that are `refused`, and is read to its end:
/// what else is wrong with it is told with it.
fn endpoint(
    section: &Section<'_>,
    loaded: &Loaded,
    refused: &mut Vec<ConfiguredEndpoint>,
    problems: &mut Vec<Problem>,
) -> Option<ConfiguredEndpoint> {
    let url = section.non_empty("Url");
    if url.is_none() {
        problems.push(missing_url(section));
    }
    // A URL that cannot be read is refused by the plan.
    let address = url.as_ref().and_then(|url| BindingAddress::parse(url.value).ok());
    let https = address.as_ref().map(|address| address.https);
    if https == Some(false) {
        refuse_https_only_keys(section, problems);
    }
    let unix_socket = match address.as_ref().map(|address| &address.host) {
        Some(BindingHost::UnixSocket(_)) | None => unix_socket::read(section, problems),
        Some(_) => {
            unix_socket::tell_without_meaning(section, problems);
            UnixSocketOptions::default()
        }
    };
    let there = url.is_some();
    let (key, url) = match url {
        Some(url) => (format!("{}:Url", section.path()), url),
        // What else is wrong is most likely its protocols.
        None => {
            let named = section.setting_at("Protocols").or_else(|| section.first_setting());
            let key = named.map_or(section.path(), |named| named.key.as_str());
            let origin = named.map_or(Origin::Default, |named| named.origin.clone());
            (key.to_owned(), Sourced::new("", origin))
        }
    };
    let endpoint = ConfiguredEndpoint {
        name: section.name().to_owned(),
        key,
        target: url.map(|url| ListenTarget::Url(url.to_owned())),
        protocols: protocols(section, problems),
        tls: (https != Some(false))
            .then(|| tls::endpoint(section, &loaded.content_root.value, problems)),
        unix_socket,
        proxy_protocol: proxy_protocol::read(&loaded.configuration, section, problems),
    };
    if there {
        return Some(endpoint);
    }
    refused.push(endpoint);
    None
}

/// An endpoint that does not say where to listen: what stands in the place of its `Url`, if that can
/// be told, else what makes it an endpoint.
fn missing_url(section: &Section<'_>) -> Problem {
    let name = section.name();
    let key = format!("{}:Url", section.path());
    let problem =
        Problem::error(format!("The endpoint {name} is missing the required 'Url' parameter."));
    let set = format!("set {key} to an address such as http://localhost:5000");
    let text = section.setting().and_then(|own| Some((own, own.value.as_deref()?)));
    if let Some((own, text)) = text.filter(|(_, text)| !text.is_empty()) {
        let text = address_without_user_info(text);
        return problem
            .key(section.path())
            .origin(own.origin.clone())
            .fix(format!("write \"{name}\": {{ \"Url\": \"{text}\" }}"));
    }
    let children = section.children();
    let below = section.section("Url").children();
    if let Some(first) = below.iter().find_map(Section::first_setting) {
        let (shape, fix) = instead_of_more_than_a_text(section, &below);
        return problem
            .cause(format!("A {shape} stands there, where one text is read."))
            .key(key)
            .origin(first.origin.clone())
            .fix(fix);
    }
    if let Some(empty) = section.setting_at("Url") {
        return problem.key(key).origin(empty.origin.clone()).fix(set);
    }
    let words = words_for(&key, Part::Whole);
    let is_like_url = |child: &&Section<'_>| {
        let name = child.name().trim();
        words.iter().any(|like| like.eq_ignore_ascii_case(name))
            || did_you_mean(name, ["Url"]).is_some()
            || (name.len() == 2 && "url".starts_with(&name.to_lowercase()))
    };
    if let Some(meant) = children.iter().find(is_like_url)
        && let Some(setting) = meant.first_setting()
    {
        return problem
            .cause(format!("The key '{}' means nothing to the server.", meant.path()))
            .key(meant.path())
            .origin(setting.origin.clone())
            .fix(format!("did you mean {key}?"));
    }
    let cause = children.iter().find_map(Section::first_setting).or_else(|| section.setting()).map(
        |first| {
            let Setting { key, origin, .. } = first;
            format!(
                "{key} makes it an endpoint (set by: {origin}), and nothing says where it listens."
            )
        },
    );
    let problem = problem.key(key).fix(set);
    match cause {
        Some(cause) => problem.cause(cause),
        None => problem,
    }
}

/// What a list or a section is, and what to write in its place.
fn instead_of_more_than_a_text(
    section: &Section<'_>,
    below: &[Section<'_>],
) -> (&'static str, String) {
    let is_list = below.iter().all(|child| child.name().parse::<u32>().is_ok());
    let texts: Vec<_> = below
        .iter()
        .filter_map(|child| child.setting()?.value.as_deref())
        .map(address_without_user_info)
        .collect();
    let shape = if is_list { "list" } else { "section" };
    let fix = match &texts[..] {
        [one] if is_list => format!("write one text: \"Url\": \"{one}\""),
        [first, _, ..] if is_list => format!(
            "write one text, \"Url\": \"{first}\", and give every other address an endpoint of its own, such as {}2:Url",
            section.path()
        ),
        _ => "write one text, such as \"Url\": \"http://localhost:5000\"".to_owned(),
    };
    (shape, fix)
}

/// Keys that need TLS, in the order Kestrel looks for them.
fn refuse_https_only_keys(section: &Section<'_>, problems: &mut Vec<Problem>) {
    let certificate = ["Path", "Subject"]
        .iter()
        .find_map(|key| section.section("Certificate").non_empty(key))
        .map(|setting| setting.origin);
    // A plain text in the place of the list, and a mode that does not exist, mean nothing to Kestrel.
    let below = |key: &str| {
        let children = section.section(key).children();
        let first = children.first()?;
        Some(first.setting().map(|setting| setting.origin.clone()))
    };
    let mode = section.non_empty("ClientCertificateMode");
    let mode = mode.filter(|mode| {
        tls::parse_mode(mode.value).is_some() || mode.value.trim().parse::<i32>().is_ok()
    });
    let roots = section.non_empty("ClientCertificateRoots").map(|roots| Some(roots.origin));
    let roots = roots.or_else(|| below("ClientCertificateRoots"));
    let found = [
        ("Certificate", certificate.map(Some)),
        ("ClientCertificateMode", mode.map(|mode| Some(mode.origin))),
        ("SslProtocols", below("SslProtocols")),
        ("ClientCertificateRoots", roots),
        ("Sni", below("Sni")),
    ];
    if let Some((key, Some(origin))) = found.into_iter().find(|(_, found)| found.is_some()) {
        let mut problem = Problem::error(format!(
            "The non-HTTPS endpoint {} includes HTTPS-only configuration for {key}.",
            section.name()
        ))
        .key(format!("{}:{key}", section.path()))
        .fix("write https:// in its Url, or remove the key");
        if let Some(origin) = origin {
            problem = problem.origin(origin);
        }
        problems.push(problem);
    }
}
