//! Whose log is this task's?
//!
//! A process has one subscriber of `tracing`. A host that begins while another one's log is that subscriber gets one of
//! its own, and its tasks run with it: where it is polled, and where it is dropped. Every other host is told by the
//! subscriber of the process, and its tasks have nothing around them but a look at that.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tracing::Dispatch;
use tracing::dispatcher::{self, DefaultGuard};

thread_local! {
    /// That of the task that is polled on this thread.
    static CURRENT: RefCell<Option<Dispatch>> = const { RefCell::new(None) };
}

/// The subscriber of a host of its own, if it has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogContext(Option<Dispatch>);

impl LogContext {
    pub(crate) fn of(own: Option<Dispatch>) -> Self {
        Self(own)
    }

    /// That of the task, or the thread, that asks.
    pub(crate) fn current() -> Self {
        Self(CURRENT.try_with(|current| current.borrow().clone()).ok().flatten())
    }

    /// The future, which logs here from now on.
    pub(crate) fn around<F: Future>(&self, future: F) -> InLog<F> {
        InLog { context: self.clone(), future: Some(future) }
    }

    /// Whether it is that of the process: nothing has to be around who logs there.
    pub(crate) fn is_of_process(&self) -> bool {
        self.0.is_none()
    }

    /// Runs code that logs here.
    pub(crate) fn run<T>(&self, code: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        code()
    }

    fn enter(&self) -> Option<Entered> {
        let own = self.0.as_ref()?;
        let outer = CURRENT.try_with(|current| current.replace(Some(own.clone()))).ok().flatten();
        Some(Entered { outer, _default: dispatcher::set_default(own) })
    }
}

/// The future of a task that is to log where this one does.
pub(crate) fn in_log<F: Future>(future: F) -> InLog<F> {
    LogContext::current().around(future)
}

/// The same of a task that is not one of many. A runtime has some kilobytes of code for each kind of future, twice, and
/// all of these are one.
pub(crate) fn in_log_boxed<T>(
    future: impl Future<Output = T> + Send + 'static,
) -> InLog<Pin<Box<dyn Future<Output = T> + Send>>> {
    in_log(Box::pin(future))
}

/// The subscriber is that of the thread as long as this lives.
struct Entered {
    outer: Option<Dispatch>,
    _default: DefaultGuard,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let outer = self.outer.take();
        // A thread that ends has no task any more.
        let _ = CURRENT.try_with(|current| current.replace(outer));
    }
}

pin_project! {
    /// A future that logs where its context says.
    pub(crate) struct InLog<F> {
        context: LogContext,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InLog<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.context.enter();
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for InLog<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.context.enter();
        match this.future.as_pin_mut() {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Waker;

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// Counts events.
    #[derive(Clone, Default)]
    struct Count(Arc<AtomicUsize>);

    impl Subscriber for Count {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    struct LogsAtItsEnd;

    impl Drop for LogsAtItsEnd {
        fn drop(&mut self) {
            tracing::error!("the end");
        }
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_task_its_children_and_its_end_are_told_to_the_log_of_its_host() {
        let (of_a, of_b) = (Count::default(), Count::default());
        let told = || (of_a.0.load(Ordering::Relaxed), of_b.0.load(Ordering::Relaxed));
        let context = |count: &Count| LogContext::of(Some(Dispatch::new(count.clone())));
        let (a, b) = (context(&of_a), context(&of_b));
        let mut task = pin!(a.around(async {
            tracing::error!("told to a");
            b.run(|| tracing::error!("told to b"));
            tracing::error!("told to a");
            Some(in_log(async { tracing::error!("told to a") }))
        }));
        let Poll::Ready(Some(child)) = poll(task.as_mut()) else { panic!("it waits for nothing") };
        assert_eq!(told(), (2, 1));
        assert!(poll(pin!(child)).is_ready());
        assert_eq!(told(), (3, 1));

        let end = LogsAtItsEnd;
        let mut cut_off = Box::pin(b.around(async move {
            let _end = end;
            std::future::pending::<()>().await;
        }));
        assert!(poll(cut_off.as_mut()).is_pending());
        drop(cut_off);
        tracing::error!("told to nobody");
        assert_eq!(told(), (3, 2));
    }
}
