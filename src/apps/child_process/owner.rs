//! Whose the port of a process is, at every new connection to it: one that supervises others may lose it for a moment, and on a
//! machine with several users somebody else may be faster then.

use std::net::SocketAddr;

use tokio::sync::watch;

use super::proc::{Holder, holder};
use crate::upstream::Owner;

/// The port of a process.
#[derive(Debug)]
pub(super) struct OfPort {
    address: SocketAddr,
    /// Who is to have it, if that is not the user of this process.
    user: Option<u32>,
    /// Who has it in their place.
    stranger: watch::Sender<Option<u32>>,
}

impl OfPort {
    pub(super) fn new(address: SocketAddr, user: Option<u32>) -> Self {
        Self { address, user, stranger: watch::Sender::default() }
    }

    /// Waits until somebody else has it: who that is.
    pub(super) async fn lost(&self) -> u32 {
        let mut stranger = self.stranger.subscribe();
        let found = stranger.wait_for(Option::is_some).await.ok().and_then(|it| *it);
        match found {
            Some(user) => user,
            None => std::future::pending().await,
        }
    }
}

impl Owner for OfPort {
    fn look(&self) -> Result<u64, String> {
        match holder(self.address, self.user) {
            Holder::Own(socket) => Ok(socket),
            Holder::Unknown => Ok(0),
            Holder::Nobody => Err("nobody listens there".to_owned()),
            Holder::Stranger(user) => {
                self.stranger.send_replace(Some(user));
                Err(format!("a process of another user (number {user}) listens there"))
            }
        }
    }
}
