//! The data of this folder: what was asked for, and what will be bound.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::given_socket::GivenSocket;
use super::ip_literal::{IpLiteral, Scope};
use super::socket_options::UnixSocketOptions;
use crate::configuration::{Origin, Sourced};
use crate::features::{HttpProtocols, IpNetwork};
use crate::tls::{
    CertificateSource, ClientCertificateMode, ReadyConfig, RootsSource, SniOptions, SslProtocols,
    TlsOptions,
};

/// What configuration and code say about addresses; see [`plan`](super::plan::plan).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointSettings {
    /// `Listen` calls of code and `--listen`, in the order given.
    pub listen: Vec<ConfiguredEndpoint>,
    /// `Kestrel:Endpoints:{Name}`, sorted by name as .NET sorts keys.
    pub endpoints: Vec<ConfiguredEndpoint>,
    /// Endpoints that say nothing to listen on, which was told when they were read. They are never
    /// bound: what else is wrong with them is told, and nothing is bound by default in their place.
    pub refused: Vec<ConfiguredEndpoint>,
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
    /// `Kestrel:EndpointDefaults:SslProtocols`.
    pub default_ssl_protocols: Option<SslProtocols>,
    /// `Kestrel:EndpointDefaults:ClientCertificateMode`.
    pub default_client_certificate_mode: Option<ClientCertificateMode>,
    /// `Kestrel:EndpointDefaults:ClientCertificateRoots`.
    pub default_client_certificate_roots: Vec<RootsSource>,
    /// The sockets that whoever started this process opened for it, each [`ListenTarget::Given`].
    pub passed: Vec<ConfiguredEndpoint>,
    /// The address that a process manager dictates.
    pub process_manager: Option<ProcessManager>,
    /// What says that this process runs in a container, such as `there is a file /.dockerenv`; `None`
    /// if nothing does. The loopback of a container is its own.
    pub container: Option<String>,
    /// What is bound if nobody says anything. Default: `http://localhost:5000`.
    pub default_address: Option<&'static str>,
}

impl EndpointSettings {
    /// Nothing but these addresses, as a test wants them.
    #[cfg(test)]
    pub(crate) fn of_urls(urls: &str) -> Self {
        Self { urls: Some(Sourced::new(urls.to_owned(), Origin::Default)), ..Self::default() }
    }

    /// Whether anybody says where to listen.
    pub fn say_anything(&self) -> bool {
        let list = |urls: &Option<Sourced<String>>| {
            urls.as_ref()
                .is_some_and(|list| list.value.split(';').any(|part| !part.trim().is_empty()))
        };
        !self.listen.is_empty()
            || !self.endpoints.is_empty()
            || !self.refused.is_empty()
            || !self.added_urls.is_empty()
            || !self.passed.is_empty()
            || [&self.urls, &self.http_ports, &self.https_ports].into_iter().any(list)
            || self.process_manager.is_some()
    }
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
    /// How it is secured. A URL that says `https` needs none of it; a target that is no URL is
    /// clear text without it.
    pub tls: Option<ConfiguredTls>,
    /// What the file of a Unix socket is to be like.
    pub unix_socket: UnixSocketOptions,
    /// Who says of the client, by the PROXY protocol; `None` speaks it with nobody.
    pub proxy_protocol: Option<Vec<IpNetwork>>,
}

/// What configuration or code says of an endpoint's TLS; `None` takes the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredTls {
    /// Its certificate.
    pub certificate: Option<CertificateSource>,
    /// The versions of TLS.
    pub ssl_protocols: Option<SslProtocols>,
    /// Whether clients are asked for a certificate.
    pub client_certificate_mode: Option<ClientCertificateMode>,
    /// Whose certificates of clients are taken; empty takes the default.
    pub client_certificate_roots: Vec<RootsSource>,
    /// What differs by the name that a client asks for.
    pub sni: Vec<SniOptions>,
    /// A configuration of rustls' in the place of all that.
    pub server_config: Option<ReadyConfig>,
}

impl From<TlsOptions> for ConfiguredTls {
    fn from(options: TlsOptions) -> Self {
        Self {
            certificate: options.certificate,
            ssl_protocols: Some(options.ssl_protocols),
            client_certificate_mode: Some(options.client_certificate_mode),
            client_certificate_roots: options.client_certificate_roots,
            sni: options.sni,
            server_config: options.server_config,
        }
    }
}

/// What an endpoint listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// A socket that listens already.
    Given(GivenSocket),
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
            Self::Given(socket) => write!(f, "{socket}"),
        }
    }
}

/// How an endpoint is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
#[non_exhaustive]
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
    /// Whether only this machine reaches them by IP.
    pub(crate) fn are_loopback(&self) -> bool {
        match self {
            Self::Exactly(listen) => listen.address.address.to_canonical().is_loopback(),
            Self::AtLeastOne(_) => true,
            _ => false,
        }
    }

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
#[non_exhaustive]
pub struct PlannedEndpoint {
    /// Its name: that of `Kestrel:Endpoints`, or the address it was made from.
    pub name: String,
    /// The key or call that made it, such as `urls`.
    pub key: String,
    /// Where it was set.
    pub origin: Origin,
    /// The address as it was written, such as `http://*:5000`.
    pub written: String,
    /// Its sockets.
    pub targets: Targets,
    /// The name of the loopback it was written with, `localhost` for most.
    pub local_name: String,
    /// The versions of HTTP it speaks.
    pub protocols: HttpProtocols,
    /// Clear text or TLS.
    pub transport: Transport,
    /// How it is secured; clear text has none.
    pub tls: Option<TlsOptions>,
    /// What the file of a Unix socket is to be like.
    pub unix_socket: UnixSocketOptions,
    /// The proxies that begin each connection with who the client is; `None` if the endpoint does not
    /// speak the PROXY protocol. A peer on a Unix socket is one of them.
    pub proxy_protocol: Option<Vec<IpNetwork>>,
    /// The socket, if it is there already: nothing is bound then, and no file is removed.
    pub given: Option<GivenSocket>,
    /// The sockets of its targets that whoever started this process opened for it: these are not bound.
    pub passed: Vec<GivenSocket>,
}

/// An address as it was given, not yet read. Users and passwords are blotted out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GivenAddress {
    /// The key or call that gave it, such as `urls`.
    pub key: &'static str,
    /// The address.
    pub text: Sourced<String>,
}
