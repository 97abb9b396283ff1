//! Tells the log of requests and answers, with all that is asked of them (`HttpLogging`).
//!
//! A request is told when it comes, its answer when its head is sent, a body once all of it that is kept has
//! come by, the duration at the end; or all of it at the end, as one event. What is told of an answer is what
//! is sent: the status of an app that fails is 500.

mod capture;
mod fields;
mod header_names;
mod options;
mod request;
mod response;
mod text_types;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tracing::Span;

use self::capture::{Capture, Captured, Progress, Watched};
pub(crate) use self::fields::HttpLoggingFields;
pub(crate) use self::header_names::ShownHeaders;
pub(crate) use self::options::HttpLoggingOptions;
pub(crate) use self::text_types::TextTypes;
use crate::diagnostics::{Listed, ListedValue, events};
use crate::features::{Completed, Reexecution, SentHead, Watch};
use crate::middleware::watching::{broken, watched};
use crate::pipeline::{Enter, FilePart, Request, Response, Stage};

/// Tells the log of requests and answers. (What `HttpLoggingMiddleware` is in ASP.NET Core.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpLogging(pub(crate) Arc<HttpLoggingOptions>);

impl Stage for HttpLogging {
    fn enter(&self, request: &mut Request) -> Enter {
        let options = &self.0;
        // A request that is asked once more for a page was told when it came.
        if !events::http_messages_are_logged() || Reexecution::of(request).is_some() {
            return Enter::Next;
        }
        let mut listed = request::listed(options, request);
        if !options.combine && !listed.is_empty() {
            events::http_request(&std::mem::take(&mut listed));
        }
        let exchange = Exchange {
            options: Arc::clone(options),
            started: Instant::now(),
            scope: Span::current(),
            adds: response::Adds::of(request),
            listed,
            request_body: captured_request(options, request),
            response_body: None,
        };
        if !options.fields.has(HttpLoggingFields::RESPONSE_BODY) {
            return watched(request, Box::new(exchange), None);
        }
        let place = Arc::new(OnceLock::new());
        let exchange = Exchange { response_body: Some(Arc::clone(&place)), ..exchange };
        let options = Arc::clone(options);
        let leave = move |response| captured_response(&options, response, &place);
        watched(request, Box::new(exchange), Some(Box::new(leave)))
    }

    fn knows_files(&self) -> bool {
        true
    }
}

/// Puts a body in the place of the request's that is told once the app has read it.
fn captured_request(options: &HttpLoggingOptions, request: &mut Request) -> Option<Captured> {
    if !options.fields.has(HttpLoggingFields::REQUEST_BODY) {
        return None;
    }
    let charset = options.types.charset(request::content_type(request.headers())?)?;
    let captured = Captured::new(Capture::new(charset, options.request_body_limit));
    let body = std::mem::take(request.body_mut());
    let combine = options.combine;
    *request.body_mut() = Watched::body(body, captured.clone(), move |capture: &Capture| {
        if !combine {
            events::http_request_body(&capture.text(), status(capture.progress()));
        }
    });
    Some(captured)
}

/// What is said behind the body of a request.
fn status(progress: Progress) -> &'static str {
    match progress {
        Progress::NotBegun => "[Not consumed by app]",
        Progress::Begun => "[Only partially consumed by app]",
        Progress::Ended => "",
        Progress::AtLimit => "[Truncated by RequestBodyLogLimit]",
    }
}

/// Puts a body in the place of the answer's that is told at the end.
fn captured_response(
    options: &HttpLoggingOptions,
    mut response: Response,
    place: &OnceLock<Captured>,
) -> Response {
    let charset =
        request::content_type(response.headers()).and_then(|it| options.types.charset(it));
    let Some(charset) = charset.filter(|_| !http_body::Body::is_end_stream(response.body())) else {
        return response;
    };
    FilePart::take(&mut response);
    let captured = Captured::new(Capture::new(charset, options.response_body_limit));
    let body = std::mem::take(response.body_mut());
    *response.body_mut() = Watched::body(body, captured.clone(), |_: &Capture| {});
    let _ = place.set(captured);
    response
}

/// A request and its answer, as far as they have come.
struct Exchange {
    options: Arc<HttpLoggingOptions>,
    started: Instant,
    scope: Span,
    adds: response::Adds,
    /// What is told at the end.
    listed: Listed,
    request_body: Option<Captured>,
    response_body: Option<Arc<OnceLock<Captured>>>,
}

impl Watch for Exchange {
    fn wants_headers(&self) -> bool {
        true
    }

    fn head(&mut self, head: &SentHead<'_>) {
        let mut listed = response::listed(&self.options, head, &self.adds);
        if self.options.combine {
            self.listed.append(&mut listed);
        } else if !listed.is_empty() {
            let _entered = self.scope.enter();
            events::http_response(&listed);
        }
    }

    fn end(mut self: Box<Self>, how: Completed, bytes: u64) {
        let scope = self.scope.clone();
        let _entered = scope.enter();
        let response_body = self.response_body.take();
        let response_body = response_body.as_ref().and_then(|place| place.get());
        let response_body = response_body.map(|captured| captured.lock().text());
        let timed = self.options.fields.has(HttpLoggingFields::DURATION);
        let duration = timed.then(|| self.started.elapsed().as_secs_f64() * 1000.0);
        let answer = HttpLoggingFields::RESPONSE_PROPERTIES_AND_HEADERS;
        let answer = answer | HttpLoggingFields::RESPONSE_BODY | HttpLoggingFields::DURATION;
        let missing = broken(how).filter(|_| self.options.fields.has(answer));
        if self.options.combine {
            self.tell_all(response_body, duration, missing.map(|how| (how, bytes)));
            return;
        }
        if let Some(captured) = &self.request_body {
            let capture = captured.lock();
            if matches!(capture.progress(), Progress::NotBegun | Progress::Begun) {
                events::http_request_body(&capture.text(), status(capture.progress()));
            }
        }
        if let Some(body) = response_body {
            events::http_response_body(&body);
        }
        if let Some(duration) = duration {
            events::http_duration(duration);
        }
        if let Some(how) = missing {
            events::answer_not_sent_whole(how, bytes);
        }
    }
}

impl Exchange {
    fn tell_all(
        &mut self,
        response_body: Option<String>,
        duration: Option<f64>,
        missing: Option<(&'static str, u64)>,
    ) {
        let listed = &mut self.listed;
        if let Some(captured) = &self.request_body {
            let capture = captured.lock();
            listed.text("RequestBody", capture.text());
            let status = match capture.progress() {
                Progress::Ended => "[Completed]",
                progress => status(progress),
            };
            listed.text("RequestBodyStatus", status);
        }
        if let Some(body) = response_body {
            listed.text("ResponseBody", body);
        }
        if let Some(duration) = duration {
            listed.push("Duration", ListedValue::Fraction(duration));
        }
        if let Some((how, bytes)) = missing {
            listed.text("Completion", how);
            listed.text("BytesSent", bytes.to_string());
        }
        if !listed.is_empty() {
            events::http_request_and_response(listed);
        }
    }
}
