//! What the crate `log` skips without asking: it has one level for the whole program, that of the most verbose console.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use log::LevelFilter;

use super::filter::{Provider, Rules};

/// Whether the program's logger is ours.
static IN_PLACE: AtomicBool = AtomicBool::new(false);

/// The rules of all consoles: the most verbose of them decides what `log` skips without asking.
static CONSOLES: Mutex<Vec<Weak<Rules>>> = Mutex::new(Vec::new());

/// The program's logger is ours from now on.
pub(super) fn in_place() {
    IN_PLACE.store(true, Ordering::Relaxed);
    rules_changed();
}

/// From now on there is a console with these rules.
pub(super) fn add(rules: &Arc<Rules>) {
    let mut consoles = CONSOLES.lock().unwrap_or_else(PoisonError::into_inner);
    consoles.retain(|rules| rules.strong_count() > 0);
    consoles.push(Arc::downgrade(rules));
    drop(consoles);
    rules_changed();
}

/// Rules are others now.
pub(super) fn rules_changed() {
    if !IN_PLACE.load(Ordering::Relaxed) {
        return;
    }
    let mut consoles = CONSOLES.lock().unwrap_or_else(PoisonError::into_inner);
    consoles.retain(|rules| rules.strong_count() > 0);
    let levels = consoles.iter().filter_map(Weak::upgrade);
    let levels = levels.map(|rules| level_filter(rules.most_verbose(&Provider::Console)));
    log::set_max_level(levels.max().unwrap_or(LevelFilter::Off));
}

fn level_filter(level: tracing::level_filters::LevelFilter) -> LevelFilter {
    match level.into_level() {
        None => LevelFilter::Off,
        Some(tracing::Level::ERROR) => LevelFilter::Error,
        Some(tracing::Level::WARN) => LevelFilter::Warn,
        Some(tracing::Level::INFO) => LevelFilter::Info,
        Some(tracing::Level::DEBUG) => LevelFilter::Debug,
        Some(tracing::Level::TRACE) => LevelFilter::Trace,
    }
}
