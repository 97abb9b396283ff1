//! Who has a limit of its own.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, SocketAddr};

use http::HeaderName;

use crate::features::{EffectiveRequest, RequestTarget};
use crate::middleware::path_rules::with_single_slashes;
use crate::pipeline::Request;

/// What decides which requests share a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartitionBy {
    /// The client's address, as a proxy tells it if that is believed. Of IPv6 it is the first half, which
    /// is the least that a client has for itself.
    ClientAddress,
    /// The value of a header; the client's address where there is none.
    Header(HeaderName),
    /// The path.
    Path,
    /// Nothing: all requests share it.
    Nothing,
}

/// Which partition a request is in, as a number that nobody outside can foresee.
#[derive(Debug, Default)]
pub(super) struct Keys(RandomState);

/// What is made a number of.
#[derive(Hash)]
enum Part<'a> {
    V4(u32),
    V6(u64),
    NoAddress,
    Header(&'a [u8]),
    Path(&'a str),
}

impl Keys {
    pub(super) fn of(&self, by: &PartitionBy, request: &Request) -> u64 {
        let address = || of_address(EffectiveRequest::of(request).client());
        match by {
            PartitionBy::Nothing => 0,
            PartitionBy::ClientAddress => self.number(&address()),
            PartitionBy::Header(name) => match request.headers().get(name) {
                Some(value) => self.number(&Part::Header(value.as_bytes())),
                None => self.number(&address()),
            },
            PartitionBy::Path => {
                let path = RequestTarget::of(request).lent_path();
                self.number(&Part::Path(&with_single_slashes(&path)))
            }
        }
    }

    fn number(&self, part: &Part<'_>) -> u64 {
        self.0.hash_one(part)
    }
}

fn of_address(address: Option<SocketAddr>) -> Part<'static> {
    match address.map(|it| it.ip().to_canonical()) {
        None => Part::NoAddress,
        Some(IpAddr::V4(address)) => Part::V4(address.to_bits()),
        Some(IpAddr::V6(address)) => Part::V6((address.to_bits() >> 64) as u64),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::features::Overlay;

    /// A request of this client, with this path and key.
    fn request((client, path, key): (&str, &str, &str)) -> Request {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().unwrap();
        if !key.is_empty() {
            request.headers_mut().insert("x-key", key.parse().unwrap());
        }
        let client = client.parse().ok();
        Overlay::change(&mut request, |overlay| overlay.client = client);
        request
    }

    #[test]
    fn requests_share_a_limit_if_they_are_alike_in_what_decides_it() {
        let header = PartitionBy::Header(HeaderName::from_static("x-key"));
        let keys = Keys::default();
        for (by, one, other, share) in [
            (
                PartitionBy::ClientAddress,
                ("192.0.2.1:1", "/a", ""),
                ("192.0.2.1:2", "/b", ""),
                true,
            ),
            (PartitionBy::ClientAddress, ("192.0.2.1:1", "/", ""), ("192.0.2.2:1", "/", ""), false),
            (
                PartitionBy::ClientAddress,
                ("192.0.2.1:1", "/", ""),
                ("[::ffff:192.0.2.1]:1", "/", ""),
                true,
            ),
            (
                PartitionBy::ClientAddress,
                ("[2001:db8::1]:1", "/", ""),
                ("[2001:db8::ffff:0:0:2]:1", "/", ""),
                true,
            ),
            (
                PartitionBy::ClientAddress,
                ("[2001:db8::1]:1", "/", ""),
                ("[2001:db8:0:1::1]:1", "/", ""),
                false,
            ),
            (PartitionBy::ClientAddress, ("", "/", ""), ("", "/b", "x"), true),
            (PartitionBy::ClientAddress, ("", "/", ""), ("0.0.0.0:1", "/", ""), false),
            (header.clone(), ("192.0.2.1:1", "/", "a"), ("192.0.2.2:1", "/", "a"), true),
            (header.clone(), ("192.0.2.1:1", "/", "a"), ("192.0.2.1:1", "/", "b"), false),
            (header.clone(), ("192.0.2.1:1", "/", ""), ("192.0.2.1:1", "/b", ""), true),
            (header, ("192.0.2.1:1", "/", ""), ("192.0.2.2:1", "/", ""), false),
            (PartitionBy::Path, ("192.0.2.1:1", "/a?b", ""), ("192.0.2.2:1", "/%61", ""), true),
            (PartitionBy::Path, ("192.0.2.1:1", "/a", ""), ("192.0.2.1:1", "/b", ""), false),
            (PartitionBy::Path, ("192.0.2.1:1", "/a/b", ""), ("192.0.2.1:1", "//a///b", ""), true),
            (PartitionBy::Nothing, ("192.0.2.1:1", "/a", "c"), ("192.0.2.2:1", "/b", ""), true),
        ] {
            let [first, second] = [one, other].map(|it| keys.of(&by, &request(it)));
            assert_eq!(first == second, share, "{by:?}: {one:?} {other:?}");
        }
    }
}
