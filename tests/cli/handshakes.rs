//! What the log tells of handshakes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};

use crate::certificates::{Secured, client, install};
use crate::http::connect;
use crate::process::{Kestrel, LIMIT, Running};
use crate::test_data::{certificate, chain, file, key};

const HTTPS: &str = "Microsoft.AspNetCore.Server.Kestrel.Https.Internal.HttpsConnectionMiddleware";

/// A host with an https endpoint, and one in clear text.
fn both() -> Running {
    let kestrel = Kestrel::new([
        "run",
        "--urls",
        "https://127.0.0.1:0;http://127.0.0.1:0",
        "--Kestrel:Certificates:Default:Path=a.pem",
        "--Kestrel:Certificates:Default:KeyPath=a.key",
        &format!("--Logging:LogLevel:{HTTPS}=Debug"),
    ]);
    install("server", &kestrel.root());
    kestrel.started()
}

/// Sends `bytes` to an announced https address, and reads to the end.
fn sent(announced: &str, bytes: &[u8]) -> Vec<u8> {
    let authority = announced.strip_prefix("https://").expect("an https address");
    let mut stream = TcpStream::connect(authority).expect("somebody listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a time that is not zero");
    stream.write_all(bytes).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server ends the stream");
    answer
}

#[test]
fn every_handshake_is_told_of_at_debug() {
    let running = both();
    let https = &running.addresses()[0];
    let mut secured = Secured::connect(&client(), https).expect("a handshake");
    assert_eq!(secured.get().expect("an answer"), 200);
    running.wait_for(" established using the following protocol: Tls13");
    sent(https, b"\x16\x03\x01\x00\x04\x01\x00\x00\x00");
    running.wait_for("Authentication failed: ");
    sent(https, b"HELLO\r\n");
    running.wait_for("Cannot determine the frame size or a corrupted frame was received.");
    let hello =
        [&b"\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x02"[..], &[7; 32], b"\0\0\x02\xc0\x13\x01\0"];
    assert_eq!(sent(https, &hello.concat()), b"\x15\x03\x02\0\x02\x02\x46");
    running.wait_for("the client speaks nothing newer than TLS 1.1, and TLS 1.2 is the oldest");
    let outcome = running.terminated();
    for (id, times) in [(1, 3), (3, 1)] {
        let line = format!("dbug: {HTTPS}[{id}]\n");
        assert_eq!(outcome.stdout.matches(&line).count(), times, "{}", outcome.stdout);
    }
    let told = "Failed to authenticate HTTPS connection.\n";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
}

#[test]
fn clients_that_mix_up_clear_text_and_tls_are_told_of_once() {
    let running = both();
    let [https, http] = &running.addresses()[..] else {
        panic!("two addresses, not {:?}", running.addresses());
    };
    for _ in 0..3 {
        let answer = sent(https, b"GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n");
        let answer = String::from_utf8(answer).expect("a text");
        assert!(answer.contains("Use https:// in the place of http://"), "{answer}");
        let mut hello = connect(http);
        hello.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc").expect("the server reads");
        let mut answer = String::new();
        hello.read_to_string(&mut answer).expect("the server ends the stream");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    running.wait_for("A client began a TLS handshake");
    let (https, http) = (https.clone(), http.clone());
    let outcome = running.terminated();
    for told in [
        format!("sent a request in clear text to {https}, which speaks HTTPS"),
        format!("began a TLS handshake with {http}, which speaks clear text"),
    ] {
        assert_eq!(outcome.stdout.matches(&told).count(), 1, "{told}: {}", outcome.stdout);
    }
}

/// The operator sees why, once for each, and what to do; the client is told next to nothing.
#[test]
fn a_client_that_is_refused_for_its_certificate_is_told_of_with_the_way_out() {
    let kestrel = Kestrel::new(["run"]).file(
        "appsettings.json",
        r#"{"Kestrel":{"Endpoints":{"A":{"Url":"https://127.0.0.1:0","ClientCertificateMode":"RequireCertificate",
            "ClientCertificateRoots":"members-ca.pem","Certificate":{"Path":"a.pem","KeyPath":"a.key"}}}}}"#,
    );
    install("server", &kestrel.root());
    let roots = kestrel.root().join("members-ca.pem");
    std::fs::copy(file("members-ca.pem"), roots).expect("the folder is ours");
    let running = kestrel.started();
    let address = running.address();
    let answered = |name: &str| {
        let (chain, key) = (chain(name), key(name));
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(trusted())
            // rustls itself has nothing to do with certificates of version 1.
            .with_client_cert_resolver(Arc::new(Shows(Arc::new(CertifiedKey::new(
                chain,
                any_supported_type(&key).expect("a key that signs"),
            )))));
        let connection = Secured::connect(&Arc::new(config), &address);
        connection.and_then(|mut connection| connection.get()).is_ok()
    };
    assert!(answered("old"));
    let refused = [
        (
            "old-deep",
            "it is of X.509 version 1, and no root that is trusted here issued it itself.",
            "fix: make a certificate for a client: printf 'basicConstraints=CA:FALSE\\nextendedKeyUsage=clientAuth\\n' > client.ext; openssl x509 -req",
        ),
        (
            "own",
            "it is an authority's (CA:TRUE), and no root that is trusted here issued it itself.",
            "fix: make a certificate",
        ),
        (
            "stranger",
            "it does not lead to a root that is trusted here.",
            "fix: name the root of its authority in ClientCertificateRoots",
        ),
        (
            "old-expired",
            "it, or one that it leads to, has expired (it ends on 2025-01-01",
            "fix: renew it",
        ),
        (
            "authority-server",
            "it is not meant for clients (extendedKeyUsage).",
            "fix: make a certificate",
        ),
    ];
    for (name, why, fix) in refused {
        for _ in 0..2 {
            assert!(!answered(name), "{name}");
        }
        running.wait_for(why);
        running.wait_for(fix);
    }
    let outcome = running.terminated();
    let told =
        "info: Kestrel.Certificates[6]\n      A client of A was refused for its certificate (CN=";
    assert_eq!(outcome.stdout.matches(told).count(), refused.len(), "{}", outcome.stdout);
}

/// Shows a certificate, whatever is asked for.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn trusted() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate("ca")).expect("an authority");
    Arc::new(roots)
}
