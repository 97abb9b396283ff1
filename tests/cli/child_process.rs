//! A program of any language behind the host: its contract, its life, and what is said when it goes wrong.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgid};
use serde_json::Value;

use crate::http::{StuckRequest, connect, get, get_of, get_over};
use crate::process::{Kestrel, LIMIT, Running};

/// The program with all its ways to go wrong: tests/child. Cargo builds it beside these tests.
fn child() -> String {
    let mut path = PathBuf::from(env!("CARGO_BIN_EXE_kestrel"));
    path.set_file_name("examples");
    path.push("child");
    path.display().to_string()
}

/// A host with the program in a mode, and settings besides.
pub(crate) fn hosting(mode: &[&str], settings: &str) -> Kestrel {
    let arguments = serde_json::to_string(mode).expect("texts are JSON");
    let more = if settings.is_empty() { String::new() } else { format!(", {settings}") };
    let text = format!(
        r#"{{"AspNetCore": {{"ProcessPath": {:?}, "Arguments": {arguments}{more}}}}}"#,
        child()
    );
    Kestrel::run([]).file("appsettings.json", &text)
}

#[track_caller]
pub(crate) fn who(running: &Running) -> Value {
    let answer = get(&running.address(), "/who", &[]);
    assert_eq!(answer.status, 200, "{}\n{}", answer.head, running.stdout());
    serde_json::from_str(&answer.body).expect("JSON")
}

pub(crate) fn process_of(who: &Value) -> u32 {
    who["process"].as_u64().and_then(|it| it.try_into().ok()).expect("a number")
}

/// Whether a process is there, and no mere remainder of one.
pub(crate) fn is_alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[track_caller]
pub(crate) fn wait_until(what: &str, ready: impl Fn() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn kill_hard(process: u32) {
    let process = Pid::from_raw(process.try_into().expect("a number"));
    kill(process, Signal::SIGKILL).expect("it is there");
}

/// The last line is the one with the process.
fn left_by(running: &Running) -> u32 {
    // As the program says it: what the host says of those that are left may be there already.
    running.wait_for("] left ");
    let out = running.stdout();
    let (_, number) = out.rsplit_once("] left ").expect("it was waited for");
    number.lines().next().and_then(|it| it.trim().parse().ok()).expect("a number")
}

#[test]
fn a_program_is_told_where_to_listen_and_who_asks() {
    let settings =
        r#""EnvironmentVariables": {"COLOUR": "red", "AT": "{url}"}, "WorkingDirectory": "/""#;
    let kestrel = hosting(&["serve", "--at={port}"], settings)
        .variable("ASPNETCORE_URLS", "http://10.0.0.1:80")
        .variable("Kestrel__Limits__MaxConcurrentConnections", "100")
        .variable("OWN", "kept");
    let running = kestrel.started();
    let address = running.address();
    let headers = ["X-Forwarded-For: 10.1.1.1", "MS-ASPNETCORE-TOKEN: guessed"];
    let answer = get_of(connect(&address), "shop.example", "/a%2Fb?c=d", &headers);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let who: Value = serde_json::from_str(&answer.body).expect("JSON");
    let variables = &who["variables"];
    let port = variables["PORT"].as_str().expect("a port");
    for (name, expected) in [
        ("ASPNETCORE_PORT", port),
        ("ASPNETCORE_URLS", &format!("http://127.0.0.1:{port}")),
        ("ASPNETCORE_APPL_PATH", "/"),
        ("ASPNETCORE_ENVIRONMENT", "Production"),
        ("COLOUR", "red"),
        ("AT", &format!("http://127.0.0.1:{port}")),
        ("OWN", "kept"),
    ] {
        assert_eq!(variables[name], expected, "{name}");
    }
    assert_eq!(variables.get("Kestrel__Limits__MaxConcurrentConnections"), None);
    assert_eq!(who["arguments"][1], format!("--at={port}"));
    assert_eq!(who["folder"], "/");
    assert_eq!(who["target"], "/a%2Fb?c=d");
    let headers = &who["headers"];
    assert_eq!(headers["ms-aspnetcore-token"], variables["ASPNETCORE_TOKEN"]);
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(headers["x-forwarded-proto"], "http");
    // As the client named it.
    assert_eq!(headers["host"], "shop.example");
    let process = process_of(&who);
    let outcome = running.terminated();
    assert!(outcome.stdout.contains("child in mode serve"), "{}", outcome.stdout);
    let token = variables["ASPNETCORE_TOKEN"].as_str().expect("a token");
    assert!(!outcome.stdout.contains(token), "{}", outcome.stdout);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(!is_alive(process));
}

/// As the ASP.NET Core Module does: whoever is told the path below which clients see it takes it off by itself.
#[test]
fn a_program_below_a_path_gets_whole_paths() {
    let site = format!(
        r#"{{"Sites": {{"Shop": {{"PathBase": "/shop", "AspNetCore": {{"ProcessPath": {:?}}}}}}}}}"#,
        child()
    );
    let running = Kestrel::run([]).file("appsettings.json", &site).started();
    let answer = get(&running.address(), "/shop/a?b=c", &["X-Forwarded-Prefix: /guessed"]);
    let who: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(who["target"], "/shop/a?b=c");
    assert_eq!(who["variables"]["ASPNETCORE_APPL_PATH"], "/shop");
    assert_eq!(who["headers"].get("x-forwarded-prefix"), None);
    running.terminated();
}

#[test]
fn a_command_on_the_command_line_is_run() {
    let child = child();
    let running = Kestrel::run(["--", &*child, "serve", "--urls", "{url}"]).started();
    let who = who(&running);
    let port = who["variables"]["PORT"].as_str().expect("a port");
    let expected = ["serve", "--urls", &format!("http://127.0.0.1:{port}")];
    assert_eq!(who["arguments"], serde_json::json!(expected));
    running.terminated();
}

#[test]
fn a_program_can_listen_on_a_socket_that_nobody_else_sees() {
    use std::os::unix::fs::PermissionsExt as _;
    let running = hosting(&["serve", "{socket}"], "").started();
    let who = who(&running);
    let socket = PathBuf::from(who["arguments"][1].as_str().expect("a path"));
    assert_eq!(who["variables"].get("PORT"), None);
    let mode = |path: &std::path::Path| {
        fs::metadata(path).map(|facts| facts.permissions().mode() & 0o777).expect("it is there")
    };
    let folder = socket.parent().expect("a folder").to_owned();
    assert_eq!((mode(&socket), mode(&folder)), (0o600, 0o700));
    running.terminated();
    assert!(!folder.exists());
}

#[test]
fn what_is_killed_is_started_again_and_no_request_is_lost() {
    let running = hosting(&["serve"], "").started();
    let address = running.address();
    let first = process_of(&who(&running));
    kill_hard(first);
    let second = process_of(&who(&running));
    assert_ne!(first, second);
    running.wait_for("signal 9 (KILL");
    // In the middle of a request that may be asked once more: it ends two processes, and no third.
    let answer = get(&address, "/exit", &[]);
    assert_eq!(answer.status, 503, "{}", running.stdout());
    assert!(answer.header("Retry-After").is_some(), "{}", answer.head);
    let third = process_of(&who(&running));
    let outcome = running.terminated();
    let ended = outcome.stdout.matches("ended with exit code 3").count();
    assert_eq!(ended, 2, "{}", outcome.stdout);
    assert!(!is_alive(second) && !is_alive(third));
}

/// The status of an upload that ends its program in the middle, whose whole answer is read.
fn upload_to_a_crash(address: &str, (after, size): (usize, usize)) -> u16 {
    use std::io::{Read as _, Write as _};
    let mut stream = connect(address);
    let head =
        format!("POST /die?after={after} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("the server reads");
    stream.write_all(&vec![b'x'; size]).expect("the server reads on");
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let length: usize = length.and_then(|it| it.parse().ok()).expect("a length");
            if body.len() >= length {
                return head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).expect("no reset") {
            0 => panic!("it is cut off: {text}"),
            length => answer.extend_from_slice(&more[..length]),
        }
    }
}

/// What its client still sends is read: unread, it would make a reset of the close, which takes the answer away.
#[test]
fn an_upload_that_a_crash_cuts_off_has_a_whole_answer() {
    const AT_ONCE: usize = 16;
    const ROUNDS: usize = 7;
    const SIZE: usize = 200_000;
    let running = hosting(&["serve"], r#""RapidFailsPerMinute": 100"#).started();
    let address = running.address();
    for round in 0..ROUNDS {
        let uploads: Vec<_> = (0..AT_ONCE)
            .map(|upload| {
                let after = (round * AT_ONCE + upload) * SIZE / (ROUNDS * AT_ONCE);
                let address = address.clone();
                thread::spawn(move || upload_to_a_crash(&address, (after, SIZE)))
            })
            .collect();
        for upload in uploads {
            let status = upload.join().expect("a whole answer");
            assert!([502, 503].contains(&status), "{status}\n{}", running.stdout());
        }
    }
    running.terminated();
}

#[test]
fn several_processes_take_turns() {
    let running = hosting(&["serve"], r#""ProcessesPerApplication": 2"#).started();
    running.wait_until(|out| out.matches(" is ready at ").count() == 2);
    let mut processes: Vec<_> = (0..4).map(|_| process_of(&who(&running))).collect();
    assert_ne!(processes[0], processes[1]);
    assert_eq!(processes[..2], processes[2..]);
    // Who is left answers at once.
    kill_hard(processes[0]);
    for _ in 0..20 {
        who(&running);
    }
    running.terminated();
    processes.retain(|process| is_alive(*process));
    assert!(processes.is_empty(), "{processes:?}");
}

#[test]
fn what_cannot_start_is_told_with_its_last_words() {
    let kestrel = hosting(&["exit", "7"], "").argument("--environment=Development");
    let running = kestrel.started();
    let address = running.address();
    running.wait_until(|out| out.matches("ended with exit code 7").count() >= 2);
    wait_until("the answer says it", || get(&address, "/", &[]).body.contains("nothing to do"));
    let answer = get(&address, "/", &["Accept: text/html"]);
    assert_eq!(answer.status, 502);
    for part in ["exit code 7", "child exit 7", "error: there is nothing to do", "does not run"] {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
    let outcome = running.terminated();
    assert_eq!(outcome.code, Some(0));
    // Its level is the one that the line says.
    assert!(outcome.stdout.contains("fail: Kestrel.Process.Output"), "{}", outcome.stdout);
}

#[test]
fn clients_are_told_nothing_of_it_in_production() {
    let running = hosting(&["exit", "7"], "").started();
    let address = running.address();
    running.wait_until(|out| out.matches("ended with exit code 7").count() >= 2);
    wait_until("it is told", || get(&address, "/", &["Accept: text/html"]).status == 502);
    let body = get(&address, "/", &["Accept: text/html"]).body;
    assert!(!body.contains("exit") && !body.contains("nothing to do"), "{body}");
    running.terminated();
}

#[test]
fn what_ends_too_often_is_left_alone_for_a_while() {
    let running = hosting(&["exit", "1"], r#""RapidFailsPerMinute": 2"#).started();
    running.wait_for("more than 2 times within a minute, and is left alone for");
    let answer = get(&running.address(), "/", &[]);
    assert_eq!(answer.status, 503);
    let seconds: u32 =
        answer.header("Retry-After").and_then(|it| it.parse().ok()).expect("seconds");
    assert!((50..=60).contains(&seconds), "{seconds}");
    // A stop does not wait for it.
    running.terminated();
}

#[test]
fn who_listens_elsewhere_is_told_where() {
    let running = hosting(&["elsewhere"], r#""StartupTimeLimit": 4"#).started();
    running.wait_for("and is waited for at http://127.0.0.1:");
    running.wait_for("does not listen at http://127.0.0.1:");
    running.wait_for("It listens at 127.0.0.1:");
    running.terminated();
}

#[test]
fn who_does_not_end_is_ended() {
    let running = hosting(&["deaf"], r#""ShutdownTimeLimit": 1"#).started();
    let process = process_of(&who(&running));
    let outcome = running.terminated();
    assert!(
        outcome.stdout.contains("did not end within 1.00 s and was killed"),
        "{}",
        outcome.stdout
    );
    assert!(!is_alive(process));
}

/// Its workers end by themselves when it does; a signal to all is a mishap to some, such as gunicorn.
#[test]
fn others_are_asked_to_end_once_the_program_is_gone() {
    let script = format!(
        r#"(trap 'echo others are asked; exit' TERM; while :; do sleep 0.02; done) &
        trap 'echo the program is asked; sleep 0.3; echo the program ends; kill -KILL $served; exit' TERM
        {} & served=$!
        while :; do wait; done"#,
        child()
    );
    let text =
        serde_json::json!({"AspNetCore": {"ProcessPath": "/bin/sh", "Arguments": ["-c", script]}});
    let running = Kestrel::run([]).file("appsettings.json", &text.to_string()).started();
    who(&running);
    let out = running.terminated().stdout;
    let at = |words: &str| out.find(words).unwrap_or_else(|| panic!("{words}: {out}"));
    // The command is in the log, too, but not behind the name of who writes.
    let order = ["] the program is asked", "] the program ends", "] others are asked"].map(at);
    assert!(order.is_sorted(), "{out}");
}

#[test]
fn nothing_is_left_behind_by_a_stop() {
    let running = hosting(&["leave"], "").started();
    let process = process_of(&who(&running));
    let left = left_by(&running);
    assert!(is_alive(left));
    running.terminated();
    wait_until("all have ended", || !is_alive(process) && !is_alive(left));
}

#[test]
fn nothing_is_left_behind_by_a_host_that_is_killed() {
    let running = hosting(&["leave"], "").started();
    let process = process_of(&who(&running));
    let left = left_by(&running);
    kill_hard(running.id());
    let begun = Instant::now();
    wait_until("all have ended", || !is_alive(process) && !is_alive(left));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn nothing_is_left_behind_although_the_shell_that_ends_it_was_killed() {
    for is_killed in [false, true] {
        let running = hosting(&["leave"], "").started();
        let process = process_of(&who(&running));
        let left = left_by(&running);
        let group = getpgid(Some(Pid::from_raw(process.cast_signed()))).expect("it is there");
        // Its first process is the shell.
        kill(group, Signal::SIGKILL).expect("it is there");
        running.wait_for("another has taken its place");
        assert_eq!(process_of(&who(&running)), process, "the program goes on");
        if is_killed {
            kill_hard(running.id());
        } else {
            running.terminated();
        }
        wait_until("all have ended", || !is_alive(process) && !is_alive(left));
    }
}

#[test]
fn nothing_is_left_behind_by_a_group_that_is_killed_with_its_shell() {
    let running = hosting(&["leave"], "").started();
    let process = process_of(&who(&running));
    let left = left_by(&running);
    let group = getpgid(Some(Pid::from_raw(process.cast_signed()))).expect("it is there");
    killpg(group, Signal::SIGKILL).expect("it is there");
    running.wait_for("left 1 others behind, which were ended");
    wait_until("it has ended", || !is_alive(left));
    assert_ne!(process_of(&who(&running)), process);
    running.terminated();
}

#[test]
fn who_goes_to_the_background_is_told_to_stay() {
    let running = hosting(&["background"], "").started();
    let left = left_by(&running);
    running.wait_for("start it so that it stays in the foreground");
    running.terminated();
    wait_until("it has ended", || !is_alive(left));
}

#[test]
fn what_is_no_answer_is_a_bad_gateway() {
    let running = hosting(&["garbage"], "").started();
    let answer = get(&running.address(), "/", &[]);
    assert_eq!(answer.status, 502);
    running.wait_for("gave no answer to a request");
    running.terminated();
}

#[test]
fn a_flood_of_output_holds_nobody_up() {
    let running = hosting(&["flood"], "")
        .argument("--Logging:LogLevel:Kestrel.Process.Output=None")
        .started();
    for _ in 0..50 {
        who(&running);
    }
    running.terminated();
}

#[test]
fn bodies_go_through_both_ways() {
    let running = hosting(&["serve"], "").started();
    let address = running.address();
    let answer = get(&address, "/large?bytes=3000000", &[]);
    assert_eq!(answer.body.matches('x').count(), 3_000_000);
    let mut stream = connect(&address);
    std::io::Write::write_all(
        &mut stream,
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    )
    .expect("a request");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("an answer");
    assert!(answer.ends_with("hello"), "{answer}");
    running.terminated();
}

#[test]
fn another_program_takes_over_and_the_old_one_answers_its_last_requests() {
    let kestrel = hosting(&["serve", "old"], "");
    let (root, settings) = (kestrel.root(), kestrel.root().join("appsettings.json"));
    let running = kestrel.started();
    let address = running.address();
    let first = who(&running);
    let go = root.join("go");
    let path = format!("/wait?file={}", go.display());
    let waiting = {
        let (address, path) = (address.clone(), path.clone());
        thread::spawn(move || get(&address, &path, &[]))
    };
    // It is on its way once the process has it.
    let text = fs::read_to_string(&settings).expect("it is ours").replace("\"old\"", "\"new\"");
    fs::write(&settings, text).expect("it is ours");
    wait_until("the new one answers", || who(&running)["arguments"][1] == "new");
    fs::write(&go, "").expect("it is ours");
    let answer = waiting.join().expect("it ends");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let old = process_of(&first);
    wait_until("the old one has ended", || !is_alive(old));
    running.terminated();
}

#[test]
fn a_file_closes_the_app() {
    let kestrel = hosting(&["serve"], "");
    let page = kestrel.root().join("app_offline.htm");
    let running = kestrel.started();
    let address = running.address();
    let process = process_of(&who(&running));
    fs::write(&page, "<p>Back soon</p>").expect("it is ours");
    wait_until("the process has let go of its files", || !is_alive(process));
    let answer = get(&address, "/", &[]);
    assert_eq!((answer.status, &*answer.body), (503, "<p>Back soon</p>"));
    assert_eq!(answer.header("Content-Type"), Some("text/html"));
    fs::remove_file(&page).expect("it is ours");
    wait_until("it is open again", || get(&address, "/who", &[]).status == 200);
    running.terminated();
}

#[test]
fn limits_hold_from_the_beginning() {
    let settings = r#""Limits": {"OpenFiles": 64}, "Umask": "077", "ClearEnvironment": true"#;
    let running = hosting(&["serve"], settings).variable("OWN", "lost").started();
    let who = who(&running);
    let limits = fs::read_to_string(format!("/proc/{}/limits", process_of(&who))).expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the line");
    assert_eq!(line.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["64", "64"]);
    let status = fs::read_to_string(format!("/proc/{}/status", process_of(&who))).expect("status");
    assert!(status.contains("Umask:\t0077"), "{status}");
    assert_eq!(who["variables"].get("OWN"), None);
    running.terminated();
}

#[test]
fn no_descriptor_is_inherited() {
    let running = hosting(&["serve"], "").started();
    let address = running.address();
    // Connections of the host, and its pipes.
    let _open = StuckRequest::new(&address);
    let process = process_of(&who(&running));
    kill_hard(process);
    let process = process_of(&who(&running));
    let open = fs::read_dir(format!("/proc/{process}/fd")).expect("descriptors").count();
    // Input, outputs, its listener, connections from the host, and what its runtime needs.
    assert!(open < 16, "{open}");
    running.terminated();
}

#[test]
fn requests_over_one_connection_find_the_new_process() {
    let running = hosting(&["serve"], "").started();
    let address = running.address();
    let process = process_of(&who(&running));
    kill_hard(process);
    let answer = get_over(connect(&address), "/who", &[]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    running.terminated();
}

#[test]
fn a_file_that_is_watched_changes_and_no_request_fails() {
    let kestrel = hosting(&["serve"], r#""Watch": ["app.py"]"#).file("app.py", "1");
    let app = kestrel.root().join("app.py");
    let running = kestrel.started();
    let first = process_of(&who(&running));
    fs::write(&app, "another").expect("it is ours");
    wait_until("another answers", || process_of(&who(&running)) != first);
    wait_until("the old one has ended", || !is_alive(first));
    running.wait_for("is replaced: a file that is watched has changed");
    running.terminated();
}

#[test]
fn who_can_be_reached_past_the_host_is_told() {
    let running = hosting(&["open"], "").started();
    running.wait_for("others can reach it past this server");
    running.terminated();
    let running = hosting(&["serve"], "").started();
    who(&running);
    assert!(!running.terminated().stdout.contains("past this server"));
}

#[test]
fn a_stop_does_not_wait_for_those_who_wait_for_a_process() {
    let running = hosting(&["hang"], "").started();
    let address = running.address();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let address = address.clone();
            thread::spawn(move || get(&address, "/", &[]).status)
        })
        .collect();
    running.wait_until(|out| out.matches("Request starting").count() == 20);
    let begun = Instant::now();
    let outcome = running.terminated();
    assert!(begun.elapsed() < Duration::from_secs(15), "{}", outcome.stdout);
    for answer in waiting {
        assert_eq!(answer.join().expect("it ends"), 503);
    }
}

#[test]
fn a_misspelled_section_does_not_open_the_folder() {
    let kestrel =
        Kestrel::run([]).file("appsettings.json", r#"{"AspNetCor": {"ProcessPath": "/bin/true"}}"#);
    fs::create_dir(kestrel.root().join("wwwroot")).expect("a folder");
    let outcome = kestrel.ended();
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("did you mean AspNetCore?"), "{}", outcome.stderr);
}

#[test]
fn secrets_among_arguments_are_not_in_the_log() {
    let running = hosting(&["serve", "--password", "PW1", "--dsn=PW2"], "").started();
    who(&running);
    let outcome = running.terminated();
    assert!(
        outcome.stdout.contains("serve --password (hidden) --dsn=(hidden)"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stdout.contains("PW"), "{}", outcome.stdout);
}

/// Whether there can be programs of another user; told if not.
fn can_be_others() -> bool {
    let is_root = nix::unistd::Uid::effective().is_root();
    if !is_root {
        crate::environment::skipped("a program of another user", "run the tests as root");
    }
    is_root
}

/// Settings that let the program run as nobody; `None` if nobody can let it.
fn as_nobody(mode: &[&str], settings: &str) -> Option<Kestrel> {
    if !can_be_others() {
        return None;
    }
    Some(hosting(mode, &format!(r#""User": "nobody", "WorkingDirectory": "/", {settings}"#)))
}

#[test]
fn another_user_has_its_own_home_and_less_of_the_machine() {
    let settings = r#""Limits": {"OpenFiles": 64, "CoreSize": 0}"#;
    let Some(kestrel) = as_nobody(&["serve", "{socket}"], settings) else { return };
    let kestrel = kestrel.variable("PATH", "/usr/bin:/bin");
    let running = kestrel.started();
    let who = who(&running);
    assert_ne!(who["variables"]["HOME"], "/root");
    assert_eq!(who["variables"]["USER"], "nobody");
    let status = fs::read_to_string(format!("/proc/{}/status", process_of(&who))).expect("status");
    let nobody = nix::unistd::User::from_name("nobody").expect("accounts").expect("an account");
    let ids = format!("Uid:\t{0}\t{0}\t{0}\t{0}", nobody.uid);
    assert!(status.contains(&ids), "{status}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", process_of(&who))).expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the line");
    assert_eq!(line.split_whitespace().nth(3), Some("64"));
    running.terminated();
}

#[test]
fn another_user_leads_nobody_to_a_socket_that_is_not_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ours");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let mode = ["link", &*path.display().to_string(), "{socket}"];
    let Some(kestrel) = as_nobody(&mode, r#""StartupTimeLimit": 1"#) else { return };
    let running = kestrel.started();
    running.wait_for("does not listen at http://unix:");
    running.terminated();
    // It was looked at, and nothing was said to it.
    listener.set_nonblocking(true).expect("a socket");
    while let Ok((mut stream, _)) = listener.accept() {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut stream, &mut said).expect("it was closed");
        assert_eq!(said, "");
    }
}

#[test]
fn another_user_who_takes_the_port_of_a_program_gets_no_request() {
    if !can_be_others() {
        return;
    }
    let running = hosting(&["yield"], "").started();
    let first = process_of(&who(&running));
    assert_eq!(get(&running.address(), "/yield", &[]).status, 200);
    running.wait_for("thief: listening");
    // Another program answers in its place, at a port of its own.
    let second = process_of(&who(&running));
    assert_ne!(first, second);
    running.wait_for("a process of another user (number 65534) listens. Nothing is sent there");
    wait_until("the first one has ended", || !is_alive(first));
    let outcome = running.terminated();
    assert!(!outcome.stdout.contains("thief: got a request"), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches("Nothing is sent there").count(), 1, "{}", outcome.stdout);
}

#[test]
fn another_user_beside_a_program_is_not_in_its_way() {
    if !can_be_others() {
        return;
    }
    let running = hosting(&["beside"], "").started();
    who(&running);
    let outcome = running.terminated();
    assert!(!outcome.stdout.contains("of another user"), "{}", outcome.stdout);
}

#[test]
fn a_program_is_ready_once_it_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("warm");
    let mode = ["warm", &*file.display().to_string()];
    let running = hosting(&mode, r#""Health": "/healthz""#).started();
    let address = running.address();
    let waiting = thread::spawn(move || get(&address, "/who", &[]).status);
    running.wait_for("child in mode warm");
    assert!(!running.stdout().contains(" is ready at "));
    fs::write(&file, "").expect("it is ours");
    assert_eq!(waiting.join().expect("it ends"), 200);
    running.terminated();
}

#[test]
fn requests_wait_for_a_replacement_if_the_one_before_ends_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let warm = folder.path().join("warm");
    fs::write(&warm, "").expect("it is ours");
    let settings = r#""Health": "/healthz", "Watch": ["app.py"]"#;
    let running = hosting(&["warm", &*warm.display().to_string()], settings).started();
    let first = process_of(&who(&running));
    fs::remove_file(&warm).expect("it is there");
    fs::write(running.root().join("app.py"), "another").expect("it is ours");
    running.wait_until(|out| out.matches("child in mode warm").count() == 2);
    kill_hard(first);
    running.wait_for(&format!("Process {first} ended with signal 9"));
    running.wait_for("Another is started.");
    let address = running.address();
    let waiting = thread::spawn(move || get(&address, "/who", &[]));
    fs::write(&warm, "").expect("it is ours");
    let answer = waiting.join().expect("it ends");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let outcome = running.terminated();
    assert_eq!(outcome.stdout.matches("child in mode warm").count(), 2, "{}", outcome.stdout);
}

#[test]
fn what_a_replaced_program_answers_may_take_longer_than_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let go = folder.path().join("go");
    let settings = r#""ShutdownTimeLimit": 1, "Watch": ["app.py"]"#;
    let running = hosting(&["serve"], settings).started();
    let first = process_of(&who(&running));
    let (address, path) = (running.address(), format!("/wait?file={}", go.display()));
    let waiting = thread::spawn(move || get(&address, &path, &[]));
    running.wait_for("/wait");
    fs::write(running.root().join("app.py"), "another").expect("it is ours");
    wait_until("another answers", || process_of(&who(&running)) != first);
    // It is asked to end only once it has answered.
    let begun = std::time::Instant::now();
    wait_until("its time is over", || begun.elapsed() > Duration::from_secs(2));
    fs::write(&go, "").expect("it is ours");
    let answer = waiting.join().expect("it ends");
    assert_eq!((answer.status, answer.body), (200, first.to_string()));
    wait_until("the old one has ended", || !is_alive(first));
    running.terminated();
}

#[test]
fn one_that_is_never_well_is_told_with_what_it_says() {
    let settings = r#""Health": "/healthz", "StartupTimeLimit": 1"#;
    let running = hosting(&["warm", "/no/such/file"], settings).started();
    running.wait_for("did not say within 1.00 s that it is well (/healthz: it answers 503)");
    running.terminated();
}

#[test]
fn a_process_is_replaced_after_so_many_requests_and_none_is_lost() {
    let running = hosting(&["serve"], r#""Recycle": {"Requests": 5}"#).started();
    let first = process_of(&who(&running));
    wait_until("another answers", || process_of(&who(&running)) != first);
    wait_until("the old one has ended", || !is_alive(first));
    running.wait_for("as many requests as Recycle:Requests says");
    running.terminated();
}

#[test]
fn one_port_is_of_one_process_after_the_other() {
    // What was free a moment ago is for the program.
    let (held, address) = crate::process::taken_port();
    drop(held);
    let port = address.rsplit(':').next().expect("a port");
    let kestrel = hosting(&["serve"], &format!(r#""Listen": {port}, "Watch": ["app.py"]"#));
    let app = kestrel.root().join("app.py");
    let running = kestrel.started();
    let first = who(&running);
    assert_eq!(first["variables"]["PORT"], port);
    fs::write(&app, "another").expect("it is ours");
    let first = process_of(&first);
    wait_until("another answers", || process_of(&who(&running)) != first);
    running.terminated();
}

#[test]
fn output_is_written_to_a_file_too() {
    let settings = r#""StdoutLogEnabled": true, "StdoutLogFile": "logs/app""#;
    let kestrel = hosting(&["serve"], settings);
    let logs = kestrel.root().join("logs");
    let running = kestrel.started();
    who(&running);
    let written = || {
        let files = fs::read_dir(&logs).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect::<String>()
    };
    wait_until("it is written", || written() == "child in mode serve\n");
    let number = running.id().to_string();
    let files: Vec<_> = fs::read_dir(&logs).expect("it is there").flatten().collect();
    let name = files[0].file_name().into_string().expect("a text");
    assert!(name.starts_with("app_20") && name.ends_with(&format!("_{number}.log")), "{name}");
    running.terminated();
}

#[test]
fn what_waits_for_a_program_that_is_replaced_is_answered_by_the_next_one() {
    let kestrel = hosting(&["hang"], "");
    let settings = kestrel.root().join("appsettings.json");
    let running = kestrel.started();
    let address = running.address();
    let waiting = thread::spawn(move || get(&address, "/who", &[]).status);
    running.wait_for("Request starting");
    let text = fs::read_to_string(&settings).expect("it is ours").replace("\"hang\"", "\"serve\"");
    fs::write(&settings, text).expect("it is ours");
    assert_eq!(waiting.join().expect("it ends"), 200, "{}", running.stdout());
    running.terminated();
}

#[test]
fn a_program_whose_section_is_gone_answers_its_last_requests() {
    let kestrel = hosting(&["serve"], "");
    let (settings, go) = (kestrel.root().join("appsettings.json"), kestrel.root().join("go"));
    let running = kestrel.started();
    let (address, path) = (running.address(), format!("/wait?file={}", go.display()));
    let process = process_of(&who(&running));
    let waiting = thread::spawn(move || get(&address, &path, &[]));
    running.wait_until(|out| out.matches("Request starting").count() == 2);
    fs::write(&settings, "{}").expect("it is ours");
    running.wait_for("No program runs behind this one any more");
    fs::write(&go, "").expect("it is ours");
    let answer = waiting.join().expect("it ends");
    assert_eq!(answer.status, 200, "{}", running.stdout());
    wait_until("it has ended", || !is_alive(process));
    running.terminated();
}

#[test]
fn who_lives_on_and_gives_no_answer_is_not_asked_for_ever() {
    let running = hosting(&["mute"], "").started();
    let address = running.address();
    let answer = get(&address, "/", &[]);
    assert_eq!(answer.status, 502, "{}", running.stdout());
    // Once by a connection that may have been closed before, and once more.
    running.wait_for("asked 1");
    let outcome = running.terminated();
    assert!(outcome.stdout.matches("] asked ").count() <= 2, "{}", outcome.stdout);
}

#[test]
fn a_program_cannot_have_the_port_of_the_host() {
    let (held, address) = crate::process::taken_port();
    drop(held);
    let port = address.rsplit(':').next().expect("a port").to_owned();
    let outcome = hosting(&["serve"], &format!(r#""Listen": {port}"#))
        .argument("--urls")
        .argument(&address)
        .ended();
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("this server listens there itself"), "{}", outcome.stderr);
}
