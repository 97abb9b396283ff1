//! What the head of an answer promises of its body (RFC 9110 section 8.6), and whether that can be.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::response::Parts;
use http::{Method, StatusCode};

/// What is to become of an answer before its head is sent.
#[derive(Debug)]
pub(super) enum Judgement {
    /// It is sent. The body may not hold more than these bytes, and not fewer, if that is not
    /// certain already.
    Send { left: Option<u64> },
    /// The same, but its body cannot be: the status has none.
    SendHead,
    /// It is replaced by a 500, because of this.
    Fail(String),
}

/// What an answer says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promise {
    pub(super) status: StatusCode,
    /// The Content-Length the app set.
    pub(super) length: Option<u64>,
    /// The app frames the body itself, in a way that is not ours.
    foreign: bool,
    /// The request was a HEAD: whatever the body is, it is not sent.
    pub(super) head: bool,
}

impl Promise {
    pub(super) fn of(parts: &Parts, method: &Method) -> Self {
        let head = *method == Method::HEAD;
        let mut promise = Self { status: parts.status, length: None, foreign: false, head };
        // Cheaper than to look each of them up.
        for (name, value) in &parts.headers {
            if *name == CONTENT_LENGTH {
                promise.length = value.to_str().ok().and_then(|length| length.parse().ok());
            } else if *name == TRANSFER_ENCODING {
                promise.foreign |= !value.as_bytes().eq_ignore_ascii_case(b"chunked");
            }
        }
        promise
    }

    /// Statuses whose answers end with the head (RFC 9110 section 6.4.1), or have to be empty.
    pub(super) fn is_without_body(self) -> bool {
        matches!(self.status.as_u16(), 204 | 205 | 304)
    }

    /// Judges an answer with `bytes` in the body, all of it or what comes first.
    pub(super) fn judge(self, bytes: u64, all: bool) -> Judgement {
        if self.foreign {
            return Judgement::Fail(
                "Setting the header Transfer-Encoding is not allowed, the server frames the body."
                    .to_owned(),
            );
        }
        if self.is_without_body() {
            if matches!(self.status.as_u16(), 204 | 205)
                && self.length.is_some_and(|length| length > 0)
            {
                return match self.head {
                    true => Judgement::SendHead,
                    false => Judgement::Fail(format!(
                        "Setting the header Content-Length is not allowed on responses with status code {}.",
                        self.status.as_u16()
                    )),
                };
            }
            return match bytes > 0 {
                true => Judgement::SendHead,
                false => Judgement::Send { left: None },
            };
        }
        match self.length {
            Some(length) if bytes > length => Judgement::Fail(too_many(bytes, length)),
            Some(length) if all && bytes == 0 && length > 0 && !self.head => {
                Judgement::Fail(too_few(0, length))
            }
            // A HEAD may promise what it does not send.
            Some(length) if self.head || all && bytes == length => Judgement::Send { left: None },
            length => Judgement::Send { left: length },
        }
    }
}

pub(super) fn too_many(bytes: u64, length: u64) -> String {
    format!("Response Content-Length mismatch: too many bytes written ({bytes} of {length}).")
}

pub(super) fn too_few(bytes: u64, length: u64) -> String {
    format!("Response Content-Length mismatch: too few bytes written ({bytes} of {length}).")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_what_is_known_of_it() {
        #[derive(Debug, PartialEq)]
        enum Is {
            Sent(Option<u64>),
            Headed,
            Failed,
        }
        for (status, length, head, bytes, all, expected) in [
            (200, None, false, 5, true, Is::Sent(None)),
            (200, Some(5), false, 5, true, Is::Sent(None)),
            (200, Some(5), false, 6, true, Is::Failed),
            (200, Some(5), false, 6, false, Is::Failed),
            (200, Some(5), false, 3, true, Is::Sent(Some(5))),
            (200, Some(5), false, 3, false, Is::Sent(Some(5))),
            (200, Some(5), false, 0, true, Is::Failed),
            (200, Some(5), true, 0, true, Is::Sent(None)),
            (200, Some(5), true, 6, false, Is::Failed),
            (204, None, false, 0, true, Is::Sent(None)),
            (204, None, false, 5, true, Is::Headed),
            (204, Some(5), false, 0, true, Is::Failed),
            (204, Some(5), true, 0, true, Is::Headed),
            (205, Some(0), false, 0, true, Is::Sent(None)),
            (304, Some(5), false, 0, true, Is::Sent(None)),
            (304, None, false, 1, false, Is::Headed),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let judged = match (Promise { status, length, foreign: false, head }).judge(bytes, all)
            {
                Judgement::Send { left } => Is::Sent(left),
                Judgement::SendHead => Is::Headed,
                Judgement::Fail(_) => Is::Failed,
            };
            assert_eq!(judged, expected, "{status} {length:?} {head} {bytes} {all}");
        }
    }
}
