//! Blocks that are well-formed, malformed and too much, and that both sides keep the same table.

use proptest::prelude::*;

use super::*;
use crate::server::http2::representation::put_integer;

const MAX: usize = 100;

const BOUNDS: Bounds = Bounds { max_field_size: MAX, max_count: 12, max_size: 600, max_line: 40 };

fn blocks() -> Blocks {
    Blocks::new(BOUNDS, 4096)
}

fn mended(block: &[u8]) -> Option<Vec<u8>> {
    blocks().judge(block, Kind::Request).unwrap().replaced
}

fn literal(kind: u8, name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![kind];
    for text in [name, value] {
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend(text.bytes());
    }
    bytes
}

/// A block with the field in the middle of what else there is.
fn with(field: &[u8]) -> Vec<u8> {
    [b"\x82\x86", field, b"\x84"].concat()
}

const REFUSED: &[u8] = b"\0\x0aconnection\x01x";

#[test]
fn well_formed_blocks_pass_untouched() {
    let mut blocks = blocks();
    for block in [
        // The requests of RFC 7541 appendix C.4, Huffman coded.
        &b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..],
        b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
        b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
        &literal(0, "x-a", "a\tb \u{e5}"),
        &literal(0x10, ":protocol", "websocket"),
        &literal(0, "x", ""),
        // A size of the table, then a name from it.
        b"\x3f\xe1\x1f\x7e\x01a",
        b"",
    ] {
        assert_eq!(blocks.judge(block, Kind::Request), Ok(Judged::default()), "{block:?}");
    }
}

/// The blocks of a client that repeats itself are not looked at again; what they point to may be another thing than before.
#[test]
fn a_block_that_comes_again_is_judged_by_what_it_says_now() {
    let mut blocks = blocks();
    let mut judge = |block: &[u8], kind| blocks.judge(block, kind).unwrap();
    let [good, bad] = [literal(0x40, "x-a", "y"), literal(0x40, "X-A", "y")].map(|it| with(&it));
    let repeated = b"\x82\x86\x84\xbe";
    assert_eq!(judge(&good, Kind::Request), Judged::default());
    for _ in 0..3 {
        assert_eq!(judge(repeated, Kind::Request), Judged::default());
    }
    // Between others that leave the table as it is.
    assert_eq!(judge(b"\x82\x86\x84", Kind::Request), Judged::default());
    assert_eq!(judge(repeated, Kind::Request), Judged::default());
    assert_eq!(judge(repeated, Kind::Trailers).fault, Some(Fault::Trailers));
    assert_eq!(judge(repeated, Kind::Request), Judged::default());
    // The first entry of the table is another one now.
    assert_eq!(judge(&bad, Kind::Request).fault, Some(Fault::Name));
    assert_eq!(judge(repeated, Kind::Request).fault, Some(Fault::Name));
    assert_eq!(judge(&good, Kind::Request), Judged::default());
    assert_eq!(judge(repeated, Kind::Request), Judged::default());
    // It is gone.
    assert_eq!(judge(b"\x20\x82\x86\x84", Kind::Request), Judged::default());
    assert_eq!(blocks.judge(repeated, Kind::Request), Err(Unreadable));
}

#[test]
fn what_cannot_be_read_is_told() {
    for block in [
        &b"\x80"[..],
        b"\x82\x40\x05ab",
        b"\0\x01X",
        b"\0\x01X\x01y\x40",
        b"\x3f\xff\xff\xff\xff\xff",
        b"\0\x81\0\x01a",
        // Entries that are not there, and a table that is too large or comes too late.
        b"\xbe",
        b"\x7e\x01a",
        b"\x3f\xe2\x1f",
        b"\x82\x20",
        // No entry of the library's is as small.
        b"\x40\0\0",
    ] {
        assert_eq!(blocks().judge(block, Kind::Request), Err(Unreadable), "{block:?}");
    }
}

#[test]
fn a_malformed_field_is_replaced_by_one_of_the_same_size() {
    let x = |kind, name: usize, value: usize| literal(kind, &"x".repeat(name), &"x".repeat(value));
    let indexed = |bytes: &[u8]| bytes.to_vec();
    for (field, replaced) in [
        (literal(0, "X-Up", "y"), x(0, 4, 1)),
        (literal(0x40, "x y", "z"), x(0x40, 3, 1)),
        (literal(0, "", "y"), x(0, 1, 0)),
        (literal(0, "", ""), x(0, 1, 0)),
        (literal(0, ":foo", "bar"), x(0, 4, 3)),
        (literal(0, ":status", "abc"), x(0, 7, 3)),
        (indexed(b"\x48\x01a"), x(0x40, 7, 1)),
        (literal(0, "x", "y\r\nz: w"), literal(0, "x", "xxxxxxx")),
        (literal(0, "x", " y"), literal(0, "x", "xx")),
        (literal(0x40, "x", "y\t"), literal(0x40, "x", "xx")),
        (indexed(b"\0\x01x\x02\xe5y"), literal(0, "x", "xx")),
        (indexed(b"\0\x01x\x01\xff"), literal(0, "x", "x")),
        (indexed(b"\x7a\x01\0"), indexed(b"\x7a\x01x")),
        (indexed(b"\x0f\x23\x01\x7f"), indexed(b"\x0f\x23\x01x")),
        (indexed(b"\x42\x04GE T"), x(0x40, 7, 4)),
        (indexed(b"\x42\x00"), x(0x40, 7, 0)),
        (literal(0, ":path", "/\u{e5}"), x(0, 5, 3)),
        (literal(0, ":path", "/a#b"), x(0, 5, 4)),
        // The same in Huffman's code: `A`, a line feed, a blank.
        (indexed(b"\0\x81\x87\x01y"), x(0, 1, 1)),
        (indexed(b"\0\x01x\x84\xff\xff\xff\xf3"), literal(0, "x", "x")),
        (indexed(b"\0\x01x\x81\x53"), literal(0, "x", "x")),
    ] {
        let expected = [&with(&replaced), REFUSED].concat();
        assert_eq!(mended(&with(&field)), Some(expected), "{field:?}");
    }
}

/// A client that puts a malformed field into the table, and points to it in its next request,
/// has not sent what stands in its place.
#[test]
fn a_malformed_field_stays_malformed_in_the_table() {
    for (field, pointer, fault) in [
        (literal(0x40, "x", "y "), &b"\xbe"[..], Fault::Blank),
        (literal(0x40, "X", "y"), b"\xbe", Fault::Name),
        (literal(0x40, "X", "y"), b"\x0f\x2f\x01y", Fault::Name),
        (literal(0x40, ":path", "/#"), b"\xbe", Fault::PseudoValue),
        (literal(0x40, ":path", "/"), b"\x0f\x2f\x03/a#", Fault::PseudoValue),
    ] {
        let mut blocks = blocks();
        blocks.judge(&field, Kind::Request).unwrap();
        let judged = blocks.judge(&with(pointer), Kind::Request).unwrap();
        assert_eq!(judged.fault, Some(fault), "{field:?} {pointer:?}");
        assert!(judged.replaced.unwrap().ends_with(REFUSED));
        assert_eq!(blocks.judge(b"\x82", Kind::Request), Ok(Judged::default()));
    }
    // The value of another name's entry is nobody's.
    let mut blocks = blocks();
    blocks.judge(&literal(0x40, "x", "y "), Kind::Request).unwrap();
    let judged = blocks.judge(b"\x0f\x2f\x01y", Kind::Request);
    assert_eq!(judged, Ok(Judged::default()));
}

#[test]
fn an_empty_authority_is_left_out() {
    for field in [&b"\x01\0"[..], b"\0\x0a:authority\0", b"\x11\x80", b"\x81"] {
        assert_eq!(mended(&with(field)), Some(with(b"")));
    }
}

#[test]
fn trailers_are_held_to_the_rules_of_heads() {
    for (trailers, fault) in [
        (literal(0, "x", "y"), None),
        (b"\x90".to_vec(), None),
        (b"\x84".to_vec(), Some(Fault::Trailers)),
        (literal(0, ":path", "/"), Some(Fault::Trailers)),
        (b"\x04\x01/".to_vec(), Some(Fault::Trailers)),
        (b"\xbe".to_vec(), Some(Fault::Trailers)),
        (literal(0, "x", "y "), Some(Fault::Blank)),
        (literal(0, "x", "\ty"), Some(Fault::Blank)),
        (b"\0\x01x\x01\xe5".to_vec(), Some(Fault::NotUtf8)),
        (literal(0, "x", "y\0"), Some(Fault::Control)),
        (literal(0, "X", "y"), Some(Fault::Name)),
        (literal(0, "", "y"), Some(Fault::Name)),
    ] {
        let mut blocks = blocks();
        blocks.judge(&literal(0x40, ":path", "/a"), Kind::Request).unwrap();
        let judged = blocks.judge(&trailers, Kind::Trailers).unwrap();
        assert_eq!(judged.fault, fault, "{trailers:?}");
        let refused = judged.replaced.is_some_and(|block| block.ends_with(REFUSED));
        assert_eq!(refused, fault.is_some(), "{trailers:?}");
    }
}

fn marked(block: &[u8], excess: Excess) -> Vec<u8> {
    [block, &[0, 1, b'x', 2, 0xff, excess as u8]].concat()
}

#[test]
fn what_is_too_much_is_left_out_and_marked() {
    let long = |length| literal(0, "x", &"y".repeat(length));
    let path = |length: usize| literal(0x10, ":path", &format!("/{}", "p".repeat(length - 1)));
    let small = literal(0, "x", "y");
    let crumb = literal(0, "cookie", "a=b");
    for (field, expected) in [
        (long(MAX), None),
        (long(MAX + 1), Some(marked(&with(b""), Excess::Size))),
        (literal(0, &"n".repeat(MAX + 1), ""), Some(marked(&with(b""), Excess::Size))),
        // Three of its own and nine.
        (small.repeat(9), None),
        (small.repeat(10), Some(marked(&with(&small.repeat(10)), Excess::Count))),
        (small.repeat(11), Some(marked(&with(&small.repeat(10)), Excess::Count))),
        // Cookies are one.
        ([crumb.repeat(3), small.repeat(8)].concat(), None),
        ([crumb.repeat(3), small.repeat(10)].concat(), {
            let block = with(&[crumb.repeat(3), small.repeat(9)].concat());
            Some(marked(&block, Excess::Count))
        }),
        // 42, 43 and 38 of its own; the last one is a pseudo-header field.
        (long(100).repeat(3), None),
        (long(100).repeat(4), Some(marked(&with(&long(100).repeat(3)), Excess::Size))),
        (path(32), None),
        (path(33), Some(marked(&with(&path(33)), Excess::Line))),
    ] {
        assert_eq!(mended(&with(&field)), expected, "{field:?}");
    }
    let text = HeaderValue::from_bytes(&[0xff, b'c']).unwrap();
    assert_eq!(mark(&text), Some(Excess::Count));
    assert_eq!(mark(&HeaderValue::from_static("c")), None);
}

/// What is indexed costs a byte, and may be a megabyte when it is written out.
#[test]
fn a_list_that_is_large_only_when_it_is_written_out_is_too_much() {
    let mut blocks = blocks();
    let entry = literal(0x40, "x", &"y".repeat(90));
    blocks.judge(&entry, Kind::Request).unwrap();
    let judged = blocks.judge(&with(&b"\xbe".repeat(100_000)), Kind::Request).unwrap();
    assert_eq!(judged.replaced, Some(marked(&with(b"\xbe\xbe\xbe\xbe"), Excess::Size)));
}

/// The table of the library has to hold what the client's does.
#[test]
fn what_goes_into_the_table_goes_on() {
    let entry = |name: &str, length| {
        let mut bytes = vec![0x40, u8::try_from(name.len()).unwrap()];
        bytes.extend(name.bytes());
        put_integer(&mut bytes, 0, 7, length);
        bytes.extend(std::iter::repeat_n(b'v', length));
        bytes
    };
    let too_much = literal(0, "x", &"y".repeat(MAX + 1));
    let kept = [entry("x-a", 50), entry("x-b", 200)].concat();
    let block = [&too_much[..], &kept, &literal(0, "x-c", "d"), b"\xbf"].concat();
    let mut blocks = blocks();
    let judged = blocks.judge(&with(&block), Kind::Request).unwrap();
    assert_eq!(judged.replaced, Some(marked(&with(&kept), Excess::Size)));
    assert_eq!(blocks.table.get(62).unwrap().value_length, 200);
    // What has no room in the table clears it, on both sides.
    let judged = blocks.judge(&with(&entry("x-long", 10_000)), Kind::Request).unwrap();
    let clears = entry("x", 4064);
    let clears = clears.iter().map(|byte| if *byte == b'v' { b'x' } else { *byte }).collect();
    let clears: Vec<u8> = clears;
    assert_eq!(judged.replaced, Some(marked(&with(&clears), Excess::Size)));
    assert_eq!(blocks.table.get(62), None);
}

/// The request has to remain one, so that it can be answered.
#[test]
fn pseudo_header_fields_stay_with_a_short_value() {
    let long = "p".repeat(5000);
    let text = |kind: u8, name: u8, value: &str| {
        let mut bytes = vec![kind | name];
        put_integer(&mut bytes, 0, 7, value.len());
        bytes.extend(value.bytes());
        bytes
    };
    for (field, short) in [
        (text(0, 4, &format!("/{long}")), text(0, 4, "/")),
        (text(0, 1, &long), text(0, 1, "x")),
        (text(0x40, 4, &format!("/{long}")), text(0x40, 4, &format!("/{}", "x".repeat(4059)))),
        (text(0x40, 1, &long), text(0x40, 1, &"x".repeat(4055))),
    ] {
        assert_eq!(mended(&with(&field)), Some(marked(&with(&short), Excess::Line)));
    }
}

/// Fields of every kind, most of them good, some of them larger than a table.
fn any_field() -> impl Strategy<Value = Vec<u8>> {
    let names = &["x", "x-long-name", "cookie", ":path", ":authority", "X", "", "te"];
    let name = prop_oneof![
        (1..80_usize).prop_map(Err),
        proptest::sample::select(&names[..]).prop_map(Ok),
    ];
    let value = prop_oneof![
        "[ -~]{0,20}".prop_map(String::into_bytes),
        (0..6000_usize).prop_map(|length| vec![b'v'; length]),
        proptest::collection::vec(any::<u8>(), 0..20),
    ];
    let kind = proptest::sample::select(&[0x40, 0x40, 0, 0x10][..]);
    let literal = (kind, name, value).prop_map(|(kind, name, value)| {
        let mut bytes = Vec::new();
        match name {
            Err(index) => put_integer(&mut bytes, kind, if kind == 0x40 { 6 } else { 4 }, index),
            Ok(name) => {
                bytes.push(kind);
                put_integer(&mut bytes, 0, 7, name.len());
                bytes.extend(name.bytes());
            }
        }
        put_integer(&mut bytes, 0, 7, value.len());
        bytes.extend(value);
        bytes
    });
    let indexed = (1..80_usize).prop_map(|index| {
        let mut bytes = Vec::new();
        put_integer(&mut bytes, 0x80, 7, index);
        bytes
    });
    prop_oneof![2 => literal, 1 => indexed]
}

/// Every entry of a decoder's dynamic table.
fn entries(decoder: &mut fluke_hpack::Decoder<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    (62..)
        .map_while(|index| {
            let mut pointer = Vec::new();
            put_integer(&mut pointer, 0x80, 7, index);
            decoder.decode(&pointer).ok().map(|mut fields| fields.remove(0))
        })
        .collect()
}

/// Fields that enter the table, well-formed or not, one that does not, and the last two of the table, which are others then.
fn field_or_pointer() -> impl Strategy<Value = Vec<u8>> {
    let fields = [
        literal(0x40, "x-a", "y"),
        literal(0x40, "X-A", "y"),
        literal(0, "x", "z"),
        b"\xbe".to_vec(),
        b"\xbf".to_vec(),
    ];
    proptest::sample::select(fields.to_vec())
}

proptest! {
    /// Whatever the client does, the library's table holds what its own does, apart from what
    /// was malformed, and that has its place.
    #[test]
    fn both_sides_keep_the_same_table(
        list in proptest::collection::vec(
            (proptest::option::of(0..4097_usize), proptest::collection::vec(any_field(), 0..8)),
            1..8,
        ),
        trailers in any::<bool>(),
    ) {
        let kind = if trailers { Kind::Trailers } else { Kind::Request };
        let bounds =
            Bounds { max_field_size: 3000, max_count: 5, max_size: 8000, max_line: 1000 };
        let mut blocks = Blocks::new(bounds, 4096);
        let mut clients = fluke_hpack::Decoder::new();
        let mut librarys = fluke_hpack::Decoder::new();
        for (size, fields) in list {
            let mut block = Vec::new();
            if let Some(size) = size.filter(|_| !fields.is_empty()) {
                put_integer(&mut block, 0x20, 5, size);
            }
            block.extend(fields.concat());
            let Ok(judged) = blocks.judge(&block, kind) else {
                // The connection ends.
                break;
            };
            prop_assert!(clients.decode(&block).is_ok());
            let goes_on = judged.replaced.as_ref().unwrap_or(&block);
            // The one field of a block may be left out behind a size of the table. The library
            // takes what is left; this decoder wants a field there.
            let seen = librarys.decode(&[goes_on, &b"\x82"[..]].concat()).unwrap();
            let of_us = |(_, value): &(Vec<u8>, Vec<u8>)| value.first() == Some(&MARK);
            prop_assert!(judged.replaced.is_some() || !seen.iter().any(of_us));
            let (theirs, ours) = (entries(&mut clients), entries(&mut librarys));
            prop_assert_eq!(theirs.len(), ours.len());
            for (index, (theirs, ours)) in (62..).zip(theirs.into_iter().zip(ours)) {
                let known = blocks.table.get(index).unwrap();
                let size = OVERHEAD + theirs.0.len() + theirs.1.len();
                prop_assert_eq!(known.size(), size);
                prop_assert_eq!(OVERHEAD + ours.0.len() + ours.1.len(), size);
                prop_assert!(known.fault.is_some() || theirs == ours);
            }
            prop_assert_eq!(blocks.table.get(62 + entries(&mut clients).len()), None);
        }
    }
    /// A connection that remembers a block judges as one that does not.
    #[test]
    fn what_is_remembered_changes_nothing(
        pool in proptest::collection::vec(proptest::collection::vec(field_or_pointer(), 1..3), 2..5),
        picks in proptest::collection::vec((any::<proptest::sample::Index>(), any::<bool>()), 1..30),
    ) {
        let (mut remembers, mut forgets) = (blocks(), blocks());
        // Something to point to.
        for blocks in [&mut remembers, &mut forgets] {
            blocks.judge(&literal(0x40, "a", "b").repeat(2), Kind::Request).unwrap();
        }
        for (pick, trailers) in picks {
            let kind = if trailers { Kind::Trailers } else { Kind::Request };
            let block = pick.get(&pool).concat();
            forgets.remembered.forget();
            let (one, other) = (remembers.judge(&block, kind), forgets.judge(&block, kind));
            prop_assert_eq!(&one, &other);
            if one.is_err() {
                break;
            }
        }
    }
}
