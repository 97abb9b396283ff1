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

/// Checks the encoding that a client is sent.
pub fn accept_encoding(input: &[u8]) {
    crate::middleware::check_accept_encoding(input);
}

/// Checks what proxies tell of a request.
pub fn forwarded_headers(input: &[u8]) {
    crate::middleware::check_forwarded_headers(input);
}

/// Checks what a rule makes of a request.
pub fn rewrite_rules(input: &[u8]) {
    crate::middleware::check_rewrite_rules(input);
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

/// Checks what a server answers to a request that was handed on.
pub fn upstream_answer(input: &[u8]) {
    crate::upstream::invariants::answer(input);
}

/// Checks a line that a program wrote.
pub fn output_line(input: &[u8]) {
    crate::apps::child_process::check_output_line(input);
}

/// Checks the `web.config` of an app.
pub fn web_config(input: &[u8]) {
    crate::configuration::sources::web_config::check(input);
}

/// Checks a path, and templates of routes.
pub fn route_templates(input: &[u8]) {
    crate::apps::reverse_proxy::invariants::routes(input);
}

/// Checks what a destination is asked for, whatever the client asks for and the route changes.
pub fn transforms(input: &[u8]) {
    crate::apps::reverse_proxy::check_targets(input);
}
