//! Why a request is not served, in Kestrel's words.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

use super::error::StreamError;
use crate::features::BadRequest;

/// Why a request is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) reason: Reason,
    /// The offending bytes, made printable; empty where the text has none.
    pub(super) detail: String,
}

/// What becomes of a request that the app is not to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is answered with the status of the reason and no body.
    Answer(Rejection),
    /// Its stream is reset. The text says why.
    Reset(StreamError, &'static str),
}

/// The reasons, named as in Kestrel. (Its `RequestRejectionReason`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Reason {
    InvalidRequestLine = 1,
    InvalidRequestTarget,
    InvalidRequestHeader,
    InvalidRequestHeadersNoCrLf,
    MalformedRequestInvalidHeaders,
    InvalidCharactersInHeaderName,
    InvalidContentLength,
    MultipleContentLengths,
    FinalTransferCodingNotChunked,
    /// Ours: a coding that nobody would take off again (RFC 9112 section 6.1).
    TransferCodingNotImplemented,
    /// Ours: HTTP/1.0 knows no Transfer-Encoding (RFC 9112 section 6.1).
    TransferCodingOnHttp10,
    LengthRequiredHttp10,
    MissingHostHeader,
    MultipleHostHeaders,
    InvalidHostHeader,
    TlsOverHttpError,
    BadChunkSuffix,
    BadChunkSizeData,
    BadChunkExtension,
    /// Ours: one chunk of 2 GiB or more.
    ChunkTooLarge,
    /// Ours: 16 KiB or more of chunk extensions (RFC 9112 section 7.1.1).
    ChunkExtensionsTooLarge,
    UnexpectedEndOfRequestContent,
    OptionsMethodRequired,
    ConnectMethodRequired,
    RequestHeadersTimeout,
    RequestBodyTimeout,
    RequestBodyTooLarge,
    RequestLineTooLong,
    HeadersExceedMaxTotalSize,
    TooManyHeaders,
    UnrecognizedHttpVersion,
}

impl Reason {
    /// The status that answers it.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::OptionsMethodRequired | Self::ConnectMethodRequired => {
                StatusCode::METHOD_NOT_ALLOWED
            }
            Self::RequestHeadersTimeout | Self::RequestBodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::RequestBodyTooLarge | Self::ChunkTooLarge | Self::ChunkExtensionsTooLarge => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::RequestLineTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadersExceedMaxTotalSize | Self::TooManyHeaders => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::TransferCodingNotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::UnrecognizedHttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The method that would have been right.
    pub(super) fn allow(self) -> Option<&'static str> {
        match self {
            Self::OptionsMethodRequired => Some("OPTIONS"),
            Self::ConnectMethodRequired => Some("CONNECT"),
            _ => None,
        }
    }

    /// Kestrel's words for it; `{}` stands for the detail.
    fn words(self) -> &'static str {
        match self {
            Self::InvalidRequestLine => "Invalid request line: '{}'",
            Self::InvalidRequestTarget => "Invalid request target: '{}'",
            Self::InvalidRequestHeader => "Invalid request header: '{}'",
            Self::InvalidRequestHeadersNoCrLf => {
                "Invalid request headers: missing final CRLF in header fields."
            }
            Self::MalformedRequestInvalidHeaders => "Malformed request: invalid headers.",
            Self::InvalidCharactersInHeaderName => "Invalid characters in header name.",
            Self::InvalidContentLength => "Invalid content length: {}",
            Self::MultipleContentLengths => "Multiple Content-Length headers.",
            Self::FinalTransferCodingNotChunked => {
                "The message body length cannot be determined because the final transfer coding was set to '{}' instead of 'chunked'."
            }
            Self::TransferCodingNotImplemented => {
                "The transfer coding '{}' is not supported, only 'chunked' is."
            }
            Self::TransferCodingOnHttp10 => "HTTP/1.0 request contains a Transfer-Encoding header.",
            Self::LengthRequiredHttp10 => "{} request contains no Content-Length header.",
            Self::MissingHostHeader => "Request is missing Host header.",
            Self::MultipleHostHeaders => "Multiple Host headers.",
            Self::InvalidHostHeader => "Invalid Host header: '{}'",
            Self::TlsOverHttpError => {
                "Detected a TLS handshake to an endpoint that does not have TLS enabled."
            }
            Self::BadChunkSuffix => "Bad chunk suffix.",
            Self::BadChunkSizeData => "Bad chunk size data.",
            Self::BadChunkExtension => "Bad chunk extension.",
            Self::ChunkTooLarge => "Chunk too large.",
            Self::ChunkExtensionsTooLarge => {
                "Chunk extensions too large. The limit is 16383 bytes in one body."
            }
            Self::UnexpectedEndOfRequestContent => "Unexpected end of request content.",
            Self::OptionsMethodRequired | Self::ConnectMethodRequired => "Method not allowed.",
            Self::RequestHeadersTimeout => "Reading the request headers timed out.",
            Self::RequestBodyTimeout => {
                "Reading the request body timed out due to data arriving too slowly. See MinRequestBodyDataRate."
            }
            Self::RequestBodyTooLarge => {
                "Request body too large. The max request body size is {} bytes."
            }
            Self::RequestLineTooLong => "Request line too long.",
            Self::HeadersExceedMaxTotalSize => "Request headers too long.",
            Self::TooManyHeaders => "Request contains too many headers.",
            Self::UnrecognizedHttpVersion => "Unrecognized HTTP version: '{}'",
        }
    }

    /// With the bytes that are wrong.
    pub(super) fn with(self, bytes: &[u8]) -> Rejection {
        Rejection { reason: self, detail: printable(bytes) }
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: String::new() }
    }
}

impl From<&Rejection> for BadRequest {
    fn from(rejection: &Rejection) -> Self {
        Self::new(rejection.reason.status(), rejection.to_string())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.words().split_once("{}") {
            Some((before, behind)) => write!(f, "{before}{}{behind}", self.detail),
            None => f.write_str(self.reason.words()),
        }
    }
}

/// At most 128 of the bytes as text: what is not printable as `\xHH`.
fn printable(bytes: &[u8]) -> String {
    const MOST: usize = 128;
    let mut text: String = bytes
        .iter()
        .take(MOST)
        .map(|byte| match byte {
            0x20..=0x7E => Cow::Owned(char::from(*byte).to_string()),
            _ => Cow::Owned(format!("\\x{byte:02X}")),
        })
        .collect();
    if bytes.len() > MOST {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_shows_what_is_wrong() {
        let long = [b'a'; 200];
        for (rejection, status, text) in [
            (
                Reason::InvalidRequestLine.with(b"BAD\r\n"),
                400,
                "Invalid request line: 'BAD\\x0D\\x0A'",
            ),
            (
                Reason::UnrecognizedHttpVersion.with(b"HTTP/2.0"),
                505,
                "Unrecognized HTTP version: 'HTTP/2.0'",
            ),
            (Reason::TooManyHeaders.into(), 431, "Request contains too many headers."),
            (
                Reason::RequestBodyTooLarge.with(b"30000000"),
                413,
                "Request body too large. The max request body size is 30000000 bytes.",
            ),
        ] {
            assert_eq!(rejection.reason.status(), status);
            assert_eq!(rejection.to_string(), text);
        }
        assert_eq!(Reason::InvalidRequestLine.with(&long).detail.len(), 131);
    }
}
