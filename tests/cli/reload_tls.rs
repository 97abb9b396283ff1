//! The binary serves another certificate when its files change, and other endpoints, while its
//! connections live on.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rustls::ClientConfig;

use crate::certificates::{Secured, client, install};
use crate::environment::skipped;
use crate::process::{Kestrel, LIMIT, Running};
use crate::test_data::{certificate, file};

/// How long a change may take to be in effect where everything takes its time. The watch itself is
/// done within two seconds, which `hosting/reload/watch.rs` has its compiler check; what comes on
/// top is the machine's.
const SOON: Duration = Duration::from_secs(20);

/// An endpoint with the certificate of the folder `tls`, and others beside it.
fn settings(others: &str) -> String {
    let kept = r#""Kept":{"Url":"https://127.0.0.1:0","Certificate":{"Path":"tls/a.pem","KeyPath":"tls/a.key"}}"#;
    format!(r#"{{"Kestrel":{{"Endpoints":{{{kept}{others}}}}}}}"#)
}

/// The binary with that endpoint, which serves `server`.
fn kestrel() -> Kestrel {
    let kestrel = Kestrel::new(["run"]).file("appsettings.json", &settings(""));
    let tls = kestrel.root().join("tls");
    fs::create_dir(&tls).expect("the folder is ours");
    install("server", &tls);
    kestrel
}

fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("beside");
    fs::write(&beside, text).expect("the folder is ours");
    fs::rename(beside, path).expect("the folder is ours");
}

/// Shakes hands until the certificate called `name` is shown; the time that took.
fn shown(config: &Arc<ClientConfig>, address: &str, name: &str) -> Duration {
    let (begun, expected) = (Instant::now(), certificate(name));
    loop {
        let connection = Secured::connect(config, address).expect("a handshake");
        if connection.certificate() == expected {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < LIMIT, "'{name}' is never served");
        thread::yield_now();
    }
}

#[test]
fn a_certificate_that_is_replaced_is_served_soon_and_open_connections_live_on() {
    for polling in ["0", "1"] {
        let kestrel = kestrel().variable("DOTNET_USE_POLLING_FILE_WATCHER", polling);
        let tls = kestrel.root().join("tls");
        let running = kestrel.started();
        let (address, config) = (running.address(), client());
        let mut old = Secured::connect(&config, &address).expect("a handshake");
        assert_eq!(old.certificate(), certificate("server"));
        assert_eq!(old.get().expect("an answer"), 200);
        install("server-2", &tls);
        let took = shown(&config, &address, "server-2");
        assert!(took < SOON, "{took:?}");
        // Written over what is there, which a reader may see half done.
        for kind in ["key", "pem"] {
            let path = file(&format!("server.{kind}"));
            fs::copy(path, tls.join(format!("a.{kind}"))).expect("the folder is ours");
        }
        let took = shown(&config, &address, "server");
        assert!(took < SOON, "{took:?}");
        assert_eq!(old.get().expect("it goes on as it began"), 200);
        running.wait_for(&format!("\n      ~ {address} (certificate CN=localhost, expires 2120"));
        assert_eq!(running.terminated().code, Some(0));
    }
}

#[test]
fn openssl_sees_the_new_serial_soon() {
    let serial = |arguments: &[&str], input: Stdio| -> io::Result<String> {
        let output = Command::new("openssl").args(arguments).stdin(input).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let of_file = |name: &str| {
        let path = file(name).display().to_string();
        serial(&["x509", "-noout", "-serial", "-in", &path], Stdio::null())
    };
    let (Ok(old), Ok(new)) = (of_file("server.pem"), of_file("server-2.pem")) else {
        return skipped("the serial that is served", "openssl (apt-get install openssl)");
    };
    assert_ne!(old, new);
    let kestrel = kestrel();
    let tls = kestrel.root().join("tls");
    let running = kestrel.started();
    let address = running.address();
    let served = || {
        let mut shaking = Command::new("openssl")
            .args(["s_client", "-connect", &address["https://".len()..]])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it was there a moment ago");
        let shown = shaking.stdout.take().expect("a pipe");
        let serial = serial(&["x509", "-noout", "-serial"], shown.into()).expect("openssl runs");
        shaking.wait().expect("it is ours");
        serial
    };
    assert_eq!(served(), old);
    install("server-2", &tls);
    let begun = Instant::now();
    while served() != new {
        assert!(begun.elapsed() < LIMIT, "the new serial is never served");
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn a_certificate_file_that_is_gone_is_told_and_serves_on() {
    let kestrel = kestrel();
    let root = kestrel.root();
    fs::rename(root.join("tls"), root.join("1")).expect("the folder is ours");
    symlink("1", root.join("tls")).expect("the folder is ours");
    fs::create_dir(root.join("2")).expect("the folder is ours");
    install("server-2", &root.join("2"));
    let running = kestrel.started();
    let (address, config) = (running.address(), client());
    symlink("2", root.join("tls.beside")).expect("the folder is ours");
    fs::rename(root.join("tls.beside"), root.join("tls")).expect("the folder is ours");
    shown(&config, &address, "server-2");
    fs::remove_file(root.join("2/a.pem")).expect("it is there");
    running.wait_for("tls/a.pem is gone: what was loaded from it serves on");
    shown(&config, &address, "server-2");
    install("server", &root.join("2"));
    shown(&config, &address, "server");
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

#[test]
fn a_certificate_that_comes_back_as_it_was_is_an_all_clear() {
    let kestrel = kestrel();
    let tls = kestrel.root().join("tls");
    let running = kestrel.started();
    let (address, config) = (running.address(), client());
    let (path, away) = (tls.join("a.pem"), tls.join("away"));
    fs::rename(&path, &away).expect("it is there");
    running.wait_for("warn: Kestrel.Reload[8]");
    running.signal(Signal::SIGHUP);
    // Its own outcome, and not the first refusal: files that are as new as the start are read once more
    // behind it, and that reload has its five seconds before this one begins.
    running.wait_for("SIGHUP: it could not");
    fs::rename(&away, &path).expect("it is there");
    running.wait_for("a.pem is back, and read again.");
    running.wait_for("The configuration can be reloaded again");
    shown(&config, &address, "server");
    let outcome = running.terminated();
    for told in ["info: Kestrel.Reload[13]\n", "info: Kestrel.Reload[14]\n", "SIGHUP: it could not"]
    {
        assert_eq!(outcome.stdout.matches(told).count(), 1, "{told}: {}", outcome.stdout);
    }
}

/// The first line of what is told of files that do not fit yet, and of those that never do.
const NOT_READY: &str = "warn: Kestrel.Reload[11]";
const REFUSED: &str = "crit: Microsoft.AspNetCore.Server.Kestrel[0]";

/// However they are renewed: the key first, or the certificate, or one of them in two halves.
#[test]
fn a_pair_that_is_replaced_piece_by_piece_is_no_error() {
    let kestrel = kestrel();
    let tls = kestrel.root().join("tls");
    let running = kestrel.started();
    let (address, config) = (running.address(), client());
    let put = |from: &str, to: &str, half: bool| {
        let text = fs::read_to_string(file(from)).expect("it is there");
        let end = if half { text.len() / 2 } else { text.len() };
        // At once: what is looked at is a half, and never nothing.
        let beside = tls.join("a.beside");
        fs::write(&beside, &text[..end]).expect("the folder is ours");
        fs::rename(beside, tls.join(to)).expect("the folder is ours");
    };
    let mut warnings = 0;
    let mut waits = |text: &str| {
        warnings += 1;
        running.wait_until(|seen| seen.matches(NOT_READY).count() == warnings);
        running.wait_until(|seen| seen.contains(text));
    };
    put("server-2.key", "a.key", false);
    waits("Error getting private key from");
    // Still the old one, on every connection.
    shown(&config, &address, "server");
    put("server-2.pem", "a.pem", false);
    shown(&config, &address, "server-2");

    put("server.pem", "a.pem", true);
    waits("has a certificate that is not complete");
    put("server.pem", "a.pem", false);
    put("server.key", "a.key", true);
    put("server.key", "a.key", false);
    shown(&config, &address, "server");
    running.wait_until(|seen| seen.matches("The certificates can be served now.").count() == 2);
    let outcome = running.terminated();
    assert_eq!(
        (outcome.code, outcome.stdout.contains(REFUSED)),
        (Some(0), false),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_pair_that_never_fits_is_a_warning_first_and_one_error_then() {
    let kestrel = kestrel();
    let tls = kestrel.root().join("tls");
    let running = kestrel.started();
    let (address, config) = (running.address(), client());
    fs::copy(file("one.key"), tls.join("a.key")).expect("the folder is ours");
    running.wait_for(NOT_READY);
    // Whatever else happens to the files meanwhile is a part of it.
    fs::copy(file("two.key"), tls.join("a.key")).expect("the folder is ours");
    running.wait_for(REFUSED);
    running.wait_for("What runs goes on as it was.");
    shown(&config, &address, "server");
    let text = running.stdout();
    assert_eq!((text.matches(NOT_READY).count(), text.matches(REFUSED).count()), (1, 1), "{text}");
    // The next good pair is served.
    install("server-2", &tls);
    shown(&config, &address, "server-2");
    assert_eq!(running.terminated().code, Some(0));
}

/// No file that is still to come puts it right.
#[test]
fn an_endpoint_that_names_no_certificate_is_an_error_at_once() {
    let kestrel = kestrel();
    let root = kestrel.root();
    let running = kestrel.variable("HOME", &root.display().to_string()).started();
    replace(&root.join("appsettings.json"), &settings(r#","New":{"Url":"https://127.0.0.1:0"}"#));
    running.wait_for("What runs goes on as it was.");
    let text = running.stdout();
    assert_eq!((text.matches(NOT_READY).count(), text.matches(REFUSED).count()), (0, 1), "{text}");
    assert_eq!(running.terminated().code, Some(0));
}

/// What was told of certificates at the start is not told again, whatever else changes.
#[test]
fn a_warning_about_certificates_is_told_once() {
    let settings = |others: &str| {
        settings(others).replace(
            r#""Certificate""#,
            r#""ClientCertificateMode":"RequireCertificate","Certificate""#,
        )
    };
    let kestrel = kestrel().file("appsettings.json", &settings(""));
    let root = kestrel.root();
    fs::copy(file("public-ca.pem"), root.join("public-ca.pem")).expect("the folder is ours");
    let path = root.join("public-ca.pem").display().to_string();
    let running = kestrel.variable("SSL_CERT_FILE", &path).started();
    replace(&root.join("appsettings.json"), &settings(r#","New":{"Url":"http://127.0.0.1:0"}"#));
    running.wait_for("\n      + http://127.0.0.1:");
    let outcome = running.terminated();
    let told = "whose certificate comes from a public authority, such as ISRG Root X1";
    assert_eq!(outcome.stdout.matches(told).count(), 1, "{}", outcome.stdout);
}

#[test]
fn a_stop_does_not_wait_for_a_pair_that_does_not_fit() {
    let kestrel = kestrel();
    let tls = kestrel.root().join("tls");
    let running = kestrel.started();
    fs::copy(file("one.key"), tls.join("a.key")).expect("the folder is ours");
    running.wait_for(NOT_READY);
    let outcome = running.terminated();
    assert_eq!(
        (outcome.code, outcome.stdout.contains(REFUSED)),
        (Some(0), false),
        "{}",
        outcome.stdout
    );
}

/// An operator who installs the wrong file hears of it, though nothing is refused.
#[test]
fn an_expired_certificate_is_told_of_when_it_takes_over() {
    let kestrel = kestrel();
    let tls = kestrel.root().join("tls");
    let running = kestrel.started();
    install("expired", &tls);
    running.wait_for(&format!("\n      ~ {} (certificate CN=", running.address()));
    let outcome = running.terminated();
    let told = "The certificate of Kept (CN=";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("clients will not accept it. Renew it."), "{}", outcome.stdout);
}

/// As `ln -sfn` does it: newer ones put a new link in the place of the old one, older ones leave a
/// moment without a link.
#[test]
fn a_mounted_folder_that_is_swapped_is_followed_and_the_difference_is_told() {
    let swaps: [fn(&Path); 2] = [
        |link| {
            let beside = link.with_extension("beside");
            symlink("2", &beside).expect("the folder is ours");
            fs::rename(beside, link).expect("the folder is ours");
        },
        |link| {
            fs::remove_file(link).expect("it is there");
            symlink("2", link).expect("the folder is ours");
        },
    ];
    for swap in swaps {
        let kestrel = Kestrel::new(["run", "--contentRoot", "mounted"]);
        let root = kestrel.root();
        let gone = r#","Gone":{"Url":"http://127.0.0.1:0"}"#;
        let new = r#","New":{"Url":"http://[::1]:0"}"#;
        for (version, served, others) in [("1", "server", gone), ("2", "server-2", new)] {
            let folder = root.join(version);
            fs::create_dir_all(folder.join("tls")).expect("the folder is ours");
            install(served, &folder.join("tls"));
            fs::write(folder.join("appsettings.json"), settings(others))
                .expect("the folder is ours");
        }
        symlink("1", root.join("mounted")).expect("the folder is ours");
        let running = kestrel.started();
        let addresses = running.addresses();
        let [gone, kept] = &addresses[..] else { panic!("two addresses, not {addresses:?}") };
        let config = client();
        let mut old = Secured::connect(&config, kept).expect("a handshake");
        assert_eq!(old.get().expect("an answer"), 200);
        swap(&root.join("mounted"));
        let took = shown(&config, kept, "server-2");
        assert!(took < SOON, "{took:?}");
        for told in [
            format!("\n      ~ {kept} (certificate CN=localhost, expires 2120"),
            format!("\n      - {gone}\n"),
            "\n      + http://[::1]:".to_owned(),
        ] {
            running.wait_for(&told);
        }
        assert_eq!(old.get().expect("it goes on as it began"), 200);
        let outcome = running.terminated();
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    }
}

/// Clients that send one request after another, each over one connection that is never made anew.
struct Busy {
    ends: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    clients: Vec<thread::JoinHandle<io::Result<()>>>,
}

impl Busy {
    const CONNECTIONS: usize = 64;

    fn with(config: &Arc<ClientConfig>, address: &str) -> Self {
        let (ends, served) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let client = |_| {
            let (ends, served) = (Arc::clone(&ends), Arc::clone(&served));
            let mut connection = Secured::connect(config, address).expect("a handshake");
            thread::spawn(move || {
                while !ends.load(Ordering::Relaxed) {
                    match connection.get()? {
                        200 => served.fetch_add(1, Ordering::Relaxed),
                        status => return Err(io::Error::other(format!("status {status}"))),
                    };
                }
                Ok(())
            })
        };
        let clients = (0..Self::CONNECTIONS).map(client).collect();
        Self { ends, served, clients }
    }

    /// Waits until as many requests were served as there are connections.
    fn go_on(&self) {
        let (begun, before) = (Instant::now(), self.served.load(Ordering::Relaxed));
        while self.served.load(Ordering::Relaxed) < before + Self::CONNECTIONS {
            assert!(!self.clients.iter().any(thread::JoinHandle::is_finished), "one has failed");
            assert!(begun.elapsed() < LIMIT, "nothing is served");
            thread::yield_now();
        }
    }

    /// What failed, in words, and how many requests were served.
    fn end(self) -> (Vec<String>, usize) {
        self.ends.store(true, Ordering::Relaxed);
        let ended = self.clients.into_iter().map(|client| client.join().expect("no panic"));
        let failed = ended.filter_map(Result::err).map(|error| error.to_string()).collect();
        (failed, self.served.load(Ordering::Relaxed))
    }
}

/// The endpoints beside the one that is kept: they come, speak other protocols, become secure and
/// go again.
const OTHERS: [&str; 5] = [
    r#","B":{"Url":"http://127.0.0.1:0","Protocols":"Http1"}"#,
    r#","B":{"Url":"http://127.0.0.1:0","Protocols":"Http2"},"C":{"Url":"http://[::1]:0"}"#,
    r#","B":{"Url":"https://127.0.0.2:0","Certificate":{"Path":"tls/a.pem","KeyPath":"tls/a.key"}}"#,
    r#","C":{"Url":"http://[::1]:0","Protocols":"Http1"}"#,
    "",
];

fn reloads(running: &Running) -> usize {
    running.stdout().matches("The configuration was reloaded:").count()
}

#[test]
fn under_load_no_request_fails_while_endpoints_and_certificates_change_50_times() {
    const ROUNDS: usize = 50;
    let kestrel = kestrel();
    let root = kestrel.root();
    let running = kestrel.started();
    let (address, config) = (running.address(), client());
    let busy = Busy::with(&config, &address);
    let mut slowest = Duration::ZERO;
    for round in 0..ROUNDS {
        busy.go_on();
        let before = reloads(&running);
        replace(&root.join("appsettings.json"), &settings(OTHERS[round % OTHERS.len()]));
        if round % 2 == 0 {
            let newest = ["server-2", "server"][round / 2 % 2];
            install(newest, &root.join("tls"));
            slowest = slowest.max(shown(&config, &address, newest));
        }
        running.wait_until(|text| text.matches("The configuration was reloaded:").count() > before);
    }
    busy.go_on();
    let (failed, served) = busy.end();
    assert_eq!(failed, Vec::<String>::new(), "of {served}");
    assert!(slowest < SOON, "the newest certificate was served only after {slowest:?}");
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    let count = |text: &str| outcome.stdout.matches(text).count();
    assert!(
        count(&format!("\n      ~ {address} (certificate")) >= ROUNDS / 2,
        "{}",
        outcome.stdout
    );
    assert!(count("\n      + ") >= 2 * ROUNDS / OTHERS.len(), "{}", outcome.stdout);
    assert!(count("\n      - ") >= 2 * ROUNDS / OTHERS.len(), "{}", outcome.stdout);
    assert_eq!(count(&format!("- {address}")), 0, "{}", outcome.stdout);
}
