//! Who is believed.

use std::fmt;
use std::net::IpAddr;

/// Whose headers are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proxies {
    /// Those of everybody who can connect.
    All,
    /// Those of these.
    Of(Vec<Network>),
}

impl Proxies {
    /// The network of every address, if there is one among them.
    pub(crate) fn network_of_all(&self) -> Option<Network> {
        match self {
            Self::All => None,
            Self::Of(networks) => networks.iter().copied().find(|network| network.bits == 0),
        }
    }

    /// Whether `address` is one of them. A client that reaches a dual-stack socket over IPv4 is looked
    /// for as one of IPv4 first.
    pub(crate) fn have(&self, address: IpAddr) -> bool {
        match self {
            Self::All => true,
            Self::Of(networks) => {
                let in_any = |address| networks.iter().any(|network| network.has(address));
                in_any(address.to_canonical()) || in_any(address)
            }
        }
    }
}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// The network of one address.
    pub(crate) fn of_one(address: IpAddr) -> Self {
        Self { first: address, bits: width(address) }
    }

    /// The addresses that begin with the first `bits` of `address`; `None` if it has fewer.
    pub(crate) fn of(address: IpAddr, bits: u8) -> Option<Self> {
        let first = match address {
            IpAddr::V4(_) if bits > 32 => return None,
            IpAddr::V4(address) => IpAddr::V4((address.to_bits() & mask(32, bits) as u32).into()),
            IpAddr::V6(_) if bits > 128 => return None,
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & mask(128, bits)).into()),
        };
        Some(Self { first, bits })
    }

    /// Its first address.
    pub(crate) fn first(&self) -> IpAddr {
        self.first
    }

    fn has(&self, address: IpAddr) -> bool {
        width(address) == width(self.first) && Self::of(address, self.bits) == Some(*self)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl fmt::Display for Network {
    /// As it is written in settings: an address alone, or with how many of its bits count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits == width(self.first) {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}/{}", self.first, self.bits),
        }
    }
}

/// The first `bits` of `width`.
fn mask(width: u32, bits: u8) -> u128 {
    let all = u128::MAX >> (128 - width);
    // A shift by the whole width is none.
    all & !all.checked_shr(u32::from(bits)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_a_network_that_begins_as_it_does() {
        for (network, bits, address, expected) in [
            ("127.0.0.0", 8, "127.0.1.1", true),
            ("127.0.0.0", 8, "128.0.0.1", false),
            ("127.0.0.0", 8, "::ffff:127.0.0.1", true),
            ("127.0.0.0", 8, "::1", false),
            ("10.1.0.0", 15, "10.0.255.255", true),
            ("10.1.0.0", 16, "10.0.255.255", false),
            ("0.0.0.0", 0, "203.0.113.9", true),
            ("0.0.0.0", 0, "2001:db8::1", false),
            ("::", 0, "203.0.113.9", false),
            ("::", 0, "::ffff:203.0.113.9", true),
            ("::1", 128, "::1", true),
            ("::1", 128, "::", false),
            ("2001:db8::", 33, "2001:db8:7fff::1", true),
            ("2001:db8::", 33, "2001:db8:8000::1", false),
            // A proxy that is written as mapped is not one of IPv4, as on ASP.NET Core.
            ("::ffff:10.0.0.1", 128, "10.0.0.1", false),
            ("::ffff:10.0.0.1", 128, "::ffff:10.0.0.1", true),
        ] {
            let of = Network::of(network.parse().expect("an address"), bits).expect("a network");
            let proxies = Proxies::Of(vec![of]);
            let has = proxies.have(address.parse().expect("an address"));
            assert_eq!(has, expected, "{address} of {network}/{bits}");
        }
        assert_eq!(Network::of("10.0.0.1".parse().expect("an address"), 33), None);
        assert_eq!(Network::of("::1".parse().expect("an address"), 129), None);
    }
}
