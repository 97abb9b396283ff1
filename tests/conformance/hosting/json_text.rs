//! JSON as text, where the order of members counts.
//!
//! The recordings hold whole `appsettings.json` files as objects. Which endpoint stands first in
//! such a file may matter to the host that reads it, and a parsed map forgets the order. So a case
//! is taken apart as text: in goes an object or a list, out come the slices of its parts, in the
//! order they are written. What a part means is left to `serde_json`. The text is taken to be
//! valid: it is our own.

/// The members of the object `text` in their order: the name, and the text of the value.
pub(crate) fn members(text: &str) -> Vec<(String, &str)> {
    let parts = split(inside(text), ',').into_iter();
    let members = parts.filter_map(|part| {
        let [name, value] = split(part, ':')[..] else {
            return None;
        };
        Some((serde_json::from_str(name).ok()?, value))
    });
    members.collect()
}

/// The texts of the elements of the list `text`.
pub(crate) fn elements(text: &str) -> Vec<&str> {
    split(inside(text), ',')
}

/// What stands between the outer brackets.
fn inside(text: &str) -> &str {
    let text = text.trim();
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
}

/// Cuts at each `separator` that is in no string and in no nested object or list.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            c if c == separator && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The harness's test of this file.
pub(crate) fn check() {
    let text = r#"{"b": {"z": [1, {"y": "},\""}]}, "a:c": "x,y", "e": {}}"#;
    let found = members(text);
    let found: Vec<(&str, &str)> =
        found.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(found, [("b", r#"{"z": [1, {"y": "},\""}]}"#), ("a:c", r#""x,y""#), ("e", "{}")]);
    assert_eq!(elements(r#"[1, "a]", [2, 3]]"#), ["1", r#""a]""#, "[2, 3]"]);
    assert!(members("{}").is_empty() && elements("[ ]").is_empty());
}
