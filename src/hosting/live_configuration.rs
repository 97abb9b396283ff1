//! The configuration as it is now.

use std::fmt;
use std::sync::{Arc, Weak};

use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::settings_monitor::{self, Monitors, Readings, SettingsMonitor};
use crate::configuration::{Configuration, Problem, SettingsError};

/// The configuration of a running host, which every reload replaces: for handlers that look a value
/// up when they need it, and tasks that wait for another one. Cloning it is cheap.
///
/// ```
/// use axum::{Router, extract::State, routing::get};
/// use kestrel::{AppContext, AppError, LiveConfiguration};
///
/// async fn greeting(State(live): State<LiveConfiguration>) -> String {
///     live.value("Greeting").unwrap_or_else(|| "Hello".to_owned())
/// }
///
/// async fn app(context: AppContext) -> Result<Router, AppError> {
///     let live = context.live_configuration.clone();
///     Ok(Router::new().route("/", get(greeting)).with_state(live))
/// }
/// # let _ = kestrel::Host::builder().app_with(app);
/// ```
#[derive(Clone)]
pub struct LiveConfiguration {
    now: watch::Receiver<Configuration>,
    monitors: Weak<Monitors>,
    /// The configuration that an app is made from, as long as it is not that of now.
    next: Weak<Configuration>,
}

/// The end that a reload writes to.
pub(super) struct Published {
    now: watch::Sender<Configuration>,
    monitors: Arc<Monitors>,
}

impl LiveConfiguration {
    /// The configuration of this moment. It stays as it is; later ones are others.
    pub fn current(&self) -> Configuration {
        self.now.borrow().clone()
    }

    /// The value that a key has at this moment; see [`Configuration::value`].
    pub fn value(&self, key: &str) -> Option<String> {
        self.now.borrow().value(key).map(str::to_owned)
    }

    /// Waits for a configuration that this handle has not given yet, by this method or from the
    /// beginning; `None` once the host is gone. A reload that finds every value as it was is no change.
    pub async fn changed(&mut self) -> Option<Configuration> {
        self.now.changed().await.ok()?;
        Some(self.now.borrow_and_update().clone())
    }

    /// The section at `path` as a type of the program's, at any moment: every reload that changes the
    /// section gives another value. See [`SettingsMonitor`] for an example, and
    /// [`Configuration::get`] for how it is read.
    ///
    /// Called while a reload makes an app, it reads what the app is made from.
    ///
    /// ```
    /// use kestrel::{App, AppContext, AppError};
    ///
    /// async fn app(context: AppContext) -> Result<App, AppError> {
    ///     let mut workers = context.live_configuration.monitor::<Option<usize>>("Workers")?;
    ///     Ok(App::from(axum::Router::new()).background(async move |mut ending| {
    ///         loop {
    ///             let count = workers.current().unwrap_or(4);
    ///             // Work with so many, until there are to be others.
    ///             # let _ = count;
    ///             tokio::select! {
    ///                 _ = workers.changed() => {}
    ///                 () = ending.begun() => return,
    ///             }
    ///         }
    ///     }))
    /// }
    /// # let _ = kestrel::Host::builder().app_with(app);
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the section now. What is wrong with it later refuses the reload.
    pub fn monitor<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        path: &str,
    ) -> Result<SettingsMonitor<T>, SettingsError> {
        let Some(monitors) = self.monitors.upgrade() else {
            return settings_monitor::of_no_host(path, self.current());
        };
        if let Some(next) = self.next.upgrade() {
            return monitors.monitor(path, Configuration::clone(&next)).map(|(monitor, _)| monitor);
        }
        let (monitor, catch_up) = monitors.monitor(path, self.current())?;
        // A reload may have looked for monitors before this one was there. None goes on as long as this
        // is borrowed.
        catch_up(&self.now.borrow());
        Ok(monitor)
    }
}

impl fmt::Debug for LiveConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveConfiguration").field(&*self.now.borrow()).finish()
    }
}

impl Published {
    pub(super) fn new(configuration: Configuration) -> Self {
        Self { now: watch::Sender::new(configuration), monitors: Arc::default() }
    }

    pub(super) fn handle(&self) -> LiveConfiguration {
        self.handle_before(&Weak::new())
    }

    /// A handle for an app that is made from `next`, as long as somebody keeps that.
    pub(super) fn handle_before(&self, next: &Weak<Configuration>) -> LiveConfiguration {
        LiveConfiguration {
            now: self.now.subscribe(),
            monitors: Arc::downgrade(&self.monitors),
            next: Weak::clone(next),
        }
    }

    /// What the monitors will show of another configuration, and what is wrong with it.
    pub(super) fn read(&self, next: Arc<Configuration>) -> (Readings, Vec<Problem>) {
        self.monitors.read(next)
    }

    /// Replaces the configuration for everybody. Places may be others although values are not: nobody
    /// is woken for that.
    pub(super) fn replace(&self, configuration: Configuration, readings: Readings) {
        // Kept until it is that of now.
        let _next = readings.apply();
        let differs = !self.now.borrow().differing_keys(&configuration).is_empty();
        self.now.send_if_modified(|now| {
            *now = configuration.clone();
            differs
        });
        // Monitors that were made since then. What they cannot read refuses the next reload.
        self.monitors.read(Arc::new(configuration)).0.apply();
    }
}
