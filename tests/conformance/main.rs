//! The conformance test: our host against recordings of the real Kestrel.
//!
//! Five files of recordings, and three ways to play them. `http1.jsonl`, `h2.jsonl` and
//! `limits.jsonl` are about what happens on a connection: they are played on bare sockets against
//! `examples/conformance`, see `wire`. `hosting.jsonl` is about the host. `dev-certs.jsonl` is about
//! the tool for development certificates, see `dev_certs`.
//!
//! `hosting.jsonl` holds cases: how a host is started, in which surroundings, and what ASP.NET
//! Core's Kestrel did then. Each case is run on the binary `kestrel` and on
//! `examples/conformance` in a network namespace of its own, and whatever differs is a failure
//! unless `docs/deviations.md` gives a reason. The way of a case through the files:
//!
//! ```text
//! case          a line of hosting.jsonl (json_text: its parts in their order)
//! plan          which cases run on which programs: the tables to edit when something is built
//! run           a process and a namespace for each run, and the verdict
//! inside        what happens in there (surroundings: files, network; process: the host)
//! facts         lines, sockets -> what can be compared (console: log lines; normal: ports, times)
//! compare       recorded facts and ours -> differences
//! report        the tests and what is printed (options: the command line)
//! ```
//!
//! There is one test per group of hosting cases, one for each of the other files, and `harness` for
//! the code here. Usage, under cargo and
//! under nextest:
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
mod case;
#[cfg(unix)]
mod compare;
#[cfg(unix)]
mod console;
#[cfg(unix)]
mod dev_certs;
#[cfg(unix)]
mod facts;
#[cfg(unix)]
mod h2;
#[cfg(unix)]
mod http1;
#[cfg(unix)]
mod inside;
#[cfg(unix)]
mod json_text;
#[cfg(unix)]
mod limits;
#[cfg(unix)]
mod normal;
#[cfg(unix)]
mod options;
#[cfg(unix)]
mod plan;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod surroundings;
#[cfg(unix)]
mod wire;

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
    use options::Task;

    if let [first, id, program] = &arguments[..]
        && first == inside::ARGUMENT
    {
        let case = case::Case::find(id)?;
        println!("{}", inside::observe(&case, program.as_ref())?);
        return Ok(true);
    }
    let options = options::Options::read(arguments);
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
