//! Both sides of TLS, for tests of what goes over it.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;

use super::certificate::ServerCertificate;
use super::client::{ClientMaterial, ClientTls};
use super::client_certificates::ClientRoots;
use super::endpoint::{EndpointTls, Material};
use super::options::{ClientCertificateMode, SslProtocols, TlsOptions};
use super::places::Places;
use super::test_data::{certificate, key};
use crate::features::HttpProtocols;

/// A certificate of `tests/data/tls` with its key.
fn served(name: &str) -> Arc<ServerCertificate> {
    let key = key(name).secret_der().to_vec();
    Arc::new(ServerCertificate::from_pkcs8(vec![certificate(name)], key).unwrap())
}

/// A server with the certificate of that name, which may want one of its clients that `ca` issued.
pub(crate) fn server(
    name: &str,
    protocols: HttpProtocols,
    client_certificate_mode: ClientCertificateMode,
) -> EndpointTls {
    let options = TlsOptions { client_certificate_mode, ..TlsOptions::default() };
    let material = Material {
        certificate: Some(&served(name)),
        of_names: &[],
        client_roots: &ClientRoots::new(vec![certificate("ca")]),
        client_roots_of_names: &[],
    };
    EndpointTls::new("test", &options, protocols, &material).unwrap()
}

/// A client that trusts these.
pub(crate) fn client(
    trusted: &[&str],
    accept_any: bool,
    certificate_of: Option<&str>,
) -> Arc<ClientTls> {
    client_of_versions(trusted, accept_any, certificate_of, SslProtocols::default())
}

/// The same, of some versions.
pub(crate) fn client_of_versions(
    trusted: &[&str],
    accept_any: bool,
    certificate_of: Option<&str>,
    versions: SslProtocols,
) -> Arc<ClientTls> {
    let own = certificate_of.map(|name| {
        let (chain, provider) = (vec![certificate(name)], default_provider());
        Arc::new(CertifiedKey::from_der(chain, key(name), &provider).unwrap())
    });
    let material = ClientMaterial {
        versions,
        accept_any,
        roots: Some(trusted.iter().map(|name| certificate(name)).collect()),
        places: &Places::default(),
        certificate: own,
    };
    Arc::new(ClientTls::new(material).unwrap())
}
