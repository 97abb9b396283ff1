//! Destinations of the proxy that are killed and started again at any moment, under load.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use nix::sys::signal::Signal;

use crate::http::connect;
use crate::process::{Kestrel, LIMIT, Running};

const CLIENTS: usize = 8;
const KILLS: usize = 12;

/// How the requests so far were answered.
#[derive(Default)]
struct Answers {
    /// By the destinations, those without a body.
    by_place: [AtomicUsize; 2],
    /// The others.
    good: AtomicUsize,
    /// By the proxy, that it could not reach the destination, or that what was sent may have got there.
    bad: AtomicUsize,
}

impl Answers {
    fn by(&self, place: usize) -> usize {
        self.by_place[place].load(Ordering::SeqCst)
    }

    fn good(&self) -> usize {
        self.by(0) + self.by(1) + self.good.load(Ordering::SeqCst)
    }

    fn all(&self) -> usize {
        self.good() + self.bad.load(Ordering::SeqCst)
    }
}

/// A server at a Unix socket, which the next one can have as well, whatever became of this one. Its site is its place.
fn destination(place: usize, socket: &str) -> Running {
    let urls = format!("http://unix:{socket}");
    let kestrel = Kestrel::new(["run", "--urls", &urls]);
    let root = kestrel.root().join("wwwroot");
    fs::create_dir(&root).expect("the folder is ours");
    fs::write(root.join("index.html"), place.to_string()).expect("the folder is ours");
    kestrel.started()
}

/// Asks over one connection, with and without a body by turns, until it is told to end. Every request is answered,
/// whole and in order, and the connection stays.
fn ask(address: &str, answers: &Answers, ends: &AtomicBool) {
    let stream = connect(address);
    let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
    for number in 0.. {
        if ends.load(Ordering::SeqCst) {
            return;
        }
        let counted = match ask_once(&stream, &mut reader, number % 2 == 0) {
            (200, body) => &answers.by_place[body.parse::<usize>().expect("a place")],
            // A site has nothing to post to.
            (404, _) => &answers.good,
            (502 | 503, _) => &answers.bad,
            (status, _) => panic!("{status}"),
        };
        counted.fetch_add(1, Ordering::SeqCst);
    }
}

fn ask_once(mut stream: &TcpStream, reader: &mut impl BufRead, is_get: bool) -> (u16, String) {
    let request = match is_get {
        true => "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        false => "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    };
    stream.write_all(request.as_bytes()).expect("the proxy reads");
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        let read = reader.read_line(&mut line).expect("the proxy answers in text");
        assert!(read > 0, "the connection has ended after {head:?}");
        if line == "\r\n" {
            break;
        }
        head.push(line.to_lowercase());
    }
    let value = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let length = value("content-length: ").map_or(0, |it| it.parse().expect("a number"));
    assert_eq!(value("transfer-encoding: "), None, "neither has answers of unknown length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a whole body");
    let status = head[0].split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    (status, String::from_utf8(body).expect("text"))
}

/// Lets the clients end, however the test does.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Numbers that are the same every time.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 40).expect("24 bits")
}

#[test]
fn every_request_is_answered_while_destinations_are_killed_at_any_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let sockets = ["a", "b"].map(|it| folder.path().join(it).display().to_string());
    let mut destinations = [0, 1].map(|place| Some(destination(place, &sockets[place])));
    let [first, second] = &sockets;
    let settings = format!(
        r#"{{ "ReverseProxy": {{
        "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**rest}}" }} }} }},
        "Clusters": {{ "c": {{
          "HealthCheck": {{ "Active": {{ "Enabled": true, "Interval": "00:00:00.2", "Path": "/" }} }},
          "Metadata": {{ "ConsecutiveFailuresHealthPolicy.Threshold": "1" }},
          "Destinations": {{
            "first": {{ "Address": "http://unix:{first}" }},
            "second": {{ "Address": "http://unix:{second}" }} }} }} }} }},
        "Logging": {{ "LogLevel": {{ "Default": "Error", "Microsoft.Hosting": "Information" }} }} }}"#
    );
    let proxy = Kestrel::run([]).file("appsettings.json", &settings).started();
    let address = proxy.address();
    let (answers, ends) = (Answers::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let _ends = Ends(&ends);
        let clients: Vec<_> =
            (0..CLIENTS).map(|_| scope.spawn(|| ask(&address, &answers, &ends))).collect();
        let goes_on = |count: &dyn Fn() -> usize, more: usize| {
            let (wanted, began) = (count() + more, Instant::now());
            while count() < wanted {
                assert!(clients.iter().all(|it| !it.is_finished()), "a client has failed");
                assert!(began.elapsed() < LIMIT, "requests are not answered any more");
                thread::yield_now();
            }
        };
        let mut state = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..KILLS {
            // At any moment, in the midst of requests.
            goes_on(&|| answers.all(), 20 + next(&mut state) % 100);
            let place = next(&mut state) % destinations.len();
            if let Some(killed) = destinations[place].take() {
                killed.signal(Signal::SIGKILL);
                assert_eq!(killed.ended().signal, Some(9));
            }
            goes_on(&|| answers.all(), next(&mut state) % 100);
            destinations[place] = Some(destination(place, &sockets[place]));
            // Both are found again.
            [0, 1].iter().for_each(|place| goes_on(&|| answers.by(*place), 20));
        }
    });
    let (good, bad) = (answers.good(), answers.bad.load(Ordering::SeqCst));
    // What may have been done already is not sent again: at most what each client had under way, and what went out
    // before anybody knew.
    assert!(bad <= KILLS * CLIENTS * 2, "{good} were answered by destinations, {bad} were not");
    assert_eq!(proxy.terminated().code, Some(0));
}
