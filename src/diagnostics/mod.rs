//! What does this log line mean?
//!
//! Every line the host writes is a function of [`events`], with a stable id, level and category.
//! Where the event is Kestrel's, so are category, id and text: filters and searches that worked
//! there work here. Our own events have categories that start with `Kestrel.`.
//!
//! What a client can bring about without end is [`Repeated`]: told once, and then counted.
//!
//! What a start has to say before it is decided whether there is one is a [`Notice`]: the same event
//! as data, to be logged, printed or judged.
//!
//! This folder imports nothing of ours: what an event tells is passed in as plain text.

pub(crate) mod events;
mod notice;
mod panic_message;
mod repeated;

pub(crate) use notice::Notice;
pub(crate) use panic_message::panic_message;
pub(crate) use repeated::{Repeated, Telling};

#[cfg(test)]
mod tests {
    use super::events;

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
