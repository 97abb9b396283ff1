//! Lists of proxies that are believed: `KnownProxies` and `KnownIPNetworks` of a section.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::lists::{self, List};
use super::networks_meant::{fix_for, in_words, networks_meant};
use super::parse::shown;
use crate::configuration::{Configuration, Problem, Setting};
use crate::features::IpNetwork;

/// Why a text is no proxy, and what to do.
struct Mistake {
    why: String,
    fix: String,
}

/// Reads what names proxies: the section is for what a mistake is to be moved to.
type Reader = fn(&str, &str) -> Result<IpNetwork, Mistake>;

/// Reads both lists of a section. Lists that are empty are told, with what counts `otherwise`.
pub(super) fn read(
    configuration: &Configuration,
    section: &str,
    otherwise: &str,
    problems: &mut Vec<Problem>,
) -> Vec<IpNetwork> {
    let mut known = Vec::new();
    let mut empty = None;
    let readers: [(_, Reader); 2] = [("KnownProxies", proxy), ("KnownIPNetworks", network)];
    let mut mistaken = false;
    for (name, read) in readers {
        let before = problems.len();
        let List { entries, empty: says_nothing } =
            lists::list(configuration, &format!("{section}:{name}"), problems);
        for (setting, text) in entries {
            match read(text.trim(), section) {
                Ok(network) => known.push(network),
                Err(Mistake { why, fix }) => problems.push(
                    Problem::error(format!("'{}' {why}.", shown(&setting.key, text)))
                        .key(setting.key.clone())
                        .origin(setting.origin.clone())
                        .fix(fix),
                ),
            }
        }
        mistaken |= problems[before..].iter().any(Problem::is_error);
        empty = empty.or(says_nothing);
    }
    if let Some(setting) = empty.filter(|_| known.is_empty() && !mistaken) {
        problems.push(names_nobody(setting, otherwise));
    }
    known
}

/// What is to be said of an empty list of proxies.
fn names_nobody(setting: &Setting, otherwise: &str) -> Problem {
    Problem::warning(format!("'{}' names no proxy: {otherwise}.", setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("name the proxies that are to be believed, or remove it")
}

/// The address of a proxy.
fn proxy(text: &str, section: &str) -> Result<IpNetwork, Mistake> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.into());
    }
    let without_brackets = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let meant = networks_meant(&text.to_ascii_lowercase());
    let (why, fix) = if network(text, section).is_ok() {
        ("is a network, and no address", format!("move it to {section}:KnownIPNetworks"))
    } else if let Ok(address) = text.parse::<SocketAddr>() {
        (
            "has a port, and a proxy has another for each connection",
            format!("write {}", address.ip()),
        )
    } else if let Some(address) = without_brackets.and_then(|it| it.parse::<Ipv6Addr>().ok()) {
        ("has brackets, and an address alone has none", format!("write {address}"))
    } else if !meant.is_empty() {
        let networks = in_words(&meant, true);
        ("is no IP address", format!("write {networks}, in {section}:KnownIPNetworks"))
    } else {
        ("is no IP address", "write the address that the proxy connects from".to_owned())
    };
    Err(Mistake { why: why.to_owned(), fix })
}

/// A network, or an address alone; else why it is none, and what to write.
pub(super) fn network_or_address(text: &str) -> Result<IpNetwork, (String, String)> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(address.into()),
        Err(_) => network(text, "").map_err(|Mistake { why, fix }| (why, fix)),
    }
}

/// A network of proxies.
fn network(text: &str, section: &str) -> Result<IpNetwork, Mistake> {
    let none = || Mistake {
        why: "is no network of IP addresses".to_owned(),
        fix: fix_for(text, !section.is_empty()),
    };
    let Some((address, bits)) = text.split_once('/') else {
        let address: IpAddr = text.parse().map_err(|_| none())?;
        return Err(Mistake {
            why: "is an address, and no network".to_owned(),
            fix: format!(
                "write {address}/{}, or move it to {section}:KnownProxies",
                width(address)
            ),
        });
    };
    let address: IpAddr = address.parse().map_err(|_| none())?;
    let digits = bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits: u8 = bits.parse().ok().filter(|_| digits).ok_or_else(none)?;
    let network = IpNetwork::new(address, bits).ok_or_else(|| Mistake {
        why: format!("has more bits than an address, which has {}", width(address)),
        fix: format!("write {address}/{} for this one address", width(address)),
    })?;
    match network.first() == address {
        true => Ok(network),
        false => Err(Mistake {
            why: format!("is no network: its first address is {}", network.first()),
            fix: format!("write {}/{bits}", network.first()),
        }),
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS }
}
