use proptest::prelude::*;

use super::*;

fn template(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}"))
}

/// The values of a path, missing ones as `-`; `None` if it is not like the template.
fn values(text: &str, path: &str) -> Option<String> {
    let template = template(text);
    let values = template.values(path)?;
    assert!(template.is_like(path));
    let shown: Vec<_> = values.0.iter().map(|it| it.unwrap_or("-")).collect();
    Some(shown.join("|"))
}

#[test]
fn a_path_is_like_a_template_or_not() {
    for (text, cases) in [
        (
            "/one/Two",
            &[
                ("/one/Two", Some("")),
                ("/ONE/two/", Some("")),
                ("/one/Two/x", None),
                ("/one", None),
                ("/one//Two", None),
                ("/one/Two//", None),
                ("/", None),
                ("", None),
            ][..],
        ),
        ("", &[("/", Some("")), ("", Some("")), ("/x", None)]),
        ("one", &[("/one", Some(""))]),
        ("~/two", &[("/two", Some(""))]),
        ("/*", &[("/*", Some("")), ("/x", None)]),
        ("/\u{c9}t\u{e9}", &[("/\u{e9}T\u{e9}", Some("")), ("/ete", None)]),
        (
            "/api/{*rest}",
            &[
                ("/api", Some("-")),
                ("/api/", Some("-")),
                ("/api/x/y/", Some("x/y/")),
                ("/api//x", Some("/x")),
                ("/api/x//", Some("x//")),
                ("/apis", None),
                ("//api/x", None),
            ],
        ),
        ("/{**rest}", &[("/", Some("-")), ("//", Some("/")), ("/x", Some("x"))]),
        (
            "/u/{id}",
            &[
                ("/u/5", Some("5")),
                ("/u/5/", Some("5")),
                ("/u/", None),
                ("/u", None),
                ("/u//", None),
                ("/u/5/6", None),
                ("/u/a%2Fb", Some("a%2Fb")),
                ("/u/a b", Some("a b")),
            ],
        ),
        (
            "/u/{id?}",
            &[("/u", Some("-")), ("/u/", Some("-")), ("/u/5", Some("5")), ("/u/5/6", None)],
        ),
        ("/o/{v:int?}", &[("/o", Some("-")), ("/o/5", Some("5")), ("/o/x", None)]),
        ("/a/{x=1}/{y=2}", &[("/a", Some("1|2")), ("/a/5", Some("5|2")), ("/a/5/6", Some("5|6"))]),
        ("/{a?}/b", &[("/1/b", Some("1")), ("/b", None)]),
        ("/d/{x=1}/e", &[("/d/5/e", Some("5")), ("/d/e", None)]),
        ("/d/{x=1}/{**r}", &[("/d", Some("1|-")), ("/d/2/3/4", Some("2|3/4"))]),
        (
            "/f/{name}.{ext}",
            &[
                ("/f/a.b", Some("a|b")),
                ("/f/a.b.c", Some("a.b|c")),
                ("/f/a", None),
                ("/f/.b", None),
            ],
        ),
        ("/p/pre-{x}", &[("/p/PRE-1", Some("1")), ("/p/pre-", None), ("/p/x", None), ("/p", None)]),
        ("/p/{x}-post", &[("/p/1-post", Some("1")), ("/p/-post", None), ("/p/1-posted", None)]),
        (
            "/o/{name}.{ext?}",
            &[
                ("/o/a", Some("a|-")),
                ("/o/a.b", Some("a|b")),
                ("/o/a.", None),
                ("/o/.b", Some(".b|-")),
            ],
        ),
        ("/{a}x{b}.{c?}", &[("/1x2.3", Some("1|2|3")), ("/1.3x2", Some("1.3|2|-"))]),
        ("/{a:int}-{b:alpha}", &[("/1-x", Some("1|x")), ("/x-1", None)]),
        ("/\u{e9}{a}\u{e9}", &[("/\u{e9}\u{e8}\u{e9}", Some("\u{e8}")), ("/\u{e9}\u{e9}", None)]),
        ("/x/{{lit}}", &[("/x/{lit}", Some(""))]),
        ("/s/{v:regex(^\\d{{3}}$)}", &[("/s/123", Some("123")), ("/s/12", None)]),
        ("/s/{v:regex(^(a|b)x:=$)=ax:=}", &[("/s/bx:=", Some("bx:=")), ("/s", Some("ax:="))]),
        ("/a/{**r:regex(^x)}", &[("/a/x1/y", Some("x1/y")), ("/a/y", None), ("/a", None)]),
        ("/{**r:nonfile}", &[("/", Some("-")), ("/a.b/c", Some("a.b/c")), ("/a/b.js", None)]),
        ("/two/{v:int:min(5)}", &[("/two/5", Some("5")), ("/two/4", None), ("/two/x", None)]),
        ("/{:a}", &[("/x", Some("x"))]),
    ] {
        for (path, expected) in cases {
            assert_eq!(values(text, path).as_deref(), *expected, "{text} {path}");
        }
    }
}

#[test]
fn what_can_be_no_template_is_told() {
    for (text, what) in [
        ("/{a", "there is a '{' without its '}'"),
        ("/{a}/{A}", "there are two parameters 'A'"),
        ("/{**a}/b", "'{**a}' is the rest of the path: nothing can stand behind it"),
        ("/{a:nosuch}", "of the parameter 'a', there is no constraint 'nosuch'"),
        ("/{a:int(5)}", "of the parameter 'a', 'int' cannot do with '5'"),
        ("/{}", "'' can be no name of a parameter"),
        ("/{a*}", "'a*' can be no name of a parameter"),
        ("/a//b", "there is nothing between two slashes"),
        ("//a", "there is nothing between two slashes"),
        ("/{a}{b}", "nothing stands between '{b}' and the parameter before it"),
        ("/a}b", "there is a '}' without its '{'"),
        (
            "/{a{b}",
            "in a parameter, '{' and '}' stand for themselves only if they are written twice",
        ),
        ("/x?a=1", "a '?' can be no part of a path"),
        ("~x", "a '~' stands before a '/' only"),
        ("/a-{**b}", "'{**b}' is the rest of the path, and no part of a segment"),
        ("/{**b?}", "'{**b?}' is the rest of the path, which may be empty anyhow"),
        ("/{b?=1}", "'b?' can be no name of a parameter"),
        ("/{b=1?}", "'{b=1?}' has a default: it is always there"),
        ("/{a?}.x", "'{a?}' is optional in the middle of a segment"),
        ("/x-{a?}", "'{a?}' is optional in the middle of a segment"),
    ] {
        let mistake = Template::parse(text).unwrap_err();
        assert_eq!(mistake.what, what, "{text}");
        assert!(!mistake.fix.is_empty(), "{text}");
    }
    assert!(Template::parse(&"/a".repeat(28)).is_ok());
    assert!(Template::parse(&"/a".repeat(29)).is_err());
    assert!(Template::parse("/a/").is_ok());
}

#[test]
fn what_is_more_special_stands_first() {
    let ordered = [
        "/",
        "/a",
        "/a/b",
        "/a/{b:int}",
        "/a/{b}",
        "/a/{b}/{c?}",
        "/a/{**b:file}",
        "/a/{**b}",
        "/{a}/b",
        "/{**a}",
    ];
    assert_eq!(template("/a/x{b}").precedence(), template("/a/{b:int}").precedence());
    for pair in ordered.windows(2) {
        let [left, right] = pair else { unreachable!() };
        assert!(template(left).precedence() < template(right).precedence(), "{left} {right}");
    }
}

/// Texts that look like templates.
fn some_template() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just("/".to_owned()),
            Just("{a}".to_owned()),
            Just("{b:int}".to_owned()),
            Just("{c?}".to_owned()),
            Just("{d=x}".to_owned()),
            Just("{**r}".to_owned()),
            Just("{{".to_owned()),
            Just(".".to_owned()),
            "[a-c\u{e9}{}?*:=()~.-]{1,3}",
        ],
        0..8,
    )
    .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_and_no_path_is_a_surprise(text in some_template(), path in "/[a-cX0-2\u{e9}./-]{0,8}") {
        let Ok(template) = Template::parse(&text) else { return Ok(()) };
        let values = template.values(&path);
        prop_assert_eq!(values.is_some(), template.is_like(&path));
        prop_assert!(template.precedence().len() <= 28);
    }

    #[test]
    fn a_path_of_texts_and_values_is_found_again(
        names in prop::collection::vec(("[a-z]{1,4}", "[a-z0-9%]{1,5}"), 1..6),
        rest in "([a-z]{1,3}/){0,2}[a-z]{1,3}",
    ) {
        let mut text = String::new();
        let mut path = String::new();
        for (place, (literal, value)) in names.iter().enumerate() {
            text.push_str(&format!("/{literal}/{{p{place}}}"));
            path.push_str(&format!("/{literal}/{value}"));
        }
        let template = Template::parse(&format!("{text}/{{**rest}}")).unwrap();
        let path = format!("{path}/{rest}");
        let values = template.values(&path).unwrap();
        for (place, (_, value)) in names.iter().enumerate() {
            prop_assert_eq!(values.get(Some(place)), Some(value.as_str()));
        }
        prop_assert_eq!(values.get(Some(names.len())), Some(rest.as_str()));
    }
}
