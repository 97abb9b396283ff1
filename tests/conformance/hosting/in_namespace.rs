//! One case, in a network namespace of its own.
//!
//! The harness starts itself again through `unshare -n` with [`ARGUMENT`], the case's id and the
//! program to be judged. This file is what happens then: the surroundings are made as the case
//! wants them, the program runs, the steps are done to it, it is told to stop. Out comes one JSON
//! object on standard output: `outcome` (`listening`, `refused`, `hung`), `sockets`, `steps`,
//! `exit` (a code, the negative number of a signal, or null when it had to be killed), `out` and
//! `err` (lines), `texts` and `left_files`. Nothing is judged here.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use nix::unistd::User;
use serde_json::{Value, json};

use super::case::{Case, Step};
use super::surroundings::{Place, Taken, network, take_sockets};
use crate::process::Server;

/// The first of the arguments that lead here; the case's id and the program follow.
pub(crate) const ARGUMENT: &str = "--inside";

/// How long a host may take until it says that it has started.
const START: Duration = Duration::from_secs(20);
/// How long a host may take to stop, on top of what the reference took.
const STOP: Duration = Duration::from_secs(10);

/// Runs `case` on `program` in the network namespace of this process.
///
/// # Errors
/// When the surroundings cannot be made, or the program cannot be started at all.
pub(crate) fn observe(case: &Case, program: &Path) -> Result<Value> {
    network(&case.net)?;
    let place = Place::new(case, program)?;
    let taken = take_sockets(case, &place)?;
    let server = start(case, &place, program)?;
    let silent = case.recorded["silent"] == true;
    let sockets = || sockets(&server, &place, &taken);

    let started = server.wait_until(if silent { Duration::ZERO } else { START }, |seen| {
        seen.exit.is_some() || seen.out.iter().any(|line| line.contains("Application started"))
    });
    if started {
        // Two more lines belong to the greeting.
        server.wait_until(Duration::from_millis(300), |seen| {
            seen.exit.is_some() || seen.out.iter().any(|line| line.contains("Content root path"))
        });
    } else if silent {
        // Nothing will be printed, so the sockets are all there is to wait for.
        let end = Instant::now() + START;
        while server.alive() && sockets()?.is_empty() && Instant::now() < end {
            thread::sleep(Duration::from_millis(50));
        }
    }
    let outcome = match (server.alive(), started) {
        (false, _) => "refused",
        (true, true) => "listening",
        (true, false) => "hung",
    };
    let found = sockets()?;

    let mut answers = Vec::new();
    let mut background = Vec::new();
    // Nothing can be done to a host that is not there.
    for step in case.steps.iter().filter(|_| outcome != "refused") {
        match step {
            Step::Get { url, curl } => answers.push(request(&place, url, curl)?),
            Step::Put(files) => place.put_all(files)?,
            Step::Write(files) => place.write_all(files)?,
            Step::Shell(line) => background
                .push(shell_step(&place, &line.replace("{pid}", &server.pid().to_string()))?),
            Step::Sleep(seconds) => thread::sleep(Duration::from_secs_f64(*seconds)),
            Step::Observe => answers.push(json!({"sockets": sockets()?, "alive": server.alive()})),
        }
    }
    if !case.steps.is_empty() {
        // What the last request makes the host print is to be printed before the stop.
        server.settle(Duration::from_secs(3));
    }
    let signal = case.stop.as_deref().unwrap_or("SIGTERM").parse::<Signal>()?;
    server.signal(signal);
    let recorded_stop =
        Duration::from_secs_f64(case.recorded["stop_seconds"].as_f64().unwrap_or(0.0));
    let stopped = server.wait(recorded_stop + STOP);
    if !stopped {
        server.signal(Signal::SIGKILL);
        server.wait(STOP);
    }
    for commands in background {
        // Clients that were left running write the files that are read below.
        let _ = commands.recv_timeout(STOP);
    }

    let left_files = case.list_files.then(|| place.left_files()).transpose()?;
    let seen = server.seen();
    let exit = seen
        .exit
        .filter(|_| stopped)
        .and_then(|status| status.code().or_else(|| status.signal().map(|signal| -signal)));
    let lines = |lines: &[String]| lines.iter().map(|line| place.clean(line)).collect::<Vec<_>>();
    Ok(json!({
        "outcome": outcome, "sockets": found, "steps": answers, "exit": exit,
        "out": lines(&seen.out), "err": lines(&seen.err),
        "texts": place.texts(&case.read_files), "left_files": left_files,
    }))
}

/// Starts the program as the case wants it.
fn start(case: &Case, place: &Place, program: &Path) -> Result<Server> {
    let mut program = program.to_owned();
    let mut user = None;
    if let Some(name) = &case.user {
        user = Some(User::from_name(name)?.with_context(|| format!("there is no user {name}"))?);
        fs::set_permissions(place.work.path(), fs::Permissions::from_mode(0o755))?;
        fs::set_permissions(&place.root, fs::Permissions::from_mode(0o777))?;
        // Build folders tend to be below a home that no other user may enter.
        let copy = place.work.path().join("host");
        fs::copy(&program, &copy)?;
        program = copy;
    }
    let mut command = Command::new(&program);
    command.arg("run").args(case.args.iter().map(|argument| place.fill(argument)));
    command.current_dir(place.root.join(&case.cwd)).env_clear().envs(place.environment());
    // The recordings were not made in a container; these tests may run in one.
    command.env("DOTNET_RUNNING_IN_CONTAINER", "false");
    command.envs(case.env.iter().map(|(name, value)| (name, place.fill(value))));
    command.envs(case.code.iter().map(|(name, value)| (format!("CODE_{name}"), place.fill(value))));
    if let Some(user) = user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    Server::start(&mut command).with_context(|| format!("starting {}", program.display()))
}

/// The listening sockets of the namespace that the case has not taken itself, as `ss` writes them.
fn sockets(server: &Server, place: &Place, taken: &Taken) -> Result<Vec<String>> {
    let ss = |options: &str| -> Result<String> {
        let listing = Command::new("ss").arg(options).output()?;
        Ok(String::from_utf8_lossy(&listing.stdout).into_owned())
    };
    let mut sockets = Vec::new();
    for line in ss("-Htln")?.lines() {
        let address = line.split_whitespace().nth(3).unwrap_or_default();
        if !taken.addresses.iter().any(|taken| taken == address) {
            sockets.push(address.to_owned());
        }
    }
    let owner = format!("pid={},", server.pid());
    for line in ss("-Hxlp")?.lines().filter(|line| line.contains(&owner)) {
        let path = line.split_whitespace().find(|word| word.starts_with(['/', '@']));
        if let Some(path) = path
            .map(|path| place.clean(path))
            .filter(|path| path.contains("{root}") || path.contains("@kestrel"))
        {
            sockets.push(format!("unix:{path}"));
        }
    }
    sockets.sort();
    Ok(sockets)
}

/// One request by curl, and the answer.
fn request(place: &Place, url: &str, arguments: &[String]) -> Result<Value> {
    let mut curl = place.tool("curl");
    curl.args(["-sk", "--max-time", "5", "-o", "-", "-w", "\n%{http_code} %{http_version}"]);
    curl.args(arguments.iter().map(|argument| place.fill(argument))).arg(place.fill(url));
    let answer = curl.output()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let (body, last) = text.rsplit_once('\n').unwrap_or_default();
    let (status, version) = last.split_once(' ').unwrap_or_default();
    let body: String = place.clean(body).chars().take(4000).collect();
    // As in the recordings: a body that is JSON is given as such.
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let status = status.parse::<u16>().unwrap_or(0);
    Ok(json!({"url": url, "status": status, "version": version, "body": body}))
}

/// Runs a shell line. What comes back hangs up when everything that the line left in the background
/// has ended.
fn shell_step(place: &Place, line: &str) -> Result<Receiver<()>> {
    let mut command = place.tool("sh");
    command.arg("-c").arg(place.fill(line)).current_dir(&place.root);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (ended, background) = mpsc::channel();
    let stream = child.stdout.take();
    thread::spawn(move || {
        let _ = stream.map(|mut stream| stream.read_to_end(&mut Vec::new()));
        drop(ended);
    });
    child.wait()?;
    Ok(background)
}
