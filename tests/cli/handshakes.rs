//! What the log tells of handshakes.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::certificates::{Secured, client, install};
use crate::http::connect;
use crate::process::{Kestrel, LIMIT, Running};

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
    let outcome = running.terminated();
    for (id, times) in [(1, 2), (3, 1)] {
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
        let (_, port) = https.rsplit_once(':').expect("a port");
        assert!(answer.ends_with(&format!("Use https://a.test:{port}/a")), "{answer}");
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
