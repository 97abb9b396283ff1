//! What a path of a URL names below the web root. Pure.

use std::borrow::Cow;

/// A path below a root: it names nothing outside of it, whatever the request's path was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SitePath<'a> {
    /// Segments with one `/` between, none before and none behind; empty for the root itself.
    pub(super) relative: Cow<'a, str>,
    /// Whether a slash stood at the end, so that only a folder can be meant.
    pub(super) slash: bool,
}

impl<'a> SitePath<'a> {
    /// What the decoded path of a request names; `None`, if it can name nothing that is served: it has a
    /// segment that begins with a dot (`.well-known` apart), or that no file can be called.
    pub(super) fn of(path: &'a str, names: Names) -> Option<Self> {
        let trimmed = path.trim_start_matches('/');
        let slash = path.ends_with('/');
        let trimmed = trimmed.trim_end_matches('/');
        if !trimmed.split('/').filter(|segment| !segment.is_empty()).all(|it| names.allow(it)) {
            return None;
        }
        let relative = match trimmed.contains("//") {
            false => Cow::Borrowed(trimmed),
            true => {
                let segments: Vec<_> = trimmed.split('/').filter(|it| !it.is_empty()).collect();
                segments.join("/").into()
            }
        };
        Some(Self { relative, slash })
    }
}

/// What is left of a path below `prefix`, which is compared by whole segments and without regard to case.
pub(super) fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let start = path.get(..prefix.len())?;
    let rest = &path[prefix.len()..];
    let whole = rest.is_empty() || rest.starts_with('/');
    (whole && start.eq_ignore_ascii_case(prefix)).then_some(rest)
}

/// Whether a path may be that of a page of a single-page app: its last segment is called as no file is,
/// with no dot that something follows.
pub(super) fn is_page(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or(path);
    let mut characters = last.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '.' && characters.peek().is_some_and(|next| *next != '.') {
            return false;
        }
    }
    true
}

/// What files can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// As on Unix: anything but `/` and NUL.
    Unix,
    /// As on Windows, where some names are devices, or other files than they say.
    Windows,
}

impl Names {
    /// Those of this system.
    pub(super) const HERE: Self = if cfg!(windows) { Self::Windows } else { Self::Unix };

    /// Whether a file that is served can be called so.
    fn allow(self, segment: &str) -> bool {
        let is_name = match self {
            Self::Unix => !segment.contains('\0'),
            Self::Windows => is_windows_name(segment),
        };
        !is_hidden(segment.as_bytes()) && is_name
    }
}

/// Whether what is called so is served to nobody.
pub(super) fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".") && name != b".well-known"
}

/// Whether Windows takes it for the name of a file, and for no other file's.
fn is_windows_name(segment: &str) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let odd = |it: char| it < ' ' || "\\:*?\"<>|".contains(it);
    let base = segment.split('.').next().unwrap_or(segment).trim_end();
    let numbered = |name: &str| {
        let start = base.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name));
        start && base.chars().count() == 4
    };
    let is_device = DEVICES.iter().any(|it| it.eq_ignore_ascii_case(base))
        || numbered("COM")
        || numbered("LPT");
    // `PROGRA~1` is the short name of another.
    let mut behind_tilde = segment.split('~').skip(1);
    let is_short = behind_tilde.any(|rest| rest.starts_with(|it: char| it.is_ascii_digit()));
    !segment.contains(odd) && !segment.ends_with(['.', ' ']) && !is_device && !is_short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unix(path: &str) -> Option<(String, bool)> {
        SitePath::of(path, Names::Unix).map(|it| (it.relative.into_owned(), it.slash))
    }

    #[test]
    fn a_path_names_something_below_the_root_or_nothing() {
        for (path, relative, slash) in [
            ("/", "", true),
            ("", "", false),
            ("//", "", true),
            ("/a.txt", "a.txt", false),
            ("//a.txt", "a.txt", false),
            ("/sub//page.html", "sub/page.html", false),
            ("/sub/", "sub", true),
            ("/sub///", "sub", true),
            ("/..%2fa", "", false),
            ("/back\\slash.txt", "back\\slash.txt", false),
            ("/.well-known/acme-challenge/x", ".well-known/acme-challenge/x", false),
            ("/a%2Fb", "a%2Fb", false),
        ] {
            let expected = (!path.contains("..")).then(|| (relative.to_owned(), slash));
            assert_eq!(unix(path), expected, "{path}");
        }
        for path in
            ["/.git/config", "/a/.env", "/..", "/a/../b", "/.", "/.well-knowns", "/a\0b", "/..."]
        {
            assert_eq!(unix(path), None, "{path:?}");
        }
    }

    #[test]
    fn windows_takes_no_name_that_is_another_file() {
        for name in [
            "a\\b",
            "C:",
            "a.txt::$DATA",
            "a.txt.",
            "a.txt ",
            "con",
            "CON.txt",
            "nul",
            "Com1",
            "lpt9.x",
            "PROGRA~1",
            "a?",
            "\u{1}",
        ] {
            assert_eq!(SitePath::of(&format!("/x/{name}"), Names::Windows), None, "{name:?}");
        }
        for name in ["a.txt", "console", "COM", "comet", "a~b", "ümlaut", "NULL"] {
            assert!(SitePath::of(&format!("/x/{name}"), Names::Windows).is_some(), "{name:?}");
        }
    }

    #[test]
    fn prefixes_are_whole_segments_in_any_case() {
        for (path, prefix, rest) in [
            ("/files/a", "/files", Some("/a")),
            ("/FILES/a", "/files", Some("/a")),
            ("/files", "/files", Some("")),
            ("/filesystem", "/files", None),
            ("/a", "", Some("/a")),
            ("/å", "/fi", None),
        ] {
            assert_eq!(below(path, prefix), rest, "{path} below {prefix}");
        }
    }

    #[test]
    fn pages_of_an_app_are_called_as_no_file_is() {
        for path in ["/", "/a/b", "/a/b.d/c", "/a.", "/a..", "/.."] {
            assert!(is_page(path), "{path}");
        }
        for path in ["/x.js", "/.gitignore", "/a/b.c"] {
            assert!(!is_page(path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leads_out(path in "[./\\\\a%~ :\0-]{0,20}", windows: bool) {
            let names = if windows { Names::Windows } else { Names::Unix };
            if let Some(it) = SitePath::of(&path, names) {
                let segments: Vec<_> = it.relative.split('/').collect();
                let only_root = it.relative.is_empty();
                prop_assert!(only_root || segments.iter().all(|it| !it.is_empty()));
                prop_assert!(segments.iter().all(|it| *it != "." && *it != ".." && !it.contains('\0')));
                prop_assert!(!windows || !it.relative.contains(['\\', ':']));
            }
        }
    }
}
