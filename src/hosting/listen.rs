//! Where a host listens, as code says it.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::builder::HostBuilder;
use super::endpoint::Endpoint;
use crate::addresses::UnixSocketOptions;
use crate::configuration::Origin;
use crate::tls::TlsOptions;

impl HostBuilder {
    /// Listens on an endpoint, over everything that `urls` says: an [`Endpoint`], which says how it is
    /// served, too, an address, or a socket that
    /// listens already.
    ///
    /// ```no_run
    /// use kestrel::tls::{CertificateSource, TlsOptions};
    /// use kestrel::{Endpoint, Host, HttpProtocols};
    ///
    /// let certificate = CertificateSource::pem("certificate.pem", "key.pem");
    /// let builder = Host::builder().listen_on(
    ///     Endpoint::localhost(5001)
    ///         .https(TlsOptions::with(certificate))
    ///         .protocols(HttpProtocols::Http1),
    /// );
    /// ```
    pub fn listen_on(self, endpoint: impl Into<Endpoint>) -> Self {
        self.listens(endpoint.into(), "listen_on")
    }

    /// Listens on an IP address, over everything that `urls` says. Port 0 lets the system choose.
    ///
    /// ```
    /// let builder = kestrel::Host::builder().listen(([127, 0, 0, 1], 5000).into());
    /// ```
    pub fn listen(self, address: SocketAddr) -> Self {
        self.listens(Endpoint::ip(address), "listen")
    }

    /// Listens on an IP address for HTTPS.
    ///
    /// ```no_run
    /// use std::net::SocketAddr;
    ///
    /// use kestrel::tls::{CertificateSource, TlsOptions};
    ///
    /// let address = SocketAddr::from(([127, 0, 0, 1], 5001));
    /// let certificate = CertificateSource::pem("certificate.pem", "key.pem");
    /// let builder = kestrel::Host::builder().listen_https(address, TlsOptions::with(certificate));
    /// ```
    pub fn listen_https(self, address: SocketAddr, options: TlsOptions) -> Self {
        self.listens(Endpoint::ip(address).https(options), "listen_https")
    }

    /// Listens on both loopback addresses. The port cannot be 0: the two would differ.
    ///
    /// ```
    /// let builder = kestrel::Host::builder().listen_localhost(5000);
    /// ```
    pub fn listen_localhost(self, port: u16) -> Self {
        self.listens(Endpoint::localhost(port), "listen_localhost")
    }

    /// Listens on all interfaces, IPv6 and IPv4.
    ///
    /// ```
    /// let builder = kestrel::Host::builder().listen_any_ip(8080);
    /// ```
    pub fn listen_any_ip(self, port: u16) -> Self {
        self.listens(Endpoint::any_ip(port), "listen_any_ip")
    }

    /// Listens on a Unix socket. Who may connect is for the process's umask to say, or see
    /// [`listen_unix_socket_with`](Self::listen_unix_socket_with).
    ///
    /// ```
    /// let builder = kestrel::Host::builder().listen_unix_socket("/run/shop/app.sock");
    /// ```
    pub fn listen_unix_socket(self, path: impl Into<PathBuf>) -> Self {
        self.listens(Endpoint::unix_socket(path), "listen_unix_socket")
    }

    /// Listens on a Unix socket whose file has this mode, this owner and this group.
    ///
    /// ```
    /// use kestrel::Host;
    /// use kestrel::addresses::UnixSocketOptions;
    ///
    /// let mut options = UnixSocketOptions::default();
    /// options.mode = Some(0o660);
    /// options.group = Some("www-data".to_owned());
    /// let builder = Host::builder().listen_unix_socket_with("/run/shop/app.sock", options);
    /// ```
    pub fn listen_unix_socket_with(
        self,
        path: impl Into<PathBuf>,
        options: UnixSocketOptions,
    ) -> Self {
        self.listens(Endpoint::unix_socket(path).socket_file(options), "listen_unix_socket_with")
    }

    fn listens(mut self, endpoint: Endpoint, call: &'static str) -> Self {
        self.0.endpoints.listen.push(endpoint.made_by(call));
        self
    }

    /// Listens on what a command line's `--listen` says; see
    /// [`parse_listen_spec`](crate::addresses::parse_listen_spec).
    ///
    /// ```
    /// use kestrel::Host;
    /// use kestrel::configuration::Origin;
    ///
    /// let builder = Host::builder().listen_spec("unix:/run/shop/app.sock,mode=660", Origin::Code("main"));
    /// ```
    pub fn listen_spec(mut self, spec: &str, origin: Origin) -> Self {
        self.0.add_listen_spec(spec, origin);
        self
    }
}
