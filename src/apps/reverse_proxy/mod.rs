//! Hands requests on to other servers, as YARP's section `ReverseProxy` says.
//!
//! In go typed [`options`], which know no keys, and requests; what matches no route goes on to the
//! app. [`template`]s of paths are read once; what is changed on the way stands in [`transform_options`].

mod conditions;
mod constraint;
mod destination_address;
#[cfg(feature = "proxy")]
mod forwarder;
mod host_pattern;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
pub(crate) mod mistake;
mod moment;
pub(crate) mod options;
pub(crate) mod path_pattern;
pub(crate) mod route_table;
mod segment;
pub(crate) mod template;
mod template_text;
pub(crate) mod transform_options;

#[cfg(all(fuzzing, feature = "proxy"))]
pub(crate) use forwarder::invariants::targets as check_targets;
#[cfg(feature = "proxy")]
pub(crate) use forwarder::{Material, PoliciesOfRoutes, ReverseProxy, Upstreams};
#[cfg(feature = "child-process")]
pub(crate) use forwarder::{OneServer, Speaking, Unanswered, explained_answer};
