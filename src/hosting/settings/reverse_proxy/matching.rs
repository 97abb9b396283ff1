//! `Match`: which requests a route is for.

use http::Method;

use super::reader::{Numbers, Reader, in_order};
use crate::apps::reverse_proxy::options::{
    HeaderCondition, HeaderMode, HostPattern, QueryCondition, QueryMode, RouteMatch,
};
use crate::apps::reverse_proxy::template::Template;
use crate::configuration::near_names::meant_value;
use crate::hosting::settings::parse::shown;

/// The modes of headers, in the order of .NET's numbers.
pub(in super::super) const HEADER_MODES: [(&str, HeaderMode); 6] = [
    ("ExactHeader", HeaderMode::Exact),
    ("HeaderPrefix", HeaderMode::Prefix),
    ("Contains", HeaderMode::Contains),
    ("NotContains", HeaderMode::NotContains),
    ("Exists", HeaderMode::Exists),
    ("NotExists", HeaderMode::NotExists),
];

/// The modes of parameters of the query, in the order of .NET's numbers.
pub(in super::super) const QUERY_MODES: [(&str, QueryMode); 5] = [
    ("Exact", QueryMode::Exact),
    ("Contains", QueryMode::Contains),
    ("NotContains", QueryMode::NotContains),
    ("Prefix", QueryMode::Prefix),
    ("Exists", QueryMode::Exists),
];

/// The methods that a route can name.
pub(in super::super) const METHODS: [&str; 8] =
    ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// Reads the `Match` of a route.
pub(super) fn read(route: &mut Reader<'_, '_>, id: &str) -> RouteMatch {
    let mut reader = route.below("Match");
    let before = reader.problems.len();
    let path = path(&mut reader, id);
    let hosts = hosts(&mut reader, id);
    let headers = conditions(&mut reader, "Headers", |reader| header(reader, id));
    let query = conditions(&mut reader, "QueryParameters", |reader| parameter(reader, id));
    let methods = methods(&mut reader, id);
    let is_told = reader.problems.len() > before;
    if path.is_none() && hosts.is_empty() && !is_told && reader.text("Path").is_none() {
        route.wrong_here(
            format!("Route '{id}' requires Hosts or Path specified. Set the Path to '/{{**catchall}}' to match all requests."),
            "write Match:Path with the paths that it is for, or Match:Hosts",
        );
    }
    RouteMatch { path, hosts, methods, headers, query }
}

fn path(reader: &mut Reader<'_, '_>, id: &str) -> Option<Template> {
    let (setting, text) = reader.text("Path")?;
    match Template::parse(text) {
        Ok(template) => Some(template),
        Err(mistake) => {
            let message = |text: &str| format!("Invalid path '{text}' for route '{id}'.");
            reader.because((setting, text), message, mistake);
            None
        }
    }
}

fn hosts(reader: &mut Reader<'_, '_>, id: &str) -> Vec<HostPattern> {
    let mut hosts = Vec::new();
    for (setting, text) in reader.list("Hosts") {
        let mistake = match HostPattern::parse(text) {
            Ok(host) => {
                if !hosts.contains(&host) {
                    hosts.push(host);
                }
                continue;
            }
            Err(mistake) => mistake,
        };
        let message = |shown: &str| match text.trim() {
            "" => format!("Empty host name has been set for route '{id}'."),
            _ => format!("Invalid host '{shown}' for route '{id}'."),
        };
        reader.because((setting, text), message, mistake);
    }
    hosts
}

fn methods(reader: &mut Reader<'_, '_>, id: &str) -> Vec<Method> {
    let mut methods: Vec<Method> = Vec::new();
    for (setting, text) in reader.list("Methods") {
        let known = METHODS.iter().find(|it| it.eq_ignore_ascii_case(text.trim()));
        let Some(method) = known.and_then(|it| it.parse::<Method>().ok()) else {
            let fix = match meant_value(text, &METHODS) {
                Some(meant) => format!("write {meant}"),
                None => format!("write one of {}, or none for all", METHODS.join(", ")),
            };
            let text = shown(&setting.key, text);
            reader.wrong(
                setting,
                format!("Unsupported HTTP method '{text}' has been set for route '{id}'."),
                fix,
            );
            continue;
        };
        if methods.contains(&method) {
            reader.wrong(
                setting,
                format!("Duplicate HTTP method '{method}' has been set for route '{id}'."),
                "remove one of them",
            );
        }
        methods.push(method);
    }
    methods
}

/// Reads the conditions of a list.
fn conditions<T>(
    reader: &mut Reader<'_, '_>,
    list: &str,
    mut read: impl FnMut(&mut Reader<'_, '_>) -> Option<T>,
) -> Vec<T> {
    let mut conditions = Vec::new();
    if let Some((setting, text)) = reader.text(list) {
        let message = format!(
            "'{}' is a list of sections: the text '{}' is none.",
            setting.key,
            shown(&setting.key, text)
        );
        reader.wrong(setting, message, "write [ { \"Name\": .., \"Values\": [ .. ] } ]");
    }
    for section in in_order(&reader.section(list)) {
        let name = format!("{list}:{}", section.name());
        conditions.extend(read(&mut reader.below(&name)));
    }
    conditions
}

fn header(reader: &mut Reader<'_, '_>, id: &str) -> Option<HeaderCondition> {
    let Some(name) = reader.text("Name") else {
        reader.wrong_here(
            format!("A null or empty route header name has been set for route '{id}'."),
            "write its Name",
        );
        return None;
    };
    let label = name.1.to_owned();
    let name = reader.header_name(name, |name| {
        format!("The route header name '{name}' for route '{id}' can be no header.")
    });
    let mode = reader.word("Mode", (&HEADER_MODES, Numbers::Taken), |text| {
        format!("'{text}' is no mode of a route header for route '{id}'.")
    });
    let mode = match reader.setting("Mode") {
        Some(_) => mode?,
        None => HeaderMode::Exact,
    };
    let values = values(reader, &format!("route header '{label}' for route '{id}'"), "header");
    let needs_values = !matches!(mode, HeaderMode::Exists | HeaderMode::NotExists);
    judge(reader, (&values, needs_values), (&format!("{mode:?}"), "header", &label, id))?;
    let is_case_sensitive = reader.boolean("IsCaseSensitive").unwrap_or_default();
    Some(HeaderCondition { name: name?, mode, values, is_case_sensitive })
}

fn parameter(reader: &mut Reader<'_, '_>, id: &str) -> Option<QueryCondition> {
    let Some((_, name)) = reader.text("Name") else {
        reader.wrong_here(
            format!("A null or empty route query parameter name has been set for route '{id}'."),
            "write its Name",
        );
        return None;
    };
    let mode = reader.word("Mode", (&QUERY_MODES, Numbers::Taken), |text| {
        format!("'{text}' is no mode of a route query parameter for route '{id}'.")
    });
    let mode = match reader.setting("Mode") {
        Some(_) => mode?,
        None => QueryMode::Exact,
    };
    let what = format!("route query parameter '{name}' for route '{id}'");
    let values = values(reader, &what, "query parameter");
    let needs_values = mode != QueryMode::Exists;
    judge(reader, (&values, needs_values), (&format!("{mode:?}"), "query parameter", name, id))?;
    let is_case_sensitive = reader.boolean("IsCaseSensitive").unwrap_or_default();
    Some(QueryCondition { name: name.to_owned(), mode, values, is_case_sensitive })
}

fn values(reader: &mut Reader<'_, '_>, what: &str, kind: &str) -> Vec<String> {
    let mut values = Vec::new();
    for (setting, text) in reader.list("Values") {
        if text.is_empty() {
            reader.wrong(
                setting,
                format!("An empty value has been set on {what}."),
                format!("remove it; a {kind} that is there has the mode Exists"),
            );
        }
        values.push(text.to_owned());
    }
    values
}

/// Judges whether there are values where the mode needs some, and none where it needs none.
fn judge(
    reader: &mut Reader<'_, '_>,
    (values, needs_values): (&[String], bool),
    (mode, kind, name, id): (&str, &str, &str, &str),
) -> Option<()> {
    match (needs_values, values.is_empty()) {
        (true, true) => reader.wrong_here(
            format!("No {kind} values were set on route {kind} '{name}' for route '{id}'."),
            "write its Values, or the mode Exists",
        ),
        (false, false) => {
            let message = format!(
                "{} values were set when using mode '{mode}' on route {kind} '{name}' for route '{id}'.",
                super::reader::sentence(kind)
            );
            let values = reader.section("Values");
            match values.first_setting() {
                Some(setting) => reader.wrong(setting, message, "remove them, or the mode"),
                None => reader.wrong_here(message, "remove them, or the mode"),
            }
        }
        _ => return Some(()),
    }
    None
}
