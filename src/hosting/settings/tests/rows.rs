//! No row of the table says what is not so: each key is set to its default, to other values and to
//! some that cannot be, and what the readers make of it is looked at.

mod beside;
mod outcome;
mod site_key;
mod values;

use self::outcome::outcome;
use self::site_key::SITE;
use self::values::{default_text, others, wrong};
use super::*;
use crate::configuration::{keys_equal, speaks_of_secrets};
use crate::hosting::settings::keys::{self, Default, Holds, Key, Kind, Meaning};

/// A row with its key, and the key as it can be set.
struct Row {
    pattern: String,
    key: String,
    row: &'static Key,
    effect: Effect,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    keys::each(|pattern, row, effect| {
        let key = pattern
            .replace("{Name}", "A")
            .replace("{Host}", "www.example.com")
            .replace("{Number}", "0")
            .replace("{Provider}", "Seq")
            .replace("{Policy}", "default")
            .replace("{Pattern}", "*.css")
            .replace("{Header}", "X-A")
            .replace("{User}", "alice")
            .replace("{Route}", "A")
            .replace("{Cluster}", "A")
            .replace("{Destination}", "A")
            .replace("{Variable}", "A")
            .replace("{Metadata}", "M")
            .replace("{Transform}", "PathSet")
            .replace("{Category}", "Some.Category");
        assert!(!key.contains('{'), "{pattern}: a name for that is missing here");
        rows.push(Row { pattern: pattern.to_owned(), key, row, effect });
    });
    assert!(rows.len() > 100);
    rows
}

/// The texts that are read.
fn texts() -> impl Iterator<Item = (Row, Kind)> {
    rows().into_iter().filter_map(|row| match row.row.holds {
        Holds::Text(kind) | Holds::TextOrList(kind)
            if row.row.is_read() && !is_told_without_effect(&row) =>
        {
            Some((row, kind))
        }
        _ => None,
    })
}

/// Whether the feature that reads it is not there.
fn is_told_without_effect(row: &Row) -> bool {
    matches!(row.row.meaning, Meaning::NotYet(_))
}

#[test]
fn a_default_is_what_counts_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for (row, kind) in texts() {
        let Some(default) = default_text(kind, row.row.default) else { continue };
        let unset = outcome(folder.path(), &row.key, None);
        let set = outcome(folder.path(), &row.key, Some(&default));
        // That nothing says whether a section is on is told; `false` says it.
        let told_alike = set.1 == unset.1 || row.key.ends_with(":Enabled");
        assert!(set.0 == unset.0 && told_alike, "{} = '{default}': {:?}", row.key, set.1);
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn what_a_row_lets_pass_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let user = "bob:$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    std::fs::write(folder.path().join("users"), user).unwrap();
    // This one is judged, and has no effect (docs/deviations.md).
    let has_effect = |row: &Row| !row.key.ends_with(":AllowResponseBuffering");
    for (row, kind) in texts().filter(|(row, _)| has_effect(row)) {
        let (unset, _) = outcome(folder.path(), &row.key, None);
        for text in others(&row.key, kind, row.row.default) {
            let (set, problems) = outcome(folder.path(), &row.key, Some(&text));
            let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
            assert_eq!(errors.count(), 0, "{} = '{text}': {problems:?}", row.key);
            assert!(set != unset, "{} = '{text}'", row.key);
        }
    }
}

#[test]
fn what_a_row_does_not_let_pass_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for (row, kind) in texts() {
        for text in wrong(&row.key, kind) {
            let (_, problems) = outcome(folder.path(), &row.key, Some(&text));
            let named = |problem: &Problem| {
                problem.severity != Severity::Information
                    && problem.key.as_ref().is_some_and(|key| keys_equal(key, &row.key))
            };
            assert!(problems.iter().any(named), "{} = '{text}': {problems:?}", row.key);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_is_not_there_yet_is_told_by_its_row() {
    let folder = tempfile::tempdir().unwrap();
    for row in rows() {
        let Meaning::NotYet(feature) = &row.row.meaning else { continue };
        let key = match row.row.holds {
            Holds::Text(_) => row.key.clone(),
            _ => format!("{}:Something", row.key),
        };
        let inputs = Inputs {
            arguments: vec![(0, format!("--{key}=something"))],
            current_directory: folder.path().to_owned(),
            code: CodeSettings { host_alone: true, ..CodeSettings::default() },
            ..Inputs::default()
        };
        let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
        let told =
            settings.problems.iter().find(|problem| problem.fix.as_deref() == Some(feature.fix));
        assert!(told.is_some(), "{key}: {:?}", settings.problems);
    }
}

#[test]
fn what_other_servers_call_it_leads_to_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for Row { pattern, key, row, .. } in rows() {
        for (part, word) in
            row.also_called.iter().flat_map(|(part, words)| words.iter().map(move |it| (part, it)))
        {
            let (above, endpoint) = match pattern.rsplit_once(':') {
                Some((above, _)) if pattern.contains('{') || above.starts_with("AspNetCore") => {
                    (above.replace("{Name}", "A"), true)
                }
                _ => (String::new(), false),
            };
            assert!(seen.insert((above.clone(), word.to_lowercase())), "{pattern}: {word} twice");
            let word = if endpoint { format!("{above}:{word}") } else { (*word).to_owned() };
            let value = match (part, &*key) {
                (keys::Part::Port, _) => "81",
                (keys::Part::Host, _) => "127.0.0.1",
                (keys::Part::Whole, "Logging:LogLevel") => "Debug",
                (keys::Part::Whole, "environment") => "Staging",
                (keys::Part::Whole, _) => "http://127.0.0.1:81",
            };
            let inputs = Inputs {
                arguments: vec![(0, format!("--{word}={value}"))],
                current_directory: folder.path().to_owned(),
                ..Inputs::default()
            };
            let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
            let is_told = |problem: &Problem| {
                let fix = problem.fix.as_deref().unwrap_or_default();
                fix.contains(&key) && (endpoint || fix.contains(value))
            };
            assert!(settings.problems.iter().any(is_told), "{word}: {:?}", settings.problems);
        }
    }
    assert!(seen.len() > 25, "{}", seen.len());
}

#[test]
fn what_is_secret_is_never_shown() {
    for row in rows() {
        // The name of a folder, and hidden for what it says.
        let hidden = speaks_of_secrets(&row.key) && row.key != "UserSecretsId";
        assert_eq!(row.row.is_secret, hidden, "{}", row.pattern);
    }
}

#[test]
fn every_row_has_its_line_and_its_time() {
    for row in rows() {
        let Row { pattern, row, effect, .. } = row;
        let text = matches!(row.holds, Holds::Text(_));
        match row.meaning {
            Meaning::Nothing => assert_eq!(effect, Effect::None, "{pattern}"),
            _ => assert!(!row.line.is_empty() && !row.line.contains('\n'), "{pattern}"),
        }
        assert_eq!(keys::effect(&pattern.replace("{Category}", "a")), effect, "{pattern}");
        if text && effect == Effect::None && matches!(row.meaning, Meaning::Read) {
            // They never come from a file, or decide which files are read.
            let early = ["environment", "contentRoot", "applicationName", "UserSecretsId"];
            assert!(early.contains(&pattern.as_str()), "{pattern}: when does a new value count?");
        }
    }
}

#[test]
fn the_help_says_of_a_setting_what_its_row_says() {
    for setting in crate::hosting::usage::SETTINGS {
        let rows = rows();
        let row = rows.iter().find(|row| row.key == setting.name).unwrap();
        let default = setting.help.split_once(" [default: ").map(|(_, rest)| rest);
        let of_row = match row.row.default {
            Default::Text(text) | Default::Words(text) => Some(format!("{text}]")),
            Default::Nothing | Default::OfLimit => None,
        };
        assert_eq!(default, of_row.as_deref(), "{}", setting.name);
    }
}

#[test]
fn no_user_and_no_password_is_shown_whatever_has_it_for_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let values = [
        "u:PW@x",
        "u:PW PW@x",
        "u: PW@x:80",
        "PW PW@x",
        "u:PW' PW, 'PW@x",
        "u:PW PW%40x",
        "http://u:PW PW@x:80",
        "http://u:PW :/PW;PW@x:80",
        "u:PW;PW,PW@x",
        "http://a;http://u:PW;PW PW@x",
    ];
    let mut shown = Vec::new();
    let mut seen = 0;
    let mut look_at = |what: &str, problems: Vec<Problem>| {
        let text = format!("{problems:?}");
        if text.contains("PW") {
            shown.push(format!("{what}: {text}"));
        }
        seen += usize::from(!problems.is_empty());
    };
    // In a site, the same is read by the same readers: what stands right in one, and all that hides something, will do.
    let is_enough = |row: &Row| match row.key.strip_prefix(SITE) {
        Some(inner) => !inner.contains(':') || row.row.is_secret,
        None => true,
    };
    for Row { key, .. } in rows().into_iter().filter(is_enough) {
        let misspelled = format!("{key}x");
        for (key, value) in [&key, &misspelled].iter().flat_map(|key| values.map(|it| (*key, it))) {
            if key == "contentRoot" && !value.contains(':') {
                // The name of a folder.
                continue;
            }
            look_at(&format!("{key}={value}"), outcome(folder.path(), key, Some(value)).1);
        }
    }
    for value in values {
        for arguments in [
            vec![value],
            vec!["-x", value],
            vec!["-urls", value],
            vec!["--x", "y", value],
            vec!["--urls", value, "--urls", "http://b"],
            vec!["--x", value, "--x", "y"],
            vec!["--port", value],
            vec!["--host", value],
            vec!["--", value],
        ] {
            look_at(&format!("{arguments:?}"), read(&arguments, &[]).problems);
        }
        for name in ["-x", "--x", "/x", "-urls", "x"] {
            let argument = format!("{name}={value}");
            look_at(&argument, read(&[&argument], &[]).problems);
        }
        for name in ["ASPNETCORE_URLS", "ASPNETCORE__URLS", "ASPNETCORE_HOST", "ASPNETCORE_PORT"] {
            look_at(&format!("{name}={value}"), read(&[], &[(name, value)]).problems);
        }
    }
    assert_eq!(shown, [""; 0]);
    assert!(seen > 1000, "{seen}");
}
