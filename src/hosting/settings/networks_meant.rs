//! Which networks a text means that is written as elsewhere: what to write for it here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::features::IpNetwork;

/// More than so many are not written out.
const MOST: usize = 8;

/// What to write for a text that is no network; with `bits_alone` as networks, without as networks and addresses.
pub(super) fn fix_for(text: &str, bits_alone: bool) -> String {
    let text = text.to_ascii_lowercase();
    let meant = networks_meant(&text);
    if !meant.is_empty() {
        return format!("write {}", in_words(&meant, bits_alone));
    }
    if text == "unix" || text.starts_with("unix:") {
        return "remove it: who connects over a Unix socket has no address".to_owned();
    }
    let parts: Vec<_> = text.split([',', ';', ' ']).filter(|part| !part.is_empty()).collect();
    if parts.len() > 1 && parts.iter().all(|part| part.parse::<IpNetwork>().is_ok()) {
        return "write each of them as an entry of the list by itself".to_owned();
    }
    let is_named = text.contains(|it: char| it.is_ascii_alphabetic()) && !text.contains([':', '/']);
    match is_named {
        true => {
            "write its addresses, or networks such as 10.0.0.0/8: no name is looked up".to_owned()
        }
        false => "write its first address and how many bits count: 10.0.0.0/8".to_owned(),
    }
}

/// Networks, with commas between.
pub(super) fn in_words(networks: &[IpNetwork], bits_alone: bool) -> String {
    let written = |network: &IpNetwork| {
        let text = network.to_string();
        match bits_alone && !text.contains('/') {
            true if network.first().is_ipv4() => format!("{text}/{}", Ipv4Addr::BITS),
            true => format!("{text}/{}", Ipv6Addr::BITS),
            false => text,
        }
    };
    let all: Vec<_> = networks.iter().map(written).collect();
    match all.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => all.concat(),
    }
}

/// What other servers and people write for networks, in small letters; empty if it is nothing of that kind.
pub(super) fn networks_meant(text: &str) -> Vec<IpNetwork> {
    match text {
        "*" | "all" | "any" | "everybody" | "everyone" | "0/0" => IpNetwork::all().to_vec(),
        "localhost" | "loopback" => IpNetwork::this_machine().to_vec(),
        _ => range(text)
            .or_else(|| {
                let one = in_brackets(text).or_else(|| with_port(text));
                let one = one.or_else(|| with_mask(text)).or_else(|| of_some_numbers(text));
                one.map(|network| vec![network])
            })
            .unwrap_or_default(),
    }
}

/// `[::1]`, `[::1]:80`, `[2001:db8::]/32`.
fn in_brackets(text: &str) -> Option<IpNetwork> {
    let (address, behind) = text.strip_prefix('[')?.split_once(']')?;
    let address: Ipv6Addr = address.parse().ok()?;
    match behind.strip_prefix('/') {
        Some(bits) => IpNetwork::new(address.into(), bits.parse().ok()?),
        None if behind.is_empty() || behind.starts_with(':') => Some(IpAddr::V6(address).into()),
        None => None,
    }
}

fn with_port(text: &str) -> Option<IpNetwork> {
    Some(text.parse::<SocketAddr>().ok()?.ip().into())
}

/// `10.0.0.0/255.0.0.0`, `10.0.0.0 255.0.0.0`, `10.0.0.0/0.255.255.255`.
fn with_mask(text: &str) -> Option<IpNetwork> {
    let (address, mask) = text.split_once(['/', ' '])?;
    let (address, mask): (Ipv4Addr, Ipv4Addr) = (address.parse().ok()?, mask.trim().parse().ok()?);
    let mask = mask.to_bits();
    let begins_with_ones = |mask: u32| mask.leading_ones() + mask.trailing_zeros().min(32) >= 32;
    let bits = match (begins_with_ones(mask), begins_with_ones(!mask)) {
        (true, _) => mask.leading_ones(),
        (false, true) => (!mask).leading_ones(),
        (false, false) => return None,
    };
    IpNetwork::new(address.into(), u8::try_from(bits).ok()?)
}

/// `10.0.0`, `10.0.0.`, `10.0.0.*`, `10.0.0/24`.
fn of_some_numbers(text: &str) -> Option<IpNetwork> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let mut address = address;
    while let Some(before) = [".*", ".x", "."].iter().find_map(|end| address.strip_suffix(end)) {
        address = before;
    }
    let numbers: Vec<u8> = address.split('.').map(|it| it.parse().ok()).collect::<Option<_>>()?;
    let count = u8::try_from(numbers.len()).ok().filter(|count| *count < 4)?;
    let mut all = [0; 4];
    all.iter_mut().zip(numbers).for_each(|(place, number)| *place = number);
    IpNetwork::new(Ipv4Addr::from(all).into(), bits.unwrap_or(count * 8))
}

/// `10.0.0.1-10.0.0.9`, `10.0.0.1-9`.
fn range(text: &str) -> Option<Vec<IpNetwork>> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (IpAddr, &str) = (first.trim().parse().ok()?, last.trim());
    let last = match (last.parse(), first) {
        (Ok(last), _) => last,
        (Err(_), IpAddr::V4(first)) => {
            let [a, b, c, _] = first.octets();
            IpAddr::from([a, b, c, last.parse().ok()?])
        }
        (Err(_), IpAddr::V6(_)) => return None,
    };
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let address = |bits: u128| Some(Ipv4Addr::from(u32::try_from(bits).ok()?).into());
            cover((first.to_bits().into(), last.to_bits().into()), 32, address)
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            cover((first.to_bits(), last.to_bits()), 128, |bits| Some(Ipv6Addr::from(bits).into()))
        }
        _ => None,
    }
}

/// The networks that have these addresses and no other.
fn cover(
    (mut at, last): (u128, u128),
    width: u32,
    address: impl Fn(u128) -> Option<IpAddr>,
) -> Option<Vec<IpNetwork>> {
    let mut networks = Vec::new();
    while at <= last {
        let mut free = (0..=at.trailing_zeros().min(width)).rev();
        let end = |free: u32| at | u128::MAX.checked_shr(128 - free).unwrap_or(0);
        let free = free.find(|free| end(*free) <= last)?;
        networks.push(IpNetwork::new(address(at)?, u8::try_from(width - free).ok()?)?);
        if networks.len() > MOST {
            return None;
        }
        let Some(next) = end(free).checked_add(1) else { break };
        at = next;
    }
    Some(networks).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_elsewhere_has_a_network_here() {
        for (text, fix) in [
            ("all", "write 0.0.0.0/0 and ::/0"),
            ("*", "write 0.0.0.0/0 and ::/0"),
            ("LocalHost", "write 127.0.0.0/8 and ::1"),
            ("[::1]", "write ::1"),
            ("[::1]:80", "write ::1"),
            ("[2001:db8::]/32", "write 2001:db8::/32"),
            ("10.0.0.1:80", "write 10.0.0.1"),
            ("10.0.0.0/255.0.0.0", "write 10.0.0.0/8"),
            ("10.1.2.3/255.255.0.0", "write 10.1.0.0/16"),
            ("10.0.0.0 255.255.255.0", "write 10.0.0.0/24"),
            ("10.0.0.0/0.255.255.255", "write 10.0.0.0/8"),
            ("0.0.0.0/0.0.0.0", "write 0.0.0.0/0"),
            ("10.0.0.9/255.255.255.255", "write 10.0.0.9"),
            ("10.0.0", "write 10.0.0.0/24"),
            ("10.", "write 10.0.0.0/8"),
            ("192.168.*.*", "write 192.168.0.0/16"),
            ("192.168.1.x", "write 192.168.1.0/24"),
            ("10.0.0/24", "write 10.0.0.0/24"),
            ("10.0.0.1-10.0.0.9", "write 10.0.0.1, 10.0.0.2/31, 10.0.0.4/30 and 10.0.0.8/31"),
            ("10.0.0.0 - 10.255.255.255", "write 10.0.0.0/8"),
            ("10.0.0.8-15", "write 10.0.0.8/29"),
            ("0.0.0.0-255.255.255.255", "write 0.0.0.0/0"),
            ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "write ::/0"),
            ("2001:db8::-2001:db8::1", "write 2001:db8::/127"),
            ("unix:", "remove it: who connects over a Unix socket has no address"),
            ("10.0.0.0/8, 192.168.0.0/16", "write each of them as an entry of the list by itself"),
            (
                "proxy.example",
                "write its addresses, or networks such as 10.0.0.0/8: no name is looked up",
            ),
        ] {
            assert_eq!(fix_for(text, false), fix, "{text}");
        }
        assert_eq!(fix_for("[::1]", true), "write ::1/128");
        assert_eq!(fix_for("localhost", true), "write 127.0.0.0/8 and ::1/128");
    }

    #[test]
    fn what_means_none_has_the_form_of_one() {
        const FORM: &str = "write its first address and how many bits count: 10.0.0.0/8";
        for text in [
            "",
            "10.0.0.0/",
            "10.0.0.0/255.0.255.0",
            "10.0.0.9-10.0.0.1",
            "10.0.0.1-10.255.0.0",
            "10.0.0.1-::1",
            "256.0.0",
            "10.0.0.0.0",
            "[::1",
            "10.0.0/99",
        ] {
            assert_eq!(fix_for(text, false), FORM, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*|[0-9a-f:.*/\\[\\]-]*") {
            let _ = fix_for(&text, true);
        }

        #[test]
        fn a_range_has_its_addresses_and_no_other(first: u32, length in 0_u32..300, other: u32) {
            let last = first.saturating_add(length);
            let address = |bits: u32| IpAddr::from(Ipv4Addr::from(bits));
            let text = format!("{}-{}", address(first), address(last));
            let networks = networks_meant(&text);
            let is_in = |bits: u32| networks.iter().any(|it| it.contains(address(bits)));
            if !networks.is_empty() {
                let around = [first, last, first.wrapping_sub(1), last.wrapping_add(1), other];
                for bits in around {
                    proptest::prop_assert_eq!(is_in(bits), (first..=last).contains(&bits));
                }
            }
        }
    }
}
