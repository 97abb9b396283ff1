//! A URL to bind: reading it never panics, points inside the text where it is wrong, and what it
//! prints reads back as the same.
#![no_main]

use kestrel::addresses::BindingAddress;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match BindingAddress::parse(text) {
        Ok(address) => {
            let shown = address.to_string();
            let again = BindingAddress::parse(&shown).map(|again| again.to_string());
            assert_eq!(again.as_ref(), Ok(&shown), "{text:?}");
        }
        Err(error) => {
            if let Some(position) = error.position {
                assert!(text.is_char_boundary(position), "{position} of {text:?}");
            }
            assert!(!error.fix.is_empty(), "{text:?}");
        }
    }
});
