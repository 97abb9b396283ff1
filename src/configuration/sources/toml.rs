//! TOML files, flattened to the keys that a JSON file of the same structure has.
//!
//! Segments are joined by `:`, arrays have indexes, `true` becomes `True`; whole numbers are decimal,
//! dates and times keep their letters, an empty array is an empty text and an empty table a null value.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::document::Document;
use super::file;
use crate::configuration::key::{fold_key, speaks_of_secrets};
use crate::configuration::layers::Leaf;
use crate::configuration::problem::Problem;

/// How deep tables and arrays may nest, as in JSON files.
const MAX_DEPTH: usize = 64;

/// Reads an optional file. `shown` is its path in origins, relative to the content root.
///
/// # Errors
///
/// As [`file::read`], and what is wrong with its text. A file that is absent is `None`.
pub(crate) fn read_file(path: &Path, shown: &Path) -> Result<Option<Vec<Leaf>>, Vec<Problem>> {
    match file::read(path)? {
        Some(text) => parse(&text, path, shown).map(Some),
        None => Ok(None),
    }
}

/// Flattens the text of a file.
///
/// # Errors
///
/// What is wrong with the text, with line, column and the line itself.
fn parse(text: &str, path: &Path, shown: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
    let document = Document::new(text, path, shown);
    let table = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(text.len(), |span| span.start);
        let reason = format!("Could not parse the TOML file: {}.", error.message());
        vec![document.problem(start, &reason, fix(error.message()), printable_line)]
    })?;
    let mut flattened =
        Flattened { document: &document, leaves: BTreeMap::new(), problems: Vec::new() };
    flattened.table(table.get_ref(), "", 1);
    match flattened.problems.is_empty() {
        true => Ok(flattened.leaves.into_values().collect()),
        false => Err(flattened.problems),
    }
}

/// What to do about a mistake that the parser has these words for.
fn fix(message: &str) -> &'static str {
    match () {
        () if message.contains("duplicate key") => "keep one of the two",
        () if message.contains("quoted") => "put texts in double quotes: Key = \"value\"",
        () => {
            "a line is Key = value, where texts stand in double quotes, or the [Section] of those below it"
        }
    }
}

/// A line of the file, fit to be printed: not where it, or a section `above` it, speaks of secrets, nor
/// where a user of a URL may stand, nor where it may be the rest of a value that begins above.
fn printable_line(line: &str, above: &str, _: &str) -> Option<String> {
    // An escaped letter may hide what a name speaks of.
    let speaks =
        |line: &str| speaks_of_secrets(line) || line.contains("\\u") || line.contains("\\U");
    let is_open = line.contains("\"\"\"") || line.contains("'''");
    let has_user = line.contains('@') || line.contains("%40");
    let mut sections = above.lines().filter(|line| line.trim_start().starts_with('['));
    let hidden = speaks(line)
        || is_open
        || has_user
        || sections.any(speaks)
        || DeTable::parse(above).is_err();
    (!hidden).then(|| line.to_owned())
}

struct Flattened<'a> {
    document: &'a Document<'a>,
    leaves: BTreeMap<String, Leaf>,
    problems: Vec<Problem>,
}

impl Flattened<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &str, depth: usize) {
        for (name, value) in table {
            let key = match path {
                "" => name.get_ref().to_string(),
                path => format!("{path}:{}", name.get_ref()),
            };
            self.value(value, key, name.span().start, depth);
        }
    }

    /// `named` is where the name stands: a duplicate is shown there.
    fn value(&mut self, value: &Spanned<DeValue<'_>>, key: String, named: usize, depth: usize) {
        let nested = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
        if nested && depth >= MAX_DEPTH {
            let reason = format!("The maximum configured depth of {MAX_DEPTH} has been exceeded.");
            let problem = self.document.problem(named, &reason, "nest less", printable_line);
            self.problems.push(problem);
            return;
        }
        let text = match value.get_ref() {
            DeValue::Table(table) if table.is_empty() => None,
            DeValue::Array(array) if array.is_empty() => Some(String::new()),
            DeValue::Table(table) => return self.table(table, &key, depth + 1),
            DeValue::Array(array) => {
                for (index, element) in array.iter().enumerate() {
                    self.value(element, format!("{key}:{index}"), element.span().start, depth + 1);
                }
                return;
            }
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(integer) => Some(decimal(integer)),
            DeValue::Float(float) => Some(float.to_string()),
            DeValue::Boolean(true) => Some("True".to_owned()),
            DeValue::Boolean(false) => Some("False".to_owned()),
            DeValue::Datetime(time) => Some(time.to_string()),
        };
        // TOML tells case apart, and keys of the configuration do not.
        if let Some(first) = self.leaves.get(&fold_key(&key)) {
            let reason = format!("A duplicate key '{key}' was found.");
            let fix = format!("keep one of the two; the first stands at {}", first.origin);
            let problem = self.document.problem(named, &reason, &fix, printable_line).key(key);
            self.problems.push(problem);
            return;
        }
        let origin = self.document.origin(value.span().start);
        self.leaves.insert(fold_key(&key), Leaf { key, value: text, origin });
    }
}

/// A whole number as every reader of settings takes it, which knows neither `0o17` nor `+1`.
fn decimal(integer: &DeInteger<'_>) -> String {
    let written = integer.to_string();
    let (digits, radix) = match written.get(..2) {
        Some("0x") => (&written[2..], 16),
        Some("0o") => (&written[2..], 8),
        Some("0b") => (&written[2..], 2),
        _ => (&*written, 10),
    };
    i128::from_str_radix(digits, radix)
        .map_or_else(|_| written.clone(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(text: &str) -> Vec<(String, Option<String>, String)> {
        parse(text, Path::new("/x/a.toml"), Path::new("a.toml"))
            .unwrap()
            .into_iter()
            .map(|leaf| (leaf.key, leaf.value, leaf.origin.to_string()))
            .collect()
    }

    fn message(text: &str) -> String {
        let problems = parse(text, Path::new("/x/a.toml"), Path::new("a.toml")).unwrap_err();
        problems[0].to_string()
    }

    #[test]
    fn values_are_those_of_a_json_file_and_keep_their_place() {
        let text = "# one\nUrls = \"http://*:1\"\n[Kestrel]\nLimits.MaxRequestBodySize = 1_000\n\
                    Limits.KeepAliveTimeout = 00:02:10\n[Kestrel.Endpoints]\nA = { Url = 'b', On = true }\n\
                    [Cors]\nOrigins = [\n  \"x\",\n  \"y\",\n]\nHex = 0xFF\nRate = 1e3\nNone = []\n[Empty]\n\
                    [[List]]\nName = \"\"\"\nlong\"\"\"\n[[List]]\nDate = 1979-05-27\n";
        let expected = [
            ("Cors:Hex", Some("255"), "a.toml:13:7"),
            ("Cors:None", Some(""), "a.toml:15:8"),
            ("Cors:Origins:0", Some("x"), "a.toml:10:3"),
            ("Cors:Origins:1", Some("y"), "a.toml:11:3"),
            ("Cors:Rate", Some("1e3"), "a.toml:14:8"),
            ("Empty", None, "a.toml:16:1"),
            ("Kestrel:Endpoints:A:On", Some("True"), "a.toml:7:23"),
            ("Kestrel:Endpoints:A:Url", Some("b"), "a.toml:7:13"),
            ("Kestrel:Limits:KeepAliveTimeout", Some("00:02:10"), "a.toml:5:27"),
            ("Kestrel:Limits:MaxRequestBodySize", Some("1000"), "a.toml:4:29"),
            ("List:0:Name", Some("long"), "a.toml:18:8"),
            ("List:1:Date", Some("1979-05-27"), "a.toml:21:8"),
            ("Urls", Some("http://*:1"), "a.toml:2:8"),
        ];
        let expected =
            expected.map(|(k, v, o)| (k.to_owned(), v.map(str::to_owned), o.to_owned())).to_vec();
        assert_eq!(leaves(text), expected);
        assert_eq!(leaves(""), []);
    }

    #[test]
    fn whole_numbers_are_decimal() {
        for (written, expected) in
            [("+5", "5"), ("-0", "0"), ("0o17", "15"), ("0b101", "5"), ("-1_0", "-10")]
        {
            assert_eq!(leaves(&format!("A = {written}"))[0].1.as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_mistake_shows_its_line_and_what_was_expected() {
        let told = message("A = 1\nB = hello\n");
        assert!(told.starts_with("Failed to load configuration from file '/x/a.toml'. Could not"));
        assert!(told.contains("set by: a.toml:2:5") && told.contains("2 | B = hello"), "{told}");
        assert!(told.contains("fix: "), "{told}");
        let told = message("A = 1\na = 2\n");
        assert!(told.contains("A duplicate key 'a' was found."), "{told}");
        assert!(told.contains("the first stands at a.toml:1:5"), "{told}");
        assert!(message("A = 1\nA = 2\n").contains("keep one of the two"));
        for text in ["A", "A =", "[A", "A = \"x", "A = [1", "= 1", "A = 1 B = 2", "\u{1}"] {
            assert!(message(text).contains("set by: a.toml:1:"), "{text}: {}", message(text));
        }
    }

    #[test]
    fn a_secret_is_not_shown_with_its_line() {
        for text in [
            "Password = hunter2",
            "Password = \"hunter2\" x",
            "\"Pass\\u0077ord\" = hunter2",
            "[Tokens]\nA = hunter2",
            "Tokens = [\n\"a\",\n\"hunter2\" x]",
            "Password = \"\"\"\na\nB = \"hunter2\"\"\"\"\"\"\"",
            "Urls = http://u:hunter2@a",
            "[ConnectionStrings]\nDb = hunter2",
        ] {
            let told = message(text);
            assert!(!told.contains("hunter2") && told.contains("The line is not shown"), "{told}");
        }
        // What is no secret stands beside one.
        let told = message("Password = \"a\"\nB = shown\n");
        assert!(told.contains("B = shown"), "{told}");
    }

    #[test]
    fn nesting_ends_at_64_levels() {
        let arrays =
            |depth: usize| format!("k = {}1{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let dotted = |depth: usize| format!("{}k = 1", "k.".repeat(depth - 1));
        let tables = |depth: usize| format!("[{}k]\nk = 1", "k.".repeat(depth - 2));
        for text in [arrays(64), dotted(64), tables(64)] {
            assert_eq!(leaves(&text).len(), 1, "{text}");
        }
        for text in [arrays(65), dotted(65), tables(65)] {
            assert!(message(&text).contains("maximum configured depth of 64"), "{text}");
        }
        // Whoever finds it.
        for text in [arrays(100_000), dotted(100_000), tables(100_000)] {
            assert!(message(&text).contains("Failed to load configuration"));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*|[\\[\\]{}\",=.0-9a-z\\\\'# \n\t]*") {
            let _ = parse(&text, Path::new("a.toml"), Path::new("a.toml"));
        }
    }
}
