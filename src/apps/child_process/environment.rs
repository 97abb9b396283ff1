//! What is around the processes of a host.

use std::path::PathBuf;

use crate::features::{Lifetime, ServerAddresses};

/// What processes are started with besides their options.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    /// The variables of this process that are texts.
    pub(crate) inherited: Vec<(String, String)>,
    /// The environment, such as `Development`.
    pub(crate) environment: String,
    /// The folder for what nobody needs for long.
    pub(crate) temporary: PathBuf,
    /// Where the host listens.
    pub(crate) addresses: ServerAddresses,
    /// How far the host is.
    pub(crate) lifetime: Lifetime,
}

/// Whether a variable is for this host, and would tell a process behind it something wrong: on what to listen, and what
/// the service manager says.
pub(super) fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let bare = name.strip_prefix("ASPNETCORE_").or_else(|| name.strip_prefix("DOTNET_"));
    let bare = bare.unwrap_or(&name);
    let of_systemd = [
        "LISTEN_PID",
        "LISTEN_FDS",
        "LISTEN_FDNAMES",
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
    ];
    let of_addresses = ["URLS", "HTTP_PORTS", "HTTPS_PORTS", "PREFERHOSTINGURLS"];
    let sections = [
        "KESTREL__",
        "ASPNETCORE__",
        "SITES__",
        "REVERSEPROXY__",
        "STATICFILES__",
        // It has passwords.
        "BASICAUTHENTICATION__",
    ];
    of_systemd.contains(&name.as_str())
        || of_addresses.contains(&bare)
        || sections.iter().any(|section| name.starts_with(section) || bare.starts_with(section))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_host_is_not_inherited() {
        for (name, expected) in [
            ("ASPNETCORE_URLS", true),
            ("urls", true),
            ("DOTNET_HTTP_PORTS", true),
            ("Kestrel__Endpoints__A__Url", true),
            ("ASPNETCORE_Kestrel__Certificates__Default__Password", true),
            ("AspNetCore__ProcessPath", true),
            ("NOTIFY_SOCKET", true),
            ("BasicAuthentication__Passwords__alice", true),
            ("ASPNETCORE_ENVIRONMENT", false),
            ("Logging__LogLevel__Default", false),
            ("PATH", false),
            ("MY_URLS", false),
        ] {
            assert_eq!(is_ours(name), expected, "{name}");
        }
    }
}
