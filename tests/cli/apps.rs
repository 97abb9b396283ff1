//! The servers that people use behind the host, each started by its line in docs/apps.md; and what goes through to a
//! program besides requests and answers: WebSockets, events, HTTP/2, and more than fits into memory.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use tungstenite::Message;

use crate::child_process::{hosting, is_alive, wait_until, who};
use crate::environment::skipped;
use crate::http::{connect, get};
use crate::process::{Kestrel, Running};

/// Where programs are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A server, its line in the document, and an app for it.
struct App {
    program: &'static str,
    package: &'static str,
    line: &'static str,
    /// Its name, and its text. It says who asks, by the first of `X-Forwarded-For` or in the server's own words.
    file: (&'static str, &'static str),
}

const WSGI: (&str, &str) = (
    "app.py",
    r#"
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("client " + environ["HTTP_X_FORWARDED_FOR"]).encode()]
"#,
);

/// uvicorn puts the client of `X-Forwarded-For` in the place of the one that connects; an older one, nobody, if all of
/// them are on this machine and it was not told to believe everybody.
const ASGI: (&str, &str) = (
    "app.py",
    r#"
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    forwarded = dict(scope["headers"])[b"x-forwarded-for"].decode()
    text = "client " + (scope["client"][0] or forwarded)
    await send({"type": "http.response.body", "body": text.encode()})
"#,
);

const NODE: (&str, &str) = (
    "app.js",
    r#"
const http = require("http");
http.createServer((request, response) => {
  response.end("client " + request.headers["x-forwarded-for"]);
}).listen(process.env.PORT, "127.0.0.1");
"#,
);

const PHP: (&str, &str) = ("index.php", "client <?= $_SERVER['HTTP_X_FORWARDED_FOR'] ?>");

const RACK: (&str, &str) = (
    "config.ru",
    r#"
run ->(env) { [200, { "Content-Type" => "text/plain" }, ["client " + env["HTTP_X_FORWARDED_FOR"]]] }
"#,
);

const APPS: [App; 8] = [
    App {
        program: "python3",
        package: "python3",
        line: "kestrel run -- python3 -m http.server --bind 127.0.0.1 '{port}'",
        file: ("index.html", "client 127.0.0.1"),
    },
    App {
        program: "gunicorn",
        package: "gunicorn",
        line: "kestrel run -- gunicorn --bind '127.0.0.1:{port}' app:app",
        file: WSGI,
    },
    App {
        program: "gunicorn",
        package: "gunicorn",
        line: "kestrel run -- gunicorn --bind 'unix:{socket}' app:app",
        file: WSGI,
    },
    App {
        program: "uvicorn",
        package: "uvicorn",
        line: "kestrel run -- uvicorn --port '{port}' app:app",
        file: ASGI,
    },
    App {
        program: "uvicorn",
        package: "uvicorn",
        line: "kestrel run -- uvicorn --uds '{socket}' --forwarded-allow-ips '*' app:app",
        file: ASGI,
    },
    App { program: "node", package: "nodejs", line: "kestrel run -- node app.js", file: NODE },
    App {
        program: "php",
        package: "php-cli",
        line: "kestrel run -- php -S '127.0.0.1:{port}'",
        file: PHP,
    },
    App {
        program: "puma",
        package: "puma",
        line: "kestrel run -- puma --bind 'tcp://127.0.0.1:{port}'",
        file: RACK,
    },
];

impl App {
    /// What stands behind `kestrel run` in its line, as a shell hands it over.
    fn words(&self) -> Vec<String> {
        let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/apps.md"));
        let document = document.expect("it is there");
        assert!(document.contains(&format!("| `{}` |", self.line)), "{} is not told", self.line);
        let words = self.line.strip_prefix("kestrel run ").expect("it is the host's");
        words.split(' ').map(|word| word.trim_matches('\'').to_owned()).collect()
    }

    fn is_there(&self) -> bool {
        PATH.split(':').any(|folder| Path::new(folder).join(self.program).exists())
    }

    fn is_served(&self) {
        let words = self.words();
        let kestrel = Kestrel::run(words.iter().map(String::as_str));
        let running = kestrel.variable("PATH", PATH).file(self.file.0, self.file.1).started();
        let answer = get(&running.address(), "/", &["X-Forwarded-For: 10.1.1.1"]);
        // The body may have come in pieces.
        let is_right = answer.status == 200 && answer.body.contains("client 127.0.0.1");
        assert!(is_right, "{}: {}\n{}", self.line, answer.body, running.stdout());
        let processes = descendants(running.id());
        assert!(processes.len() > 1, "{}: {processes:?}", self.line);
        let outcome = running.terminated();
        assert_eq!(outcome.code, Some(0), "{}\n{}", self.line, outcome.stdout);
        assert!(!outcome.stdout.contains("was killed"), "{}\n{}", self.line, outcome.stdout);
        wait_until("nothing is left", || !processes.iter().any(|process| is_alive(*process)));
    }
}

/// What a process has started, and what that has.
fn descendants(process: u32) -> Vec<u32> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc").expect("it is there").flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1));
        if let Some(parent) = parent.and_then(|it| it.parse::<u32>().ok()) {
            parents.insert(number, parent);
        }
    }
    let is_below = |mut number: u32| {
        while let Some(parent) = parents.get(&number) {
            if *parent == process {
                return true;
            }
            number = *parent;
        }
        false
    };
    parents.keys().copied().filter(|number| is_below(*number)).collect()
}

/// Each server answers by its line, knows who asks, and is gone after the stop.
fn are_served(program: &str) {
    for app in APPS.iter().filter(|app| app.program == program) {
        if !app.is_there() {
            let needs = format!("{} (apt-get install {})", app.program, app.package);
            return skipped("a server behind the host", &needs);
        }
        app.is_served();
    }
}

#[test]
fn files_of_python_are_served() {
    are_served("python3");
}

#[test]
fn gunicorn_is_served() {
    are_served("gunicorn");
}

#[test]
fn uvicorn_is_served() {
    are_served("uvicorn");
}

#[test]
fn node_is_served() {
    are_served("node");
}

#[test]
fn php_is_served() {
    are_served("php");
}

#[test]
fn puma_is_served() {
    are_served("puma");
}

#[test]
fn a_websocket_goes_through() {
    let running = hosting(&["serve"], "").started();
    let url = format!("ws{}/socket", running.address().trim_start_matches("http"));
    let (mut socket, answer) =
        tungstenite::client(url, connect(&running.address())).expect("a WebSocket");
    assert_eq!(answer.status(), 101);
    for text in ["x".to_owned(), "y".repeat(100_000)] {
        socket.send(Message::text(text.clone())).expect("it is open");
        assert_eq!(socket.read().expect("it is open"), Message::text(text));
    }
    socket.close(None).expect("it is open");
    while socket.read().is_ok() {}
    drop(socket);
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn events_arrive_one_by_one() {
    let kestrel = hosting(&["serve"], "");
    let go = kestrel.root().join("go");
    let running = kestrel.started();
    let mut stream = connect(&running.address());
    write!(stream, "GET /events?file={} HTTP/1.1\r\nHost: a\r\n\r\n", go.display())
        .expect("it listens");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "data: first"));
    // The second is not made before the first is here.
    fs::write(&go, "").expect("it is ours");
    assert!(lines.any(|line| line == "data: second"));
    running.terminated();
}

#[test]
fn a_program_is_spoken_to_in_http2() {
    for (version, expected) in [("1.1", "HTTP/1.1"), ("2", "HTTP/2.0")] {
        let setting = format!(r#""HttpVersion": "{version}""#);
        let running = hosting(&["serve"], &setting).started();
        assert_eq!(who(&running)["version"], expected);
        let answer = get(&running.address(), "/large?bytes=3000000", &[]);
        assert_eq!(answer.body.matches('x').count(), 3_000_000);
        running.terminated();
    }
}

/// More than a host may keep of a body, whatever its size.
const BYTES: usize = 200_000_000;
const MOST_KEPT: usize = 20 * 1024 * 1024;

#[test]
fn what_is_larger_than_memory_goes_through() {
    let kestrel = hosting(&["serve"], "");
    let running = kestrel.argument("--Kestrel:Limits:MaxRequestBodySize=300000000").started();
    who(&running);
    let before = running.resident_memory();
    let path = format!("/large?bytes={BYTES}");
    assert!(received(&running, &format!("GET {path} HTTP/1.1\r\n"), &[]) > BYTES);
    let piece = vec![b'x'; 1_000_000];
    let head = format!("POST /count HTTP/1.1\r\nContent-Length: {BYTES}\r\n");
    assert!(received(&running, &head, &vec![&piece[..]; BYTES / piece.len()]) > 0);
    let kept = running.peak_memory() - before;
    assert!(kept < MOST_KEPT, "{} MiB more", kept / 1024 / 1024);
    running.terminated();
}

/// How many bytes come in answer to a head and a body.
fn received(running: &Running, head: &str, body: &[&[u8]]) -> usize {
    let mut stream = connect(&running.address());
    write!(stream, "{head}Host: a\r\nConnection: close\r\n\r\n").expect("it listens");
    for piece in body {
        stream.write_all(piece).expect("it reads");
    }
    let (mut buffer, mut bytes, mut begin) = (vec![0; 1 << 20], 0, Vec::new());
    loop {
        let read = stream.read(&mut buffer).expect("it answers");
        if read == 0 {
            break;
        }
        if begin.len() < 1000 {
            begin.extend_from_slice(&buffer[..read.min(1000)]);
        }
        bytes += read;
    }
    let begin = String::from_utf8_lossy(&begin);
    assert!(begin.starts_with("HTTP/1.1 200"), "{begin}");
    // What was sent is told.
    assert!(body.is_empty() || begin.contains(&BYTES.to_string()), "{begin}");
    bytes
}
