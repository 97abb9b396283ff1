//! A server, and the connections to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::client::Client;
use super::connect::Way;
use super::destination::Destination;
use super::failure::{Failure, FailureKind};
use super::http1::{self, Broken, Connection, Home, Pool};
use super::outgoing::{Interim, Outgoing};
use super::reply::Answer;
use super::stream::Io;
use super::versions::{Speaks, speaks};

/// A server that requests are sent to, with the connections that are kept. It is kept over reloads for as
/// long as destination and client are the same; dropped, it closes what is idle.
#[derive(Debug)]
pub(crate) struct Server {
    client: Arc<Client>,
    destination: Destination,
    way: Way,
    pool: Arc<Pool>,
    /// As many as there may be connections, if there is a limit.
    permits: Option<Arc<Semaphore>>,
}

impl Server {
    pub(crate) fn new(client: Arc<Client>, destination: Destination) -> Arc<Self> {
        let most = client.settings.max_connections;
        let permits =
            most.map(|most| Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))));
        let way = Way::to(&destination.place);
        let pool = Pool::new(client.settings.idle_timeout);
        Arc::new(Self { client, destination, way, pool, permits })
    }

    pub(crate) fn destination(&self) -> &Destination {
        &self.destination
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Closes what is idle, and keeps nothing from now on: requests under way end as they would.
    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// Sends a request, and waits for the head of its answer. Dropped before, it closes the connection.
    ///
    /// # Errors
    ///
    /// There is none. A request that may be repeated was, once, on a new connection.
    pub(crate) async fn send(
        &self,
        outgoing: Outgoing<'_>,
        interim: Interim<'_>,
    ) -> Result<Answer, Failure> {
        let (version, policy) = outgoing.version;
        match speaks(version, policy, self.destination.secure) {
            Ok(Speaks::Http1) => self.send_http1(outgoing, interim).await,
            Ok(_) => Err(unsent(Failure::new(FailureKind::Version, "not yet"), outgoing)),
            Err(failure) => Err(unsent(failure, outgoing)),
        }
    }

    /// The one retry is for what nobody can exclude: that the server closes the connection while the
    /// request is on its way.
    async fn send_http1(
        &self,
        mut outgoing: Outgoing<'_>,
        mut interim: Interim<'_>,
    ) -> Result<Answer, Failure> {
        let mut permit = match self.permit(outgoing.activity_timeout).await {
            Ok(permit) => permit,
            Err(failure) => return Err(unsent(failure, outgoing)),
        };
        let mut kept = self.pool.take(None);
        let mut first = None;
        loop {
            let is_reused = kept.is_some();
            let connection = match kept.take() {
                Some(connection) => connection,
                None => match self.connect(outgoing.activity_timeout).await {
                    Ok(io) => Connection::new(io, None),
                    Err(failure) if first.is_none() => return Err(unsent(failure, outgoing)),
                    Err(failure) => {
                        let body = outgoing.content.map(|content| content.body);
                        return Err(failure.with_body(body));
                    }
                },
            };
            let home = Home { pool: Arc::clone(&self.pool), permit };
            let sent = http1::send(connection, home, &mut outgoing, &mut interim).await;
            let broken = match sent {
                Ok(outcome) => return Ok(Answer::from(outcome)),
                Err(broken) => broken,
            };
            let Broken { failure, rest } = *broken;
            let Some(rest) = rest else {
                return Err(failure);
            };
            let is_first = first.replace(failure.kind()).is_none();
            let has_ended = matches!(failure.kind(), FailureKind::Ended | FailureKind::Reset);
            let may_repeat = outgoing.method.is_idempotent() || is_reused && !rest.has_left;
            if !(is_first && has_ended && may_repeat) {
                return Err(failure.with_body(rest.content.map(|content| content.body)));
            }
            (outgoing.content, permit) = (rest.content, rest.permit);
        }
    }

    /// That there may be one more connection. Waits for one that is free.
    async fn permit(&self, patience: Duration) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        let Some(permits) = &self.permits else {
            return Ok(None);
        };
        // Nobody closes it, so that there is no error but too long a wait.
        match timeout(patience, Arc::clone(permits).acquire_owned()).await {
            Ok(permit) => Ok(permit.ok()),
            Err(_) => {
                let text = "no connection became free for the activity timeout: all that MaxConnectionsPerServer allows are in use";
                Err(Failure::new(FailureKind::TimedOut, text))
            }
        }
    }

    async fn connect(&self, patience: Duration) -> Result<Io, Failure> {
        let patience = patience.min(self.client.settings.connect_timeout);
        if self.destination.secure {
            return Err(Failure::new(FailureKind::Tls, "nothing is secured yet"));
        }
        let connecting = async { Ok(Io::Clear(self.way.socket().await?)) };
        timeout(patience, connecting).await.unwrap_or_else(|_| {
            let seconds = patience.as_secs_f64();
            let text = format!("{} could not be connected to within {seconds} s", self.destination);
            Err(Failure::new(FailureKind::ConnectTimedOut, text))
        })
    }
}

/// A failure before anything left.
fn unsent(failure: Failure, outgoing: Outgoing<'_>) -> Failure {
    failure.unsent(outgoing.content.map(|content| content.body))
}

impl Drop for Server {
    fn drop(&mut self) {
        // Answers under way have the pool, too.
        self.pool.close();
    }
}
