//! The configuration as it is now.

use std::sync::Arc;

use tokio::sync::watch;

use crate::configuration::Configuration;

/// The configuration of a running host, which every reload replaces: for handlers that look a value
/// up when they need it, and tasks that wait for another one. (What `IOptionsMonitor` is for in
/// ASP.NET Core.) Cloning it is cheap.
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
#[derive(Clone, Debug)]
pub struct LiveConfiguration(watch::Receiver<Arc<Configuration>>);

/// The end that a reload writes to.
#[derive(Debug)]
pub(super) struct Published(watch::Sender<Arc<Configuration>>);

impl LiveConfiguration {
    /// The configuration of this moment. It stays as it is; later ones are others.
    pub fn current(&self) -> Arc<Configuration> {
        Arc::clone(&self.0.borrow())
    }

    /// The value that a key has at this moment; see [`Configuration::value`].
    pub fn value(&self, key: &str) -> Option<String> {
        self.0.borrow().value(key).map(str::to_owned)
    }

    /// Waits for a configuration that this handle has not given yet, by this method or from the
    /// beginning; `None` once the host is gone.
    pub async fn changed(&mut self) -> Option<Arc<Configuration>> {
        self.0.changed().await.ok()?;
        Some(Arc::clone(&self.0.borrow_and_update()))
    }
}

impl Published {
    pub(super) fn new(configuration: Configuration) -> Self {
        Self(watch::Sender::new(Arc::new(configuration)))
    }

    pub(super) fn handle(&self) -> LiveConfiguration {
        LiveConfiguration(self.0.subscribe())
    }

    /// Replaces the configuration for everybody.
    pub(super) fn replace(&self, configuration: Configuration) {
        self.0.send_replace(Arc::new(configuration));
    }
}
