//! How long an answer may take to begin (`RequestTimeouts`).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::StatusCode;
use http::uri::PathAndQuery;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::path_rules::PathRules;
use crate::diagnostics::{Repeated, events};
use crate::features::{RoutePolicies, RoutePolicy};
use crate::pipeline::{Enter, Request, Responding, Response, Stage};

/// How long an answer may take to begin, and what the client gets if it does not. (What
/// `RequestTimeoutPolicy` is in ASP.NET Core.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeoutPolicy {
    /// `None` is for ever.
    pub(crate) timeout: Option<Duration>,
    pub(crate) status: StatusCode,
}

/// The policies by paths, and the one for all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestTimeoutOptions {
    pub(crate) default: TimeoutPolicy,
    pub(crate) by_path: PathRules<TimeoutPolicy>,
    /// All of them, for routes that name one.
    pub(crate) by_name: Vec<(String, TimeoutPolicy)>,
}

impl RequestTimeoutOptions {
    /// What counts for a request.
    fn of(&self, request: &Request) -> Option<&TimeoutPolicy> {
        let by_path = || self.by_path.of(request).unwrap_or(&self.default);
        match RoutePolicies::of(request).and_then(|it| it.timeout.as_ref()) {
            Some(RoutePolicy::Disable) => None,
            Some(RoutePolicy::Named(name)) => {
                let named = self.by_name.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
                Some(named.map_or_else(by_path, |(_, policy)| policy))
            }
            Some(RoutePolicy::Default) | None => Some(by_path()),
        }
    }
}

/// Gives up an app that takes too long to begin its answer, and answers in its place. (What
/// `RequestTimeoutsMiddleware` is in ASP.NET Core, where it is for the app to heed it.)
///
/// It counts from here to the head of the answer, with whatever the app does until then: wait for another
/// service, or for the request's body. An answer that has begun goes on for as long as it takes, and so
/// does a connection that changed to another protocol.
#[derive(Debug)]
pub(crate) struct RequestTimeouts {
    options: RequestTimeoutOptions,
    told: Arc<Repeated>,
}

impl RequestTimeouts {
    pub(crate) fn new(options: RequestTimeoutOptions) -> Self {
        Self { options, told: Arc::default() }
    }
}

impl Stage for RequestTimeouts {
    fn enter(&self, request: &mut Request) -> Enter {
        let Some(&TimeoutPolicy { timeout: Some(timeout), status }) = self.options.of(request)
        else {
            return Enter::Next;
        };
        let told = Arc::clone(&self.told);
        Enter::Around(Box::new(move |request, next| {
            let Some(until) = Instant::now().checked_add(timeout) else {
                return next.call(request);
            };
            let path = request.uri().path_and_query().cloned();
            let responding = next.call(request);
            if matches!(responding, Responding::Ready { .. }) {
                return responding;
            }
            let given_up = GivenUp { timeout, status, path, told };
            Responding::later(Timed { responding, until, sleep: None, given_up })
        }))
    }

    fn knows_files(&self) -> bool {
        true
    }
}

/// What there is to say and to answer once the time is over.
struct GivenUp {
    timeout: Duration,
    status: StatusCode,
    path: Option<PathAndQuery>,
    told: Arc<Repeated>,
}

impl GivenUp {
    fn answer(&self) -> Response {
        let telling = self.told.happened(std::time::Instant::now());
        let path = self.path.as_ref().map_or("*", |it| it.path());
        events::request_timed_out(path, self.timeout.as_secs_f64(), telling);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response
    }
}

pin_project! {
    /// An answer that has a time to begin in.
    struct Timed {
        #[pin]
        responding: Responding,
        until: Instant,
        // Only for an app that waits: most answer at once, and need no timer.
        #[pin]
        sleep: Option<Sleep>,
        given_up: GivenUp,
    }
}

impl Future for Timed {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        let mut this = self.project();
        if let Poll::Ready(response) = this.responding.poll(cx) {
            return Poll::Ready(response);
        }
        if this.sleep.is_none() {
            this.sleep.set(Some(sleep_until(*this.until)));
        }
        match this.sleep.as_pin_mut() {
            Some(sleep) => sleep.poll(cx).map(|()| this.given_up.answer()),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tower_service::Service as _;

    use super::*;
    use crate::pipeline::{Application, ClientAddress, InUse, Pipeline, Responder};

    const SECOND: Duration = Duration::from_secs(1);

    fn policy(seconds: Option<u64>, status: u16) -> TimeoutPolicy {
        let timeout = seconds.map(Duration::from_secs);
        TimeoutPolicy { timeout, status: StatusCode::from_u16(status).unwrap() }
    }

    /// An app that takes five seconds for its answer, or answers at once.
    fn application(options: RequestTimeoutOptions) -> Application {
        let slow = || async {
            tokio::time::sleep(5 * SECOND).await;
            "slow"
        };
        let router = Router::new().route("/quick", get(async || "quick")).fallback(slow);
        let (app, _) = InUse::new(Responder::router(router), ClientAddress::InConnection);
        let stage: Box<dyn Stage> = Box::new(RequestTimeouts::new(options));
        Application::new(Pipeline::new(Box::new([stage]), app))
    }

    #[tokio::test(start_paused = true)]
    async fn the_policy_of_the_path_says_how_long_an_answer_may_take_to_begin() {
        let by_path = [
            ("/three", policy(Some(3), 503)),
            ("/three/long", policy(None, 503)),
            ("/three/six", policy(Some(6), 503)),
        ];
        let by_path = PathRules::new(by_path.map(|(path, it)| (path.to_owned(), it)));
        for (default, path, status, after) in [
            (policy(Some(2), 504), "/", 504, 2),
            (policy(Some(2), 408), "/", 408, 2),
            (policy(None, 504), "/", 200, 5),
            (policy(Some(2), 504), "/quick", 200, 0),
            (policy(Some(2), 504), "/three/x", 503, 3),
            (policy(Some(2), 504), "/three/long", 200, 5),
            (policy(Some(2), 504), "/three/six", 200, 5),
        ] {
            let options =
                RequestTimeoutOptions { default, by_path: by_path.clone(), by_name: Vec::new() };
            let mut application = application(options);
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = path.parse().unwrap();
            let begun = Instant::now();
            let Ok(response) = application.call(request).await;
            assert_eq!(response.status(), status, "{path}");
            let over = begun.elapsed().checked_sub(after * SECOND).expect("it takes that long");
            // The clock of the runtime counts milliseconds.
            assert!(over < Duration::from_millis(3), "{path}: {over:?}");
        }
    }
}
