//! The headers of proxies, a line each: what is taken of them is an address, a scheme, a host and a path, and nothing
//! but that.
#![no_main]

use kestrel::fuzzing::forwarded_headers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| forwarded_headers(bytes));
