//! The path below which clients see the app.

use super::parse::{read_with, shown};
use super::switched::Switched;
use crate::configuration::{Configuration, Problem, Setting, Sourced};
use crate::middleware::PathBase;

const KEY: &str = "PathBase";

/// Reads `PathBase`; `None` if it is not set, or is the root.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<PathBase>> {
    let base = read_with(configuration, KEY, problems, path_base).flatten()?;
    let text = base.text().to_owned();
    let on = Switched::by(configuration, KEY, true, base)?;
    let value = Sourced::new(text, on.origin.clone());
    Some(on.shown(vec![value]))
}

fn path_base(setting: &Setting, text: &str) -> Result<Option<PathBase>, Problem> {
    let problem = |message: String, fix: String| {
        let problem = Problem::error(message).key(setting.key.clone());
        Err(problem.origin(setting.origin.clone()).fix(fix))
    };
    let value = shown(&setting.key, text);
    if text.is_empty() {
        return Ok(None);
    }
    if !text.starts_with('/') {
        let path = text
            .split_once("://")
            .map_or(text, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        return problem(
            format!("The path in '{}' must start with '/': '{value}' does not.", setting.key),
            format!("write /{}", shown(&setting.key, path).trim_matches('/')),
        );
    }
    if leads_elsewhere(&percent_encoding::percent_decode_str(text).collect::<Vec<_>>()) {
        return problem(
            format!(
                "'{}' cannot be a path base: links that begin with it would lead elsewhere.",
                value.escape_debug()
            ),
            "write the path below which clients see the app, such as /app".to_owned(),
        );
    }
    if let Some(at) = text.find(['?', '#']) {
        return problem(
            format!("'{value}' is more than a path: no request can begin with it."),
            format!("write {}", &text[..at]),
        );
    }
    Ok(PathBase::new(text))
}

/// Whether a path without escapes can be none that links begin with: one that begins so leads to another host,
/// and a header ends in a line break.
pub(super) fn leads_elsewhere(path: &[u8]) -> bool {
    path.starts_with(b"//") || path.starts_with(b"/\\") || path.iter().any(u8::is_ascii_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(text: &str) -> (Option<String>, Vec<Problem>) {
        let arguments = vec![(0, format!("--PathBase={text}"))];
        let mut problems = Vec::new();
        let read =
            read(&load(&Inputs { arguments, ..Inputs::default() }).configuration, &mut problems);
        (read.map(|it| it.value.text().to_owned()), problems)
    }

    #[test]
    fn the_root_is_no_base() {
        for (text, base) in
            [("/", None), ("", None), ("/app/", Some("/app")), ("/b%20c", Some("/b c"))]
        {
            let (read, problems) = read_of(text);
            assert_eq!((read.as_deref(), problems), (base, vec![]), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_base_is_told_with_what_to_write() {
        for (text, fix) in [
            ("app", "write /app"),
            ("app/", "write /app"),
            ("https://a.example/app", "write /app"),
            ("//a.example", "write the path below which clients see the app, such as /app"),
            ("/%5Ca", "write the path below which clients see the app, such as /app"),
            ("/a%0D%0Ab", "write the path below which clients see the app, such as /app"),
            ("/a?b", "write /a"),
        ] {
            let (read, problems) = read_of(text);
            assert_eq!(read, None, "{text}");
            let [problem] = &problems[..] else { panic!("{text}: {problems:?}") };
            assert!(problem.is_error());
            assert_eq!(problem.fix.as_deref(), Some(fix), "{text}");
        }
    }
}
