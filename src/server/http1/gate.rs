//! The gate of a connection: what stands between its stream and hyper.
//!
//! It hands hyper one message at a time, after its head passed all rules, and knows where the
//! message ends, so that nothing of the next one gets in. The bytes of a message that comes in one
//! piece are looked at where hyper reads them, and are not copied. A message that is not to be
//! served is replaced by a harmless one, which the service answers with the rejection: so the
//! answer goes out in its turn, behind those to earlier requests.
//!
//! On the way out it holds answers back while the next request is here already, so that many of
//! them leave in one write; and it times a client that does not take what was written.
//!
//! A request that says nothing of its connection, and whose answer comes in one piece, goes past hyper (`past_hyper`).
//!
//! While an answer is waited for, it looks whether the client is still there (`look_out`).

mod incoming;
mod look_out;
mod outgoing;
mod past_hyper;
mod state;

pub(super) use state::Gate;

#[cfg(test)]
mod tests;
