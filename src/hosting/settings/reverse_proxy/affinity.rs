//! `SessionAffinity`: how a client stays with a destination.

use http::HeaderName;

use super::reader::{Numbers, Reader};
use crate::apps::reverse_proxy::options::{
    AffinityCookie, AffinityFailure, AffinityKey, AffinityOptions, AffinityPolicy, SameSite,
    SecurePolicy,
};
use crate::hosting::settings::parse::shown;

/// What a client shows.
pub(in super::super) const AFFINITY_POLICIES: [(&str, AffinityPolicy); 4] = [
    ("HashCookie", AffinityPolicy::HashCookie),
    ("ArrCookie", AffinityPolicy::ArrCookie),
    ("Cookie", AffinityPolicy::Cookie),
    ("CustomHeader", AffinityPolicy::CustomHeader),
];

/// What becomes of a request whose destination is not there.
pub(in super::super) const AFFINITY_FAILURES: [(&str, AffinityFailure); 2] = [
    ("Redistribute", AffinityFailure::Redistribute),
    ("Return503Error", AffinityFailure::Return503Error),
];

/// In the order of .NET's numbers.
pub(in super::super) const SAME_SITES: [(&str, SameSite); 4] = [
    ("None", SameSite::None),
    ("Lax", SameSite::Lax),
    ("Strict", SameSite::Strict),
    ("Unspecified", SameSite::Unspecified),
];

/// In the order of .NET's numbers.
pub(in super::super) const SECURE_POLICIES: [(&str, SecurePolicy); 3] = [
    ("SameAsRequest", SecurePolicy::SameAsRequest),
    ("Always", SecurePolicy::Always),
    ("None", SecurePolicy::None),
];

/// Reads the section of a cluster; `None` if it is off.
pub(super) fn read(reader: &mut Reader<'_, '_>, id: &str) -> Option<AffinityOptions> {
    let is_on = reader.boolean("Enabled").unwrap_or_default();
    let cookie = cookie(&mut reader.below("Cookie"));
    if !is_on {
        return None;
    }
    let policy = reader.word("Policy", (&AFFINITY_POLICIES, Numbers::Unknown), |text| {
        format!(
            "No matching ISessionAffinityPolicy found for the session affinity policy '{text}' set on the cluster '{id}'."
        )
    });
    let failure = reader.word("FailurePolicy", (&AFFINITY_FAILURES, Numbers::Unknown), |text| {
        format!(
            "No matching IAffinityFailurePolicy found for the affinity failure policy name '{text}' set on the cluster '{id}'."
        )
    });
    let policy = policy.unwrap_or(AffinityPolicy::HashCookie);
    let key_name = key_name(reader, id);
    Some(AffinityOptions {
        policy,
        failure: failure.unwrap_or(AffinityFailure::Redistribute),
        key_name: key_name?,
        cookie,
        key: key(reader, policy),
    })
}

/// The name of the cookie, or of the header: both are tokens.
fn key_name(reader: &mut Reader<'_, '_>, id: &str) -> Option<String> {
    let Some((setting, text)) = reader.text("AffinityKeyName") else {
        reader.wrong_here(
            format!("Affinity key name set on the cluster '{id}' must not be null."),
            "write AffinityKeyName, the name of the cookie or of the header",
        );
        return None;
    };
    if HeaderName::from_bytes(text.as_bytes()).is_err() {
        let text = shown(&setting.key, text);
        let message = format!("'{text}' can be no name of a cookie or a header: cluster '{id}'.");
        reader.wrong(setting, message, "write letters, digits, - and _, such as .Shop.Affinity");
        return None;
    }
    Some(text.to_owned())
}

/// What encrypts. It has no effect where nothing is encrypted, which is told.
fn key(reader: &mut Reader<'_, '_>, policy: AffinityPolicy) -> Option<AffinityKey> {
    let text = reader.text("Key");
    let file = reader.text("KeyPath");
    let (setting, _) = text.or(file)?;
    if matches!(policy, AffinityPolicy::HashCookie | AffinityPolicy::ArrCookie) {
        let message = format!("'{}' has no effect: this policy encrypts nothing.", setting.key);
        reader.odd(setting, message, "set Policy to Cookie or CustomHeader, or remove it");
        return None;
    }
    if let (Some(_), Some((setting, _))) = (text, file) {
        let message = format!("'{}' has no effect: there is a Key beside it.", setting.key);
        reader.odd(setting, message, "remove one of them");
    }
    if let Some((setting, text)) = text {
        if text.len() < 16 {
            let message = format!("The key at '{}' is shorter than 16 bytes.", setting.key);
            reader.wrong(setting, message, "write what `openssl rand -base64 32` prints");
        }
        return Some(AffinityKey::Text(text.to_owned()));
    }
    reader.file("KeyPath").map(AffinityKey::File)
}

fn cookie(reader: &mut Reader<'_, '_>) -> AffinityCookie {
    let default = AffinityCookie::default();
    let same_site = reader.word("SameSite", (&SAME_SITES, Numbers::Taken), |text| {
        format!("'{text}' is no SameSite of a session affinity cookie.")
    });
    let secure = reader.word("SecurePolicy", (&SECURE_POLICIES, Numbers::Taken), |text| {
        format!("'{text}' is no SecurePolicy of a session affinity cookie.")
    });
    let max_age = reader
        .time("MaxAge", |_| "Session affinity cookie max-age must be positive or null.".to_owned());
    let expiration = reader.time("Expiration", |_| {
        "Session affinity cookie expiration must be positive or null.".to_owned()
    });
    // Whether it is essential is said to a consent that is not asked for here.
    reader.boolean("IsEssential");
    let http_only = reader.boolean("HttpOnly");
    let path = attribute(reader, "Path");
    AffinityCookie {
        path: path.unwrap_or(default.path),
        domain: attribute(reader, "Domain"),
        http_only: http_only.unwrap_or(default.http_only),
        same_site: same_site.unwrap_or(default.same_site),
        secure: secure.unwrap_or(default.secure),
        max_age,
        expiration,
    }
}

/// A text that stands in the cookie's line, and must not end there.
fn attribute(reader: &mut Reader<'_, '_>, name: &str) -> Option<String> {
    let (setting, text) = reader.text(name)?;
    if text.bytes().any(|byte| byte == b';' || byte.is_ascii_control() || !byte.is_ascii()) {
        let message =
            format!("'{}' has a character that no attribute of a cookie can have.", setting.key);
        reader.wrong(setting, message, "write it in ASCII and without a semicolon");
        return None;
    }
    Some(text.to_owned())
}
