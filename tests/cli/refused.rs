//! Refused starts: the exit code tells their kind, standard error what, where and how to fix it.

use std::os::unix::net::UnixListener;
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

#[cfg(target_os = "linux")]
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::certificates::install;
#[cfg(target_os = "linux")]
use crate::environment::skipped;
use crate::process::{Kestrel, Outcome, taken_port};
#[cfg(target_os = "linux")]
use crate::rights::{without, without_reserved_ports};

/// Checks what every refusal has in common.
fn check(outcome: &Outcome, code: i32) {
    let Outcome { stdout, stderr, .. } = outcome;
    assert_eq!(outcome.code, Some(code), "{stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    for word in ["panicked", "RUST_BACKTRACE", "   at "] {
        assert!(!stderr.contains(word), "{stderr}");
    }
    assert!(!stdout.contains("Now listening on"), "{stdout}");
    assert!(!stdout.contains("Application started"), "{stdout}");
}

/// Checks that `parts` stand in standard error, in their order.
fn tells(outcome: &Outcome, parts: &[&str]) {
    let mut rest = &*outcome.stderr;
    for part in parts {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| {
            panic!("'{part}' is missing, or not in its order: {}", outcome.stderr)
        });
        rest = after;
    }
}

#[test]
fn a_command_line_that_is_no_command_is_a_mistake_of_usage() {
    for arguments in [&["rum"][..], &["run", "--listen"], &["completions", "tcsh"], &["--unknown"]]
    {
        let outcome = Kestrel::new(arguments.iter().copied()).ended();
        check(&outcome, 2);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
    // Nothing at all asks for help, and is told that it is missing a command.
    let outcome = Kestrel::new([]).ended();
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("Usage: kestrel <COMMAND>"), "{}", outcome.stderr);
}

#[test]
fn a_wrong_address_is_a_mistake_of_configuration() {
    for url in [
        "http://127.0.0.1:x",
        "http://127.0.0.1:70000",
        "http://localhost:0",
        "ftp://127.0.0.1:0",
        "127.0.0.1:5000",
        "http://256.1.1.1:5000",
        "http://127.0.0.1:0/base",
    ] {
        let outcome = Kestrel::new(["run", "--urls", url]).ended();
        check(&outcome, 3);
        tells(&outcome, &["set by: command line, argument 2 (--urls), key urls", "fix: "]);
    }
}

#[test]
fn a_mistake_in_a_file_is_told_with_line_and_column() {
    let text =
        "{\n  \"Kestrel\": {\n    \"Limits\": { \"MaxRequestLineSize\": \"many\" }\n  }\n}\n";
    let outcome = Kestrel::run([]).file("appsettings.json", text).ended();
    check(&outcome, 3);
    tells(
        &outcome,
        &[
            "Failed to convert configuration value 'many' at 'Kestrel:Limits:MaxRequestLineSize'",
            "set by: appsettings.json:3:39, key Kestrel:Limits:MaxRequestLineSize",
            "fix: ",
        ],
    );
}

#[test]
fn the_file_of_the_environment_is_named() {
    let kestrel = Kestrel::run(["--environment", "Staging"]).file("appsettings.json", "{}");
    let path = kestrel.root().join("appsettings.Staging.json");
    let outcome = kestrel.file("appsettings.Staging.json", "{\n\"A\": }\n").ended();
    check(&outcome, 3);
    let file = path.display().to_string();
    tells(&outcome, &[&*file, "set by: appsettings.Staging.json:2:", "2 | \"A\": }", "^", "fix: "]);
}

#[test]
fn a_file_that_cannot_be_read_is_no_empty_file() {
    // A dangling link is not there; a loop of links cannot be read.
    let kestrel = Kestrel::run([]);
    let path = kestrel.root().join("appsettings.json");
    std::os::unix::fs::symlink(&path, &path).expect("the folder is ours");
    let outcome = kestrel.ended();
    check(&outcome, 3);
    tells(&outcome, &["Failed to load configuration from file", "fix: "]);
}

#[test]
fn a_taken_port_is_told_with_its_holder() {
    let (_taken, url) = taken_port();
    let outcome = Kestrel::new(["run"]).variable("ASPNETCORE_URLS", &url).ended();
    check(&outcome, 4);
    let first = format!("error: Failed to bind to address {url}: address already in use.\n");
    tells(&outcome, &[&*first, "set by: environment variable ASPNETCORE_URLS", "fix: "]);
    if cfg!(target_os = "linux") {
        let id = std::process::id();
        let holder = format!("(process {id} of user ");
        let fix = format!("fix: end it (kill {id}), or write http://127.0.0.1:");
        tells(
            &outcome,
            &[&*holder, ") listens on 127.0.0.1:", &*fix, " in urls: that port is free now\n"],
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stopped_copy_that_has_the_port_is_told_as_such() {
    let first = Kestrel::run([]).started();
    let url = first.address();
    first.signal(Signal::SIGSTOP);
    let state = format!("/proc/{}/stat", first.id());
    while !std::fs::read_to_string(&state).expect("it is there").contains(") T ") {
        std::thread::yield_now();
    }
    let outcome = Kestrel::new(["run", "--urls", &url]).ended();
    check(&outcome, 4);
    let release = format!(
        "fix: let it end (kill {0}; kill -CONT {0}), or write http://127.0.0.1:",
        first.id()
    );
    let cause = ", another copy of this program) listens on 127.0.0.1:";
    tells(
        &outcome,
        &[
            cause,
            "; it is stopped (Ctrl+Z, SIGSTOP).",
            &*release,
            " in --urls: that port is free now\n",
        ],
    );
    // What the fix says works.
    first.signal(Signal::SIGTERM);
    first.signal(Signal::SIGCONT);
    assert_eq!(first.ended().code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_socket_that_is_taken_is_told_with_its_holder() {
    let spec = format!("unix:@kestrel-test-{}", std::process::id());
    let first = Kestrel::new(["run", "--listen", &spec]).started();
    let outcome = Kestrel::new(["run", "--listen", &spec]).ended();
    check(&outcome, 4);
    let holder = format!("(process {} of user ", first.id());
    let listens = format!(", another copy of this program) listens on {spec}.");
    let fix = format!("fix: end it (kill {}), or choose another name\n", first.id());
    tells(&outcome, &[&*holder, &*listens, &*fix]);
    assert_eq!(first.terminated().code, Some(0));
}

/// Root may bind every port, unless it gives that right away first.
#[cfg(target_os = "linux")]
#[test]
fn a_port_that_is_denied_is_told_by_the_facts() {
    let Some((reserved, mut command)) = without_reserved_ports("a port that is denied") else {
        return;
    };
    let uid = nix::unistd::Uid::effective();
    command.args(["run", "--urls", "http://127.0.0.1:1"]);
    let outcome = Kestrel::by(command).ended();
    check(&outcome, 4);
    let facts = format!("This process runs as uid {uid} (");
    let start = format!("net.ipv4.ip_unprivileged_port_start is {reserved}: ");
    tells(
        &outcome,
        &[
            "Failed to bind to address http://127.0.0.1:1: Permission denied.\n",
            &*facts,
            &*start,
            "set by: command line, argument 2 (--urls), key urls\n",
            "fix: write http://127.0.0.1:8080 in --urls, or ",
        ],
    );
}

#[test]
fn every_port_that_is_taken_is_told_at_once() {
    let (_first, first) = taken_port();
    let (_second, second) = taken_port();
    let urls = format!("{first};http://127.0.0.1:0;{second}");
    let outcome = Kestrel::new(["run", "--urls", &urls]).ended();
    check(&outcome, 4);
    let told =
        |url: &str| format!("error: Failed to bind to address {url}: address already in use.\n");
    tells(&outcome, &[&told(&first), "set by: ", "fix: ", &told(&second), "set by: ", "fix: "]);
}

#[test]
fn a_refusal_is_told_once_and_logged_in_kestrels_words() {
    let (_taken, url) = taken_port();
    let outcome = Kestrel::new(["run", "--urls", &url]).ended();
    let logged = "fail: Microsoft.Extensions.Hosting.Internal.Host[11]\n      Hosting failed to start\n      \
                  The reason is told on standard error; exit code 4.\n";
    assert_eq!(outcome.stdout, logged);
    let told = format!("Failed to bind to address {url}: address already in use.");
    assert_eq!(outcome.stderr.matches(&told).count(), 1, "{}", outcome.stderr);
}

#[test]
fn a_log_for_machines_has_the_whole_refusal_and_standard_error_nothing() {
    let (_taken, url) = taken_port();
    let outcome =
        Kestrel::new(["run", "--urls", &url, "--Logging:Console:FormatterName=json"]).ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(4), ""));
    let events: Vec<Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let [event] = &events[..] else {
        panic!("one event, not {events:?}");
    };
    assert_eq!((&event["EventId"], &event["LogLevel"]), (&json!(11), &json!("Error")));
    assert_eq!(event["Message"], "Hosting failed to start");
    let state = &event["State"];
    assert_eq!((&state["code"], &state["key"]), (&json!(4), &json!("urls")));
    assert_eq!(state["origin"], "command line, argument 2 (--urls)");
    let problem = format!("Failed to bind to address {url}: address already in use.");
    assert_eq!(state["problem"], problem);
    let fix = state["fix"].as_str().expect("a text");
    let text = event["Exception"].as_str().expect("a text");
    assert!(text.starts_with(&problem) && text.contains(fix), "{text}");
}

#[test]
fn each_mistake_is_an_event_of_a_log_for_machines_beside_the_warnings() {
    let outcome = Kestrel::new([
        "run",
        "--urls=http://localhost:0",
        "--urlz=x",
        "--Kestrel:AddServerHeader=perhaps",
        "--Logging:Console:FormatterName=systemd",
    ])
    .ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(3), ""));
    let lines: Vec<_> = outcome.stdout.lines().collect();
    let [warning, header, urls] = &lines[..] else {
        panic!("three lines, not {lines:#?}");
    };
    assert!(warning.starts_with("<4>Kestrel.Configuration[1] The key 'urlz'"), "{warning}");
    let failed = "<3>Microsoft.Extensions.Hosting.Internal.Host[11] Hosting failed to start ";
    for (line, words) in [(header, "'perhaps'"), (urls, "Dynamic port binding")] {
        assert!(line.starts_with(failed) && line.contains(words), "{line}");
        assert!(line.contains("set by: ") && line.contains("fix: "), "{line}");
    }
}

#[test]
fn a_refusal_is_told_on_standard_error_where_the_log_leaves_it_out() {
    for level in
        ["--Logging:LogLevel:Default=None", "--Logging:LogLevel:Microsoft.Extensions=Critical"]
    {
        let json = "--Logging:Console:FormatterName=json";
        let outcome = Kestrel::new(["run", "--urls", "http://localhost:0", json, level]).ended();
        check(&outcome, 3);
        assert_eq!(outcome.stdout, "", "{level}");
    }
}

#[test]
fn an_address_of_another_machine_cannot_be_bound() {
    // From the block for documentation (RFC 5737).
    let outcome = Kestrel::new(["run", "--listen", "192.0.2.1:5000"]).ended();
    check(&outcome, 4);
    tells(
        &outcome,
        &["http://192.0.2.1:5000", "set by: command line, argument 2 (--listen)", "fix: "],
    );
}

#[test]
fn a_link_to_a_stale_socket_is_refused_with_the_command_that_removes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    drop(UnixListener::bind(folder.path().join("other.sock")).expect("the folder is ours"));
    // Somebody made it: it is not for us to remove.
    std::os::unix::fs::symlink("other.sock", &path).expect("the folder is ours");
    let spec = format!("unix:{}", path.display());
    let outcome = Kestrel::new(["run", "--listen", &spec]).ended();
    check(&outcome, 4);
    let remove = format!("(rm {})", path.display());
    tells(&outcome, &["set by: command line, argument 2 (--listen)", "fix: ", &*remove]);
    std::fs::remove_file(&path).expect("it is still there");
    // What the fix says works.
    let running = Kestrel::new(["run", "--listen", &spec]).started();
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn two_endpoints_with_one_address_are_a_mistake_of_binding() {
    let outcome =
        Kestrel::new(["run", "--listen", "127.0.0.1:5000", "--listen", "127.0.0.1:5000"]).ended();
    check(&outcome, 4);
    tells(&outcome, &["argument 4 (--listen)", "fix: ", "argument 2 (--listen)"]);
}

#[test]
fn an_https_endpoint_wants_a_certificate() {
    let outcome = Kestrel::new(["run", "--urls", "https://127.0.0.1:0"]).ended();
    check(&outcome, 5);
    tells(&outcome, &["No server certificate was specified", "set by: ", "fix: "]);
}

#[test]
fn all_mistakes_are_told_together() {
    let outcome = Kestrel::new(["run", "--urls", "x", "-a=1", "--Kestrel:AddServerHeader=perhaps"])
        .file("appsettings.json", "[]")
        .ended();
    check(&outcome, 3);
    let mistakes = outcome.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(mistakes, 4, "{}", outcome.stderr);
}

#[test]
fn a_log_that_is_off_does_not_silence_a_refusal() {
    let outcome =
        Kestrel::new(["run", "--urls", "http://localhost:0", "--Logging:LogLevel:Default=None"])
            .ended();
    check(&outcome, 3);
    assert_eq!(outcome.stdout, "");
}

/// What `--plan` complains of is what a start complains of, word for word.
#[test]
fn the_plan_is_refused_as_the_start_would_be() {
    let expired = [
        "--Kestrel:Certificates:Default:Path=a.pem",
        "--Kestrel:Certificates:Default:KeyPath=a.key",
    ];
    for (arguments, code) in [
        (&["--urls", "http://localhost:0"][..], 3),
        (&["--urls", "x", "--urlz", "y", "-a=1", "--Kestrel:AddServerHeader=perhaps"], 3),
        (&["--listen", "127.0.0.1:1", "--listen", "127.0.0.1:1"], 4),
        (&["--urls", "https://127.0.0.1:0"], 5),
        (&["--urls", "https://127.0.0.1:0", "--Kestrel:Certificates:Default:Path=b.pem"], 5),
        (&["--strict", "--urls", "https://127.0.0.1:0", expired[0], expired[1]], 5),
        (&["--strict", "--urls=http://127.0.0.1:0", "--urlz=x"], 3),
        (&["--strict", "--urls=http://127.0.0.1:1", "--listen=127.0.0.1:0"], 3),
    ] {
        let [start, plan] = [&["run"][..], &["run", "--plan"]].map(|command| {
            let arguments = command.iter().chain(arguments).copied();
            let kestrel = Kestrel::new(arguments);
            install("expired", &kestrel.root());
            // Where it is does not matter, and every run has a folder of its own, whose name is that
            // of the application.
            let root = kestrel.root();
            let name = root.file_name().expect("it has one").to_string_lossy().into_owned();
            let outcome = kestrel.ended();
            check(&outcome, code);
            let words = outcome.stderr.replace(&name, "{name}");
            // The place of an argument is another one.
            let without_places =
                words.split("argument ").map(|part| part.trim_start_matches(char::is_numeric));
            without_places.collect::<String>()
        });
        assert_eq!(start, plan, "{arguments:?}");
    }
}

#[test]
fn a_plan_without_a_certificate_is_shown_and_refused() {
    let outcome = Kestrel::new(["run", "--plan", "--urls", "https://127.0.0.1:5001"]).ended();
    check(&outcome, 5);
    assert!(outcome.stdout.contains("\n  serves:    no certificate\n"), "{}", outcome.stdout);
}

/// A plan has no effect, and a start would say that it made the folder.
#[test]
fn a_plan_makes_no_folder() {
    let kestrel = Kestrel::new(["run", "--plan", "--webroot", "made"]);
    let root = tempfile::tempdir().expect("a folder");
    let outcome = kestrel.in_folder(root.path()).ended();
    assert_eq!(outcome.code, Some(0));
    assert!(!root.path().join("made").exists());
    assert!(outcome.stderr.contains("note: The web root "), "{}", outcome.stderr);
}

#[test]
fn a_web_root_that_cannot_be_made_is_told_with_the_other_mistakes() {
    let outcome = Kestrel::new(["run", "--urls=http://localhost:0", "--webroot=file/below"])
        .file("file", "")
        .ended();
    check(&outcome, 3);
    tells(&outcome, &["The web root ", " is no folder.", "set by: ", "Dynamic port binding"]);
}

#[test]
fn a_port_that_is_taken_is_told_in_the_scheme_that_was_asked_for() {
    let (_listener, url) = taken_port();
    let url = url.replace("http://", "https://");
    let kestrel = Kestrel::new([
        "run",
        "--urls",
        &url,
        "--Kestrel:Certificates:Default:Path=a.pem",
        "--Kestrel:Certificates:Default:KeyPath=a.key",
    ]);
    install("server", &kestrel.root());
    let outcome = kestrel.ended();
    check(&outcome, 4);
    let first = format!("Failed to bind to address {url}: address already in use.\n");
    tells(
        &outcome,
        &[
            &first,
            "set by: ",
            "fix: ",
            "or write https://127.0.0.1:",
            " in --urls: that port is free now\n",
        ],
    );
}

/// Root reads what it likes, unless it gives that right away first.
#[cfg(target_os = "linux")]
#[test]
fn a_certificate_that_may_not_be_read_is_told_with_its_owner_and_mode() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const BARRED: &str = "-dac_override,-dac_read_search";
    let Some(mut command) = without(BARRED, "a certificate that may not be read") else {
        return;
    };
    command.args([
        "run",
        "--urls=https://127.0.0.1:0",
        "--Kestrel:Certificates:Default:Path=a.pem",
        "--Kestrel:Certificates:Default:KeyPath=a.key",
    ]);
    let kestrel = Kestrel::by(command);
    let root = kestrel.root();
    install("server", &root);
    let key = root.join("a.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o000)).expect("the file is ours");
    let outcome = kestrel.ended();
    check(&outcome, 5);
    tells(
        &outcome,
        &[
            &format!("error: Access to the path '{}' is denied.\n", key.display()),
            " may not read it: it belongs to ",
            " and has mode 0000.\n",
            "set by: command line, argument 4",
            "fix: let that user read it and nobody else",
        ],
    );
}

/// Who names a certificate is not to meet the roots at the next start.
#[test]
fn roots_that_are_missing_are_told_beside_a_certificate_that_is_none() {
    let outcome = Kestrel::new([
        "run",
        "--Kestrel:Endpoints:A:Url=https://127.0.0.1:0",
        "--Kestrel:Endpoints:A:ClientCertificateMode=RequireCertificate",
        "--Kestrel:Endpoints:A:ClientCertificateRoots=missing.pem",
    ])
    .variable("HOME", "/nonexistent")
    .ended();
    check(&outcome, 5);
    let roots = "set by: command line, argument 4 (--Kestrel:Endpoints:A:ClientCertificateRoots)";
    tells(&outcome, &["No server certificate was specified", "missing.pem'.", roots]);
}

/// A machine of its own, on which one of the two loopbacks is switched off.
#[cfg(target_os = "linux")]
fn without_a_loopback(off: &str, program: &str) -> Command {
    let script = format!("ip link set lo up && {off} && exec \"$0\" \"$@\"");
    let mut command = Command::new("/usr/bin/unshare");
    command.args(["-U", "-r", "-n", "/bin/sh", "-c", &script, program]);
    command
}

#[cfg(target_os = "linux")]
#[test]
fn a_missing_loopback_is_a_warning_which_refuses_a_strict_start() {
    for (off, interface, missing, other) in [
        ("echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6", "IPv6", "[::1]", "127.0.0.1"),
        ("ip addr del 127.0.0.1/8 dev lo", "IPv4", "127.0.0.1", "[::1]"),
    ] {
        let mut attempt = without_a_loopback(off, "/bin/true");
        attempt.stdin(Stdio::null()).stderr(Stdio::null());
        if !attempt.status().is_ok_and(|status| status.success()) {
            let needs = "user namespaces (unshare -U -r -n) and ip (apt-get install iproute2)";
            return skipped("a missing loopback", needs);
        }
        // The ports of that machine are nobody else's.
        let kestrel = || {
            let mut command = without_a_loopback(off, env!("CARGO_BIN_EXE_kestrel"));
            command.args(["run", "--urls", "http://localhost:5000"]);
            // The script needs one to find its program.
            Kestrel::by(command).variable("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        };
        let told = format!(
            "Unable to bind to http://localhost:5000 on the {interface} loopback interface: '"
        );
        let outcome = kestrel().stopped_if_started();
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{missing}");
        let warning = format!("warn: Microsoft.AspNetCore.Server.Kestrel[0]\n      {told}");
        assert!(outcome.stdout.contains(&warning), "{missing}: {}", outcome.stdout);

        let outcome = kestrel().argument("--strict").ended();
        check(&outcome, 4);
        let fix = format!("fix: write http://{other}:5000 if the other loopback is enough");
        tells(&outcome, &[&told, "set by: command line, argument 2 (--urls), key urls", &fix]);
    }
}

#[test]
fn no_secret_is_printed_whatever_way_it_is_given() {
    const PW: &str = "hunter2";
    let certificate = "Kestrel:Certificates:Default";
    let arguments = [
        vec![format!("-{certificate}:Password={PW}")],
        vec![format!("-{certificate}:Password"), PW.to_owned()],
        vec![format!("--{certificate}:Password"), format!("-{PW}"), "=".to_owned(), PW.to_owned()],
        vec![format!("--{certificate}:Password"), "=".to_owned(), PW.to_owned()],
        vec![format!("--{certificate}={PW}")],
        vec![format!("--Kestrel:Endpoints:A:Certificate={PW}")],
        vec!["-password".to_owned(), PW.to_owned()],
        vec!["-password".to_owned(), format!("-{PW}")],
        vec![format!("-password:{PW}")],
        vec!["-p".to_owned(), PW.to_owned()],
        vec!["-u".to_owned(), PW.to_owned()],
        vec![format!("-p={PW}")],
        vec![format!("-pw={PW}")],
        vec![format!("password:{PW}")],
        vec!["password".to_owned(), PW.to_owned()],
        vec![format!("--password {PW}")],
        vec![format!("--password {PW}"), "x".to_owned()],
        vec![format!("/password:{PW}")],
        vec![format!("--{certificate}:Password:{PW}"), "x".to_owned()],
        vec![format!("--password:{PW}"), "--urls".to_owned()],
        vec![format!("--password:{PW}=x")],
        vec!["--a".to_owned(), format!("--password={PW}")],
        vec![format!("--password {PW}"), "1".to_owned(), format!("--password {PW}=2")],
        vec!["--contentRoot".to_owned(), format!("http://u:{PW}@h")],
        vec!["--Logging:LogLevel:Default".to_owned(), format!("u:{PW}@h")],
        vec!["--shutdownTimeoutSeconds".to_owned(), format!("u:{PW}@h")],
        vec!["--urls".to_owned(), format!("http://u:{PW}%40h:80")],
        vec!["--urls".to_owned(), format!("http://unix:/tmp/u:{PW}@h")],
    ];
    for arguments in arguments {
        let more: [&[&str]; 3] =
            [&["--plan"], &["--strict"], &["--strict", "--Logging:Console:FormatterName=json"]];
        for more in more {
            let all = ["run"].into_iter().chain(more.iter().copied());
            let outcome = Kestrel::new(all.chain(arguments.iter().map(String::as_str))).ended();
            let printed = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(printed.contains("argument"), "{arguments:?}: {printed}");
            assert!(!printed.contains(PW), "{arguments:?} {more:?}: {printed}");
        }
    }
}

#[test]
fn a_misspelled_switch_is_a_mistake_of_usage_wherever_it_stands() {
    for arguments in [
        &["run", "--plna"][..],
        &["run", "--plna", "--urls", "http://127.0.0.1:0"],
        &["run", "--plan=true"],
    ] {
        let outcome = Kestrel::new(arguments.iter().copied()).ended();
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.starts_with("error: "), "{}", outcome.stderr);
    }
}
