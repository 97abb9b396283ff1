//! As `examples/events.rs`.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::{Router, routing::get};
use futures_util::stream::{self, Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::serve::{Failure, serve, settings, stop_by_signal};

pub(crate) async fn run() -> Result<(), Failure> {
    let stopping = stop_by_signal();
    let app = Router::new().route("/time", get(time)).with_state(stopping.clone());
    serve(&settings()?, app, stopping).await
}

async fn time(
    State(stopping): State<CancellationToken>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let seconds =
        stream::unfold(tokio::time::interval(Duration::from_secs(1)), async |mut tick| {
            tick.tick().await;
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Some((Ok(Event::default().data(now.as_secs().to_string())), tick))
        });
    Sse::new(seconds.take_until(stopping.cancelled_owned())).keep_alive(KeepAlive::default())
}
