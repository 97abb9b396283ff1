//! Server-sent events that end when the host stops: `cargo run --example events -- --urls http://127.0.0.1:5000`,
//! `curl -N http://127.0.0.1:5000/time`, then Ctrl+C here: curl ends at once, and without an error.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::{Router, routing::get};
use futures_util::stream::{self, Stream};
use kestrel::{Host, Lifetime};

#[tokio::main]
async fn main() -> ExitCode {
    Host::from_args().app(Router::new().route("/time", get(time))).run().await
}

async fn time(lifetime: Lifetime) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let seconds =
        stream::unfold(tokio::time::interval(Duration::from_secs(1)), async |mut tick| {
            tick.tick().await;
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Some((Ok(Event::default().data(now.as_secs().to_string())), tick))
        });
    Sse::new(lifetime.until_stopping(seconds)).keep_alive(KeepAlive::default())
}
