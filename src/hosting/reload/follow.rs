//! What reloads a host by itself: tasks that hand on what changed, and one that reloads for it.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, watch};

use super::running::Running;
use super::wishes::{Wish, Wishes};
use crate::diagnostics::in_log_boxed;

/// Reloads whenever files change, or sources tell that they have, as long as the host is there.
async fn reload_on(mut changes: UnboundedReceiver<Wish>, running: Weak<Mutex<Running>>) {
    let mut left = None;
    loop {
        let first = match left.take() {
            Some(wish) => Some(wish),
            None => changes.recv().await,
        };
        let (Some(mut wish), Some(running)) = (first, running.upgrade()) else {
            return;
        };
        // Whatever has changed until the files are read is read.
        while let Ok(more) = changes.try_recv() {
            wish = wish.with(more);
        }
        let read = || {
            while let Ok(more) = changes.try_recv() {
                if wish.with(more) != wish {
                    left = Some(more);
                }
            }
        };
        // What is wrong has been logged.
        let _ = running.lock().await.reload_patiently(wish, read).await;
    }
}

/// Lets the running host follow what asks it to reload: what changed on the disk, and sources of the program.
pub(in crate::hosting) fn follow(
    asked: [(Option<UnboundedReceiver<()>>, Wish); 2],
    running: &Arc<Mutex<Running>>,
    wishes: &Wishes,
    stops: &watch::Receiver<bool>,
) {
    let (to, handed_on) = unbounded_channel();
    for (changes, wish) in asked {
        // One that nobody can send to is at its end, and costs no task.
        if let Some(changes) = changes.filter(|it| !it.is_closed() || !it.is_empty()) {
            let hand_on = hand_on(changes, wish, to.clone(), wishes.clone(), stops.clone());
            tokio::spawn(in_log_boxed(hand_on));
        }
    }
    drop(to);
    if !handed_on.is_closed() {
        tokio::spawn(in_log_boxed(reload_on(handed_on, Arc::downgrade(running))));
    }
}

/// Hands on that something changes, and lets a reload know that waits for the program's code, until the
/// stop begins or the host is gone.
async fn hand_on(
    mut changes: UnboundedReceiver<()>,
    wish: Wish,
    to: UnboundedSender<Wish>,
    wishes: Wishes,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let change = tokio::select! {
            change = changes.recv() => change,
            _ = stopping.wait_for(|stopping| *stopping) => None,
        };
        if change.is_none() {
            return;
        }
        // First: or the reload that begins with it would take it for the next one, and give way to nobody.
        wishes.ask();
        if to.send(wish).is_err() {
            return;
        }
    }
}
