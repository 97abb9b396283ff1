//! For which hosts a site is.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::middleware::host_name::in_ascii;

/// Hosts that a site is for, at every port or at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SiteHost {
    pub(crate) host: HostPattern,
    /// The port that a request has to come in at.
    pub(crate) port: Option<u16>,
}

/// Which hosts, in the order in which they are asked. (The categories of host specifiers of HTTP.sys.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// `+`: all of them, before any other site.
    EveryFirst,
    /// The host that a request names, as it stands in one.
    Name(String),
    /// `*.example.com`, as `.example.com`: what is below it.
    Below(String),
    /// Whatever the host, at this address of the machine.
    Address(IpAddr),
    /// `*`: all that no other site has.
    EveryLast,
}

impl SiteHost {
    /// Of a text such as `shop.example`, `*.shop.example:8443`, `10.0.0.5`, `[::1]:80`, `+` or `*`; `None` if it
    /// is no host with or without a port. What is a name is not judged further.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Some(Self::at(address.into(), None));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                // `+80` is a number, too.
                let is_number = !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit());
                let port: u16 = port.parse().ok().filter(|port| is_number && *port > 0)?;
                (host, Some(port))
            }
            _ => (text, None),
        };
        let in_brackets = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(address) = in_brackets {
            return Some(Self::at(address.parse::<Ipv6Addr>().ok()?.into(), port));
        }
        if let Ok(address) = host.parse() {
            return Some(Self::at(address, port));
        }
        let host = match host {
            "" => return None,
            "+" => HostPattern::EveryFirst,
            "*" => HostPattern::EveryLast,
            name => match name.strip_prefix("*.") {
                Some(rest) => HostPattern::Below(format!(".{}", named(rest))),
                None => HostPattern::Name(named(name)),
            },
        };
        Some(Self { host, port })
    }

    fn at(address: IpAddr, port: Option<u16>) -> Self {
        Self { host: HostPattern::Address(address.to_canonical()), port }
    }
}

/// A name as it is compared: the dot behind all of it says nothing.
fn named(name: &str) -> String {
    in_ascii(name.strip_suffix('.').unwrap_or(name))
}

impl fmt::Display for SiteHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::EveryFirst => f.write_str("+"),
            HostPattern::Name(name) => f.write_str(name),
            HostPattern::Below(end) => write!(f, "*{end}"),
            HostPattern::Address(IpAddr::V4(address)) => address.fmt(f),
            HostPattern::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            HostPattern::EveryLast => f.write_str("*"),
        }?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_and_without_a_port() {
        for (text, shown) in [
            ("shop.example", "shop.example"),
            ("Shop.Example.:8443", "shop.example:8443"),
            ("*.shop.example", "*.shop.example"),
            ("10.0.0.5:80", "10.0.0.5:80"),
            ("::1", "[::1]"),
            ("[::1]:80", "[::1]:80"),
            ("::ffff:10.0.0.5", "10.0.0.5"),
            ("+", "+"),
            ("*:8080", "*:8080"),
        ] {
            assert_eq!(SiteHost::parse(text).expect(text).to_string(), shown, "{text}");
        }
        for text in ["", ":80", "a:", "a:0", "a:+80", "a:65536", "[a]", "[10.0.0.5]", "a:b"] {
            assert_eq!(SiteHost::parse(text), None, "{text}");
        }
    }
}
