//! How long a connection may wait for a request, a head may take, and a body that nobody reads is
//! waited for.

use anyhow::Result;
use serde_json::{Value, json};

use super::Script;
use super::client::{Client, OK, post, spread};
use super::rates::one;
use super::stage::Stage;

const HALF_A_HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\n";

pub(super) const SCRIPTS: &[(&str, Script)] = &[
    ("li-032", |stage| idle(stage, 7.0)),
    ("li-034", |stage| {
        let mut client = stage.client()?;
        for _ in 0..16 {
            if !client.send("\r\n") || client.read(0.5).ended() {
                break;
            }
        }
        Ok(json!({"client": client.seen()}))
    }),
    ("li-035", |stage| idle(stage, 10.0)),
    ("li-036", |stage| idle(stage, 5.0)),
    ("li-042", |stage| several(stage, HALF_A_HEAD, 7.0)),
    ("li-043", |stage| {
        let mut client = stage.client()?;
        client.mark();
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(60));
        for at in 0..head.len() {
            if !client.send(&head[at..=at]) || client.read(0.2).ended() {
                break;
            }
        }
        client.read(2.0);
        Ok(json!({"client": client.seen()}))
    }),
    ("li-044", |stage| {
        let mut client = stage.client_with(OK)?;
        client.read_text(2.0, "World!");
        client.send("GET /");
        client.mark().read(7.0);
        Ok(json!({"client": client.seen()}))
    }),
    ("li-046", |stage| {
        let mut client = stage.client_with(&post("/", 5))?;
        client.mark().read(3.5);
        client.send("hello");
        client.read(1.0);
        Ok(json!({"client": client.seen()}))
    }),
    ("li-050", |stage| several(stage, &post("/noread", 5), 10.0)),
    ("li-051", |stage| {
        let mut client = stage.client_with(&post("/noread", 5))?;
        client.mark().read(3.0);
        client.send(&format!("hello{OK}"));
        client.read(1.0);
        Ok(json!({"client": client.seen()}))
    }),
    ("li-053", |stage| {
        let mut client = stage.client_with(&post("/", 20_000_000))?;
        client.mark();
        let piece = "x".repeat(100_000);
        for _ in 0..200 {
            if !client.send(&piece) {
                break;
            }
        }
        client.read_on().read(8.0);
        Ok(json!({"client": client.seen()}))
    }),
    ("li-054", |stage| one(stage, &post("/", 20_000_000), 10.0)),
];

/// Eight clients that send this and then only read.
fn several(stage: &Stage, text: &str, seconds: f64) -> Result<Value> {
    let address = stage.address();
    Ok(spread(8, 0.25, || {
        let mut client = Client::connect(address)?;
        client.send(text);
        client.mark().read(seconds);
        Ok(client.seen())
    }))
}

/// Eight clients that send nothing.
fn idle(stage: &Stage, seconds: f64) -> Result<Value> {
    several(stage, "", seconds)
}
