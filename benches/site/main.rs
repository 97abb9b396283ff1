//! What files cost. `cargo bench --bench site -- [OPTIONS]`
//!
//! Each part is the processor time of the server for an answer, how many answers it gives in a second, and within
//! which time 99 of 100 are there:
//!
//! - `1-kib`, `10-kib`, `100-kib`, `1-mib`, `100-mib`: one file of that size, over 64 connections, the large ones
//!   over 16, the largest over 4;
//! - `tls-10-kib`, `tls-1-mib`: the same by TLS;
//! - `not-modified`: the answer 304 for a file of 10 KiB;
//! - `many`: 100,000 files of 4 KiB in turn;
//! - `access-log`: one file of 1 KiB by ours with and without its access log;
//! - `slow`: 10,000 clients at once that take 1 KiB of a file of 1 MiB each second: the memory, descriptors and threads of the
//!   server, and the time of other requests beside them. (Fewer clients where `ulimit -Hn` is less.)
//!
//! The servers are nginx with one process, which the others are compared with, ours, and any other that is named.
//! They serve the same folder, and take turns in fresh processes. Options:
//!
//! - `--pin`: the servers get the first processor and the client the second one, by `taskset`;
//! - `--rounds N`, `--seconds S`: how many, and how long each is;
//! - `--only PART`: one of the words above, and may be repeated;
//! - `--other NAME COMMAND`: another server takes part. It is told its port in the place of `{port}`, and the
//!   folder in that of `{folder}`.
//!
//! Large answers over the loopback depend on how the system's congestion control paces them: measure in a network
//! namespace of its own with `net.ipv4.tcp_congestion_control=reno`.
//!
//! As a test (`cargo test --benches`) it makes one tiny round and looks at the answers only.

#![expect(clippy::print_stdout, reason = "a bench's figures are its standard output")]
#![expect(clippy::disallowed_methods, reason = "a program of its own: it reads its environment")]

#[allow(dead_code, reason = "the other bench needs more of it")]
#[path = "../tls/certificates.rs"]
mod certificates;
mod client;
#[allow(dead_code, reason = "the other bench needs more of it")]
#[path = "../hello/process.rs"]
mod process;
mod servers;
mod slow;
#[allow(dead_code, reason = "the other bench needs more of it")]
#[path = "../hello/spread.rs"]
mod spread;

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use certificates::Certificate;
use client::{Client, Condition};
use process::Server;
use spread::row;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [name, folder, tls @ ..] = &arguments[..]
        && name == "serve-kestrel"
    {
        return servers::kestrel(folder, tls);
    }
    let options = Options::parse(&arguments)?;
    if options.pin {
        let this = std::process::id().to_string();
        Command::new("taskset").args(["-p", "-c", "1", &this]).stdout(Stdio::null()).status()?;
    }
    let many = if options.is_test { 50 } else { 100_000 };
    let of = Part::of;
    let hundred = if options.is_test { 2 << 20 } else { 100 << 20 };
    for part in [
        of("1-kib", 1 << 10, 64),
        of("10-kib", 10 << 10, 64),
        of("100-kib", 100 << 10, 16),
        of("1-mib", 1 << 20, 16),
        of("100-mib", hundred, 4),
        Part { condition: Condition::Unchanged, ..of("not-modified", 10 << 10, 64) },
        Part { files: many, ..of("many", 4 << 10, 64) },
        Part { tls: true, ..of("tls-10-kib", 10 << 10, 64) },
        Part { tls: true, ..of("tls-1-mib", 1 << 20, 16) },
        Part { logs: true, ..of("access-log", 1 << 10, 64) },
    ] {
        if options.only.is_empty() || options.only.iter().any(|only| only == part.name) {
            measure(&options, &part)?;
        }
    }
    // It takes most of a minute.
    if options.is_test || options.only.iter().any(|only| only == "slow") {
        slow::measure(&options)?;
    }
    Ok(())
}

/// What is asked for.
struct Part {
    name: &'static str,
    files: usize,
    size: usize,
    connections: usize,
    condition: Condition,
    tls: bool,
    /// Ours is compared with itself, writing a line for each request.
    logs: bool,
}

impl Part {
    /// One file of a size in clear text.
    fn of(name: &'static str, size: usize, connections: usize) -> Self {
        let condition = Condition::None;
        Self { name, files: 1, size, connections, condition, tls: false, logs: false }
    }
}

struct Options {
    rounds: usize,
    time: Duration,
    pin: bool,
    is_test: bool,
    only: Vec<String>,
    others: Vec<Contestant>,
}

#[derive(Clone)]
struct Contestant {
    name: String,
    /// The command line; ours is this program.
    command: Option<String>,
    /// It writes a line for each request.
    logs: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let has = |name| arguments.iter().any(|argument| argument == name);
        let is_test = !has("--bench") || has("--test");
        let (rounds, time) = match is_test {
            true => (1, Duration::from_millis(50)),
            false => (5, Duration::from_secs(2)),
        };
        let mut options =
            Self { rounds, time, pin: false, is_test, only: Vec::new(), others: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--pin" => options.pin = true,
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.time = Duration::from_secs_f64(value()?.parse()?),
                "--only" => options.only.push(value()?.clone()),
                "--other" => {
                    let (name, command) = (value()?.clone(), Some(value()?.clone()));
                    options.others.push(Contestant { name, command, logs: false });
                }
                // More of cargo's.
                _ => {}
            }
        }
        Ok(options)
    }
}

/// What a server did in a round.
struct Figures {
    /// Seconds of processor for an answer; `None` where the system does not tell.
    processor: Option<f64>,
    /// Answers in a second.
    rate: f64,
    /// Seconds within which 99 of 100 answers were there.
    p99: f64,
    memory: Option<f64>,
}

fn measure(options: &Options, part: &Part) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let paths = fill(folder.path(), part)?;
    let certificate = match part.tls {
        true => certificates::make(folder.path(), certificates::Kind::P256)?,
        false => None,
    };
    if part.tls && certificate.is_none() {
        println!("{}: openssl is not here, which makes its certificate", part.name);
        return Ok(());
    }
    let certificate = certificate.as_ref();
    let contestants = contestants(options, folder.path(), part, certificate)?;
    let mut figures: Vec<Vec<Figures>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for place in 0..contestants.len() {
            // The order turns, so that a drift of the machine cancels out.
            let which = if round % 2 == 0 { place } else { contestants.len() - 1 - place };
            let server = start(options, &contestants[which], folder.path(), certificate)?;
            let mut client = Client::new(&server, &paths, part, certificate)?;
            client.load(options.time / 4)?;
            let before = server.processor_time();
            let load = client.load(options.time)?;
            let after = server.processor_time();
            let spent = after.zip(before).map(|(after, before)| after - before);
            figures[which].push(Figures {
                processor: spent.map(|spent| spent / load.answers as f64),
                rate: load.answers as f64 / load.seconds,
                p99: load.p99,
                memory: server.resident_memory(),
            });
        }
    }
    println!("{}, {} rounds of {:?}, median [quartiles]", part.name, options.rounds, options.time);
    for (contestant, own) in contestants.iter().zip(&figures) {
        println!("  {}", contestant.name);
        let processor = own.iter().map(|own| Some(own.processor? * 1e6)).collect();
        row(processor, "µs of processor each");
        row(own.iter().map(|own| Some(own.rate / 1e3)).collect(), "thousand answers/s");
        row(own.iter().map(|own| Some(own.p99 * 1e3)).collect(), "ms for 99 of 100");
        row(own.iter().map(|own| Some(own.memory? / 1e6)).collect(), "MB of memory");
        if !std::ptr::eq(own, &figures[0]) {
            let pairs = || own.iter().zip(&figures[0]);
            let ratios = pairs().map(|(own, first)| Some(own.processor? / first.processor?));
            row(ratios.collect(), &format!("of {}'s processor time", contestants[0].name));
            let ratios = pairs().map(|(own, first)| Some(own.rate / first.rate));
            row(ratios.collect(), &format!("of {}'s answers/s", contestants[0].name));
            let ratios = pairs().map(|(own, first)| Some(own.p99 / first.p99));
            row(ratios.collect(), &format!("of {}'s time for 99 of 100", contestants[0].name));
        }
    }
    Ok(())
}

/// Who takes part, the first being who the others are compared with.
fn contestants(
    options: &Options,
    folder: &Path,
    part: &Part,
    certificate: Option<&Certificate>,
) -> Result<Vec<Contestant>> {
    let mut contestants = Vec::new();
    let ours = |name: &str, logs| Contestant { name: name.to_owned(), command: None, logs };
    if installed("nginx") && !part.logs {
        let command = Some(servers::nginx(folder, part.connections, certificate)?);
        contestants.push(Contestant { name: "nginx".to_owned(), command, logs: false });
    }
    contestants.push(ours("kestrel", false));
    if part.logs {
        contestants.push(ours("kestrel with its access log", true));
    }
    contestants.extend(options.others.iter().cloned());
    Ok(contestants)
}

/// Makes the files, and gives their paths.
fn fill(folder: &Path, part: &Part) -> Result<Vec<String>> {
    let root = folder.join("wwwroot");
    fs::create_dir(&root)?;
    let bytes: Vec<u8> = (0..part.size).map(|at| (at % 251) as u8).collect();
    let mut paths = Vec::new();
    for number in 0..part.files {
        if number % 1000 == 0 {
            fs::create_dir(root.join(format!("{:03}", number / 1000)))?;
        }
        let path = format!("{:03}/{:03}.bin", number / 1000, number % 1000);
        fs::write(root.join(&path), &bytes)?;
        paths.push(format!("/{path}"));
    }
    Ok(paths)
}

fn start(
    options: &Options,
    contestant: &Contestant,
    folder: &Path,
    certificate: Option<&Certificate>,
) -> Result<Server> {
    let command = |program: &Path| {
        if options.pin {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(program);
            command
        } else {
            Command::new(program)
        }
    };
    let Some(line) = &contestant.command else {
        let mut command = command(&env::current_exe()?);
        command.arg("serve-kestrel").arg(folder);
        if let Some(Certificate { path, key }) = certificate {
            command.arg(path).arg(key);
        }
        if contestant.logs {
            command.arg("access-log");
        }
        return Server::start(command, folder);
    };
    let line = line.replace("{folder}", &folder.display().to_string());
    let (program, arguments) = line.split_once(' ').unwrap_or((&line, ""));
    Server::start_other(command(Path::new(program)), arguments, folder)
}

fn installed(program: &str) -> bool {
    let found =
        Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok()
}
