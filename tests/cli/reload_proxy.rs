//! The binary takes what clusters of the reverse proxy are made of from files that are renewed in place.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use nix::sys::signal::Signal;

use crate::http::get;
use crate::process::{Kestrel, LIMIT, Running};
use crate::proxy::{destination, secured};
use crate::test_data::file;

const REFUSED: &str = "crit: Microsoft.AspNetCore.Server.Kestrel[0]";

/// A proxy with one cluster, of which this is said. It follows its files if `watches`.
fn proxy(cluster: &str, watches: bool) -> Kestrel {
    let settings = format!(
        r#"{{ "ReverseProxy": {{
        "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**rest}}" }} }} }},
        "Clusters": {{ "c": {{ {cluster} }} }} }} }}"#
    );
    let watch = format!("--hostBuilder:reloadConfigOnChange={watches}");
    Kestrel::run(["--urls=http://127.0.0.1:0", &watch]).file("appsettings.json", &settings)
}

fn put(from: &str, to: &Path) {
    fs::write(to, fs::read(file(from)).expect("it is there")).expect("the folder is ours");
}

/// What a reload says of the cluster.
fn told(running: &Running, watches: bool, what: &str) {
    if !watches {
        running.signal(Signal::SIGHUP);
    }
    running.wait_for(&format!("\n      ~ ReverseProxy:Clusters:c:{what}"));
}

fn status(running: &Running) -> u16 {
    get(&running.address(), "/", &[]).status
}

/// A file may be seen half written: what counts is what is there at last.
fn is_answered_by(running: &Running, expected: u16) {
    let begun = Instant::now();
    while status(running) != expected {
        assert!(begun.elapsed() < LIMIT, "it is never {expected}: {}", running.stdout());
        thread::yield_now();
    }
}

#[test]
fn authorities_and_certificates_that_are_renewed_in_place_are_taken() {
    let upstream = secured();
    let port = upstream.address().rsplit(':').next().expect("a port").to_owned();
    let cluster = format!(
        r#""Destinations": {{ "d": {{ "Address": "https://localhost:{port}" }} }},
        "HttpClient": {{ "ServerCertificateRoots": "roots.pem",
            "ClientCertificate": {{ "Path": "own.pem", "KeyPath": "own.key" }} }}"#
    );
    for watches in [true, false] {
        let proxy = proxy(&cluster, watches);
        let at = |name: &str| proxy.root().join(name);
        let (roots, own, key) = (at("roots.pem"), at("own.pem"), at("own.key"));
        put("strange-ca.pem", &roots);
        put("client.pem", &own);
        put("client.key", &key);
        let running = proxy.started();
        assert_eq!(status(&running), 502);
        put("ca.pem", &roots);
        told(&running, watches, "HttpClient:ServerCertificateRoots (renewed, for new connections)");
        is_answered_by(&running, 200);
        // Of another authority, in another order than it is read.
        put("own.pem", &own);
        put("own.key", &key);
        told(&running, watches, "HttpClient:ClientCertificate (renewed, for new connections)");
        is_answered_by(&running, 502);
        put("client.pem", &own);
        put("client.key", &key);
        if !watches {
            running.signal(Signal::SIGHUP);
        }
        is_answered_by(&running, 200);
        // What is wrong leaves what is in use as it is.
        fs::write(&roots, "nothing\n").expect("the folder is ours");
        if !watches {
            running.signal(Signal::SIGHUP);
        }
        running.wait_for(REFUSED);
        running.wait_for("What runs goes on as it was.");
        assert_eq!(status(&running), 200);
        assert_eq!(running.terminated().code, Some(0));
    }
    upstream.terminated();
}

#[test]
fn a_key_of_session_affinity_that_is_renewed_in_place_seals_what_is_new() {
    let cluster = format!(
        r#""Destinations": {{ "d": {{ "Address": "http://{}" }} }},
        "SessionAffinity": {{ "Enabled": true, "Policy": "Cookie", "AffinityKeyName": "a", "KeyPath": "a.key" }}"#,
        destination()
    );
    for watches in [true, false] {
        let proxy = proxy(&cluster, watches);
        let path = proxy.root().join("a.key");
        fs::write(&path, "0123456789abcdef\n").expect("the folder is ours");
        let running = proxy.started();
        let cookie = || {
            let answer = get(&running.address(), "/", &[]);
            answer.header("set-cookie").expect("a cookie").to_owned()
        };
        let first = cookie();
        assert_eq!(first, cookie());
        // It is renewed at once, as a half would be refused.
        let beside = path.with_extension("beside");
        fs::write(&beside, "fedcba9876543210\n").expect("the folder is ours");
        fs::rename(&beside, &path).expect("the folder is ours");
        told(&running, watches, "SessionAffinity:KeyPath (renewed, at once)");
        let second = cookie();
        assert_ne!(first, second);
        fs::write(&beside, "k\n").expect("the folder is ours");
        fs::rename(&beside, &path).expect("the folder is ours");
        if !watches {
            running.signal(Signal::SIGHUP);
        }
        running.wait_for("a.key has a key that is shorter than 16 bytes.");
        running.wait_for(REFUSED);
        assert_eq!(second, cookie());
        assert_eq!(running.terminated().code, Some(0));
    }
}
