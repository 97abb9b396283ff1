//! The welcome page in a real browser.

use std::process::{Command, Output};

use crate::environment::skipped;
use crate::process::Kestrel;

/// What headless Chromium makes of a page, with its console on standard error.
fn chromium(url: &str) -> Option<Output> {
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
        .output();
    output.ok().filter(|output| output.status.success())
}

#[test]
fn a_browser_shows_the_welcome_page_and_has_nothing_to_complain_of() {
    let running = Kestrel::run(["--urls", "http://127.0.0.1:0"]).started();
    let address = running.address();
    let Some(output) = chromium(&format!("{address}/<i>?q=\"<b>")) else {
        return skipped("browser", "Chromium (apt-get install chromium)");
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
