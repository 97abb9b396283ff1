//! What holds of every path, template, host and address, whatever is written.

use http::{HeaderMap, Method};

use super::options::{DestinationAddress, HostPattern, Metadata, RouteMatch, RouteOptions};
use super::path_pattern::PathPattern;
use super::route_table::{Asked, Found, RouteTable};
use super::template::Template;
use super::transform_options::Transforms;

/// Checks a path, and templates, a line each. The tree finds the routes that going through all templates finds; a
/// pattern builds a path of whatever values there are.
pub(crate) fn routes(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.split('\n');
    let path = format!("/{}", lines.next().unwrap_or_default());
    let templates: Vec<_> = lines.take(8).filter_map(|line| Template::parse(line).ok()).collect();
    for line in text.split('\n') {
        let _ = HostPattern::parse(line);
        if let Ok(address) = DestinationAddress::parse(line) {
            let target = format!("{}/x", address.base_path).parse::<http::uri::PathAndQuery>();
            assert!(address.authority.is_ascii() && target.is_ok(), "{line}");
        }
    }
    let mut like = Vec::new();
    for (place, template) in templates.iter().enumerate() {
        let values = template.values(&path);
        assert_eq!(values.is_some(), template.is_like(&path), "{} {path}", template.text());
        let Some(values) = values else { continue };
        like.push((template.precedence(), place));
        for pattern in &templates {
            if let Ok(built) = PathPattern::parse(pattern.text(), Some(template)) {
                assert!(built.build(&values).starts_with('/'), "{}", pattern.text());
            }
        }
    }
    like.sort();
    let best: Vec<_> = like.iter().filter(|it| it.0 == like[0].0).map(|it| it.1).collect();
    let routes: Vec<_> = templates.into_iter().map(route).collect();
    let (method, headers) = (Method::GET, HeaderMap::new());
    let asked = Asked {
        method: &method,
        path: &path,
        query: "",
        headers: &headers,
        host: "",
        is_https: false,
    };
    let found = match RouteTable::new(&routes).find(asked) {
        Found::Route(place) => vec![place],
        Found::Ambiguous(mut places) => {
            places.sort_unstable();
            places
        }
        Found::Nothing | Found::MethodNotAllowed(_) => Vec::new(),
    };
    assert_eq!(found, best, "{path}");
}

fn route(template: Template) -> RouteOptions {
    RouteOptions {
        id: String::new(),
        order: 0,
        cluster: None,
        matching: RouteMatch { path: Some(template), ..RouteMatch::default() },
        timeout: None,
        timeout_policy: None,
        rate_limiter_policy: None,
        cors_policy: None,
        max_request_body_size: None,
        metadata: Metadata::default(),
        transforms: Transforms::default(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[test]
    fn they_hold_of_a_segment_that_could_be_empty() {
        super::routes(b"/\n.{g?}/");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

        #[test]
        fn they_hold_of_what_looks_like_templates(
            text in "[a-b/.1\u{e9}%]{0,8}(\n(/|[a-bA\u{e9}.1]|\\{[a-c]\\}|\\{[d-f]:int\\}|\\{[g-i]\\?\\}|\\{[j-l]=1\\}|\\{\\*\\*r\\}){0,7}){1,6}",
        ) {
            super::routes(text.as_bytes());
        }
    }
}
