//! A plan as data, and as a table for people.

use std::fmt;

use super::display;
use super::endpoint::{GivenAddress, PlannedEndpoint};
use super::passed;
use crate::configuration::{Origin, Problem, Sourced};

/// What will be bound, what has to be said about it, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct EndpointPlan {
    /// The endpoints, in the order they are bound.
    pub endpoints: Vec<PlannedEndpoint>,
    /// What an operator wants to know about the choice.
    pub notes: Vec<Note>,
    /// What is odd about an address: probably a slip. A strict start takes none of it.
    pub warnings: Vec<Problem>,
    /// Mistakes; with one of them nothing is bound.
    pub problems: Vec<PlanProblem>,
    /// Endpoints without an address that can be read, for what else they name: their certificates.
    pub(crate) refused: Vec<PlannedEndpoint>,
}

/// Something to be said about a plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// `urls` won over `http_ports` and `https_ports`.
    PortsOverridden {
        /// The list of HTTP ports, empty if there is none.
        http: String,
        /// The list of HTTPS ports, empty if there is none.
        https: String,
        /// The list of addresses that won.
        urls: Sourced<String>,
        /// Where the ports were set.
        lost: Vec<Sourced<String>>,
    },
    /// Endpoints won over addresses.
    AddressesOverridden {
        /// The addresses that lost, as they were written.
        addresses: Vec<GivenAddress>,
        /// The endpoints that won.
        won: Vec<PlannedEndpoint>,
    },
    /// Addresses won over endpoints, because the setting says so.
    EndpointsOverridden {
        /// The addresses that won, as they were written.
        addresses: Vec<GivenAddress>,
        /// The endpoints that lost.
        lost: Vec<PlannedEndpoint>,
        /// Where the preference was set.
        preference: Origin,
    },
    /// A stronger source gave other addresses.
    UrlsShadowed {
        /// The list that is used.
        used: Sourced<String>,
        /// A list that is not.
        shadowed: Sourced<String>,
    },
    /// In a container, what was configured is reached from inside only.
    InsideOnly {
        /// The endpoints.
        endpoints: Vec<PlannedEndpoint>,
        /// What says that this is a container.
        container: String,
    },
    /// Nothing was configured.
    DefaultAddress {
        /// The default address.
        address: String,
    },
    /// A host name is no filter: it stands for all interfaces.
    NameBindsAll {
        /// The host, as it was written.
        host: String,
        /// The address, as it was written.
        address: Sourced<String>,
    },
    /// Blanks around an address of a list were dropped.
    BlankTrimmed {
        /// The address without the blanks.
        address: String,
        /// Where the list was set.
        origin: Origin,
    },
    /// HTTP/3 was asked for in clear text, beside protocols that work there.
    Http3NeedsTls {
        /// The endpoint, such as `127.0.0.1:5000`.
        endpoint: String,
    },
}

/// A mistake in a plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlanProblem {
    /// What, where it was set, how to fix it.
    pub problem: Problem,
    /// Whether the address is right but cannot be bound: it is planned twice, or no system binds
    /// it. Else the address itself is wrong.
    pub unbindable: bool,
}

impl EndpointPlan {
    /// The plan as a table. `certificates` has what is served by the https endpoint at a place of the
    /// plan, in words.
    pub(crate) fn table(&self, certificates: impl Fn(usize) -> Vec<String>) -> String {
        let mut table = String::new();
        for (place, endpoint) in self.endpoints.iter().enumerate() {
            let mut line = |line: String| table.extend([&line, "\n"]);
            line(display::planned_text(endpoint));
            let given = passed::in_words(endpoint);
            line(format!("  sockets:   {}{given}", display::sockets_text(endpoint)));
            if !endpoint.unix_socket.is_empty() {
                line(format!("  file:      {}", endpoint.unix_socket));
            }
            if let Some(proxies) = &endpoint.proxy_protocol {
                line(format!(
                    "  client:    as the PROXY protocol tells, from {}",
                    display::list_text(proxies)
                ));
            }
            line(format!("  protocols: {}", endpoint.protocols));
            if let Some(tls) = &endpoint.tls {
                line(format!("  tls:       {tls}"));
                for (place, certificate) in certificates(place).iter().enumerate() {
                    let label = if place == 0 { "  serves:    " } else { "    " };
                    line(format!("{label}{certificate}"));
                }
            }
            line(format!("  set by:    {}, key {}", endpoint.origin, endpoint.key));
        }
        table
    }
}

impl fmt::Display for EndpointPlan {
    /// The plan as a table: what would be bound, with which protocols, and who said so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table(|_| Vec::new()))
    }
}
