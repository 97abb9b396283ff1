//! JSON files: comments, trailing commas and a byte order mark are welcome, a duplicate key is not.
//!
//! The text is flattened as .NET does it: segments joined by `:`, arrays by index, `true` becomes
//! `True`, numbers keep their letters, null and `{}` are null values, `[]` is an empty text.

use std::collections::BTreeMap;
use std::path::Path;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::document::Document;
use super::file;
use crate::configuration::key::{fold_key, speaks_of_secrets};
use crate::configuration::layers::Leaf;
use crate::configuration::problem::Problem;
use crate::configuration::user_info::without_user_info;

/// How deep objects and arrays may nest, as in .NET.
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
pub(crate) fn parse(text: &str, path: &Path, shown: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
    let document = Document::new(text, path, shown);
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let (reason, fix) = explain(error.kind());
        let fix = slip(text, error.range().start).unwrap_or(fix);
        let reason = format!("Could not parse the JSON file: {reason}.");
        vec![document.problem(error.range().start, &reason, fix, printable_line)]
    })?;
    let Some(root) = parsed.value else {
        let reason = "The input does not contain any JSON tokens.";
        let fix = "write {} for a file without settings";
        return Err(vec![document.problem(0, reason, fix, printable_line)]);
    };
    let Value::Object(object) = &root else {
        let reason = format!(
            "Top-level JSON element must be an object. Instead, '{}' was found.",
            kind(&root)
        );
        let fix = "put the settings in braces: { \"Key\": \"value\" }";
        return Err(vec![document.problem(root.start(), &reason, fix, printable_line)]);
    };
    let mut flattened =
        Flattened { document: &document, leaves: BTreeMap::new(), problems: Vec::new() };
    flattened.object(object, "", 1);
    if flattened.problems.is_empty() {
        Ok(flattened.leaves.into_values().collect())
    } else {
        Err(flattened.problems)
    }
}

/// The name .NET has for a kind of JSON value.
fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::StringLit(_) => "String",
        Value::NumberLit(_) => "Number",
        Value::BooleanLit(literal) if literal.value => "True",
        Value::BooleanLit(_) => "False",
        Value::Object(_) => "Object",
        Value::Array(_) => "Array",
        Value::NullKeyword(_) => "Null",
    }
}

/// A parse error in a sentence, and what was expected.
fn explain(kind: &ParseErrorKind) -> (String, &'static str) {
    use ParseErrorKind as Kind;
    let fix = match kind {
        Kind::ExpectedComma => "a value is followed by ',', '}' or ']': is a comma missing here?",
        Kind::ExpectedColonAfterObjectKey => "a name is followed by ':' and a value",
        Kind::ExpectedObjectValue => "a name and ':' are followed by a value",
        Kind::ExpectedStringObjectProperty | Kind::UnexpectedTokenInObject => {
            "inside { } stand names in double quotes, each with ':' and a value"
        }
        Kind::SingleQuotedStringsNotAllowed => "use double quotes",
        Kind::HexadecimalNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed
        | Kind::BareDecimalPointNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral => {
            "write a decimal number, or put the text in double quotes"
        }
        Kind::MultipleRootJsonValues => "the file is one { } object: remove what stands after it",
        Kind::UnterminatedObject => "this '{' is never closed: add '}'",
        Kind::UnterminatedArray => "this '[' is never closed: add ']'",
        Kind::UnterminatedCommentBlock => "this '/*' is never closed: add '*/'",
        Kind::UnexpectedWord => {
            "texts stand in double quotes; only true, false and null stand alone"
        }
        Kind::UnexpectedComma => "remove this comma, or add the value before it",
        Kind::UnexpectedCloseBrace | Kind::UnexpectedCloseBracket => {
            "nothing is open that this could close"
        }
        Kind::NestingDepthExceeded => {
            return (
                format!("The maximum configured depth of {MAX_DEPTH} has been exceeded"),
                "nest less",
            );
        }
        Kind::String(_) => {
            "a text starts and ends with '\"'; inside it, write \\\" and \\\\ for \" and \\"
        }
        _ => "a JSON value was expected here",
    };
    // Behind it stands what was found, which may be part of a secret.
    let mut reason = kind.to_string().split(". '").next().unwrap_or_default().to_owned();
    reason.get_mut(..1).map(str::make_ascii_lowercase).unwrap_or_default();
    (reason, fix)
}

/// What to do about a slip that is known by what stands at the place of an error.
fn slip(text: &str, offset: usize) -> Option<&'static str> {
    let (before, rest) = text.split_at_checked(offset)?;
    let first = rest.chars().next()?;
    let word = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let number = || {
        let digits = before.trim_end_matches(|c: char| c.is_ascii_digit());
        before[digits.len()..].starts_with('0') && first.is_ascii_digit()
    };
    match () {
        () if line.trim().is_empty()
            && ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| rest.starts_with(mark)) =>
        {
            Some(
                "a merge left this: keep one of the two sides, and remove the lines with <<<<<<<, ======= and >>>>>>>",
            )
        }
        () if "\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}\u{ab}\u{bb}".contains(first) => {
            Some("write straight double quotes, as a keyboard has them")
        }
        () if ["true", "false", "null"].iter().any(|known| known.eq_ignore_ascii_case(word)) => {
            Some("write true, false and null in small letters")
        }
        () if number() => Some("a number begins with no 0: leave it out"),
        () => closing(before, first),
    }
}

/// What to do about a bracket that closes something too early, or something else than what is open.
/// (Where nothing is open, that is all there is to say.)
fn closing(before: &str, bracket: char) -> Option<&'static str> {
    if !matches!(bracket, '}' | ']') {
        return None;
    }
    let (open, behind_colon) = open_at_the_end(before);
    match (open, bracket) {
        _ if behind_colon => Some("a name and ':' are followed by a value, such as null: add it"),
        (Some('['), '}') => Some("a '[' is open: close it with ']' first"),
        (Some('{'), ']') => Some("a '{' is open: close it with '}' first"),
        _ => None,
    }
}

/// Which bracket was opened last and is not closed at the end of a text that is well-formed so far,
/// and whether the text ends behind a ':'.
fn open_at_the_end(text: &str) -> (Option<char>, bool) {
    let (mut open, mut behind_colon) = (Vec::new(), false);
    let mut rest = text;
    while let Some(place) = rest.find(['"', ':', ',', '{', '[', '}', ']', '/']) {
        behind_colon &= rest[..place].trim().is_empty();
        let (mark, behind) = rest[place..].split_at(1);
        rest = behind;
        match mark {
            "/" => {
                let end = if behind.starts_with('/') { "\n" } else { "*/" };
                rest = behind.split_once(end).map_or("", |(_, behind)| behind);
                continue;
            }
            "\"" => rest = end_of_text(behind).map_or("", |end| &behind[end + 1..]),
            "{" => open.push('{'),
            "[" => open.push('['),
            "}" | "]" => drop(open.pop()),
            _ => {}
        }
        behind_colon = mark == ":";
    }
    (open.last().copied(), behind_colon && rest.trim().is_empty())
}

/// A line of the file, fit to be printed: without users and passwords of URLs, and not at all where
/// it, or a name `above` it that it belongs to, speaks of secrets. A line that is broken does not tell
/// which of its words is the value, and a text that is broken may end on a line `below`.
fn printable_line(line: &str, above: &str, below: &str) -> Option<String> {
    let plain = unescaped(line);
    if speaks_of_secrets(&plain) || starts_in_a_secret(above) || ends_below_in_a_user(&plain, below)
    {
        return None;
    }
    let has_user = |text: &str| text.contains('@') || text.contains("%40");
    // JSON may escape slashes: `http:\/\/`.
    let slashes = |text: &str| text.replace("\\/", "//");
    // Who forgets the scheme, or a quote, has a user all the same: nobody knows where it begins.
    if plain.split('"').any(|text| has_user(text) && !slashes(text).contains("://")) {
        return None;
    }
    let without = |text: &str| match has_user(text) {
        true => without_user_info(&slashes(text)).into_owned(),
        false => text.to_owned(),
    };
    let without_users = |line: &str| line.split('"').map(without).collect::<Vec<_>>().join("\"");
    // Where letters are escaped, the places of the text are not those of the line.
    if plain != line && without_users(&plain) != slashes(&plain) {
        return None;
    }
    Some(without_users(line))
}

/// Whether the last text of a line has no end on it, and an `@` where it goes on.
fn ends_below_in_a_user(line: &str, below: &str) -> bool {
    let is_open = line.split('"').count().is_multiple_of(2);
    let rest = below.split('"').next().unwrap_or_default();
    is_open && (rest.contains('@') || rest.contains("%40"))
}

/// A text in which each `\u0041` is the character that it stands for.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\\u") {
        plain.push_str(before);
        let code = behind.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        rest = match code.and_then(char::from_u32) {
            Some(character) => {
                plain.push(character);
                &behind[4..]
            }
            None => {
                plain.push_str("\\u");
                behind
            }
        };
    }
    plain.push_str(rest);
    plain
}

/// Whether what follows `text` is, or stands in, the value of a name that speaks of secrets. All
/// that stands before a mistake is well-formed.
fn starts_in_a_secret(text: &str) -> bool {
    let mut open = Vec::new();
    // The last name speaks of secrets, and its value has not ended; it has begun behind the ':'.
    let (mut secret, mut is_value) = (false, false);
    let mut rest = text;
    while let Some(place) = rest.find(['"', ':', ',', '{', '[', '}', ']', '/']) {
        let (mark, behind) = rest[place..].split_at(1);
        rest = behind;
        let within = open.last().is_some_and(|secret| *secret);
        match mark {
            "\"" => {
                let Some(end) = end_of_text(behind) else { return secret || within };
                secret = !is_value && speaks_of_secrets(&unescaped(&behind[..end]));
                (is_value, rest) = (false, &behind[end + 1..]);
                continue;
            }
            ":" => {
                is_value = true;
                continue;
            }
            "/" => {
                let end = if behind.starts_with('/') { "\n" } else { "*/" };
                rest = behind.split_once(end).map_or("", |(_, behind)| behind);
                continue;
            }
            "{" | "[" => open.push(secret || within),
            "}" | "]" => {
                open.pop();
            }
            _ => {}
        }
        (secret, is_value) = (false, false);
    }
    secret || open.last().is_some_and(|secret| *secret)
}

/// Where the quote stands that ends a text.
fn end_of_text(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

struct Flattened<'a> {
    document: &'a Document<'a>,
    leaves: BTreeMap<String, Leaf>,
    problems: Vec<Problem>,
}

impl Flattened<'_> {
    fn object(&mut self, object: &Object<'_>, path: &str, depth: usize) {
        for property in &object.properties {
            let name = property.name.as_str();
            let key = if path.is_empty() { name.to_owned() } else { format!("{path}:{name}") };
            self.value(&property.value, key, property.range.start, depth);
        }
    }

    /// `named` is where the member's name stands: a duplicate is shown there.
    fn value(&mut self, value: &Value<'_>, key: String, named: usize, depth: usize) {
        let start = value.start();
        let nested = matches!(value, Value::Object(_) | Value::Array(_));
        if nested && depth >= MAX_DEPTH {
            let reason = format!("The maximum configured depth of {MAX_DEPTH} has been exceeded.");
            let problem = self.document.problem(start, &reason, "nest less", printable_line);
            self.problems.push(problem);
            return;
        }
        let text = match value {
            Value::Object(object) if object.properties.is_empty() => None,
            Value::Array(array) if array.elements.is_empty() => Some(String::new()),
            Value::Object(object) => return self.object(object, &key, depth + 1),
            Value::Array(array) => {
                for (index, element) in array.elements.iter().enumerate() {
                    self.value(element, format!("{key}:{index}"), element.start(), depth + 1);
                }
                return;
            }
            Value::StringLit(literal) => {
                self.reject_raw_controls(start, value.end());
                Some(literal.value.to_string())
            }
            Value::NumberLit(literal) => Some(literal.value.to_owned()),
            Value::BooleanLit(literal) => {
                Some(if literal.value { "True" } else { "False" }.to_owned())
            }
            Value::NullKeyword(_) => None,
        };
        let folded = fold_key(&key);
        // As .NET: a scalar must be the first with its key; an empty object or array overwrites.
        if let Some(first) = self.leaves.get(&folded).filter(|_| !nested) {
            let reason = format!("A duplicate key '{key}' was found.");
            let fix = format!("keep one of the two; the first stands at {}", first.origin);
            let problem = self.document.problem(named, &reason, &fix, printable_line).key(key);
            self.problems.push(problem);
            return;
        }
        let origin = self.document.origin(start);
        self.leaves.insert(folded, Leaf { key, value: text, origin });
    }

    /// JSON wants control characters inside texts escaped; the parser lets a raw tab pass.
    fn reject_raw_controls(&mut self, start: usize, end: usize) {
        let raw = &self.document.text()[start..end];
        if let Some(place) = raw.find(|character: char| character < ' ') {
            let reason = "Could not parse the JSON file: a control character stands in a text.";
            let fix = "write \\t for a tab and \\n for a line break";
            let problem = self.document.problem(start + place, reason, fix, printable_line);
            self.problems.push(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(text: &str) -> Vec<(String, Option<String>, String)> {
        parse(text, Path::new("/x/a.json"), Path::new("a.json"))
            .unwrap()
            .into_iter()
            .map(|leaf| (leaf.key, leaf.value, leaf.origin.to_string()))
            .collect()
    }

    fn messages(text: &str) -> Vec<String> {
        let problems = parse(text, Path::new("/x/a.json"), Path::new("a.json")).unwrap_err();
        problems.into_iter().map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn slips_are_told_by_what_stands_there() {
        for (text, fix) in [
            (r#"{"http_ports": 08080}"#, "a number begins with no 0"),
            ("{\u{201c}a\u{201d}: 1}", "straight double quotes"),
            ("{\"a\": \u{201c}b\u{201d}}", "straight double quotes"),
            (r#"{"a": True}"#, "in small letters"),
            (r#"{"a": NULL}"#, "in small letters"),
            ("{\n<<<<<<< HEAD\n\"a\": 1\n=======\n", "a merge left this"),
            ("{\n\"a\": 1,\n>>>>>>> theirs\n}", "a merge left this"),
            (r#"{"a": 1 "b": 2}"#, "is a comma missing here?"),
            (r#"{"a": 10 20}"#, "is a comma missing here?"),
            (r#"{"a": }"#, "are followed by a value"),
            ("{\"a\": // why: ]\n /* : */ }", "are followed by a value"),
            (r#"{"a": [{"b": ]}"#, "are followed by a value"),
            (r#"{"a": [1, }"#, "a '[' is open"),
            (r#"{"a": [{"]": 1}, "x:" }"#, "a '[' is open"),
            (r#"{"a": {"b": 1]}"#, "a '{' is open"),
            ("}", "nothing is open that this could close"),
        ] {
            let path = Path::new("a.json");
            let problems = parse(text, path, path).unwrap_err();
            let told = problems[0].fix.as_deref().unwrap_or_default();
            assert!(told.contains(fix), "{text}: {told}");
        }
    }

    #[test]
    fn values_keep_their_text_and_place() {
        let text = "{\n // one\n \"A\": { \"B\": 1.0, \"C\": true, },\n \"L\": [\"x\", {\"X\": null}], \"E\": {}, \"F\": []\n}";
        let expected = [
            ("A:B", Some("1.0"), "a.json:3:14"),
            ("A:C", Some("True"), "a.json:3:24"),
            ("E", None, "a.json:4:32"),
            ("F", Some(""), "a.json:4:41"),
            ("L:0", Some("x"), "a.json:4:8"),
            ("L:1:X", None, "a.json:4:19"),
        ];
        let expected =
            expected.map(|(k, v, o)| (k.to_owned(), v.map(str::to_owned), o.to_owned())).to_vec();
        assert_eq!(leaves(text), expected);
    }

    #[test]
    fn the_same_object_twice_merges_but_a_scalar_twice_is_refused() {
        assert_eq!(leaves(r#"{"A":{"X":"1"},"a":{"Y":"2"},"A:Z":"3"}"#).len(), 3);
        for text in [r#"{"A":"1","a":"2"}"#, r#"{"A:B":"1","A":{"B":"2"}}"#, r#"{"A":{},"A":1}"#] {
            assert!(messages(text)[0].contains("A duplicate key '"), "{text}");
        }
        assert_eq!(leaves(r#"{"A":1,"A":{}}"#)[0].1, None);
    }

    #[test]
    fn a_mistake_shows_its_line_and_what_was_expected() {
        assert_eq!(
            messages("{\n  \"A\": \"1\"\n  \"B\": \"2\"\n}\n"),
            ["Failed to load configuration from file '/x/a.json'. Could not parse the JSON file: \
              expected comma.\n  set by: a.json:2:11\n  2 |   \"A\": \"1\"\n    |           ^\n  fix: a value \
              is followed by ',', '}' or ']': is a comma missing here?"]
        );
        for (text, told) in [
            ("", "does not contain any JSON tokens"),
            ("// only this", "does not contain any JSON tokens"),
            ("[1,2]", "Top-level JSON element must be an object. Instead, 'Array' was found."),
            ("{\"A\": ", "are followed by a value"),
            ("{\"A\": 1 ", "add '}'"),
            ("{\"A\": 'x'}", "use double quotes"),
            ("{\"A\": \"x\ty\"}", "a control character stands in a text"),
            ("{\"A\": 1} x", "one { } object"),
        ] {
            assert!(messages(text)[0].contains(told), "{text}: {}", messages(text)[0]);
        }
    }

    #[test]
    fn a_secret_is_not_shown_with_its_line() {
        for text in [
            r#"{"Password": "hunter2" x}"#,
            r#"{"Pass\u0077ord":"hunter2" 1}"#,
            r#"{"Password" "hunter2"}"#,
            r#"{"Password", "hunter2"}"#,
            r#"{Password: "hunter2"}"#,
            r#"{"Password": 'hunter2'}"#,
            "{\"Password\":\n // why\n \"hunter2\" x}",
            "{\"Password\"\n \"hunter2\"}",
            "{\"Password\": /* : */\n hunter2}",
            "{\"Pass\\u0077ord\":\n \"hunter2\" x}",
            "{\"Tokens\": [\n \"a\",\n \"hunter2\" x]}",
            "{\"ConnectionStrings\": {\"A\": [], \n \"Db\": \"hunter2\" x}}",
            "{\"Password\": \"hunter2\thunter2\"}",
            r#"{"Password": "\uhunter2"}"#,
            r#"{"Urls": "http:\u002f/u:hunter2\u0040a" x}"#,
            r#"{"Urls": "user:hunter2@a:5000" x}"#,
            r#"{"Urls": "user:hunter2%40a:5000" x}"#,
            r#"{"Urls": user:hunter2@a:5000}"#,
            r#"{"Urls": http://user:hunter2@a:5000, "B": "c@d"}"#,
            r#"{"Urls": "http://u:hunter"2@a"}"#,
            "{\n\"Urls\": \"http://u:hunter2\n@a\"}",
        ] {
            let told = &messages(text)[0];
            assert!(!told.contains("hunter2") && !told.contains("hunt"), "{text}: {told}");
            assert!(told.contains("The line is not shown") && told.contains("a.json:"), "{told}");
        }
        // What is no secret stands beside one.
        for text in [
            "{\"Password\": \"a\",\n \"B\": \"shown\" x}",
            "{\"A\": {\"Password\": [1]},\n \"B\": \"shown\" x}",
            "{\"Password\": \"a\"\n, \"B\": \"shown\" x}",
            "{ // \"Password\":\n \"B\": \"shown\" x}",
            "{\"Path\": \"C:\\users\\shown\"}",
        ] {
            assert!(messages(text)[0].contains("shown"), "{text}: {}", messages(text)[0]);
            assert!(messages(text)[0].contains(" | "), "{text}: {}", messages(text)[0]);
        }
        for url in ["http://user:hunter2@a", "http:\\/\\/user:hunter2@a"] {
            let told = &messages(&format!("{{\n  \"Urls\": \"{url}\" x\n}}"))[0];
            assert!(!told.contains("hunter2") && told.contains("@a\" x"), "{told}");
        }
        let told = &messages("{\n  \"KeyPath\": \"a.pem\" x\n}")[0];
        assert!(told.contains("a.pem"), "{told}");
    }

    #[test]
    fn nesting_ends_at_64_levels() {
        let nested = |depth| format!("{}\"v\"{}", "{\"k\":".repeat(depth), "}".repeat(depth));
        assert_eq!(leaves(&nested(64)).len(), 1);
        for depth in [65, 600, 100_000] {
            assert!(messages(&nested(depth))[0].contains("maximum configured depth of 64"));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*|[\\[\\]{}\",:0-9a-z\\\\/* \n\t]*") {
            let _ = parse(&text, Path::new("a.json"), Path::new("a.json"));
        }
    }
}
