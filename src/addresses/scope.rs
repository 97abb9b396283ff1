//! The number of a network interface, looked up when a socket is bound.

use super::ip_literal::Scope;

/// The number of a scope. A name that no interface has counts as none, as on Kestrel.
pub(super) fn index(scope: &Scope) -> u32 {
    match scope {
        Scope::None => 0,
        Scope::Index(index) => *index,
        Scope::Name(name) => index_of(name).unwrap_or(0),
    }
}

#[cfg(unix)]
fn index_of(name: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(name).ok()
}

/// Windows writes scopes as numbers only.
#[cfg(not(unix))]
fn index_of(_: &str) -> Option<u32> {
    None
}
