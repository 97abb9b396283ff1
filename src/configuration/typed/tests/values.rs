//! What can be read, and as what.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use serde::Deserialize;

use super::*;
use crate::configuration::{ByteSize, duration};

#[test]
fn whole_numbers() {
    for (text, number) in [("12", 12), (" 12 ", 12), ("-3", -3), ("0x1F", 31), ("+3", 3)] {
        assert_eq!(read::<i32>(&[("A", text)]), number, "{text}");
    }
    assert_eq!(read::<u8>(&[("A", "255")]), 255);
    assert_eq!(read::<u64>(&[("A", &u64::MAX.to_string())]), u64::MAX);
    assert_eq!(read::<u128>(&[("A", &u128::MAX.to_string())]), u128::MAX);
    assert_eq!(read::<i128>(&[("A", &i128::MIN.to_string())]), i128::MIN);
    assert_eq!(read::<NonZeroU16>(&[("A", "5")]).get(), 5);
}

#[test]
fn what_is_one_text() {
    assert!(read::<bool>(&[("A", "TRUE")]));
    assert!((read::<f64>(&[("A", "0.5")]) - 0.5).abs() < f64::EPSILON);
    assert!((read::<f32>(&[("A", "1e3")]) - 1000.0).abs() < f32::EPSILON);
    assert_eq!(read::<char>(&[("A", "é")]), 'é');
    assert_eq!(read::<String>(&[("A", "")]), "");
    assert_eq!(read::<String>(&[("A", "12")]), "12");
    assert_eq!(read::<IpAddr>(&[("A", "::1")]), "::1".parse::<IpAddr>().unwrap());
    assert_eq!(read::<PathBuf>(&[("A", "/a/b")]), PathBuf::from("/a/b"));
}

#[test]
fn lengths_of_time_and_sizes() {
    for (text, seconds) in [("00:00:30", 30), ("30s", 30), ("1h30m", 5400), ("1.00:00", 86_400)] {
        assert_eq!(read::<Duration>(&[("A", text)]).as_secs(), seconds, "{text}");
        assert_eq!(read::<Option<Duration>>(&[("A", text)]).unwrap().as_secs(), seconds);
    }
    // As serde has it.
    let parts = read::<Duration>(&[("A:Secs", "1"), ("A:Nanos", "2")]);
    assert_eq!(parts, Duration::new(1, 2));
    assert_eq!(read::<ByteSize>(&[("A", "64KiB")]).bytes(), 65_536);
}

#[test]
fn names_match_whatever_their_case_and_separators() {
    #[derive(Deserialize)]
    struct Settings {
        max_retries: u8,
        #[serde(rename = "WaitTime", alias = "pause")]
        wait: u8,
    }
    for name in ["max_retries", "maxRetries", "MaxRetries", "max-retries", "MAX_RETRIES"] {
        for wait in ["WaitTime", "wait_time", "waittime", "pause", "PAUSE"] {
            let keys = [format!("a:{name}"), format!("A:{wait}")];
            let settings: Settings = read(&[(&keys[0], "3"), (&keys[1], "4")]);
            assert_eq!((settings.max_retries, settings.wait), (3, 4), "{keys:?}");
        }
    }
}

#[test]
fn the_strongest_spelling_counts_and_sections_of_several_are_one() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pool {
        max_size: u8,
        min_size: u8,
    }
    #[derive(Deserialize)]
    struct Settings {
        db_pool: Pool,
    }
    let weak = file(&[("A:DbPool:MaxSize", Some("1")), ("A:DbPool:MinSize", Some("1"))]);
    let strong = file(&[("A:db_pool:max_size", Some("2"))]);
    for layers in [[weak.clone(), strong.clone()], [strong, weak]] {
        let configuration = Configuration::from_layers(&layers);
        let pool = configuration.get::<Settings>("A").unwrap().db_pool;
        let max_size = if layers[1].get("A:DbPool:MinSize").is_some() { 1 } else { 2 };
        assert_eq!(pool, Pool { max_size, min_size: 1 });
    }
}

#[test]
fn lists_come_in_the_order_of_their_numbers() {
    let gaps = [("A:10", "c"), ("A:2", "b"), ("A:0", "a")];
    assert_eq!(read::<Vec<String>>(&gaps), ["a", "b", "c"]);
    assert_eq!(read::<(String, String, char)>(&gaps), ("a".into(), "b".into(), 'c'));
    assert_eq!(read::<[char; 3]>(&gaps), ['a', 'b', 'c']);
    assert_eq!(read::<HashSet<char>>(&gaps), HashSet::from(['a', 'b', 'c']));
    // Names of elements let a variable replace one.
    assert_eq!(read::<Vec<String>>(&[("A:mail", "b"), ("A:0", "a")]), ["a", "b"]);
    // An empty list of JSON.
    assert!(read::<Vec<String>>(&[("A", "")]).is_empty());
    let nested: Vec<Vec<u8>> = read(&[("A:0:0", "1"), ("A:0:1", "2"), ("A:1:0", "3")]);
    assert_eq!(nested, [vec![1, 2], vec![3]]);
}

#[test]
fn maps_keep_their_keys_as_they_are_spelled() {
    let labels: BTreeMap<String, String> = read(&[("A:Sky_Color", "b"), ("A:grass-Color", "g")]);
    assert_eq!(labels.keys().collect::<Vec<_>>(), ["Sky_Color", "grass-Color"]);
    let numbers: HashMap<u16, bool> = read(&[("A:80", "true"), ("A:443", "false")]);
    assert_eq!(numbers, HashMap::from([(80, true), (443, false)]));
    #[derive(Debug, Deserialize, PartialEq, Eq, Hash)]
    enum Color {
        LightBlue,
    }
    let colors: HashMap<Color, u8> = read(&[("A:light_blue", "1")]);
    assert_eq!(colors, HashMap::from([(Color::LightBlue, 1)]));
}

#[derive(Debug, PartialEq, Deserialize)]
enum Store {
    InMemory,
    File(PathBuf),
    Remote { url: String, retries: Option<u8> },
    Pair(u8, u8),
}

#[test]
fn an_enum_is_the_name_of_a_variant_or_a_section_of_that_name() {
    for (values, store) in [
        (&[("A", "InMemory")][..], Store::InMemory),
        (&[("A", " in_memory ")], Store::InMemory),
        (&[("A:InMemory", "")], Store::InMemory),
        (&[("A:file", "/a")], Store::File("/a".into())),
        (&[("A:Remote:Url", "u")], Store::Remote { url: "u".into(), retries: None }),
        (
            &[("A", "Remote"), ("A:remote:URL", "u"), ("A:remote:Retries", "2"), ("A:File", "/a")],
            Store::Remote { url: "u".into(), retries: Some(2) },
        ),
        (&[("A:Pair:0", "1"), ("A:Pair:1", "2")], Store::Pair(1, 2)),
    ] {
        assert_eq!(read::<Store>(values), store, "{values:?}");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Optional {
    number: Option<u8>,
    text: Option<String>,
    address: Option<IpAddr>,
    store: Option<Store>,
    list: Option<Vec<u8>>,
    #[serde(default = "seven")]
    lucky: u8,
    #[serde(default)]
    nested: Nested,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Nested {
    on: bool,
}

fn seven() -> u8 {
    7
}

#[test]
fn what_is_absent_null_or_empty_is_none_or_the_default() {
    let none = || Optional {
        number: None,
        text: None,
        address: None,
        store: None,
        list: None,
        lucky: 7,
        nested: Nested { on: false },
    };
    assert_eq!(read::<Optional>(&[]), none());
    assert_eq!(read::<Optional>(&[("A:Other", "1")]), none());
    let all = ["Number", "Text", "Address", "Store", "List", "Lucky", "Nested"];
    let keys: Vec<_> = all.iter().map(|name| format!("A:{name}")).collect();
    let nulls: Vec<_> = keys.iter().map(|key| (&**key, None)).collect();
    let nulls = Configuration::from_layers(&[file(&nulls)]);
    assert_eq!(nulls.get::<Optional>("A").unwrap(), none());
    // As .NET: an empty text is a text, an empty list is one, and nothing else is anything.
    let empty: Vec<_> = keys[..5].iter().map(|key| (&**key, "")).collect();
    let expected = Optional { text: Some(String::new()), list: Some(Vec::new()), ..none() };
    assert_eq!(read::<Optional>(&empty), expected);
}

#[test]
fn an_absent_section_is_none_or_a_struct_of_defaults() {
    let configuration = configuration(&[("B:On", "true")]);
    assert_eq!(configuration.get::<Option<Nested>>("A").unwrap(), None);
    assert_eq!(configuration.get::<Option<Nested>>("B").unwrap(), Some(Nested { on: true }));
    assert_eq!(configuration.get::<Nested>("A").unwrap(), Nested { on: false });
    assert_eq!(configuration.section("B").get::<Nested>().unwrap(), Nested { on: true });
    let all: HashMap<String, Nested> = configuration.get("").unwrap();
    assert_eq!(all, HashMap::from([("B".to_owned(), Nested { on: true })]));
    // `{}` in JSON is null, and a map of nothing.
    let null = Configuration::from_layers(&[file(&[("A:Labels", None)])]);
    #[derive(Deserialize)]
    struct Labelled {
        labels: HashMap<String, String>,
    }
    assert!(null.get::<Labelled>("A").unwrap().labels.is_empty());
}

#[test]
fn newtypes_and_units_are_what_they_hold() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Port(u16);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Nothing;
    assert_eq!(read::<Port>(&[("A", "80")]), Port(80));
    assert_eq!(read::<Option<Box<Port>>>(&[("A", "80")]), Some(Box::new(Port(80))));
    assert_eq!(read::<Nothing>(&[("A", "")]), Nothing);
    assert_eq!(read::<()>(&[]), ());
}

#[derive(Debug, PartialEq, Deserialize)]
struct Common {
    time_out: u8,
    user_name: Option<String>,
}

#[test]
fn flattened_structs_have_their_fields_whatever_the_case() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Settings {
        max_size: u16,
        #[serde(flatten)]
        common: Common,
    }
    // A text that looks like a number is one where a text is wanted, too.
    for name in ["me", "12345", "true", "0.5"] {
        let settings: Settings =
            read(&[("A:MaxSize", "5"), ("A:TimeOut", "5"), ("A:UserName", name)]);
        let common = Common { time_out: 5, user_name: Some(name.to_owned()) };
        assert_eq!(settings, Settings { max_size: 5, common });
    }
}

#[test]
fn enums_with_a_tag_and_without_any() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Tagged {
        NoneAtAll,
        Fixed {
            #[serde(deserialize_with = "duration")]
            first_delay: Duration,
            label: String,
        },
    }
    let fixed =
        |label: &str| Tagged::Fixed { first_delay: Duration::from_secs(1), label: label.into() };
    for (values, value) in [
        (&[("A:Kind", "none_at_all")][..], Tagged::NoneAtAll),
        (&[("A:Kind", "NoneAtAll")], Tagged::NoneAtAll),
        (&[("A:Kind", "Fixed"), ("A:FirstDelay", "1s"), ("A:Label", "x")], fixed("x")),
        (&[("A:kind", "fixed"), ("A:first_delay", "00:00:01"), ("A:label", "7")], fixed("7")),
    ] {
        assert_eq!(read::<Tagged>(values), value, "{values:?}");
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "Type", content = "Value")]
    enum Adjacent {
        Number(u8),
    }
    assert_eq!(read::<Adjacent>(&[("A:type", "number"), ("A:value", "3")]), Adjacent::Number(3));
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        One(u16),
        Many(Vec<u16>),
        Text(String),
    }
    for (values, value) in [
        (&[("A", "80")][..], Untagged::One(80)),
        (&[("A:0", "80"), ("A:1", "81")], Untagged::Many(vec![80, 81])),
        (&[("A", "true")], Untagged::Text("true".into())),
        (&[("A", "x")], Untagged::Text("x".into())),
    ] {
        assert_eq!(read::<Untagged>(values), value, "{values:?}");
    }
}

#[test]
fn a_type_of_any_value_gets_what_is_there() {
    let values = [("A:Name", "x"), ("A:Ports:0", "80"), ("A:On", "True"), ("A:Ratio", "0.5")];
    let value: serde_json::Value = read(&values);
    let expected = serde_json::json!({"Name": "x", "Ports": [80], "On": true, "Ratio": 0.5});
    assert_eq!(value, expected);
}
