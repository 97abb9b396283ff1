//! Which addresses are bound, and why not the others.
//!
//! In goes what `urls`, the ports, `Kestrel:Endpoints` and `Listen` calls say, each with its origin
//! (`endpoint.rs`). `plan.rs` decides, as a pure function, what will be bound and what
//! has to be said about it: an [`EndpointPlan`], which can be printed before anything happens.
//! `bind.rs` obeys it and knows the ports that the system chose; `difference.rs` tells what another
//! plan changes.
//! Every fall-back (both loopbacks for `localhost`, `0.0.0.0` after `[::]`) is data of the plan.
//!
//! What it does not do: read configuration keys (`hosting/settings` does) or serve (`server` does).
//!
//! The rules are Kestrel's, from "Configure endpoints for the ASP.NET Core Kestrel web server";
//! where ours are stricter, `docs/deviations.md` says so.

mod address_error;
mod advice;
pub(crate) mod bind;
mod binding_address;
mod claim;
mod difference;
mod display;
mod endpoint;
mod endpoint_plan;
mod error;
mod given_socket;
mod holder;
mod host_mistake;
#[cfg(feature = "testing")]
pub(crate) mod in_memory;
mod ip_literal;
pub(crate) mod listen_spec;
#[cfg(feature = "testing")]
pub(crate) mod memory_stream;
mod near_miss;
mod network;
mod passed;
mod plan;
mod ports;
mod privilege;
mod scope;
mod socket_options;
#[cfg(unix)]
pub(crate) mod unix_socket;
#[cfg(not(unix))]
#[path = "no_unix_socket.rs"]
pub(crate) mod unix_socket;

pub use address_error::{AddressError, AddressProblem};
pub(crate) use advice::short_ip_of_spec;
pub(crate) use bind::{BoundEndpoint, bind, hindrance_of_port, hindrances};
pub use binding_address::{BindingAddress, BindingHost};
pub use difference::{Aspect, Change, Difference};
pub(crate) use difference::{clash, difference};
pub(crate) use display::{also_reachable, planned_text, readdressed};
pub use endpoint::{GivenAddress, ListenAddr, ListenTarget, PlannedEndpoint, Targets, Transport};
pub use endpoint_plan::{EndpointPlan, Note, PlanProblem};
// The input of a plan, and the way to it: only the bench of this package takes it from outside.
#[doc(hidden)]
pub use endpoint::{ConfiguredEndpoint, ConfiguredTls, EndpointSettings, ProcessManager};
pub(crate) use error::reason as error_reason;
pub use error::{BindError, FileInTheWay};
pub use given_socket::GivenSocket;
pub use holder::{Holder, HoldingProcess, Relation};
pub use ip_literal::{IpLiteral, Scope};
pub(crate) use listen_spec::readable_rights;
pub use listen_spec::{ListenSpec, parse_listen_spec};
pub(crate) use near_miss::{is_mistyped_ip, meant_by_name};
pub(crate) use network::Network;
#[doc(hidden)]
pub use plan::plan;
pub(crate) use plan::{fixed, replan};
pub use socket_options::UnixSocketOptions;

#[cfg(test)]
mod tests;
