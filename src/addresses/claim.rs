//! What only one socket can have, so that two endpoints that want it are found before binding.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::display;
use super::endpoint::{ListenAddr, Targets, Transport};
use super::ip_literal::IpLiteral;

/// Something only one socket can have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Claim {
    Ip(IpLiteral, u16),
    Other(Targets),
}

impl Claim {
    /// What a set of targets wants.
    pub(super) fn all(targets: &Targets) -> Vec<Self> {
        let ip = |listen: &ListenAddr| Self::Ip(listen.address.clone(), listen.port);
        match targets {
            Targets::Exactly(listen) => vec![ip(listen)],
            Targets::AtLeastOne(both) => both.iter().map(ip).collect(),
            // The fall-back is another way to the same port.
            Targets::FirstThatWorks([first, _]) => vec![ip(first)],
            other => vec![Self::Other(other.clone())],
        }
    }

    /// Whether the system would refuse the second: `[::]` also takes every IPv4 address.
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        const ANY_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        const ANY_IPV4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let (Self::Ip(left, port), Self::Ip(right, other_port)) = (self, other) else {
            return self == other;
        };
        let any = |literal: &IpLiteral| literal.address == ANY_IPV6;
        let any_ipv4 =
            |one: &IpLiteral, two: &IpLiteral| one.address == ANY_IPV4 && two.address.is_ipv4();
        *port != 0
            && port == other_port
            && (left == right
                || any(left)
                || any(right)
                || any_ipv4(left, right)
                || any_ipv4(right, left))
    }

    /// The address, as messages name it.
    pub(super) fn shown(&self, transport: Transport) -> String {
        let scheme = transport.scheme();
        match self {
            Self::Ip(literal, port) => format!("{scheme}://{literal}:{port}"),
            Self::Other(targets) => display::other_text(scheme, targets),
        }
    }
}
