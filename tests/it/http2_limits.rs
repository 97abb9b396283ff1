//! What an HTTP/2 client may do to a connection, for how long, and how it ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, get};
use http_body::Frame;
use hyper_util::rt::TokioIo;
use kestrel::MinDataRate;
use tokio::sync::{Semaphore, mpsc};

use crate::http2_frames::{
    self as frames, ANY_STREAM, CONTINUATION, DATA, END_HEADERS, END_STREAM, Http2, PREFACE, field,
    frame,
};
use crate::support::{NEVER, Wire, pass, saying, soon, speaking, started, stopped};

const SECOND: Duration = Duration::from_secs(1);

/// Kestrel's defaults, each with the second it adds.
const KEEP_ALIVE: Duration = Duration::from_secs(131);
const REQUEST_HEADERS: Duration = Duration::from_secs(31);

#[tokio::test]
async fn the_settings_are_those_of_the_limits() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    let settings = http2.next().await;
    assert_eq!(settings.kind, frames::SETTINGS);
    let told: Vec<_> = settings
        .payload
        .chunks(6)
        .map(|setting| {
            let value = setting[2..].try_into().expect("four bytes");
            (setting[1], u32::from_be_bytes(value))
        })
        .collect();
    assert_eq!(told, [(3, 100), (4, 786_432), (6, 32_768), (8, 1)]);
    let window = http2.next_of_kind(frames::WINDOW_UPDATE).await;
    assert_eq!((window.stream, window.number(0)), (0, 983_041));
    drop(http2);
    stopped(host).await;
}

/// Sends a flood that ends the connection, and checks that its reason arrives although there is
/// more that nobody reads.
async fn ends_in_calm(flood: &[u8], times: usize) {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.seen().await;
    http2.send_until_closed(&flood.repeat(times)).await;
    assert_eq!(http2.goaway().await, (ANY_STREAM, frames::ENHANCE_YOUR_CALM));
    http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn a_flood_of_pings_ends_in_calm() {
    ends_in_calm(&frame(frames::PING, 0, 0, b"12345678"), 10_000).await;
}

#[tokio::test]
async fn a_flood_of_settings_ends_in_calm() {
    ends_in_calm(&frame(frames::SETTINGS, 0, 0, b""), 10_000).await;
}

#[tokio::test]
async fn a_head_in_thousands_of_frames_ends_in_calm() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.send(frames::HEADERS, END_STREAM, 1, &frames::get("/")).await;
    http2.send_until_closed(&frame(CONTINUATION, 0, 1, b"").repeat(5000)).await;
    assert_eq!(http2.goaway().await, (ANY_STREAM, frames::ENHANCE_YOUR_CALM));
    http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn two_thousand_pings_are_answered() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    for _ in 0..2000 {
        http2.seen().await;
    }
    http2.request(1, "/").await;
    assert_eq!(http2.body_of(1).await, b"hello");
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn a_head_in_many_frames_is_one_request() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    let head = frames::get("/");
    http2.send(frames::HEADERS, END_STREAM, 1, &[]).await;
    for byte in &head {
        http2.send(CONTINUATION, 0, 1, &[*byte]).await;
        http2.send(CONTINUATION, 0, 1, &[]).await;
    }
    http2.send(CONTINUATION, END_HEADERS, 1, &[]).await;
    assert_eq!(http2.body_of(1).await, b"hello");
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn a_head_that_takes_too_long_ends_the_connection() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    // Nothing but CONTINUATION may come after the head, an acknowledgement neither.
    http2.seen().await;
    // The answer to the PING means that both were read.
    let ping = frame(frames::PING, 0, 0, b"12345678");
    let head = frame(frames::HEADERS, END_STREAM, 1, &frames::get("/"));
    http2.send_until_closed(&[ping, head].concat()).await;
    http2.next_of_kind(frames::PING).await;
    pass(REQUEST_HEADERS - SECOND).await;
    // A trickle does not help.
    http2.send(CONTINUATION, 0, 1, b"").await;
    pass(SECOND).await;
    assert_eq!(http2.goaway().await, (ANY_STREAM, frames::INTERNAL_ERROR));
    http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn a_connection_without_a_stream_is_told_goodbye_in_time() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.request(1, "/").await;
    assert_eq!(http2.body_of(1).await, b"hello");
    http2.seen().await;
    // A PING is a sign of life.
    for _ in 0..2 {
        pass(KEEP_ALIVE - SECOND).await;
        http2.seen().await;
    }
    pass(KEEP_ALIVE).await;
    assert_eq!(http2.goaway().await, (1, frames::NO_ERROR));
    http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn the_wait_counts_from_the_end_of_the_last_stream() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    for stream in [1, 3] {
        http2.seen().await;
        pass(KEEP_ALIVE / 2).await;
        http2.request(stream, "/").await;
        assert_eq!(http2.body_of(stream).await, b"hello");
    }
    // The server's alarm rings, and there is time left.
    pass(KEEP_ALIVE / 4).await;
    pass(KEEP_ALIVE / 4).await;
    pass(KEEP_ALIVE / 2).await;
    assert_eq!(http2.goaway().await, (3, frames::NO_ERROR));
    http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn half_a_preface_is_told_goodbye_in_time() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(&PREFACE[..14]).await;
    pass(KEEP_ALIVE).await;
    assert_eq!(wire.rest().await, frame(frames::GOAWAY, 0, 0, &[0; 8]));
    stopped(host).await;
}

#[tokio::test]
async fn what_is_no_http_is_told_so_at_once() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    for bytes in [
        &b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..],
        b"hello there\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ] {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send(bytes).await;
        let goaway = frame(frames::GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(wire.rest().await, goaway, "{bytes:?}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_malformed_request_resets_its_stream_and_no_other() {
    let (app, mut slow) = slow_app();
    let host = started(speaking("Http2").app(app)).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.request(1, "/slow").await;
    slow.entered().await;
    let head = |more: &[u8]| [&frames::get("/")[..], more].concat();
    for (number, block) in (1_u32..).zip([
        head(&field("X-Up", "y")),
        head(&field("x y", "z")),
        head(&field("", "y")),
        head(&field("x", "y\r\nz: w")),
        head(&field("x", " y")),
        head(&field(":foo", "bar")),
        head(&field("connection", "close")),
        head(&field("content-length", "0").repeat(2)),
        frames::get("/a b"),
        frames::get("/a%00"),
        frames::get("/a#b"),
        frames::get("a"),
        [&field(":method", "GE T")[..], &frames::get("/")[1..]].concat(),
    ]) {
        let stream = 2 * number + 1;
        http2.send(frames::HEADERS, END_HEADERS | END_STREAM, stream, &block).await;
        let reset = http2.next_of_kind(frames::RST_STREAM).await;
        assert_eq!(reset.stream, stream, "{block:?}");
        assert_eq!(reset.number(0), frames::PROTOCOL_ERROR, "{block:?}");
    }
    slow.let_go();
    assert_eq!(http2.body_of(1).await, b"finished");
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn the_table_of_fields_stays_the_same_on_both_sides_of_a_malformed_one() {
    let app = Router::new().route(
        "/",
        get(|request: Request| async move {
            request.headers()["x-a"].to_str().unwrap_or_default().to_owned()
        }),
    );
    let host = started(speaking("Http2").app(app)).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    let indexed = |name, value| [&[0x40][..], &field(name, value)[1..]].concat();
    let block = [frames::get("/"), indexed("x-a", "one"), indexed("X-B", "two")].concat();
    http2.send(frames::HEADERS, END_HEADERS | END_STREAM, 1, &block).await;
    assert_eq!(http2.next_of_kind(frames::RST_STREAM).await.stream, 1);
    // The second newest entry.
    let block = [frames::get("/"), vec![0x80 | 63]].concat();
    http2.send(frames::HEADERS, END_HEADERS | END_STREAM, 3, &block).await;
    assert_eq!(http2.body_of(3).await, b"one");
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn a_request_that_takes_its_time_is_not_idle() {
    let (app, mut slow) = slow_app();
    let host = started(speaking("Http2").app(app)).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.request(1, "/slow").await;
    slow.entered().await;
    pass(NEVER / 2).await;
    slow.let_go();
    assert_eq!(http2.body_of(1).await, b"finished");
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn the_stop_serves_what_comes_while_a_stream_is_open_and_then_says_goodbye() {
    let (app, mut slow) = slow_app();
    let host = started(speaking("Http2").app(app)).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.request(1, "/slow").await;
    slow.entered().await;
    let stop = tokio::spawn(host.stop());
    assert_eq!(http2.goaway().await, (ANY_STREAM, frames::NO_ERROR));
    http2.request(3, "/").await;
    assert_eq!(http2.body_of(3).await, b"quick");
    slow.let_go();
    assert_eq!(http2.body_of(1).await, b"finished");
    assert_eq!(http2.goaway().await, (3, frames::NO_ERROR));
    http2.until_closed().await;
    soon("the stop", stop).await.expect("it does not panic");
}

#[tokio::test]
async fn the_stop_does_not_wait_for_half_a_head() {
    let host = started(speaking("Http2").app(saying("hello"))).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.seen().await;
    // The answer to the PING means that both were read.
    let ping = frame(frames::PING, 0, 0, b"12345678");
    let head = frame(frames::HEADERS, END_STREAM, 1, &frames::get("/"));
    http2.send_until_closed(&[ping, head].concat()).await;
    http2.next_of_kind(frames::PING).await;
    let stop = tokio::spawn(host.stop());
    // The request may be sent again.
    assert_eq!(http2.goaway().await, (0, frames::NO_ERROR));
    http2.until_closed().await;
    soon("the stop", stop).await.expect("it does not panic");
}

#[tokio::test]
async fn an_extended_connect_is_a_tunnel() {
    let app = Router::new().route("/", any(tunnel));
    let host = started(speaking("Http2").app(app)).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    let mut block = field(":method", "CONNECT");
    block.extend(field(":protocol", "websocket"));
    block.extend(&frames::get("/")[1..]);
    http2.send(frames::HEADERS, END_HEADERS, 1, &block).await;
    assert_eq!(http2.next_of_kind(frames::HEADERS).await.stream, 1);
    // It is not idle, however long nothing is said.
    pass(NEVER / 2).await;
    for text in [&b"hello"[..], b"bye"] {
        http2.send(DATA, 0, 1, text).await;
        assert_eq!(http2.next_of_kind(DATA).await.payload, text);
    }
    http2.send(DATA, END_STREAM, 1, b"").await;
    assert_eq!(http2.next_of_kind(DATA).await.payload, b"");
    drop(http2);
    stopped(host).await;
}

/// Says everything back.
async fn tunnel(mut request: Request) -> Response {
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let upgraded = upgrading.await.expect("the answer is 200");
        let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
        // Ends with the connection, one way or the other.
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut writer).await;
    });
    Response::default()
}

/// An app that says more than a client has to take at once, and one that waits behind one byte.
fn talkative() -> Router {
    saying("hello")
        .route("/much", get(|| async { "x".repeat(100_000) }))
        .route("/waits", get(|| async { Body::new(OneByte(true)) }))
}

/// A body that has one byte and no end.
struct OneByte(bool);

impl http_body::Body for OneByte {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match std::mem::take(&mut self.0) {
            true => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x"))))),
            false => Poll::Pending,
        }
    }
}

async fn with_response_rate(app: Router) -> kestrel::RunningHost {
    let rate = MinDataRate::new(1_000_000.0, 10 * SECOND).expect("a rate");
    let builder = speaking("Http2").app(app);
    started(builder.configure_kestrel(move |options| {
        options.limits.min_response_data_rate = Some(rate);
    }))
    .await
}

/// Takes frames until nothing more of the body of `stream` comes; returns how much came.
async fn until_the_window_is_used_up(http2: &mut Http2, window: usize) {
    let mut taken = 0;
    while taken < window {
        taken += http2.next_of_kind(DATA).await.payload.len();
    }
}

#[tokio::test]
async fn an_answer_whose_window_is_not_opened_is_reset_and_no_other() {
    let host = with_response_rate(talkative()).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.send(frames::WINDOW_UPDATE, 0, 0, &1_000_000_u32.to_be_bytes()).await;
    http2.request(1, "/much").await;
    until_the_window_is_used_up(&mut http2, 65_535).await;
    pass(10 * SECOND).await;
    // A second is added, and a client that goes on is let go on.
    http2.send(frames::WINDOW_UPDATE, 0, 1, &10_000_u32.to_be_bytes()).await;
    until_the_window_is_used_up(&mut http2, 10_000).await;
    pass(2 * SECOND).await;
    let reset = http2.next_of_kind(frames::RST_STREAM).await;
    assert_eq!((reset.stream, reset.number(0)), (1, frames::INTERNAL_ERROR));
    http2.request(3, "/").await;
    assert_eq!(http2.body_of(3).await, b"hello");
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn a_client_that_stops_in_the_middle_of_a_frame_is_not_spared() {
    let host = with_response_rate(talkative()).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.send(frames::WINDOW_UPDATE, 0, 0, &1_000_000_u32.to_be_bytes()).await;
    http2.request(1, "/much").await;
    until_the_window_is_used_up(&mut http2, 65_535).await;
    // Nothing can be told to hyper's library in there, so that it is the connection that ends.
    let upload = [
        frame(frames::HEADERS, END_HEADERS, 3, &frames::get("/waits")),
        frame(frames::PING, 0, 0, b"are you?"),
        frame(DATA, 0, 3, &[0; 100])[..50].to_vec(),
    ];
    http2.send_until_closed(&upload.concat()).await;
    http2.next_of_kind(frames::PING).await;
    pass(11 * SECOND).await;
    assert_eq!(http2.goaway().await, (ANY_STREAM, frames::INTERNAL_ERROR));
    http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_that_may_not_begin_is_reset() {
    let host = with_response_rate(talkative()).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.send(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).await;
    http2.request(1, "/").await;
    assert_eq!(http2.next_of_kind(frames::HEADERS).await.stream, 1);
    http2.seen().await;
    pass(11 * SECOND).await;
    assert_eq!(http2.next_of_kind(frames::RST_STREAM).await.stream, 1);
    drop(http2);
    stopped(host).await;
}

/// Nothing of it lies anywhere, so that there is nothing the client might still be taking.
#[tokio::test]
async fn an_answer_of_which_nothing_was_sent_has_no_more_than_the_grace_period() {
    let host = started(speaking("Http2").app(talkative())).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    http2.send(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).await;
    http2.request(1, "/much").await;
    assert_eq!(http2.next_of_kind(frames::HEADERS).await.stream, 1);
    pass(5 * SECOND).await;
    http2.seen().await;
    pass(2 * SECOND).await;
    assert_eq!(http2.next_of_kind(frames::RST_STREAM).await.stream, 1);
    // Of this one the client has ten kilobytes, which are 42 seconds.
    http2.send(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 0x27, 0x10]).await;
    http2.request(3, "/much").await;
    until_the_window_is_used_up(&mut http2, 10_000).await;
    pass(40 * SECOND).await;
    http2.seen().await;
    pass(4 * SECOND).await;
    assert_eq!(http2.next_of_kind(frames::RST_STREAM).await.stream, 3);
    drop(http2);
    stopped(host).await;
}

#[tokio::test]
async fn a_connection_whose_window_is_not_opened_ends() {
    let host = with_response_rate(talkative()).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    // The windows of streams are large enough, that of the connection is not.
    http2.send(frames::SETTINGS, 0, 0, &[0, 4, 0, 0x10, 0, 0]).await;
    http2.request(1, "/much").await;
    until_the_window_is_used_up(&mut http2, 65_535).await;
    pass(11 * SECOND).await;
    assert_eq!(http2.goaway().await, (ANY_STREAM, frames::INTERNAL_ERROR));
    http2.until_closed().await;
    stopped(host).await;
}

#[tokio::test]
async fn an_app_that_has_nothing_to_say_is_not_the_fault_of_a_small_window() {
    let host = with_response_rate(talkative()).await;
    let mut http2 = Http2::connect(&host.addresses()[0]).await;
    // As large as what the app says before it waits.
    http2.send(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]).await;
    http2.request(1, "/waits").await;
    assert_eq!(http2.next_of_kind(DATA).await.payload, b"x");
    http2.seen().await;
    for _ in 0..5 {
        pass(15 * SECOND).await;
        http2.seen().await;
    }
    http2.send(frames::RST_STREAM, 0, 1, &frames::CANCEL.to_be_bytes()).await;
    http2.send(frames::WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()).await;
    http2.seen().await;
    drop(http2);
    stopped(host).await;
}

/// An app whose `/slow` answers once it is let go; `/` answers at once.
fn slow_app() -> (Router, Slow) {
    let (sender, entered) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let waits_at = Arc::clone(&gate);
    let slow = move || async move {
        let _ = sender.send(());
        let _ = waits_at.acquire().await;
        "finished"
    };
    (saying("quick").route("/slow", get(slow)), Slow { entered, gate })
}

struct Slow {
    entered: mpsc::UnboundedReceiver<()>,
    gate: Arc<Semaphore>,
}

impl Slow {
    async fn entered(&mut self) {
        soon("a request in the handler", self.entered.recv()).await.expect("the app is alive");
    }

    fn let_go(&self) {
        self.gate.add_permits(1);
    }
}
