//! What a setting asks a certificate store for.

use super::told::Told;
use crate::tls::StoreLocation;

/// What a setting asks a store for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) subject: &'a str,
    pub(super) store: &'a str,
    pub(super) location: StoreLocation,
    pub(super) allow_invalid: bool,
}

impl Wanted<'_> {
    /// The store's name.
    pub(super) fn store(&self) -> &str {
        if self.store.is_empty() { "My" } else { self.store }
    }

    /// That there is none, in Kestrel's words.
    pub(super) fn not_found(&self) -> Told {
        let Wanted { subject, location, allow_invalid, .. } = self;
        Told::new(format!(
            "The requested certificate {subject} could not be found in {location}/{} with AllowInvalid \
             setting: {}.",
            self.store(),
            if *allow_invalid { "True" } else { "False" }
        ))
    }
}
