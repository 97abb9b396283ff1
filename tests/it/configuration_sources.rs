//! Sources of configuration that a program adds, each in its place of the order.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kestrel::configuration::{
    ChangeSignal, ConfigurationSource, JsonFile, Leaf, Origin, Pairs, Problem, PushedPairs,
    Severity, SourceFn, SourcePlace, TomlFile,
};
use kestrel::{Host, HostBuilder, HostError, LiveConfiguration, Reloaded, RunningHost};

use crate::reload::Stage;
use crate::support::{Wire, saying, soon, started, stopped};

const PLACES: [SourcePlace; 4] = [
    SourcePlace::BelowFiles,
    SourcePlace::AboveFiles,
    SourcePlace::AboveVariables,
    SourcePlace::AboveCommandLine,
];

fn empty() -> HostBuilder {
    Host::empty_builder()
}

fn refused(builder: HostBuilder) -> Vec<Problem> {
    match builder.build() {
        Err(HostError::Configuration(problems)) => problems,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_source_beats_what_is_under_its_place() {
    let stage = Stage::new(r#"{ "In": { "File": "file", "Secrets": "file" } }"#);
    let keys = ["In:File", "In:Variable", "In:Argument", "In:Code"];
    for (place, wins) in PLACES.into_iter().zip(0..) {
        let host = stage
            .builder()
            .environment_variables([("In__Variable", "variable")])
            .args(["--In:Argument=argument"])
            .use_setting("In:Code", "code")
            .configuration_source(place, Pairs::new("ours", keys.map(|key| (key, "source"))))
            .build()
            .expect("nothing is wrong with it");
        for (key, strength) in keys.into_iter().zip(0..) {
            let setting = host.configuration().setting(key).expect("it is set");
            let ours = setting.value.as_deref() == Some("source");
            assert_eq!(ours, strength < wins, "{place:?} {key}");
            if ours {
                assert_eq!(setting.origin, Origin::Source("ours".to_owned()));
                assert_eq!(setting.shadowed.len(), 1, "what it beats is known");
            }
        }
    }
}

#[test]
fn the_later_of_two_in_one_place_is_the_stronger() {
    let pairs = |value| Pairs::new(value, [("Key", value)]);
    let host = empty()
        .configuration_source(SourcePlace::AboveFiles, pairs("first"))
        .configuration_source(SourcePlace::AboveFiles, pairs("second"))
        .build()
        .expect("a host");
    assert_eq!(host.configuration().value("Key"), Some("second"));
}

#[tokio::test]
async fn a_file_of_the_program_is_read_as_appsettings_is_and_again_by_reloads() {
    let stage = Stage::new("{}");
    stage.replace("more.json", r#"{ "Urls": "http://127.0.0.1:0", "Greeting": "one" }"#);
    let more = || JsonFile::required("more.json");
    let missing = JsonFile::optional("missing.json");
    let builder = stage
        .builder()
        .configuration_source(SourcePlace::AboveFiles, more())
        .configuration_source(SourcePlace::AboveFiles, missing);
    let host = started(builder.app(saying("hello"))).await;
    let greeting = || host.configuration().value("Greeting").map(str::to_owned);
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/").await.status, 200);
    assert_eq!(greeting().as_deref(), Some("one"));
    stage.replace("more.json", r#"{ "Urls": "http://127.0.0.1:0", "Greeting": "two" }"#);
    assert_eq!(soon("the reload", host.reload()).await.expect("it is right"), Reloaded::Changed);
    assert_eq!(greeting().as_deref(), Some("two"));
    stage.replace("more.json", "{");
    let error = soon("the reload", host.reload()).await.expect_err("it is broken");
    assert!(error.to_string().contains("more.json"), "{error}");
    assert_eq!(greeting().as_deref(), Some("two"));
    stopped(host).await;

    let gone = JsonFile::required("gone.json");
    let problems = refused(stage.builder().configuration_source(SourcePlace::BelowFiles, gone));
    let told = problems.iter().map(Problem::to_string).collect::<String>();
    assert!(told.contains("'gone.json' was not found and is not optional"), "{told}");
}

#[tokio::test]
async fn a_function_is_asked_again_by_each_reload_and_may_refuse_it() {
    let asked = Arc::new(AtomicUsize::new(0));
    let number = Arc::clone(&asked);
    let source = SourceFn::new("vault", move || match number.fetch_add(1, Ordering::SeqCst) {
        2 => Err("it is sealed"),
        number => Ok(vec![("Number", number.to_string()), ("Urls", "http://127.0.0.1:0".into())]),
    });
    let builder = empty().configuration_source(SourcePlace::AboveCommandLine, source);
    let host = started(builder.app(saying("hello"))).await;
    let value = || host.configuration().value("Number").map(str::to_owned);
    assert_eq!(value().as_deref(), Some("0"));
    assert_eq!(soon("the reload", host.reload()).await.expect("it is right"), Reloaded::Changed);
    assert_eq!(value().as_deref(), Some("1"));
    let error = soon("the reload", host.reload()).await.expect_err("it is sealed");
    let told = format!("{error}");
    assert!(told.contains("The source vault of the configuration cannot be read: it is sealed."));
    assert!(told.contains("set by: source vault"), "{told}");
    assert_eq!(value().as_deref(), Some("1"), "nothing has changed");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    host.stop().await;
}

#[test]
fn a_function_that_panics_is_a_mistake_like_others() {
    let source = SourceFn::new("vault", || -> Result<Vec<(String, String)>, String> {
        panic!("the vault is gone")
    });
    let problems = refused(empty().configuration_source(SourcePlace::AboveFiles, source));
    assert_eq!(problems[0].message, "The source vault of the configuration panicked.");
    assert_eq!(problems[0].origin, Some(Origin::Source("vault".to_owned())));

    struct Broken;
    impl ConfigurationSource for Broken {
        fn name(&self) -> String {
            "broken".to_owned()
        }

        fn read(&self, _: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
            Ok(Vec::new())
        }

        fn on_change(&self, _: ChangeSignal) {
            panic!("nobody listens")
        }
    }
    let problems = refused(empty().configuration_source(SourcePlace::AboveFiles, Broken));
    assert_eq!(problems[0].message, "The source broken of the configuration panicked.");
}

#[test]
fn what_is_decided_before_sources_are_read_comes_too_late_for_them() {
    let late = [("contentRoot", "/srv"), ("Environment", "Staging"), ("applicationName", "shop")];
    let source = |pairs: &[(&'static str, &'static str)]| {
        let pairs = Pairs::new("ours", pairs.iter().copied());
        empty().configuration_source(SourcePlace::AboveCommandLine, pairs)
    };
    let problems = refused(source(&late).strict(true));
    let told: Vec<_> = problems.iter().map(|it| (it.severity, it.message.as_str())).collect();
    assert_eq!(told.len(), late.len(), "{told:#?}");
    for (key, value) in late {
        let problem = problems.iter().find(|it| {
            it.message.starts_with(&format!("'{value}"))
                && it.message.contains("comes too late")
                && it.severity == Severity::Warning
                && it.origin == Some(Origin::Source("ours".to_owned()))
        });
        let fix = problem.and_then(|it| it.fix.as_deref()).unwrap_or_default();
        assert!(fix.contains("or in code by HostBuilder::"), "{key}: {problems:#?}");
    }
    // What says the same as what was decided is no mistake.
    assert!(source(&[("environment", "Production")]).strict(true).build().is_ok());
}

#[tokio::test]
async fn a_toml_file_is_a_source_with_places_and_is_read_again_by_reloads() {
    let stage = Stage::new("{}");
    let with =
        |greeting: &str| format!("Urls = \"http://127.0.0.1:0\"\n[Say]\nGreeting = {greeting}\n");
    stage.replace("more.toml", &with("\"one\""));
    let builder = stage
        .builder()
        .configuration_source(SourcePlace::AboveFiles, TomlFile::required("more.toml"))
        .configuration_source(SourcePlace::AboveFiles, TomlFile::optional("missing.toml"));
    let host = started(builder.app(saying("hello"))).await;
    let setting = || host.configuration().setting("say:greeting").cloned().expect("it is set");
    assert_eq!(Wire::connect(&host.addresses()[0]).await.get("/").await.status, 200);
    assert_eq!(setting().value.as_deref(), Some("one"));
    assert_eq!(setting().origin.to_string(), "more.toml:3:12");
    stage.replace("more.toml", &with("\"two\""));
    assert_eq!(soon("the reload", host.reload()).await.expect("it is right"), Reloaded::Changed);
    assert_eq!(setting().value.as_deref(), Some("two"));
    stage.replace("more.toml", &with("three"));
    let error = soon("the reload", host.reload()).await.expect_err("it is broken");
    assert!(error.to_string().contains("set by: more.toml:3:12"), "{error}");
    assert_eq!(setting().value.as_deref(), Some("two"));
    stopped(host).await;

    let gone = TomlFile::required("gone.toml");
    let problems = refused(stage.builder().configuration_source(SourcePlace::BelowFiles, gone));
    assert!(problems[0].message.contains("'gone.toml' was not found and is not optional"));
    assert!(problems[0].fix.as_deref().is_some_and(|fix| fix.contains("TomlFile::optional")));
}

/// A host, and the configuration of the moment.
async fn live(builder: HostBuilder) -> (RunningHost, LiveConfiguration) {
    let host = builder.app(saying("hello")).build().expect("the configuration is right");
    let live = host.context().live_configuration.clone();
    (soon("start", host.start()).await.expect("the host starts"), live)
}

#[tokio::test]
async fn values_that_are_pushed_are_a_reload_which_may_refuse_them() {
    let endpoint = |url: &'static str, greeting: &'static str| {
        [("Kestrel:Endpoints:A:Url", url), ("Greeting", greeting)]
    };
    let vault = PushedPairs::new("vault", endpoint("http://127.0.0.1:0", "one"));
    let builder = || empty().configuration_source(SourcePlace::AboveFiles, vault.clone());
    let (host, mut now) = live(builder()).await;
    let (other, mut of_other) = live(builder()).await;
    let address = host.addresses();
    let greeting = |now: &LiveConfiguration| now.value("Greeting");
    assert_eq!(greeting(&now).as_deref(), Some("one"));

    vault.push(endpoint("http://127.0.0.1:0", "two"));
    for now in [&mut now, &mut of_other] {
        soon("the push", now.changed()).await.expect("the host is there");
        assert_eq!(greeting(now).as_deref(), Some("two"));
    }
    assert_eq!(host.addresses(), address, "the endpoint is as it was");

    // What is wrong changes nothing, not even what is right beside it.
    vault.push(endpoint("http://127.0.0.1:x", "three"));
    let error = soon("the reload", host.reload()).await.expect_err("they are wrong");
    assert!(error.to_string().contains("set by: source vault"), "{error}");
    assert_eq!(greeting(&now).as_deref(), Some("two"));
    vault.push(endpoint("http://127.0.0.1:0", "four"));
    soon("the push", now.changed()).await.expect("the host is there");
    assert_eq!(greeting(&now).as_deref(), Some("four"));
    stopped(host).await;

    // One that is gone is not told any more, and the other one is.
    vault.push(endpoint("http://127.0.0.1:0", "five"));
    while greeting(&of_other).as_deref() != Some("five") {
        soon("the push", of_other.changed()).await.expect("the host is there");
    }
    stopped(other).await;
}

#[tokio::test]
async fn what_is_pushed_before_the_host_runs_is_in_effect_once_it_does() {
    let vault = PushedPairs::new("vault", [("Greeting", "one"), ("Urls", "http://127.0.0.1:0")]);
    let builder = empty().configuration_source(SourcePlace::AboveFiles, vault.clone());
    let host = builder.app(saying("hello")).build().expect("the configuration is right");
    let mut now = host.context().live_configuration.clone();
    vault.push([("Greeting", "two"), ("Urls", "http://127.0.0.1:0")]);
    let host = soon("start", host.start()).await.expect("the host starts");
    soon("the push", now.changed()).await.expect("the host is there");
    assert_eq!(now.value("Greeting").as_deref(), Some("two"));
    stopped(host).await;
}

#[test]
fn a_signal_knows_whether_its_host_is_gone() {
    let signals = Arc::new(std::sync::Mutex::new(Vec::<ChangeSignal>::new()));
    struct Kept(Arc<std::sync::Mutex<Vec<ChangeSignal>>>);
    impl ConfigurationSource for Kept {
        fn name(&self) -> String {
            "kept".to_owned()
        }

        fn read(&self, _: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
            Ok(Vec::new())
        }

        fn on_change(&self, changed: ChangeSignal) {
            self.0.lock().expect("nobody panics").push(changed);
        }
    }
    let source = Kept(Arc::clone(&signals));
    let host =
        empty().configuration_source(SourcePlace::AboveFiles, source).build().expect("a host");
    let signal = signals.lock().expect("nobody panics")[0].clone();
    assert!(signal.send());
    drop(host);
    assert!(!signal.send());
}

#[test]
fn what_a_source_set_is_told_by_its_name() {
    let endpoint = |url| Pairs::new("cluster", [("Kestrel:Endpoints:A:Url", url)]);
    let wrong =
        empty().configuration_source(SourcePlace::AboveFiles, endpoint("http://nonsense:x"));
    let problems = refused(wrong);
    let origin = Some(Origin::Source("cluster".to_owned()));
    assert!(problems.iter().all(|problem| problem.origin == origin), "{problems:#?}");

    let right = endpoint("http://127.0.0.1:0");
    let planned = empty().args(["--plan"]).configuration_source(SourcePlace::AboveFiles, right);
    let Err(HostError::Answered(answer)) = planned.build() else { panic!("a plan") };
    let expected = "set by:    source cluster, key Kestrel:Endpoints:A:Url";
    assert!(answer.text.contains(expected), "{}", answer.text);
}

#[test]
fn no_value_of_a_source_is_printed_for_debugging() {
    let pairs = Pairs::new("ours", [("Mail:Password", "hunter2")]);
    let printed = format!("{pairs:?}");
    let builder = empty().configuration_source(SourcePlace::AboveFiles, pairs);
    let host = builder.build().expect("a host");
    let printed = printed + &format!("{:?}", host.configuration());
    assert!(!printed.contains("hunter2") && printed.contains("ours"), "{printed}");
}
