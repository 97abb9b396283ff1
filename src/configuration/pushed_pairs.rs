//! Values that a program fetches by itself, and replaces while its host runs.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::added_source::{ConfigurationSource, Pairs};
use super::change_signal::ChangeSignal;
use super::layers::Leaf;
use super::problem::Problem;

/// Keys and values that a program fetches by itself, such as from a vault or a database, and may replace
/// at any time: what [`push`](Self::push) gives is read by a reload as a file is that has changed. Clones
/// are the same source. Printed for debugging, it shows neither keys nor values.
///
/// ```no_run
/// use std::process::ExitCode;
/// use std::time::Duration;
///
/// use kestrel::configuration::{PushedPairs, SourcePlace};
/// use kestrel::{AppContext, AppError, Ending, Host};
///
/// async fn ask_the_vault() -> Result<Vec<(String, String)>, std::io::Error> {
///     Ok(vec![("Mail:Password".to_owned(), "hunter2".to_owned())])
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<ExitCode, AppError> {
///     let vault = PushedPairs::new("vault", ask_the_vault().await?);
///     let source = vault.clone();
///     let ask_again = async move |_: AppContext, mut ending: Ending| {
///         loop {
///             tokio::select! {
///                 () = tokio::time::sleep(Duration::from_secs(300)) => {}
///                 () = ending.begun() => return Ok(()),
///             }
///             match ask_the_vault().await {
///                 Ok(pairs) => vault.push(pairs),
///                 Err(error) => tracing::warn!("the vault says nothing: {error}"),
///             }
///         }
///     };
///     let host = Host::from_args().configuration_source(SourcePlace::AboveFiles, source);
///     Ok(host.background_service("vault", ask_again).run().await)
/// }
/// ```
#[derive(Clone)]
pub struct PushedPairs {
    name: Arc<str>,
    state: Arc<Mutex<State>>,
}

struct State {
    pairs: Pairs,
    /// The hosts that have it among their sources.
    hosts: Vec<ChangeSignal>,
}

impl PushedPairs {
    /// These to begin with, under a name for messages. Of a key that is there twice the last value
    /// counts.
    pub fn new(
        name: impl Into<String>,
        pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let name = name.into();
        let pairs = Pairs::new(name.clone(), pairs);
        Self { name: name.into(), state: Arc::new(Mutex::new(State { pairs, hosts: Vec::new() })) }
    }

    /// These in the place of all those before. Every host that has this source reads its whole configuration again, in
    /// a transaction as for a file that has changed, and this returns at once: what is wrong with the new
    /// values is logged and changes nothing, until others are pushed. A host that does not run yet does it
    /// once it runs.
    pub fn push(&self, pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) {
        let pairs = Pairs::new(&*self.name, pairs);
        let mut state = self.lock();
        state.pairs = pairs;
        // To tell is to leave a note: nobody waits for this lock meanwhile, and hosts that are gone go.
        state.hosts.retain(ChangeSignal::send);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PushedPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushedPairs").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ConfigurationSource for PushedPairs {
    fn name(&self) -> String {
        self.name.to_string()
    }

    fn read(&self, content_root: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        self.lock().pairs.read(content_root)
    }

    fn on_change(&self, changed: ChangeSignal) {
        self.lock().hosts.push(changed);
    }
}
