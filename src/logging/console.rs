//! The layer that turns `tracing` events into lines: decide, collect, format, hand to the queue.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use super::entry::{self, Entry};
use super::fields::{Fields, Value};
use super::layout::Layout;
use super::limits::LAST_WAIT;
use super::log_filter::{LogFilter, Spans};
use super::options::{ConsoleOptions, LogLevel, Terminal};
use super::outputs::{Outputs, Stream};
use super::queue::{Queue, Settings};
use super::scopes::{self, SpanFields};
use super::scratch::Scratch;

/// How long lines wait for an output that takes nothing before they are dropped: a reader that has stopped must not
/// hold requests.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes events to the console, in one of .NET's layouts. Made by [`layer`](super::layer()).
#[derive(Debug)]
pub struct ConsoleLayer {
    filter: LogFilter,
    queue: Arc<Queue>,
    layout: Layout,
    stderr_from: LogLevel,
    include_scopes: bool,
    place: Place,
    /// Whether it is a part of a subscriber.
    attached: Arc<AtomicBool>,
}

/// What else a subscriber has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing: it is one of ours.
    Alone,
    /// Whatever the program gave it.
    Beside,
}

impl ConsoleLayer {
    pub(super) fn new(
        levels: &LogFilter,
        options: ConsoleOptions,
        terminal: Terminal,
        outputs: Outputs,
        place: Place,
    ) -> Self {
        let layout = Layout::new(&options, terminal);
        let stderr_from = options.log_to_standard_error_threshold;
        let report_layout = layout.clone();
        let settings = Settings {
            capacity: options.max_queue_length,
            mode: options.queue_full_mode,
            report: Box::new(move |dropped, mode, line| {
                report_layout.write_dropped(dropped, mode, line)
            }),
            report_to: stream(stderr_from, LogLevel::Warning),
            patience: PATIENCE,
            last_wait: LAST_WAIT,
        };
        let queue = Arc::new(Queue::new(settings, outputs));
        let include_scopes = options.include_scopes;
        let spans = if include_scopes { Spans::AsScopes } else { Spans::Not };
        let (filter, attached) = (levels.for_console(spans), Arc::default());
        Self { filter, queue, layout, stderr_from, include_scopes, place, attached }
    }

    /// Writes a record of the crate `log`, which is no event.
    pub(super) fn write_record(
        &self,
        level: LogLevel,
        category: &str,
        message: &fmt::Arguments<'_>,
        spans: Option<&Registry>,
    ) {
        let mut scratch = Scratch::take();
        scratch.fields.clear();
        scratch.fields.push_display("message", message);
        if let Some(spans) = spans.filter(|_| self.include_scopes) {
            let around = spans.current_span().id().and_then(|id| spans.span(id));
            scopes::collect(around.map(|span| span.scope()), &mut scratch.scopes);
        }
        self.write(level, category, &mut scratch);
        scratch.put_back();
    }

    /// Writes what has been collected.
    fn write(&self, level: LogLevel, category: &str, scratch: &mut Scratch) {
        self.layout.write_time(&mut scratch.timestamp);
        let entry = Entry {
            level,
            category,
            fields: &scratch.fields,
            scopes: self.include_scopes.then_some(&scratch.scopes),
            timestamp: &scratch.timestamp,
        };
        self.layout.write(&entry, &mut scratch.line);
        self.queue.push(stream(self.stderr_from, level), &scratch.line);
    }

    /// Whether its subscriber is one of ours, and has nothing else.
    pub(super) fn is_alone(&self) -> bool {
        self.place == Place::Alone
    }

    /// What comes through to it, for whoever asks before.
    pub(super) fn filter(&self) -> &LogFilter {
        &self.filter
    }

    /// Tells whether it is a part of a subscriber.
    pub(super) fn attached(&self) -> &Arc<AtomicBool> {
        &self.attached
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }
}

impl<S> Layer<S> for ConsoleLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_register_dispatch(&self, _: &Dispatch) {
        self.attached.store(true, Ordering::Relaxed);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.filter.interest(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.filter.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter.most_verbose())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !self.include_scopes {
            return;
        }
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            fields.prepare(attributes.metadata());
            attributes.record(&mut fields);
            span.extensions_mut().replace(SpanFields(Arc::new(fields)));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Formatted outside of the lock: a value's own code may log.
        let Some(mut fields) = span.extensions().get().map(|SpanFields(fields)| Arc::clone(fields))
        else {
            return;
        };
        let own: &mut Fields = Arc::make_mut(&mut fields);
        values.record(own);
        span.extensions_mut().replace(SpanFields(fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut scratch = Scratch::take();
        scratch.fields.prepare(metadata);
        event.record(&mut scratch.fields);
        let marked = scratch.fields.get(entry::CRITICAL);
        let level = entry::level(*metadata.level(), marked == Some(Value::Bool("true")));
        // Let in because it might have been critical, and it is not.
        if marked.is_none()
            || level == LogLevel::Critical
            || self.filter.lets_through(metadata.target(), level)
        {
            if self.include_scopes {
                scopes::collect(context.event_scope(event), &mut scratch.scopes);
            }
            self.write(level, metadata.target(), &mut scratch);
        }
        scratch.put_back();
    }
}

impl Drop for ConsoleLayer {
    fn drop(&mut self) {
        self.queue.orphan();
    }
}

fn stream(stderr_from: LogLevel, level: LogLevel) -> Stream {
    if level >= stderr_from { Stream::Stderr } else { Stream::Stdout }
}
