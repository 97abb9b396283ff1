//! The data of this folder: what was asked for, as plain values that can be compared.
//!
//! They carry no origins: each certificate names the key it was read from, and whoever tells of a
//! problem with it looks up who set that key. So two readings of a file whose lines moved are equal.

use std::fmt;
use std::path::PathBuf;

use super::in_memory::{CertificateInMemory, Held, SecretBytes};
use super::ready::ReadyConfig;
use super::secret::Secret;
use crate::features::HttpProtocols;

/// How an https endpoint is secured. Keys: `Kestrel:Endpoints:{Name}:*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsOptions {
    /// The endpoint's own certificate. Default: that of `Kestrel:Certificates:Default`, else the
    /// development certificate. Key: `Certificate`.
    pub certificate: Option<CertificateSource>,
    /// Which versions of TLS are spoken. Default: 1.2 and 1.3. Key: `SslProtocols`.
    pub ssl_protocols: SslProtocols,
    /// Whether clients are asked for a certificate. Default: no. Key: `ClientCertificateMode`.
    pub client_certificate_mode: ClientCertificateMode,
    /// Whose certificates of clients are taken: files of the certificates of authorities in PEM form,
    /// folders of such files, and what a program has in memory. They stand in the place of all that the machine trusts, which mostly
    /// is every public authority. Default: what the machine trusts. Key: `ClientCertificateRoots`.
    pub client_certificate_roots: Vec<RootsSource>,
    /// What differs by the name that a client asks for. If there is any, a client that asks for
    /// none of these names is refused, unless one of them is `*`. Key: `Sni:{Name}`.
    pub sni: Vec<SniOptions>,
    /// A configuration of rustls' that says all of it, in the place of everything else here; see
    /// `TlsOptions::with_config`. Default: none.
    pub server_config: Option<ReadyConfig>,
}

/// What differs for clients that ask for one name (RFC 6066 section 3); what it does not say is as
/// the endpoint says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SniOptions {
    /// A host name, `*.example.com` for every name below that one, or `*` for all the rest.
    pub name: String,
    /// The certificate for this name.
    pub certificate: Option<CertificateSource>,
    /// The versions of HTTP.
    pub protocols: Option<HttpProtocols>,
    /// The versions of TLS.
    pub ssl_protocols: Option<SslProtocols>,
    /// Whether clients are asked for a certificate.
    pub client_certificate_mode: Option<ClientCertificateMode>,
    /// Whose certificates of clients are taken. Default: as the endpoint says.
    pub client_certificate_roots: Vec<RootsSource>,
}

/// A certificate, by the place it is to be taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateSource {
    /// What it is for: the name of an endpoint, `{endpoint}:Sni:{name}`, or `Default`.
    pub name: String,
    /// The key it was read from, such as `Kestrel:Certificates:Default`, or the call of code.
    pub key: String,
    /// Where it is.
    pub location: CertificateLocation,
}

/// Where a certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateLocation {
    /// In a file: with `key_path` a certificate in PEM or DER form, without it a PKCS#12 file.
    File {
        /// The file. Key: `Path`.
        path: PathBuf,
        /// The file of its private key, in PEM form. Key: `KeyPath`.
        key_path: Option<PathBuf>,
        /// The password of the PKCS#12 file or of the private key. Key: `Password`.
        password: Option<Secret>,
    },
    /// In a certificate store of .NET: a folder of PKCS#12 files. Takes the feature `pkcs12`.
    Store {
        /// A part of the certificate's subject. Key: `Subject`.
        subject: String,
        /// The store's name. Default: `My`. Key: `Store`.
        store: String,
        /// Whose store it is. Default: the user's. Key: `Location`.
        location: StoreLocation,
        /// Whether one that is expired or not trusted will do. Default: no. Key: `AllowInvalid`.
        allow_invalid: bool,
    },
    /// In the memory of the program.
    Memory(CertificateInMemory),
}

/// Where certificates of authorities are.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootsSource {
    /// A file in PEM form, or a folder of such files.
    Path(PathBuf),
    /// In the memory of the program: any number in PEM form, or one in DER form.
    Memory(Vec<u8>),
}

impl<P: Into<PathBuf>> From<P> for RootsSource {
    fn from(path: P) -> Self {
        Self::Path(path.into())
    }
}

impl fmt::Display for RootsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Memory(_) => f.write_str("certificates in memory"),
        }
    }
}

impl fmt::Debug for RootsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Memory(bytes) => write!(f, "Memory({} bytes)", bytes.len()),
        }
    }
}

/// Whose certificate store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreLocation {
    /// The user's.
    #[default]
    CurrentUser,
    /// The machine's.
    LocalMachine,
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CurrentUser => "CurrentUser",
            Self::LocalMachine => "LocalMachine",
        })
    }
}

/// Versions of TLS; older ones than 1.2 are not spoken at all (RFC 8996).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SslProtocols {
    /// TLS 1.2.
    pub tls12: bool,
    /// TLS 1.3.
    pub tls13: bool,
}

impl SslProtocols {
    /// TLS 1.2 alone.
    pub const TLS12: Self = Self { tls12: true, tls13: false };

    /// TLS 1.3 alone.
    pub const TLS13: Self = Self { tls12: false, tls13: true };

    /// Both.
    pub const ALL: Self = Self { tls12: true, tls13: true };
}

impl Default for SslProtocols {
    fn default() -> Self {
        Self::ALL
    }
}

/// Whether clients are asked for a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientCertificateMode {
    /// They are not.
    #[default]
    NoCertificate,
    /// They are, and one that has none is served, too.
    AllowCertificate,
    /// They are, and one that has none is refused.
    RequireCertificate,
    /// They are asked once the app wants it. rustls cannot ask later than in the handshake, so
    /// they never are: an app sees no certificate.
    DelayCertificate,
}

impl ClientCertificateMode {
    /// All names, as configuration spells them, in the order of their numbers.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("NoCertificate", Self::NoCertificate),
        ("AllowCertificate", Self::AllowCertificate),
        ("RequireCertificate", Self::RequireCertificate),
        ("DelayCertificate", Self::DelayCertificate),
    ];
}

impl CertificateSource {
    /// A certificate in PEM form and its private key. A chain may follow in the certificate's file.
    pub fn pem(path: impl Into<PathBuf>, key_path: impl Into<PathBuf>) -> Self {
        Self::in_code(CertificateLocation::File {
            path: path.into(),
            key_path: Some(key_path.into()),
            password: None,
        })
    }

    /// A PKCS#12 file, which has the certificate, its private key and the chain. Takes the feature
    /// `pkcs12`: without it the start is refused.
    pub fn pfx(path: impl Into<PathBuf>, password: impl Into<String>) -> Self {
        Self::in_code(CertificateLocation::File {
            path: path.into(),
            key_path: None,
            password: Some(Secret::new(password)),
        })
    }

    /// A certificate and its private key in PEM form, both in memory. The chain may follow the
    /// certificate, and both texts may be one.
    ///
    /// ```no_run
    /// use kestrel::tls::{CertificateSource, TlsOptions};
    /// use kestrel::{Endpoint, Host};
    ///
    /// # fn secret(name: &str) -> String { name.to_owned() }
    /// let certificate = CertificateSource::pem_text(secret("certificate"), secret("key"));
    /// let builder =
    ///     Host::builder().listen_on(Endpoint::any_ip(443).https(TlsOptions::with(certificate)));
    /// ```
    pub fn pem_text(certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self::of_pem(certificate.into(), key.into(), None)
    }

    /// The same with an encrypted private key. Takes the feature `pkcs12`, as [`pfx`](Self::pfx).
    pub fn encrypted_pem_text(
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
        password: impl Into<String>,
    ) -> Self {
        Self::of_pem(certificate.into(), key.into(), Some(Secret::new(password)))
    }

    fn of_pem(certificate: Vec<u8>, key: Vec<u8>, password: Option<Secret>) -> Self {
        let (certificate, key) = (certificate.into(), SecretBytes::new(key));
        Self::in_memory(Held::Pem { certificate, key, password })
    }

    /// A chain of certificates in DER form, the endpoint's own first, and its private key in DER form:
    /// PKCS#8, or what is usual for RSA (PKCS#1) and elliptic curves (SEC1).
    pub fn der(
        chain: impl IntoIterator<Item = impl Into<Vec<u8>>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        let chain = chain.into_iter().map(Into::into).collect();
        Self::in_memory(Held::Der { chain, key: SecretBytes::new(key.into()) })
    }

    /// The content of a PKCS#12 file. Takes the feature `pkcs12`, as [`pfx`](Self::pfx).
    pub fn pfx_bytes(bytes: impl Into<Vec<u8>>, password: impl Into<String>) -> Self {
        let (bytes, password) = (SecretBytes::new(bytes.into()), Secret::new(password));
        Self::in_memory(Held::Pfx { bytes, password })
    }

    pub(super) fn in_memory(held: Held) -> Self {
        Self::in_code(CertificateLocation::Memory(CertificateInMemory(held)))
    }

    /// The same for an endpoint of code, or for a name of it.
    pub(crate) fn set_by(&mut self, owner: &str, call: &str) {
        if self.key == IN_CODE {
            (self.name, self.key) = (owner.to_owned(), call.to_owned());
        }
    }

    pub(crate) fn new(name: &str, key: &str, location: CertificateLocation) -> Self {
        Self { name: name.to_owned(), key: key.to_owned(), location }
    }

    fn in_code(location: CertificateLocation) -> Self {
        Self::new(IN_CODE, IN_CODE, location)
    }
}

/// What a certificate is called that code made, until an endpoint has it.
const IN_CODE: &str = "listen_https";

impl TlsOptions {
    /// The options of an endpoint with this certificate.
    #[must_use]
    pub fn with(certificate: CertificateSource) -> Self {
        Self { certificate: Some(certificate), ..Self::default() }
    }

    /// Another certificate for clients that ask for this name: a host name, `*.example.com` for every
    /// name below that one, or `*` for all the rest. Once there is a name, a client that asks for none
    /// of them is refused, unless one is `*`; [`for_all_other_names`](Self::for_all_other_names) is
    /// that.
    ///
    /// ```
    /// use kestrel::tls::{CertificateSource, TlsOptions};
    ///
    /// let pem = |name: &str| CertificateSource::pem(format!("{name}.pem"), format!("{name}.key"));
    /// let options = TlsOptions::with(pem("example.com"))
    ///     .for_name("shop.example.com", pem("shop"))
    ///     .for_name("*.example.org", pem("org"))
    ///     .for_all_other_names();
    /// ```
    #[must_use]
    pub fn for_name(mut self, name: impl Into<String>, certificate: CertificateSource) -> Self {
        let (name, certificate) = (name.into(), Some(certificate));
        self.sni.push(SniOptions { name, certificate, ..SniOptions::default() });
        self
    }

    /// Whoever asks for no name that is told apart, or for none at all, gets the endpoint's certificate.
    #[must_use]
    pub fn for_all_other_names(mut self) -> Self {
        self.sni.push(SniOptions { name: "*".to_owned(), ..SniOptions::default() });
        self
    }
}

impl fmt::Display for TlsOptions {
    /// The options in words; names that differ stand on lines of their own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.server_config.is_some() {
            return f.write_str("a configuration of rustls");
        }
        write!(f, "{}, ", self.ssl_protocols)?;
        match &self.certificate {
            Some(certificate) => write!(f, "{certificate}")?,
            None => f.write_str("the default certificate")?,
        }
        if self.client_certificate_mode != ClientCertificateMode::NoCertificate {
            write!(f, ", {}", self.client_certificate_mode)?;
            if !self.client_certificate_roots.is_empty() {
                write!(f, " from {}", listed(&self.client_certificate_roots))?;
            }
        }
        for entry in &self.sni {
            write!(f, "\n    {entry}")?;
        }
        Ok(())
    }
}

fn listed(roots: &[RootsSource]) -> String {
    roots.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

impl fmt::Display for SniOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "for {}:", self.name)?;
        let parts = [
            self.ssl_protocols.map(|protocols| protocols.to_string()),
            self.certificate.as_ref().map(ToString::to_string),
            self.protocols.map(|protocols| protocols.to_string()),
            self.client_certificate_mode.map(|mode| mode.to_string()),
            (!self.client_certificate_roots.is_empty())
                .then(|| format!("clients from {}", listed(&self.client_certificate_roots))),
        ];
        let said: Vec<_> = parts.into_iter().flatten().collect();
        match said.as_slice() {
            [] => f.write_str(" as of the endpoint"),
            said => write!(f, " {}", said.join(", ")),
        }
    }
}

impl fmt::Display for CertificateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.location, self.key)
    }
}

impl fmt::Display for CertificateLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, key_path: None, .. } => write!(f, "{}", path.display()),
            Self::File { path, key_path: Some(key), .. } => {
                write!(f, "{} with {}", path.display(), key.display())
            }
            Self::Memory(certificate) => write!(f, "{certificate}"),
            Self::Store { subject, store, location, .. } => {
                write!(f, "'{subject}' of {location}/{store}")
            }
        }
    }
}

impl fmt::Display for SslProtocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.tls12, self.tls13) {
            (true, false) => "Tls12",
            (false, _) => "Tls13",
            (true, true) => "Tls12 and Tls13",
        })
    }
}

impl fmt::Display for ClientCertificateMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, mode)| mode == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}
