//! The client side of the wire: how a request gets to another server, and its answer back.
//!
//! In go a [`Destination`], a [`Client`] (what all connections of a cluster have in common) and an
//! [`Outgoing`] request whose fields are written as they are told; out comes an [`Answer`] whose body is
//! read as it comes, or a [`Failure`] with its cause. The future of the request polls the connection, and
//! once there is a head the body of the answer does: no task stands between the two sides. Connections are
//! kept by the [`Server`] that they lead to.
//!
//! What it does not do: know routes, clusters or keys, choose between destinations, decide which fields
//! go through (it only keeps to itself what says where a message ends), or log.

mod activity;
mod client;
mod connect;
mod destination;
mod failure;
mod field_lines;
mod following;
mod http1;
mod http2;
mod names;
mod outgoing;
mod owner;
mod reply;
mod server;
mod spare;
mod stream;
#[cfg(test)]
mod tests;
mod through;
mod upgraded;
mod versions;

pub(crate) use client::{Client, ClientSettings};
pub(crate) use destination::{Destination, Place};
pub(crate) use failure::{Failure, FailureKind};
pub(crate) use field_lines::FieldLines;
#[cfg(fuzzing)]
pub(crate) use http1::invariants;
pub(crate) use outgoing::{Content, Fields, Outgoing, Value};
#[cfg(feature = "child-process")]
pub(crate) use owner::Owner;
pub(crate) use reply::{Answer, ReplyBody};
pub(crate) use server::Server;
pub(crate) use spare::Spare;
pub(crate) use upgraded::UpgradedStream;
pub(crate) use versions::VersionPolicy;
