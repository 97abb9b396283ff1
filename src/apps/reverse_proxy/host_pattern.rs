//! How the hosts of a route are written.

use std::net::Ipv6Addr;

use super::mistake::Mistake;
use super::options::{HostName, HostPattern};
use crate::middleware::in_ascii;

const FORMS: &str = "write www.example.com, *.example.com, [::1] or *, with or without a :port";

impl HostPattern {
    /// Reads `host`, `host:port`, `*.host`, `*:port` or `*`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Mistake::new("it is empty", "write a host, or * for any"));
        }
        if let Some((_, rest)) = text.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            return Err(Mistake::new("it has a scheme", format!("write {host}")));
        }
        if let Some((host, _)) = text.split_once('/') {
            let fix = format!("write {host}, and the path in Match:Path");
            return Err(Mistake::new("it has a path", fix));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            let fix = format!("write [{text}]");
            return Err(Mistake::new("an IPv6 address stands in brackets", fix));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(self::port(port)?)),
            _ => (text, None),
        };
        Ok(Self { name: self::name(name)?, port })
    }
}

fn port(text: &str) -> Result<u16, Mistake> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| {
        Mistake::new(format!("'{text}' is no port"), "write a number from 1 to 65535, or none")
    })
}

fn name(text: &str) -> Result<HostName, Mistake> {
    if text == "*" {
        return Ok(HostName::Any);
    }
    if let Some(inside) = text.strip_prefix('[') {
        let address = inside.strip_suffix(']').and_then(|it| it.parse::<Ipv6Addr>().ok());
        let wrong =
            || Mistake::new(format!("'{text}' is no IPv6 address"), "write one such as [::1]");
        return address.map(|it| HostName::Exactly(format!("[{it}]").into())).ok_or_else(wrong);
    }
    let lower = text.to_lowercase();
    if lower.split('.').any(|label| label.starts_with("xn--")) {
        let fix = "write it with its letters, such as b\u{fc}cher.example";
        return Err(Mistake::new("it is written in punycode", fix));
    }
    let (inside, is_below) = match lower.strip_prefix("*.") {
        Some(inside) => (inside, true),
        None => (lower.as_str(), false),
    };
    let ascii = in_ascii(inside);
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if ascii.is_empty() || !ascii.bytes().all(is_right) {
        return Err(Mistake::new(format!("'{text}' can be no host"), FORMS));
    }
    let ascii = ascii.into_boxed_str();
    Ok(if is_below { HostName::Below(ascii) } else { HostName::Exactly(ascii) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_are_written_in_several_forms() {
        let exactly = |name: &str| HostName::Exactly(name.into());
        for (text, name, port) in [
            ("Example.test", exactly("example.test"), None),
            ("a.test:81", exactly("a.test"), Some(81)),
            ("*.B.test", HostName::Below("b.test".into()), None),
            ("*.b.test:8080", HostName::Below("b.test".into()), Some(8080)),
            ("*", HostName::Any, None),
            ("*:8080", HostName::Any, Some(8080)),
            ("127.0.0.1", exactly("127.0.0.1"), None),
            ("[::1]", exactly("[::1]"), None),
            ("[0::1]:8080", exactly("[::1]"), Some(8080)),
            ("my_host", exactly("my_host"), None),
        ] {
            assert_eq!(HostPattern::parse(text), Ok(HostPattern { name, port }), "{text}");
        }
        #[cfg(feature = "idna")]
        assert_eq!(
            HostPattern::parse("b\u{fc}cher.test").unwrap().name,
            exactly("xn--bcher-kva.test")
        );
    }

    #[test]
    fn what_can_be_no_host_is_told_with_what_to_write() {
        for (text, fix) in [
            ("", "write a host, or * for any"),
            (" ", "write a host, or * for any"),
            ("http://a.test/x", "write a.test"),
            ("a.test/x", "write a.test, and the path in Match:Path"),
            ("::1", "write [::1]"),
            ("[::g]", "write one such as [::1]"),
            ("[::1", "write one such as [::1]"),
            ("a.test:abc", "write a number from 1 to 65535, or none"),
            ("a.test:99999", "write a number from 1 to 65535, or none"),
            ("a.test:0", "write a number from 1 to 65535, or none"),
            ("a b", FORMS),
            ("a.*.test", FORMS),
            ("*a.test", FORMS),
            ("*.", FORMS),
            ("xn--bcher-kva.test", "write it with its letters, such as b\u{fc}cher.example"),
        ] {
            assert_eq!(HostPattern::parse(text).unwrap_err().fix, fix, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_surprise(text in "\\PC{0,20}") {
            if let Ok(HostPattern { name: HostName::Exactly(name) | HostName::Below(name), .. }) =
                HostPattern::parse(&text)
            {
                prop_assert!(name.is_ascii() && !name.is_empty());
            }
        }
    }
}
