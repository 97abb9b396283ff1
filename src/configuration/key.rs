//! Configuration keys: segments joined by `:`, compared without case.

use std::borrow::Cow;
use std::cmp::Ordering;

/// The form of `key` that is equal for all its spellings.
///
/// Each character is replaced by its upper case where that is one character, as .NET's
/// `OrdinalIgnoreCase` does: `straße` and `STRASSE` stay different keys, and no character outside of
/// ASCII (`ı`, `ſ`) is folded into it.
pub fn fold_key(key: &str) -> String {
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
    const SECRETS: [&str; 5] = ["password", "secret", "token", "key", "connectionstring"];
    let lower = name.to_lowercase().replace("keypath", "");
    SECRETS.iter().any(|secret| lower.contains(secret))
}

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
    fn children_come_numbers_first_then_texts_without_case() {
        let mut keys = ["b", "A", "a1", "U", "10", "9", "x:2", "x:10", "x"];
        keys.sort_by(|left, right| compare_keys(left, right));
        assert_eq!(keys, ["9", "10", "A", "a1", "b", "U", "x", "x:2", "x:10"]);
    }
}
