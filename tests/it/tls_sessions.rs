//! Sessions that a client takes up again, and where it may not.

use std::sync::Arc;

use kestrel::tls::ClientCertificateMode;
use rustls::HandshakeKind;

use crate::support::stopped;
use crate::tls_client::{Client, certificate, options};
use crate::tls_host::{VERSIONS, address, host, section, sections};

#[tokio::test]
async fn a_session_is_taken_up_again() {
    let host = host(options()).await;
    for (versions, version) in VERSIONS {
        let client = Client { versions, ..Client::default() };
        let config = client.config();
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let wire = client.try_connect_with(Arc::clone(&config), &address(&host)).await;
            let mut wire = wire.expect("a handshake");
            // The ticket comes with the answer.
            wire.get("/").await;
            let (_, session) = wire.stream().get_ref();
            assert_eq!(session.handshake_kind(), Some(kind), "{version}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_session_of_a_lenient_name_is_not_taken_up_where_a_certificate_is_required() {
    let options = sections(vec![
        section("one.example", |one| one.certificate = Some(certificate("one"))),
        section("localhost", |two| {
            two.certificate = Some(certificate("server"));
            two.client_certificate_mode = Some(ClientCertificateMode::RequireCertificate);
        }),
    ]);
    let host = host(options).await;
    for (versions, version) in VERSIONS {
        let client = Client { versions, ..Client::asking("one.example") };
        let mut config = (*client.config()).clone();
        // A client that takes up any session anywhere.
        config.resumption = rustls::client::Resumption::store(Arc::new(AnyName::default()));
        let config = Arc::new(config);
        let wire = client.try_connect_with(Arc::clone(&config), &address(&host)).await;
        wire.expect("a handshake").get("/").await;
        let strict = Client { versions, ..Client::asking("localhost") };
        let refused = match strict.try_connect_with(config, &address(&host)).await {
            Ok(mut wire) => wire.end().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(refused.is_err(), "{version}");
    }
    stopped(host).await;
}

/// Sessions without regard for the name they were made for.
#[derive(Debug)]
struct AnyName(rustls::client::ClientSessionMemoryCache);

impl Default for AnyName {
    fn default() -> Self {
        Self(rustls::client::ClientSessionMemoryCache::new(8))
    }
}

impl AnyName {
    fn name() -> rustls::pki_types::ServerName<'static> {
        "any.example".try_into().expect("a name")
    }
}

impl rustls::client::ClientSessionStore for AnyName {
    fn set_kx_hint(&self, _: rustls::pki_types::ServerName<'static>, group: rustls::NamedGroup) {
        self.0.set_kx_hint(Self::name(), group);
    }

    fn kx_hint(&self, _: &rustls::pki_types::ServerName<'_>) -> Option<rustls::NamedGroup> {
        self.0.kx_hint(&Self::name())
    }

    fn set_tls12_session(
        &self,
        _: rustls::pki_types::ServerName<'static>,
        value: rustls::client::Tls12ClientSessionValue,
    ) {
        self.0.set_tls12_session(Self::name(), value);
    }

    fn tls12_session(
        &self,
        _: &rustls::pki_types::ServerName<'_>,
    ) -> Option<rustls::client::Tls12ClientSessionValue> {
        self.0.tls12_session(&Self::name())
    }

    fn remove_tls12_session(&self, _: &rustls::pki_types::ServerName<'static>) {
        self.0.remove_tls12_session(&Self::name());
    }

    fn insert_tls13_ticket(
        &self,
        _: rustls::pki_types::ServerName<'static>,
        value: rustls::client::Tls13ClientSessionValue,
    ) {
        self.0.insert_tls13_ticket(Self::name(), value);
    }

    fn take_tls13_ticket(
        &self,
        _: &rustls::pki_types::ServerName<'static>,
    ) -> Option<rustls::client::Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&Self::name())
    }
}
