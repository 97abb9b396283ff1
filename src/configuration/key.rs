//! Configuration keys: segments joined by `:`, compared without case.

use std::borrow::Cow;
use std::cmp::Ordering;

/// The form of `key` that is equal for all its spellings.
///
/// Each character is replaced by its upper case where that is one character, as .NET's
/// `OrdinalIgnoreCase` does: `straße` and `STRASSE` stay different keys, and no character outside of
/// ASCII (`ı`, `ſ`) is folded into it.
pub fn fold_key(key: &str) -> String {
    if key.is_ascii() {
        return key.to_ascii_uppercase();
    }
    key.chars().map(fold).collect()
}

fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_uppercase();
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        _ => character,
    }
}

/// Whether two keys are spellings of the same key.
pub fn keys_equal(left: &str, right: &str) -> bool {
    left.chars().map(fold).eq(right.chars().map(fold))
}

/// Whether a value may be shown under a name: not where the name speaks of secrets.
pub(crate) fn speaks_of_secrets(name: &str) -> bool {
    let mut lower = name.to_lowercase();
    for word in NO_SECRETS {
        lower = lower.replace(word, "");
    }
    SECRETS.iter().any(|secret| lower.contains(secret))
}

/// What names have in them that only look like those of secrets: the file of a key, tokens of a bucket, the
/// name of a cookie, a switch.
const NO_SECRETS: [&str; 5] =
    ["keypath", "tokenlimit", "tokensperperiod", "affinitykeyname", "forwardwindowsauthtoken"];

/// What names of secrets have in them.
const SECRETS: [&str; 8] =
    ["password", "passwd", "passphrase", "pwd", "secret", "token", "key", "connectionstring"];

/// A name as it may be shown. Who forgets what stands between a name and its value writes both as
/// one: what follows a word that speaks of secrets, and a character that may end it, is left out.
pub(crate) fn without_secret(name: &str, may_end: fn(char) -> bool) -> Cow<'_, str> {
    let mut start = 0;
    for (at, character) in name.char_indices().filter(|(_, character)| may_end(*character)) {
        let behind = at + character.len_utf8();
        if speaks_of_secrets(&name[start..at]) && behind < name.len() {
            return Cow::Owned(format!("{}(hidden)", &name[..behind]));
        }
        start = behind;
    }
    Cow::Borrowed(name)
}

/// A key, or the switch or the variable that holds it, as it may be shown: `Password:PW` is what remains
/// of a password whose name was ended with the wrong sign.
///
/// Several secrets have names of their own (`ConnectionStrings:Db`), and so have endpoints, server names
/// and certificates, whatever they are called.
pub(crate) fn key_without_secret(key: &str) -> Cow<'_, str> {
    let is_end = |at: usize| ["__", ":"].iter().find(|end| key[at..].starts_with(**end));
    let (mut start, mut above) = (0, "");
    for (at, _) in key.char_indices() {
        let Some(end) = is_end(at).filter(|_| at >= start) else { continue };
        let (segment, behind) = (&key[start..at], at + end.len());
        if is_secret(segment, above) && behind < key.len() {
            return Cow::Owned(format!("{}(hidden)", &key[..behind]));
        }
        (start, above) = (behind, segment);
    }
    without_secret(key, char::is_whitespace)
}

/// Whether one segment of a key, below another, has a secret for its value.
fn is_secret(segment: &str, above: &str) -> bool {
    const NAMED_BY_USERS: [&str; 3] = ["Endpoints", "Sni", "Certificates"];
    let lower = segment.to_lowercase();
    let is_named = NAMED_BY_USERS.iter().any(|section| keys_equal(section, above));
    SECRETS.iter().any(|secret| lower.ends_with(secret)) && (!is_named || lower == "password")
}

/// The order in which children of a section are listed, and so the order in which
/// `Kestrel:Endpoints` are bound: segment by segment, numbers by value and before texts, texts
/// without case (`9`, `10`, `A`, `a1`, `b`).
pub fn compare_keys(left: &str, right: &str) -> Ordering {
    let mut left_segments = left.split(':').filter(|segment| !segment.is_empty());
    let mut right_segments = right.split(':').filter(|segment| !segment.is_empty());
    loop {
        let order = match (left_segments.next(), right_segments.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<i32>(), right.parse::<i32>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.chars().map(fold).cmp(right.chars().map(fold)),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_without_case_but_keep_their_letters() {
        for (left, right, equal) in [
            ("Kestrel:Endpoints", "KESTREL:endpoints", true),
            ("ключ", "КЛЮЧ", true),
            ("straße", "STRASSE", false),
            ("I", "ı", false),
            ("a", "b", false),
            ("", "", true),
        ] {
            assert_eq!(keys_equal(left, right), equal, "{left} {right}");
            assert_eq!(fold_key(left) == fold_key(right), equal, "{left} {right}");
        }
    }

    #[test]
    fn secrets_are_known_by_the_names_around_them() {
        for (name, secret) in [
            ("Kestrel:Certificates:Default:Password", true),
            ("ConnectionStrings:Db", true),
            ("Kestrel:Certificates:Default:KeyPath", false),
            ("Kestrel:Endpoints:A:Url", false),
        ] {
            assert_eq!(speaks_of_secrets(name), secret, "{name}");
        }
    }

    #[test]
    fn what_stands_behind_a_name_of_secrets_is_left_out() {
        let may_end = |character: char| character.is_whitespace() || ":=".contains(character);
        for (name, shown) in [
            ("password:PW", "password:(hidden)"),
            ("--password PW x", "--password (hidden)"),
            ("-A:Token=PW", "-A:Token=(hidden)"),
            ("-A:Password", "-A:Password"),
            ("A:KeyPath:x", "A:KeyPath:x"),
            ("password:", "password:"),
            ("", ""),
        ] {
            assert_eq!(without_secret(name, may_end), shown, "{name}");
        }
    }

    #[test]
    fn what_stands_behind_the_key_of_a_secret_is_left_out() {
        for (key, shown) in [
            (
                "Kestrel:Certificates:Default:Password:PW",
                "Kestrel:Certificates:Default:Password:(hidden)",
            ),
            ("Kestrel:Certificates:Password:PW", "Kestrel:Certificates:Password:(hidden)"),
            ("--password:PW:PW", "--password:(hidden)"),
            ("/Jwt:ApiKey:PW", "/Jwt:ApiKey:(hidden)"),
            ("ASPNETCORE_Db__Password__PW", "ASPNETCORE_Db__Password__(hidden)"),
            ("A__Passwd:PW", "A__Passwd:(hidden)"),
            ("A:password PW", "A:password (hidden)"),
            ("a b:Password:PW", "a b:Password:(hidden)"),
            ("A:Password", "A:Password"),
            ("A:Password:", "A:Password:"),
            ("ConnectionStrings:Db", "ConnectionStrings:Db"),
            ("ConnectionStrings:Password", "ConnectionStrings:Password"),
            ("Kestrel:Endpoints:Token:Url", "Kestrel:Endpoints:Token:Url"),
            ("Kestrel:Endpoints:A:Sni:key:Certificate", "Kestrel:Endpoints:A:Sni:key:Certificate"),
            ("KESTREL__ENDPOINTS__KEY__URL", "KESTREL__ENDPOINTS__KEY__URL"),
            ("A:KeyPath:x", "A:KeyPath:x"),
            ("A___B", "A___B"),
            ("\u{e9}:__:", "\u{e9}:__:"),
            ("", ""),
        ] {
            assert_eq!(key_without_secret(key), shown, "{key}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_key_can_be_shown(key in "\\PC*|([a-z:_ é]|password|token)*") {
            let shown = key_without_secret(&key);
            proptest::prop_assert_eq!(&*key_without_secret(&shown), &*shown);
        }
    }

    #[test]
    fn children_come_numbers_first_then_texts_without_case() {
        let mut keys = ["b", "A", "a1", "U", "10", "9", "x:2", "x:10", "x"];
        keys.sort_by(|left, right| compare_keys(left, right));
        assert_eq!(keys, ["9", "10", "A", "a1", "b", "U", "x", "x:2", "x:10"]);
    }
}
