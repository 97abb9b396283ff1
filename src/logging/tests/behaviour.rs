//! Which events come out, on which stream and when.

use super::*;

#[test]
fn spans_of_the_application_are_scopes_with_their_latest_values() {
    fn events() {
        let span = tracing::info_span!("order", id = 7, state = tracing::field::Empty);
        let _span = span.enter();
        span.record("state", "new\n");
        tracing::info_span!("plain").in_scope(|| tracing::info!(target: "my_app", "hello"));
    }
    let options = ConsoleOptions { include_scopes: true, ..console(FormatterName::Systemd) };
    assert_logs(options, events, &["<6>my_app[0] => order{id=7 state=new\\u000A} => plain hello"]);
    let options = ConsoleOptions { include_scopes: true, ..console(FormatterName::Json) };
    assert_logs(
        options,
        events,
        &[
            r#"{"EventId":0,"LogLevel":"Information","Category":"my_app","Message":"hello","State":{"{OriginalFormat}":"hello"},"Scopes":[{"Message":"order{id=7 state=new\n}","id":7,"state":"new\n"},{"Message":"plain"}]}"#,
        ],
    );
}

#[test]
fn spans_do_not_exist_without_scopes() {
    let log = Log::new(ConsoleOptions::default(), &[("", LogLevel::Trace)]);
    log.run(|| assert!(tracing::error_span!(target: "Kestrel.Scope", "request").is_disabled()));
}

#[test]
fn rules_decide_by_category_and_level_and_can_change() {
    fn events() {
        tracing::info!(target: "Quiet.A", "1");
        tracing::debug!(target: "Loud.A", "2");
        tracing::error!(target: "Fatal", "3");
        event!(target: "Fatal", Level::ERROR, event.critical = false, event.template = "4");
        event!(target: "Fatal", Level::ERROR, event.critical = true, event.template = "5");
        event!(target: "Silent", Level::ERROR, event.critical = true, event.template = "6");
    }
    let rules = [
        ("Quiet", LogLevel::Warning),
        ("Loud", LogLevel::Debug),
        ("Fatal", LogLevel::Critical),
        ("Silent", LogLevel::None),
    ];
    let log = Log::new(ConsoleOptions { single_line: true, ..ConsoleOptions::default() }, &rules);
    assert_eq!(log.run(events), "dbug: Loud.A[0] 2\ncrit: Fatal[0] 5\n");
    log.logging.update(vec![rule("", LogLevel::None), rule("Quiet", LogLevel::Information)]);
    assert_eq!(log.run(events), "dbug: Loud.A[0] 2\ncrit: Fatal[0] 5\ninfo: Quiet.A[0] 1\n");
}

#[test]
fn levels_from_the_threshold_on_go_to_standard_error() {
    let options = ConsoleOptions {
        log_to_standard_error_threshold: LogLevel::Warning,
        single_line: true,
        ..ConsoleOptions::default()
    };
    let log = Log::new(options, &[]);
    log.run(|| {
        tracing::info!(target: "A", "1");
        tracing::warn!(target: "A", "2");
        tracing::info!(target: "A", "3");
        tracing::error!(target: "A", "4");
    });
    assert_eq!(log.stdout.text(), "info: A[0] 1\ninfo: A[0] 3\n");
    assert_eq!(log.stderr.text(), "warn: A[0] 2\nfail: A[0] 4\n");
}

#[test]
fn dropping_the_log_writes_everything_and_later_events_are_written_at_once() {
    let options = ConsoleOptions { single_line: true, ..ConsoleOptions::default() };
    let Log { logging, stdout, stderr: _, subscriber } = Log::new(options, &[]);
    tracing::dispatcher::with_default(&subscriber, || {
        tracing::info!(target: "A", "before");
        drop(logging);
        assert_eq!(stdout.text(), "info: A[0] before\n");
        tracing::info!(target: "A", "after");
        assert_eq!(stdout.text(), "info: A[0] before\ninfo: A[0] after\n");
    });
}

#[test]
fn a_message_that_the_template_tells_is_not_formatted_and_one_of_its_own_is() {
    struct Told(&'static str);

    impl std::fmt::Display for Told {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            assert!(f.sign_minus(), "the console asks for what the template does not tell");
            f.write_str(self.0)
        }
    }

    fn events() {
        let told = |text| tracing::field::display(Told(text));
        event!(target: "A", Level::INFO, message = told(""), event.template = "{address} {message}",
            address = "a", message = "b");
        event!(target: "A", Level::INFO, message = told("own"), event.template = "{address}", address = "a");
    }
    assert_logs(console(FormatterName::Systemd), events, &["<6>A[0] a b", "<6>A[0] own"]);
    assert_logs(
        console(FormatterName::Json),
        events,
        &[
            r#"{"EventId":0,"LogLevel":"Information","Category":"A","Message":"a b","State":{"address":"a","message":"b","{OriginalFormat}":"{address} {message}"}}"#,
            r#"{"EventId":0,"LogLevel":"Information","Category":"A","Message":"own","State":{"address":"a","{OriginalFormat}":"{address}"}}"#,
        ],
    );
}
