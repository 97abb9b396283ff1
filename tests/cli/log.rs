//! The log: its levels, its layouts, the lines of requests.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use serde_json::Value;

use crate::http::{connect, get, get_over};
use crate::process::{Kestrel, LIMIT};

const REQUESTS: &str = "Microsoft.AspNetCore.Hosting.Diagnostics";

/// An announced address in the JSON layout.
const JSON_LISTENING: &str = concat!(
    r#"{"EventId":14,"LogLevel":"Information","Category":"Microsoft.Hosting.Lifetime","#,
    r#""Message":"Now listening on: ADDRESS","#,
    r#""State":{"address":"ADDRESS","{OriginalFormat}":"Now listening on: {address}"}}"#,
);

#[test]
fn a_request_has_a_line_at_its_start_and_one_at_its_end() {
    let running = Kestrel::run([]).started();
    let answer = get(&running.address(), "/a%20b?c=d", &["Content-Type: text/plain; x"]);
    running.wait_for("Request finished");
    let outcome = running.terminated();
    let starting = format!(
        "info: {REQUESTS}[1]\n      Request starting HTTP/1.1 GET http://a.test/a b?c=d - text/plain;+x -\n"
    );
    assert!(outcome.stdout.contains(&starting), "{}", outcome.stdout);
    let finished = format!(
        "info: {REQUESTS}[2]\n      Request finished HTTP/1.1 GET http://a.test/a b?c=d - 404 {} \
         application/json;+charset=utf-8 ",
        answer.body.len()
    );
    let (_, time) =
        outcome.stdout.split_once(&finished).unwrap_or_else(|| panic!("{}", outcome.stdout));
    let time = time.lines().next().and_then(|line| line.strip_suffix("ms"));
    let (whole, fraction) = time.and_then(|time| time.split_once('.')).expect("milliseconds");
    whole.parse::<u64>().expect("a number");
    assert!(
        fraction.len() == 4 && fraction.bytes().all(|digit| digit.is_ascii_digit()),
        "{fraction}"
    );
}

#[test]
fn an_answer_that_was_cut_off_is_not_told_as_sent() {
    const LENGTH: u64 = 256 * 1024 * 1024;
    let kestrel = Kestrel::run(["--urls", "http://127.0.0.1:0"]);
    let root = kestrel.root();
    std::fs::create_dir(root.join("wwwroot")).expect("a folder");
    let file = std::fs::File::create(root.join("wwwroot/large.txt")).expect("a file");
    // More than any buffers hold.
    file.set_len(LENGTH).expect("a hole");
    let running = kestrel.started();
    let mut client = connect(&running.address());
    client.write_all(b"GET /large.txt HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is open");
    let mut begin = [0; 100_000];
    client.read_exact(&mut begin).expect("the begin of it");
    drop(client);
    running.wait_for("Request finished");
    client = connect(&running.address());
    client.write_all(b"HEAD /large.txt HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is open");
    running.wait_until(|log| log.matches("Request finished").count() == 2);
    let said = running.terminated().stdout;
    let told = |method: &str| -> u64 {
        let line = said.lines().find(|line| line.contains(&format!("finished HTTP/1.1 {method} ")));
        let rest = line.and_then(|line| line.split(" - 200 ").nth(1)).expect("its line");
        rest.split(' ').next().and_then(|it| it.parse().ok()).expect("a number")
    };
    // What is handed to the system may be more than the client has read.
    assert!((1..LENGTH).contains(&told("GET")), "{said}");
    assert_eq!(told("HEAD"), LENGTH, "{said}");
}

#[test]
fn the_lines_of_requests_go_with_their_level() {
    for level in
        ["--Logging:LogLevel:Microsoft.AspNetCore=Warning", "--Logging:LogLevel:Default=Warning"]
    {
        let running =
            Kestrel::run([level, "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Information"]);
        let running = running.started();
        assert_eq!(get(&running.address(), "/", &[]).status, 200);
        let outcome = running.terminated();
        assert!(!outcome.stdout.contains("Request "), "{level}: {}", outcome.stdout);
        assert!(outcome.stdout.contains("Application is shutting down..."), "{}", outcome.stdout);
    }
}

#[test]
fn level_none_prints_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let spec = format!("unix:{}", path.display());
    let running =
        Kestrel::new(["run", "--listen", &spec, "--Logging:LogLevel:Default=None"]).spawn();
    // It does not say when it has started.
    let begin = Instant::now();
    let stream = loop {
        match UnixStream::connect(&path) {
            Ok(stream) => break stream,
            Err(error) => assert!(begin.elapsed() < LIMIT, "{error}"),
        }
        std::thread::yield_now();
    };
    assert_eq!(get_over(stream, "/", &[]).status, 200);
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stdout, &*outcome.stderr), (Some(0), "", ""));
}

#[test]
fn debug_tells_the_life_of_host_and_connections() {
    let running = Kestrel::run(["--Logging:LogLevel:Default=Debug"]).started();
    running.wait_for("Hosting started");
    get(&running.address(), "/", &[]);
    let stdout = running.terminated().stdout;
    let mut rest = &*stdout;
    for part in [
        "dbug: Kestrel.Configuration[2]",
        "dbug: Microsoft.Extensions.Hosting.Internal.Host[1]\n      Hosting starting\n",
        "Now listening on",
        "dbug: Microsoft.Extensions.Hosting.Internal.Host[2]\n      Hosting started\n",
        "dbug: Microsoft.AspNetCore.Server.Kestrel.Connections[39]",
        "dbug: Microsoft.AspNetCore.Server.Kestrel.Connections[1]",
        "Application is shutting down...",
        "dbug: Microsoft.Extensions.Hosting.Internal.Host[3]\n      Hosting stopping\n",
        "dbug: Microsoft.Extensions.Hosting.Internal.Host[4]\n      Hosting stopped\n",
    ] {
        let (_, after) =
            rest.split_once(part).unwrap_or_else(|| panic!("'{part}' is not in {rest}"));
        rest = after;
    }
}

/// What is logged of a request over HTTP/2 by a host with these settings, up to a line with `last`.
fn logged_of_http2(settings: &[&str], last: &str) -> String {
    let running = Kestrel::run(settings.iter().copied()).started();
    let mut client = connect(&running.address());
    // The preface, no settings, `GET / HTTP/2` of the host `a`.
    let request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\
        \0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x01\x01a";
    client.write_all(request).expect("the server reads");
    running.wait_for(last);
    running.terminated().stdout
}

#[test]
fn other_crates_are_heard_when_they_are_named() {
    let (everything, received) = ("--Logging:LogLevel:Default=Trace", "h2::codec::framed_read[0]");
    let quiet = logged_of_http2(&[everything], "Request finished");
    assert!(quiet.contains("trce: Microsoft.AspNetCore.Server.Kestrel.Http2[37]"), "{quiet}");
    assert!(!quiet.contains("h2::"), "{quiet}");
    let named = logged_of_http2(&[everything, "--Logging:LogLevel:h2=Debug"], "Request finished");
    assert!(named.contains(&format!("dbug: {received}")), "{named}");
    assert!(!named.contains("trce: h2"), "{named}");
    let only =
        ["--Logging:LogLevel:Default=None", "--Logging:LogLevel:Microsoft.Hosting=Information"];
    for rule in [
        "--Logging:LogLevel:h2::codec::framed_read=Debug",
        "--Logging:Console:LogLevel:h2::codec::framed_read=Debug",
    ] {
        let part = logged_of_http2(&[only[0], only[1], rule], received);
        assert!(!part.contains("h2::codec::framed_write"), "{part}");
    }
}

#[test]
fn every_line_of_the_json_layout_is_a_document() {
    let running = Kestrel::run(["--Logging:Console:FormatterName=json", "--urlz", "x"]).started();
    let text = running.stdout();
    let address = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .find_map(|line| line["State"]["address"].as_str().map(str::to_owned))
        .expect("an announced address");
    get(&address, "/\u{22}", &[]);
    running.wait_for("Request finished");
    let outcome = running.terminated();
    let lines: Vec<Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        assert!(line["EventId"].is_u64(), "{line}");
        for key in ["LogLevel", "Category", "Message"] {
            assert!(line[key].is_string(), "{key}: {line}");
        }
        assert!(line["State"]["{OriginalFormat}"].is_string(), "{line}");
    }
    // The order of the members is part of the shape.
    let listening = JSON_LISTENING.replace("ADDRESS", &address);
    assert!(outcome.stdout.lines().any(|line| line == listening), "{}", outcome.stdout);
    let finished = lines.iter().find(|line| line["Category"] == REQUESTS && line["EventId"] == 2);
    assert_eq!(finished.expect("a finished request")["State"]["StatusCode"], 404);
}

#[test]
fn the_systemd_layout_has_one_line_per_event() {
    let running =
        Kestrel::run(["--Logging:Console:FormatterName=systemd", "--urlz", "x"]).started();
    let outcome = running.terminated();
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert!(
        lines[0].starts_with("<4>Kestrel.Configuration[1] The key 'urlz' means nothing"),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("<6>Microsoft.Hosting.Lifetime[14] Now listening on: ")
            && lines[5].starts_with("<6>Kestrel.Configuration[11] No site: "),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 7, "{lines:?}");
}

#[test]
fn a_line_can_be_short_and_have_the_time() {
    let running = Kestrel::run([
        "--Logging:Console:FormatterOptions:SingleLine=true",
        "--Logging:Console:FormatterOptions:TimestampFormat=yyyy ",
    ])
    .started();
    let outcome = running.terminated();
    let line = outcome.stdout.lines().next().unwrap_or_default();
    let (year, rest) = line.split_once(' ').expect("a year");
    assert!(year.len() == 4 && year.parse::<u16>().is_ok(), "{line}");
    assert!(rest.starts_with("info: Microsoft.Hosting.Lifetime[14] Now listening on: "), "{line}");
    assert_eq!(outcome.stdout.lines().count(), 6, "{}", outcome.stdout);
}

#[test]
fn the_threshold_sends_lines_to_standard_error() {
    let running =
        Kestrel::run(["--Logging:Console:LogToStandardErrorThreshold=Warning", "--urlz", "x"])
            .started();
    let outcome = running.terminated();
    assert!(outcome.stderr.starts_with("warn: Kestrel.Configuration[1]\n"), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("warn: "), "{}", outcome.stdout);
}

#[test]
fn who_claims_to_be_a_proxy_is_told_of_once() {
    let arguments =
        ["--ForwardedHeaders:Enabled=true", "--ForwardedHeaders:KnownProxies:0=192.0.2.1"];
    let running = Kestrel::run(arguments).started();
    let address = running.address();
    for header in ["X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: https", "X-Other: 1"] {
        assert_eq!(get(&address, "/", &[header]).status, 200);
    }
    let outcome = running.terminated();
    let told = "127.0.0.1 is no known proxy, and what it tells in x-forwarded-for is not believed. \
                If it is one of yours, add it to ForwardedHeaders:KnownProxies.";
    assert_eq!(outcome.stdout.matches(told).count(), 1, "{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches("is no known proxy").count(), 1, "{}", outcome.stdout);
}

#[test]
fn a_proxy_that_is_not_believed_and_whose_clients_go_in_a_circle_is_told_of_once() {
    const ON: [&str; 2] = ["--HttpsRedirection:Enabled=true", "--HttpsRedirection:HttpsPort=443"];
    let on = "set ForwardedHeaders:Enabled to true";
    let other = "--ForwardedHeaders:ForwardedHeaders=XForwardedFor";
    for (more, headers, told) in [
        (&[][..], &["X-Forwarded-Proto: https"][..], Some(on)),
        (&[], &["Forwarded: for=192.0.2.1;proto=https"], Some(on)),
        (&[], &["X-Forwarded-Proto: http"], None),
        (
            &["--ForwardedHeaders:Enabled=true", other],
            &["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"],
            Some("add XForwardedProto to ForwardedHeaders:ForwardedHeaders"),
        ),
    ] {
        let running = Kestrel::run(ON.iter().chain(more).copied()).started();
        let address = running.address();
        for path in ["/", "/again"] {
            assert_eq!(get(&address, path, headers).status, 307, "{headers:?}");
        }
        let outcome = running.terminated();
        let of_it = "HttpsRedirection sends a request of 127.0.0.1 to https";
        let times = usize::from(told.is_some());
        assert_eq!(outcome.stdout.matches(of_it).count(), times, "{}", outcome.stdout);
        assert!(outcome.stdout.contains(told.unwrap_or_default()), "{}", outcome.stdout);
    }
}

#[test]
fn a_token_in_a_query_is_not_shown() {
    let running = Kestrel::run([]).started();
    assert_eq!(get(&running.address(), "/?access_token=hunter2&a=1", &[]).status, 200);
    let outcome = running.terminated();
    let shown = outcome.stdout.matches("/?access_token=[Redacted]&a=1 ").count();
    assert_eq!(shown, 2, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("hunter2"), "{}", outcome.stdout);
}
