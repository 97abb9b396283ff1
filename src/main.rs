//! The binary `kestrel`: hands the command line to the library and exits with what it says.

use std::process::ExitCode;

fn main() -> ExitCode {
    kestrel::cli::main(std::env::args_os().collect())
}
