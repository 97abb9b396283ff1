//! How slowly a body may come, and an answer may be taken.

use anyhow::Result;
use serde_json::{Value, json};

use super::Script;
use super::client::{Client, get, hundredths, post, spread};
use super::connections::pause;
use super::stage::Stage;

/// The event that tells of an answer that is taken too slowly.
const ANSWER_TOO_SLOW: i64 = 28;

/// What the system of a slow client takes before the client reads.
const SMALL_BUFFER: usize = 4096;

pub(super) const SCRIPTS: &[(&str, Script)] = &[
    ("li-010", |stage| withheld(stage, 10.0)),
    ("li-011", |stage| {
        let mut client = stage.client_with(&post("/", 1000))?;
        client.mark();
        for _ in 0..60 {
            if !client.send("01") || client.read(0.2).ended() {
                break;
            }
        }
        Ok(json!({"client": client.seen()}))
    }),
    ("li-013", |stage| {
        let text = post("/", 5000) + &"x".repeat(2400);
        one(stage, &text, 16.0)
    }),
    ("li-014", |stage| {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut client = stage.client_with(head)?;
        client.mark();
        for _ in 0..500 {
            if !client.send("1\r\nx\r\n") || client.read(0.025).ended() {
                break;
            }
        }
        Ok(json!({"client": client.seen()}))
    }),
    ("li-015", |stage| one(stage, &post("/slowread?ms=6000", 5), 16.0)),
    ("li-017", |stage| one(stage, &post("/", 5), 10.0)),
    ("li-018", |stage| withheld(stage, 8.0)),
    ("li-019", |stage| {
        let mut client = stage.client_with(&post("/noread", 1000))?;
        client.mark();
        for _ in 0..80 {
            if !client.send("x") || client.read(0.1).ended() {
                break;
            }
        }
        Ok(json!({"client": client.seen()}))
    }),
    ("li-021", |stage| {
        let mut client = large(stage, 50_000_000)?;
        pause(30.0);
        let cut = stage.logged(ANSWER_TOO_SLOW);
        client.read(1.0);
        let mut seen = client.seen();
        seen.as_object_mut().map(|seen| seen.remove("first_byte_s"));
        Ok(json!({"cut_within_30s": cut, "client_after_30s": seen}))
    }),
    ("li-022", |stage| never_read(stage, 25.0)),
    ("li-023", |stage| never_read(stage, 15.0)),
    ("li-025", |stage| {
        let mut client = large(stage, 3_000_000)?;
        while client.received < 3_000_000 && !client.ended() && client.elapsed() < 20.0 {
            client.read_bytes(0.1, 40_000);
            pause(0.09);
        }
        Ok(json!({"client": client.seen()}))
    }),
    ("li-026", |stage| {
        let mut client = large(stage, 20_000_000)?;
        pause(12.0);
        while client.received < 20_000_000 && !client.ended() && client.elapsed() < 30.0 {
            client.read(5.0);
        }
        Ok(json!({"client": client.seen()}))
    }),
];

/// One client that sends this and then only reads.
pub(super) fn one(stage: &Stage, text: &str, seconds: f64) -> Result<Value> {
    let mut client = stage.client_with(text)?;
    client.mark().read(seconds);
    Ok(json!({"client": client.seen()}))
}

/// Eight clients that announce a body and send none.
fn withheld(stage: &Stage, seconds: f64) -> Result<Value> {
    let address = stage.address();
    Ok(spread(8, 0.25, || {
        let mut client = Client::connect(address)?;
        client.send(&post("/", 5));
        client.mark().read(seconds);
        Ok(client.seen())
    }))
}

/// A client that asks for that much and reads nothing yet.
fn large(stage: &Stage, bytes: usize) -> Result<Client> {
    let mut client = Client::with_buffer(stage.address(), Some(SMALL_BUFFER))?;
    client.send(&get(&format!("/stream?bytes={bytes}")));
    client.mark();
    Ok(client)
}

/// When does the server give a client up that reads nothing, and what does that one then see?
fn never_read(stage: &Stage, seconds: f64) -> Result<Value> {
    let mut client = large(stage, 50_000_000)?;
    while client.elapsed() < seconds && !stage.logged(ANSWER_TOO_SLOW) {
        pause(0.1);
    }
    let after = stage.logged(ANSWER_TOO_SLOW).then(|| hundredths(client.elapsed()));
    client.read(3.0);
    Ok(json!({"logged_after_s": after, "client_then": client.seen()}))
}
