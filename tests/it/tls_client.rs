//! Certificates made for the tests, and clients that speak TLS.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use kestrel::tls::{CertificateSource, TlsOptions};
use kestrel::{Host, HostBuilder};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{NEVER, Wire, soon};

/// Made once: an authority that everybody trusts here, and what it signed.
pub(crate) struct Pki(tempfile::TempDir);

/// Extensions of a server's certificate and of a client's.
const OF_SERVERS: &str = "extendedKeyUsage=serverAuth\nsubjectAltName=";
const OF_CLIENTS: &str = "extendedKeyUsage=clientAuth\n";

impl Pki {
    pub(crate) fn get() -> &'static Self {
        static MADE: OnceLock<Pki> = OnceLock::new();
        MADE.get_or_init(|| {
            let pki = Self(tempfile::tempdir().expect("a folder"));
            pki.authority("ca");
            pki.authority("strange-ca");
            let local = format!("{OF_SERVERS}DNS:localhost,IP:127.0.0.1");
            pki.signed("server", "localhost", &local, "ca");
            pki.signed("server-2", "localhost", &local, "ca");
            pki.signed("one", "one.example", &format!("{OF_SERVERS}DNS:one.example"), "ca");
            pki.signed("two", "two.example", &format!("{OF_SERVERS}DNS:*.two.example"), "ca");
            pki.signed("client", "client", OF_CLIENTS, "ca");
            pki.signed("stranger", "stranger", OF_CLIENTS, "strange-ca");
            pki.signed("other-use", "other-use", "extendedKeyUsage=codeSigning\n", "ca");
            pki.openssl(&format!(
                "req -x509 {NEW_KEY} -keyout own.key -out own.pem -days 30 -subj /CN=own"
            ));
            let trusted = [pki.read("ca.pem"), pki.read("own.pem")].concat();
            std::fs::write(pki.path("trusted.pem"), trusted).expect("a file");
            pki
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("it was made")
    }

    fn authority(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 {NEW_KEY} -keyout {name}.key -out {name}.pem -days 30 -subj /CN={name} \
             -addext keyUsage=critical,keyCertSign"
        ));
    }

    fn signed(&self, name: &str, subject: &str, extensions: &str, authority: &str) {
        std::fs::write(self.path("extensions"), extensions).expect("a file");
        self.openssl(&format!(
            "req -new {NEW_KEY} -keyout {name}.key -out csr -subj /CN={subject}"
        ));
        self.openssl(&format!(
            "x509 -req -in csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial \
             -out {name}.pem -days 30 -extfile extensions"
        ));
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .expect("openssl is installed: these tests make certificates with it");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A certificate for an endpoint.
    pub(crate) fn certificate(&self, name: &str) -> CertificateSource {
        CertificateSource::pem(self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")))
    }

    fn chain(&self, name: &str) -> Vec<CertificateDer<'static>> {
        let certificates = CertificateDer::pem_file_iter(self.path(&format!("{name}.pem")));
        certificates.expect("a file").collect::<Result<_, _>>().expect("certificates")
    }
}

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

/// An endpoint with the certificate for 127.0.0.1.
pub(crate) fn options() -> TlsOptions {
    TlsOptions::with(Pki::get().certificate("server"))
}

/// A builder for a host with one https endpoint on a free port of 127.0.0.1.
pub(crate) fn serving(options: TlsOptions) -> HostBuilder {
    let trusted = Pki::get().path("trusted.pem");
    Host::builder()
        .environment_variables([("SSL_CERT_FILE", trusted.to_str().expect("a path of ASCII"))])
        .current_directory(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it"))
        .shutdown_timeout(NEVER)
        .without_logging()
        .listen_https(([127, 0, 0, 1], 0).into(), options)
}

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
        for certificate in Pki::get().chain("ca") {
            roots.add(certificate).expect("an authority");
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(self.versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match self.certificate {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let key = PrivateKeyDer::from_pem_file(Pki::get().path(&format!("{name}.key")));
                let chain = Pki::get().chain(name);
                builder.with_client_auth_cert(chain, key.expect("a key")).expect("they fit")
            }
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
        let tcp = connected(announced).await;
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

/// A file of the tests' authority for programs.
pub(crate) fn authority() -> impl AsRef<Path> {
    Pki::get().path("ca.pem")
}
