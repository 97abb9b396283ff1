//! What is typed behind `kestrel serve`, as settings of the host, each with the argument that says it. Pure.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::ServeArgs;
use crate::configuration::{ConfigurationSource, Leaf, Origin, Problem};

/// Somebody who may come in. The password is not shown.
#[derive(Clone)]
pub(super) struct User {
    name: String,
    password: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Reads `USER:PASSWORD`.
pub(super) fn user(text: &str) -> Result<User, &'static str> {
    match text.split_once(':') {
        Some(("", _)) => Err("a user's name is missing before the colon"),
        Some((_, "")) => Err("a password is missing behind the colon"),
        Some((name, password)) => Ok(User { name: name.to_owned(), password: password.to_owned() }),
        None => Err("a user and a password have a colon between"),
    }
}

/// Where arguments stand on the command line; 1 is the first behind the program's name.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(&'static str, Vec<usize>)>);

impl Places {
    /// Those of a command line behind `serve`.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let typed = |name: &&str| matches.value_source(name) == Some(ValueSource::CommandLine);
        let names = ["directory", "port", "lan", "qr", "spa", "listing", "cors", "auth", "tls"];
        let places = |name| {
            let at = matches.indices_of(name).into_iter().flatten();
            // The command itself is the first argument.
            (name, at.map(|at| at + 1).collect())
        };
        Self(names.into_iter().filter(typed).map(places).collect())
    }

    /// Who says it: the `nth` argument of this name, or the command.
    fn origin(&self, name: &str, nth: usize) -> Origin {
        let places = self.0.iter().find(|(known, _)| *known == name);
        match places.and_then(|(_, at)| at.get(nth)) {
            // What the command means by itself.
            None => Origin::CommandLine { position: 1, argument: "serve".to_owned() },
            Some(position) => {
                let argument = match name {
                    "directory" => "DIR".to_owned(),
                    name => format!("--{name}"),
                };
                Origin::CommandLine { position: *position, argument }
            }
        }
    }
}

/// The settings.
#[derive(Debug)]
pub(super) struct ShortForm {
    leaves: Vec<Leaf>,
    warnings: Vec<String>,
}

impl ShortForm {
    pub(super) fn new(args: &ServeArgs, root: &Path, places: &Places) -> Self {
        let mut form = Self { leaves: Vec::new(), warnings: Vec::new() };
        let mut set = |key: &str, value: &str, (name, nth): (&str, usize)| {
            form.leaves.push(Leaf::new(key, value, places.origin(name, nth)));
        };
        set("urls", &url(args), ("port", 0));
        set("webroot", &root.to_string_lossy(), ("directory", 0));
        set("StaticFiles:Enabled", "true", ("directory", 0));
        // Who serves a folder means all that is in it.
        set("StaticFiles:ServeUnknownFileTypes", "true", ("", 0));
        set("StaticFiles:DefaultContentType", "application/octet-stream", ("", 0));
        if args.spa {
            set("NavigationFallback:Path", "/index.html", ("spa", 0));
        }
        if args.listing {
            set("DirectoryBrowser:Enabled", "true", ("listing", 0));
        }
        if args.cors {
            set("Cors:Enabled", "true", ("cors", 0));
            set("Cors:Policies:default:Origins:0", "*", ("cors", 0));
        }
        if !args.auth.is_empty() {
            set("BasicAuthentication:Enabled", "true", ("auth", 0));
        }
        for (nth, user) in args.auth.iter().enumerate() {
            let key = format!("BasicAuthentication:Passwords:{}", user.name);
            set(&key, &user.password, ("auth", nth));
        }
        form.warnings = warnings(args, root);
        form
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The address.
fn url(args: &ServeArgs) -> String {
    let scheme = if args.tls { "https" } else { "http" };
    let host = match (args.lan || args.qr, args.port) {
        (true, _) => "*",
        // A free port is one of one address: both loopbacks would have to have the same.
        (false, 0) => "127.0.0.1",
        (false, _) => "localhost",
    };
    format!("{scheme}://{host}:{}", args.port)
}

/// What will probably be missed, or is dangerous.
fn warnings(args: &ServeArgs, root: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    let index = ["default.htm", "default.html", "index.htm", "index.html"];
    let has_index = index.iter().any(|name| root.join(name).is_file());
    if args.spa && !root.join("index.html").is_file() {
        warnings.push(format!("{} has no index.html, which --spa answers with.", root.display()));
    } else if !args.listing && !has_index {
        warnings.push(format!(
            "{} has no index.html: http clients have to know the names of files. --listing shows them.",
            root.display()
        ));
    }
    if !args.auth.is_empty() && !args.tls && (args.lan || args.qr) {
        warnings.push(
            "Passwords go over the network in clear text: add --tls, or put a proxy in front."
                .to_owned(),
        );
    }
    warnings
}

impl ConfigurationSource for ShortForm {
    fn name(&self) -> String {
        "kestrel serve".to_owned()
    }

    fn read(&self, _: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        Ok(self.leaves.clone())
    }

    fn files(&self, _: &Path) -> Vec<PathBuf> {
        Vec::new()
    }
}
