//! A line for each request, in a form that other programs read (`AccessLog`).
//!
//! It is the outermost stage, so that no answer goes past it. What a line needs of a request is written when
//! it comes, and put together when its answer is out.

mod escape;
mod line;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

pub(crate) use self::line::AccessLogFormat;
use self::line::{End, Line};
use super::line_writer::LineWriter;
use crate::features::{
    Completed, EffectiveRequest, LateFacts, Reexecution, RequestTarget, SentHead, Watch,
};
use crate::middleware::watching::watched;
use crate::pipeline::{Enter, Request, Stage};

/// Writes lines of requests. It does nothing before its writer is there: only a host that serves has one.
#[derive(Clone, Debug)]
pub(crate) struct AccessLog {
    inner: Arc<Inner>,
    /// Whether a stage behind it may know better who the client is, or the user.
    told_later: bool,
}

#[derive(Debug)]
struct Inner {
    options: AccessLogOptions,
    sample: Sample,
    writer: OnceLock<Arc<LineWriter>>,
}

/// Which requests have a line, and how it looks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AccessLogOptions {
    pub(crate) format: AccessLogFormat,
    /// Requests for these paths, and what is below them, have none.
    pub(crate) excluded: Vec<String>,
    /// Answers with a lower status have none.
    pub(crate) minimum_status: u16,
    /// Which part of all requests has one, above 0 and up to 1.
    pub(crate) sample_rate: f64,
}

/// By what it does.
impl PartialEq for AccessLog {
    fn eq(&self, other: &Self) -> bool {
        self.inner.options == other.inner.options
    }
}

impl AccessLog {
    pub(crate) fn new(options: AccessLogOptions) -> Self {
        let (sample, writer) = (Sample::of(options.sample_rate), OnceLock::new());
        Self { inner: Arc::new(Inner { options, sample, writer }), told_later: false }
    }

    /// The same in front of a stage that knows better who the client is, or the user.
    pub(crate) fn told_later(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), told_later: true }
    }

    /// It writes here from now on.
    pub(crate) fn write_to(&self, lines: Arc<LineWriter>) {
        let _ = self.inner.writer.set(lines);
    }
}

impl Stage for AccessLog {
    fn enter(&self, request: &mut Request) -> Enter {
        let inner = &self.inner;
        if inner.writer.get().is_none()
            || Reexecution::of(request).is_some()
            || inner.options.excludes(request)
            || !inner.sample.takes_next()
        {
            return Enter::Next;
        }
        let later = self.told_later.then(|| LateFacts::of(request));
        let format = inner.options.format;
        let asked = Asked {
            line: Line::of(format, request),
            client: EffectiveRequest::of(request).client(),
            later,
            started: format.has_duration().then(Instant::now),
            status: None,
            inner: Arc::clone(inner),
        };
        watched(request, Box::new(asked), None)
    }
}

impl AccessLogOptions {
    fn excludes(&self, request: &Request) -> bool {
        if self.excluded.is_empty() {
            return false;
        }
        let path = RequestTarget::of(request).lent_path();
        self.excluded.iter().any(|prefix| is_below(&path, prefix))
    }
}

/// Whether a path is this one, or below it: whole segments, in any case of ASCII letters.
fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let begins = path.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix));
    begins && (path.len() == prefix.len() || path[prefix.len()..].starts_with('/'))
}

/// Takes a part of all requests, evenly.
#[derive(Debug)]
struct Sample {
    /// Whole numbers of 64 bits, added up: a request is taken whenever the sum begins anew. `None` takes
    /// all.
    step: Option<u64>,
    sum: AtomicU64,
}

impl Sample {
    fn of(rate: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is above 0 and below 1"
        )]
        let step = if rate < 1.0 { Some((rate * u64::MAX as f64) as u64) } else { None };
        Self { step, sum: AtomicU64::new(0) }
    }

    fn takes_next(&self) -> bool {
        let Some(step) = self.step else { return true };
        self.sum.fetch_add(step, Ordering::Relaxed).checked_add(step).is_none()
    }
}

/// A request on its way to its line.
struct Asked {
    line: Line,
    client: Option<SocketAddr>,
    later: Option<LateFacts>,
    started: Option<Instant>,
    status: Option<u16>,
    inner: Arc<Inner>,
}

/// The status of a request whose client was gone before it had an answer, as nginx has it.
const CLIENT_GONE: u16 = 499;

impl Watch for Asked {
    fn head(&mut self, head: &SentHead<'_>) {
        self.status = Some(head.status.as_u16());
    }

    fn end(self: Box<Self>, how: Completed, bytes: u64) {
        let gone = (how == Completed::ClientGone).then_some(CLIENT_GONE);
        let status = self.status.or(gone);
        if status.is_some_and(|status| status < self.inner.options.minimum_status) {
            return;
        }
        let Some(lines) = self.inner.writer.get() else { return };
        let told = self.later.as_ref().and_then(LateFacts::client);
        let end = End {
            client: told.or(self.client).map(|it| it.ip()),
            user: self.later.as_ref().and_then(LateFacts::user),
            status,
            bytes,
            duration: self.started.map(|started| started.elapsed()),
            how,
        };
        lines.push(|out| self.line.write(&end, out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_of_whole_segments() {
        for (path, prefix, expected) in [
            ("/healthz", "/healthz", true),
            ("/HealthZ/live", "/healthz", true),
            ("/healthz/", "/healthz/", true),
            ("/healthzz", "/healthz", false),
            ("/health", "/healthz", false),
            ("/anything", "/", true),
            ("", "/", true),
            ("/é", "/\u{c3}", false),
        ] {
            assert_eq!(is_below(path, prefix), expected, "{path} below {prefix}");
        }
    }

    #[test]
    fn a_part_of_all_requests_is_taken_evenly() {
        for (rate, expected) in [(1.0, 1000), (0.5, 500), (0.1, 100), (0.001, 1), (0.3, 300)] {
            let sample = Sample::of(rate);
            let taken = (0..1000).filter(|_| sample.takes_next()).count();
            assert!(taken.abs_diff(expected) <= 1, "{taken} at {rate}");
        }
    }
}
