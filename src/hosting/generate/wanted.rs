//! What is asked for.

use std::path::PathBuf;

/// What a configuration is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Nginx,
    Apache,
    Haproxy,
    Caddy,
    Systemd,
}

/// What is asked for, and what no configuration of ours knows.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) target: Target,
    /// The names that people know the site by; none are those of `AllowedHosts`.
    pub(crate) server_names: Vec<String>,
    /// Where the proxy listens; `None` is the port of its scheme.
    pub(crate) port: Option<u16>,
    /// The certificate of the proxy, with its chain, and its key; without one it speaks clear text.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
    /// Who runs the service.
    pub(crate) user: Option<String>,
    /// The program, and what it was given.
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}
