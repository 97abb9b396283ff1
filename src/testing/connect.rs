//! How a connection is made.

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::connection::TestConnection;
use super::error::TestError;
use super::stream::TestStream;
use crate::addresses::Network;
use crate::server::BoxFuture;

/// A connection that is to be made; see [`TestServer::connect`](super::TestServer::connect). Awaited, it
/// is one of bytes: a [`TestStream`].
#[derive(Clone, Debug)]
#[must_use = "a connection is made when it is awaited"]
pub struct Connect<'a> {
    network: &'a Network,
    /// Where to; none if the server has no address.
    address: Option<String>,
    remote: Option<SocketAddr>,
}

impl<'a> Connect<'a> {
    pub(super) fn new(network: &'a Network, address: Option<String>) -> Self {
        Self { network, address, remote: None }
    }

    /// To the endpoint with this address, as
    /// [`RunningHost::addresses`](crate::RunningHost::addresses) tells it. Default: the first that speaks
    /// clear text.
    pub fn to(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// From this client: it is the [`Remote`](crate::Remote) of the connection. Only a connection in memory
    /// can be from anywhere. Default: a port of 127.0.0.1 that no other connection has.
    pub fn remote_address(mut self, remote: SocketAddr) -> Self {
        self.remote = Some(remote);
        self
    }

    /// For requests of HTTP/1.1, one after the other.
    ///
    /// # Errors
    ///
    /// There is no connection, or no client of ours for it: one of TLS is for
    /// [`bytes`](TestStream) and a client of your own.
    pub async fn http1(self) -> Result<TestConnection, TestError> {
        let (authority, stream) = self.for_requests().await?;
        TestConnection::http1(authority, stream).await
    }

    /// For requests of HTTP/2, any number at once.
    ///
    /// # Errors
    ///
    /// As those of [`http1`](Self::http1).
    pub async fn http2(self) -> Result<TestConnection, TestError> {
        let (authority, stream) = self.for_requests().await?;
        TestConnection::http2(authority, stream).await
    }

    async fn for_requests(self) -> Result<(String, TestStream), TestError> {
        let address = self.address.clone().unwrap_or_default();
        if address.starts_with("https://") {
            let why = format!(
                "the client of tests speaks no TLS, as {address} does; connect() is for one that does"
            );
            return Err(TestError::Request(why));
        }
        let stream = self.bytes().await.map_err(TestError::Connect)?;
        Ok((authority(&address), stream))
    }

    async fn bytes(self) -> io::Result<TestStream> {
        let Some(address) = self.address else {
            let why = "the server listens nowhere that takes clear text; name an address with to()";
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, why));
        };
        match self.network {
            Network::InMemory(memory) => memory.connect(&address, self.remote).map(TestStream::new),
            Network::System if self.remote.is_some() => {
                let why = "only a connection in memory can be from anywhere";
                Err(io::Error::new(io::ErrorKind::Unsupported, why))
            }
            Network::System => socket(&address).await,
        }
    }
}

impl<'a> IntoFuture for Connect<'a> {
    type Output = io::Result<TestStream>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.bytes())
    }
}

async fn socket(address: &str) -> io::Result<TestStream> {
    let rest = without_scheme(address);
    #[cfg(unix)]
    if let Some(path) = rest.strip_prefix("unix:") {
        return tokio::net::UnixStream::connect(path).await.map(TestStream::new);
    }
    let stream = TcpStream::connect(reachable(rest)).await?;
    // What is sent is there at once, and not when the system sees fit.
    stream.set_nodelay(true)?;
    Ok(TestStream::new(stream))
}

fn without_scheme(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, rest)| rest)
}

/// The same for a client: all interfaces are no place to go to.
fn reachable(authority: &str) -> String {
    match authority.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => format!("localhost:{}", address.port()),
        _ => authority.to_owned(),
    }
}

/// The host, and the port unless it is that of every http, of a server with this address.
pub(super) fn authority(address: &str) -> String {
    let rest = without_scheme(address);
    if rest.starts_with("unix:") || rest.starts_with("pipe:") {
        return "localhost".to_owned();
    }
    let authority = reachable(rest);
    let default = if address.starts_with("https://") { ":443" } else { ":80" };
    authority.strip_suffix(default).map_or_else(|| authority.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_what_a_client_writes() {
        for (address, expected) in [
            ("http://localhost:80", "localhost"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://[::]:5000", "localhost:5000"),
            ("http://0.0.0.0:80", "localhost"),
            ("https://a.example:443", "a.example"),
            ("http://unix:/run/app.sock", "localhost"),
        ] {
            assert_eq!(authority(address), expected, "{address}");
        }
    }
}
