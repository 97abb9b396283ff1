//! What rules make of requests.

use super::*;

fn rule(paths: Paths, action: Action) -> Rule {
    Rule { hosts: Vec::new(), paths, action }
}

fn exactly(path: &str) -> Paths {
    Paths::Exactly(path.to_owned())
}

fn below(path: &str) -> Paths {
    Paths::Below(path.to_owned())
}

fn like(pattern: &str) -> Paths {
    Paths::Like(Pattern::new(pattern).unwrap())
}

fn redirect(to: &str) -> Action {
    Action::Redirect(Target::parse(to).unwrap(), StatusCode::TEMPORARY_REDIRECT)
}

fn rewrite(to: &str) -> Action {
    Action::Rewrite { to: Target::parse(to).unwrap(), last: false }
}

/// What becomes of a request: nothing, a location, or what is asked for behind `asks`.
fn decided(rules: &[Rule], url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let path = decoded_path(path);
    let is_https = scheme == "https";
    let asked = Asked { is_https, host, base: "/base", path: &path, query };
    match decide(rules, &asked) {
        Decided::Stays => String::new(),
        Decided::Asks(path, query) => format!("asks {path}{query}"),
        Decided::Goes(_, location) => location,
    }
}

#[test]
fn paths_are_told_apart() {
    for (paths, path, expected) in [
        (exactly("/a"), "/a", Some("$0=/a")),
        (exactly("/a"), "/a/", None),
        (exactly("/a"), "/A", None),
        (exactly("/a b"), "/a%20b", Some("$0=/a b")),
        (below("/a"), "/a", Some("$0=/a $1=")),
        (below("/a"), "/a/", Some("$0=/a/ $1=")),
        (below("/a"), "/a/b/c", Some("$0=/a/b/c $1=b/c")),
        (below("/a"), "/ab", None),
        (below(""), "/b", Some("$0=/b $1=b")),
        (like("^/([a-z]+)/([0-9]+)$"), "/a/12", Some("$0=/a/12 $1=a $2=12")),
        (like("^/([a-z]+)/([0-9]+)$"), "/a/12/", None),
        (like("(?i)^/A(b)?"), "/a", Some("$0=/a $1=")),
        (Paths::All, "/x", Some("$0=/x")),
    ] {
        let path = decoded_path(path);
        let captured = paths.captured(&path);
        let told = captured.map(|captured| {
            let number = |at| format!("${at}={}", captured.get(at));
            (0..paths.captures()).map(number).collect::<Vec<_>>().join(" ")
        });
        assert_eq!(told.as_deref(), expected, "{paths:?} {path}");
    }
}

#[test]
fn rules_go_down_the_list_once() {
    let last = Action::Rewrite { to: Target::parse("/end").unwrap(), last: true };
    let rules = [
        rule(exactly("/c"), rewrite("/never")),
        rule(exactly("/a"), rewrite("/b?x=1")),
        rule(exactly("/b"), rewrite("/c")),
        rule(exactly("/stop"), last),
        rule(exactly("/end"), redirect("/never")),
        rule(below("/old"), redirect("/new/$1")),
        rule(exactly("/r"), rewrite("/old/r")),
    ];
    for (url, expected) in [
        ("http://h/a?y=2", "asks /c?y=2&x=1"),
        ("http://h/b", "asks /c"),
        ("http://h/c", "asks /never"),
        ("http://h/stop", "asks /end"),
        ("http://h/end", "/base/never"),
        ("http://h/old/a%20b?q", "/base/new/a%20b?q"),
        ("http://h/r", "asks /old/r"),
        ("http://h/other", ""),
    ] {
        assert_eq!(decided(&rules, url), expected, "{url}");
    }
}

#[test]
fn nobody_is_sent_to_where_he_is() {
    let here = [rule(Paths::All, redirect("/here"))];
    assert_eq!(decided(&here, "http://h/here"), "");
    assert_eq!(decided(&here, "http://h/here?q"), "");
    assert_eq!(decided(&here, "http://h/%68ere"), "");
    assert_eq!(decided(&here, "http://h/there"), "/base/here");
    let host = [rule(Paths::All, redirect("https://h/base/here"))];
    assert_eq!(decided(&host, "https://H:443/here"), "");
    assert_eq!(decided(&host, "https://h:8443/here"), "https://h/base/here");
    assert_eq!(decided(&host, "http://h/here"), "https://h/base/here");
}

#[test]
fn hosts_slashes_and_schemes_are_changed_as_they_are_written() {
    let status = StatusCode::PERMANENT_REDIRECT;
    let of = |action| Rule { hosts: vec!["a.example".to_owned()], paths: Paths::All, action };
    for (action, url, expected) in [
        (
            Action::Www(Change::Add, status),
            "http://A.example:80/x?y",
            "http://www.a.example/base/x?y",
        ),
        (Action::Www(Change::Add, status), "https://a.example/", "https://www.a.example/base/"),
        (Action::Www(Change::Add, status), "http://www.a.example/", ""),
        (Action::Www(Change::Add, status), "http://evil.example/", ""),
        (Action::Www(Change::Remove, status), "http://WWW.a.example/x", "http://a.example/base/x"),
        (Action::Www(Change::Remove, status), "http://www.evil.example/x", ""),
        (Action::Https(status), "http://a.example:5000//x", "https://a.example/base//x"),
        (Action::Https(status), "https://a.example/", ""),
        (Action::Https(status), "http://evil.example/", ""),
        (Action::Slash(Change::Add, status), "http://a.example/x?y", "/base/x/?y"),
        (Action::Slash(Change::Add, status), "http://a.example/x.css", ""),
        (Action::Slash(Change::Add, status), "http://a.example/x/", ""),
        (Action::Slash(Change::Add, status), "http://a.example//evil", "/base/evil/"),
        (Action::Slash(Change::Remove, status), "http://a.example/x/", "/base/x"),
        (Action::Slash(Change::Remove, status), "http://a.example/", ""),
        (
            Action::Slash(Change::Remove, status),
            "http://a.example//evil.example//",
            "/base/evil.example",
        ),
        (Action::Slash(Change::Remove, status), "http://b.example/x/", ""),
        (redirect("/y"), "http://a.example:99/x", "/base/y"),
        (redirect("/y"), "http://b.example/x", ""),
    ] {
        assert_eq!(decided(&[of(action.clone())], url), expected, "{action:?} {url}");
    }
}

#[test]
fn circles_are_found() {
    for (rules, expected) in [
        (vec![rule(exactly("/a"), redirect("/b")), rule(exactly("/b"), redirect("/a"))], Some(0)),
        (vec![rule(below("/a"), redirect("/a/b/$1"))], Some(0)),
        (vec![rule(exactly("/a"), redirect("/b?x")), rule(Paths::All, redirect("/c?$0"))], Some(0)),
        (vec![rule(exactly("/a"), redirect("/b")), rule(exactly("/b"), redirect("/c"))], None),
        (vec![rule(Paths::All, redirect("/a"))], None),
        (vec![rule(below("/a"), redirect("https://b.example/a/$1"))], None),
        (vec![rule(below("/a"), rewrite("/a/b/$1"))], None),
    ] {
        assert_eq!(endless(&rules), expected, "{rules:?}");
    }
}

#[test]
fn a_pattern_takes_no_more_time_than_the_path_is_long() {
    // What makes engines that try again take for ever.
    let rules =
        [rule(like("^/(a+)+$"), redirect("/b")), rule(like("(.*)*(.*)*x$"), redirect("/b"))];
    let path = format!("http://h/{}!", "a".repeat(8000));
    let begin = std::time::Instant::now();
    assert_eq!(decided(&rules, &path), "");
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
    for text in ["(", "a{1000}{1000}", "[", "(?P<>x)", &"(".repeat(100)] {
        assert!(Pattern::new(text).is_err(), "{text}");
    }
}
