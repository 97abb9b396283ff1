//! Logs of requests, as `kestrel run` writes them.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::http::get;
use crate::process::Kestrel;

#[test]
fn requests_and_answers_are_told_without_what_lets_somebody_in() {
    let kestrel = Kestrel::run([
        "--urls",
        "http://127.0.0.1:0",
        "--HttpLogging:Enabled=true",
        "--HttpLogging:LoggingFields=RequestPath, RequestQuery, RequestHeaders, Response",
        "--HttpLogging:RequestHeaders:0=X-Own",
        "--HttpLogging:ResponseBodyLogLimit=4",
        "--Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics=Warning",
    ]);
    std::fs::create_dir(kestrel.root().join("wwwroot")).expect("a folder");
    std::fs::write(kestrel.root().join("wwwroot/a b.txt"), "hello\n").expect("a file");
    let running = kestrel.started();
    let headers = ["Authorization: Bearer secret", "X-Own: a\tb", "Cookie: c=secret"];
    let answer = get(&running.address(), "/a%20b.txt?access_token=secret&a=1", &headers);
    assert_eq!((answer.status, &*answer.body), (200, "hello\n"));
    running.wait_for("ResponseBody: hell\n");
    let outcome = running.terminated();
    let all = &outcome.stdout;
    for (event, lines) in [
        (
            "[1]\n      Request:\n      PathBase: \n      Path: /a%20b.txt\n",
            &[
                "      QueryString: ?access_token=[Redacted]&a=1\n",
                "      Authorization: [Redacted]\n",
                "      X-Own: a\tb\n",
                "      Cookie: [Redacted]\n",
            ][..],
        ),
        (
            "[2]\n      Response:\n      StatusCode: 200\n",
            &["      Content-Type: text/plain", "      ETag: [Redacted]\n"],
        ),
        ("[4]\n      ResponseBody: hell\n", &[]),
    ] {
        let head = format!("info: Microsoft.AspNetCore.HttpLogging.HttpLoggingMiddleware{event}");
        let (_, rest) = all.split_once(&head).unwrap_or_else(|| panic!("{head} in {all}"));
        let told = rest.split("\ninfo: ").next().unwrap_or_default();
        for line in lines {
            assert!(format!("{told}\n").contains(line), "{line} in {told}");
        }
    }
    assert!(!outcome.stdout.contains("secret"), "{}", outcome.stdout);
}

#[test]
fn a_header_that_would_be_told_in_clear_text_is_a_warning() {
    let outcome = Kestrel::new([
        "run",
        "--plan",
        "--HttpLogging:Enabled=true",
        "--HttpLogging:RequestHeaders:0=Cookie",
    ])
    .ended();
    for line in [
        "  HTTP logging (set by command line, argument",
        "The log will have the header 'Cookie' in clear text.",
    ] {
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(all.contains(line), "{line} in {all}");
    }
}

/// What a file has, once that is there.
fn soon(path: &Path, ready: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if ready(&text) {
            return text;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{}: it never has what it should", path.display());
}

#[test]
fn an_access_log_that_was_renamed_is_opened_anew_by_a_signal() {
    let kestrel = Kestrel::run([
        "--urls",
        "http://127.0.0.1:0",
        "--AccessLog:Enabled=true",
        "--AccessLog:Path=logs/access.log",
        "--AccessLog:ExcludePaths:0=/hidden",
        "--ForwardedHeaders:Enabled=true",
    ]);
    let root = kestrel.root();
    std::fs::create_dir_all(root.join("wwwroot/hidden")).expect("a folder");
    std::fs::write(root.join("wwwroot/hi.txt"), "hi\n").expect("a file");
    std::fs::write(root.join("wwwroot/hidden/hi.txt"), "hi\n").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    let log = root.join("logs/access.log");
    let headers = ["X-Forwarded-For: 192.0.2.7", "User-Agent: a \"b\"", "Referer: http://c/?sig=d"];
    assert_eq!(get(&address, "/hidden/hi.txt", &[]).status, 200);
    assert_eq!(get(&address, "/hi.txt?token=t", &headers).status, 200);
    let first = soon(&log, |text| text.ends_with('\n'));
    let (before, after) = first.split_once("] ").expect("a date");
    assert!(before.starts_with("192.0.2.7 - - ["), "{first}");
    let rest = "\"GET /hi.txt?token=[Redacted] HTTP/1.1\" 200 3 \"http://c/?sig=[Redacted]\" \"a \\\"b\\\"\"\n";
    assert_eq!(after, rest);

    std::fs::rename(&log, log.with_extension("log.1")).expect("it is there");
    running.signal(Signal::SIGUSR1);
    soon(&log, |_| log.exists());
    running.wait_for("SIGUSR1 came: 1 logs of requests are opened anew.");
    assert_eq!(get(&address, "/missing", &[]).status, 404);
    let renamed = std::fs::read_to_string(log.with_extension("log.1")).expect("it is there");
    assert_eq!(renamed, first);
    let second = soon(&log, |text| text.ends_with('\n'));
    assert!(second.ends_with("\"GET /missing HTTP/1.1\" 404 0 \"-\" \"-\"\n"), "{second}");
    assert!(second.starts_with("127.0.0.1 - - [") && second.lines().count() == 1, "{second}");
    running.terminated();
}

#[test]
fn an_access_log_on_the_console_has_what_no_stage_lets_pass() {
    let running = Kestrel::run([
        "--urls",
        "http://127.0.0.1:0",
        "--AccessLog:Enabled=true",
        "--AccessLog:Format=Json",
        "--AccessLog:MinimumStatus=400",
        "--AllowedHosts=other.example",
    ])
    .started();
    assert_eq!(get(&running.address(), "/a", &[]).status, 400);
    let outcome = running.terminated();
    let lines: Vec<_> = outcome.stdout.lines().filter(|line| line.starts_with('{')).collect();
    assert_eq!(lines.len(), 1, "{}", outcome.stdout);
    let line: serde_json::Value = serde_json::from_str(lines[0]).expect("an object");
    assert_eq!((&line["status"], &line["target"]), (&400.into(), &"/a".into()), "{line}");
    assert_eq!(line["client"], "127.0.0.1", "{line}");
    assert!(line["request_id"].as_str().is_some_and(|id| id.ends_with(":00000001")), "{line}");
}
