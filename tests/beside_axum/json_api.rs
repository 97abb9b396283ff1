//! As `examples/json_api.rs`.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Json, State};
use axum::http::{HeaderValue, StatusCode, header::CACHE_CONTROL};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::serve::{Failure, serve, settings, stop_by_signal};

#[derive(Deserialize)]
struct Settings {
    file: PathBuf,
    #[serde(default = "a_thousand")]
    max_notes: usize,
}

fn a_thousand() -> usize {
    1000
}

struct Store {
    settings: Settings,
    notes: Mutex<Vec<String>>,
}

impl Store {
    async fn open(settings: Settings) -> Result<Self, Failure> {
        let notes = match tokio::fs::read(&settings.file).await {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(_) => Vec::new(),
        };
        Ok(Self { settings, notes: Mutex::new(notes) })
    }
}

/// Any error in a handler.
struct Unhandled(Failure);

impl<E: Into<Failure>> From<E> for Unhandled {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Unhandled {
    fn into_response(self) -> Response {
        tracing::error!("a request failed: {}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

pub(crate) async fn run() -> Result<(), Failure> {
    let settings = settings()?;
    let store = Store::open(settings.extract_inner("store")?).await?;
    let app = Router::new()
        .route("/notes", get(list).post(add))
        .layer(map_response(not_stored))
        .layer(DefaultBodyLimit::max(30_000_000))
        .with_state(Arc::new(store));
    serve(&settings, app, stop_by_signal()).await
}

async fn not_stored(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn list(State(store): State<Arc<Store>>) -> Json<Vec<String>> {
    Json(store.notes.lock().await.clone())
}

async fn add(
    State(store): State<Arc<Store>>,
    Json(note): Json<String>,
) -> Result<Json<usize>, Unhandled> {
    let mut notes = store.notes.lock().await;
    notes.push(note);
    let first = notes.len().saturating_sub(store.settings.max_notes);
    notes.drain(..first);
    tokio::fs::write(&store.settings.file, serde_json::to_vec(&*notes)?).await?;
    Ok(Json(notes.len()))
}
