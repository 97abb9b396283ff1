//! What testssl.sh says of the default endpoint: nothing but good grades; and what it asks in vain.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::environment::skipped;
use crate::process::{Kestrel, Running};

/// Findings that are not the server's: the certificate of the test signed itself and names nobody
/// to ask about it, its name has no entry in the DNS, HSTS is for an app to say, and openssl has
/// what it has.
const NOT_OURS: [&str; 5] =
    ["cert_chain_of_trust", "cert_revocation", "DNS_CAArecord", "HSTS", "engine_problem"];

/// Questions that the tool asks with `openssl s_client </dev/null`. With TLS 1.3 that may leave before
/// the ticket arrives, whatever the server is, and the tool then says `WARN`, a connect problem. They
/// are asked below, by a client that stays.
const BY_CHANCE: [&str; 2] = ["sessionresumption_ticket", "sessionresumption_ID"];

/// Grades that say that all is well.
const GOOD: [&str; 2] = ["OK", "INFO"];

/// A host whose only endpoint is https, with a certificate that openssl signs with its own key;
/// `None` without openssl.
fn default_endpoint() -> Option<Kestrel> {
    let kestrel = Kestrel::new([
        "run",
        "--urls=https://127.0.0.1:0",
        "--Kestrel:Certificates:Default:Path=c.pem",
        "--Kestrel:Certificates:Default:KeyPath=k.pem",
        // Hundreds of handshakes fail on purpose.
        "--Logging:LogLevel:Default=Warning",
        "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Information",
    ]);
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "300", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "k.pem", "-out", "c.pem"])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        .current_dir(kestrel.root())
        .stderr(Stdio::null())
        .status();
    let made = made.ok()?;
    assert!(made.success(), "openssl: {made}");
    Some(kestrel)
}

#[test]
fn the_default_endpoint_has_good_grades() {
    let Some(kestrel) = default_endpoint() else {
        return skipped("grades of TLS", "openssl (apt-get install openssl)");
    };
    let findings = kestrel.root().join("findings.json");
    let running = kestrel.started();
    let tested = Command::new("testssl")
        .args(["--quiet", "--color", "0", "--warnings", "off", "--ip", "one", "--jsonfile"])
        .arg(&findings)
        .arg(running.address().trim_start_matches("https://"))
        .stdin(Stdio::null())
        .output();
    let tested = match tested {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return skipped("grades of TLS", "testssl.sh (apt-get install testssl.sh)");
        }
        tested => tested.expect("testssl runs"),
    };
    let said = String::from_utf8_lossy(&tested.stdout);
    let text = std::fs::read_to_string(&findings).unwrap_or_else(|error| panic!("{error}: {said}"));
    let findings: Vec<Value> = serde_json::from_str(&text).expect("a list of findings");
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let bad: Vec<&Value> = findings
        .iter()
        .filter(|finding| !GOOD.contains(&&*word(finding, "severity")))
        .filter(|finding| !NOT_OURS.contains(&&*word(finding, "id")))
        .filter(|finding| {
            word(finding, "severity") != "WARN" || !BY_CHANCE.contains(&&*word(finding, "id"))
        })
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    // It did look: the versions that are spoken are among what it found.
    let offered = |id: &str| {
        let found = findings.iter().find(|finding| word(finding, "id") == id);
        found.map(|finding| word(finding, "finding")).unwrap_or_default()
    };
    for (id, expected) in [
        ("SSLv3", "not offered"),
        ("TLS1", "not offered"),
        ("TLS1_1", "not offered"),
        ("TLS1_2", "offered"),
        ("TLS1_3", "offered with final"),
    ] {
        assert_eq!(offered(id), expected, "{id}");
    }
    assert_eq!(running.terminated().code, Some(0));
}

/// What `openssl s_client` prints of a connection that stays until its request is answered.
fn visited(running: &Running, folder: &Path, arguments: &[&str]) -> String {
    let mut client = Command::new("openssl")
        .args(["s_client", "-ign_eof", "-connect"])
        .arg(running.address().trim_start_matches("https://"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is there: it made the certificate");
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.stdin.take().expect("a pipe").write_all(request).expect("the client reads");
    let outcome = client.wait_with_output().expect("the client ends");
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(outcome.status.success() && said.contains("HTTP/1.1 200 OK"), "{said}");
    said
}

#[test]
fn sessions_are_taken_up_again() {
    let Some(kestrel) = default_endpoint() else {
        return skipped("sessions that are taken up again", "openssl (apt-get install openssl)");
    };
    let folder = kestrel.root();
    let running = kestrel.started();
    for (version, ticket) in [("-tls1_2", &[][..]), ("-tls1_2", &["-no_ticket"]), ("-tls1_3", &[])]
    {
        for (session, kind) in [("-sess_out", "New"), ("-sess_in", "Reused")] {
            let arguments = [&[version, session, "session.pem"], ticket].concat();
            let said = visited(&running, &folder, &arguments);
            let told = said.lines().any(|line| line.starts_with(&format!("{kind}, TLSv1.")));
            assert!(told, "{arguments:?}: not '{kind}' in {said}");
        }
    }
    assert_eq!(running.terminated().code, Some(0));
}
