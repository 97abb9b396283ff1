//! What does this log line mean?
//!
//! Every line the host writes is a function of [`events`], with a stable id, level and category.
//! Where the event is Kestrel's, so are category, id and text: filters and searches that worked
//! there work here. Our own events have categories that start with `Kestrel.`.
//!
//! Each has its message beside id, template and fields, so that any subscriber shows it (`message`).
//!
//! Which log it goes to is a matter of the task that says it (`log_context`).
//!
//! What a client can bring about without end is [`Repeated`]: told once, and then counted.
//!
//! What a start has to say before it is decided whether there is one is a [`Notice`]: the same event
//! as data, to be logged, printed or judged.
//!
//! This folder imports nothing of ours: what an event tells is passed in as plain text.

#[cfg_attr(
    not(feature = "cli"),
    allow(dead_code, unused_imports, reason = "a build without some features has less to tell")
)]
pub(crate) mod events;
mod listed;
mod log_context;
mod message;
mod notice;
mod panic_message;
mod repeated;
mod turned_text;

pub(crate) use listed::{Listed, ListedValue};
pub(crate) use log_context::{LogContext, in_log, in_log_boxed};
pub(crate) use notice::Notice;
pub(crate) use panic_message::panic_message;
pub(crate) use repeated::{Repeated, Telling};
pub(crate) use turned_text::turns_text;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::subscriber::NoSubscriber;
    use tracing::{Dispatch, Event, Metadata, Subscriber};

    use super::events;

    /// A subscriber that knows nothing but messages, as those of programs do.
    #[derive(Clone, Default)]
    struct Messages(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Messages {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            struct First<'a>(&'a Messages, Option<&'static str>);

            impl Visit for First<'_> {
                fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                    if self.1.is_none() && field.name() == "message" {
                        self.0.0.lock().expect("no panic").push(format!("{value:?}"));
                    }
                    self.1.get_or_insert(field.name());
                }
            }

            event.record(&mut First(self, None));
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn any_subscriber_is_told_messages_with_their_values() {
        // With a second one, tracing asks all of them what they want, and not only that of the thread.
        let _second = Dispatch::new(NoSubscriber::default());
        let messages = Messages::default();
        let facts = events::RequestFacts {
            protocol: "HTTP/1.1",
            method: "GET".to_owned(),
            scheme: "http".into(),
            host: "a".to_owned(),
            path: "/b\nc".to_owned(),
            query: "?d".to_owned(),
        };
        tracing::subscriber::with_default(messages.clone(), || {
            events::listening("http://127.0.0.1:5000");
            events::hosting_starting();
            events::request_starting(&facts, None, Some(3));
            events::request_finished(&facts, 200, Some("a b"), None, Duration::from_millis(5));
            events::request_body_too_slow(&"0HN1", 2, 240.0);
            events::upgrade_refused(&"0HN1", 2, None, super::Telling::Counted);
            events::http2_frame_received(&"0HN1", &"DATA", 1, 5, &"0x1");
            events::bad_request(&"0HN1", &"Invalid\rrequest line");
            events::endpoint_lost("http://a", "taken");
            events::reload_bind_failed("http://a", "taken");
            events::urls_shadowed("used: x").log();
            events::loopback_unavailable("http://localhost:1", "IPv6", "none").log();
        });
        let told = messages.0.lock().expect("no panic").clone();
        assert_eq!(
            told,
            [
                "Now listening on: http://127.0.0.1:5000",
                "Hosting starting",
                "Request starting HTTP/1.1 GET http://a/b\\u000Ac?d - - 3",
                "Request finished HTTP/1.1 GET http://a/b\\u000Ac?d - 200 - a+b 5.0000ms",
                "Connection id \"0HN1\", Request id \"0HN1:00000002\": the request timed out because it was not sent by the client at a minimum of 240 bytes/second.",
                "Connection id \"0HN1\", Request id \"0HN1:00000002\": an upgrade was refused with 503 because of MaxConcurrentUpgradedConnections ((null)).",
                "Connection id \"0HN1\" received DATA frame for stream ID 1 with length 5 and flags 0x1.",
                "Connection id \"0HN1\" bad request data: \"Invalid\\u000Drequest line\"",
                "The endpoint http://a could not be taken back and does not listen any more; the next reload tries again.",
                "Unable to bind to 'http://a' on config reload.",
                "Two sources give different addresses; the stronger one is used.",
                "Unable to bind to http://localhost:1 on the IPv6 interface: 'none'.",
            ]
        );
    }

    #[test]
    fn a_notice_says_what_its_event_says() {
        let notice = events::ports_overridden("80", "", "http://a", "lost: 80");
        assert_eq!(
            notice.message(),
            "Overriding HTTP_PORTS '80' and HTTPS_PORTS ''. Binding to values defined by URLS instead 'http://a'."
        );
        assert_eq!(notice.detail(), "lost: 80");
        assert!(notice.is_warning() && notice.is_usually_told() && notice.is_kestrels());
        let notice = events::urls_shadowed("used: {x}");
        assert!(!notice.is_warning() && notice.is_usually_told() && !notice.is_kestrels());
        assert!(!events::default_address("http://{a}").is_usually_told());
        assert_eq!(
            events::configuration_warning("'{x}' means nothing", "").message(),
            "'{x}' means nothing"
        );
    }
}
