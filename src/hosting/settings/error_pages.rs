//! The sections of pages for failures and statuses.

use http::{HeaderValue, StatusCode};

use super::parse::{read_boolean, read_with, shown};
use super::switched::Switched;
use crate::configuration::{Configuration, Loaded, Origin, Problem, Setting, Sourced};
use crate::middleware::static_files::{Behind, StaticFilesOptions};
use crate::middleware::{
    DeveloperPage, ErrorPath, ExceptionHandler, StatusPage, StatusPages, Template,
};

/// What all these sections say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ErrorPages {
    pub(crate) developer_page: Option<Switched<DeveloperPage>>,
    pub(crate) exception_handler: Option<Switched<ExceptionHandler>>,
    pub(crate) status_pages: Option<Switched<StatusPages>>,
}

const PROBLEMS: &str = "ProblemDetails:Enabled";
const DEVELOPER: &str = "DeveloperExceptionPage:Enabled";
const HANDLER: &str = "ExceptionHandler:Enabled";
const HANDLER_PATH: &str = "ExceptionHandler:Path";
const STATUS: &str = "StatusCodePages:Enabled";

/// Reads them all.
pub(super) fn read(loaded: &Loaded, problems: &mut Vec<Problem>) -> ErrorPages {
    let configuration = &loaded.configuration;
    let details = read_boolean(configuration, PROBLEMS, problems).unwrap_or_default();
    let pages = ErrorPages {
        developer_page: developer_page(loaded, details, problems),
        exception_handler: exception_handler(configuration, details, problems),
        status_pages: status_pages(configuration, details, problems),
    };
    let is_used = pages.developer_page.is_some()
        || pages.exception_handler.is_some()
        || pages.status_pages.is_some();
    if let (true, false, Some(setting)) = (details, is_used, configuration.setting(PROBLEMS)) {
        problems.push(
            Problem::warning(format!("'{PROBLEMS}' has no effect: nothing tells problems."))
                .key(PROBLEMS)
                .origin(setting.origin.clone())
                .fix(format!("set {HANDLER} or {STATUS} to true, or remove it")),
        );
    }
    pages
}

/// On in the environment Development, unless its key says otherwise.
fn developer_page(
    loaded: &Loaded,
    details: bool,
    problems: &mut Vec<Problem>,
) -> Option<Switched<DeveloperPage>> {
    let configuration = &loaded.configuration;
    let environment = &loaded.environment;
    let in_development = environment.value.eq_ignore_ascii_case("Development");
    let said = read_boolean(configuration, DEVELOPER, problems);
    let page = DeveloperPage { problems: details };
    let (key, origin) = match (said, configuration.setting(DEVELOPER)) {
        (Some(true), Some(setting)) => (DEVELOPER, setting.origin.clone()),
        (None, _) if in_development => ("environment", environment.origin.clone()),
        _ => return None,
    };
    if key == DEVELOPER && !in_development {
        problems.push(
            Problem::warning(format!(
                "Whoever makes the app fail is shown what it failed with, in the environment {}.",
                environment.value
            ))
            .cause("The page for developers is on.")
            .key(DEVELOPER)
            .origin(origin.clone())
            .fix("remove it: in Development it is on by itself"),
        );
    }
    let text = if details { "as a page, a problem or text" } else { "as a page or text" };
    let shown = vec![Sourced::new(text.to_owned(), of_key(configuration, PROBLEMS))];
    Some(Switched { key, origin, value: page, shown })
}

fn of_key(configuration: &Configuration, key: &str) -> Origin {
    configuration.setting(key).map_or(Origin::Default, |it| it.origin.clone())
}

fn exception_handler(
    configuration: &Configuration,
    details: bool,
    problems: &mut Vec<Problem>,
) -> Option<Switched<ExceptionHandler>> {
    let on = read_boolean(configuration, HANDLER, problems).unwrap_or_default();
    let before = problems.len();
    let path = read_with(configuration, HANDLER_PATH, problems, path);
    let is_mistaken = problems.len() > before;
    let (value, text, key) = match path {
        Some(path) => {
            let text = format!("the app answers at {path}");
            (ExceptionHandler::Page(ErrorPath(path.into())), text, HANDLER_PATH)
        }
        None => {
            (ExceptionHandler::Problem, "a problem, for clients that take one".to_owned(), PROBLEMS)
        }
    };
    if on && !details && value == ExceptionHandler::Problem && !is_mistaken {
        problems.push(
            Problem::error("The exception handler has nothing to answer with.")
                .cause(format!("Neither {HANDLER_PATH} nor {PROBLEMS} is set."))
                .key(HANDLER)
                .origin(of_key(configuration, HANDLER))
                .fix(format!(
                    "set {PROBLEMS} to true, or {HANDLER_PATH} to the path of a page of the app's, such as /error"
                )),
        );
    }
    let shown = vec![Sourced::new(text, of_key(configuration, key))];
    Switched::by(configuration, HANDLER, on, value).map(|it| it.shown(shown))
}

/// A path of the app's, with no query.
fn path(setting: &Setting, text: &str) -> Result<String, Problem> {
    let is_path = text.starts_with('/') && text.parse::<http::uri::PathAndQuery>().is_ok();
    match is_path && !text.contains(['?', '#']) {
        true => Ok(text.to_owned()),
        false => Err(no_path(setting, text, "/error")),
    }
}

fn no_path(setting: &Setting, text: &str, example: &str) -> Problem {
    let value = shown(&setting.key, text);
    Problem::error(format!("'{value}' at '{}' is no path of the app's.", setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!("write a path as it stands in a URL, such as {example}"))
}

fn status_pages(
    configuration: &Configuration,
    details: bool,
    problems: &mut Vec<Problem>,
) -> Option<Switched<StatusPages>> {
    let on = read_boolean(configuration, STATUS, problems).unwrap_or_default();
    let key = |name: &str| format!("StatusCodePages:{name}");
    let text = read_with(configuration, &key("Format"), problems, format);
    let redirect = read_with(configuration, &key("Redirect"), problems, address);
    let again = read_with(configuration, &key("ReExecute"), problems, page);
    let said = ["Format", "Redirect", "ReExecute"]
        .map(key)
        .into_iter()
        .filter_map(|key| configuration.setting(&key).filter(|it| it.value.is_some()))
        .collect::<Vec<_>>();
    if let [first, second, ..] = &said[..] {
        problems.push(
            Problem::error(format!("'{}' and '{}' exclude each other.", first.key, second.key))
                .key(second.key.clone())
                .origin(second.origin.clone())
                .fix("keep the one that is meant"),
        );
    }
    let origin = said.first().map_or(Origin::Default, |it| it.origin.clone());
    let (page, text) = match (text, redirect, again) {
        (Some(text), ..) => {
            let shown = format!("the text '{}'", text.text());
            (StatusPage::Text(text), shown)
        }
        (None, Some(address), _) => {
            let shown = format!("redirects to {}", address.text());
            (StatusPage::Redirect(address), shown)
        }
        (None, None, Some(path)) => {
            let shown = format!("the app answers at {}", path.text());
            (StatusPage::Reexecute(path), shown)
        }
        (None, None, None) if details => (
            StatusPage::Plain,
            "a problem, for clients that take one, or the status in words".to_owned(),
        ),
        (None, None, None) => (StatusPage::Plain, "the status in words".to_owned()),
    };
    let pages = StatusPages { page, problems: details };
    let shown = vec![Sourced::new(text, origin)];
    Switched::by(configuration, STATUS, on, pages).map(|it| it.shown(shown))
}

fn format(setting: &Setting, text: &str) -> Result<Template, Problem> {
    Template::new(text).ok_or_else(|| {
        let value = shown(&setting.key, text);
        Problem::error(format!(
            "'{value}' at '{}' has braces for something else than the status.",
            setting.key
        ))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write {0} where the status belongs, and {{ or }} for a brace")
    })
}

/// Where a client is sent.
fn address(setting: &Setting, text: &str) -> Result<Template, Problem> {
    let template = format(setting, text)?;
    let is_address = !text.is_empty()
        && !text.contains(char::is_whitespace)
        && HeaderValue::from_str(text).is_ok_and(|it| it.to_str().is_ok());
    match is_address {
        true => Ok(template),
        false => {
            let value = shown(&setting.key, text);
            Err(Problem::error(format!(
                "'{value}' at '{}' is nowhere to send a client.",
                setting.key
            ))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write an address, such as ~/status/{0}, where ~ is the path base"))
        }
    }
}

/// A path of the app's, with a query or without.
fn page(setting: &Setting, text: &str) -> Result<Template, Problem> {
    let template = format(setting, text)?;
    let filled_in = template.filled_in(StatusCode::NOT_FOUND);
    let is_path =
        filled_in.starts_with('/') && filled_in.parse::<http::uri::PathAndQuery>().is_ok();
    match is_path {
        true => Ok(template),
        false => Err(no_path(setting, text, "/status/{0}")),
    }
}

/// What is to be said of pages that could only be files, of which none is there.
pub(super) fn without_files(
    pages: &Switched<StatusPages>,
    site: &StaticFilesOptions,
) -> Option<Problem> {
    let StatusPage::Reexecute(template) = &pages.value.page else { return None };
    let files = site.files.as_ref().filter(|it| it.request_path.is_empty())?;
    let path = template.text().split('?').next().unwrap_or_default();
    // What is written in another way than it is called is left to the request, and so are the pages of folders.
    let is_file = |name: &str| !name.is_empty() && (name.contains('.') || files.unknown_types);
    let could_be = !path.contains('%') && path.rsplit('/').next().is_some_and(is_file);
    if !could_be || site.behind != Behind::Nothing || !site.root.is_dir() {
        return None;
    }
    let is_there = |status: StatusCode| {
        let target = template.filled_in(status);
        let name = target.split('?').next().unwrap_or_default().trim_start_matches('/');
        site.root.join(name).is_file()
    };
    if (400..600).filter_map(|it| StatusCode::from_u16(it).ok()).any(is_there) {
        return None;
    }
    let key = "StatusCodePages:ReExecute";
    let said = pages.shown.first().map_or(&pages.origin, |it| &it.origin);
    let root = site.root.display();
    Some(
        Problem::warning(format!("'{key}' has no effect: {root} has no such page."))
            .key(key)
            .origin(said.clone())
            .fix("put a page there for each status that is to have one, such as 503.html for /{0}.html"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(settings: &[&str]) -> (ErrorPages, Vec<Problem>) {
        let arguments = settings.iter().map(|setting| format!("--{setting}"));
        let inputs = Inputs { arguments: arguments.enumerate().collect(), ..Inputs::default() };
        let mut problems = Vec::new();
        (read(&load(&inputs), &mut problems), problems)
    }

    #[test]
    fn the_page_for_developers_is_on_in_development_alone() {
        for (settings, on, told) in [
            (&[][..], false, 0),
            (&["environment=Development"], true, 0),
            (&["environment=Development", "DeveloperExceptionPage:Enabled=false"], false, 0),
            (&["DeveloperExceptionPage:Enabled=true"], true, 1),
        ] {
            let (pages, problems) = read_of(settings);
            let seen = (pages.developer_page.is_some(), problems.len());
            assert_eq!(seen, (on, told), "{settings:?}: {problems:?}");
        }
    }

    #[test]
    fn a_handler_needs_something_to_answer_with() {
        for (settings, refused) in [
            (&["ExceptionHandler:Enabled=true"][..], true),
            (&["ExceptionHandler:Enabled=true", "ProblemDetails:Enabled=true"], false),
            (&["ExceptionHandler:Enabled=true", "ExceptionHandler:Path=/error"], false),
            (&["ExceptionHandler:Enabled=true", "ExceptionHandler:Path=error"], true),
            (&["ExceptionHandler:Enabled=true", "ExceptionHandler:Path=/a?b"], true),
        ] {
            let (_, problems) = read_of(settings);
            let errors: Vec<_> = problems.iter().filter(|it| it.is_error()).collect();
            assert_eq!(errors.len(), usize::from(refused), "{settings:?}: {errors:?}");
        }
        let (_, problems) = read_of(&["ProblemDetails:Enabled=true"]);
        assert!(problems.len() == 1 && !problems[0].is_error(), "{problems:?}");
    }

    #[test]
    fn pages_for_statuses_are_of_one_kind() {
        for (name, text, page) in [
            ("Format", "Oops {0}", Some(StatusPage::Text(Template::new("Oops {0}").unwrap()))),
            ("Redirect", "~/s/{0}", Some(StatusPage::Redirect(Template::new("~/s/{0}").unwrap()))),
            (
                "ReExecute",
                "/s?c={0}",
                Some(StatusPage::Reexecute(Template::new("/s?c={0}").unwrap())),
            ),
            ("Format", "{1}", None),
            ("Redirect", "a b", None),
            ("ReExecute", "s/{0}", None),
        ] {
            let setting = format!("StatusCodePages:{name}={text}");
            let (pages, problems) = read_of(&["StatusCodePages:Enabled=true", &setting]);
            assert_eq!(problems.len(), usize::from(page.is_none()), "{setting}: {problems:?}");
            let read = pages.status_pages.expect("it is on").value.page;
            assert_eq!(read, page.unwrap_or(StatusPage::Plain), "{setting}");
        }
        let (_, problems) = read_of(&["StatusCodePages:Format=a", "StatusCodePages:ReExecute=/b"]);
        assert_eq!(problems.iter().filter(|it| it.is_error()).count(), 1, "{problems:?}");
    }
}
