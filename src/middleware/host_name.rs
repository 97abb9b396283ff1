//! Host names as they stand in requests.

/// A name as it stands in a request (RFC 5891); one that cannot be a name stays as it is.
pub(crate) fn in_ascii(name: &str) -> String {
    match name.is_ascii() {
        true => name.to_ascii_lowercase(),
        false => idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_owned()),
    }
}

/// Whether names like this one are understood.
pub(crate) fn is_understood(_: &str) -> bool {
    true
}
