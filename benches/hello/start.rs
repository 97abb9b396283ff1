//! The start, the memory of a server that has done little, and the size of the binary.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::client::Client;
use crate::process::Server;
use crate::spread::Spread;
use crate::{Options, Result, run};

pub(crate) fn start_and_memory(options: &Options) -> Result<()> {
    let empty = tempfile::tempdir()?;
    let configured = tempfile::tempdir()?;
    fs::write(configured.path().join("appsettings.json"), SETTINGS)?;
    let binary = binary()?;
    let this = env::current_exe()?;
    let run = ["run", "--urls", "http://127.0.0.1:0"];
    let rows: [(&str, &Path, &[&str], &Path); 3] = [
        ("kestrel run", &binary, &run, empty.path()),
        ("with appsettings", &binary, &run, configured.path()),
        ("bare hyper", &this, &["serve-hyper"], empty.path()),
    ];
    let mut times = [const { Vec::new() }; 3];
    let mut memory = [const { Vec::new() }; 3];
    for _ in 0..options.starts {
        for (row, (_, program, arguments, folder)) in rows.iter().enumerate() {
            let mut command = Command::new(program);
            command.args(*arguments);
            let start = Instant::now();
            let server = Server::start(command, folder)?;
            let mut client = Client::connect(server.address, "/", 1)?;
            times[row].push(start.elapsed().as_secs_f64() * 1000.0);
            for _ in 0..9 {
                client.ask()?;
                client.take()?;
            }
            memory[row].extend(server.resident_memory().map(|bytes| bytes / 1e6));
        }
    }
    println!("start of the process to the first answer, {} starts", options.starts);
    for (row, (name, ..)) in rows.iter().enumerate() {
        let spread = Spread::of(times[row].clone());
        println!("  {name:<18}{spread} ms, at least {:.2}", spread.least);
    }
    println!("resident memory after ten requests");
    for (row, (name, ..)) in rows.iter().enumerate() {
        if !memory[row].is_empty() {
            println!("  {name:<18}{} MB", Spread::of(memory[row].clone()));
        }
    }
    Ok(())
}

/// What `dotnet new web` writes, and a limit.
const SETTINGS: &str = r#"{
  "Logging": {
    "LogLevel": {
      "Default": "Information",
      "Microsoft.AspNetCore": "Warning"
    }
  },
  "AllowedHosts": "*",
  "Kestrel": { "Limits": { "KeepAliveTimeout": "00:02:00" } }
}
"#;

pub(crate) fn size() -> Result<()> {
    let binary = binary()?;
    let megabytes = |path: &Path| fs::metadata(path).map(|file| file.len() as f64 / 1e6);
    println!("size of the binary");
    println!("  as built          {:.2} MB", megabytes(&binary)?);
    // The bench profile keeps symbols that a release has not.
    let folder = tempfile::tempdir()?;
    let stripped = folder.path().join("kestrel");
    if run(Command::new("strip").arg("-o").arg(&stripped).arg(&binary)).is_ok() {
        println!("  without symbols   {:.2} MB", megabytes(&stripped)?);
    }
    Ok(())
}

fn binary() -> Result<PathBuf> {
    env::var_os("KESTREL_BIN")
        .map(PathBuf::from)
        .or_else(|| option_env!("CARGO_BIN_EXE_kestrel").map(PathBuf::from))
        .ok_or_else(|| "there is no binary: set KESTREL_BIN".into())
}
