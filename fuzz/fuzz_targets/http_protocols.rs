//! `Protocols`: reading it never panics, and what it prints reads back as itself.
#![no_main]

use kestrel::HttpProtocols;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(protocols) = HttpProtocols::parse(text) {
        let shown = protocols.to_string();
        assert_eq!(HttpProtocols::parse(&shown), Some(protocols), "{text:?} shown as {shown:?}");
    }
});
