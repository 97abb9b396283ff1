//! A host inside of a program that has no runtime: `cargo run --example embedded`, then lines, then Ctrl+D.

use std::io::BufRead;
use std::process::ExitCode;
use std::sync::{Arc, RwLock};

use axum::{Router, routing::get};
use kestrel::{Host, Lifetime};

fn main() -> ExitCode {
    let last = Arc::new(RwLock::new("nothing yet".to_owned()));
    let said = Arc::clone(&last);
    let answer = get(async move || said.read().map(|line| line.clone()).unwrap_or_default());
    let lifetime = Lifetime::new();
    let host = Host::from_args().lifetime(lifetime.clone()).app(Router::new().route("/", answer));
    let server = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.map_or(ExitCode::FAILURE, |runtime| runtime.block_on(host.run()))
    });
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        // A signal has stopped the host, or it has not started.
        if lifetime.is_stopping() {
            break;
        }
        if let Ok(mut last) = last.write() {
            *last = line;
        }
    }
    lifetime.stop();
    server.join().unwrap_or(ExitCode::FAILURE)
}
