//! The server of a test.

use std::fmt;

use axum::body::Body;
use http::{Method, Request};

use super::connect::{Connect, authority};
use super::request::TestRequest;
use crate::addresses::Network;
use crate::hosting::{App, Host, HostBuilder, HostError, RunningHost, Stopped};

/// A host that runs for a test, with a client. Dropping it cuts off whatever it serves;
/// [`stop`](Self::stop) stops it as a signal would.
pub struct TestServer {
    host: RunningHost,
    network: Network,
}

impl TestServer {
    /// Starts a host for an app and nothing else, with its connections in memory.
    ///
    /// # Errors
    ///
    /// The host does not start.
    pub async fn start(app: impl Into<App>) -> Result<Self, HostError> {
        Self::start_host(Host::builder().app(app)).await
    }

    /// Starts a host with its connections in memory: nothing is bound, and no address is ever taken. It is
    /// made [`hermetic`](HostBuilder::hermetic); what code says of it is as it is in production. Where it
    /// would listen counts, too: `http://localhost` if nobody says anything.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use kestrel::testing::TestServer;
    /// use kestrel::{AppContext, AppError, Host, HostBuilder};
    ///
    /// async fn app(context: AppContext) -> Result<Router, AppError> {
    ///     let greeting = context.configuration.value("Greeting").unwrap_or("Hello").to_owned();
    ///     Ok(Router::new().route("/", get(async move || greeting)))
    /// }
    ///
    /// fn host() -> HostBuilder {
    ///     Host::from_args().app_with(app) // main() runs it
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let host = host()
    ///     .file("appsettings.json", r#"{ "Greeting": "from a file" }"#)
    ///     .use_setting("Kestrel:AddServerHeader", "false");
    /// let server = TestServer::start_host(host).await?;
    /// let response = server.get("/").send().await?;
    /// assert_eq!(response.header("Server"), None);
    /// assert_eq!(response.text().await?, "from a file");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The host does not start: all that is wrong with it.
    pub async fn start_host(host: HostBuilder) -> Result<Self, HostError> {
        Self::start_on(host, Network::InMemory(Default::default())).await
    }

    /// The same on sockets of the system, for clients that need one: on a free port of 127.0.0.1 if
    /// nobody says anything. [`base_url`](Self::base_url) tells it.
    ///
    /// # Errors
    ///
    /// The host does not start: all that is wrong with it.
    pub async fn listen(host: HostBuilder) -> Result<Self, HostError> {
        Self::start_on(host, Network::System).await
    }

    async fn start_on(host: HostBuilder, network: Network) -> Result<Self, HostError> {
        let host = host.hermetic().on(network.clone()).start().await?;
        Ok(Self { host, network })
    }

    /// The host: its addresses, its configuration, its counters, its lifetime, its reload.
    pub fn host(&self) -> &RunningHost {
        &self.host
    }

    /// Where the server is for a client, such as `http://localhost`, without a slash at the end: the first
    /// of its addresses that speaks clear text, else the first.
    pub fn base_url(&self) -> String {
        let addresses = self.host.addresses();
        let address = clear_text(&addresses).or(addresses.first()).map_or("", String::as_str);
        let scheme = address.split_once("://").map_or("http", |(scheme, _)| scheme);
        format!("{scheme}://{}", authority(address))
    }

    /// A connection of its own: bytes if it is awaited, or requests.
    ///
    /// ```
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # use axum::Router;
    /// # use kestrel::testing::TestServer;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = TestServer::start(Router::new()).await?;
    /// let mut connection = server.connect().await?;
    /// connection.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await?;
    /// let mut answer = String::new();
    /// connection.read_to_string(&mut answer).await?;
    /// assert!(answer.starts_with("HTTP/1.1 400 "), "there is no Host: {answer}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect(&self) -> Connect<'_> {
        let addresses = self.host.addresses();
        Connect::new(&self.network, clear_text(&addresses).cloned())
    }

    /// A request of any kind, by HTTP/2 if its version says so, else by HTTP/1.1. Its URI is a path, or
    /// has a host, which is only said.
    pub fn request<B: Into<Body>>(&self, request: Request<B>) -> TestRequest<'_> {
        TestRequest::by(self.connect(), request.map(Into::into))
    }

    /// A request with this method for a path.
    pub fn method(&self, method: Method, path: &str) -> TestRequest<'_> {
        TestRequest::new_by(self.connect(), method, path)
    }

    /// A `GET` of a path.
    pub fn get(&self, path: &str) -> TestRequest<'_> {
        self.method(Method::GET, path)
    }

    /// A `POST` to a path.
    pub fn post(&self, path: &str) -> TestRequest<'_> {
        self.method(Method::POST, path)
    }

    /// A `PUT` to a path.
    pub fn put(&self, path: &str) -> TestRequest<'_> {
        self.method(Method::PUT, path)
    }

    /// A `PATCH` of a path.
    pub fn patch(&self, path: &str) -> TestRequest<'_> {
        self.method(Method::PATCH, path)
    }

    /// A `DELETE` of a path.
    pub fn delete(&self, path: &str) -> TestRequest<'_> {
        self.method(Method::DELETE, path)
    }

    /// Stops: running requests have the shutdown timeout to end, then services and background tasks. Tells
    /// what had to be cut off.
    pub async fn stop(self) -> Stopped {
        self.host.stop().await
    }
}

/// The first of the addresses that our client can talk to.
fn clear_text(addresses: &[String]) -> Option<&String> {
    addresses.iter().find(|address| address.starts_with("http://"))
}

impl fmt::Debug for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServer")
            .field("addresses", &self.host.addresses())
            .finish_non_exhaustive()
    }
}
