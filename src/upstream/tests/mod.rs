//! Over real sockets, with servers that do what a test says.

mod faults;
mod kit;
mod messages;
mod reuse;
