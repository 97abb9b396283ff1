//! What is known of the connection a request came in on.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use http::{Request, StatusCode};

use super::TlsHandshake;
use super::completion::{Completion, CompletionSource};
use super::lifetime::Lifetime;

/// Our end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local(pub SocketAddr);

/// The client's end of a connection. A client that reaches a dual-stack socket over IPv4 appears
/// as `::ffff:192.0.2.1`, as it does on Kestrel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote(pub SocketAddr);

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// The scheme as it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One client connection, shared by all of its requests.
///
/// The server puts it into the extensions of every request; as an axum extractor it is
/// `Option<Connection>` for a handler that also runs under another server.
///
/// ```
/// async fn who(connection: Option<kestrel::Connection>) -> String {
///     match connection.and_then(|connection| connection.remote()) {
///         Some(kestrel::Remote(address)) => address.ip().to_string(),
///         None => "a Unix socket peer".to_owned(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Connection {
    facts: Arc<Facts>,
    /// The number of the request that it was found in: that costs no extension of its own.
    request: Option<u32>,
}

struct Facts {
    id: ConnectionId,
    local: Option<Local>,
    remote: Option<Remote>,
    scheme: Scheme,
    tls: Option<TlsHandshake>,
    lifetime: Option<Lifetime>,
    /// Who knows when answers are out. It stands here, because what each request holds for itself is counted by all
    /// processors.
    completions: OnceLock<Arc<dyn CompletionSource>>,
}

impl Connection {
    /// The facts of a new connection. `local` and `remote` are `None` on a Unix socket.
    pub fn new(id: u64, local: Option<Local>, remote: Option<Remote>, scheme: Scheme) -> Self {
        let (id, tls, lifetime) = (ConnectionId(id), None, None);
        let completions = OnceLock::new();
        Self::of(Facts { id, local, remote, scheme, tls, lifetime, completions })
    }

    /// The same connection after its handshake.
    pub(crate) fn secured(&self, handshake: TlsHandshake) -> Self {
        let Facts { id, local, remote, .. } = *self.facts;
        let (tls, lifetime) = (Some(handshake), self.facts.lifetime.clone());
        let (scheme, completions) = (Scheme::Https, OnceLock::new());
        Self::of(Facts { id, local, remote, scheme, tls, lifetime, completions })
    }

    /// The same connection, which a proxy hands on for this client.
    pub(crate) fn handed_on(&self, client: Remote, server: Local) -> Self {
        let Facts { id, scheme, .. } = *self.facts;
        let (tls, lifetime) = (None, self.facts.lifetime.clone());
        let (local, remote, completions) = (Some(server), Some(client), OnceLock::new());
        Self::of(Facts { id, local, remote, scheme, tls, lifetime, completions })
    }

    fn of(facts: Facts) -> Self {
        Self { facts: Arc::new(facts), request: None }
    }

    /// The same, taken by a server of a host with this life.
    pub(crate) fn within(mut self, lifetime: Lifetime) -> Self {
        // Nobody else has it yet.
        if let Some(facts) = Arc::get_mut(&mut self.facts) {
            facts.lifetime = Some(lifetime);
        }
        self
    }

    /// Its requests complete as this says. The first one to say so counts.
    pub(crate) fn completed_by(&self, completions: impl FnOnce() -> Arc<dyn CompletionSource>) {
        self.facts.completions.get_or_init(completions);
    }

    /// The same for the request of this number.
    pub(crate) fn for_request(&self, number: u32) -> Self {
        Self { facts: Arc::clone(&self.facts), request: Some(number) }
    }

    /// When the answer to the request is out that this was found in.
    fn completion(&self) -> Option<Completion> {
        let source = self.facts.completions.get()?;
        Some(Completion::new(Arc::clone(source), self.request?))
    }

    /// The connection's id, in the form log lines use: thirteen digits and letters.
    pub fn id(&self) -> ConnectionId {
        self.facts.id
    }

    /// Our address, `None` on a Unix socket.
    pub fn local(&self) -> Option<Local> {
        self.facts.local
    }

    /// The client's address, `None` on a Unix socket.
    pub fn remote(&self) -> Option<Remote> {
        self.facts.remote
    }

    /// `https` on a TLS connection, else `http`.
    pub fn scheme(&self) -> Scheme {
        self.facts.scheme
    }

    /// What the TLS handshake settled; clear text has none.
    pub fn tls(&self) -> Option<&TlsHandshake> {
        self.facts.tls.as_ref()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id().to_string())
            .field("local", &self.local())
            .field("remote", &self.remote())
            .field("scheme", &self.scheme())
            .finish()
    }
}

impl<S: Sync> FromRequestParts<S> for Connection {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().ok_or((
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server attached no connection facts to this request",
        ))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Connection {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get().cloned())
    }
}

/// It is found with the connection.
impl Completion {
    /// That of a request; `None` if another server took it.
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        request.extensions().get::<Connection>()?.completion()
    }

    /// That of a request's parts.
    #[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "who hands requests on has them"))]
    pub(crate) fn of_parts(parts: &Parts) -> Option<Self> {
        parts.extensions.get::<Connection>()?.completion()
    }
}

impl<S: Sync> FromRequestParts<S> for Completion {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Connection>().and_then(Connection::completion).ok_or((
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server does not tell when the answer to this request is out",
        ))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Completion {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Connection>().and_then(Connection::completion))
    }
}

impl<S: Sync> FromRequestParts<S> for Lifetime {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        lifetime_of(parts).ok_or((
            StatusCode::INTERNAL_SERVER_ERROR,
            "this request did not come in through a host that could have a lifetime",
        ))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Lifetime {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(lifetime_of(parts))
    }
}

/// The life of the host that took a request.
fn lifetime_of(parts: &Parts) -> Option<Lifetime> {
    parts.extensions.get::<Connection>()?.facts.lifetime.clone()
}

/// The id of a connection: unique in the process, printed as Kestrel prints it, the digits of a
/// number in base 32 (`0HNABCDEF0123`), so that log tools that look for that shape keep working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
        // Thirteen groups of five bits hold the 64 bits of the number.
        let mut text = [b'0'; 13];
        for (place, digit) in text.iter_mut().rev().enumerate() {
            *digit = DIGITS[(self.0 >> (5 * place)) as usize & 31];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for TlsHandshake {
    type Rejection = (http::StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        handshake_of(parts).ok_or((
            http::StatusCode::INTERNAL_SERVER_ERROR,
            "this request did not come in on a TLS connection",
        ))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for TlsHandshake {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(handshake_of(parts))
    }
}

/// What the handshake of the connection settled that a request came in on.
fn handshake_of(parts: &Parts) -> Option<TlsHandshake> {
    parts.extensions.get::<Connection>().and_then(Connection::tls).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_id_has_thirteen_base_32_digits() {
        for (number, text) in [
            (0, "0000000000000"),
            (31, "000000000000V"),
            (32, "0000000000010"),
            (u64::MAX, "FVVVVVVVVVVVV"),
        ] {
            assert_eq!(ConnectionId(number).to_string(), text);
        }
    }
}
