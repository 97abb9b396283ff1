//! One transform: a few keys, one of which says what it is.

use http::{HeaderName, HeaderValue};

use super::reader::Reader;
use crate::apps::reverse_proxy::transform_options::Change;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::{Section, Setting};
use crate::hosting::settings::parse::shown;

/// What there is, each with the keys that may stand beside it.
pub(super) const KINDS: [(&str, &[&str]); 25] = [
    ("PathPrefix", &[]),
    ("PathRemovePrefix", &[]),
    ("PathSet", &[]),
    ("PathPattern", &[]),
    ("QueryValueParameter", &["Set", "Append"]),
    ("QueryRouteParameter", &["Set", "Append"]),
    ("QueryRemoveParameter", &[]),
    ("HttpMethodChange", &["Set"]),
    ("RequestHeadersCopy", &[]),
    ("RequestHeaderOriginalHost", &[]),
    ("RequestHeader", &["Set", "Append"]),
    ("RequestHeaderRouteValue", &["Set", "Append"]),
    ("RequestHeaderRemove", &[]),
    ("RequestHeadersAllowed", &[]),
    ("X-Forwarded", &["For", "Proto", "Host", "Prefix", "HeaderPrefix"]),
    ("Forwarded", &["ForFormat", "ByFormat", "Action"]),
    ("ClientCert", &[]),
    ("ResponseHeadersCopy", &[]),
    ("ResponseHeader", &["Set", "Append", "When"]),
    ("ResponseHeaderRemove", &["When"]),
    ("ResponseHeadersAllowed", &[]),
    ("ResponseTrailersCopy", &[]),
    ("ResponseTrailer", &["Set", "Append", "When"]),
    ("ResponseTrailerRemove", &["When"]),
    ("ResponseTrailersAllowed", &[]),
];

/// A transform that is known for what it is.
pub(super) struct OneTransform<'a, 'b, 'c> {
    pub(super) reader: &'c mut Reader<'a, 'b>,
    /// The key that says it, as YARP spells it.
    pub(super) kind: &'static str,
    pub(super) setting: &'a Setting,
    /// What stands there.
    pub(super) text: &'a str,
}

impl<'a, 'b, 'c> OneTransform<'a, 'b, 'c> {
    /// The transform of a section; `None` if it is none, which is told.
    pub(super) fn of(reader: &'c mut Reader<'a, 'b>, section: &Section<'a>) -> Option<Self> {
        if let Some((setting, text)) =
            section.setting().and_then(|it| Some((it, it.value.as_deref()?)))
            && !text.is_empty()
        {
            let text = shown(&setting.key, text);
            let message = format!("Unknown transform: '{text}' at '{}'.", setting.key);
            reader.wrong(
                setting,
                message,
                "write a list: \"Transforms\": [ { \"PathPrefix\": \"/api\" } ]",
            );
            return None;
        }
        let children = section.children();
        let mut keys: Vec<&str> = children.iter().map(Section::name).collect();
        keys.sort_unstable_by_key(|key| key.to_lowercase());
        let kind =
            KINDS.iter().find(|(kind, _)| keys.iter().any(|it| it.eq_ignore_ascii_case(kind)));
        let Some((kind, beside)) = kind else {
            reader.wrong_here(format!("Unknown transform: {}", keys.join(";")), meant(&keys));
            return None;
        };
        let is_foreign = |key: &&&str| {
            !key.eq_ignore_ascii_case(kind) && !beside.iter().any(|it| it.eq_ignore_ascii_case(key))
        };
        let is_change =
            |key: &&&str| ["Set", "Append"].iter().any(|it| it.eq_ignore_ascii_case(key));
        let foreign: Vec<&&str> = keys.iter().filter(is_foreign).collect();
        if !foreign.is_empty() || keys.iter().filter(is_change).count() > 1 {
            let message =
                format!("The transform contains more parameters than expected: {}", keys.join(";"));
            let fix = match foreign.first() {
                Some(key) => unfit(key, kind, beside),
                None => "make two transforms of Set and Append".to_owned(),
            };
            reader.wrong_here(message, fix);
            return None;
        }
        let Some((setting, text)) = reader.setting(kind) else {
            reader
                .wrong_here(format!("'{kind}' has no value."), format!("write a value for {kind}"));
            return None;
        };
        Some(Self { reader, kind, setting, text })
    }

    /// Tells that what stands there cannot be.
    pub(super) fn wrong(&mut self, expected: &str, fix: impl Into<String>) {
        let text = shown(&self.setting.key, self.text);
        let message = format!("Unexpected value for {}: {text}. Expected {expected}", self.kind);
        self.reader.wrong(self.setting, message, fix);
    }

    /// What `Set` or `Append` says, and which of them.
    pub(super) fn change(&mut self) -> Option<(Change, &'a Setting, &'a str)> {
        for (name, change) in [("Set", Change::Set), ("Append", Change::Append)] {
            if let Some((setting, text)) = self.reader.setting(name) {
                return Some((change, setting, text));
            }
        }
        let kind = self.kind;
        let message =
            format!("Unexpected parameters for {kind}: {kind}. Expected 'Set' or 'Append'");
        self.reader.wrong_here(message, format!("add \"Set\": .. to {kind}"));
        None
    }

    /// The header that this is for.
    pub(super) fn header(&mut self) -> Option<HeaderName> {
        let kind = self.kind;
        self.reader.header_name((self.setting, self.text), |name| {
            format!("'{name}' of {kind} can be no name of a header.")
        })
    }

    /// Names of headers with `;` between.
    pub(super) fn headers(&mut self) -> Vec<HeaderName> {
        let mut names = Vec::new();
        for name in self.text.split(';').map(str::trim).filter(|name| !name.is_empty()) {
            let kind = self.kind;
            names.extend(self.reader.header_name((self.setting, name), |name| {
                format!("'{name}' of {kind} can be no name of a header.")
            }));
        }
        names
    }

    /// A value of a header.
    pub(super) fn value(&mut self, (setting, text): (&Setting, &str)) -> Option<HeaderValue> {
        let value = HeaderValue::from_bytes(text.as_bytes()).ok();
        if value.is_none() {
            let message = format!("'{}' has a character that no header can have.", setting.key);
            self.reader.wrong(setting, message, "write it in one line, without control characters");
        }
        value
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self) -> Option<bool> {
        let value = crate::configuration::text::boolean(self.text);
        if value.is_none() {
            self.wrong("'true' or 'false'", "write true or false");
        }
        value
    }
}

/// What to write in the place of keys that are no transform.
fn meant(keys: &[&str]) -> String {
    let kinds = || KINDS.iter().map(|(kind, _)| *kind);
    match keys.iter().find_map(|key| did_you_mean(key, kinds())) {
        Some(kind) => format!("did you mean {kind}?"),
        None if keys.is_empty() => {
            "remove it, or write one such as { \"PathPrefix\": \"/api\" }".to_owned()
        }
        None => format!("write one of {}", kinds().collect::<Vec<_>>().join(", ")),
    }
}

/// What to do about a key that does not fit.
fn unfit(key: &str, kind: &str, beside: &[&str]) -> String {
    if KINDS.iter().any(|(other, _)| other.eq_ignore_ascii_case(key)) {
        return format!("make two transforms of {kind} and {key}");
    }
    match did_you_mean(key, beside.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None if beside.is_empty() => format!("remove {key}: {kind} stands alone"),
        None => format!("remove {key}; beside {kind} there may be {}", beside.join(", ")),
    }
}
