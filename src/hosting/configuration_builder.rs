//! What code says of the configuration: the sources that the process has, those that it adds, and values over all of them.

use std::ffi::OsString;
use std::path::PathBuf;

use super::builder::HostBuilder;
use crate::configuration::{AddedSource, ConfigurationSource, Origin, SourcePlace, Sourced};

impl HostBuilder {
    /// The command line, without the program's name. It beats files and variables.
    ///
    /// It has settings in the forms .NET takes, such as `--urls http://*:5000`, and the flags of the
    /// host: `--listen SPEC`, `--strict`, `--plan`, `--help` (`-h`) and `--version` (`-V`), as the
    /// binary has them. [`run`](Self::run) answers the last three; [`build`](Self::build) gives the
    /// answer as [`HostError::Answered`](crate::HostError::Answered). A flag stands where a setting could begin: behind a switch
    /// that wants a value it is that value, and a warning tells it. A program that reads its own
    /// command line says so with [`without_host_flags`](Self::without_host_flags).
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.0.arguments = arguments
            .into_iter()
            .enumerate()
            .map(|(place, argument)| (place + 1, argument.into()))
            .collect();
        self.0.arguments_of_process = false;
        self
    }

    /// As [`args`](Self::args), each argument with its place on the whole command line.
    #[cfg(feature = "cli")]
    pub(crate) fn numbered_args(mut self, arguments: Vec<(usize, OsString)>) -> Self {
        self.0.arguments = arguments;
        self
    }

    /// The program reads its own command line: what it hands to [`args`](Self::args) are settings and
    /// nothing else, as on ASP.NET Core. `--help` and the other flags of the host mean nothing then;
    /// [`listen_spec`](Self::listen_spec) and [`strict`](Self::strict) do what they do.
    ///
    /// ```
    /// let words = std::env::args().skip(1).collect::<Vec<_>>();
    /// let (own, settings) = words.split_at(words.len().min(1)); // such as a subcommand
    /// let builder = kestrel::Host::builder().args(settings).without_host_flags();
    /// # let _ = own;
    /// ```
    pub fn without_host_flags(mut self) -> Self {
        self.0.settings_only = true;
        self
    }

    /// The program's version, for `--version`: `env!("CARGO_PKG_VERSION")` in most. Without it only
    /// that of kestrel is told.
    ///
    /// ```
    /// let builder = kestrel::Host::from_args().version(env!("CARGO_PKG_VERSION"));
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = Some(version.into());
        self
    }

    /// Names the application after the content root's folder if nothing else names it: the binary
    /// serves many, and its own name says nothing.
    #[cfg(feature = "cli")]
    pub(crate) fn named_after_content_root(mut self) -> Self {
        self.0.named_after_content_root = true;
        self
    }

    /// A host that reads nothing looks for what the user has beside settings, such as the certificate for
    /// development, and writes to the terminal as others do. `variables` are those of the process.
    #[cfg(feature = "cli")]
    pub(crate) fn with_surroundings_of_user(mut self, variables: Vec<(String, String)>) -> Self {
        self.0.only_code = false;
        self.0.surroundings = Some(variables);
        self
    }

    /// Answers with the configuration of another program in the place of a start.
    #[cfg(feature = "cli")]
    pub(crate) fn answering(mut self, wanted: super::generate::Wanted) -> Self {
        self.0.generate = Some(wanted);
        self
    }

    /// These environment variables in the place of the process's.
    ///
    /// ```
    /// let host = kestrel::Host::builder()
    ///     .environment_variables([("Greeting__Text", "Hello"), ("ASPNETCORE_URLS", "http://127.0.0.1:0")])
    ///     .without_logging()
    ///     .build()?;
    /// assert_eq!(host.configuration().value("Greeting:Text"), Some("Hello"));
    /// # Ok::<(), kestrel::HostError>(())
    /// ```
    pub fn environment_variables(
        mut self,
        variables: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        self.0.variables =
            Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// This folder in the place of the process's current directory, from which a relative one counts.
    ///
    /// ```
    /// let builder = kestrel::Host::builder().current_directory("/srv/shop");
    /// ```
    pub fn current_directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.0.current_directory = Some(folder.into());
        self
    }

    /// Binds these addresses, a `;` list as in key `urls`, over what the configuration says.
    ///
    /// ```
    /// let builder = kestrel::Host::from_args().use_urls("http://localhost:5000;http://[::1]:5001");
    /// ```
    pub fn use_urls(self, urls: &str) -> Self {
        self.setting("urls", urls, "use_urls")
    }

    /// Adds an address to the host's own list, which beats every `urls` (what `app.Urls` is).
    ///
    /// ```
    /// let builder = kestrel::Host::builder().add_url("http://*:5000").add_url("http://unix:/run/app.sock");
    /// ```
    pub fn add_url(mut self, url: impl Into<String>) -> Self {
        self.0.endpoints.added_urls.push(Sourced::new(url.into(), Origin::Code("add_url")));
        self
    }

    /// Whether addresses win over `listen` calls and `Kestrel:Endpoints`.
    ///
    /// ```
    /// // A platform that dictates the address by ASPNETCORE_URLS is right, whatever is listed here.
    /// let builder = kestrel::Host::builder().listen_localhost(5000).prefer_hosting_urls(true);
    /// ```
    pub fn prefer_hosting_urls(self, prefer: bool) -> Self {
        let text = if prefer { "true" } else { "false" };
        self.setting("preferHostingUrls", text, "prefer_hosting_urls")
    }

    /// Sets a key of the configuration over every source.
    pub fn use_setting(self, key: &str, value: &str) -> Self {
        self.setting(key, value, "use_setting")
    }

    fn setting(mut self, key: &str, value: &str, call: &'static str) -> Self {
        self.0.code.settings.push((key.to_owned(), value.to_owned(), call));
        self
    }

    /// Adds a source of configuration in this place of the order: a file, pairs, a function, or one of the
    /// program's. Messages and `--plan` tell what it set by its name. Each reload reads it again; what
    /// is wrong with it refuses the reload, or the start.
    ///
    /// ```
    /// use kestrel::Host;
    /// use kestrel::configuration::{JsonFile, Pairs, SourcePlace};
    ///
    /// let defaults = Pairs::new("defaults", [("Urls", "http://localhost:5080")]);
    /// let builder = Host::builder()
    ///     .configuration_source(SourcePlace::BelowFiles, defaults)
    ///     .configuration_source(SourcePlace::AboveFiles, JsonFile::optional("local.json"));
    /// ```
    pub fn configuration_source(
        mut self,
        place: SourcePlace,
        source: impl ConfigurationSource + 'static,
    ) -> Self {
        self.0.added_sources.push(AddedSource::new(place, source));
        self
    }

    /// The environment, over variables and command line.
    ///
    /// ```
    /// use kestrel::Host;
    ///
    /// let tool = Host::builder()
    ///     .environment("Development")
    ///     .content_root(env!("CARGO_MANIFEST_DIR"))
    ///     .application_name("shop")
    ///     .user_secrets_id("shop-5f3a")
    ///     .without_logging()
    ///     .build()?;
    /// assert_eq!(tool.environment(), "Development");
    /// # Ok::<(), kestrel::HostError>(())
    /// ```
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.0.code.environment = Some(environment.into());
        self
    }

    /// The content root, over variables and command line.
    pub fn content_root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.0.code.content_root = Some(folder.into());
        self
    }

    /// The application's name, over variables and command line. Without any of them it is the
    /// name of the program.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.0.code.application_name = Some(name.into());
        self
    }

    /// The id of the user's secrets, which are read in Development.
    pub fn user_secrets_id(mut self, id: impl Into<String>) -> Self {
        self.0.code.user_secrets_id = Some(id.into());
        self
    }
}
