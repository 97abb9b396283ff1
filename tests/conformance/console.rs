//! The lines that a host prints: as events where they have the simple console's form, as groups of
//! lines where they do not.
//!
//! The simple console writes `info: Category[id]` and the message indented below it; [`entries`]
//! makes events of that. Other formatters put times, colours or priorities in front, or write
//! everything on one line or as JSON. Those are compared as text; [`groups`] only finds out which
//! lines belong together and leaves out what ours may say more, and [`same_line`] knows how much of
//! a line counts.

/// What the names of our own log categories start with.
const OWN: &str = "Kestrel.";

const LEVELS: &[(&str, &str)] = &[
    ("trce", "Trace"),
    ("dbug", "Debug"),
    ("info", "Information"),
    ("warn", "Warning"),
    ("fail", "Error"),
    ("crit", "Critical"),
];

/// A part of the log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// An event as the simple console writes it. Of a message of several lines, the first.
    Event { level: String, category: String, id: i64, message: String },
    /// A line of any other form.
    Line(String),
}

/// Simple console lines as entries. Lines that cannot be part of an event stay lines.
pub(crate) fn entries(lines: &[String]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        if let Some(event) = event_head(line) {
            entries.push(event);
            continue;
        }
        match entries.last_mut() {
            Some(Entry::Event { message, .. }) if line.starts_with("      ") => {
                if message.is_empty() && !is_stack_trace(line) {
                    line.trim().clone_into(message);
                }
            }
            _ => entries.push(Entry::Line(line.clone())),
        }
    }
    entries
}

/// `info: Category[id]`
fn event_head(line: &str) -> Option<Entry> {
    let (short, rest) = line.split_once(": ")?;
    let (_, level) = LEVELS.iter().find(|(name, _)| *name == short)?;
    let (category, id) = rest.strip_suffix(']')?.rsplit_once('[')?;
    Some(Entry::Event {
        level: (*level).to_owned(),
        category: category.to_owned(),
        id: id.parse().ok()?,
        message: String::new(),
    })
}

/// Whether a line belongs to the stack trace of a .NET exception.
pub(crate) fn is_stack_trace(line: &str) -> bool {
    let text = line.trim_start();
    text.len() < line.len() && (text.starts_with("at ") || text.starts_with("--- End"))
}

/// Console lines by entry: a head and the lines indented below it. Left out are stack traces,
/// entries of our own, and the one about the app's own assembly, which no recording of events has
/// either.
pub(crate) fn groups(lines: &[String]) -> Vec<Vec<&str>> {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for line in lines.iter().filter(|line| !is_stack_trace(line)) {
        match groups.last_mut() {
            Some(group) if line.starts_with("      ") => group.push(line),
            // A document of JSON with its lines, up to the brace that ends it.
            Some(group) if group[0] == "{" && group.last() != Some(&"}") => group.push(line),
            _ => groups.push(vec![line]),
        }
    }
    let assembly =
        |group: &[&str]| group.iter().any(|line| line.contains("Loaded hosting startup assembly"));
    groups.retain(|group| {
        let members = group.iter().filter(|_| group[0] == "{");
        let of_document =
            members.filter_map(|line| line.trim_start().strip_prefix("\"Category\": \"")).next();
        let name = of_document.or_else(|| category(group[0]));
        !name.is_some_and(|name| name.starts_with(OWN)) && !assembly(group)
    });
    groups
}

/// The category in the head of a console entry: before `[id]`, or the member of a JSON entry.
pub(crate) fn category(head: &str) -> Option<&str> {
    if head.starts_with('{') {
        return head.split("\"Category\":\"").nth(1)?.split('"').next();
    }
    let ids = head.match_indices('[').filter(|(at, _)| {
        let id = head[at + 1..].split(']').next().unwrap_or_default();
        !id.is_empty()
            && id.chars().all(|c| c.is_ascii_digit())
            && head[..*at].ends_with(char::is_alphanumeric)
    });
    let name = ids.map(|(at, _)| &head[..at]).next()?;
    name.rsplit([' ', '>']).next()
}

/// Whether two lines say the same. Of a line with an exception, what stands before it and its
/// message count.
pub(crate) fn same_line(recorded: &str, ours: &str) -> bool {
    let without_trace =
        |line: &str| line.split("    at ").next().unwrap_or_default().trim_end().to_owned();
    let (recorded, ours) = (without_trace(recorded), without_trace(ours));
    let words = recorded.match_indices(' ').map(|(at, _)| at + 1);
    match words.map(|at| recorded.split_at(at)).find(|(_, rest)| without_exception(rest) != *rest) {
        Some((before, exception)) => ours
            .strip_prefix(before)
            .is_some_and(|rest| rest.contains(without_exception(exception))),
        None => recorded == ours,
    }
}

/// `System.IO.IOException: Failed` without the name of the exception.
pub(crate) fn without_exception(message: &str) -> &str {
    let Some((name, rest)) = message.split_once(": ") else {
        return message;
    };
    let class = name.split(" (").next().unwrap_or_default();
    let is_exception = class.ends_with("Exception") || class.ends_with("Error");
    if is_exception && class.chars().all(|c| c.is_ascii_alphabetic() || c == '.') {
        rest.trim()
    } else {
        message
    }
}

/// The harness's test of this file.
pub(crate) fn check() {
    let lines = [
        "info: A.B[14]",
        "      Now",
        "      later",
        "warn: C[0]",
        "         at X",
        "      text",
        "19:00 info: D[1]",
        "      more",
    ];
    let event = |level: &str, category: &str, id, message: &str| Entry::Event {
        level: level.to_owned(),
        category: category.to_owned(),
        id,
        message: message.to_owned(),
    };
    assert_eq!(
        entries(&lines.map(str::to_owned)),
        [
            event("Information", "A.B", 14, "Now"),
            event("Warning", "C", 0, "text"),
            Entry::Line("19:00 info: D[1]".to_owned()),
            Entry::Line("      more".to_owned()),
        ]
    );
    for (recorded, ours, same) in [
        ("a b", "a b", true),
        ("a b", "a c", false),
        ("      System.X.YException: broken by us", "      broken by us", true),
        ("      System.X.YException: broken by us", "      mended", false),
        ("<3>A[1] Failed. YException (13): broken    at Z", "<3>A[1] Failed. broken", true),
        ("<3>A[1] Failed. YException (13): broken", "<3>A[2] Failed. broken", false),
    ] {
        assert_eq!(same_line(recorded, ours), same, "{recorded} / {ours}");
    }
    for (head, expected) in [
        ("[{time}] info: Kestrel.A[1] x[2]", Some("Kestrel.A")),
        ("<6>Kestrel.B[0] text", Some("Kestrel.B")),
        ("\u{1b}[40m\u{1b}[37mdbug\u{1b}[39m: Kestrel.C[1]", Some("Kestrel.C")),
        (r#"{"EventId":1,"Category":"Kestrel.D","Message":"x"}"#, Some("Kestrel.D")),
        ("text", None),
    ] {
        assert_eq!(category(head), expected, "{head}");
    }
}
