//! What a client gets if there is no answer of a destination: nothing of what is behind, in the form that it asks
//! for.

use axum::body::Body;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::features::StandIn;
use crate::pipeline::Response;

/// An answer of a status, with a page or a problem (RFC 9457) if the client names such a type in its `Accept`; else
/// it has no body, which pages of statuses fill if they are on. A page that these name stands in the place of ours.
pub(super) fn error_answer(status: StatusCode, sent: Sent<'_>) -> Response {
    answer(status, sent, (sentence(status), None))
}

/// The same, with what is for developers alone, if it is for this client.
pub(super) fn told_answer(status: StatusCode, sent: Sent<'_>, details: Option<&str>) -> Response {
    answer(status, sent, (sentence(status), details))
}

/// The same in other words.
#[cfg(feature = "child-process")]
pub(crate) fn explained_answer(
    status: StatusCode,
    sent: Sent<'_>,
    words: (&str, Option<&str>),
) -> Response {
    answer(status, sent, words)
}

fn answer(
    status: StatusCode,
    (method, headers): Sent<'_>,
    (sentence, details): (&str, Option<&str>),
) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if *method == Method::HEAD {
        return response;
    }
    let form = form(headers);
    // What is for developers is more than any page says.
    if form == Form::Page && details.is_none() {
        response.extensions_mut().insert(StandIn);
    }
    let (media_type, body) = match form {
        Form::Nothing if details.is_some() => (
            "text/plain; charset=utf-8",
            format!("{sentence}\n\n{}\n", details.unwrap_or_default()),
        ),
        Form::Nothing => {
            // HTTP/2 has nobody who would say so.
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            return response;
        }
        Form::Page => ("text/html; charset=utf-8", page(status, sentence, details)),
        Form::Problem => ("application/problem+json", problem(status, sentence, details)),
    };
    *response.body_mut() = Body::from(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    response
}

/// What of a request says how its client is told.
pub(crate) type Sent<'a> = (&'a Method, &'a HeaderMap);

#[derive(Debug, PartialEq, Eq)]
enum Form {
    Nothing,
    Page,
    Problem,
}

/// The first of ours that the client names.
fn form(headers: &HeaderMap) -> Form {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let types = lines.flat_map(|line| line.split(',')).map(|member| {
        let name = member.split(';').next().unwrap_or_default().trim();
        name.to_ascii_lowercase()
    });
    let known = types.filter_map(|name| match &*name {
        "text/html" | "application/xhtml+xml" => Some(Form::Page),
        "application/json" | "application/problem+json" => Some(Form::Problem),
        _ => None,
    });
    known.into_iter().next().unwrap_or(Form::Nothing)
}

/// What is said to people, in a sentence.
fn sentence(status: StatusCode) -> &'static str {
    match status {
        StatusCode::GATEWAY_TIMEOUT => "The server behind this one took too long to answer.",
        StatusCode::BAD_GATEWAY => "The server behind this one gave no proper answer.",
        StatusCode::REQUEST_TIMEOUT => "The request took too long to come.",
        StatusCode::PAYLOAD_TOO_LARGE => "The request is too large.",
        status if status.is_client_error() => "The request could not be handed on as it is.",
        _ => "The service is not available at the moment.",
    }
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

fn page(status: StatusCode, sentence: &str, details: Option<&str>) -> String {
    let (number, reason) = (status.as_u16(), reason(status));
    let details = details.map(|it| format!("\n<pre>{}</pre>", escaped(it))).unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{number} {reason}</title>\n\
         <style>:root {{ color-scheme: light dark }} body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }} pre {{ overflow-x: auto }}</style>\n\
         </head>\n<body>\n<h1>{number} {reason}</h1>\n<p>{sentence} Please try again in a moment.</p>{details}\n</body>\n</html>\n"
    )
}

/// A text as it stands in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn problem(status: StatusCode, sentence: &str, details: Option<&str>) -> String {
    let (number, reason) = (status.as_u16(), reason(status));
    // Sections 15.5.1 to 15.5.14 are 400 to 413, 15.6.1 to 15.6.6 are 500 to 505.
    let section = match status.is_client_error() {
        true => format!("5.{}", number.saturating_sub(399)),
        false => format!("6.{}", number.saturating_sub(499)),
    };
    let details = details.map(|it| format!(",\"reason\":{}", serde_json::Value::from(it)));
    format!(
        "{{\"type\":\"https://tools.ietf.org/html/rfc9110#section-15.{section}\",\"title\":\"{reason}\",\"status\":{number},\"detail\":\"{sentence}\"{}}}",
        details.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_first_form_that_it_names() {
        for (accept, expected) in [
            (&[][..], Form::Nothing),
            (&["*/*"], Form::Nothing),
            (&["text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"], Form::Page),
            (&["image/png", "Application/JSON ; q=0.5, text/html"], Form::Problem),
            (&["application/problem+json"], Form::Problem),
            (&["text/plain"], Form::Nothing),
        ] {
            let mut headers = HeaderMap::new();
            for line in accept {
                headers.append(ACCEPT, HeaderValue::from_static(line));
            }
            assert_eq!(form(&headers), expected, "{accept:?}");
        }
    }

    #[test]
    fn a_problem_is_json_and_says_what_the_status_means() {
        let problem: serde_json::Value =
            serde_json::from_str(&problem(StatusCode::BAD_GATEWAY, "Why.", Some("\"<x>\"")))
                .unwrap();
        assert_eq!(problem["type"], "https://tools.ietf.org/html/rfc9110#section-15.6.3");
        assert_eq!((&problem["title"], &problem["status"]), (&"Bad Gateway".into(), &502.into()));
        assert_eq!((&problem["detail"], &problem["reason"]), (&"Why.".into(), &"\"<x>\"".into()));
        for (status, section) in [
            (StatusCode::BAD_REQUEST, "15.5.1"),
            (StatusCode::REQUEST_TIMEOUT, "15.5.9"),
            (StatusCode::PAYLOAD_TOO_LARGE, "15.5.14"),
            (StatusCode::SERVICE_UNAVAILABLE, "15.6.4"),
        ] {
            let problem = super::problem(status, sentence(status), None);
            assert!(problem.contains(&format!("#section-{section}\"")), "{problem}");
        }
        let page = page(StatusCode::GATEWAY_TIMEOUT, "Why.", Some("<x>"));
        assert!(page.contains("<h1>504 Gateway Timeout</h1>"), "{page}");
        assert!(page.contains("<pre>&lt;x&gt;</pre>"), "{page}");
    }
}
