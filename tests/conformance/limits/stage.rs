//! What a script has: the running app, and its log.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::client::Client;
use crate::console::Entry;
use crate::suite::Line;
use crate::suite::app::{self, App, Start};
use crate::test_data::file;

/// How long the app may take to stop after a script that did not stop it.
const STOP: Duration = Duration::from_secs(3);

/// How long the log may take to tell of what the client has seen.
const LOG: Duration = Duration::from_secs(1);

/// The app of one case.
pub(crate) struct Stage {
    app: App,
    stopped: Option<Instant>,
}

/// An endpoint with a certificate like that of the recordings, without names besides its subject, in
/// the place of the addresses.
fn secure(start: &mut Start) {
    let file = |name| file(name).display().to_string();
    start.set("Kestrel__Endpoints__T__Url", "https://127.0.0.1:0");
    start.set("Kestrel__Endpoints__T__Certificate__Path", &file("own.pem"));
    start.set("Kestrel__Endpoints__T__Certificate__KeyPath", &file("own.key"));
}

impl Stage {
    /// Starts the app with the options of `case`.
    ///
    /// # Errors
    /// When it does not listen, and is not expected not to.
    pub(crate) fn set(case: &Line, program: &Path) -> Result<Self> {
        // Two endpoints where the case is about endpoints.
        let urls = match case.id.as_str() {
            "li-004" => "http://127.0.0.1:0;http://127.0.0.1:0",
            _ => "http://127.0.0.1:0",
        };
        let secured = case.title.starts_with("https");
        let urls = (!secured).then_some(urls);
        let mut start = Start::new(urls, &case.all["options"], &case.all["code"]).log("Debug");
        if secured {
            secure(&mut start);
        }
        let app = match case.recorded["started"].is_null() {
            true => App::start(program, &start)?,
            false => App::try_start(program, &start)?,
        };
        Ok(Self { app, stopped: None })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.app.address()
    }

    /// The second endpoint.
    pub(crate) fn second_address(&self) -> Result<SocketAddr> {
        self.app.addresses.get(1).copied().context("a second address")
    }

    /// A client of the first endpoint.
    pub(crate) fn client(&self) -> Result<Client> {
        Ok(Client::connect(self.address())?)
    }

    /// A client that has sent something.
    pub(crate) fn client_with(&self, text: &str) -> Result<Client> {
        let mut client = self.client()?;
        client.send(text);
        Ok(client)
    }

    /// Whether an event with this id was logged.
    pub(crate) fn logged(&self, id: i64) -> bool {
        let is_it = |entry: &Entry| matches!(entry, Entry::Event { id: own, .. } if *own == id);
        self.app.events().iter().any(is_it)
    }

    /// Sends the signal that stops the app; seconds of the stop count from the first.
    pub(crate) fn stop(&mut self, signal: Signal) {
        self.app.server.signal(signal);
        self.stopped.get_or_insert_with(Instant::now);
    }

    /// Waits for the end of the app, and adds what came of it to `seen`.
    pub(crate) fn exit(&self, mut seen: Value, seconds: f64) -> Value {
        let begin = self.stopped.unwrap_or_else(Instant::now);
        let limit = Duration::from_secs_f64(seconds).saturating_sub(begin.elapsed());
        let exit = self.app.exit(limit.max(Duration::from_millis(100)));
        let after = (begin.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        seen["exit"] = json!(exit);
        seen["exit_s"] = json!(exit.map(|_| after));
        seen
    }

    /// How a start went that is expected to fail: whether it did, and with what code and words.
    pub(crate) fn start_outcome(&self) -> Value {
        if self.app.server.alive() {
            return json!({"started": true});
        }
        // What it said may be read only after it has ended.
        let exit = self.app.exit(STOP);
        let seen = self.app.server.seen();
        let output = [&seen.out[..], &seen.err[..]].concat();
        drop(seen);
        json!({"started": false, "exit": exit, "output": output})
    }

    /// Waits until `missing` finds everything in the log, stops the app if it still runs, and
    /// answers what is still missing.
    pub(crate) fn close(self, missing: impl Fn(&[Entry]) -> Vec<String>) -> Vec<String> {
        app::wait(LOG, || missing(&self.app.events()).is_empty());
        self.app.stop(STOP);
        missing(&self.app.events())
    }
}
