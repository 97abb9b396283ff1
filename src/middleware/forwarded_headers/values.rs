//! What a member may say.

use std::net::{IpAddr, SocketAddr};

use crate::features::path_of_escapes;

/// An address with or without a port, which is 0 then. One of IPv6 has brackets if a port follows.
///
/// Stricter than .NET, which reads `1` and `0x0a.1` as addresses, too, as C does.
pub(super) fn endpoint(text: &str) -> Option<SocketAddr> {
    let with_port = text.rsplit_once(':').filter(|(address, _)| {
        !address.is_empty() && (address.ends_with(']') || !address.contains(':'))
    });
    let (address, port) = match with_port {
        Some((address, digits)) => (address, port(digits)?),
        None => (text, 0),
    };
    let in_brackets = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match in_brackets {
        Some(inside) => IpAddr::V6(inside.parse().ok()?),
        None => address.parse().ok()?,
    };
    Some(SocketAddr::new(address, port))
}

fn port(digits: &str) -> Option<u16> {
    // A number may have a sign otherwise.
    digits.parse().ok().filter(|_| are_digits(digits))
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether it is a host with or without a port, of the characters that one has (RFC 3986 section
/// 3.2.2). Whether there can be such a host is not asked.
pub(super) fn is_host(text: &str) -> bool {
    let is_port = |rest: &str| rest.is_empty() || rest.strip_prefix(':').is_some_and(are_digits);
    if let Some(rest) = text.strip_prefix('[') {
        let is_inside = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
        return rest.split_once(']').is_some_and(|(inside, port)| {
            inside.len() >= 3 && inside.bytes().all(is_inside) && is_port(port)
        });
    }
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!$&'()-._~".contains(&byte);
    let end = text.find(':').unwrap_or(text.len());
    text.split_at_checked(end).is_some_and(|(name, port)| {
        !name.is_empty() && name.bytes().all(is_of_name) && is_port(port)
    })
}

/// Whether it is a path that links can begin with. One that begins like a URL without a scheme leads to
/// another host, and one with control characters ends the line of a header.
pub(super) fn is_path_base(text: &str) -> bool {
    let text = path_of_escapes(text);
    text.starts_with('/')
        && !text.starts_with("//")
        && !text.starts_with("/\\")
        && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        for (text, expected) in [
            ("203.0.113.9", Some("203.0.113.9:0")),
            ("203.0.113.9:4711", Some("203.0.113.9:4711")),
            ("[2001:db8::9]:4711", Some("[2001:db8::9]:4711")),
            ("[2001:db8::9]", Some("[2001:db8::9]:0")),
            ("2001:db8::9", Some("[2001:db8::9]:0")),
            ("2001:db8::1:8080", Some("[2001:db8::1:8080]:0")),
            ("::1", Some("[::1]:0")),
            ("::ffff:172.123.142.121", Some("[::ffff:172.123.142.121]:0")),
            ("203.0.113.9:", None),
            ("203.0.113.9:65536", None),
            ("203.0.113.9:+80", None),
            ("203.0.113.9;80", None),
            ("[203.0.113.9]:80", None),
            ("11.111.111.11.12345", None),
            ("[2001:db8::9", None),
            ("2001:db8::9]:80", None),
            ("0x0a.1", None),
            ("fe80::1%eth0", None),
            (":80", None),
            ("unknown", None),
            ("_hidden", None),
            ("", None),
        ] {
            let expected = expected.map(|it| it.parse().expect("an address"));
            assert_eq!(endpoint(text), expected, "{text}");
        }
    }

    #[test]
    fn schemes() {
        for (text, expected) in
            [("https", true), ("WSS+1", true), ("1-.", true), ("ht!tp", false), ("", false)]
        {
            assert_eq!(is_scheme(text), expected, "{text}");
        }
    }

    #[test]
    fn hosts() {
        for (text, expected) in [
            ("www.example.com:8443", true),
            ("testhost", true),
            ("900.900.900.900:9523547852", true),
            ("!$&'()-._~", true),
            ("[::1]:80", true),
            ("[ABCdef]", true),
            ("[::ffff:1.2.3.4]", true),
            ("[::]", false),
            ("[::1", false),
            ("[::1]80", false),
            ("[::g]", false),
            (":1234", false),
            ("a:b:c", false),
            ("a:", false),
            ("a b", false),
            ("a@b", false),
            ("a/b", false),
            ("點看", false),
            ("", false),
        ] {
            assert_eq!(is_host(text), expected, "{text}");
        }
    }

    #[test]
    fn path_bases() {
        for (text, expected) in [
            ("/", true),
            ("/a%20b/", true),
            ("/foo%2F/", true),
            ("/%2F", true),
            ("/%ff", true),
            ("/å", true),
            ("", false),
            ("a", false),
            ("%2Fa", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("/%5cevil.example", false),
            ("/%0d%0aX: y", false),
            ("/a\tb", false),
            ("/%00", false),
            ("/%C2%85", false),
        ] {
            assert_eq!(is_path_base(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "\\PC*|[\\[\\]0-9a-f:.]*") {
            let _ = (endpoint(&text), is_scheme(&text), is_host(&text), is_path_base(&text));
        }

        #[test]
        fn an_address_is_read_as_it_is_written(address: std::net::SocketAddr) {
            // Scopes are of a machine, and mean nothing on another.
            let address = SocketAddr::new(address.ip(), address.port());
            proptest::prop_assert_eq!(endpoint(&address.to_string()), Some(address));
            let bare = SocketAddr::new(address.ip(), 0);
            proptest::prop_assert_eq!(endpoint(&address.ip().to_string()), Some(bare));
        }
    }
}
