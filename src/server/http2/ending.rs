//! Why a connection ends, and what its client is told.

use std::fmt;

use super::frame::{ANY_STREAM, Code};

/// Why we end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Ending {
    /// The server stops, and no stream is open.
    Stop,
    /// It has waited too long without a stream.
    KeepAlive,
    /// The head of a request took too long.
    RequestHeaders,
    /// A PING was not answered.
    Ping,
    /// The client takes what we send too slowly.
    ResponseRate,
    /// The client makes work instead of sending requests.
    Flood(Flood),
    /// The head or the trailers of a request are so long that they are not read to their end.
    HeadersTooLong,
    /// The client breaks the rules of frames.
    Protocol(Code),
    /// hyper's library has given up.
    Library(Code),
}

/// What there was too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Flood {
    /// Frames that carry neither requests nor bodies.
    Control,
    /// Requests that were reset before they were answered.
    Resets,
    /// CONTINUATION frames of one head, or their bytes.
    Continuations,
}

impl Ending {
    pub(super) fn code(self) -> Code {
        match self {
            Self::Stop | Self::KeepAlive => Code::NO_ERROR,
            Self::RequestHeaders | Self::Ping | Self::ResponseRate => Code::INTERNAL_ERROR,
            Self::Flood(_) => Code::ENHANCE_YOUR_CALM,
            Self::HeadersTooLong => Code::PROTOCOL_ERROR,
            Self::Protocol(code) | Self::Library(code) => code,
        }
    }

    /// The last stream the client is told of. Where we cannot know what was done with a request,
    /// it is any: the client must not take one for unseen, and send it again.
    pub(super) fn last_stream(self, highest: u32) -> u32 {
        match self {
            Self::RequestHeaders | Self::ResponseRate | Self::Flood(_) => ANY_STREAM,
            _ => highest,
        }
    }

    /// Whether it is the client's fault.
    pub(super) fn is_error(self) -> bool {
        self.code() != Code::NO_ERROR
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "The server is stopping.",
            Self::KeepAlive => "The connection was idle for too long.",
            Self::RequestHeaders => {
                "Reading the request headers timed out due to data arriving too slowly. See KestrelServerLimits.RequestHeadersTimeout."
            }
            Self::Ping => "The client did not answer a PING in time.",
            Self::ResponseRate => {
                "The connection was closed because the response was not read by the client at the specified minimum data rate."
            }
            Self::Flood(Flood::Control) => {
                "The client sent too many frames without a request or a body."
            }
            Self::Flood(Flood::Resets) => {
                "The client reset too many requests before they were answered."
            }
            Self::Flood(Flood::Continuations) => {
                "The client sent too many CONTINUATION frames for one request."
            }
            Self::HeadersTooLong => {
                "HTTP/2 connection error (PROTOCOL_ERROR): Request headers too long. One request has more than four times what MaxRequestHeadersTotalSize and Http2:MaxRequestHeaderFieldSize allow, and is not read to its end."
            }
            Self::Protocol(code) | Self::Library(code) => {
                return write!(
                    f,
                    "HTTP/2 connection error ({}).",
                    h2::Reason::from(code.0).description()
                );
            }
        })
    }
}
