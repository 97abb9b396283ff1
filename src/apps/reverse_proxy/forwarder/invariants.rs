//! What holds of every target that goes to a destination, whatever the client sends and the route changes.

use super::target::Target;
use crate::apps::reverse_proxy::transform_options::Change;

/// Checks a target as a client sends it, and changes of it, a line each: a letter that says which, and its text. What
/// goes out is one line of visible ASCII that begins with a slash, and leads nowhere up.
pub(crate) fn targets(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    // What the gate lets through has no blanks and no controls.
    let sent: String = lines.next().unwrap_or_default().chars().filter(|it| *it > ' ').collect();
    let mut target = Target::of(&sent);
    check(&target, true);
    // What an operator puts before paths is the operator's.
    let mut is_prefixed = false;
    for line in lines.take(8) {
        let mut letters = line.chars();
        let (which, text) = (letters.next(), letters.as_str());
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        match which {
            Some('p') => {
                is_prefixed = true;
                target.add_prefix(&format!("/{text}"));
            }
            Some('r') => target.remove_prefix(&format!("/{text}")),
            Some('s') => target.set_path(&format!("/{text}")),
            Some('q') => target.set_parameter(name, value, Change::Set),
            Some('a') => target.set_parameter(name, value, Change::Append),
            Some('d') => target.remove_parameter(name),
            _ => {}
        }
        check(&target, !is_prefixed);
    }
}

fn check(target: &Target<'_>, has_no_dots: bool) {
    let mut out = Vec::new();
    target.write("", &mut out);
    let text = str::from_utf8(&out).expect("ASCII");
    assert!(text.starts_with('/'), "{text:?}");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    assert!(!text.contains('#'), "{text:?}");
    let path = text.split('?').next().unwrap_or_default().to_lowercase().replace("%2e", ".");
    let is_up = path.split('/').any(|segment| matches!(segment, "." | ".."));
    assert!(!(has_no_dots && is_up), "{text:?}");
    assert!(text.parse::<http::uri::PathAndQuery>().is_ok(), "{text:?}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

        #[test]
        fn they_hold_of_any_target_and_any_change(
            text in "(/|[a-c.%?#&= \\\\\u{e9}]|%2[eEfF]|%5c|\\.\\.){0,12}(\n[prsqad](/|[a-c.%?#&= \t\r\u{e9}\u{0}]|%2e|\\.\\.){0,6}){0,5}",
        ) {
            super::targets(text.as_bytes());
        }
    }
}
