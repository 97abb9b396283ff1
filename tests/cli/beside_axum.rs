//! The programs of the table in `docs/library.md`, each as an example of ours and with `axum::serve`
//! (`tests/beside_axum`): from outside they do the same, and one test sees both.

use std::io::{BufRead, BufReader, Read, Write};

use hyper_util::rt::{TokioExecutor, TokioIo};
use nix::sys::signal::Signal;
use tonic::Code;
use tonic_prost::ProstCodec;
use tungstenite::Message;

use crate::examples::{ANY_PORT, example};
use crate::http::{connect, get, socket_address};
use crate::process::{Kestrel, Outcome, Running, wait_until_taken};

/// One of the table's programs, with arguments beside its address.
fn both(name: &str, ours: &[&str], axum: &[&str]) -> [Option<Kestrel>; 2] {
    let of_axum = [&[name, "--address", "127.0.0.1:0"], axum].concat();
    [example(name, &[&ANY_PORT, ours].concat()), example("beside_axum", &of_axum)]
}

/// Starts it: the first address that it announces.
fn started(program: Kestrel) -> (Running, String) {
    let running = program.spawn();
    running.wait_for("Now listening on: ");
    wait_until_taken(running.id(), &[Signal::SIGINT, Signal::SIGTERM]);
    let address = announced(&running).swap_remove(0);
    (running, address)
}

fn announced(running: &Running) -> Vec<String> {
    let text = running.stdout();
    let addresses = text.lines().filter_map(|line| line.split_once("Now listening on: "));
    addresses.map(|(_, address)| address.to_owned()).collect()
}

fn is_clean(outcome: &Outcome) {
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("cut off"), "{}", outcome.stdout);
}

fn post(address: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    let mut stream = connect(address);
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

#[test]
fn a_json_api_has_its_store_its_settings_and_its_layers() {
    let ours = ["--Store:File", "notes.json", "--Store:MaxNotes", "2"];
    let axum = ["--store.file", "notes.json", "--store.max_notes", "2"];
    for program in both("json_api", &ours, &axum).into_iter().flatten() {
        let (running, address) = started(program);
        for (note, count) in [("one", "1"), ("two", "2"), ("three", "2")] {
            let json = "Content-Type: application/json\r\n";
            let answer = post(&address, "/notes", json, &format!("\"{note}\""));
            assert!(answer.ends_with(&format!("\r\n\r\n{count}")), "{answer}");
        }
        let notes = get(&address, "/notes", &[]);
        assert_eq!(notes.body, r#"["two","three"]"#);
        assert_eq!(notes.header("cache-control"), Some("no-store"));
        is_clean(&running.terminated());
    }
}

/// Ctrl+C ends what would never end by itself: at once, and without an error.
#[test]
fn a_chat_says_goodbye_to_everybody() {
    for chat in both("chat", &["--shutdownTimeoutSeconds", "86400"], &[]).into_iter().flatten() {
        let (running, address) = started(chat);
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
        is_clean(&running.ended());
    }
}

#[test]
fn a_stream_of_events_ends_cleanly() {
    for events in both("events", &["--shutdownTimeoutSeconds", "86400"], &[]).into_iter().flatten()
    {
        let (running, address) = started(events);
        let mut stream = connect(&address);
        stream.write_all(b"GET /time HTTP/1.1\r\nHost: test\r\n\r\n").expect("it reads");
        let mut lines = BufReader::new(stream).lines();
        let first =
            lines.by_ref().map(|line| line.expect("text")).find(|line| line.starts_with("data: "));
        assert!(first.is_some());
        running.signal(Signal::SIGINT);
        // The last chunk is the clean end of the answer.
        let rest: Vec<_> = lines.map(|line| line.expect("no reset")).collect();
        assert_eq!(rest.iter().rev().nth(1).map(String::as_str), Some("0"), "{rest:?}");
        is_clean(&running.ended());
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
    for program in both("grpc", &[], &[]).into_iter().flatten() {
        let (running, address) = started(program);
        let stream = tokio::net::TcpStream::connect(socket_address(&address)).await;
        let stream = TokioIo::new(stream.expect("somebody listens"));
        let connected = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
        let (requests, connection) = connected.expect("HTTP/2");
        let connection = tokio::spawn(connection);
        let send = move |request| requests.clone().send_request(request);
        let origin = address.parse().expect("a URI");
        let mut client = tonic::client::Grpc::with_origin(tower::service_fn(send), origin);
        let hello = |name: &str| tonic::Request::new(HelloRequest { name: name.to_owned() });
        let codec = ProstCodec::<HelloRequest, HelloReply>::default;
        let path = |path| axum::http::uri::PathAndQuery::from_static(path);
        let (once, often) =
            (path("/greet.Greeter/SayHello"), path("/greet.Greeter/KeepSayingHello"));

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
        connection.await.expect("no panic").expect("a clean end");
        is_clean(&running.ended());
    }
}

#[test]
fn settings_follow_their_file_and_keep_what_can_be_read() {
    let text = |greeting: &str| format!(r#"{{ "greeting": {{ "text": {greeting} }} }}"#);
    let programs =
        both("settings", &[], &[]).into_iter().zip(["appsettings.json", "settings.json"]);
    for (program, name) in programs.filter_map(|(program, name)| Some((program?, name))) {
        let program = program.file(name, &text("\"Hello\""));
        let file = program.root().join(name);
        let (running, address) = started(program);
        assert_eq!(get(&address, "/", &[]).body, "Hello");
        let edit = |greeting| std::fs::write(&file, text(greeting)).expect("it can be written");
        edit("\"Good day\"");
        running.wait_for("the greeting is Good day now");
        assert_eq!(get(&address, "/", &[]).body, "Good day");
        edit(r#"{ "is": "no text" }"#);
        running.wait_until(|log| {
            log.contains("Unable to reload configuration.")
                || log.contains("The settings stay as they are")
        });
        assert_eq!(get(&address, "/", &[]).body, "Good day");
        edit("\"Bye\"");
        running.wait_for("the greeting is Bye now");
        is_clean(&running.terminated());
    }
}

#[test]
fn two_servers_of_one_process_stop_together() {
    let (ours, axum) = (["--Admin:Urls", "http://127.0.0.1:0"], ["--admin.address", "127.0.0.1:0"]);
    for program in both("twice", &ours, &axum).into_iter().flatten() {
        let (running, _) = started(program);
        running.wait_until(|log| log.matches("Now listening on: ").count() == 2);
        let addresses = announced(&running);
        let greets = |address: &&String| get(address, "/", &[]).body == "Hello, World!";
        assert_eq!(addresses.iter().filter(greets).count(), 1);
        let admin = addresses.iter().find(|address| !greets(address)).expect("the other one");
        assert!(post(admin, "/stop", "", "").starts_with("HTTP/1.1 202 "));
        is_clean(&running.ended());
    }
}

#[test]
fn a_listener_that_is_there_already_knows_its_clients() {
    let programs = [example("own_listener", &[]), example("beside_axum", &["own_listener"])];
    for program in programs.into_iter().flatten() {
        let (running, address) = started(program);
        let mut client = connect(&address);
        let mine = client.local_addr().expect("it is connected").to_string();
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .expect("it reads");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("text");
        assert!(answer.ends_with(&mine), "{mine}: {answer}");
        is_clean(&running.terminated());
    }
}

#[test]
fn a_worker_does_its_last_round_follows_its_section_and_fails_loudly() {
    let text = |every: u64, rounds: &str| {
        format!(
            r#"{{ "worker": {{ "every": "{every}ms", "every_milliseconds": {every}, "rounds": {rounds} }} }}"#
        )
    };
    let names = ["appsettings.json", "settings.json"];
    let programs = |every| {
        let ours = ["--Logging:LogLevel:Default", "Information"];
        let programs = both("worker", &ours, &[]).into_iter().zip(names);
        programs.filter_map(move |(program, name)| Some(program?.file(name, &text(every, "null"))))
    };
    for program in programs(86_400_000) {
        let (running, address) = started(program);
        running.wait_for("round 1");
        assert_eq!(get(&address, "/", &[]).body, "1 rounds\n");
        let outcome = running.terminated();
        is_clean(&outcome);
        assert!(outcome.stdout.contains("the last round is done"), "{}", outcome.stdout);
    }
    for (program, (name, code)) in programs(1).zip(names.into_iter().zip([7, 1])) {
        let file = program.root().join(name);
        let running = program.spawn();
        running.wait_for("round 3");
        std::fs::write(file, text(1, "2")).expect("it can be written");
        let outcome = running.ended();
        assert_eq!(outcome.code, Some(code), "{}", outcome.stdout);
        assert!(outcome.stdout.contains("there is nothing left to do"), "{}", outcome.stdout);
    }
}
