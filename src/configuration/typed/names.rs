//! Names of fields and variants, and how people spell them.

use crate::configuration::fold_key;

/// The form of a name that is equal for all its spellings: `max_retries`, `maxRetries`, `MaxRetries`,
/// `max-retries`.
pub(super) fn plain(name: &str) -> String {
    fold_key(name).chars().filter(|it| !matches!(it, '_' | '-' | ' ')).collect()
}

/// The place of the name that `spelled` is: one with the same letters, else one with the same plain
/// form.
pub(super) fn find(spelled: &str, names: &[&str]) -> Option<usize> {
    let (folded, plain_form) = (fold_key(spelled), plain(spelled));
    let exact = names.iter().position(|name| fold_key(name) == folded);
    exact.or_else(|| names.iter().position(|name| plain(name) == plain_form))
}

/// A name as fields are called: `MaxRetries` is `max_retries`.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut letters = name.chars().peekable();
    let mut before: Option<char> = None;
    while let Some(letter) = letters.next() {
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                let ends_capitals = letters.peek().is_some_and(|next| next.is_lowercase());
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && ends_capitals)
            });
        if begins {
            snake.push('_');
        }
        match letter {
            '-' | ' ' => snake.push('_'),
            letter => snake.extend(letter.to_lowercase()),
        }
        before = Some(letter);
    }
    snake
}

/// A name as keys are called: `max_retries` is `MaxRetries`. One with capitals stays.
pub(super) fn key_case(name: &str) -> String {
    if name.chars().any(char::is_uppercase) {
        return name.to_owned();
    }
    let words = name.split(['_', '-', ' ']);
    words
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_name_are_one() {
        for spelled in ["max_retries", "maxRetries", "MaxRetries", "max-retries", "MAX_RETRIES"] {
            assert_eq!(plain(spelled), "MAXRETRIES", "{spelled}");
            assert_eq!(find(spelled, &["other", "max_retries"]), Some(1), "{spelled}");
        }
        assert_eq!(find("max.retries", &["max_retries"]), None);
        assert_eq!(find("a_b", &["ab", "A_B"]), Some(1), "the same letters come first");
    }

    #[test]
    fn names_are_turned_into_those_of_fields_and_of_keys() {
        for (key, field) in [
            ("MaxRetries", "max_retries"),
            ("maxRetries", "max_retries"),
            ("max-retries", "max_retries"),
            ("HTTPPort", "http_port"),
            ("Http2Port", "http2_port"),
            ("URL", "url"),
            ("a", "a"),
            ("", ""),
        ] {
            assert_eq!(snake_case(key), field, "{key}");
        }
        for (field, key) in [("max_retries", "MaxRetries"), ("url", "Url"), ("myName", "myName")] {
            assert_eq!(key_case(field), key, "{field}");
        }
    }
}
