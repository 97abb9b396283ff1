//! The data of this folder: what was asked for, and what will be bound.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::ip_literal::{IpLiteral, Scope};
use crate::configuration::{Origin, Sourced};

/// What configuration and code say about addresses; see [`plan`](super::plan::plan).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointSettings {
    /// `Listen` calls of code and `--listen`, in the order given.
    pub listen: Vec<ConfiguredEndpoint>,
    /// `Kestrel:Endpoints:{Name}`, sorted by name as .NET sorts keys.
    pub endpoints: Vec<ConfiguredEndpoint>,
    /// Addresses that code added one by one; they replace everything that follows.
    pub added_urls: Vec<Sourced<String>>,
    /// The `;` list of key `urls`.
    pub urls: Option<Sourced<String>>,
    /// Values of `urls` that lost to [`urls`](Self::urls), strongest first.
    pub shadowed_urls: Vec<Sourced<String>>,
    /// The `;` list of ports of key `http_ports`, for `http://*:{port}`.
    pub http_ports: Option<Sourced<String>>,
    /// The `;` list of ports of key `https_ports`, for `https://*:{port}`.
    pub https_ports: Option<Sourced<String>>,
    /// Whether addresses win over endpoints. Default: no.
    pub prefer_hosting_urls: Option<Sourced<bool>>,
    /// `Kestrel:EndpointDefaults:Protocols`.
    pub default_protocols: Option<HttpProtocols>,
    /// The address that a process manager dictates.
    pub process_manager: Option<ProcessManager>,
}

/// The port a process manager such as the ASP.NET Core Module gave this process, on 127.0.0.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessManager {
    /// The port, as text.
    pub port: Sourced<String>,
}

/// An endpoint that configuration or code names.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfiguredEndpoint {
    /// Its name, such as the `{Name}` of `Kestrel:Endpoints:{Name}`.
    pub name: String,
    /// The key or call that made it.
    pub key: String,
    /// What it listens on.
    pub target: Sourced<ListenTarget>,
    /// The protocols it speaks; `None` takes the default.
    pub protocols: Option<HttpProtocols>,
}

/// What an endpoint listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenTarget {
    /// A URL, as it was written.
    Url(String),
    /// One IP address.
    Ip(IpLiteral, u16),
    /// Both loopback addresses.
    Localhost(u16),
    /// All interfaces, IPv6 and IPv4.
    AnyIp(u16),
    /// A Unix socket with a file.
    UnixSocket(PathBuf),
    /// A Unix socket without a file (Linux).
    AbstractSocket(String),
}

impl fmt::Display for ListenTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Ip(literal, port) => write!(f, "{literal}:{port}"),
            Self::Localhost(port) => write!(f, "localhost:{port}"),
            Self::AnyIp(port) => write!(f, "*:{port}"),
            Self::UnixSocket(path) => write!(f, "unix:{}", path.display()),
            Self::AbstractSocket(name) => write!(f, "unix:@{name}"),
        }
    }
}

/// Which versions of HTTP an endpoint speaks. Key: `Kestrel:Endpoints:{Name}:Protocols`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HttpProtocols {
    /// None: every connection is closed at once.
    None,
    /// HTTP/1.1 and 1.0.
    Http1,
    /// HTTP/2; in clear text with prior knowledge.
    Http2,
    /// Both. In clear text HTTP/2 is taken with prior knowledge, told by its preface.
    #[default]
    Http1AndHttp2,
    /// HTTP/3, which needs TLS.
    Http3,
    /// All three; HTTP/3 needs TLS.
    Http1AndHttp2AndHttp3,
}

impl HttpProtocols {
    /// All names, as configuration spells them.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("None", Self::None),
        ("Http1", Self::Http1),
        ("Http2", Self::Http2),
        ("Http1AndHttp2", Self::Http1AndHttp2),
        ("Http3", Self::Http3),
        ("Http1AndHttp2AndHttp3", Self::Http1AndHttp2AndHttp3),
    ];

    /// Reads a name without case, the number of the flags, or a comma list of names.
    pub fn parse(text: &str) -> Option<Self> {
        let flags = text
            .split(',')
            .try_fold(0, |flags, name| Some(flags | Self::flags_of(name.trim())?))?;
        Some(match flags {
            0 => Self::None,
            1 => Self::Http1,
            2 => Self::Http2,
            3 => Self::Http1AndHttp2,
            4 => Self::Http3,
            7 => Self::Http1AndHttp2AndHttp3,
            _ => return None,
        })
    }

    fn flags_of(name: &str) -> Option<u8> {
        let named = Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match named {
            Some((_, protocols)) => Some(match protocols {
                Self::None => 0,
                Self::Http1 => 1,
                Self::Http2 => 2,
                Self::Http1AndHttp2 => 3,
                Self::Http3 => 4,
                Self::Http1AndHttp2AndHttp3 => 7,
            }),
            None => name.parse().ok().filter(|number| *number <= 7),
        }
    }
}

impl fmt::Display for HttpProtocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, protocols)| protocols == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// How an endpoint is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

impl Transport {
    /// The scheme in a URL.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// An address that is asked for; the port may be 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListenAddr {
    /// The IP address.
    pub address: IpLiteral,
    /// The port; 0 lets the system choose.
    pub port: u16,
}

impl ListenAddr {
    /// An address without a scope.
    pub(crate) const fn new(address: IpAddr, port: u16) -> Self {
        Self { address: IpLiteral { address, scope: Scope::None }, port }
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.address, self.port)
    }
}

/// The sockets of an endpoint, fall-backs included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// This address and no other.
    Exactly(ListenAddr),
    /// Both loopbacks; one of them may be missing from the machine, neither may be taken.
    AtLeastOne([ListenAddr; 2]),
    /// `[::]` for both families, else `0.0.0.0` where IPv6 cannot be had.
    FirstThatWorks([ListenAddr; 2]),
    /// A Unix socket with a file.
    UnixSocket(PathBuf),
    /// A Unix socket without a file (Linux).
    AbstractSocket(String),
    /// A pipe of Windows.
    NamedPipe(String),
}

impl Targets {
    /// Both loopbacks, IPv4 first.
    pub(crate) const fn localhost(port: u16) -> Self {
        Self::AtLeastOne([
            ListenAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
            ListenAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port),
        ])
    }

    /// All interfaces. `[::]` first: a dual-mode socket answers IPv4 too; `0.0.0.0` is only for
    /// machines where IPv6 is switched off.
    pub(crate) const fn any_ip(port: u16) -> Self {
        Self::FirstThatWorks([
            ListenAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port),
            ListenAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port),
        ])
    }
}

/// One endpoint that will be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedEndpoint {
    /// Its name: that of `Kestrel:Endpoints`, or the address it was made from.
    pub name: String,
    /// The key or call that made it, such as `urls`.
    pub key: String,
    /// Where it was set.
    pub origin: Origin,
    /// Its sockets.
    pub targets: Targets,
    /// The name of the loopback it was written with, `localhost` for most.
    pub local_name: String,
    /// The versions of HTTP it speaks.
    pub protocols: HttpProtocols,
    /// Clear text or TLS.
    pub transport: Transport,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_read_as_flags() {
        for (text, read) in [
            ("Http1", Some(HttpProtocols::Http1)),
            ("http1", Some(HttpProtocols::Http1)),
            ("Http1, Http2", Some(HttpProtocols::Http1AndHttp2)),
            ("3", Some(HttpProtocols::Http1AndHttp2)),
            ("Http1AndHttp2AndHttp3", Some(HttpProtocols::Http1AndHttp2AndHttp3)),
            ("None", Some(HttpProtocols::None)),
            ("Http9", None),
            ("5", None),
            ("8", None),
            ("", None),
        ] {
            assert_eq!(HttpProtocols::parse(text), read, "{text}");
        }
    }
}
