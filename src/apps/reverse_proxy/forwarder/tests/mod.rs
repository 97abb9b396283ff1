//! Requests through the stage.

mod answers;
mod circuit;
mod draining;
mod fields;
mod kit;
mod requests;
mod retries;
mod slow_start;
mod timeouts;
mod unchanged;
