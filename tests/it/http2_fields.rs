//! The fields of HTTP/2 requests, heads and trailers: what is too much is answered, what is
//! malformed is reset, and neither touches the connection (RFC 9113 sections 8.1.1 and 10.5.1).

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::any;
use fluke_hpack::Decoder;
use http_body_util::BodyExt;
use kestrel::{BadRequest, RunningHost};

use crate::http2_frames::{
    self as frames, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, Http2,
};
use crate::support::{limited, speaking, started, stopped};

/// An app that reads bodies to their end, or not, and shows what it was sent.
fn app() -> Router {
    async fn cookies(request: Request) -> String {
        let cookies = request.headers().get_all("cookie").iter();
        cookies.map(|cookie| cookie.to_str().unwrap_or_default()).collect::<Vec<_>>().join("|")
    }
    async fn value(request: Request) -> Vec<u8> {
        request.headers().get("x-a").map_or(b"none".to_vec(), |value| value.as_bytes().to_vec())
    }
    async fn read(body: Bytes) -> String {
        format!("{} bytes", body.len())
    }
    async fn trailers(body: Body) -> String {
        match body.collect().await {
            Ok(body) => format!("{} trailers", body.trailers().map_or(0, |fields| fields.len())),
            Err(error) => match BadRequest::of(&error) {
                Some(bad) => format!("{}", bad.status()),
                None => "reset".to_owned(),
            },
        }
    }
    Router::new()
        .route("/", any(|| async { "hello" }))
        .route("/cookies", any(cookies))
        .route("/value", any(value))
        .route("/read", any(read))
        .route("/trailers", any(trailers))
}

/// A client that reads the heads of answers.
struct Client {
    http2: Http2,
    decoder: Decoder<'static>,
    next: u32,
}

impl Client {
    async fn connect(host: &RunningHost) -> Self {
        let http2 = Http2::connect(&host.addresses()[0]).await;
        Self { http2, decoder: Decoder::new(), next: 1 }
    }

    /// Sends a header block in as many frames as it takes.
    async fn send_block(&mut self, stream: u32, flags: u8, block: &[u8]) {
        let mut kind = HEADERS;
        let mut pieces = block.chunks(16_000).peekable();
        while let Some(piece) = pieces.next() {
            let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            let flags = if kind == HEADERS { flags | end } else { end };
            self.http2.send_until_closed(&frames::frame(kind, flags, stream, piece)).await;
            kind = CONTINUATION;
        }
    }

    /// Sends a request without a body; returns its stream.
    async fn ask(&mut self, block: &[u8]) -> u32 {
        let stream = self.next;
        self.next += 2;
        self.send_block(stream, END_STREAM, block).await;
        stream
    }

    /// Sends a request with a body and these trailers.
    async fn post(&mut self, path: &str, trailers: &[u8]) -> u32 {
        let stream = self.next;
        self.next += 2;
        let mut block = frames::get(path);
        // `:method: POST`
        block[0] = 0x83;
        self.send_block(stream, 0, &block).await;
        self.http2.send(DATA, 0, stream, b"abc").await;
        self.send_block(stream, END_STREAM, trailers).await;
        stream
    }

    /// How the stream ends: the status and body of its answer, or the code it was reset with.
    async fn outcome(&mut self, stream: u32) -> Result<(String, String), u32> {
        let mut status = String::new();
        let mut body = Vec::new();
        loop {
            let frame = self.http2.next().await;
            match frame.kind {
                // Before any other stream is passed over: the table needs all of them.
                HEADERS => {
                    let fields = self.decoder.decode(&frame.payload).expect("a header block");
                    if frame.stream == stream {
                        status = String::from_utf8_lossy(&fields[0].1).into_owned();
                        let has = |name: &str| fields.iter().any(|(n, _)| n == name.as_bytes());
                        assert!(has("date") && has("server"), "{fields:?}");
                        assert!(!has("connection"), "{fields:?}");
                    }
                }
                DATA if frame.stream == stream => body.extend(&frame.payload),
                frames::RST_STREAM if frame.stream == stream => return Err(frame.number(0)),
                frames::GOAWAY => panic!("the connection ends: {frame:?}"),
                _ => continue,
            }
            if frame.stream == stream && frame.flags & END_STREAM != 0 {
                return Ok((status, String::from_utf8_lossy(&body).into_owned()));
            }
        }
    }

    async fn status(&mut self, block: &[u8]) -> String {
        let stream = self.ask(block).await;
        self.outcome(stream).await.expect("an answer").0
    }

    async fn body(&mut self, block: &[u8]) -> String {
        let stream = self.ask(block).await;
        let (status, body) = self.outcome(stream).await.expect("an answer");
        assert_eq!(status, "200");
        body
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    let length = text.len();
    if length < 127 {
        bytes.push(u8::try_from(length).expect("a short text"));
    } else {
        bytes.push(127);
        let mut rest = length - 127;
        while rest >= 128 {
            bytes.push(u8::try_from(rest % 128 + 128).expect("a byte"));
            rest /= 128;
        }
        bytes.push(u8::try_from(rest).expect("a byte"));
    }
    bytes.extend(text.bytes());
}

/// A literal field of any length; `kind` says whether it goes into the table.
fn literal(kind: u8, name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![kind];
    text(&mut bytes, name);
    text(&mut bytes, value);
    bytes
}

fn with(path: &str, fields: &[u8]) -> Vec<u8> {
    [&frames::get(path)[..], fields].concat()
}

/// A `GET` of a path of that length.
fn long_path(length: usize) -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x01, 4, b't', b'e', b's', b't', 0x04];
    text(&mut block, &format!("/{}", "p".repeat(length - 1)));
    block
}

const INTO_TABLE: u8 = 0x40;

#[tokio::test]
async fn what_is_too_much_is_answered_and_the_connection_lives() {
    let host = started(speaking("Http2").app(app())).await;
    let mut client = Client::connect(&host).await;
    let waiting = client.next;
    client.next += 2;
    client.send_block(waiting, 0, &with("/read", b"")).await;
    // Two entries of the table that have to stay.
    let entries = [literal(INTO_TABLE, "x-a", "one"), literal(INTO_TABLE, "x-b", "two")].concat();
    assert_eq!(client.body(&with("/value", &entries)).await, "one");
    let value = |length: usize| literal(0, "x", &"v".repeat(length));
    let several = |count, length: usize| value(length).repeat(count);
    for (block, status) in [
        (with("/", &value(32_000)), "200"),
        (with("/", &value(32_769)), "431"),
        (with("/", &literal(0, &"n".repeat(40_000), "v")), "431"),
        // Each of them fits, all of them do not: 1,033 bytes each.
        (with("/", &several(31, 1000)), "200"),
        (with("/", &several(32, 1000)), "431"),
        (with("/", &several(110, 1000)), "431"),
        (with("/", &value(130_000)), "431"),
        (with("/", &several(96, 1)), "200"),
        (with("/", &several(97, 1)), "431"),
        (with("/", &several(3000, 1)), "431"),
        // What is only pointed to is as long as what it points to.
        (
            with("/", &[&literal(INTO_TABLE, "x-c", &"c".repeat(3000))[..], &[0xbe; 20]].concat()),
            "431",
        ),
        (long_path(8177), "404"),
        (long_path(8182), "414"),
        (long_path(40_000), "414"),
        (long_path(70_000), "414"),
    ] {
        assert_eq!(client.status(&block).await, status, "{} bytes", block.len());
    }
    // The second and third newest, behind what the table took above.
    assert_eq!(client.body(&with("/value", &[0x80 | 64])).await, "one");
    client.http2.send(DATA, END_STREAM, waiting, b"abc").await;
    assert_eq!(client.outcome(waiting).await, Ok(("200".to_owned(), "3 bytes".to_owned())));
    drop(client);
    stopped(host).await;
}

#[tokio::test]
async fn the_table_holds_what_came_with_a_request_that_was_too_much() {
    let host = started(speaking("Http2").app(app())).await;
    let mut client = Client::connect(&host).await;
    let too_much = literal(0, "x", &"v".repeat(33_000));
    let fields = [
        literal(INTO_TABLE, "x-old", "gone"),
        too_much.clone(),
        // It does not fit, and clears the table.
        literal(INTO_TABLE, "x-large", &"v".repeat(5000)),
        literal(INTO_TABLE, "x-a", "kept"),
        literal(INTO_TABLE, "x-b", "too"),
    ];
    assert_eq!(client.status(&with("/", &fields.concat())).await, "431");
    assert_eq!(client.body(&with("/value", &[0x80 | 63])).await, "kept");
    // There is no third one.
    let stream = client.ask(&with("/value", &[0x80 | 64])).await;
    assert_eq!(client.http2.goaway().await, (stream, frames::COMPRESSION_ERROR));
    client.http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn a_head_that_is_not_worth_reading_ends_the_connection() {
    let host = started(speaking("Http2").app(app())).await;
    let mut client = Client::connect(&host).await;
    client.ask(&with("/", &literal(0, "x", &"v".repeat(132_000)))).await;
    assert_eq!(client.http2.goaway().await.1, frames::PROTOCOL_ERROR);
    client.http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn limits_that_are_set_are_kept() {
    let limits = [
        ("MaxRequestHeaderCount", "6"),
        ("MaxRequestHeadersTotalSize", "1000"),
        ("Http2__MaxRequestHeaderFieldSize", "600"),
        ("MaxRequestLineSize", "100"),
    ];
    let host = started(limited(&limits).app(app())).await;
    let mut client = Client::connect(&host).await;
    let settings = client.http2.next_of_kind(frames::SETTINGS).await;
    assert!(settings.payload.windows(6).any(|one| one == [0, 6, 0, 0, 3, 0xe8]), "{settings:?}");
    let small = literal(0, "x", "y");
    for (block, status) in [
        (with("/", &small.repeat(2)), "200"),
        (with("/", &small.repeat(3)), "431"),
        (with("/", &literal(0, "x", &"v".repeat(600))), "200"),
        (with("/", &literal(0, "x", &"v".repeat(601))), "431"),
        (with("/", &literal(0, "x", &"v".repeat(400)).repeat(2)), "431"),
        (long_path(89), "404"),
        (long_path(90), "414"),
    ] {
        assert_eq!(client.status(&block).await, status, "{block:?}");
    }
    drop(client);
    stopped(host).await;
}

#[tokio::test]
async fn cookies_that_come_one_by_one_are_one_header() {
    let host = started(speaking("Http2").app(app())).await;
    let mut client = Client::connect(&host).await;
    let crumbs: Vec<_> = (0..400).map(|number| format!("crumb{number}={number}")).collect();
    let fields: Vec<_> = crumbs.iter().map(|crumb| literal(0, "cookie", crumb)).collect();
    assert_eq!(client.body(&with("/cookies", &fields.concat())).await, crumbs.join("; "));
    // They are one more than nothing, and not less.
    let others = literal(0, "x", "y").repeat(96);
    let fields = [others, fields.concat()].concat();
    assert_eq!(client.status(&with("/cookies", &fields)).await, "431");
    // As an index of the static table, and as entries of ours.
    let indexed = |value: &str| {
        let mut bytes = vec![INTO_TABLE | 32];
        text(&mut bytes, value);
        bytes
    };
    let fields: Vec<_> = (0..60).map(|number| indexed(&format!("a{number}=b"))).collect();
    client.body(&with("/cookies", &fields.concat())).await;
    let pointers: Vec<_> = (0..60).map(|number| 0x80 + 62_u8 + number).collect();
    let joined = client.body(&with("/cookies", &[&pointers[..], &pointers].concat())).await;
    assert_eq!(joined.split("; ").count(), 120);
    drop(client);
    stopped(host).await;
}

#[tokio::test]
async fn too_many_trailers_are_refused_to_whoever_reads_them() {
    let host = started(speaking("Http2").app(app())).await;
    let mut client = Client::connect(&host).await;
    let large = literal(0, "x", &"v".repeat(40_000));
    let small = literal(0, "x", "v");
    let answer = |status: &str, body: &str| Ok((status.to_owned(), body.to_owned()));
    for trailers in [large, small.repeat(101)] {
        let stream = client.post("/read", &trailers).await;
        assert_eq!(client.outcome(stream).await.map(|(status, _)| status), Ok("431".to_owned()));
        let stream = client.post("/trailers", &trailers).await;
        let refused = "431 Request Header Fields Too Large";
        assert_eq!(client.outcome(stream).await, answer("200", refused));
        let stream = client.post("/", &trailers).await;
        assert_eq!(client.outcome(stream).await, answer("200", "hello"));
    }
    let stream = client.post("/trailers", &small.repeat(100)).await;
    assert_eq!(client.outcome(stream).await, answer("200", "100 trailers"));
    drop(client);
    stopped(host).await;
}

#[tokio::test]
async fn trailers_are_held_to_the_rules_of_heads() {
    let host = started(speaking("Http2").app(app())).await;
    let mut client = Client::connect(&host).await;
    let entries = [literal(INTO_TABLE, "x-a", "good"), literal(INTO_TABLE, ":path", "/")].concat();
    let head = [&frames::get("/")[..2], &entries[..]].concat();
    // The order is wrong, so that it is malformed; its entries are in the table.
    let stream = client.ask(&head).await;
    assert_eq!(client.outcome(stream).await, Err(frames::PROTOCOL_ERROR));
    let not_utf8 = b"\0\x01x\x02a\xe5".to_vec();
    for trailers in [
        literal(0, "x", " y"),
        literal(0, "x", "y\t"),
        literal(0, "x", "y\r\nz: 1"),
        literal(0, "x", "\0"),
        not_utf8,
        literal(0, "X", "y"),
        literal(0, "x y", "z"),
        literal(0, "", "y"),
        literal(0, ":path", "/"),
        literal(0, ":status", "200"),
        // `:method: GET`, and the `:path` in the table.
        vec![0x82],
        vec![0x80 | 62],
        literal(0, "connection", "close"),
        literal(0, "transfer-encoding", "chunked"),
        literal(0, "te", "gzip"),
    ] {
        let stream = client.post("/read", &trailers).await;
        assert_eq!(client.outcome(stream).await, Err(frames::PROTOCOL_ERROR), "{trailers:?}");
    }
    let good = [vec![0x80 | 63], literal(0, "x", "a b"), literal(0, "y", "\u{e5}")].concat();
    let stream = client.post("/trailers", &good).await;
    assert_eq!(client.outcome(stream).await, Ok(("200".to_owned(), "3 trailers".to_owned())));
    drop(client);
    stopped(host).await;
}

/// What a client has put into the table with a malformed request is not something else for the
/// next one.
#[tokio::test]
async fn a_malformed_field_in_the_table_is_malformed_again() {
    let host = started(speaking("Http2").app(app())).await;
    for value in ["y ", "y\0"] {
        let mut client = Client::connect(&host).await;
        for fields in [literal(INTO_TABLE, "x-a", value), vec![0x80 | 62], vec![0x80 | 62]] {
            let stream = client.ask(&with("/value", &fields)).await;
            assert_eq!(client.outcome(stream).await, Err(frames::PROTOCOL_ERROR));
        }
        // Its name may be pointed to.
        assert_eq!(client.body(&with("/value", b"\x0f\x2f\x01z")).await, "z");
        drop(client);
    }
    stopped(host).await;
}

/// hyper's own reaction would be the end of the connection, with all that it serves.
#[tokio::test]
async fn a_connect_that_announces_a_body_is_reset_alone() {
    let host = started(speaking("Http2").app(app())).await;
    let mut client = Client::connect(&host).await;
    let waiting = client.next;
    client.next += 2;
    client.send_block(waiting, 0, &with("/read", b"")).await;
    let length = |length: &str| literal(0, "content-length", length);
    let connect = |kind: u8, fields: &[u8]| {
        [&literal(kind, ":method", "CONNECT")[..], &literal(0, ":authority", "a:80"), fields]
            .concat()
    };
    let extended =
        [&[0x86, 0x84][..], &literal(0, ":protocol", "websocket"), &length("1")].concat();
    for block in [
        connect(0, &length("1")),
        connect(0, &length("10")),
        connect(0, &length("")),
        connect(0, &length("x")),
        // The name from the static table, and the method from the one of the connection.
        connect(0, b"\x0f\x0d\x011"),
        connect(INTO_TABLE, &length("1")),
        [&[0x80 | 62][..], &literal(0, ":authority", "a:80"), &length("1")].concat(),
        connect(0, &extended),
    ] {
        for flags in [0, END_STREAM] {
            let stream = client.next;
            client.next += 2;
            client.send_block(stream, flags, &block).await;
            assert_eq!(client.outcome(stream).await, Err(frames::PROTOCOL_ERROR), "{block:?}");
        }
    }
    // More than was announced, and nothing as it was.
    for (body, reset) in [(&b"abc"[..], true), (b"", false)] {
        let stream = client.next;
        client.next += 2;
        client.send_block(stream, 0, &connect(0, &length("0"))).await;
        client.http2.send(DATA, END_STREAM, stream, body).await;
        let outcome = client.outcome(stream).await;
        assert_eq!(outcome.is_err(), reset, "{outcome:?}");
    }
    client.http2.send(DATA, END_STREAM, waiting, b"abc").await;
    assert_eq!(client.outcome(waiting).await, Ok(("200".to_owned(), "3 bytes".to_owned())));
    drop(client);
    stopped(host).await;
}

#[tokio::test]
async fn what_makes_a_request_one_has_to_be_there() {
    let host = started(speaking("Http2").app(app())).await;
    let mut client = Client::connect(&host).await;
    let field = |name: &str, value: &str| literal(0, name, value);
    let authority = field(":authority", "a");
    let protocol = |name: &str| {
        let head = [field(":method", "CONNECT"), vec![0x86, 0x84], authority.clone()].concat();
        [head, field(":protocol", name)].concat()
    };
    for block in [
        // Without a path: with an authority or not, and with what is none.
        vec![0x82, 0x86],
        vec![0x83, 0x86],
        [vec![0x86], field(":method", "OPTIONS")].concat(),
        [vec![0x82, 0x86], field("host", "x")].concat(),
        [vec![0x82, 0x86], field(":authority", "")].concat(),
        [vec![0x82, 0x86], authority.clone()].concat(),
        [vec![0x82, 0x86], field(":path", "")].concat(),
        // Without a scheme, and without a method.
        vec![0x82, 0x84],
        vec![0x86, 0x84],
        // A protocol is a token.
        protocol("a b"),
        protocol(""),
    ] {
        let stream = client.ask(&block).await;
        assert_eq!(client.outcome(stream).await, Err(frames::PROTOCOL_ERROR), "{block:?}");
    }
    assert_eq!(client.body(&[0x82, 0x86, 0x84]).await, "hello");
    drop(client);
    stopped(host).await;
}
