//! Logs of requests, as `kestrel run` writes them.

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
