//! The requests that a stop waits for, by name.
//!
//! A request that is answered when the app is first asked costs nothing but the hold on its target.
//! One that takes time, or whose answer does, is noted with its connection's activity; a stop that
//! has waited for a second asks the connections for these notes, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::uri::{Authority, PathAndQuery};
use http::{Method, Uri};
use tokio::sync::Notify;

use super::clock::Moment;
use crate::diagnostics::events;

/// How long a stop waits before it says what for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// How long the connections have to answer. One whose thread is kept busy by a handler does not.
pub(super) const ANSWERS: Duration = Duration::from_millis(200);

/// So many requests are told one by one.
const MOST: usize = 20;

/// So much of a path is told, in characters.
const LONGEST_PATH: usize = 200;

/// What a request is for, held as long as nobody knows whether it takes time.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Path(PathAndQuery),
    /// Of CONNECT.
    Authority(Authority),
}

impl Target {
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        match uri.path_and_query() {
            Some(path) => Some(Self::Path(path.clone())),
            None => uri.authority().cloned().map(Self::Authority),
        }
    }

    /// Lets go of the block that its bytes were read into: what lasts for hours is not to hold that.
    pub(super) fn let_go(&mut self) {
        match self {
            Self::Path(path) => {
                if let Ok(own) = path.as_str().parse() {
                    *path = own;
                }
            }
            Self::Authority(authority) => {
                if let Ok(own) = authority.as_str().parse() {
                    *authority = own;
                }
            }
        }
    }

    /// As it was sent, and so without control characters; without the query, which may hold what
    /// no log should.
    fn text(&self) -> Box<str> {
        let (path, more) = match self {
            Self::Path(path) => (path.path(), path.query().is_some()),
            Self::Authority(authority) => (authority.as_str(), false),
        };
        let end = path.char_indices().nth(LONGEST_PATH).map_or(path.len(), |(end, _)| end);
        let mark = match (end < path.len(), more) {
            (true, _) => "…",
            (false, true) => "?…",
            (false, false) => "",
        };
        format!("{}{mark}", &path[..end]).into()
    }
}

/// A request that takes time.
#[derive(Clone, Debug)]
pub(super) struct OpenRequest {
    /// Its number on the connection.
    pub(super) number: u32,
    method: Method,
    pub(super) target: Target,
    since: Moment,
}

impl OpenRequest {
    pub(super) fn new(number: u32, method: Method, target: Target) -> Self {
        Self { number, method, target, since: Moment::now() }
    }
}

/// The question which requests are open, and what the connections of an endpoint answer.
#[derive(Debug, Default)]
pub(super) struct Inquiry {
    asked: AtomicBool,
    answers: Mutex<Answers>,
    /// Told of every answer.
    answered: Notify,
}

/// What was answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    connections: usize,
    /// The connections that have no request that takes time: the client does not take the answer.
    untaken: usize,
    requests: Vec<OpenRequest>,
}

impl Answers {
    /// Adds what was answered elsewhere.
    pub(super) fn add(&mut self, other: Self) {
        self.connections += other.connections;
        self.untaken += other.untaken;
        self.requests.extend(other.requests);
    }
}

impl Inquiry {
    pub(super) fn ask(&self) {
        self.asked.store(true, Ordering::Release);
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    fn answer(&self, requests: Vec<OpenRequest>) {
        let mut answers = self.answers();
        answers.connections += 1;
        answers.untaken += usize::from(requests.is_empty());
        answers.requests.extend(requests);
        drop(answers);
        self.answered.notify_waiters();
    }

    /// Waits until as many connections have answered as `open` says.
    pub(super) async fn answered_by(&self, open: impl Fn() -> usize) {
        loop {
            let answered = self.answered.notified();
            if self.answers().connections >= open() {
                return;
            }
            answered.await;
        }
    }

    pub(super) fn take(&self) -> Answers {
        std::mem::take(&mut *self.answers())
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's answer to the question of its endpoint. There is one, whatever becomes of the
/// connection behind it.
#[derive(Debug, Default)]
pub(super) struct Answer {
    given: bool,
}

impl Answer {
    /// Gives it, if it is asked for and was not given.
    pub(super) fn give(&mut self, inquiry: &Inquiry, requests: impl FnOnce() -> Vec<OpenRequest>) {
        if !self.given && inquiry.is_asked() {
            self.given = true;
            inquiry.answer(requests());
        }
    }
}

/// Tells what a stop waits for. `connections` are open, and the stop has `left` to wait.
pub(super) fn tell(answers: Answers, connections: usize, left: Duration) {
    let lines = lines(answers, connections, Moment::now());
    events::stop_waits(connections, whole_seconds(left), &lines.join("\n"));
}

/// What is left of 30 s behind the first is 29, although a moment of it has passed.
fn whole_seconds(left: Duration) -> u64 {
    left.saturating_add(Duration::from_millis(500)).as_secs()
}

fn lines(answers: Answers, open: usize, now: Moment) -> Vec<String> {
    let Answers { connections: answered, untaken, mut requests } = answers;
    requests.sort_by_key(|request| request.since);
    let mut lines: Vec<_> = requests
        .iter()
        .take(MOST)
        .map(|OpenRequest { method, target, since, .. }| {
            format!("{method} {} for {} s", target.text(), since.until(now).as_secs())
        })
        .collect();
    if requests.len() > MOST {
        lines.push(format!("and {} more", requests.len() - MOST));
    }
    if untaken > 0 {
        lines.push(format!("answers that are made and not taken by their clients: {untaken}"));
    }
    let silent = open.saturating_sub(answered);
    if silent > 0 {
        lines.push(format!("connections whose handlers keep their threads busy: {silent}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(uri: &str, since: u64) -> OpenRequest {
        let target = Target::of(&uri.parse().unwrap()).unwrap();
        OpenRequest {
            since: Moment::from_millis(since),
            ..OpenRequest::new(1, Method::GET, target)
        }
    }

    #[test]
    fn what_lasts_holds_no_block_that_was_read_into() {
        let block = bytes::Bytes::from(b"/a?b, and a head behind it".to_vec());
        let path = PathAndQuery::from_maybe_shared(block.slice(..4)).unwrap();
        let mut target = Target::Path(path);
        assert!(!block.is_unique());
        target.let_go();
        assert!(block.is_unique());
        assert_eq!(&*target.text(), "/a?…");
    }

    #[test]
    fn a_target_is_told_without_its_query() {
        let long = format!("/{}", "é".repeat(300));
        let cut = format!("/{}…", "é".repeat(199));
        for (uri, text) in [
            ("/a/b", "/a/b"),
            ("/a?token=secret", "/a?…"),
            ("http://user@a.test/b%0Ac?d", "/b%0Ac?…"),
            ("a.test:443", "a.test:443"),
            ("*", "*"),
            (&*long, &*cut),
        ] {
            let target = Target::of(&uri.parse().unwrap()).unwrap();
            assert_eq!(&*target.text(), text, "{uri}");
        }
    }

    #[test]
    fn a_connection_answers_once_and_not_before_it_is_asked() {
        let inquiry = Inquiry::default();
        let mut answer = Answer::default();
        answer.give(&inquiry, || vec![open("/a", 1)]);
        assert_eq!(inquiry.take().connections, 0);
        inquiry.ask();
        // The second time it may be another protocol's.
        answer.give(&inquiry, || vec![open("/a", 1)]);
        answer.give(&inquiry, || vec![open("/a", 1)]);
        let answers = inquiry.take();
        assert_eq!((answers.connections, answers.requests.len()), (1, 1));
    }

    #[test]
    fn seconds_that_are_left_are_told_to_the_nearest() {
        for (left, told) in [(28_999, 29), (28_501, 29), (28_499, 28), (0, 0)] {
            assert_eq!(whole_seconds(Duration::from_millis(left)), told, "{left}");
        }
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }

    #[test]
    fn the_oldest_come_first_and_a_long_list_is_cut() {
        let now = Moment::from_millis(100_000);
        let answers = Answers {
            connections: 2,
            untaken: 0,
            requests: vec![open("/b", 90_000), open("/a", 1000)],
        };
        let expected = ["GET /a for 99 s", "GET /b for 10 s"];
        assert_eq!(lines(answers, 2, now), expected);

        let requests = (0..25).map(|_| open("/a", 99_999)).collect();
        let told = lines(Answers { connections: 2, untaken: 1, requests }, 4, now);
        assert_eq!(told.len(), 23);
        let expected = [
            "and 5 more",
            "answers that are made and not taken by their clients: 1",
            "connections whose handlers keep their threads busy: 2",
        ];
        assert_eq!(told[20..], expected);
    }
}
