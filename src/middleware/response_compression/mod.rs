//! Compresses answers on their way out (`ResponseCompression`).

mod accept_encoding;
mod body;
mod coder;
#[cfg(feature = "compression")]
mod encoder;
#[cfg(not(feature = "compression"))]
#[path = "no_encoder.rs"]
mod encoder;
mod encoding;
mod media_types;
mod workers;

use std::sync::Arc;

use axum::body::Body;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, HeaderName, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body as _;

#[cfg(fuzzing)]
pub(crate) use self::accept_encoding::check as check_accept_encoding;
use self::accept_encoding::choose;
use self::body::Compressed;
pub(crate) use self::encoder::ARE_THERE as ENCODERS_ARE_THERE;
pub(crate) use self::encoding::{Encoding, Level};
pub(crate) use self::media_types::MediaTypes;
use crate::features::{EffectiveRequest, HttpsCompression, Outcome};
use crate::pipeline::{Enter, FilePart, Request, Response, Stage};

/// Compresses answers whose client takes that, piece by piece as they come. (What
/// `ResponseCompressionMiddleware` is in ASP.NET Core.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResponseCompression(pub(crate) Arc<CompressionOptions>);

/// What is compressed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CompressionOptions {
    /// By HTTPS as well: an attacker who sees how long an answer is may learn what else is in it, if a part
    /// of it is of his making (BREACH).
    pub(crate) for_https: bool,
    /// The encodings, the preferred one first.
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) types: MediaTypes,
    pub(crate) level: Level,
}

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// What of a request counts.
struct Asked {
    encoding: Option<Encoding>,
    is_head: bool,
    is_https: bool,
}

impl Stage for ResponseCompression {
    fn enter(&self, request: &mut Request) -> Enter {
        if request.method() == Method::CONNECT {
            return Enter::Next;
        }
        let encoding = choose(request.headers().get_all(ACCEPT_ENCODING), &self.0.encodings);
        let asked = Asked {
            encoding,
            is_head: request.method() == Method::HEAD,
            is_https: EffectiveRequest::of(request).is_https(),
        };
        let options = Arc::clone(&self.0);
        Enter::Then(Box::new(move |response| answer(&options, &asked, response)))
    }

    fn knows_files(&self) -> bool {
        true
    }
}

fn answer(options: &CompressionOptions, asked: &Asked, mut response: Response) -> Response {
    let status = response.status();
    if status.is_informational() || response.extensions().get::<Outcome>().is_some() {
        return response;
    }
    let over_https = match response.extensions().get::<HttpsCompression>() {
        Some(HttpsCompression::Compress) => true,
        Some(HttpsCompression::DoNotCompress) => false,
        Some(HttpsCompression::Default) | None => options.for_https,
    };
    if asked.is_https && !over_https {
        return response;
    }
    let headers = response.headers();
    let of_listed_type = headers.get(CONTENT_TYPE).is_some_and(|it| options.types.have(it));
    let not_modified = status == StatusCode::NOT_MODIFIED && !headers.contains_key(CONTENT_TYPE);
    if headers.contains_key(CONTENT_ENCODING) || !of_listed_type && !not_modified {
        return response;
    }
    // Caches keep what is the same for all encodings apart as well: who asks next may get another one.
    vary(response.headers_mut());
    match asked.encoding {
        Some(encoding) if may_change(&response) && has_content(&response, asked.is_head) => {
            let mut response = compressed(response, encoding, options.level);
            // Nothing of a HEAD is sent in another form.
            if !asked.is_head {
                weaken_tag(response.headers_mut());
            }
            response
        }
        _ => response,
    }
}

/// Whether its content may be sent in another form (RFC 9111 section 5.2.2.6); a part of something may not.
fn may_change(response: &Response) -> bool {
    let headers = response.headers();
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let mut directives = lines.flat_map(|line| line.split(','));
    !headers.contains_key(CONTENT_RANGE)
        && !directives.any(|it| it.trim().eq_ignore_ascii_case("no-transform"))
}

fn has_content(response: &Response, is_head: bool) -> bool {
    if matches!(response.status().as_u16(), 204 | 205 | 304) {
        return false;
    }
    let length = response.headers().get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
    // Of a HEAD it may be known only by its length.
    let told = is_head && length.is_some_and(|length| length != b"0");
    told || !response.body().is_end_stream()
}

fn compressed(mut response: Response, encoding: Encoding, level: Level) -> Response {
    FilePart::take(&mut response);
    let (mut parts, body) = response.into_parts();
    let headers = &mut parts.headers;
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_MD5);
    Response::from_parts(parts, Body::new(Compressed::new(body, encoding, level)))
}

/// Byte for byte it is another answer than without encoding, though it means the same.
fn weaken_tag(headers: &mut HeaderMap) {
    let strong = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    let weak = strong.map(|tag| [b"W/", tag.as_bytes()].concat());
    if let Some(Ok(tag)) = weak.map(|tag| HeaderValue::from_bytes(&tag)) {
        headers.insert(ETAG, tag);
    }
}

fn vary(headers: &mut HeaderMap) {
    let names_it = |line: &HeaderValue| {
        let line = line.to_str().unwrap_or_default();
        line.split(',').any(|it| it.trim().eq_ignore_ascii_case("accept-encoding"))
    };
    if !headers.get_all(VARY).iter().any(names_it) {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

#[cfg(all(test, feature = "compression"))]
mod tests;
