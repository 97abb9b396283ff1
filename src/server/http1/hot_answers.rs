//! Answers that are given again and again, in clear text: the system is given head and body in a place of their own, and
//! sends both in one call, without a copy of either. What is in flight stays as it was: such a place is never written again,
//! but left to what is on its way, and a new one is made for the next head (its date changes each second).

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

use crate::pipeline::{GivenOften, OpenedFile, PreparedHead, WholeAnswer};
use crate::server::activity::Http1Activity;
use crate::server::clock::Moment;
use crate::server::pieces::{LONGEST, Piece, is_stand_in};
use crate::server::send_file::in_memory;

/// From this length on a body is worth it: to copy a shorter one costs the system less than to find its pages.
const LEAST: usize = 8 * 1024;

/// After how many answers within a second a place is made, which costs as much as two of them.
const OFTEN: u64 = 32;

/// How many places there are, each with a descriptor; the oldest goes first.
const MOST: usize = 64;

static NEWEST: Mutex<VecDeque<Weak<PreparedHead>>> = Mutex::new(VecDeque::new());

/// What stands for head and body on their way through the gate, if they are given so often.
pub(super) fn stand_in(
    prepared: &Arc<PreparedHead>,
    (head, body): (&[u8], &Bytes),
    activity: &Http1Activity,
) -> Option<Bytes> {
    let length = head.len() + body.len();
    if body.len() < LEAST || length > LONGEST || !activity.sends_files() || is_stand_in(body) {
        return None;
    }
    let often = prepared.given_often()?;
    let kept = often.whole.load();
    let whole = match &*kept {
        Some(whole) if whole.is(head, body) => Arc::clone(whole),
        _ => made(prepared, often, (head, body))?,
    };
    let (file, name) = (Arc::clone(&whole.file), Arc::clone(&whole.name));
    Some(activity.pieces().queue(Piece { file, at: 0, length, behind: 0, name }))
}

/// The same answer in a place of its own, if this is the time to make one.
#[cold]
fn made(
    prepared: &Arc<PreparedHead>,
    often: &GivenOften,
    (head, body): (&[u8], &Bytes),
) -> Option<Arc<WholeAnswer>> {
    const TIMES: u64 = 0xFFFF;
    let second = Moment::now().as_millis() / 1000;
    let before = often.given.load(Ordering::Relaxed);
    let times = if before >> 16 == second { (before & TIMES) + 1 } else { 1 };
    often.given.store(second << 16 | times.min(TIMES), Ordering::Relaxed);
    if times != OFTEN {
        return None;
    }
    // Without one it goes as any other answer.
    let file = in_memory(&[head, body]).ok()?;
    let file = Arc::new(OpenedFile::new(file, (head.len() + body.len()) as u64));
    let whole = WholeAnswer { head: head.into(), body: body.clone(), file, name: "(kept)".into() };
    let whole = Arc::new(whole);
    often.whole.store(Some(Arc::clone(&whole)));
    keep_newest(prepared);
    Some(whole)
}

fn keep_newest(prepared: &Arc<PreparedHead>) {
    let this = Arc::downgrade(prepared);
    let mut newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
    newest.retain(|it| it.strong_count() > 0 && !it.ptr_eq(&this));
    newest.push_back(this);
    if newest.len() > MOST
        && let Some(oldest) = newest.pop_front().and_then(|oldest| oldest.upgrade())
        && let Some(often) = oldest.given_often()
    {
        often.whole.store(None);
    }
}
