//! Networks of IP addresses, and whom to believe.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Who is believed what it tells of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proxies {
    /// Everybody who can connect.
    All,
    /// These.
    Of(Vec<IpNetwork>),
}

impl Proxies {
    /// The network of every address, if there is one among them.
    pub(crate) fn network_of_all(&self) -> Option<IpNetwork> {
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
                let in_any = |address| networks.iter().any(|network| network.contains(address));
                in_any(address.to_canonical()) || in_any(address)
            }
        }
    }
}

/// IP addresses that begin with the same bits, such as `10.0.0.0/8`, or one address alone. (What `IPNetwork`
/// is in .NET.)
///
/// ```
/// let network: kestrel::IpNetwork = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?));
/// assert!(!network.contains("192.0.2.1".parse()?));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNetwork {
    first: IpAddr,
    bits: u8,
}

impl IpNetwork {
    /// The addresses that begin with the first `bits` of `address`; `None` if it has fewer.
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let first = match address {
            IpAddr::V4(_) if bits > 32 => return None,
            IpAddr::V4(address) => IpAddr::V4((address.to_bits() & mask(32, bits) as u32).into()),
            IpAddr::V6(_) if bits > 128 => return None,
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & mask(128, bits)).into()),
        };
        Some(Self { first, bits })
    }

    /// The loopbacks: whoever is on this machine.
    pub fn this_machine() -> [Self; 2] {
        let v4 = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0));
        [Self { first: v4, bits: 8 }, IpAddr::V6(Ipv6Addr::LOCALHOST).into()]
    }

    /// Whether `address` is one of them. An IPv4 address that is written as one of IPv6 is another.
    pub fn contains(&self, address: IpAddr) -> bool {
        width(address) == width(self.first) && Self::new(address, self.bits) == Some(*self)
    }

    /// Every address there is.
    pub(crate) fn all() -> [Self; 2] {
        let first = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        first.map(|first| Self { first, bits: 0 })
    }

    /// Whether all of another network are in this one.
    pub(crate) fn has(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.first)
    }

    /// The network of IPv4 that one of IPv6 stands for (`::ffff:10.0.0.0/104`); any other is itself.
    pub(crate) fn to_canonical(self) -> Self {
        const MAPPED: u8 = 96;
        match self.first.to_canonical() {
            first @ IpAddr::V4(_) if self.first.is_ipv6() && self.bits >= MAPPED => {
                Self { first, bits: self.bits - MAPPED }
            }
            _ => self,
        }
    }

    /// Its first address.
    pub(crate) fn first(&self) -> IpAddr {
        self.first
    }
}

impl From<IpAddr> for IpNetwork {
    /// The network of one address.
    fn from(address: IpAddr) -> Self {
        Self { first: address, bits: width(address) }
    }
}

impl FromStr for IpNetwork {
    type Err = IpNetworkError;

    fn from_str(text: &str) -> Result<Self, IpNetworkError> {
        let none = || IpNetworkError(());
        let Some((address, bits)) = text.split_once('/') else {
            let address: IpAddr = text.parse().map_err(|_| none())?;
            return Ok(address.into());
        };
        let digits = bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = bits.parse().ok().filter(|_| digits).ok_or_else(none)?;
        Self::new(address.parse().map_err(|_| none())?, bits).ok_or_else(none)
    }
}

/// A text is no network of IP addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no IP address, and no network of addresses such as 10.0.0.0/8")]
pub struct IpNetworkError(());

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl fmt::Display for IpNetwork {
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
            let of = IpNetwork::new(network.parse().expect("an address"), bits).expect("a network");
            let proxies = Proxies::Of(vec![of]);
            let has = proxies.have(address.parse().expect("an address"));
            assert_eq!(has, expected, "{address} of {network}/{bits}");
        }
        assert_eq!(IpNetwork::new("10.0.0.1".parse().expect("an address"), 33), None);
        assert_eq!(IpNetwork::new("::1".parse().expect("an address"), 129), None);
    }

    #[test]
    fn a_network_is_read_as_it_is_written() {
        for (text, written) in [
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("10.1.2.3", Some("10.1.2.3")),
            ("10.1.2.3/32", Some("10.1.2.3")),
            ("2001:db8::1/32", Some("2001:db8::/32")),
            ("10.0.0.0/33", None),
            ("10.0.0.0/+8", None),
            ("10.0.0.0/", None),
            ("10.0.0/8", None),
            ("proxy.example.com", None),
            ("", None),
        ] {
            let read = text.parse::<IpNetwork>().ok().map(|network| network.to_string());
            assert_eq!(read.as_deref(), written, "{text}");
        }
        let here = IpNetwork::this_machine().map(|network| network.to_string());
        assert_eq!(here, ["127.0.0.0/8", "::1"]);
    }
}
