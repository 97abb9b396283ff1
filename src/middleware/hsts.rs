//! Tells browsers to come back by HTTPS only (RFC 6797).

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use http::HeaderValue;
use http::header::STRICT_TRANSPORT_SECURITY;

use crate::diagnostics::events;
use crate::features::{EffectiveRequest, without_port};
use crate::pipeline::{Enter, Request, Stage};

/// Adds `Strict-Transport-Security` to answers by HTTPS, but never for this machine: browsers would keep it
/// for every other program here. (What `HstsMiddleware` is in ASP.NET Core.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hsts {
    header: HeaderValue,
    excluded: Vec<String>,
}

/// What is asked of browsers besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Directive {
    /// The same for all hosts below it.
    IncludeSubDomains,
    /// To know it beforehand.
    Preload,
}

impl Directive {
    /// As it is written in the header.
    fn name(self) -> &'static str {
        match self {
            Self::IncludeSubDomains => "includeSubDomains",
            Self::Preload => "preload",
        }
    }
}

impl Hsts {
    /// For `max_age`, in whole seconds. `excluded` are hosts without a port, compared without regard to
    /// case.
    pub(crate) fn new(
        max_age: Duration,
        directives: impl IntoIterator<Item = Directive>,
        excluded: Vec<String>,
    ) -> Self {
        let mut text = format!("max-age={}", max_age.as_secs());
        for directive in directives {
            let _ = write!(text, "; {}", directive.name());
        }
        // Digits and the words above are a value.
        let header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("max-age=0"));
        Self { header, excluded }
    }

    /// The header's value.
    pub(crate) fn text(&self) -> &str {
        self.header.to_str().unwrap_or_default()
    }

    pub(crate) fn excluded(&self) -> impl Iterator<Item = &str> {
        self.excluded.iter().map(String::as_str)
    }
}

impl Stage for Hsts {
    fn enter(&self, request: &mut Request) -> Enter {
        let meant = EffectiveRequest::of(request);
        if !meant.is_https() {
            events::hsts_is_not_for_clear_text();
            return Enter::Next;
        }
        let host = without_port(meant.host());
        let is_excluded = |excluded: &String| excluded.eq_ignore_ascii_case(host);
        if is_this_machine(host) || self.excluded.iter().any(is_excluded) {
            events::hsts_excludes_host(host);
            return Enter::Next;
        }
        let header = self.header.clone();
        Enter::Then(Box::new(move |mut response| {
            // One that the app has set itself stays, and is the second.
            let headers = response.headers_mut();
            let own: Vec<_> = headers.get_all(STRICT_TRANSPORT_SECURITY).iter().cloned().collect();
            headers.insert(STRICT_TRANSPORT_SECURITY, header);
            for value in own {
                headers.append(STRICT_TRANSPORT_SECURITY, value);
            }
            response
        }))
    }

    fn knows_files(&self) -> bool {
        true
    }
}

/// Whether a host, without its port, is a name or an address of the machine that asks.
fn is_this_machine(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_below = || {
        let start = host.len().checked_sub(LOCALHOST.len())?;
        let (above, end) = (host.get(..start)?, host.get(start..)?);
        (end.eq_ignore_ascii_case(LOCALHOST) && (above.is_empty() || above.ends_with('.')))
            .then_some(())
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    is_below().is_some()
        || address.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

const LOCALHOST: &str = "localhost";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_many_names() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST.", true),
            ("app.LocalHost", true),
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("[::1]", true),
            ("[0:0:0:0:0:0:0:1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("", false),
            ("notlocalhost", false),
            ("localhost.example", false),
            ("äocalhost", false),
            ("128.0.0.1", false),
            ("[::2]", false),
        ] {
            assert_eq!(is_this_machine(host), expected, "{host}");
        }
    }
}
