//! Requests of HTTP/2 that come at once: their answers go out together, and none waits for one that
//! takes long.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, ready};

use axum::routing::any;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::http2_frames::{DATA, END_HEADERS, END_STREAM, HEADERS, Http2, RST_STREAM, frame, get};
use crate::slow_app::{SlowApp, Step};
use crate::support::{Wire, saying, soon, speaking, started, stopped};
use crate::tls_client::{Client, connected, options, serving};

/// HPACK: the whole field `:scheme`, by its place in the static table.
const HTTP: u8 = 0x86;
const HTTPS: u8 = 0x87;

/// Whole `GET`s for these paths, each on a stream of its own from the first one on.
fn requests<'a>(scheme: u8, paths: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let each = (1..).step_by(2).zip(paths).map(|(stream, path)| {
        let mut block = get(path);
        block.iter_mut().filter(|byte| **byte == HTTP).for_each(|byte| *byte = scheme);
        frame(HEADERS, END_HEADERS | END_STREAM, stream, &block)
    });
    each.collect::<Vec<_>>().concat()
}

/// Reads so many answers to their ends.
async fn answered<S: AsyncRead + AsyncWrite + Unpin>(http2: &mut Http2<S>, count: usize) {
    let mut ended = 0;
    while ended < count {
        let frame = http2.next().await;
        assert_ne!(frame.kind, RST_STREAM, "{frame:?}");
        ended += usize::from(frame.kind == DATA && frame.flags & END_STREAM != 0);
    }
}

/// Counts the records of TLS that are read.
struct Records {
    socket: TcpStream,
    count: usize,
    /// The head of the record that comes, and how much of its content.
    head: Vec<u8>,
    left: usize,
}

impl Records {
    fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            if let [_, _, _, high, low] = self.head[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.head.clear();
                self.count += 1;
            }
        }
    }
}

impl AsyncRead for Records {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        self.see(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Records {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

// A runtime of one thread would let the connection wait for all of them by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn answers_to_requests_that_came_together_go_out_together() {
    const REQUESTS: usize = 64;

    let host = started(serving(options()).app(saying("hello"))).await;
    let address = &host.addresses()[0];
    let socket = connected(address).await;
    let records = Records { socket, count: 0, head: Vec::new(), left: 0 };
    let connector = TlsConnector::from(Client::offering(&["h2"]).config());
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream = soon("a handshake", connector.connect(name, records)).await.expect("a handshake");
    let mut http2 = Http2::over(Wire::new(stream)).await;
    http2.seen().await;
    let before = http2.0.stream().get_ref().0.count;
    http2.0.send(requests(HTTPS, ["/"; REQUESTS])).await;
    answered(&mut http2, REQUESTS).await;
    let records = http2.0.stream().get_ref().0.count - before;
    // One, unless somebody else had the processor in between.
    assert!(records <= REQUESTS / 4, "{records} records for {REQUESTS} answers");
    drop(http2);
    stopped(host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_for_no_other_that_takes_long() {
    for paths in [["/", "/slow", "/", "/"], ["/slow", "/", "/", "/"], ["/", "/", "/", "/slow"]] {
        let (app, mut slow) = SlowApp::new();
        let host = started(speaking("Http2").app(app)).await;
        let mut http2 = Http2::connect(&host.addresses()[0]).await;
        http2.0.send(requests(HTTP, paths)).await;
        answered(&mut http2, 3).await;
        assert_eq!(slow.next_step().await, Step::Entered);
        slow.let_go();
        let waited = paths.iter().position(|path| *path == "/slow").expect("there is one");
        let stream = u32::try_from(2 * waited + 1).expect("a small number");
        assert_eq!(http2.body_of(stream).await, b"finished");
        drop(http2);
        stopped(host).await;
    }
}

/// An app may keep one of the runtime's threads; what is answered meanwhile is sent by the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_for_no_other_that_keeps_its_thread() {
    for paths in [["/", "/busy", "/", "/"], ["/busy", "/", "/", "/"], ["/", "/", "/", "/busy"]] {
        let (let_go, waits) = mpsc::channel::<()>();
        let waits = Arc::new(Mutex::new(waits));
        let busy = async move || {
            // An error is the failed test, which is gone.
            let _ = waits.lock().expect("no panic").recv();
            "finished"
        };
        let app = saying("quick").route("/busy", any(busy));
        let host = started(speaking("Http2").app(app)).await;
        let mut http2 = Http2::connect(&host.addresses()[0]).await;
        http2.0.send(requests(HTTP, paths)).await;
        answered(&mut http2, 3).await;
        let_go.send(()).expect("it waits");
        answered(&mut http2, 1).await;
        drop(http2);
        stopped(host).await;
    }
}
