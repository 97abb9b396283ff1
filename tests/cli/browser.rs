//! The welcome page in a real browser.

use std::path::Path;
use std::process::{Command, Output};

use crate::environment::skipped;
use crate::process::Kestrel;

const CHROMIUM: &str = "Chromium (apt-get install chromium)";

/// What headless Chromium makes of a page, with its console on standard error. What it trusts is a
/// matter of its home.
fn chromium(url: &str, home: &Path) -> Option<Output> {
    let profile = tempfile::tempdir().expect("a folder for the browser");
    let output = Command::new("chromium")
        .args([
            "--headless",
            // A test may run as root, where the sandbox cannot.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--log-level=0",
            "--dump-dom",
            url,
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .env("HOME", home)
        .output();
    output.ok().filter(|output| output.status.success())
}

#[test]
fn a_browser_shows_the_welcome_page_and_has_nothing_to_complain_of() {
    let running = Kestrel::run(["--urls", "http://127.0.0.1:0"]).started();
    let address = running.address();
    let home = tempfile::tempdir().expect("a folder");
    let Some(output) = chromium(&format!("{address}/<i>?q=\"<b>"), home.path()) else {
        return skipped("browser", CHROMIUM);
    };
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(page.contains("<h1>") && page.contains(&address), "{page}");
    assert!(!page.contains("<b>") && !page.contains("<i>"), "{page}");
    // A style that the policy forbids, or a file that is missing, would be told there.
    let console = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<_> = console.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert_eq!(complaints, Vec::<&str>::new());
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn a_browser_trusts_the_development_certificate_once_it_is_told_to() {
    let home = tempfile::tempdir().expect("a folder");
    let database = home.path().join(".pki/nssdb");
    std::fs::create_dir_all(&database).expect("the folder is ours");
    let made = Command::new("certutil")
        .arg("-d")
        .arg(format!("sql:{}", database.display()))
        .args(["-N", "--empty-password"])
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        return skipped("browser", "certutil (apt-get install libnss3-tools)");
    }
    let page = |trusted: bool| {
        let running = Kestrel::new(["run", "--urls", "https://127.0.0.1:0"])
            .variable("HOME", &home.path().to_string_lossy())
            .started();
        let address = running.address().replace("127.0.0.1", "localhost");
        let output = chromium(&address, home.path())?;
        assert_eq!(running.terminated().code, Some(0));
        let page = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(page.contains("<dt>Scheme</dt><dd>https</dd>"), trusted, "{page}");
        Some(())
    };
    let dev_certs = |argument: &str| {
        Kestrel::new(["dev-certs", "https", argument])
            .variable("HOME", &home.path().to_string_lossy())
            .variable("PATH", &crate::dev_certs::path())
            .ended()
    };
    assert_eq!(dev_certs("--quiet").code, Some(0));
    if page(false).is_none() {
        return skipped("browser", CHROMIUM);
    }
    // In part, because SSL_CERT_DIR is not set; a browser does not look at that.
    assert_eq!(dev_certs("--trust").code, Some(4));
    page(true).expect("the browser is there");
    assert_eq!(dev_certs("--clean").code, Some(0));
}
