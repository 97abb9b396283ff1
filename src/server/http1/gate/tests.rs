//! The gate, without a socket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

use super::Gate;
use crate::features::{Connection, Scheme};
use crate::server::activity::{Activity, Http1Activity};
use crate::server::context::Context as Shared;
use crate::server::counters::Counters;
use crate::server::drain::Drain;
use crate::server::http1::options::Options;
use crate::server::io::{Socket, Stream};
use crate::server::options::ServerOptions;
use crate::server::running::Running;

impl Socket for DuplexStream {
    fn reset_on_close(&self) {}

    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn refuse(self) {}
}

/// A gate, and its client.
fn gate() -> (Gate<DuplexStream>, DuplexStream) {
    let (server, client) = duplex(16 * 1024);
    let stream = Stream::new(server, Drain::new().watch());
    let connection = Connection::new(1, None, None, Scheme::Http);
    let options = ServerOptions::default();
    let ready = Arc::new(Options::from(&options));
    let context =
        Shared::new(options, axum::Router::new().into(), Default::default(), Counters::default());
    (Gate::new(stream, Http1Activity::new(connection.id(), context), ready), client)
}

#[tokio::test]
async fn empty_lines_are_not_collected() {
    let (mut gate, mut client) = gate();
    let mut buffer = [0; 8192];
    for line in [b"\r\n".as_slice(), b"\n"] {
        let lines = line.repeat(4000);
        for _ in 0..300 {
            client.write_all(&lines).await.expect("they are read");
            let read = std::future::poll_fn(|cx| {
                let mut buffer = ReadBuf::new(&mut buffer);
                Poll::Ready(Pin::new(&mut gate).poll_read(cx, &mut buffer))
            });
            assert!(read.await.is_pending(), "there is nothing for hyper");
            assert_eq!(gate.pending.len(), 0);
            assert!(gate.pending.capacity() <= 64 * 1024, "{}", gate.pending.capacity());
        }
        assert!(gate.settle());
    }
    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    client.write_all(HEAD).await.expect("it is read");
    let length = gate.read(&mut buffer).await.expect("a head");
    assert_eq!(&buffer[..length], HEAD);
}

#[tokio::test]
async fn hyper_is_given_one_message_at_a_time() {
    let (mut gate, mut client) = gate();
    let mut buffer = [0; 8192];
    let messages: [&[u8]; 2] = [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    client.write_all(&messages.concat()).await.expect("they are read");
    for message in messages {
        let mut given = Vec::new();
        while given.len() < message.len() {
            let length = gate.read(&mut buffer).await.expect("more of it");
            given.extend_from_slice(&buffer[..length]);
        }
        assert_eq!(given, message);
        // What comes next waits for a service that takes this one.
        let next = std::future::poll_fn(|cx| {
            let mut buffer = ReadBuf::new(&mut buffer);
            Poll::Ready(Pin::new(&mut gate).poll_read(cx, &mut buffer))
        });
        assert!(next.await.is_pending());
        drop(Running::begin(&Activity::Http1(Arc::clone(&gate.activity))));
    }
    assert!(gate.settle());
}
