//! What a gate asks for answers without hyper.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};

use super::handover::{Begun, Handover, Place};
use super::read_head::give_back;
use super::write_head::{Added, write_head};
use crate::server::pieces::LONGEST;
use crate::server::request::RequestService;
use crate::server::response::add_left_headers;
use crate::server::response_body::ResponseBody;

/// Asks the app, and makes bytes of answers that are there at once. What is not, goes on with hyper.
pub(super) struct Answerer {
    requests: RequestService,
    handover: Arc<Handover>,
    /// Room for an answer that is made.
    place: Option<Place>,
    /// How many answers in a row, at most a few, had to go on with hyper: asking was in vain.
    in_vain: u32,
    /// How many requests are left to hyper from the beginning before one is tried again.
    pause: u32,
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

    /// Asks the app. The answer's body, if all of it is there at once; its head is put into `head`. Otherwise the
    /// request waits for hyper at the handover.
    pub(super) fn ask(
        &mut self,
        request: Request<Body>,
        head: &mut Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Option<Bytes> {
        let place = self.place.get_or_insert_with(|| Box::pin(None));
        place.set(Some(self.requests.call(request, None)));
        let polled = place.as_mut().as_pin_mut().map(|future| future.poll(cx));
        let begun = match polled {
            Some(Poll::Ready(answer)) => {
                place.set(None);
                match answer.map(|response| made(response, head, cx)) {
                    Ok(Made::Bytes(body)) => {
                        self.in_vain = 0;
                        return Some(body);
                    }
                    Ok(Made::Answer(response)) => Begun::Answered(Ok(response)),
                    Err(error) => Begun::Answered(Err(error)),
                }
            }
            Some(Poll::Pending) | None => Begun::Asked(self.place.take()?),
        };
        self.handover.leave(begun);
        self.in_vain = (self.in_vain + 1).min(MOST_IN_VAIN);
        self.pause = (1 << self.in_vain) - 1;
        None
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
    let added = Added::of(body);
    let length = length.filter(|length| write_head(&response, *length, added, head));
    let came = match length {
        None => None,
        Some(0) => Some(Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))),
        Some(_) => Some(Pin::new(response.body_mut()).poll_frame(cx)),
    };
    let came = match came {
        Some(Poll::Ready(Some(Ok(frame)))) => match frame.into_data() {
            Ok(data) if Some(data.len() as u64) == length && response.body().is_end_stream() => {
                give_back(std::mem::take(response.headers_mut()));
                return Made::Bytes(data);
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

impl Added {
    /// What has to be added to the head of an answer with this body.
    fn of(body: &ResponseBody) -> Self {
        match body.running().context().options().add_server_header {
            _ if !body.lacks_headers() => Self::Nothing,
            true => Self::DateAndServer,
            false => Self::Date,
        }
    }
}
