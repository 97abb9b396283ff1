//! What stages are told that protects less than was meant.

use super::*;
use crate::hosting::settings::pipeline::StageSettings;

/// The stages of a file and of variables, and what is told of them: the severity's letter, the first line
/// and the fix.
fn stages(json: &str, variables: &[(&str, &str)]) -> (StageSettings, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
    settings_in(folder.path(), variables, &[])
}

fn settings_in(
    folder: &std::path::Path,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (StageSettings, Vec<String>) {
    let inputs = Inputs {
        variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        arguments: arguments.iter().map(|a| (*a).to_owned()).enumerate().collect(),
        current_directory: folder.to_owned(),
        ..Inputs::default()
    };
    let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
    let line = |problem: &Problem| {
        let letter = match problem.severity {
            Severity::Error => 'E',
            Severity::Warning => 'W',
            Severity::Information => 'I',
        };
        format!("{letter} {} {}", problem.message, problem.fix.as_deref().unwrap_or_default())
    };
    let told = settings.problems.iter().map(line).collect();
    (*settings.stages, told)
}

/// That each of these files is told of in one line, with this beginning and this end.
fn are_told(cases: &[(&str, &str, &str)]) {
    for (json, start, end) in cases {
        let (_, told) = stages(json, &[]);
        let [line] = &told[..] else { panic!("{json}: {told:?}") };
        assert!(line.starts_with(start) && line.ends_with(end), "{json}: {line}");
    }
}

#[test]
fn whatever_nobody_reads_in_the_section_of_a_stage_is_told() {
    are_told(&[
        (
            r#"{"ForwardedHeaders":{"Enabled":true,"TrustedProxies":["10.0.0.1"]}}"#,
            "W The key 'ForwardedHeaders:TrustedProxies' means nothing",
            "did you mean ForwardedHeaders:KnownProxies?",
        ),
        (
            r#"{"ForwardedHeaders":{"Enabled":true,"Networks":["10.0.0.1"]}}"#,
            "W The key 'ForwardedHeaders:Networks' means nothing",
            "did you mean ForwardedHeaders:KnownIPNetworks?",
        ),
        (
            r#"{"ForwardedHeaders":{"Enabled":true,"Whoever":"x"}}"#,
            "W The key 'ForwardedHeaders:Whoever' means nothing",
            "OriginalHostHeaderName, OriginalProtoHeaderName, OriginalPrefixHeaderName",
        ),
        (
            r#"{"Hsts":{"Enabled":true,"MaxAgeInDays":365}}"#,
            "W The key 'Hsts:MaxAgeInDays' means nothing",
            "did you mean Hsts:MaxAge?",
        ),
    ]);
}

#[test]
fn a_list_of_proxies_by_another_name_is_told_with_the_right_one() {
    are_told(&[
        (
            r#"{"KnownProxies":["10.0.0.1"]}"#,
            "W The key 'KnownProxies' means nothing",
            "write ForwardedHeaders:KnownProxies, a list",
        ),
        (
            r#"{"ForwardedHeadersOptions":{"KnownNetworks":["10.0.0.0/8"]}}"#,
            "W The key 'ForwardedHeadersOptions:KnownNetworks' means nothing",
            "write ForwardedHeaders:KnownIPNetworks, a list",
        ),
    ]);
    for (name, value, fix) in [
        (
            "ASPNETCORE_FORWARDEDHEADERS_KNOWNPROXIES",
            "10.0.0.1,10.0.0.2",
            "write ASPNETCORE_ForwardedHeaders__KnownProxies__0=10.0.0.1 \
             ASPNETCORE_ForwardedHeaders__KnownProxies__1=10.0.0.2",
        ),
        (
            "ASPNETCORE_FORWARDEDHEADERS_KNOWNNETWORKS",
            "10.0.0.0/8",
            "write ASPNETCORE_ForwardedHeaders__KnownIPNetworks__0=10.0.0.0/8",
        ),
        (
            "ForwardedHeaders_KnownProxies",
            "10.0.0.1",
            "write ForwardedHeaders__KnownProxies__0=10.0.0.1",
        ),
    ] {
        let (_, told) = stages("{}", &[(name, value)]);
        assert_eq!(told, [format!("W The variable {name} means nothing to the server. {fix}")]);
    }
}

#[test]
fn a_switch_and_a_section_that_do_not_agree_are_told_with_what_counts() {
    let json = r#"{"ForwardedHeaders":{"Enabled":false}}"#;
    let (stages_read, told) = stages(json, &[("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true")]);
    assert!(stages_read.forwarded_headers.is_some());
    let first = "W Proxies are believed, although ForwardedHeaders:Enabled is false. remove \
                 ForwardedHeaders_Enabled to believe nobody";
    assert!(told.len() == 1 && told[0].starts_with(first), "{told:?}");
    let json = r#"{"ForwardedHeaders":{"Enabled":true},"ForwardedHeaders_Enabled":false}"#;
    assert_eq!(stages(json, &[]).1.len(), 1);
}

#[test]
fn what_is_no_list_does_not_open_what_a_list_protects() {
    for name in ["KnownProxies", "KnownIPNetworks", "AllowedHosts"] {
        let key = format!("ForwardedHeaders:{name}");
        for value in [r#""10.0.0.1""#, r#"[{"Prefix":"10.0.0.0"}]"#, r#"[["10.0.0.1"]]"#] {
            let json = format!(r#"{{"ForwardedHeaders":{{"Enabled":true,"{name}":{value}}}}}"#);
            let (_, told) = stages(&json, &[]);
            assert!(told.len() == 1 && told[0].starts_with("E "), "{json}: {told:?}");
        }
        for value in ["[]", "{}", r#""""#, "null", "[null]", r#"[""]"#, r#"[" "]"#] {
            let json = format!(r#"{{"ForwardedHeaders":{{"Enabled":true,"{name}":{value}}}}}"#);
            let (_, told) = stages(&json, &[]);
            assert!(told.len() == 1 && told[0].starts_with("W "), "{json}: {told:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let (variable, argument) = (key.replace(':', "__"), format!("--{key}=a, b"));
        let on = "--ForwardedHeaders:Enabled=true";
        let (_, told) = settings_in(folder.path(), &[(&variable, "a;b")], &[on]);
        let fix = format!(" write {variable}__0=a {variable}__1=b");
        assert!(told[0].starts_with("E ") && told[0].ends_with(&fix), "{told:?}");
        let (_, told) = settings_in(folder.path(), &[], &[on, &argument]);
        let fix = format!(" write --{key}:0=a --{key}:1=b");
        assert!(told[0].starts_with("E ") && told[0].ends_with(&fix), "{told:?}");
    }
    are_told(&[(
        r#"{"ForwardedHeaders":{"Enabled":true,"KnownProxies":"10.0.0.1 10.0.0.2"}}"#,
        "E 'ForwardedHeaders:KnownProxies' is a list: the text",
        r#"write a list: "KnownProxies": ["10.0.0.1", "10.0.0.2"]"#,
    )]);
    let both = r#"{"ForwardedHeaders":{"Enabled":true,"KnownProxies":[],"KnownIPNetworks":["10.0.0.0/8"]}}"#;
    assert_eq!(stages(both, &[]).1, [""; 0]);
    let (_, told) = stages(both, &[("ForwardedHeaders__KnownIPNetworks__0", "")]);
    assert!(told[0].starts_with("W 'ForwardedHeaders:KnownIPNetworks:0' is empty"), "{told:?}");
}

#[test]
fn null_takes_the_limit_away_and_the_empty_text_does_not() {
    for (value, limit, lines) in [("null", None, 0), (r#""""#, Some(1), 1), ("3", Some(3), 0)] {
        let json = format!(r#"{{"ForwardedHeaders":{{"Enabled":true,"ForwardLimit":{value}}}}}"#);
        let (read, told) = stages(&json, &[]);
        let believed = read.forwarded_headers.expect("it is on").believed;
        assert_eq!((believed.limit, told.len()), (limit, lines), "{json}: {told:?}");
    }
}

#[test]
fn a_section_that_nothing_switches_on_is_told() {
    are_told(&[
        (
            r#"{"ForwardedHeaders":{"KnownProxies":["10.0.0.1"]}}"#,
            "W 'ForwardedHeaders:KnownProxies:0' has no effect: ForwardedHeaders:Enabled is not set.",
            "set ForwardedHeaders:Enabled to true; to false, if it is meant to be off",
        ),
        (r#"{"Hsts":{"MaxAge":"1.00:00:00"}}"#, "W 'Hsts:MaxAge' has no effect", ""),
    ]);
    for json in [
        r#"{"Hsts":{"Enabled":false,"MaxAge":"1.00:00:00"}}"#,
        r#"{"ForwardedHeaders_Enabled":true,"ForwardedHeaders":{"ForwardLimit":2}}"#,
        r#"{"Hsts":{}}"#,
    ] {
        assert_eq!(stages(json, &[]).1, [""; 0], "{json}");
    }
}

#[test]
fn hosts_that_let_every_host_pass_are_told() {
    for (json, told) in [
        (r#"{"AllowedHosts":"*"}"#, ""),
        (r#"{"AllowedHosts":null}"#, ""),
        (r#"{"AllowedHosts":""}"#, "W 'AllowedHosts' is empty here: every host passes."),
        (r#"{"AllowedHosts":[]}"#, "W 'AllowedHosts' is empty here: every host passes."),
        (r#"{"AllowedHosts":";"}"#, "W No host is named: every host passes."),
        (r#"{"AllowedHosts":";;"}"#, "W No host is named: every host passes."),
        (r#"{"AllowedHosts":[""]}"#, "W 'AllowedHosts' is empty here: every host passes."),
        (r#"{"AllowedHosts":"a.example;*"}"#, "W '*' is every host"),
        (r#"{"AllowedHosts":"[::]"}"#, "I '[::]' is every host"),
        (r#"{"AllowedHosts":"0.0.0.0"}"#, "I '0.0.0.0' is every host"),
        (r#"{"AllowedHosts":{"a":"b.example"}}"#, "E 'AllowedHosts' is one text"),
        (r#"{"AllowedHosts":[["b.example"]]}"#, "E 'AllowedHosts' is one text"),
        (r#"{"AllowedHosts":[null]}"#, "E 'AllowedHosts' is one text"),
        (
            r#"{"ForwardedHeaders":{"Enabled":true,"AllowedHosts":["a.example","*"]}}"#,
            "W '*' is every host: a proxy may tell any host",
        ),
    ] {
        let (read, lines) = stages(json, &[]);
        assert_eq!(read.allowed_hosts, None, "{json}");
        assert!(lines.len() == usize::from(!told.is_empty()), "{json}: {lines:?}");
        assert!(lines.iter().all(|line| line.starts_with(told)), "{json}: {lines:?}");
    }
    for weaker in [r#""a.example""#, r#"["a.example"]"#] {
        for (stronger, told) in [
            (r#""""#, "W 'AllowedHosts' is empty here: every host passes."),
            ("[]", "W 'AllowedHosts' is empty here"),
            ("{}", "W 'AllowedHosts' is empty here"),
            ("null", "W 'AllowedHosts' is empty here"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let write = |name: &str, value: &str| {
                let json = format!(r#"{{"AllowedHosts":{value}}}"#);
                std::fs::write(folder.path().join(name), json).unwrap();
            };
            write("appsettings.json", weaker);
            write("appsettings.Production.json", stronger);
            let (read, lines) = settings_in(folder.path(), &[], &[]);
            assert_eq!(read.allowed_hosts, None);
            let is_so = lines.len() == 1 && lines[0].starts_with(told);
            assert!(is_so, "{weaker} below {stronger}: {lines:?}");
        }
    }
    let json = r#"{"AllowedHosts":"a.example"}"#;
    let told = |value: &str| stages(json, &[("AllowedHosts", value)]).1.concat();
    assert!(told("*").starts_with("I '*' is every host"), "{}", told("*"));
    assert!(told("[::]").starts_with("W '[::]' is every host"), "{}", told("[::]"));
}

#[test]
#[cfg_attr(not(feature = "idna"), ignore = "takes the feature `idna`")]
fn an_entry_that_no_host_can_match_is_told_with_what_to_write() {
    let alone = "write the hosts by name; * alone lets every host pass";
    for (list, fixes) in [
        ("a.example;*.b.example;[::1];bücher.example;10.0.0.1;a_b", &[][..]),
        ("a.example; b.example", &["write b.example"]),
        ("a.example:5000;[::1]:80", &["write a.example", "write [::1]"]),
        ("https://a.example/b", &["write a.example"]),
        ("a.example,b.example", &["write a.example;b.example"]),
        ("a.example b.example", &["write a.example;b.example"]),
        ("a.example/", &["write a.example"]),
        ("*a.example", &["write *.a.example"]),
        (".a.example", &["write *.a.example for what is below it"]),
        ("::1", &["write [::1]"]),
        ("\"a.example\"", &["write a.example"]),
        ("${HOST}", &["write the host itself"]),
        ("127.0.0.1/8", &["write the hosts by name"]),
        ("a.*.example", &["write *. and the end of the hosts"]),
        ("a.example;[::1", &["write the host as it stands in a URL"]),
        (" ", &["remove it"]),
        ("*:80", &[alone]),
        ("http://*:80", &[alone]),
    ] {
        let argument = format!("--AllowedHosts={list}");
        let settings = read(&[&argument], &[]);
        assert!(settings.stages.allowed_hosts.is_some(), "{list}");
        let told: Vec<_> = settings.problems.iter().filter_map(|it| it.fix.as_deref()).collect();
        assert_eq!(told, fixes, "{list}");
    }
    for (host, fix) in [
        ("a.example:443", "write a.example"),
        ("*.a.example", "write each host by its name"),
        ("*", "write each host by its name"),
    ] {
        let hosts = format!("--Hsts:ExcludedHosts:0={host}");
        let settings = read(&["--Hsts:Enabled=true", &hosts], &[]);
        let told: Vec<_> = settings.problems.iter().filter_map(|it| it.fix.as_deref()).collect();
        assert_eq!(told, [fix], "{host}");
    }
}

#[test]
fn a_header_is_of_one_fact() {
    for (name, text) in [
        ("ForwardedForHeaderName", "Host"),
        ("OriginalForHeaderName", "Host"),
        ("ForwardedForHeaderName", "content-length"),
        ("ForwardedForHeaderName", "X-Forwarded-Proto"),
        ("OriginalHostHeaderName", "x-forwarded-host"),
    ] {
        let argument = format!("--ForwardedHeaders:{name}={text}");
        let settings = read(&["--ForwardedHeaders:Enabled=true", &argument], &[]);
        let start = format!("'{}' cannot be the header of", text.to_lowercase());
        let told = super::told(&settings, Severity::Error);
        assert!(told.len() == 1 && told[0].starts_with(&start), "{argument}: {told:?}");
    }
    let swapped = [
        "--ForwardedHeaders:Enabled=true",
        "--ForwardedHeaders:ForwardedForHeaderName=X-Real-IP",
        "--ForwardedHeaders:OriginalForHeaderName=X-Forwarded-For",
    ];
    assert_eq!(read(&swapped, &[]).problems, []);
    let same = [
        "--ForwardedHeaders:ForwardedForHeaderName=a",
        "--ForwardedHeaders:OriginalForHeaderName=A",
    ];
    let settings = read(&[&same[..], &["--ForwardedHeaders:Enabled=true"]].concat(), &[]);
    assert_eq!(told(&settings, Severity::Error).len(), 1);
    let no_name = "--ForwardedHeaders:ForwardedForHeaderName=a b";
    let settings = read(&["--ForwardedHeaders:Enabled=true", no_name], &[]);
    assert_eq!(settings.problems[0].cause.as_deref(), Some("'a b' is no name of a header."));
}

#[test]
fn what_cannot_be_a_proxy_is_told_with_what_to_write() {
    for (name, text, fix) in [
        ("KnownProxies:0", "10.0.0.0/8", "move it to ForwardedHeaders:KnownIPNetworks"),
        ("KnownProxies:0", "10.0.0.1:80", "write 10.0.0.1"),
        ("KnownProxies:0", "[::1]:80", "write ::1"),
        ("KnownProxies:0", "[::1]", "write ::1"),
        ("KnownProxies:0", "nginx", "write the address that the proxy connects from"),
        (
            "KnownIPNetworks:0",
            "10.0.0.1",
            "write 10.0.0.1/32, or move it to ForwardedHeaders:KnownProxies",
        ),
        ("KnownIPNetworks:0", "10.0.0.1/8", "write 10.0.0.0/8"),
        ("KnownIPNetworks:0", "2001:db8::1/32", "write 2001:db8::/32"),
        ("KnownIPNetworks:0", "10.0.0.1/33", "write 10.0.0.1/32 for this one address"),
        ("KnownIPNetworks:0", "10.0.0.0/255.0.0.0", "write 10.0.0.0/8"),
        ("KnownIPNetworks:0", "*", "write 0.0.0.0/0 and ::/0"),
        (
            "KnownProxies:0",
            "localhost",
            "write 127.0.0.0/8 and ::1/128, in ForwardedHeaders:KnownIPNetworks",
        ),
        ("AllowedHosts:0", "a.example:80", "write a.example"),
        ("ForwardedHeaders", "XForwardedFor, XForwardedPrato", "write XForwardedProto"),
        (
            "ForwardLimit",
            "all",
            "write the number of proxies in a row, or in a file null for any number",
        ),
        (
            "ForwardedForHeaderName",
            "X Real IP",
            "write the name of a header, such as X-Forwarded-For, or remove it",
        ),
    ] {
        let key = format!("ForwardedHeaders:{name}");
        let arguments = ["--ForwardedHeaders:Enabled=true".to_owned(), format!("--{key}={text}")];
        let problems = read(&[&arguments[0], &arguments[1]], &[]).problems;
        let [problem] = &problems[..] else { panic!("{key}={text}: {problems:?}") };
        assert_eq!(problem.fix.as_deref(), Some(fix), "{key}={text}");
        assert_eq!(problem.key.as_deref(), Some(&*key));
    }
}

#[test]
fn what_is_said_of_a_value_is_true_of_it() {
    are_told(&[
        (
            r#"{"Rewrite":{"Enabled":true,"Rules":{"Path":"/a","Redirect":"/b"}}}"#,
            "E 'Rewrite:Rules' is a list of rules, and 'Path' is none.",
            "[ { \"Path\": \"/old\", \"Redirect\": \"/new\" } ]",
        ),
        (
            r#"{"RateLimiter":{"Enabled":true,"GlobalLimiter":{"Limiter":"TokenBucket","TokenLimit":1,"TokensPerPeriod":1,"ReplenishmentPeriod":"00:00:01","PermitLimit":5}}}"#,
            "W 'RateLimiter:GlobalLimiter:PermitLimit' has no effect: a TokenBucket does not read it.",
            "remove it, or set Limiter to FixedWindow or SlidingWindow or Concurrency; a TokenBucket reads TokenLimit, TokensPerPeriod, ReplenishmentPeriod",
        ),
        (
            r#"{"RateLimiter":{"Enabled":true,"GlobalLimiter":{"PermitLimit":1,"Window":"00:00:01","PartitionBy":"Ip"}}}"#,
            "E Failed to convert configuration value 'Ip' at 'RateLimiter:GlobalLimiter:PartitionBy' to type 'PartitionBy'.",
            "write one of ClientAddress, Header, Path, None",
        ),
    ]);
    for (json, cause) in [
        (
            r#"{"AccessLog":{"Enabled":true,"SampleRate":10}}"#,
            "'10' is a number that is not taken here.",
        ),
        (r#"{"AccessLog":{"Enabled":true,"SampleRate":"1/2"}}"#, "'1/2' is no number."),
        (
            r#"{"ResponseCompression":{"Enabled":true,"Providers":"gzip"}}"#,
            "It would be as if nothing stood there.",
        ),
        (
            r#"{"ForwardedHeaders":{"Enabled":true,"KnownProxies":"10.0.0.1"}}"#,
            "Without its entries more would be let in than is meant.",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        let inputs = Inputs { current_directory: folder.path().to_owned(), ..Inputs::default() };
        let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
        let [problem] = &settings.problems[..] else { panic!("{json}: {:?}", settings.problems) };
        assert!(problem.details().contains(cause), "{json}: {}", problem.details());
    }
}

#[test]
fn what_is_missing_does_not_hide_the_name_that_was_misspelled() {
    for (json, fix) in [
        (
            r#"{"Cors":{"Enabled":true,"Policies":{"default":{"Origin":["https://a.example"]}}}}"#,
            "did you mean Cors:Policies:default:Origins?",
        ),
        (
            r#"{"RateLimiter":{"Enabled":true,"Policies":{"a":{"Path":"/a","PermitLimit":1,"Window":"00:01:00"}}}}"#,
            "did you mean RateLimiter:Policies:a:Paths?",
        ),
    ] {
        let (_, told) = stages(json, &[]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().any(|line| line.ends_with(fix)), "{told:?}");
    }
}
