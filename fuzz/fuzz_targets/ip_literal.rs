//! An IP address: reading it never panics, agrees with the standard library where that reads it
//! too, and what it prints reads back as the same.
#![no_main]

use std::net::{IpAddr, Ipv6Addr};

use kestrel::addresses::IpLiteral;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let read = IpLiteral::parse(text);
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        assert_eq!(read, Some(IpLiteral::new(IpAddr::V6(address))), "{text:?}");
    }
    if let Some(literal) = read {
        let shown = literal.to_string();
        let again = IpLiteral::parse(&shown).map(|again| again.to_string());
        assert_eq!(again.as_ref(), Some(&shown), "{text:?}");
    }
});
