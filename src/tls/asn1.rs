//! Writing DER (X.690), as much of it as certificates and PKCS#12 files are made of.

/// One element: its tag, its length, its content, given in parts.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    if length < 0x80 {
        bytes.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let digits: Vec<u8> = digits.into_iter().skip_while(|digit| *digit == 0).collect();
        bytes.push(0x80 | digits.len() as u8);
        bytes.extend(digits);
    }
    bytes.extend(parts.iter().copied().flatten());
    bytes
}

/// SEQUENCE.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

/// SET of elements that are in order already.
pub(crate) fn set(parts: &[&[u8]]) -> Vec<u8> {
    element(0x31, parts)
}

/// OCTET STRING.
pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    element(0x04, &[content])
}

/// BIT STRING of whole bytes.
pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], content])
}

/// BIT STRING that ends with some unused bits.
pub(crate) fn some_bits(unused: u8, byte: u8) -> Vec<u8> {
    element(0x03, &[&[unused, byte]])
}

/// INTEGER, from the digits of a number that is not negative.
pub(crate) fn integer(digits: &[u8]) -> Vec<u8> {
    let significant = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
    let digits = &digits[significant..];
    // The highest bit would be a sign.
    let padding: &[u8] =
        if digits.first().is_none_or(|digit| digit & 0x80 != 0) { &[0] } else { &[] };
    element(0x02, &[padding, digits])
}

/// OBJECT IDENTIFIER. The first two arcs are small, as all of ours are.
pub(crate) fn identifier(arcs: &[u32]) -> Vec<u8> {
    let mut content = vec![(arcs[0] * 40 + arcs[1]) as u8];
    for arc in &arcs[2..] {
        let digits = (0..5).rev().map(|place| (arc >> (7 * place)) & 0x7f).collect::<Vec<_>>();
        let significant = digits.iter().position(|digit| *digit != 0).unwrap_or(4);
        let last = digits.len() - 1;
        content.extend(digits[significant..last].iter().map(|digit| *digit as u8 | 0x80));
        content.push(digits[last] as u8);
    }
    element(0x06, &[&content])
}

/// NULL.
pub(crate) fn null() -> Vec<u8> {
    element(0x05, &[])
}

/// BOOLEAN true.
pub(crate) fn yes() -> Vec<u8> {
    element(0x01, &[&[0xff]])
}

/// PrintableString.
pub(crate) fn printable(text: &str) -> Vec<u8> {
    element(0x13, &[text.as_bytes()])
}

/// UTCTime, of a text such as `261121025200Z`.
pub(crate) fn utc_time(text: &str) -> Vec<u8> {
    element(0x17, &[text.as_bytes()])
}

/// An element of one's own tag around others.
pub(crate) fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    element(0xa0 | number, &[content])
}

/// An element of one's own tag in the place of another.
pub(crate) fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    element(0x80 | number, &[content])
}

#[cfg(test)]
mod tests {
    use der::asn1::{Int, ObjectIdentifier, OctetString};
    use der::{Decode, Encode};

    use super::*;

    #[test]
    fn what_is_written_is_what_the_der_crate_writes() {
        for arcs in ["2.5.4.3", "1.2.840.113549.1.12.10.1.2", "1.3.6.1.4.1.311.84.1.1"] {
            let numbers: Vec<u32> = arcs.split('.').map(|arc| arc.parse().unwrap()).collect();
            let expected = ObjectIdentifier::new(arcs).unwrap().to_der().unwrap();
            assert_eq!(identifier(&numbers), expected, "{arcs}");
        }
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let expected = OctetString::new(content.clone()).unwrap().to_der().unwrap();
            assert_eq!(octets(&content), expected, "{length}");
        }
        for digits in [&[0][..], &[], &[1], &[0x7f], &[0x80], &[0, 0, 0x80, 1], &[0, 1]] {
            let written = integer(digits);
            let read = Int::from_der(&written).unwrap();
            assert_eq!(read.to_der().unwrap(), written, "{digits:?}");
        }
    }
}
