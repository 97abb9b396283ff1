//! What is typed behind `kestrel serve`, as settings of the host, each with the argument that says it. Pure.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::args::{Header, ServeArgs, User};
use crate::configuration::{ConfigurationSource, Leaf, Origin, Problem};

/// Somebody who is there twice. Settings do not tell capitals apart.
pub(super) fn twice(users: &[User]) -> Option<&str> {
    let names = || users.iter().map(|user| &*user.name);
    let is_before =
        |at: usize, name: &str| names().take(at).any(|other| other.eq_ignore_ascii_case(name));
    names().enumerate().find_map(|(at, name)| is_before(at, name).then_some(name))
}

/// Where arguments stand on the command line; 1 is the first behind the program's name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Places(Vec<(&'static str, usize)>);

/// The switches that say something, and whether a value follows.
const SWITCHES: [(&str, Value); 9] = [
    ("port", Value::Follows),
    ("auth", Value::Follows),
    ("header", Value::Follows),
    ("lan", Value::None),
    ("qr", Value::None),
    ("spa", Value::None),
    ("listing", Value::None),
    ("cors", Value::None),
    ("tls", Value::None),
];

#[derive(Clone, Copy, PartialEq)]
enum Value {
    None,
    Follows,
}

impl Places {
    /// Those of a command line that clap has read, program name first, then `serve`.
    pub(super) fn of(arguments: &[OsString]) -> Self {
        let mut places = Vec::new();
        let mut numbered = arguments.iter().enumerate().skip(2);
        let mut only_folders = false;
        while let Some((place, argument)) = numbered.next() {
            let text = argument.to_string_lossy();
            if only_folders || !text.starts_with('-') || text == "-" {
                places.push(("directory", place));
            } else if text == "--" {
                only_folders = true;
            } else if let Some((name, value)) = switch(&text) {
                places.push((name, place));
                if value == Value::Follows {
                    numbered.next();
                }
            }
        }
        Self(places)
    }

    /// Who says it: the `nth` argument of this name, or the command.
    fn origin(&self, name: &str, nth: usize) -> Origin {
        let mut of_name = self.0.iter().filter(|(known, _)| *known == name);
        let (position, argument) = match (of_name.nth(nth), name) {
            // What the command means by itself.
            (None, _) => (1, "serve".to_owned()),
            (Some((_, position)), "directory") => (*position, "DIR".to_owned()),
            (Some((_, position)), name) => (*position, format!("--{name}")),
        };
        Origin::CommandLine { position, argument }
    }
}

/// The switch that an argument is, and whether its value is the next argument.
fn switch(text: &str) -> Option<(&'static str, Value)> {
    let (name, value) = match text.strip_prefix("--") {
        Some(long) => match long.split_once('=') {
            Some((name, _)) => (name, Value::None),
            None => (long, Value::Follows),
        },
        // Of one letter there is only the port, whose value may stand right behind it.
        None if text == "-p" => ("port", Value::Follows),
        None if text.starts_with("-p") => ("port", Value::None),
        None => return None,
    };
    let (known, takes) = SWITCHES.into_iter().find(|(known, _)| *known == name)?;
    Some((known, if takes == Value::Follows { value } else { Value::None }))
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
        if !args.header.is_empty() {
            set("Headers:Enabled", "true", ("header", 0));
        }
        for (nth, header) in args.header.iter().enumerate() {
            let is_same = |other: &&Header| other.name.eq_ignore_ascii_case(&header.name);
            let before = args.header[..nth].iter().filter(is_same).count();
            let key = format!("Headers:Set:{}:{before}", header.name);
            set(&key, &header.value, ("header", nth));
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
    if args.tls && (args.lan || args.qr) {
        warnings.push(
            "The development certificate is for localhost, and not for this machine's name or address on the network: \
             browsers on other machines will not trust it."
                .to_owned(),
        );
    }
    let index = ["default.htm", "default.html", "index.htm", "index.html"];
    let has_index = index.iter().any(|name| root.join(name).is_file());
    // Whether it is there, nobody knows who may not search the folder.
    let may_look = root.join(".").symlink_metadata().is_ok();
    // That --spa has nothing to answer with, the host tells, and of passwords in clear text.
    if !args.spa && !args.listing && !has_index && may_look {
        warnings.push(format!(
            "{} has no index.html: visitors have to know the names of its files. --listing shows them.",
            root.display()
        ));
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

#[cfg(test)]
mod tests {
    use super::super::args::user;
    use super::*;

    #[test]
    fn each_argument_is_found_where_it_was_typed() {
        for (typed, name, nth, position) in [
            ("serve", "port", 0, 1),
            ("serve --port 80", "port", 0, 2),
            ("serve --open -p 80", "port", 0, 3),
            ("serve --open -p80 dist", "port", 0, 3),
            ("serve --open -p80 dist", "directory", 0, 4),
            ("serve --auth a:b --auth=c:d --tls", "auth", 0, 2),
            ("serve --auth a:b --auth=c:d --tls", "auth", 1, 4),
            ("serve --auth a:b --auth=c:d --tls", "tls", 0, 5),
            ("serve --spa -- -p", "directory", 0, 4),
            ("serve --spa -- -p", "port", 0, 1),
        ] {
            let arguments: Vec<_> =
                ["kestrel"].into_iter().chain(typed.split(' ')).map(OsString::from).collect();
            let origin = Places::of(&arguments).origin(name, nth);
            let Origin::CommandLine { position: found, .. } = origin else { panic!("{origin}") };
            assert_eq!(found, position, "{name} of {typed}");
        }
    }

    #[test]
    fn nobody_has_two_passwords() {
        let users =
            |texts: &[&str]| texts.iter().map(|text| user(text).unwrap()).collect::<Vec<_>>();
        assert_eq!(twice(&users(&["a:1", "b:1", "ab:1"])), None);
        assert_eq!(twice(&users(&["a:1", "b:1", "A:2"])), Some("A"));
    }
}
