//! Paths of requests in settings.

use super::parse::shown;
use crate::configuration::{Problem, Setting};

/// A path as it stands in a URL, without a slash at its end; the root is the empty text. `example` is one
/// that could be meant.
pub(super) fn request_path(
    setting: &Setting,
    text: &str,
    example: &str,
) -> Result<String, Problem> {
    let text = text.trim();
    let is_path = text.starts_with('/') && text.parse::<http::uri::PathAndQuery>().is_ok();
    if is_path && !text.contains(['?', '#']) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    let value = shown(&setting.key, text);
    let path = value.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let meant = format!("/{path}");
    let is_meant = !path.is_empty() && meant.parse::<http::uri::PathAndQuery>().is_ok();
    let fix = match is_meant && !path.contains("//") {
        true => format!("write {meant}"),
        false => format!("write a path as it stands in a URL, such as {example}"),
    };
    Err(Problem::error(format!("'{value}' at '{}' is no path of requests.", setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(fix))
}
