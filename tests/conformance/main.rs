//! The conformance test: our host against recordings of the real Kestrel.
//!
//! What a recording is about decides how it is played, and which folder does it:
//!
//! ```text
//! hosting    hosting.jsonl, asked.jsonl: the host, in a network namespace for each case
//! http1      http1.jsonl: raw bytes on a bare socket, and the answers to them
//! h2         h2.jsonl: frames, and the reactions to them
//! limits     limits.jsonl: scripts with times
//! forwarded  forwarded.jsonl: what proxies tell, and what a request is taken for by it
//! static_files  static.jsonl: requests for the files of a folder
//! middleware middleware/*.jsonl: settings of the stages, requests and their answers; a test for each group
//! proxy      proxy.jsonl: the reverse proxy between scripted clients and servers
//! dev_certs  dev-certs.jsonl, dev-certs-host.jsonl: development certificates, step by step
//! ```
//!
//! Whatever differs is a failure unless `docs/deviations.md` gives a reason. What they share:
//!
//! ```text
//! suite         what all of them but hosting have in common: the app, many cases at once, verdicts
//! programs      what is judged: the binary, `examples/conformance`, or another host
//! process       one of those while it runs, and what it has printed (console: its log lines)
//! deviations    what docs/deviations.md names
//! verdict       the result of a case
//! report        the tests and what is printed (command_line: which of them)
//! ```
//!
//! There is one test per group of hosting cases, one for each of the other files, and `harness` for
//! the code here. Usage, under cargo and under nextest:
//!
//! ```text
//! cargo test --test conformance [-- FILTER...]       tests by name, such as layer
//! cargo test --test conformance -- --case layer-001  one case, with everything that was seen
//! cargo test --test conformance -- --case ap-2       of cases on a connection also all that begin so
//! KESTREL_TEST_NO_SKIP=1                             fail where root or namespaces are missing
//! KESTREL_CONFORMANCE_APP=/path/to/host              judge another host, such as the reference
//! ```

#![expect(clippy::disallowed_methods, reason = "a test reads its own environment")]
#![expect(
    clippy::print_stdout,
    reason = "a test program without libtest reports on standard output itself"
)]

#[cfg(unix)]
mod command_line;
#[cfg(unix)]
mod console;
#[cfg(unix)]
mod dev_certs;
#[cfg(unix)]
mod deviations;
#[cfg(unix)]
mod forwarded;
#[cfg(unix)]
mod h2;
#[cfg(unix)]
mod hosting;
#[cfg(unix)]
mod http1;
#[cfg(unix)]
mod limits;
#[cfg(unix)]
mod middleware;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod programs;
#[cfg(unix)]
mod proxy;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod static_files;
#[cfg(unix)]
mod suite;
#[cfg(unix)]
#[path = "../data/tls/mod.rs"]
mod test_data;
#[cfg(unix)]
mod verdict;

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    match go(std::env::args().skip(1).collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line says. True when all is well.
#[cfg(unix)]
fn go(arguments: Vec<String>) -> anyhow::Result<bool> {
    use command_line::{Options, Task};
    use hosting::case::Case;
    use hosting::in_namespace;

    if let [first, id, program] = &arguments[..]
        && first == in_namespace::ARGUMENT
    {
        let case = Case::find(id)?;
        println!("{}", in_namespace::observe(&case, program.as_ref())?);
        return Ok(true);
    }
    let options = Options::read(arguments);
    let (selected, filtered_out): (Vec<_>, Vec<_>) =
        report::test_names().into_iter().partition(|name| options.selects(name));
    match &options.task {
        Task::List => {
            selected.iter().for_each(|name| println!("{name}: test"));
            Ok(true)
        }
        Task::Case(id) => report::single(id),
        Task::Run => report::test(&selected, filtered_out.len()),
    }
}

/// The cases are about Unix sockets, signals and network namespaces.
#[cfg(not(unix))]
fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--list") {
        println!("skipped: conformance: needs Linux");
    }
    ExitCode::SUCCESS
}
