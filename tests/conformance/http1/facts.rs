//! What two servers must have in common: statuses, framing, what the app saw, and the end.

use serde_json::Value;

use super::latin1;

/// What is compared of a connection.
#[derive(Debug, PartialEq)]
pub(crate) struct Facts {
    answers: Vec<Fact>,
    closed: bool,
}

/// What is compared of an answer.
#[derive(Debug, PartialEq)]
struct Fact {
    version: String,
    status: i64,
    connection: String,
    transfer_encoding: bool,
    content_length: bool,
    complete: bool,
    body: Body,
}

#[derive(Debug, PartialEq)]
enum Body {
    Length(u64),
    /// What the app saw of the request, in the order of [`SEEN`].
    Echo(Vec<Value>),
    /// An echo that is too long to be kept.
    Cut,
}

/// The members of an echo that count.
const SEEN: [&str; 7] = ["method", "rawTarget", "path", "query", "protocol", "host", "body"];

/// From this length on, an echo is not kept in whole.
const LONG: usize = 1500;

impl Facts {
    /// The facts of what was seen, in the shape of the recordings.
    pub(crate) fn of(seen: &Value) -> Self {
        let answers = seen["responses"].as_array().into_iter().flatten();
        Self { answers: answers.map(Fact::of).collect(), closed: seen["closed"] == true }
    }

    /// Where `ours` is not the same.
    pub(crate) fn differences(&self, ours: &Self) -> Vec<String> {
        if self == ours {
            return Vec::new();
        }
        vec![format!("recorded {}", self.told()), format!("ours     {}", ours.told())]
    }

    /// Whether the first status is one of these (null for no answer), and the connection is closed
    /// if it has to be.
    pub(crate) fn is_one_of(&self, statuses: &Value, closed: bool) -> Result<(), String> {
        let first = self.answers.first().map(|answer| answer.status);
        let allowed = statuses.as_array().into_iter().flatten().map(Value::as_i64);
        let fits = allowed.into_iter().any(|status| status == first);
        match (fits, self.closed || !closed) {
            (true, true) => Ok(()),
            (true, false) => Err("the connection is to be closed".to_owned()),
            (false, _) => Err(format!("the first status is to be one of {statuses}")),
        }
    }

    fn told(&self) -> String {
        let answers: Vec<_> = self.answers.iter().map(Fact::told).collect();
        let end = if self.closed { "closed" } else { "open" };
        if answers.is_empty() {
            return format!("no answer, {end}");
        }
        format!("{}, {end}", answers.join("; "))
    }
}

impl Fact {
    fn of(answer: &Value) -> Self {
        let headers = answer["headers"].as_array();
        let header = |name: &str| {
            let mut lines = headers.into_iter().flatten().rev();
            lines.find(|line| line[0] == name).and_then(|line| line[1].as_str())
        };
        Self {
            // The recordings do not hold it: Kestrel says the same in every answer.
            version: answer["version"].as_str().unwrap_or("1.1").to_owned(),
            status: answer["status"].as_i64().unwrap_or_default(),
            connection: header("connection").unwrap_or_default().to_lowercase(),
            transfer_encoding: header("transfer-encoding").is_some(),
            content_length: header("content-length").is_some(),
            complete: answer["complete"] != false,
            body: Body::of(answer),
        }
    }

    fn told(&self) -> String {
        let mut told = self.status.to_string();
        if self.version != "1.1" {
            told += &format!(" HTTP/{}", self.version);
        }
        if !self.connection.is_empty() {
            told += &format!(" connection: {}", self.connection);
        }
        for (there, text) in [
            (self.transfer_encoding, " chunked"),
            (self.content_length, " with length"),
            (!self.complete, " cut off"),
        ] {
            told += if there { text } else { "" };
        }
        match &self.body {
            Body::Length(length) => told += &format!(" {length} bytes"),
            Body::Echo(seen) => told += &format!(" echo {}", Value::from(seen.clone())),
            Body::Cut => told += " a long echo",
        }
        told
    }
}

impl Body {
    fn of(answer: &Value) -> Self {
        let body = answer["body"].as_str().unwrap_or_default();
        let is_echo = body.starts_with("{\"method\"");
        let length = body.chars().count();
        let echo = match &answer["echo"] {
            // A body stands there as the text of its bytes.
            Value::Null if is_echo && length < LONG => {
                serde_json::from_slice(&latin1(body)).unwrap_or(Value::Null)
            }
            echo => echo.clone(),
        };
        if echo.is_object() {
            return Self::Echo(SEEN.iter().map(|name| echo[*name].clone()).collect());
        }
        if answer["echo_cut"] == true || is_echo && length >= LONG {
            return Self::Cut;
        }
        Self::Length(answer["body_len"].as_u64().unwrap_or_default())
    }
}

/// The harness's test of this file.
pub(crate) fn check() {
    let seen = |body: &str, closed: bool| {
        serde_json::json!({
            "responses": [{
                "status": 200, "headers": [["connection", "Close"]], "body": body,
                "body_len": body.len(),
            }],
            "closed": closed,
        })
    };
    let facts = |body: &str, closed| Facts::of(&seen(body, closed));
    for (version, differences) in [("1.1", 0), ("1.0", 2)] {
        let mut other = seen("a", true);
        other["responses"][0]["version"] = version.into();
        assert_eq!(facts("a", true).differences(&Facts::of(&other)).len(), differences);
    }
    assert!(facts("a", true).differences(&facts("b", true)).is_empty());
    assert_eq!(facts("a", true).differences(&facts("ab", true)).len(), 2);
    assert_eq!(facts("a", true).differences(&facts("a", false)).len(), 2);
    let echo =
        |path: &str| facts(&format!(r#"{{"method":"GET","path":"{path}","headers":1}}"#), true);
    assert!(echo("/").differences(&echo("/")).is_empty());
    assert_eq!(echo("/a").differences(&echo("/b")).len(), 2);
    for (statuses, closed, met) in
        [("[200]", true, true), ("[400, null]", true, false), ("[200]", false, false)]
    {
        let statuses = serde_json::from_str(statuses).expect("statuses");
        assert_eq!(facts("a", closed).is_one_of(&statuses, true).is_ok(), met, "{statuses}");
    }
    let silent = Facts { answers: Vec::new(), closed: true };
    assert!(silent.is_one_of(&serde_json::json!([null, 400]), true).is_ok());
}
