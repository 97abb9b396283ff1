//! The logs of requests of a host that are files of their own, from its start to its end.
//!
//! A reload that changes nothing of a log goes on with its file; so does an app that is made anew.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::settings::StageSettings;
use crate::diagnostics::events;
use crate::logging::{Logging, Outputs};
use crate::middleware::{LineSink, LineThread, LineWriter, LogFile, W3cOptions};

/// How long the end of a host waits for a disk, for all logs together.
const LAST_WAIT: Duration = Duration::from_millis(1500);

/// How long a line of the access log waits for others: who looks at the file hardly notices, and a busy
/// server writes it in large pieces.
const TOGETHER: Duration = Duration::from_millis(100);

/// The threads that write them.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestLogs(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    opened: Mutex<Vec<Opened>>,
    /// What writes the console, if the host does.
    console: OnceLock<Arc<Logging>>,
}

#[derive(Debug)]
struct Opened {
    what: What,
    /// As long as a stage has lines for it.
    writer: Weak<LineWriter>,
    thread: LineThread,
}

/// What is written, and where: the same is written by one thread.
#[derive(Clone, Debug, PartialEq)]
enum What {
    W3c(W3cOptions),
    File(PathBuf),
    Console,
}

/// The console, where lines stand between the events of the log.
struct Console(Option<Arc<Logging>>);

impl LineSink for Console {
    fn write(&mut self, lines: &str) {
        match &self.0 {
            Some(logging) => lines.split_inclusive('\n').for_each(|line| logging.write_line(line)),
            // The log is the program's, and these lines are none of it. Nobody could be told of an error.
            None => _ = Outputs::standard().stdout.write_all(lines.as_bytes()),
        }
    }
}

impl RequestLogs {
    /// The host writes the console by this.
    pub(super) fn console(&self, logging: Option<&Arc<Logging>>) {
        if let Some(logging) = logging {
            let _ = self.0.console.set(Arc::clone(logging));
        }
    }

    /// Lets the stages that write lines do so, before they are asked for.
    pub(super) fn open(&self, stages: &StageSettings) {
        if let Some(it) = &stages.access_log {
            let lines = match &it.value.file {
                Some(path) => {
                    let open = || Box::new(LogFile::open(path.clone())) as Box<dyn LineSink>;
                    self.writer(What::File(path.clone()), TOGETHER, open)
                }
                None => {
                    let console = || Box::new(Console(self.0.console.get().cloned())) as _;
                    self.writer(What::Console, TOGETHER, console)
                }
            };
            it.value.stage.write_to(lines);
        }
        if let Some(it) = &stages.w3c_logging {
            let (stage, options) = (&it.value, it.value.options());
            let what = What::W3c(options.clone());
            let lines = self.writer(what, options.interval, || stage.sink());
            stage.write_to(lines, machine());
        }
    }

    fn writer(
        &self,
        what: What,
        interval: Duration,
        sink: impl FnOnce() -> Box<dyn LineSink>,
    ) -> Arc<LineWriter> {
        let mut opened = self.opened();
        opened.retain(|it| !it.thread.has_ended());
        let same = opened.iter().filter(|it| it.what == what);
        if let Some(writer) = same.filter_map(|it| it.writer.upgrade()).next() {
            return writer;
        }
        let writer = LineWriter::start(sink(), interval);
        let (thread, of_stage) = (writer.thread(), Arc::downgrade(&writer));
        opened.push(Opened { what, writer: of_stage, thread });
        writer
    }

    /// Somebody has renamed the files: they are opened anew.
    pub(super) fn reopen(&self) {
        let opened = self.opened();
        let is_file = |it: &&Opened| it.what != What::Console && !it.thread.has_ended();
        let running = opened.iter().filter(is_file);
        let files = running.map(|it| it.thread.reopen()).count();
        drop(opened);
        match files {
            0 => events::nothing_to_reopen(),
            files => events::request_logs_reopened(files),
        }
    }

    /// Writes what there is, at the end of the host.
    pub(super) fn finish(&self) {
        let until = Instant::now() + LAST_WAIT;
        let threads: Vec<_> = self.opened().iter().map(|it| it.thread.clone()).collect();
        threads.iter().for_each(LineThread::close);
        for thread in threads {
            thread.finish(until);
        }
    }

    fn opened(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.0.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of this machine, without its domain; empty if the system does not tell.
#[cfg(unix)]
fn machine() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_default().split('.').next().unwrap_or_default().to_owned()
}

#[cfg(not(unix))]
fn machine() -> String {
    String::new()
}
