//! The life of a host, as everybody can ask for it, and end it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tokio::sync::watch;

/// The life of a host: asks it to stop, and tells how far it is. (What `IHostApplicationLifetime` is
/// in ASP.NET Core.) Clones are the same life; any number of them may wait.
///
/// A program has it before its host by [`Lifetime::new`] and
/// [`HostBuilder::lifetime`](crate::HostBuilder::lifetime), an app by
/// [`AppContext::lifetime`](crate::AppContext), and a handler as an axum extractor; so that what
/// would never end, such as a stream of events or a WebSocket, ends itself when the stop begins:
///
/// ```
/// use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
/// use axum::response::Response;
/// use kestrel::Lifetime;
///
/// async fn echo(upgrade: WebSocketUpgrade, lifetime: Lifetime) -> Response {
///     upgrade.on_upgrade(async move |mut socket: WebSocket| {
///         let stopping = lifetime.stopping();
///         tokio::pin!(stopping);
///         loop {
///             tokio::select! {
///                 () = &mut stopping => {
///                     // 1001: the server is going away (RFC 6455 section 7.4.1).
///                     let frame = CloseFrame { code: 1001, reason: "".into() };
///                     let _ = socket.send(Message::Close(Some(frame))).await;
///                     return;
///                 }
///                 Some(Ok(message)) = socket.recv() => drop(socket.send(message).await),
///                 else => return,
///             }
///         }
///     })
/// }
/// ```
///
/// One life may be that of several hosts: then it has started with the first of them, a stop is for
/// all, and it has stopped with the last.
#[derive(Clone)]
pub struct Lifetime(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How many hosts are at it.
    hosts: usize,
    has_started: bool,
    /// The stop will begin: nobody is to be sent here any more.
    is_leaving: bool,
    is_stopping: bool,
    /// The last host that was at it has ended.
    has_stopped: bool,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self::new()
    }
}

impl Lifetime {
    /// The life of a host that is not there yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }

    /// Asks for the stop. More than once is no harm; before the start, it stops the host as soon as it
    /// has started.
    pub fn stop(&self) {
        self.0.send_if_modified(|state| !std::mem::replace(&mut state.is_stopping, true));
    }

    /// Whether the stop was asked for, or has begun by itself.
    pub fn is_stopping(&self) -> bool {
        self.0.borrow().is_stopping
    }

    /// The stop will begin: [`is_leaving`](Self::is_leaving) says so from now on.
    pub(crate) fn leave(&self) {
        self.0.send_if_modified(|state| {
            state.is_leaving = true;
            // Nobody waits for it.
            false
        });
    }

    /// Whether nobody is to be sent here any more: the stop has begun, or will.
    pub(crate) fn is_leaving(&self) -> bool {
        let state = *self.0.borrow();
        state.is_leaving || state.is_stopping
    }

    /// Waits until the host has started: its addresses are bound, and it serves.
    pub fn started(&self) -> impl Future<Output = ()> + Send + use<> {
        self.until(|state| state.has_started)
    }

    /// Waits until the stop begins, whoever asked for it. Requests that run are finished then, within
    /// the shutdown timeout. (`HealthChecks:StopDelay` comes before, unless the stop was asked for here.)
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        self.until(|state| state.is_stopping)
    }

    /// Waits until the stop is over: the last request has ended, and so have the background tasks.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        self.until(|state| state.has_stopped)
    }

    /// The same stream, which ends when the stop begins. For answers that would never end, such as
    /// server-sent events:
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use axum::response::sse::{Event, Sse};
    /// use futures_core::Stream;
    /// use kestrel::Lifetime;
    ///
    /// async fn events(lifetime: Lifetime) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    ///     let ticks = futures_util::stream::pending(); // events as they come
    ///     Sse::new(lifetime.until_stopping(ticks))
    /// }
    /// ```
    pub fn until_stopping<S: Stream>(&self, stream: S) -> UntilStopping<S> {
        UntilStopping { stopping: Some(Box::pin(self.stopping())), stream }
    }

    fn until(&self, reached: fn(&State) -> bool) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.0.subscribe();
        async move {
            // Without a sender nobody is left who could have started, or could stop: that is an end.
            let _ = state.wait_for(reached).await;
        }
    }

    /// A host is at it from now on, until the result is dropped.
    pub(crate) fn begin(&self) -> Living {
        self.0.send_modify(|state| {
            state.hosts += 1;
            state.has_stopped = false;
        });
        Living(self.clone())
    }
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = *self.0.borrow();
        f.debug_struct("Lifetime")
            .field("has_started", &state.has_started)
            .field("is_stopping", &state.is_stopping)
            .field("has_stopped", &state.has_stopped)
            .finish()
    }
}

/// A host that is alive. When it is dropped, the host has ended.
#[derive(Debug)]
pub(crate) struct Living(Lifetime);

impl Living {
    /// The host serves.
    pub(crate) fn started(&self) {
        self.0.0.send_modify(|state| state.has_started = true);
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| {
            state.hosts = state.hosts.saturating_sub(1);
            if state.hosts == 0 {
                // Who waits for the beginning of a stop waits no longer, even if there was none.
                state.is_stopping = true;
                state.has_stopped = true;
            }
        });
    }
}

pin_project! {
    /// A stream that ends when the stop of its host begins; see [`Lifetime::until_stopping`].
    #[must_use = "a stream does nothing unless it is polled"]
    pub struct UntilStopping<S> {
        // Gone once it was ready.
        stopping: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
        #[pin]
        stream: S,
    }
}

impl<S: Stream> Stream for UntilStopping<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(stopping) = this.stopping else {
            return Poll::Ready(None);
        };
        if stopping.as_mut().poll(cx).is_ready() {
            *this.stopping = None;
            return Poll::Ready(None);
        }
        this.stream.poll_next(cx)
    }
}

impl<S> fmt::Debug for UntilStopping<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntilStopping").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    fn is_ready(future: &mut (impl Future<Output = ()> + Unpin)) -> bool {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn everybody_who_waits_is_told_of_each_step_of_a_life() {
        let lifetime = Lifetime::new();
        let mut waiters: Vec<[Pin<Box<dyn Future<Output = ()>>>; 3]> = (0..3)
            .map(|_| -> [Pin<Box<dyn Future<Output = ()>>>; 3] {
                [
                    Box::pin(lifetime.started()),
                    Box::pin(lifetime.stopping()),
                    Box::pin(lifetime.stopped()),
                ]
            })
            .collect();
        let mut step = |reached: usize| {
            for [started, stopping, stopped] in &mut waiters {
                for (place, waiter) in [started, stopping, stopped].into_iter().enumerate() {
                    if place + 1 == reached {
                        assert!(is_ready(waiter), "{place} at {reached}");
                        *waiter = Box::pin(ready(()));
                    } else if place >= reached {
                        assert!(!is_ready(waiter), "{place} at {reached}");
                    }
                }
            }
        };
        let living = lifetime.begin();
        step(0);
        living.started();
        step(1);
        assert!(!lifetime.is_stopping() && !lifetime.is_leaving());
        lifetime.leave();
        assert!(!lifetime.is_stopping() && lifetime.is_leaving());
        step(1);
        lifetime.stop();
        assert!(lifetime.is_stopping());
        step(2);
        drop(living);
        step(3);
    }

    #[test]
    fn a_life_of_two_hosts_ends_with_the_last() {
        let lifetime = Lifetime::new();
        let (first, second) = (lifetime.begin(), lifetime.begin());
        drop(first);
        assert!(!lifetime.is_stopping());
        let mut stopped = pin!(lifetime.stopped());
        assert!(!is_ready(&mut stopped));
        drop(second);
        assert!(lifetime.is_stopping());
        assert!(is_ready(&mut stopped));
    }

    #[test]
    fn a_stream_ends_when_the_stop_begins() {
        let lifetime = Lifetime::new();
        let _living = lifetime.begin();
        let mut stream = lifetime.until_stopping(futures_util::stream::iter([1, 2, 3]));
        let cx = &mut Context::from_waker(Waker::noop());
        assert_eq!(Pin::new(&mut stream).poll_next(cx), Poll::Ready(Some(1)));
        lifetime.stop();
        assert_eq!(Pin::new(&mut stream).poll_next(cx), Poll::Ready(None));
        assert_eq!(Pin::new(&mut stream).poll_next(cx), Poll::Ready(None));
    }
}
