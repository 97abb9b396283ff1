//! Which texts may name a host, in a Host header field or an HTTP/2 `:authority`.

/// Whether `bytes` are a host as Kestrel takes it: a name or an address, with or without a port.
/// Nothing at all is one, too.
///
/// Names are of the letters, digits and marks a URI may have there without encoding, but of none
/// that separates anything anywhere; numbers are not looked at.
pub(super) fn is_valid_host(bytes: &[u8]) -> bool {
    let port = match bytes {
        [] => return true,
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else {
                return false;
            };
            let (address, port) = (&rest[..end], &rest[end + 1..]);
            let is_address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
            if address.len() < 3 || !address.iter().all(is_address) {
                return false;
            }
            port
        }
        _ => {
            let end = bytes.iter().position(|byte| *byte == b':').unwrap_or(bytes.len());
            let (name, port) = bytes.split_at(end);
            if name.is_empty() || !name.iter().all(is_name) {
                return false;
            }
            port
        }
    };
    match port {
        [] => true,
        [b':', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn is_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of the recordings, `ho-004` to `ho-040`, and their neighbours.
    #[test]
    fn hosts_are_told_from_other_texts() {
        for host in [
            "",
            ".",
            "_",
            "a",
            "localhost:5000",
            "127.0.0.1:80",
            "900.900.900.900:9523547852",
            "[::1]",
            "[::1]:80",
            "[1:2:3:4:5:6:1.2.3.4]:443",
            "-foo:1234",
            "xn--asdfaf:134",
            "a!b$c&d'(e)~",
        ] {
            assert!(is_valid_host(host.as_bytes()), "{host}");
        }
        for other in [
            "a=b",
            "a b",
            " a",
            ":1234",
            ":",
            "a:",
            "a:b:c",
            "a:1:2",
            "::1",
            "[::]",
            "[::]:80",
            "[]",
            "[::1",
            "[::1]a",
            "[::1]:",
            "[::1]:x",
            "[::g1]",
            "[fe80::1%25eth0]:80",
            "user@contoso.com",
            "http://contoso.com",
            "contoso.com/",
            "a,b",
            "a;b",
            "a+b",
            "a%20",
            "*",
            "abcd:1abcd",
            "münchen.de",
            "a\0",
        ] {
            assert!(!is_valid_host(other.as_bytes()), "{other}");
        }
    }
}
