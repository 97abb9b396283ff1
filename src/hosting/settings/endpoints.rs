//! `urls`, the ports, `Kestrel:Endpoints`, `Kestrel:EndpointDefaults` and what a process manager
//! dictates.

use std::path::Path;

use super::values::{host_boolean, meant_value, separated};
use super::{CodeEndpoints, tls, unix_socket};
use crate::addresses::{
    BindingAddress, ConfiguredEndpoint, EndpointSettings, Host, HttpProtocols, ListenTarget,
    ProcessManager, UnixSocketOptions,
};
use crate::configuration::{
    Configuration, Loaded, Problem, Section, Sourced, address_without_user_info,
};

pub(super) fn read(
    loaded: &Loaded,
    code: CodeEndpoints,
    problems: &mut Vec<Problem>,
) -> EndpointSettings {
    let configuration = &loaded.configuration;
    let content_root = &loaded.content_root.value;
    let (default_ssl_protocols, default_client_certificate_mode) =
        tls::defaults(configuration, problems);
    unix_socket::check_accounts(&code.listen, problems);
    let owned = |key| configuration.non_empty(key).map(|setting| setting.map(str::to_owned));
    let urls = separated(configuration, "urls", problems);
    let prefer_hosting_urls = host_boolean(configuration, "preferHostingUrls", problems);
    let settings = EndpointSettings {
        listen: code.listen,
        endpoints: configuration
            .section("Kestrel:Endpoints")
            .children()
            .iter()
            .filter_map(|section| endpoint(section, content_root, problems))
            .collect(),
        added_urls: code.added_urls,
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
        process_manager: process_manager(&loaded.aspnetcore_variables),
        container: code.container,
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

fn endpoint(
    section: &Section<'_>,
    content_root: &Path,
    problems: &mut Vec<Problem>,
) -> Option<ConfiguredEndpoint> {
    let name = section.name();
    let Some(url) = section.non_empty("Url") else {
        let below = || section.children().first().and_then(Section::setting);
        let said = section.get("Url").or_else(|| section.setting()).or_else(below);
        let text = section.setting().and_then(|setting| setting.value.as_deref());
        let fix = match text.filter(|text| !text.is_empty()) {
            Some(text) => {
                let text = address_without_user_info(text);
                format!("write \"{name}\": {{ \"Url\": \"{text}\" }}")
            }
            None => {
                format!("set {}:Url to an address such as http://localhost:5000", section.path())
            }
        };
        let mut problem =
            Problem::error(format!("The endpoint {name} is missing the required 'Url' parameter."))
                .key(format!("{}:Url", section.path()))
                .fix(fix);
        if let Some(setting) = said {
            problem = problem.origin(setting.origin.clone());
        }
        problems.push(problem);
        return None;
    };
    // A URL that cannot be read is refused by the plan.
    let address = BindingAddress::parse(url.value).ok();
    let https = address.as_ref().map(|address| address.https);
    if https == Some(false) {
        refuse_https_only_keys(section, problems);
    }
    let unix_socket = match address.as_ref().map(|address| &address.host) {
        Some(Host::UnixSocket(_)) => unix_socket::read(section, problems),
        Some(_) => {
            unix_socket::tell_without_meaning(section, problems);
            UnixSocketOptions::default()
        }
        None => UnixSocketOptions::default(),
    };
    Some(ConfiguredEndpoint {
        name: name.to_owned(),
        key: format!("{}:Url", section.path()),
        target: url.map(|url| ListenTarget::Url(url.to_owned())),
        protocols: protocols(section, problems),
        tls: (https == Some(true)).then(|| tls::endpoint(section, content_root, problems)),
        unix_socket,
    })
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

/// `Protocols` of an endpoint or of the defaults. Kestrel passes over a text it does not know; so
/// do we, but not in silence.
pub(super) fn protocols(
    section: &Section<'_>,
    problems: &mut Vec<Problem>,
) -> Option<HttpProtocols> {
    let text = section.non_empty("Protocols")?;
    let read = HttpProtocols::parse(text.value);
    if read.is_none() {
        let names = HttpProtocols::SPOKEN;
        let fix = match meant_value(text.value, &names) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("write one of {}", names.join(", ")),
        };
        problems.push(
            Problem::warning(format!("'{}' names no HTTP protocols and is left out.", text.value))
                .key(format!("{}:Protocols", section.path()))
                .origin(text.origin)
                .fix(fix),
        );
    }
    read
}

/// A process manager speaks through three variables with the prefix `ASPNETCORE_`; it is only one
/// if all of them say something.
pub(super) fn process_manager(variables: &Configuration) -> Option<ProcessManager> {
    let port = variables.non_empty("PORT")?;
    variables.non_empty("APPL_PATH")?;
    variables.non_empty("TOKEN")?;
    Some(ProcessManager { port: port.map(str::to_owned) })
}
