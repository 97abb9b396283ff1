//! How code says that a host is one of a test.

use std::path::PathBuf;

use super::builder::HostBuilder;
#[cfg(feature = "testing")]
use crate::addresses::Network;

impl HostBuilder {
    /// Lets the host see nothing of the process and the machine that it runs on, for tests: what code
    /// says is all there is. Instead of
    ///
    /// - the process's variables there are none, but those of
    ///   [`environment_variables`](Self::environment_variables),
    /// - the process's command line, which [`Host::from_args`](crate::Host::from_args) takes, there is
    ///   none, but that of [`args`](Self::args),
    /// - the current directory, and so the content root, there is a new and empty folder, unless
    ///   [`current_directory`](Self::current_directory) names one; it goes with the host, and
    ///   [`file`](Self::file) puts files into it,
    /// - `http://localhost:5000`, where nobody says anything else, there is a free port of 127.0.0.1,
    /// - the user's folders, with secrets and certificates, there are none.
    ///
    /// There is no log, unless [`captured_logging`](Self::captured_logging) or
    /// [`with_logging`](Self::with_logging) asks for one, and files are not watched: [`RunningHost::reload`](crate::RunningHost::reload)
    /// reads them again. The order of the calls does not matter. Any number of such hosts can run in one
    /// process.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), kestrel::HostError> {
    /// let host = kestrel::Host::from_args() // what main() has
    ///     .hermetic()
    ///     .file("appsettings.json", r#"{ "Greeting": "Hello" }"#)
    ///     .args(["--Name=you"])
    ///     .start()
    ///     .await?;
    /// assert_eq!(host.configuration().value("Greeting"), Some("Hello"));
    /// assert_eq!(host.configuration().value("Name"), Some("you"));
    /// assert!(host.addresses()[0].starts_with("http://127.0.0.1:"));
    /// host.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn hermetic(mut self) -> Self {
        self.0.hermetic.get_or_insert_default();
        self
    }

    /// The same, with its endpoints bound here.
    #[cfg(feature = "testing")]
    pub(crate) fn on(mut self, network: Network) -> Self {
        self.0.hermetic.get_or_insert_default().network = network;
        self
    }

    /// A file of a [`hermetic`](Self::hermetic) host, which this call makes it: a path in its folder, with
    /// the folders on the way to it, and what is in it.
    pub fn file(mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        self.0.hermetic.get_or_insert_default().files.push((path.into(), content.into()));
        self.hermetic()
    }
}
