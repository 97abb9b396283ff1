//! Hosts a router: `cargo run --example hello -- --urls http://127.0.0.1:5000`

use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let app = Router::new().route("/", get(|| async { "Hello, World!" }));
    kestrel::Host::builder().args(std::env::args().skip(1)).app(app).run().await
}
