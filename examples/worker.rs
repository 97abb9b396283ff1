//! A worker beside the requests: `cargo run --example worker -- --Worker:Every 2s --urls http://127.0.0.1:5000`
//!
//! It begins before the host binds its addresses, follows its section of the configuration while it runs, and
//! does its last round when the last request has ended. An error of its own stops the host with exit code 7.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::{Router, routing::get};
use kestrel::{AppContext, AppError, Ending, Host};
use serde::Deserialize;

/// The section `Worker`.
#[derive(Deserialize)]
struct Settings {
    every: Duration,
    #[serde(default)]
    rounds: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = Arc::new(AtomicU64::new(0));
    let (app, counted) = (Arc::clone(&done), done);
    let rounds = get(async move || format!("{} rounds\n", app.load(Ordering::Relaxed)));
    Host::from_args()
        .app(Router::new().route("/", rounds))
        .background_service("worker", |context, ending| work(context, ending, counted))
        .run()
        .await
}

async fn work(
    context: AppContext,
    mut ending: Ending,
    done: Arc<AtomicU64>,
) -> Result<(), AppError> {
    // A change that cannot be read is refused with the whole reload, and told where it stands.
    let settings = context.live_configuration.monitor::<Settings>("Worker")?;
    loop {
        let round = done.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::info!("round {round}");
        let Settings { every, rounds } = *settings.current();
        if rounds.is_some_and(|rounds| round >= rounds) {
            return Err("there is nothing left to do".into());
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = ending.begun() => {
                tracing::info!("the last round is done");
                return Ok(());
            }
        }
    }
}
