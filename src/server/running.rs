//! A request that is being answered, as its connection counts it.

use std::sync::Arc;

use http::Method;

use super::activity::{Activity, Common, Cut};
use super::completions::Handed;
use super::context::Context;
use super::error::StreamError;
use super::open_requests::{OpenRequest, Target};
use crate::diagnostics::events;
use crate::features::{Completed, ConnectionId};
use crate::pipeline::Pipeline;

/// Pieces of an answer from this length on leave one by one: many of them in one write would save little, and a
/// client that takes none would hold them all.
const LARGE: usize = 32 * 1024;

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Running {
    activity: Activity,
    request: u32,
    /// What answers it, which is in use until the answer is out.
    pipeline: Option<Arc<Pipeline>>,
    /// The app was not asked for it yet. (On HTTP/2.)
    unasked: bool,
    /// The log wants to know that the connection goes on behind the answer.
    kept: bool,
    /// It does not count as running: what there is of the answer waits for the client.
    handed_over: bool,
    /// How it ended, as soon as it has: whatever comes then is not the client's doing.
    end: Option<Completed>,
    /// It takes time, which a stop may want to know.
    open: bool,
    /// How much of the answer's body was handed on.
    handed: Handed,
    /// How much of it before the last piece.
    before: u64,
}

impl Running {
    /// A request has come, and gets its number. Its answer is out when the result is dropped.
    pub(super) fn begin(activity: &Activity) -> Self {
        let request = activity.common().begin();
        let unasked = match activity {
            // Its task is that of the connection.
            Activity::Http1(_) => false,
            Activity::Http2(_) => true,
        };
        let activity = activity.clone();
        Self {
            activity,
            request,
            pipeline: None,
            unasked,
            kept: false,
            handed_over: false,
            end: None,
            open: false,
            handed: Handed::default(),
            before: 0,
        }
    }

    /// What its connection is at.
    pub(super) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// What is the same of it for all versions.
    pub(super) fn common(&self) -> &Common {
        self.activity.common()
    }

    /// The context of its connection.
    pub(super) fn context(&self) -> &Context {
        self.common().context()
    }

    /// The id of its connection.
    pub(super) fn id(&self) -> ConnectionId {
        self.common().id()
    }

    /// The app failed to answer it.
    pub(super) fn failed(&self, error: &str) {
        events::application_failed(&self.id(), self.request, error);
    }

    /// Whether the log is to know that the connection goes on behind the answer.
    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }

    pub(super) fn set_kept(&mut self, kept: bool) {
        self.kept = kept;
    }

    /// Its number on the connection.
    pub(super) fn request(&self) -> u32 {
        self.request
    }

    /// The app was asked for it: the answer takes time. (One that is there tells it when it is out.)
    pub(super) fn asked(&mut self) {
        if std::mem::take(&mut self.unasked) {
            self.common().asked();
        }
    }

    /// This answers it.
    pub(super) fn is_answered_by(&mut self, pipeline: Arc<Pipeline>) {
        self.pipeline = Some(pipeline);
    }

    /// What answers it is in use to the end of the connection, which carries something else than HTTP
    /// from here on, or a tunnel.
    pub(super) fn keep_app(&mut self) {
        self.common().completions().switches(self.request);
        if let Some(pipeline) = self.pipeline.take() {
            self.common().keep(pipeline);
        }
    }

    /// It takes time.
    pub(super) fn takes_time(&mut self, method: &Method, target: Target) {
        self.open = true;
        self.common().opened(OpenRequest::new(self.request, method.clone(), target));
    }

    /// It may take hours: as long as the client likes.
    pub(super) fn lasts(&self) {
        self.common().lasts(self.request);
    }

    /// So much more of its answer's body is handed on.
    pub(super) fn hand_on(&mut self, bytes: usize) {
        match &self.activity {
            // The gate sees what hyper has not written.
            Activity::Http1(_) => {}
            Activity::Http2(http2) => {
                // hyper has one piece in its hand, and its library one that it has not sent all of.
                self.handed.written = std::mem::replace(&mut self.before, self.handed.bytes);
                http2.completions().hand_on(bytes);
            }
        }
        self.handed.bytes += bytes as u64;
    }

    /// All of its answer is here.
    pub(super) fn end(&mut self) {
        self.ends(Completed::Sent);
    }

    /// The app broke its answer off.
    pub(super) fn breaks_off(&mut self, error: &str) {
        self.failed(error);
        self.fails();
    }

    /// Its answer cannot be sent whole, which was told.
    pub(super) fn fails(&mut self) {
        self.ends(Completed::Failed);
    }

    /// The first end counts.
    fn ends(&mut self, end: Completed) {
        self.end.get_or_insert(end);
    }

    /// How much of its answer's body was handed on, if that is not all of it.
    pub(super) fn cut_off_after(&self) -> Option<u64> {
        (self.end != Some(Completed::Sent)).then_some(self.handed.bytes)
    }

    /// The client gave it up, or the stop did. (On HTTP/2.)
    pub(super) fn aborted(&mut self) {
        self.ends(self.common().completions().end());
        events::request_aborted(&self.id(), self.request);
    }

    /// It ends without an answer, because the app wants it so: with its connection if it has that for
    /// itself, else with its stream.
    pub(super) fn abort(&mut self, error: StreamError) {
        match &self.activity {
            Activity::Http1(http1) => http1.cut(Cut::Aborted),
            Activity::Http2(_) => self.reset(error, "The application aborted the stream."),
        }
        self.ends(Completed::Aborted);
    }

    /// Its stream is going to be reset, if it has one, which is told here.
    pub(super) fn reset(&mut self, error: StreamError, why: &str) {
        match &self.activity {
            // What is sent ends with the connection.
            Activity::Http1(_) => {}
            Activity::Http2(http2) => {
                self.end.get_or_insert(Completed::Aborted);
                http2.reset(self.request, error, why);
            }
        }
    }

    /// What there is of an answer is hyper's to send, which asks for more when the client's window
    /// lets it.
    pub(super) fn hand_over(&mut self) {
        match &self.activity {
            // The next request is behind it.
            Activity::Http1(_) => {}
            Activity::Http2(http2) => {
                if !std::mem::replace(&mut self.handed_over, true) {
                    http2.finish(std::mem::take(&mut self.unasked));
                }
            }
        }
    }

    /// A piece of the answer is hyper's to send, so long, with more behind it.
    pub(super) fn sends_piece(&self, length: usize) {
        match &self.activity {
            Activity::Http1(http1) if length >= LARGE => http1.has_piece(),
            // hyper asks for more when the client's window lets it.
            Activity::Http1(_) | Activity::Http2(_) => {}
        }
    }

    /// Whether the rest of the answer has to wait: the connection's task is woken when it has not.
    pub(super) fn awaits_piece(&self) -> bool {
        match &self.activity {
            Activity::Http1(http1) => http1.awaits_piece(),
            Activity::Http2(_) => false,
        }
    }

    /// hyper wants more of the answer.
    pub(super) fn go_on(&mut self) {
        if std::mem::take(&mut self.handed_over) {
            self.common().resume();
        }
    }

    /// The stream of HTTP/2 carries something else than HTTP from here on, at its own pace: it
    /// counts as running to the end of the connection.
    pub(super) fn become_tunnel(&mut self) {
        self.handed_over = true;
        self.keep_app();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.kept {
            events::connection_kept_alive(&self.id());
        }
        // One that ended in another protocol is what its connection is for from there on.
        let stays_open = match &self.activity {
            Activity::Http1(http1) => {
                http1.wait_begins();
                http1.is_upgraded()
            }
            Activity::Http2(http2) => {
                http2.over();
                if self.end.is_none() {
                    self.aborted();
                }
                false
            }
        };
        let completions = self.common().completions();
        if completions.are_wanted() {
            let end = self.end.unwrap_or_else(|| completions.end());
            completions.over(self.request, self.handed, (end != Completed::Sent).then_some(end));
        }
        if let (Activity::Http2(http2), Some(_)) =
            (&self.activity, self.end.filter(|it| *it != Completed::Sent))
        {
            // What hyper's library has left of it is never written.
            http2.completions().wrote(self.handed.bytes - self.handed.written);
        }
        if self.open && !stays_open {
            self.common().closed(self.request);
        }
        if self.handed_over {
            self.asked();
        } else {
            self.common().finish(self.unasked);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::Router;

    use super::*;
    use crate::features::{Connection, Scheme};
    use crate::server::activity::{Http1Activity, Http2Activity};
    use crate::server::clock::Moment;
    use crate::server::counters::Counters;
    use crate::server::options::ServerOptions;

    fn connection() -> (ConnectionId, Arc<Context>) {
        let connection = Connection::new(1, None, None, Scheme::Http);
        let context = Context::new(
            ServerOptions::default(),
            Router::new().into(),
            Default::default(),
            Counters::default(),
        );
        (connection.id(), context)
    }

    #[test]
    fn a_connection_of_http1_waits_once_the_answer_is_out() {
        let (id, context) = connection();
        let http1 = Http1Activity::new(id, context);
        let running = Running::begin(&Activity::Http1(Arc::clone(&http1)));
        assert_eq!((running.request(), http1.idle_since()), (1, None));
        drop(running);
        let waited = http1.waited(Moment::now());
        assert!(waited.is_some_and(|waited| waited < Duration::from_secs(60)));
        let running = Running::begin(&Activity::Http1(Arc::clone(&http1)));
        assert_eq!((running.request(), http1.waited(Moment::now())), (2, None));
    }

    #[test]
    fn a_request_is_unasked_until_the_app_was_asked_or_it_is_gone() {
        let (id, context) = connection();
        let http2 = Http2Activity::new(id, context);
        let activity = Activity::Http2(Arc::clone(&http2));
        assert!(!http2.has_unasked(), "nothing has come");
        let mut both = [Running::begin(&activity), Running::begin(&activity)];
        both[0].asked();
        both[0].asked();
        assert!(http2.has_unasked(), "a request is asked for once");
        both[1].asked();
        assert!(!http2.has_unasked());
        let third = Running::begin(&activity);
        assert!(http2.has_unasked());
        drop(third);
        drop(both);
        assert!(!http2.has_unasked());
    }

    #[test]
    fn an_answer_that_waits_for_the_client_does_not_run_where_others_may() {
        let (id, context) = connection();
        let http2 = Http2Activity::new(id, Arc::clone(&context));
        let mut running = Running::begin(&Activity::Http2(Arc::clone(&http2)));
        running.hand_over();
        running.hand_over();
        assert!(!http2.is_running());
        running.go_on();
        assert!(http2.is_running());
        running.hand_over();
        drop(running);
        assert_eq!(http2.running(), 0);

        let http1 = Http1Activity::new(id, context);
        let mut running = Running::begin(&Activity::Http1(Arc::clone(&http1)));
        running.hand_over();
        assert!(http1.is_running());
        drop(running);
        assert_eq!(http1.running(), 0);
    }
}
