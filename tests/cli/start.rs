//! What a start says, and the welcome page.

use serde_json::{Value, json};

use crate::environment::skipped;
use crate::http::get;
use crate::process::Kestrel;

#[test]
fn the_start_and_the_stop_are_told_in_their_order() {
    let urls = "http://127.0.0.1:0;http://[::1]:0";
    let kestrel = Kestrel::new(["run", "--urls", urls, "--Logging:LogLevel:Default=Information"]);
    let root = kestrel.root();
    let running = kestrel.started();
    let addresses = running.addresses();
    let [ipv4, ipv6] = &addresses[..] else {
        panic!("two addresses, not {addresses:?}");
    };
    assert!(ipv4.starts_with("http://127.0.0.1:") && !ipv4.ends_with(":0"), "{ipv4}");
    assert!(ipv6.starts_with("http://[::1]:") && !ipv6.ends_with(":0"), "{ipv6}");
    let outcome = running.terminated();
    let expected = format!(
        "info: Microsoft.Hosting.Lifetime[14]\n      Now listening on: {ipv4}\n\
         info: Microsoft.Hosting.Lifetime[14]\n      Now listening on: {ipv6}\n\
         info: Microsoft.Hosting.Lifetime[0]\n      Application started. Press Ctrl+C to shut down.\n\
         info: Microsoft.Hosting.Lifetime[0]\n      Hosting environment: Production\n\
         info: Microsoft.Hosting.Lifetime[0]\n      Content root path: {0}\n\
         info: Kestrel.Configuration[11]\n      No site: {0}/wwwroot is not there, and a welcome page is served. \
         Make it, or name another by --webroot or --contentRoot.\n\
         info: Microsoft.Hosting.Lifetime[0]\n      Application is shutting down...\n",
        root.display()
    );
    assert_eq!(outcome.stdout, expected);
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

#[test]
fn the_environment_is_announced() {
    for (arguments, variable, environment) in [
        (&["--environment", "Staging"][..], None, "Staging"),
        (&[], Some("ASPNETCORE_ENVIRONMENT"), "Testing"),
        (&[], Some("DOTNET_ENVIRONMENT"), "Testing"),
    ] {
        let mut kestrel = Kestrel::run(arguments.iter().copied());
        if let Some(name) = variable {
            kestrel = kestrel.variable(name, "Testing");
        }
        let running = kestrel.started();
        running.wait_for(&format!("Hosting environment: {environment}\n"));
        assert_eq!(running.terminated().code, Some(0));
    }
}

#[test]
fn the_welcome_page_is_json_for_programs() {
    let running = Kestrel::run(["--environment", "Staging"]).started();
    let address = running.address();
    let answer = get(&address, "/some/path?x=1", &["X-Test: yes"]);
    assert_eq!(answer.status, 404);
    assert_eq!(get(&address, "/?x=1", &[]).status, 200);
    assert_eq!(answer.header("Content-Type"), Some("application/json; charset=utf-8"));
    let page: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(page["server"], "kestrel");
    assert_eq!(page["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(page["environment"], "Staging");
    assert_eq!(page["addresses"], json!([address]));
    let request = &page["request"];
    assert_eq!(request["method"], "GET");
    assert_eq!(request["target"], "/some/path?x=1");
    assert_eq!(request["protocol"], "HTTP/1.1");
    assert_eq!(request["scheme"], "http");
    assert_eq!(request["host"], "a.test");
    assert_eq!(request["headers"]["x-test"], json!(["yes"]));
    let remote = request["remote"].as_str().expect("an address");
    assert!(remote.starts_with("127.0.0.1"), "{remote}");
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn the_welcome_page_is_html_for_browsers() {
    let running = Kestrel::run([]).started();
    let accept = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let answer = get(&running.address(), "/", &[accept, "X-Test: <script>"]);
    assert_eq!(answer.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert!(answer.body.contains("&lt;script"), "{}", answer.body);
    assert!(answer.body.starts_with("<!doctype html>"), "{}", answer.body);
    assert!(answer.body.contains(&running.address()), "{}", answer.body);
    assert!(!answer.body.contains("<script"), "{}", answer.body);
    assert_eq!(running.terminated().code, Some(0));
}

/// The folder of the repository has the files that a first `cargo run -- run` reads.
#[test]
fn the_configuration_of_the_repository_has_no_mistake() {
    let root = env!("CARGO_MANIFEST_DIR");
    for (environment, lines_per_request) in [("Production", 0), ("Development", 2)] {
        let running =
            Kestrel::run(["--strict", "--environment", environment]).in_folder(root).started();
        running.wait_for(&format!("Content root path: {root}\n"));
        assert_eq!(get(&running.address(), "/", &[]).status, 200);
        let outcome = running.terminated();
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
        let lines = outcome.stdout.matches("Request ").count();
        assert_eq!(lines, lines_per_request, "{environment}: {}", outcome.stdout);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_configuration_both_loopbacks_answer_on_port_5000() {
    use std::process::Command;

    let needs = "root, unshare, nsenter, ip and curl (apt-get install util-linux iproute2 curl)";
    let test = "without_configuration_both_loopbacks_answer_on_port_5000";
    let works = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let possible = works("unshare", &["--net", "ip", "link", "set", "lo", "up"])
        && works("nsenter", &["--version"])
        && works("curl", &["--version"]);
    if !possible {
        return skipped(test, needs);
    }
    // A network of its own, so that nobody else has the port.
    let mut command = Command::new("unshare");
    let script = "ip link set lo up && exec \"$0\" \"$@\"";
    command.args(["--net", "sh", "-c", script, env!("CARGO_BIN_EXE_kestrel"), "run"]);
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let running = Kestrel::by(command).variable("PATH", path).started();
    assert_eq!(running.address(), "http://localhost:5000");
    for loopback in ["127.0.0.1", "[::1]"] {
        let namespace = format!("--net=/proc/{}/ns/net", running.id());
        let url = format!("http://{loopback}:5000/");
        let curl = Command::new("nsenter")
            .args([&*namespace, "curl", "--silent", "--fail", "--globoff", "--noproxy", "*", &*url])
            .output()
            .expect("it was there a moment ago");
        assert!(curl.status.success(), "{url}: {curl:?}");
        let page: Value = serde_json::from_slice(&curl.stdout).expect("JSON");
        assert_eq!(page["request"]["host"], format!("{loopback}:5000"));
    }
    assert_eq!(running.terminated().code, Some(0));
}
