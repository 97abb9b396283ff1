//! The text of a name in a certificate, as .NET prints it: the last part first, `CN=localhost, C=DE`.

use x509_parser::asn1_rs::{Oid, Tag};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The whole name, as `X509Certificate2.Subject` gives it.
pub(super) fn text(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = name
        .iter_rdn()
        .map(|part| part.iter().map(attribute).collect::<Vec<_>>().join(" + "))
        .collect();
    parts.reverse();
    parts.join(", ")
}

/// The values alone, in the order of the certificate: what a `Subject` of configuration is looked
/// for in. So `localhost` finds `CN=localhost`, and `CN=localhost` finds nothing.
pub(super) fn values(name: &X509Name<'_>) -> String {
    let values = |part: &x509_parser::x509::RelativeDistinguishedName<'_>| {
        part.iter().map(|attribute| quoted(&value(attribute))).collect::<Vec<_>>().join(" + ")
    };
    name.iter_rdn().map(values).collect::<Vec<_>>().join(", ")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    format!("{}={}", key(attribute.attr_type()), quoted(&value(attribute)))
}

/// The short names that .NET knows; every other attribute shows its number.
fn key(oid: &Oid<'_>) -> String {
    let number = oid.to_id_string();
    let known = match number.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "S",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "T",
        "2.5.4.42" => "G",
        "2.5.4.43" => "I",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "E",
        _ => return format!("OID.{number}"),
    };
    known.to_owned()
}

/// The text of a value. Where it is no text that we can read, its bytes in hexadecimal.
fn value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let bytes = attribute.as_slice();
    match attribute.attr_value().tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::NumericString | Tag::Ia5String => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        // T61 is read as Latin-1 by everybody.
        Tag::T61String | Tag::VisibleString => bytes.iter().copied().map(char::from).collect(),
        Tag::BmpString => {
            let pairs = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
            String::from_utf16_lossy(&pairs.map(u16::from_be_bytes).collect::<Vec<_>>())
        }
        _ => format!("#{}", super::hexadecimal::hexadecimal(bytes)),
    }
}

/// In quotes if a reader could not see else where the value ends.
fn quoted(value: &str) -> String {
    let special =
        |character| matches!(character, ',' | '+' | '=' | '"' | '\n' | '<' | '>' | '#' | ';');
    let blank_at_an_end =
        value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace);
    if value.is_empty() || value.contains(special) || blank_at_an_end {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}
