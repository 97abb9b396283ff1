//! Who a client is: its certificate says so, and only if it has the key.

use std::sync::Arc;

use kestrel::RunningHost;
use kestrel::tls::{ClientCertificateMode, TlsOptions};
use rustls::client::{ResolvesClientCert, Resumption, Tls12Resumption};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{HandshakeKind, SignatureScheme};

use crate::reload::Stage;
use crate::support::{saying, started, stopped};
use crate::tls_client::{Client, ONLY_TLS12, ONLY_TLS13, file, options, serving};

/// Shows a certificate, and signs with whatever key there is.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl Shows {
    fn new(certificates: &[&str], key: &str) -> Arc<Self> {
        let one = |name: &&str| {
            CertificateDer::from_pem_file(file(&format!("{name}.pem"))).expect("a certificate")
        };
        let key = PrivateKeyDer::from_pem_file(file(&format!("{key}.key"))).expect("a key");
        let chain = certificates.iter().map(one).collect();
        let key = any_supported_type(&key).expect("a key that signs");
        Arc::new(Self(Arc::new(CertifiedKey::new(chain, key))))
    }
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

async fn requiring(change: impl FnOnce(&mut TlsOptions)) -> RunningHost {
    let mut options = options();
    options.client_certificate_mode = ClientCertificateMode::RequireCertificate;
    change(&mut options);
    started(serving(options).app(saying("hello"))).await
}

#[tokio::test]
async fn a_certificate_is_worth_nothing_without_its_key() {
    let host = requiring(|_| {}).await;
    let address = host.addresses()[0].clone();
    for versions in [ONLY_TLS12, ONLY_TLS13] {
        for (certificates, key, is_taken) in [
            (&["client"][..], "client", true),
            (&["client"], "stranger", false),
            (&["own"], "own", true),
            (&["own"], "stranger", false),
            // What stands behind it, whoever it belongs to, vouches for nothing by being there.
            (&["stranger", "own"], "stranger", false),
            (&["stranger", "ca"], "stranger", false),
        ] {
            let client = Client { versions, ..Client::default() };
            let mut config = (*client.config()).clone();
            config.client_auth_cert_resolver = Shows::new(certificates, key);
            let taken = match client.try_connect_with(Arc::new(config), &address).await {
                Ok(mut wire) => {
                    wire.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
                    wire.answer_or_end().await.is_ok()
                }
                Err(_) => false,
            };
            assert_eq!(taken, is_taken, "{versions:?} {certificates:?} by the key of {key}");
        }
    }
    stopped(host).await;
}

/// A session that began where nobody was asked must not go on where a certificate is needed, even
/// if all else is the same: the name, the certificate, the port.
#[tokio::test]
async fn no_session_outlives_the_rule_that_a_certificate_is_needed() {
    let secured = |mode: &str| {
        format!(
            r#""A":{{"Url":"https://127.0.0.1:0","ClientCertificateMode":"{mode}","Certificate":{{"Path":"a.pem","KeyPath":"a.key"}}}}"#
        )
    };
    for (versions, by_id) in [(ONLY_TLS12, true), (ONLY_TLS12, false), (ONLY_TLS13, false)] {
        let stage = Stage::with_endpoints(&secured("NoCertificate"));
        for kind in ["pem", "key"] {
            let to = stage.path(&format!("a.{kind}"));
            std::fs::copy(file(&format!("server.{kind}")), to).expect("the folder is ours");
        }
        let host = stage.started(saying("hello")).await;
        let address = host.addresses()[0].clone();
        let client = Client { versions, ..Client::asking("localhost") };
        let mut config = (*client.config()).clone();
        config.resumption = Resumption::in_memory_sessions(8).tls12_resumption(match by_id {
            true => Tls12Resumption::SessionIdOnly,
            false => Tls12Resumption::SessionIdOrTickets,
        });
        let config = Arc::new(config);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let wire = client.try_connect_with(Arc::clone(&config), &address).await;
            let mut wire = wire.expect("a handshake");
            assert_eq!(wire.get("/").await.status, 200);
            let (_, session) = wire.stream().get_ref();
            assert_eq!(session.handshake_kind(), Some(kind), "{versions:?}");
        }
        stage.go_over_to(&host, &secured("RequireCertificate")).await.expect("a good one");
        let refused = match client.try_connect_with(config, &address).await {
            Ok(mut wire) => wire.end().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(refused.is_err(), "{versions:?}, by its id: {by_id}");
        stopped(host).await;
    }
}
