//! The beginning of a connection that a proxy hands on: reading it never panics, and takes nothing of what
//! stands behind its header.
#![no_main]

use kestrel::fuzzing::proxy_header;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| proxy_header(bytes));
