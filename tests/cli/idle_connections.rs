//! Ten thousand connections that were served and wait for their next request.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::environment::skipped;
use crate::http::{connect, get};
use crate::process::{Kestrel, LIMIT};

const CONNECTIONS: usize = 10_000;

/// What each may hold of a debug build's memory, in bytes. `docs/performance.md` tells what it is
/// in a release.
const MOST_EACH: usize = 6000;

/// How fast they come, a second: a crowd, and no attack.
const PACE: u32 = 3000;

/// Files the test and the server need besides.
const OTHER_FILES: u64 = 500;

#[test]
#[expect(clippy::print_stdout, reason = "the figure, for who asks for it")]
fn ten_thousand_idle_connections_cost_little_and_keep_nobody_out() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    let needed = CONNECTIONS as u64 + OTHER_FILES;
    if hard < needed {
        return skipped(
            "10,000 idle connections",
            &format!(
                "a hard limit of {needed} open files, not {hard} (ulimit -Hn {needed}, as root)"
            ),
        );
    }
    // The server inherits it.
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("up to the hard limit");
    let urls = ["run", "--urls", "http://127.0.0.1:0;http://127.0.0.2:0"];
    let running = Kestrel::new(urls)
        .variable("Kestrel__Limits__MaxConcurrentConnections", &CONNECTIONS.to_string())
        .variable("Kestrel__Limits__KeepAliveTimeout", "00:02:00")
        .started();
    // The limit is each endpoint's own: one has the crowd, the other a client as any.
    let addresses = running.addresses();
    let [crowded, quiet] = &addresses[..] else {
        panic!("two addresses, not {addresses:?}");
    };
    assert!(is_served(&mut connect(quiet)));
    let before = running.resident_memory();

    let begun = Instant::now();
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let mut connection = connect(crowded);
        assert!(is_served(&mut connection), "connection {number}");
        connections.push(connection);
        if number % 1000 == 0 {
            assert_eq!(get(quiet, "/", &[]).status, 200);
        }
        let due = begun + Duration::from_secs(1) * u32::try_from(number).expect("few") / PACE;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }

    for _ in 0..20 {
        assert!(!is_served(&mut connect(crowded)), "one more than the limit");
    }
    // A while after its answer a connection holds less.
    let bound = before + CONNECTIONS * MOST_EACH;
    let begun = Instant::now();
    while running.resident_memory() > bound && begun.elapsed() < Duration::from_secs(5) {
        assert_eq!(get(quiet, "/", &[]).status, 200);
        thread::sleep(Duration::from_millis(50));
    }
    let each = (running.resident_memory() - before) / CONNECTIONS;
    assert!(each <= MOST_EACH, "each holds {each} bytes");
    println!("each of {CONNECTIONS} idle connections holds {each} bytes");

    for connection in connections.iter_mut().step_by(100) {
        assert!(is_served(connection), "it was only waiting");
    }
    // One goes, and there is room for another.
    connections.truncate(CONNECTIONS - 1);
    let begun = Instant::now();
    while !is_served(&mut connect(crowded)) {
        assert!(begun.elapsed() < LIMIT, "a place is never free again");
    }
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

/// Asks once more on a connection; false if the server has ended it.
fn is_served(connection: &mut TcpStream) -> bool {
    let ends = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    match connection.write_all(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n") {
        Err(error) if ends.contains(&error.kind()) => return false,
        written => written.expect("the server reads"),
    }
    let (mut answer, mut length) = ([0; 4096], 0);
    loop {
        match connection.read(&mut answer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if ends.contains(&error.kind()) => break,
            Err(error) => panic!("{error}"),
        }
        let text = str::from_utf8(&answer[..length]).expect("the answer is text");
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let length = lines.find_map(|line| line.strip_prefix("Content-Length: "));
            let expected: usize = length.and_then(|text| text.parse().ok()).expect("a length");
            if body.len() == expected {
                assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
                return true;
            }
        }
    }
    assert_eq!(length, 0, "the answer is cut off");
    false
}
