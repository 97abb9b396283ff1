//! What an encoded body holds.

use std::io::Read as _;

/// What is known of an encoded body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) content: Vec<u8>,
    /// Whether its end is there.
    pub(super) whole: bool,
}

/// The content of a body in this encoding, as far as it goes; `None` of one that is broken from the first byte
/// on, or in an encoding that no case has.
pub(super) fn decoded(encoding: &str, body: &[u8]) -> Option<Decoded> {
    let mut content = Vec::new();
    let read = match encoding {
        "gzip" => flate2::read::GzDecoder::new(body).read_to_end(&mut content),
        "br" => brotli::Decompressor::new(body, 4096).read_to_end(&mut content),
        _ => return None,
    };
    (read.is_ok() || !content.is_empty()).then_some(Decoded { content, whole: read.is_ok() })
}

/// The harness's test of this file.
pub(super) fn check() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"abc").expect("memory takes it");
    let bytes = encoder.finish().expect("memory takes it");
    let whole = Decoded { content: b"abc".to_vec(), whole: true };
    assert_eq!(decoded("gzip", &bytes), Some(whole));
    assert!(decoded("gzip", &bytes[..bytes.len() - 1]).is_some_and(|it| !it.whole));
    assert_eq!(decoded("gzip", b"abc"), None);
    assert_eq!(decoded("deflate", &bytes), None);
}
