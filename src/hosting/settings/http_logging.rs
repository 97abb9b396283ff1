//! What of requests and answers the log is told.

use std::sync::Arc;

use super::lists::{self, List};
use super::logged_fields::{count, flags, header_names, of_key};
use super::parse::{read_boolean, read_with, shown};
use super::switched::Switched;
use crate::configuration::{Configuration, Problem, Setting};
use crate::logging::{LogLevel, Rule, rule_of_console};
use crate::middleware::{
    HttpLogging, HttpLoggingFields, HttpLoggingOptions, ShownHeaders, TextTypes,
};

const ENABLED: &str = "HttpLogging:Enabled";
const FIELDS: &str = "HttpLogging:LoggingFields";
const REQUEST_HEADERS: &str = "HttpLogging:RequestHeaders";
const RESPONSE_HEADERS: &str = "HttpLogging:ResponseHeaders";
const TYPES: &str = "HttpLogging:MediaTypes";
const REQUEST_LIMIT: &str = "HttpLogging:RequestBodyLogLimit";
const RESPONSE_LIMIT: &str = "HttpLogging:ResponseBodyLogLimit";
const COMBINE: &str = "HttpLogging:CombineLogs";

/// How many bytes of a body are logged, unless configured.
const BODY_LIMIT: u32 = 32 * 1024;

/// Reads the section.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<HttpLogging>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let fields = read_with(configuration, FIELDS, problems, fields);
    let request_headers = header_names(configuration, REQUEST_HEADERS, problems);
    let response_headers = header_names(configuration, RESPONSE_HEADERS, problems);
    let types = types(configuration, problems);
    let mut limit = |key| read_with(configuration, key, problems, count(0, "bytes"));
    let [request_limit, response_limit] =
        [REQUEST_LIMIT, RESPONSE_LIMIT].map(|key| limit(key).unwrap_or(BODY_LIMIT) as usize);
    let combine = read_boolean(configuration, COMBINE, problems).unwrap_or_default();
    let options = HttpLoggingOptions {
        fields: fields.unwrap_or(HttpLoggingFields::DEFAULT),
        request_headers: ShownHeaders::of_requests(
            request_headers.into_iter().map(|it| it.0).collect(),
        ),
        response_headers: ShownHeaders::of_responses(
            response_headers.into_iter().map(|it| it.0).collect(),
        ),
        types,
        request_body_limit: request_limit,
        response_body_limit: response_limit,
        combine,
    };
    let mut words = vec![of_key(configuration, FIELDS, options.fields.to_string())];
    let bodies = HttpLoggingFields::REQUEST_BODY | HttpLoggingFields::RESPONSE_BODY;
    if options.fields.has(bodies) {
        let types = options.types.names().collect::<Vec<_>>().join(", ");
        words.push(of_key(configuration, TYPES, format!("bodies of {types}")));
        let limits = format!("up to {request_limit} and {response_limit} bytes");
        words.push(of_key(configuration, REQUEST_LIMIT, limits));
    }
    for key in [REQUEST_HEADERS, RESPONSE_HEADERS] {
        let listed = configuration.section(key).children();
        let listed = listed.iter().filter_map(|item| item.setting()?.value.as_deref());
        let listed = listed.map(|name| format!("'{}'", shown(key, name))).collect::<Vec<_>>();
        if !listed.is_empty() {
            words.push(of_key(configuration, key, format!("with {}", listed.join(", "))));
        }
    }
    if combine {
        words.push(of_key(configuration, COMBINE, "in one event".to_owned()));
    }
    let stage = HttpLogging(Arc::new(options));
    Switched::by(configuration, ENABLED, on, stage).map(|it| it.shown(words))
}

/// The category of its lines, which are told at Information, and what a rule for it is usually called.
const CATEGORY: &str = "Microsoft.AspNetCore.HttpLogging.HttpLoggingMiddleware";
const USUAL_RULE: &str = "Microsoft.AspNetCore.HttpLogging";

/// What is to be said if the log has none of its lines, because a rule for levels keeps them away.
pub(super) fn silenced(
    configuration: &Configuration,
    it: Option<&Switched<HttpLogging>>,
    rules: &[Rule],
) -> Option<Problem> {
    let it = it?;
    let rule = rule_of_console(rules, CATEGORY).filter(|it| it.level > LogLevel::Information)?;
    let above = match &rule.provider {
        Some(provider) => format!("Logging:{provider}:LogLevel"),
        None => "Logging:LogLevel".to_owned(),
    };
    let category = rule.category.as_deref().unwrap_or("Default");
    let key = format!("{above}:{category}");
    let right = if category.len() < USUAL_RULE.len() { USUAL_RULE } else { category };
    let origin = configuration.setting(&key).map_or(&it.origin, |setting| &setting.origin);
    Some(
        Problem::warning(format!(
            "HTTP logging is on, and the log has none of its lines: '{key}' is {}.",
            rule.level.name()
        ))
        .cause(format!(
            "They are told at Information. HTTP logging is switched on by {ENABLED}, set by {}.",
            it.origin
        ))
        .origin(origin.clone())
        .key(key)
        .fix(format!("set {above}:{right} to Information")),
    )
}

fn fields(setting: &Setting, text: &str) -> Result<HttpLoggingFields, Problem> {
    let kind = "Microsoft.AspNetCore.HttpLogging.HttpLoggingFields";
    flags(setting, text, (&HttpLoggingFields::NAMES, kind), |one, other| one | other)
}

/// The types of bodies that are text. An empty list in the place of the default one takes all away.
fn types(configuration: &Configuration, problems: &mut Vec<Problem>) -> TextTypes {
    let List { entries, empty } = lists::list(configuration, TYPES, problems);
    if entries.is_empty() && empty.is_none() {
        return TextTypes::new(&TextTypes::DEFAULT.map(str::to_owned));
    }
    let mut types = Vec::new();
    for (setting, text) in entries {
        match text.split(';').next().unwrap_or_default().contains('/') {
            true => types.push(text.to_owned()),
            false => problems.push(
                Problem::warning(format!(
                    "'{}' is no type of a body, and left out.",
                    shown(&setting.key, text)
                ))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("write a type such as text/plain, text/* or application/*+json"),
            ),
        }
    }
    TextTypes::new(&types)
}
