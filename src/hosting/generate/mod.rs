//! The configuration of other programs that fits the one of this host: of proxies in front, and of what
//! starts it.
//!
//! In goes what was [`Prepared`] and what was asked for, which is judged first; out comes a text, or why there is none. Nothing is
//! looked at, and nothing is written but the answer.

mod apache;
mod caddy;
mod facts;
mod forwarded;
mod haproxy;
mod nginx;
mod plain_text;
mod systemd;
mod wanted;

use self::facts::{Behind, Facts};
pub(crate) use self::wanted::{Target, Wanted};
use super::prepare::Prepared;
use crate::configuration::Problem;

impl Wanted {
    /// What was given that cannot stand in the configuration of another program, whatever is configured here.
    pub(super) fn mistake(&self) -> Option<Problem> {
        let of_unit = || match self.target {
            Target::Systemd => systemd::arguments(self).err(),
            _ => None,
        };
        plain_text::check(self).err().or_else(of_unit)
    }

    /// The configuration that fits what was prepared.
    ///
    /// # Errors
    ///
    /// There is none: nothing listens where a proxy could connect, or a word cannot stand in it.
    pub(super) fn text(&self, prepared: &Prepared) -> Result<String, Problem> {
        if self.target == Target::Systemd {
            return systemd::unit(self, prepared);
        }
        let behind = match self.target {
            // It can say who the client is by the PROXY protocol.
            Target::Haproxy => Behind::AnyEndpoint,
            _ => Behind::EndpointOfHttp,
        };
        let facts = Facts::of(self, prepared, behind)?;
        Ok(match self.target {
            Target::Nginx => nginx::server(&facts),
            Target::Apache => apache::virtual_host(&facts),
            Target::Haproxy => haproxy::sections(&facts),
            Target::Caddy => caddy::site(&facts),
            Target::Systemd => String::new(),
        })
    }
}
