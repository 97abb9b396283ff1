//! An app behind its host in a test, with a client. (What `TestServer` and `WebApplicationFactory` are in
//! ASP.NET Core.) It takes the feature `testing`:
//!
//! ```toml
//! [dev-dependencies]
//! kestrel-host = { version = "0.1", features = ["testing"] }
//! ```
//!
//! ```
//! use axum::{Router, routing::get};
//! use kestrel::testing::TestServer;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = Router::new().route("/", get(|| async { "Hello, World!" }));
//! let server = TestServer::start(app).await?;
//!
//! let response = server.get("/").header("Accept", "text/plain").send().await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(response.text().await?, "Hello, World!");
//!
//! assert!(server.stop().await.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! A [`TestServer`] is a host that sees nothing of the process (see
//! [`HostBuilder::hermetic`](crate::HostBuilder::hermetic)), with its connections in memory. All else is
//! what runs in production: the stages that the configuration switches on, the program's layers, services
//! and background tasks, the rules of HTTP, the limits, the stop. Only the system's sockets are not
//! there, unless [`TestServer::listen`] asks for them. Tests run side by side, in one process.
//!
//! `send` makes a connection for each request; [`connect`](TestServer::connect) makes one for several
//! requests, or for bytes of any kind.

mod connect;
mod connection;
mod error;
mod request;
mod response;
mod server;
mod stream;

pub use connect::Connect;
pub use connection::TestConnection;
pub use error::TestError;
pub use request::TestRequest;
pub use response::TestResponse;
pub use server::TestServer;
pub use stream::TestStream;
