//! What a connection is at, shared by its task, its stream, its requests and their bodies.
//!
//! A part of it is the same whatever is spoken ([`Common`]), a part is of one version: what deals with
//! a request and has to know which asks [`Activity`], and a version that is added has to be thought
//! of wherever that is.

mod common;
mod http1;
mod http2;

use std::sync::Arc;

pub(super) use common::Common;
pub(super) use http1::{Cut, Http1Activity, Last, Note, Unread};
pub(super) use http2::Http2Activity;

/// What a connection is at, by the version that it speaks.
#[derive(Clone, Debug)]
pub(super) enum Activity {
    /// A request has the connection for itself.
    Http1(Arc<Http1Activity>),
    /// A request has a stream of it.
    Http2(Arc<Http2Activity>),
}

impl Activity {
    /// What is the same for all versions.
    pub(super) fn common(&self) -> &Common {
        match self {
            Self::Http1(http1) => http1,
            Self::Http2(http2) => http2,
        }
    }
}
