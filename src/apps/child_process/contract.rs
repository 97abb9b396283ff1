//! What a process is told: on what it is to listen, and who may ask it. (The contract of the ASP.NET Core Module with
//! its child.) Pure.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use http::{HeaderName, HeaderValue};

use super::options::ChildOptions;
use crate::apps::reverse_proxy::options::{DestinationAddress, Place, Scheme};

/// Names the processes of one start, and what they start: it is inherited, so that nobody who goes his own way is
/// overlooked at the end.
pub(super) const MARK: &str = "KESTREL_PROCESS";

/// What has what requests carry.
pub(super) const TOKEN_VARIABLE: &str = "ASPNETCORE_TOKEN";

/// What tells a process that something has happened here, and that it is to end.
pub(super) const EVENT: HeaderName = HeaderName::from_static("ms-aspnetcore-event");
pub(super) const SHUTDOWN: HeaderValue = HeaderValue::from_static("shutdown");

/// Where it is told so.
pub(super) fn place_of_events(path_base: &str) -> String {
    format!("{}/iisintegration", path_base.trim_end_matches('/'))
}

/// The variables that a process keeps that is not to inherit those of the host.
const KEPT: &[&str] = match cfg!(windows) {
    // No program of Windows gets far without these.
    true => &["PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "TEMP", "TMP", "TZ"],
    false => &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"],
};

/// Whether a process keeps a variable that is not to inherit those of the host.
pub(super) fn is_kept(name: &str) -> bool {
    KEPT.iter().any(|known| match cfg!(windows) {
        true => known.eq_ignore_ascii_case(name),
        false => *known == name,
    })
}

/// What a process listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listens {
    Port(u16),
    Socket(PathBuf),
}

/// What one process is told.
#[derive(Clone)]
pub(super) struct Contract {
    pub(super) listens: Listens,
    /// What its requests carry, so that it can tell them from those of others.
    pub(super) token: String,
    /// Its name among all processes that are run.
    pub(super) mark: String,
    /// Where clients find https.
    pub(super) https_port: Option<u16>,
}

impl Listens {
    /// In the form of `ASPNETCORE_URLS`.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Port(port) => format!("http://127.0.0.1:{port}"),
            Self::Socket(path) => format!("http://unix:{}", path.display()),
        }
    }

    /// A text with what its placeholders stand for.
    pub(super) fn fill(&self, text: &str) -> String {
        let filled = text.replace("{url}", &self.url());
        match self {
            Self::Port(port) => filled.replace("{port}", &port.to_string()),
            Self::Socket(path) => filled.replace("{socket}", &path.display().to_string()),
        }
    }

    /// Its port; 0 of a socket.
    pub(super) fn port(&self) -> u16 {
        self.tcp(false).map_or(0, |address| address.port())
    }

    /// The address at which it is connected to, if it is one of TCP. `alternative` as below.
    pub(super) fn tcp(&self, alternative: bool) -> Option<SocketAddr> {
        match (self, alternative) {
            (Self::Port(port), false) => Some((Ipv4Addr::LOCALHOST, *port).into()),
            (Self::Port(port), true) => Some((Ipv6Addr::LOCALHOST, *port).into()),
            (Self::Socket(_), _) => None,
        }
    }

    /// As a server that requests are sent to. `alternative` is the loopback of IPv6, which some programs take for
    /// `localhost`.
    pub(super) fn address(&self, alternative: bool) -> DestinationAddress {
        let (place, authority) = match self {
            Self::Port(port) => {
                let host = if alternative { "::1" } else { "127.0.0.1" };
                (Place::Tcp(host.to_owned(), *port), format!("localhost:{port}"))
            }
            Self::Socket(path) => (Place::Unix(path.clone()), "localhost".to_owned()),
        };
        DestinationAddress { scheme: Scheme::Http, place, authority, base_path: String::new() }
    }
}

impl Contract {
    /// The arguments of the program.
    pub(super) fn arguments(&self, options: &ChildOptions) -> Vec<String> {
        options.arguments.iter().map(|argument| self.listens.fill(argument)).collect()
    }

    /// The command as it may be shown.
    pub(super) fn shown(&self, options: &ChildOptions) -> String {
        let arguments = options.shown_arguments.iter();
        let arguments: Vec<_> = arguments.map(|argument| self.listens.fill(argument)).collect();
        shown(options, &arguments)
    }

    /// The variables that are set besides those that it inherits: those that are configured count more than ours, but for
    /// two that say who it is.
    pub(super) fn variables(&self, options: &ChildOptions) -> Vec<(String, String)> {
        let mut ours = vec![
            ("ASPNETCORE_URLS", self.listens.url()),
            (TOKEN_VARIABLE, self.token.clone()),
            // Python keeps what it prints to itself otherwise, and loses it when it is ended.
            ("PYTHONUNBUFFERED", "1".to_owned()),
            ("ASPNETCORE_IIS_HTTPAUTH", "anonymous;".to_owned()),
            ("ASPNETCORE_IIS_WEBSOCKETS_SUPPORTED", "true".to_owned()),
            ("ASPNETCORE_IIS_PHYSICAL_PATH", options.working_directory.display().to_string()),
        ];
        if let Listens::Port(port) = self.listens {
            ours.push(("PORT", port.to_string()));
            // With this one, apps of ASP.NET Core listen on the port, whatever else they are told.
            ours.push(("ASPNETCORE_PORT", port.to_string()));
        }
        if let Some(port) = self.https_port {
            ours.push(("ASPNETCORE_ANCM_HTTPS_PORT", port.to_string()));
        }
        let is_own = |name: &str| options.variables.iter().any(|(own, _)| own == name);
        let ours = ours.into_iter().filter(|(name, _)| !is_own(name));
        let mut variables: Vec<_> = ours.map(|(name, value)| (name.to_owned(), value)).collect();
        let own = options.variables.iter();
        variables.extend(own.map(|(name, value)| (name.clone(), self.listens.fill(value))));
        variables.push(("ASPNETCORE_APPL_PATH".to_owned(), options.path_base.clone()));
        variables.push((MARK.to_owned(), self.mark.clone()));
        variables
    }
}

/// The command with these arguments, and the site that it is for: two of them may run the same.
pub(super) fn shown(options: &ChildOptions, arguments: &[String]) -> String {
    let command = typed(&options.program, arguments);
    match &options.site {
        Some(site) => format!("{command} (site {site})"),
        None => command,
    }
}

/// A command as somebody would type it.
fn typed(program: &Path, arguments: &[String]) -> String {
    let program = program.display().to_string();
    let words = std::iter::once(&program).chain(arguments).map(|word| {
        let is_plain = |it: char| {
            let is_of_paths = cfg!(windows) && it == '\\';
            it.is_alphanumeric() || "-_./:=,@%+{}[]()*".contains(it) || is_of_paths
        };
        match !word.is_empty() && word.chars().all(is_plain) {
            true => word.clone(),
            false => {
                let quoted = word.replace('\'', "'\\''");
                let is_odd = |it: char| it.is_control();
                format!("'{}'", quoted.replace(is_odd, "?"))
            }
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::child_process::options::tests::running;

    fn contract(listens: Listens) -> Contract {
        let https_port = Some(5001);
        Contract { listens, token: "secret".to_owned(), mark: "m1".to_owned(), https_port }
    }

    #[test]
    fn arguments_and_variables_say_where_to_listen() {
        let mut options = running("app", &["--port={port}", "{url}", "{socket}", "{other}"]);
        options.variables = vec![("BIND".to_owned(), "{url}/x".to_owned())];
        let by_port = contract(Listens::Port(5123));
        let arguments = by_port.arguments(&options);
        assert_eq!(arguments, ["--port=5123", "http://127.0.0.1:5123", "{socket}", "{other}"]);
        let value = |contract: &Contract, name: &str| {
            let mut all = contract.variables(&options).into_iter();
            all.find(|(known, _)| known == name).map(|(_, value)| value)
        };
        for (name, expected) in [
            ("PORT", Some("5123")),
            ("ASPNETCORE_PORT", Some("5123")),
            ("ASPNETCORE_URLS", Some("http://127.0.0.1:5123")),
            ("ASPNETCORE_APPL_PATH", Some("/")),
            ("ASPNETCORE_TOKEN", Some("secret")),
            ("ASPNETCORE_ANCM_HTTPS_PORT", Some("5001")),
            ("BIND", Some("http://127.0.0.1:5123/x")),
            (MARK, Some("m1")),
        ] {
            assert_eq!(value(&by_port, name).as_deref(), expected, "{name}");
        }
        let by_socket = contract(Listens::Socket("/run/a/s".into()));
        assert_eq!(by_socket.arguments(&options)[1..3], ["http://unix:/run/a/s", "/run/a/s"]);
        assert_eq!(value(&by_socket, "ASPNETCORE_URLS").as_deref(), Some("http://unix:/run/a/s"));
        // It would take a port in its place.
        assert_eq!((value(&by_socket, "PORT"), value(&by_socket, "ASPNETCORE_PORT")), (None, None));
    }

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let arguments =
            ["-m", "http.server", "a b", "", "it's", "{port}", "\u{1b}[2J"].map(str::to_owned);
        assert_eq!(
            typed(Path::new("python3"), &arguments),
            "python3 -m http.server 'a b' '' 'it'\\''s' {port} '?[2J'"
        );
        let mut options = running("app", &["--password", "p1", "{port}"]);
        options.shown_arguments[1] = "(hidden)".to_owned();
        assert_eq!(contract(Listens::Port(5)).shown(&options), "app --password (hidden) 5");
        options.site = Some("Shop".to_owned());
        let expected = "app --password (hidden) 5 (site Shop)";
        assert_eq!(contract(Listens::Port(5)).shown(&options), expected);
    }

    #[test]
    fn what_is_configured_counts_once() {
        let mut options = running("app", &[]);
        options.path_base = "/shop".to_owned();
        options.variables = vec![
            ("ASPNETCORE_TOKEN".to_owned(), "mine".to_owned()),
            ("ASPNETCORE_APPL_PATH".to_owned(), "/other".to_owned()),
        ];
        let variables = contract(Listens::Port(1)).variables(&options);
        let values = |name: &str| {
            let named = variables.iter().filter(|(known, _)| known == name);
            named.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(values("ASPNETCORE_TOKEN"), ["mine"]);
        // The last one counts.
        assert_eq!(values("ASPNETCORE_APPL_PATH").last(), Some(&"/shop"));
    }
}
