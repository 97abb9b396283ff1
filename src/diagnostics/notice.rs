//! An event of the log as data: what is to be said, before it is decided how.

use std::fmt::Write as _;

use tracing::Level;

use super::message::fill;

/// Something to be said that can be logged, printed or judged. Those that make one stand in
/// [`events`](super::events), beside the events that are logged at once.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(super) level: Level,
    pub(super) category: &'static str,
    pub(super) id: u64,
    pub(super) template: &'static str,
    /// What stands in the template, by name.
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) detail: String,
    /// Writes it to the log: an event of `tracing` has its place, level and category at build time.
    pub(super) log: fn(&Self),
}

impl Notice {
    /// Writes it to the log.
    pub(crate) fn log(&self) {
        (self.log)(self);
    }

    /// Whether it is a warning or worse.
    pub(crate) fn is_warning(&self) -> bool {
        self.level <= Level::WARN
    }

    /// Whether it is written to the log unless somebody wants less, or more.
    pub(crate) fn is_usually_told(&self) -> bool {
        self.level <= Level::INFO
    }

    /// Whether Kestrel has this event, too.
    pub(crate) fn is_kestrels(&self) -> bool {
        !self.category.starts_with("Kestrel.")
    }

    /// The message, with its values.
    pub(crate) fn message(&self) -> String {
        let mut message = String::new();
        // A text takes everything.
        let _ = fill(self.template, &mut message, |name, out| out.write_str(self.field(name)));
        message
    }

    /// The lines below the message; empty if there is none.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn field(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| *known == name);
        field.map_or("", |(_, value)| value)
    }
}

impl PartialEq for Notice {
    fn eq(&self, other: &Self) -> bool {
        let of = |notice: &Self| (notice.category, notice.id, notice.template);
        of(self) == of(other) && self.fields == other.fields && self.detail == other.detail
    }
}

impl Eq for Notice {}
