//! Requests whose length is not what it seems, through the proxy, before servers that read them in ways of their own
//! and count: each sees as many as the clients have answers from it, so none was hidden in another.

#![expect(clippy::disallowed_methods, reason = "a server behind the proxy is no endpoint")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use kestrel::RunningHost;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::http2_frames::{
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2, RST_STREAM, field, frame,
};
use crate::support::{Wire, configured, soon, started, stopped};

/// What must not be seen: a request within the body of another.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nX-Behind: 1\r\nContent-Length: 0\r\n\r\n";

/// How a server finds the end of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reading {
    /// By the letter; what is not plain is noted.
    Strict,
    /// Bare ends of lines do, names may have blanks and underscores, any coding that has `chunked` in it is that, and
    /// numbers end where they are none any more.
    Lenient,
    /// The same, but for a length, which goes before a coding.
    LengthFirst,
}

/// A server that counts.
struct Behind {
    port: u16,
    seen: Arc<AtomicUsize>,
    objections: Arc<Mutex<Vec<String>>>,
}

impl Behind {
    async fn start(reading: Reading) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a port").port();
        let behind = Self { port, seen: Arc::default(), objections: Arc::default() };
        let (seen, objections) = (Arc::clone(&behind.seen), Arc::clone(&behind.objections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, objections) = (Arc::clone(&seen), Arc::clone(&objections));
                tokio::spawn(answer_all(stream, reading, seen, objections));
            }
        });
        behind
    }
}

async fn answer_all(
    mut stream: TcpStream,
    reading: Reading,
    seen: Arc<AtomicUsize>,
    objections: Arc<Mutex<Vec<String>>>,
) {
    let mut got = Vec::new();
    loop {
        while let Some(end) = end_of_request(&got, reading) {
            let request: Vec<u8> = got.drain(..end).collect();
            let request = String::from_utf8_lossy(&request);
            let objects = reading == Reading::Strict && !is_plain(&request);
            if objects || request.starts_with("GET /hidden") {
                objections.lock().expect("nobody panics").push(request.into_owned());
            }
            seen.fetch_add(1, Ordering::SeqCst);
            if stream.write_all(ANSWER).await.is_err() {
                return;
            }
        }
        if stream.read_buf(&mut got).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

/// Where the first request ends, once all of it is there.
fn end_of_request(got: &[u8], reading: Reading) -> Option<usize> {
    // Letters that are none take one byte here as well.
    let letter = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '?' };
    let text: String = got.iter().map(letter).collect();
    let mut at = 0;
    let (mut length, mut is_chunked) = (None, false);
    loop {
        let line = line_at(&text, &mut at, reading)?;
        if line.is_empty() && at > 2 {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = match reading {
            Reading::Strict => name.to_lowercase(),
            _ => name.trim().replace('_', "-").to_lowercase(),
        };
        match &*name {
            "content-length" => length = length.or(Some(leading(value.trim(), 10))),
            "transfer-encoding" => {
                is_chunked |= match reading {
                    Reading::Strict => value.trim() == "chunked",
                    _ => value.to_lowercase().contains("chunked"),
                };
            }
            _ => {}
        }
    }
    if is_chunked && (length.is_none() || reading != Reading::LengthFirst) {
        loop {
            let size = leading(line_at(&text, &mut at, reading)?, 16);
            if size == 0 {
                break;
            }
            at += size;
            line_at(&text, &mut at, reading)?;
        }
        while !line_at(&text, &mut at, reading)?.is_empty() {}
        return Some(at);
    }
    let end = at + length.unwrap_or(0);
    (end <= text.len()).then_some(end)
}

/// The line that begins there, without its end; `at` is behind it then.
fn line_at<'a>(text: &'a str, at: &mut usize, reading: Reading) -> Option<&'a str> {
    let rest = text.get(*at..)?;
    let end = if reading == Reading::Strict { "\r\n" } else { "\n" };
    let length = rest.find(end)?;
    *at += length + end.len();
    Some(rest[..length].trim_end_matches('\r'))
}

/// The number that a text begins with.
fn leading(text: &str, radix: u32) -> usize {
    let end = text.find(|it: char| !it.is_digit(radix)).unwrap_or(text.len());
    usize::from_str_radix(&text[..end], radix).unwrap_or(0)
}

/// Whether a request has nothing that could be read in two ways.
fn is_plain(request: &str) -> bool {
    let (head, _) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let count = |name: &str| {
        let lines = head.lines().map(str::to_lowercase);
        lines.filter(|line| line.starts_with(name)).collect::<Vec<_>>()
    };
    let (lengths, codings) = (count("content-length"), count("transfer-encoding"));
    let mut lines = head.split("\r\n");
    lines.next().is_some_and(|line| line.split(' ').count() == 3)
        && head.split("\r\n").all(|line| !line.contains(['\r', '\n', '\0']))
        && lines
            .all(|line| line.split_once(": ").is_some_and(|(name, _)| !name.contains([' ', '\t'])))
        && lengths.len() + codings.len() <= 1
        && lengths.iter().all(|line| line[16..].bytes().all(|byte| byte.is_ascii_digit()))
        && codings.iter().all(|line| line == "transfer-encoding: chunked")
}

async fn proxy(behind: &Behind) -> RunningHost {
    let address = format!("http://127.0.0.1:{}/", behind.port);
    let host = configured(&[
        ("Kestrel__Endpoints__A__Url", "http://127.0.0.1:0"),
        ("Kestrel__Endpoints__A__Protocols", "Http1"),
        ("Kestrel__Endpoints__B__Url", "http://127.0.0.1:0"),
        ("Kestrel__Endpoints__B__Protocols", "Http2"),
        ("ReverseProxy__Routes__all__Match__Path", "/{**rest}"),
        ("ReverseProxy__Routes__all__ClusterId", "behind"),
        ("ReverseProxy__Clusters__behind__Destinations__one__Address", &address),
    ]);
    started(host.app(axum::Router::new())).await
}

/// A plain request behind a case, on the connection that the case may have left something on.
async fn asked_behind(address: &str) {
    let mut wire = Wire::connect(address).await;
    let answer = wire.get("/behind").await;
    assert_eq!((answer.status, answer.header("X-Behind")), (200, Some("1")), "{}", answer.head);
}

/// The lines of a head that say where a request ends, in ways that somebody might take for others.
fn framings() -> Vec<String> {
    let hidden = HIDDEN.len();
    let mut all = Vec::new();
    let names = [
        "Transfer-Encoding: ",
        "transfer-encoding:",
        "Transfer-Encoding:\t",
        "Transfer-Encoding : ",
        " Transfer-Encoding: ",
        "\tTransfer-Encoding: ",
        "Transfer_Encoding: ",
        "Transfer-Encoding\0: ",
        "X: y\nTransfer-Encoding: ",
        "X: y\rTransfer-Encoding: ",
        "X: y\r\n\tTransfer-Encoding: ",
        "TE: trailers\r\nTransfer-Encoding: ",
        "Connection: Transfer-Encoding\r\nTransfer-Encoding: ",
    ];
    let values = [
        "chunked",
        "Chunked",
        "chunked ",
        "chunked\t",
        "\"chunked\"",
        "xchunked",
        "chunked, chunked",
        "identity",
        "identity, chunked",
        "chunked, identity",
        "gzip, chunked",
        "chunked, gzip",
        "gzip",
        ",chunked",
        "chunked,",
        "chunked;q=1",
        "chunked\r\nTransfer-Encoding: identity",
        "identity\r\nTransfer-Encoding: chunked",
        "\u{b}chunked",
        "\u{c}chunked",
        "chunked\0",
        "chunk",
        "chunked\rX: y",
        "",
        "0",
    ];
    for name in names {
        for value in values {
            let coding = format!("{name}{value}\r\n");
            all.push(coding.clone());
            all.push(format!("{coding}Content-Length: {}\r\n", hidden + 5));
            all.push(format!("Content-Length: 4\r\n{coding}"));
        }
    }
    let lengths = [
        format!("{hidden}"),
        format!("+{hidden}"),
        format!("-{hidden}"),
        format!("0x{hidden:x}"),
        format!("{hidden}, {hidden}"),
        format!("{hidden}, 0"),
        format!("0, {hidden}"),
        format!("{hidden} "),
        format!("{hidden} 0"),
        format!("00{hidden}"),
        format!("{hidden}.0"),
        format!("{hidden}\r\nContent-Length: {hidden}"),
        format!("{hidden}\r\nContent-Length: 0"),
        format!("0\r\nContent-Length: {hidden}"),
        "18446744073709551616".into(),
        String::new(),
        format!("{hidden}\0"),
        format!("\u{b}{hidden}"),
        "\u{661}".into(),
    ];
    for name in [
        "Content-Length: ",
        "Content-Length : ",
        "Content_Length: ",
        " Content-Length: ",
        "X: y\nContent-Length: ",
    ] {
        all.extend(lengths.iter().map(|length| format!("{name}{length}\r\n")));
    }
    all
}

/// Bodies in chunks that end, or begin, where somebody might not see it.
fn chunks() -> Vec<String> {
    let size = format!("{:x}", HIDDEN.len());
    let mut all: Vec<String> = [
        "0\r\n\r\n",
        "0\n\n",
        "0\r\n\n",
        "0\n\r\n",
        "00000000000000000000\r\n\r\n",
        "0;a=b\r\n\r\n",
        "0 \r\n\r\n",
        "-0\r\n\r\n",
        "0x0\r\n\r\n",
        "\r\n0\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nContent-Length: 9\r\n\r\n",
        "0\r\n X: y\r\n\r\n",
        "0;\n\r\n",
        "0;a=\"\r\n\"\r\n\r\n",
        "1\r\na0\r\n\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\na\r0\r\n\r\n",
        "10000000000000000\r\n\r\n",
        "g\r\n\r\n",
        "\r\n\r\n",
    ]
    .iter()
    .map(|end| format!("{end}{HIDDEN}"))
    .collect();
    for extension in ["", ";a", ";a=\"\n\"", ";\r", " ", "\t", "\u{b}", "\n", ";a\r\r"] {
        all.push(format!("{size}{extension}\r\n{HIDDEN}\r\n0\r\n\r\n"));
    }
    all
}

#[tokio::test]
async fn no_request_is_hidden_in_another_of_http_1() {
    for reading in [Reading::Strict, Reading::Lenient, Reading::LengthFirst] {
        let behind = Behind::start(reading).await;
        let host = proxy(&behind).await;
        let address = host.addresses()[0].clone();
        let mut cases = Vec::new();
        for framing in framings() {
            for version in ["1.1", "1.0"] {
                cases.push(format!(
                    "POST /a HTTP/{version}\r\nHost: a\r\n{framing}\r\n0\r\n\r\n{HIDDEN}"
                ));
            }
        }
        for body in chunks() {
            cases.push(format!(
                "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
            ));
        }
        let mut handed_on = 0;
        for case in &cases {
            let before = behind.seen.load(Ordering::SeqCst);
            let mut wire = Wire::connect(&address).await;
            wire.send_until_closed(case).await;
            let _ = tokio::io::AsyncWriteExt::shutdown(wire.stream_mut()).await;
            // A server that objects may reset the connection.
            let answers = wire.end().await.unwrap_or_default();
            let answers = String::from_utf8_lossy(&answers).matches("X-Behind: 1").count();
            asked_behind(&address).await;
            let seen = behind.seen.load(Ordering::SeqCst) - before;
            assert_eq!(seen, answers + 1, "{reading:?} saw something else in {case:?}");
            handed_on += answers;
        }
        assert!(handed_on > 20, "{handed_on} of {} were handed on", cases.len());
        let objections = behind.objections.lock().expect("nobody panics").clone();
        // What follows a request without a body is one of its own, and answered as such.
        let objections: Vec<_> =
            objections.iter().filter(|it| !it.starts_with("GET /hidden HTTP/1.1\r\n")).collect();
        assert_eq!(objections, Vec::<&String>::new());
        stopped(host).await;
    }
}

/// Fields that would say something else, or more, in a head of HTTP/1.
fn fields() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let hidden = format!("x\r\n\r\n{HIDDEN}");
    for (name, value) in [
        ("transfer-encoding", "chunked"),
        ("Transfer-Encoding", "chunked"),
        ("transfer_encoding", "chunked"),
        ("connection", "transfer-encoding"),
        ("connection", "content-length"),
        ("content-length", "0"),
        ("content-length", "4"),
        ("content-length", "999"),
        ("content-length", "+4"),
        ("content-length", "4, 4"),
        ("content_length", "4"),
        ("x", "y\r\nTransfer-Encoding: chunked"),
        ("x", "y\nContent-Length: 0"),
        ("x", "y\rContent-Length: 0"),
        ("x", "y\0"),
        ("x", &hidden),
        ("x: y\r\nz", "w"),
        ("x\ny", "z"),
        ("x y", "z"),
        ("x:", "y"),
        ("", "y"),
        (" transfer-encoding", "chunked"),
        ("transfer-encoding ", "chunked"),
        ("te", "chunked"),
        ("upgrade", "h2c"),
        ("keep-alive", "1"),
        ("proxy-connection", "keep-alive"),
        ("host", "b"),
        ("host", &hidden),
        (":method", "GET"),
        (":path", "/b"),
        (":path", "/b HTTP/1.1\r\nX: y"),
        (":authority", "a\r\nX: y"),
        (":scheme", "http"),
        (":other", "x"),
    ] {
        all.push((name.to_owned(), value.to_owned()));
    }
    all
}

/// The pseudo-fields of a request, one of them in a way of its own.
fn pseudo_fields() -> Vec<[String; 4]> {
    let plain = ["POST", "http", "a", "/a"].map(str::to_owned);
    let mut all = vec![plain.clone()];
    for (place, value) in [
        (0, "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\nPOST"),
        (0, "POST /b"),
        (0, ""),
        (0, "PO\0ST"),
        (1, "http\r\nX: y"),
        (2, "a\r\nTransfer-Encoding: chunked"),
        (2, "a b"),
        (2, "a\n"),
        (2, ""),
        (3, "/a HTTP/1.1\r\nX: y"),
        (3, "/a\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"),
        (3, "/a b"),
        (3, "a"),
        (3, ""),
        (3, "*"),
        (3, "/a\nb"),
        (3, "/a\tb"),
        (3, "/a#b"),
        (3, "http://b/"),
    ] {
        let mut request = plain.clone();
        value.clone_into(&mut request[place]);
        all.push(request);
    }
    all
}

/// One request on a connection of its own. Whether its answer is from behind.
async fn is_answered(address: &str, block: &[u8], body: &[u8]) -> bool {
    let mut client = Http2::connect(address).await;
    let mut frames = frame(HEADERS, END_HEADERS, 1, block);
    frames.extend(frame(DATA, END_STREAM, 1, body));
    client.send_until_closed(&frames).await;
    // The field `:status: 200`, by its place in the static table.
    loop {
        match soon("an answer", client.next_or_end()).await {
            Some(frame) if frame.kind == HEADERS => return frame.payload.first() == Some(&0x88),
            Some(frame) if matches!(frame.kind, RST_STREAM | GOAWAY) => return false,
            Some(_) => {}
            None => return false,
        }
    }
}

#[tokio::test]
async fn no_request_is_hidden_in_another_of_http_2() {
    for reading in [Reading::Strict, Reading::Lenient, Reading::LengthFirst] {
        let behind = Behind::start(reading).await;
        let host = proxy(&behind).await;
        let (plain, address) = (host.addresses()[0].clone(), host.addresses()[1].clone());
        let mut blocks = Vec::new();
        for pseudo in pseudo_fields() {
            let names = [":method", ":scheme", ":authority", ":path"];
            let block: Vec<u8> =
                names.iter().zip(&pseudo).flat_map(|(name, value)| field(name, value)).collect();
            blocks.push((block.clone(), format!("{pseudo:?}")));
            for (name, value) in fields() {
                let mut block = block.clone();
                block.extend(field(&name, &value));
                blocks.push((block, format!("{pseudo:?} {name:?}: {value:?}")));
            }
        }
        let mut handed_on = 0;
        for (block, case) in &blocks {
            for body in [HIDDEN.to_owned(), format!("0\r\n\r\n{HIDDEN}")] {
                let before = behind.seen.load(Ordering::SeqCst);
                let answers = usize::from(is_answered(&address, block, body.as_bytes()).await);
                asked_behind(&plain).await;
                let seen = behind.seen.load(Ordering::SeqCst) - before;
                assert_eq!(seen, answers + 1, "{reading:?} saw something else in {case}");
                handed_on += answers;
            }
        }
        assert!(handed_on > 10, "{handed_on} of {} were handed on", 2 * blocks.len());
        assert_eq!(*behind.objections.lock().expect("nobody panics"), Vec::<String>::new());
        stopped(host).await;
    }
}
