//! Events through the whole layer into memory, compared with lines recorded from the reference.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use tracing::{Level, event};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

mod behaviour;
mod layouts;

/// An output that keeps what is written to it.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic while writing").clone())
            .expect("lines are UTF-8")
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Log {
    logging: Logging,
    stdout: Memory,
    stderr: Memory,
    subscriber: tracing::Dispatch,
}

impl Log {
    fn new(console: ConsoleOptions, rules: &[(&str, LogLevel)]) -> Self {
        // While there is a single subscriber, tracing asks only the one of the current thread what it is interested
        // in, and tests that run side by side would answer for each other. With this one there are always two.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default()));
        let rules = rules.iter().map(|(category, level)| rule(category, *level)).collect();
        let (stdout, stderr) = (Memory::default(), Memory::default());
        let outputs =
            Outputs { stdout: Box::new(stdout.clone()), stderr: Box::new(stderr.clone()) };
        let (layer, logging) =
            layer(LoggingOptions { rules, console }, Terminal::default(), outputs);
        Self { logging, stdout, stderr, subscriber: Registry::default().with(layer).into() }
    }

    fn run(&self, events: impl FnOnce()) -> String {
        tracing::dispatcher::with_default(&self.subscriber, events);
        self.logging.flush();
        self.stdout.text()
    }
}

fn rule(category: &str, level: LogLevel) -> Rule {
    Rule { provider: None, category: (!category.is_empty()).then(|| category.to_owned()), level }
}

fn console(formatter: FormatterName) -> ConsoleOptions {
    ConsoleOptions { formatter, ..ConsoleOptions::default() }
}

#[track_caller]
fn assert_logs(options: ConsoleOptions, events: fn(), expected: &[&str]) {
    let text = Log::new(options, &[("", LogLevel::Trace)]).run(events);
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

fn listening() {
    event!(
        target: "Microsoft.Hosting.Lifetime", Level::INFO,
        event.id = 14u64, event.template = "Now listening on: {address}", address = "http://localhost:5000"
    );
}

fn started() {
    event!(
        target: "Microsoft.Hosting.Lifetime", Level::INFO,
        event.template = "Application started. Press Ctrl+C to shut down."
    );
    event!(
        target: "Microsoft.Hosting.Lifetime", Level::INFO,
        event.template = "Hosting environment: {EnvName}", EnvName = "Production"
    );
}

fn failed_in_a_request() {
    let connection =
        tracing::info_span!(target: "Kestrel.Scope", "connection", ConnectionId = "0HN1");
    let _connection = connection.enter();
    let request = tracing::info_span!(
        target: "Kestrel.Scope", "request", SpanId = "202d3b2880927d7a", TraceId = "3634779b0af9d07aa3d4a91b013bec25",
        ParentId = "0000000000000000", RequestPath = "/throw", RequestId = "0HN1:00000001"
    );
    let _request = request.enter();
    event!(
        target: "Microsoft.AspNetCore.Server.Kestrel", Level::ERROR, event.id = 13u64,
        event.template = "Connection id \"{ConnectionId}\", Request id \"{TraceIdentifier}\": An unhandled exception was thrown by the application.",
        event.detail = "System.InvalidOperationException: thrown by the app\n   at Program.<>c__DisplayClass0_0.<<<Main>$>b__4>d.MoveNext() in /src/app/Program.cs:line 115\n--- End of stack trace from previous location ---",
        ConnectionId = "0HN1", TraceIdentifier = "0HN1:00000001"
    );
}

fn forged() {
    event!(
        target: "Microsoft.AspNetCore.Hosting.Diagnostics", Level::INFO, event.id = 1u64,
        event.template = "Request starting {Path} - {Missing}", Path = "/a\u{1b}[31m\r\n\u{7}info: Forged[0]\rb",
        Missing = tracing::field::Empty
    );
    event!(
        target: "Microsoft.AspNetCore.Hosting.Diagnostics", Level::INFO, event.id = 1u64,
        event.template = "Request starting {Path}", Path = "/a", message = "Request starting /a\nb"
    );
}

fn ordinary() {
    tracing::warn!(target: "my_app", count = 3, name = "x\ny", ratio = 0.5, on = true, absent = tracing::field::Empty, "two\nlines {}", 1);
    tracing::debug!(target: "my_app", count = 3);
    tracing::info!(target: "my_app", "");
}
