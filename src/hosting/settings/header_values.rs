//! Headers of answers as settings name them.

use http::header::{
    ACCEPT_RANGES, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG,
    LAST_MODIFIED, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderName, HeaderValue};

use super::parse::shown;
use crate::configuration::{Problem, Setting};

/// Headers that say what a message is, or how its connection goes on: only who sends it knows.
const OF_MESSAGES: [HeaderName; 10] = [
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_ENCODING,
    TRANSFER_ENCODING,
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    UPGRADE,
    TRAILER,
    DATE,
];

/// Headers that say what a file is.
const OF_FILES: [HeaderName; 3] = [ETAG, LAST_MODIFIED, ACCEPT_RANGES];

/// What is to be done with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Set,
    Remove,
}

/// The header of this name, if that can be done with it.
pub(super) fn name(name: &str, to: To, setting: &Setting) -> Result<HeaderName, Problem> {
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        let name = shown(&setting.key, name);
        let message = format!("'{}' is no name of a header.", name.escape_debug());
        return Err(wrong(setting, message, "write a name such as Cache-Control"));
    };
    let (is_refused, done) = match to {
        To::Set => (OF_MESSAGES.contains(&header) || OF_FILES.contains(&header), "set"),
        To::Remove => (OF_MESSAGES.contains(&header), "removed"),
    };
    match is_refused {
        true => {
            let message = format!("The header {name} cannot be {done}: it says what is sent.");
            Err(wrong(setting, message, "remove it"))
        }
        false => Ok(header),
    }
}

/// The value of a header.
pub(super) fn value(text: &str, setting: &Setting) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(|_| {
        let text = shown(&setting.key, text);
        let message = format!("'{}' is no value of a header.", text.escape_debug());
        wrong(setting, message, "write letters, digits and signs in one line")
    })
}

fn wrong(setting: &Setting, message: String, fix: &str) -> Problem {
    Problem::error(message).key(setting.key.clone()).origin(setting.origin.clone()).fix(fix)
}
