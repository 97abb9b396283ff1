//! Which certificate the server takes for an https address that has none, and what it says of it.
//!
//! What the store and the folders hold is arranged by openssl and by our own tool, where the
//! recordings were made with .NET's.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::arrange::{MADE, Made, OLD_MARK, make};
use super::compare;
use super::stage::Stage;
use crate::process::{Seen, Server};
use crate::programs::Programs;
use crate::suite::{Line, Observed, Ours, Wanted, lines, pool};

pub(crate) const RECORDINGS: &str = include_str!("../dev-certs-host.jsonl");

const WORKERS: usize = 4;
const LIMIT: Duration = Duration::from_secs(60);
const STARTED: &str = "Application started.";
const STOPPING: &str = "Application is shutting down...\n";
const LISTENING: &str = "Now listening on: ";

/// The log levels under which the recordings were made.
const LEVELS: [(&str, &str); 6] = [
    ("Default", "Warning"),
    ("Microsoft.AspNetCore.Server.Kestrel", "Debug"),
    ("Microsoft.AspNetCore.Server.Kestrel.Connections", "Warning"),
    ("Microsoft.AspNetCore.Server.Kestrel.Transport", "Warning"),
    ("Microsoft.AspNetCore.Server.Kestrel.Https", "Warning"),
    ("Microsoft.Hosting.Lifetime", "Information"),
];

/// One certificate in the store.
const STORED: [(u32, Made); 14] = [
    (8, Made { version: OLD_MARK, ..MADE }),
    (9, Made { version: &[1], ..MADE }),
    (10, Made { version: &[2], ..MADE }),
    (11, Made { version: &[3], ..MADE }),
    (12, Made { version: &[4], ..MADE }),
    (13, Made { version: &[5], ..MADE }),
    (14, Made { version: &[7], ..MADE }),
    (15, Made { version: &[2, 1, 6], ..MADE }),
    (16, Made { days: (-400, -35), ..MADE }),
    (17, Made { days: (5, 300), ..MADE }),
    (18, Made { name: "example", ..MADE }),
    (19, Made { marked: false, ..MADE }),
    (20, Made { key: &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ..MADE }),
    (21, Made { host: "other.example", ..MADE }),
];

/// Two certificates in the store.
const PAIRS: [(u32, [Made; 2]); 5] = [
    (22, [Made { version: &[4], ..MADE }, MADE]),
    (23, [Made { version: &[7], ..MADE }, MADE]),
    (24, [MADE, Made { days: (-1, 30), ..MADE }]),
    (25, [Made { days: (-1, 30), ..MADE }, MADE]),
    (26, [Made { days: (-9, 365), ..MADE }, Made { days: (-2, 365), ..MADE }]),
];

/// Certificates in the application's file.
const FILES: [(u32, Made); 3] = [
    (36, Made { version: &[2], password: "secret", ..MADE }),
    (37, Made { marked: false, password: "secret", ..MADE }),
    (38, Made { days: (-400, -35), password: "secret", ..MADE }),
];

/// Plays the wanted cases, each with a home of its own.
///
/// # Errors
/// When the recordings cannot be read.
pub(crate) fn play(wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    let Some(binary) = programs.binary() else { return Ok(Vec::new()) };
    let mut cases = lines(RECORDINGS)?;
    cases.retain(|case| wanted(&case.id));
    Ok(pool::map(&cases, WORKERS, |case| match play_one(case, binary) {
        Ok((expected, seen)) => judge(case, &expected, seen),
        Err(error) => Observed::broken(case.clone(), &format!("{error:#}")),
    }))
}

fn judge(case: &Line, expected: &Value, seen: Value) -> Observed {
    let mut differences = Vec::new();
    compare(expected, &seen, "", &mut differences);
    Observed { case: case.clone(), differences, ours: Ours::Same, seen }
}

/// What is expected, and what was seen.
fn play_one(case: &Line, binary: &Path) -> Result<(Value, Value)> {
    let mut stage = Stage::fresh()?;
    // The folder's name is that of the application.
    stage.work.push("oracle");
    fs::create_dir(&stage.work)?;
    let mut expected = meant(&case.recorded);
    if let Some(first) = arrange(&case.id, &mut stage, binary)? {
        expected["certificate"][0] = Value::from(first);
    }
    Ok((expected, run(case, &mut stage, binary)?))
}

/// What is recorded, in our form: users are shown no exceptions, and exit codes tell the kind of
/// a failure.
fn meant(recorded: &Value) -> Value {
    let text = recorded["stdout"].as_str().unwrap_or_default();
    let text = text.split("   at {frame}").next().unwrap_or_default();
    let (before, failure) = match text.split_once("Hosting failed to start\n") {
        Some((before, failure)) => (format!("{before}Hosting failed to start\n"), failure),
        None => (text.to_owned(), ""),
    };
    let first = failure.lines().next().unwrap_or_default().trim();
    let first = first
        .strip_prefix("System.")
        .map_or(first, |rest| rest.split_once(": ").map_or(rest, |(_, message)| message));
    // The way out stands below the page that tells of it. What is trusted in part lies where OpenSSL
    // would find it.
    let page = "see https://aka.ms/aspnet/https-trust-dev-cert\n";
    let fix = match before.contains("is only trusted by some clients") {
        true => {
            "OpenSSL does not look where it lies; before the start: export SSL_CERT_DIR=\"$HOME/.aspnet/dev-certs/trust:/usr/lib/ssl/certs\""
        }
        false => "kestrel dev-certs https --trust",
    };
    let before = before.replace(page, &format!("{page}      fix: {fix}\n"));
    let failed = recorded["started"] == false;
    json!({
        "started": recorded["started"],
        "exit": if failed { json!(5) } else { json!(0) },
        "certificate": recorded["certificate"],
        "log": before,
        "failure": first,
    })
}

fn number(id: &str) -> u32 {
    id.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Arranges what a case needs; the thumbprint that is expected, where the order of the folder
/// decides.
fn arrange(id: &str, stage: &mut Stage, binary: &Path) -> Result<Option<String>> {
    let number = number(id);
    if let Some((_, made)) = STORED.iter().find(|(own, _)| *own == number) {
        make(stage, "x", made)?;
        store(stage, "x")?;
    }
    if let Some((_, pair)) = PAIRS.iter().find(|(own, _)| *own == number) {
        for (made, name) in pair.iter().zip(["a", "b"]) {
            make(stage, name, made)?;
            let thumbprint = thumbprint(stage, &stage.work.join(name).with_extension("pfx"))?;
            store(stage, name)?;
            stage.thumbprints.push(thumbprint);
        }
        if number >= 24 {
            let first = stage.stored().into_iter().next().context("a certificate")?;
            let thumbprint = thumbprint(stage, &first)?;
            return Ok(Some(stage.neutral(&thumbprint)));
        }
    }
    if let Some((_, made)) = FILES.iter().find(|(own, _)| *own == number) {
        make(stage, "x", made)?;
        let folder = stage.home.join(".aspnet/https");
        fs::create_dir_all(&folder)?;
        fs::copy(stage.work.join("x.pfx"), folder.join("oracle.pfx"))?;
    }
    match number {
        3..=5 | 40 => tool(stage, binary, &[])?,
        6 | 7 => tool(stage, binary, &["--trust"])?,
        27 => {
            fs::create_dir_all(stage.store())?;
            fs::write(stage.store().join("AA.pfx"), "junk")?;
        }
        28 => {
            tool(stage, binary, &[])?;
            let stored = stage.stored().into_iter().next().context("a certificate")?;
            fs::rename(stored, stage.store().join("any-name.pfx"))?;
        }
        29..=33 | 35 => {
            application_file(stage, binary, "{home}/.aspnet/https")?;
            if number == 35 {
                tool(stage, binary, &[])?;
            }
        }
        39 => application_file(stage, binary, "{work}/ASP.NET/https")?,
        _ => {}
    }
    Ok(None)
}

/// Exports a new certificate as the application's file, and forgets it.
fn application_file(stage: &mut Stage, binary: &Path, folder: &str) -> Result<()> {
    fs::create_dir_all(stage.fill(folder))?;
    tool(stage, binary, &["-ep", &format!("{folder}/oracle.pfx"), "-p", "secret"])?;
    let stored = stage.stored().into_iter().next().context("a certificate")?;
    let thumbprint = thumbprint(stage, &stored)?;
    stage.thumbprints.push(thumbprint);
    tool(stage, binary, &["--clean"])
}

fn tool(stage: &Stage, binary: &Path, arguments: &[&str]) -> Result<()> {
    let arguments = [&["dev-certs", "https"], arguments].concat();
    let output = stage.tool(&binary.to_string_lossy(), &arguments)?;
    // 4: SSL_CERT_DIR is not set, so that trust is in part.
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(matches!(output.status.code(), Some(0 | 4)), "{arguments:?}: {told}");
    Ok(())
}

fn store(stage: &Stage, name: &str) -> Result<()> {
    fs::create_dir_all(stage.store())?;
    let from = stage.work.join(name).with_extension("pfx");
    fs::copy(&from, stage.store().join(format!("{name}.pfx")))?;
    fs::remove_file(from)?;
    Ok(())
}

/// The thumbprint of the certificate in a file without a password.
fn thumbprint(stage: &Stage, file: &Path) -> Result<String> {
    let script = format!(
        "openssl pkcs12 -in {} -passin pass: -nokeys 2>/dev/null | openssl x509 -noout -fingerprint -sha1",
        file.display()
    );
    let output = stage.tool("sh", &["-c", &script])?;
    Ok(digits(&String::from_utf8_lossy(&output.stdout)))
}

/// The digits of a fingerprint as openssl tells it: `sha1 Fingerprint=AB:CD...`.
fn digits(fingerprint: &str) -> String {
    fingerprint.trim().rsplit('=').next().unwrap_or_default().replace(':', "")
}

fn run(case: &Line, stage: &mut Stage, binary: &Path) -> Result<Value> {
    // Any port will do, and a free one is asked for by an address and not by `localhost`.
    let fill = |stage: &Stage, text: &str| {
        stage.fill(text).replace("localhost:{port}", "127.0.0.1:0").replace("{port}", "0")
    };
    let mut command = Command::new(binary);
    command.arg("run").env_clear().env("HOME", &stage.home).current_dir(&stage.work);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for (category, level) in LEVELS {
        command.env(format!("Logging__LogLevel__{category}"), level);
    }
    command.env("ASPNETCORE_ENVIRONMENT", "Production");
    for argument in case.all["args"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        command.arg(fill(stage, argument));
    }
    if number(&case.id) == 33 {
        // The recording tells of it in its title only.
        command.args(["--applicationName", "other"]);
    }
    if let Value::Object(variables) = &case.all["env"] {
        for (name, value) in variables {
            command.env(name, fill(stage, value.as_str().unwrap_or_default()));
        }
    }
    let server = Server::start(&mut command)?;
    let says = |seen: &Seen, text: &str| seen.out.iter().any(|line| line.contains(text));
    let settled = server.wait_until(LIMIT, |seen| seen.exit.is_some() || says(seen, STARTED));
    ensure!(settled, "it neither starts nor ends");
    let started = server.alive();
    let mut certificate = Value::Null;
    if started {
        let address = server.seen().out.iter().find_map(|line| {
            Some(line.split_once(LISTENING)?.1.trim_start_matches("https://").to_owned())
        });
        let port = address.and_then(|address| Some(address.rsplit_once(':')?.1.to_owned()));
        certificate = served(stage, &port.context("a port")?)?;
        // The last line of the start belongs to the recording.
        server.wait_until(LIMIT, |seen| says(seen, "Content root path: "));
    }
    server.signal(Signal::SIGTERM);
    ensure!(server.wait(LIMIT), "it does not end");
    let (out, err, exit) = {
        let seen = server.seen();
        (seen.out.join("\n") + "\n", seen.err.join("\n"), seen.exit.and_then(|exit| exit.code()))
    };
    // The recordings end where the stop begins.
    let end = out.find(STOPPING).map_or(out.len(), |place| place + STOPPING.len());
    let log = without_ours(&without_addresses(&stage.neutral(&out[..end])));
    let (log, failure) = match log.split_once("Hosting failed to start\n") {
        Some((before, where_told)) => {
            // The log says where the reason is told, and how it ends.
            let code = exit.with_context(|| "an exit code")?;
            let as_meant = where_told.trim_end().ends_with(&format!("exit code {code}."));
            ensure!(as_meant, "the log says `{where_told}`");
            let err = stage.neutral(&err);
            let told = err.lines().next().unwrap_or_default().trim_start_matches("error: ");
            (format!("{before}Hosting failed to start\n"), told.to_owned())
        }
        None => {
            ensure!(err.is_empty(), "a start that was not refused says `{err}`");
            (log.clone(), String::new())
        }
    };
    Ok(json!({
        "started": started,
        "exit": exit,
        "certificate": certificate,
        "log": log,
        "failure": failure,
    }))
}

/// The certificate that a client is shown.
fn served(stage: &mut Stage, port: &str) -> Result<Value> {
    let script = format!(
        "openssl s_client -connect 127.0.0.1:{port} -servername localhost </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha1 -subject"
    );
    let output = stage.tool("sh", &["-c", &script])?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = told.lines();
    let thumbprint = digits(lines.next().unwrap_or_default());
    let subject = lines.next().unwrap_or_default();
    Ok(json!([stage.neutral(&thumbprint), subject]))
}

/// A log whose ports are `{port}`, and whose address of this machine is `localhost`.
fn without_addresses(log: &str) -> String {
    let line = |line: &str| match line.rsplit_once(':') {
        Some((address, _)) if line.contains(LISTENING) => {
            format!(
                "{}:{{port}}",
                address.replace("127.0.0.1", "localhost").replace("0.0.0.0", "[::]")
            )
        }
        _ => line.to_owned(),
    };
    log.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// The entry that says that files are looked at again. Ours looks again at what was written while
/// it started, and these cases write their files right before.
const LOOKED_AGAIN: &str = "dbug: Microsoft.AspNetCore.Server.Kestrel[0]";

/// A log without the entries that are ours alone, whose categories begin with `Kestrel.`, and
/// without [`LOOKED_AGAIN`].
fn without_ours(log: &str) -> String {
    let mut ours = false;
    let theirs = log.lines().filter(|line| {
        if !line.starts_with(' ') {
            let category = line.split_once(": ").map_or("", |(_, category)| category);
            ours = *line == LOOKED_AGAIN || category.starts_with("Kestrel.");
        }
        !ours
    });
    theirs.collect::<Vec<_>>().join("\n") + "\n"
}

pub(super) fn check() {
    let log = "warn: Kestrel.Certificates[1]\n      Old.\ninfo: Microsoft.A[0]\n      New.\ndbug: Microsoft.AspNetCore.Server.Kestrel[0]\n      x\n";
    assert_eq!(without_ours(log), "info: Microsoft.A[0]\n      New.\n");
    assert_eq!(digits("sha1 Fingerprint=AB:CD\n"), "ABCD");
    assert_eq!(
        without_addresses("      Now listening on: https://127.0.0.1:4711\nx: 1\n"),
        "      Now listening on: https://localhost:{port}\nx: 1\n"
    );
    let recorded = json!({
        "started": false,
        "certificate": null,
        "stdout": "a\n      Hosting failed to start\n      System.X.YException: No way.\n      more\n   at {frame}\n",
    });
    let expected = json!({
        "started": false,
        "exit": 5,
        "certificate": null,
        "log": "a\n      Hosting failed to start\n",
        "failure": "No way.",
    });
    assert_eq!(meant(&recorded), expected);
}
