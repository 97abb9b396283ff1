//! The gate, without a socket.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::routing::get;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};

use super::Gate;
use crate::features::{Completed, Completion, Connection, Scheme};
use crate::server::activity::{Activity, Http1Activity, Note};
use crate::server::clock::Moment;
use crate::server::context::Context as Shared;
use crate::server::counters::Counters;
use crate::server::drain::Drain;
use crate::server::http1::options::Options;
use crate::server::http1::service::Service;
use crate::server::io::{Socket, Stream};
use crate::server::options::ServerOptions;
use crate::server::running::Running;

impl Socket for DuplexStream {
    fn reset_on_close(&self) {}

    /// It cannot be looked at without being read.
    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn refuse(self) {}
}

/// A gate, and its client.
fn gate() -> (Gate<DuplexStream>, DuplexStream) {
    let (gate, client, _) = gate_of(axum::Router::new(), 16 * 1024);
    (gate, client)
}

/// The gate of a connection on which so much may wait, and what hands requests of it to this app.
fn gate_of(app: axum::Router, room: usize) -> (Gate<DuplexStream>, DuplexStream, Service) {
    let (server, client) = duplex(room);
    let stream = Stream::new(server, Drain::new().watch());
    let connection = Connection::new(1, None, None, Scheme::Http);
    let options = ServerOptions::default();
    let ready = Arc::new(Options::from(&options));
    let context = Shared::new(options, app.into(), Default::default(), Counters::default());
    let activity = Http1Activity::new(connection.id(), context);
    let service = Service::new(connection, Arc::clone(&activity));
    (Gate::new(stream, activity, ready), client, service)
}

/// What hyper reads at this moment.
async fn given(gate: &mut Gate<DuplexStream>) -> Poll<Vec<u8>> {
    let mut buffer = [0; 8192];
    poll_fn(|cx| {
        let mut buffer = ReadBuf::new(&mut buffer);
        let read = Pin::new(&mut *gate).poll_read(cx, &mut buffer);
        Poll::Ready(read.map(|read| {
            read.expect("no error");
            buffer.filled().to_vec()
        }))
    })
    .await
}

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn an_answer_that_is_there_at_once_goes_past_hyper() {
    let app = axum::Router::new().route("/", get(|| async { "hello" }));
    let (mut gate, mut client, service) = gate_of(app, 16 * 1024);
    gate.set_answerer(Some(service.answerer()));
    for times in [1, 3] {
        client.write_all(&HEAD.repeat(times)).await.expect("it is read");
        assert!(given(&mut gate).await.is_pending(), "there is nothing for hyper");
        assert!(gate.is_answered() && gate.is_released());
        let mut came = vec![0; 8192];
        let length = client.read(&mut came).await.expect("an answer");
        let came = str::from_utf8(&came[..length]).expect("text");
        let lines: Vec<_> = came.lines().map(|line| line.split(':').next().unwrap_or("")).collect();
        let expected = ["HTTP/1.1 200 OK", "Content-Type", "Content-Length", "Date", "Server", ""];
        assert!(lines.starts_with(&expected), "{came}");
        assert!(came.ends_with("\r\n\r\nhello"), "{came}");
        assert_eq!(came.matches("\r\n\r\nhello").count(), times, "all of them at once: {came}");
    }
}

/// Some time passes between the two where a machine is busy, in which the connection would be taken for idle, and
/// hyper given up with the head in it.
#[tokio::test]
async fn a_connection_does_not_wait_for_a_request_while_hyper_has_read_one_and_not_begun_it() {
    let (mut gate, mut client) = gate();
    let activity = Arc::clone(&gate.activity);
    let waits = || {
        let waits = (activity.idle_since().is_some(), activity.waited(Moment::now()).is_some());
        assert_eq!(waits.0, waits.1);
        waits.0
    };
    assert!(waits());
    for head in [HEAD, b"no request\r\n\r\n"] {
        client.write_all(head).await.expect("it is read");
        assert!(given(&mut gate).await.is_ready());
        assert!(!waits(), "hyper has it");
        let running = Running::begin(&Activity::Http1(Arc::clone(&activity)));
        assert!(!waits(), "it is answered");
        drop(running);
        assert!(waits());
    }
}

#[tokio::test]
async fn what_is_hypers_to_frame_goes_on_with_it() {
    let close = || async { [("connection", "close")] };
    let app = axum::Router::new().route("/", get(close));
    let (mut gate, mut client, service) = gate_of(app, 16 * 1024);
    gate.set_answerer(Some(service.answerer()));
    client.write_all(HEAD).await.expect("it is read");
    assert_eq!(given(&mut gate).await, Poll::Ready(b"GET / HTTP/1.1\r\nhost:\r\n\r\n".to_vec()));
    assert!(matches!(gate.activity.take_note(), Some(Note::Answered)));
    assert!(gate.activity.is_running());
    let Some(Ok(answer)) = service.handover().take() else { panic!("it was answered") };
    let names: Vec<_> = answer.headers().keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["connection", "content-length", "date", "server"]);
    drop(answer);
    assert!(gate.is_answered());
    // The next one is hyper's from the beginning.
    client.write_all(HEAD).await.expect("it is read");
    assert_eq!(given(&mut gate).await, Poll::Ready(HEAD.to_vec()));
    assert!(gate.activity.take_note().is_none());
}

#[tokio::test]
async fn an_answer_that_takes_time_goes_past_hyper_when_it_comes() {
    let (leave, given_leave) = tokio::sync::watch::channel(false);
    let answer = async move || {
        let _ = given_leave.clone().wait_for(|given| *given).await;
        "hello"
    };
    let app = axum::Router::new().route("/", get(answer));
    let (mut gate, mut client, service) = gate_of(app, 16 * 1024);
    gate.set_answerer(Some(service.answerer()));
    client.write_all(&HEAD.repeat(2)).await.expect("they are read");
    for _ in 0..2 {
        assert!(given(&mut gate).await.is_pending());
        assert!(gate.activity.is_running() && gate.activity.begun() == 1, "one at a time");
    }
    leave.send_replace(true);
    assert!(given(&mut gate).await.is_pending(), "there is nothing for hyper");
    assert!(gate.is_answered() && gate.activity.begun() == 2);
    let mut came = vec![0; 8192];
    let length = client.read(&mut came).await.expect("answers");
    let came = str::from_utf8(&came[..length]).expect("text");
    assert_eq!(came.matches("\r\n\r\nhello").count(), 2, "{came}");
}

#[tokio::test]
async fn an_answer_under_way_ends_with_what_answers() {
    let app = axum::Router::new().route("/", get(pending::<()>));
    let (mut gate, mut client, service) = gate_of(app, 16 * 1024);
    gate.set_answerer(Some(service.answerer()));
    client.write_all(HEAD).await.expect("it is read");
    assert!(given(&mut gate).await.is_pending());
    assert!(gate.activity.is_running() && !gate.settle());
    gate.set_answerer(None);
    assert!(!gate.activity.is_running());
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_not_told_as_sent() {
    let told = Arc::new(Mutex::new(None));
    let tells = Arc::clone(&told);
    let answer = |completion: Completion| async move {
        completion.on_end(move |end| *tells.lock().unwrap() = Some(end));
        "hello"
    };
    let app = axum::Router::new().route("/", get(answer));
    let (mut gate, mut client, service) = gate_of(app, 16 * 1024);
    gate.set_answerer(Some(service.answerer()));
    client.write_all(HEAD).await.expect("it is read");
    drop(client);
    let mut buffer = [0; 8192];
    gate.read(&mut buffer).await.expect_err("nobody takes it");
    let _ = poll_fn(|cx| Poll::Ready(Pin::new(&mut gate).poll_flush(cx))).await;
    assert_eq!(*told.lock().unwrap(), None);
    drop((gate, service));
    assert_eq!(*told.lock().unwrap(), Some(Completed::ClientGone));
}

#[tokio::test]
async fn a_client_that_takes_nothing_gets_the_rest_later() {
    let app = axum::Router::new().route("/", get(|| async { vec![b'x'; 10_000] }));
    let (mut gate, mut client, service) = gate_of(app, 100);
    gate.set_answerer(Some(service.answerer()));
    client.write_all(HEAD).await.expect("it is read");
    assert!(given(&mut gate).await.is_pending());
    assert!(gate.activity.is_blocked() && !gate.is_released());
    client.write_all(HEAD).await.expect("there is room");
    assert!(given(&mut gate).await.is_pending(), "the next one waits");
    assert_eq!(gate.activity.begun(), 1);
    let mut came = Vec::new();
    while !gate.is_released() {
        let mut some = [0; 77];
        let length = client.read(&mut some).await.expect("more of it");
        came.extend_from_slice(&some[..length]);
        let _ = poll_fn(|cx| Poll::Ready(Pin::new(&mut gate).poll_flush(cx))).await;
    }
    assert!(!gate.activity.is_blocked());
    let mut rest = [0; 100];
    let length = client.read(&mut rest).await.expect("the end of it");
    came.extend_from_slice(&rest[..length]);
    let body = came.windows(4).position(|it| it == b"\r\n\r\n").expect("a head") + 4;
    assert!(came[body..] == [b'x'; 10_000], "{} bytes", came.len() - body);
    assert!(given(&mut gate).await.is_pending());
    assert_eq!(gate.activity.begun(), 2);
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
    client.write_all(HEAD).await.expect("it is read");
    let length = gate.read(&mut buffer).await.expect("a head");
    assert_eq!(&buffer[..length], HEAD);
}

#[tokio::test]
async fn what_came_of_a_body_is_given_with_its_head() {
    let (mut gate, mut client) = gate();
    for (body, came) in [("abc", "abc"), ("abc", "abcGET /"), ("abcdef", "abc")] {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{came}").as_bytes()).await.expect("it is read");
        let whole = format!("{head}{}", &came[..3]);
        assert_eq!(given(&mut gate).await, Poll::Ready(whole.into_bytes()));
        let rest = &body[3..];
        if !rest.is_empty() {
            client.write_all(rest.as_bytes()).await.expect("it is read");
            assert_eq!(given(&mut gate).await, Poll::Ready(rest.as_bytes().to_vec()));
        }
        drop(Running::begin(&Activity::Http1(Arc::clone(&gate.activity))));
        if let Some(next) = came.strip_prefix(body).filter(|next| !next.is_empty()) {
            let end = " HTTP/1.1\r\nHost: a\r\n\r\n";
            assert!(given(&mut gate).await.is_pending());
            client.write_all(end.as_bytes()).await.expect("it is read");
            let next = format!("{next}{end}");
            assert_eq!(given(&mut gate).await, Poll::Ready(next.into_bytes()));
            drop(Running::begin(&Activity::Http1(Arc::clone(&gate.activity))));
        }
    }
    assert!(gate.settle());
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
