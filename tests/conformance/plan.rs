//! Which cases run, and against which program.
//!
//! The tables below are the ones to edit when a feature is built: add its name to [`BUILT`], and
//! its group to [`GROUPS`]. What is left out is counted and listed as "later", never passed over in
//! silence. Every case runs on the example app; those that need none of its routes run on the
//! binary `kestrel` as well.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::{Context as _, Result, ensure};

use crate::case::Case;

/// The groups of cases that run; one test each.
pub(crate) const GROUPS: &[&str] = &[
    "layer", "url", "bind", "local", "config", "tls", "reload", "life", "hosts", "forward", "iis",
    "more", "asked",
];

/// Names in a case's `needs` that are built.
pub(crate) const BUILT: &[&str] = &["reload", "tls"];

/// Cases that can run before what they need is built: the case, the need, and a text of the first
/// log entry that has to wait for it.
pub(crate) const PARTLY: &[(&str, &str, &str)] =
    &[("more-013", "reload", "Unable to reload configuration.")];

/// A path to another host in this variable is judged instead of our programs, such as a script that
/// starts the reference. It gets `run` and the case's arguments. Exit codes by kind, the rule about
/// stack traces and the list of deviations do not apply to it.
const APP: &str = "KESTREL_CONFORMANCE_APP";

/// Why a case does not run yet.
pub(crate) fn later(case: &Case) -> Option<String> {
    if !GROUPS.contains(&case.group()) {
        return Some(format!("group {}", case.group()));
    }
    if let Some(launcher) = &case.launcher {
        return Some(format!("launcher {launcher}"));
    }
    let partly = |need: &str| PARTLY.iter().any(|(id, name, _)| *id == case.id && *name == need);
    let missing = |need: &&String| !BUILT.contains(&need.as_str()) && !partly(need);
    case.needs.iter().find(missing).map(|need| format!("needs {need}"))
}

/// Up to which text the log can be compared before everything is built.
pub(crate) fn log_up_to(case: &Case) -> Option<&'static str> {
    let row = PARTLY.iter().find(|(id, need, _)| *id == case.id && !BUILT.contains(need));
    row.map(|(_, _, text)| *text)
}

/// The programs to be judged.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The binary, for cases that need no app. None when another host is judged.
    binary: Option<PathBuf>,
    /// The example `conformance`, or another host.
    app: PathBuf,
}

impl Programs {
    /// Finds them.
    ///
    /// # Errors
    /// When the example is not built; the message is the command that builds it.
    pub(crate) fn find() -> Result<Self> {
        if let Some(app) = env::var_os(APP) {
            let app = fs::canonicalize(&app).with_context(|| format!("{APP}={}", app.display()))?;
            return Ok(Self { binary: None, app });
        }
        // <target>/<profile>/deps/conformance-<hash>
        let test = env::current_exe()?;
        let profile = test.ancestors().nth(2).context("a test below a target folder")?;
        let app = profile.join("examples").join(format!("conformance{}", env::consts::EXE_SUFFIX));
        ensure!(
            app.exists(),
            "the example is not built. Build it:\ncargo build --example conformance"
        );
        Ok(Self { binary: Some(env!("CARGO_BIN_EXE_kestrel").into()), app })
    }

    /// Whether another host is judged.
    pub(crate) fn foreign(&self) -> bool {
        self.binary.is_none()
    }

    /// The binary, unless another host is judged.
    pub(crate) fn binary(&self) -> Option<&Path> {
        self.binary.as_deref()
    }

    /// The example, or the other host.
    pub(crate) fn app(&self) -> &Path {
        &self.app
    }

    /// How many cases may be played at once where ours bears `own`. Another host may take most of
    /// a second of all processors to start, and a case that begins in the meantime sees silence.
    pub(crate) fn workers(&self, own: usize) -> usize {
        if self.foreign() { own.min(4) } else { own }
    }

    /// The programs that `case` runs on.
    pub(crate) fn of(&self, case: &Case) -> Vec<&Path> {
        let binary = self.binary.as_deref().filter(|_| !case.needs_app());
        binary.into_iter().chain([self.app.as_path()]).collect()
    }

    /// A hint when the example is clearly older than the binary: `cargo test --test conformance`
    /// builds only the latter.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
        let age = changed(self.binary.as_deref()?)?.duration_since(changed(&self.app)?).ok()?;
        (age.as_secs() > 60)
            .then_some("the example is older than the binary: cargo build --example conformance")
    }
}

/// The cases that docs/deviations.md names.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// There we mean to differ, and must.
    pub(crate) deviations: BTreeSet<String>,
    /// These wait for a feature.
    pub(crate) later: BTreeSet<String>,
}

/// The heading above the cases that wait for a feature.
const LATER: &str = "\n## Not there yet\n";

/// Reads docs/deviations.md.
///
/// # Errors
/// When the file is there but cannot be read.
pub(crate) fn listed() -> Result<Listed> {
    let folder = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let path = folder.join("docs/deviations.md");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(split(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Listed::default()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

fn split(text: &str) -> Listed {
    let (deviations, later) = text.split_once(LATER).unwrap_or((text, ""));
    Listed { deviations: case_ids(deviations), later: case_ids(later) }
}

/// All words of the form `group-123`.
fn case_ids(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    let is_id = |word: &&str| {
        word.split_once('-').is_some_and(|(group, number)| {
            let group = !group.is_empty()
                && group.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            group && number.len() == 3 && number.chars().all(|c| c.is_ascii_digit())
        })
    };
    words.filter(is_id).map(str::to_owned).collect()
}

/// The harness's test of this file.
pub(crate) fn check() {
    let text = "| `life-004`, url-027 | x-1 | UTF-8 | a-b-001 | bind-0333 (le-005) |";
    assert_eq!(case_ids(text).into_iter().collect::<Vec<_>>(), ["le-005", "life-004", "url-027"]);
    let listed = split("| x-001 |\n## Not there yet\n| y-001 |");
    assert!(listed.deviations.contains("x-001") && !listed.deviations.contains("y-001"));
    assert!(listed.later.contains("y-001") && !listed.later.contains("x-001"));
    let case = |id: &str, needs: &[&str]| Case {
        id: id.to_owned(),
        needs: needs.iter().map(|&need| need.to_owned()).collect(),
        ..Case::default()
    };
    assert_eq!(later(&case("url-001", &[])), None);
    assert_eq!(later(&case("nosuch-001", &[])), Some("group nosuch".to_owned()));
    assert_eq!(later(&case("more-001", &["nosuch"])), Some("needs nosuch".to_owned()));
    for (id, need, text) in PARTLY {
        assert_eq!(later(&case(id, &[need])), None);
        assert_eq!(log_up_to(&case(id, &[need])), Some(*text).filter(|_| !BUILT.contains(need)));
    }
}
