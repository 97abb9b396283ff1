//! The checks of what is private, for the fuzz targets. cargo-fuzz sets the cfg that opens them.

/// Checks the beginning of a connection of HTTP/1.
pub fn http1_head(input: &[u8]) {
    crate::server::invariants::head(input);
}

/// Checks a body in chunks.
pub fn http1_chunks(input: &[u8]) {
    crate::server::invariants::chunks(input);
}

/// Checks a method and a target.
pub fn http1_target(input: &[u8]) {
    crate::server::invariants::target(input);
}

/// Checks the range that a request asks for.
pub fn range_header(input: &[u8]) {
    crate::middleware::static_files::byte_range::check(input);
}

/// Checks a file with certificates and keys.
pub fn pem_reader(input: &[u8]) {
    crate::tls::load::invariants::pem(input);
}

/// Checks a PKCS#12 file.
pub fn pfx_reader(input: &[u8]) {
    crate::tls::load::invariants::pfx(input);
}

/// Checks the beginning of a connection that a proxy hands on.
pub fn proxy_header(input: &[u8]) {
    crate::server::check_proxy_header(input);
}
