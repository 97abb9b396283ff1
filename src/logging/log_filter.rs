//! The levels as `tracing` asks for them: for our console, and for the layers that a program has beside it.

use std::sync::Arc;

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::layer::{Context, Filter};

use super::entry;
use super::filter::{Provider, Rules};
use super::options::{LogLevel, Rule};
use super::record_levels;
use super::scopes;

/// Lets through what `Logging:LogLevel` does: a filter for any layer of the program's.
///
/// That of a host follows its reloads. Copies of it are one filter.
///
/// ```
/// use kestrel::logging::{LogFilter, LogLevel, Rule};
/// use tracing_subscriber::Layer as _;
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let warnings = Rule { provider: None, category: None, level: LogLevel::Warning };
/// let layer = tracing_subscriber::fmt::layer().with_filter(LogFilter::new(vec![warnings]));
/// let subscriber = tracing_subscriber::registry().with(layer);
/// # tracing::subscriber::with_default(subscriber, || {
/// assert!(tracing::enabled!(tracing::Level::WARN));
/// assert!(!tracing::enabled!(tracing::Level::INFO));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct LogFilter {
    rules: Arc<Rules>,
    provider: Provider,
    spans: Spans,
}

/// Which spans come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spans {
    /// None: nobody wants them.
    Not,
    /// Those of the server, and the others by the rules.
    AsScopes,
    /// By the rules, as events.
    ByRules,
}

impl LogFilter {
    /// A filter by these rules, as they are for all providers.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules: Arc::new(Rules::new(rules)), provider: Provider::Any, spans: Spans::ByRules }
    }

    /// The same rules for a provider of that name: those below `Logging:{Provider}:LogLevel` win over the others.
    #[must_use]
    pub fn for_provider(&self, name: impl Into<String>) -> Self {
        Self { provider: Provider::Named(name.into()), ..self.clone() }
    }

    /// Replaces the rules, for all copies and every call site at once.
    ///
    /// A filter of the subscriber of one thread is replaced from that thread.
    pub fn replace(&self, rules: Vec<Rule>) {
        self.rules.replace(rules);
        record_levels::rules_changed();
        tracing::callsite::rebuild_interest_cache();
    }

    /// The same rules for our console.
    pub(super) fn for_console(&self, spans: Spans) -> Self {
        Self { rules: Arc::clone(&self.rules), provider: Provider::Console, spans }
    }

    pub(super) fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    pub(super) fn lets_through(&self, category: &str, level: LogLevel) -> bool {
        self.rules.is_enabled(&self.provider, category, level)
    }

    /// Spans are the application's scopes. Those of the server are always wanted when scopes are; the others go by the
    /// rules like events, so that a library with a span per frame does not fill every line.
    pub(super) fn wants(&self, metadata: &Metadata<'_>) -> bool {
        // An error that may be critical has to come through; what it is turns out when it is recorded.
        let may_be_critical = metadata.fields().field(entry::CRITICAL).is_some();
        let by_rules = || {
            let level = entry::level(*metadata.level(), may_be_critical);
            self.lets_through(metadata.target(), level)
        };
        match self.spans {
            Spans::Not if metadata.is_span() => false,
            Spans::AsScopes if metadata.is_span() && metadata.target() == scopes::TARGET => true,
            _ => by_rules(),
        }
    }

    pub(super) fn interest(&self, metadata: &Metadata<'_>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    pub(super) fn most_verbose(&self) -> LevelFilter {
        match self.rules.most_verbose(&self.provider) {
            // The server's spans may have any level.
            level if self.spans == Spans::AsScopes && level != LevelFilter::OFF => {
                LevelFilter::TRACE
            }
            level => level,
        }
    }
}

impl<S> Filter<S> for LogFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.interest(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most_verbose())
    }
}
