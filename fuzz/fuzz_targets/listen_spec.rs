//! `--listen`: reading it never panics, and what it prints reads back as the same.
#![no_main]

use kestrel::addresses::parse_listen_spec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse_listen_spec(text) {
        Ok(spec) => {
            let shown = spec.to_string();
            let again = parse_listen_spec(&shown).map(|again| again.to_string());
            assert_eq!(again.as_ref(), Ok(&shown), "{text:?}");
        }
        Err(fix) => assert!(!fix.is_empty(), "{text:?}"),
    }
});
