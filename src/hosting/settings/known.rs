//! The keys that mean something, and what a near miss was probably meant to be.
//!
//! An unknown key is no mistake: an app may have its own. One that is a letter or two away from a
//! known one most likely is.

use super::values::did_you_mean;
use crate::configuration::{Configuration, Origin, Problem, Setting, keys_equal};

/// What may stand at a key.
#[derive(Debug)]
enum Node {
    /// A value, and whatever an app puts below.
    Leaf,
    /// These names; another may be an app's own.
    Section(&'static [(&'static str, Self)]),
    /// These names and no other: one that does nothing here was meant to protect.
    Closed(&'static [(&'static str, Self)]),
    /// Any name, each with the same below it.
    Named(&'static Self),
    /// Anything at all.
    Open,
}

use Node::{Closed, Leaf, Named, Open, Section};

const CERTIFICATE: Node = Section(&[
    ("Path", Leaf),
    ("KeyPath", Leaf),
    ("Password", Leaf),
    ("Subject", Leaf),
    ("Store", Leaf),
    ("Location", Leaf),
    ("AllowInvalid", Leaf),
]);

const SNI: Node = Section(&[
    ("Protocols", Leaf),
    ("SslProtocols", Open),
    ("ClientCertificateMode", Leaf),
    ("Certificate", CERTIFICATE),
]);

const ENDPOINT: Node = Section(&[
    ("Url", Leaf),
    ("Protocols", Leaf),
    ("SslProtocols", Open),
    ("ClientCertificateMode", Leaf),
    ("Certificate", CERTIFICATE),
    ("Sni", Named(&SNI)),
    ("UnixSocket", Closed(&[("Mode", Leaf), ("Owner", Leaf), ("Group", Leaf)])),
]);

const RATE: Node = Closed(&[("BytesPerSecond", Leaf), ("GracePeriod", Leaf)]);

const HTTP2_LIMITS: Node = Closed(&[
    ("MaxStreamsPerConnection", Leaf),
    ("HeaderTableSize", Leaf),
    ("MaxFrameSize", Leaf),
    ("MaxRequestHeaderFieldSize", Leaf),
    ("InitialConnectionWindowSize", Leaf),
    ("InitialStreamWindowSize", Leaf),
    ("KeepAlivePingDelay", Leaf),
    ("KeepAlivePingTimeout", Leaf),
]);

const LIMITS: Node = Closed(&[
    ("MaxConcurrentConnections", Leaf),
    ("MaxConcurrentUpgradedConnections", Leaf),
    ("MaxRequestBodySize", Leaf),
    ("MinRequestBodyDataRate", RATE),
    ("MinResponseDataRate", RATE),
    ("KeepAliveTimeout", Leaf),
    ("RequestHeadersTimeout", Leaf),
    ("MaxRequestLineSize", Leaf),
    ("MaxRequestHeadersTotalSize", Leaf),
    ("MaxRequestHeaderCount", Leaf),
    ("MaxRequestBufferSize", Leaf),
    ("MaxResponseBufferSize", Leaf),
    ("Http2", HTTP2_LIMITS),
    ("Http3", Open),
]);

const KESTREL: Node = Section(&[
    ("Endpoints", Named(&ENDPOINT)),
    (
        "EndpointDefaults",
        Section(&[("Protocols", Leaf), ("SslProtocols", Open), ("ClientCertificateMode", Leaf)]),
    ),
    ("Certificates", Closed(&[("Default", CERTIFICATE), ("Development", CERTIFICATE)])),
    ("Limits", LIMITS),
    ("AddServerHeader", Leaf),
    ("AllowAlternateSchemes", Leaf),
    ("AllowHostHeaderOverride", Leaf),
    ("AllowResponseHeaderCompression", Leaf),
    ("DisableHttp1LineFeedTerminators", Leaf),
    ("AllowSynchronousIO", Leaf),
    ("DisableStringReuse", Leaf),
]);

const FORMATTER_OPTIONS: Node = Section(&[
    ("IncludeScopes", Leaf),
    ("TimestampFormat", Leaf),
    ("UseUtcTimestamp", Leaf),
    ("SingleLine", Leaf),
    ("ColorBehavior", Leaf),
    ("JsonWriterOptions", Open),
]);

const CONSOLE: Node = Section(&[
    ("LogLevel", Open),
    ("FormatterName", Leaf),
    ("FormatterOptions", FORMATTER_OPTIONS),
    ("LogToStandardErrorThreshold", Leaf),
    ("MaxQueueLength", Leaf),
    ("QueueFullMode", Leaf),
    ("IncludeScopes", Leaf),
    ("TimestampFormat", Leaf),
    ("UseUtcTimestamp", Leaf),
    ("DisableColors", Leaf),
    ("Format", Leaf),
]);

const LOGGING: Node = Section(&[
    ("LogLevel", Open),
    ("Console", CONSOLE),
    ("CaptureScopes", Leaf),
    ("Debug", Open),
    ("EventSource", Open),
    ("EventLog", Open),
]);

/// The keys at the top. Some are .NET's and mean nothing here; they are no misspellings either.
const ROOT: Node = Section(&[
    ("urls", Leaf),
    ("http_ports", Leaf),
    ("https_ports", Leaf),
    ("https_port", Leaf),
    ("preferHostingUrls", Leaf),
    ("environment", Leaf),
    ("contentRoot", Leaf),
    ("applicationName", Leaf),
    ("webroot", Leaf),
    ("shutdownTimeoutSeconds", Leaf),
    ("AllowedHosts", Leaf),
    ("UserSecretsId", Leaf),
    ("Kestrel", KESTREL),
    ("Logging", LOGGING),
    ("ConnectionStrings", Open),
    ("hostBuilder", Open),
    ("captureStartupErrors", Leaf),
    ("detailedErrors", Leaf),
    ("suppressStatusMessages", Leaf),
    ("startupAssembly", Leaf),
    ("hostingStartupAssemblies", Leaf),
    ("hostingStartupExcludeAssemblies", Leaf),
    ("preventHostingStartup", Leaf),
    ("staticWebAssets", Leaf),
    ("servicesStartConcurrently", Leaf),
    ("servicesStopConcurrently", Leaf),
    ("ForwardedHeaders_Enabled", Leaf),
    ("port", Leaf),
    ("appl_path", Leaf),
    ("token", Leaf),
]);

/// Adds a warning for every key that is near a known one or stands where only known ones may, once
/// per name.
pub(super) fn report(configuration: &Configuration, problems: &mut Vec<Problem>) {
    let mut told: Vec<String> = Vec::new();
    for setting in configuration.settings() {
        // First, because most variables are, and finding what is near costs more than all else
        // that a start does.
        if is_foreign(setting) {
            continue;
        }
        let Some((prefix, fix)) = without_meaning(&setting.key) else {
            continue;
        };
        if told.iter().any(|known| keys_equal(known, &prefix)) {
            continue;
        }
        problems.push(
            Problem::warning(format!("The key '{prefix}' means nothing to the server."))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix(fix),
        );
        told.push(prefix);
    }
}

/// A variable without a prefix belongs to anybody, unless it is plainly inside one of our sections.
fn is_foreign(setting: &Setting) -> bool {
    match &setting.origin {
        Origin::EnvironmentVariable(name) => {
            let prefixed = ["ASPNETCORE_", "DOTNET_"].iter().any(|prefix| {
                name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            });
            // A prefixed variable is also read under its whole name: that is no second mistake.
            let whole_name = keys_equal(&name.replace("__", ":"), &setting.key);
            if prefixed { whole_name } else { !setting.key.contains(':') }
        }
        _ => false,
    }
}

/// The key up to its first unknown name, and what to do about it, if that is to be told.
fn without_meaning(key: &str) -> Option<(String, String)> {
    let mut node = &ROOT;
    let mut path: Vec<&str> = Vec::new();
    for name in key.split(':') {
        let names = match node {
            Leaf | Open => return None,
            Named(below) => {
                node = below;
                path.push(name);
                continue;
            }
            Section(names) | Closed(names) => names,
        };
        let Some((_, below)) = names.iter().find(|(known, _)| keys_equal(known, name)) else {
            let whole = |last| path.iter().copied().chain([last]).collect::<Vec<_>>().join(":");
            let known = || names.iter().map(|(known, _)| *known);
            let fix = match did_you_mean(name, known()) {
                Some(meant) => format!("did you mean {}?", whole(meant)),
                None if matches!(node, Closed(_)) => {
                    let known = known().collect::<Vec<_>>().join(", ");
                    format!("remove it; below {} there are {known}", path.join(":"))
                }
                None => return None,
            };
            return Some((whole(name), fix));
        };
        node = below;
        path.push(name);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_names_the_key_that_was_meant() {
        for (key, meant) in [
            ("url", Some(("url", "urls"))),
            ("Kestrel:EndPoint:Http:Url", Some(("Kestrel:EndPoint", "Kestrel:Endpoints"))),
            (
                "Kestrel:Endpoints:Http:Uri",
                Some(("Kestrel:Endpoints:Http:Uri", "Kestrel:Endpoints:Http:Url")),
            ),
            (
                "Kestrel:Limits:MaxRequestBodysize2",
                Some(("Kestrel:Limits:MaxRequestBodysize2", "Kestrel:Limits:MaxRequestBodySize")),
            ),
            ("Logging:LogLevl:Default", Some(("Logging:LogLevl", "Logging:LogLevel"))),
            ("KESTREL:endpoints:x:url", None),
            ("Kestrel:Endpoints:Htttp:Colour", None),
            ("Logging:LogLevel:Anything", None),
            ("A", None),
            ("Foo", None),
            ("MyApp:Url", None),
            ("", None),
        ] {
            let expected =
                meant.map(|(wrong, right)| (wrong.to_owned(), format!("did you mean {right}?")));
            assert_eq!(without_meaning(key), expected, "{key}");
        }
    }

    #[test]
    fn an_unknown_limit_is_told_however_far_off_it_is() {
        for (key, wrong, fix) in [
            (
                "Kestrel:Limits:Nonsense",
                "Kestrel:Limits:Nonsense",
                "remove it; below Kestrel:Limits",
            ),
            ("kestrel:limits:Foo:Bar", "kestrel:limits:Foo", "remove it; below kestrel:limits"),
            (
                "Kestrel:Limits:Http2:X",
                "Kestrel:Limits:Http2:X",
                "remove it; below Kestrel:Limits:Http2",
            ),
            (
                "Kestrel:Limits:Http2:MaxStreamPerConnection",
                "Kestrel:Limits:Http2:MaxStreamPerConnection",
                "did you mean Kestrel:Limits:Http2:MaxStreamsPerConnection?",
            ),
            (
                "Kestrel:Limits:MinResponseDataRate:Bytes",
                "Kestrel:Limits:MinResponseDataRate:Bytes",
                "remove it; below Kestrel:Limits:MinResponseDataRate there are BytesPerSecond, GracePeriod",
            ),
        ] {
            let (prefix, told) = without_meaning(key).unwrap();
            assert_eq!(prefix, wrong);
            assert!(told.starts_with(fix), "{told}");
        }
        assert_eq!(without_meaning("Kestrel:Limits:Http3:Anything"), None);
    }

    #[test]
    fn every_limit_is_known() {
        use crate::server::limits::rules::{NUMBERS, SPANS};
        let names = NUMBERS.iter().map(|number| number.name);
        for name in names.chain(SPANS.iter().map(|span| span.name)) {
            assert_eq!(without_meaning(&format!("Kestrel:Limits:{name}")), None, "{name}");
        }
    }
}
