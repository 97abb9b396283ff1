//! The `Date` header, made once a second.

use std::cell::RefCell;
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderValue;

use super::clock;

thread_local! {
    /// The second it was made in, and the header.
    static CACHED: RefCell<(u64, HeaderValue)> = const { RefCell::new((0, HeaderValue::from_static(""))) };
}

/// The current time as the value of a `Date` header (RFC 9110 section 6.6.1).
pub(super) fn header_value() -> HeaderValue {
    with_value(HeaderValue::clone)
}

/// The same, without another copy of it.
pub(super) fn with_value<T>(take: impl FnOnce(&HeaderValue) -> T) -> T {
    let second = clock::unix_second();
    CACHED.with_borrow_mut(|(made, value)| {
        if *made != second {
            let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
            // A date is made of letters, digits and blanks: it always fits.
            if let Ok(fresh) = HeaderValue::from_str(&text) {
                *value = fresh;
                *made = second;
            }
        }
        take(value)
    })
}
