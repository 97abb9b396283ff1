//! Runs a program of any language behind the host, and hands requests on to it.
//!
//! In go typed [`options`], which know no keys, and requests.

pub(crate) mod options;
