//! As `examples/own_listener.rs`.

use std::net::{SocketAddr, TcpListener};

use axum::extract::ConnectInfo;
use axum::{Router, routing::get};

use super::serve::{Failure, serve_on, stop_by_signal};

pub(crate) async fn run() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let app = Router::new().route("/", get(who));
    serve_on(tokio::net::TcpListener::from_std(listener)?, app, stop_by_signal()).await
}

async fn who(ConnectInfo(client): ConnectInfo<SocketAddr>) -> String {
    client.to_string()
}
