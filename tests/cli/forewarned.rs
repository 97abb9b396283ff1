//! What cannot work is told by the start and by the plan alike, and not by the first request that finds out.

use std::fs;
use std::path::Path;

use crate::http::get;
use crate::process::Kestrel;
use crate::rights::without;

/// The binary with these settings, in a folder with a site.
fn kestrel(settings: &str, arguments: &[&str]) -> Kestrel {
    let kestrel = Kestrel::new(arguments.iter().copied()).file("appsettings.json", settings);
    fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
    kestrel
}

/// What the plan says, and what a start does.
fn told(settings: &str, urls: &str) -> [String; 2] {
    let plan = kestrel(settings, &["run", "--plan", "--urls", urls]).ended();
    let start = kestrel(settings, &["run", "--urls", urls]).stopped_if_started();
    [plan.stderr, start.stdout + &start.stderr]
}

const LOCAL: &str = "http://127.0.0.1:0";

#[test]
fn places_that_cannot_be_used_are_told() {
    for (settings, message) in [
        (
            r#"{"AccessLog":{"Enabled":true,"Path":"appsettings.json/a/access.log"}}"#,
            "The access log cannot be written: {root}/appsettings.json/a/access.log: {root}/appsettings.json is no folder.",
        ),
        (
            r#"{"W3CLogging":{"Enabled":true,"LogDirectory":"appsettings.json"}}"#,
            "W3C log files cannot be written: {root}/appsettings.json: it is no folder.",
        ),
        (
            r#"{"NavigationFallback":{"Path":"/app.html"}}"#,
            "'NavigationFallback:Path' has no effect: {root}/wwwroot/app.html is not there.",
        ),
        (
            r#"{"StaticFiles":{"NotFoundPage":"gone.html"}}"#,
            "'StaticFiles:NotFoundPage' has no effect: {root}/wwwroot/gone.html is not there.",
        ),
        (
            r#"{"webroot":"appsettings.json"}"#,
            "The web root {root}/appsettings.json cannot be created: {root}/appsettings.json is no folder.",
        ),
    ] {
        for arguments in [&["run", "--plan"][..], &["run", "--urls", LOCAL]] {
            let kestrel = kestrel(settings, arguments);
            let message = message.replace("{root}", &kestrel.root().display().to_string());
            let outcome = kestrel.stopped_if_started();
            let said = outcome.stdout + &outcome.stderr;
            assert_eq!(said.matches(&message).count(), 1, "{message}: {said}");
            assert!(said.contains("set by: appsettings.json:1:"), "{said}");
        }
    }
}

#[test]
fn what_would_be_given_away_or_spoilt_is_told() {
    for (settings, message, is_refused) in [
        (
            r#"{"AccessLog":{"Enabled":true,"Path":"wwwroot/access.log"}}"#,
            "The access log can be asked for: {root}/wwwroot/access.log.",
            false,
        ),
        (
            r#"{"W3CLogging":{"Enabled":true,"LogDirectory":"wwwroot/logs"}}"#,
            "The W3C log files can be asked for: {root}/wwwroot/logs.",
            false,
        ),
        (
            r#"{"W3CLogging":{"Enabled":true,"LoggingFields":"All"}}"#,
            "W3C log files will have the cookies of clients in clear text.",
            false,
        ),
        (
            r#"{"Kestrel":{"Certificates":{"Default":{"Path":"a.pem","KeyPath":"wwwroot/a.txt"}}}}"#,
            "The key in {root}/wwwroot/a.txt can be asked for.",
            false,
        ),
        (
            r#"{"HealthChecks":{"Enabled":true,"LivePath":"/"}}"#,
            "Nobody gets the first page: health is told there ('HealthChecks:LivePath').",
            false,
        ),
        (
            r#"{"HealthChecks":{"Enabled":true,"ReadyPath":"/a.txt"}}"#,
            "Nobody gets the file /a.txt: health is told there ('HealthChecks:ReadyPath').",
            false,
        ),
        (
            r#"{"AccessLog":{"Enabled":true,"Path":"wwwroot/../appsettings.json"}}"#,
            "The access log would be written into the settings file {root}/appsettings.json.",
            true,
        ),
        (
            r#"{"AccessLog":{"Enabled":true,"Path":"appsettings.Production.json"}}"#,
            "The access log would be written into the settings file {root}/appsettings.Production.json.",
            true,
        ),
        (
            r#"{"AccessLog":{"Enabled":true,"Path":"a.pem"},"Kestrel":{"Certificates":{"Default":{"Path":"a.pem"}}}}"#,
            "The access log would be written into the file of Kestrel:Certificates:Default:Path.",
            true,
        ),
    ] {
        for arguments in [&["run", "--plan"][..], &["run", "--urls", LOCAL]] {
            let kestrel = kestrel(settings, arguments);
            let root = kestrel.root();
            fs::write(root.join("wwwroot/a.txt"), "a").expect("the folder is ours");
            let message = message.replace("{root}", &root.display().to_string());
            let outcome = kestrel.stopped_if_started();
            let said = outcome.stdout + &outcome.stderr;
            assert_eq!(said.matches(&message).count(), 1, "{message}: {said}");
            assert_eq!(said.contains(&format!("error: {message}")), is_refused, "{said}");
        }
    }
    // What nobody can ask for is nobody's business.
    for path in ["logs/access.log", "wwwroot/.logs/access.log"] {
        let settings = format!(r#"{{"AccessLog":{{"Enabled":true,"Path":"{path}"}}}}"#);
        for said in told(&settings, LOCAL) {
            assert!(!said.contains("can be asked for"), "{path}: {said}");
        }
    }
}

#[test]
fn a_rule_against_the_slash_of_folders_is_told() {
    const MESSAGE: &str = "'Rewrite:Rules:0:TrailingSlash' sends clients round in circles";
    let with = |rule: &str, more: &str| {
        format!(r#"{{"Rewrite":{{"Enabled":true,"Rules":[{{{rule}}}]}}{more}}}"#)
    };
    const REMOVE: &str = r#""TrailingSlash":"Remove""#;
    for (settings, is_told) in [
        (with(REMOVE, ""), true),
        (with(&format!(r#"{REMOVE},"Prefix":"/sub""#), ""), true),
        (with(&format!(r#"{REMOVE},"Prefix":"/elsewhere""#), ""), false),
        (with(r#""TrailingSlash":"Add""#, ""), false),
        (with(REMOVE, r#","StaticFiles":{"RedirectToAppendTrailingSlash":false}"#), false),
        (with(REMOVE, r#","StaticFiles":{"Enabled":false}"#), false),
    ] {
        let plan = kestrel(&settings, &["run", "--plan", "--urls", LOCAL]);
        fs::create_dir(plan.root().join("wwwroot/sub")).expect("the folder is ours");
        let said = plan.ended().stderr;
        assert_eq!(said.contains(MESSAGE), is_told, "{settings}: {said}");
    }
}

#[test]
fn what_this_user_may_not_use_is_told() {
    const SETTINGS: &str =
        r#"{"AccessLog":{"Enabled":true,"Path":"closed/access.log"},"webroot":"closed"}"#;
    let Some(_) = without("-dac_override,-dac_read_search", "closed folders") else { return };
    let by = without("-dac_override,-dac_read_search", "closed folders").expect("it was there");
    let kestrel =
        Kestrel::by(by).argument("run").argument("--plan").file("appsettings.json", SETTINGS);
    let closed = kestrel.root().join("closed");
    fs::create_dir(&closed).expect("the folder is ours");
    let set = |mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    set(0);
    let outcome = kestrel.spawn();
    let outcome = outcome.ended();
    assert!(outcome.stderr.contains("The access log cannot be written: "), "{}", outcome.stderr);
    let unreadable = format!("The web root {} cannot be read by the user ", closed.display());
    assert!(outcome.stderr.contains(&unreadable), "{}", outcome.stderr);
}

#[test]
fn lines_that_a_rule_keeps_away_are_told_with_the_rule() {
    const ON: &str = r#""HttpLogging":{"Enabled":true}"#;
    for (levels, rule, fix) in [
        (
            r#""Microsoft.AspNetCore":"Warning""#,
            "Microsoft.AspNetCore",
            Some("Logging:LogLevel:Microsoft.AspNetCore.HttpLogging"),
        ),
        (
            r#""Default":"Warning","Microsoft.Hosting.Lifetime":"Information""#,
            "Default",
            Some("Logging:LogLevel:Microsoft.AspNetCore.HttpLogging"),
        ),
        (
            r#""Microsoft.AspNetCore.HttpLogging":"None""#,
            "Microsoft.AspNetCore.HttpLogging",
            Some("Logging:LogLevel:Microsoft.AspNetCore.HttpLogging"),
        ),
        (
            r#""Microsoft.AspNetCore":"Warning","Microsoft.AspNetCore.HttpLogging":"Information""#,
            "",
            None,
        ),
        (r#""Default":"Debug""#, "", None),
    ] {
        let settings = format!(r#"{{{ON},"Logging":{{"LogLevel":{{{levels}}}}}}}"#);
        for said in told(&settings, LOCAL) {
            let has = said.contains("HTTP logging is on, and the log has none of its lines");
            assert_eq!(has, fix.is_some(), "{levels}: {said}");
            let Some(fix) = fix else { continue };
            let key = format!("'Logging:LogLevel:{rule}' is ");
            for part in
                [&*key, "set by: appsettings.json:1:", &format!("fix: set {fix} to Information")]
            {
                assert!(said.contains(part), "{levels}: no {part} in {said}");
            }
        }
    }
}

#[test]
fn a_redirection_that_leads_nowhere_is_told() {
    const MESSAGE: &str = "Failed to determine the https port for redirect";
    for (settings, is_told) in [
        (r#"{"HttpsRedirection":{"Enabled":true}}"#, true),
        (r#"{"HttpsRedirection":{"Enabled":true,"HttpsPort":443}}"#, false),
        (r#"{"HttpsRedirection":{"Enabled":true},"https_port":"443"}"#, false),
        (r#"{"HttpsRedirection":{"Enabled":false}}"#, false),
    ] {
        for said in told(settings, LOCAL) {
            assert_eq!(said.contains(MESSAGE), is_told, "{settings}: {said}");
        }
    }
    let both = kestrel(
        r#"{"HttpsRedirection":{"Enabled":true}}"#,
        &["run", "--plan", "--urls", "http://localhost:5000;https://localhost:5001"],
    );
    assert!(!both.ended().stderr.contains(MESSAGE));
}

#[test]
fn passwords_in_clear_text_are_told_where_others_connect() {
    const MESSAGE: &str = "Passwords go over the network in clear text";
    const USERS: &str = r#""BasicAuthentication":{"Enabled":true,"Passwords":{"a":"hunter2"}}"#;
    for (more, urls, is_told) in [
        ("", "http://0.0.0.0:0", true),
        ("", LOCAL, false),
        (r#","HttpsRedirection":{"Enabled":true}"#, "http://0.0.0.0:0", true),
        (r#","HttpsRedirection":{"Enabled":true,"HttpsPort":443}"#, "http://0.0.0.0:0", false),
        (r#","ForwardedHeaders":{"Enabled":true}"#, "http://0.0.0.0:0", false),
    ] {
        let settings = format!("{{{USERS}{more}}}");
        for said in told(&settings, urls) {
            assert_eq!(
                said.matches(MESSAGE).count(),
                usize::from(is_told),
                "{more} {urls}: {said}"
            );
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn a_reload_that_takes_away_what_was_served_warns() {
    use nix::sys::signal::Signal;

    const ON: &str = r#"{"webroot":"site","HealthChecks":{"Enabled":true}}"#;
    for (edit, message) in [
        (r#"{"webroot":"site"}"#, "Health checks are off now"),
        (
            r#"{"webroot":"site","HealthChecks":{"Enabled":true},"StaticFiles":{"Enabled":false}}"#,
            "Static files are off now",
        ),
        (
            r#"{"webroot":"elsewhere","HealthChecks":{"Enabled":true}}"#,
            "/elsewhere is not there: nothing is served from it.",
        ),
    ] {
        let kestrel = Kestrel::run(["--hostBuilder:reloadConfigOnChange=false"]);
        let kestrel = kestrel.file("appsettings.json", ON);
        let root = kestrel.root();
        site(&root);
        let running = kestrel.started();
        assert_eq!(get(&running.address(), "/a.txt", &[]).status, 200);
        fs::write(root.join("appsettings.json"), edit).expect("the folder is ours");
        running.signal(Signal::SIGHUP);
        running.wait_for("was read again on SIGHUP");
        let outcome = running.terminated();
        let warned =
            outcome.stdout.split("warn: Kestrel.").skip(1).filter(|it| it.contains(message));
        assert_eq!(warned.count(), 1, "{edit}: {}", outcome.stdout);
    }
}

fn site(root: &Path) {
    fs::create_dir(root.join("site")).expect("the folder is ours");
    fs::write(root.join("site/a.txt"), "a").expect("the folder is ours");
}
