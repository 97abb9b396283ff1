//! What a gate asks for answers without hyper.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};

use super::handover::Handover;
use super::hot_answers;
use super::write_head::{Added, write_head};
use crate::pipeline::{PreparedHead, room};
use crate::server::activity::Activity;
use crate::server::pieces::LONGEST;
use crate::server::request::{RequestFuture, RequestService};
use crate::server::response::add_left_headers;
use crate::server::response_body::{Left, ResponseBody};

/// Asks the app, and makes bytes of answers that come in one piece. What does not, goes on with hyper.
pub(super) struct Answerer {
    requests: RequestService,
    handover: Arc<Handover>,
    /// Where an answer is made, so that it can move while it is.
    place: Option<Pin<Box<Option<RequestFuture>>>>,
    /// How many answers in a row, at most a few, had to go on with hyper: asking was in vain.
    in_vain: u32,
    /// How many requests are left to hyper from the beginning before one is tried again.
    pause: u32,
}

/// What comes of asking.
pub(super) enum Came {
    /// An answer, whose head is written, and whose body this is.
    Answer(Bytes),
    /// An answer that waits at the handover, and goes on with hyper.
    Handover,
    /// The answer takes time.
    NotYet,
}

/// After how many answers in vain, at most, one request of twice as many is tried.
const MOST_IN_VAIN: u32 = 6;

impl Answerer {
    pub(super) fn new(requests: RequestService, handover: Arc<Handover>) -> Self {
        Self { requests, handover, place: None, in_vain: 0, pause: 0 }
    }

    /// Whether it is likely enough that the next request is answered at once.
    pub(super) fn is_worth_asking(&mut self) -> bool {
        let is_worth = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        is_worth
    }

    /// Asks the app, once the answer to the last request is here.
    pub(super) fn ask(&mut self, request: Request<Body>) {
        let place = self.place.get_or_insert_with(|| Box::pin(None));
        place.set(Some(self.requests.call(request, None)));
    }

    /// Whether an answer is under way.
    pub(super) fn is_asked(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.is_some())
    }

    /// The answer; its head is put into `head`.
    pub(super) fn poll(&mut self, head: &mut Vec<u8>, cx: &mut Context<'_>) -> Came {
        let Some(place) = &mut self.place else { return Came::NotYet };
        let polled = place.as_mut().as_pin_mut().map(|future| future.poll(cx));
        let Some(Poll::Ready(answer)) = polled else { return Came::NotYet };
        place.set(None);
        let answer = match answer.map(|response| made(response, head, cx)) {
            Ok(Made::Bytes(body)) => {
                self.in_vain = 0;
                return Came::Answer(body);
            }
            Ok(Made::Answer(response)) => Ok(response),
            Err(error) => Err(error),
        };
        self.handover.leave(answer);
        self.in_vain = (self.in_vain + 1).min(MOST_IN_VAIN);
        self.pause = (1 << self.in_vain) - 1;
        Came::Handover
    }
}

/// What an answer is made into.
#[allow(clippy::large_enum_variant, reason = "it is looked at once, where it is made")]
enum Made {
    /// Its head is written, and this is its body.
    Bytes(Bytes),
    /// Nothing that could be written at once.
    Answer(Response<ResponseBody>),
}

fn made(mut response: Response<ResponseBody>, head: &mut Vec<u8>, cx: &mut Context<'_>) -> Made {
    let body = response.body();
    let length = body
        .size_hint()
        .exact()
        .filter(|length| *length <= LONGEST as u64 && body.is_end_stream() == (*length == 0));
    let (added, prepared) = of_left(body);
    let length = length.filter(|length| write_head(&response, *length, (added, prepared), head));
    let came = match length {
        None => None,
        Some(0) => Some(Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))),
        Some(_) => Some(Pin::new(response.body_mut()).poll_frame(cx)),
    };
    let came = match came {
        Some(Poll::Ready(Some(Ok(frame)))) => match frame.into_data() {
            Ok(data) if Some(data.len() as u64) == length && response.body().is_end_stream() => {
                room::give_back_headers(std::mem::take(response.headers_mut()));
                return match hot(response.body(), head, &data) {
                    Some(stand_in) => {
                        head.clear();
                        Made::Bytes(stand_in)
                    }
                    None => Made::Bytes(data),
                };
            }
            Ok(data) => Some(Some(Ok(Frame::data(data)))),
            Err(frame) => Some(Some(Ok(frame))),
        },
        Some(Poll::Ready(came)) => Some(came),
        Some(Poll::Pending) | None => None,
    };
    add_left_headers(&mut response);
    if let Some(length) = length {
        response.body_mut().take_back(length, came);
    }
    Made::Answer(response)
}

/// What stands for an answer with this head and body, if the system sends both.
fn hot(body: &ResponseBody, head: &[u8], data: &Bytes) -> Option<Bytes> {
    let Left::All(prepared) = body.left() else { return None };
    match body.running().activity() {
        Activity::Http1(http1) => hot_answers::stand_in(prepared, (head, data), http1),
        Activity::Http2(_) => None,
    }
}

/// What has to be added to the head of an answer with this body, and what has to stand before that.
fn of_left(body: &ResponseBody) -> (Added, Option<&PreparedHead>) {
    let of_every = match body.running().context().options().add_server_header {
        true => Added::DateAndServer,
        false => Added::Date,
    };
    match body.left() {
        Left::Nothing => (Added::Nothing, None),
        Left::OfEvery => (of_every, None),
        Left::All(head) => (of_every, Some(head)),
    }
}
