//! A server, and the connections to it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::client::{Client, ClientSettings};
use super::connect::{Way, name_of, secure};
use super::destination::Destination;
use super::failure::{Failure, FailureKind};
use super::following::Following;
use super::http1::{self, Connection, Home, Pool};
use super::http2::{self, Again, Connections, Place};
use super::outgoing::{Interim, Outgoing};
use super::reply::Answer;
use super::stream::{Io, Socket};
use super::versions::{Speaks, speaks};
use crate::tls::Alpn;

/// A server that requests are sent to, with the connections that are kept. It is kept over reloads for as
/// long as destination and client are the same; dropped, it closes what is idle.
#[derive(Debug)]
pub(crate) struct Server {
    client: Arc<Client>,
    destination: Destination,
    way: Way,
    pool: Arc<Pool>,
    shared: Arc<Connections>,
    /// Follows its name to other addresses, if it has one.
    following: Option<Arc<Following>>,
    /// Held by whoever connects where HTTP/2 may be spoken: the others may share what comes of it.
    connecting: Mutex<()>,
    /// The last handshake agreed on HTTP/1.1, so that nobody is to wait for another's connection.
    agreed_on_http1: AtomicBool,
    /// As many as there may be connections, if there is a limit.
    permits: Option<Arc<Semaphore>>,
}

/// How often a server is connected to that is another one behind the connection.
const TRIES: u32 = 5;

/// What a request goes over.
enum Carrier {
    /// The request has a permit; a connection, if one is there.
    Http1(Option<Box<Connection>>, Permit),
    Http2(Place),
}

type Permit = Option<OwnedSemaphorePermit>;

impl Server {
    pub(crate) fn new(client: Arc<Client>, destination: Destination) -> Arc<Self> {
        let most = client.settings.max_connections;
        let permits =
            most.map(|most| Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))));
        let way = Way::to(&destination.place);
        let pool = Pool::new(client.settings.idle_timeout);
        let shared = Arc::default();
        client.spare.add(&pool, &shared);
        let following = Following::of(&way, &pool, &shared);
        Arc::new(Self {
            client,
            destination,
            way,
            pool,
            shared,
            following,
            connecting: Mutex::default(),
            agreed_on_http1: AtomicBool::new(false),
            permits,
        })
    }

    pub(crate) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Whether one there, of a client of these settings, would have the same connections.
    pub(crate) fn is_like(&self, destination: &Destination, settings: &ClientSettings) -> bool {
        self.destination == *destination && self.client.makes_like(settings, destination.secure)
    }

    /// What follows its name.
    #[cfg(test)]
    pub(super) fn following(&self) -> &Following {
        self.following.as_deref().unwrap()
    }

    /// Closes what is idle, and keeps nothing from now on: requests under way end as they would.
    pub(crate) fn close(&self) {
        self.pool.close();
        self.shared.close();
    }

    /// Sends a request, whose body is taken out of it, and waits for the head of its answer. Dropped before, it closes
    /// the connection, or resets its stream.
    ///
    /// # Errors
    ///
    /// There is none. A request that may be repeated was, once, on a new connection.
    pub(crate) async fn send(
        &self,
        outgoing: &mut Outgoing<'_>,
        mut interim: Interim<'_>,
    ) -> Result<Answer, Failure> {
        if let Some(following) = &self.following {
            following.notice();
        }
        let (version, policy) = outgoing.version;
        let speaks = match speaks(version, policy, self.destination.secure) {
            Ok(speaks) => speaks,
            Err(failure) => return Err(unsent(failure, outgoing)),
        };
        let name = self.destination.secure.then(|| name_of(outgoing.host));
        let mut again = false;
        loop {
            // Its future is gone before the next one is there, which is as large.
            let carrier = pin!(self.carrier(speaks, name, outgoing.activity_timeout)).await;
            let place = match carrier {
                Ok(Carrier::Http1(connection, permit)) => {
                    // Pinned where it is: to wait for a future otherwise moves all of it.
                    let carrier = (connection, permit);
                    return pin!(self.send_http1(outgoing, interim, carrier)).await;
                }
                Ok(Carrier::Http2(place)) => place,
                Err(failure) if again => return Err(repeatable(failure, outgoing)),
                Err(failure) => return Err(unsent(failure, outgoing)),
            };
            let secure = self.destination.secure;
            // A large future, and HTTP/1.1 needs none of it.
            let sending = Box::pin(http2::send(place, outgoing, secure, &mut interim));
            let broken = match sending.await {
                Ok(outcome) => return Ok(Answer::from(outcome)),
                Err(broken) => broken,
            };
            let Some(content) = broken.untouched else {
                return Err(broken.failure);
            };
            outgoing.content = content;
            let may_repeat = match broken.again {
                Again::Never => false,
                Again::IfIdempotent => outgoing.method.is_idempotent(),
                Again::Always => true,
            };
            if again || !may_repeat {
                return Err(with_body(broken.failure, outgoing));
            }
            again = true;
        }
    }

    /// The one retry is for what nobody can exclude: that the server closes the connection while the
    /// request is on its way.
    async fn send_http1(
        &self,
        outgoing: &mut Outgoing<'_>,
        mut interim: Interim<'_>,
        (mut kept, mut permit): (Option<Box<Connection>>, Permit),
    ) -> Result<Answer, Failure> {
        let name = self.destination.secure.then(|| name_of(outgoing.host));
        let (mut is_first, mut has_left) = (true, false);
        loop {
            let is_reused = kept.as_ref().is_some_and(|kept| kept.was_used());
            let connection = match kept.take() {
                Some(connection) => connection,
                // Rare, and large.
                None => match Box::pin(self.connect(name, Alpn::Http1, outgoing.activity_timeout))
                    .await
                {
                    Ok((io, _)) => Connection::new(io, name.map(Arc::from)),
                    Err(failure) if !has_left => return Err(unsent(failure, outgoing)),
                    Err(failure) if outgoing.method.is_idempotent() => {
                        return Err(repeatable(failure, outgoing));
                    }
                    Err(failure) => return Err(with_body(failure, outgoing)),
                },
            };
            let home = Home { pool: Arc::clone(&self.pool), permit };
            let broken = match pin!(http1::send(connection, home, outgoing, &mut interim)).await {
                Ok(outcome) => return Ok(Answer::from(outcome)),
                Err(broken) => broken,
            };
            let http1::Broken { failure, rest } = *broken;
            let Some(rest) = rest else {
                return Err(failure);
            };
            (outgoing.content, permit) = (rest.content, rest.permit);
            has_left |= rest.has_left;
            let has_ended = matches!(failure.kind(), FailureKind::Ended | FailureKind::Reset);
            let may_repeat = outgoing.method.is_idempotent() || is_reused && !rest.has_left;
            if !(std::mem::take(&mut is_first) && has_ended && may_repeat) {
                return Err(with_body(failure, outgoing));
            }
        }
    }

    /// What a request goes over. Waits for what is free, or for a new connection.
    async fn carrier(
        &self,
        speaks: Speaks,
        name: Option<&str>,
        patience: Duration,
    ) -> Result<Carrier, Failure> {
        if speaks == Speaks::Http1 {
            let permit = self.permit(patience).await?;
            return Ok(Carrier::Http1(self.kept(name), permit));
        }
        let multiple = self.client.settings.multiple_http2_connections;
        if let Some(place) = self.shared.place(name, !multiple) {
            return Ok(Carrier::Http2(place));
        }
        if let Some(permits) = &self.permits
            && permits.available_permits() == 0
            && let Some(place) = self.shared.place(name, true)
        {
            return Ok(Carrier::Http2(place));
        }
        let permit = self.permit(patience).await?;
        if speaks == Speaks::Negotiated
            && let Some(connection) = self.kept(name)
        {
            return Ok(Carrier::Http1(Some(connection), permit));
        }
        let waiting = match self.agreed_on_http1.load(Ordering::Relaxed) {
            true => None,
            false => {
                let waiting = Box::pin(timeout(patience, self.connecting.lock())).await;
                Some(waiting.map_err(|_| self.too_slow(patience))?)
            }
        };
        // What the last one who connected has made is for all.
        if let Some(place) = self.shared.place(name, false) {
            return Ok(Carrier::Http2(place));
        }
        let carrier = Box::pin(self.connected(speaks, name, permit, patience)).await;
        drop(waiting);
        carrier
    }

    /// A new connection, in the version that is agreed on.
    async fn connected(
        &self,
        speaks: Speaks,
        name: Option<&str>,
        permit: Permit,
        patience: Duration,
    ) -> Result<Carrier, Failure> {
        let alpn = match speaks {
            Speaks::Http2 => Alpn::Http2,
            Speaks::Http1 | Speaks::Negotiated => Alpn::Either,
        };
        let (io, agreed) = Box::pin(self.connect(name, alpn, patience)).await?;
        let shared_name = name.map(Arc::from);
        self.agreed_on_http1.store(name.is_some() && !agreed, Ordering::Relaxed);
        match (speaks, name.is_none() || agreed) {
            (_, true) => {
                let idle_timeout = self.client.settings.idle_timeout;
                let place = self.shared.add(io, shared_name, permit, idle_timeout).await?;
                Ok(Carrier::Http2(place))
            }
            (Speaks::Http2, false) => {
                let text = "the server does not agree to HTTP/2 (ALPN), which HttpRequest:Version and VersionPolicy ask for";
                Err(Failure::new(FailureKind::Version, text))
            }
            (_, false) => Ok(Carrier::Http1(Some(Connection::new(io, shared_name)), permit)),
        }
    }

    /// A connection that was used before.
    fn kept(&self, name: Option<&str>) -> Option<Box<Connection>> {
        let kept = self.pool.take(name);
        if kept.is_none() && name.is_some() && self.permits.is_some() {
            // One of another name may stand in its place.
            self.pool.drop_oldest();
        }
        kept
    }

    /// That there may be one more connection. Waits for one that is free.
    async fn permit(&self, patience: Duration) -> Result<Permit, Failure> {
        let Some(permits) = &self.permits else {
            return Ok(None);
        };
        // Nobody closes it, so that there is no error but too long a wait.
        match Box::pin(timeout(patience, Arc::clone(permits).acquire_owned())).await {
            Ok(permit) => Ok(permit.ok()),
            Err(_) => {
                let text = "no connection became free for the activity timeout: all that MaxConnectionsPerServer allows are in use";
                Err(Failure::new(FailureKind::TimedOut, text))
            }
        }
    }

    async fn connect(
        &self,
        name: Option<&str>,
        alpn: Alpn,
        patience: Duration,
    ) -> Result<(Io, bool), Failure> {
        let ClientSettings { connect_timeout, tls, .. } = &self.client.settings;
        let patience = patience.min(*connect_timeout);
        let connecting = async {
            let mut socket = self.socket().await;
            // Rare: its future is no part of this one.
            if is_without_descriptors(&socket) && Box::pin(self.client.spare.free()).await {
                socket = self.socket().await;
            }
            let socket = socket?;
            self.client.settings.unix_user.map_or(Ok(()), |user| socket.check_user(user))?;
            match name {
                None => Ok((Io::Clear(socket), false)),
                Some(name) => secure(socket, tls.as_deref(), name, alpn).await,
            }
        };
        let connected = timeout(patience, connecting).await;
        connected.unwrap_or_else(|_| Err(self.too_slow(patience)))
    }

    /// A socket that leads to the server. Where somebody says whose it is, the same has to be there before and behind it: whoever had
    /// the place for a moment between may have accepted it.
    async fn socket(&self) -> Result<Socket, Failure> {
        let Some(owner) = &self.client.settings.owner else { return self.way.socket().await };
        let refused = |why: String| {
            let text = format!("{} is not connected to: {why}", self.destination);
            Failure::new(FailureKind::Refused, text)
        };
        for _ in 0..TRIES {
            let before = owner.look().map_err(refused)?;
            let socket = self.way.socket().await?;
            if owner.look().map_err(refused)? == before {
                return Ok(socket);
            }
        }
        Err(refused("who listens there changes all the time".to_owned()))
    }

    fn too_slow(&self, patience: Duration) -> Failure {
        let seconds = patience.as_secs_f64();
        let text = format!("{} could not be connected to within {seconds} s", self.destination);
        Failure::new(FailureKind::ConnectTimedOut, text)
    }
}

/// Whether it was for want of a descriptor that there is no connection.
fn is_without_descriptors<T>(connected: &Result<T, Failure>) -> bool {
    connected.as_ref().is_err_and(|failure| failure.kind() == FailureKind::NoDescriptors)
}

/// A failure before anything left.
fn unsent(failure: Failure, outgoing: &mut Outgoing<'_>) -> Failure {
    failure.unsent(outgoing.content.take().map(|content| content.body))
}

/// A failure to send once more what may be.
fn repeatable(failure: Failure, outgoing: &mut Outgoing<'_>) -> Failure {
    failure.repeatable(outgoing.content.take().map(|content| content.body))
}

/// A failure of a request whose body was not read.
fn with_body(failure: Failure, outgoing: &mut Outgoing<'_>) -> Failure {
    failure.with_body(outgoing.content.take().map(|content| content.body))
}

impl Drop for Server {
    fn drop(&mut self) {
        // Answers under way have the pool, too.
        self.close();
    }
}
