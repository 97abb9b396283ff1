//! The head of an answer that is not written, or not again: one that is given often, and is made and written once; one
//! that another server wrote, and that nobody has to take apart.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, SERVER, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::file_part::OpenedFile;

/// The headers of an answer as lines, and what somebody has to know who writes them.
///
/// An answer that has one comes as far as the server only past stages that do not look at answers: for all others
/// the pipeline puts copies of the headers into the answer ([`Responding`](super::Responding)).
#[derive(Debug)]
pub(crate) struct PreparedHead {
    made: Made,
    length: Option<u64>,
    has_date: bool,
    has_server: bool,
}

/// What a head was made as.
#[derive(Debug)]
#[cfg_attr(not(feature = "proxy"), allow(dead_code, reason = "who hands requests on makes them"))]
enum Made {
    /// Headers, the same as lines, once a server has written them, and what it keeps besides.
    Headers(HeaderMap, OnceLock<Box<[u8]>>, GivenOften),
    /// Lines that somebody else has written.
    Lines(Bytes),
}

/// What a server knows of an answer that it may have given before with the same head.
#[derive(Debug, Default)]
pub(crate) struct GivenOften {
    /// All of it, as it was given lately.
    pub(crate) whole: ArcSwapOption<WholeAnswer>,
    /// In which second it was given last, and how often in it; the server's to understand.
    pub(crate) given: AtomicU64,
}

/// An answer as it goes out, in a place from which the system sends it.
#[derive(Debug)]
pub(crate) struct WholeAnswer {
    pub(crate) head: Box<[u8]>,
    pub(crate) body: Bytes,
    /// Both of them.
    pub(crate) file: Arc<OpenedFile>,
    /// What it is called, for the log.
    pub(crate) name: Arc<str>,
}

impl WholeAnswer {
    /// Whether it is the answer with this head and this very body.
    pub(crate) fn is(&self, head: &[u8], body: &Bytes) -> bool {
        let of_body = |body: &Bytes| (body.as_ptr().addr(), body.len());
        of_body(&self.body) == of_body(body) && *self.head == *head
    }
}

impl PreparedHead {
    /// A head with these headers. `None` if one of them says something of the connection or the framing besides the
    /// length, or is one that servers add: those are for a server to see.
    pub(crate) fn new(headers: HeaderMap) -> Option<Self> {
        let of_servers = [CONNECTION, DATE, SERVER, TRAILER, TRANSFER_ENCODING];
        if of_servers.iter().any(|name| headers.contains_key(name)) {
            return None;
        }
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        let length = match lengths.next() {
            None => None,
            Some(told) => {
                let length: u64 = told.to_str().ok()?.parse().ok()?;
                Some(length).filter(|length| *told == length.to_string())?.into()
            }
        };
        let is_alone = lengths.next().is_none();
        is_alone.then(|| Self {
            made: Made::Headers(headers, OnceLock::new(), GivenOften::default()),
            length,
            has_date: false,
            has_server: false,
        })
    }

    /// A head with these lines, each of them `Name: value` with its end. One of them tells the length; none of them
    /// says anything else of the connection or the framing.
    #[cfg_attr(
        not(feature = "proxy"),
        allow(dead_code, reason = "who hands requests on makes them")
    )]
    pub(crate) fn of_lines(lines: Bytes, length: u64, has_date: bool, has_server: bool) -> Self {
        Self { made: Made::Lines(lines), length: Some(length), has_date, has_server }
    }

    /// The length that the headers tell.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// What a server keeps of answers with it. `None` for one that is given once.
    pub(crate) fn given_often(&self) -> Option<&GivenOften> {
        match &self.made {
            Made::Headers(.., often) => Some(often),
            Made::Lines(_) => None,
        }
    }

    /// Whether one of the headers is `Date`.
    pub(crate) fn has_date(&self) -> bool {
        self.has_date
    }

    /// Whether one of the headers is `Server`.
    pub(crate) fn has_server(&self) -> bool {
        self.has_server
    }

    /// The headers as lines: as a server writes them, which is asked to the first time, unless they were lines before.
    pub(crate) fn lines(&self, write: impl FnOnce(&HeaderMap) -> Vec<u8>) -> &[u8] {
        match &self.made {
            Made::Headers(headers, lines, _) => lines.get_or_init(|| write(headers).into()),
            Made::Lines(lines) => lines,
        }
    }

    /// Puts the headers into an answer that has none of them.
    pub(crate) fn put_into(&self, headers: &mut HeaderMap) {
        let own = match &self.made {
            Made::Headers(headers, ..) => headers.clone(),
            Made::Lines(lines) => taken_apart(lines),
        };
        let others = std::mem::replace(headers, own);
        headers.extend(others);
    }
}

/// The headers that lines have.
fn taken_apart(lines: &Bytes) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut rest = &lines[..];
    while let Some(end) = rest.iter().position(|byte| *byte == b'\r') {
        let (line, behind) = rest.split_at(end);
        rest = behind.get(2..).unwrap_or_default();
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 2..).unwrap_or_default();
        // They are headers: whoever made the lines of them saw to that.
        if let Ok(name) = HeaderName::from_bytes(&line[..colon])
            && let Ok(value) = HeaderValue::from_maybe_shared(lines.slice_ref(value))
        {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<PreparedHead> {
        let headers = headers.iter();
        PreparedHead::new(
            headers
                .map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_static(value))
                })
                .fold(HeaderMap::new(), |mut headers, (name, value)| {
                    headers.append(name, value);
                    headers
                }),
        )
    }

    #[test]
    fn what_servers_have_to_see_is_not_prepared() {
        assert_eq!(of(&[("a", "b")]).unwrap().length(), None);
        assert_eq!(of(&[("a", "b"), ("content-length", "12")]).unwrap().length(), Some(12));
        for headers in [
            &[("connection", "close")][..],
            &[("date", "now")],
            &[("server", "b")],
            &[("trailer", "a")],
            &[("transfer-encoding", "chunked")],
            &[("content-length", "012")],
            &[("content-length", "+1")],
            &[("content-length", "many")],
            &[("content-length", "1"), ("content-length", "1")],
        ] {
            assert!(of(headers).is_none(), "{headers:?}");
        }
    }

    #[test]
    fn lines_of_somebody_else_are_taken_apart_for_whoever_wants_headers() {
        let lines = Bytes::from_static(b"A: b\r\nSet-Cookie: c=1; d\r\nE: \r\nset-cookie: f\r\n");
        let head = PreparedHead::of_lines(lines.clone(), 3, true, false);
        assert_eq!(head.lines(|_| panic!("they are there")), lines);
        assert_eq!((head.length(), head.has_date(), head.has_server()), (Some(3), true, false));
        let mut headers = HeaderMap::new();
        headers.insert("g", HeaderValue::from_static("h"));
        head.put_into(&mut headers);
        let all: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let expected: [(&str, &[u8]); 5] =
            [("a", b"b"), ("set-cookie", b"c=1; d"), ("set-cookie", b"f"), ("e", b""), ("g", b"h")];
        assert_eq!(all, expected);
    }

    #[test]
    fn lines_are_written_once_and_headers_stand_before_others() {
        let head = of(&[("a", "b")]).unwrap();
        assert_eq!(head.lines(|headers| vec![b'x'; headers.len()]), b"x");
        assert_eq!(head.lines(|_| panic!("once is enough")), b"x");
        let mut headers = HeaderMap::new();
        headers.insert("c", HeaderValue::from_static("d"));
        head.put_into(&mut headers);
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["a", "c"]);
    }
}
