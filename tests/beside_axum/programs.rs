//! What the table of `docs/library.md` compares the examples with: the same programs with `axum::serve`, each as short as it
//! was to be had with the crates that people take for this, and what it needs to be like ours from outside. The first
//! argument says which. They are no examples of this crate's: they do without it.

#![expect(clippy::disallowed_methods, reason = "sockets have one place in the crate, not here")]

use std::process::ExitCode;

mod chat;
mod events;
mod grpc;
mod json_api;
mod live;
mod own_listener;
mod serve;
mod settings;
mod twice;
mod worker;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().init();
    let ended = match std::env::args().nth(1).as_deref() {
        Some("chat") => chat::run().await,
        Some("events") => events::run().await,
        Some("grpc") => grpc::run().await,
        Some("json_api") => json_api::run().await,
        Some("own_listener") => own_listener::run().await,
        Some("settings") => settings::run().await,
        Some("twice") => twice::run().await,
        Some("worker") => worker::run().await,
        _ => Err("say which one".into()),
    };
    ended.map_or_else(
        |error| {
            tracing::error!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
