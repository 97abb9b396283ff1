//! The answer for programs: JSON with members in a fixed order.

use serde_json::Value;

use super::seen::Seen;

/// The facts as a JSON document, indented by two spaces, with a newline at its end. What is not
/// known is `null`.
pub(super) fn json(seen: &Seen) -> String {
    let headers = seen.headers.iter().map(|(name, values)| {
        let values = values.iter().map(|value| string(value));
        member(name, &block(3, ['[', ']'], values))
    });
    let request = [
        member("method", &string(&seen.method)),
        member("target", &string(&seen.target)),
        member("protocol", &string(&seen.protocol)),
        member("scheme", &string_or_null(seen.scheme.as_deref())),
        member("host", &string_or_null(seen.host.as_deref())),
        member("remote", &string_or_null(seen.remote.as_deref())),
        member("local", &string_or_null(seen.local.as_deref())),
        member("connection", &string_or_null(seen.connection.as_deref())),
        member("headers", &block(2, ['{', '}'], headers)),
    ];
    let addresses = seen.addresses.iter().map(|address| string(address));
    let document = [
        member("server", &string("kestrel")),
        member("version", &string(&seen.version)),
        member("environment", &string(&seen.environment)),
        member("addresses", &block(1, ['[', ']'], addresses)),
        member("request", &block(1, ['{', '}'], request)),
    ];
    block(0, ['{', '}'], document) + "\n"
}

fn string(text: &str) -> String {
    Value::from(text).to_string()
}

fn string_or_null(text: Option<&str>) -> String {
    Value::from(text).to_string()
}

fn member(name: &str, value: &str) -> String {
    format!("{}: {value}", string(name))
}

/// An object or array whose brackets stand at `depth` and whose elements one step further in.
fn block(
    depth: usize,
    [open, close]: [char; 2],
    elements: impl IntoIterator<Item = String>,
) -> String {
    let indent = "  ".repeat(depth);
    let lines: Vec<_> =
        elements.into_iter().map(|element| format!("{indent}  {element}")).collect();
    if lines.is_empty() {
        return format!("{open}{close}");
    }
    format!("{open}\n{}\n{indent}{close}", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order() {
        let seen = Seen {
            version: "1.2.3".to_owned(),
            environment: "Production".to_owned(),
            addresses: vec!["http://[::]:80".to_owned(), "http://a.test:81".to_owned()],
            method: "GET".to_owned(),
            target: "/?a=\"".to_owned(),
            protocol: "HTTP/1.1".to_owned(),
            scheme: Some("http".to_owned()),
            host: Some("a.test".to_owned()),
            headers: vec![
                ("x-b".to_owned(), vec!["1".to_owned(), "\\xff".to_owned()]),
                ("x-a".to_owned(), vec![String::new()]),
            ],
            ..Seen::default()
        };
        let expected = r#"{
  "server": "kestrel",
  "version": "1.2.3",
  "environment": "Production",
  "addresses": [
    "http://[::]:80",
    "http://a.test:81"
  ],
  "request": {
    "method": "GET",
    "target": "/?a=\"",
    "protocol": "HTTP/1.1",
    "scheme": "http",
    "host": "a.test",
    "remote": null,
    "local": null,
    "connection": null,
    "headers": {
      "x-b": [
        "1",
        "\\xff"
      ],
      "x-a": [
        ""
      ]
    }
  }
}
"#;
        assert_eq!(json(&seen), expected);
    }

    #[test]
    fn any_text_makes_a_valid_document() {
        let odd = "\"\\\u{0}\u{1f}</script>\u{2028}\u{1f600}\r\n{}[]";
        let seen = Seen {
            environment: odd.to_owned(),
            target: odd.to_owned(),
            host: Some(odd.to_owned()),
            headers: vec![(odd.to_owned(), vec![odd.to_owned()])],
            ..Seen::default()
        };
        let document: Value = serde_json::from_str(&json(&seen)).expect("valid JSON");
        assert_eq!(document["environment"], odd);
        assert_eq!(document["addresses"], Value::Array(vec![]));
        assert_eq!(document["request"]["target"], odd);
        assert_eq!(document["request"]["headers"][odd][0], odd);
    }
}
