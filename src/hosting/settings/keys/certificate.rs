//! The rows of a certificate, which are the same wherever one can be named.

use super::row::{Key, Kind, boolean, text, words};

pub(super) const CERTIFICATE: &[Key] = &[
    text(
        "Path",
        Kind::Path,
        "a PKCS#12 file (`.pfx`, `.p12`); with `KeyPath` a certificate in PEM form, its chain behind it, \
         or in DER form",
    ),
    text(
        "KeyPath",
        Kind::Path,
        "the private key in PEM form: PKCS#8, encrypted PKCS#8, PKCS#1 or SEC 1. It may be the file of `Path`",
    ),
    text(
        "Password",
        Kind::Text,
        "of the PKCS#12 file or of the encrypted key. Keep it in a variable \
         (`Kestrel__Certificates__Default__Password`) or in user secrets",
    )
    .secret(),
    text(
        "Subject",
        Kind::Text,
        "in the place of `Path`: a part of the subject of a certificate in a store",
    ),
    text(
        "Store",
        Kind::Text,
        "which store. On Linux it is a folder of PKCS#12 files without a password: \
         `~/.dotnet/corefx/cryptography/x509stores/my`",
    )
    .default("My"),
    words("Location", &["CurrentUser", "LocalMachine"], "whose store").default("CurrentUser"),
    boolean("AllowInvalid", "false", "take one from a store that is expired or not trusted"),
];
