//! What the value of a parameter has to be like for a route to match.

use regex_lite::{Regex, RegexBuilder};

use super::mistake::Mistake;
use super::moment::is_moment;

/// One condition, such as `int` or `range(1,5)`.
#[derive(Clone, Debug)]
pub(crate) enum Constraint {
    Int,
    Bool,
    DateTime,
    Decimal,
    /// `double` and `float`: .NET takes the same texts for both.
    Double,
    Guid,
    Long,
    /// So many UTF-16 units at least, and at most.
    Length(u32, u32),
    /// A whole number from the first to the last.
    Range(i64, i64),
    Alpha,
    /// A text that a regular expression is found in, letters in any case.
    Regex(String, Regex),
    Required,
    File,
    NonFile,
}

/// What is known by name.
pub(crate) const NAMES: [&str; 19] = [
    "int",
    "bool",
    "datetime",
    "decimal",
    "double",
    "float",
    "guid",
    "long",
    "minlength",
    "maxlength",
    "length",
    "min",
    "max",
    "range",
    "alpha",
    "regex",
    "required",
    "file",
    "nonfile",
];

/// A regular expression takes as much memory at most. One of a route is short.
const LARGEST: usize = 1 << 20;

impl Constraint {
    /// Reads `name` or `name(arguments)`.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) if rest.ends_with(')') => (name, Some(&rest[..rest.len() - 1])),
            _ => (text, None),
        };
        let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(name));
        let Some(known) = known else {
            return Err(Mistake::of_name(name, "constraint", &NAMES));
        };
        match arguments {
            None => Self::plain(known),
            Some(arguments) => Self::with(known, arguments),
        }
    }

    fn plain(name: &str) -> Result<Self, Mistake> {
        Ok(match name {
            "int" => Self::Int,
            "bool" => Self::Bool,
            "datetime" => Self::DateTime,
            "decimal" => Self::Decimal,
            "double" | "float" => Self::Double,
            "guid" => Self::Guid,
            "long" => Self::Long,
            "alpha" => Self::Alpha,
            "required" => Self::Required,
            "file" => Self::File,
            "nonfile" => Self::NonFile,
            _ => {
                let fix = format!("write {}", example(name));
                return Err(Mistake::new(format!("'{name}' says nothing"), fix));
            }
        })
    }

    fn with(name: &str, arguments: &str) -> Result<Self, Mistake> {
        if name == "regex" {
            return regex(arguments);
        }
        let wrong = || {
            let fix = format!("write {}", example(name));
            Mistake::new(format!("'{name}' cannot do with '{arguments}'"), fix)
        };
        let numbers: Result<Vec<i64>, _> =
            arguments.split(',').map(|number| number.trim().parse::<i64>()).collect();
        let numbers = numbers.map_err(|_| wrong())?;
        let length = |number: i64| u32::try_from(number).map_err(|_| wrong());
        match (name, &*numbers) {
            ("minlength", &[from]) => Ok(Self::Length(length(from)?, u32::MAX)),
            ("maxlength", &[to]) => Ok(Self::Length(0, length(to)?)),
            ("length", &[exactly]) => Ok(Self::Length(length(exactly)?, length(exactly)?)),
            ("length", &[from, to]) if from <= to => Ok(Self::Length(length(from)?, length(to)?)),
            ("min", &[from]) => Ok(Self::Range(from, i64::MAX)),
            ("max", &[to]) => Ok(Self::Range(i64::MIN, to)),
            ("range", &[from, to]) if from <= to => Ok(Self::Range(from, to)),
            _ => Err(wrong()),
        }
    }

    /// Whether it holds; `None` is a parameter that has no value.
    pub(super) fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return matches!(self, Self::NonFile) };
        match self {
            Self::Int => whole_number(value).is_some_and(|it| i32::try_from(it).is_ok()),
            Self::Long => whole_number(value).is_some(),
            Self::Bool => ["true", "false"].iter().any(|it| value.trim().eq_ignore_ascii_case(it)),
            Self::DateTime => is_moment(value),
            Self::Decimal => is_number(value, Exponent::Refuse),
            Self::Double => is_number(value, Exponent::Take) || is_no_number(value),
            Self::Guid => is_guid(value),
            Self::Length(from, to) => (*from..=*to).contains(&utf16_length(value)),
            Self::Range(from, to) => {
                whole_number(value).is_some_and(|number| (*from..=*to).contains(&number))
            }
            Self::Alpha => value.bytes().all(|byte| byte.is_ascii_alphabetic()),
            Self::Regex(_, regex) => regex.is_match(value),
            Self::Required => !value.is_empty(),
            Self::File => is_file_name(value),
            Self::NonFile => !is_file_name(value),
        }
    }
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Regex(text, _), Self::Regex(other, _)) => text == other,
            (Self::Length(from, to), Self::Length(other_from, other_to)) => {
                (from, to) == (other_from, other_to)
            }
            (Self::Range(from, to), Self::Range(other_from, other_to)) => {
                (from, to) == (other_from, other_to)
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

fn example(name: &str) -> &'static str {
    match name {
        "minlength" => "minlength(3)",
        "maxlength" => "maxlength(8)",
        "length" => "length(3) or length(3,8)",
        "min" => "min(1)",
        "max" => "max(9)",
        "range" => "range(1,9)",
        "regex" => "regex(^[a-z]+$)",
        _ => "its name alone",
    }
}

fn regex(text: &str) -> Result<Constraint, Mistake> {
    if text.is_empty() {
        let fix = format!("write {}", example("regex"));
        return Err(Mistake::new("'regex' says nothing", fix));
    }
    let mut builder = RegexBuilder::new(text);
    let regex = builder.case_insensitive(true).size_limit(LARGEST).nest_limit(50).build();
    regex.map(|regex| Constraint::Regex(text.to_owned(), regex)).map_err(|error| {
        let fix = match ["(?=", "(?!", "(?<=", "(?<!", "(?>"].iter().find(|it| text.contains(**it))
        {
            Some(part) => {
                format!("do without {part}...): expressions are such that they take linear time")
            }
            None => "braces of it are written twice: regex(^a{{2}}$)".to_owned(),
        };
        Mistake::new(format!("'{text}' is no regular expression ({error})"), fix)
    })
}

/// A whole number as .NET reads it: blanks around it, a sign.
fn whole_number(text: &str) -> Option<i64> {
    text.trim_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']).parse().ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exponent {
    Take,
    Refuse,
}

/// A number with a fraction as .NET reads it in the invariant culture: blanks around it, a sign at an end,
/// commas anywhere before the point.
fn is_number(text: &str, exponent: Exponent) -> bool {
    let mut text = text.trim_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let signed = text.strip_prefix(['-', '+']);
    text = signed.unwrap_or(text);
    if exponent == Exponent::Refuse && signed.is_none() {
        text = text.strip_suffix(['-', '+']).unwrap_or(text);
    }
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, Some(power)),
        None => (text, None),
    };
    if let Some(power) = power {
        let digits = power.strip_prefix(['-', '+']).unwrap_or(power);
        let is_one = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if exponent == Exponent::Refuse || !is_one {
            return false;
        }
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_whole = !whole.starts_with(',')
        && whole.bytes().all(|digit| digit.is_ascii_digit() || digit == b',');
    let has_digit = mantissa.bytes().any(|digit| digit.is_ascii_digit());
    // A decimal of .NET's has 96 bits before its point.
    let value = || whole.replace(',', "").trim_start_matches('0').parse::<u128>();
    let fits = exponent == Exponent::Take
        || whole.bytes().all(|it| matches!(it, b'0' | b','))
        || value().is_ok_and(|it| it >> 96 == 0);
    is_whole && has_digit && fits && fraction.bytes().all(|digit| digit.is_ascii_digit())
}

/// What .NET calls what is no number.
fn is_no_number(text: &str) -> bool {
    let text = text.trim();
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    ["nan", "infinity"].iter().any(|known| bare.eq_ignore_ascii_case(known))
}

/// 32 hexadecimal digits; or with hyphens between, and then perhaps in braces or parentheses.
fn is_guid(text: &str) -> bool {
    let text = text.trim();
    let are_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if text.len() == 32 {
        return are_digits(text);
    }
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(numbers) = inside('{', '}').and_then(|it| it.strip_suffix('}')) {
        return is_guid_of_numbers(numbers);
    }
    let text = inside('{', '}').or_else(|| inside('(', ')')).unwrap_or(text);
    let mut parts = text.split('-');
    [8, 4, 4, 4, 12]
        .iter()
        .all(|length| parts.next().is_some_and(|part| part.len() == *length && are_digits(part)))
        && parts.next().is_none()
}

/// `0x0f8fad5b,0xd9cb,0x469f,{0xa1,0x65,..`, without its outer braces and the last inner one.
fn is_guid_of_numbers(text: &str) -> bool {
    let is_number = |text: &str, most: usize| {
        let digits = text.trim().strip_prefix("0x").or_else(|| text.trim().strip_prefix("0X"));
        digits.is_some_and(|it| {
            (1..=most).contains(&it.len()) && it.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
    };
    let Some((first, bytes)) = text.split_once(",{") else { return false };
    let first: Vec<&str> = first.split(',').collect();
    let bytes: Vec<&str> = bytes.split(',').collect();
    let [long, short, other] = *first else { return false };
    is_number(long, 8)
        && is_number(short, 4)
        && is_number(other, 4)
        && bytes.len() == 8
        && bytes.iter().all(|byte| is_number(byte, 2))
}

fn utf16_length(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// Whether the last segment has a dot, and something behind it.
fn is_file_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split_once('.').is_some_and(|(_, behind)| behind.bytes().any(|byte| byte != b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_judged_as_dotnet_reads_them() {
        for (constraint, good, bad) in [
            (
                "int",
                &["5", "-5", "+5", " 5 ", "2147483647"][..],
                &["", "x", "5.0", "2147483648"][..],
            ),
            ("INT", &["5"], &["x"]),
            ("long", &["99999999999", "-1"], &["1.0", "9223372036854775808", "0x1"]),
            ("bool", &["true", "False", " TRUE "], &["1", "yes", ""]),
            (
                "decimal",
                &["1.5", "1,5", ".5", "5.", "-1", "1-", "79228162514264337593543950335"],
                &["1e3", ",1", "x", ".", "", "NaN", "79228162514264337593543950336"],
            ),
            (
                "double",
                &["1e3", "1.5E-3", "1,000.5", "NaN", "-Infinity", "1e999"],
                &["x", "1e", "1-", ""],
            ),
            ("float", &["1.5", "NaN"], &["1.5f"]),
            (
                "guid",
                &[
                    "0f8fad5b-d9cb-469f-a165-70867728950e",
                    "0F8FAD5BD9CB469FA16570867728950E",
                    "{0f8fad5b-d9cb-469f-a165-70867728950e}",
                    "(0f8fad5b-d9cb-469f-a165-70867728950e)",
                    "{0x0f8fad5b,0xd9cb,0x469f,{0xa1,0x65,0x70,0x86,0x77,0x28,0x95,0x0e}}",
                ],
                &[
                    "1",
                    "0f8fad5b-d9cb-469f-a165-70867728950",
                    "{0f8fad5b-d9cb-469f-a165-70867728950e)",
                ],
            ),
            ("minlength(3)", &["abc", "ab\u{1f600}"], &["ab", ""]),
            ("maxlength(3)", &["abc", ""], &["abcd"]),
            ("length(3)", &["abc"], &["ab", "abcd"]),
            ("length(2, 3)", &["ab", "abc"], &["a", "abcd"]),
            ("min(3)", &["3", "4"], &["2", "x"]),
            ("max(3)", &["3", "-1"], &["4", "x"]),
            ("range(1,5)", &["1", "5"], &["0", "6", "x"]),
            ("alpha", &["abC", ""], &["ab1", "\u{e9}"]),
            ("regex(^[a-c]+$)", &["abc", "ABC"], &["abd"]),
            ("regex(b)", &["abc"], &["xyz"]),
            ("regex(^(a|b)$)", &["a"], &["ab"]),
            ("required", &["x"], &[""]),
            ("file", &["a.js", "a/b.js", ".a"], &["a", "a.b/c", "a.", "a..", ""]),
            ("nonfile", &["a", "a.b/c", ""], &["a.js"]),
        ] {
            let parsed = Constraint::parse(constraint).unwrap();
            for value in good {
                assert!(parsed.holds(Some(value)), "{constraint}: {value:?}");
            }
            for value in bad {
                assert!(!parsed.holds(Some(value)), "{constraint}: {value:?}");
            }
            assert_eq!(parsed.holds(None), constraint == "nonfile", "{constraint}");
        }
    }

    #[test]
    fn what_can_be_no_constraint_is_told() {
        for text in [
            "nosuch",
            "",
            "int(5)",
            "int()",
            "range(a,b)",
            "range(5,1)",
            "range(1)",
            "range",
            "min",
            "length(1,2,3)",
            "length(-1)",
            "minlength(x)",
            "regex([)",
            "regex()",
            "regex",
            "regex((?!a))",
            "required(1)",
        ] {
            assert!(Constraint::parse(text).is_err(), "{text}");
        }
    }
}
