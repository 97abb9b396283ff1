//! Running values out, placeholders in.
//!
//! Two runs of the same case differ in ports that the system chose, connection ids, times, trace
//! ids. [`normalise`] writes `{port}`, `{connection}`, `{time}` and so on instead, in the recording
//! as well as in what we observed, so that the rest can be compared letter by letter. The
//! recordings carry most of the placeholders already; normalising twice changes nothing.
//!
//! A port stays as it is when the case names it (see [`Ports`]): then its number is the point.

use std::collections::BTreeSet;

/// Shapes of running values, and what is written instead. `#` stands for a digit, `@` for a letter,
/// `%` for a digit or capital letter, `&` for a capital and `$` for a small hexadecimal digit.
/// Longer shapes come first.
const RUNNING: &[(&str, &str)] = &[
    ("@@@, ## @@@ #### ##:##:## GMT", "{date}"),
    ("####-##-##T##:##:##", "{time}"),
    ("####-##-## ##:##:##", "{time}"),
    ("##:##:##", "{time}"),
    ("[##:##]", "[{time}]"),
    ("0H%%%%%%%%%%%:&&&&&&&&", "{connection}"),
    ("0H%%%%%%%%%%%", "{connection}"),
    ("SpanId:$$$$$$$$$$$$$$$$", "SpanId:{id}"),
    ("TraceId:$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$$", "TraceId:{id}"),
    ("&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&", "{thumbprint}"),
];

/// The ports that a case names, or that are the server's defaults. Any other port was chosen by the
/// system.
#[derive(Debug, Default)]
pub(crate) struct Ports(BTreeSet<String>);

impl Ports {
    /// All numbers in the texts of a case's input, with and without leading zeros.
    pub(crate) fn named_in<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let defaults = ["80", "443", "5000", "5001", "8080", "8081"].map(str::to_owned);
        let mut ports = BTreeSet::from(defaults);
        for text in texts {
            for number in
                text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty())
            {
                ports.insert(number.to_owned());
                ports.insert(number.trim_start_matches('0').to_owned());
            }
        }
        Self(ports)
    }

    fn names(&self, port: &str) -> bool {
        self.0.contains(port)
    }
}

/// `text` with placeholders for everything that differs from run to run.
pub(crate) fn normalise(text: &str, ports: &Ports) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = None;
    while let Some(c) = rest.chars().next() {
        let at_word = !previous.is_some_and(is_word) || !is_word(c);
        let length = match running(rest, ports).filter(|_| at_word) {
            Some((length, placeholder)) => {
                out.push_str(placeholder);
                length
            }
            None => {
                out.push(c);
                c.len_utf8()
            }
        };
        previous = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    out
}

/// How long the running value at the start of `text` is, and what to write instead.
fn running(text: &str, ports: &Ports) -> Option<(usize, &'static str)> {
    if let Some(digits) = text.strip_prefix(':').map(digits) {
        let ends = !text[1 + digits.len()..].starts_with(is_word);
        if matches!(digits.len(), 4 | 5) && ends && !ports.names(digits) {
            return Some((1 + digits.len(), ":{port}"));
        }
    }
    let whole = digits(text).len();
    if whole > 0 && has_shape(&text[whole..], ".####ms") {
        return Some((whole + ".####ms".len(), "{n}ms"));
    }
    let (shape, placeholder) = RUNNING.iter().find(|(shape, _)| has_shape(text, shape))?;
    let mut length = shape.len();
    if *placeholder == "{time}"
        && let Some(fraction) =
            text[length..].strip_prefix('.').map(digits).filter(|fraction| !fraction.is_empty())
    {
        length += 1 + fraction.len();
    }
    Some((length, placeholder))
}

fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// Whether `text` starts with `shape`, and a word ends where the shape does.
fn has_shape(text: &str, shape: &str) -> bool {
    let bytes = text.as_bytes();
    let fits = bytes.len() >= shape.len()
        && shape.bytes().zip(bytes).all(|(wanted, &found)| match wanted {
            b'#' => found.is_ascii_digit(),
            b'@' => found.is_ascii_alphabetic(),
            b'%' => found.is_ascii_digit() || found.is_ascii_uppercase(),
            b'&' => found.is_ascii_digit() || matches!(found, b'A'..=b'F'),
            b'$' => found.is_ascii_digit() || matches!(found, b'a'..=b'f'),
            literal => literal == found,
        });
    fits && (shape.ends_with(']') || !text[shape.len()..].starts_with(is_word))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The harness's test of this file.
pub(crate) fn check() {
    let ports = Ports::named_in(["--urls http://127.0.0.1:06001"]);
    for (text, expected) in [
        ("http://[::]:6001 http://127.0.0.1:43210/a", "http://[::]:6001 http://127.0.0.1:{port}/a"),
        ("*:5000 x:123456 é:7000x", "*:5000 x:123456 é:7000x"),
        (
            "id \"0HNABCDEFGH12\", \"0HNABCDEFGH12:0000000A\"",
            "id \"{connection}\", \"{connection}\"",
        ),
        ("200 - - 12.3456ms", "200 - - {n}ms"),
        ("19:36:48 info [19:36] 2026-11-20T19:36:48.123 x", "{time} info [{time}] {time} x"),
        (
            "SpanId:202d3b2880927d7a, ParentId:0000000000000000",
            "SpanId:{id}, ParentId:0000000000000000",
        ),
        ("Date: Fri, 20 Nov 2026 19:37:05 GMT\\r\\n", "Date: {date}\\r\\n"),
    ] {
        assert_eq!(normalise(text, &ports), expected);
        assert_eq!(normalise(expected, &ports), expected, "twice is once");
    }
}
