//! Lines of requests in files of the extended log format (`W3CLogging`).
//!
//! <https://www.w3.org/TR/WD-logfile.html>

mod fields;
mod line;
mod options;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

pub(crate) use self::fields::W3cFields;
use self::line::{End, Line};
pub(crate) use self::options::W3cOptions;
use super::line_writer::{LineSink, LineWriter, Moment, W3cFiles};
use crate::features::{Completed, LateFacts, Reexecution, SentHead, Watch};
use crate::middleware::watching::watched;
use crate::pipeline::{Enter, Request, Stage};

/// Writes a line for each request. (What `W3CLoggingMiddleware` is in ASP.NET Core.)
///
/// It does nothing before its writer is there: only a host that serves has files.
#[derive(Clone, Debug)]
pub(crate) struct W3cLogging {
    options: Arc<W3cOptions>,
    writer: Arc<OnceLock<Open>>,
}

#[derive(Debug)]
struct Open {
    lines: Arc<LineWriter>,
    machine: String,
}

/// By what it does.
impl PartialEq for W3cLogging {
    fn eq(&self, other: &Self) -> bool {
        self.options == other.options
    }
}

impl W3cLogging {
    pub(crate) fn new(options: W3cOptions) -> Self {
        Self { options: Arc::new(options), writer: Arc::default() }
    }

    pub(crate) fn options(&self) -> &W3cOptions {
        &self.options
    }

    /// What its lines are written to, once there are any.
    pub(crate) fn sink(&self) -> Box<dyn LineSink> {
        let more = self.options.headers.iter().map(|(_, name)| format!("cs({name})"));
        let fields = self.options.fields;
        let names = fields.in_file().map(str::to_owned).chain(more);
        let names = names.chain(fields.last_in_file().map(str::to_owned));
        let names = names.collect::<Vec<_>>().join(" ");
        Box::new(W3cFiles::new(self.options.place.clone(), names))
    }

    /// It writes here from now on, as this machine.
    pub(crate) fn write_to(&self, lines: Arc<LineWriter>, machine: String) {
        let _ = self.writer.set(Open { lines, machine });
    }
}

impl Stage for W3cLogging {
    fn enter(&self, request: &mut Request) -> Enter {
        let Some(open) = self.writer.get() else { return Enter::Next };
        // One that is asked once more for a page has its line.
        if Reexecution::of(request).is_some() {
            return Enter::Next;
        }
        let line = Line::of(&self.options, &open.machine, Moment::now(), request);
        if !line.may_be_written(self.options.fields) {
            return Enter::Next;
        }
        let tells_users = self.options.fields.has(W3cFields::USER);
        let answered = Answered {
            line,
            fields: self.options.fields,
            started: Instant::now(),
            status: None,
            later: tells_users.then(|| LateFacts::of(request)),
            lines: Arc::clone(&open.lines),
        };
        watched(request, Box::new(answered), None)
    }
}

/// A request on its way to its line.
struct Answered {
    line: Line,
    fields: W3cFields,
    started: Instant,
    status: Option<u16>,
    later: Option<LateFacts>,
    lines: Arc<LineWriter>,
}

impl Watch for Answered {
    fn head(&mut self, head: &SentHead<'_>) {
        self.status = Some(head.status.as_u16());
    }

    fn end(self: Box<Self>, how: Completed, bytes: u64) {
        let milliseconds = self.started.elapsed().as_secs_f64() * 1000.0;
        let user = self.later.as_ref().and_then(LateFacts::user);
        if user.is_none() && !self.line.is_written(self.fields) {
            return;
        }
        let end = End { user, status: self.status, milliseconds, bytes, how };
        self.lines.push(|out| self.line.write(self.fields, &end, out));
    }
}
