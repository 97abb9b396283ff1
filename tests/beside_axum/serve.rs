//! What each of the programs needs, and a program has once: settings from a file, variables and the command line; an
//! address by them; signals; a stop that waits for requests, and not for ever.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use figment::Figment;
use figment::providers::{Env, Format, Json};
use figment::value::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// `settings.json`, under `APP_STORE__FILE=...`, under `--store.file ...`.
pub(crate) fn settings() -> Result<Figment, Failure> {
    let mut settings = Figment::from(("address", "127.0.0.1:5000"))
        .merge(Json::file("settings.json"))
        .merge(Env::prefixed("APP_").split("__"));
    let mut words = std::env::args().skip(2);
    while let Some(word) = words.next() {
        let key = word.strip_prefix("--").ok_or_else(|| format!("'{word}' is no --key"))?;
        let text = words.next().ok_or_else(|| format!("--{key} has no value"))?;
        let Ok(value) = text.parse::<Value>();
        settings = settings.merge((key, value));
    }
    Ok(settings)
}

/// Is cancelled by Ctrl+C and SIGTERM.
pub(crate) fn stop_by_signal() -> CancellationToken {
    let stopping = CancellationToken::new();
    let asked = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated() => {}
        }
        asked.cancel();
    });
    stopping
}

#[cfg(unix)]
async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> std::io::Result<()> {
    std::future::pending().await
}

/// Serves on `address` of the settings until it is to stop.
pub(crate) async fn serve(
    settings: &Figment,
    app: Router,
    stopping: CancellationToken,
) -> Result<(), Failure> {
    let address: SocketAddr = settings.extract_inner("address")?;
    serve_on(TcpListener::bind(address).await?, app, stopping).await
}

pub(crate) async fn serve_on(
    listener: TcpListener,
    app: Router,
    stopping: CancellationToken,
) -> Result<(), Failure> {
    tracing::info!("Now listening on: http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let served =
        axum::serve(listener, app).with_graceful_shutdown(stopping.clone().cancelled_owned());
    let patience = async {
        stopping.cancelled().await;
        tokio::time::sleep(Duration::from_secs(30)).await;
    };
    tokio::select! {
        ended = served => Ok(ended?),
        () = patience => Err("requests were cut off".into()),
    }
}
