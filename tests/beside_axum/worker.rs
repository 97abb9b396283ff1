//! As `examples/worker.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::{Router, routing::get};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::live::monitor;
use super::serve::{Failure, serve, settings, stop_by_signal};

#[derive(Deserialize, PartialEq)]
struct Settings {
    every_milliseconds: u64,
    #[serde(default)]
    rounds: Option<u64>,
}

pub(crate) async fn run() -> Result<(), Failure> {
    let done = Arc::new(AtomicU64::new(0));
    let (app, counted) = (Arc::clone(&done), done);
    let rounds = get(async move || format!("{} rounds\n", app.load(Ordering::Relaxed)));
    let (stopping, last_request) = (stop_by_signal(), CancellationToken::new());
    let (failed, ended) = (stopping.clone(), last_request.clone());
    let worker = tokio::spawn(async move {
        let _stops_the_server = failed.drop_guard();
        work(ended, counted).await
    });
    let served = serve(&settings()?, Router::new().route("/", rounds), stopping).await;
    last_request.cancel();
    tokio::time::timeout(Duration::from_secs(30), worker).await???;
    served
}

async fn work(ending: CancellationToken, done: Arc<AtomicU64>) -> Result<(), Failure> {
    let settings = monitor::<Settings>("worker")?;
    loop {
        let round = done.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::info!("round {round}");
        let now = Arc::clone(&settings.borrow());
        if now.rounds.is_some_and(|rounds| round >= rounds) {
            return Err("there is nothing left to do".into());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(now.every_milliseconds)) => {}
            () = ending.cancelled() => {
                tracing::info!("the last round is done");
                return Ok(());
            }
        }
    }
}
