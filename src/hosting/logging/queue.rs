//! The queue between the threads that log and the one that writes.
//!
//! Lines wait in one buffer, in the order they were logged, and go out in as few writes as possible. Whoever holds the
//! outputs may write: usually the worker, but also a thread that flushes, and every thread once the queue is closed.
//! Outputs are locked before the lines are taken, so the order stays the same whoever does it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::options::QueueFullMode;
use super::outputs::{Batch, Outputs, Stream};

/// Writes the line that says how many lines were dropped.
pub(super) type Report = Box<dyn Fn(u64, &mut String) + Send + Sync>;

/// What the queue is made with.
pub(super) struct Settings {
    pub(super) capacity: usize,
    pub(super) mode: QueueFullMode,
    pub(super) report: Report,
    pub(super) report_to: Stream,
    /// How long closing waits for an output that takes nothing.
    pub(super) stalled_after: Duration,
}

pub(super) struct Queue {
    settings: Settings,
    state: Mutex<State>,
    /// Signals the worker: there are lines, or the queue was closed.
    work: Condvar,
    /// Signals threads that wait for room.
    room: Condvar,
    /// Signals a closing thread: a batch was written, or the worker is gone.
    progress: Condvar,
    outputs: Mutex<(Outputs, Batch)>,
}

#[derive(Default)]
struct State {
    pending: Batch,
    dropped: u64,
    worker_waits: bool,
    /// Nobody is left to write in the background, or soon will be: every thread writes its own lines.
    closed: bool,
    worker_gone: bool,
    /// Closing gave up: whoever wrote another line now would wait for the same output.
    abandoned: bool,
    batches_written: u64,
}

impl Queue {
    /// A queue whose worker is yet to be started with [`Queue::start`].
    pub(super) fn new(settings: Settings, outputs: Outputs) -> Self {
        Self {
            settings,
            state: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            progress: Condvar::new(),
            outputs: Mutex::new((outputs, Batch::default())),
        }
    }

    /// Starts the thread that writes. If the system has none left, lines are written where they are logged.
    pub(super) fn start(self: &Arc<Self>) {
        let queue = Arc::clone(self);
        let body = move || Worker(queue).run();
        if thread::Builder::new().name("console log".to_owned()).spawn(body).is_err() {
            let mut state = self.state();
            (state.closed, state.worker_gone) = (true, true);
        }
    }

    pub(super) fn push(&self, stream: Stream, line: &str) {
        let mut state = self.state();
        while state.pending.lines >= self.settings.capacity.max(1) && !state.closed {
            match self.settings.mode {
                QueueFullMode::DropWrite => {
                    state.dropped += 1;
                    return;
                }
                QueueFullMode::Wait => state = wait(&self.room, state),
            }
        }
        if state.abandoned {
            return;
        }
        state.pending.push(stream, line);
        if state.closed {
            drop(state);
            self.drain();
        } else if state.worker_waits {
            // Said once: until the worker has run, further lines need not wake it again.
            state.worker_waits = false;
            self.work.notify_one();
        }
    }

    /// Returns when everything logged before is written.
    pub(super) fn drain(&self) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let (outputs, batch) = &mut *outputs;
        // Before and not after writing: an output that panicked may have left its batch behind.
        batch.clear();
        let mut state = self.state();
        std::mem::swap(&mut state.pending, batch);
        let dropped = std::mem::take(&mut state.dropped);
        drop(state);
        if batch.lines == 0 {
            return;
        }
        self.room.notify_all();
        if dropped > 0 {
            // Lines are dropped while the queue is full, so they belong after the ones that filled it.
            let mut line = String::new();
            (self.settings.report)(dropped, &mut line);
            batch.push(self.settings.report_to, &line);
        }
        outputs.write(batch);
        self.state().batches_written += 1;
        self.progress.notify_all();
    }

    /// Has the worker write what is left, and waits for it as long as it gets on.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        self.work.notify_one();
        self.room.notify_all();
        while !state.worker_gone && !state.abandoned {
            let seen = state.batches_written;
            let (next, timeout) = self
                .progress
                .wait_timeout(state, self.settings.stalled_after)
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() && !state.worker_gone && state.batches_written == seen {
                state.abandoned = true;
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Queue").finish_non_exhaustive()
    }
}

struct Worker(Arc<Queue>);

impl Worker {
    fn run(&self) {
        loop {
            let mut state = self.0.state();
            while state.pending.lines == 0 {
                if state.closed {
                    return;
                }
                state.worker_waits = true;
                state = wait(&self.0.work, state);
            }
            state.worker_waits = false;
            drop(state);
            self.0.drain();
        }
    }
}

impl Drop for Worker {
    /// Also when an output panicked: then the queue would fill and block everybody.
    fn drop(&mut self) {
        let mut state = self.0.state();
        (state.closed, state.worker_gone) = (true, true);
        drop(state);
        self.0.room.notify_all();
        self.0.progress.notify_all();
    }
}

fn wait<'a>(signal: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    signal.wait(state).unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc;

    use super::super::tests::Memory;
    use super::*;

    /// An output that says when it was given something, and takes it when told to.
    struct Gate {
        arrived: mpsc::Sender<()>,
        open: mpsc::Receiver<()>,
        inner: Memory,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.arrived.send(()).expect("the test listens");
            self.open.recv().expect("the test opens the gate");
            self.inner.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn queue(
        capacity: usize,
        mode: QueueFullMode,
        stdout: impl Write + Send + 'static,
    ) -> Arc<Queue> {
        // Longer than any machine under load keeps the worker waiting.
        queue_with_patience(Duration::from_secs(60), capacity, mode, stdout)
    }

    fn queue_with_patience(
        stalled_after: Duration,
        capacity: usize,
        mode: QueueFullMode,
        stdout: impl Write + Send + 'static,
    ) -> Arc<Queue> {
        let report: Report =
            Box::new(|dropped, line| line.push_str(&format!("dropped {dropped}\n")));
        let settings =
            Settings { capacity, mode, report, report_to: Stream::Stdout, stalled_after };
        let queue = Arc::new(Queue::new(
            settings,
            Outputs { stdout: Box::new(stdout), stderr: Box::new(io::sink()) },
        ));
        queue.start();
        queue
    }

    fn gate() -> (Gate, mpsc::Receiver<()>, mpsc::Sender<()>, Memory) {
        let (arrived, arrivals) = mpsc::channel();
        let (opener, open) = mpsc::channel();
        let inner = Memory::default();
        (Gate { arrived, open, inner: inner.clone() }, arrivals, opener, inner)
    }

    #[test]
    fn a_full_queue_drops_and_says_so() {
        let (gate, arrivals, opener, memory) = gate();
        let queue = queue(2, QueueFullMode::DropWrite, gate);
        queue.push(Stream::Stdout, "1\n");
        arrivals.recv().expect("the worker took the first line");
        for line in ["2\n", "3\n", "4\n", "5\n"] {
            queue.push(Stream::Stdout, line);
        }
        (0..2).for_each(|_| opener.send(()).expect("the gate waits"));
        queue.drain();
        assert_eq!(memory.text(), "1\n2\n3\ndropped 2\n");
    }

    #[test]
    fn a_full_queue_makes_the_thread_wait() {
        let (gate, arrivals, opener, memory) = gate();
        let queue = queue(1, QueueFullMode::Wait, gate);
        queue.push(Stream::Stdout, "1\n");
        arrivals.recv().expect("the worker took the first line");
        queue.push(Stream::Stdout, "2\n");
        let waiting = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.push(Stream::Stdout, "3\n")
        });
        (0..3).for_each(|_| opener.send(()).expect("the gate waits"));
        waiting.join().expect("room was made");
        queue.drain();
        assert_eq!(memory.text(), "1\n2\n3\n");
    }

    #[test]
    fn closing_writes_what_is_left_unless_the_output_is_stalled() {
        let memory = Memory::default();
        let patient = queue(10_000, QueueFullMode::Wait, memory.clone());
        (0..5000).for_each(|_| patient.push(Stream::Stdout, "x\n"));
        patient.close();
        assert_eq!(memory.text().len(), 10_000);

        let (gate, _arrivals, _opener, memory) = gate();
        let stalled = queue_with_patience(Duration::from_millis(20), 10, QueueFullMode::Wait, gate);
        stalled.push(Stream::Stdout, "x\n");
        stalled.close();
        stalled.push(Stream::Stdout, "does not wait\n");
        assert_eq!(memory.text(), "");
    }

    #[test]
    fn lines_keep_their_order_whoever_writes() {
        let memory = Memory::default();
        let queue = queue(16, QueueFullMode::Wait, memory.clone());
        for number in 0..2000 {
            queue.push(Stream::Stdout, &format!("{number}\n"));
            if number % 7 == 0 {
                queue.drain();
            }
        }
        queue.close();
        queue.push(Stream::Stdout, "2000\n");
        let expected: String = (0..=2000).map(|number| format!("{number}\n")).collect();
        assert_eq!(memory.text(), expected);
    }

    #[test]
    fn an_output_that_panics_stops_nobody() {
        struct Broken(Memory, bool);
        impl Write for Broken {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.1, false) {
                    std::panic::resume_unwind(Box::new("broken"));
                }
                self.0.write(bytes)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let memory = Memory::default();
        let queue = queue(1, QueueFullMode::Wait, Broken(memory.clone(), true));
        queue.push(Stream::Stdout, "lost\n");
        // Returns once the worker is gone.
        queue.close();
        queue.push(Stream::Stdout, "1\n");
        queue.push(Stream::Stdout, "2\n");
        assert_eq!(memory.text(), "1\n2\n");
    }
}
