//! A body for answers that have none (`StatusCodePages`).

use std::sync::Arc;

use axum::body::Body;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body::Body as _;

use super::once_more::Kept;
use super::problem_details::ProblemDetails;
use super::status_text::reason;
use crate::diagnostics::events;
use crate::features::{EffectiveRequest, Outcome, StandIn};
use crate::middleware::without_length::without_length;
use crate::pipeline::{Enter, Next, Request, Responding, Response, Stage};

/// Gives answers of 400 to 599 a body that have none. (What `StatusCodePagesMiddleware` is in ASP.NET Core.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusPages {
    pub(crate) page: StatusPage,
    /// Whether a client that takes problems gets one in the place of the plain text.
    pub(crate) problems: bool,
}

/// What such an answer becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StatusPage {
    /// The status in words.
    Plain,
    /// This text.
    Text(Template),
    /// A redirection there; `~` in front stands for the path base.
    Redirect(Template),
    /// What is found there; the status stays, and the whole answer if there is no such page.
    Reexecute(Template),
}

/// A text with `{0}` in the place of the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Arc<str>);

impl Template {
    /// Of a text as .NET formats it; `None` if it has braces for something else.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let left = text.replace("{{", "").replace("}}", "").replace("{0}", "");
        (!left.contains(['{', '}'])).then(|| Self(text.into()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn filled_in(&self, status: StatusCode) -> String {
        // What stands for one brace is kept apart from what stands for the status.
        let parts = self.0.split("{{").map(|part| {
            let part = part.split("}}").map(|part| part.replace("{0}", status.as_str()));
            part.collect::<Vec<_>>().join("}")
        });
        parts.collect::<Vec<_>>().join("{")
    }
}

/// Some browsers show pages of their own in the place of short ones.
const PADDING: usize = 500;

impl Stage for StatusPages {
    fn enter(&self, request: &mut Request) -> Enter {
        match &self.page {
            StatusPage::Plain => {
                let details = self.problems.then(|| ProblemDetails::of(request.headers()));
                then(says_nothing, move |response| plain(response, details.as_ref()))
            }
            StatusPage::Text(template) => {
                let template = template.clone();
                then(wants_page, move |response| {
                    let text = template.filled_in(response.status());
                    with_text(response, "text/plain; charset=utf-8", text);
                })
            }
            StatusPage::Redirect(template) => {
                let base = EffectiveRequest::of(request).escaped_path_base().into_owned();
                let template = template.clone();
                then(wants_page, move |response| {
                    // A browser asks for a password by the status and this header, not elsewhere.
                    if !response.headers().contains_key(WWW_AUTHENTICATE) {
                        redirect(response, &template, &base);
                    }
                })
            }
            StatusPage::Reexecute(template) => reexecute(template.clone(), Kept::of(request)),
        }
    }

    fn knows_files(&self) -> bool {
        true
    }
}

/// Goes on, and changes an answer that is to be another one.
fn then(
    is_it: impl FnOnce(&Response) -> bool + Send + 'static,
    change: impl FnOnce(&mut Response) + Send + 'static,
) -> Enter {
    Enter::Then(Box::new(|mut response| {
        if is_it(&response) {
            change(&mut response);
        }
        response
    }))
}

/// Whether an answer is of a mistake, and has nothing to say of it. (A length of nothing says nothing: routers
/// of axum's tell it of every answer.)
fn says_nothing(response: &Response) -> bool {
    let headers = response.headers();
    let length = headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
    (400..600).contains(&response.status().as_u16())
        && response.body().is_end_stream()
        && !headers.contains_key(CONTENT_TYPE)
        && matches!(length, None | Some(b"0"))
        && response.extensions().get::<Outcome>().is_none()
}

/// Whether a page that the settings name stands in the place of an answer: it says nothing, or what this server
/// says for want of such a page.
fn wants_page(response: &Response) -> bool {
    says_nothing(response) || response.extensions().get::<StandIn>().is_some()
}

fn plain(response: &mut Response, details: Option<&ProblemDetails>) {
    response.headers_mut().remove(CONTENT_LENGTH);
    if let Some(details) = details.filter(|details| details.is_taken()) {
        return details.tell(response, None, &[]);
    }
    let status = response.status().as_u16();
    let reason = reason(status).map(|reason| format!("; {reason}")).unwrap_or_default();
    let text = format!("Status Code: {status}{reason}{}", " ".repeat(PADDING));
    with_text(response, "text/plain", text);
}

fn with_text(response: &mut Response, media_type: &'static str, text: String) {
    empty(response);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    *response.body_mut() = without_length(text);
}

/// Takes away what an answer says.
fn empty(response: &mut Response) {
    for name in OF_BODY {
        response.headers_mut().remove(name);
    }
    *response.body_mut() = Body::empty();
}

/// What is true of one body alone.
const OF_BODY: [HeaderName; 3] = [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH];

fn redirect(response: &mut Response, template: &Template, base: &str) {
    let location = template.filled_in(response.status());
    let location = match location.strip_prefix('~') {
        Some(rest) => format!("{base}{rest}"),
        None => location,
    };
    // The settings have seen that it can be one.
    let Ok(location) = HeaderValue::try_from(location) else { return };
    empty(response);
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
}

fn reexecute(template: Template, kept: Kept) -> Enter {
    Enter::Around(Box::new(move |request, next: Next| {
        Responding::later(async move {
            let response = next.call(request).await;
            if !wants_page(&response) {
                return response;
            }
            let status = response.status();
            let target = template.filled_in(status);
            let (path, query) = match target.find('?') {
                Some(at) => target.split_at(at),
                None => (target.as_str(), ""),
            };
            let request = kept.by_get().once_more(path, Some(query), status, None);
            let page = next.call(request).await;
            on_page(page, response, path)
        })
    }))
}

/// A page in the place of an answer: with the headers that this had, and its status unless the page has one. What
/// comes to another mistake is no page for this one, and the answer stays as it is.
fn on_page(mut page: Response, answer: Response, path: &str) -> Response {
    let status = answer.status();
    if page.extensions().get::<Outcome>().is_some() {
        return page;
    }
    let is_mistake = page.status().is_client_error() || page.status().is_server_error();
    if is_mistake && page.status() != status {
        events::status_page_missing(path, page.status().as_u16(), status.as_u16());
        return answer;
    }
    if page.status() == StatusCode::OK {
        *page.status_mut() = status;
    }
    let before = answer.headers();
    for name in before.keys() {
        if !OF_BODY.contains(name) && !page.headers().contains_key(name) {
            for value in before.get_all(name) {
                page.headers_mut().append(name.clone(), value.clone());
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_the_status_in_its_place() {
        for (text, expected) in [
            ("Oops {0}", Some("Oops 404")),
            ("{{0}} {0}{0}", Some("{0} 404404")),
            ("/status/{0}?a={0}", Some("/status/404?a=404")),
            ("", Some("")),
            ("{1}", None),
            ("{0:x}", None),
            ("{", None),
            ("a}", None),
        ] {
            let filled_in = Template::new(text).map(|it| it.filled_in(StatusCode::NOT_FOUND));
            assert_eq!(filled_in.as_deref(), expected, "{text}");
        }
    }
}
