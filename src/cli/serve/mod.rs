//! `kestrel serve`: a folder, and nothing else. What is typed becomes settings (`settings`), and the host of
//! `kestrel run` serves by them.

mod addresses;
mod announcement;
mod args;
mod settings;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use self::announcement::Announcement;
pub(super) use self::args::ServeArgs;
use self::settings::{Places, ShortForm};
use super::{dev_certs, output};
use crate::Host;
use crate::configuration::SourcePlace;
use crate::hosting::{ExitKind, process};

/// Serves. `typed` is the whole command line.
pub(super) fn exec(args: ServeArgs, typed: &[OsString]) -> anyhow::Result<ExitCode> {
    if let Some(name) = settings::twice(&args.auth) {
        output::error(&format!(
            "{name} has two passwords.\n  fix: give --auth once for each user; capitals do not tell users apart"
        ));
        return Ok(ExitKind::Usage.into());
    }
    let root = match folder(&args.directory) {
        Ok(root) => root,
        Err(mistake) => {
            output::error(&mistake);
            return Ok(ExitKind::Usage.into());
        }
    };
    if args.tls
        && let Err(code) = dev_certs::make_sure()?
    {
        return Ok(code);
    }
    let form = ShortForm::new(&args, &root, &Places::of(typed));
    for warning in form.warnings() {
        output::complaint(&format!("warning: {warning}"))?;
    }
    let announcement = Announcement { network: args.lan || args.qr, qr: args.qr, open: args.open };
    let host = Host::empty_builder()
        .with_logging()
        .with_surroundings_of_user(process::environment_variables())
        .named_after_content_root()
        .content_root(root)
        .configuration_source(SourcePlace::AboveCommandLine, form)
        .background_service("announcement", async move |context, mut ending| {
            // A start that fails has nothing to announce.
            tokio::select! {
                () = context.lifetime.started() => {}
                () = ending.begun() => return Ok(()),
            }
            announcement.make(&context.addresses.list()).map_err(Into::into)
        });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(host.run());
    // A page that is being opened must not hold up the end.
    runtime.shutdown_background();
    Ok(code)
}

/// The folder, from the root of the file system on; or what is wrong with it.
fn folder(given: &Path) -> Result<PathBuf, String> {
    let shown = given.display();
    let full = std::fs::canonicalize(given);
    let full = full.with_context(|| format!("The folder {shown} cannot be served"));
    match full {
        Ok(full) if full.is_dir() => Ok(full),
        Ok(_) => {
            let parent = given.parent().filter(|it| !it.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new("."));
            Err(format!(
                "{shown} is no folder.\n  fix: serve the one it is in: kestrel serve {}",
                parent.display()
            ))
        }
        Err(error) => Err(format!("{error:#}.\n  fix: name a folder that this user can read")),
    }
}
