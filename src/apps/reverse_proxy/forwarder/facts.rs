//! What the proxy tells destinations of a request: for whom, how and where it came in.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::apps::reverse_proxy::transform_options::{Forwarded, NodeFormat, NodeName, NodePort};
use crate::features::{Connection, EffectiveRequest, Local};
use http::Extensions;
use http::request::Parts;

/// What is told of a request.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    /// `None` behind a Unix socket.
    pub(super) client: Option<SocketAddr>,
    extensions: &'a Extensions,
    pub(super) scheme: &'a str,
    /// As the client sent it; empty if it did not.
    pub(super) host: &'a str,
    /// Percent-encoded; mostly empty.
    pub(super) path_base: Cow<'a, str>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(parts: &'a Parts) -> Self {
        let request = EffectiveRequest::of_parts(parts);
        Self {
            client: request.client().map(unmapped),
            extensions: &parts.extensions,
            scheme: request.scheme(),
            host: request.host(),
            path_base: request.escaped_path_base(),
        }
    }

    fn connection(&self) -> Option<&Connection> {
        self.extensions.get()
    }

    /// The value of a `Forwarded` header (RFC 7239).
    pub(super) fn forwarded(&self, told: &Forwarded) -> String {
        let mut value = String::new();
        let mut add = |name: &str, text: &str| {
            let separator = if value.is_empty() { "" } else { ";" };
            let _ = write!(value, "{separator}{name}={text}");
        };
        if told.proto {
            add("proto", self.scheme);
        }
        if told.host {
            // A host has characters that no token has.
            add("host", &format!("\"{}\"", self.host.replace(['"', '\\'], "")));
        }
        let local = self.connection().and_then(Connection::local);
        let local = local.map(|Local(address)| unmapped(address));
        for (name, format, address, salt) in
            [("for", told.client, self.client, 0), ("by", told.by, local, 1)]
        {
            if let Some(format) = format {
                add(name, &self.node(format, address, salt));
            }
        }
        value
    }

    /// Somebody in the words of RFC 7239 section 6.
    fn node(&self, format: NodeFormat, address: Option<SocketAddr>, salt: u64) -> String {
        let mut is_quoted = false;
        let mut text = match (format.name, address.map(|it| it.ip())) {
            (NodeName::Random, _) => self.random(2 * salt),
            (NodeName::Unknown, _) | (NodeName::Ip, None) => "unknown".to_owned(),
            (NodeName::Ip, Some(IpAddr::V4(address))) => address.to_string(),
            (NodeName::Ip, Some(IpAddr::V6(address))) => {
                is_quoted = true;
                format!("[{address}]")
            }
        };
        match (format.port, address) {
            (NodePort::None, _) | (NodePort::Port, None) => {}
            (NodePort::Port, Some(address)) => {
                is_quoted = true;
                let _ = write!(text, ":{}", address.port());
            }
            (NodePort::Random, _) => {
                is_quoted = true;
                let _ = write!(text, ":{}", self.random(2 * salt + 1));
            }
        }
        if is_quoted { format!("\"{text}\"") } else { text }
    }

    /// A name that says nothing, the same throughout a connection (RFC 7239 section 6.3).
    fn random(&self, salt: u64) -> String {
        use std::hash::{BuildHasher, RandomState};
        use std::sync::OnceLock;
        static NAMES: OnceLock<RandomState> = OnceLock::new();
        // What names the client throughout a connection, and nobody can guess an address from.
        let connection = self.connection().map(Connection::id);
        let hash = NAMES.get_or_init(RandomState::new).hash_one((connection, salt));
        let digit = |place: u32| {
            char::from_digit((hash >> (5 * place) & 31) as u32, 32).unwrap_or_default()
        };
        std::iter::once('_').chain((0..9).map(digit)).collect()
    }
}

/// An address of IPv4 as what it is, even if it came in by a socket of IPv6.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
