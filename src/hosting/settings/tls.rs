//! `Certificate`, `SslProtocols`, `ClientCertificateMode` and `Sni` of an endpoint, the defaults of
//! `Kestrel:EndpointDefaults`, and `Kestrel:Certificates`.

use std::path::Path;

use super::parse::{boolean_or, shown};
use super::protocols::protocols;
use crate::addresses::{ConfiguredTls, EndpointSettings};
use crate::configuration::load::from_content_root;
use crate::configuration::near_names::{did_you_mean, meant_value};
use crate::configuration::{Configuration, Loaded, Problem, Section};
use crate::tls::{
    CertificateLocation, CertificateSource, ClientCertificateMode, RootsSource, Secret, SniOptions,
    SslProtocols, StoreLocation,
};

/// The certificates that serve endpoints which have none of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SharedCertificates {
    /// `Kestrel:Certificates:Default`, which is loaded even if nothing uses it.
    pub(crate) default: Option<CertificateSource>,
    /// The password of the application's development file; it is not looked for without one, nor
    /// beside a `Default`.
    pub(crate) development_password: Option<Secret>,
}

/// Reads `Kestrel:Certificates`. Names other than `Default` and `Development` mean nothing.
pub(super) fn shared_certificates(
    loaded: &Loaded,
    problems: &mut Vec<Problem>,
) -> SharedCertificates {
    let section = loaded.configuration.section("Kestrel:Certificates");
    let default = section.section("Default");
    let development = section.section("Development");
    let password = development.non_empty("Password");
    // A path below it is a certificate of its own name, which nothing uses.
    let is_file = development.non_empty("Path").is_none() && !default.exists();
    SharedCertificates {
        default: certificate(&default, "Default", &loaded.content_root.value, problems),
        development_password: password
            .filter(|_| is_file)
            .map(|password| Secret::new(password.value)),
    }
}

/// Reads what an https endpoint says of TLS.
pub(super) fn endpoint(
    section: &Section<'_>,
    content_root: &Path,
    problems: &mut Vec<Problem>,
) -> ConfiguredTls {
    let name = section.name();
    ConfiguredTls {
        certificate: certificate(&section.section("Certificate"), name, content_root, problems),
        ssl_protocols: ssl_protocols(section, problems),
        client_certificate_mode: client_certificate_mode(section, problems),
        client_certificate_roots: client_certificate_roots(section, content_root),
        sni: section
            .section("Sni")
            .children()
            .iter()
            .filter_map(|entry| sni(entry, name, content_root, problems))
            .collect(),
        server_config: None,
    }
}

fn sni(
    section: &Section<'_>,
    endpoint: &str,
    content_root: &Path,
    problems: &mut Vec<Problem>,
) -> Option<SniOptions> {
    let name = section.name();
    if name.is_empty() {
        let mut problem = Problem::error(format!(
            "The endpoint {endpoint} is invalid because an SNI configuration section has an empty \
             string as its key. Use a wildcard ('*') SNI section to match all server names."
        ))
        .key(section.path())
        .fix("name a host such as www.example.com, *.example.com for all below it, or *");
        if let Some(setting) = section.first_setting() {
            problem = problem.origin(setting.origin.clone());
        }
        problems.push(problem);
        return None;
    }
    let owner = format!("{endpoint}:Sni:{name}");
    Some(SniOptions {
        name: name.to_owned(),
        certificate: certificate(&section.section("Certificate"), &owner, content_root, problems),
        protocols: protocols(section, problems),
        ssl_protocols: ssl_protocols(section, problems),
        client_certificate_mode: client_certificate_mode(section, problems),
        client_certificate_roots: client_certificate_roots(section, content_root),
    })
}

/// Reads a certificate's node; one that names neither a file nor a subject says nothing.
pub(super) fn certificate(
    section: &Section<'_>,
    name: &str,
    content_root: &Path,
    problems: &mut Vec<Problem>,
) -> Option<CertificateSource> {
    let source = |location| CertificateSource::new(name, section.path(), location);
    let file = |key| section.non_empty(key).map(|path| from_content_root(content_root, path.value));
    match (file("Path"), section.non_empty("Subject")) {
        (Some(_), Some(subject)) => {
            problems.push(
                Problem::error(format!("The endpoint {name} specified multiple certificate sources."))
                    .key(format!("{}:Subject", section.path()))
                    .origin(subject.origin)
                    .fix("keep Path for a certificate in a file, or Subject for one in a store, and remove the other"),
            );
            None
        }
        (Some(path), None) => Some(source(CertificateLocation::File {
            path,
            key_path: file("KeyPath"),
            // An empty password is one, too.
            password: section
                .setting_at("Password")
                .and_then(|setting| setting.value.as_deref())
                .map(Secret::new),
        })),
        (None, Some(subject)) => Some(source(CertificateLocation::Store {
            subject: subject.value.to_owned(),
            store: section.non_empty("Store").map_or("My", |store| store.value).to_owned(),
            location: store_location(section, problems)?,
            allow_invalid: boolean_or(section, "AllowInvalid", false, problems),
        })),
        (None, None) => {
            lost_key(section, problems);
            None
        }
    }
}

/// A key without its certificate was meant to do something.
fn lost_key(section: &Section<'_>, problems: &mut Vec<Problem>) {
    if let Some(key_path) = section.non_empty("KeyPath") {
        problems.push(
            Problem::warning("A private key without a certificate is left out.")
                .key(format!("{}:KeyPath", section.path()))
                .origin(key_path.origin)
                .fix(format!("set {}:Path to the certificate's file", section.path())),
        );
    }
}

fn store_location(section: &Section<'_>, problems: &mut Vec<Problem>) -> Option<StoreLocation> {
    let Some(text) = section.non_empty("Location") else {
        return Some(StoreLocation::CurrentUser);
    };
    match text.value.trim() {
        name if name == "1" || name.eq_ignore_ascii_case("CurrentUser") => {
            Some(StoreLocation::CurrentUser)
        }
        name if name == "2" || name.eq_ignore_ascii_case("LocalMachine") => {
            Some(StoreLocation::LocalMachine)
        }
        name => {
            let name = shown("Location", name);
            problems.push(
                Problem::error(format!("Requested value '{name}' was not found."))
                    .key(format!("{}:Location", section.path()))
                    .origin(text.origin)
                    .fix("write CurrentUser or LocalMachine"),
            );
            None
        }
    }
}

/// The names of TLS versions in .NET, and their flags.
const SSL_PROTOCOLS: [(&str, u32); 8] = [
    ("None", 0),
    ("Ssl2", 12),
    ("Ssl3", 48),
    ("Tls", TLS10),
    ("Default", 240),
    ("Tls11", TLS11),
    ("Tls12", TLS12),
    ("Tls13", TLS13),
];
const TLS10: u32 = 192;
const TLS11: u32 = 768;
const TLS12: u32 = 3072;
const TLS13: u32 = 12_288;

/// Reads the list `SslProtocols`. Kestrel passes over what is no list and over names it does not
/// know; so do we, but not in silence. Versions before 1.2 are not spoken.
pub(super) fn ssl_protocols(
    section: &Section<'_>,
    problems: &mut Vec<Problem>,
) -> Option<SslProtocols> {
    let key = format!("{}:SslProtocols", section.path());
    if let Some(text) = section.non_empty("SslProtocols") {
        let given = shown(&key, text.value);
        problems.push(
            Problem::warning(format!("'{given}' is no list and is left out."))
                .key(key.clone())
                .origin(text.origin)
                .fix(format!("write a list: \"SslProtocols\": [\"{given}\"]")),
        );
    }
    let mut said = 0;
    let mut old = Vec::new();
    for item in section.section("SslProtocols").children() {
        let Some((setting, text)) =
            item.setting().and_then(|setting| Some((setting, setting.value.as_deref()?)))
        else {
            continue;
        };
        let Some(flags) = flags(text) else {
            let fix = match meant_version(text) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "write Tls12 or Tls13".to_owned(),
            };
            let text = shown(&setting.key, text);
            problems.push(
                Problem::warning(format!("'{text}' names no version of TLS and is left out."))
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix(fix),
            );
            continue;
        };
        said |= flags;
        if flags & !(TLS12 | TLS13) != 0 {
            old.push((setting, text));
        }
    }
    let protocols = spoken(said);
    for (setting, text) in old {
        let message = format!(
            "'{text}' is not spoken: versions of TLS before 1.2 are broken and were withdrawn in 2021 (RFC 8996)."
        );
        let problem = match protocols {
            Some(_) => Problem::warning(message)
                .fix("remove it; clients that know no newer version cannot be served"),
            None => {
                Problem::error(message).fix("write Tls12 or Tls13, or remove SslProtocols for both")
            }
        };
        problems.push(problem.key(setting.key.clone()).origin(setting.origin.clone()));
    }
    protocols
}

/// The version that is spoken and that was meant, if it is nearer than the other one.
pub(super) fn meant_version(text: &str) -> Option<&'static str> {
    // As others write it: `TLSv1.3`, `TLS 1.3`, `1.3`.
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase().replace('v', "");
    let near = |first, second| match plain.trim_start_matches("tls") {
        "12" => Some("Tls12"),
        "13" => Some("Tls13"),
        _ => did_you_mean(text, [first, second]),
    };
    // Of two that are as near, the first is found.
    near("Tls12", "Tls13").filter(|meant| near("Tls13", "Tls12") == Some(*meant))
}

/// The versions among these flags that are spoken, if any is.
fn spoken(flags: u32) -> Option<SslProtocols> {
    match (flags & TLS12 != 0, flags & TLS13 != 0) {
        (true, true) => Some(SslProtocols::ALL),
        (true, false) => Some(SslProtocols::TLS12),
        (false, true) => Some(SslProtocols::TLS13),
        (false, false) => None,
    }
}

/// The flags of a name without case, of a number, or of a comma list of names.
fn flags(text: &str) -> Option<u32> {
    if let Ok(number) = text.trim().parse() {
        return Some(number);
    }
    text.split(',').try_fold(0, |flags, name| {
        let known = SSL_PROTOCOLS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
        known.map(|(_, more)| flags | more)
    })
}

/// Reads `ClientCertificateMode`. Kestrel passes over a text it does not know; so do we, but not
/// in silence.
pub(super) fn client_certificate_mode(
    section: &Section<'_>,
    problems: &mut Vec<Problem>,
) -> Option<ClientCertificateMode> {
    let text = section.non_empty("ClientCertificateMode")?;
    let mode = parse_mode(text.value);
    let problem = match mode {
        None => {
            let names = ClientCertificateMode::NAMES.map(|(name, _)| name);
            let fix = match meant_value(text.value, &names) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("write one of {}", names.join(", ")),
            };
            let given = shown("ClientCertificateMode", text.value);
            let message = format!("'{given}' is no mode for client certificates and is left out.");
            Some(Problem::warning(message).fix(fix))
        }
        Some(ClientCertificateMode::DelayCertificate) => Some(never_asked()),
        Some(_) => None,
    };
    problems.extend(problem.map(|problem| {
        problem.key(format!("{}:ClientCertificateMode", section.path())).origin(text.origin)
    }));
    mode
}

/// Said of `DelayCertificate`, wherever it was set.
pub(super) fn never_asked() -> Problem {
    Problem::warning(
        "Clients cannot be asked for a certificate after the handshake: with DelayCertificate they \
         are never asked.",
    )
    .fix("write AllowCertificate to ask for one in the handshake, or NoCertificate")
}

/// Reads `ClientCertificateRoots`: a file or a folder, or a list of them.
pub(super) fn client_certificate_roots(
    section: &Section<'_>,
    content_root: &Path,
) -> Vec<RootsSource> {
    const KEY: &str = "ClientCertificateRoots";
    let listed = section.section(KEY);
    let items = listed.children();
    let items = items.iter().filter_map(|item| item.setting()?.value.as_deref());
    let one = section.non_empty(KEY).map(|path| path.value);
    let paths = one.into_iter().chain(items).filter(|path| !path.is_empty());
    paths.map(|path| from_content_root(content_root, path).into()).collect()
}

/// Tells of roots of an endpoint that asks no client for a certificate.
pub(super) fn tell_unused_roots(
    configuration: &Configuration,
    settings: &EndpointSettings,
    problems: &mut Vec<Problem>,
) {
    use ClientCertificateMode::{AllowCertificate, RequireCertificate};

    let asks = |mode: &ClientCertificateMode| matches!(mode, AllowCertificate | RequireCertificate);
    for endpoint in &settings.endpoints {
        let Some(tls) = &endpoint.tls else { continue };
        let own = tls.client_certificate_mode.or(settings.default_client_certificate_mode);
        let mut modes = tls.sni.iter().map(|entry| entry.client_certificate_mode).chain([own]);
        let names = tls.sni.iter().filter(|entry| !entry.client_certificate_roots.is_empty());
        let of_names = names.map(|entry| format!("Sni:{}:ClientCertificateRoots", entry.name));
        let of_own =
            (!tls.client_certificate_roots.is_empty()).then(|| "ClientCertificateRoots".to_owned());
        let said = of_own.into_iter().chain(of_names).next();
        if let Some(said) = said.filter(|_| !modes.any(|mode| mode.as_ref().is_some_and(asks))) {
            let node = endpoint.key.strip_suffix(":Url").unwrap_or(&endpoint.key);
            let section = configuration.section(&format!("{node}:{said}"));
            let mut problem = Problem::warning(
                "Roots for certificates that no client is asked for mean nothing.",
            )
            .key(section.path())
            .fix(format!(
                "set {node}:ClientCertificateMode to RequireCertificate, or to AllowCertificate"
            ));
            if let Some(setting) = section.first_setting() {
                problem = problem.origin(setting.origin.clone());
            }
            problems.push(problem);
        }
    }
}

/// A mode by its name without case or by its number.
pub(super) fn parse_mode(text: &str) -> Option<ClientCertificateMode> {
    let text = text.trim();
    let named =
        ClientCertificateMode::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    named.map(|(_, mode)| *mode).or_else(|| {
        let place: usize = text.parse().ok()?;
        ClientCertificateMode::NAMES.get(place).map(|(_, mode)| *mode)
    })
}

/// The defaults of all https endpoints.
pub(super) fn defaults(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> (Option<SslProtocols>, Option<ClientCertificateMode>) {
    let section = configuration.section("Kestrel:EndpointDefaults");
    (ssl_protocols(&section, problems), client_certificate_mode(&section, problems))
}
