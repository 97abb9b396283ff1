//! When a setting that is edited while the host runs takes effect.

use super::known::is_read;
use crate::configuration::fold_key;

/// When the new value of a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// With the reload; which endpoints it changes is told for themselves.
    Endpoints,
    /// For connections that are accepted from then on.
    NewConnections,
    /// At once.
    AtOnce,
    /// At the next start.
    Restart,
    /// The host does not use it: it is the app's.
    None,
}

/// When a new value of `key` takes effect. (Environment, content root and the application's name
/// never come from a file, so they cannot be edited.)
pub(crate) fn effect(key: &str) -> Effect {
    let folded = fold_key(key);
    let below = |section: &str| {
        let section = fold_key(section);
        let rest = folded.strip_prefix(section.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    let levels = |segment: &str| segment == fold_key("LogLevel");
    match () {
        () if ["Kestrel:Endpoints", "Kestrel:EndpointDefaults", "Kestrel:Certificates"]
            .into_iter()
            .any(below) =>
        {
            Effect::Endpoints
        }
        // What nothing reads has no time either.
        () if !is_read(key) => Effect::None,
        () if below("Kestrel") => Effect::NewConnections,
        () if below("Logging") && folded.split(':').any(levels) => Effect::AtOnce,
        () if [
            "Logging:Console",
            "urls",
            "http_ports",
            "https_ports",
            "preferHostingUrls",
            "shutdownTimeoutSeconds",
            "webroot",
            "hostBuilder:reloadConfigOnChange",
        ]
        .into_iter()
        .any(below) =>
        {
            Effect::Restart
        }
        () => Effect::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_time() {
        for (key, expected) in [
            ("Kestrel:Endpoints:A:Url", Effect::Endpoints),
            ("kestrel:certificates:Default:Path", Effect::Endpoints),
            ("Kestrel:Limits:KeepAliveTimeout", Effect::NewConnections),
            ("Kestrel:AddServerHeader", Effect::NewConnections),
            ("Kestrels:Limits", Effect::None),
            ("Kestrel:Limitz:MaxRequestBodySize", Effect::None),
            ("Kestrel:Limits:MaxRequestBodySiz", Effect::None),
            ("Kestrel:Limits:MinRequestBodyDataRate", Effect::NewConnections),
            ("Kestrel:Limits:MinRequestBodyDataRate:GracePeriod", Effect::NewConnections),
            ("Kestrel:Limits:Http3:X", Effect::None),
            ("Kestrel:AllowSynchronousIO", Effect::None),
            ("Logging:Console:FormaterName", Effect::None),
            ("Logging:LogLevel:Default", Effect::AtOnce),
            ("Logging:Console:LogLevel:A.B", Effect::AtOnce),
            ("Logging:Console:FormatterName", Effect::Restart),
            ("URLS", Effect::Restart),
            ("urls2", Effect::None),
            ("Greeting", Effect::None),
        ] {
            assert_eq!(effect(key), expected, "{key}");
        }
    }
}
