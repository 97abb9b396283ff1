//! As `examples/settings.rs`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::{Router, routing::get};
use serde::Deserialize;
use tokio::sync::watch;

use super::live::monitor;
use super::serve::{Failure, serve, settings, stop_by_signal};

#[derive(Deserialize, PartialEq)]
struct Greeting {
    text: String,
    #[serde(default)]
    pause_milliseconds: u64,
}

type Live = watch::Receiver<Arc<Greeting>>;

pub(crate) async fn run() -> Result<(), Failure> {
    let greeting: Live = monitor("greeting")?;
    let app = Router::new().route("/", get(greet)).with_state(greeting.clone());
    tokio::spawn(tell(greeting));
    serve(&settings()?, app, stop_by_signal()).await
}

async fn greet(State(greeting): State<Live>) -> String {
    let greeting = Arc::clone(&greeting.borrow());
    tokio::time::sleep(Duration::from_millis(greeting.pause_milliseconds)).await;
    greeting.text.clone()
}

async fn tell(mut greeting: Live) {
    while greeting.changed().await.is_ok() {
        tracing::warn!("the greeting is {} now", greeting.borrow_and_update().text);
    }
}
