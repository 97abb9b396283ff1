//! As `examples/twice.rs`.

use std::net::SocketAddr;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Router, http::StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::serve::{Failure, serve, serve_on, settings, stop_by_signal};

pub(crate) async fn run() -> Result<(), Failure> {
    let settings = settings()?.join(("admin.address", "127.0.0.1:5001"));
    let stopping = stop_by_signal();
    let shop = Router::new().route("/", get(|| async { "Hello, World!" }));
    let shop = serve(&settings, shop, stopping.clone());
    let address: SocketAddr = settings.extract_inner("admin.address")?;
    let admin = Router::new().route("/stop", post(stop)).with_state(stopping.clone());
    let admin = serve_on(TcpListener::bind(address).await?, admin, stopping);
    tokio::try_join!(shop, admin)?;
    Ok(())
}

async fn stop(State(stopping): State<CancellationToken>) -> StatusCode {
    stopping.cancel();
    StatusCode::ACCEPTED
}
