//! Host names that nearly are `localhost` or an IP address: a name binds all interfaces, so a slip
//! of the finger opens a server to the world.

use std::net::Ipv4Addr;

use super::ip_literal::IpLiteral;

/// What a host name was probably meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NearMiss {
    /// The loopback, by this name.
    Localhost(String),
    /// An IPv4 address: this one, if only one can have been meant.
    Ip(Option<Ipv4Addr>),
}

const LOCALHOST: &str = "localhost";

/// Names that hosts files give to the loopback. We know none of them: they would bind all
/// interfaces.
const ALIASES: [&str; 8] = [
    "localhost.localdomain",
    "localhost4",
    "localhost4.localdomain4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
    "loopback",
];

/// The longest name that is looked at: a longer one is no slip.
const LONGEST: usize = 80;

/// What `host`, a name, was probably meant to be, if it nearly is `localhost` or an IPv4 address.
///
/// A name one letter away from `localhost` is, two letters that changed places counting as one; so
/// is one with a dot too many, a name below a misspelt `localhost`, and what hosts files call the
/// loopback. An IPv4 address is known by its shape: four parts, most of them numbers, the last one
/// nothing that a top-level domain could be called.
pub(super) fn near_miss(host: &str) -> Option<NearMiss> {
    if host.len() > LONGEST {
        return None;
    }
    nearly_localhost(host).map(NearMiss::Localhost).or_else(|| nearly_ip(host).map(NearMiss::Ip))
}

/// Whether a host is digits and dots, and no IP address: no name is such a one.
pub(crate) fn is_mistyped_ip(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && IpLiteral::parse(host).is_none()
}

/// The same as [`near_miss`] for a host that is asked, in words: what hosts files call the loopback is right there.
pub(crate) fn meant_by_name(host: &str) -> Option<String> {
    let lower = host.to_lowercase();
    let name = lower.trim_matches('.');
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    if ALIASES.contains(&name) || last == LOCALHOST || IpLiteral::parse(name).is_some() {
        return None;
    }
    Some(match near_miss(host)? {
        NearMiss::Localhost(meant) => meant,
        NearMiss::Ip(Some(address)) => address.to_string(),
        NearMiss::Ip(None) => "an IP address".to_owned(),
    })
}

fn nearly_localhost(host: &str) -> Option<String> {
    let lower = host.to_lowercase();
    let name = lower.trim_matches('.');
    if ALIASES.contains(&name) {
        return Some(LOCALHOST.to_owned());
    }
    let (below, last) = name.rsplit_once('.').map_or(("", name), |(below, last)| (below, last));
    if !is_slip_of_localhost(last) {
        return None;
    }
    let below = below.split('.').filter(|label| !label.is_empty());
    Some(below.chain([LOCALHOST]).collect::<Vec<_>>().join("."))
}

fn is_slip_of_localhost(label: &str) -> bool {
    match strsim::osa_distance(label, LOCALHOST) {
        0 | 1 => true,
        // `locahlots`: two pairs changed places.
        2 => sorted(label) == sorted(LOCALHOST),
        _ => false,
    }
}

fn sorted(text: &str) -> Vec<char> {
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters
}

/// Whether `host` has the shape of an IPv4 address, and which one it was meant to be.
fn nearly_ip(host: &str) -> Option<Option<Ipv4Addr>> {
    // `127-0-0-1`: other signs in the place of the dots.
    if host.bytes().all(|byte| byte.is_ascii_digit() || b".-_".contains(&byte)) {
        let dotted = host.replace(['-', '_'], ".");
        return dotted.parse().ok().map(Some);
    }
    let parts: Vec<&str> = host.split('.').collect();
    let [_, _, _, last] = parts[..] else {
        return None;
    };
    // `1.2.3.com` is a name; no top-level domain has a digit, a single letter, or x for every letter.
    let placeholder = last.bytes().all(|byte| byte.eq_ignore_ascii_case(&b'x'));
    let no_domain =
        last.chars().count() == 1 || placeholder || last.bytes().any(|byte| byte.is_ascii_digit());
    let numbers = parts.iter().filter(|part| is_number(part)).count();
    let read: Vec<String> = parts.iter().map(|part| as_digits(part)).collect();
    let looks_like_numbers = numbers >= 1 && read.iter().all(|part| is_number(part));
    let others_are_short = parts.iter().all(|part| (1..=3).contains(&part.chars().count()));
    if !no_domain || !(looks_like_numbers || (numbers >= 2 && others_are_short)) {
        return None;
    }
    Some(read.join(".").parse().ok())
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits that letters look like.
fn as_digits(part: &str) -> String {
    let digit = |letter| match letter {
        'l' | 'I' | 'i' | 'L' => '1',
        'O' | 'o' => '0',
        other => other,
    };
    part.chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_localhost_are_known() {
        for (host, meant) in [
            ("localhost.", "localhost"),
            ("LOCALHOST.", "localhost"),
            (".localhost", "localhost"),
            ("locahost", "localhost"),
            ("localhos", "localhost"),
            ("ocalhost", "localhost"),
            ("lcoalhost", "localhost"),
            ("locahlost", "localhost"),
            ("localhots", "localhost"),
            ("lcoalhots", "localhost"),
            ("lokalhost", "localhost"),
            ("1ocalhost", "localhost"),
            ("Localhosy", "localhost"),
            ("localhosst", "localhost"),
            ("local-host", "localhost"),
            ("localhost1", "localhost"),
            ("l\u{43e}calhost", "localhost"),
            ("foo.localhost.", "foo.localhost"),
            ("foo.locahost", "foo.localhost"),
            ("a..b.localhst", "a.b.localhost"),
            ("localhost.localdomain", "localhost"),
            ("localhost6", "localhost"),
            ("ip6-loopback", "localhost"),
            ("loopback", "localhost"),
        ] {
            assert_eq!(near_miss(host), Some(NearMiss::Localhost(meant.to_owned())), "{host}");
        }
    }

    #[test]
    fn slips_of_an_ip_address_are_known() {
        for (host, meant) in [
            ("127.0.0.l", Some("127.0.0.1")),
            ("127.O.O.1", Some("127.0.0.1")),
            ("1O.0.0.1", Some("10.0.0.1")),
            ("l92.168.1.1", Some("192.168.1.1")),
            ("I27.0.0.I", Some("127.0.0.1")),
            ("127.0.0.o", Some("127.0.0.0")),
            ("0.0.0.O", Some("0.0.0.0")),
            ("127-0-0-1", Some("127.0.0.1")),
            ("127.0.0_1", Some("127.0.0.1")),
            ("192.168.1.x", None),
            ("192.168.x.1", None),
            ("192.168.x.x", None),
            ("192.168.1.xxx", None),
            ("127.0.0.1a", None),
            ("10.0.0.1b", None),
            ("300.0.0.l", None),
        ] {
            let meant = meant.map(|address| address.parse().unwrap());
            assert_eq!(near_miss(host), Some(NearMiss::Ip(meant)), "{host}");
        }
    }

    #[test]
    fn real_names_are_left_alone() {
        for host in [
            "localhost.example.com",
            "local",
            "host",
            "localdomain",
            "local.host",
            "loghost",
            "lochost",
            "loadhost",
            "totalhost",
            "lockhost",
            "vhost",
            "myhost",
            "mylocalhost",
            "localhost-dev",
            "localhost.test",
            "example.com",
            "xn--bcher-kva.example",
            "b\u{fc}cher.example",
            "a1.b2.c3.d4",
            "1.2.3.com",
            "1.0.0.io",
            "127.0.0.1.nip.io",
            "1.0.0.127.in-addr.arpa",
            "10-0-0-1.example.com",
            "ip-10-0-0-1",
            "ip-10-0-0-1.eu-west-1.compute.internal",
            "web.1",
            "host-1.rack.2.3",
            "lo.io.il.li",
            "v1.api",
            "4.io",
            "3com",
            "-",
            "_",
            "b",
            "unix",
            "pipe",
            "kestrel-7c9d8f6b5-x2x4x",
        ] {
            assert_eq!(near_miss(host), None, "{host}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_makes_it_panic(host in "\\PC*|[0-9lOx.-]*|[localhst.]*") {
            let _ = near_miss(&host);
        }
    }
}
