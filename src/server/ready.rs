//! A connection between what secures it and what it speaks.

use super::io::{Socket, Stream};
use crate::features::{Connection, HttpProtocols};

/// A connection that HTTP can begin on.
pub(super) struct Ready<S: Socket> {
    pub(super) stream: Stream<S>,
    pub(super) facts: Connection,
    /// What may be spoken.
    pub(super) protocols: HttpProtocols,
}
