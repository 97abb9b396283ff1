//! Instructions for a request outside the kernel, counted by callgrind. They repeat to half a per
//! cent on a machine that is busy with other things.

use std::fs;
use std::path::Path;

use crate::client::Client;
use crate::process::Server;
use crate::{Contestants, Options, PIPELINED, Program, Result};

/// Few, so that what comes once is in both counts, and many.
const FEW: usize = 100;
const MANY: usize = 1100;

/// Counts the instructions of all contestants that end with their standard input.
pub(crate) fn instructions(options: &Options) -> Result<()> {
    let contestants = Contestants::new(options)?;
    println!("instructions for a request outside the kernel");
    for contestant in contestants.all() {
        let line = match &contestant.program {
            Program::Own(argument) => {
                format!("{} {argument}", contestants.this.display())
            }
            Program::Other(line) if !line.contains("{port}") => line.clone(),
            Program::Other(_) => continue,
        };
        for depth in [1, PIPELINED] {
            let count =
                |times| counted(&line, contestants.folder.path(), &contestant.path, times, depth);
            let more = count(MANY)? - count(FEW)?;
            let each = more / ((MANY - FEW) * depth) as f64;
            println!("  {:<18}{each:>8.0}, {depth} at once", contestant.name);
        }
    }
    Ok(())
}

/// All instructions of a server that answers `times`.
fn counted(line: &str, folder: &Path, path: &str, times: usize, depth: usize) -> Result<f64> {
    let file = folder.join("callgrind");
    let mut command = std::process::Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind"]);
    command.arg(format!("--callgrind-out-file={}", file.display()));
    command.args(line.split_whitespace());
    let server = Server::start(command, folder)?;
    let mut client = Client::connect(server.address, path, depth)?;
    for _ in 0..times {
        client.ask()?;
        client.take()?;
    }
    drop(client);
    server.end()?;
    let counts = fs::read_to_string(&file)?;
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(total.ok_or("callgrind wrote no total")?.trim().parse()?)
}
