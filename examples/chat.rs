//! A chat over WebSockets, which says goodbye to everybody when the host stops:
//! `cargo run --example chat -- --urls http://127.0.0.1:5000`, then Ctrl+C.

use std::process::ExitCode;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::{Router, routing::any};
use kestrel::{Host, Lifetime};
use tokio::sync::broadcast;

/// What is said, to everybody.
type Room = broadcast::Sender<String>;

#[tokio::main]
async fn main() -> ExitCode {
    let app = Router::new().route("/chat", any(enter)).with_state(Room::new(100));
    Host::from_args().app(app).run().await
}

async fn enter(
    upgrade: WebSocketUpgrade,
    State(room): State<Room>,
    lifetime: Lifetime,
) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let end = talk(&mut socket, &room, &lifetime).await;
        let _ = socket.send(Message::Close(Some(end))).await;
        // The client's own goodbye ends it cleanly.
        while let Some(Ok(_)) = socket.recv().await {}
    })
}

/// Passes on what is said, until somebody leaves.
async fn talk(socket: &mut WebSocket, room: &Room, lifetime: &Lifetime) -> CloseFrame {
    let end = |code| CloseFrame { code, reason: "".into() };
    let mut said = room.subscribe();
    loop {
        tokio::select! {
            () = lifetime.stopping() => return end(close_code::AWAY),
            line = said.recv() => match line {
                Ok(line) => drop(socket.send(line.into()).await),
                // Who reads too slowly misses lines.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return end(close_code::NORMAL),
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(line))) => drop(room.send(line.to_string())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_))) => return end(close_code::UNSUPPORTED),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return end(close_code::NORMAL),
            },
        }
    }
}
