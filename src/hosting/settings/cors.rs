//! Which pages of other origins may read answers.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};

use super::limits::span;
use super::lists::{self, List};
use super::parse::{read_boolean, read_with, shown};
use super::route_policies::{self, named_by_routes};
use super::switched::Switched;
use crate::configuration::text::Span;
use crate::configuration::{Configuration, Origin, Problem, Setting, Sourced};
use crate::middleware::{
    Allowed, Cors, CorsPolicy, OriginCheck, OriginPattern, Origins, PathRules, in_ascii,
};

const ENABLED: &str = "Cors:Enabled";
const DEFAULT: &str = "Cors:DefaultPolicyName";

/// The policy that counts, if no name is set.
const DEFAULT_NAME: &str = "default";

/// What code says of pages of other origins.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeCors {
    /// Policies, each with what is asked about origins.
    pub(crate) checks: Vec<(String, OriginCheck)>,
    /// Paths, each with the policy of its own; `None` is that nothing is told.
    pub(crate) paths: Vec<(String, Option<String>)>,
}

const CHECKED: Origin = Origin::Code("cors_origins");
const WITH_POLICY: Origin = Origin::Code("cors_policy");
const WITHOUT: Origin = Origin::Code("without_cors");

/// A policy, its name, and what it says in words.
struct Named {
    name: String,
    policy: CorsPolicy,
    words: Vec<Sourced<String>>,
}

/// Reads the section, with what code says: the policies that count, if it is on and there are some. All are judged.
pub(super) fn read(
    configuration: &Configuration,
    code: &CodeCors,
    problems: &mut Vec<Problem>,
) -> Option<Switched<Cors>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let policies = policies(configuration, code, problems);
    if configuration.setting(ENABLED).is_none() {
        problems.extend(idle(code));
    }
    let of_routes = named_by_routes(configuration, "CorsPolicy");
    let of_routes = policies.iter().filter(|it| route_policies::has(&of_routes, &it.name));
    let by_name: Vec<_> = of_routes.map(|it| (it.name.clone(), it.policy.clone())).collect();
    let is_needed = on && code.paths.is_empty() && by_name.is_empty();
    let default = default(configuration, &policies, problems, is_needed);
    let mut words = default.map_or_else(Vec::new, |it| it.words.clone());
    let mut paths = Vec::new();
    for (path, policy) in code.paths.iter().filter(|_| on) {
        match of_path(path, policy.as_deref(), &policies) {
            Ok(policy) => {
                words.push(match policy {
                    Some(it) => Sourced::new(format!("{} for {path}", it.name), WITH_POLICY),
                    None => Sourced::new(format!("nothing for {path}"), WITHOUT),
                });
                paths.push((path.clone(), policy.map(|it| it.policy.clone())));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if default.is_none() && paths.is_empty() && by_name.is_empty() {
        return None;
    }
    let default = default.map(|it| it.policy.clone());
    let cors = Cors { default, paths: Arc::new(PathRules::new(paths)), by_name };
    Switched::by(configuration, ENABLED, on, cors).map(|it| it.shown(words))
}

/// All policies of the section, and those that only code knows.
fn policies(
    configuration: &Configuration,
    code: &CodeCors,
    problems: &mut Vec<Problem>,
) -> Vec<Named> {
    let section = |name: &str| format!("Cors:Policies:{name}");
    let listed = configuration.section("Cors:Policies").children();
    let mut names: Vec<_> = listed.iter().map(|it| it.name().to_owned()).collect();
    for (name, _) in &code.checks {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.clone());
        }
    }
    let named = |name: String| {
        let is_it = |(of, _): &&(String, OriginCheck)| of.eq_ignore_ascii_case(&name);
        let check = code.checks.iter().rev().find(is_it).map(|(_, check)| check.clone());
        let (policy, words) = policy(configuration, &section(&name), check, problems);
        Named { name, policy, words }
    };
    names.into_iter().map(named).collect()
}

/// The policy that counts where no other does.
fn default<'a>(
    configuration: &Configuration,
    policies: &'a [Named],
    problems: &mut Vec<Problem>,
    is_needed: bool,
) -> Option<&'a Named> {
    let named = configuration.non_empty(DEFAULT);
    let name = named.as_ref().map_or(DEFAULT_NAME, |name| name.value);
    let found = policies.iter().find(|it| it.name.eq_ignore_ascii_case(name));
    if found.is_some() {
        return found;
    }
    let on = boolean_is_true(configuration);
    if let Some(name) = named.filter(|name| on && name.value != DEFAULT_NAME) {
        let value = shown(DEFAULT, name.value);
        problems.push(
            Problem::error(format!("There is no policy '{value}' for pages of other origins."))
                .key(DEFAULT)
                .origin(name.origin)
                .fix(format!("write Cors:Policies:{value}, or name one that is there")),
        );
    } else if let Some(setting) = configuration.setting(ENABLED).filter(|_| is_needed) {
        problems.push(
            Problem::warning("'Cors:Enabled' has no effect: there is no policy.".to_owned())
                .key(ENABLED)
                .origin(setting.origin.clone())
                .fix(format!("write Cors:Policies:{DEFAULT_NAME}:Origins, a list of origins")),
        );
    }
    None
}

fn boolean_is_true(configuration: &Configuration) -> bool {
    let value = configuration.value(ENABLED);
    value.and_then(crate::configuration::text::boolean).unwrap_or_default()
}

/// The policy that code gives a path.
fn of_path<'a>(
    path: &str,
    policy: Option<&str>,
    policies: &'a [Named],
) -> Result<Option<&'a Named>, Problem> {
    let origin = if policy.is_some() { WITH_POLICY } else { WITHOUT };
    if !path.starts_with('/') {
        let problem = Problem::error(format!("'{path}' is no path: it does not begin with '/'."));
        return Err(problem.origin(origin).fix(format!("write /{path}")));
    }
    let Some(name) = policy else { return Ok(None) };
    match policies.iter().find(|it| it.name.eq_ignore_ascii_case(name)) {
        Some(named) => Ok(Some(named)),
        None => Err(Problem::error(format!(
            "There is no policy '{name}' for pages of other origins, which {path} is to have."
        ))
        .origin(origin)
        .fix(format!("write Cors:Policies:{name}, or name one that is there"))),
    }
}

/// What is to be said of code that nobody heeds.
fn idle(code: &CodeCors) -> Option<Problem> {
    let origin = match (code.checks.first(), code.paths.first()) {
        (Some(_), _) => CHECKED,
        (None, Some((_, Some(_)))) => WITH_POLICY,
        // Nothing is told anyhow.
        (None, Some((_, None)) | None) => return None,
    };
    Some(
        Problem::warning(format!(
            "What code says of other origins has no effect: {ENABLED} is not set."
        ))
        .origin(origin)
        .fix(format!("set {ENABLED} to true; to false, if it is meant to be off")),
    )
}

/// A policy, and what it says in words.
fn policy(
    configuration: &Configuration,
    section: &str,
    check: Option<OriginCheck>,
    problems: &mut Vec<Problem>,
) -> (CorsPolicy, Vec<Sourced<String>>) {
    let key = |name: &str| format!("{section}:{name}");
    let wildcards = key("AllowWildcardSubdomains");
    let below = read_boolean(configuration, &wildcards, problems).unwrap_or_default();
    let credentials = key("SupportsCredentials");
    let with_credentials = read_boolean(configuration, &credentials, problems).unwrap_or_default();
    let mut words = Vec::new();
    let before = problems.len();
    let origins = origins(configuration, &key("Origins"), below, (problems, &mut words));
    if check.is_some() {
        words.push(Sourced::new("pages that code allows".to_owned(), CHECKED));
    }
    if problems.len() == before && check.is_none() && origins == Origins::These(Vec::new()) {
        problems.push(
            Problem::warning(format!(
                "No page of another origin may read anything: '{}' is empty.",
                key("Origins")
            ))
            .key(key("Origins"))
            .origin(origin_of(configuration, section))
            .fix("write origins such as https://www.example.com, or * for all"),
        );
    }
    if origins == Origins::Any && with_credentials {
        problems.push(
            Problem::error(
                "The CORS protocol does not allow any origin together with credentials.",
            )
            .cause("Every page could do in the name of its visitor what the visitor may.")
            .key(credentials.clone())
            .origin(origin_of(configuration, &credentials))
            .fix(format!("list the origins, or remove {credentials}")),
        );
    }
    let methods =
        allowed(configuration, &key("Methods"), "methods", (problems, &mut words), |name| {
            name.parse::<Method>().is_ok()
        });
    let headers =
        allowed(configuration, &key("Headers"), "headers", (problems, &mut words), is_header);
    let exposed =
        allowed(configuration, &key("ExposedHeaders"), "shows", (problems, &mut words), is_header);
    let max_age = read_with(configuration, &key("PreflightMaxAge"), problems, max_age);
    if with_credentials {
        words.push(Sourced::new(
            "with credentials".to_owned(),
            origin_of(configuration, &credentials),
        ));
    }
    let exposed = match exposed {
        Allowed::These(names) => Some(names),
        Allowed::Any => Some(HeaderValue::from_static("*")),
        Allowed::None => None,
    };
    let max_age = max_age.and_then(|age| HeaderValue::try_from(age.as_secs_f64().to_string()).ok());
    let policy = CorsPolicy {
        origins,
        check,
        methods,
        headers,
        exposed,
        credentials: with_credentials,
        max_age,
    };
    (policy, words)
}

fn origin_of(configuration: &Configuration, key: &str) -> Origin {
    let section = configuration.section(key);
    lists::first_setting(&section).map_or(Origin::Default, |it| it.origin.clone())
}

fn is_header(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).is_ok()
}

type Telling<'a> = (&'a mut Vec<Problem>, &'a mut Vec<Sourced<String>>);

fn origins(
    configuration: &Configuration,
    key: &str,
    below: bool,
    (problems, words): Telling<'_>,
) -> Origins {
    let List { entries, .. } = lists::list(configuration, key, problems);
    let mut patterns = Vec::new();
    for (setting, text) in entries {
        if text.trim() == "*" {
            words.push(Sourced::new("pages of any origin".to_owned(), setting.origin.clone()));
            return Origins::Any;
        }
        match pattern(text.trim(), below) {
            Ok(pattern) => {
                words.push(Sourced::new(
                    format!("pages of {}", text.trim()),
                    setting.origin.clone(),
                ));
                patterns.push(pattern);
            }
            Err(fix) => problems.push(
                Problem::error(format!("'{}' is no origin of pages.", shown(&setting.key, text)))
                    .cause("No browser would ever send it.")
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix(fix),
            ),
        }
    }
    Origins::These(patterns)
}

/// An origin as browsers send it; else what to write.
fn pattern(text: &str, below: bool) -> Result<OriginPattern, String> {
    const EXAMPLE: &str = "write scheme, host and port, such as https://www.example.com";
    if text == "null" {
        return Ok(OriginPattern::Exactly(text.to_owned()));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(match text.contains(['/', ':', ' ', '*', '@']) {
            true => EXAMPLE.to_owned(),
            false => format!("write https://{text}"),
        });
    };
    let scheme = scheme.to_ascii_lowercase();
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    // What stands before an @ is nobody's to read.
    if let Some(at) = rest.find(['/', '?', '#']).filter(|_| !text.contains('@')) {
        return Err(format!("write {scheme}://{}: an origin has no path", &rest[..at]));
    }
    let is_scheme = scheme.bytes().all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it));
    if rest.is_empty() || scheme.is_empty() || !is_scheme || rest.contains(['@', ' ', ',']) {
        return Err(EXAMPLE.to_owned());
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let port: u16 = port.parse().map_err(|_| EXAMPLE.to_owned())?;
            (host, Some(port))
        }
        _ => (rest, None),
    };
    // Browsers leave out the port that the scheme has by itself.
    let usual = match scheme.as_str() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    };
    let port = port.filter(|port| Some(*port) != usual);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let wildcard = host.strip_prefix('*');
    let host = wildcard.unwrap_or(host);
    let host = Some(in_ascii(host)).filter(|host| host.is_ascii());
    let host = host.ok_or("write the host as it stands in URLs, in ASCII (xn--...)")?;
    match wildcard {
        None if host.contains('*') => Err(EXAMPLE.to_owned()),
        None => Ok(OriginPattern::Exactly(format!("{scheme}://{host}{port}"))),
        Some(_) if !below => {
            Err("set AllowWildcardSubdomains to true for what is below a host".to_owned())
        }
        Some(_) if !host.starts_with('.') || host.contains('*') => Err(EXAMPLE.to_owned()),
        Some(_) => Ok(OriginPattern::Below {
            before: format!("{scheme}://"),
            behind: format!("{host}{port}"),
        }),
    }
}

/// A list of names; `*` among them is any.
fn allowed(
    configuration: &Configuration,
    key: &str,
    word: &str,
    (problems, words): Telling<'_>,
    is_name: fn(&str) -> bool,
) -> Allowed {
    let List { entries, .. } = lists::list(configuration, key, problems);
    let mut names = Vec::new();
    let mut origin = Origin::Default;
    let mut any = false;
    for (setting, text) in entries {
        let name = text.trim();
        origin = setting.origin.clone();
        match name {
            "*" => any = true,
            name if is_name(name) => names.push(name.to_owned()),
            _ => problems.push(
                Problem::error(format!(
                    "'{}' at '{}' can be no name.",
                    shown(&setting.key, text),
                    setting.key
                ))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("write one name, or * for any"),
            ),
        }
    }
    if any {
        words.push(Sourced::new(format!("{word} any"), origin));
        return Allowed::Any;
    }
    match HeaderValue::try_from(names.join(",")) {
        Ok(list) if !names.is_empty() => {
            words.push(Sourced::new(format!("{word} {}", names.join(", ")), origin));
            Allowed::These(list)
        }
        _ => Allowed::None,
    }
}

fn max_age(setting: &Setting, text: &str) -> Result<Duration, Problem> {
    match span(setting, text, |_| None)? {
        Span::Of(age) => Ok(age),
        Span::Infinite | Span::Negative => Err(Problem::error(format!(
            "'{}' is less than nothing, and no age.",
            shown(&setting.key, text)
        ))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write hours and minutes such as 00:10:00")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_send_them() {
        let exactly = |text: &str| Ok(OriginPattern::Exactly(text.to_owned()));
        for (text, expected) in [
            ("https://a.example", exactly("https://a.example")),
            ("HTTPS://A.example/", exactly("https://a.example")),
            ("https://a.example:443", exactly("https://a.example")),
            ("http://a.example:80", exactly("http://a.example")),
            ("http://a.example:443", exactly("http://a.example:443")),
            ("https://[::1]:8443", exactly("https://[::1]:8443")),
            ("https://[::1]", exactly("https://[::1]")),
            ("https://b\u{fc}cher.example", exactly("https://xn--bcher-kva.example")),
            ("app://local", exactly("app://local")),
            ("null", exactly("null")),
            ("a.example", Err("write https://a.example".to_owned())),
            (
                "https://a.example/b",
                Err("write https://a.example: an origin has no path".to_owned()),
            ),
        ] {
            assert_eq!(pattern(text, false), expected, "{text}");
        }
        for text in
            ["https://", "://a", "https://u@a", "https://a b", "https://a:x", "a:1", "https://a.*"]
        {
            assert!(pattern(text, true).is_err(), "{text}");
        }
        assert!(pattern("https://*.a.example", false).is_err());
        assert!(pattern("https://*a.example", true).is_err());
        let below = OriginPattern::Below {
            before: "https://".to_owned(),
            behind: ".a.example:8443".to_owned(),
        };
        assert_eq!(pattern("https://*.A.example:8443", true), Ok(below));
    }
}
