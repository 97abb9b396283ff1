//! What TLS costs. `cargo bench --bench tls -- [OPTIONS]`
//!
//! Four parts, each the processor time of the server for one of them:
//!
//! - `p256`: a connection with a full handshake, P-256 certificate, and one request;
//! - `rsa`: the same with an RSA certificate of 2048 bits;
//! - `keep-alive`: a request over one of 64 connections that stay open;
//! - `http2`: a request of HTTP/2, 16 connections with 32 streams; the client is h2load, and
//!   without it this part says so and is left out.
//!
//! The servers are ours, the smallest one that hyper and tokio-rustls make, nginx if it is
//! installed, and any other that is named. They take turns in fresh processes. All get the same
//! certificate, which openssl makes. Options:
//!
//! - `--pin`: the servers get the first processor and the client the second one, by `taskset`;
//! - `--rounds N`, `--seconds S`: how many, and how long each is;
//! - `--only PART`: one of the words above, and may be repeated;
//! - `--other NAME PATH COMMAND`: another server takes part, which answers `PATH` with the same
//!   text. It is told its port in the place of `{port}`, its certificate in that of `{certificate}`
//!   and its key in that of `{key}`;
//! - `--warm-up S`: for how long another server is loaded before it is measured.
//!
//! As a test (`cargo test --benches`) it makes one tiny round and looks at the answers only.

#![expect(clippy::print_stdout, reason = "a bench's figures are its standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own: it reads its environment and opens the bare server's socket"
)]

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
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use certificates::{Certificate, Kind};
use process::Server;
use spread::row;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const TEXT: &str = "Hello, World!";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(served) = servers::by_name(&arguments) {
        return served;
    }
    let options = Options::parse(&arguments)?;
    if options.pin {
        let this = std::process::id().to_string();
        Command::new("taskset").args(["-p", "-c", "1", &this]).stdout(Stdio::null()).status()?;
    }
    for (part, kind, what) in [
        ("p256", Kind::P256, Work::Handshake),
        ("rsa", Kind::Rsa2048, Work::Handshake),
        ("keep-alive", Kind::P256, Work::KeepAlive),
        ("http2", Kind::P256, Work::Http2),
    ] {
        if options.only.is_empty() || options.only.iter().any(|only| only == part) {
            measure(&options, part, kind, what)?;
        }
    }
    Ok(())
}

/// What the servers are loaded with.
#[derive(Clone, Copy, PartialEq)]
enum Work {
    /// New connections, a request on each.
    Handshake,
    /// Requests over 64 connections.
    KeepAlive,
    /// Requests over 16 connections of HTTP/2, 32 at once on each.
    Http2,
}

struct Options {
    rounds: usize,
    time: Duration,
    warm_up: Duration,
    pin: bool,
    only: Vec<String>,
    others: Vec<Contestant>,
}

#[derive(Clone)]
struct Contestant {
    name: String,
    path: String,
    /// The command line; ours is this program.
    command: String,
    other: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let has = |name| arguments.iter().any(|argument| argument == name);
        let mut options = Self {
            rounds: 9,
            time: Duration::from_secs(1),
            warm_up: Duration::from_secs(6),
            pin: false,
            only: Vec::new(),
            others: Vec::new(),
        };
        if !has("--bench") || has("--test") {
            options = Self { rounds: 1, time: Duration::from_millis(50), ..options };
        }
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--pin" => options.pin = true,
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.time = Duration::from_secs_f64(value()?.parse()?),
                "--warm-up" => options.warm_up = Duration::from_secs_f64(value()?.parse()?),
                "--only" => options.only.push(value()?.clone()),
                "--other" => options.others.push(Contestant {
                    name: value()?.clone(),
                    path: value()?.clone(),
                    command: value()?.clone(),
                    other: true,
                }),
                // More of cargo's.
                _ => {}
            }
        }
        Ok(options)
    }
}

fn measure(options: &Options, part: &str, kind: Kind, work: Work) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let Some(certificate) = certificates::make(folder.path(), kind)? else {
        println!("{part}: left out, openssl is not installed (apt-get install openssl)");
        return Ok(());
    };
    if work == Work::Http2 && !installed("h2load") {
        println!("{part}: left out, h2load is not installed (apt-get install nghttp2-client)");
        return Ok(());
    }
    let contestants = contestants(options, folder.path(), &certificate)?;
    let mut figures: Vec<Vec<Option<f64>>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for place in 0..contestants.len() {
            // The order turns, so that a drift of the machine cancels out.
            let which = if round % 2 == 0 { place } else { contestants.len() - 1 - place };
            let contestant = &contestants[which];
            let server = start(options, contestant, &certificate, folder.path())?;
            let client = client::Client::new(&server, &contestant.path, &certificate)?;
            assert_eq!(client.body()?, TEXT, "{}", contestant.name);
            let warm_up = if contestant.other { options.warm_up } else { options.time / 4 };
            client.load(work, warm_up)?;
            let before = server.processor_time();
            let done = client.load(work, options.time)?;
            let after = server.processor_time();
            let each = after.zip(before).map(|(after, before)| (after - before) / done as f64);
            figures[which].push(each);
        }
    }
    println!("{part}, {} rounds of {:?}, median [quartiles]", options.rounds, options.time);
    for (contestant, own) in contestants.iter().zip(&figures) {
        println!("  {}", contestant.name);
        row(own.iter().map(|own| Some((*own)? * 1e6)).collect(), "µs of processor each");
        if !std::ptr::eq(own, &figures[0]) {
            let ratios = own.iter().zip(&figures[0]).map(|(own, first)| Some((*own)? / (*first)?));
            row(ratios.collect(), &format!("of {}'s", contestants[0].name));
        }
    }
    Ok(())
}

/// The servers that take turns, the one that the others are compared with first.
fn contestants(
    options: &Options,
    folder: &Path,
    certificate: &Certificate,
) -> Result<Vec<Contestant>> {
    let mut all = Vec::new();
    if installed("nginx") {
        let script = servers::nginx(folder, certificate)?;
        all.push(Contestant {
            name: "nginx".to_owned(),
            path: "/".to_owned(),
            command: format!("sh {script} {} {{port}}", folder.display()),
            other: true,
        });
    }
    for (name, argument) in
        [("bare hyper on tokio-rustls", "serve-bare"), ("kestrel", "serve-kestrel")]
    {
        all.push(Contestant {
            name: name.to_owned(),
            path: "/".to_owned(),
            command: argument.to_owned(),
            other: false,
        });
    }
    all.extend(options.others.iter().cloned());
    Ok(all)
}

fn start(
    options: &Options,
    contestant: &Contestant,
    certificate: &Certificate,
    folder: &Path,
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
    let (file, key) = (certificate.path.display(), certificate.key.display());
    if !contestant.other {
        let mut command = command(&env::current_exe()?);
        command.arg(&contestant.command).args([&certificate.path, &certificate.key]);
        return Server::start(command, folder);
    }
    let line = contestant
        .command
        .replace("{certificate}", &file.to_string())
        .replace("{key}", &key.to_string());
    let (program, arguments) = line.split_once(' ').unwrap_or((&line, ""));
    Server::start_other(command(Path::new(program)), arguments, folder)
}

fn installed(program: &str) -> bool {
    let found =
        Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok()
}
