//! Files that are asked for again and again, which the system sends from places of their own. Only where no log wants to
//! know of each request.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::http::connect;
use crate::process::{Kestrel, LIMIT, Running};

/// What is sent without a log, from a folder with these files.
fn serving(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Running {
    let kestrel = Kestrel::run([
        "--urls=http://127.0.0.1:0",
        "--Logging:LogLevel:Microsoft.AspNetCore=Warning",
    ]);
    let root = kestrel.root().join("wwwroot");
    fs::create_dir(&root).expect("a folder");
    for (name, bytes) in files {
        write(&root, &name, &bytes);
    }
    kestrel.started()
}

/// Writes a file that was not changed just now.
fn write(root: &Path, name: &str, bytes: &[u8]) {
    let mut file = File::create(root.join(name)).expect("a file");
    file.write_all(bytes).expect("room");
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).expect("a time");
}

/// How many answers the system holds for a process.
#[cfg(target_os = "linux")]
fn kept_for(process: &Running) -> usize {
    let all = fs::read_dir(format!("/proc/{}/fd", process.id())).expect("descriptors").flatten();
    let links = all.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter(|link| link.to_string_lossy().contains("kestrel-answer")).count()
}

#[cfg(not(target_os = "linux"))]
fn kept_for(_: &Running) -> usize {
    0
}

/// The head of the next answer.
fn head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).expect("an answer") > 0, "{head}");
    }
    head
}

/// Notes the date of a head: one that is over does not come again.
fn noted(head: &str, dates: &mut Vec<String>) {
    let date = head.lines().find_map(|line| line.strip_prefix("Date: ")).expect("a date");
    if dates.last().is_none_or(|last| last != date) {
        assert!(!dates.iter().any(|before| before == date), "{date} again, behind {dates:?}");
        dates.push(date.to_owned());
    }
}

/// The body behind it.
fn body(stream: &mut BufReader<TcpStream>, length: usize) -> Vec<u8> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("all of it");
    body
}

#[test]
fn what_is_asked_for_again_and_again_is_what_it_is_at_that_time() {
    const LENGTH: usize = 20_000;
    const REQUESTS: &str = "GET /hot.bin HTTP/1.1\r\nHost: a\r\n\r\nHEAD /hot.bin HTTP/1.1\r\nHost: a\r\n\r\n\
        GET /hot.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=1-9999\r\n\r\nGET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    let bytes =
        |seed: usize| (0..LENGTH).map(|at| (at / 253 + at + seed) as u8).collect::<Vec<_>>();
    let files = [("hot.bin".to_owned(), bytes(0)), ("small.txt".to_owned(), b"small".to_vec())];
    let running = serving(files);
    let mut stream = BufReader::new(connect(&running.address()));
    let (mut dates, mut kept) = (Vec::new(), 0);
    let begun = Instant::now();
    // So long that heads with other dates came between.
    while dates.len() < 4 {
        assert!(begun.elapsed() < LIMIT, "the date is what it was: {dates:?}");
        for together in [1, 40] {
            stream.get_mut().write_all(REQUESTS.repeat(together).as_bytes()).expect("it reads");
            for _ in 0..together {
                let whole = head(&mut stream);
                noted(&whole, &mut dates);
                assert!(whole.contains("\r\nContent-Length: 20000\r\n"), "{whole}");
                assert!(body(&mut stream, LENGTH) == bytes(0));
                let without = head(&mut stream);
                noted(&without, &mut dates);
                assert!(without.contains("\r\nContent-Length: 20000\r\n"), "{without}");
                let part = head(&mut stream);
                noted(&part, &mut dates);
                assert!(part.starts_with("HTTP/1.1 206 "), "{part}");
                assert!(body(&mut stream, 9999) == bytes(0)[1..10_000]);
                noted(&head(&mut stream), &mut dates);
                assert_eq!(body(&mut stream, 5), b"small");
            }
        }
        kept = kept.max(kept_for(&running));
    }
    assert_eq!(kept, usize::from(cfg!(target_os = "linux")));
    // Another one is there within a second, and nobody gets a piece of both.
    let root = running.root().join("wwwroot");
    write(&root, "other.bin", &bytes(7));
    fs::rename(root.join("other.bin"), root.join("hot.bin")).expect("another one");
    let changed = Instant::now();
    loop {
        stream.get_mut().write_all(b"GET /hot.bin HTTP/1.1\r\nHost: a\r\n\r\n").expect("it reads");
        head(&mut stream);
        let came = body(&mut stream, LENGTH);
        if came == bytes(7) {
            break;
        }
        assert!(came == bytes(0));
        assert!(changed.elapsed() < LIMIT, "it is the old one still");
    }
    running.terminated();
}

#[test]
#[cfg(target_os = "linux")]
fn of_many_that_are_asked_for_again_and_again_only_some_have_places() {
    let bytes = |number: usize| vec![number as u8; 10_000];
    let running = serving((0..150).map(|number| (format!("{number}.bin"), bytes(number))));
    let mut stream = BufReader::new(connect(&running.address()));
    for number in 0..150 {
        let request = format!("GET /{number}.bin HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.get_mut().write_all(request.repeat(80).as_bytes()).expect("it reads");
        for _ in 0..80 {
            head(&mut stream);
            assert!(body(&mut stream, 10_000) == bytes(number), "{number}");
        }
    }
    assert_eq!(kept_for(&running), 64);
    running.terminated();
}
