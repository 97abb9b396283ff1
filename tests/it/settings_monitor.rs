//! Settings of the moment: a right edit is another value, a wrong one refuses the reload, and one that
//! changes nothing wakes nobody.

use std::fmt::Debug;
use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use kestrel::configuration::Origin;
use kestrel::{
    AppContext, AppError, ExitKind, HostBuilder, LiveConfiguration, Reloaded, RunningHost,
    SettingsMonitor,
};
use serde::Deserialize;
use tokio::sync::oneshot;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use crate::reload::Stage;
use crate::support::{Wire, soon, started, stopped};

#[derive(Debug, Deserialize)]
struct Greeting {
    text: String,
    #[serde(default)]
    times: u8,
}

/// Settings with these members of `Greeting`, and `more` behind them.
fn settings(greeting: &str, more: &str) -> String {
    format!(
        r#"{{
  "Greeting": {{ {greeting} }},
  "Kestrel": {{ "Endpoints": {{ "A": {{ "Url": "http://127.0.0.1:0" }} }} }}{more}
}}"#
    )
}

async fn greet(State(greeting): State<SettingsMonitor<Greeting>>) -> String {
    let greeting = greeting.current();
    greeting.text.repeat(greeting.times.into())
}

fn router(greeting: SettingsMonitor<Greeting>) -> Router {
    Router::new().route("/", get(greet)).with_state(greeting)
}

/// A host whose app monitors its greeting, and what the app has of it.
async fn greeted(stage: &Stage) -> (RunningHost, LiveConfiguration, SettingsMonitor<Greeting>) {
    greeted_by(stage.builder()).await
}

async fn greeted_by(
    builder: HostBuilder,
) -> (RunningHost, LiveConfiguration, SettingsMonitor<Greeting>) {
    let (gives, given) = oneshot::channel();
    let builder = builder.app_with(async move |context: AppContext| {
        let greeting = context.live_configuration.monitor::<Greeting>("Greeting")?;
        let _ = gives.send((context.live_configuration.clone(), greeting.clone()));
        Ok::<_, AppError>(router(greeting))
    });
    let host = started(builder).await;
    let (live, greeting) = given.await.expect("the app is made");
    (host, live, greeting)
}

/// Whether nobody was woken. Whatever a reload does is done once it has returned.
async fn are_asleep(
    live: &mut LiveConfiguration,
    greeting: &mut SettingsMonitor<Greeting>,
) -> bool {
    tokio::select! {
        biased;
        _ = live.changed() => false,
        _ = greeting.changed() => false,
        () = ready(()) => true,
    }
}

#[tokio::test]
async fn a_right_edit_is_another_value_on_open_connections_too() {
    let stage = Stage::new(&settings(r#""Text": "a", "Times": 2"#, ""));
    let (host, mut live, mut greeting) = greeted(&stage).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.body, "aa");
    let before = greeting.current();

    stage.write(&settings(r#""Text": "b", "Times": 3"#, ""));
    assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
    assert_eq!(wire.get("/").await.body, "bbb");
    assert_eq!((&*before.text, before.times), ("a", 2), "what was given stays as it is");
    let changed = soon("the change", greeting.changed()).await.expect("the host is there");
    assert_eq!((&*changed.text, changed.times), ("b", 3));
    let changed = soon("the change", live.changed()).await.expect("the host is there");
    assert_eq!(changed.value("Greeting:Text"), Some("b"));
    assert!(are_asleep(&mut live, &mut greeting).await, "once");

    drop(wire);
    stopped(host).await;
    assert!(soon("the end of the host", greeting.changed()).await.is_none());
    assert_eq!(greeting.current().text, "b");
    let late = live.monitor::<Greeting>("Greeting").expect("it can be read");
    assert_eq!(late.current().text, "b");
}

#[tokio::test]
async fn an_edit_that_changes_nothing_wakes_nobody() {
    let stage = Stage::new(&settings(r#""Text": "a""#, ""));
    let (host, mut live, mut greeting) = greeted(&stage).await;
    let before = greeting.current();
    for unchanged in [r#""Text": "a""#, "\n\n \"text\":\n \"a\""] {
        stage.write(&settings(unchanged, ""));
        assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Unchanged);
        assert!(are_asleep(&mut live, &mut greeting).await, "{unchanged}");
    }
    let line = |live: &LiveConfiguration| match &live
        .current()
        .setting("Greeting:Text")
        .expect("it is set")
        .origin
    {
        Origin::File { line, .. } => *line,
        other => panic!("{other}"),
    };
    assert_eq!(line(&live), 5, "its place is that of the last edit none the less");

    // Elsewhere: the configuration is another one, and the section is not.
    stage.write(&settings(r#""Text": "a""#, r#", "Other": "1", "Greetings": { "Text": "b" }"#));
    assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
    soon("the change", live.changed()).await.expect("the host is there");
    assert!(are_asleep(&mut live, &mut greeting).await);
    assert!(Arc::ptr_eq(&before, &greeting.current()));
    stopped(host).await;
}

#[tokio::test]
async fn a_file_that_is_saved_as_it_was_wakes_nobody_and_a_right_edit_everybody() {
    let stage = Stage::new(&settings(r#""Text": "a""#, ""));
    // Its files are watched.
    let builder = stage.builder().environment_variables([("A", "b")]);
    let (host, mut live, mut greeting) = greeted_by(builder).await;
    for text in ["b", "c", "d"] {
        stage.replace("appsettings.json", &settings(&format!(r#" "Text": "{text}""#), ""));
        let changed = soon("the edit", greeting.changed()).await.expect("the host is there");
        assert_eq!(changed.text, text, "the first that is told is the new one");
        let changed = soon("the edit", live.changed()).await.expect("the host is there");
        assert_eq!(changed.value("Greeting:Text"), Some(text));
        stage.replace("appsettings.json", &settings(&format!(r#""Text": "{text}""#), ""));
        soon("the reload", host.reload()).await.expect("it is right");
        assert!(are_asleep(&mut live, &mut greeting).await, "{text}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_wrong_edit_refuses_the_whole_reload() {
    let stage = Stage::new(&settings(r#""Text": "a", "Times": 1"#, ""));
    let (host, mut live, mut greeting) = greeted(&stage).await;
    let addresses = host.addresses();
    let mut wire = Wire::connect(&addresses[0]).await;
    let wrong =
        settings(r#""Times": "often""#, r#", "Logging": { "LogLevel": { "Default": "Loud" } }"#);
    stage.write(&wrong);
    let error = soon("the reload", host.reload()).await.expect_err("it cannot be read");
    assert_eq!(error.exit_kind(), ExitKind::Configuration, "what is ours comes first");
    let problems = error.problems();
    let keys: Vec<_> = problems.iter().filter_map(|it| it.key.as_deref()).collect();
    assert_eq!(keys, ["Logging:LogLevel:Default", "Greeting:Times", "Greeting:Text"], "{error}");
    match &problems[1].origin {
        Some(Origin::File { line: 2, column: 26, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert!(are_asleep(&mut live, &mut greeting).await);
    assert_eq!(wire.get("/").await.body, "a");
    assert_eq!(live.value("Greeting:Times").as_deref(), Some("1"));
    assert_eq!(host.addresses(), addresses);

    // Only the section is wrong, with an endpoint that would be right.
    let more = r#""B": { "Url": "http://127.0.0.1:0" }, "A""#;
    stage.write(&settings(r#""Text": "a", "Times": 256"#, "").replace(r#""A""#, more));
    let error = soon("the reload", host.reload()).await.expect_err("it cannot be read");
    assert_eq!(error.exit_kind(), ExitKind::App);
    assert_eq!(host.addresses(), addresses);

    stage.write(&settings(r#""Text": "c", "Times": 2"#, "").replace(r#""A""#, more));
    assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
    assert_eq!(wire.get("/").await.body, "cc");
    assert_eq!(host.addresses().len(), 2);
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn a_section_that_is_wrong_at_the_start_refuses_it() {
    let stage = Stage::new(&settings(r#""Times": -1"#, ""));
    let builder = stage.builder().app_with(async |context: AppContext| {
        let greeting = context.live_configuration.monitor::<Greeting>("Greeting")?;
        Ok::<_, AppError>(router(greeting))
    });
    let host = builder.build().expect("the host can be configured");
    let error = soon("the start", host.start()).await.expect_err("the section is wrong");
    let problems = error.problems();
    let keys: Vec<_> = problems.iter().filter_map(|it| it.key.as_deref()).collect();
    assert_eq!(keys, ["Greeting:Times", "Greeting:Text"], "{error}");
}

/// An app that is made by every reload, and monitors the section that the configuration names.
fn reloadable(stage: &Stage) -> HostBuilder {
    stage.builder().reloadable_app(async |context: AppContext| {
        let section = context.configuration.value("Section").unwrap_or("Greeting");
        let greeting = context.live_configuration.monitor::<Greeting>(section)?;
        Ok::<_, AppError>(router(greeting))
    })
}

#[tokio::test]
async fn an_app_that_a_reload_makes_monitors_what_it_is_made_from() {
    let stage = Stage::new(&settings(r#""Text": "a", "Times": 1"#, ""));
    let host = started(reloadable(&stage)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/").await.body, "a");

    // A section that was not there before.
    let with_more = |text: &str, times: &str| {
        let more =
            format!(r#", "Section": "More", "More": {{ "Text": "{text}", "Times": {times} }}"#);
        settings(r#""Text": "a", "Times": 1"#, &more)
    };
    stage.write(&with_more("b", "2"));
    assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
    assert_eq!(wire.get("/").await.body, "bb");

    // The app, and the one that would be in its place, have the same mistake.
    stage.write(&with_more("c", "256"));
    let error = soon("the reload", host.reload()).await.expect_err("it cannot be read");
    let problems = error.problems();
    let keys: Vec<_> = problems.iter().filter_map(|it| it.key.as_deref()).collect();
    assert_eq!(keys, ["More:Times"], "{error}");
    assert_eq!(wire.get("/").await.body, "bb");

    stage.write(&with_more("c", "1"));
    assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
    assert_eq!(wire.get("/").await.body, "c");
    drop(wire);
    stopped(host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn monitors_that_are_made_while_reloads_go_on_miss_none() {
    let stage = Stage::new(&settings(r#""Text": "0""#, ""));
    let (host, live, _) = greeted(&stage).await;
    let ends = Arc::new(AtomicBool::new(false));
    let (maker, over) = (live.clone(), Arc::clone(&ends));
    let making = tokio::spawn(async move {
        let mut made = Vec::new();
        while !over.load(Ordering::Relaxed) {
            made.push(maker.monitor::<Greeting>("Greeting").expect("it can be read"));
            tokio::task::yield_now().await;
            // The rest of them is gone again.
            made.truncate(100);
        }
        made
    });
    for text in 1..=50 {
        stage.write(&settings(&format!(r#""Text": "{text}""#), ""));
        assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
        let now = live.monitor::<Greeting>("Greeting").expect("it can be read");
        assert_eq!(now.current().text, text.to_string());
    }
    ends.store(true, Ordering::Relaxed);
    let made = soon("the last monitor", making).await.expect("no panic");
    assert!(!made.is_empty());
    assert!(made.iter().all(|monitor| monitor.current().text == "50"));
    stopped(host).await;
}

#[tokio::test]
async fn a_monitor_that_is_made_in_the_midst_of_a_reload_follows_it() {
    /// A text whose reading makes a monitor: by then the reload has looked for all that there are.
    #[derive(Debug, Deserialize)]
    #[serde(from = "String")]
    struct Text;
    static LIVE: OnceLock<LiveConfiguration> = OnceLock::new();
    static MADE: Mutex<Vec<SettingsMonitor<Greeting>>> = Mutex::new(Vec::new());
    impl From<String> for Text {
        fn from(_: String) -> Self {
            let live = LIVE.get().expect("the app is made");
            let greeting = live.monitor::<Greeting>("Greeting").expect("it can be read");
            assert_eq!(greeting.current().text, "a", "the reload is not through");
            MADE.lock().expect("no panic").push(greeting);
            Self
        }
    }
    let stage = Stage::new(&settings(r#""Text": "a""#, ""));
    let (host, live, _greeting) = greeted(&stage).await;
    LIVE.set(live.clone()).expect("once");
    let _text = live.monitor::<Text>("Greeting:Text").expect("it can be read");
    stage.write(&settings(r#""Text": "b""#, ""));
    assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
    let texts: Vec<_> = MADE
        .lock()
        .expect("no panic")
        .iter()
        .map(|greeting| greeting.current().text.clone())
        .collect();
    assert_eq!(texts, ["b", "b"]);
    stopped(host).await;
}

#[tokio::test]
async fn code_that_panics_on_an_edit_refuses_it_and_no_later_one() {
    #[derive(Debug, Deserialize)]
    #[serde(from = "String")]
    struct Picky(String);
    impl From<String> for Picky {
        fn from(text: String) -> Self {
            assert_ne!(text, "b", "a defect of the app");
            Self(text)
        }
    }
    let stage = Stage::new(&settings(r#""Text": "a""#, ""));
    let (host, live, _greeting) = greeted(&stage).await;
    let picky = live.monitor::<Picky>("Greeting:Text").expect("it can be read");
    stage.write(&settings(r#""Text": "b""#, ""));
    let error = soon("the reload", host.reload()).await.expect_err("it panics").to_string();
    assert!(error.contains("the settings at 'Greeting:Text' panicked"), "{error}");
    assert!(error.contains("a defect of the app"), "{error}");
    stage.write(&settings(r#""Text": "c""#, ""));
    assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
    assert_eq!(picky.current().0, "c");
    stopped(host).await;
}

/// The details of all events.
#[derive(Clone, Default)]
pub(crate) struct Details(Arc<Mutex<Vec<String>>>);

impl Details {
    /// What was told since the last call.
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl<S: tracing::Subscriber> Layer<S> for Details {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Details {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event.detail" {
            self.0.lock().expect("no panic").push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[tokio::test]
async fn a_reload_tells_which_sections_are_others_and_a_refused_one_why() {
    let details = Details::default();
    let _heard = tracing::subscriber::set_default(Registry::default().with(details.clone()));
    let stage = Stage::new(&settings(r#""Text": "a""#, ""));
    let (host, live, _greeting) = greeted(&stage).await;
    let _same = live.monitor::<Greeting>("Greeting").expect("it can be read");
    let _text = live.monitor::<String>("Greeting:Text").expect("it can be read");
    let _other = live.monitor::<Option<u8>>("Other").expect("it can be read");
    let told = || details.taken();
    told();
    stage.write(&settings(r#""Text": "b""#, ""));
    assert_eq!(soon("the reload", host.reload()).await.unwrap(), Reloaded::Changed);
    assert_eq!(told(), ["~ the settings at Greeting\n~ the settings at Greeting:Text"]);
    stage.write(&settings(r#""Text": "b""#, r#", "Other": "x""#));
    soon("the reload", host.reload()).await.expect_err("it cannot be read");
    let refused = told().concat();
    let line = "Failed to convert configuration value 'x' at 'Other' to type 'u8'.";
    assert!(refused.starts_with(line), "{refused}");
    assert!(refused.contains("appsettings.json:3:"), "{refused}");
    stopped(host).await;
}
