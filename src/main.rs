//! The binary `kestrel`: hands the command line to the library and exits with what it says.

use std::process::ExitCode;

// glibc keeps what a burst of requests needed for good; this one gives it back to the system within
// seconds, from a thread of its own, so that an idle server does, too. Other systems do by themselves.
#[cfg(all(feature = "jemalloc", target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    kestrel::cli::main(std::env::args_os().collect())
}
