//! What must hold for every head, every body and every target, whoever made them up.
//!
//! The property tests and the fuzz targets share these checks. They play the gate's part without a
//! socket, and ask a real hyper, made by the same [`builder`], how it frames what
//! it would be given: a request that the two frame differently is a request smuggled in.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::chunks::Chunks;
use super::head::{Framing, Head, Progress, Rewritten, Rules, Scan, Upgrade};
use super::options::builder;
use super::read_head::request_of;
use super::target;
use crate::features::{RawTarget, RequestTarget};
use crate::server::options::ServerOptions;
use crate::server::rejection::{Reason, Rejection};

/// What a gate makes of the beginning of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Partial,
    Complete(Head),
    Rejected(Reason),
}

/// Options by the first byte of an input, so that a fuzzer can choose them: 1 forbids bare line
/// feeds, 2 lets a target replace the Host header, 4 makes the limits small.
fn options(choice: u8) -> ServerOptions {
    let mut options = ServerOptions {
        disable_http1_line_feed_terminators: choice & 1 != 0,
        allow_host_header_override: choice & 2 != 0,
        ..ServerOptions::default()
    };
    if choice & 4 != 0 {
        options.limits.max_request_line_size = 40;
        options.limits.max_request_headers_total_size = 60;
        options.limits.max_request_header_count = 3;
    }
    options
}

/// The rest of an input, and the choice at its beginning.
fn choice(input: &[u8]) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (*first, rest))
}

/// Scans a head that comes in `pieces`, as the gate does.
pub(super) fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, rules: &Rules) -> Outcome {
    let (mut scan, mut pending, mut dropped) = (Scan::default(), Vec::new(), 0);
    for piece in pieces {
        pending.extend_from_slice(piece);
        match scan.advance(&pending, rules) {
            Progress::Partial => {
                let blank = scan.blank();
                if blank > 0 && !scan.has_begun(&pending) {
                    pending.drain(..blank);
                    dropped += blank;
                    scan = Scan::default();
                }
            }
            Progress::Complete(mut head) => {
                head.start += dropped;
                head.end += dropped;
                return Outcome::Complete(head);
            }
            // What a rejection shows of the bytes depends on how many of them are here.
            Progress::Rejected(Rejection { reason, .. }) => return Outcome::Rejected(reason),
        }
    }
    Outcome::Partial
}

/// Checks a connection that begins with a head: however it is split, it is judged the same, and
/// what is accepted is framed by hyper as by us.
pub(crate) fn head(input: &[u8]) {
    let (choice, bytes) = choice(input);
    let options = options(choice);
    let rules = Rules::from(&options);
    let whole = scan([bytes], &rules);
    let single = scan(bytes.chunks(1), &rules);
    assert_eq!(whole, single, "byte by byte");
    let some = 1 + usize::from(choice >> 4) * 7;
    assert_eq!(whole, scan(bytes.chunks(some), &rules), "by {some} bytes");
    let Outcome::Complete(head) = &whole else {
        return;
    };
    let (message, rest) = bytes.split_at(head.end);
    assert_eq!(whole, scan([message], &rules), "what follows changes it");
    compare(&options, &message[head.start..], head, rest);
}

/// Checks a body in chunks: however it is split, it is judged the same, and hyper takes the same
/// data from what is accepted.
pub(crate) fn chunks(input: &[u8]) {
    let (choice, bytes) = choice(input);
    let left = if choice & 4 == 0 { (1000, 100) } else { (20, 2) };
    let whole = follow([bytes], left);
    assert_eq!(whole, follow(bytes.chunks(1), left), "byte by byte");
    let some = 1 + usize::from(choice >> 4) * 7;
    let pieces = follow(bytes.chunks(some), left);
    assert_eq!(whole, pieces, "by {some} bytes");
    // The gate may have handed on all up to the broken byte.
    let (Ok(end) | Err((_, end))) = whole;
    let head = Head {
        start: 0,
        end: CHUNKED_HEAD.len(),
        framing: Framing::Chunked,
        old: false,
        upgrade: Upgrade::No,
        left,
        rewritten: None,
    };
    compare(&ServerOptions::default(), CHUNKED_HEAD, &head, &bytes[..end]);
}

const CHUNKED_HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Checks a method and a target, with a blank between them: what is accepted is read by hyper to
/// its end, the app is told it as it was sent, and the path it is told has nothing left to
/// normalise.
pub(crate) fn target(input: &[u8]) {
    let Some(at) = input.iter().position(|byte| *byte == b' ') else {
        return;
    };
    let (method, sent) = (&input[..at], &input[at + 1..]);
    // Nothing else gets from the request line to there.
    let stops = |byte: &u8| matches!(byte, b' ' | b'\n');
    if sent.is_empty() || matches!(sent[0], b'?' | b'%') || sent.iter().any(stops) {
        return;
    }
    let Ok(form) = target::form(method, sent) else {
        return;
    };
    let mut given = sent.to_vec();
    if form.needs_rewriting() {
        given.clear();
        form.write_for_hyper(sent, &mut given);
    }
    let uri = Uri::try_from(&*given).expect("hyper can read it");
    assert_eq!(uri.to_string().as_bytes(), given, "nothing is cut off");
    let sent = str::from_utf8(sent).expect("a target is ASCII");
    let mut request = Request::new(());
    *request.uri_mut() = uri;
    if form.needs_rewriting() {
        request.extensions_mut().insert(RawTarget(sent.into()));
    }
    let told = RequestTarget::of(&request);
    assert_eq!(told.raw(), sent);
    let query = sent.find('?').map_or("", |at| &sent[at..]);
    assert_eq!(told.query(), query, "the query is as it was sent");
    let path = told.path();
    assert!(path.is_empty() || path.starts_with('/'), "{path:?}");
    assert!(!path.contains('\0'), "{path:?}");
    assert!(!path.split('/').any(|segment| matches!(segment, "." | "..")), "{path:?}");
    assert!(!path.is_empty() || !sent.starts_with('/'));
}

/// Follows a body; where it ends, or as far as it came, or why and how far before its end it is
/// broken.
fn follow<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    left: (usize, usize),
) -> Result<usize, (Reason, usize)> {
    let mut chunks = Chunks::new(left);
    let mut taken = 0;
    for piece in pieces {
        let before = chunks.clone();
        match chunks.advance(piece) {
            Ok(length) => taken += length,
            Err(reason) => {
                // Up to the broken byte, as if it had come alone.
                let mut chunks = before;
                let good = piece.chunks(1).take_while(|byte| chunks.advance(byte).is_ok()).count();
                return Err((reason, taken + good));
            }
        }
        if chunks.is_done() {
            break;
        }
    }
    Ok(taken)
}

/// What follows a message. It may not be taken for a part of it.
const NEXT: &[u8] = b"GET /the-next-one HTTP/1.1\r\nHost:\r\n\r\n";

/// More of a body would only make the check slow.
const LONGEST_BODY: u64 = 10_000;

/// Compares our reading of a message with hyper's. `body` is what came behind the head.
fn compare(options: &ServerOptions, sent: &[u8], head: &Head, body: &[u8]) {
    let mut stream = match &head.rewritten {
        Some(rewritten) => rewritten.bytes.clone(),
        None => sent.to_vec(),
    };
    let line = stream.clone();
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let http_11 = words.next() == Some(b"HTTP/1.1");
    if let Some(Rewritten { raw_target, .. }) = head.rewritten.as_deref() {
        let mut words = sent.split(|byte| *byte == b' ');
        assert_eq!(words.nth(1), Some(raw_target.as_bytes()));
    }

    let (data, complete) = match head.framing {
        Framing::Length(length) if length <= LONGEST_BODY => {
            let data = vec![b'x'; usize::try_from(length).unwrap_or_default()];
            stream.extend_from_slice(&data);
            (data, true)
        }
        Framing::Length(_) => (Vec::new(), false),
        Framing::Chunked => {
            let mut chunks = Chunks::new(head.left);
            let Ok(length) = chunks.advance(body) else {
                return;
            };
            stream.extend_from_slice(&body[..length]);
            (data_of(&body[..length]), chunks.is_done())
        }
    };
    if complete {
        stream.extend_from_slice(NEXT);
    }
    let seen = ask_hyper(options, &stream);

    let first = seen.first().expect("hyper serves what we accept");
    compare_read(&line, head, first);
    assert_eq!(first.method.as_bytes(), method);
    assert_eq!(first.target.as_bytes(), target);
    assert_eq!(first.body.clone().expect("hyper reads what we accept"), data);
    assert_eq!(first.complete, complete);
    match head.framing {
        Framing::Length(length) => assert_eq!(first.length, Some(length)),
        Framing::Chunked => assert_eq!(first.length, None),
    }
    if let Some(second) = seen.get(1) {
        assert!(complete);
        assert_eq!((&*second.method, &*second.target), ("GET", "/the-next-one"));
        assert_eq!(second.length, Some(0));
    } else if complete && http_11 {
        // Only the client itself can end the connection, or two ways to frame one body.
        let lower = sent.to_ascii_lowercase();
        let has = |name: &[u8]| lower.windows(name.len()).any(|window| window == name);
        let both = head.framing == Framing::Chunked && has(b"content-length");
        assert!(has(b"connection") || both, "the next one is lost");
        let is_ours = head.framing == Framing::Length(0) && request_of(&line).is_some();
        assert!(!is_ours || head.upgrade == Upgrade::Asked, "hyper ends what we let go on");
    }
    assert!(seen.len() <= 2);
}

/// Compares the request that we make of a head ourselves with the one that hyper makes of it.
fn compare_read(given: &[u8], head: &Head, seen: &Seen) {
    let is_plain = !head.old
        && head.upgrade == Upgrade::No
        && head.rewritten.is_none()
        && head.framing == Framing::Length(0);
    if is_plain && let Some(request) = request_of(given) {
        assert_eq!(request.method().as_str(), seen.method);
        assert_eq!(request.uri().to_string(), seen.target);
        assert_eq!(request.headers(), &seen.headers);
        assert!(request.headers().keys().eq(seen.headers.keys()), "in the same order");
    }
}

/// The data of chunks that were accepted, as far as they came.
fn data_of(mut chunks: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = chunks.iter().position(|byte| *byte == b'\n') {
        let digits = chunks.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let text = str::from_utf8(&chunks[..digits]).expect("digits");
        let size = usize::from_str_radix(text, 16).expect("a size");
        let begin = end + 1;
        let end = (begin + size).min(chunks.len());
        data.extend_from_slice(&chunks[begin..end]);
        if size == 0 || end + 2 > chunks.len() {
            break;
        }
        chunks = &chunks[end + 2..];
    }
    data
}

/// A request as hyper read it.
#[derive(Clone, Debug)]
struct Seen {
    method: String,
    target: String,
    headers: HeaderMap,
    /// What hyper says the length of the body is.
    length: Option<u64>,
    /// What hyper took for the body, or that it broke.
    body: Result<Vec<u8>, ()>,
    /// The body came to its end.
    complete: bool,
}

/// Lets hyper serve a connection on which `stream` comes, and then nothing.
fn ask_hyper(options: &ServerOptions, stream: &[u8]) -> Vec<Seen> {
    let all = Mutex::new(Vec::new());
    let service = service_fn(|request: Request<Incoming>| {
        let all = &all;
        async move {
            let place = lock(all).len();
            lock(all).push(Seen {
                method: request.method().to_string(),
                target: request.uri().to_string(),
                headers: request.headers().clone(),
                length: request.body().size_hint().exact(),
                body: Ok(Vec::new()),
                complete: false,
            });
            let mut body = request.into_body();
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                let seen = &mut lock(all)[place];
                match (frame, &mut seen.body) {
                    (Ok(frame), Ok(body)) => {
                        body.extend(frame.data_ref().into_iter().flatten().copied())
                    }
                    (Ok(_), Err(())) => {}
                    (Err(_), body) => *body = Err(()),
                }
            }
            lock(all)[place].complete = true;
            // A success would make a tunnel of a CONNECT.
            let mut response = Response::new(axum::body::Body::empty());
            *response.status_mut() = StatusCode::NOT_FOUND;
            Ok::<_, Infallible>(response)
        }
    });
    let io = TokioIo::new(Memory { input: stream.to_vec(), at: 0 });
    let mut connection = pin!(builder(options).serve_connection(io, service).with_upgrades());
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    while woken.0.swap(false, Ordering::Relaxed) {
        if connection.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            break;
        }
    }
    lock(&all).clone()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether there is a reason to poll again. No runtime is needed where nothing waits.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection whose client has sent all it will, and takes every answer.
struct Memory {
    input: Vec<u8>,
    at: usize,
}

impl AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = &self.input[self.at..];
        if rest.is_empty() {
            return Poll::Pending;
        }
        let length = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..length]);
        self.at += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{fmt, fs};

    use proptest::prelude::*;

    use super::*;

    /// Pieces of heads, good ones and bad ones, of which heads are put together.
    fn head_bytes() -> impl Strategy<Value = Vec<u8>> {
        let word = |words: &'static [&'static str]| prop::sample::select(words);
        let method = word(&[
            "GET", "GET", "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "get", "C!", "G@", "",
        ]);
        let target = prop_oneof![
            6 => "/[a-z/.]{0,12}",
            2 => "/[ -~]{0,6}",
            2 => word(&[
                "*", "a:80", "a", "[::1]:80", "a:x", "http://a", "http://a/b?c", "https://u:p@a:443/b",
                "http://a?q", "HTTP://a#f", "http://", "http://b/", "?a", "%2F", "/%00", "/a?%00",
                "/a#b", "/\"<>`", "//a", "//", "a@b:80",
            ]).prop_map(str::to_owned),
        ];
        let blank = word(&[" ", " ", " ", " ", " ", "  ", "\t", ""]);
        let version =
            word(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.", ""]);
        let end = || {
            prop_oneof![
                12 => Just("\r\n"),
                3 => Just("\n"),
                1 => word(&["\r", "\r\r\n", "\rX", "\rX\r\n", ""]),
            ]
        };
        let header = prop_oneof![
            4 => word(&[
                "Host: a", "Host:a", "Host:", "host: \t a \t", "Host: a:80", "HOST: b", "Host: a b",
            ]).prop_map(str::to_owned),
            2 => word(&[
                "Content-Length: 5", "Content-Length: 0", "content-length:\t7 ", "Content-Length: +5",
                "Content-Length: 5, 5", "Content-Length:", "Content-Length: 99999999999999999999",
                "Content-Length: 9223372036854775807", "Content-Length: 0x5", "Content-Length : 5",
            ]).prop_map(str::to_owned),
            2 => word(&[
                "Transfer-Encoding: chunked", "transfer-encoding:CHUNKED", "Transfer-Encoding: gzip",
                "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked",
                "Transfer-Encoding: identity", "Transfer-Encoding: ,chunked", "Transfer-Encoding:",
                "Transfer-Encoding:\tchunked\t", "Transfer-Encoding: chunked;q=1",
                "Transfer-Encoding: xchunked", "Transfer_Encoding: chunked",
            ]).prop_map(str::to_owned),
            1 => word(&[
                "Connection: close", "Connection: keep-alive", "Connection: upgrade", "Upgrade: x",
                "Expect: 100-continue", "connection: close, upgrade", "Connection: content-length",
            ]).prop_map(str::to_owned),
            4 => "[a-zA-Z-]{1,20}:[ -~\t]{0,20}",
            1 => "[ -~\t]{0,12}",
            1 => "[X:é\u{0}\u{7f}\t ]{0,8}",
        ];
        let line = (header, end()).prop_map(|(header, end)| header + end);
        let start = word(&[
            "",
            "",
            "",
            "",
            "\r\n",
            "\n",
            "\r\n\r\n",
            "\r",
            "\u{16}\u{3}\u{1}\r\u{1}",
            "\u{16}\u{3}\u{1}\n\n\u{1}",
            "\u{16}\u{3}",
        ]);
        (
            (start, method, blank.clone(), target, blank, version, end()),
            prop::collection::vec(line, 0..6),
            end(),
            prop_oneof![Just(Vec::new()), chunks_bytes()],
        )
            .prop_map(
                |((start, method, one, target, two, version, end), lines, empty, body)| {
                    let mut bytes =
                        [start, method, one, &target, two, version, end].concat().into_bytes();
                    lines.iter().for_each(|line| bytes.extend_from_slice(line.as_bytes()));
                    bytes.extend_from_slice(empty.as_bytes());
                    bytes.extend(body);
                    bytes
                },
            )
    }

    /// Pieces of bodies in chunks.
    fn chunks_bytes() -> impl Strategy<Value = Vec<u8>> {
        let good = "[a-z]{0,20}".prop_map(|data| format!("{:x}\r\n{data}\r\n", data.len()));
        let piece = prop_oneof![
            8 => good,
            1 => "[0-9a-fA-F]{0,9}(;[ -~\t\u{0}\u{1b}\u{7f}]{0,5})?\r?\n",
            1 => prop::sample::select(&[
                "5;a=b\r\nHello\r\n", "5;\r\nHello\r\n", "05\r\nHello\r\n", "5\nHello\r\n",
                "5\r\nHello\n", "5\r\nHelloo\r\n", "5 \r\nHello\r\n", "+5\r\nHello\r\n",
                "80000000\r\n", "7fffffff\r\n", "ffffffffffffffff5\r\n", "5;\n\r\nHello\r\n",
            ][..]).prop_map(str::to_owned),
        ];
        let last = prop::sample::select(
            &["0\r\n", "0\r\n", "000\r\n", "0;a\r\n", "", "0\n", "0 \r\n", "00000000\r\n"][..],
        );
        let trailer = prop_oneof![
            4 => "[a-zA-Z-]{1,8}:[ -~\t]{0,8}\r\n",
            1 => "[ -~]{0,8}\r?\n",
        ];
        let end =
            prop::sample::select(&["\r\n", "\r\n", "\n", "\r", "", "\r\nGET / HTTP/1.1\r\n"][..]);
        (prop::collection::vec(piece, 0..4), last, prop::collection::vec(trailer, 0..2), end)
            .prop_map(|(pieces, last, trailers, end)| {
                [pieces.concat().as_str(), last, &trailers.concat(), end].concat().into_bytes()
            })
    }

    /// Some bytes of an input changed, taken out or put in.
    fn mutated(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![prop::sample::select(&b"\r\n \t:;,0/\0\x7f\xc3#%"[..]), any::<u8>()];
        let change = (any::<prop::sample::Index>(), 0..3_u8, byte);
        let changes = prop_oneof![
            3 => Just(Vec::new()),
            2 => prop::collection::vec(change, 1..3),
        ];
        (bytes, changes).prop_map(|(mut bytes, changes)| {
            for (place, how, byte) in changes {
                let place = place.index(bytes.len() + 1);
                match how {
                    0 => bytes.insert(place, byte),
                    _ if place == bytes.len() => {}
                    1 => bytes[place] = byte,
                    _ => drop(bytes.remove(place)),
                }
            }
            bytes
        })
    }

    /// Bytes that a failure shows as text.
    #[derive(Clone)]
    struct Input(Vec<u8>);

    impl fmt::Debug for Input {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "b\"{}\"", self.0.escape_ascii())
        }
    }

    fn chosen(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Input> {
        (any::<u8>(), mutated(bytes)).prop_map(|(choice, mut bytes)| {
            bytes.insert(0, choice);
            Input(bytes)
        })
    }

    /// What the fuzzer found worth keeping.
    #[test]
    fn the_inputs_of_the_fuzz_targets_hold() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        // They are in the repository, but not in the package.
        if !seeds.is_dir() {
            return;
        }
        for (name, check) in
            [("http1_head", head as fn(&[u8])), ("http1_chunks", chunks), ("http1_target", target)]
        {
            let mut inputs = 0;
            for file in fs::read_dir(seeds.join(name)).expect("there are seeds").flatten() {
                check(&fs::read(file.path()).expect("a file"));
                inputs += 1;
            }
            assert!(inputs > 0, "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn heads_are_judged_alike_however_split_and_framed_as_by_hyper(input in chosen(head_bytes())) {
            head(&input.0);
        }

        #[test]
        fn chunks_are_judged_alike_however_split_and_read_as_by_hyper(input in chosen(chunks_bytes())) {
            chunks(&input.0);
        }

        #[test]
        fn targets_are_read_to_their_end_and_told_as_sent(
            method in "GET|OPTIONS|CONNECT",
            sent in mutated(prop_oneof![
                "/[ -~]{0,20}",
                "(/|\\.|%2e|%2F|%|a|%C3%A5|%FF|#|\\?){1,12}",
                "(http|https)://[a-z@:.]{0,8}[0-9/?#a-z]{0,8}",
                "[a-z0-9@:.\\[\\]-]{1,10}",
            ].prop_map(String::into_bytes)).prop_map(Input),
        ) {
            target(&[method.as_bytes(), b" ", &sent.0].concat());
        }
    }
}
