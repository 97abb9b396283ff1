//! What a server serves, of this moment.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use axum::Router;
use tokio::sync::oneshot;
use tower_service::Service;

use super::client_address::{ClientAddress, tell_client};
use super::file_part::FilePart;
use super::responder::{Request, Responder, Responding, Response};
use super::room;
use super::stage::{Enter, Leave, Next, Stage, Way};

/// What answers the requests of a server: the host's stages and its app, as they are at this moment.
/// A reload may replace them; each request is answered by what is there when it comes. (What
/// `IHttpApplication` is in ASP.NET Core.)
///
/// It is a service of tower's. Clones are the same application.
#[derive(Clone)]
pub struct Application(Arc<Replaceable>);

/// The pipeline of the moment, and which one it is, counted from 1.
struct Replaceable {
    pipeline: ArcSwap<Pipeline>,
    generation: AtomicUsize,
}

impl Application {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        let pipeline = ArcSwap::from_pointee(pipeline);
        Self(Arc::new(Replaceable { pipeline, generation: AtomicUsize::new(1) }))
    }

    /// What answers a request that comes now. It is in use as long as it is held.
    pub(crate) fn current(&self) -> Arc<Pipeline> {
        self.0.pipeline.load_full()
    }

    /// Answers requests with this from now on.
    pub(crate) fn replace(&self, pipeline: Pipeline) {
        self.0.pipeline.store(Arc::new(pipeline));
        // Behind it: who sees the new number finds the new pipeline.
        self.0.generation.fetch_add(1, Ordering::Release);
    }

    /// Answers requests with the same app behind these stages from now on.
    pub(crate) fn replace_stages(&self, stages: Box<[Box<dyn Stage>]>) {
        let app = Arc::clone(&self.0.pipeline.load().app);
        self.replace(Pipeline::new(stages, app));
    }
}

impl From<Router> for Application {
    fn from(router: Router) -> Self {
        let (app, _) = InUse::new(Responder::router(router), ClientAddress::InConnection);
        Self::new(Pipeline::new(Box::default(), app))
    }
}

impl Service<Request> for Application {
    type Response = Response;
    type Error = Infallible;
    type Future = ApplicationFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> ApplicationFuture {
        let pipeline = self.current();
        let responding = Box::pin(pipeline.call(request));
        ApplicationFuture { responding, _in_use: pipeline }
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Application").field(&self.current()).finish()
    }
}

/// What a connection asks for the pipeline of the moment: it is mostly the one that it had last, and to
/// see that takes a fraction of what a look at the application does.
pub(crate) struct LookUp {
    application: Application,
    last: RefCell<Last>,
}

/// A pipeline that was looked up. A connection that waits does not keep it in use.
#[derive(Default)]
struct Last {
    generation: usize,
    pipeline: Weak<Pipeline>,
}

impl LookUp {
    pub(crate) fn of(application: &Application) -> Self {
        Self { application: application.clone(), last: RefCell::default() }
    }

    /// What answers a request that comes now. It is in use as long as it is held.
    #[inline]
    pub(crate) fn current(&self) -> Arc<Pipeline> {
        let generation = self.application.0.generation.load(Ordering::Acquire);
        let last = self.last.borrow();
        let known = (last.generation == generation).then(|| last.pipeline.upgrade());
        drop(last);
        known.flatten().unwrap_or_else(|| self.look(generation))
    }

    #[cold]
    fn look(&self, generation: usize) -> Arc<Pipeline> {
        let pipeline = self.application.current();
        self.last.replace(Last { generation, pipeline: Arc::downgrade(&pipeline) });
        pipeline
    }
}

impl Clone for LookUp {
    fn clone(&self) -> Self {
        Self::of(&self.application)
    }
}

impl fmt::Debug for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LookUp").field(&self.application).finish()
    }
}

/// The answer of an [`Application`] on its way.
pub struct ApplicationFuture {
    responding: Pin<Box<Responding>>,
    _in_use: Arc<Pipeline>,
}

impl Future for ApplicationFuture {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.responding.as_mut().poll(cx).map(Ok)
    }
}

impl fmt::Debug for ApplicationFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationFuture").finish_non_exhaustive()
    }
}

/// An app that answers, or has requests left to answer.
pub(crate) struct InUse {
    responder: Responder,
    client: ClientAddress,
    /// Is dropped with it.
    _retired: oneshot::Sender<Infallible>,
}

impl InUse {
    pub(crate) fn new(responder: Responder, client: ClientAddress) -> (Arc<Self>, Retired) {
        let (sender, retired) = oneshot::channel();
        (Arc::new(Self { responder, client, _retired: sender }), Retired(retired))
    }

    #[inline]
    fn call(&self, mut request: Request) -> Responding {
        match self.client {
            ClientAddress::InConnection => {}
            ClientAddress::AsConnectInfo => tell_client(&mut request),
        }
        self.responder.call(request)
    }
}

/// Stages in their order, and the app behind them.
pub(crate) struct Pipeline {
    stages: Box<[Box<dyn Stage>]>,
    app: Arc<InUse>,
}

impl Pipeline {
    pub(crate) fn new(stages: Box<[Box<dyn Stage>]>, app: Arc<InUse>) -> Self {
        Self { stages, app }
    }

    /// Sends a request through the stages to the app. A panic on the way comes with the first poll.
    #[inline]
    pub(crate) fn call(self: &Arc<Self>, request: Request) -> Responding {
        match self.stages.is_empty() {
            true => self.app.call(request),
            false => Responding::guarded(|| self.through_stages(0, false, request)),
        }
    }

    /// Whether the log is better off without a request.
    pub(crate) fn is_noise(&self, request: &Request) -> bool {
        self.stages.iter().any(|stage| stage.is_noise(request))
    }

    fn through_stages(
        self: &Arc<Self>,
        first: usize,
        mut files_are_read: bool,
        mut request: Request,
    ) -> Responding {
        let mut leaves: Vec<Leave> = Vec::new();
        for (place, stage) in self.stages.iter().enumerate().skip(first) {
            let responding = match stage.enter(&mut request) {
                Enter::Next => continue,
                Enter::Then(leave) => {
                    leaves.push(leave);
                    files_are_read |= !stage.knows_files();
                    continue;
                }
                Enter::Answer(response) => {
                    room::give_back(request);
                    let response = Some(way_out(leaves, files_are_read, response));
                    return Responding::Ready { response };
                }
                Enter::Around(around) => {
                    let way: Arc<Self> = Arc::clone(self);
                    let read_behind = files_are_read || !stage.knows_files();
                    around(request, Next::new(way, place + 1, read_behind))
                }
                Enter::Taken(responding) => {
                    room::give_back(request);
                    responding
                }
            };
            return match files_are_read && leaves.is_empty() {
                true => responding.without_file(),
                false => out_by(leaves, files_are_read, responding),
            };
        }
        out_by(leaves, files_are_read, self.app.call(request))
    }
}

impl Way for Pipeline {
    fn go(self: Arc<Self>, first: usize, files_are_read: bool, request: Request) -> Responding {
        Responding::guarded(|| self.through_stages(first, files_are_read, request))
    }
}

/// An answer that may take time, on its way out.
fn out_by(leaves: Vec<Leave>, files_are_read: bool, responding: Responding) -> Responding {
    if leaves.is_empty() {
        return responding;
    }
    match responding {
        Responding::Prepared { prepared: Some(prepared) } => {
            let response = Some(way_out(leaves, files_are_read, prepared.whole()));
            Responding::Ready { response }
        }
        responding => {
            Responding::later(async move { way_out(leaves, files_are_read, responding.await) })
        }
    }
}

/// An answer on its way out: the last stage that was entered is the first to see it.
fn way_out(leaves: Vec<Leave>, files_are_read: bool, mut response: Response) -> Response {
    if files_are_read {
        FilePart::take(&mut response);
    }
    leaves.into_iter().rev().fold(response, |response, leave| leave(response))
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("stages", &self.stages.len())
            .field("app", &self.app.responder)
            .finish_non_exhaustive()
    }
}

/// Is ready once an app is replaced and its last request has ended.
#[derive(Debug)]
pub(crate) struct Retired(oneshot::Receiver<Infallible>);

impl Future for Retired {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Nothing is ever sent.
        Pin::new(&mut self.0).poll(cx).map(|_| ())
    }
}

#[cfg(test)]
mod tests;
