//! Sources that a program adds to those that are always read, and their places in the order.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::change_signal::ChangeSignal;
use super::layers::Leaf;
use super::origin::Origin;
use super::problem::Problem;

/// Where a source stands in the order: it beats what is under it, key by key. Of two in one place the one
/// that was added later is stronger.
///
/// None comes early enough for environment, content root and name of the application, which decide what
/// is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourcePlace {
    /// Under `appsettings.json`: defaults of the program's.
    BelowFiles,
    /// Over `appsettings.json`, `appsettings.{Environment}.json` and the user's secrets, under the
    /// variables.
    AboveFiles,
    /// Over the variables, under the command line.
    AboveVariables,
    /// Over the command line: where ASP.NET Core puts what is added to `builder.Configuration`. Only what
    /// code sets, such as by `use_setting`, is stronger.
    AboveCommandLine,
}

/// A source of configuration: keys and values, each with where it was set.
///
/// It is read for the start, on the thread that builds the host, and again for every reload, on a thread
/// that may wait. [`Pairs`] and [`SourceFn`] are some, as are [`JsonFile`](super::JsonFile) and
/// [`PushedPairs`](super::PushedPairs), which is for values that take `await` to fetch.
///
/// ```
/// use std::path::Path;
///
/// use kestrel::Host;
/// use kestrel::configuration::{ConfigurationSource, Leaf, Origin, Problem, SourcePlace};
///
/// /// A file for each value, as containers have their secrets.
/// struct FilePerKey(&'static str);
///
/// impl ConfigurationSource for FilePerKey {
///     fn name(&self) -> String {
///         self.0.to_owned()
///     }
///
///     fn read(&self, _: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
///         let wrong = |error: std::io::Error| vec![Problem::error(format!("{}: {error}.", self.0))];
///         let mut leaves = Vec::new();
///         for entry in std::fs::read_dir(self.0).map_err(wrong)?.flatten() {
///             let key = entry.file_name().to_string_lossy().replace("__", ":");
///             let value = std::fs::read_to_string(entry.path()).map_err(wrong)?;
///             leaves.push(Leaf::new(key, value, Origin::Source(entry.path().display().to_string())));
///         }
///         Ok(leaves)
///     }
/// }
///
/// let builder =
///     Host::builder().configuration_source(SourcePlace::AboveFiles, FilePerKey("/run/secrets"));
/// ```
pub trait ConfigurationSource: Send + Sync {
    /// Its name in messages.
    fn name(&self) -> String;

    /// Reads it. A relative path counts from the content root.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, which refuses the start, or the reload. One that has no origin
    /// gets the name of the source.
    fn read(&self, content_root: &Path) -> Result<Vec<Leaf>, Vec<Problem>>;

    /// The files that it is read from: a change of one of them is a reload. Default: none.
    fn files(&self, content_root: &Path) -> Vec<PathBuf> {
        let _ = content_root;
        Vec::new()
    }

    /// Takes what tells a host that the values are others: `changed.send()` lets that host read all its
    /// sources again, as one reload. Called once by every host that has this source. Default: it is never told.
    fn on_change(&self, changed: ChangeSignal) {
        let _ = changed;
    }
}

/// A source with its place.
#[derive(Clone)]
pub(crate) struct AddedSource {
    pub(super) place: SourcePlace,
    source: Arc<dyn ConfigurationSource>,
}

impl AddedSource {
    pub(crate) fn new(place: SourcePlace, source: impl ConfigurationSource + 'static) -> Self {
        Self { place, source: Arc::new(source) }
    }

    /// Lets it tell a host that it has other values, and gives what is wrong with that.
    pub(crate) fn on_change(&self, changed: ChangeSignal) -> Option<Problem> {
        self.guarded(|source| source.on_change(changed)).err()
    }

    /// What it gives, the files it was read from, and what is wrong with it.
    pub(super) fn read(&self, content_root: &Path) -> (Vec<Leaf>, Vec<PathBuf>, Vec<Problem>) {
        // Its files are watched, even if it cannot be read.
        let (files, of_files) = match self.guarded(|source| source.files(content_root)) {
            Ok(files) => (files, None),
            Err(panicked) => (Vec::new(), Some(panicked)),
        };
        let read = match of_files {
            None => self.guarded(|source| source.read(content_root)),
            Some(panicked) => Err(panicked),
        };
        match read {
            Ok(Ok(leaves)) => (leaves, files, Vec::new()),
            Ok(Err(problems)) => (Vec::new(), files, self.told_by_its_name(problems)),
            Err(panicked) => (Vec::new(), files, vec![panicked]),
        }
    }

    /// Problems that have no origin get the name of the source for it.
    fn told_by_its_name(&self, mut problems: Vec<Problem>) -> Vec<Problem> {
        let name = self.name();
        if problems.is_empty() {
            problems.push(failed(&name, "it does not say why"));
        }
        for problem in &mut problems {
            problem.origin.get_or_insert_with(|| Origin::Source(name.clone()));
        }
        problems
    }

    /// Its name in messages, whatever it does when it is asked.
    fn name(&self) -> String {
        let name = catch_unwind(AssertUnwindSafe(|| self.source.name()));
        name.unwrap_or_else(|_| "without a name".to_owned())
    }

    /// Calls its code.
    ///
    /// # Errors
    ///
    /// It panicked.
    fn guarded<T>(&self, call: impl FnOnce(&dyn ConfigurationSource) -> T) -> Result<T, Problem> {
        catch_unwind(AssertUnwindSafe(|| call(&*self.source))).map_err(|_| {
            let name = self.name();
            Problem::error(format!("The source {name} of the configuration panicked."))
                .origin(Origin::Source(name))
                .fix("let it return what is wrong as an error")
        })
    }
}

fn failed(name: &str, why: &str) -> Problem {
    Problem::error(format!("The source {name} of the configuration cannot be read: {why}."))
        .fix("put right what it tells, or leave the source out")
}

/// Keys and values that a program has. Printed for debugging, it shows neither.
#[derive(Clone)]
pub struct Pairs {
    name: String,
    pairs: Vec<(String, String)>,
}

impl Pairs {
    /// These, under a name for messages. Of a key that is there twice the last value counts.
    pub fn new(
        name: impl Into<String>,
        pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { name: name.into(), pairs }
    }

    fn leaves(&self) -> Vec<Leaf> {
        let leaf = |(key, value): &(String, String)| {
            Leaf::new(key.clone(), value.clone(), Origin::Source(self.name.clone()))
        };
        self.pairs.iter().map(leaf).collect()
    }
}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairs").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ConfigurationSource for Pairs {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&self, _: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        Ok(self.leaves())
    }
}

/// A function that gives keys and values, or tells why it cannot.
///
/// ```
/// use kestrel::Host;
/// use kestrel::configuration::{SourceFn, SourcePlace};
///
/// fn ask_the_vault() -> Result<Vec<(String, String)>, std::io::Error> {
///     Ok(vec![("Mail:Password".to_owned(), "hunter2".to_owned())])
/// }
///
/// let builder = Host::builder()
///     .configuration_source(SourcePlace::AboveFiles, SourceFn::new("vault", ask_the_vault));
/// ```
pub struct SourceFn<F> {
    name: String,
    read: F,
}

impl<F> SourceFn<F> {
    /// This one, under a name for messages.
    pub fn new<P, E>(name: impl Into<String>, read: F) -> Self
    where
        F: Fn() -> Result<P, E> + Send + Sync,
    {
        Self { name: name.into(), read }
    }
}

impl<F> fmt::Debug for SourceFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceFn").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<F, K, V, E> ConfigurationSource for SourceFn<F>
where
    F: Fn() -> Result<Vec<(K, V)>, E> + Send + Sync,
    K: Into<String>,
    V: Into<String>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&self, _: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        match (self.read)() {
            Ok(pairs) => Ok(Pairs::new(self.name.clone(), pairs).leaves()),
            Err(error) => {
                let error = error.into().to_string();
                Err(vec![failed(&self.name, error.trim_end_matches('.'))])
            }
        }
    }
}
