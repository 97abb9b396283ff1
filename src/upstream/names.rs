//! Which addresses a server's name has.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::lookup_host;

use super::failure::{Failure, FailureKind};
use crate::server::Moment;

/// How long an answer is believed. The system's resolver does not say how long one may be, and has a cache
/// of its own where one is wanted; this spares it the connections of a burst.
const FRESH: Duration = Duration::from_secs(5);

/// How long a name that could not be resolved is not asked for again.
const FAILED: Duration = Duration::from_secs(1);

/// The addresses of a server.
#[derive(Debug)]
pub(super) struct Addresses {
    name: String,
    port: u16,
    /// What was found last, and until when that is believed.
    known: Mutex<Option<(Moment, Found)>>,
    /// Held by whoever asks: the others wait for what it finds.
    asking: tokio::sync::Mutex<()>,
}

/// What was found, or what the system said instead.
type Found = Result<Arc<[SocketAddr]>, Arc<str>>;

impl Addresses {
    pub(super) fn new(name: &str, port: u16) -> Self {
        Self {
            name: name.to_owned(),
            port,
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// The addresses, the one to be tried first in front.
    ///
    /// # Errors
    ///
    /// There are none.
    pub(super) async fn get(&self) -> Result<Arc<[SocketAddr]>, Failure> {
        if let Ok(address) = self.name.parse::<IpAddr>() {
            return Ok(Arc::new([SocketAddr::new(address, self.port)]));
        }
        if let Some(found) = self.known() {
            return found.map_err(|error| self.failure(&error));
        }
        let _asking = self.asking.lock().await;
        if let Some(found) = self.known() {
            return found.map_err(|error| self.failure(&error));
        }
        let found: Found = match lookup_host((&*self.name, self.port)).await {
            Ok(addresses) => Ok(in_turns(addresses.collect()).into()),
            Err(error) => Err(error.to_string().into()),
        };
        let found = match found {
            Ok(none) if none.is_empty() => Err("it has no address".into()),
            found => found,
        };
        let fresh = if found.is_ok() { FRESH } else { FAILED };
        // It may be asked for in the next moment, once there are some.
        if !found.as_ref().is_err_and(|error| lacks_descriptors(error)) {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some((Moment::now() + fresh, found.clone()));
        }
        found.map_err(|error| self.failure(&error))
    }

    /// Whether there may be others later: those of a name.
    pub(super) fn may_change(&self) -> bool {
        self.name.parse::<IpAddr>().is_err()
    }

    /// Lets these be found for a while.
    #[cfg(test)]
    pub(super) fn become_known(&self, addresses: &[SocketAddr]) {
        let until = Moment::now() + Duration::from_secs(3600);
        *self.known.lock().unwrap() = Some((until, Ok(addresses.into())));
    }

    /// What was found does not lead anywhere: it is asked for again.
    pub(super) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn known(&self) -> Option<Found> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, found) = known.as_ref()?;
        (Moment::now() < *until).then(|| found.clone())
    }

    fn failure(&self, error: &str) -> Failure {
        let text = format!("the name '{}' cannot be resolved: {error}", self.name);
        let kind = match lacks_descriptors(error) {
            true => FailureKind::NoDescriptors,
            false => FailureKind::Name,
        };
        Failure::new(kind, text)
    }
}

/// The system's resolver has no other way to say that it could not open its own files.
fn lacks_descriptors(error: &str) -> bool {
    error.contains("Too many open files")
}

/// The families of addresses in turns, in the system's order otherwise (RFC 8305 section 4): a network that
/// has lost one of them costs one attempt.
fn in_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let (one, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let mut turns = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return turns,
            (first, second) => turns.extend(first.into_iter().chain(second)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let of = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        for (given, expected) in [
            (&[][..], &[][..]),
            (&["1.1.1.1:1"], &["1.1.1.1:1"]),
            (
                &["[::1]:1", "[::2]:1", "1.1.1.1:1", "[::3]:1"],
                &["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"],
            ),
            (&["1.1.1.1:1", "2.2.2.2:1", "[::1]:1"], &["1.1.1.1:1", "[::1]:1", "2.2.2.2:1"]),
        ] {
            assert_eq!(in_turns(of(given)), of(expected));
        }
    }

    #[tokio::test]
    async fn an_answer_is_believed_for_a_while() {
        let addresses = Addresses::new("localhost", 80);
        let found = addresses.get().await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
        assert!(Arc::ptr_eq(&found, &addresses.get().await.unwrap()));
        addresses.forget();
        assert!(!Arc::ptr_eq(&found, &addresses.get().await.unwrap()));
    }

    #[tokio::test]
    async fn a_literal_is_its_own_address() {
        for (name, expected) in [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")] {
            let found = Addresses::new(name, 80).get().await.unwrap();
            assert_eq!(found[..], [expected.parse::<SocketAddr>().unwrap()]);
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told() {
        let addresses = Addresses::new("nowhere.invalid", 80);
        let failure = addresses.get().await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Name);
        assert!(failure.to_string().contains("'nowhere.invalid'"), "{failure}");
        let failure = addresses.failure("Too many open files (os error 24)");
        assert_eq!(failure.kind(), FailureKind::NoDescriptors);
    }
}
