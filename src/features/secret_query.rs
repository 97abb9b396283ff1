//! Queries, and addresses, without the secrets that some clients put into them. Pure.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

/// What stands in the place of a secret.
const REDACTED: &str = "[Redacted]";

/// Parameters that are secrets by these names.
const NAMES: [&str; 15] = [
    "auth",
    "code",
    "jwt",
    "key",
    "otp",
    "pass",
    "pin",
    "pw",
    "pwd",
    "sas",
    "session",
    "sessionid",
    "sid",
    "sig",
    "ticket",
];

/// Parameters whose names have this in them are secrets.
const PARTS: [&str; 14] = [
    "accesskey",
    "apikey",
    "assertion",
    "authorization",
    "bearer",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "samlresponse",
    "secret",
    "signature",
    "subscriptionkey",
    "token",
];

/// A query, or an address, in which values whose names speak of secrets are replaced, and a user with a password
/// before the host: whoever reads a log could do with them what the client may.
pub(crate) fn without_secrets(query: &str) -> Cow<'_, str> {
    if !query.contains(['=', '@']) {
        return Cow::Borrowed(query);
    }
    let mut shown = String::new();
    // Up to here it is copied.
    let mut at = 0;
    if let Some(user) = user_of(query) {
        shown.push_str(&query[..user.start]);
        shown.push_str(REDACTED);
        at = user.end;
    }
    let mut start = query.find('?').map_or(at, |mark| mark + 1);
    while start < query.len() {
        let length = query[start..].find(['&', ';', '#']).unwrap_or(query.len() - start);
        let parameter = &query[start..start + length];
        if let Some((name, value)) = parameter.split_once('=')
            && !value.is_empty()
            && is_secret(name)
        {
            shown.push_str(&query[at..start + name.len() + 1]);
            shown.push_str(REDACTED);
            at = start + length;
        }
        start += length + 1;
    }
    if at == 0 {
        return Cow::Borrowed(query);
    }
    shown.push_str(&query[at..]);
    Cow::Owned(shown)
}

/// Where an address has a user, and perhaps a password: before the `@` of its host.
fn user_of(address: &str) -> Option<Range<usize>> {
    let (scheme, rest) = address.split_once("://")?;
    let is_of_scheme = |it: u8| it.is_ascii_alphanumeric() || b"+-.".contains(&it);
    if !scheme.bytes().all(is_of_scheme) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let start = scheme.len() + "://".len();
    authority.rfind('@').map(|length| start..start + length)
}

fn is_secret(name: &str) -> bool {
    let letters = percent_decode_str(name).filter(u8::is_ascii_alphanumeric);
    let name: String = letters.map(|letter| char::from(letter.to_ascii_lowercase())).collect();
    NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_queries_are_not_shown() {
        for (query, shown) in [
            ("", ""),
            ("?", "?"),
            ("?a=1&b=%20x", "?a=1&b=%20x"),
            ("?token", "?token"),
            ("?token=", "?token="),
            ("?access_token=abc", "?access_token=[Redacted]"),
            ("?a=1&Access-Token=abc&b=2", "?a=1&Access-Token=[Redacted]&b=2"),
            ("?p%61ssword=x&keyword=y", "?p%61ssword=[Redacted]&keyword=y"),
            ("?code=4%2FP7&state=s&key=k", "?code=[Redacted]&state=s&key=[Redacted]"),
            ("?zipcode=1&X-Amz-Signature=ab==", "?zipcode=1&X-Amz-Signature=[Redacted]"),
            ("http://a/?q=1&sig=2#x", "http://a/?q=1&sig=[Redacted]#x"),
            ("http://a/x=1/y?api.key=2&a", "http://a/x=1/y?api.key=[Redacted]&a"),
            ("http://user:pw@a.example/x", "http://[Redacted]@a.example/x"),
            ("https://a@b@c?sig=1", "https://[Redacted]@c?sig=[Redacted]"),
            ("http://token=1@a.example/x", "http://[Redacted]@a.example/x"),
            ("http://a.example/x@y?to=b@c", "http://a.example/x@y?to=b@c"),
            ("/x://a@b", "/x://a@b"),
            ("?to=http://a:b@c", "?to=http://a:b@c"),
            ("?a=b;client_secret=c;d=e", "?a=b;client_secret=[Redacted];d=e"),
        ] {
            assert_eq!(without_secrets(query), shown, "{query}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(https?://)?[a-z?=@&:/;#]{0,30}") {
            let _ = without_secrets(&text);
            let hidden = without_secrets(&format!("http://user:word@{text}")).into_owned();
            proptest::prop_assert!(!hidden.contains("user:word"), "{}", hidden);
        }
    }
}
