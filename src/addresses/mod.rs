//! Which addresses are bound, and why not the others.
//!
//! In goes [`EndpointSettings`]: what `urls`, the ports, `Kestrel:Endpoints` and `Listen` calls
//! say, each with its origin. [`plan()`] decides, as a pure function, what will be bound and what
//! has to be said about it: an [`EndpointPlan`], which can be printed before anything happens.
//! [`bind`](bind::bind) obeys it and gives back [`BoundEndpoint`]s with the ports the system chose.
//! Every fall-back (both loopbacks for `localhost`, `0.0.0.0` after `[::]`) is data of the plan.
//!
//! What it does not do: read configuration keys (`hosting/settings` does) or serve (`server` does).
//!
//! The rules are Kestrel's, from "Configure endpoints for the ASP.NET Core Kestrel web server";
//! where ours are stricter, `docs/deviations.md` says so.

mod advice;
pub(crate) mod bind;
mod binding_address;
mod claim;
mod difference;
mod display;
mod endpoint;
mod error;
mod holder;
mod host_mistake;
mod ip_literal;
pub(crate) mod listen_spec;
mod near_miss;
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

pub use crate::features::HttpProtocols;
pub(crate) use advice::short_ip_of_spec;
pub use bind::{BoundEndpoint, bind};
pub use binding_address::{AddressError, AddressProblem, BindingAddress, Host};
pub(crate) use difference::clash;
pub use difference::{Aspect, Change, Difference, difference};
pub(crate) use display::{also_reachable, planned_text, readdressed};
pub use endpoint::{
    ConfiguredEndpoint, ConfiguredTls, EndpointSettings, ListenAddr, ListenTarget, PlannedEndpoint,
    ProcessManager, Targets, Transport,
};
pub(crate) use error::reason as error_reason;
pub use error::{BindError, FileInTheWay};
pub use holder::{Holder, HoldingProcess, Relation};
pub use ip_literal::{IpLiteral, Scope};
pub(crate) use listen_spec::readable_rights;
pub use listen_spec::{ListenSpec, parse_listen_spec};
pub use near_miss::{NearMiss, near_miss};
pub use plan::{EndpointPlan, GivenAddress, Note, PlanProblem, fixed, plan, replan};
pub use socket_options::UnixSocketOptions;
