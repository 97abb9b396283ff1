//! Room of requests that are over. The next ones have it, so that nothing has to be made for their headers and
//! extensions.

use std::cell::Cell;

use http::{Extensions, HeaderMap};

use super::responder::Request;

thread_local! {
    static HEADERS: Cell<HeaderMap> = Cell::default();
    static EXTENSIONS: Cell<Extensions> = Cell::default();
}

/// The most headers that room is kept for.
const MOST: usize = 64;

/// Room for the headers of a request, and for its extensions; empty, and perhaps none.
pub(crate) fn taken() -> (HeaderMap, Extensions) {
    (HEADERS.take(), EXTENSIONS.take())
}

/// Takes the room of a request that was answered, and needs it no more.
pub(super) fn give_back(request: Request) {
    let (parts, _) = request.into_parts();
    give_back_headers(parts.headers);
    let mut extensions = parts.extensions;
    if !extensions.is_empty() {
        extensions.clear();
        EXTENSIONS.set(extensions);
    }
}

/// Takes headers that are not needed any more.
pub(crate) fn give_back_headers(mut headers: HeaderMap) {
    if (1..=MOST).contains(&headers.capacity()) {
        headers.clear();
        HEADERS.set(headers);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn room_comes_back_empty() {
        let mut request = http::Request::builder().header("a", "b").body(Body::empty()).unwrap();
        request.extensions_mut().insert("of the last");
        let room = request.headers().capacity();
        give_back(request);
        // There is none in these.
        give_back_headers(HeaderMap::new());
        let (headers, extensions) = taken();
        assert_eq!((headers.len(), headers.capacity()), (0, room));
        assert!(extensions.is_empty());
        assert_eq!(taken().0.capacity(), 0, "it is taken");
    }

    #[test]
    fn much_room_is_not_kept() {
        give_back_headers(HeaderMap::with_capacity(10 * MOST));
        assert_eq!(taken().0.capacity(), 0);
    }
}
