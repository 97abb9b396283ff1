//! Bytes and headers as the recordings write them.

use serde_json::Value;

use crate::http1::from_latin1;

/// Of a longer text, the recordings have this much and the whole length.
const SHOWN: usize = 600;

/// Bytes as text.
pub(super) fn text(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        Some(begin) if bytes.len() > SHOWN => {
            format!("{}...({})", from_latin1(begin), bytes.len())
        }
        _ => from_latin1(bytes),
    }
}

/// A pair of texts, such as a header.
pub(super) fn pair(value: &Value) -> (&str, &str) {
    (value[0].as_str().unwrap_or_default(), value[1].as_str().unwrap_or_default())
}

/// The elements of a list; none of anything else.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A number as a count.
pub(super) fn count(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|count| usize::try_from(count).ok())
}

/// Where `part` begins in `whole`.
pub(super) fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(whole, part)
}

/// A text as often as is said, once if nothing is.
pub(super) fn repeated(text: &str, times: &Value) -> String {
    text.repeat(count(times).unwrap_or(1))
}

/// Seconds with one digit behind the point, as the recordings have them.
pub(super) fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// All texts in a value, keys of objects among them, made anew.
pub(super) fn map_texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| map_texts(item, change)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(members.map(|(key, one)| (change(key), map_texts(one, change))).collect())
        }
        other => other.clone(),
    }
}

/// Whether a text in a value has this in it.
pub(super) fn any_text(value: &Value, holds: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => holds(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, holds)),
        Value::Object(members) => {
            members.iter().any(|(key, one)| holds(key) || any_text(one, holds))
        }
        _ => false,
    }
}

/// The harness's test of this file.
pub(super) fn check() {
    use serde_json::json;
    assert_eq!(text(b"a\xe9"), "a\u{e9}");
    let long = text(&[b'x'; 601]);
    assert!(long.ends_with("xx...(601)") && long.len() == 608, "{long}");
    assert_eq!(text(&[b'x'; 600]).len(), 600);
    let upper = map_texts(&json!({"a": ["b", 1]}), &|text| text.to_uppercase());
    assert_eq!(upper, json!({"A": ["B", 1]}));
    assert!(any_text(&upper, &|text| text == "B") && !any_text(&upper, &|text| text == "1"));
    assert_eq!(tenths(1.26), 1.3);
}
