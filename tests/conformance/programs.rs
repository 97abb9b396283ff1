//! The programs that are judged: ours, or another host in their place.
//!
//! Every case runs on the example app; hosting cases that need none of its routes run on the binary
//! `kestrel` as well.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};

/// A path to another host in this variable is judged instead of our programs, such as a script that
/// starts the reference. It gets `run` and the case's arguments. Exit codes by kind, the rule about
/// stack traces and the list of deviations do not apply to it.
const APP: &str = "KESTREL_CONFORMANCE_APP";

/// The programs to be judged.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The binary, for cases that need no app. None when another host is judged.
    binary: Option<PathBuf>,
    /// The example `conformance`, or another host.
    app: PathBuf,
    /// The example `middleware`, or another host.
    site: PathBuf,
}

impl Programs {
    /// Finds them.
    ///
    /// # Errors
    /// When the example is not built; the message is the command that builds it.
    pub(crate) fn find() -> Result<Self> {
        if let Some(app) = env::var_os(APP) {
            let app = fs::canonicalize(&app).with_context(|| format!("{APP}={}", app.display()))?;
            return Ok(Self { binary: None, site: app.clone(), app });
        }
        // <target>/<profile>/deps/conformance-<hash>
        let test = env::current_exe()?;
        let profile = test.ancestors().nth(2).context("a test below a target folder")?;
        let example = |name: &str| {
            let path = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
            ensure!(
                path.exists(),
                "an example is not built. Build it:\ncargo build --example {name}"
            );
            Ok(path)
        };
        let (app, site) = (example("conformance")?, example("middleware")?);
        Ok(Self { binary: Some(env!("CARGO_BIN_EXE_kestrel").into()), app, site })
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

    /// The example whose stages are judged, or the other host.
    pub(crate) fn site(&self) -> &Path {
        &self.site
    }

    /// How many cases may be played at once where ours bears `own`. Another host may take most of
    /// a second of all processors to start, and a case that begins in the meantime sees silence.
    pub(crate) fn workers(&self, own: usize) -> usize {
        if self.foreign() { own.min(4) } else { own }
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
