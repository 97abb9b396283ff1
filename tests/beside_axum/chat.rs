//! As `examples/chat.rs`.

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::{Router, routing::any};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::serve::{Failure, serve, settings, stop_by_signal};

#[derive(Clone)]
struct Room {
    said: broadcast::Sender<String>,
    stopping: CancellationToken,
    /// `axum::serve` does not wait for what is upgraded.
    sockets: TaskTracker,
}

pub(crate) async fn run() -> Result<(), Failure> {
    let stopping = stop_by_signal();
    let (said, sockets) = (broadcast::Sender::new(100), TaskTracker::new());
    let room = Room { said, stopping: stopping.clone(), sockets: sockets.clone() };
    let app = Router::new().route("/chat", any(enter)).with_state(room);
    serve(&settings()?, app, stopping).await?;
    sockets.close();
    Ok(tokio::time::timeout(std::time::Duration::from_secs(30), sockets.wait()).await?)
}

async fn enter(upgrade: WebSocketUpgrade, State(room): State<Room>) -> Response {
    let token = room.sockets.token();
    upgrade.on_upgrade(async move |mut socket| {
        let end = talk(&mut socket, &room).await;
        let _ = socket.send(Message::Close(Some(end))).await;
        while let Some(Ok(_)) = socket.recv().await {}
        drop(token);
    })
}

async fn talk(socket: &mut WebSocket, room: &Room) -> CloseFrame {
    let end = |code| CloseFrame { code, reason: "".into() };
    let mut said = room.said.subscribe();
    loop {
        tokio::select! {
            () = room.stopping.cancelled() => return end(close_code::AWAY),
            line = said.recv() => match line {
                Ok(line) => drop(socket.send(line.into()).await),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return end(close_code::NORMAL),
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(line))) => drop(room.said.send(line.to_string())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_))) => return end(close_code::UNSUPPORTED),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return end(close_code::NORMAL),
            },
        }
    }
}
