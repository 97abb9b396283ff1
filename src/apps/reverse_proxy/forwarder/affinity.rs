//! Clients that stay with a destination (`SessionAffinity`).

use std::time::{Duration, SystemTime};

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::apps::reverse_proxy::options::{
    AffinityCookie, AffinityFailure, AffinityOptions, AffinityPolicy, SameSite, SecurePolicy,
};

/// Which destination a request is for, by what its client shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It shows nothing.
    Nothing,
    /// This one.
    For(String),
    /// What it shows is nothing of ours, or of a destination that is gone.
    Unreadable,
}

/// How clients stay with destinations, of a cluster.
#[derive(Debug, PartialEq)]
pub(super) struct Affinity {
    options: AffinityOptions,
    /// Of the policy that shows itself in a header.
    header: Option<HeaderName>,
    /// What stands for each destination, and its name.
    keys: Box<[(String, String)]>,
}

impl Affinity {
    pub(super) fn new<'a>(
        options: &AffinityOptions,
        names: impl Iterator<Item = &'a str>,
        seal: &Seal<'_>,
    ) -> Self {
        let key = |name: &str| match options.policy {
            AffinityPolicy::HashCookie => hash(name),
            AffinityPolicy::ArrCookie => digest(name),
            AffinityPolicy::Cookie | AffinityPolicy::CustomHeader => seal.of(name),
        };
        let header = match options.policy {
            AffinityPolicy::CustomHeader => {
                HeaderName::from_bytes(options.key_name.as_bytes()).ok()
            }
            AffinityPolicy::HashCookie | AffinityPolicy::ArrCookie | AffinityPolicy::Cookie => None,
        };
        let keys = names.map(|name| (key(name), name.to_owned())).collect();
        Self { options: options.clone(), header, keys }
    }

    /// Whether a request whose destination is not there is refused.
    pub(super) fn is_refused(&self) -> bool {
        self.options.failure == AffinityFailure::Return503Error
    }

    /// Whether what clients show is worth nothing once this process has ended.
    pub(super) fn forgets(&self) -> bool {
        let seals =
            matches!(self.options.policy, AffinityPolicy::Cookie | AffinityPolicy::CustomHeader);
        seals && self.options.key.is_none()
    }

    /// Which destination a request is for.
    pub(super) fn asked(&self, headers: &HeaderMap) -> Asked {
        let shown = match &self.header {
            Some(header) => {
                let mut values = headers.get_all(header).iter();
                match (values.next(), values.next()) {
                    (None, _) => None,
                    (Some(value), None) => Some(value.to_str().unwrap_or_default()),
                    (Some(_), Some(_)) => return Asked::Unreadable,
                }
            }
            None => cookie(headers, &self.options.key_name),
        };
        let Some(shown) = shown.filter(|shown| !shown.is_empty()) else { return Asked::Nothing };
        match self.keys.iter().find(|(key, _)| key == shown) {
            Some((_, name)) => Asked::For(name.clone()),
            None => Asked::Unreadable,
        }
    }

    /// What the answer says, so that the client shows it with its next request.
    pub(super) fn answer(&self, name: &str, is_https: bool) -> Option<(HeaderName, HeaderValue)> {
        let (key, _) = self.keys.iter().find(|(_, known)| known == name)?;
        if let Some(header) = &self.header {
            return Some((header.clone(), HeaderValue::from_str(key).ok()?));
        }
        let cookie = set_cookie(&self.options, key, is_https, SystemTime::now());
        Some((SET_COOKIE, HeaderValue::from_str(&cookie).ok()?))
    }
}

/// What makes of a name something that nobody else can make, and that says nothing.
pub(super) struct Seal<'a> {
    pub(super) key: &'a [u8],
    pub(super) cluster: &'a str,
}

impl Seal<'_> {
    /// The same for whoever has the key.
    fn of(&self, name: &str) -> String {
        use base64ct::{Base64UrlUnpadded, Encoding};
        use hmac::{Hmac, KeyInit, Mac};
        let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(self.key) else {
            return String::new();
        };
        for part in ["session affinity", self.cluster, name] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes())
    }
}

/// The value of a cookie; of several, the last counts.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).map(str::trim);
    let named = pairs.filter_map(|pair| pair.split_once('='));
    named.rev().find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// A cookie as ASP.NET Core writes it.
fn set_cookie(options: &AffinityOptions, key: &str, is_https: bool, now: SystemTime) -> String {
    let AffinityCookie { path, domain, http_only, same_site, secure, max_age, expiration } =
        &options.cookie;
    let mut cookie = format!("{}={key}", options.key_name);
    let mut add = |text: String| {
        cookie.push_str("; ");
        cookie.push_str(&text);
    };
    if let Some(expiration) = expiration.and_then(|expiration| now.checked_add(expiration)) {
        add(format!("expires={}", httpdate::fmt_http_date(expiration)));
    }
    if let Some(age) = max_age {
        add(format!("max-age={}", Duration::as_secs(age)));
    }
    if let Some(domain) = domain {
        add(format!("domain={domain}"));
    }
    add(format!("path={path}"));
    match secure {
        SecurePolicy::Always => add("secure".to_owned()),
        SecurePolicy::SameAsRequest if is_https => add("secure".to_owned()),
        SecurePolicy::SameAsRequest | SecurePolicy::None => {}
    }
    match same_site {
        SameSite::Unspecified => {}
        SameSite::None => add("samesite=none".to_owned()),
        SameSite::Lax => add("samesite=lax".to_owned()),
        SameSite::Strict => add("samesite=strict".to_owned()),
    }
    if *http_only {
        add("httponly".to_owned());
    }
    cookie
}

/// What stands for a destination in the cookie of YARP's default policy.
fn hash(name: &str) -> String {
    use std::hash::Hasher;
    let upper: String = name.chars().flat_map(char::to_uppercase).collect();
    let mut hasher = twox_hash::XxHash64::with_seed(0);
    upper.encode_utf16().for_each(|unit| hasher.write(&unit.to_le_bytes()));
    format!("{:016x}", hasher.finish())
}

/// What stands for a destination in the cookie of IIS' Application Request Routing.
fn digest(name: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    name.encode_utf16().for_each(|unit| digest.update(unit.to_le_bytes()));
    digest.finalize().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(policy: AffinityPolicy) -> AffinityOptions {
        AffinityOptions {
            policy,
            failure: AffinityFailure::Redistribute,
            key_name: "aff".to_owned(),
            cookie: AffinityCookie::default(),
            key: None,
        }
    }

    fn affinity(options: &AffinityOptions) -> Affinity {
        let seal = Seal { key: b"secret", cluster: "c1" };
        Affinity::new(options, ["d1", "d2"].into_iter(), &seal)
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn a_cookie_names_a_destination() {
        let affinity = affinity(&options(AffinityPolicy::HashCookie));
        for (cookie, asked) in [
            ("", Asked::Nothing),
            ("other=1", Asked::Nothing),
            ("aff=", Asked::Nothing),
            ("aff=3ca257a575bfff71", Asked::For("d1".to_owned())),
            ("a=1; aff=3ca257a575bfff71 ; z=2", Asked::For("d1".to_owned())),
            ("aff=3ca257a575bfff71; aff=eb4f7569e28edc50", Asked::For("d2".to_owned())),
            ("aff=nonsense", Asked::Unreadable),
            ("AFF=nonsense", Asked::Nothing),
        ] {
            assert_eq!(affinity.asked(&headers(&[("cookie", cookie)])), asked, "{cookie}");
        }
    }

    #[test]
    fn a_header_names_one_and_two_name_none() {
        let affinity = affinity(&options(AffinityPolicy::CustomHeader));
        let (name, value) = affinity.answer("d2", false).unwrap();
        let value = value.to_str().unwrap();
        assert_eq!(name.as_str(), "aff");
        assert_eq!(affinity.asked(&headers(&[("aff", value)])), Asked::For("d2".to_owned()));
        let two = headers(&[("aff", value), ("aff", value)]);
        assert_eq!(affinity.asked(&two), Asked::Unreadable);
        assert_eq!(affinity.asked(&headers(&[("aff", "d2")])), Asked::Unreadable);
    }

    #[test]
    fn what_is_sealed_depends_on_the_key_the_cluster_and_the_name() {
        let seal =
            |key: &'static str, cluster, name| Seal { key: key.as_bytes(), cluster }.of(name);
        let one = seal("k", "c", "d");
        assert_eq!(one, seal("k", "c", "d"));
        for other in
            [seal("l", "c", "d"), seal("k", "d", "d"), seal("k", "c", "e"), seal("k", "cd", "")]
        {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn what_stands_for_destinations_is_what_yarp_writes() {
        assert_eq!((&*hash("d1"), &*hash("D2")), ("3ca257a575bfff71", "eb4f7569e28edc50"));
        let of_d1 = "E1A81620F938713C58BD2D3627E2FD60538B502CCE1E2DF25C6D79F2F7F8EDAF";
        assert_eq!(digest("d1"), of_d1);
        assert_ne!(digest("d1"), digest("D1"));
    }

    #[test]
    fn a_cookie_has_its_attributes_in_the_order_of_asp_net_core() {
        let mut options = options(AffinityPolicy::HashCookie);
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(set_cookie(&options, "k", false, now), "aff=k; path=/; httponly");
        options.cookie = AffinityCookie {
            path: "/p".to_owned(),
            domain: Some("a.test".to_owned()),
            http_only: false,
            same_site: SameSite::Strict,
            secure: SecurePolicy::Always,
            max_age: Some(Duration::from_secs(3600)),
            expiration: Some(Duration::from_secs(7200)),
        };
        assert_eq!(
            set_cookie(&options, "k", false, now),
            "aff=k; expires=Thu, 01 Jan 1970 02:00:00 GMT; max-age=3600; domain=a.test; path=/p; secure; samesite=strict"
        );
        options.cookie =
            AffinityCookie { secure: SecurePolicy::SameAsRequest, ..Default::default() };
        assert_eq!(set_cookie(&options, "k", false, now), "aff=k; path=/; httponly");
        assert_eq!(set_cookie(&options, "k", true, now), "aff=k; path=/; secure; httponly");
    }
}
