//! What stands between the server and the app: the stages a request goes through, and the app itself.
//!
//! A [`Pipeline`] is what answers requests at one moment: its stages in their order, then a
//! [`Responder`]. An [`Application`] is what a server holds: the pipeline of the moment, which a reload
//! replaces. The server asks for it once per request, so that connections that were open long before
//! get the new one, too; a request that is being answered keeps the pipeline it began with, and
//! [`Retired`] tells when the last of them has ended.
//!
//! A stage looks at a request on its way in and may see the answer on its way out; one that has to wait, or
//! to go the rest of the way more than once, takes the request and goes by [`Next`].
//!
//! A stage that is off is not in the list, and costs nothing: an app alone is called as if there were
//! no pipeline. Which stages there are, in which order, and what switches them on, is the host's to
//! say (`hosting/pipeline.rs`); what they do stands in `middleware`. Between the stages and the app is the
//! place of the program's own [`Layers`], which become a part of each app.

mod application;
mod client_address;
mod file_part;
mod layers;
mod prepared_head;
mod responder;
pub(crate) mod room;
mod stage;

pub use application::{Application, ApplicationFuture};
pub(crate) use application::{InUse, LookUp, Pipeline, Retired};
pub(crate) use client_address::ClientAddress;
pub(crate) use file_part::{FilePart, LONGEST_PIECE, OpenedFile};
pub(crate) use layers::Layers;
pub(crate) use prepared_head::{GivenOften, PreparedHead, WholeAnswer};
#[cfg(feature = "proxy")]
pub(crate) use responder::AnswerParts;
pub(crate) use responder::{Answering, Handler, Request, Responder, Responding, Response};
pub(crate) use stage::{Enter, Next, Stage};
