//! What is told of requests and answers.

use super::fields::HttpLoggingFields;
use super::header_names::ShownHeaders;
use super::text_types::TextTypes;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpLoggingOptions {
    pub(crate) fields: HttpLoggingFields,
    pub(crate) request_headers: ShownHeaders,
    pub(crate) response_headers: ShownHeaders,
    pub(crate) types: TextTypes,
    /// How many bytes of a body are told.
    pub(crate) request_body_limit: usize,
    pub(crate) response_body_limit: usize,
    /// All of it as one event.
    pub(crate) combine: bool,
}
