//! Who a client is: its certificate says so, and only if it has the key.

use std::path::PathBuf;
use std::sync::Arc;

use kestrel::tls::{ClientCertificateMode, TlsOptions};
use kestrel::{HostError, Reloaded, RunningHost};
use rustls::client::{ResolvesClientCert, Resumption, Tls12Resumption};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls::{HandshakeKind, SignatureScheme};

use crate::reload::Stage;
use crate::support::{saying, started, stopped};
use crate::test_data::{self, certificate, file};
use crate::tls_client::{Client, ONLY_TLS12, ONLY_TLS13, options, serving};
use crate::tls_host::{VERSIONS, address, host};

/// Shows a certificate, and signs with whatever key there is.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl Shows {
    fn new(certificates: &[&str], key: &str) -> Arc<Self> {
        let chain = certificates.iter().map(|name| certificate(name)).collect();
        let key = any_supported_type(&test_data::key(key)).expect("a key that signs");
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

/// Whether a client that shows these certificates gets an answer.
async fn is_taken(client: &Client, address: &str, certificates: &[&str], key: &str) -> bool {
    let mut config = (*client.config()).clone();
    config.client_auth_cert_resolver = Shows::new(certificates, key);
    match client.try_connect_with(Arc::new(config), address).await {
        Ok(mut wire) => {
            wire.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            wire.answer_or_end().await.is_ok()
        }
        Err(_) => false,
    }
}

async fn requiring(change: impl FnOnce(&mut TlsOptions)) -> RunningHost {
    let mut options = options();
    options.client_certificate_mode = ClientCertificateMode::RequireCertificate;
    change(&mut options);
    started(serving(options).app(saying("hello"))).await
}

#[tokio::test]
async fn certificates_of_clients_are_asked_for_and_judged() {
    use ClientCertificateMode::{
        AllowCertificate, DelayCertificate, NoCertificate, RequireCertificate,
    };

    for (mode, none, trusted, strange) in [
        (NoCertificate, Some(0), Some(0), Some(0)),
        (AllowCertificate, Some(0), Some(1), None),
        (RequireCertificate, None, Some(1), None),
        (DelayCertificate, Some(0), Some(0), Some(0)),
    ] {
        let mut options = options();
        options.client_certificate_mode = mode;
        let host = host(options).await;
        for (versions, version) in VERSIONS {
            for (certificate, seen) in [
                (None, none),
                (Some("client"), trusted),
                // One that is trusted itself.
                (Some("own"), trusted),
                (Some("stranger"), strange),
                (Some("other-use"), strange),
            ] {
                let client = Client { versions, certificate, ..Client::default() };
                let what = format!("{mode:?} {version} {certificate:?}");
                match seen {
                    Some(seen) => {
                        let body = client.connect(&address(&host)).await.get("/").await.body;
                        assert_eq!(body, format!("https {version} - - {seen}"), "{what}");
                    }
                    // A client of TLS 1.3 only learns of it when it reads.
                    None => {
                        let refused = match client.try_connect(&address(&host)).await {
                            Ok(mut wire) => wire.end().await.map(|_| ()),
                            Err(error) => Err(error),
                        };
                        let error = refused.expect_err(&what).to_string();
                        assert!(error.contains("received fatal alert"), "{what}: {error}");
                    }
                }
            }
        }
        stopped(host).await;
    }
}

#[tokio::test]
async fn a_certificate_is_worth_nothing_without_its_key() {
    let host = requiring(|_| {}).await;
    let address = host.addresses()[0].clone();
    for versions in [ONLY_TLS12, ONLY_TLS13] {
        for (certificates, key, expected) in [
            (&["client"][..], "client", true),
            (&["client"], "stranger", false),
            (&["own"], "own", true),
            (&["own"], "stranger", false),
            // What stands behind it, whoever it belongs to, vouches for nothing by being there.
            (&["stranger", "own"], "stranger", false),
            (&["stranger", "ca"], "stranger", false),
        ] {
            let client = Client { versions, ..Client::default() };
            let taken = is_taken(&client, &address, certificates, key).await;
            assert_eq!(taken, expected, "{versions:?} {certificates:?} by the key of {key}");
        }
    }
    stopped(host).await;
}

/// Those of version 1 and of authorities, as `openssl` makes them where nobody asks for more; and only
/// the roots that are named are asked, not those of the machine.
#[tokio::test]
async fn roots_that_are_named_stand_in_the_place_of_the_machines() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["members-ca.pem", "strange-ca.pem"] {
        std::fs::copy(file(name), folder.path().join(name)).expect("the folder is ours");
    }
    std::fs::write(folder.path().join("README"), "Whom we know.").expect("the folder is ours");
    let roots: [(Vec<PathBuf>, &[&str]); 4] = [
        (vec![], &["client"]),
        (vec![file("members-ca.pem")], &["old", "authority"]),
        (vec![folder.path().to_owned()], &["old", "authority", "stranger"]),
        (vec![file("members-ca.pem"), file("ca.pem")], &["old", "authority", "client"]),
    ];
    for (roots, expected) in roots {
        let host = requiring(|options| {
            options.client_certificate_roots = roots.iter().map(Into::into).collect()
        })
        .await;
        let address = host.addresses()[0].clone();
        for versions in [ONLY_TLS12, ONLY_TLS13] {
            let client = Client { versions, ..Client::default() };
            for name in ["client", "stranger", "old", "authority", "old-forged", "old-deep"] {
                let taken = is_taken(&client, &address, &[name], name).await;
                assert_eq!(taken, expected.contains(&name), "{roots:?} {versions:?} {name}");
            }
            // Not without the key, whatever its version.
            for name in ["old", "authority"] {
                assert!(!is_taken(&client, &address, &[name], "stranger").await, "{name}");
            }
        }
        stopped(host).await;
    }
}

#[tokio::test]
async fn each_name_has_roots_of_its_own_and_they_follow_their_files() {
    let stage = Stage::with_endpoints("");
    for kind in ["pem", "key"] {
        let to = stage.path(&format!("a.{kind}"));
        std::fs::copy(file(&format!("server.{kind}")), to).expect("the folder is ours");
    }
    let put = |from: &str, to: &str| {
        std::fs::copy(file(&format!("{from}.pem")), stage.path(to)).expect("the folder is ours");
    };
    std::fs::create_dir(stage.path("members")).expect("the folder is ours");
    put("members-ca", "members/one.pem");
    put("strange-ca", "strangers.pem");
    stage.write(
        r#"{"Kestrel":{
            "EndpointDefaults":{"ClientCertificateMode":"RequireCertificate","ClientCertificateRoots":"strangers.pem"},
            "Endpoints":{
                "A":{"Url":"https://127.0.0.1:0","Certificate":{"Path":"a.pem","KeyPath":"a.key"},
                    "Sni":{"localhost":{"ClientCertificateRoots":["members"]},"*":{}}}}}}"#,
    );
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let takes = async |name: &'static str| {
        let mut taken = Vec::new();
        for who in ["client", "stranger", "old"] {
            if is_taken(&Client::asking(name), &address, &[who], who).await {
                taken.push(who);
            }
        }
        taken
    };
    assert_eq!(takes("localhost").await, ["old"]);
    assert_eq!(takes("127.0.0.1").await, ["stranger"]);

    // Another file in the folder, and another content of the file.
    put("ca", "members/two.pem");
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    assert_eq!(takes("localhost").await, ["client", "old"]);
    assert_eq!(takes("127.0.0.1").await, ["stranger"]);
    put("ca", "strangers.pem");
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    assert_eq!(takes("127.0.0.1").await, ["client"]);
    assert_eq!(host.reload().await.unwrap(), Reloaded::Unchanged);

    // What cannot be read leaves what runs.
    std::fs::write(stage.path("strangers.pem"), "nobody").expect("the folder is ours");
    let error = host.reload().await.expect_err("no root is there");
    assert!(matches!(error, HostError::Certificate(_)), "{error}");
    let told = "key Kestrel:EndpointDefaults:ClientCertificateRoots";
    assert!(error.to_string().contains(told), "{error}");
    assert_eq!(takes("127.0.0.1").await, ["client"]);
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
