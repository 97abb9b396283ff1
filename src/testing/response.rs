//! The response to a request of a test.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, Version};
use http_body::Body as _;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;

use super::error::TestError;
use super::stream::TestStream;

/// A response, of which the head is there. Dropping it gives up what has not been read of its body.
#[derive(Debug)]
pub struct TestResponse {
    response: Response<Body>,
    trailers: Option<HeaderMap>,
}

impl TestResponse {
    pub(super) fn new(response: Response<Body>) -> Self {
        Self { response, trailers: None }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The version of HTTP that it came by.
    pub fn version(&self) -> Version {
        self.response.version()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// One header, the first of that name; `None` if there is none, or it is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The next piece of the body, as it comes; `None` at its end.
    ///
    /// # Errors
    ///
    /// The body was broken off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, TestError> {
        loop {
            let body = self.response.body_mut();
            let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
            let Some(frame) = frame.transpose().map_err(TestError::broken)? else {
                return Ok(None);
            };
            match frame.into_data() {
                // The end of a stream may be a piece of its own.
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Ok(Some(data)),
                Err(frame) => self.trailers = frame.into_trailers().ok().or(self.trailers.take()),
            }
        }
    }

    /// What came behind the body, once [`chunk`](Self::chunk) has told its end.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// All of the body.
    ///
    /// # Errors
    ///
    /// The body was broken off.
    pub async fn bytes(self) -> Result<Bytes, TestError> {
        to_bytes(self.response.into_body(), usize::MAX).await.map_err(TestError::broken)
    }

    /// All of the body, as text.
    ///
    /// # Errors
    ///
    /// The body was broken off, or is not UTF-8.
    pub async fn text(self) -> Result<String, TestError> {
        let bytes = self.bytes().await?;
        String::from_utf8(bytes.into()).map_err(|error| TestError::Body(Box::new(error)))
    }

    /// All of the body, as a value in JSON.
    ///
    /// # Errors
    ///
    /// The body was broken off, or is no such value.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, TestError> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| TestError::Body(Box::new(error)))
    }

    /// What the connection has become, behind an answer `101 Switching Protocols`, or one to `CONNECT`: a
    /// client of WebSockets can go on with it.
    ///
    /// # Errors
    ///
    /// The server goes on with HTTP.
    pub async fn upgrade(self) -> Result<TestStream, TestError> {
        let upgraded = hyper::upgrade::on(self.response).await.map_err(TestError::broken)?;
        Ok(TestStream::new(TokioIo::new(upgraded)))
    }

    /// The response as everybody has it.
    pub fn into_inner(self) -> Response<Body> {
        self.response
    }
}

impl From<TestResponse> for Response<Body> {
    fn from(response: TestResponse) -> Self {
        response.into_inner()
    }
}
