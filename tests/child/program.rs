//! What the tests run behind the host; see `modes`.

#[cfg(unix)]
mod modes;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    modes::run()
}

/// There, nothing is run behind a host in tests.
#[cfg(not(unix))]
fn main() {}
