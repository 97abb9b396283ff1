//! What is told of an answer.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, SERVER, TRANSFER_ENCODING};
use http::{Method, Version};

use super::fields::HttpLoggingFields as Fields;
use super::header_names::usual;
use super::options::HttpLoggingOptions;
use crate::diagnostics::{Listed, ListedValue};
use crate::features::SentHead;
use crate::pipeline::Request;

/// What HTTP adds to the head of an answer, as the request has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adds {
    version: Version,
    is_head: bool,
    closes: bool,
}

impl Adds {
    pub(super) fn of(request: &Request) -> Self {
        let lines = request.headers().get_all(CONNECTION).iter();
        let mut tokens = lines.filter_map(|line| line.to_str().ok()).flat_map(|it| it.split(','));
        Self {
            version: request.version(),
            is_head: request.method() == Method::HEAD,
            closes: request.version() == Version::HTTP_11
                && tokens.any(|token| token.trim().eq_ignore_ascii_case("close")),
        }
    }
}

/// The head of an answer. As on ASP.NET Core it is told as it is sent where a body follows; without one, and
/// where bodies are told, too, as the app has given it.
pub(super) fn listed(options: &HttpLoggingOptions, head: &SentHead<'_>, adds: &Adds) -> Listed {
    let (mut listed, fields) = (Listed::default(), options.fields);
    if fields.has(Fields::RESPONSE_STATUS_CODE) {
        listed.push("StatusCode", ListedValue::Whole(head.status.as_u16().into()));
    }
    if !fields.has(Fields::RESPONSE_HEADERS) {
        return listed;
    }
    let as_sent = head.has_body && !fields.has(Fields::RESPONSE_BODY);
    let headers = head.headers;
    for name in headers.keys() {
        if as_sent || ![CONNECTION, DATE, SERVER].contains(name) {
            listed.text(usual(name), options.response_headers.value(headers, name));
        }
    }
    if !as_sent || adds.version == Version::HTTP_2 {
        return listed;
    }
    if adds.closes && !headers.contains_key(CONNECTION) {
        listed.text("Connection", "close");
    }
    match head.content_length {
        Some(length) if !headers.contains_key(CONTENT_LENGTH) => {
            listed.text("Content-Length", length.to_string());
        }
        None if adds.version == Version::HTTP_11
            && !adds.is_head
            && !headers.contains_key(TRANSFER_ENCODING) =>
        {
            listed.text("Transfer-Encoding", "chunked");
        }
        Some(_) | None => {}
    }
    listed
}
