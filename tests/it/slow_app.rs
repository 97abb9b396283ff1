//! An app that takes as long as a test wants.

use std::sync::Arc;

use axum::{Router, routing::any};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{saying, soon};

/// What happens in the handler of `/slow`.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    Entered,
    /// It was left, by its end or because it was dropped.
    Left,
}

/// An app whose `/slow` answers once it is let go; `/` answers at once.
pub(crate) struct SlowApp {
    pub(crate) steps: mpsc::UnboundedReceiver<Step>,
    gate: Arc<Semaphore>,
}

impl SlowApp {
    pub(crate) fn new() -> (Router, Self) {
        let (sender, steps) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(0));
        let waits_at = Arc::clone(&gate);
        let slow = move || async move {
            let _visit = Visit::begin(&sender);
            let _ = waits_at.acquire().await;
            "finished"
        };
        let app = saying("quick").route("/slow", any(slow));
        (app, Self { steps, gate })
    }

    /// What watches handlers of another app.
    pub(crate) fn watching() -> (mpsc::UnboundedSender<Step>, Self) {
        let (sender, steps) = mpsc::unbounded_channel();
        (sender, Self { steps, gate: Arc::new(Semaphore::new(0)) })
    }

    pub(crate) async fn next_step(&mut self) -> Step {
        let step = soon("a step of the handler", self.steps.recv()).await;
        step.expect("the app is alive")
    }

    pub(crate) fn let_go(&self) {
        self.gate.add_permits(1);
    }
}

/// Tells that it was entered when it is made, and that it was left when it is dropped.
pub(crate) struct Visit(mpsc::UnboundedSender<Step>);

impl Visit {
    pub(crate) fn begin(steps: &mpsc::UnboundedSender<Step>) -> Self {
        let _ = steps.send(Step::Entered);
        Self(steps.clone())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let _ = self.0.send(Step::Left);
    }
}
