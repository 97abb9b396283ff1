//! The fields of a header block (RFC 7541), as far as it takes to find what is malformed and what
//! is too much.
//!
//! hyper's library takes a field that no request may have, such as a name in upper case, for a
//! fault in the compression, and ends the connection with all its requests. Such a field is
//! replaced here by one that takes the same place in the table of both sides, and one is added
//! that the library refuses as it should: it resets the stream.
//!
//! Nor is the library asked what is too much. Of a block beyond a limit only what its tables need
//! goes on, and a mark that no client can send ([`excess`]), so that the request is answered while
//! the connection lives.

use http::{HeaderMap, HeaderValue};

use super::representation::{Field, Reader, Representation};
use super::table::{Fault, Known, Name, OVERHEAD, Table};

/// A block that is not compressed as it has to be, so that nobody knows any more what its
/// connection's table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What a block is the head or the end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Trailers,
}

/// What fields are measured by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Of a name or a value.
    pub(super) max_field_size: usize,
    /// Cookies count as one field (RFC 9113 section 8.2.3).
    pub(super) max_count: usize,
    /// Of the list, as in RFC 9113 section 6.5.2.
    pub(super) max_size: usize,
    /// Of method, scheme, authority and path.
    pub(super) max_line: usize,
}

/// Which limit a block is beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::server) enum Excess {
    Line = b'l',
    Size = b's',
    Count = b'c',
}

/// A pseudo-header field is longer than it has to be to keep the request one that can be answered.
const LONG_PSEUDO: usize = 256;

/// What begins the value that marks a block beyond a limit. No text in UTF-8 does, and a client's
/// value that is none is replaced.
const MARK: u8 = 0xff;

/// The mark of a block that is beyond a limit, if these are its fields.
pub(in crate::server) fn excess(fields: &HeaderMap) -> Option<Excess> {
    fields.values().find_map(mark)
}

/// The same of one field.
pub(in crate::server) fn mark(value: &HeaderValue) -> Option<Excess> {
    let [MARK, limit, ..] = value.as_bytes() else {
        return None;
    };
    [Excess::Line, Excess::Size, Excess::Count].into_iter().find(|excess| *excess as u8 == *limit)
}

/// What became of a block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// What goes on in its place, unless it does itself.
    pub(super) replaced: Option<Vec<u8>>,
    /// What is wrong with it, the first of all.
    pub(super) fault: Option<Fault>,
}

/// So long a block is remembered, in bytes: clients that ask for one thing again and again send shorter ones.
const REMEMBERED: usize = 64;

/// The header blocks of a connection, in the order in which they come.
#[derive(Debug)]
pub(super) struct Blocks {
    bounds: Bounds,
    table: Table,
    remembered: Remembered,
}

/// The last block that goes on as it is and has left the table as it was: for as long as that stays so, it does when it
/// comes once more.
#[derive(Debug)]
struct Remembered {
    kind: Kind,
    /// Empty, if there is none.
    block: Vec<u8>,
}

impl Remembered {
    const fn none() -> Self {
        Self { kind: Kind::Request, block: Vec::new() }
    }

    fn is(&self, block: &[u8], kind: Kind) -> bool {
        !block.is_empty() && self.kind == kind && self.block == block
    }

    fn take(&mut self, block: &[u8], kind: Kind) {
        if block.len() <= REMEMBERED {
            self.kind = kind;
            self.block.clear();
            self.block.extend_from_slice(block);
        }
    }

    fn forget(&mut self) {
        self.block.clear();
    }
}

impl Blocks {
    /// `table_size` is what we have told the client of our table.
    pub(super) fn new(bounds: Bounds, table_size: usize) -> Self {
        Self { bounds, table: Table::new(table_size), remembered: Remembered::none() }
    }

    /// Looks at the block that comes next. Every block has to be shown.
    pub(super) fn judge(&mut self, block: &[u8], kind: Kind) -> Result<Judged, Unreadable> {
        if self.remembered.is(block, kind) {
            return Ok(Judged::default());
        }
        let mut table_stays = true;
        let mut reader = Reader { block, at: 0 };
        let mut output = Output { block, at: 0, changed: None };
        let mut tally = Tally::default();
        let mut first_fault = None;
        while let Some(&first) = block.get(reader.at) {
            match reader.representation(first).ok_or(Unreadable)? {
                // Only where a block begins (RFC 7541 section 4.2).
                Representation::TableSize(size) => {
                    if tally.begun || !self.table.resize(size) {
                        return Err(Unreadable);
                    }
                    table_stays = false;
                    output.keep(reader.at);
                }
                Representation::Indexed(index) => {
                    let known = self.table.get(index).ok_or(Unreadable)?;
                    first_fault = first_fault.or(known.fault_in(kind));
                    let excess = tally.add(known, self.bounds);
                    let beyond = excess && !known.name.is_pseudo();
                    if beyond || known.says_nothing() {
                        output.leave_out(reader.at);
                    } else {
                        output.keep(reader.at);
                    }
                }
                Representation::Literal(field) => {
                    let known = field.known(&self.table).ok_or(Unreadable)?;
                    first_fault = first_fault.or(known.fault_in(kind));
                    let excess = tally.add(known, self.bounds);
                    let to = reader.at;
                    if field.is_inserted() {
                        table_stays = false;
                        self.insert(&field, known, excess, &mut output, to)?;
                    } else if excess && !known.name.is_pseudo() || known.says_nothing() {
                        output.leave_out(to);
                    } else if excess && known.longest() > LONG_PSEUDO {
                        field.put(known, known.name_length as usize + 1, output.instead(to));
                    } else if known.fault.is_some() {
                        field.replace(known, output.instead(to));
                    } else {
                        output.keep(to);
                    }
                }
            }
        }
        first_fault = first_fault.or_else(|| tally.fault().filter(|_| kind == Kind::Request));
        if first_fault.is_some() {
            // Of the connection, not of a request: refused wherever it stands.
            output.instead(reader.at).extend_from_slice(b"\0\x0aconnection\x01x");
        } else if let Some(excess) = tally.excess {
            output.instead(reader.at).extend_from_slice(&[0, 1, b'x', 2, MARK, excess as u8]);
        }
        let judged = Judged { replaced: output.changed, fault: first_fault };
        if !table_stays {
            self.remembered.forget();
        } else if judged == Judged::default() {
            self.remembered.take(block, kind);
        }
        Ok(judged)
    }

    /// A field that goes into the table goes on, whatever it is.
    fn insert(
        &mut self,
        field: &Field<'_>,
        known: Known,
        excess: bool,
        output: &mut Output<'_>,
        to: usize,
    ) -> Result<(), Unreadable> {
        let fits = self.table.fits(known.size());
        self.table.insert(known);
        if excess && !fits {
            // It clears the table, which one byte too much does, too.
            let room = (self.table.max_size() + 1).saturating_sub(OVERHEAD);
            field.put(known, room, output.instead(to));
        } else if known.fault.is_none() {
            output.keep(to);
        } else if known.size() == OVERHEAD {
            // No name of the library's is empty, and nothing else is as small.
            return Err(Unreadable);
        } else {
            field.replace(known, output.instead(to));
        }
        Ok(())
    }
}

/// The block as it goes on.
struct Output<'a> {
    block: &'a [u8],
    /// What was looked at.
    at: usize,
    changed: Option<Vec<u8>>,
}

impl Output<'_> {
    /// What comes up to there goes on as it is.
    fn keep(&mut self, to: usize) {
        if let Some(changed) = &mut self.changed {
            changed.extend_from_slice(&self.block[self.at..to]);
        }
        self.at = to;
    }

    /// Where something goes on instead.
    fn instead(&mut self, to: usize) -> &mut Vec<u8> {
        let changed = self.changed.get_or_insert_with(|| self.block[..self.at].to_vec());
        self.at = to;
        changed
    }

    fn leave_out(&mut self, to: usize) {
        self.instead(to);
    }
}

/// What a block has so far.
#[derive(Debug, Default)]
struct Tally {
    begun: bool,
    cookie: bool,
    count: usize,
    size: usize,
    line: usize,
    excess: Option<Excess>,
    /// What it has of what makes a request one.
    scheme: bool,
    path: bool,
    connect: bool,
    content: bool,
}

impl Tally {
    /// Counts a field; true if it, or one before it, is too much.
    fn add(&mut self, field: Known, bounds: Bounds) -> bool {
        self.begun = true;
        if field.name != Name::Cookie || !std::mem::replace(&mut self.cookie, true) {
            self.count += 1;
        }
        self.size = self.size.saturating_add(field.size());
        if matches!(field.name, Name::Method | Name::Scheme | Name::Authority | Name::Path) {
            self.line = self.line.saturating_add(field.value_length as usize);
        }
        if self.excess.is_none() {
            self.excess = if self.line > bounds.max_line {
                Some(Excess::Line)
            } else if field.longest() > bounds.max_field_size || self.size > bounds.max_size {
                Some(Excess::Size)
            } else {
                (self.count > bounds.max_count).then_some(Excess::Count)
            };
        }
        match field.name {
            Name::Scheme => self.scheme = true,
            Name::Path => self.path = true,
            Name::Method => self.connect |= field.telling,
            Name::ContentLength => self.content |= field.telling,
            _ => {}
        }
        self.excess.is_some()
    }

    /// What is wrong with a request that is well-formed field by field, as far as the library does
    /// not see it: without an authority it takes no path for `/`, and hyper ends the connection for
    /// a CONNECT with a length.
    fn fault(&self) -> Option<Fault> {
        if self.connect && self.content {
            return Some(Fault::Content);
        }
        // Only a CONNECT that is not extended has none, and no scheme either.
        (self.scheme && !self.path).then_some(Fault::NoPath)
    }
}

impl Known {
    /// What is wrong with it in such a block.
    fn fault_in(self, kind: Kind) -> Option<Fault> {
        let misplaced = kind == Kind::Trailers && self.name.is_pseudo();
        self.fault.or(misplaced.then_some(Fault::Trailers))
    }

    /// An empty `:authority`, for which the library has no use.
    fn says_nothing(self) -> bool {
        self.name == Name::Authority && self.value_length == 0
    }
}

#[cfg(test)]
mod tests;
