//! A program for the host to run behind it, and the ways in which such programs go wrong: `child MODE [ARGUMENT]`.
//!
//! | mode | what it does |
//! |---|---|
//! | `serve` | answers requests where it is told to listen |
//! | `exit CODE` | writes two lines and ends |
//! | `warm FILE` | serves, and answers 503 at `/healthz` until the file is there |
//! | `hang` | listens nowhere, and stays |
//! | `lock FILE` | listens nowhere, and has a file that it removes when it is asked to end |
//! | `deaf` | serves, and does not heed SIGTERM |
//! | `open` | serves on all addresses |
//! | `yield` | serves, and once it is asked for `/yield` lets another user have its port |
//! | `beside` | serves once somebody has come to another user who listens beside it, on [::1] |
//! | `thief HOST` | is that other user |
//! | `link PATH` | puts a link to another socket in the place of its own |
//! | `elsewhere` | serves at another port than it is told |
//! | `garbage` | answers what is no HTTP |
//! | `mute` | closes connections when it is asked something |
//! | `flood` | writes without end while it serves |
//! | `leave` | starts a copy of itself that goes its own way (`hang`), then serves |
//! | `background` | leaves a copy of itself that serves, and ends |

#![expect(clippy::disallowed_methods, reason = "it is no host, but what runs behind one")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Json, Router};
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};

#[tokio::main]
pub(crate) async fn run() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode = arguments.first().map_or("serve", String::as_str);
    let argument = arguments.get(1).map_or("", String::as_str);
    let mut out = std::io::stdout();
    let _ = writeln!(out, "child in mode {mode}");
    let port = variable("PORT");
    match mode {
        "exit" => {
            let _ = writeln!(std::io::stderr(), "error: there is nothing to do");
            return ExitCode::from(argument.parse::<u8>().unwrap_or(1));
        }
        "warm" => {
            let file = argument.to_owned();
            let health = get(move || {
                std::future::ready(match std::path::Path::new(&file).exists() {
                    true => axum::http::StatusCode::OK,
                    false => axum::http::StatusCode::SERVICE_UNAVAILABLE,
                })
            });
            let port = port.parse().expect("a port");
            let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
            let app = app().route("/healthz", health);
            axum::serve(listener, app).await.expect("requests");
        }
        "hang" => std::future::pending::<()>().await,
        "lock" => {
            let kind = tokio::signal::unix::SignalKind::terminate();
            let mut asked = tokio::signal::unix::signal(kind).expect("signals");
            std::fs::write(argument, "").expect("a file");
            asked.recv().await;
            std::fs::remove_file(argument).expect("it is there");
        }
        "deaf" => {
            let _deaf = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
            serve(&port).await;
        }
        "elsewhere" => serve("0").await,
        "yield" => yields(&port).await,
        "beside" => {
            let mut thief = thief("::1").stdout(Stdio::piped()).spawn().expect("a copy");
            let said = BufReader::new(thief.stdout.take().expect("a pipe")).lines();
            let mut knocked =
                said.map_while(Result::ok).filter(|line| line == "thief: somebody came");
            knocked.next();
            serve(&port).await;
            let _ = thief.wait();
        }
        "thief" => steals(argument, &port).await,
        "link" => {
            let urls = variable("ASPNETCORE_URLS");
            let own = urls.strip_prefix("http://unix:").unwrap_or_default();
            std::os::unix::fs::symlink(argument, own).expect("a link");
            std::future::pending::<()>().await;
        }
        "open" => serve_at("0.0.0.0", &port).await,
        "garbage" => answers(&port, b"this is no answer\r\n\r\n").await,
        "mute" => answers(&port, b"").await,
        "flood" => {
            std::thread::spawn(|| {
                let line = "x".repeat(200);
                while writeln!(std::io::stdout(), "{line}").is_ok() {}
            });
            serve(&port).await;
        }
        "leave" => {
            own_way("hang");
            serve(&port).await;
        }
        "background" => own_way("serve"),
        _ => match variable("ASPNETCORE_URLS").strip_prefix("http://unix:") {
            Some(path) => {
                let listener = UnixListener::bind(path).expect("a socket");
                axum::serve(listener, app()).await.expect("requests");
            }
            None => serve(&port).await,
        },
    }
    ExitCode::SUCCESS
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Serves until it is asked not to any more: a worker that is gone, of one that lives on.
async fn yields(port: &str) {
    let port: u16 = port.parse().expect("a port");
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port that is free");
    let (asked, told) = tokio::sync::watch::channel(false);
    let yields = get(async move || {
        let _ = asked.send(true);
    });
    let mut told = told;
    let over = async move { drop(told.wait_for(|told| *told).await) };
    let served = axum::serve(listener, app().route("/yield", yields)).with_graceful_shutdown(over);
    served.await.expect("requests");
    // It ends with this one.
    let _ = thief("127.0.0.1").status();
}

/// A copy that is of the user nobody.
fn thief(host: &str) -> Command {
    let mut thief = Command::new(std::env::current_exe().expect("a program"));
    thief.args(["thief", host]).uid(65534).gid(65534);
    thief
}

/// Answers whatever it is asked at the port of another one.
async fn steals(host: &str, port: &str) {
    let port: u16 = port.parse().expect("a port");
    let listener = TcpListener::bind((host, port)).await.expect("a port that is free");
    let say = |what: &str| drop(writeln!(std::io::stdout(), "thief: {what}"));
    say("listening");
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        say("somebody came");
        let mut seen = [0; 4096];
        if let Ok(1..) = stream.read(&mut seen).await {
            say("got a request");
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen").await;
        }
    }
}

/// Starts a copy in a session of its own.
fn own_way(mode: &str) {
    let program = std::env::current_exe().expect("a program");
    let started = Command::new("/usr/bin/setsid").arg(program).arg(mode).spawn();
    let _ = writeln!(std::io::stdout(), "left {}", started.map_or(0, |child| child.id()));
}

async fn serve(port: &str) {
    serve_at("127.0.0.1", port).await;
}

async fn serve_at(address: &str, port: &str) {
    let port = port.parse().expect("a port");
    let listener = TcpListener::bind((address, port)).await.expect("a port that is free");
    axum::serve(listener, app()).await.expect("requests");
}

/// Answers always the same, and closes the connection.
async fn answers(port: &str, answer: &'static [u8]) {
    let mut asked = 0;
    let port = port.parse().expect("a port");
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port that is free");
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut seen = [0; 4096];
        // Who only looks whether it is there sends nothing.
        if let Ok(1..) = stream.read(&mut seen).await {
            asked += 1;
            let _ = writeln!(std::io::stdout(), "asked {asked}");
            let _ = stream.write_all(answer).await;
        }
    }
}

fn app() -> Router {
    Router::new()
        .route("/exit", get(exit))
        .route("/die", post(die))
        .route("/wait", get(wait))
        .route("/echo", any(|request: Request| async { request.into_body() }))
        .route("/large", get(large))
        .route("/count", post(count))
        .route("/events", get(events))
        .route("/socket", any(socket))
        .fallback(who)
}

/// Ends the process in the middle of a request.
#[expect(clippy::exit, reason = "that is what it is for")]
async fn exit() {
    std::process::exit(3)
}

/// Ends the process once so much of a body is here as the query says.
async fn die(request: Request) {
    let after: usize = asked(&request, "after").parse().unwrap_or(0);
    let mut pieces = request.into_body().into_data_stream();
    let mut bytes = 0;
    while bytes < after {
        let Some(Ok(piece)) = pieces.next().await else { break };
        bytes += piece.len();
    }
    exit().await;
}

/// Answers once the file is there that the query names.
async fn wait(request: Request) -> String {
    let file = asked(&request, "file");
    while !std::path::Path::new(&file).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    std::process::id().to_string()
}

/// A value of the query, as it is written there.
fn asked(request: &Request, name: &str) -> String {
    let pairs = request.uri().query().unwrap_or_default().split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map_or_else(String::new, |(_, value)| value.to_owned())
}

/// As many bytes as the query says.
async fn large(request: Request) -> Body {
    let bytes: usize = asked(&request, "bytes").parse().unwrap_or(0);
    let pieces = (0..bytes.div_ceil(65_536)).map(move |piece| {
        let left = bytes - piece * 65_536;
        Ok::<_, std::io::Error>(vec![b'x'; left.min(65_536)])
    });
    Body::from_stream(futures_util::stream::iter(pieces))
}

/// How many bytes it was sent.
async fn count(request: Request) -> String {
    let mut pieces = request.into_body().into_data_stream();
    let mut bytes = 0;
    while let Some(Ok(piece)) = pieces.next().await {
        bytes += piece.len();
    }
    bytes.to_string()
}

/// Two events, the second once the file is there that the query names.
async fn events(request: Request) -> Response {
    let second = futures_util::stream::once(async move {
        wait(request).await;
        "data: second\n\n"
    });
    let first = futures_util::stream::once(async { "data: first\n\n" });
    let events = first.chain(second).map(|event| Ok::<_, std::io::Error>(Bytes::from(event)));
    let answer = Response::builder().header("Content-Type", "text/event-stream");
    answer.body(Body::from_stream(events)).expect("a head")
}

/// Says every message back.
async fn socket(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket| {
        // It ends with the connection.
        while let Some(Ok(message)) = socket.recv().await {
            let _ = socket.send(message).await;
        }
    })
}

/// What it was asked, and what it was told.
async fn who(request: Request) -> Json<serde_json::Value> {
    let headers: BTreeMap<_, _> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
        .collect();
    let variables: BTreeMap<_, _> = std::env::vars().collect();
    Json(serde_json::json!({
        "process": std::process::id(),
        "target": request.uri().to_string(),
        "method": request.method().as_str(),
        "version": format!("{:?}", request.version()),
        "headers": headers,
        "variables": variables,
        "arguments": std::env::args().skip(1).collect::<Vec<_>>(),
        "folder": std::env::current_dir().unwrap_or_default(),
    }))
}
