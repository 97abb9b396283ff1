//! Limits in code, for the server, some routes and one request: `cargo run --example limits -- --urls http://127.0.0.1:5000`
//!
//! `curl --data-binary @file http://127.0.0.1:5000/notes` takes 10 kB and answers 413 to more,
//! `/uploads` takes a gigabyte, and `/import` decides for each request.

use std::process::ExitCode;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::{Router, routing::post};
use kestrel::{Host, RequestBodyLimits, RequestSizeLimit, Unhandled};

#[tokio::main]
async fn main() -> ExitCode {
    let uploads = Router::new()
        .route("/uploads", post(count))
        .route_layer(RequestSizeLimit::bytes(1_000_000_000));
    let app =
        Router::new().route("/notes", post(count)).route("/import", post(import)).merge(uploads);
    Host::from_args()
        .configure_kestrel(|options| options.limits.max_request_body_size = Some(10_000))
        .app(app)
        .run()
        .await
}

/// An error of the body becomes the answer that the server has for it, such as 413.
async fn count(body: Body) -> Result<String, Unhandled> {
    let bytes = to_bytes(body, usize::MAX).await?;
    Ok(format!("{} bytes\n", bytes.len()))
}

async fn import(request: Request) -> Result<String, Unhandled> {
    let trusted = request.headers().contains_key("x-import");
    if let Some(limits) = request.extensions().get::<RequestBodyLimits>()
        && trusted
    {
        limits.set_max_size(None)?;
        limits.set_min_data_rate(None);
    }
    count(request.into_body()).await
}
