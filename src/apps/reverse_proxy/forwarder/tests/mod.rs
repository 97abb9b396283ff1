//! Requests through the stage.

mod fields;
mod kit;
mod requests;
mod retries;
mod slow_start;
mod timeouts;
