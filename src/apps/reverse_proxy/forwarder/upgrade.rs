//! Requests that ask to change to another protocol, such as WebSocket.

use http::header::{CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_KEY, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, response};
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;

use crate::upstream::VersionPolicy;

/// A request that asks to change to another protocol that is handed on.
pub(super) struct Upgrading {
    protocol: Box<[u8]>,
    client: OnUpgrade,
    /// Whether the client asks for a tunnel on a stream of HTTP/2 (RFC 8441).
    is_stream: bool,
}

impl Upgrading {
    /// The change that a request asks for, if it does. What is no WebSocket and no SPDY is not handed on: whoever
    /// asks gets the answer of a request that does not.
    ///
    /// # Errors
    ///
    /// The status of a request that is not handed on at all.
    pub(super) fn of(
        parts: &mut Parts,
        of_cluster: (Version, VersionPolicy),
    ) -> Result<Option<Self>, StatusCode> {
        let is_connect = parts.method == Method::CONNECT;
        let protocol = match is_connect {
            true => parts
                .extensions
                .get::<Protocol>()
                .filter(|it| it.as_str().eq_ignore_ascii_case("websocket"))
                .map(|it| it.as_str().as_bytes().into()),
            // RFC 6455 section 4.1; a body would come first.
            false if parts.method == Method::GET => asked_for(&parts.headers),
            false => None,
        };
        let Some(protocol) = protocol else {
            // A tunnel to anywhere is what an open proxy gives.
            return if is_connect { Err(StatusCode::BAD_GATEWAY) } else { Ok(None) };
        };
        let is_stream = is_connect;
        // On HTTP/2 the destination has no use for the key, so that its form is for us to look at.
        let is_kept = matches!(version_of(of_cluster), (Version::HTTP_11, _));
        let key = parts.headers.get(SEC_WEBSOCKET_KEY);
        if !is_stream && !is_kept && key.is_none_or(|key| key.len() != 24) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let client = parts.extensions.remove::<OnUpgrade>();
        Ok(client.map(|client| Self { protocol, client, is_stream }))
    }

    /// What a destination of HTTP/1.1 wants to see, and a client on a stream of HTTP/2 has no need to say
    /// (RFC 8441 section 5).
    pub(super) fn key(&self) -> Option<String> {
        use base64ct::{Base64, Encoding};
        self.is_stream.then(|| {
            let bytes: [u8; 16] = std::array::from_fn(|_| fastrand::u8(..));
            Base64::encode_string(&bytes)
        })
    }

    pub(super) fn protocol(&self) -> &[u8] {
        &self.protocol
    }

    /// The version of HTTP in which it is handed on.
    pub(super) fn version(&self, of_cluster: (Version, VersionPolicy)) -> (Version, VersionPolicy) {
        version_of(of_cluster)
    }

    /// Whether a destination changes to what was asked for, and to nothing else (RFC 9110 section 7.8).
    pub(super) fn is_granted_by(&self, head: &response::Parts) -> bool {
        if head.version == Version::HTTP_2 {
            return head.status.is_success();
        }
        let mut named = head.headers.get_all(UPGRADE).iter();
        let is_ours = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(&self.protocol);
        head.version == Version::HTTP_11
            && named.next().is_some_and(is_ours)
            && named.next().is_none()
    }

    /// Whether a client would take an answer of this status for the change, though it is none: on a stream of HTTP/2
    /// any success grants it (RFC 8441 section 4).
    pub(super) fn is_begun_by(&self, status: StatusCode) -> bool {
        self.is_stream && status.is_success()
    }

    /// Makes of a destination's head what the client's version of HTTP has for it.
    pub(super) fn fit_answer(&self, head: &mut response::Parts) {
        head.version = Version::default();
        if self.is_stream {
            head.status = StatusCode::OK;
            for name in [CONNECTION, UPGRADE] {
                head.headers.remove(name);
            }
            head.headers.remove("sec-websocket-accept");
            return;
        }
        head.status = StatusCode::SWITCHING_PROTOCOLS;
        head.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        if !head.headers.contains_key(UPGRADE)
            && let Ok(protocol) = HeaderValue::from_bytes(&self.protocol)
        {
            head.headers.insert(UPGRADE, protocol);
        }
    }

    pub(super) fn into_client(self) -> OnUpgrade {
        self.client
    }
}

/// The version in which a change of protocol is handed on.
fn version_of(of_cluster: (Version, VersionPolicy)) -> (Version, VersionPolicy) {
    match of_cluster {
        (Version::HTTP_2, VersionPolicy::Exact | VersionPolicy::OrHigher) => of_cluster,
        _ => (Version::HTTP_11, VersionPolicy::OrLower),
    }
}

/// The protocol that a request of HTTP/1.1 asks to change to, if it is handed on.
fn asked_for(headers: &HeaderMap) -> Option<Box<[u8]>> {
    let mut values =
        headers.get_all(CONNECTION).iter().flat_map(|it| it.as_bytes().split(|byte| *byte == b','));
    if !values.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade")) {
        return None;
    }
    let mut protocols = headers.get_all(UPGRADE).iter();
    let (Some(protocol), None) = (protocols.next(), protocols.next()) else { return None };
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if has_body {
        // It would have to come before the other protocol, which this server does not wait for.
        return None;
    }
    let name = protocol.as_bytes().trim_ascii();
    let is_version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let is_spdy = name.len() > 5
        && name[..5].eq_ignore_ascii_case(b"spdy/")
        && name[5..].iter().all(is_version);
    (is_spdy || name.eq_ignore_ascii_case(b"websocket")).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn websockets_and_spdy_are_handed_on_and_nothing_else() {
        for (connection, upgrade, handed_on) in [
            ("Upgrade", "websocket", true),
            ("keep-alive, upgrade", "WebSocket", true),
            ("Upgrade", "SPDY/3.1", true),
            ("Upgrade", "SPDY/", false),
            ("Upgrade", "SPDY/3, h2c", false),
            ("Upgrade", "h2c", false),
            ("keep-alive", "websocket", false),
            ("Upgrade", "websocket, h2c", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONNECTION, HeaderValue::from_static(connection));
            headers.insert(UPGRADE, HeaderValue::from_static(upgrade));
            assert_eq!(asked_for(&headers).is_some(), handed_on, "{connection} {upgrade}");
        }
    }

    #[test]
    fn a_request_with_a_body_is_handed_on_without_the_change() {
        for (name, value, handed_on) in [
            (CONTENT_LENGTH, "0", true),
            (CONTENT_LENGTH, "2", false),
            (TRANSFER_ENCODING, "chunked", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(asked_for(&headers).is_some(), handed_on, "{value}");
        }
    }

    #[test]
    fn only_what_was_asked_for_is_granted() {
        let upgrading = Upgrading {
            protocol: b"websocket"[..].into(),
            client: hyper::upgrade::on(http::Request::new(())),
            is_stream: false,
        };
        for (version, status, upgrade, is_granted) in [
            (Version::HTTP_11, 101, &["WebSocket"][..], true),
            (Version::HTTP_11, 101, &["h2c"], false),
            (Version::HTTP_11, 101, &["websocket", "h2c"], false),
            (Version::HTTP_11, 101, &[], false),
            (Version::HTTP_10, 101, &["websocket"], false),
            (Version::HTTP_2, 200, &[], true),
            (Version::HTTP_2, 101, &["websocket"], false),
        ] {
            let mut response = http::Response::builder().version(version).status(status);
            for protocol in upgrade {
                response = response.header(UPGRADE, *protocol);
            }
            let (head, ()) = response.body(()).unwrap().into_parts();
            assert_eq!(upgrading.is_granted_by(&head), is_granted, "{head:?}");
        }
    }
}
