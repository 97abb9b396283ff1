//! Problems in JSON (RFC 9457), for clients that take them.

use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher};

use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::status_text::{definition, title};
use crate::middleware::without_length::without_length;
use crate::pipeline::Response;

/// What of a request decides how a problem is told to its client.
#[derive(Clone, Debug, Default)]
pub(super) struct ProblemDetails {
    /// All lines of `Accept`.
    accept: Vec<HeaderValue>,
    /// What the client says of its trace.
    trace: Option<HeaderValue>,
}

/// The header of Trace Context.
const TRACE_PARENT: &str = "traceparent";

impl ProblemDetails {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get_all(ACCEPT).iter().cloned().collect();
        Self { accept, trace: headers.get(TRACE_PARENT).cloned() }
    }

    /// Whether the client takes a problem: it names a type that one is of, at whatever weight, or nothing
    /// that can be read.
    pub(super) fn is_taken(&self) -> bool {
        let mut types = self.media_types().peekable();
        types.peek().is_none()
            || types.any(|it| TAKEN.iter().any(|own| own.eq_ignore_ascii_case(it)))
    }

    /// Whether the client names this media type.
    pub(super) fn names(&self, wanted: &str) -> bool {
        self.media_types().any(|it| it.eq_ignore_ascii_case(wanted))
    }

    /// The types in `Accept`, without their parameters; what is none is passed over.
    fn media_types(&self) -> impl Iterator<Item = &str> {
        let lines = self.accept.iter().filter_map(|line| line.to_str().ok());
        let members = lines.flat_map(|line| line.split(','));
        let types = members.map(|member| member.split(';').next().unwrap_or_default().trim());
        types.filter(|it| matches!(it.split_once('/'), Some((one, other)) if !one.is_empty() && !other.is_empty()))
    }

    /// Tells a status as a problem, with further members, each with its value in JSON.
    pub(super) fn tell(
        &self,
        response: &mut Response,
        told: Option<&str>,
        more: &[(&str, String)],
    ) {
        let text = self.text(response.status(), told, more);
        let media_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        *response.body_mut() = body(text);
    }

    fn text(&self, status: StatusCode, told: Option<&str>, more: &[(&str, String)]) -> String {
        let status = status.as_u16();
        let mut text = String::from("{");
        if let Some(link) = definition(status) {
            let _ = write!(text, "\"type\":\"{link}\",");
        }
        if let Some(title) = told.or(title(status)) {
            let _ = write!(text, "\"title\":{},", json_text(title));
        }
        let _ = write!(text, "\"status\":{status},");
        for (name, value) in more {
            let _ = write!(text, "\"{name}\":{value},");
        }
        let _ = write!(text, "\"traceId\":\"{}\"}}", self.trace_id());
        text
    }

    /// The id of the request in the form of Trace Context: of the client's trace, if it told one.
    fn trace_id(&self) -> String {
        let [one, other, span] = [(); 3].map(|()| RandomState::new().build_hasher().finish());
        let told = self.trace.as_ref().and_then(|trace| trace_of(trace.to_str().ok()?));
        match told {
            Some((trace, flags)) => format!("00-{trace}-{span:016x}-{flags}"),
            None => format!("00-{one:016x}{other:016x}-{span:016x}-00"),
        }
    }
}

/// The trace and the flags that a `traceparent` names.
fn trace_of(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (span, flags) = (parts.next()?, parts.next()?);
    let is_hexadecimal = |part: &str, length: usize| {
        part.len() == length
            && part.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
    };
    let is_one = version == "00"
        && parts.next().is_none()
        && is_hexadecimal(trace, 32)
        && is_hexadecimal(span, 16)
        && is_hexadecimal(flags, 2);
    is_one.then_some((trace, flags))
}

/// The types that a problem is of.
const TAKEN: [&str; 4] = ["*/*", "application/*", "application/json", "application/problem+json"];

fn body(text: String) -> Body {
    without_length(text)
}

/// A text in JSON, with its quotes. What would be markup in HTML is escaped, too.
pub(super) fn json_text(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' | '\x7f' => {
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            character => json.push(character),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> ProblemDetails {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        ProblemDetails::of(&map)
    }

    #[test]
    fn a_client_takes_problems_unless_it_names_other_types_alone() {
        for (accept, expected) in [
            ("", true),
            ("*/*", true),
            ("application/*", true),
            ("APPLICATION/JSON;q=0", true),
            ("text/html, application/problem+json", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("nonsense", true),
            ("nonsense, text/plain", false),
            ("text/html", false),
            ("application/xml", false),
        ] {
            assert_eq!(of(&[("accept", accept)]).is_taken(), expected, "{accept}");
        }
        assert!(of(&[]).is_taken());
    }

    #[test]
    fn a_problem_has_what_is_known_of_its_status() {
        let text = |status| {
            let text = of(&[]).text(StatusCode::from_u16(status).unwrap(), None, &[]);
            text.split(",\"traceId\"").next().unwrap().to_owned()
        };
        for (status, expected) in [
            (
                404,
                r#"{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.5","title":"Not Found","status":404"#,
            ),
            (
                422,
                r#"{"type":"https://tools.ietf.org/html/rfc4918#section-11.2","title":"Unprocessable Entity","status":422"#,
            ),
            (
                421,
                r#"{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.20","title":"Misdirected Request","status":421"#,
            ),
            (418, r#"{"title":"I'm a teapot","status":418"#),
            (599, r#"{"status":599"#),
        ] {
            assert_eq!(text(status), expected);
        }
        let own =
            of(&[]).text(StatusCode::CONFLICT, Some("\"<a>\\\n"), &[("detail", json_text("x"))]);
        assert!(
            own.contains(r#""title":"\"\u003ca\u003e\\\n","status":409,"detail":"x","traceId":"#),
            "{own}"
        );
    }

    #[test]
    fn the_trace_of_the_client_goes_on() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let told =
            of(&[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]);
        let id = told.trace_id();
        assert!(id.starts_with(&format!("00-{trace}-")) && id.ends_with("-01"), "{id}");
        assert!(!id.contains("b7ad6b7169203331"), "{id}");
        for wrong in [
            "",
            "00-0af7-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            let id = of(&[("traceparent", wrong)]).trace_id();
            assert!(id.len() == 55 && !id.contains(trace), "{wrong}: {id}");
        }
        assert_ne!(of(&[]).trace_id(), of(&[]).trace_id());
    }
}
