//! Limits of how many requests pass (`RateLimiter`).
//!
//! ```text
//! limit         how many pass, decided by what passed before and the time. Pure
//! partition_by  who has a limit of its own
//! recent        a table that forgets what was used longest ago
//! partitions    what has passed of each partition, and who waits
//! limiter       a policy at work; those that a reload leaves as they are go on counting
//! ```

mod limit;
mod limiter;
mod partition_by;
mod partitions;
mod recent;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use super::path_rules::PathRules;
use crate::features::{Completion, Reexecution, RoutePolicies, RoutePolicy};
use crate::pipeline::{Enter, Next, Request, Responding, Response, Stage};
pub(crate) use limit::Limit;
use limiter::Limiter;
pub(crate) use limiter::{Limiters, RatePolicy};
pub(crate) use partition_by::PartitionBy;
use partitions::{Asked, Permit, Waiting};
pub(crate) use partitions::{Queue, QueueOrder};

/// Which requests pass, and what becomes of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RateLimiterOptions {
    /// What counts for every request, before anything else does.
    pub(crate) global: Option<RatePolicy>,
    pub(crate) policies: Vec<RatePolicy>,
    /// By what paths begin with: the places of policies.
    pub(crate) by_path: PathRules<usize>,
    /// The status of a request that does not pass.
    pub(crate) rejection: StatusCode,
    /// How many partitions of each policy are remembered.
    pub(crate) most_partitions: usize,
}

impl RateLimiterOptions {
    /// Whether clients have limits of their own by their addresses.
    pub(crate) fn tells_addresses_apart(&self) -> bool {
        let by_address = |it: &RatePolicy| it.by == PartitionBy::ClientAddress;
        self.global.iter().chain(&self.policies).any(by_address)
    }
}

/// Turns away requests beyond a limit. (What `RateLimitingMiddleware` is in ASP.NET Core, with policies by
/// paths and by routes of the reverse proxy, and not by endpoints.)
#[derive(Debug)]
pub(crate) struct RateLimiter {
    global: Option<Arc<Limiter>>,
    policies: Box<[Arc<Limiter>]>,
    by_path: PathRules<usize>,
    rejection: StatusCode,
}

impl RateLimiter {
    /// With the limiters that are at work already, where there are such.
    pub(crate) fn new(options: &RateLimiterOptions, at_work: &Limiters) -> Self {
        let policies = options.global.iter().chain(&options.policies);
        let mut limiters = at_work.of(policies, options.most_partitions).into_iter();
        Self {
            global: options.global.as_ref().and_then(|_| limiters.next()),
            policies: limiters.collect(),
            by_path: options.by_path.clone(),
            rejection: options.rejection,
        }
    }
}

impl Stage for RateLimiter {
    fn enter(&self, request: &mut Request) -> Enter {
        // A page in the place of another answer is no request of the client's.
        if Reexecution::of(request).is_some() {
            return Enter::Next;
        }
        let of_route = RoutePolicies::of(request).and_then(|it| it.rate_limiter.as_ref());
        let of_path = match of_route {
            Some(RoutePolicy::Disable) => return Enter::Next,
            Some(RoutePolicy::Named(name)) => self.policies.iter().find(|it| it.is_called(name)),
            Some(RoutePolicy::Default) | None => {
                self.by_path.of(request).and_then(|place| self.policies.get(*place))
            }
        };
        let mut held = Held::default();
        for (limiter, next) in [(self.global.as_ref(), of_path), (of_path, None)] {
            let Some(limiter) = limiter else { continue };
            match limiter.ask(request) {
                Asked::Passes(permit) => held.add(permit),
                Asked::Rejected(after) => {
                    return Enter::Answer(rejected(self.rejection, limiter, after));
                }
                Asked::Waits(waiting) => {
                    let queued = Queued {
                        limiter: Arc::clone(limiter),
                        waiting,
                        next: next.map(Arc::clone),
                        rejection: self.rejection,
                        held,
                    };
                    return Enter::Around(Box::new(move |request, next| {
                        Responding::later(queued.go_on(request, next))
                    }));
                }
            }
        }
        held.until_out(request)
    }

    fn knows_files(&self) -> bool {
        true
    }
}

/// What is to be given back once an answer is out.
#[derive(Debug, Default)]
struct Held([Option<Permit>; 2]);

impl Held {
    fn add(&mut self, permit: Option<Permit>) {
        if let Some(place) = self.0.iter_mut().find(|place| place.is_none()) {
            *place = permit;
        }
    }

    /// Lets a request pass, and gives back what it holds when it is over. One that becomes a WebSocket is when that
    /// is, as on ASP.NET Core.
    fn until_out(self, request: &Request) -> Enter {
        if self.0.iter().all(Option::is_none) {
            return Enter::Next;
        }
        match Completion::of(request) {
            Some(completion) => {
                completion.when_over(move || drop(self));
                Enter::Next
            }
            // Another server does not tell when it is out.
            None => Enter::Then(Box::new(move |response| {
                drop(self);
                response
            })),
        }
    }
}

/// A request that waits for its turn.
struct Queued {
    limiter: Arc<Limiter>,
    waiting: Waiting,
    /// What is to be asked then.
    next: Option<Arc<Limiter>>,
    rejection: StatusCode,
    held: Held,
}

impl Queued {
    async fn go_on(self, request: Request, way: Next) -> Response {
        let Self { mut limiter, mut waiting, mut next, rejection, mut held } = self;
        loop {
            match waiting.turn().await {
                Ok(permit) => held.add(permit),
                Err(_) => return rejected(rejection, &limiter, None),
            }
            let Some(following) = next.take() else { break };
            match following.ask(&request) {
                Asked::Passes(permit) => {
                    held.add(permit);
                    break;
                }
                Asked::Rejected(after) => return rejected(rejection, &following, after),
                Asked::Waits(again) => (limiter, waiting) = (following, again),
            }
        }
        match held.until_out(&request) {
            Enter::Then(leave) => leave(way.call(request).await),
            _ => way.call(request).await,
        }
    }
}

/// The answer to a request that does not pass; it may try again after a while, if that is known.
fn rejected(status: StatusCode, limiter: &Limiter, after: Option<Duration>) -> Response {
    limiter.tell_rejected(status);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Some(after) = after {
        // Whole seconds, and not too early.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}
