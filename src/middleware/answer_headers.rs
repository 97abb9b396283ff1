//! Headers that every answer gets, or loses (`Headers`).

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::diagnostics::panic_message;
use crate::features::{HeadersOfFailure, Outcome, Unhandled};
use crate::pipeline::{Enter, Next, Request, Responding, Response, Stage};

/// Changes the headers of every answer that comes by: of the app, of files, of other stages, and what the server
/// makes of an app that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnswerHeaders(pub(crate) Arc<HeaderChanges>);

/// What becomes of the headers of an answer, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderChanges {
    /// These go.
    pub(crate) remove: Vec<HeaderName>,
    /// These come where the answer has none of their name.
    pub(crate) default: Vec<(HeaderName, HeaderValue)>,
    /// These take the place of what the answer has.
    pub(crate) set: Vec<(HeaderName, HeaderValue)>,
    /// These come besides.
    pub(crate) append: Vec<(HeaderName, HeaderValue)>,
}

impl HeaderChanges {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.default {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        for (name, value) in &self.set {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.append {
            headers.append(name, value.clone());
        }
    }

    fn apply_to(&self, response: &mut Response) {
        // What is no answer yet says how the connection goes on.
        if response.status().is_informational() {
            return;
        }
        if let Some(Outcome::Failed(_)) = response.extensions().get() {
            // The server makes another answer of it, without the headers of this one.
            let mut headers = HeaderMap::new();
            self.apply(&mut headers);
            response.extensions_mut().insert(HeadersOfFailure(headers));
        }
        self.apply(response.headers_mut());
    }
}

impl Stage for AnswerHeaders {
    fn enter(&self, _: &mut Request) -> Enter {
        let changes = Arc::clone(&self.0);
        Enter::Around(Box::new(|request, next: Next| {
            Responding::later(async move {
                let mut response = match next.call(request).caught().await {
                    Ok(response) => response,
                    Err(panic) => failed(Unhandled::from(panic_message(&*panic).to_owned())),
                };
                changes.apply_to(&mut response);
                response
            })
        }))
    }

    fn knows_files(&self) -> bool {
        true
    }
}

/// The answer of an app that has failed, which the server tells and sends.
fn failed(error: Unhandled) -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Outcome::Failed(Arc::new(error)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    }

    #[test]
    fn headers_go_then_come() {
        let changes = HeaderChanges {
            remove: vec![HeaderName::from_static("x-gone"), HeaderName::from_static("x-again")],
            default: vec![header("x-own", "ours"), header("x-again", "ours")],
            set: vec![header("x-set", "ours")],
            append: vec![header("x-more", "ours"), header("x-set", "and more")],
        };
        let mut headers = HeaderMap::new();
        for name in ["x-gone", "x-again", "x-own", "x-set", "x-more", "x-else"] {
            headers.append(name, HeaderValue::from_static("the app's"));
        }
        changes.apply(&mut headers);
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        let expected = [
            "x-again: ours",
            "x-else: the app's",
            "x-more: ours",
            "x-more: the app's",
            "x-own: the app's",
            "x-set: and more",
            "x-set: ours",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_switches_protocols_stays_as_it_is() {
        let changes = HeaderChanges { set: vec![header("x-a", "b")], ..HeaderChanges::default() };
        for (status, expected) in [(101, false), (200, true), (304, true), (500, true)] {
            let mut response = Response::default();
            *response.status_mut() = status.try_into().unwrap();
            changes.apply_to(&mut response);
            assert_eq!(response.headers().contains_key("x-a"), expected, "{status}");
        }
    }
}
