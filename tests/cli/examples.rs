//! The examples as who reads them runs them.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use hyper_util::rt::{TokioExecutor, TokioIo};
use nix::sys::signal::Signal;
use tonic::Code;
use tonic_prost::ProstCodec;
use tungstenite::Message;

use crate::environment::skipped;
use crate::http::{connect, get, get_over, socket_address};
use crate::process::{Kestrel, Running};

const ANY_PORT: [&str; 2] = ["--urls", "http://127.0.0.1:0"];

/// An example, if it is built: `cargo test` does, if it is asked for nothing else.
fn example(name: &str, arguments: &[&str]) -> Option<Kestrel> {
    let folder = Path::new(env!("CARGO_BIN_EXE_kestrel")).with_file_name("examples");
    let program: PathBuf = folder.join(name);
    if !program.is_file() {
        skipped(&format!("the example {name}"), "cargo build --examples");
        return None;
    }
    let mut command = Command::new(program);
    command.args(arguments);
    Some(Kestrel::by(command))
}

fn is_stopped(running: Running) -> String {
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    outcome.stdout
}

#[test]
fn hello_and_limits_do_what_they_say() {
    let Some(hello) = example("hello", &ANY_PORT) else { return };
    let running = hello.started();
    assert_eq!(get(&running.address(), "/", &[]).body, "Hello, World!");
    is_stopped(running);
    let Some(limits) = example("limits", &ANY_PORT) else { return };
    let running = limits.started();
    for (path, length, status) in [("/notes", 20_000, 413), ("/uploads", 20_000, 200)] {
        let body = "x".repeat(length);
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        let mut stream = connect(&running.address());
        stream.write_all(request.as_bytes()).expect("it reads");
        // It need not read what it refuses.
        let _ = stream.write_all(body.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
    is_stopped(running);
}

#[test]
fn a_json_api_opens_its_store_and_tells_what_is_wrong_with_its_section() {
    let Some(without) = example("json_api", &ANY_PORT) else { return };
    let outcome = without.ended();
    assert_eq!(outcome.code, Some(6));
    assert!(outcome.stderr.contains("'Store:File' is missing."), "{}", outcome.stderr);

    let Some(api) = example("json_api", &ANY_PORT) else { return };
    let api = api.file("appsettings.json", r#"{"Store":{"File":"notes.json","MaxNotes":2}}"#);
    let running = api.started();
    for (note, count) in [("one", "1"), ("two", "2"), ("three", "2")] {
        let body = format!("\"{note}\"");
        let head = format!(
            "POST /notes HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = connect(&running.address());
        stream.write_all(head.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        assert!(answer.ends_with(&format!("\r\n\r\n{count}")), "{answer}");
    }
    assert_eq!(get(&running.address(), "/notes", &[]).body, r#"["two","three"]"#);
    is_stopped(running);
}

/// Ctrl+C ends what would never end by itself: at once, and without an error.
#[test]
fn a_chat_and_a_stream_of_events_end_cleanly_when_their_host_stops() {
    let patience = ["--urls", "http://127.0.0.1:0", "--shutdownTimeoutSeconds", "86400"];
    let Some(chat) = example("chat", &patience) else { return };
    let running = chat.started();
    let address = running.address();
    let url = format!("{}/chat", address.replace("http", "ws"));
    let enter = || tungstenite::client(&url, connect(&address)).expect("an upgrade").0;
    let (mut one, mut other) = (enter(), enter());
    // What is said before the other one is there would not reach it.
    other.send(Message::text("I am here")).expect("it reads");
    assert_eq!(other.read().expect("its own line"), Message::text("I am here"));
    one.send(Message::text("hello")).expect("it reads");
    let mut heard = || one.read().expect("a line");
    while heard() != Message::text("hello") {}
    assert_eq!(other.read().expect("a line"), Message::text("hello"));
    running.signal(Signal::SIGINT);
    for socket in [&mut one, &mut other] {
        let Message::Close(Some(end)) = socket.read().expect("a goodbye") else {
            panic!("that is no goodbye");
        };
        assert_eq!(u16::from(end.code), 1001, "going away");
        while socket.read().is_ok() {}
    }
    let outcome = running.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));

    let Some(events) = example("events", &patience) else { return };
    let running = events.started();
    let mut stream = connect(&running.address());
    stream.write_all(b"GET /time HTTP/1.1\r\nHost: test\r\n\r\n").expect("it reads");
    let mut lines = BufReader::new(stream).lines();
    let first =
        lines.by_ref().map(|line| line.expect("text")).find(|line| line.starts_with("data: "));
    assert!(first.is_some());
    running.signal(Signal::SIGINT);
    // The last chunk is the clean end of the answer.
    let rest: Vec<_> = lines.map(|line| line.expect("no reset")).collect();
    assert_eq!(rest.iter().rev().nth(1).map(String::as_str), Some("0"), "{rest:?}");
    let outcome = running.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

#[test]
fn a_worker_follows_its_section_and_stops_the_host_when_it_fails() {
    let levels = ["--Logging:LogLevel:Default", "Information"];
    let arguments = |rest: &[&'static str]| [&ANY_PORT, &levels, rest].concat();
    let Some(worker) = example("worker", &arguments(&["--Worker:Every", "1d"])) else { return };
    let running = worker.started();
    assert_eq!(get(&running.address(), "/", &[]).body, "1 rounds\n");
    let log = is_stopped(running);
    assert!(log.contains("the last round is done"), "{log}");

    let failing = arguments(&["--Worker:Every", "1ms", "--Worker:Rounds", "2"]);
    let Some(worker) = example("worker", &failing) else { return };
    let outcome = worker.ended();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stdout);
    let told = "The service 'worker' failed: there is nothing left to do.";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);

    let Some(worker) = example("worker", &arguments(&["--Worker:Every", "soon"])) else { return };
    let outcome = worker.ended();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("'soon'"), "{}", outcome.stdout);
}

#[test]
fn a_host_inside_of_another_program_ends_with_it() {
    let Some(embedded) = example("embedded", &ANY_PORT) else { return };
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let running = embedded.stdin(Stdio::from(reader)).started();
    let mut writer = writer;
    let address = running.address();
    assert_eq!(get_over(connect(&address), "/", &[]).body, "nothing yet");
    writer.write_all(b"a line\n").expect("it reads");
    while get(&address, "/", &[]).body != "a line" {
        thread::yield_now();
    }
    drop(writer);
    let outcome = running.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

#[test]
fn another_server_answers_lines_and_ends_with_its_input() {
    let Some(lines) = example("custom_server", &[]) else { return };
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(b"/greet\n/nothing\n").expect("it reads");
    drop(writer);
    let outcome = lines.stdin(Stdio::from(reader)).ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    for told in ["\n200 Hello, line!\n404 \n", "Now listening on: lines://stdin"] {
        assert!(outcome.stdout.contains(told), "{told}: {}", outcome.stdout);
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct HelloRequest {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HelloReply {
    #[prost(string, tag = "1")]
    message: String,
}

/// tonic's client says what it made of heads, messages and trailers.
#[tokio::test]
async fn grpc_has_its_replies_its_stream_and_its_status() {
    let Some(grpc) = example("grpc", &ANY_PORT) else { return };
    let running = grpc.started();
    let stream = tokio::net::TcpStream::connect(socket_address(&running.address())).await;
    let stream = TokioIo::new(stream.expect("somebody listens"));
    let connected = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (requests, connection) = connected.expect("HTTP/2");
    tokio::spawn(connection);
    let send = move |request| requests.clone().send_request(request);
    let origin = running.address().parse().expect("a URI");
    let mut client = tonic::client::Grpc::with_origin(tower::service_fn(send), origin);
    let hello = |name: &str| tonic::Request::new(HelloRequest { name: name.to_owned() });
    let codec = ProstCodec::<HelloRequest, HelloReply>::default;
    let path = |path| axum::http::uri::PathAndQuery::from_static(path);
    let (once, often) = (path("/greet.Greeter/SayHello"), path("/greet.Greeter/KeepSayingHello"));

    client.ready().await.expect("it is");
    let reply = client.unary(hello("Ada"), once.clone(), codec()).await.expect("a reply");
    assert_eq!(reply.into_inner().message, "Hello, Ada!");
    for path in [once, often.clone()] {
        let refused = client.server_streaming(hello(""), path, codec()).await;
        let status = refused.expect_err("a status in the place of a reply");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "there is nobody to greet");
    }
    let replies = client.server_streaming(hello("you"), often, codec()).await;
    let mut replies = replies.expect("a stream").into_inner();
    for _ in 0..2 {
        let reply = replies.message().await.expect("no error").expect("another one");
        assert_eq!(reply.message, "Hello, you!");
    }
    running.signal(Signal::SIGTERM);
    let status = loop {
        match replies.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the end says nothing"),
            Err(status) => break status,
        }
    };
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "the server stops"));
    drop((client, replies));
    let outcome = running.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

#[test]
fn a_source_of_ones_own_has_its_place_its_reload_and_its_lines() {
    let start = |text: &str, rest: &[&'static str]| {
        let example = example("own_source", &[&ANY_PORT, rest].concat())?;
        let below = r#"{"Greeting":"from appsettings.json"}"#;
        Some(example.file("appsettings.json", below).file("app.properties", text))
    };
    let Some(program) = start("# the greeting\nGreeting = Hello\n", &[]) else { return };
    let file = program.root().join("app.properties");
    let running = program.started();
    assert_eq!(get(&running.address(), "/", &[]).body, "Hello");
    std::fs::write(file, "Greeting=Good day\n").expect("it can be written");
    while get(&running.address(), "/", &[]).body != "Good day" {
        thread::yield_now();
    }
    is_stopped(running);

    let Some(program) = start("Greeting = Hello\n", &["--Greeting", "typed"]) else { return };
    let running = program.started();
    assert_eq!(get(&running.address(), "/", &[]).body, "typed");
    is_stopped(running);

    let Some(program) = start("what\nKestrel:Limits:Http2 = 1\nis this\n", &[]) else { return };
    let outcome = program.ended();
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    for told in ["'what' is no property.", "app.properties:1:1", "app.properties:3:1"] {
        assert!(outcome.stderr.contains(told), "{told}: {}", outcome.stderr);
    }

    let long = "  Kestrel:Limits:MaxRequestBodySize =  much\n";
    let Some(program) = start(long, &[]) else { return };
    let outcome = program.ended();
    assert!(outcome.stderr.contains("app.properties:1:40"), "{}", outcome.stderr);
}

/// An example is run by a test above, or has tests of its own, which `cargo test` has to run.
#[test]
fn no_example_is_forgotten() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |path: &Path| std::fs::read_to_string(path).expect("a text");
    let (manifest, tests) =
        (text(&root.join("Cargo.toml")), text(&root.join("tests/cli/examples.rs")));
    let files = std::fs::read_dir(root.join("examples")).expect("the folder is there");
    let mut seen = 0;
    for file in files.map(|file| file.expect("it can be read").path()) {
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        seen += 1;
        let name = file.file_stem().expect("a name").to_string_lossy();
        let has_tests = text(&file).contains("#[cfg(test)]");
        let is_tested = manifest.contains(&format!("name = \"{name}\"\ntest = true\n"));
        assert_eq!(has_tests, is_tested, "{name}: test = true in Cargo.toml");
        assert!(
            has_tests || tests.contains(&format!("example(\"{name}\"")),
            "{name}: who runs it?"
        );
    }
    assert!(seen > 8, "they are found: {seen}");
}
