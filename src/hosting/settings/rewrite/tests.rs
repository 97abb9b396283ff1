//! Rules that are taken, and what is said of those that are not.

use super::*;
use crate::configuration::{Inputs, load};

fn read_of(settings: &[(&str, &str)]) -> (Option<Switched<Rewrite>>, Vec<Problem>) {
    let on = [("Rewrite:Enabled".to_owned(), "true")];
    let rules = settings.iter().map(|(key, value)| (format!("Rewrite:Rules:{key}"), *value));
    let all = on.into_iter().chain(rules);
    let arguments = all.map(|(key, value)| format!("--{key}={value}")).enumerate().collect();
    let mut problems = Vec::new();
    let loaded = load(&Inputs { arguments, ..Inputs::default() });
    (read(&loaded.configuration, &mut problems), problems)
}

#[test]
fn rules_are_read_in_the_order_of_their_numbers() {
    let (read, problems) = read_of(&[
        ("10:Pattern", "^/p/([0-9]+)$"),
        ("10:Redirect", "https://shop.example/$1"),
        ("10:StatusCode", "301"),
        ("2:Prefix", "/blog/"),
        ("2:Rewrite", "/news/$1"),
        ("2:SkipRemainingRules", "true"),
        ("0:Path", "/a%20b"),
        ("0:Redirect", "/c"),
        ("3:Www", "remove"),
        ("3:Hosts:0", "Example.com"),
        ("4:TrailingSlash", "Add"),
        ("4:Prefix", "/docs"),
        ("5:Https", "true"),
        ("5:Hosts:0", "example.com"),
        ("5:StatusCode", "308"),
    ]);
    assert_eq!(problems, []);
    let read = read.expect("it is on");
    let words: Vec<_> = read.shown.iter().map(|it| it.value.as_str()).collect();
    let expected = [
        "Path /a%20b: Redirect /c (307)",
        "Prefix /blog/: Rewrite /news/$1 and no further rule",
        "Www remove (307) on example.com",
        "Prefix /docs: TrailingSlash Add (307)",
        "Https true (308) on example.com",
        "Pattern ^/p/([0-9]+)$: Redirect https://shop.example/$1 (301)",
    ];
    assert_eq!(words, expected);
    assert_eq!(read.value.0[0].paths, Paths::Exactly("/a b".to_owned()));
    assert_eq!(read.value.0[1].paths, Paths::Below("/blog".to_owned()));
}

#[test]
fn what_cannot_be_is_told_with_its_key_and_what_to_write() {
    for (rule, key, fix) in [
        (
            &[("Path", "/a"), ("Prefix", "/b"), ("Redirect", "/c")][..],
            "Prefix",
            "make two rules of it",
        ),
        (
            &[("Path", "/a"), ("Redirect", "/b"), ("Rewrite", "/c")],
            "Rewrite",
            "make two rules of it",
        ),
        (
            &[("Path", "/a")],
            "Path",
            "add one of Redirect, Rewrite, Www, TrailingSlash, Https, or remove it",
        ),
        (
            &[("Path", "a"), ("Redirect", "/c")],
            "Path",
            "write one that begins with /, without a query",
        ),
        (
            &[("Prefix", "/a?b"), ("Redirect", "/c")],
            "Prefix",
            "write one that begins with /, without a query",
        ),
        (
            &[("Pattern", "^/(a"), ("Redirect", "/c")],
            "Pattern",
            "write a regular expression such as ^/old/([0-9]+)$, and a shorter one if it is too large",
        ),
        (
            &[("Pattern", "a{1000}{1000}"), ("Redirect", "/c")],
            "Pattern",
            "write a regular expression such as ^/old/([0-9]+)$, and a shorter one if it is too large",
        ),
        (
            &[("Path", "/a"), ("Redirect", "b")],
            "Redirect",
            "write /path, or https://www.example.com/path",
        ),
        (&[("Path", "/a"), ("Redirect", "//b")], "Redirect", "write one slash, or the whole URL"),
        (
            &[("Prefix", "/a"), ("Redirect", "https://$1.example.com/")],
            "Redirect",
            "write a slash behind the host, before the first $",
        ),
        (
            &[("Prefix", "/a"), ("Redirect", "/$")],
            "Redirect",
            "write $1, ${1}, or $$ for the sign itself",
        ),
        (
            &[("Path", "/a"), ("Redirect", "/$1")],
            "Redirect",
            "write $0 for the whole path, or let a Prefix or a Pattern capture something",
        ),
        (&[("Pattern", "^/(a)(b)"), ("Rewrite", "/$3")], "Rewrite", "write one of $0 to $2"),
        (
            &[("Path", "/a"), ("Rewrite", "https://b.example/")],
            "Rewrite",
            "write a path such as /new/$1, or Redirect in the place of Rewrite",
        ),
        (
            &[("Path", "/a"), ("Redirect", "/b"), ("StatusCode", "303")],
            "StatusCode",
            "write 301, 302, 307 or 308",
        ),
        (&[("Www", "Ad"), ("Hosts:0", "a.example")], "Www", "write Add or Remove"),
        (&[("Www", "Add")], "Www", "list them: Rewrite:Rules:0:Hosts"),
        (&[("Https", "true")], "Https", "list them: Rewrite:Rules:0:Hosts"),
        (&[("Www", "Add"), ("Hosts:0", "www.a.example")], "Www", "write a.example"),
        (
            &[("Www", "Add"), ("Hosts:0", "a.example"), ("Path", "/a")],
            "Www",
            "remove Path, Prefix or Pattern beside it",
        ),
        (
            &[("Www", "Add"), ("Hosts:0", "a.example:80")],
            "Hosts:0",
            "write a name such as www.example.com",
        ),
    ] {
        let settings: Vec<_> =
            rule.iter().map(|(key, value)| (format!("0:{key}"), *value)).collect();
        let settings: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let (_, problems) = read_of(&settings);
        let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).collect();
        let problem = errors.first().unwrap_or_else(|| panic!("{rule:?}: {problems:?}"));
        // That no rule is left is a consequence.
        assert_eq!(errors.len(), problems.len(), "{problems:?}");
        assert_eq!(problem.fix.as_deref(), Some(fix), "{rule:?}");
        assert_eq!(problem.key.as_deref(), Some(&*format!("Rewrite:Rules:0:{key}")), "{rule:?}");
        assert!(problem.origin.is_some(), "{rule:?}");
    }
}

#[test]
fn what_changes_nothing_is_warned_of() {
    for (settings, key) in [
        (
            &[("0:Path", "/a"), ("0:Rewrite", "/b"), ("0:StatusCode", "301")][..],
            "Rewrite:Rules:0:StatusCode",
        ),
        (
            &[("0:Path", "/a"), ("0:Redirect", "/b"), ("0:SkipRemainingRules", "true")],
            "Rewrite:Rules:0:SkipRemainingRules",
        ),
        (
            &[("0:Path", "/a"), ("0:Redirect", "/b"), ("1:Path", "/b"), ("1:Redirect", "/a")],
            "Rewrite:Rules:0:Redirect",
        ),
        (&[], "Rewrite:Enabled"),
    ] {
        let (_, problems) = read_of(settings);
        let [problem] = &problems[..] else { panic!("{settings:?}: {problems:?}") };
        assert!(!problem.is_error());
        assert_eq!(problem.key.as_deref(), Some(key));
    }
}

#[test]
fn a_rule_with_a_misspelled_key_is_for_no_request_at_all() {
    for (settings, key, fix) in [
        (
            &[("0:Pth", "/a"), ("0:Redirect", "/b")][..],
            "Rewrite:Rules:0:Pth",
            "did you mean Rewrite:Rules:0:Path?",
        ),
        (
            &[("0:From", "/a"), ("0:Redirect", "/b")],
            "Rewrite:Rules:0:From",
            "remove it; a rule has Path, Prefix, Pattern, Redirect,",
        ),
        (
            &[("0:Path", "/a"), ("0:Redirect", "/b"), ("0:Host:0", "a.example")],
            "Rewrite:Rules:0:Host",
            "did you mean Rewrite:Rules:0:Hosts?",
        ),
        (
            &[("0:Path:0", "/a"), ("0:Path:1", "/c"), ("0:Redirect", "/b")],
            "Rewrite:Rules:0:Path",
            "write one text, and a rule for each path",
        ),
        (
            &[("0:Path", "/a"), ("0:Redirct", "/b")],
            "Rewrite:Rules:0:Redirct",
            "did you mean Rewrite:Rules:0:Redirect?",
        ),
        (&[("Path", "/a"), ("Redirect", "/b")], "Rewrite:Rules", "write a list, also of one rule"),
    ] {
        let (read, problems) = read_of(settings);
        assert!(read.is_none(), "{settings:?}");
        let [problem] = &problems[..] else { panic!("{settings:?}: {problems:?}") };
        assert!(problem.is_error() && problem.key.as_deref() == Some(key), "{problem:?}");
        assert!(problem.fix.as_deref().unwrap_or_default().starts_with(fix), "{problem:?}");
    }
}
