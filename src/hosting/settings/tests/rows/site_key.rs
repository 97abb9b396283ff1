//! The part of a key that is before what a site has.

pub(super) const SITE: &str = "Sites:A:";

/// The key as it would be at the top, if it is one of a site.
pub(super) fn at_the_top(key: &str) -> &str {
    key.strip_prefix(SITE).unwrap_or(key)
}
