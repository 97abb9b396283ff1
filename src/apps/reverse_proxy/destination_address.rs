//! How the address of a destination is written.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use super::mistake::Mistake;
use super::options::{DestinationAddress, Place, Scheme};
use crate::features::escaped_path;
use crate::middleware::in_ascii;

const EXAMPLE: &str = "write scheme, host and port, such as http://localhost:5000";

impl DestinationAddress {
    /// Reads `http://host:port/base`, or `http://unix:/run/app.sock`, behind which a colon and a base path
    /// may stand.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(without_scheme(text));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "ws" | "wss" => {
                let fix = format!("write http{}://: WebSockets take the same way", &scheme[2..]);
                return Err(Mistake::new(format!("'{scheme}' is no scheme here"), fix));
            }
            _ => {
                let what = format!("'{scheme}' is no scheme here");
                return Err(Mistake::new(what, "write http:// or https://"));
            }
        };
        if rest.contains('#') {
            return Err(Mistake::new("nothing behind a '#' is ever sent", "remove it"));
        }
        if rest.contains('?') {
            let fix = "remove it, and let a transform set it: { \"QueryValueParameter\": .., \"Set\": .. }";
            return Err(Mistake::new("a destination has no query", fix));
        }
        if rest.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("unix:")) {
            return unix(scheme, &rest[5..]);
        }
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            let fix = "remove it, and let a transform send it: { \"RequestHeader\": \"Authorization\", .. }";
            return Err(Mistake::new("a user and a password have no effect", fix));
        }
        let (host, port) = host_and_port(authority, scheme)?;
        let authority = match (scheme, port) {
            (Scheme::Http, 80) | (Scheme::Https, 443) => host.clone(),
            _ => format!("{host}:{port}"),
        };
        let name = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(&host);
        Ok(Self {
            scheme,
            place: Place::Tcp(name.to_owned(), port),
            authority,
            base_path: base_path(path)?,
        })
    }
}

fn without_scheme(text: &str) -> Mistake {
    let is_place = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let host = text.split('/').next().unwrap_or_default();
    if text.starts_with('/') || !text.contains([':', '.']) && text != "localhost" {
        return Mistake::new("it has neither scheme nor host", EXAMPLE);
    }
    match host.bytes().all(is_place) && !host.is_empty() {
        true => Mistake::new("it has no scheme", format!("write http://{text}")),
        false => Mistake::new("it has no scheme", EXAMPLE),
    }
}

fn unix(scheme: Scheme, rest: &str) -> Result<DestinationAddress, Mistake> {
    let (file, path) = match rest.find(":/") {
        Some(at) if !is_drive(rest, at) => (&rest[..at], &rest[at + 1..]),
        _ => (rest.strip_suffix(':').unwrap_or(rest), ""),
    };
    let path_of_file = PathBuf::from(file);
    if !path_of_file.is_absolute() && !file.starts_with('/') || file.ends_with('/') {
        let what = format!("'{file}' is no file of a Unix socket");
        return Err(Mistake::new(what, "write its whole path: http://unix:/run/app.sock"));
    }
    Ok(DestinationAddress {
        scheme,
        place: Place::Unix(path_of_file),
        authority: "localhost".to_owned(),
        base_path: base_path(path)?,
    })
}

/// Whether the colon in this place stands behind the letter of a drive.
fn is_drive(text: &str, colon: usize) -> bool {
    colon == 1 && text.starts_with(|it: char| it.is_ascii_alphabetic())
}

/// A host as it is sent, and its port.
fn host_and_port(authority: &str, scheme: Scheme) -> Result<(String, u16), Mistake> {
    let usual = if scheme == Scheme::Https { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((_, "")) => {
            return Err(Mistake::new("its port is missing", EXAMPLE));
        }
        Some((host, port)) if !port.contains(']') => {
            let number = port.parse().ok().filter(|port| *port > 0);
            let what = || format!("'{port}' is no port");
            let wrong = || Mistake::new(what(), "write a number from 1 to 65535");
            (host, number.ok_or_else(wrong)?)
        }
        _ => (authority, usual),
    };
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside.strip_suffix(']').and_then(|it| it.parse::<Ipv6Addr>().ok());
        let wrong = || {
            Mistake::new(
                format!("'{host}' is no IPv6 address"),
                "write one such as http://[::1]:5000",
            )
        };
        return Ok((format!("[{}]", address.ok_or_else(wrong)?), port));
    }
    if host.is_empty() {
        return Err(Mistake::new("it has no host", EXAMPLE));
    }
    if matches!(host, "*" | "+") {
        let what = format!("'{host}' is no host that can be asked");
        return Err(Mistake::new(what, "write the one host, such as localhost"));
    }
    let ascii = in_ascii(host);
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if ascii.len() > 253 || !ascii.bytes().all(is_right) {
        return Err(Mistake::new(format!("'{host}' can be no host"), EXAMPLE));
    }
    Ok((ascii, port))
}

/// What stands before every path, percent-encoded.
fn base_path(path: &str) -> Result<String, Mistake> {
    if path.chars().any(char::is_control) {
        return Err(Mistake::new("there is a control character in its path", "remove it"));
    }
    Ok(escaped_path(path.strip_suffix('/').unwrap_or(path)).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, place, authority, base_path) in [
            ("http://localhost:5000", Some(("localhost", 5000)), "localhost:5000", ""),
            ("HTTP://LocalHost/", Some(("localhost", 80)), "localhost", ""),
            ("https://a.test:443/base/", Some(("a.test", 443)), "a.test", "/base"),
            ("https://a.test:80/base", Some(("a.test", 80)), "a.test:80", "/base"),
            ("http://[::1]:5000/x y", Some(("::1", 5000)), "[::1]:5000", "/x%20y"),
            ("http://127.0.0.1/a%2Fb", Some(("127.0.0.1", 80)), "127.0.0.1", "/a%2Fb"),
            ("http://unix:/run/app.sock", None, "localhost", ""),
            ("http://unix:/run/app.sock:/base/", None, "localhost", "/base"),
        ] {
            let place = match place {
                Some((host, port)) => Place::Tcp(host.to_owned(), port),
                None => Place::Unix(PathBuf::from("/run/app.sock")),
            };
            let address = DestinationAddress::parse(text).unwrap();
            assert_eq!(address.place, place, "{text}");
            assert_eq!(
                (&*address.authority, &*address.base_path),
                (authority, base_path),
                "{text}"
            );
        }
    }

    #[test]
    fn what_can_be_no_address_is_told_with_what_to_write() {
        for (text, what, fix) in [
            ("localhost:5000", "it has no scheme", "write http://localhost:5000"),
            ("localhost", "it has no scheme", "write http://localhost"),
            ("a.test/x", "it has no scheme", "write http://a.test/x"),
            ("nonsense", "it has neither scheme nor host", EXAMPLE),
            ("/x", "it has neither scheme nor host", EXAMPLE),
            ("", "it has neither scheme nor host", EXAMPLE),
            ("ws://a", "'ws' is no scheme here", "write http://: WebSockets take the same way"),
            ("wss://a", "'wss' is no scheme here", "write https://: WebSockets take the same way"),
            ("ftp://a", "'ftp' is no scheme here", "write http:// or https://"),
            ("http://", "it has no host", EXAMPLE),
            ("http://:80", "it has no host", EXAMPLE),
            ("http://a:", "its port is missing", EXAMPLE),
            ("http://a:/x", "its port is missing", EXAMPLE),
            ("http://a:x", "'x' is no port", "write a number from 1 to 65535"),
            ("http://a:0", "'0' is no port", "write a number from 1 to 65535"),
            ("http://a b/", "'a b' can be no host", EXAMPLE),
            (
                "http://*:80",
                "'*' is no host that can be asked",
                "write the one host, such as localhost",
            ),
            ("http://[::g]", "'[::g]' is no IPv6 address", "write one such as http://[::1]:5000"),
            (
                "http://unix:app.sock",
                "'app.sock' is no file of a Unix socket",
                "write its whole path: http://unix:/run/app.sock",
            ),
            ("http://a/#x", "nothing behind a '#' is ever sent", "remove it"),
        ] {
            let mistake = DestinationAddress::parse(text).unwrap_err();
            assert_eq!((&*mistake.what, &*mistake.fix), (what, fix), "{text}");
        }
        assert!(DestinationAddress::parse("http://a/?x").is_err());
        assert!(DestinationAddress::parse("http://u:p@a/").is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_a_surprise(text in "(https?://)?(unix:)?\\PC{0,20}") {
            if let Ok(address) = DestinationAddress::parse(&text) {
                prop_assert!(address.authority.is_ascii() && !address.authority.is_empty());
                prop_assert!(address.base_path.is_empty() || address.base_path.starts_with('/'));
                let whole = format!("{}/x", address.base_path);
                prop_assert!(whole.parse::<http::uri::PathAndQuery>().is_ok());
            }
        }
    }
}
