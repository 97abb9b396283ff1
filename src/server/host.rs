//! What may stand in a Host header.

/// Whether `host` can be the value of a Host header, or the `:authority` of HTTP/2: a name or an
/// address, then perhaps a colon and a port. The empty text can.
///
/// The characters of a name are those of RFC 3986 section 3.2.2 without percent-encoding and
/// without `*`, `+`, `,`, `;` and `=`, as Kestrel has it; the port may be any number of digits.
pub(super) fn is_valid_host(host: &[u8]) -> bool {
    let port = match host.first() {
        None => return true,
        Some(b'[') => {
            let Some(end) = host.iter().position(|byte| *byte == b']') else {
                return false;
            };
            let address = &host[1..end];
            let literal = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
            if address.len() < 3 || !address.iter().all(literal) {
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
            "[1:2.3]",
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
        ] {
            assert!(!is_valid_host(host.as_bytes()), "{host}");
        }
    }
}
