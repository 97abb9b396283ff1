//! Hands requests on to other servers, as YARP's section `ReverseProxy` says.
//!
//! In go typed [`options`], which know no keys, and requests; what matches no route goes on to the
//! app. [`template`]s of paths are read once; what is changed on the way stands in [`transform_options`].

mod affinity;
mod answer;
mod changed_fields;
mod cluster;
mod conditions;
mod constraint;
mod destination;
mod destination_address;
mod facts;
mod fields;
mod forwarder;
mod forwarding;
mod health;
mod host_pattern;
mod load_balancing;
pub(crate) mod mistake;
mod moment;
pub(crate) mod options;
pub(crate) mod path_pattern;
mod probes;
mod route;
pub(crate) mod route_table;
mod segment;
mod target;
pub(crate) mod template;
mod template_text;
pub(crate) mod transform_options;
mod tunnel;
mod upgrade;
mod upstreams;
