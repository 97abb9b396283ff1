//! Sources that a program adds to those that are always read, and their places in the order.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::layers::Leaf;
use super::origin::Origin;
use super::path::as_the_system_writes_it;
use super::problem::Problem;
use super::sources::json;

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
/// that may wait. [`JsonFile`], [`Pairs`] and [`SourceFn`] are some.
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

    /// What it gives, the files it was read from, and what is wrong with it.
    pub(super) fn read(&self, content_root: &Path) -> (Vec<Leaf>, Vec<PathBuf>, Vec<Problem>) {
        let all = || {
            let files = self.source.files(content_root);
            (self.source.name(), files, self.source.read(content_root))
        };
        match catch_unwind(AssertUnwindSafe(all)) {
            Ok((_, files, Ok(leaves))) => (leaves, files, Vec::new()),
            Ok((name, files, Err(mut problems))) => {
                if problems.is_empty() {
                    problems.push(failed(&name, "it does not say why"));
                }
                for problem in &mut problems {
                    problem.origin.get_or_insert_with(|| Origin::Source(name.clone()));
                }
                (Vec::new(), files, problems)
            }
            Err(_) => {
                let problem = Problem::error("A source of the configuration panicked.")
                    .fix("let it return what is wrong as an error");
                (Vec::new(), Vec::new(), vec![problem])
            }
        }
    }
}

fn failed(name: &str, why: &str) -> Problem {
    Problem::error(format!("The source {name} of the configuration cannot be read: {why}."))
        .fix("put right what it tells, or leave the source out")
}

/// A JSON file as `appsettings.json` is one: comments and trailing commas are welcome, a key that is
/// there twice is not. Changes of it are reloads.
#[derive(Clone, Debug)]
pub struct JsonFile {
    path: PathBuf,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

impl JsonFile {
    /// One that has to be there. A relative path counts from the content root.
    pub fn required(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), presence: Presence::Required }
    }

    /// One that may be missing. A relative path counts from the content root.
    pub fn optional(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), presence: Presence::Optional }
    }

    fn whole(&self, content_root: &Path) -> PathBuf {
        as_the_system_writes_it(content_root.join(&self.path))
    }
}

impl ConfigurationSource for JsonFile {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self, content_root: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        let path = self.whole(content_root);
        let shown = path.strip_prefix(content_root).unwrap_or(&path);
        match (json::read_file(&path, shown)?, self.presence) {
            (Some(leaves), _) => Ok(leaves),
            (None, Presence::Optional) => Ok(Vec::new()),
            (None, Presence::Required) => Err(vec![
                Problem::error(format!(
                    "The configuration file '{}' was not found and is not optional. The expected physical path \
                     was '{}'.",
                    self.path.display(),
                    path.display()
                ))
                .fix("put it there, or let code say JsonFile::optional"),
            ]),
        }
    }

    fn files(&self, content_root: &Path) -> Vec<PathBuf> {
        vec![self.whole(content_root)]
    }
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
