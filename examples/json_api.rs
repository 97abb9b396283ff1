//! A JSON API whose store is opened by what the configuration says, before the host starts:
//! `cargo run --example json_api -- --Store:File /tmp/notes.json --urls http://127.0.0.1:5000`
//!
//! `curl -d '"buy milk"' -H 'Content-Type: application/json' http://127.0.0.1:5000/notes` adds a note,
//! `curl http://127.0.0.1:5000/notes` lists them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::{Json, State};
use axum::http::{HeaderValue, header::CACHE_CONTROL};
use axum::middleware::map_response;
use axum::response::Response;
use axum::{Router, routing::get};
use kestrel::{AppError, Host, Unhandled};
use serde::Deserialize;
use tokio::sync::Mutex;

/// The section `Store`.
#[derive(Deserialize)]
struct Settings {
    file: PathBuf,
    #[serde(default = "a_thousand")]
    max_notes: usize,
}

fn a_thousand() -> usize {
    1000
}

/// What a pool of connections to a database is elsewhere.
struct Store {
    settings: Settings,
    notes: Mutex<Vec<String>>,
}

impl Store {
    async fn open(settings: Settings) -> Result<Self, AppError> {
        let notes = match tokio::fs::read(&settings.file).await {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(_) => Vec::new(),
        };
        Ok(Self { settings, notes: Mutex::new(notes) })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // What is wrong with the section is told as everything else is, with exit code 6.
    Host::from_args()
        .app_with(async |context| {
            let store = Store::open(context.configuration.get("Store")?).await?;
            Ok(Router::new()
                .route("/notes", get(list).post(add))
                .layer(map_response(not_stored))
                .with_state(Arc::new(store)))
        })
        .run()
        .await
}

/// No cache keeps an answer.
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
    // An error is logged, and answered with 500.
    tokio::fs::write(&store.settings.file, serde_json::to_vec(&*notes)?).await?;
    Ok(Json(notes.len()))
}
