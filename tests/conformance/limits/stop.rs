//! The stop, with connections in every state.

use std::time::Instant;

use nix::sys::signal::Signal;
use serde_json::json;

use super::Script;
use super::client::{Client, OK, UPGRADE, get, hundredths, post};
use super::connections::pause;

/// How long the end of the app is waited for, counted from the signal.
const EXIT: f64 = 20.0;

pub(super) const SCRIPTS: &[(&str, Script)] = &[
    ("li-060", |stage| {
        let mut used = stage.client_with(OK)?;
        used.read(0.3);
        let mut unused = stage.client()?;
        pause(0.3);
        stage.stop(Signal::SIGTERM);
        used.mark().read(5.0);
        unused.mark().read(5.0);
        Ok(stage.exit(json!({"used": used.seen(), "unused": unused.seen()}), EXIT))
    }),
    ("li-062", |stage| {
        let mut client = stage.client_with(&get("/drip?ms=200&n=10"))?;
        client.read(0.5);
        stage.stop(Signal::SIGTERM);
        client.mark().read(6.0);
        let ended = client.ends_with("0\r\n\r\n");
        Ok(stage.exit(json!({"client": client.seen(), "terminated": ended}), EXIT))
    }),
    ("li-063", |stage| {
        let mut finishes = stage.client_with("GET /plaintext HTTP/1.1\r\nHost: a\r\n")?;
        let mut never = stage.client_with("GET /plain")?;
        pause(0.3);
        stage.stop(Signal::SIGTERM);
        finishes.mark();
        never.mark();
        finishes.read(0.5);
        finishes.send("\r\n");
        finishes.read(3.0);
        never.read(1.0);
        let seen = json!({"finishes": finishes.seen(), "never_finishes": never.seen()});
        Ok(stage.exit(seen, 40.0))
    }),
    ("li-064", |stage| {
        let mut client = stage.client_with(&(post("/", 10) + "hello"))?;
        pause(0.4);
        stage.stop(Signal::SIGTERM);
        client.mark().read(0.5);
        client.send("world");
        client.read(4.0);
        Ok(stage.exit(json!({"client": client.seen()}), EXIT))
    }),
    ("li-066", |stage| {
        let mut running = stage.client_with(&get("/slow?ms=2500"))?;
        pause(0.3);
        stage.stop(Signal::SIGTERM);
        let begin = Instant::now();
        let mut tries = Vec::new();
        while begin.elapsed().as_secs_f64() < 1.5 {
            let after = hundredths(begin.elapsed().as_secs_f64());
            tries.push(match Client::connect(stage.address()) {
                Ok(mut client) => {
                    client.send(OK);
                    let seen = client.read(0.3).seen();
                    json!([after, "accepted", seen["status"], seen["end"]])
                }
                Err(error) => json!([after, error.kind().to_string()]),
            });
            pause(0.1);
        }
        running.mark().read(4.0);
        Ok(stage.exit(json!({"tries": tries, "in_flight": running.seen()}), EXIT))
    }),
    ("li-067", |stage| {
        let mut client = stage.client_with(UPGRADE)?;
        client.read(0.4);
        stage.stop(Signal::SIGTERM);
        client.mark().read(0.5);
        client.send("hello");
        client.read(8.0);
        let echoed = client.has("hello");
        Ok(stage.exit(json!({"client": client.seen(), "echoed_after_stop": echoed}), EXIT))
    }),
    ("li-068", |stage| {
        let mut client = stage.client_with(&get("/slow?ms=20000"))?;
        pause(0.4);
        stage.stop(Signal::SIGTERM);
        client.mark().read(12.0);
        Ok(stage.exit(json!({"client": client.seen()}), EXIT))
    }),
    ("li-070", |stage| {
        let mut client = stage.client_with("GET /plain")?;
        pause(0.4);
        stage.stop(Signal::SIGTERM);
        client.mark().read(12.0);
        Ok(stage.exit(json!({"client": client.seen()}), EXIT))
    }),
    ("li-071", |stage| {
        let mut client = stage.client_with(&get("/slow?ms=4000"))?;
        pause(0.3);
        stage.stop(Signal::SIGTERM);
        pause(0.5);
        client.mark();
        // The recording sent it here. Ours takes what comes within a second for the same wish.
        pause(1.0);
        stage.stop(Signal::SIGTERM);
        client.read(8.0);
        Ok(stage.exit(json!({"client": client.seen()}), EXIT))
    }),
    ("li-072", |stage| {
        let mut client = stage.client_with(&get("/slow?ms=1000"))?;
        pause(0.3);
        stage.stop(Signal::SIGINT);
        client.mark().read(6.0);
        Ok(stage.exit(json!({"client": client.seen()}), EXIT))
    }),
];
