//! What the app logged, against what the reference logged.
//!
//! A recorded event must be among ours as often as it was recorded, with its level and its id.
//! Texts are left to the tests of our own log.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::console::Entry;

/// Recorded events that ours does not log: category, id, or every one, and the reason.
const NOT_LOGGED: &[(&str, Option<i64>, &str)] = &[
    (SOCKETS, None, "hyper reads and writes the socket, and tells of neither"),
    (HTTP2, Some(62), "the queue of frames that go out is hyper's"),
    (HTTP2, Some(64), "the end of hyper's own output is not seen"),
    (CONNECTIONS, Some(21), "nothing of ours fails to abort: what answers a request is dropped"),
    (CONNECTIONS, Some(10), "the connection is hyper's until it is gone"),
    (CONNECTIONS, Some(21), "dropping a connection is aborting it, and that does not fail"),
];

const KESTREL: &str = "Microsoft.AspNetCore.Server.Kestrel";
const SOCKETS: &str = "Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets";
const HTTP2: &str = "Microsoft.AspNetCore.Server.Kestrel.Http2";
const CONNECTIONS: &str = "Microsoft.AspNetCore.Server.Kestrel.Connections";

/// The short names of levels in the recordings.
const LEVELS: [(&str, &str); 6] = [
    ("trce", "Trace"),
    ("dbug", "Debug"),
    ("info", "Information"),
    ("warn", "Warning"),
    ("fail", "Error"),
    ("crit", "Critical"),
];

type Key = (String, String, i64);

/// The recorded events of `logs` that `ours` does not have.
pub(crate) fn differences(logs: &Value, ours: &[Entry], foreign: bool) -> Vec<String> {
    let mut logged: BTreeMap<Key, u64> = BTreeMap::new();
    for entry in ours {
        if let Entry::Event { level, category, id, .. } = entry {
            *logged.entry((level.clone(), category.clone(), *id)).or_default() += 1;
        }
    }
    let mut recorded: BTreeMap<Key, u64> = BTreeMap::new();
    for event in logs.as_array().into_iter().flatten() {
        let Some(key) = key(event).filter(|key| !is_of_the_client(key)) else { continue };
        if foreign || !is_not_logged(&key) {
            // One end of a connection is that of the client that waited for the reference to
            // listen; ours says when it does.
            let probes = u64::from(key.1 == CONNECTIONS && key.2 == 10 || is_of_the_probe(event));
            let times = event["times"].as_u64().unwrap_or(1) - probes;
            *recorded.entry(key).or_default() += times;
        }
    }
    let missing = recorded.iter().filter_map(|(key, times)| {
        let ours = logged.get(key).copied().unwrap_or(0);
        let (level, category, id) = key;
        (ours < *times).then(|| {
            format!("log event {level} {category}[{id}]: recorded {times} times, ours {ours}")
        })
    });
    missing.collect()
}

/// Level, category and id of a recorded event.
fn key(event: &Value) -> Option<Key> {
    let short = event["level"].as_str()?;
    let (_, level) = LEVELS.iter().find(|(name, _)| *name == short)?;
    let category = event["category"].as_str()?;
    let category = match category.strip_prefix('K') {
        Some(rest) if rest.is_empty() || rest.starts_with('.') => format!("{KESTREL}{rest}"),
        _ => category.to_owned(),
    };
    Some(((*level).to_owned(), category, event["id"].as_i64()?))
}

/// The same client, where the reference waits for its handshake.
fn is_of_the_probe(event: &Value) -> bool {
    event["text"].as_str().is_some_and(|text| text.contains("Received an unexpected EOF"))
}

/// A reset by the client depends on how much the client has left unread.
fn is_of_the_client((_, category, id): &Key) -> bool {
    category == SOCKETS && *id == 19
}

fn is_not_logged((_, category, id): &Key) -> bool {
    let fits =
        |row: &&(&str, Option<i64>, &str)| row.0 == category && row.1.is_none_or(|own| own == *id);
    NOT_LOGGED.iter().any(|row| fits(&row))
}

/// The harness's test of this file.
pub(crate) fn check() {
    let event = |category: &str, id| Entry::Event {
        level: "Debug".to_owned(),
        category: category.to_owned(),
        id,
        message: String::new(),
    };
    let ours = [event(KESTREL, 13), event(KESTREL, 14)];
    for (logs, missing) in [
        (r#"[{"level": "dbug", "category": "K", "id": 13}]"#, 0),
        (r#"[{"level": "dbug", "category": "K", "id": 13, "times": 2}]"#, 1),
        (r#"[{"level": "fail", "category": "K", "id": 13}]"#, 1),
        (r#"[{"level": "dbug", "category": "Microsoft.AspNetCore.Server.Kestrel", "id": 14}]"#, 0),
        (r#"[{"level": "dbug", "category": "K.Transport.Sockets", "id": 8}]"#, 0),
    ] {
        let logs = serde_json::from_str(logs).expect("logs");
        assert_eq!(differences(&logs, &ours, false).len(), missing, "{logs}");
    }
}
