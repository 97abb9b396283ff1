//! How fast and how small is hello world? `cargo bench --bench hello -- [OPTIONS]`
//!
//! Five parts, each for our server and for the smallest server that hyper makes:
//!
//! - `start`: the time from the start of the process to the first answer, the resident memory
//!   after ten requests, and the size of the binary;
//! - `plaintext`: requests per second, and the processor time of the server per request. Here
//!   axum's router on the bare server takes part too: it tells how much of the difference is the
//!   router's;
//! - `pipelined`: the same with 16 requests at once on every connection;
//! - `idle`: the resident memory of a connection that waits for its next request;
//! - `instructions`: by callgrind, and only if it is asked for.
//!
//! Everything is in here: this program is the client, and starts itself again as the servers. Rates
//! of one machine at one time mean little, so the servers take turns in fresh processes, and what
//! counts is the ratio of two in the same round. Options:
//!
//! - `--pin`: the servers get the first processor and the client the second one, by `taskset`;
//! - `--rounds N`, `--seconds S`: how many, and how long each is; a third as many of `idle`;
//! - `--idle N`: how many connections wait;
//! - `--only PART`: one of the words above, and may be repeated;
//! - `--other NAME PATH COMMAND`: another server takes part, which answers `PATH` with the same
//!   text. It is told its port in the place of `{port}`, or prints `Now listening on: http://...`;
//! - `--warm-up S`: for how long another server is loaded before it is measured.
//!
//! The binary is the one that cargo built for the bench, or `KESTREL_BIN`. As a test
//! (`cargo test --benches`) it makes one tiny round and looks at the answers only.

#![expect(clippy::print_stdout, reason = "a bench's figures are its standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own: it reads its environment and opens the bare server's socket"
)]

mod client;
mod idle;
mod instructions;
mod process;
mod servers;
mod spread;
mod start;
mod throughput;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use process::Server;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const TEXT: &str = "Hello, World!";
const CONNECTIONS: usize = 64;
const PIPELINED: usize = 16;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(served) = arguments.first().and_then(|name| servers::by_name(name)) {
        return served;
    }
    let options = Options::parse(&arguments)?;
    // Before this process and all that it starts are bound to one processor.
    if options.has("start") {
        start::start_and_memory(&options)?;
        start::size()?;
    }
    if options.pin {
        run(Command::new("taskset").args(["-p", "-c", "1", &std::process::id().to_string()]))?;
    }
    if options.has("plaintext") {
        throughput::throughput(&options, 1)?;
    }
    if options.has("pipelined") {
        throughput::throughput(&options, PIPELINED)?;
    }
    if options.has("idle") {
        idle::idle(&options)?;
    }
    // It takes another program, and its time.
    if options.only.iter().any(|only| only == "instructions") {
        instructions::instructions(&options)?;
    }
    Ok(())
}

struct Options {
    rounds: usize,
    time: Duration,
    /// How long another server may take to become fast.
    others_warm_up: Duration,
    starts: usize,
    idle: usize,
    pin: bool,
    /// The parts that are asked for; all if none is.
    only: Vec<String>,
    others: Vec<Contestant>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let has = |name| arguments.iter().any(|argument| argument == name);
        let second = Duration::from_secs(1);
        let mut options = Self {
            rounds: 9,
            time: 2 * second,
            others_warm_up: 10 * second,
            starts: 40,
            idle: 5000,
            pin: false,
            only: Vec::new(),
            others: Vec::new(),
        };
        // cargo gives `--bench` under `cargo bench`, and nothing under `cargo test --benches`.
        if !has("--bench") || has("--test") {
            let time = Duration::from_millis(50);
            options = Self { rounds: 1, time, starts: 1, idle: 20, ..options };
        }
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--pin" => options.pin = true,
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.time = Duration::from_secs_f64(value()?.parse()?),
                "--warm-up" => options.others_warm_up = Duration::from_secs_f64(value()?.parse()?),
                "--idle" => options.idle = value()?.parse()?,
                "--only" => options.only.push(value()?.clone()),
                "--other" => {
                    let (name, path, command) = (value()?, value()?, value()?);
                    let program = Program::Other(command.clone());
                    options.others.push(Contestant::new(name, path, program));
                }
                // More of cargo's.
                _ => {}
            }
        }
        Ok(options)
    }

    fn has(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }

    fn warm_up(&self, contestant: &Contestant) -> Duration {
        if contestant.is_other() { self.others_warm_up } else { self.time / 4 }
    }
}

/// A server that takes part.
#[derive(Clone)]
struct Contestant {
    name: String,
    path: String,
    program: Program,
}

#[derive(Clone)]
enum Program {
    /// This one, with an argument.
    Own(&'static str),
    /// A command line.
    Other(String),
}

impl Contestant {
    fn new(name: &str, path: &str, program: Program) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), program }
    }

    fn is_other(&self) -> bool {
        matches!(self.program, Program::Other(_))
    }
}

/// The servers that take turns, the one that the others are compared with first.
struct Contestants {
    all: Vec<Contestant>,
    pin: bool,
    this: PathBuf,
    folder: tempfile::TempDir,
}

impl Contestants {
    fn new(options: &Options) -> Result<Self> {
        let own =
            [("bare hyper", "serve-hyper"), ("axum", "serve-axum"), ("kestrel", "serve-kestrel")];
        let own = own.map(|(name, argument)| Contestant::new(name, "/", Program::Own(argument)));
        let all = own.into_iter().chain(options.others.iter().cloned()).collect();
        let (this, folder) = (env::current_exe()?, tempfile::tempdir()?);
        Ok(Self { all, pin: options.pin, this, folder })
    }

    fn all(&self) -> &[Contestant] {
        &self.all
    }

    /// The order of a round: it turns, so that a drift of the machine cancels out.
    fn order(&self, round: usize) -> impl Iterator<Item = usize> + use<> {
        let last = self.all.len() - 1;
        (0..=last).map(move |place| if round.is_multiple_of(2) { place } else { last - place })
    }

    fn start(&self, contestant: &Contestant) -> Result<Server> {
        match &contestant.program {
            Program::Own(argument) => {
                let mut command = self.command(&self.this);
                command.arg(argument);
                Server::start(command, self.folder.path())
            }
            Program::Other(line) => {
                let (program, arguments) = line.split_once(' ').unwrap_or((line, ""));
                let command = self.command(Path::new(program));
                Server::start_other(command, arguments, self.folder.path())
            }
        }
    }

    /// A command that runs where the servers are to run.
    fn command(&self, program: &Path) -> Command {
        if self.pin {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(program);
            command
        } else {
            Command::new(program)
        }
    }
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {}", output.status).into())
    }
}
