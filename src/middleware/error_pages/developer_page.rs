//! What a developer sees when the app fails (`DeveloperExceptionPage`).

use std::fmt::Write as _;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};

use super::failure::{Failure, outcome};
use super::problem_details::{ProblemDetails, json_text};
use crate::diagnostics::events;
use crate::features::RequestTarget;
use crate::middleware::without_length::without_length;
use crate::pipeline::{Enter, Next, Request, Responding, Response, Stage};

/// Answers in the place of an app that has failed with what it failed with, and with the request. (What
/// `DeveloperExceptionPageMiddleware` is in ASP.NET Core; other than there, cookies and what lets somebody in
/// is hidden.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeveloperPage {
    /// Whether a client that takes problems gets one in the place of plain text.
    pub(crate) problems: bool,
}

/// What the page shows of a request.
struct Seen {
    line: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    details: ProblemDetails,
}

impl Stage for DeveloperPage {
    fn enter(&self, request: &mut Request) -> Enter {
        let (seen, problems) = (Seen::of(request), self.problems);
        Enter::Around(Box::new(move |request, next: Next| {
            Responding::later(async move {
                match outcome(next.call(request)).await {
                    Ok(response) => response,
                    Err(failure) => {
                        if failure.of_request_body().is_none() {
                            events::unhandled_for_developer(&failure.line());
                        }
                        page(&seen, &failure, problems)
                    }
                }
            })
        }))
    }

    fn knows_files(&self) -> bool {
        true
    }
}

impl Seen {
    fn of(request: &Request) -> Self {
        let target = RequestTarget::of(request);
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            let value = match is_secret(name.as_str()) {
                true => HIDDEN.to_owned(),
                false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            };
            (name.as_str().to_owned(), value)
        };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = if is_secret(name) { HIDDEN } else { value };
            (name.to_owned(), value.to_owned())
        };
        let query = target.query().trim_start_matches('?');
        let query: Vec<_> = query.split('&').filter(|it| !it.is_empty()).map(pair).collect();
        let path = target.path();
        Self {
            line: format!("{} {path} {:?}", request.method(), request.version()),
            path,
            query,
            headers: request.headers().iter().map(header).collect(),
            details: ProblemDetails::of(request.headers()),
        }
    }
}

const HIDDEN: &str = "(hidden)";

/// Whether what is called so lets somebody in.
fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["authorization", "cookie", "token", "secret", "password", "passwd", "pwd", "key", "signature"]
        .iter()
        .any(|word| lower.contains(word))
}

fn page(seen: &Seen, failure: &Failure, problems: bool) -> Response {
    let mut response = Response::default();
    *response.status_mut() = failure.status();
    let texts = failure.texts();
    if seen.details.names("text/html") {
        return with(response, "text/html; charset=utf-8", html(seen, &texts));
    }
    if problems && seen.details.is_taken() {
        let first = texts.first().map_or("", String::as_str);
        let exception = format!(
            "{{\"details\":{},\"path\":{}}}",
            json_text(&texts.join("\n ---> ")),
            json_text(&seen.path)
        );
        let more = [("detail", json_text(first)), ("exception", exception)];
        seen.details.tell(&mut response, Some("An unhandled exception occurred."), &more);
        return response;
    }
    with(response, "text/plain; charset=utf-8", plain(seen, &texts))
}

fn with(mut response: Response, media_type: &'static str, text: String) -> Response {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    *response.body_mut() = without_length(text);
    response
}

fn plain(seen: &Seen, texts: &[String]) -> String {
    let mut text = texts.join("\n ---> ");
    let _ = write!(text, "\n\n{}\n\nHEADERS\n=======\n", seen.line);
    for (name, value) in &seen.headers {
        let _ = writeln!(text, "{name}: {value}");
    }
    text
}

fn html(seen: &Seen, texts: &[String]) -> String {
    let mut causes = String::new();
    for cause in texts.iter().skip(1) {
        let _ = write!(causes, "<p class=\"cause\">caused by: {}</p>", escaped(cause));
    }
    let table = |title: &str, rows: &[(String, String)]| {
        let mut text = format!("<h2>{title}</h2>");
        if rows.is_empty() {
            text.push_str("<p>none</p>");
            return text;
        }
        text.push_str("<table>");
        for (name, value) in rows {
            let (name, value) = (escaped(name), escaped(value));
            let _ = write!(text, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
        }
        text + "</table>"
    };
    PAGE.replace("{{message}}", &escaped(texts.first().map_or("", String::as_str)))
        .replace("{{causes}}", &causes)
        .replace("{{request}}", &escaped(&seen.line))
        .replace("{{query}}", &table("Query", &seen.query))
        .replace("{{headers}}", &table("Headers", &seen.headers))
}

const PAGE: &str = include_str!("developer_page.html");

/// A text in HTML. Braces, too, so that none of it is taken for a place of the page.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '{' => safe.push_str("&#123;"),
            '}' => safe.push_str("&#125;"),
            character => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn what_lets_somebody_in_is_hidden_and_nothing_is_markup() {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "/a%3Cb%3E?x=%3Ci%3E&token=PW".parse().unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", HeaderValue::from_static("Bearer PW"));
        headers.insert("cookie", HeaderValue::from_static("id=PW"));
        headers.insert("x-api-key", HeaderValue::from_static("PW"));
        headers.insert("x-own", HeaderValue::from_static("<b>{{headers}}"));
        let seen = Seen::of(&request);
        let texts = ["outer".to_owned(), "inner <b>".to_owned()];
        for text in [html(&seen, &texts), plain(&seen, &texts)] {
            assert!(!text.contains("PW") && text.contains("(hidden)"), "{text}");
            assert!(text.contains("outer"), "{text}");
        }
        let page = html(&seen, &texts);
        assert!(!page.contains("{{") && !page.contains("<b>") && !page.contains("<i>"), "{page}");
        assert!(page.contains("inner &lt;b&gt;") && page.contains("&lt;b&gt;&#123;"), "{page}");
    }
}
