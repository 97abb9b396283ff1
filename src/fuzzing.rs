//! The checks of what is private, for the fuzz targets. cargo-fuzz sets the cfg that opens them.

/// Checks the beginning of a connection of HTTP/1.
pub fn http1_head(input: &[u8]) {
    crate::server::checks::head(input);
}

/// Checks a body in chunks.
pub fn http1_chunks(input: &[u8]) {
    crate::server::checks::chunks(input);
}

/// Checks a method and a target.
pub fn http1_target(input: &[u8]) {
    crate::server::checks::target(input);
}

/// Checks a file with certificates and keys.
pub fn pem_reader(input: &[u8]) {
    crate::tls::load::checks::pem(input);
}

/// Checks a PKCS#12 file.
pub fn pfx_reader(input: &[u8]) {
    crate::tls::load::checks::pfx(input);
}
