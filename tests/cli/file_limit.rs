//! A process that runs out of file descriptors goes on as soon as it has some again.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{connect, get};
use crate::process::Kestrel;

/// `kestrel run` with no more than so many descriptors.
fn with_descriptors(count: u8, arguments: &[&str]) -> Kestrel {
    let mut command = Command::new("/bin/sh");
    let script = format!("ulimit -n {count} && exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_kestrel"), "run"]);
    command.args(["--urls", "http://127.0.0.1:0"]).args(arguments);
    Kestrel::by(command)
}

#[test]
fn accepting_survives_the_limit_of_open_files() {
    let running = with_descriptors(40, &["--Logging:LogLevel:Kestrel.Server=Debug"]).started();
    let address = running.address();
    let begun = Instant::now();
    // The system completes them all; the process can take some 25.
    let connections: Vec<_> = (0..60).map(|_| connect(&address)).collect();
    running.wait_for("warn: Kestrel.Server[1]");
    running.wait_for("cannot be accepted: ");
    running.wait_for("fix: raise the limit of open files");
    // It does not spin: the pauses grow from 50 ms on, twice as long each. What goes on is told once.
    running.wait_until(|text| text.matches("dbug: Kestrel.Server[1]").count() >= 3);
    assert_eq!(running.stdout().matches("warn: Kestrel.Server[1]").count(), 1);
    assert!(begun.elapsed() >= Duration::from_millis(50 + 100 + 200), "{:?}", begun.elapsed());
    drop(connections);
    for _ in 0..3 {
        assert_eq!(get(&address, "/", &[]).status, 200);
    }
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

/// A server of a proxy, that answers the first request of each connection once so many are there, and all others at once.
#[expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]
fn destination(together: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let all_are_there = Arc::new(Barrier::new(together));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let all_are_there = Arc::clone(&all_are_there);
            thread::spawn(move || {
                let (mut seen, mut is_first) = (Vec::new(), true);
                let mut piece = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut piece) {
                    seen.extend_from_slice(&piece[..read]);
                    if seen.ends_with(b"\r\n\r\n") {
                        seen.clear();
                        if std::mem::take(&mut is_first) {
                            all_are_there.wait();
                        }
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                        stream.write_all(answer).expect("the proxy reads");
                    }
                }
            });
        }
    });
    address
}

fn ask(mut stream: &TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
}

/// The status of an answer whose body is `ok`, or empty.
fn answered(mut stream: &TcpStream) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer);
        if text.ends_with("\r\n\r\nok") || text.contains("Content-Length: 0") {
            return text.split(' ').nth(1).unwrap_or_default().to_owned();
        }
        let read = stream.read(&mut piece).expect("the server answers");
        assert!(read > 0, "{text}");
        answer.extend_from_slice(&piece[..read]);
    }
}

#[test]
fn who_has_to_connect_takes_the_descriptors_of_idle_connections() {
    const KEPT: usize = 8;
    let first = format!("/a/{{**rest}}=http://{}", destination(KEPT));
    let second = format!("/b/{{**rest}}=http://{}", destination(1));
    let running = with_descriptors(60, &["--proxy", &first, "--proxy", &second]).started();
    let address = running.address();
    // Eight connections to the first server, which are kept.
    let clients: Vec<_> = (0..KEPT).map(|_| connect(&address)).collect();
    clients.iter().for_each(|client| ask(client, "/a/"));
    assert!(clients.iter().all(|client| answered(client) == "200"));
    // Clients take all that is left.
    let others: Vec<_> = (0..80).map(|_| connect(&address)).collect();
    running.wait_for("cannot be accepted: ");
    ask(&clients[0], "/b/");
    assert_eq!(answered(&clients[0]), "200", "{}", running.stdout());
    drop(others);
    assert_eq!(get(&address, "/a/", &[]).status, 200);
    assert_eq!(running.terminated().code, Some(0));
}
