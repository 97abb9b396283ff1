//! Files from a folder: what has a file is answered with it, everything else goes on. (What
//! `StaticFileMiddleware`, `DefaultFilesMiddleware`, `DirectoryBrowserMiddleware` and
//! `MapFallbackToFile` are in ASP.NET Core.)
//!
//! A request becomes a [`site_path`], which names nothing outside of the root; [`site`] finds out what is there,
//! by [`root`], which opens nothing outside of it; [`representation`] is a file with its headers, small ones kept
//! by [`cache`]; [`answer`] is what a request gets of it, by its [`conditions`] and its [`byte_range`].
//! What can be decided without a disk is decided in functions of their input.
//!
//! What is in memory, ours or the system's, is answered at once on the thread of the connection. What is not is
//! waited for on another, so that a slow disk holds nobody else.

mod answer;
mod body;
#[cfg(not(fuzzing))]
mod byte_range;
#[cfg(fuzzing)]
pub(crate) mod byte_range;
mod cache;
mod conditions;
mod content_types;
mod encodings;
mod header_rules;
mod listing;
mod options;
mod read;
mod refusals;
mod representation;
mod root;
mod site;
mod site_path;
mod validators;

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body as _;

use self::answer::OfFile;
use self::cache::UNUSED;
use self::encodings::Accepted;
pub(crate) use self::header_rules::HeaderRule;
use self::listing::page::{Page, Row};
use self::listing::{Column, Order};
pub(crate) use self::options::{
    Behind, BrowserOptions, DEFAULT_FILES, FileOptions, StaticFilesOptions,
};
use self::representation::{Content, Representation};
use self::root::{MustWait, Wait};
use self::site::{Outcome, Site};
use crate::diagnostics::events;
use crate::features::{AsItIs, EffectiveRequest, HttpsCompression, Reexecution, RequestTarget};
use crate::pipeline::{Enter, Next, Request, Responding, Response, Stage};

/// Answers with files.
#[derive(Clone, Debug)]
pub(crate) struct StaticFiles(Arc<Site>);

impl StaticFiles {
    pub(crate) fn new(options: StaticFilesOptions) -> Self {
        Self(Arc::new(Site::new(options)))
    }
}

impl Stage for StaticFiles {
    fn enter(&self, request: &mut Request) -> Enter {
        let site = &self.0;
        if !asks(request.method()) {
            events::static_method_not_supported(request.method().as_str());
            return site.go_past(request);
        }
        let path = RequestTarget::of(request).lent_path();
        let accepted = site.accepted(request.headers());
        match site.find(&path, accepted, Wait::No) {
            Ok(Outcome::File(file)) => site.sent(file, request, &path).into(),
            Ok(Outcome::Slash) => Enter::Answer(answer::of_slash(request, &path)),
            Ok(Outcome::Failed) => Enter::Answer(answer::empty(StatusCode::INTERNAL_SERVER_ERROR)),
            Ok(Outcome::UnknownType) => {
                events::static_type_not_supported(&path);
                site.go_past(request)
            }
            Ok(Outcome::Nothing) => {
                site.tell_nothing(&path);
                site.go_past(request)
            }
            Ok(Outcome::Folder(_)) | Err(MustWait) => {
                let site = Arc::clone(site);
                Enter::Around(Box::new(move |request, next| {
                    Responding::later(site.answered_later(request, next))
                }))
            }
        }
    }

    fn knows_files(&self) -> bool {
        true
    }
}

/// Whether a method asks for a file. Its case does not count, but the server knows only one that wants no
/// body.
fn asks(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD || method.as_str().eq_ignore_ascii_case("GET")
}

impl Site {
    fn accepted(&self, headers: &HeaderMap) -> Accepted {
        match &self.options.files {
            Some(files) if files.precompressed => Accepted::of(headers),
            _ => Accepted::default(),
        }
    }

    /// A request that no file answers.
    fn go_past(self: &Arc<Self>, request: &Request) -> Enter {
        let has_pages = self.options.fallback.is_some() || self.options.not_found_page.is_some();
        match self.options.behind {
            _ if has_pages && asks(request.method()) => {
                let site = Arc::clone(self);
                Enter::Around(Box::new(move |request, next| {
                    Responding::later(site.gone_past(request, next))
                }))
            }
            Behind::App => Enter::Next,
            Behind::Nothing => Enter::Answer(answer::empty(StatusCode::NOT_FOUND)),
        }
    }

    fn tell_nothing(&self, path: &str) {
        let is_below = |prefix: &str| site_path::below(path, prefix).is_some();
        match self.options.files.as_ref().is_none_or(|files| is_below(&files.request_path)) {
            true => events::static_file_not_found(path),
            false => events::static_path_not_matched(path),
        }
    }

    /// What a file answers.
    fn sent(self: &Arc<Self>, file: Arc<Representation>, request: &Request, path: &str) -> OfFile {
        if let Content::File(_) = file.content {
            self.close_unused();
        }
        events::static_file_sent(path, &Physical(self, &file));
        let mut answer = match Reexecution::of(request) {
            // It stands for what was asked for, of which its tag and how long it may be kept say nothing.
            Some(_) => answer::of_error(&file, StatusCode::OK, request.method()).into(),
            None => answer::of_file(file, (request.method(), request.headers()), path),
        };
        self.mark(request, &mut answer.response);
        answer
    }

    /// Sees to it that no file stays open that nobody asks for, from now on until none is.
    fn close_unused(self: &Arc<Self>) {
        if !self.open.begins_to_be_swept() {
            return;
        }
        let site = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UNUSED).await;
                // A reload may have put another in its place.
                let Some(site) = site.upgrade() else { return };
                if !site.open.close_unused() {
                    return;
                }
            }
        });
    }

    /// Says whether it may be compressed, where that is a question.
    fn mark(&self, request: &Request, response: &mut Response) {
        let compression = self.options.files.as_ref().map(|files| files.https_compression);
        if let Some(compression) = compression
            && compression != HttpsCompression::Default
            && EffectiveRequest::of(request).is_https()
        {
            response.extensions_mut().insert(compression);
        }
    }

    /// Runs what waits for the disk on a thread for that.
    async fn waiting<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let site = Arc::clone(self);
        match tokio::task::spawn_blocking(move || look(&site)).await {
            Ok(seen) => Some(seen),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends.
                Err(_) => None,
            },
        }
    }

    /// Answers a request for which the disk is looked at.
    async fn answered_later(self: Arc<Self>, request: Request, next: Next) -> Response {
        let path = RequestTarget::of(&request).lent_path().into_owned();
        let accepted = self.accepted(request.headers());
        let key = path.clone();
        let found = self.waiting(move |site| site.find(&key, accepted, Wait::Yes)).await;
        match found {
            Some(Ok(Outcome::File(file))) => self.sent(file, &request, &path).whole(),
            Some(Ok(Outcome::Slash)) => answer::of_slash(&request, &path),
            Some(Ok(Outcome::Folder(folder))) => self.listed(request, path, folder).await,
            Some(Ok(Outcome::UnknownType)) => {
                events::static_type_not_supported(&path);
                self.gone_past(request, next).await
            }
            Some(Ok(Outcome::Nothing)) => {
                self.tell_nothing(&path);
                self.gone_past(request, next).await
            }
            Some(Ok(Outcome::Failed) | Err(MustWait)) | None => {
                answer::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// The page of a folder.
    async fn listed(self: Arc<Self>, request: Request, path: String, folder: String) -> Response {
        let order = Order::of(RequestTarget::of(&request).query());
        let base = EffectiveRequest::of(&request).escaped_path_base().into_owned();
        let is_head = request.method() == Method::HEAD;
        let turn = Arc::clone(&self.pages).acquire_owned().await;
        let page = self.waiting(move |site| {
            // Until it is made, even if the client does not wait for it.
            let _turn = turn;
            let mut listing = listing::read(&site.root, &folder)?.unwrap_or_default();
            order.sort(&mut listing.entries);
            let entries = listing.entries.iter();
            let rows =
                entries.map(|it| Row { name: &it.name, length: it.length, modified: it.modified });
            let rows: Vec<_> = rows.collect();
            let column = match order.column {
                Column::Name => 0,
                Column::Size => 1,
                Column::Modified => 2,
            };
            let sorted = (column, order.descending);
            Ok::<_, std::io::Error>(
                Page { base: &base, path: &path, rows: &rows, more: listing.more, sorted }.html(),
            )
        });
        let Some(Ok(page)) = page.await else {
            return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let length = page.len();
        let mut response = Response::new(if is_head { Body::empty() } else { page.into() });
        let headers = response.headers_mut();
        if !is_head {
            headers.insert(http::header::CONTENT_LENGTH, length.into());
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response
    }

    /// Lets a request go past, and puts a page in the place of an answer that nothing was found.
    async fn gone_past(self: Arc<Self>, request: Request, next: Next) -> Response {
        let method = request.method().clone();
        let path = RequestTarget::of(&request).lent_path().into_owned();
        let has_pages = self.options.fallback.is_some() || self.options.not_found_page.is_some();
        let headers = if has_pages { request.headers().clone() } else { HeaderMap::new() };
        let response = match self.options.behind {
            Behind::App => next.call(request).await,
            Behind::Nothing => answer::empty(StatusCode::NOT_FOUND),
        };
        let is_nothing = response.status() == StatusCode::NOT_FOUND
            && response.body().size_hint().exact() == Some(0)
            && !response.headers().contains_key(CONTENT_TYPE)
            && response.extensions().get::<AsItIs>().is_none();
        if !is_nothing || !asks(&method) {
            return response;
        }
        let accepted = self.accepted(&headers);
        if let Some(page) = &self.options.fallback
            && site_path::is_page(&path)
            && let Some(file) = self.page_of(page, accepted).await
        {
            return answer::of_file(file, (&method, &headers), &path).whole();
        }
        match &self.options.not_found_page {
            Some(page) => match self.page_of(page, accepted).await {
                Some(file) => answer::of_error(&file, StatusCode::NOT_FOUND, &method),
                None => response,
            },
            None => response,
        }
    }

    async fn page_of(
        self: &Arc<Self>,
        name: &str,
        accepted: Accepted,
    ) -> Option<Arc<Representation>> {
        let found = match self.page(name, accepted, Wait::No) {
            Ok(outcome) => outcome,
            Err(MustWait) => {
                let name = name.to_owned();
                self.waiting(move |site| site.page(&name, accepted, Wait::Yes)).await?.ok()?
            }
        };
        match found {
            Outcome::File(file) => Some(file),
            _ => None,
        }
    }
}

/// Where a file is, for the log.
struct Physical<'a>(&'a Site, &'a Representation);

impl std::fmt::Display for Physical<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path: Cow<'_, str> = self.0.root.path().to_string_lossy();
        write!(f, "{}{}{}", path, std::path::MAIN_SEPARATOR, self.1.name)
    }
}
