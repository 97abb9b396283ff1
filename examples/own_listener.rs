//! A socket that listens already, given to the host: `cargo run --example own_listener`
//!
//! So does a supervisor that opens sockets itself, as systemd can (docs/library.md), or a test that wants to know the
//! port before there is a host.

#![expect(clippy::disallowed_methods, reason = "a rule of this repository for its own sockets")]

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use axum::extract::ConnectInfo;
use axum::{Router, routing::get};
use kestrel::{AppError, Host};

#[tokio::main]
async fn main() -> Result<ExitCode, AppError> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let app = Router::new().route("/", get(who));
    Ok(Host::from_args().listen_on(listener).connect_info().app(app).run().await)
}

async fn who(ConnectInfo(client): ConnectInfo<SocketAddr>) -> String {
    client.to_string()
}
