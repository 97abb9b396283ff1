//! The `web.config` of an app: reading it never panics, and every setting and problem knows a place inside the file.
#![no_main]

use kestrel::fuzzing::web_config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| web_config(bytes));
