//! `kestrel dev-certs https`: every option, output and exit code of `dotnet dev-certs https`.
//!
//! ```text
//! arguments   what was typed
//! plan        what is to be done: which options go together      pure, like the first
//! listing     what the user's store has, told step by step
//! ensure      a certificate: found or made, exported, trusted
//! check       whether there is one, whether it is trusted
//! clean       none any more, or another one
//! ```

mod arguments;
mod check;
mod clean;
mod ensure;
mod listing;
mod plan;
mod run;
#[cfg(all(test, unix))]
mod tests;
mod usage;

use std::time::Duration;

use arguments::Typed;
use plan::{Plan, Refusal};
pub(crate) use run::{Exit, Surroundings};

use super::file;
use super::report::Report;

/// How long a run waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Does what was typed behind `kestrel dev-certs`, and tells what came of it.
pub(crate) fn run(arguments: &[String], surroundings: &Surroundings) -> (Exit, Report) {
    let mut report = Report::new(false, false);
    let options = match arguments::parse(arguments) {
        Typed::Help => {
            report.answer(usage::HELP);
            return (Exit::Success, report);
        }
        Typed::HttpsHelp => {
            report.answer(usage::HTTPS_HELP);
            return (Exit::Success, report);
        }
        Typed::Unknown(wrong) => {
            report.error(wrong);
            report.answer(usage::UNKNOWN);
            return (Exit::Usage, report);
        }
        Typed::Https(options) => options,
    };
    let mut report = Report::new(options.verbose, options.quiet);
    let exit = match plan::plan(&options) {
        Ok(plan) => act(plan, surroundings, &mut report),
        Err(refusal) => refuse(&refusal, options.trust, &mut report),
    };
    (exit, report)
}

fn act(plan: Plan, surroundings: &Surroundings, report: &mut Report) -> Exit {
    let home = &surroundings.places.home;
    if !home.is_dir() {
        report.error(
            "The user's home directory could not be determined. Set the 'HOME' environment variable to specify the directory to use.",
        );
        if !home.as_os_str().is_empty() {
            report.error(format!("  {} is not a directory", home.display()));
        }
        return Exit::NotCreated;
    }
    // Two at once would make two certificates, and trust what the other removes.
    let changes = matches!(plan, Plan::Clean { .. } | Plan::Ensure { .. });
    let _held = changes.then(|| file::hold(home, PATIENCE));
    match plan {
        Plan::Check { trust } => check::check(surroundings, trust, report),
        Plan::CheckMachineReadable => check::machine_readable(surroundings, report),
        Plan::Clean { import } => clean::clean(surroundings, import, report),
        Plan::Ensure { export, trust } => ensure::ensure(surroundings, export, trust, report),
    }
}

fn refuse(refusal: &Refusal, trusts: bool, report: &mut Report) -> Exit {
    if trusts && !matches!(refusal, Refusal::Incompatible) {
        report.warning(ensure::TRUSTING);
    }
    match refusal {
        Refusal::Incompatible => {
            report.error(usage::INCOMPATIBLE);
            Exit::Usage
        }
        Refusal::UnknownFormat(format) => {
            report.error(format!("Unknown key format '{format}'."));
            Exit::UnknownFormat
        }
        Refusal::KeyInItsPlace(path) => {
            let better = std::path::Path::new(path).with_extension("pem");
            report.warning(ensure::NOT_EXPORTED);
            report.warning(format!(
                "  '{path}' is the file its key would be written to, too.\n  fix: name the certificate '{}'",
                better.display()
            ));
            Exit::NotExported
        }
    }
}
