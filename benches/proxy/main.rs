//! What a proxy costs. `cargo bench --bench proxy -- [OPTIONS]`
//!
//! Each part is the processor time of the proxy for an answer, how many answers it gives in a second, and within
//! which time 99 of 100 are there:
//!
//! - `small`, `10-kib`: answers of 13 bytes and of 10 KiB, over 64 connections;
//! - `1-mib`: answers of 1 MiB, over 16;
//! - `upload`: requests of 1 MiB, answered with 13 bytes, over 16.
//!
//! The proxies are nginx and HAProxy, each with one worker, and ours. All stand before the same server, keep their
//! connections, and take turns in fresh processes. Options:
//!
//! - `--pin`: the proxies get the first processor, the client and the server behind the second one, by `taskset`;
//! - `--rounds N`, `--seconds S`: how many, and how long each is;
//! - `--only PART`: one of the words above, and may be repeated;
//! - `--other NAME COMMAND`: another proxy takes part. It is told its port in the place of `{port}`, and the address
//!   of the server behind in that of `{behind}`.
//!
//! Large answers over the loopback depend on how the system's congestion control paces them: measure in a network
//! namespace of its own with `net.ipv4.tcp_congestion_control=reno`.
//!
//! As a test (`cargo test --benches`) it makes one tiny round and looks at the answers only.

#![expect(clippy::print_stdout, reason = "a bench's figures are its standard output")]
#![expect(clippy::disallowed_methods, reason = "a program of its own: it reads its environment")]

mod client;
#[allow(dead_code, reason = "the other bench needs more of it")]
#[path = "../hello/process.rs"]
mod process;
mod servers;
#[allow(dead_code, reason = "the other bench needs more of it")]
#[path = "../hello/spread.rs"]
mod spread;

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use client::Client;
use process::Server;
use spread::row;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve-behind", size] => return servers::behind(size),
        ["serve-kestrel", behind] => return servers::kestrel(behind),
        _ => {}
    }
    let options = Options::parse(&arguments)?;
    if options.pin {
        let this = std::process::id().to_string();
        Command::new("taskset").args(["-p", "-c", "1", &this]).stdout(Stdio::null()).status()?;
    }
    let of = |name, size, upload, connections| Part { name, size, upload, connections };
    for part in [
        of("small", 13, 0, 64),
        of("10-kib", 10 << 10, 0, 64),
        of("1-mib", 1 << 20, 0, 16),
        of("upload", 13, 1 << 20, 16),
    ] {
        if options.only.is_empty() || options.only.iter().any(|only| only == part.name) {
            measure(&options, &part)?;
        }
    }
    Ok(())
}

/// What is asked for.
struct Part {
    name: &'static str,
    /// How long answers are.
    size: usize,
    /// How long requests are.
    upload: usize,
    connections: usize,
}

struct Options {
    rounds: usize,
    time: Duration,
    pin: bool,
    only: Vec<String>,
    others: Vec<Contestant>,
}

#[derive(Clone)]
struct Contestant {
    name: String,
    /// The command line; ours is this program.
    command: Option<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let has = |name| arguments.iter().any(|argument| argument == name);
        let is_test = !has("--bench") || has("--test");
        let (rounds, time) = match is_test {
            true => (1, Duration::from_millis(50)),
            false => (5, Duration::from_secs(2)),
        };
        let mut options = Self { rounds, time, pin: false, only: Vec::new(), others: Vec::new() };
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
                    options.others.push(Contestant { name, command });
                }
                // More of cargo's.
                _ => {}
            }
        }
        Ok(options)
    }
}

/// What a proxy did in a round.
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
    let mut command = on(options.pin.then_some("1"), &env::current_exe()?);
    command.arg("serve-behind").arg(part.size.to_string());
    let behind = Server::start(command, folder.path())?;
    let address = behind.address.to_string();
    let other = |name: &str, command| Contestant { name: name.to_owned(), command };
    let mut contestants = Vec::new();
    if installed("nginx") {
        contestants.push(other("nginx", Some(servers::nginx(folder.path(), &address)?)));
    }
    if installed("haproxy") {
        contestants.push(other("haproxy", Some(servers::haproxy(folder.path(), &address)?)));
    }
    contestants.push(other("kestrel", None));
    contestants.extend(options.others.iter().cloned());
    let mut figures: Vec<Vec<Figures>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for place in 0..contestants.len() {
            // The order turns, so that a drift of the machine cancels out.
            let which = if round % 2 == 0 { place } else { contestants.len() - 1 - place };
            let server = start(options, &contestants[which], folder.path(), &address)?;
            let mut client = Client::new(server.address, part)?;
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
        tell(&contestant.name, own, (&contestants[0].name, &figures[0]));
    }
    Ok(())
}

/// Prints the figures of one, beside those of the first.
fn tell(name: &str, own: &[Figures], (first_name, first): (&str, &[Figures])) {
    println!("  {name}");
    let processor = own.iter().map(|own| Some(own.processor? * 1e6)).collect();
    row(processor, "µs of processor each");
    row(own.iter().map(|own| Some(own.rate / 1e3)).collect(), "thousand answers/s");
    row(own.iter().map(|own| Some(own.p99 * 1e3)).collect(), "ms for 99 of 100");
    row(own.iter().map(|own| Some(own.memory? / 1e6)).collect(), "MB of memory");
    if name == first_name {
        return;
    }
    let pairs = || own.iter().zip(first);
    let ratios = pairs().map(|(own, first)| Some(own.processor? / first.processor?));
    row(ratios.collect(), &format!("of {first_name}'s processor time"));
    let ratios = pairs().map(|(own, first)| Some(own.rate / first.rate));
    row(ratios.collect(), &format!("of {first_name}'s answers/s"));
    let ratios = pairs().map(|(own, first)| Some(own.p99 / first.p99));
    row(ratios.collect(), &format!("of {first_name}'s time for 99 of 100"));
}

/// The command of a program, on one processor, if it has to be.
fn on(processor: Option<&str>, program: &Path) -> Command {
    let Some(processor) = processor else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["-c", processor]).arg(program);
    command
}

fn start(
    options: &Options,
    contestant: &Contestant,
    folder: &Path,
    behind: &str,
) -> Result<Server> {
    let first = options.pin.then_some("0");
    let Some(line) = &contestant.command else {
        let mut command = on(first, &env::current_exe()?);
        command.arg("serve-kestrel").arg(behind);
        return Server::start(command, folder);
    };
    let line = line.replace("{behind}", behind);
    let (program, arguments) = line.split_once(' ').unwrap_or((&line, ""));
    Server::start_other(on(first, Path::new(program)), arguments, folder)
}

fn installed(program: &str) -> bool {
    let found =
        Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok()
}
