//! Sections of the configuration as types of the program's, which follow every reload.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::configuration::{Configuration, Problem, SettingsError};
use crate::diagnostics::panic_message;

/// A section of the configuration as a type of the program's, at any moment: what a reload changes in it
/// is another value here. (What `IOptionsMonitor` is in ASP.NET Core.)
///
/// [`LiveConfiguration::monitor`](super::LiveConfiguration::monitor) makes one. An edit that cannot be
/// read as the type refuses the whole reload, and is told with everything else; the value stays as it
/// was. Cloning it is cheap: a handler may have it as its state.
///
/// ```
/// use axum::{Router, extract::State, routing::get};
/// use kestrel::{AppContext, AppError, SettingsMonitor};
///
/// #[derive(serde::Deserialize)]
/// struct Greeting {
///     #[serde(default)]
///     text: String,
/// }
///
/// async fn greet(State(greeting): State<SettingsMonitor<Greeting>>) -> String {
///     greeting.current().text.clone()
/// }
///
/// async fn app(context: AppContext) -> Result<Router, AppError> {
///     let greeting = context.live_configuration.monitor::<Greeting>("Greeting")?;
///     Ok(Router::new().route("/", get(greet)).with_state(greeting))
/// }
/// # let _ = kestrel::Host::builder().app_with(app);
/// ```
pub struct SettingsMonitor<T> {
    value: Arc<ArcSwap<T>>,
    changes: watch::Receiver<()>,
}

impl<T> SettingsMonitor<T> {
    /// The settings of this moment. They stay as they are; later ones are others. It takes no lock and
    /// copies nothing: look here for every request, rather than keep what it gives.
    pub fn current(&self) -> Arc<T> {
        self.value.load_full()
    }

    /// Waits for settings that this handle has not given yet, by this method or from the beginning; `None`
    /// once the host is gone. An edit elsewhere in the configuration is no change here.
    ///
    /// A background task is to end before the host is gone: it waits for
    /// [`Ending::begun`](super::Ending::begun) as well.
    ///
    /// ```
    /// use kestrel::{Ending, SettingsMonitor};
    ///
    /// async fn follow(mut level: SettingsMonitor<u8>, mut ending: Ending) {
    ///     loop {
    ///         tokio::select! {
    ///             Some(level) = level.changed() => println!("level {level}"),
    ///             () = ending.begun() => return,
    ///         }
    ///     }
    /// }
    /// ```
    pub async fn changed(&mut self) -> Option<Arc<T>> {
        self.changes.changed().await.ok()?;
        Some(self.current())
    }
}

impl<T> Clone for SettingsMonitor<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), changes: self.changes.clone() }
    }
}

impl<T> fmt::Debug for SettingsMonitor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Settings may hold secrets.
        f.debug_struct("SettingsMonitor").finish_non_exhaustive()
    }
}

/// All monitors of a host.
#[derive(Default)]
pub(super) struct Monitors(Mutex<Vec<Arc<dyn Monitored>>>);

/// A section that is monitored.
trait Monitored: Send + Sync {
    fn path(&self) -> &str;

    /// Whether somebody has a monitor of it.
    fn is_wanted(&self) -> bool;

    /// Reads it from another configuration.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn read(self: Arc<Self>, configuration: &Configuration) -> Result<Reading, SettingsError>;
}

/// What a section is in another configuration.
struct Reading {
    path: Option<String>,
    apply: Box<dyn FnOnce() + Send>,
}

/// What all monitored sections are in another configuration.
#[derive(Default)]
pub(super) struct Readings {
    sections: Vec<Reading>,
    /// The configuration, for what an app monitors that is made from it.
    next: Arc<Configuration>,
}

struct Section<T> {
    path: String,
    /// What the value was read from.
    seen: Mutex<Configuration>,
    value: Arc<ArcSwap<T>>,
    changes: watch::Sender<()>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Monitored for Section<T> {
    fn path(&self) -> &str {
        &self.path
    }

    fn is_wanted(&self) -> bool {
        !self.changes.is_closed()
    }

    fn read(self: Arc<Self>, configuration: &Configuration) -> Result<Reading, SettingsError> {
        let differs = locked(&self.seen).differs_at(configuration, &self.path);
        let value = match differs {
            true => Some(Arc::new(configuration.get::<T>(&self.path)?)),
            false => None,
        };
        let (path, configuration) =
            (value.as_ref().map(|_| self.path.clone()), configuration.clone());
        let apply = Box::new(move || {
            *locked(&self.seen) = configuration;
            if let Some(value) = value {
                self.value.store(value);
                self.changes.send_replace(());
            }
        });
        Ok(Reading { path, apply })
    }
}

impl Monitors {
    /// A monitor of the section at `path`, and how it catches up with a later configuration.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn monitor<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        path: &str,
        configuration: Configuration,
    ) -> Result<(SettingsMonitor<T>, impl FnOnce(&Configuration) + use<T>), SettingsError> {
        let (section, monitor) = section(path, configuration)?;
        let section: Arc<dyn Monitored> = Arc::new(section);
        locked(&self.0).push(Arc::clone(&section));
        let catch_up = |now: &Configuration| {
            if let Ok(reading) = read(section, now) {
                (reading.apply)();
            }
        };
        Ok((monitor, catch_up))
    }

    fn wanted(&self) -> Vec<Arc<dyn Monitored>> {
        let mut all = locked(&self.0);
        all.retain(|section| section.is_wanted());
        all.clone()
    }

    /// Reads all sections from another configuration, and says what is wrong with it.
    pub(super) fn read(&self, next: Arc<Configuration>) -> (Readings, Vec<Problem>) {
        let (mut sections, mut problems) = (Vec::new(), Vec::new());
        for section in self.wanted() {
            match read(section, &next) {
                Ok(reading) => sections.push(reading),
                Err(wrong) => problems.extend(wrong),
            }
        }
        (Readings { sections, next }, problems)
    }
}

impl Readings {
    /// The sections that are others.
    pub(super) fn changed(&self) -> Vec<&str> {
        let mut paths: Vec<_> = self.sections.iter().filter_map(|it| it.path.as_deref()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Gives them to everybody; what they were read from is left.
    pub(super) fn apply(self) -> Arc<Configuration> {
        self.sections.into_iter().for_each(|reading| (reading.apply)());
        self.next
    }
}

/// A monitor of a host that is gone.
///
/// # Errors
///
/// What is wrong with the section.
pub(super) fn of_no_host<T: DeserializeOwned + Send + Sync + 'static>(
    path: &str,
    configuration: Configuration,
) -> Result<SettingsMonitor<T>, SettingsError> {
    section(path, configuration).map(|(_, monitor)| monitor)
}

fn section<T: DeserializeOwned>(
    path: &str,
    configuration: Configuration,
) -> Result<(Section<T>, SettingsMonitor<T>), SettingsError> {
    let value = Arc::new(ArcSwap::from_pointee(configuration.get(path)?));
    let (changes, told) = watch::channel(());
    let monitor = SettingsMonitor { value: Arc::clone(&value), changes: told };
    Ok((
        Section { path: path.to_owned(), seen: Mutex::new(configuration), value, changes },
        monitor,
    ))
}

/// Reads a section; that the program's code panics is a mistake like others.
fn read(section: Arc<dyn Monitored>, of: &Configuration) -> Result<Reading, Vec<Problem>> {
    let path = section.path().to_owned();
    match catch_unwind(AssertUnwindSafe(|| section.read(of))) {
        Ok(read) => read.map_err(SettingsError::into_problems),
        Err(panic) => Err(vec![
            Problem::error(format!("The code that reads the settings at '{path}' panicked."))
                .cause(panic_message(&*panic))
                .key(path),
        ]),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
