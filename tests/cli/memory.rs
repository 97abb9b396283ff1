//! Memory that bursts of requests needed, and the system gets back.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{connect, get};
use crate::process::{Kestrel, LIMIT};

const BURSTS: usize = 16;
const CONNECTIONS: usize = 400;
const BODY: usize = 200_000;

/// What may stay above the memory of the start, in bytes.
const MOST_KEPT: usize = 20 * 1024 * 1024;

/// The binary's allocator gives unused memory back within ten seconds; glibc's keeps it for good.
#[test]
fn memory_of_bursts_comes_back() {
    let running = Kestrel::run([]).variable("Logging__LogLevel__Microsoft", "Warning");
    let running = running.variable("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Information");
    let running = running.started();
    let address = running.address();
    get(&address, "/", &[]);
    let before = running.resident_memory();

    let body = vec![b'x'; BODY];
    for _ in 0..BURSTS {
        burst(&address, &body);
    }
    let begun = Instant::now();
    while running.resident_memory() > before + MOST_KEPT {
        let kept = (running.resident_memory() - before) / 1024 / 1024;
        assert!(begun.elapsed() < LIMIT, "{kept} MiB more than at the start stay for good");
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(running.terminated().code, Some(0));
}

/// As many connections at once, each with a request whose body is on its way until all are.
fn burst(address: &str, body: &[u8]) {
    let here = Barrier::new(CONNECTIONS);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let ask = || ask(connect(address), body, &here);
            thread::Builder::new()
                .stack_size(64 * 1024)
                .spawn_scoped(scope, ask)
                .expect("a thread");
        }
    });
}

fn ask(mut connection: TcpStream, body: &[u8], here: &Barrier) {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: {BODY}\r\n\r\n"
    );
    let (first, last) = body.split_at(BODY - 1);
    connection.write_all(head.as_bytes()).expect("the server reads");
    connection.write_all(first).expect("the server reads");
    here.wait();
    connection.write_all(last).expect("the server reads");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).expect("an answer, and its end");
    assert!(answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&answer));
}
