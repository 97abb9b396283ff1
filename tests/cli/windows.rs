//! The binary that is built for Windows, under Wine: what the system does in another way there.
//!
//! It is built by `cargo build --locked --target x86_64-pc-windows-gnu --bin kestrel`. Paths below
//! `Z:\` are those of this machine. Files are noticed to change by the events that Wine makes of
//! inotify's, and without them.

use std::fs;
use std::io::{PipeWriter, Write, pipe};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::environment::{no_windows, skipped};
use crate::http::{StuckRequest, get};
use crate::process::{Kestrel, LIMIT, Outcome, Running};
use crate::test_data::file;

const SHUTTING_DOWN: &str = "Application is shutting down...";

/// Where a build for Windows puts it.
fn program() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    target.join("x86_64-pc-windows-gnu/debug/kestrel.exe")
}

/// A Windows for the tests, kept from one run to the next because making it takes long.
fn prefix() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("wine")
}

/// What the tests lack, if they lack something. Everything is made ready by the first who asks.
fn missing() -> Option<&'static str> {
    static READY: OnceLock<Option<&'static str>> = OnceLock::new();
    *READY.get_or_init(|| {
        if !program().is_file() {
            return Some(
                "kestrel.exe (cargo build --locked --target x86_64-pc-windows-gnu --bin kestrel)",
            );
        }
        if !is_there("wine") {
            return Some("Wine (apt-get install wine wine64)");
        }
        if !is_there("x86_64-w64-mingw32-gcc") {
            return Some("a compiler (apt-get install gcc-mingw-w64-x86-64-win32)");
        }
        let made = Command::new("wine")
            .args(["wineboot", "--init"])
            .env_clear()
            .envs(variables())
            // What it leaves running keeps them open.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("Wine is there");
        assert!(made.success(), "wineboot: {made}");
        let system = prefix().join("drive_c/windows/system32");
        compile("console.c", &system.join("console.exe"), "-municode");
        // Later versions of Wine have their own.
        let library = system.join("bcryptprimitives.dll");
        if !library.exists() {
            compile("bcryptprimitives.c", &library, "-shared");
        }
        None
    })
}

fn is_there(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    asked.is_ok_and(|output| output.status.success())
}

fn compile(source: &str, to: &Path, kind: &str) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/windows").join(source);
    let made = Command::new("x86_64-w64-mingw32-gcc")
        .args(["-O1", "-Wall", "-Wextra", "-Werror", kind, "-o"])
        .args([to, &source])
        .status()
        .expect("the compiler is there");
    assert!(made.success(), "{source:?}: {made}");
}

/// The variables that Wine needs, and no others.
fn variables() -> [(&'static str, String); 4] {
    [
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("WINEPREFIX", prefix().display().to_string()),
        ("WINEDEBUG", "-all".to_owned()),
        // Else it asks whether it may install what no test needs.
        ("WINEDLLOVERRIDES", "mscoree,mshtml=".to_owned()),
    ]
}

/// The binary, on a console on which Ctrl+C can be pressed.
struct Windows {
    kestrel: Kestrel,
    console: PipeWriter,
}

impl Windows {
    /// `None` if it cannot run here, which is told.
    fn new<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        if no_windows() {
            return None;
        }
        if let Some(missing) = missing() {
            skipped("Windows", missing);
            return None;
        }
        let mut command = Command::new("wine");
        command.arg("console.exe").arg(on_windows(&program())).args(arguments);
        let (stdin, console) = pipe().expect("a pipe");
        let mut kestrel = Kestrel::by(command).stdin(stdin);
        for (name, value) in variables() {
            kestrel = kestrel.variable(name, &value);
        }
        Some(Self { kestrel, console })
    }

    /// `kestrel run` on a free port of 127.0.0.1, with these arguments besides.
    fn run<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        Self::new(["run", "--urls", "http://127.0.0.1:0"].into_iter().chain(arguments))
    }

    fn file(self, name: &str, text: &str) -> Self {
        Self { kestrel: self.kestrel.file(name, text), ..self }
    }

    fn variable(self, name: &str, value: &str) -> Self {
        Self { kestrel: self.kestrel.variable(name, value), ..self }
    }

    /// Its folder, as this system calls it.
    fn root(&self) -> PathBuf {
        self.kestrel.root()
    }

    fn started(self) -> (Running, PipeWriter) {
        (self.kestrel.started(), self.console)
    }

    /// Lets it run to its end.
    fn ended(self) -> Outcome {
        let outcome = self.kestrel.ended();
        drop(self.console);
        one_way(&outcome);
        outcome
    }
}

/// The path as Windows has it.
fn on_windows(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', r"\")
}

/// Presses Ctrl+C, and waits for the end.
fn stopped((running, mut console): (Running, PipeWriter)) -> Outcome {
    console.write_all(b"c").expect("the console is there");
    let outcome = running.ended();
    one_way(&outcome);
    outcome
}

/// No path is written with both slashes.
fn one_way(outcome: &Outcome) {
    for line in outcome.stdout.lines().chain(outcome.stderr.lines()) {
        let words = line.split_whitespace().filter(|word| word.contains(r":\"));
        let mixed: Vec<_> = words.filter(|word| word.contains('/')).collect();
        assert_eq!(mixed, Vec::<&str>::new(), "{line}");
    }
}

/// What curl says of an answer: its version of HTTP, and its status.
fn curl(arguments: &[&str], url: &str) -> String {
    let asked = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--insecure", "--max-time", "60"])
        .args(["--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"])
        .args(arguments)
        .arg(url)
        .output()
        .expect("curl is there (apt-get install curl)");
    format!("{}{}", String::from_utf8_lossy(&asked.stdout), String::from_utf8_lossy(&asked.stderr))
}

#[test]
fn it_serves_both_versions_of_http_and_stops_by_ctrl_c() {
    let Some(windows) = Windows::run([]) else { return };
    let root = on_windows(&windows.root());
    let (running, console) = windows.started();
    let address = running.address();
    let answer = get(&address, "/?a%20b", &[]);
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert!(answer.body.contains(r#""target": "/?a%20b""#), "{}", answer.body);
    for (version, expected) in [("--http1.1", "1.1 200"), ("--http2-prior-knowledge", "2 200")] {
        assert_eq!(curl(&[version], &address), expected);
    }
    let outcome = stopped((running, console));
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.lines().last().map(str::trim), Some(SHUTTING_DOWN));
    let content_root = format!("      Content root path: {root}\n");
    assert!(outcome.stdout.contains(&content_root), "{content_root}{}", outcome.stdout);
}

#[test]
fn the_second_ctrl_c_does_not_wait_for_requests() {
    // Longer than the test: only the second one can end it.
    let Some(windows) = Windows::run(["--shutdownTimeoutSeconds", "86400"]) else { return };
    let (running, mut console) = windows.started();
    let _stuck = StuckRequest::new(&running.address());
    console.write_all(b"c").expect("the console is there");
    running.wait_for(SHUTTING_DOWN);
    // Those that come within a second are the same wish.
    let press = thread::spawn(move || {
        let began = Instant::now();
        // Until it has ended, and its console with it.
        while console.write_all(b"c").is_ok() && began.elapsed() < LIMIT {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let outcome = running.ended();
    press.join().expect("it ends");
    assert_eq!(outcome.code, Some(130), "{}", outcome.stdout);
    let told = "warn: Kestrel.Server[4]\n      A second signal came during the stop";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
}

#[test]
fn certificates_are_read_and_http_2_is_agreed_on() {
    let text = |name: &str| fs::read_to_string(file(name)).expect("it is there");
    let Some(windows) = Windows::new([
        "run",
        "--urls",
        "https://127.0.0.1:0",
        "--Kestrel:Certificates:Default:Path",
        "certificates/one.pem",
        "--Kestrel:Certificates:Default:KeyPath",
        r"certificates\one.key",
    ]) else {
        return;
    };
    fs::create_dir(windows.root().join("certificates")).expect("the folder is ours");
    let windows = windows
        .file("certificates/one.pem", &text("one.pem"))
        .file("certificates/one.key", &text("one.key"));
    let (running, console) = windows.started();
    for (version, expected) in [("--http1.1", "1.1 200"), ("--http2", "2 200")] {
        assert_eq!(curl(&[version], &running.address()), expected);
    }
    let outcome = stopped((running, console));
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
}

#[test]
fn the_layers_are_those_of_every_system() {
    let origins = [
        ("http://127.0.0.1:5001", "command line, argument 3 (--urls)"),
        ("http://127.0.0.1:5002", "environment variable URLS"),
        ("http://127.0.0.1:5003", "appsettings.json:1:9"),
    ];
    for (strongest, (url, origin)) in origins.into_iter().enumerate() {
        let mut arguments = vec!["run", "--plan"];
        if strongest == 0 {
            arguments.extend(["--urls", url]);
        }
        let Some(mut windows) = Windows::new(arguments) else { return };
        if strongest <= 1 {
            windows = windows.variable("URLS", origins[1].0);
        }
        let outcome =
            windows.file("appsettings.json", r#"{"Urls":"http://127.0.0.1:5003"}"#).ended();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(outcome.stdout.starts_with(&format!("{url}\n")), "{}", outcome.stdout);
        assert!(outcome.stdout.contains(&format!("set by:    {origin}")), "{}", outcome.stdout);
    }
}

#[test]
fn a_refused_start_names_the_paths_and_commands_of_windows() {
    #[expect(clippy::disallowed_methods, reason = "a port that is taken")]
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port();
    let taken = format!("http://127.0.0.1:{port}");
    let find = format!(
        r#"(netstat -ano | findstr /c:":{port} " shows its id, and taskkill /F /PID ID ends it)"#
    );
    let https = ["run", "--urls", "https://127.0.0.1:0", "--Kestrel:Certificates:Default:Path"];
    let with = |path| https.into_iter().chain([path]).collect::<Vec<_>>();
    for (arguments, code, first, told) in [
        (
            vec!["run", "--urls", &*taken],
            4,
            format!("Failed to bind to address {taken}: address already in use."),
            &*find,
        ),
        (
            vec!["run", "--urls", "http://1.2.3.4:0"],
            4,
            "Failed to bind to address http://1.2.3.4:0: ".to_owned(),
            "('ipconfig' lists them)",
        ),
        (
            vec!["run", "--urls", "http://unix:/tmp/a.sock"],
            4,
            "Failed to bind to address http://unix:/tmp/a.sock: ".to_owned(),
            "On this system no Unix sockets are served.",
        ),
        (
            vec!["run", "--plan", "--listen", "unix:@a"],
            4,
            "Failed to bind to address http://unix:@a: unsupported.".to_owned(),
            "fix: use a port of 127.0.0.1",
        ),
        (
            with("./certificates/none.pem"),
            5,
            r"Could not find a part of the path 'ROOT\certificates\none.pem'.".to_owned(),
            r"ROOT\certificates does not exist.",
        ),
        (
            https[..3].to_vec(),
            5,
            "Unable to configure HTTPS endpoint.".to_owned(),
            r"\.dotnet\corefx\cryptography\x509stores\my",
        ),
        (
            vec!["run", "--contentRoot", "c:/none/../none"],
            3,
            r"The content root c:\none\..\none\ is not a directory.".to_owned(),
            "There is nothing of that name.",
        ),
    ] {
        let Some(windows) = Windows::new(arguments.iter().copied()) else { return };
        let root = on_windows(&windows.root());
        let outcome = windows.ended();
        let all = &outcome.stderr;
        assert_eq!(outcome.code, Some(code), "{arguments:?}: {all}");
        let first = format!("error: {first}").replace("ROOT", &root);
        assert!(all.starts_with(&first), "{first}: {all}");
        assert!(all.contains(&told.replace("ROOT", &root)), "{told}: {all}");
        for foreign in ["ss -l", "sudo", "ip addr", "ulimit"] {
            assert!(!all.contains(foreign), "{foreign}: {all}");
        }
    }
}

#[test]
fn a_broken_file_is_refused_with_its_path_and_place() {
    let Some(windows) = Windows::run([]) else { return };
    let path = on_windows(&windows.root().join("appsettings.json"));
    let outcome = windows.file("appsettings.json", "{\r\n  \"Urls\": 1,,\r\n}\r\n").ended();
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    let first = format!("error: Failed to load configuration from file '{path}'. Could not parse");
    assert!(outcome.stderr.starts_with(&first), "{first}: {}", outcome.stderr);
    assert!(outcome.stderr.contains("set by: appsettings.json:2:"), "{}", outcome.stderr);
}

#[test]
fn a_file_that_changes_is_read_again() {
    let settings = |names: &[&str]| {
        let endpoint = |name: &&str| format!(r#""{name}":{{"Url":"http://127.0.0.1:0"}}"#);
        let endpoints: Vec<_> = names.iter().map(endpoint).collect();
        format!(r#"{{"Kestrel":{{"Endpoints":{{{}}}}}}}"#, endpoints.join(","))
    };
    for polling in ["0", "1"] {
        let Some(windows) = Windows::new(["run"]) else { return };
        let file = windows.root().join("appsettings.json");
        let windows = windows
            .variable("DOTNET_USE_POLLING_FILE_WATCHER", polling)
            .file("appsettings.json", &settings(&["A"]));
        let (running, console) = windows.started();
        let first = running.address();
        fs::write(&file, settings(&["A", "B"])).expect("the folder is ours");
        running.wait_for("\n      + ");
        let told = running.stdout();
        let second = told.lines().find_map(|line| line.strip_prefix("      + "));
        for address in [&*first, second.expect("it was waited for")] {
            assert_eq!(get(address, "/", &[]).status, 200);
        }
        let outcome = stopped((running, console));
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    }
}

/// The program is the host itself, which obeys the contract of the ASP.NET Core Module.
#[test]
fn a_program_runs_behind_it_and_ends_by_being_asked() {
    let program = on_windows(&program());
    let Some(windows) = Windows::run(["--", &*program, "run"]) else { return };
    let (running, console) = windows.started();
    let answer = get(&running.address(), "/?a%20b", &[]);
    assert_eq!(answer.status, 200, "{}\n{}", answer.head, running.stdout());
    assert!(answer.body.contains(r#""target": "/?a%20b""#), "{}", answer.body);
    running.wait_for(&format!("s after its start: {program} run"));
    let outcome = stopped((running, console));
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    // The line of the program is in the log of the host, which has its own.
    assert!(outcome.stdout.contains("kestrel.exe["), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches(SHUTTING_DOWN).count(), 2, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("was killed"), "{}", outcome.stdout);
}

/// Without a token it is no child of a process manager, and answers that request like any other.
#[test]
fn a_program_that_cannot_be_asked_to_end_is_killed() {
    let program = on_windows(&program());
    let no_token = ["--AspNetCore:EnvironmentVariables:ASPNETCORE_TOKEN", ""];
    let long = ["--AspNetCore:ShutdownTimeLimit", "600", "--shutdownTimeoutSeconds", "600"];
    let command = ["--", &*program, "run"];
    let Some(windows) = Windows::run(no_token.into_iter().chain(long).chain(command)) else {
        return;
    };
    let (running, console) = windows.started();
    assert_eq!(get(&running.address(), "/", &[]).status, 200, "{}", running.stdout());
    let outcome = stopped((running, console));
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    let told =
        format!("was killed: {program} run. It answers 404 to the request that asks it to end");
    assert!(outcome.stdout.contains(&told), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches(SHUTTING_DOWN).count(), 1, "{}", outcome.stdout);
}

#[test]
fn what_programs_cannot_have_on_windows_is_refused() {
    for (settings, told) in [
        (["--AspNetCore:Listen", "socket"], "cannot listen on a Unix socket on Windows."),
        (["--AspNetCore:Limits:OpenFiles", "100"], "cannot be limited on Windows."),
    ] {
        let command = ["--", "cmd", "/c", "{url}"];
        let arguments = ["run", "--plan"].into_iter().chain(settings).chain(command);
        let Some(windows) = Windows::new(arguments) else { return };
        let outcome = windows.ended();
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(told), "{told}: {}", outcome.stderr);
    }
}
