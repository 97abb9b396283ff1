//! Sources of configuration that a program adds, each in its place of the order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kestrel::configuration::{JsonFile, Origin, Pairs, Problem, SourceFn, SourcePlace};
use kestrel::{Host, HostBuilder, HostError, Reloaded};

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
    assert!(problems[0].message.contains("panicked"), "{problems:#?}");
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
