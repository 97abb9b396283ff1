//! What stands for encrypted private keys in a build without the feature `pkcs12`: none is opened.

use rustls::pki_types::PrivateKeyDer;

use super::told::Told;

/// That an encrypted key stays closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Locked;

/// Opens nothing.
pub(super) fn open(_: &[u8], _: &str) -> Result<PrivateKeyDer<'static>, Locked> {
    Err(Locked)
}

impl Locked {
    /// A password would change nothing.
    pub(super) fn no_password() -> Self {
        Self
    }

    /// The setting that is to blame.
    pub(super) fn setting(&self) -> &'static str {
        "KeyPath"
    }

    /// In words, for the key file that is shown like this.
    pub(super) fn told(self, shown: &str) -> Told {
        Told::new(format!("The encrypted private key in '{shown}' cannot be read."))
            .cause("This program was built without the feature 'pkcs12', which decrypts keys.")
            .fix(format!(
                "build it with the feature 'pkcs12' of the crate kestrel, or decrypt the key: openssl pkey -in \
                 '{shown}' -out key.pem, and remove Password"
            ))
    }
}
