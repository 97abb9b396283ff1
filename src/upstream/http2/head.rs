//! The heads of HTTP/2: of a request, and of its answer.

use h2::ext::Protocol;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version, header};

use crate::upstream::outgoing::{Outgoing, Value};

/// The head of a request, which asks for a tunnel if it is to change the protocol. `None` if target, host or
/// protocol cannot be said.
pub(super) fn of_request(outgoing: &Outgoing<'_>, secure: bool) -> Option<Request<()>> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if secure { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(Authority::try_from(outgoing.host).ok()?);
    parts.path_and_query = Some(PathAndQuery::try_from(outgoing.target).ok()?);
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    *request.method_mut() = outgoing.method.clone();
    if let Some(protocol) = outgoing.upgrade {
        let protocol = std::str::from_utf8(protocol).ok()?.to_ascii_lowercase();
        request.extensions_mut().insert(Protocol::from(&*protocol));
        *request.method_mut() = Method::CONNECT;
    }
    *request.version_mut() = Version::HTTP_2;
    let headers = request.headers_mut();
    let mut fits = true;
    outgoing.fields.each(&mut |name, value| {
        let is_said_otherwise = name == header::HOST
            || name == header::CONTENT_LENGTH
            || outgoing.upgrade.is_some() && name == header::SEC_WEBSOCKET_KEY;
        if is_said_otherwise || is_of_connection(name) {
            return;
        }
        let value = match value {
            Value::Kept(value) => value.clone(),
            Value::Made(parts) => match HeaderValue::from_bytes(&parts.concat()) {
                Ok(value) => value,
                // As in HTTP/1.1, it is no value.
                Err(_) => return,
            },
        };
        if name == header::TE && value.as_bytes() != b"trailers" {
            return;
        }
        fits &= headers.try_append(name.clone(), value).is_ok();
    });
    let length = match &outgoing.content {
        Some(content) => content.length,
        None if outgoing.upgrade.is_some() => None,
        None => mostly_has_a_body(outgoing.method).then_some(0),
    };
    if let Some(length) = length {
        fits &= headers.try_append(header::CONTENT_LENGTH, length.into()).is_ok();
    }
    fits.then_some(request)
}

/// The client's key of a WebSocket, if it has one.
pub(super) fn key(outgoing: &Outgoing<'_>) -> Option<Vec<u8>> {
    let mut key = None;
    outgoing.fields.each(&mut |name, value| {
        if name == header::SEC_WEBSOCKET_KEY {
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            key = Some(bytes);
        }
    });
    key
}

/// Takes out of trailers what says of a message how it is framed, or where it goes (RFC 9110 section 6.5.1).
pub(super) fn clean_trailers(fields: &mut HeaderMap) {
    for name in [header::CONTENT_LENGTH, header::HOST, header::TRAILER, header::TE] {
        fields.remove(name);
    }
    let of_connection: Vec<_> =
        fields.keys().filter(|name| is_of_connection(name)).cloned().collect();
    for name in of_connection {
        fields.remove(name);
    }
}

/// Takes out of an answer's fields what nobody asked for, or no message of HTTP/2 may have.
pub(super) fn clean(
    fields: &mut HeaderMap,
    status: StatusCode,
    takes: &(dyn Fn(&HeaderName) -> bool + Sync),
) {
    let is_kept = |name: &HeaderName| {
        *name == header::CONTENT_LENGTH
            || takes(name) && *name != header::TE && !is_of_connection(name)
    };
    let strange: Vec<HeaderName> = fields.keys().filter(|name| !is_kept(name)).cloned().collect();
    for name in strange {
        fields.remove(name);
    }
    if status == StatusCode::NO_CONTENT || status.is_informational() {
        fields.remove(header::CONTENT_LENGTH);
    }
}

/// Whether a field is of a connection of HTTP/1.1 (RFC 9113 section 8.2.2).
fn is_of_connection(name: &HeaderName) -> bool {
    match name.as_str().len() {
        7 => name == header::UPGRADE,
        10 => name == header::CONNECTION || name.as_str() == "keep-alive",
        14 => name.as_str() == "http2-settings",
        16 => name.as_str() == "proxy-connection",
        17 => name == header::TRANSFER_ENCODING,
        _ => false,
    }
}

/// Whether a server may wait for a body, or ask for its length, if nothing says that there is none.
fn mostly_has_a_body(method: &Method) -> bool {
    !matches!(
        *method,
        Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS | Method::CONNECT
    )
}
