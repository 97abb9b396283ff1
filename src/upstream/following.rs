//! The addresses of a name are looked up again beside requests, and connections to those that it has not any more get no
//! request more.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::connect::Way;
use super::http1::Pool;
use super::http2::Connections;
use super::names::Addresses;

/// How often they are looked up while there are requests: no answer of before is believed that long.
const EVERY: Duration = Duration::from_millis(5500);

/// Nobody looks.
const NOBODY: u8 = 0;

/// Somebody does, and there was no request since.
const UNUSED: u8 = 1;

/// Somebody does, and there was one.
const USED: u8 = 2;

/// Follows a name to other addresses.
#[derive(Debug)]
pub(super) struct Following {
    addresses: Arc<Addresses>,
    pool: Arc<Pool>,
    shared: Arc<Connections>,
    state: AtomicU8,
}

impl Following {
    /// `None` where connections lead to an address that stays what it is.
    pub(super) fn of(way: &Way, pool: &Arc<Pool>, shared: &Arc<Connections>) -> Option<Arc<Self>> {
        let addresses = way.addresses().filter(|it| it.may_change())?;
        Some(Arc::new(Self {
            addresses: Arc::clone(addresses),
            pool: Arc::clone(pool),
            shared: Arc::clone(shared),
            state: AtomicU8::new(NOBODY),
        }))
    }

    /// Takes notice of a request: most of them read what nobody writes meanwhile.
    pub(super) fn notice(self: &Arc<Self>) {
        if self.state.load(Ordering::Relaxed) == USED {
            return;
        }
        if self.state.swap(USED, Ordering::Relaxed) == NOBODY {
            tokio::spawn(follow(Arc::downgrade(self)));
        }
    }

    /// Lets go of connections to addresses that the name has not any more. Where none can be found, all stay.
    pub(super) async fn look(&self) {
        if let Ok(listed) = self.addresses.get().await {
            self.pool.keep_only(&listed);
            self.shared.keep_only(&listed);
        }
    }

    /// Lets the name have these addresses.
    #[cfg(test)]
    pub(super) fn lead_to(&self, addresses: &[std::net::SocketAddr]) {
        self.addresses.become_known(addresses);
    }

    fn passes(&self, from: u8, to: u8) -> bool {
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        self.state.compare_exchange(from, to, success, failure).is_ok()
    }
}

/// Looks again and again for as long as there are requests.
async fn follow(following: Weak<Following>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(following) = following.upgrade() else { return };
        if following.passes(USED, UNUSED) {
            following.look().await;
        } else if following.passes(UNUSED, NOBODY) {
            return;
        }
    }
}
