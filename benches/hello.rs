//! How fast and how small is hello world? `cargo bench --bench hello -- [--rounds N] [--seconds S] [--pin]`
//!
//! Four answers, for our server and for the smallest server that hyper makes:
//!
//! - the time from the start of the process to the first answer;
//! - the resident memory after ten requests;
//! - the size of the binary;
//! - plaintext requests per second, and the processor time of the server per request. Here axum's
//!   router on the bare server takes part too: it tells how much of the difference is the router's.
//!
//! Everything is in here: this program is the client, and starts itself again as the servers. Rates
//! of one machine at one time mean little, so the servers take turns in fresh processes, and what
//! counts is the ratio of two in the same round. `--pin` gives the servers the first
//! processor and the client the second one, by `taskset`.
//!
//! The binary is the one that cargo built for the bench, or `KESTREL_BIN`. As a test
//! (`cargo test --benches`) it makes one tiny round and looks at the answers only.

#![expect(clippy::print_stdout, reason = "a bench's figures are its standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own: it reads its environment and opens the bare server's socket"
)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::routing::{future::RouteFuture, get};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, SERVER};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kestrel::{Host, RunningHost};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_service::Service;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const TEXT: &str = "Hello, World!";
const CONNECTIONS: usize = 64;
/// `USER_HZ`, in which `/proc` counts processor time: 100 on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve-kestrel") => return serve(kestrel_server()),
        Some("serve-hyper") => return serve(hyper_server(hello)),
        // For a client of HTTP/2, such as h2load.
        Some("serve-kestrel-h2") => return serve(kestrel_server_of("Http2")),
        Some("serve-hyper-h2") => return serve(hyper_server_of_http2(hello)),
        Some("serve-axum-h2") => return serve(axum_server_of_http2()),
        Some("serve-axum") => return serve(axum_server()),
        _ => {}
    }
    let options = Options::parse(&arguments)?;
    // Before this process and all that it starts are bound to one processor.
    start_and_memory(&options)?;
    size()?;
    if options.pin {
        run(Command::new("taskset").args(["-p", "-c", "1", &std::process::id().to_string()]))?;
    }
    throughput(&options)
}

struct Options {
    rounds: usize,
    time: Duration,
    starts: usize,
    pin: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let has = |name| arguments.iter().any(|argument| argument == name);
        // cargo gives `--bench` under `cargo bench`, and nothing under `cargo test --benches`.
        let mut options = if has("--bench") && !has("--test") {
            Self { rounds: 9, time: Duration::from_secs(2), starts: 40, pin: has("--pin") }
        } else {
            Self { rounds: 1, time: Duration::from_millis(50), starts: 1, pin: false }
        };
        for pair in arguments.windows(2) {
            match pair[0].as_str() {
                "--rounds" => options.rounds = pair[1].parse()?,
                "--seconds" => options.time = Duration::from_secs_f64(pair[1].parse()?),
                _ => {}
            }
        }
        Ok(options)
    }

    /// A command that runs where the servers are to run.
    fn server(&self, program: &Path) -> Command {
        if self.pin {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(program);
            command
        } else {
            Command::new(program)
        }
    }
}

// ---- The servers ----------------------------------------------------------------------------

/// Serves until the program that started this one closes our standard input.
fn serve<T>(server: impl Future<Output = Result<(SocketAddr, T)>>) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (address, _running) = runtime.block_on(server)?;
    println!("Now listening on: http://{address}");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    runtime.shutdown_background();
    Ok(())
}

async fn kestrel_server() -> Result<(SocketAddr, RunningHost)> {
    kestrel_server_of("Http1AndHttp2").await
}

async fn kestrel_server_of(protocols: &str) -> Result<(SocketAddr, RunningHost)> {
    let endpoint = [
        ("Kestrel__Endpoints__A__Url", "http://127.0.0.1:0"),
        ("Kestrel__Endpoints__A__Protocols", protocols),
    ];
    let host = Host::builder()
        .environment_variables(endpoint)
        .without_logging()
        .app(router())
        .build()?
        .start()
        .await?;
    let address = host.addresses()[0].trim_start_matches("http://").parse()?;
    Ok((address, host))
}

/// The smallest server on hyper: no timeouts, no stop, one answer.
async fn hyper_server<A, B>(
    answer: impl Fn(Request<Incoming>) -> A + Clone + Send + 'static,
) -> Result<(SocketAddr, JoinHandle<()>)>
where
    A: Future<Output = std::result::Result<Response<B>, Infallible>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            let service = service_fn(answer.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    Ok((address, accepting))
}

/// The same for HTTP/2. Its windows are hyper's own.
async fn hyper_server_of_http2<A, B>(
    answer: impl Fn(Request<Incoming>) -> A + Clone + Send + 'static,
) -> Result<(SocketAddr, JoinHandle<()>)>
where
    A: Future<Output = std::result::Result<Response<B>, Infallible>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            let service = service_fn(answer.clone());
            let builder = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(socket), service));
        }
    });
    Ok((address, accepting))
}

async fn hello(_: Request<Incoming>) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(TEXT.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(SERVER, HeaderValue::from_static("Kestrel"));
    Ok(response)
}

/// The same with axum's router in the middle.
async fn axum_server() -> Result<(SocketAddr, JoinHandle<()>)> {
    let app = router().with_state(());
    hyper_server(move |request| through(app.clone().call(request))).await
}

async fn axum_server_of_http2() -> Result<(SocketAddr, JoinHandle<()>)> {
    let app = router().with_state(());
    hyper_server_of_http2(move |request| through(app.clone().call(request))).await
}

async fn through(
    answer: RouteFuture<Infallible>,
) -> std::result::Result<Response<Body>, Infallible> {
    let mut response = answer.await?;
    response.headers_mut().insert(SERVER, HeaderValue::from_static("Kestrel"));
    Ok(response)
}

fn router() -> Router {
    Router::new().route("/", get(|| async { TEXT }))
}

/// A server in a process of its own. It ends when this is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    _stdin: Option<ChildStdin>,
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    fn start(mut command: Command, folder: &Path) -> Result<Self> {
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("ASPNETCORE_") || text.starts_with("DOTNET_") {
                command.env_remove(&name);
            }
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        let mut output = BufReader::new(stdout);
        let mut line = String::new();
        let address = loop {
            line.clear();
            if output.read_line(&mut line)? == 0 {
                return Err(format!("the server ended: {}", child.wait()?).into());
            }
            if let Some((_, address)) = line.split_once("Now listening on: http://") {
                break address.trim().parse()?;
            }
        };
        // Kept open, so that the server can go on writing its log.
        thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        Ok(Self { _stdin: child.stdin.take(), child, address })
    }

    /// The processor time of all threads so far; `None` where there is no `/proc`.
    fn processor_time(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The second field, the program's name, may hold blanks and ends with the last bracket.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        Some((user + system) / TICKS_PER_SECOND)
    }

    /// The resident memory in bytes.
    fn resident_memory(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// ---- The client -----------------------------------------------------------------------------

/// A connection that stays open, and the length of its answers: with a body and a date of fixed
/// length, all are as long as the first.
struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    const REQUEST: &'static [u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

    /// Connects and takes the first answer.
    fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut client = Self { stream, answer: Vec::new() };
        client.ask()?;
        while client.missing()? > 0 {
            let mut piece = [0; 4096];
            let length = client.stream.read(&mut piece)?;
            if length == 0 {
                return Err("the server closed the connection".into());
            }
            client.answer.extend_from_slice(&piece[..length]);
        }
        client.check()?;
        Ok(client)
    }

    fn ask(&mut self) -> io::Result<()> {
        self.stream.write_all(Self::REQUEST)
    }

    /// Takes another answer.
    fn take(&mut self) -> Result<()> {
        self.stream.read_exact(&mut self.answer)?;
        self.check()
    }

    fn check(&self) -> Result<()> {
        if self.answer.starts_with(b"HTTP/1.1 200 OK\r\n") {
            Ok(())
        } else {
            let answer = String::from_utf8_lossy(&self.answer);
            Err(format!("not the answer that was expected: {answer}").into())
        }
    }

    /// How many bytes of the first answer are still to come; at least 1 until its head is complete.
    fn missing(&self) -> Result<usize> {
        let text = String::from_utf8_lossy(&self.answer);
        let Some((_, body)) = text.split_once("\r\n\r\n") else {
            return Ok(1);
        };
        let length: usize = match self.headers().get("content-length") {
            Some(length) => length.parse()?,
            None => return Err("the answer has no length".into()),
        };
        Ok(length.saturating_sub(body.len()))
    }

    /// The headers of the last answer, their names in lower case.
    fn headers(&self) -> BTreeMap<String, String> {
        let text = String::from_utf8_lossy(&self.answer);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect()
    }

    fn body(&self) -> String {
        let text = String::from_utf8_lossy(&self.answer);
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        body.unwrap_or_default()
    }
}

/// What a server did in a while.
struct Load {
    requests: f64,
    seconds: f64,
    processor: Option<f64>,
}

/// Keeps `CONNECTIONS` requests in flight for `time`.
fn load(server: &Server, time: Duration) -> Result<Load> {
    let threads = thread::available_parallelism()?.get().min(CONNECTIONS);
    let stop = AtomicBool::new(false);
    let drive = |clients: &mut [Client]| -> Result<u64> {
        let mut answers = 0;
        for client in &mut *clients {
            client.ask()?;
        }
        while !stop.load(Ordering::Relaxed) {
            // In turn: while one is read, the server works on all the others.
            for client in &mut *clients {
                client.take()?;
                client.ask()?;
                answers += 1;
            }
        }
        for client in clients {
            client.take()?;
            answers += 1;
        }
        Ok(answers)
    };
    let mut clients =
        (0..CONNECTIONS).map(|_| Client::connect(server.address)).collect::<Result<Vec<_>>>()?;
    let before = server.processor_time();
    let start = Instant::now();
    let requests = thread::scope(|scope| {
        let workers: Vec<_> = clients
            .chunks_mut(CONNECTIONS.div_ceil(threads))
            .map(|clients| scope.spawn(|| drive(clients)))
            .collect();
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a client panicked")?)
            .sum::<Result<u64>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let after = server.processor_time();
    Ok(Load {
        requests: requests as f64,
        seconds,
        processor: after.zip(before).map(|(after, before)| after - before),
    })
}

// ---- The measurements -----------------------------------------------------------------------

/// The names and arguments of the servers, the one that the others are compared with first.
const SERVERS: [(&str, &str); 3] =
    [("bare hyper", "serve-hyper"), ("axum", "serve-axum"), ("kestrel", "serve-kestrel")];

fn throughput(options: &Options) -> Result<()> {
    let this = env::current_exe()?;
    let folder = tempfile::tempdir()?;
    let start = |argument: &str| {
        let mut command = options.server(&this);
        command.arg(argument);
        Server::start(command, folder.path())
    };
    let mut headers = Vec::new();
    let mut figures = [const { Vec::new() }; SERVERS.len()];
    for round in 0..options.rounds {
        // The order turns with every round, so that a drift of the machine cancels out.
        for place in 0..SERVERS.len() {
            let which = if round % 2 == 0 { place } else { SERVERS.len() - 1 - place };
            let server = start(SERVERS[which].1)?;
            load(&server, options.time / 4)?;
            let load = load(&server, options.time)?;
            let processor = load.processor.map(|seconds| seconds / load.requests);
            figures[which].push(Figures { rate: load.requests / load.seconds, processor });
            let client = Client::connect(server.address)?;
            assert_eq!(client.body(), TEXT);
            headers.push(client.headers().into_keys().collect::<Vec<_>>());
        }
    }
    assert!(
        headers.iter().all(|names| *names == headers[0]),
        "the servers answer with different headers: {headers:?}"
    );

    println!(
        "plaintext, {CONNECTIONS} connections, {} rounds of {:?}, median [quartiles]",
        options.rounds, options.time
    );
    for ((name, _), own) in SERVERS.iter().zip(&figures) {
        let ratio = |of: fn(&Figures) -> Option<f64>| {
            let pairs = own.iter().zip(&figures[0]);
            pairs.map(|(own, bare)| Some(of(own)? / of(bare)?)).collect::<Option<Vec<_>>>()
        };
        println!("  {name}");
        row(own.iter().map(|own| Some(own.rate / 1e3)).collect(), "thousand requests/s");
        row(
            own.iter().map(|own| Some(own.processor? * 1e6)).collect(),
            "µs of processor for a request",
        );
        if !std::ptr::eq(own, &figures[0]) {
            row(ratio(|own| Some(own.rate)), "of bare hyper's requests/s");
            row(
                ratio(|own| own.processor.map(f64::recip)),
                "of bare hyper's requests in a second of processor",
            );
        }
    }
    Ok(())
}

/// What a server did in a round.
struct Figures {
    /// Requests in a second.
    rate: f64,
    /// Seconds of processor for a request; `None` where the system does not tell.
    processor: Option<f64>,
}

fn row(figures: Option<Vec<f64>>, unit: &str) {
    if let Some(figures) = figures {
        println!("    {} {unit}", Spread::of(figures));
    }
}

fn start_and_memory(options: &Options) -> Result<()> {
    let empty = tempfile::tempdir()?;
    let configured = tempfile::tempdir()?;
    fs::write(configured.path().join("appsettings.json"), SETTINGS)?;
    let binary = binary()?;
    let this = env::current_exe()?;
    let run = ["run", "--urls", "http://127.0.0.1:0"];
    let rows: [(&str, &Path, &[&str], &Path); 3] = [
        ("kestrel run", &binary, &run, empty.path()),
        ("with appsettings", &binary, &run, configured.path()),
        ("bare hyper", &this, &["serve-hyper"], empty.path()),
    ];
    let mut times = [const { Vec::new() }; 3];
    let mut memory = [const { Vec::new() }; 3];
    for _ in 0..options.starts {
        for (row, (_, program, arguments, folder)) in rows.iter().enumerate() {
            let mut command = Command::new(program);
            command.args(*arguments);
            let start = Instant::now();
            let server = Server::start(command, folder)?;
            let mut client = Client::connect(server.address)?;
            times[row].push(start.elapsed().as_secs_f64() * 1000.0);
            for _ in 0..9 {
                client.ask()?;
                client.take()?;
            }
            memory[row].extend(server.resident_memory().map(|bytes| bytes / 1e6));
        }
    }
    println!("start of the process to the first answer, {} starts", options.starts);
    for (row, (name, ..)) in rows.iter().enumerate() {
        let spread = Spread::of(times[row].clone());
        println!("  {name:<18}{spread} ms, at least {:.2}", spread.least);
    }
    println!("resident memory after ten requests");
    for (row, (name, ..)) in rows.iter().enumerate() {
        if !memory[row].is_empty() {
            println!("  {name:<18}{} MB", Spread::of(memory[row].clone()));
        }
    }
    Ok(())
}

/// What `dotnet new web` writes, and a limit.
const SETTINGS: &str = r#"{
  "Logging": {
    "LogLevel": {
      "Default": "Information",
      "Microsoft.AspNetCore": "Warning"
    }
  },
  "AllowedHosts": "*",
  "Kestrel": { "Limits": { "KeepAliveTimeout": "00:02:00" } }
}
"#;

fn size() -> Result<()> {
    let binary = binary()?;
    let megabytes = |path: &Path| fs::metadata(path).map(|file| file.len() as f64 / 1e6);
    println!("size of the binary");
    println!("  as built          {:.2} MB", megabytes(&binary)?);
    // The bench profile keeps symbols that a release has not.
    let folder = tempfile::tempdir()?;
    let stripped = folder.path().join("kestrel");
    if run(Command::new("strip").arg("-o").arg(&stripped).arg(&binary)).is_ok() {
        println!("  without symbols   {:.2} MB", megabytes(&stripped)?);
    }
    Ok(())
}

fn binary() -> Result<PathBuf> {
    env::var_os("KESTREL_BIN")
        .map(PathBuf::from)
        .or_else(|| option_env!("CARGO_BIN_EXE_kestrel").map(PathBuf::from))
        .ok_or_else(|| "there is no binary: set KESTREL_BIN".into())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {}", output.status).into())
    }
}

/// Median and quartiles.
struct Spread {
    least: f64,
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |part: f64| figures[((figures.len() - 1) as f64 * part).round() as usize];
        Self { least: figures[0], low: at(0.25), median: at(0.5), high: at(0.75) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8.3} [{:.3} – {:.3}]", self.median, self.low, self.high)
    }
}
