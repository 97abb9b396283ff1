//! Frames as bytes (RFC 9113 section 4), and header blocks (RFC 7541) as plain as they can be.

/// Frame types by their numbers.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
pub(crate) const WITH_PRIORITY: u8 = 0x20;

/// What a client of HTTP/2 says first.
pub(crate) const MAGIC: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bytes before a frame's payload.
pub(crate) const HEAD: usize = 9;

/// Error codes by their numbers (RFC 9113 section 7).
const CODES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// The name of an error code, or its number.
pub(crate) fn code(number: u32) -> String {
    let name = usize::try_from(number).ok().and_then(|at| CODES.get(at));
    name.map_or_else(|| number.to_string(), |&name| name.to_owned())
}

/// A frame with this payload, whatever it means.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    frame_of_length(kind, flags, stream, payload, payload.len())
}

/// A frame that claims a length.
pub(crate) fn frame_of_length(
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &[u8],
    length: usize,
) -> Vec<u8> {
    let length = u32::try_from(length).expect("a length of a frame").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

pub(crate) fn data(flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(DATA, flags, stream, payload)
}

pub(crate) fn headers(flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags, stream, payload)
}

pub(crate) fn continuation(flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(CONTINUATION, flags, stream, payload)
}

pub(crate) fn priority(stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(PRIORITY, 0, stream, payload)
}

pub(crate) fn rst_stream(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub(crate) fn settings(stream: u32, settings: &[(u16, u32)]) -> Vec<u8> {
    let pair = |(id, value): &(u16, u32)| {
        [id.to_be_bytes().as_slice(), value.to_be_bytes().as_slice()].concat()
    };
    frame(SETTINGS, 0, stream, &settings.iter().flat_map(pair).collect::<Vec<_>>())
}

pub(crate) fn settings_ack() -> Vec<u8> {
    frame(SETTINGS, ACK, 0, &[])
}

pub(crate) fn ping(flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(PING, flags, stream, payload)
}

pub(crate) fn goaway(stream: u32, last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, stream, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

pub(crate) fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

/// A frame that came.
#[derive(Debug)]
pub(crate) enum Kind {
    Data,
    Headers,
    RstStream,
    Settings,
    Ping,
    Goaway,
    WindowUpdate,
    Continuation,
    Other,
}

impl Kind {
    pub(crate) fn of(number: u8) -> Self {
        match number {
            DATA => Self::Data,
            HEADERS => Self::Headers,
            RST_STREAM => Self::RstStream,
            SETTINGS => Self::Settings,
            PING => Self::Ping,
            GOAWAY => Self::Goaway,
            WINDOW_UPDATE => Self::WindowUpdate,
            CONTINUATION => Self::Continuation,
            _ => Self::Other,
        }
    }
}

/// The four bytes at `at` as a number; zero where there are none.
pub(crate) fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_be_bytes(four.unwrap_or_default())
}

/// Fields as literals without indexing and without Huffman codes: what is written is what goes out.
pub(crate) fn block<'a>(fields: impl IntoIterator<Item = &'a (Vec<u8>, Vec<u8>)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            length(&mut bytes, text.len());
            bytes.extend(text);
        }
    }
    bytes
}

/// An integer with a prefix of seven bits (RFC 7541 section 5.1).
fn length(bytes: &mut Vec<u8>, mut length: usize) {
    const PREFIX: usize = 0x7f;
    let low = |number: usize| u8::try_from(number).expect("less than a byte");
    if length < PREFIX {
        bytes.push(low(length));
        return;
    }
    bytes.push(low(PREFIX));
    length -= PREFIX;
    while length >= 128 {
        bytes.push(low(length % 128 + 128));
        length /= 128;
    }
    bytes.push(low(length));
}

/// The harness's test of this file.
pub(crate) fn check() {
    assert_eq!(window_update(3, 256), [0, 0, 4, 8, 0, 0, 0, 0, 3, 0, 0, 1, 0]);
    assert_eq!(settings(0, &[(4, 1)]), [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1]);
    assert_eq!(code(1), "PROTOCOL_ERROR");
    assert_eq!(code(99), "99");
    for (number, bytes) in
        [(5, &[5][..]), (127, &[127, 0]), (1337, &[127, 186, 9]), (255, &[127, 128, 1])]
    {
        let mut written = Vec::new();
        length(&mut written, number);
        assert_eq!(written, bytes, "{number}");
    }
    let field = (b"x".to_vec(), vec![b'v'; 200]);
    let block = block([&field]);
    let read = fluke_hpack::Decoder::new().decode(&block).expect("a header block");
    assert_eq!(read, [field]);
}
