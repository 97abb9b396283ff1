//! How the connections of an https endpoint are secured.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache, StoresServerSessions};
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};

use super::certificate::ServerCertificate;
use super::client_certificates::ClientRoots;
use super::options::{ClientCertificateMode, SslProtocols, TlsOptions};
use super::ready::ReadyConfig;
use super::sni::SniTable;
use crate::configuration::Problem;
use crate::features::HttpProtocols;

/// How many sessions of TLS 1.2 clients that know no tickets are kept in memory.
const SESSIONS: usize = 1024;

/// How the connections of an https endpoint are secured: made once, shared by all of them.
#[derive(Debug)]
pub(crate) struct EndpointTls {
    /// The endpoint's name, for messages.
    name: String,
    /// What names are told apart; without any, all clients are answered alike.
    names: Option<SniTable>,
    /// By the places of the names.
    answers: Vec<Arc<Answer>>,
}

/// How a client is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// `None` if no version of TLS is left to be spoken.
    pub(super) config: Option<Arc<ServerConfig>>,
    /// The versions of HTTP that are spoken with it.
    pub(crate) protocols: HttpProtocols,
    /// What makes it another one than the rest; an answer that is the only one has nothing.
    kind: Option<Kind>,
}

/// What makes two answers differ.
#[derive(Debug)]
struct Kind {
    certificate: Arc<ServerCertificate>,
    ssl_protocols: SslProtocols,
    client_certificate_mode: ClientCertificateMode,
    client_roots: ClientRoots,
    protocols: HttpProtocols,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.certificate, &other.certificate)
            && self.ssl_protocols == other.ssl_protocols
            && self.client_certificate_mode == other.client_certificate_mode
            && self.client_roots.is(&other.client_roots)
            && self.protocols == other.protocols
    }
}

/// What was read from files and stores for an endpoint.
pub(crate) struct Material<'a> {
    /// Its certificate, or the default one.
    pub(crate) certificate: Option<&'a Arc<ServerCertificate>>,
    /// Those of `TlsOptions::sni`, in that order; `None` takes that of the endpoint.
    pub(crate) of_names: &'a [Option<Arc<ServerCertificate>>],
    /// Whose certificates of clients are taken.
    pub(crate) client_roots: &'a ClientRoots,
    /// The same of the names, in their order; `None` takes those of the endpoint.
    pub(crate) client_roots_of_names: &'a [Option<ClientRoots>],
}

impl EndpointTls {
    /// Prepares an endpoint.
    ///
    /// # Errors
    ///
    /// A certificate is missing, or the cryptography of this machine does not work.
    pub(crate) fn new(
        name: &str,
        options: &TlsOptions,
        protocols: HttpProtocols,
        material: &Material<'_>,
    ) -> Result<Self, Problem> {
        let Material { certificate: own, client_roots: own_roots, .. } = material;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut answers: Vec<Arc<Answer>> = Vec::new();
        let mut add = |kind: Kind| -> Result<(), Problem> {
            let known = answers.iter().find(|answer| answer.kind.as_ref() == Some(&kind)).cloned();
            let answer = match known {
                Some(known) => known,
                None => Arc::new(Answer::new(kind, name, &provider)?),
            };
            answers.push(answer);
            Ok(())
        };
        if options.sni.is_empty() {
            add(Kind {
                certificate: own.cloned().ok_or_else(no_certificate)?,
                ssl_protocols: options.ssl_protocols,
                client_certificate_mode: options.client_certificate_mode,
                client_roots: (*own_roots).clone(),
                protocols,
            })?;
        }
        for (place, section) in options.sni.iter().enumerate() {
            let certificate = material.of_names.get(place).and_then(Option::as_ref).or(*own);
            add(Kind {
                certificate: certificate.cloned().ok_or_else(no_certificate)?,
                ssl_protocols: section.ssl_protocols.unwrap_or(options.ssl_protocols),
                client_certificate_mode: section
                    .client_certificate_mode
                    .unwrap_or(options.client_certificate_mode),
                client_roots: material
                    .client_roots_of_names
                    .get(place)
                    .and_then(Option::as_ref)
                    .unwrap_or(own_roots)
                    .clone(),
                protocols: section.protocols.unwrap_or(protocols),
            })?;
        }
        let names = options.sni.iter().map(|section| section.name.as_str());
        let names = (!options.sni.is_empty()).then(|| SniTable::new(names));
        Ok(Self { name: name.to_owned(), names, answers })
    }

    /// Prepares an endpoint whose program made a configuration. Only what depends on the endpoint is set
    /// in it; see [`TlsOptions::with_config`].
    pub(crate) fn ready(name: &str, config: &ReadyConfig, protocols: HttpProtocols) -> Self {
        let mut config = config.config().clone();
        config.alpn_protocols = application_protocols(protocols);
        config.max_early_data_size = 0;
        let answer = Answer { config: Some(Arc::new(config)), protocols, kind: None };
        Self { name: name.to_owned(), names: None, answers: vec![Arc::new(answer)] }
    }

    /// How a client is answered that asks for `server_name`.
    ///
    /// # Errors
    ///
    /// It is not: none of the endpoint's names is meant. The reason is Kestrel's.
    pub(super) fn answer(&self, server_name: Option<&str>) -> Result<&Answer, String> {
        let place = match &self.names {
            None => Some(0),
            Some(names) => names.find(server_name),
        };
        place.and_then(|place| self.answers.get(place)).map(Arc::as_ref).ok_or_else(|| {
            format!(
                "Connection refused because no SNI configuration section was found for '{}' in '{}'. To allow all connections, add a wildcard ('*') SNI section.",
                server_name.unwrap_or_default(),
                self.name
            )
        })
    }
}

impl Answer {
    fn new(kind: Kind, endpoint: &str, provider: &Arc<CryptoProvider>) -> Result<Self, Problem> {
        let config = kind.config(endpoint, provider).map_err(|error| {
            Problem::error(format!("TLS cannot be spoken on this machine: {error}."))
        })?;
        Ok(Self { config, protocols: kind.protocols, kind: Some(kind) })
    }
}

impl Kind {
    fn config(
        &self,
        endpoint: &str,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<ServerConfig>>, rustls::Error> {
        let SslProtocols { tls12, tls13 } = self.ssl_protocols;
        let versions = match (tls12, tls13) {
            (true, true) => &[&TLS13, &TLS12][..],
            (true, false) => &[&TLS12],
            (false, true) => &[&TLS13],
            (false, false) => return Ok(None),
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_protocol_versions(versions)?;
        let roots = &self.client_roots;
        let builder = match roots.verifier(self.client_certificate_mode, provider, endpoint) {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let certificate = SingleCertAndKey::from(Arc::clone(&self.certificate.certified));
        let mut config = builder.with_cert_resolver(Arc::new(certificate));
        config.ignore_client_order = true;
        config.alpn_protocols = application_protocols(self.protocols);
        // Each answer has keys of its own: a session that began without a client's certificate
        // must not go on where one is needed. Keys are replaced every six hours.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        // A ticket is a twentieth of the work of a handshake, and most clients of HTTP/2 have one
        // connection; each gets a new one when it takes it up again.
        config.send_tls13_tickets = 1;
        config.session_storage = match tls12 {
            true => ServerSessionMemoryCache::new(SESSIONS),
            false => Arc::new(NoServerSessionStorage {}) as Arc<dyn StoresServerSessions>,
        };
        Ok(Some(Arc::new(config)))
    }
}

/// What may be agreed on in the handshake (RFC 7301), in our order.
fn application_protocols(protocols: HttpProtocols) -> Vec<Vec<u8>> {
    const H2: &[u8] = b"h2";
    const HTTP_1_1: &[u8] = b"http/1.1";

    let names: &[&[u8]] = match protocols {
        HttpProtocols::Http1 => &[HTTP_1_1],
        HttpProtocols::Http2 => &[H2],
        HttpProtocols::Http1AndHttp2 | HttpProtocols::Http1AndHttp2AndHttp3 => &[H2, HTTP_1_1],
        HttpProtocols::None | HttpProtocols::Http3 => &[],
    };
    names.iter().map(|name| name.to_vec()).collect()
}

fn no_certificate() -> Problem {
    Problem::error(
        "Unable to configure HTTPS endpoint. No server certificate was specified, and the default developer certificate could not be found or is out of date.",
    )
}
