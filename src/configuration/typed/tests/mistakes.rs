//! What is told of values that cannot be read.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use serde::Deserialize;

use super::*;
use crate::configuration::{ByteSize, SettingsError};

/// The problem that is the only one, in full.
fn text<T: DeserializeOwned>(values: &[(&str, &str)]) -> String {
    let problems = problems::<T>(values);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[derive(Debug, Deserialize)]
enum Level {
    Debug,
    Information,
    Warning,
}

#[test]
fn a_value_that_cannot_be_read_is_told_with_its_place_and_what_to_write() {
    for (told, expected) in [
        (
            text::<u16>(&[("A", "eighty")]),
            "Failed to convert configuration value 'eighty' at 'A' to type 'u16'.\n  \
             'eighty' is no whole number.\n  set by: a.json:1:5, key A\n  \
             fix: write a whole number from 0 to 65535",
        ),
        (
            text::<u8>(&[("A", "256")]),
            "Failed to convert configuration value '256' at 'A' to type 'u8'.\n  \
             '256' is out of its range.\n  set by: a.json:1:5, key A\n  \
             fix: write a whole number from 0 to 255",
        ),
        (
            text::<bool>(&[("A", "1")]),
            "Failed to convert configuration value '1' at 'A' to type 'bool'.\n  \
             '1' is neither true nor false.\n  set by: a.json:1:5, key A\n  fix: write true or false",
        ),
        (
            text::<Duration>(&[("A", "30")]),
            "Failed to convert configuration value '30' at 'A' to type 'Duration'.\n  \
             '30' is no length of time.\n  set by: a.json:1:5, key A\n  \
             fix: write a length of time, such as 30s, 1h30m or 00:00:30",
        ),
        (
            text::<Level>(&[("A", "info")]),
            "'info' at 'A' is not known.\n  'A' is one of Debug, Information, Warning.\n  \
             set by: a.json:1:5, key A\n  fix: did you mean Information?",
        ),
        (
            text::<Level>(&[("A", "loud")]),
            "'loud' at 'A' is not known.\n  'A' is one of Debug, Information, Warning.\n  \
             set by: a.json:1:5, key A\n  fix: write one of Debug, Information, Warning",
        ),
        (
            text::<IpAddr>(&[("A", "localhost")]),
            "The value 'localhost' of 'A' is refused.\n  invalid IP address syntax.\n  \
             set by: a.json:1:5, key A",
        ),
        (
            text::<ByteSize>(&[("A", "10M")]),
            "Failed to convert configuration value '10M' at 'A' to type 'ByteSize'.\n  \
             '10M' is no size.\n  set by: a.json:1:5, key A\n  \
             fix: write a size, such as 10MB, 64KiB or a number of bytes",
        ),
        (
            text::<u16>(&[("A:B", "1")]),
            "'A' has to be one value, and is a section.\n  set by: a.json:1:5, key A\n  \
             fix: write a whole number from 0 to 65535",
        ),
        (
            text::<Vec<u16>>(&[("A", "80")]),
            "'A' has to be a list, and is one value: '80'.\n  set by: a.json:1:5, key A\n  \
             fix: give its elements as 'A:0', 'A:1', ...",
        ),
        (
            text::<HashMap<String, String>>(&[("A", "x")]),
            "'A' has to be a section, and is one value: 'x'.\n  set by: a.json:1:5, key A\n  \
             fix: give its values below 'A'",
        ),
        (
            text::<(u8, u8)>(&[("A:0", "1")]),
            "'A' has 2 elements, and there are 1 of them.\n  set by: a.json:1:5, key A\n  \
             fix: give 'A:0' to 'A:1'",
        ),
        (
            text::<HashMap<u8, u8>>(&[("A:x", "1")]),
            "The value '1' of 'A:x' is refused.\n  Its name 'x' is no u8.\n  \
             set by: a.json:1:5, key A:x",
        ),
        (
            text::<Level>(&[("A", "")]),
            "'A' is empty, and needs a value.\n  set by: a.json:1:5, key A\n  \
             fix: write one of Debug, Information, Warning",
        ),
        (
            text::<u8>(&[]),
            "'A' is missing.\n  key: A\n  \
             fix: set 'A' in appsettings.json, the variable A, or give --A=VALUE",
        ),
    ] {
        assert_eq!(told, expected);
    }
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "nothing but mistakes is read")]
struct Settings {
    name: String,
    port: u16,
    retries: NonZeroU8,
    address: IpAddr,
    level: Level,
    endpoints: Vec<Endpoint>,
    limits: BTreeMap<String, u32>,
    pair: (u8, u8),
    pause: Option<Duration>,
    letter: char,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "nothing but mistakes is read")]
struct Endpoint {
    url: String,
    weight: f32,
    owner: Box<Owner>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "nothing but mistakes is read")]
struct Owner {
    id: u8,
}

#[test]
fn all_mistakes_of_a_section_are_told_at_once() {
    let told = told::<Settings>(&[
        ("A:Port", "x"),
        ("A:Retries", "0"),
        ("A:Address", "nowhere"),
        ("A:Level", "Loud"),
        ("A:Endpoints:0:Weight", "heavy"),
        ("A:Endpoints:1:Url", "u"),
        ("A:Endpoints:1:Weight", "heavier"),
        ("A:Endpoints:1:Owner:Id", "-1"),
        ("A:Limits:a", "1"),
        ("A:Limits:b", "many"),
        ("A:Limits:c", "more"),
        ("A:Pair:0", "1"),
        ("A:Pair:1", "y"),
        ("A:Pause", "soon"),
    ]);
    let convert = |value: &str, key: &str, kind: &str| {
        format!("Failed to convert configuration value '{value}' at '{key}' to type '{kind}'.")
    };
    let mut expected = vec![
        (convert("x", "A:Port", "u16"), Some(1)),
        ("The value '0' of 'A:Retries' is refused.".to_owned(), Some(2)),
        ("The value 'nowhere' of 'A:Address' is refused.".to_owned(), Some(3)),
        ("'Loud' at 'A:Level' is not known.".to_owned(), Some(4)),
        (convert("heavy", "A:Endpoints:0:Weight", "f32"), Some(5)),
        (convert("heavier", "A:Endpoints:1:Weight", "f32"), Some(7)),
        (convert("-1", "A:Endpoints:1:Owner:Id", "u8"), Some(8)),
        (convert("many", "A:Limits:b", "u32"), Some(10)),
        (convert("more", "A:Limits:c", "u32"), Some(11)),
        (convert("y", "A:Pair:1", "u8"), Some(13)),
        (convert("soon", "A:Pause", "Duration"), Some(14)),
        ("'A:Endpoints:0:Url' is missing.".to_owned(), None),
        ("'A:Endpoints:0:Owner' is missing.".to_owned(), None),
        ("'A:Name' is missing.".to_owned(), None),
    ];
    let mut told = told;
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
}

#[test]
fn all_fields_that_are_missing_are_told() {
    let told = told::<Settings>(&[]);
    let missing = |name: &str| (format!("'A:{name}' is missing."), None);
    let names = ["Name", "Port", "Retries", "Address", "Level"];
    // An address cannot be stood in for: what is behind it is not known.
    assert_eq!(told, names[..4].iter().map(|name| missing(name)).collect::<Vec<_>>());
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing but mistakes is read")]
    struct Simple {
        user_name: String,
        number: u8,
        on: bool,
        level: Level,
        nested: Endpoint,
        list: Vec<u8>,
        wait: Duration,
        size: ByteSize,
        #[serde(default)]
        more: u8,
        pair: (char, f64),
    }
    let problems = problems::<Simple>(&[("A:UserNam", "x")]);
    let keys: Vec<_> = problems.iter().filter_map(|it| it.key.as_deref()).collect();
    let names = ["UserName", "Number", "On", "Level", "Nested", "List", "Wait", "Size", "Pair"];
    assert_eq!(keys, names.map(|name| format!("A:{name}")));
    assert_eq!(
        problems[0].to_string(),
        "'A:UserName' is missing.\n  There is 'UserNam' beside it: is that meant?\n  \
         key: A:UserName\n  \
         fix: set 'A:UserName' in appsettings.json, the variable A__UserName, or give --A:UserName=VALUE"
    );
}

#[test]
fn a_section_that_is_misspelled_is_told_beside_what_is_missing_of_it() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing but mistakes is read")]
    struct Shop {
        name: String,
        port: u16,
    }
    let configuration = configuration(&[("Shpo:Name", "x"), ("Mail:Hots:Port", "1")]);
    let problems = configuration.get::<Shop>("Shop").unwrap_err().into_problems();
    let beside = Some("There is 'Shpo' beside 'Shop': is that meant?");
    assert_eq!(problems.iter().map(|it| it.cause.as_deref()).collect::<Vec<_>>(), [beside, beside]);
    let problems = configuration.get::<u16>("Mail:Host").unwrap_err().into_problems();
    let beside = Some("There is 'Mail:Hots' beside 'Mail:Host': is that meant?");
    assert_eq!(problems[0].cause.as_deref(), beside);
    let problems = configuration.get::<u16>("Stock").unwrap_err().into_problems();
    assert_eq!(problems[0].cause, None);
}

#[test]
fn what_is_stronger_wins_or_is_told_whatever_its_shape() {
    #[derive(Debug, PartialEq, Deserialize)]
    enum Mode {
        ReadWrite,
        Shadow { ratio: f32 },
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Mail {
        host: String,
    }
    let over = |weak: &[(&str, &str)], strong: (&str, &str)| {
        let strong = Leaf::new(strong.0, strong.1, Origin::Code("test"));
        let weak: Vec<_> = weak.iter().map(|(key, value)| (*key, Some(*value))).collect();
        Configuration::from_layers(&[file(&weak), [strong].into_iter().collect()])
    };
    let told = |error: SettingsError| error.to_string();

    let shadow = over(&[("A", "readWrite")], ("A:Shadow:Ratio", "0.5"));
    assert_eq!(shadow.get::<Mode>("A").unwrap(), Mode::Shadow { ratio: 0.5 });
    let named = over(&[("A:Shadow:Ratio", "0.5")], ("A", "readWrite"));
    assert_eq!(named.get::<Mode>("A").unwrap(), Mode::ReadWrite);
    let filled = over(&[("A:Shadow:Ratio", "0.5")], ("A", "Shadow"));
    assert_eq!(filled.get::<Mode>("A").unwrap(), Mode::Shadow { ratio: 0.5 });

    let list = over(&[("A:0", "a"), ("A:1", "b")], ("A", "justtext"));
    assert_eq!(
        list.get::<Vec<String>>("A").map_err(told).unwrap_err(),
        "'A' has to be a list, and is one value: 'justtext'.\n  \
         It is stronger than what stands below it: a.json:1:5, key A:0.\n  set by: code (test), key A\n  \
         fix: give its elements as 'A:0', 'A:1', ..."
    );
    let section = over(&[("A:Host", "h")], ("A", "x"));
    assert!(told(section.get::<Mail>("A").unwrap_err()).contains("is stronger than"));
    assert!(
        told(section.get::<HashMap<String, String>>("A").unwrap_err()).contains("is stronger than")
    );
    let value = over(&[("A", "80")], ("A:B", "x"));
    assert_eq!(
        value.get::<u16>("A").map_err(told).unwrap_err(),
        "'A' has to be one value, and is a section.\n  \
         It is stronger than the value: a.json:1:5, key A.\n  set by: code (test), key A:B\n  \
         fix: write a whole number from 0 to 65535"
    );
    // What is weaker loses, as it does for one key.
    assert_eq!(over(&[("A:B", "x")], ("A", "80")).get::<u16>("A").unwrap(), 80);
    assert_eq!(over(&[("A", "x")], ("A:Host", "h")).get::<Mail>("A").unwrap().host, "h");
    assert_eq!(over(&[("A", "x")], ("A:0", "a")).get::<Vec<char>>("A").unwrap(), ['a']);
    // As in .NET, nothing above a section takes nothing away.
    assert_eq!(over(&[("A:0", "a")], ("A", "")).get::<Vec<char>>("A").unwrap(), ['a']);
}

#[test]
fn what_follows_from_a_mistake_is_not_told() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "Raw")]
    struct Range;
    #[derive(Debug, Deserialize)]
    struct Raw {
        least: u8,
        most: u8,
    }
    impl TryFrom<Raw> for Range {
        type Error = String;

        fn try_from(raw: Raw) -> Result<Self, String> {
            match raw.least <= raw.most {
                true => Ok(Self),
                false => Err(format!("{} is more than {}", raw.least, raw.most)),
            }
        }
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing but mistakes is read")]
    struct Ranges {
        a: Range,
        b: Range,
        c: u8,
    }
    let both = [("A:A:Least", "9"), ("A:A:Most", "x"), ("A:B:Least", "2"), ("A:B:Most", "1")];
    let problems = problems::<Ranges>(&both);
    let told: Vec<_> = problems.iter().map(|it| (&*it.message, it.cause.as_deref())).collect();
    assert_eq!(
        told,
        [
            (
                "Failed to convert configuration value 'x' at 'A:A:Most' to type 'u8'.",
                Some("'x' is no whole number.")
            ),
            ("'A:B' is refused.", Some("2 is more than 1.")),
            ("'A:C' is missing.", None),
        ]
    );
}

#[test]
fn unknown_keys_are_told_only_if_the_type_asks() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "nothing but mistakes is read")]
    struct Strict {
        max_size: u8,
        color: Option<String>,
    }
    let problems = problems::<Strict>(&[("A:MaxSizes", "1"), ("A:Foo", "2"), ("A:MaxSize", "x")]);
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "'A:Foo' is not known.\n  set by: a.json:2:5, key A:Foo\n  \
             fix: remove it; known are MaxSize, Color",
            "'A:MaxSizes' is not known.\n  set by: a.json:1:5, key A:MaxSizes\n  \
             fix: did you mean MaxSize?",
            "Failed to convert configuration value 'x' at 'A:MaxSize' to type 'u8'.\n  \
             'x' is no whole number.\n  set by: a.json:3:5, key A:MaxSize\n  \
             fix: write a whole number from 0 to 255",
        ]
    );
}

#[test]
fn a_section_for_an_enum_has_one_variant() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing but mistakes is read")]
    enum Store {
        Memory,
        Remote { url: String, port: u8 },
    }
    for (values, expected) in [
        (&[("A:Memory", "1"), ("A:Remote:Url", "u")][..], &["'A' is one of Memory, Remote."][..]),
        (&[("A:Remot:Url", "u")], &["'Remot' at 'A:Remot' is not known."]),
        (&[("A", "Remote")], &["'A:Remote:Url' is missing.", "'A:Remote:Port' is missing."]),
    ] {
        let told: Vec<_> = told::<Store>(values).into_iter().map(|(told, _)| told).collect();
        assert_eq!(told, expected, "{values:?}");
    }
}

#[test]
fn two_spellings_in_one_source_are_a_mistake() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing but mistakes is read")]
    struct Size {
        max_size: u8,
    }
    assert_eq!(
        text::<Size>(&[("A:MaxSize", "1"), ("A:max_size", "2")]),
        "'A:MaxSize' and 'A:max_size' are the same setting, and the same source has both.\n  \
         set by: a.json:1:5, key A:MaxSize\n  fix: keep one of them"
    );
}

#[test]
fn secrets_are_not_shown() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nothing but mistakes is read")]
    struct Secrets {
        api_key: u8,
        password: Level,
        token: IpAddr,
        login: Login,
    }
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "HashMap<String, String>")]
    struct Login;
    impl TryFrom<HashMap<String, String>> for Login {
        type Error = String;

        fn try_from(map: HashMap<String, String>) -> Result<Self, String> {
            Err(format!("{map:?} is no login"))
        }
    }
    let problems = problems::<Secrets>(&[
        ("A:ApiKey", "hunter1"),
        ("A:Password", "hunter2"),
        ("A:Token", "hunter3"),
        ("A:Login:Password", "hunter4"),
    ]);
    assert_eq!(problems.len(), 4);
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(!told.concat().contains("hunter"), "{told:#?}");
    assert!(told.concat().contains("is no login"), "{told:#?}");
}

#[test]
fn a_hundred_mistakes_are_enough() {
    let keys: Vec<_> = (0..500).map(|number| format!("A:{number}")).collect();
    let values: Vec<_> = keys.iter().map(|key| (&**key, "nowhere")).collect();
    assert_eq!(problems::<Vec<IpAddr>>(&values).len(), 100);
    assert_eq!(problems::<Vec<u8>>(&values).len(), 100);
    let keys: Vec<_> = (0..500).map(|number| format!("A:{number}:Other")).collect();
    let values: Vec<_> = keys.iter().map(|key| (&**key, "")).collect();
    assert_eq!(problems::<Vec<Owner>>(&values).len(), 100);
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what is read is not looked at")]
struct Tree {
    #[serde(default)]
    value: Option<Box<Self>>,
    #[serde(default)]
    children: Vec<Self>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "what is read is not looked at")]
enum Anything {
    Number(i8),
    List(Vec<Self>),
    Level(Level),
    Map(HashMap<String, Self>),
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what is read is not looked at")]
struct Everything {
    a: u8,
    b: Option<Level>,
    #[serde(flatten)]
    rest: HashMap<String, Anything>,
}

/// A type whose values never end.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "there are none")]
struct Endless(Box<Self>);

#[test]
fn what_is_too_deep_is_told() {
    let key = format!("A{}", ":Value".repeat(500));
    assert_eq!(text::<Tree>(&[(&key, "1")]).lines().count(), 2);
    assert!(text::<Endless>(&[("A", "1")]).starts_with("The configuration is nested too deeply"));
    let _ = configuration(&[(":A", "1"), ("A::", "1"), ("", "1")]).get::<Anything>("");
}

proptest::proptest! {
    #[test]
    fn any_configuration_is_read_or_told(
        settings in proptest::collection::vec(
            (
                "(A|B|a|b|0|1|Value|Children|Memory|max_size|MaxSize|-|)(:(A|B|a|b|0|1|Value|children|Url|)){0,5}",
                proptest::option::of("|1|-5|300|true|Debug|debg|Remote|x|30s|1.5|\\PC{0,4}"),
            ),
            0..12,
        )
    ) {
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| (&**key, value.as_deref())).collect();
        let configuration = Configuration::from_layers(&[file(&settings)]);
        for path in ["", "A", "a:b", "0"] {
            let section = configuration.section(path);
            let errors = [
                section.get::<Settings>().err(),
                section.get::<Tree>().err(),
                section.get::<Anything>().err(),
                section.get::<Everything>().err(),
                section.get::<Vec<(u8, Level)>>().err(),
                section.get::<HashMap<u8, Option<bool>>>().err(),
                section.get::<serde_json::Value>().err(),
            ];
            for error in errors.into_iter().flatten() {
                let problems = error.problems();
                proptest::prop_assert!(!problems.is_empty());
                let mut keys: Vec<_> = problems.iter().map(|it| (&it.message, &it.key)).collect();
                keys.sort();
                keys.dedup();
                proptest::prop_assert_eq!(keys.len(), problems.len(), "{:?}", problems);
            }
        }
    }
}
