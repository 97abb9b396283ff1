//! Endpoints with a certificate of the tests, and clients that speak TLS.

use std::sync::Arc;

use kestrel::tls::{CertificateSource, TlsOptions};
use kestrel::{Host, HostBuilder};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{NEVER, Wire, soon};
use crate::test_data::{chain, file, key};

/// A certificate for an endpoint.
pub(crate) fn certificate(name: &str) -> CertificateSource {
    CertificateSource::pem(file(&format!("{name}.pem")), file(&format!("{name}.key")))
}

/// An endpoint with the certificate for 127.0.0.1.
pub(crate) fn options() -> TlsOptions {
    TlsOptions::with(certificate("server"))
}

/// A builder for a host with one https endpoint on a free port of 127.0.0.1.
pub(crate) fn serving(options: TlsOptions) -> HostBuilder {
    let trusted = file("trusted.pem");
    Host::builder()
        .environment_variables([("SSL_CERT_FILE", trusted.to_str().expect("a path of ASCII"))])
        .current_directory(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it"))
        .shutdown_timeout(NEVER)
        .without_logging()
        .listen_https(([127, 0, 0, 1], 0).into(), options)
}

/// A client of one version of TLS.
pub(crate) const ONLY_TLS12: &[&SupportedProtocolVersion] = &[&TLS12];
pub(crate) const ONLY_TLS13: &[&SupportedProtocolVersion] = &[&TLS13];

/// What a client has to say for itself.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
    pub(crate) protocols: &'static [&'static str],
    /// The name it asks for; an address is not said.
    pub(crate) name: &'static str,
    pub(crate) certificate: Option<&'static str>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            versions: rustls::ALL_VERSIONS,
            protocols: &[],
            name: "127.0.0.1",
            certificate: None,
        }
    }
}

impl Client {
    /// Offers these protocols.
    pub(crate) fn offering(protocols: &'static [&'static str]) -> Self {
        Self { protocols, ..Self::default() }
    }

    /// Asks for this name.
    pub(crate) fn asking(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// What all connections of one client share: sessions that can be taken up again.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for certificate in chain("ca") {
            roots.add(certificate).expect("an authority");
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(self.versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match self.certificate {
            None => builder.with_no_client_auth(),
            Some(name) => builder.with_client_auth_cert(chain(name), key(name)).expect("they fit"),
        };
        config.alpn_protocols = self.protocols.iter().map(|name| name.as_bytes().into()).collect();
        Arc::new(config)
    }

    /// Does a handshake.
    ///
    /// # Errors
    ///
    /// There is none. (With TLS 1.3 a server may refuse after the client is done.)
    pub(crate) async fn try_connect(&self, announced: &str) -> std::io::Result<Wire<Tls>> {
        self.try_connect_with(self.config(), announced).await
    }

    /// The same with what an earlier connection left in `config`.
    pub(crate) async fn try_connect_with(
        &self,
        config: Arc<ClientConfig>,
        announced: &str,
    ) -> std::io::Result<Wire<Tls>> {
        self.try_over(config, connected(announced).await).await
    }

    /// The same on a connection that has begun.
    pub(crate) async fn try_over(
        &self,
        config: Arc<ClientConfig>,
        tcp: TcpStream,
    ) -> std::io::Result<Wire<Tls>> {
        let name = ServerName::try_from(self.name).expect("a name");
        let stream = soon("a handshake", TlsConnector::from(config).connect(name, tcp)).await?;
        Ok(Wire::new(stream))
    }

    pub(crate) async fn connect(&self, announced: &str) -> Wire<Tls> {
        self.try_connect(announced).await.expect("a handshake")
    }
}

pub(crate) type Tls = TlsStream<TcpStream>;

/// A connection to an announced https address, without a handshake.
pub(crate) async fn connected(announced: &str) -> TcpStream {
    let authority = announced.strip_prefix("https://").expect("an https address");
    let tcp = TcpStream::connect(authority).await.expect("somebody listens");
    tcp.set_nodelay(true).expect("it is connected");
    tcp
}
