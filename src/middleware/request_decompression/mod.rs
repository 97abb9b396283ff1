//! Decompresses the bodies of requests on their way in (`RequestDecompression`).

mod body;
mod coding;
#[cfg(feature = "compression")]
mod decoder;
#[cfg(not(feature = "compression"))]
#[path = "no_decoder.rs"]
mod decoder;

use std::sync::Arc;

use axum::body::Body;
use http::Method;
use http::header::CONTENT_ENCODING;
use http_body::Body as _;

use self::body::Decoded;
pub(crate) use self::coding::Coding;
use self::coding::{Coded, coded};
pub(crate) use self::decoder::ARE_THERE as DECODERS_ARE_THERE;
use crate::diagnostics::events;
use crate::features::RequestBodyLimits;
use crate::pipeline::{Enter, Request, Stage};

/// Gives the app bodies as they were before the client compressed them. (What `RequestDecompressionMiddleware`
/// is in ASP.NET Core.)
///
/// What it does not undo passes as it is, with its `Content-Encoding`: whether that can be read is the app's
/// to say. `Content-Length` stays what the client has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestDecompression {
    pub(crate) codings: Arc<[Coding]>,
}

impl Stage for RequestDecompression {
    fn enter(&self, request: &mut Request) -> Enter {
        // What follows a CONNECT is no body.
        if request.method() == Method::CONNECT {
            return Enter::Next;
        }
        match coded(request.headers(), &self.codings) {
            Coded::No => events::request_not_compressed(),
            Coded::Several => events::request_compressed_several_times(),
            Coded::Otherwise => events::request_compressed_otherwise(),
            Coded::By(coding) => {
                events::request_is_decompressed(coding.name());
                request.headers_mut().remove(CONTENT_ENCODING);
                if !request.body().is_end_stream() {
                    let limits = request.extensions().get::<RequestBodyLimits>().cloned();
                    let body = std::mem::take(request.body_mut());
                    *request.body_mut() = Body::new(Decoded::new(body, coding, limits));
                }
            }
        }
        Enter::Next
    }
}

#[cfg(all(test, feature = "compression"))]
mod tests;
