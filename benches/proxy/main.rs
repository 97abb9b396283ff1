//! What a proxy costs. `cargo bench --bench proxy -- [OPTIONS]`
//!
//! Each part is the processor time of the proxy for an answer, how many answers it gives in a second, and within
//! which times 99 of 100 and 999 of 1,000 are there:
//!
//! - `small`, `10-kib`: answers of 13 bytes and of 10 KiB, over 64 connections;
//! - `1-mib`: answers of 1 MiB, over 16;
//! - `upload`: requests of 1 MiB, answered with 13 bytes, over 16;
//! - `tls`: small answers by TLS to the client, over 64 connections that stay;
//! - `http2`, `http2-tls`: small answers by HTTP/2 to the client, in clear text and by TLS, 16 connections with 32
//!   streams; the client is h2load, and without it these parts say so and are left out;
//! - `websocket`: a message of 100 bytes, and the same back, over 64 connections;
//! - `rate`: small answers over 64 connections to requests that come at a fixed rate, whether there are answers or
//!   not. Here it is the times that count: each is counted from when its request was due.
//!
//! The proxies are nginx and HAProxy, each with one worker, and ours. All stand before the same server, keep their
//! connections, and take turns in fresh processes. Options:
//!
//! - `--pin`: the proxies get the first processor, the client and the server behind the second one, by `taskset`;
//! - `--rounds N`, `--seconds S`: how many, and how long each is;
//! - `--only PART`: one of the words above, and may be repeated;
//! - `--rate N`: how many requests come in a second in `rate` (8,000);
//! - `--other NAME COMMAND`: another proxy takes part. It is told its port in the place of `{port}`, the address of the
//!   server behind in that of `{behind}`, and its certificate and key in those of `{certificate}` and `{key}`, which are
//!   empty where the part needs none.
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
#[allow(dead_code, reason = "the other bench needs more of it")]
#[path = "../hello/spread.rs"]
mod spread;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use certificates::{Certificate, Kind};
use client::Client;
use process::Server;
use servers::Front;
use spread::row;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve-behind", size] => return servers::behind(size),
        ["serve-kestrel", behind, secured @ ..] => return servers::kestrel(behind, secured),
        _ => {}
    }
    let options = Options::parse(&arguments)?;
    if options.pin {
        let this = std::process::id().to_string();
        Command::new("taskset").args(["-p", "-c", "1", &this]).stdout(Stdio::null()).status()?;
    }
    for part in parts(options.rate) {
        if options.only.is_empty() || options.only.iter().any(|only| only == part.name) {
            measure(&options, &part)?;
        }
    }
    Ok(())
}

fn parts(rate: u32) -> Vec<Part> {
    let of = |name, size, upload, connections| Part {
        name,
        size,
        upload,
        connections,
        is_secure: false,
        work: Work::Turns,
    };
    vec![
        of("small", 13, 0, 64),
        of("10-kib", 10 << 10, 0, 64),
        of("1-mib", 1 << 20, 0, 16),
        of("upload", 13, 1 << 20, 16),
        Part { is_secure: true, ..of("tls", 13, 0, 64) },
        Part { work: Work::Http2, ..of("http2", 13, 0, 16) },
        Part { work: Work::Http2, is_secure: true, ..of("http2-tls", 13, 0, 16) },
        Part { work: Work::WebSocket, ..of("websocket", 0, 0, 64) },
        Part { work: Work::Rate(rate), ..of("rate", 13, 0, 64) },
    ]
}

/// What is asked for.
struct Part {
    name: &'static str,
    /// How long answers are.
    size: usize,
    /// How long requests are.
    upload: usize,
    connections: usize,
    is_secure: bool,
    work: Work,
}

/// How it is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Work {
    /// Over all connections in turn, as fast as there are answers.
    Turns,
    /// So many in a second.
    Rate(u32),
    Http2,
    WebSocket,
}

struct Options {
    rounds: usize,
    time: Duration,
    pin: bool,
    only: Vec<String>,
    rate: u32,
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
        let (only, others) = (Vec::new(), Vec::new());
        let mut options = Self { rounds, time, pin: false, only, rate: 8_000, others };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--pin" => options.pin = true,
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.time = Duration::from_secs_f64(value()?.parse()?),
                "--rate" => options.rate = value()?.parse()?,
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
    /// Seconds within which 99 of 100 answers, and 999 of 1,000, were there.
    late: Option<[f64; 2]>,
    memory: Option<f64>,
}

fn measure(options: &Options, part: &Part) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let name = part.name;
    if part.work == Work::Http2 && !installed("h2load") {
        println!("{name}: left out, h2load is not installed (apt-get install nghttp2-client)");
        return Ok(());
    }
    let certificate = match part.is_secure {
        true => certificates::make(folder.path(), Kind::P256)?,
        false => None,
    };
    if part.is_secure && certificate.is_none() {
        println!("{name}: left out, openssl is not installed (apt-get install openssl)");
        return Ok(());
    }
    let certificate = certificate.as_ref();
    let mut command = on(options.pin.then_some("1"), &env::current_exe()?);
    let behind = match part.work {
        Work::WebSocket => "echo".to_owned(),
        _ => part.size.to_string(),
    };
    command.arg("serve-behind").arg(behind);
    let behind = Server::start(command, folder.path())?;
    let front = Front {
        behind: &behind.address.to_string(),
        certificate,
        speaks_http2: part.work == Work::Http2,
        changes_protocol: part.work == Work::WebSocket,
    };
    let contestants = contestants(options, folder.path(), front)?;
    let mut figures: Vec<Vec<Figures>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for place in 0..contestants.len() {
            // The order turns, so that a drift of the machine cancels out.
            let which = if round % 2 == 0 { place } else { contestants.len() - 1 - place };
            let server = start(options, &contestants[which], folder.path(), front)?;
            let mut client = Client::new(server.address, part, certificate)?;
            figures[which].push(round_of(&server, &mut client, options.time)?);
        }
    }
    println!("{name}, {} rounds of {:?}, median [quartiles]", options.rounds, options.time);
    for (contestant, own) in contestants.iter().zip(&figures) {
        tell(&contestant.name, own, (&contestants[0].name, &figures[0]));
    }
    Ok(())
}

/// The proxies that take turns, the one that the others are compared with first.
fn contestants(options: &Options, folder: &Path, front: Front<'_>) -> Result<Vec<Contestant>> {
    let other = |name: &str, command| Contestant { name: name.to_owned(), command };
    let mut all = Vec::new();
    if installed("nginx") {
        all.push(other("nginx", Some(servers::nginx(folder, front)?)));
    }
    if installed("haproxy") {
        all.push(other("haproxy", Some(servers::haproxy(folder, front)?)));
    }
    all.push(other("kestrel", None));
    all.extend(options.others.iter().cloned());
    Ok(all)
}

fn round_of(server: &Server, client: &mut Client, time: Duration) -> Result<Figures> {
    client.load(time / 4)?;
    let before = server.processor_time();
    let load = client.load(time)?;
    let after = server.processor_time();
    let spent = after.zip(before).map(|(after, before)| after - before);
    Ok(Figures {
        processor: spent.map(|spent| spent / load.answers as f64),
        rate: load.answers as f64 / load.seconds,
        late: load.late,
        memory: server.resident_memory(),
    })
}

/// Prints the figures of one, beside those of the first.
fn tell(name: &str, own: &[Figures], (first_name, first): (&str, &[Figures])) {
    println!("  {name}");
    let processor = own.iter().map(|own| Some(own.processor? * 1e6)).collect();
    row(processor, "µs of processor each");
    row(own.iter().map(|own| Some(own.rate / 1e3)).collect(), "thousand answers/s");
    let late = |own: &Figures, place: usize| own.late.map(|late| late[place] * 1e3);
    row(own.iter().map(|own| late(own, 0)).collect(), "ms for 99 of 100");
    row(own.iter().map(|own| late(own, 1)).collect(), "ms for 999 of 1,000");
    row(own.iter().map(|own| Some(own.memory? / 1e6)).collect(), "MB of memory");
    if name == first_name {
        return;
    }
    let pairs = || own.iter().zip(first);
    let ratios = pairs().map(|(own, first)| Some(own.processor? / first.processor?));
    row(ratios.collect(), &format!("of {first_name}'s processor time"));
    let ratios = pairs().map(|(own, first)| Some(own.rate / first.rate));
    row(ratios.collect(), &format!("of {first_name}'s answers/s"));
    for (place, many) in [(0, "99 of 100"), (1, "999 of 1,000")] {
        let ratios = pairs().map(|(own, first)| Some(late(own, place)? / late(first, place)?));
        row(ratios.collect(), &format!("of {first_name}'s time for {many}"));
    }
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
    front: Front<'_>,
) -> Result<Server> {
    let first = options.pin.then_some("0");
    let Some(line) = &contestant.command else {
        let mut command = on(first, &env::current_exe()?);
        command.arg("serve-kestrel").arg(front.behind);
        if let Some(Certificate { path, key }) = front.certificate {
            command.args([path, key]);
        }
        return Server::start(command, folder);
    };
    let path = |path: fn(&Certificate) -> &PathBuf| {
        front.certificate.map_or_else(String::new, |it| path(it).display().to_string())
    };
    let line = line.replace("{behind}", front.behind);
    let line = line.replace("{certificate}", &path(|it| &it.path));
    let line = line.replace("{key}", &path(|it| &it.key));
    let (program, arguments) = line.split_once(' ').unwrap_or((&line, ""));
    Server::start_other(on(first, Path::new(program)), arguments, folder)
}

fn installed(program: &str) -> bool {
    let found =
        Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok()
}
