//! Two hosts in one process, each with its own addresses: `cargo run --example twice -- --urls http://127.0.0.1:5000`
//!
//! The second one is for those who run the first: `curl -X POST http://127.0.0.1:5001/stop` stops both, as Ctrl+C does.

use std::process::ExitCode;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Router, http::StatusCode};
use kestrel::{Host, HostError, Lifetime};

#[tokio::main]
async fn main() -> Result<ExitCode, HostError> {
    let lifetime = Lifetime::new();
    let shop = Router::new().route("/", get(|| async { "Hello, World!" }));
    let shop = Host::from_args().app(shop).lifetime(lifetime.clone()).build_or_exit();
    let urls = shop.configuration().value("Admin:Urls").unwrap_or("http://127.0.0.1:5001");
    let admin = Router::new().route("/stop", post(stop)).with_state(lifetime.clone());
    let admin = Host::empty_builder().use_urls(urls).app(admin).lifetime(lifetime.clone());
    // One that cannot start stops the other.
    let (shop, admin) =
        tokio::join!(shop.run(), async { admin.try_run().await.inspect_err(|_| lifetime.stop()) });
    admin.map(|_| shop)
}

async fn stop(State(lifetime): State<Lifetime>) -> StatusCode {
    lifetime.stop();
    StatusCode::ACCEPTED
}
