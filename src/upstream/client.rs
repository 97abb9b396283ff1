//! What the connections of a cluster have in common.

use std::sync::Arc;
use std::time::Duration;

use super::owner::Owner;
use super::spare::Spare;
use crate::tls::ClientTls;

/// What is said of the connections of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct ClientSettings {
    /// How connections to https destinations are secured. Without it there are none.
    pub(crate) tls: Option<Arc<ClientTls>>,
    /// The most connections to a destination. A request for which there is none waits for one.
    /// Default: no limit.
    pub(crate) max_connections: Option<usize>,
    /// Whether there may be more than one connection of HTTP/2 to a destination, once the streams of one
    /// are used up. Default: yes.
    pub(crate) multiple_http2_connections: bool,
    /// The user that has to have made a Unix socket, where its place can be changed by somebody. Default: any.
    pub(crate) unix_user: Option<u32>,
    /// Who says, before and behind each new connection, whether the server is the one that it is to be. Default: nobody.
    pub(crate) owner: Option<Arc<dyn Owner>>,
    /// How long a connection may take until it can be used: the name, TCP and TLS. Default: 15 seconds, as
    /// YARP's client has it.
    pub(crate) connect_timeout: Duration,
    /// How long a connection is kept that nobody uses. Default: a minute, as .NET's client has it. An
    /// answer whose `Keep-Alive` says less is believed.
    pub(crate) idle_timeout: Duration,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            tls: None,
            max_connections: None,
            multiple_http2_connections: true,
            unix_user: None,
            owner: None,
            connect_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

impl ClientSettings {
    /// Whether connections that the other makes are like these. What secures connections matters to those that are
    /// secured.
    fn makes_like(&self, other: &Self, secure: bool) -> bool {
        let Self {
            tls,
            max_connections,
            multiple_http2_connections,
            unix_user,
            owner,
            connect_timeout,
            idle_timeout,
        } = self;
        let same_owner = match (owner, &other.owner) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        let same_tls = !secure || *tls == other.tls;
        same_tls
            && same_owner
            && *max_connections == other.max_connections
            && *multiple_http2_connections == other.multiple_http2_connections
            && *unix_user == other.unix_user
            && *connect_timeout == other.connect_timeout
            && *idle_timeout == other.idle_timeout
    }
}

/// What the connections of a cluster have in common: made once, shared by its destinations.
#[derive(Debug)]
pub(crate) struct Client {
    pub(super) settings: ClientSettings,
    /// What it shares with all others of the host.
    pub(super) spare: Arc<Spare>,
}

impl Client {
    pub(crate) fn new(settings: ClientSettings, spare: Arc<Spare>) -> Arc<Self> {
        Arc::new(Self { settings, spare })
    }

    /// Whether one of these settings would be the same.
    pub(crate) fn is_of(&self, settings: &ClientSettings) -> bool {
        self.settings.makes_like(settings, true)
    }

    /// Whether one of these settings makes the same connections, secured or not.
    pub(super) fn makes_like(&self, settings: &ClientSettings, secure: bool) -> bool {
        self.settings.makes_like(settings, secure)
    }
}
