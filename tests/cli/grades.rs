//! What testssl.sh says of the default endpoint: nothing but good grades.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::environment::skipped;
use crate::process::Kestrel;

/// Findings that are not the server's: the certificate of the test signed itself and names nobody
/// to ask about it, its name has no entry in the DNS, HSTS is for an app to say, and openssl has
/// what it has.
const NOT_OURS: [&str; 5] =
    ["cert_chain_of_trust", "cert_revocation", "DNS_CAArecord", "HSTS", "engine_problem"];

/// Grades that say that all is well.
const GOOD: [&str; 2] = ["OK", "INFO"];

#[test]
fn the_default_endpoint_has_good_grades() {
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
    let Ok(made) = made else {
        return skipped("grades of TLS", "openssl (apt-get install openssl)");
    };
    assert!(made.success(), "openssl: {made}");
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
