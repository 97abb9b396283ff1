//! A reload of https endpoints: a new certificate is for new handshakes, and whatever is wrong with
//! it leaves the old one in its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use kestrel::{HostError, Reloaded};
use rustls::HandshakeKind;

use crate::reload::Stage;
use crate::support::{Wire, saying, soon, stopped};
use crate::test_data::file;
use crate::tls_client::Client;

const SECURED: &str =
    r#""A":{"Url":"https://127.0.0.1:0","Certificate":{"Path":"a.pem","KeyPath":"a.key"}}"#;

impl Stage {
    /// Puts a certificate and its key in the place of `a.pem` and `a.key`.
    fn install(&self, name: &str) {
        for kind in ["pem", "key"] {
            let from = file(&format!("{name}.{kind}"));
            let beside = self.path("beside");
            std::fs::copy(from, &beside).expect("the folder is ours");
            std::fs::rename(&beside, self.path(&format!("a.{kind}"))).expect("the folder is ours");
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_for_new_handshakes() {
    let stage = Stage::with_endpoints(SECURED);
    stage.install("server");
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let mut old = Client::default().connect(&address).await;
    assert_eq!(old.get("/").await.status, 200);
    assert_eq!(host.reload().await.unwrap(), Reloaded::Unchanged);

    stage.install("one");
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    assert_eq!(host.addresses(), std::slice::from_ref(&address));
    let mut new = Client::asking("one.example").connect(&address).await;
    assert_eq!(new.get("/").await.status, 200);
    assert!(Client::default().try_connect(&address).await.is_err(), "that one is gone");
    assert_eq!(old.get("/").await.status, 200, "it goes on as it began");
    // The same certificate in other bytes is no other one.
    let pem = std::fs::read_to_string(stage.path("a.pem")).expect("it is there");
    std::fs::write(stage.path("a.pem"), format!("A note.\n{pem}")).expect("the folder is ours");
    assert_eq!(host.reload().await.unwrap(), Reloaded::Unchanged);
    stopped(host).await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_served_leaves_the_old_one() {
    let stage = Stage::with_endpoints(SECURED);
    stage.install("server");
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let key_of_another = || std::fs::copy(file("one.key"), stage.path("a.key")).map(drop);
    let broken = || std::fs::write(stage.path("a.pem"), "no certificate");
    let gone = || std::fs::remove_file(stage.path("a.pem"));
    let breaks: [&dyn Fn() -> std::io::Result<()>; 3] = [&key_of_another, &broken, &gone];
    for (place, break_it) in breaks.into_iter().enumerate() {
        stage.install("server");
        break_it().expect("the folder is ours");
        let error = host.reload().await.expect_err("nobody could serve that");
        assert!(matches!(error, HostError::Certificate(_)), "{place}: {error}");
        assert!(error.to_string().contains("appsettings.json:1:"), "{place}: {error}");
        assert_eq!(Client::default().connect(&address).await.get("/").await.status, 200);
    }
    stage.install("one");
    host.reload().await.expect("a good one");
    assert_eq!(Client::asking("one.example").connect(&address).await.get("/").await.status, 200);
    stopped(host).await;
}

#[tokio::test]
async fn clear_text_becomes_tls_on_the_same_socket_and_back() {
    let plain = r#""A":{"Url":"http://127.0.0.1:0"}"#;
    let stage = Stage::with_endpoints(plain);
    stage.install("server");
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let secured = address.replace("http://", "https://");
    let mut old = Wire::connect(&address).await;
    assert_eq!(old.get("/").await.status, 200);
    stage.go_over_to(&host, SECURED).await.unwrap();
    assert_eq!(host.addresses(), std::slice::from_ref(&secured));
    let mut wire = Client::default().connect(&secured).await;
    assert_eq!(wire.get("/").await.status, 200);
    assert_eq!(old.get("/").await.status, 200, "it goes on as it began");
    stage.go_over_to(&host, plain).await.unwrap();
    assert_eq!(host.addresses(), std::slice::from_ref(&address));
    assert_eq!(Wire::connect(&address).await.get("/").await.status, 200);
    assert_eq!(wire.get("/").await.status, 200, "it goes on as it began");
    stopped(host).await;
}

/// Certificates are replaced under the eyes of clients that never stop shaking hands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_handshake_fails_while_certificates_are_replaced() {
    const CLIENTS: usize = 16;
    const RELOADS: usize = 20;
    let stage = Stage::with_endpoints(SECURED);
    stage.install("server");
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let (ends, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (address, ends, served) = (address.clone(), ends.clone(), served.clone());
            tokio::spawn(async move {
                // One set of sessions each: they are taken up again, or not if they are forgotten.
                let client = Client::default();
                let config = client.config();
                while !ends.load(Ordering::Relaxed) {
                    let wire = client.try_connect_with(Arc::clone(&config), &address).await;
                    let mut wire = wire.expect("a handshake");
                    for _ in 0..4 {
                        assert_eq!(wire.get("/").await.body, "hello");
                    }
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for reload in 0..RELOADS {
        let before = served.load(Ordering::Relaxed);
        stage.install(["server-2", "server"][reload % 2]);
        assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
        let at_work = async {
            while served.load(Ordering::Relaxed) < before + CLIENTS {
                assert!(!clients.iter().any(tokio::task::JoinHandle::is_finished), "one failed");
                tokio::task::yield_now().await;
            }
        };
        soon("handshakes", at_work).await;
    }
    ends.store(true, Ordering::Relaxed);
    for client in clients {
        soon("the end of a client", client).await.expect("no handshake failed");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_session_of_the_old_certificate_is_not_taken_up_again() {
    let stage = Stage::with_endpoints(SECURED);
    stage.install("server");
    let host = stage.started(saying("hello")).await;
    let address = host.addresses()[0].clone();
    let client = Client::default();
    let config = client.config();
    for (certificate, kind) in [
        ("server", HandshakeKind::Full),
        ("server", HandshakeKind::Resumed),
        ("server-2", HandshakeKind::Full),
    ] {
        stage.install(certificate);
        host.reload().await.expect("a good one");
        let wire = client.try_connect_with(Arc::clone(&config), &address).await;
        let mut wire = wire.expect("a handshake");
        wire.get("/").await;
        let (_, session) = wire.stream().get_ref();
        assert_eq!(session.handshake_kind(), Some(kind), "{certificate}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn whom_clients_are_trusted_by_is_read_again() {
    let stage = Stage::with_endpoints(
        r#""A":{"Url":"https://127.0.0.1:0","ClientCertificateMode":"RequireCertificate","Certificate":{"Path":"a.pem","KeyPath":"a.key"}}"#,
    );
    stage.install("server");
    let roots = stage.path("roots.pem");
    std::fs::copy(file("ca.pem"), &roots).expect("the folder is ours");
    let host = stage.started_trusting(&roots, saying("hello")).await;
    let address = host.addresses()[0].clone();
    let status = async |certificate| {
        let client = Client { certificate: Some(certificate), ..Client::default() };
        let mut wire = client.try_connect(&address).await.ok()?;
        wire.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        wire.answer_or_end().await.ok().map(|answer| answer.status)
    };
    assert_eq!((status("client").await, status("stranger").await), (Some(200), None));
    std::fs::copy(file("strange-ca.pem"), &roots).expect("the folder is ours");
    assert_eq!(host.reload().await.unwrap(), Reloaded::Changed);
    assert_eq!((status("client").await, status("stranger").await), (None, Some(200)));
    assert_eq!(host.reload().await.unwrap(), Reloaded::Unchanged);
    stopped(host).await;
}
