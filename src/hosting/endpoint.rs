//! One endpoint that code says: where it listens, and how it is served.

use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use crate::addresses::{
    ConfiguredEndpoint, GivenSocket, IpLiteral, ListenTarget, Scope, UnixSocketOptions,
};
use crate::configuration::{Origin, Sourced};
use crate::features::{HttpProtocols, IpNetwork};
use crate::tls::TlsOptions;

/// Where to listen and how to serve there, for [`HostBuilder::listen_on`](crate::HostBuilder::listen_on).
/// (What `ListenOptions` is in ASP.NET Core.)
///
/// It is clear text unless it says [`https`](Self::https). Protocols that it does not say are those of
/// `Kestrel:EndpointDefaults`, else HTTP/1.1 and HTTP/2.
///
/// ```no_run
/// use kestrel::addresses::UnixSocketOptions;
/// use kestrel::tls::{CertificateSource, TlsOptions};
/// use kestrel::{Endpoint, Host, HttpProtocols};
///
/// let certificate = CertificateSource::pem("certificate.pem", "key.pem");
/// let mut file = UnixSocketOptions::default();
/// file.mode = Some(0o660);
///
/// let builder = Host::from_args()
///     .listen_on(Endpoint::any_ip(443).https(TlsOptions::with(certificate)))
///     .listen_on(Endpoint::localhost(5001).protocols(HttpProtocols::Http2).named("grpc"))
///     .listen_on(Endpoint::unix_socket("/run/app.sock").socket_file(file));
/// ```
#[must_use = "an endpoint does nothing until a builder has it"]
#[derive(Clone, Debug)]
pub struct Endpoint {
    target: ListenTarget,
    name: Option<String>,
    protocols: Option<HttpProtocols>,
    tls: Option<TlsOptions>,
    unix_socket: UnixSocketOptions,
    proxy_protocol: Option<Vec<IpNetwork>>,
}

impl Endpoint {
    /// On an IP address. Port 0 lets the system choose.
    pub fn ip(address: SocketAddr) -> Self {
        let scope = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => Scope::Index(v6.scope_id()),
            _ => Scope::None,
        };
        let literal = IpLiteral { address: address.ip(), scope };
        Self::on(ListenTarget::Ip(literal, address.port()))
    }

    /// On both loopback addresses. The port cannot be 0: the two would differ.
    pub fn localhost(port: u16) -> Self {
        Self::on(ListenTarget::Localhost(port))
    }

    /// On all interfaces, IPv6 and IPv4. Port 0 lets the system choose.
    pub fn any_ip(port: u16) -> Self {
        Self::on(ListenTarget::AnyIp(port))
    }

    /// On a Unix socket, whose path is absolute.
    pub fn unix_socket(path: impl Into<PathBuf>) -> Self {
        Self::on(ListenTarget::UnixSocket(path.into()))
    }

    /// On a Unix socket without a file (Linux).
    pub fn abstract_socket(name: impl Into<String>) -> Self {
        Self::on(ListenTarget::AbstractSocket(name.into()))
    }

    /// On a socket that listens already, whatever opened it: a [`TcpListener`] of the standard library, a
    /// Unix socket, or one that a process manager passed. (What `ListenHandle` is in ASP.NET Core.) The
    /// host closes it when it stops, and no sooner: a reload does not touch it. The file of a Unix socket
    /// is not removed.
    ///
    /// ```no_run
    /// use std::net::TcpListener;
    ///
    /// use kestrel::{Endpoint, Host, HttpProtocols};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let endpoint = Endpoint::socket(listener).protocols(HttpProtocols::Http2);
    /// let builder = Host::builder().listen_on(endpoint);
    /// # Ok(())
    /// # }
    /// ```
    pub fn socket(socket: impl Into<GivenSocket>) -> Self {
        Self::on(ListenTarget::Given(socket.into()))
    }

    fn on(target: ListenTarget) -> Self {
        let unix_socket = UnixSocketOptions::default();
        Self { target, name: None, protocols: None, tls: None, unix_socket, proxy_protocol: None }
    }

    /// Its name in messages; no other endpoint of code has it. Default: its address.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The versions of HTTP that are spoken. Default: HTTP/1.1 and HTTP/2. (What
    /// `ListenOptions.Protocols` is in ASP.NET Core.)
    pub fn protocols(mut self, protocols: HttpProtocols) -> Self {
        self.protocols = Some(protocols);
        self
    }

    /// Secures it. [`TlsOptions::default()`] takes the certificate that all https endpoints have which
    /// name none. (What `UseHttps` is in ASP.NET Core.) Takes the feature `tls`: without it the start is
    /// refused.
    pub fn https(mut self, options: TlsOptions) -> Self {
        self.tls = Some(options);
        self
    }

    /// What the file of its Unix socket is to be like.
    pub fn socket_file(mut self, options: UnixSocketOptions) -> Self {
        self.unix_socket = options;
        self
    }

    /// Each connection begins with a header of the PROXY protocol, version 1 or 2, that says who the client
    /// is: [`Connection::remote`](crate::Connection::remote) and the log have that address. `proxies` are who
    /// may connect, besides Unix sockets; none means whoever is on this machine. Others are refused, and so is
    /// a connection without a header. Default: the protocol is not spoken.
    ///
    /// ```no_run
    /// use kestrel::{Endpoint, Host};
    ///
    /// # fn main() -> Result<(), kestrel::IpNetworkError> {
    /// let balancer = Endpoint::any_ip(8443).proxy_protocol(["10.0.0.0/24".parse()?]);
    /// let builder = Host::from_args().listen_on(balancer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn proxy_protocol(mut self, proxies: impl IntoIterator<Item = IpNetwork>) -> Self {
        let proxies: Vec<_> = proxies.into_iter().collect();
        self.proxy_protocol = Some(match proxies.is_empty() {
            true => IpNetwork::this_machine().to_vec(),
            false => proxies,
        });
        self
    }

    /// The same for the plan, made by this call of the builder's.
    pub(super) fn made_by(self, call: &'static str) -> ConfiguredEndpoint {
        let name = self.name.unwrap_or_else(|| self.target.to_string());
        let mut tls = self.tls;
        if let Some(tls) = &mut tls {
            tls.certificate.iter_mut().for_each(|source| source.set_by(&name, call));
            for section in &mut tls.sni {
                let owner = format!("{name}:Sni:{}", section.name);
                section.certificate.iter_mut().for_each(|source| source.set_by(&owner, call));
            }
        }
        ConfiguredEndpoint {
            name,
            key: call.to_owned(),
            target: Sourced::new(self.target, Origin::Code(call)),
            protocols: self.protocols,
            tls: tls.map(Into::into),
            unix_socket: self.unix_socket,
            proxy_protocol: self.proxy_protocol,
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::ip(address)
    }
}

impl From<TcpListener> for Endpoint {
    fn from(listener: TcpListener) -> Self {
        Self::socket(listener)
    }
}

#[cfg(unix)]
impl From<UnixListener> for Endpoint {
    fn from(listener: UnixListener) -> Self {
        Self::socket(listener)
    }
}
