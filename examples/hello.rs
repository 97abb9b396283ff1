//! Hosts a router: `cargo run --example hello -- --listen 127.0.0.1:5000`; `-- --help` tells the rest.

use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let app = Router::new().route("/", get(|| async { "Hello, World!" }));
    kestrel::Host::from_args().version(env!("CARGO_PKG_VERSION")).app(app).run().await
}
