//! Users and passwords in addresses: they are never printed.

use std::borrow::Cow;
use std::path::Path;

/// A text in which every user and password of a URL is blotted out, so that it can be printed: each
/// of their bytes is a `*`, and every place of the text stays where it was.
///
/// They end at the last `@` before the next `://`, whatever they hold: `/`, `;` and `:` may well
/// stand in a password, and who misplaces them writes them before the scheme; `%40` is taken for an
/// `@`, too. The path of a Unix socket and the name of a pipe may hold an `@`, but not behind the `:`
/// that ends them.
pub(crate) fn without_user_info(text: &str) -> Cow<'_, str> {
    const SCHEME_END: &str = "://";
    let mut shown = Cow::Borrowed(text);
    let behind = text.match_indices(SCHEME_END).map(|(found, _)| found + SCHEME_END.len());
    for start in text.contains(SCHEME_END).then_some(0).into_iter().chain(behind) {
        let rest = &text[start..];
        let end = start + rest.find(SCHEME_END).unwrap_or(rest.len());
        // The name of an abstract socket stands behind one, too.
        let no_user = rest.starts_with("unix:@").then_some("unix:".len());
        let before = behind_socket(rest);
        let found = text.get(start + before..end).and_then(last_at);
        if let Some(at) = found.filter(|at| Some(*at) != no_user) {
            let from = start + before;
            shown.to_mut().replace_range(from..from + at, &"*".repeat(at));
        }
    }
    shown
}

/// The same for a text that is meant as an address, or a list of some: without a scheme, too.
pub(crate) fn address_without_user_info(text: &str) -> Cow<'_, str> {
    if text.contains("://") {
        return without_user_info(text);
    }
    match last_at(text).filter(|_| !text.starts_with("unix:")) {
        Some(at) => Cow::Owned(format!("{}{}", "*".repeat(at), &text[at..])),
        None => Cow::Borrowed(text),
    }
}

/// The same for a path, which may have an `@` in it, and none behind a `:` unless an address was
/// taken for one.
pub(crate) fn path_without_user_info(path: &Path) -> String {
    let shown = path.display().to_string();
    match last_at(&shown) {
        Some(at) if shown[..at].contains(':') => address_without_user_info(&shown).into_owned(),
        _ => shown,
    }
}

/// The place of the last `@`, or of the `%40` that stands for one.
fn last_at(text: &str) -> Option<usize> {
    text.rfind('@').max(text.rfind("%40"))
}

/// What stands behind the scheme and is the path of a socket or the name of a pipe, in bytes, with
/// the `:` that ends it.
fn behind_socket(rest: &str) -> usize {
    const KIND: usize = "unix:".len();
    if !rest.starts_with("unix:/") && !rest.starts_with("pipe:/") {
        return 0;
    }
    rest[KIND..].find(':').map_or(rest.len(), |colon| KIND + colon + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_are_blotted_out() {
        for (text, shown) in [
            ("http://user:pw@localhost:5000", "http://*******@localhost:5000"),
            ("http://token@localhost", "http://*****@localhost"),
            ("http://u:a/b;c:d@e@localhost", "http://***********@localhost"),
            ("http://u:p@a;https://v:q@b:1", "http://***@a;https://***@b:1"),
            ("http://a:1;http://u:p@b", "http://a:1;http://***@b"),
            ("http://u:\u{e9}@a", "http://****@a"),
            ("http://unix:/run/a@b.sock", "http://unix:/run/a@b.sock"),
            ("http://unix:x@b", "http://******@b"),
            ("http://unix:@name", "http://unix:@name"),
            ("http://unix:@a;http://u:p@b", "http://unix:@a;http://***@b"),
            ("http://unix:@u:p@b", "http://*********@b"),
            ("http://unix:/run/u:PW@b", "http://unix:/run/u:**@b"),
            ("http://pipe:/a@b:PW@c", "http://pipe:/a@b:**@c"),
            ("http://u:PW%40b:80", "http://****%40b:80"),
            ("http://u@x:PW%40b", "http://******%40b"),
            ("http://@a", "http://@a"),
            ("user:pw@http://a", "*******@http://a"),
            ("me@example.org", "me@example.org"),
            ("http://localhost:5000", "http://localhost:5000"),
            ("", ""),
        ] {
            assert_eq!(without_user_info(text), shown, "{text}");
        }
    }

    #[test]
    fn addresses_need_no_scheme_for_it() {
        for (text, shown) in [
            ("user:pw@localhost:5000", "*******@localhost:5000"),
            ("http://user:pw@localhost:5000", "http://*******@localhost:5000"),
            ("http:/u:p@a", "*********@a"),
            ("unix:@name", "unix:@name"),
            ("u:PW%40b:80", "****%40b:80"),
            ("localhost:5000", "localhost:5000"),
        ] {
            assert_eq!(address_without_user_info(text), shown, "{text}");
        }
    }

    #[test]
    fn a_path_may_have_an_at_in_it() {
        for (path, shown) in [
            ("/srv/me@example.org/site", "/srv/me@example.org/site"),
            ("/srv/u:P W@x/", "**********@x/"),
            ("/srv/http:/u:P W@x", "****************@x"),
            ("/srv/a:b", "/srv/a:b"),
        ] {
            assert_eq!(path_without_user_info(Path::new(path)), shown, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn places_stay_where_they_were(text in "\\PC*|(https?://|[a-z@:;/é])*") {
            let shown = without_user_info(&text);
            proptest::prop_assert_eq!(shown.len(), text.len());
            proptest::prop_assert_eq!(&*without_user_info(&shown), &*shown);
        }
    }
}
