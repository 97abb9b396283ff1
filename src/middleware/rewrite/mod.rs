//! Sends requests elsewhere by rules, or lets them ask for something else (`Rewrite`).

mod rule;
mod target;

use std::sync::Arc;

use axum::body::Body;
use http::header::{CONTENT_LENGTH, LOCATION};
use http::{HeaderValue, StatusCode};

pub(crate) use self::rule::{Action, Change, Paths, Pattern, Rule, endless};
use self::rule::{Asked, Decided, decide};
pub(crate) use self::target::{NoTarget, Target};
use crate::diagnostics::events;
use crate::features::{EffectiveRequest, Reexecution, RequestTarget, change_target};
use crate::pipeline::{Enter, Request, Response, Stage};

/// Goes through the rules for each request. (What `RewriteMiddleware` is in ASP.NET Core.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewrite(pub(crate) Arc<[Rule]>);

impl Stage for Rewrite {
    fn enter(&self, request: &mut Request) -> Enter {
        // A page for a failure was asked for by its name.
        if Reexecution::of(request).is_some() {
            return Enter::Next;
        }
        let (target, meant) = (RequestTarget::of(request), EffectiveRequest::of(request));
        let (path, base) = (target.lent_path(), meant.escaped_path_base());
        let asked = Asked {
            is_https: meant.is_https(),
            host: meant.host(),
            base: &base,
            path: &path,
            query: target.query(),
        };
        match decide(&self.0, &asked) {
            Decided::Stays => Enter::Next,
            Decided::Asks(path, query) => {
                events::rewritten(&path);
                change_target(request, &path, &query);
                Enter::Next
            }
            Decided::Goes(status, location) => {
                events::redirected_by_rule(&location, status.as_u16());
                Enter::Answer(redirection(status, &location))
            }
        }
    }
}

fn redirection(status: StatusCode, location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    // What it is made of was escaped.
    let location = HeaderValue::try_from(location).ok();
    headers.extend(location.map(|location| (LOCATION, location)));
    *response.status_mut() = status;
    response
}

/// Checks what any rule makes of any request: a pattern, a target and what is asked for, each on a line.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(input: &[u8]) {
    use crate::features::decoded_path;
    use http::uri::PathAndQuery;

    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines: Vec<_> = text.splitn(3, '\n').collect();
    let [pattern, target, asked] = lines[..] else { return };
    let (Ok(pattern), Ok(target)) = (Pattern::new(pattern), Target::parse(target)) else { return };
    if asked.parse::<PathAndQuery>().is_err() {
        return;
    }
    let (path, query) = asked.split_at(asked.find('?').unwrap_or(asked.len()));
    let path = decoded_path(path);
    let asked = Asked { is_https: true, host: "a.example", base: "", path: &path, query };
    let status = StatusCode::FOUND;
    for action in [
        Action::Redirect(target.clone(), status),
        Action::Rewrite { to: target, last: false },
        Action::Slash(Change::Add, status),
        Action::Slash(Change::Remove, status),
    ] {
        let origin = match &action {
            Action::Redirect(target, _) => target.origin().map(str::to_owned),
            _ => None,
        };
        let rule = Rule { hosts: Vec::new(), paths: Paths::Like(pattern.clone()), action };
        let leads_here = |path: &str| path.starts_with('/') && !path[1..].starts_with(['/', '\\']);
        match decide(std::slice::from_ref(&rule), &asked) {
            Decided::Stays => {}
            Decided::Asks(path, query) => {
                assert!(leads_here(&path), "{path}");
                assert!(format!("{path}{query}").parse::<PathAndQuery>().is_ok(), "{path}{query}");
                assert!(!decoded_path(&path).split('/').any(|it| it == ".."), "{path}");
            }
            Decided::Goes(_, location) => {
                assert!(location.bytes().all(|it| it.is_ascii_graphic()), "{location:?}");
                let behind = location.strip_prefix(origin.as_deref().unwrap_or_default());
                assert!(behind.is_some_and(leads_here), "{location}");
            }
        }
        endless(&[rule]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_request_leads_elsewhere_than_its_rule(
            pattern in "(\\^)?/?\\(?[a-z.*+?/\\\\]{0,6}\\)?\\(\\.\\*\\)",
            target in "(https://b\\.example)?/?[a-z$12/\\\\.?#%]{0,12}(\\$[012])?",
            asked in "/[a-z/\\\\.%0-9?&#]{0,30}",
        ) {
            check(format!("{pattern}\n{target}\n{asked}").as_bytes());
        }
    }
}
