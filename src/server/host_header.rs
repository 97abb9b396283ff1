//! What may stand in a Host header.

use std::net::Ipv6Addr;

/// Whether `host` can be the value of a Host header, or the `:authority` of HTTP/2: a name or an
/// address, then perhaps a colon and a port. The empty text can.
///
/// The characters of a name are those of RFC 3986 section 3.2.2 without percent-encoding and
/// without `*`, `+`, `,`, `;` and `=`, as Kestrel has it; the port may be any number of digits.
/// Brackets hold an IPv6 address, and no zone.
pub(super) fn is_valid_host(host: &[u8]) -> bool {
    let port = match host.first() {
        None => return true,
        Some(b'[') => {
            let Some(end) = host.iter().position(|byte| *byte == b']') else {
                return false;
            };
            let address = std::str::from_utf8(&host[1..end]).ok();
            // `[::]` is none either: as on Kestrel, an address has three characters.
            if !address.is_some_and(|one| one.len() > 2 && one.parse::<Ipv6Addr>().is_ok()) {
                return false;
            }
            &host[end + 1..]
        }
        Some(_) => {
            let end = host.iter().position(|byte| !is_name(*byte)).unwrap_or(host.len());
            if end == 0 {
                return false;
            }
            &host[end..]
        }
    };
    match port {
        [] => true,
        [b':', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Whether `authority` is a host and a port that something can be connected to, as the target of a
/// CONNECT has to be (RFC 9110 section 9.3.6). Port 0 is none.
pub(super) fn names_a_port(authority: &[u8]) -> bool {
    let port = match authority.iter().rposition(|byte| *byte == b':') {
        // Within brackets it is one of an address.
        Some(colon) if !authority[colon..].contains(&b']') => &authority[colon + 1..],
        _ => return false,
    };
    let number = std::str::from_utf8(port).ok().and_then(|port| port.parse::<u16>().ok());
    is_valid_host(authority) && number.is_some_and(|number| number > 0)
}

fn is_name(byte: u8) -> bool {
    const NAME: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = matches!(byte as u8,
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')'
                | b'-' | b'.' | b'_' | b'~');
            byte += 1;
        }
        table
    };
    NAME[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_port() {
        for host in [
            "",
            ".",
            "localhost",
            "localhost:5000",
            "127.0.0.1:80",
            "900.900.900.900:9523547852",
            "[::1]:80",
            "[::1]",
            "[::1.2.3.4]",
            "[fe80:0:0:0:1:2:3:4]:5",
            "_",
            "-foo:1234",
            "xn--asdfaf:134",
            "a!b$c&d'(e)~",
        ] {
            assert!(is_valid_host(host.as_bytes()), "{host}");
        }
        for host in [
            "a=b",
            "a b",
            ":1234",
            "a:",
            "a:b:c",
            "::1",
            "[::]",
            "[::]:80",
            "[::1",
            "[::1]x",
            "[fe80::1%25eth0]:80",
            "user@contoso.com",
            "http://contoso.com",
            "contoso.com/",
            "a,b",
            "*",
            "abcd:1abcd",
            "münchen.de",
            "a+b",
            "a%20b",
            "a;b",
            "[::1]:",
            "[::1]80",
            "[1.2.3.4]",
            "[1.2.3.4]:80",
            "[abc]",
            "[:::]",
            "[1:2.3]",
            "[1::2::3]",
            "[12345::]",
            "[\u{e5}::1]",
        ] {
            assert!(!is_valid_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn a_port_to_connect_to_is_a_number_of_16_bits() {
        for authority in
            ["a:80", "a:1", "a:65535", "a:080", "127.0.0.1:443", "[::1]:443", "a.test:0000000443"]
        {
            assert!(names_a_port(authority.as_bytes()), "{authority}");
        }
        for authority in [
            "",
            "a",
            "a:",
            "a:0",
            "a:00",
            "a:65536",
            "a:99999999999",
            "a:x",
            "a:+80",
            "a:-1",
            "a:8 0",
            ":80",
            "[::1]",
            "[::1]:",
            "[::1]:0",
            "[1.2.3.4]:80",
            "u@a:80",
            "u:p@a:80",
            "a:80:80",
            "*",
        ] {
            assert!(!names_a_port(authority.as_bytes()), "{authority}");
        }
    }
}
