//! Who has told of requests without being a known proxy: the stages of a pipeline share them, so that none is told of twice.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use http::HeaderName;
use http::header::FORWARDED;

/// How many are told of: clients by the thousand may claim to be proxies.
const MOST: usize = 16;

/// Those of whom the log was told.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<Vec<Option<IpAddr>>>);

impl Strangers {
    /// Whether the log is to be told of this one: not, if it was, or if it was told of enough. All that have no address,
    /// which are on this machine, are one.
    pub(super) fn is_new(&self, address: Option<IpAddr>) -> bool {
        let address = address.map(|it| it.to_canonical());
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() == MOST || told.contains(&address) {
            return false;
        }
        told.push(address);
        true
    }
}

/// What lets a proxy be believed, which tells by `header` what `wanted` would be read of.
pub(super) fn remedy(proxy: Option<IpAddr>, header: &HeaderName, wanted: &str) -> String {
    let mut remedy = "set ForwardedHeaders:Enabled to true".to_owned();
    // Without a list, whoever is on this machine is believed.
    if let Some(address) = proxy.filter(|it| !it.is_loopback()) {
        remedy.push_str(&format!(" and add {address} to ForwardedHeaders:KnownProxies"));
    }
    if *header == FORWARDED {
        remedy.push_str(&format!(", and let it send {wanted}: Forwarded is not read"));
    }
    remedy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_of_once_and_not_all_of_them() {
        let strangers = Strangers::default();
        let address = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        assert!(strangers.is_new(address(1)));
        assert!(strangers.is_new(None));
        assert!(!strangers.is_new(None));
        assert!(!strangers.is_new(address(1)));
        assert!(!strangers.is_new("::ffff:192.0.2.1".parse().ok()));
        let told = (0..=255).filter(|last| strangers.is_new(address(*last))).count();
        assert_eq!(told, MOST - 2);
    }
}
