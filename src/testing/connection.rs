//! A connection that carries requests.

use std::fmt;

use axum::body::Body;
use http::header::HOST;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Method, Request, Uri, Version};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::Mutex;

use super::error::TestError;
use super::response::TestResponse;
use super::stream::TestStream;

/// A connection for several requests; see [`Connect::http1`](super::Connect::http1) and
/// [`Connect::http2`](super::Connect::http2). It is closed when it is dropped, and its last response is
/// read.
///
/// ```
/// # use axum::{Router, routing::get};
/// # use kestrel::{Connection, testing::{TestError, TestServer}};
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let app = Router::new().route("/", get(async |it: Connection| it.id().to_string()));
/// # let server = TestServer::start(app).await?;
/// let connection = server.connect().http1().await?;
/// let first = connection.get("/").send().await?.text().await?;
/// let second = connection.get("/").send().await?.text().await?;
/// assert_eq!(first, second, "the id of the connection");
/// # Ok(())
/// # }
/// ```
pub struct TestConnection {
    sender: Sender,
    authority: String,
}

enum Sender {
    Http1(Mutex<http1::SendRequest<Body>>),
    Http2(http2::SendRequest<Body>),
}

impl TestConnection {
    pub(super) async fn http1(authority: String, stream: TestStream) -> Result<Self, TestError> {
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(TestError::broken)?;
        // How it ends is told to whoever waits for a response.
        tokio::spawn(async move { drop(connection.with_upgrades().await) });
        Ok(Self { sender: Sender::Http1(Mutex::new(sender)), authority })
    }

    pub(super) async fn http2(authority: String, stream: TestStream) -> Result<Self, TestError> {
        let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(TestError::broken)?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender: Sender::Http2(sender), authority })
    }

    /// Sends, and waits for the head of the response.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<TestResponse, TestError> {
        let response = match &self.sender {
            Sender::Http1(sender) => {
                let request = of_http1(request, &self.authority)?;
                let sent = {
                    let mut sender = sender.lock().await;
                    sender.ready().await.map_err(TestError::broken)?;
                    sender.send_request(request)
                };
                sent.await
            }
            Sender::Http2(sender) => {
                let request = of_http2(request, &self.authority)?;
                let mut sender = sender.clone();
                sender.ready().await.map_err(TestError::broken)?;
                sender.send_request(request).await
            }
        };
        let response = response.map_err(TestError::broken)?;
        Ok(TestResponse::new(response.map(Body::new)))
    }
}

impl fmt::Debug for TestConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestConnection").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// The request as HTTP/1.1 has it: a path, and the host in a header.
fn of_http1(mut request: Request<Body>, authority: &str) -> Result<Request<Body>, TestError> {
    *request.version_mut() = Version::HTTP_11;
    if !request.headers().contains_key(HOST) {
        let host = request.uri().authority().map_or(authority, Authority::as_str);
        let host = HeaderValue::from_str(host).map_err(wrong)?;
        request.headers_mut().insert(HOST, host);
    }
    if request.method() != Method::CONNECT
        && let Some(path) = request.uri().path_and_query()
    {
        *request.uri_mut() = Uri::from(path.clone());
    }
    Ok(request)
}

/// The request as HTTP/2 has it: all of its URI.
fn of_http2(mut request: Request<Body>, authority: &str) -> Result<Request<Body>, TestError> {
    *request.version_mut() = Version::HTTP_2;
    let host = request.headers_mut().remove(HOST);
    let mut parts: Parts = std::mem::take(request.uri_mut()).into_parts();
    match host {
        Some(host) => parts.authority = Some(host.as_bytes().try_into().map_err(wrong)?),
        None if parts.authority.is_none() => {
            parts.authority = Some(authority.parse().map_err(wrong)?);
        }
        None => {}
    }
    if request.method() != Method::CONNECT || parts.path_and_query.is_some() {
        parts.scheme.get_or_insert(Scheme::HTTP);
        parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    }
    *request.uri_mut() = Uri::from_parts(parts).map_err(wrong)?;
    Ok(request)
}

fn wrong(error: impl fmt::Display) -> TestError {
    TestError::Request(error.to_string())
}
