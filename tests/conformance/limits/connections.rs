//! How many connections there may be.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::Script;
use super::client::{Client, OK, UPGRADE};
use super::stage::Stage;

pub(super) const SCRIPTS: &[(&str, Script)] = &[
    ("li-001", |stage| {
        let (mut first, mut second) = (stage.client()?, stage.client()?);
        pause(0.3);
        let mut third = stage.client()?;
        third.read(3.0);
        let mut fourth = stage.client()?;
        pause(0.2);
        fourth.send(OK);
        fourth.read(2.0);
        first.send(OK);
        first.read(0.5);
        second.send(OK);
        second.read(0.5);
        let (first, second) = (closed(first), second.seen());
        pause(0.5);
        let after = served(stage, OK, 0.5)?;
        Ok(json!({
            "third": third.seen(), "fourth_sends_after_0.2s": fourth.seen(), "first": first,
            "second": second, "after_one_closed": after.seen(),
        }))
    }),
    ("li-002", |stage| {
        let first = served(stage, OK, 0.3)?;
        let second = served(stage, OK, 2.0)?;
        Ok(json!({"first": first.seen(), "second": second.seen()}))
    }),
    ("li-004", |stage| {
        let first = served(stage, OK, 0.3)?;
        let mut other = Client::connect(stage.second_address()?)?;
        other.send(OK);
        other.read(1.0);
        let mut second = Client::connect(stage.second_address()?)?;
        second.read(1.0);
        Ok(json!({"port1": first.seen(), "port2": other.seen(), "second_port2": second.seen()}))
    }),
    ("li-005", |stage| {
        let mut first = served(stage, UPGRADE, 0.4)?;
        let mut second = served(stage, UPGRADE, 0.6)?;
        second.send(OK);
        second.read(0.4);
        first.send("hello");
        first.read(0.3);
        let first = closed(first);
        pause(0.6);
        let third = served(stage, UPGRADE, 0.4)?;
        Ok(json!({
            "first": first, "second_then_plain_request": second.seen(),
            "third_after_first_closed": third.seen(),
        }))
    }),
    ("li-006", |stage| {
        let mut upgraded = served(stage, UPGRADE, 0.5)?;
        let second = served(stage, OK, 0.5)?;
        upgraded.send("hello");
        upgraded.read(0.3);
        let mut third = stage.client()?;
        third.read(1.0);
        Ok(json!({
            "upgraded": upgraded.seen(), "second": second.seen(), "third": third.seen(),
        }))
    }),
];

/// A client that sends this and reads for so long.
fn served(stage: &Stage, text: &str, seconds: f64) -> Result<Client> {
    let mut client = stage.client_with(text)?;
    client.read(seconds);
    Ok(client)
}

/// What a client saw, which then closes its connection.
fn closed(client: Client) -> Value {
    client.seen()
}

pub(super) fn pause(seconds: f64) {
    sleep(Duration::from_secs_f64(seconds));
}
