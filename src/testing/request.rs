//! A request of a test.

use std::fmt;
use std::net::SocketAddr;

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version};
use serde::Serialize;

use super::connect::Connect;
use super::connection::TestConnection;
use super::error::TestError;
use super::response::TestResponse;

/// A request that is to be sent; see [`TestServer::get`](super::TestServer::get) and its kin. What is
/// wrong with it is told by [`send`](Self::send).
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct TestRequest<'a> {
    by: By<'a>,
    request: Request<Body>,
    /// The first thing that is wrong with it.
    wrong: Option<String>,
}

#[derive(Debug)]
enum By<'a> {
    /// A connection of its own.
    Own(Connect<'a>),
    Given(&'a TestConnection),
}

impl<'a> TestRequest<'a> {
    pub(super) fn by(connect: Connect<'a>, request: Request<Body>) -> Self {
        Self { by: By::Own(connect), request, wrong: None }
    }

    fn on(connection: &'a TestConnection, request: Request<Body>) -> Self {
        Self { by: By::Given(connection), request, wrong: None }
    }

    pub(super) fn new_by(connect: Connect<'a>, method: Method, target: &str) -> Self {
        Self::by(connect, Request::new(Body::empty())).of(method, target)
    }

    fn new_on(connection: &'a TestConnection, method: Method, target: &str) -> Self {
        Self::on(connection, Request::new(Body::empty())).of(method, target)
    }

    fn of(mut self, method: Method, target: &str) -> Self {
        *self.request.method_mut() = method;
        // Without a slash it would be read as a host.
        let is_target = target.starts_with('/') || target == "*" || target.contains("://");
        match target.parse::<Uri>() {
            Ok(uri) if is_target => *self.request.uri_mut() = uri,
            Ok(_) => self.tell(format!("'{target}' is no path: it has to begin with /")),
            Err(error) => self.tell(format!("'{target}' is no path: {error}")),
        }
        self
    }

    /// Adds a header; one that is there already stays.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: fmt::Display>,
        V: TryInto<HeaderValue, Error: fmt::Display>,
    {
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(value)) => drop(self.request.headers_mut().append(name, value)),
            (Err(error), _) => self.tell(format!("a header's name: {error}")),
            (_, Err(error)) => self.tell(format!("a header's value: {error}")),
        }
        self
    }

    /// The body: a text, bytes, or a [`Body`] that streams.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// A value as the body, in JSON, with the `Content-Type` of it.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(text) => {
                let json = HeaderValue::from_static("application/json");
                self.request.headers_mut().entry(CONTENT_TYPE).or_insert(json);
                self.body(text)
            }
            Err(error) => {
                self.tell(format!("the value of its body: {error}"));
                self
            }
        }
    }

    /// By HTTP/2, without TLS. Default: HTTP/1.1; on a connection that is there, what it speaks.
    pub fn http2(mut self) -> Self {
        *self.request.version_mut() = Version::HTTP_2;
        self
    }

    /// From this client, as with [`Connect::remote_address`].
    pub fn remote_address(mut self, remote: SocketAddr) -> Self {
        self.by = match self.by {
            By::Own(connect) => By::Own(connect.remote_address(remote)),
            By::Given(connection) => {
                self.wrong = Some("the connection is there already, and is from somewhere".into());
                By::Given(connection)
            }
        };
        self
    }

    /// To the endpoint with this address, as with [`Connect::to`].
    pub fn to(mut self, address: impl Into<String>) -> Self {
        self.by = match self.by {
            By::Own(connect) => By::Own(connect.to(address)),
            By::Given(connection) => {
                self.wrong = Some("the connection is there already, and goes somewhere".into());
                By::Given(connection)
            }
        };
        self
    }

    fn tell(&mut self, wrong: String) {
        self.wrong.get_or_insert(wrong);
    }

    /// Sends it, and waits for the head of the response. Dropping the future takes the request back, as a
    /// client does that goes away.
    ///
    /// # Errors
    ///
    /// It cannot be sent, or the connection ends without a response.
    pub async fn send(self) -> Result<TestResponse, TestError> {
        if let Some(wrong) = self.wrong {
            return Err(TestError::Request(wrong));
        }
        match self.by {
            By::Given(connection) => connection.send(self.request).await,
            By::Own(connect) => {
                let connection = match self.request.version() {
                    Version::HTTP_2 => connect.http2().await?,
                    _ => connect.http1().await?,
                };
                connection.send(self.request).await
            }
        }
    }
}

impl TestConnection {
    /// A request of any kind. Its version is that of the connection.
    pub fn request<B: Into<Body>>(&self, request: Request<B>) -> TestRequest<'_> {
        TestRequest::on(self, request.map(Into::into))
    }

    /// A `GET` of a path.
    pub fn get(&self, path: &str) -> TestRequest<'_> {
        TestRequest::new_on(self, Method::GET, path)
    }

    /// A `POST` to a path.
    pub fn post(&self, path: &str) -> TestRequest<'_> {
        TestRequest::new_on(self, Method::POST, path)
    }
}
