//! The layers of ARCHITECTURE.md: a folder imports only what lies below it, a file only what does
//! not import it, and crates stay at home. Tests keep to that, too.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Code, Module, Source};

/// Each folder and the folders of ours it may name.
const MAY_IMPORT: [(&str, &[&str]); 15] = [
    ("cli", &["hosting", "dev_certificates", "tls", "configuration"]),
    ("testing", &["hosting", "addresses", "server"]),
    (
        "hosting",
        &[
            "apps",
            "middleware",
            "upstream",
            "server",
            "pipeline",
            "addresses",
            "dev_certificates",
            "tls",
            "configuration",
            "features",
            "diagnostics",
            "logging",
        ],
    ),
    ("apps", &["middleware", "upstream", "pipeline", "features", "diagnostics"]),
    ("middleware", &["pipeline", "features", "diagnostics"]),
    ("upstream", &["server", "tls", "features", "diagnostics"]),
    ("server", &["pipeline", "addresses", "tls", "features", "diagnostics"]),
    ("addresses", &["tls", "configuration", "features", "diagnostics"]),
    ("dev_certificates", &["tls", "configuration"]),
    ("tls", &["configuration", "features", "diagnostics"]),
    ("configuration", &[]),
    ("pipeline", &["features", "diagnostics"]),
    ("features", &[]),
    ("diagnostics", &[]),
    ("logging", &[]),
];

/// Crates that stay in one place.
const AT_HOME: [(&str, &[&str]); 21] = [
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("figment", &["configuration"]),
    ("jsonc_parser", &["configuration"]),
    ("toml", &["configuration"]),
    ("hyper", &["apps", "server", "testing", "upstream"]),
    ("h2", &["server", "upstream"]),
    ("tracing_subscriber", &["logging"]),
    ("chrono", &["logging"]),
    ("directories", &["configuration"]),
    ("rustls", &["tls"]),
    ("tokio_rustls", &["tls"]),
    ("aws_lc_rs", &["dev_certificates", "tls"]),
    ("p12_keystore", &["tls"]),
    ("pkcs8", &["tls"]),
    ("x509_parser", &["dev_certificates", "tls"]),
    ("der", &["dev_certificates", "tls"]),
    ("brotli", &["middleware"]),
    ("flate2", &["middleware"]),
    ("zstd", &["middleware"]),
    ("notify", &["hosting::reload"]),
];

/// Crates that a folder does without.
const NEVER: [(&str, &[&str]); 2] =
    [("configuration", &["tokio", "axum", "tower_service"]), ("diagnostics", &["tokio", "axum"])];

/// The files of the crate, and where what they name stands.
struct House {
    sources: Vec<Source>,
    places: BTreeMap<Module, usize>,
}

impl House {
    fn read() -> Self {
        let sources = source::sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        assert!(sources.len() > 100, "they are not where they were");
        let places = sources.iter().enumerate();
        let places = places.map(|(place, source)| (source.module.clone(), place)).collect();
        Self { sources, places }
    }

    /// The module in which that stands which a path names, however many modules hand it on.
    fn home(&self, path: &[String]) -> Module {
        let mut path = path.to_vec();
        // No honest name is handed on as often.
        for _ in 0..20 {
            let length = (0..=path.len()).rev().find(|length| self.is_module(&path[..*length]));
            let (module, item) = path.split_at(length.unwrap_or(0));
            let source = self.places.get(module).map(|place| &self.sources[*place]);
            let handed_on = item.first().zip(source).and_then(|(item, source)| {
                source.product.imports.get(item).filter(|full| **full != path)
            });
            match handed_on.filter(|full| self.is_module(&full[..1])) {
                Some(full) => path = full.clone(),
                None => return module.to_vec(),
            }
        }
        panic!("nobody knows where {path:?} stands")
    }

    fn is_module(&self, path: &[String]) -> bool {
        path.is_empty() || self.places.contains_key(path)
    }

    /// Everything that is named: by whom, in which code, and where it stands.
    fn uses(&self, of: Part) -> impl Iterator<Item = (&Source, Module, &[String])> {
        self.sources.iter().flat_map(move |source| {
            let codes: &[&Code] = match of {
                Part::Product if source.is_test => &[],
                Part::Product => &[&source.product],
                Part::Tests if source.is_test => &[&source.product, &source.tests],
                Part::Tests => &[&source.tests],
            };
            let paths: Vec<_> = codes.iter().flat_map(|code| &code.paths).collect();
            paths.into_iter().map(move |path| (source, self.home(path), path.as_slice()))
        })
    }

    /// Which files of each folder use which, and for what. A folder within counts as one file. What
    /// is handed on by the file that declares a folder stands where it stands; what stands in that
    /// file itself is nothing for the folder, and its name is [`ABOVE`].
    fn neighbours(&self, of: Part) -> BTreeMap<Module, Neighbours> {
        let mut found = BTreeMap::<_, Neighbours>::new();
        for (source, target, path) in self.uses(of) {
            if target.iter().any(|name| name == "tests") {
                // Tests may help each other.
                continue;
            }
            let from: Vec<_> = source.module.iter().take_while(|name| *name != "tests").collect();
            let common = from.iter().zip(&target).take_while(|(one, other)| *one == other).count();
            // Whoever declares a folder may use what is in it.
            if let Some(user) = from.get(common) {
                let used = target.get(common).map_or(ABOVE, |name| name);
                let uses = found.entry(target[..common].to_vec()).or_default();
                uses.entry(((*user).clone(), used.to_owned())).or_default().insert(format!(
                    "{} uses {}",
                    source.name(),
                    path.join("::")
                ));
            }
        }
        found
    }
}

/// Who uses whom in a folder, and for what.
type Neighbours = BTreeMap<(String, String), BTreeSet<String>>;

/// The file that declares a folder.
const ABOVE: &str = "mod";

#[derive(Clone, Copy)]
enum Part {
    Product,
    Tests,
}

#[test]
fn every_folder_imports_only_what_lies_below_it() {
    let house = House::read();
    let mut wrong = BTreeSet::new();
    for part in [Part::Product, Part::Tests] {
        for (source, target, path) in house.uses(part) {
            let (Some(from), Some(to)) = (source.module.first(), target.first()) else {
                continue;
            };
            let rule = MAY_IMPORT.iter().find(|(folder, _)| folder == from);
            if rule.is_some_and(|(_, allowed)| from != to && !allowed.contains(&&**to)) {
                wrong.insert(format!("{} imports {}", source.name(), path.join("::")));
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
    for (folder, _) in MAY_IMPORT {
        assert!(house.is_module(&[folder.to_owned()]), "there is no src/{folder}");
    }
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let house = House::read();
    let (product, tests) = (house.neighbours(Part::Product), house.neighbours(Part::Tests));
    let mut wrong = BTreeSet::new();
    for (folder, uses) in product {
        let of_tests = tests.get(&folder).cloned().unwrap_or_default();
        for ((who, whom), why) in uses.iter().chain(&of_tests) {
            if whom == ABOVE || reaches(&uses, whom, who) {
                wrong.extend(why.iter().cloned());
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}

/// Whether one file of a folder uses another, perhaps by way of others.
fn reaches(uses: &Neighbours, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(at) = next.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            let of_it = uses.keys().filter(|(who, _)| who == at);
            next.extend(of_it.map(|(_, whom)| &**whom));
        }
    }
    false
}

#[test]
fn crates_stay_at_home() {
    let house = House::read();
    let mut wrong = BTreeSet::new();
    for source in &house.sources {
        let name = source.name();
        let is_in = |home: &&str| name == **home || name.starts_with(&format!("{home}::"));
        for used in source.product.crates.iter().chain(&source.tests.crates) {
            let homes = AT_HOME.iter().find(|(name, _)| name == used);
            let strange = homes.is_some_and(|(_, homes)| !homes.iter().any(is_in));
            let never = NEVER.iter().any(|(home, never)| is_in(home) && never.contains(&&**used));
            if strange || never {
                wrong.insert(format!("{name} uses {used}"));
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}
