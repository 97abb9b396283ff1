//! The answers: of a file, by what a request asks of it, and of a folder that needs its slash.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::byte_range::Part;
use super::conditions::{self, Verdict};
use super::representation::Representation;
use crate::diagnostics::events;
use crate::features::{EffectiveRequest, RequestTarget, escaped_path};
use crate::pipeline::{Enter, PreparedHead, Request, Responding, Response};

/// The answer of a file, which may lack the headers that are prepared for it.
pub(super) struct OfFile {
    pub(super) response: Response,
    head: Option<Arc<PreparedHead>>,
}

impl OfFile {
    /// The answer with all headers.
    pub(super) fn whole(self) -> Response {
        let Self { mut response, head } = self;
        if let Some(head) = head {
            head.put_into(response.headers_mut());
        }
        response
    }
}

impl From<Response> for OfFile {
    fn from(response: Response) -> Self {
        Self { response, head: None }
    }
}

impl From<OfFile> for Enter {
    fn from(OfFile { response, head }: OfFile) -> Self {
        match head {
            Some(head) => Self::Taken(Responding::prepared(response, head)),
            None => Self::Answer(response),
        }
    }
}

/// The answer of a file to a request with this method and these headers.
pub(super) fn of_file(
    mut file: Arc<Representation>,
    (method, headers): (&Method, &HeaderMap),
    path: &str,
) -> OfFile {
    match conditions::judge(headers, &file.validators) {
        Verdict::Send => {}
        Verdict::NotModified => {
            events::static_file_not_modified(path);
            let mut response = handled(StatusCode::NOT_MODIFIED, path);
            let head = Representation::head_of_unchanged(&file);
            if head.is_none() {
                *response.headers_mut() = Representation::headers_of_unchanged(&mut file);
            }
            return OfFile { response, head };
        }
        Verdict::PreconditionFailed => {
            events::static_precondition_failed(path);
            return handled(StatusCode::PRECONDITION_FAILED, path).into();
        }
    }
    if method == Method::HEAD {
        // A range is asked for with GET alone (RFC 9110 section 14.2).
        let mut response = handled(StatusCode::OK, path);
        *response.headers_mut() = Representation::own_headers(&mut file);
        return response.into();
    }
    let part = match Part::of(headers, file.length) {
        Part::Whole => Part::Whole,
        part if conditions::range_counts(headers, &file.validators) => part,
        _ => Part::Whole,
    };
    let response = match &part {
        Part::Whole => match Representation::head(&file) {
            Some(head) => {
                return OfFile { response: file.bare_answer(&part), head: Some(head) };
            }
            None => Representation::answer(&mut file, &part),
        },
        Part::Bytes(range) => of_part(&mut file, range, &part, path),
        Part::Unsatisfiable => {
            events::static_range_not_satisfiable(path);
            let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            let range = format!("bytes */{}", file.length);
            response.headers_mut().insert(CONTENT_RANGE, text(&range));
            response
        }
    };
    response.into()
}

fn of_part(
    file: &mut Arc<Representation>,
    range: &Range<u64>,
    part: &Part,
    path: &str,
) -> Response {
    let mut response = Representation::answer(file, part);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let headers = response.headers_mut();
    let of_it = format!("bytes {}-{}/{}", range.start, range.end - 1, file.length);
    events::static_range_sent(&of_it, path);
    headers.insert(CONTENT_LENGTH, (range.end - range.start).into());
    headers.insert(CONTENT_RANGE, text(&of_it));
    response
}

/// A file as what an error says: all of it, and none of what is true of the file alone.
pub(super) fn of_error(file: &Representation, status: StatusCode, method: &Method) -> Response {
    use http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};

    let body = if method == Method::HEAD { Body::empty() } else { file.body(&Part::Whole) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for name in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING, VARY] {
        if let Some(value) = file.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// The same place with a slash at its end: where the client asked, or relative if it named no host.
pub(super) fn of_slash(request: &Request, path: &str) -> Response {
    let meant = EffectiveRequest::of(request);
    let target = RequestTarget::of(request);
    let here = format!("{}{}/{}", meant.escaped_path_base(), escaped_path(path), target.query());
    let location = match meant.host() {
        // Two slashes at the beginning would be a host.
        "" => format!("/{}", here.trim_start_matches('/')),
        host => format!("{}://{host}{here}", meant.scheme()),
    };
    let mut response = empty(StatusCode::MOVED_PERMANENTLY);
    response.headers_mut().insert(LOCATION, text(&location));
    response
}

pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn handled(status: StatusCode, path: &str) -> Response {
    events::static_request_handled(status, path);
    empty(status)
}

fn text(text: &str) -> HeaderValue {
    // Numbers, and URLs that were escaped.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
