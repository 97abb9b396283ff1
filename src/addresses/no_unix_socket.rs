//! What stands for Unix sockets and their files where there are none.

use std::io;

use super::socket_options::UnixSocketOptions;

/// The file of a socket, of which there is none here.
#[derive(Clone, Debug)]
pub(crate) enum SocketIdentity {}

/// Why the rights of a socket's file could not be set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RightsError {}

/// Who can have a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountKind {
    User,
    Group,
}

impl AccountKind {
    /// The number of an account: nobody asks here, since nothing can be bound.
    pub(crate) fn id(self, _: &str) -> io::Result<Option<u32>> {
        Ok(Some(0))
    }
}

/// The group that a user has first: there are none of these numbers here.
pub(crate) fn primary_group(_: u32) -> io::Result<Option<u32>> {
    Ok(Some(0))
}

/// Whether this process may let another one run as somebody else: not by a number.
pub(crate) fn may_become_others() -> bool {
    false
}

impl SocketIdentity {
    pub(crate) fn apply(&self, _: &UnixSocketOptions) -> Result<(), RightsError> {
        match *self {}
    }
}
