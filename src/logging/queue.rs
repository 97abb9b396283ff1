//! The queue between the threads that log and the one that writes.
//!
//! Lines wait in one buffer, in the order they were logged, and go out in as few writes as possible. Only the worker
//! writes: an output that takes nothing blocks that thread and no other. Everybody else waits at most as long as
//! [`Settings`] says, for room, for a flush or for the end.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::options::QueueFullMode;
use super::outputs::{Batch, Outputs, Stream};

/// Writes the line that says how many lines were dropped, by which mode.
pub(super) type Report = Box<dyn Fn(u64, QueueFullMode, &mut String) + Send + Sync>;

/// What the queue is made with.
pub(super) struct Settings {
    pub(super) capacity: usize,
    pub(super) mode: QueueFullMode,
    pub(super) report: Report,
    pub(super) report_to: Stream,
    /// How long lines wait for room in all, before the first one is dropped.
    pub(super) patience: Duration,
    /// How long a flush waits, and all that is written at the end together.
    pub(super) last_wait: Duration,
}

pub(super) struct Queue {
    settings: Settings,
    state: Mutex<State>,
    /// Signals the worker: there are lines, or nobody is left to log any.
    work: Condvar,
    /// Signals all others: there is room, lines were written, or nobody is to wait any more.
    moved: Condvar,
    outputs: Mutex<(Outputs, Batch)>,
}

#[derive(Default)]
struct State {
    pending: Batch,
    dropped: u64,
    stall: Stall,
    /// How many lines were taken in, and how many of them were written.
    taken: u64,
    written: u64,
    worker: Worker,
    worker_waits: bool,
    /// The stop has begun: nobody waits for room as long as it takes.
    stopping: bool,
    /// Lines are not left to the worker: the process may end right behind each.
    closed: bool,
    /// Nobody is left who logs.
    orphaned: bool,
    /// A flush has waited in vain, and nothing was written since: another one would, too.
    abandoned: bool,
    /// When the last wait ends, once it has begun.
    last_wait_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Worker {
    #[default]
    NotStarted,
    Runs,
    /// The system has no thread left: lines are written where they are logged.
    Missing,
}

/// How long the lines of a queue that is full may still wait, all together.
///
/// It counts from the first line that finds no room. What goes out in good time gives it back, and so does an output
/// that catches up; one that only trickles does not, or it would hold every line anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stall {
    until: Option<Instant>,
}

impl Stall {
    /// A line finds no room `now`. It may wait until then.
    fn full(&mut self, now: Instant, patience: Duration) -> Instant {
        *self.until.get_or_insert(now + patience)
    }

    /// A batch was written.
    fn wrote(&mut self, took: Duration, patience: Duration, caught_up: bool) {
        if caught_up || took <= patience / 2 {
            self.until = None;
        }
    }
}

impl Queue {
    /// A queue whose worker is yet to be started with [`Queue::start`].
    pub(super) fn new(settings: Settings, outputs: Outputs) -> Self {
        Self {
            settings,
            state: Mutex::default(),
            work: Condvar::new(),
            moved: Condvar::new(),
            outputs: Mutex::new((outputs, Batch::default())),
        }
    }

    /// Starts the thread that writes. If the system has none left, lines are written where they are logged.
    pub(super) fn start(self: &Arc<Self>) {
        let queue = Arc::clone(self);
        let spawned =
            thread::Builder::new().name("console log".to_owned()).spawn(move || queue.work());
        self.state().worker = if spawned.is_ok() { Worker::Runs } else { Worker::Missing };
    }

    pub(super) fn push(&self, stream: Stream, line: &str) {
        let mut state = self.state();
        if state.pending.lines >= self.settings.capacity.max(1) {
            match self.wait_for_room(state) {
                Some(with_room) => state = with_room,
                None => return,
            }
        }
        state.pending.push(stream, line);
        state.taken += 1;
        if state.worker == Worker::Missing {
            drop(state);
            self.drain();
            return;
        }
        if state.worker_waits {
            // Said once: until the worker has run, further lines need not wake it again.
            state.worker_waits = false;
            self.work.notify_one();
        }
        if state.closed && !state.abandoned {
            drop(self.wait_until_written(state, Instant::now() + self.settings.last_wait));
        }
    }

    /// Waits until there is room for a line; without it the line is counted as dropped.
    #[cold]
    fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> Option<MutexGuard<'a, State>> {
        let Settings { mode, patience, .. } = self.settings;
        // Threads overtake each other: a line does not wait longer than all of them together may.
        let own = Instant::now() + patience;
        while state.pending.lines >= self.settings.capacity.max(1) {
            let now = Instant::now();
            let until = state.stall.full(now, patience).min(own);
            let for_ever = mode == QueueFullMode::Wait && !state.stopping;
            let over = mode == QueueFullMode::DropWrite || now >= until;
            state = match () {
                () if for_ever => self.moved.wait(state).unwrap_or_else(PoisonError::into_inner),
                () if over => {
                    state.dropped += 1;
                    return None;
                }
                () => self.wait(state, until - now),
            };
        }
        Some(state)
    }

    /// Returns when everything logged before is written, or has not been for too long.
    pub(super) fn flush(&self) {
        let state = self.state();
        if !state.abandoned {
            drop(self.wait_until_written(state, Instant::now() + self.settings.last_wait));
        }
    }

    /// The stop has begun: from now on lines wait for room no longer than by default, and those that wait are let go.
    pub(super) fn begin_stop(&self) {
        self.state().stopping = true;
        self.moved.notify_all();
    }

    /// Waits for what is left to be written. All such waits together last no longer than one may.
    pub(super) fn finish(&self) {
        self.begin_stop();
        let mut state = self.state();
        let until =
            *state.last_wait_until.get_or_insert_with(|| Instant::now() + self.settings.last_wait);
        drop(self.wait_until_written(state, until));
    }

    /// As [`finish`](Self::finish); each line that is logged afterwards is waited for.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.finish();
    }

    /// There is nobody left who logs: the worker writes what is there and ends.
    pub(super) fn orphan(&self) {
        self.state().orphaned = true;
        self.work.notify_one();
    }

    /// Waits until all that was taken in by now is written.
    fn wait_until_written<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        until: Instant,
    ) -> MutexGuard<'a, State> {
        let wanted = state.taken;
        while state.worker == Worker::Runs && state.written < wanted {
            let now = Instant::now();
            if now >= until {
                state.abandoned = true;
                break;
            }
            state = self.wait(state, until - now);
        }
        state
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, longest: Duration) -> MutexGuard<'a, State> {
        self.moved.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner).0
    }

    /// The worker's life.
    fn work(&self) {
        loop {
            let mut state = self.state();
            while state.pending.lines == 0 {
                if state.orphaned {
                    return;
                }
                state.worker_waits = true;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.worker_waits = false;
            drop(state);
            self.drain();
        }
    }

    /// Writes what waits.
    fn drain(&self) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let (outputs, batch) = &mut *outputs;
        let mut state = self.state();
        std::mem::swap(&mut state.pending, batch);
        let dropped = std::mem::take(&mut state.dropped);
        drop(state);
        if batch.lines == 0 {
            return;
        }
        self.moved.notify_all();
        let lines = batch.lines as u64;
        if dropped > 0 {
            // Lines are dropped while the queue is full, so they belong after the ones that filled it.
            let mut line = String::new();
            (self.settings.report)(dropped, self.settings.mode, &mut line);
            batch.push(self.settings.report_to, &line);
        }
        let began = Instant::now();
        // An output that panics loses its lines, and no thread: without the worker the queue would fill for good.
        let _ = catch_unwind(AssertUnwindSafe(|| outputs.write(batch)));
        let took = began.elapsed();
        batch.clear();
        let mut state = self.state();
        state.written += lines;
        state.abandoned = false;
        let caught_up = state.pending.lines == 0;
        state.stall.wrote(took, self.settings.patience, caught_up);
        drop(state);
        self.moved.notify_all();
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

    /// Longer than any machine under load keeps the worker waiting.
    const LONG: Duration = Duration::from_secs(60);

    const SHORT: Duration = Duration::from_millis(20);

    fn queue(
        capacity: usize,
        mode: QueueFullMode,
        stdout: impl Write + Send + 'static,
    ) -> Arc<Queue> {
        queue_with([LONG, LONG], capacity, mode, stdout)
    }

    fn queue_with(
        [patience, last_wait]: [Duration; 2],
        capacity: usize,
        mode: QueueFullMode,
        stdout: impl Write + Send + 'static,
    ) -> Arc<Queue> {
        let report: Report =
            Box::new(|dropped, _, line| line.push_str(&format!("dropped {dropped}\n")));
        let report_to = Stream::Stdout;
        let settings = Settings { capacity, mode, report, report_to, patience, last_wait };
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
        queue.flush();
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
        queue.flush();
        assert_eq!(memory.text(), "1\n2\n3\n");
    }

    #[test]
    fn the_stop_lets_go_of_threads_that_wait_for_room() {
        let (gate, arrivals, opener, memory) = gate();
        let queue = queue_with([SHORT, LONG], 1, QueueFullMode::Wait, gate);
        queue.push(Stream::Stdout, "1\n");
        arrivals.recv().expect("the worker took the first line");
        queue.push(Stream::Stdout, "2\n");
        let waiting = [(); 3].map(|()| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(Stream::Stdout, "3\n"))
        });
        queue.begin_stop();
        for thread in waiting {
            thread.join().expect("it is let go");
        }
        (0..2).for_each(|_| opener.send(()).expect("the gate waits"));
        queue.finish();
        assert_eq!(memory.text(), "1\n2\ndropped 3\n");
    }

    #[test]
    fn a_stalled_output_holds_lines_for_a_while_and_then_drops_them() {
        let (gate, arrivals, opener, memory) = gate();
        let queue = queue_with([SHORT, LONG], 1, QueueFullMode::WaitThenDrop, gate);
        queue.push(Stream::Stdout, "1\n");
        arrivals.recv().expect("the worker took the first line");
        for line in ["2\n", "3\n", "4\n", "5\n"] {
            queue.push(Stream::Stdout, line);
        }
        (0..2).for_each(|_| opener.send(()).expect("the gate waits"));
        queue.flush();
        assert_eq!(memory.text(), "1\n2\ndropped 3\n");
        // It flows again.
        queue.push(Stream::Stdout, "6\n");
        opener.send(()).expect("the gate waits");
        queue.flush();
        assert_eq!(memory.text(), "1\n2\ndropped 3\n6\n");
    }

    #[test]
    fn a_stall_holds_all_lines_together_until_the_output_flows() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let patience = Duration::from_secs(1);
        let mut stall = Stall::default();
        assert_eq!(stall.full(at(0), patience), at(1000));
        assert_eq!(stall.full(at(900), patience), at(1000), "it is one wait");
        stall.wrote(Duration::from_millis(900), patience, false);
        assert_eq!(stall.full(at(1200), patience), at(1000), "a trickle gives nothing back");
        stall.wrote(Duration::from_millis(100), patience, false);
        assert_eq!(stall.full(at(1300), patience), at(2300), "it flows");
        stall.wrote(Duration::from_secs(9), patience, true);
        assert_eq!(stall.full(at(11_000), patience), at(12_000), "it has caught up");
    }

    #[test]
    fn closing_writes_what_is_left_unless_the_output_is_stalled() {
        let memory = Memory::default();
        let patient = queue(10_000, QueueFullMode::Wait, memory.clone());
        (0..5000).for_each(|_| patient.push(Stream::Stdout, "x\n"));
        patient.close();
        assert_eq!(memory.text().len(), 10_000);
        patient.push(Stream::Stdout, "y\n");
        assert!(memory.text().ends_with("x\ny\n"), "what comes behind is waited for");

        let (gate, _arrivals, _opener, memory) = gate();
        let stalled = queue_with([LONG, SHORT], 10, QueueFullMode::Wait, gate);
        stalled.push(Stream::Stdout, "x\n");
        stalled.flush();
        stalled.finish();
        stalled.close();
        stalled.push(Stream::Stdout, "does not wait\n");
        assert_eq!(memory.text(), "");
    }

    /// A test that hangs would show that one of them waits for itself alone.
    #[test]
    fn however_often_the_end_is_waited_for_it_is_one_wait() {
        let (gate, _arrivals, _opener, _memory) = gate();
        let stalled = queue_with([LONG, SHORT], 10, QueueFullMode::WaitThenDrop, gate);
        stalled.push(Stream::Stdout, "x\n");
        stalled.finish();
        let until = stalled.state().last_wait_until;
        assert!(until.is_some_and(|until| until <= Instant::now()));
        stalled.finish();
        stalled.close();
        assert_eq!(stalled.state().last_wait_until, until);
    }

    #[test]
    fn the_worker_ends_once_nobody_logs_any_more() {
        let memory = Memory::default();
        let queue = queue(10, QueueFullMode::Wait, memory.clone());
        queue.push(Stream::Stdout, "x\n");
        queue.orphan();
        let began = Instant::now();
        while Arc::strong_count(&queue) > 1 {
            assert!(began.elapsed() < LONG, "the worker holds on");
            thread::yield_now();
        }
        assert_eq!(memory.text(), "x\n");
    }

    #[test]
    fn lines_keep_their_order_whoever_writes() {
        let memory = Memory::default();
        let queue = queue(16, QueueFullMode::Wait, memory.clone());
        for number in 0..2000 {
            queue.push(Stream::Stdout, &format!("{number}\n"));
            if number % 7 == 0 {
                queue.flush();
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
        queue.flush();
        queue.push(Stream::Stdout, "1\n");
        queue.push(Stream::Stdout, "2\n");
        queue.close();
        assert_eq!(memory.text(), "1\n2\n");
    }
}
