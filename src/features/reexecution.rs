//! A request that a stage asks the app once more.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::{Request, StatusCode};

use super::outcome::Unhandled;

/// Why the app is asked for a page that no client has asked for: what a request came to before. The stages
/// `ExceptionHandler` and `StatusCodePages` leave it with the request for their page. (What
/// `IExceptionHandlerPathFeature` and `IStatusCodeReExecuteFeature` are in ASP.NET Core.)
///
/// ```
/// use axum::extract::Request;
/// use kestrel::Reexecution;
///
/// async fn error_page(request: Request) -> String {
///     match Reexecution::of(&request) {
///         Some(before) => format!("{} came to {}", before.path(), before.status()),
///         None => "nothing is wrong".to_owned(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Reexecution {
    pub(crate) status: StatusCode,
    pub(crate) path: Box<str>,
    pub(crate) query: Box<str>,
    pub(crate) error: Option<Arc<Unhandled>>,
}

impl Reexecution {
    /// Of a request that is asked once more; `None` of one that a client has asked.
    pub fn of<B>(request: &Request<B>) -> Option<&Self> {
        request.extensions().get()
    }

    /// The status that the answer will have unless the page has another than 200.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The path that was asked for, as [`RequestTarget::path`](crate::RequestTarget::path) tells it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query that was asked for, with its `?`; empty if there was none.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// What the app failed with, if it did.
    pub fn error(&self) -> Option<&(dyn Error + 'static)> {
        self.error.as_deref().map(Unhandled::error)
    }
}

impl fmt::Debug for Reexecution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reexecution")
            .field("status", &self.status)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
