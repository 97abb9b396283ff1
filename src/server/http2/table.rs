//! The tables of HPACK (RFC 7541 section 2.3), as far as it takes to judge fields that are only
//! pointed to: what kind of field it is, how long it is and what is wrong with it. Its text is in
//! the table of hyper's library, which holds the same entries.

use std::collections::VecDeque;

/// What an entry is counted with beside its name and value (RFC 7541 section 4.1).
pub(super) const OVERHEAD: usize = 32;

/// The size of a table that nobody has said anything of.
pub(super) const DEFAULT_SIZE: usize = 4096;

/// The names that mean something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Authority,
    Method,
    Path,
    Scheme,
    Protocol,
    /// A pseudo-header field that no request has.
    OtherPseudo,
    Cookie,
    ContentLength,
    Other,
}

impl Name {
    /// What a name is, by its first bytes and its length.
    pub(super) const fn of(start: &[u8], length: usize) -> Self {
        match (length, start) {
            (10, [b':', b'a', b'u', b't', b'h', b'o', b'r', b'i', b't', b'y', ..]) => {
                Self::Authority
            }
            (7, [b':', b'm', b'e', b't', b'h', b'o', b'd', ..]) => Self::Method,
            (5, [b':', b'p', b'a', b't', b'h', ..]) => Self::Path,
            (7, [b':', b's', b'c', b'h', b'e', b'm', b'e', ..]) => Self::Scheme,
            (9, [b':', b'p', b'r', b'o', b't', b'o', b'c', b'o', b'l', ..]) => Self::Protocol,
            (1.., [b':', ..]) => Self::OtherPseudo,
            (6, [b'c', b'o', b'o', b'k', b'i', b'e', ..]) => Self::Cookie,
            (14, _) if starts_with(start, b"content-length") => Self::ContentLength,
            _ => Self::Other,
        }
    }

    pub(super) fn is_pseudo(self) -> bool {
        !matches!(self, Self::Cookie | Self::ContentLength | Self::Other)
    }
}

/// `slice::starts_with`, where a constant is made.
const fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    let mut at = 0;
    while at < start.len() {
        if at >= bytes.len() || bytes[at] != start[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// What is wrong with a field, or with all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its name is none.
    Name,
    /// A pseudo-header field that no request has.
    Pseudo,
    /// A pseudo-header field with a value that it cannot have.
    PseudoValue,
    /// A pseudo-header field where none may be.
    Trailers,
    /// A control character in its value.
    Control,
    /// A blank at an end of its value.
    Blank,
    NotUtf8,
    /// There is no `:path` where there has to be one.
    NoPath,
    /// A CONNECT that announces a body.
    Content,
}

impl Fault {
    /// Whether the name is not what it was any more.
    pub(super) fn is_of_name(self) -> bool {
        matches!(self, Self::Name | Self::Pseudo | Self::PseudoValue)
    }

    /// What is told of it.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Name => "A header name is empty, in upper case, or no token.",
            Self::Pseudo => "A pseudo-header field is none that a request has.",
            Self::PseudoValue => "A pseudo-header field has a value that it cannot have.",
            Self::Trailers => "The trailers have a pseudo-header field.",
            Self::Control => "A header value has a control character.",
            Self::Blank => "A header value starts or ends with a blank.",
            Self::NotUtf8 => "A header value is not UTF-8.",
            Self::NoPath => "The request has no :path.",
            Self::Content => "A CONNECT request has a Content-Length.",
        }
    }
}

/// What is known of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: Name,
    pub(super) fault: Option<Fault>,
    pub(super) name_length: u32,
    pub(super) value_length: u32,
    /// Whether its value means something here: CONNECT as a method, a length that is not 0.
    pub(super) telling: bool,
}

impl Known {
    /// As in a table, and in a list of fields (RFC 9113 section 6.5.2).
    pub(super) fn size(self) -> usize {
        OVERHEAD + self.name_length as usize + self.value_length as usize
    }

    /// The longer of name and value.
    pub(super) fn longest(self) -> usize {
        self.name_length.max(self.value_length) as usize
    }
}

/// Both tables of the client's side.
#[derive(Debug)]
pub(super) struct Table {
    /// The dynamic one, newest first.
    entries: VecDeque<Known>,
    size: usize,
    max_size: usize,
    /// What its size may become.
    bound: usize,
}

impl Table {
    /// An empty one, whose size may become as large as we have told the client.
    pub(super) fn new(told: usize) -> Self {
        let bound = told.max(DEFAULT_SIZE);
        Self { entries: VecDeque::new(), size: 0, max_size: DEFAULT_SIZE, bound }
    }

    pub(super) fn get(&self, index: usize) -> Option<Known> {
        match index.checked_sub(STATIC.len() + 1) {
            Some(index) => self.entries.get(index).copied(),
            None => STATIC.get(index.checked_sub(1)?).copied(),
        }
    }

    /// Whether an entry of that size has room.
    pub(super) fn fits(&self, size: usize) -> bool {
        size <= self.max_size
    }

    /// What an entry of more than this clears the table with.
    pub(super) fn max_size(&self) -> usize {
        self.max_size
    }

    /// Puts in a new entry. One that has no room leaves the table empty.
    pub(super) fn insert(&mut self, entry: Known) {
        let size = entry.size();
        self.shrink(self.max_size.saturating_sub(size));
        if self.fits(size) {
            self.size += size;
            self.entries.push_front(entry);
        }
    }

    /// The client says how large the table is; false if it may not be.
    pub(super) fn resize(&mut self, max_size: usize) -> bool {
        self.max_size = max_size.min(self.bound);
        self.shrink(self.max_size);
        max_size <= self.bound
    }

    fn shrink(&mut self, size: usize) {
        while self.size > size {
            let Some(oldest) = self.entries.pop_back() else {
                return;
            };
            self.size -= oldest.size();
        }
    }
}

/// RFC 7541 appendix A.
const STATIC: [Known; 61] = {
    let mut entries = [known(b"", b""); 61];
    let mut at = 0;
    while at < entries.len() {
        entries[at] = known(NAMES[at].0.as_bytes(), NAMES[at].1.as_bytes());
        at += 1;
    }
    entries
};

const fn known(name: &[u8], value: &[u8]) -> Known {
    let kind = Name::of(name, name.len());
    // `:status`, whatever its value.
    let fault = match kind {
        Name::OtherPseudo => Some(Fault::Pseudo),
        _ => None,
    };
    let (name_length, value_length) = (name.len() as u32, value.len() as u32);
    Known { name: kind, fault, name_length, value_length, telling: false }
}

#[rustfmt::skip]
const NAMES: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"),
    (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), (":status", "200"),
    (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""),
    ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""),
    ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
    ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""),
    ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
    ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""),
    ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""),
    ("via", ""), ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value_length: u32) -> Known {
        Known { name: Name::Other, fault: None, name_length: 1, value_length, telling: false }
    }

    #[test]
    fn the_static_table_is_that_of_the_specification() {
        let table = Table::new(DEFAULT_SIZE);
        for (index, name, size) in [
            (1, Name::Authority, 42),
            (2, Name::Method, 42),
            (5, Name::Path, 48),
            (7, Name::Scheme, 44),
            (8, Name::OtherPseudo, 42),
            (14, Name::OtherPseudo, 42),
            (15, Name::Other, 46),
            (16, Name::Other, 60),
            (32, Name::Cookie, 38),
            (61, Name::Other, 48),
        ] {
            let known = table.get(index).unwrap();
            assert_eq!((known.name, known.size()), (name, size), "{index}");
            assert_eq!(known.fault.is_some(), name == Name::OtherPseudo, "{index}");
        }
        assert_eq!((table.get(0), table.get(62)), (None, None));
    }

    #[test]
    fn the_oldest_entries_make_room() {
        let mut table = Table::new(DEFAULT_SIZE);
        for value_length in [2000, 2000, 10] {
            table.insert(entry(value_length));
        }
        assert_eq!((62..66).map_while(|index| table.get(index)).count(), 2);
        assert_eq!(table.get(62), Some(entry(10)));
        // As large as may be, and larger.
        table.insert(entry(4063));
        assert_eq!((table.get(62), table.get(63)), (Some(entry(4063)), None));
        table.insert(entry(4064));
        assert_eq!(table.get(62), None);
        table.insert(entry(10));
        assert!(table.resize(43) && table.get(62).is_some());
        assert!(table.resize(42) && table.get(62).is_none());
        assert!(!table.resize(4097));
        assert!(Table::new(8192).resize(8192));
    }
}
