//! The command line of the test program: libtest's as far as it makes sense here, and `--case`.
//!
//! `cargo test` hands on what stands behind `--`; `cargo nextest` asks with `--list --format
//! terse`, once more with `--ignored`, and then starts the program for each test with `NAME --exact
//! --nocapture`. What has no meaning here is taken without complaint.

/// What to do.
pub(crate) enum Task {
    List,
    Run,
    Case(String),
}

/// The command line: libtest's where it makes sense, and `--case`.
pub(crate) struct Options {
    pub(crate) task: Task,
    filters: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    ignored: bool,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub(crate) fn read(arguments: Vec<String>) -> Self {
        let mut options = Self {
            task: Task::Run,
            filters: Vec::new(),
            skip: Vec::new(),
            exact: false,
            ignored: false,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument.clone(), None),
            };
            let mut value = || value.clone().or_else(|| arguments.next()).unwrap_or_default();
            match name.as_str() {
                "--list" => options.task = Task::List,
                "--case" => options.task = Task::Case(value()),
                "--exact" => options.exact = true,
                "--ignored" => options.ignored = true,
                "--skip" => options.skip.push(value()),
                // Nothing here depends on them, but their values are no filters.
                "--format" | "--color" | "--test-threads" | "--logfile" | "--shuffle-seed"
                | "-Z" => drop(value()),
                other if other.starts_with('-') => {}
                _ => options.filters.push(argument),
            }
        }
        options
    }

    /// Whether the test `name` is asked for.
    pub(crate) fn selects(&self, name: &str) -> bool {
        let fits = |filter: &String| {
            if self.exact { name == filter } else { name.contains(filter.as_str()) }
        };
        // No test is ignored by default, so that asking for those finds none.
        !self.ignored
            && (self.filters.is_empty() || self.filters.iter().any(fits))
            && !self.skip.iter().any(fits)
    }
}

/// The harness's test of this file.
pub(crate) fn check() {
    for (arguments, selects) in [
        (&["--format", "terse", "--nocapture"][..], true),
        (&["layer"], true),
        (&["url", "lay"], true),
        (&["layer", "--exact"], false),
        (&["hosting::layer", "--exact"], true),
        (&["--skip=layer"], false),
        (&["--ignored"], false),
    ] {
        let options =
            Options::read(arguments.iter().map(|&argument| argument.to_owned()).collect());
        assert_eq!(options.selects("hosting::layer"), selects, "{arguments:?}");
    }
}
