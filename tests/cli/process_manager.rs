//! A process manager such as the ASP.NET Core Module starts the binary, asks it, and ends it.

use crate::http::{Answer, asked, connect};
use crate::process::Kestrel;

const TOKEN: &str = "MS-ASPNETCORE-TOKEN: hunter2";
const SHUTDOWN: &str = "MS-ASPNETCORE-EVENT: Shutdown";

fn managed<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Kestrel {
    Kestrel::run(arguments)
        .variable("ASPNETCORE_PORT", "0")
        .variable("ASPNETCORE_APPL_PATH", "/app")
        .variable("ASPNETCORE_TOKEN", "hunter2")
}

#[test]
fn requests_of_the_process_manager_alone_are_answered_until_it_ends_the_host() {
    let kestrel = managed(["--AllowedHosts=a.example", "--HealthChecks:Enabled=true"]);
    std::fs::create_dir(kestrel.root().join("wwwroot")).expect("a folder");
    std::fs::write(kestrel.root().join("wwwroot/a.txt"), "hello").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    let told = |what: &str, headers: &[&str]| {
        let Answer { status, body, .. } = asked(connect(&address), "a.example", what, headers);
        (status, body)
    };
    for (what, headers, status, body) in [
        ("GET /app/a.txt", &[TOKEN][..], 200, "hello"),
        ("GET /a.txt", &[TOKEN], 200, "hello"),
        ("GET /app/a.txt", &[], 400, ""),
        ("GET /app/a.txt", &["MS-ASPNETCORE-TOKEN: hunter3"], 400, ""),
        ("GET /app/healthz/live", &[TOKEN], 200, "Healthy"),
        ("GET /healthz/live", &[], 400, ""),
        ("POST /app/iisintegration", &[SHUTDOWN], 400, ""),
    ] {
        let told = told(what, headers);
        // Some come in chunks.
        let is_it = told.1 == body || !body.is_empty() && told.1.contains(body);
        assert!(told.0 == status && is_it, "{what} {headers:?}: {told:?}");
    }
    // As on ASP.NET Core, the host is looked at before.
    let other = asked(connect(&address), "b.example", "GET /app/a.txt", &[]);
    assert!(other.status == 400 && other.body.contains("Invalid Hostname"), "{}", other.body);
    assert_eq!(told("POST /app/iisintegration", &[TOKEN, SHUTDOWN]), (202, String::new()));
    let outcome = running.ended();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stdout);
    let refused = "fail: Microsoft.AspNetCore.Server.IISIntegration.IISMiddleware[0]\n      \
        'MS-ASPNETCORE-TOKEN' does not match the expected pairing token, request rejected.\n";
    assert_eq!(outcome.stdout.matches(refused).count(), 4, "{}", outcome.stdout);
}

#[test]
fn no_log_has_the_token_whatever_is_asked_for() {
    // The folder of the process goes with it.
    let logs = tempfile::tempdir().expect("a folder");
    let running = managed([
        "--HttpLogging:Enabled=true",
        "--HttpLogging:LoggingFields=All",
        "--HttpLogging:RequestHeaders:0=MS-ASPNETCORE-TOKEN",
        "--W3CLogging:Enabled=true",
        &format!("--W3CLogging:LogDirectory={}", logs.path().display()),
        "--W3CLogging:AdditionalRequestHeaders:0=MS-ASPNETCORE-TOKEN",
        "--AccessLog:Enabled=true",
        "--Logging:LogLevel:Default=Trace",
    ])
    .started();
    let client = "X-Forwarded-For: 203.0.113.9";
    let answer = asked(connect(&running.address()), "a.example", "GET /app/x", &[TOKEN, client]);
    assert!(!answer.body.contains("hunter2"), "{}", answer.body);
    asked(connect(&running.address()), "a.example", "GET /app/x", &[]);
    let outcome = running.terminated();
    let files = std::fs::read_dir(logs.path()).expect("it is there").flatten();
    let lines: String =
        files.map(|it| std::fs::read_to_string(it.path()).expect("a log")).collect();
    assert!(lines.contains("[Redacted]"), "{lines}");
    let told = &outcome.stdout;
    assert!(told.contains("      Ms-Aspnetcore-Token: [Redacted]\n"), "{told}");
    // The access log knows who the client is, although it stands before.
    assert!(told.contains("\n203.0.113.9 - - ["), "{told}");
    for text in [told, &outcome.stderr, &lines] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
