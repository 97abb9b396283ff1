//! IP addresses as .NET's `IPAddress.TryParse` reads them.
//!
//! IPv4 takes the old shorthands of `inet_aton`: one to four parts, each decimal, octal with a
//! leading `0` or hexadecimal with `0x`; the last part fills the remaining bytes. IPv6 stands with
//! or without brackets and may carry a scope, a number or the name of an interface.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IP address out of a URL, its scope not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IpLiteral {
    /// The address.
    pub address: IpAddr,
    /// The scope of an IPv6 address, as it was written after `%`.
    pub scope: Scope,
}

/// The scope (zone) of an IPv6 address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// None was given.
    #[default]
    None,
    /// The number of an interface.
    Index(u32),
    /// The name of an interface; the system knows its number when the socket is bound.
    Name(String),
}

impl IpLiteral {
    /// An address without a scope.
    pub const fn new(address: IpAddr) -> Self {
        Self { address, scope: Scope::None }
    }

    /// Reads an address, or `None` if `text` is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains(':') {
            parse_ipv6(text)
        } else {
            parse_ipv4(text).map(|address| Self::new(IpAddr::V4(address)))
        }
    }
}

fn parse_ipv6(text: &str) -> Option<IpLiteral> {
    let inner = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None => text,
    };
    let (address, scope) = match inner.split_once('%') {
        None => (inner, Scope::None),
        Some((_, "")) => return None,
        Some((address, scope)) => {
            (address, scope.parse().map_or_else(|_| Scope::Name(scope.to_owned()), Scope::Index))
        }
    };
    let address: Ipv6Addr = address.parse().ok()?;
    Some(IpLiteral { address: IpAddr::V6(address), scope })
}

fn parse_ipv4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = text.split('.').map(parse_part).collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|part| *part > 255) {
        return None;
    }
    let free_bits = 8 * (4 - leading.len() as u32);
    if *last >= 1 << free_bits {
        return None;
    }
    let high = leading.iter().fold(0, |address, part| (address << 8) | part);
    u32::try_from((high << free_bits) | last).ok().map(Ipv4Addr::from)
}

fn parse_part(part: &str) -> Option<u64> {
    let (digits, radix) = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        Some(hexadecimal) => (hexadecimal, 16),
        None if part.len() > 1 && part.starts_with('0') => (&part[1..], 8),
        None => (part, 10),
    };
    // from_str_radix would take a sign.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok().filter(|value| *value <= u64::from(u32::MAX))
}

impl fmt::Display for IpLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, &self.scope) {
            (IpAddr::V4(address), _) => write!(f, "{address}"),
            (IpAddr::V6(address), Scope::None | Scope::Index(0)) => write!(f, "[{address}]"),
            (IpAddr::V6(address), Scope::Index(index)) => write!(f, "[{address}%{index}]"),
            (IpAddr::V6(address), Scope::Name(name)) => write!(f, "[{address}%{name}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_read_as_the_runtime_reads_them() {
        for (text, shown) in [
            ("127.0.0.1", Some("127.0.0.1")),
            ("127.1", Some("127.0.0.1")),
            ("2130706433", Some("127.0.0.1")),
            ("0x7f.0.0.1", Some("127.0.0.1")),
            ("127.0.0.01", Some("127.0.0.1")),
            ("010.0.0.1", Some("8.0.0.1")),
            ("1", Some("0.0.0.1")),
            ("0", Some("0.0.0.0")),
            ("1.2.65535", Some("1.2.255.255")),
            ("256.1.1.1", None),
            ("1.2.3.4.5", None),
            ("1.2.65536", None),
            ("4294967296", None),
            ("08.0.0.1", None),
            ("1..2", None),
            ("+1.2.3.4", None),
            ("", None),
            ("localhost", None),
            ("[::1]", Some("[::1]")),
            ("::1", Some("[::1]")),
            ("::", Some("[::]")),
            ("[::1", None),
            ("::1]", None),
            ("[fe80::1%3]", Some("[fe80::1%3]")),
            ("[fe80::1%lo]", Some("[fe80::1%lo]")),
            ("[fe80::1%]", None),
            ("[::ffff:127.0.0.1]", Some("[::ffff:127.0.0.1]")),
            ("[127.0.0.1]", None),
        ] {
            let read = IpLiteral::parse(text).map(|literal| literal.to_string());
            assert_eq!(read.as_deref(), shown, "{text}");
        }
    }
}
