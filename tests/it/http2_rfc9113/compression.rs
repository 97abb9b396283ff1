//! How fields are written (RFC 7541).

use super::case::{Answer, COMPRESSION, Case, Connection, case};
use super::shorthand::{WHOLE, headers, with};
use crate::http2_frames::get;

pub(super) fn compression() -> Vec<Case> {
    // `x-test: h2`, the texts plain and as Huffman codes.
    let plain = |first: u8| [&[first, 6][..], b"x-test", &[2], b"h2"].concat();
    let coded = |first: u8| vec![first, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x82, 0x9c, 0x5f];
    // `user-agent`, by its place.
    let by_place = |first: &[u8]| [first, &[2], b"h2"].concat();
    let answered = |section, what, block: &[u8]| case(section, what, &[with(block)], Answer(1));
    let wrong =
        |section, what, block: &[u8]| case(section, what, &[with(block)], Connection(COMPRESSION));
    let (zero, all) = ([0x20], [0x3f, 0xe1, 0x1f]);
    let before = |update: &[u8]| headers(WHOLE, 1, &[update, &get("/")].concat());
    vec![
        answered("HPACK 6.1", "a whole field from the table", &[0x90]),
        answered("HPACK 6.2.1", "a name from the table, to be indexed", &by_place(&[0x7a])),
        answered("HPACK 6.2.1", "a new field, to be indexed", &plain(0x40)),
        answered("HPACK 6.2.1", "a coded one", &coded(0x40)),
        answered("HPACK 6.2.2", "a name from the table, not indexed", &by_place(&[0x0f, 0x2b])),
        answered("HPACK 6.2.2", "a new field, not indexed", &plain(0x00)),
        answered("HPACK 6.2.2", "a coded one", &coded(0x00)),
        answered("HPACK 6.2.3", "a name from the table, never indexed", &by_place(&[0x1f, 0x2b])),
        answered("HPACK 6.2.3", "a new field, never indexed", &plain(0x10)),
        answered("HPACK 6.2.3", "a coded one", &coded(0x10)),
        case(
            "HPACK 2.3.2",
            "a field that was indexed before",
            &[with(&plain(0x40)), headers(WHOLE, 3, &[&get("/")[..], &[0xbe]].concat())],
            Answer(3),
        ),
        case("HPACK 6.3", "another size of the table", &[before(&zero)], Answer(1)),
        case("HPACK 4.2", "two of them", &[before(&[&zero[..], &all].concat())], Answer(1)),
        wrong("HPACK 2.3.3", "a field that is not in the table", &[0xc6]),
        wrong("HPACK 2.3.3", "a name that is not in the table", &by_place(&[0x7f, 0x0a])),
        wrong("HPACK 4.2", "another size at the end of a block", &zero),
        wrong("HPACK 5.2", "padding of more than seven bits", &[0, 1, b'x', 0x82, 0x1f, 0xff]),
        wrong("HPACK 5.2", "padding of zeros", &[0, 1, b'x', 0x81, 0x18]),
        wrong(
            "HPACK 5.2",
            "the end of a text in the text",
            &[0, 1, b'x', 0x84, 0xff, 0xff, 0xff, 0xff],
        ),
        wrong("HPACK 6.1", "the field at place zero", &[0x80]),
        case(
            "HPACK 6.3",
            "a table that is too large",
            &[before(&[0x3f, 0xe2, 0x1f])],
            Connection(COMPRESSION),
        ),
    ]
}
