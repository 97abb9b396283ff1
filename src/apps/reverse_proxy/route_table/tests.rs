use http::HeaderName;
use proptest::prelude::*;

use super::super::options::{HeaderCondition, HeaderMode, Metadata, QueryCondition, QueryMode};
use super::super::transform_options::Transforms;
use super::*;

/// A route of words: a path, `host=..`, `method=..`, `order=..`, `header=..` and `query=..` (which have to
/// exist).
fn route(text: &str) -> RouteOptions {
    let mut route = RouteOptions {
        id: text.to_owned(),
        order: 0,
        cluster: None,
        matching: RouteMatch::default(),
        timeout: None,
        timeout_policy: None,
        rate_limiter_policy: None,
        cors_policy: None,
        max_request_body_size: None,
        metadata: Metadata::default(),
        transforms: Transforms::default(),
    };
    let matching = &mut route.matching;
    for word in text.split(' ') {
        match word.split_once('=') {
            Some(("host", name)) => matching.hosts.push(host(name)),
            Some(("method", name)) => matching.methods.push(name.parse().unwrap()),
            Some(("order", number)) => route.order = number.parse().unwrap(),
            Some(("header", name)) => matching.headers.push(HeaderCondition {
                name: name.parse::<HeaderName>().unwrap(),
                mode: HeaderMode::Exists,
                values: Vec::new(),
                is_case_sensitive: false,
            }),
            Some(("query", name)) => matching.query.push(QueryCondition {
                name: name.to_owned(),
                mode: QueryMode::Exists,
                values: Vec::new(),
                is_case_sensitive: false,
            }),
            _ => matching.path = Some(Template::parse(word).unwrap()),
        }
    }
    route
}

fn host(text: &str) -> HostPattern {
    let (name, port) = host_and_port(text);
    let name = match name {
        "*" => HostName::Any,
        name => match name.strip_prefix("*.") {
            Some(name) => HostName::Below(name.into()),
            None => HostName::Exactly(name.into()),
        },
    };
    HostPattern { name, port }
}

/// What becomes of a request of words: method, URL without its scheme, headers. Routes are told by their place.
fn found(table: &RouteTable, text: &str) -> String {
    let (asked, headers) = (text.split(' ').collect::<Vec<_>>(), HeaderMap::new());
    told(table, &asked, headers).0
}

fn told(table: &RouteTable, words: &[&str], mut headers: HeaderMap) -> (String, usize) {
    let [method, url, rest @ ..] = words else { panic!("{words:?}") };
    for name in rest {
        headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static("1"));
    }
    let url = url.strip_prefix("https://").unwrap_or(url);
    let (target, query) = url.split_once('?').unwrap_or((url, ""));
    let path = target.find('/').unwrap();
    let method: Method = method.parse().unwrap();
    let asked = Asked {
        method: &method,
        path: &target[path..],
        query,
        headers: &headers,
        host: &target[..path],
        is_https: words[1].starts_with("https"),
    };
    let steps = table.search(asked).steps;
    let told = match table.find(asked) {
        Found::Route(route) => route.to_string(),
        Found::MethodNotAllowed(allow) => format!("405 {}", allow.to_str().unwrap()),
        Found::Nothing => "404".to_owned(),
        Found::Ambiguous(routes) => format!("500 {routes:?}"),
    };
    (told, steps)
}

fn table(routes: &[&str]) -> RouteTable {
    let routes: Vec<_> = routes.iter().map(|it| route(it)).collect();
    RouteTable::new(&routes)
}

#[test]
fn requests_find_their_routes() {
    for (routes, cases) in [
        (
            &["/one/Two"][..],
            &[
                ("GET /one/Two", "0"),
                ("GET /ONE/two/", "0"),
                ("GET /one/Two/x", "404"),
                ("GET /one", "404"),
                ("GET /one//Two", "404"),
                ("GET /", "404"),
            ][..],
        ),
        (&["/u/{id?}"], &[("GET /u", "0"), ("GET /u/5", "0"), ("GET /u/5/6", "404")]),
        (
            &["/i/{v:int}", "/o/{v:int?}", "/f/{name}.{ext}"],
            &[
                ("GET /i/5", "0"),
                ("GET /i/x", "404"),
                ("GET /o", "1"),
                ("GET /o/x", "404"),
                ("GET /f/a.b.c", "2"),
                ("GET /f/a", "404"),
            ],
        ),
        (
            &["/a/{**r}", "/b/{x}/{y}"],
            &[
                ("GET /a//x", "0"),
                ("GET //a/x", "404"),
                ("GET /b//y", "404"),
                ("GET /a/x//", "0"),
                ("GET /a", "0"),
            ],
        ),
        (
            &["/a/{x}", "/a/b/c"],
            &[("GET /a/b%2Fc", "0"), ("GET /a/b/c", "1"), ("GET /a%2Fb", "404")],
        ),
        (&["/{x}/end", "/start/{y}"], &[("GET /start/end", "1"), ("GET /q/end", "0")]),
        (&["/a/{x=1}/{y=2}"], &[("GET /a", "0"), ("GET /a/5", "0"), ("GET /a/5/6", "0")]),
        (
            &["/{**r:file}", "/{**r:nonfile}"],
            &[("GET /a.js", "0"), ("GET /a.b/c", "1"), ("GET /", "1")],
        ),
        (&["/a/{**r:regex(^x)}", "/a/{**r}"], &[("GET /a/x1/y", "0"), ("GET /a/y", "1")]),
        (
            &["/{**r} order=-1", "/x", "/y order=-2"],
            &[("GET /x", "0"), ("GET /y", "2"), ("GET /z", "0")],
        ),
        (&["/{**r}", "/x order=1"], &[("GET /x", "0")]),
        (&["/x", "/x"], &[("GET /x", "500 [0, 1]"), ("GET /y", "404")]),
        (&["/x order=1", "/x order=0"], &[("GET /x", "1")]),
        (
            &["/{**r} host=a.test", "/{**r} host=a.test host=b.test"],
            &[("GET a.test/x", "500 [0, 1]"), ("GET b.test/x", "1")],
        ),
        (
            &["host=a.test"],
            &[("GET a.test/", "0"), ("GET a.test/x/y", "0"), ("GET b.test/", "404")],
        ),
    ] {
        let table = table(routes);
        for (request, expected) in cases {
            assert_eq!(found(&table, request), *expected, "{routes:?} {request}");
        }
    }
}

#[test]
fn hosts_methods_and_conditions_choose() {
    for (routes, cases) in [
        (
            &[
                "/{**all}",
                "/{**all} host=*.a.test",
                "/{**all} host=x.a.test",
                "/{**all} host=x.a.test:8080",
                "/{**all} host=*:8080",
                "/{**all} host=*.a.test:8080",
            ][..],
            &[
                ("GET x.a.test:8080/", "3"),
                ("GET X.A.test/", "2"),
                ("GET y.a.test/", "1"),
                ("GET y.z.a.test:8080/", "5"),
                ("GET z.test:8080/", "4"),
                ("GET a.test/", "0"),
                ("GET .a.test/", "1"),
                ("GET xa.test/", "0"),
                ("GET /", "0"),
            ][..],
        ),
        (&["/{**r} host=*"], &[("GET x.test/", "0"), ("GET /", "0")]),
        (&["/{**r} host=*", "/{**r}"], &[("GET x.test/", "0")]),
        (&["/{**r} host=a.test host=*.test"], &[("GET a.test/", "0"), ("GET b.test/", "0")]),
        (
            &["/{**r} host=[::1]", "/{**r} host=[::1]:8080"],
            &[
                ("GET [::1]/", "0"),
                ("GET [::1]:8080/", "1"),
                ("GET [::1]:81/", "0"),
                ("GET [::2]/", "404"),
            ],
        ),
        (
            &["/{**r} host=a.test:443", "/{**r} host=a.test:80"],
            &[("GET https://a.test/", "0"), ("GET a.test/", "1"), ("GET a.test:81/", "404")],
        ),
        (&["/{**r} host=example.test"], &[("GET example.test./", "404")]),
        (
            &["/x method=GET method=POST"],
            &[("GET /x", "0"), ("get /x", "0"), ("HEAD /x", "405 GET, POST"), ("PUT /y", "404")],
        ),
        (
            &["/x method=GET", "/x method=POST", "/x"],
            &[("GET /x", "0"), ("POST /x", "1"), ("PUT /x", "2")],
        ),
        (
            &["/x method=GET", "/x method=POST", "/{y} method=DELETE"],
            &[("PUT /x", "405 DELETE, GET, POST"), ("DELETE /x", "2"), ("GET /z", "405 DELETE")],
        ),
        (
            &["/x method=GET method=POST", "/x method=GET"],
            &[("GET /x", "500 [0, 1]"), ("POST /x", "0")],
        ),
        (&["/x method=GET host=a.test"], &[("GET b.test/x", "404"), ("PUT b.test/x", "405 GET")]),
        (
            &["/{**a}", "/{**a} header=x-k", "/{**a} header=x-k header=x-l"],
            &[("GET /", "0"), ("GET / x-k", "1"), ("GET / x-k x-l", "2"), ("GET / x-l", "0")],
        ),
        (
            &["/{**a} header=x-k", "/{**a} header=x-l"],
            &[("GET / x-k x-l", "500 [0, 1]"), ("GET / x-k", "0"), ("GET /", "404")],
        ),
        (
            &["/x", "/x query=k", "/x query=k query=l", "/x header=x-k"],
            &[
                ("GET /x", "0"),
                ("GET /x?k=1", "1"),
                ("GET /x?k=1&l=2", "2"),
                ("GET /x?k=1&l=2 x-k", "3"),
            ],
        ),
        // The most special host first, whatever order and path say.
        (
            &["/{**r} host=x.a.test order=1", "/x host=*.a.test", "/{**r} host=*.test"],
            &[
                ("GET x.a.test/x", "0"),
                ("GET y.a.test/x", "1"),
                ("GET y.a.test/y", "2"),
                ("GET y.test/x", "2"),
            ],
        ),
        (
            &["/{**r} host=*.test", "/{**r} host=*.a.test"],
            &[("GET x.a.test/", "1"), ("GET y.test/", "0")],
        ),
        (
            &["/x host=*:8080", "/{**r} host=a.test"],
            &[("GET a.test:8080/x", "1"), ("GET b.test:8080/x", "0")],
        ),
        // What names no host stands beside all.
        (
            &["/x", "/{**r} host=a.test"],
            &[("GET a.test/x", "0"), ("GET a.test/y", "1"), ("GET b.test/x", "0")],
        ),
        (
            &["/{**r} host=*", "/x host=a.test", "/{**r}"],
            &[("GET a.test/y", "0"), ("GET a.test/x", "1"), ("GET b.test/x", "0")],
        ),
        // Conditions and constraints are looked at behind the host, methods before.
        (
            &["/x host=a.test header=x-k", "/x host=*.test", "/x host=a.test"],
            &[("GET a.test/x", "2"), ("GET a.test/x x-k", "0"), ("GET b.test/x", "1")],
        ),
        (
            &["/{v:int} host=a.test", "/{**r} host=*.test"],
            &[("GET a.test/x", "404"), ("GET a.test/5", "0"), ("GET b.test/x", "1")],
        ),
        (
            &["/{**r} host=a.test method=GET", "/x host=*.test"],
            &[("GET a.test/x", "0"), ("PUT a.test/x", "1"), ("PUT a.test/y", "405 GET")],
        ),
        // Neither conditions nor constraints make a method one that is allowed.
        (&["/x/{v:int} method=GET"], &[("GET /x/a", "404"), ("PUT /x/a", "405 GET")]),
        // A route whose conditions do not hold leaves the request to one that is less special.
        (&["/x header=x-k", "/{y}"], &[("GET /x", "1"), ("GET /x x-k", "0")]),
    ] {
        let table = table(routes);
        for (request, expected) in cases {
            assert_eq!(found(&table, request), *expected, "{routes:?} {request}");
        }
    }
}

#[test]
fn a_thousand_routes_cost_what_ten_cost() {
    let by_path = |number: usize| (0..number).map(|it| format!("/api/s{it}/{{id}}/x")).collect();
    let by_host =
        |number: usize| (0..number).map(|it| format!("/{{**r}} host=h{it}.test")).collect();
    let below =
        |number: usize| (0..number).map(|it| format!("/{{**r}} host=*.h{it}.test")).collect();
    let by_both =
        |number: usize| (0..number).map(|it| format!("/a{it}/{{**r}} host=h{it}.test")).collect();
    type Kind<'a> = (&'a dyn Fn(usize) -> Vec<String>, &'a str);
    let kinds: [Kind<'_>; 4] = [
        (&by_path, "x.test/api/s7/5/x"),
        (&by_host, "h7.test/x/y"),
        (&below, "x.h7.test/x/y"),
        (&by_both, "h7.test/a7/x/y"),
    ];
    for (routes, url) in kinds {
        let steps = |number: usize| {
            let routes = routes(number);
            let table = table(&routes.iter().map(String::as_str).collect::<Vec<_>>());
            let (found, steps) = told(&table, &["GET", url], HeaderMap::new());
            assert_eq!(found, "7", "{url}");
            let (missing, of_missing) = told(&table, &["GET", "z.test/z"], HeaderMap::new());
            assert_eq!(missing, "404", "{url}");
            (steps, of_missing)
        };
        assert_eq!(steps(10), steps(1000), "{url}");
    }
}

/// A segment of a template, and one of a path.
fn segments() -> (impl Strategy<Value = String>, impl Strategy<Value = String>) {
    let of_template = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "A"]).prop_map(str::to_owned),
        3 => Just("{}".to_owned()),
        1 => Just("{:int}".to_owned()),
        1 => Just("x{}".to_owned()),
        1 => Just("{=7}".to_owned()),
    ];
    let of_path = prop::sample::select(vec!["a", "b", "B", "7", "x7", "", "q"]);
    (of_template, of_path.prop_map(str::to_owned))
}

/// A template whose parameters have names.
fn named(segments: &[String], has_rest: bool) -> String {
    let mut text = String::new();
    for (place, segment) in segments.iter().enumerate() {
        text.push('/');
        text.push_str(&segment.replace('{', &format!("{{p{place}")));
    }
    if has_rest {
        text.push_str("/{**rest}");
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// The tree finds what going through all templates finds.
    #[test]
    fn the_tree_finds_what_all_templates_find(
        templates in prop::collection::vec(
            (prop::collection::vec(segments().0, 0..4), any::<bool>()), 1..12),
        path in prop::collection::vec(segments().1, 0..5),
        ends_with_slash in any::<bool>(),
    ) {
        let path = format!("/{}{}", path.join("/"), if ends_with_slash { "/" } else { "" });
        let templates: Vec<_> = templates.iter().map(|(it, rest)| named(it, *rest)).collect();
        let table = table(&templates.iter().map(String::as_str).collect::<Vec<_>>());
        let parsed = templates.iter().map(|it| Template::parse(it).unwrap());
        let mut like: Vec<_> = parsed
            .enumerate()
            .filter(|(_, it)| it.values(&path).is_some())
            .map(|(place, it)| (it.precedence(), place))
            .collect();
        like.sort();
        let best: Vec<_> =
            like.iter().filter(|it| it.0 == like[0].0).map(|(_, place)| *place).collect();
        let expected = match &*best {
            [] => "404".to_owned(),
            [one] => one.to_string(),
            several => format!("500 {several:?}"),
        };
        let (mut told, _) = told(&table, &["GET", &path], HeaderMap::new());
        if let Some(list) = told.strip_prefix("500 [") {
            let mut places: Vec<usize> =
                list.trim_end_matches(']').split(", ").map(|it| it.parse().unwrap()).collect();
            places.sort_unstable();
            told = format!("500 {places:?}");
        }
        prop_assert_eq!(told, expected, "{:?} {}", templates, path);
    }

    #[test]
    fn no_host_is_a_surprise(text in "[a-z0-9.:*\\[\\]\u{e9}]{0,12}") {
        let (name, port) = host_and_port(&text);
        prop_assert!(text.starts_with(name));
        prop_assert_eq!(port.is_some(), name.len() < text.len());
    }
}
