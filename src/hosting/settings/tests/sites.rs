//! Sites: whose settings they have, and what is told of them.

use super::*;

fn read_of(json: &str) -> HostSettings {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
    let inputs = Inputs {
        current_directory: folder.path().to_owned(),
        code: CodeSettings { host_alone: true, ..CodeSettings::default() },
        ..Inputs::default()
    };
    HostSettings::read(&load(&inputs), InCode::default(), |_| {})
}

fn told(json: &str) -> Vec<(Severity, String, String)> {
    let problems = read_of(json).problems.into_iter();
    problems.map(|it| (it.severity, it.message, it.key.unwrap_or_default())).collect()
}

#[test]
fn a_site_has_hosts_a_path_and_stages_of_its_own() {
    let settings = read_of(
        r#"{"Hsts": {"Enabled": true}, "Sites": {
            "b": {"Hosts": "b.example; *.b.example:8443", "Rewrite": {"Enabled": true,
                "Rules": [{"Path": "/", "Redirect": "/x"}]}},
            "A": {"PathBase": "/a%20b/", "Cors": {"Enabled": true,
                "Policies": {"default": {"Origins": ["https://a"]}}}, "webroot": "."}}}"#,
    );
    assert!(settings.problems.iter().all(|it| !it.is_error()), "{:?}", settings.problems);
    let sites = settings.stages.sites.expect("sites");
    assert!(sites.is_last);
    let [a, b] = &sites.sites[..] else { panic!("two sites") };
    assert_eq!(
        (a.shown().as_str(), b.shown().as_str()),
        ("A for * below /a b", "b for b.example, *.b.example:8443",)
    );
    assert!(a.stages.cors.is_some() && a.stages.static_files.is_some());
    assert!(b.stages.cors.is_none() && b.stages.static_files.is_none());
    assert!(a.stages.hsts.is_none() && settings.stages.hsts.is_some());
    assert_eq!(b.names().collect::<Vec<_>>(), ["b.example", "*.b.example"]);
}

#[test]
fn what_a_site_cannot_be_is_told_with_its_name() {
    use Severity::{Error, Warning};
    for (site, severity, message, key) in [
        (r#"{"webroot": "."}"#, Error, "The site 'A': It is for no request", "Sites:A:webroot"),
        (
            r#"{"PathBase": "/", "webroot": "."}"#,
            Error,
            "The site 'A': It is for no request",
            "Sites:A:PathBase",
        ),
        (
            r#"{"Hosts": ["https://a"], "webroot": "."}"#,
            Error,
            "The site 'A': 'https://a' is no host of a site: it is a URL",
            "Sites:A:Hosts:0",
        ),
        (
            r#"{"Hosts": ["a:99999"], "webroot": "."}"#,
            Error,
            "The site 'A': 'a:99999' is no host of a site: its port",
            "Sites:A:Hosts:0",
        ),
        (
            r#"{"Hosts": "a b", "webroot": "."}"#,
            Error,
            "The site 'A': 'a b' is no host of a site: hosts are separated",
            "Sites:A:Hosts",
        ),
        (
            r#"{"Hosts": ["a"]}"#,
            Warning,
            "The site 'A': Nothing answers its requests",
            "Sites:A:Hosts:0",
        ),
        (
            r#"{"Hosts": ["a"], "AspNetCore": {"ProcessPath": "/bin/sh", "Enabled": false}}"#,
            Warning,
            "The site 'A': Nothing answers its requests",
            "Sites:A:AspNetCore:Enabled",
        ),
        // Nothing besides: it follows from what is told.
        (
            r#"{"Hosts": ["a"], "AspNetCore": {"Arguments": "app.py"}}"#,
            Error,
            "The site 'A': 'AspNetCore:ProcessPath' is missing",
            "Sites:A:AspNetCore:ProcessPath",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": "gone"}"#,
            Warning,
            "The site 'A': The web root ",
            "Sites:A:webroot",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "Hsts": {"MaxAge": "x", "Enabled": true}}"#,
            Error,
            "The site 'A': ",
            "Sites:A:Hsts:MaxAge",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "Hsts": {"MaxAge": "1"}}"#,
            Warning,
            "The site 'A': 'Sites:A:Hsts:MaxAge' has no effect",
            "Sites:A:Hsts:MaxAge",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "Hots": ["b"]}"#,
            Error,
            "The site 'A': The key 'Sites:A:Hots' means nothing",
            "Sites:A:Hots",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "HealthChecks": {"Enabled": true}}"#,
            Error,
            "The site 'A': The key 'Sites:A:HealthChecks' means nothing",
            "Sites:A:HealthChecks",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "BasicAuthentification": {"Passwords": {"a": "b"}}}"#,
            Error,
            "The site 'A': The key 'Sites:A:BasicAuthentification' means nothing",
            "Sites:A:BasicAuthentification",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "BasicAuthentication": {"Enabled": null, "Passwords": {"a": "b"}}}"#,
            Error,
            "The site 'A': Nobody is asked for a password",
            "Sites:A:BasicAuthentication:Passwords:a",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "BasicAuthentication": [{"Enabled": true}]}"#,
            Error,
            "The site 'A': Nobody is asked for a password",
            "Sites:A:BasicAuthentication:0:Enabled",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "BasicAuthentication": true}"#,
            Error,
            "The site 'A': Nobody is asked for a password",
            "Sites:A:BasicAuthentication",
        ),
        (
            r#"{"Hosts": [["a"]], "webroot": "."}"#,
            Error,
            "The site 'A': 'Hosts:0' is one text",
            "Sites:A:Hosts:0",
        ),
        (
            r#"{"Hosts": ["_"], "webroot": "."}"#,
            Error,
            "The site 'A': '_' is no host of a site",
            "Sites:A:Hosts:0",
        ),
        (
            r#"{"Hosts": ["256.1.1.1"], "webroot": "."}"#,
            Error,
            "The site 'A': '256.1.1.1' is no host of a site: it is no address",
            "Sites:A:Hosts:0",
        ),
        (
            r#"{"Hosts": ["a"], "PathBase": "/a/../b", "webroot": "."}"#,
            Error,
            "The site 'A': No request begins with",
            "Sites:A:PathBase",
        ),
        (
            r#"{"Hosts": ["a"], "PathBase": "/a//b", "webroot": "."}"#,
            Error,
            "The site 'A': No request begins with '/a//b'",
            "Sites:A:PathBase",
        ),
        (
            r#"{"Hosts": ["a"], "PathBase": ["/a"], "webroot": "."}"#,
            Error,
            "The site 'A': 'PathBase' of a site is one text",
            "Sites:A:PathBase:0",
        ),
        (
            r#"{"Hosts": ["*"], "webroot": ".", "Certificate": {"Path": "a.pem"}}"#,
            Warning,
            "The certificate of the site 'A' is never served",
            "Sites:A:Certificate",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "Limits": {"MaxRequestBodySize": -1}}"#,
            Error,
            "The site 'A': Value must be null or a non-negative number.",
            "Sites:A:Limits:MaxRequestBodySize",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "Limits": {"keepAliveTimeout": "00:00:10"}}"#,
            Error,
            "The site 'A': A site has no limit 'KeepAliveTimeout' of its own.",
            "Sites:A:Limits:keepAliveTimeout",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "Limits": {"Http2": {"MaxFrameSize": 1}}}"#,
            Error,
            "The site 'A': A site has no limit 'Http2' of its own.",
            "Sites:A:Limits:Http2",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "Limits": {"MaxRequestBodySiz": 1}}"#,
            Error,
            "The site 'A': The key 'Limits:MaxRequestBodySiz' means nothing",
            "Sites:A:Limits:MaxRequestBodySiz",
        ),
        (
            r#"{"Hosts": ["a"], "webroot": ".", "Limits": 5}"#,
            Error,
            "The site 'A': 'Sites:A:Limits' is a section",
            "Sites:A:Limits",
        ),
        (r#""a.example""#, Error, "'Sites:A' is a section", "Sites:A"),
    ] {
        let problems = told(&format!(r#"{{"Sites": {{"A": {site}}}}}"#));
        let is_it = |(of, text, at): &(Severity, String, String)| {
            *of == severity && text.starts_with(message) && at == key
        };
        assert!(problems.iter().any(is_it), "{site}: {problems:#?}");
    }
}

#[test]
fn a_limit_of_a_site_is_told_once() {
    let problems = told(
        r#"{"Sites": {"A": {"Hosts": ["a"], "webroot": ".", "Limits": {"MaxRequestLineSize": 5, "Body": 1}}}}"#,
    );
    let errors = problems.iter().filter(|(severity, ..)| *severity == Severity::Error);
    assert_eq!(errors.count(), 2, "{problems:#?}");
}

#[test]
fn two_sites_for_the_same_requests_are_a_mistake() {
    let site = |host: &str, base: &str| {
        format!(r#"{{"Hosts": ["x", "{host}"], "PathBase": "{base}", "webroot": "."}}"#)
    };
    for (one, other, expected) in [
        (site("a", "/p"), site("b", "/p"), true),
        (site("a", "/p"), site("b", "/P"), true),
        (site("a", "/p"), site("b", "/q"), false),
    ] {
        let problems = told(&format!(r#"{{"Sites": {{"A": {one}, "B": {other}}}}}"#));
        let found = problems.iter().any(|(_, text, _)| {
            text.starts_with(
                "The site 'A' is for the same requests as the site 'B': those for x, below",
            )
        });
        assert_eq!(found, expected, "{problems:?}");
    }
}

#[test]
fn two_programs_at_one_port_are_a_mistake() {
    let program =
        |listen: &str| format!(r#""AspNetCore": {{"ProcessPath": "sh", "Listen": {listen}}}"#);
    for (host, one, other, expected) in [
        (
            None,
            "5001",
            "5001",
            &["'A' is to listen on port 5001, and that of the site 'B'", "'B' is"][..],
        ),
        (Some("5001"), "5001", "5002", &["'A' is to listen on port 5001, and that of the host"]),
        (Some("5003"), "5001", "5002", &[]),
        (Some("\"port\""), "\"port\"", "\"port\"", &[]),
    ] {
        let host = host.map_or_else(String::new, |listen| format!("{}, ", program(listen)));
        let (one, other) = (program(one), program(other));
        let problems = told(&format!(
            r#"{{{host}"Sites": {{"A": {{"Hosts": ["a"], {one}}}, "B": {{"Hosts": ["b"], {other}}}}}}}"#
        ));
        let wrong: Vec<_> =
            problems.iter().filter(|(_, text, _)| text.contains("is to listen on port")).collect();
        assert_eq!(wrong.len(), expected.len(), "{problems:?}");
        for (wrong, expected) in wrong.iter().zip(expected) {
            assert!(wrong.0 == Severity::Error && wrong.1.contains(expected), "{wrong:?}");
        }
    }
}

#[test]
fn a_password_of_a_site_is_as_secret_as_one_at_the_top() {
    for (site, secret) in [
        (
            r#"{"Hosts": ["a"], "BasicAuthentication": {"Enabled": "sesame1", "Passwords": {"bob": "$6$sesame2"}}}"#,
            "sesame2",
        ),
        (r#"{"Hosts": ["a"], "Certificate": {"Path": "a.pfx", "Passwort": "sesame3"}}"#, "sesame3"),
    ] {
        let problems = read_of(&format!(r#"{{"Sites": {{"A": {site}}}}}"#)).problems;
        assert!(!problems.is_empty());
        let all: String = problems.iter().map(ToString::to_string).collect();
        assert!(!all.contains(secret), "{all}");
    }
}

#[test]
fn keys_of_sites_are_told_from_others() {
    for (key, site) in [
        ("Sites:Shop:Hosts:0", Some("Shop")),
        ("sites:Shop", Some("Shop")),
        ("Sites", None),
        ("Sites:", None),
        ("Site:Shop", None),
        ("Hsts:Enabled", None),
    ] {
        assert_eq!(site_of(key), site, "{key}");
    }
}

#[test]
fn a_misspelled_section_of_sites_is_told() {
    let site = r#"{"A": {"Hosts": ["a"], "webroot": "."}}"#;
    for (name, is_told) in [("Site", true), ("Sits", true), ("Places", false)] {
        let problems = read_of(&format!(r#"{{"{name}": {site}}}"#)).problems;
        let fix = Some("did you mean Sites?");
        assert_eq!(problems.iter().any(|it| it.fix.as_deref() == fix), is_told, "{problems:?}");
    }
}

#[test]
fn what_is_on_for_all_sites_is_not_off_in_one() {
    let told = told(
        r#"{"Hsts": {"Enabled": true}, "AllowedHosts": "b.example",
            "Sites": {"A": {"Hosts": ["a.example"], "webroot": ".", "Hsts": {"Enabled": false}}}}"#,
    );
    for message in [
        "The site 'A': 'Sites:A:Hsts:Enabled' has no effect: it is on for all sites.",
        "The site 'A': No request for a.example gets here: AllowedHosts refuses them.",
    ] {
        assert!(told.iter().any(|(_, text, _)| text == message), "{message}: {told:#?}");
    }
}

#[test]
fn what_was_said_more_strongly_are_the_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let json = r#"{"Sites": {"A": {"Hosts": ["a.x", "b.x"], "webroot": "."}}}"#;
    std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
    let inputs = Inputs {
        current_directory: folder.path().to_owned(),
        arguments: vec![(0, "--Sites:A:Hosts=c.x".to_owned())],
        ..Inputs::default()
    };
    let settings = HostSettings::read(&load(&inputs), InCode::default(), |_| {});
    let sites = settings.stages.sites.expect("sites").sites;
    assert_eq!(sites[0].shown(), "A for c.x");
}

#[test]
fn what_is_to_be_written_for_a_site_is_said_with_the_whole_key() {
    let route = |route: &str, cluster: &str| {
        format!(
            r#"{{"RateLimiter": {{"Enabled": true, "Policies": {{"rl": {{}}}}}}, "Sites": {{"S": {{"Hosts": ["s.example"],
            "ReverseProxy": {{"Routes": {{"r": {{"Match": {{"Path": "/x"}}, {route}}}}},
                "Clusters": {{"c": {{"Destinations": {{"d": {{{cluster}}}}}}}}}}}}}}}}}"#
        )
    };
    let address = r#""Address": "http://127.0.0.1:9""#;
    for (json, fix) in [
        (
            route(r#""ClusterId": "c", "RateLimiterPolicy": "rl""#, address),
            "write Sites:S:RateLimiter:Policies:rl, or Default or Disable",
        ),
        (
            route(r#""ClusterId": "c", "TimeoutPolicy": "t""#, address),
            "write Sites:S:RequestTimeouts:Policies:t, or Default or Disable",
        ),
        (
            route(r#""ClusterId": "c", "CorsPolicy": "Default""#, address),
            "set Sites:S:Cors:Enabled to true and write Sites:S:Cors:Policies:default",
        ),
        (
            route(r#""ClusterId": "other""#, address),
            "write Sites:S:ReverseProxy:Clusters:other, or name one that is there",
        ),
        (
            route(r#""ClusterId": "c""#, r#""Adress": "http://127.0.0.1:9""#),
            "did you mean Sites:S:ReverseProxy:Clusters:c:Destinations:d:Address?",
        ),
        // What is the host's is said as it is.
        (
            r#"{"Sites": {"S": {"Hosts": ["s"], "webroot": ".", "Limits": {"MaxRequestLineSize": 9}}}}"#
                .to_owned(),
            "write Kestrel:Limits:MaxRequestLineSize, which counts for all sites",
        ),
        (
            r#"{"Sites": {"S": {"Hosts": ["s"], "webroot": ".", "AllowedHosts": "s"}}}"#.to_owned(),
            "write AllowedHosts at the top: it is the host's",
        ),
    ] {
        let problems = read_of(&json).problems;
        let fixes: Vec<_> = problems.iter().filter_map(|it| it.fix.as_deref()).collect();
        assert!(fixes.contains(&fix), "{fix}: {fixes:?}");
    }
}
