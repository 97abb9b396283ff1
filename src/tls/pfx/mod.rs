//! PKCS#12 files (RFC 7292), which .NET calls PFX: a private key with its certificates, behind a
//! password.
//!
//! [`read`] takes all forms that OpenSSL and .NET write: PBES2, and the old ones with 3DES and RC2.
//! [`write`](write()) makes one form only, PBES2 with AES-256.
//!
//! The password of a file without one is told in two ways, as no bytes or as an empty text; both
//! are read.

#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, unused_imports, reason = "only the command line writes such files")
)]

mod mac;
mod read;
mod write;

pub(crate) use read::{ReadError, certificates, read};
pub(crate) use write::{Iterations, encrypted_key, write};
