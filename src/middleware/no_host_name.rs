//! What stands for host names in all scripts in a build without the feature `idna`: those in ASCII.

/// A name as it stands in a request; one in another script stays as it is, and is none.
pub(crate) fn in_ascii(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Whether names like this one are understood.
pub(crate) fn is_understood(name: &str) -> bool {
    name.is_ascii()
}
