//! What surrounds an event: the spans it happened in, in the shape of .NET's scopes.
//!
//! The server's own spans have the target `Kestrel.Scope`: `connection` is one scope, `request` is two, of which the
//! activity (the ids of the trace) comes before everything else. Any other span is a scope with its name and fields.

use std::sync::Arc;

use tracing::Metadata;
use tracing_subscriber::registry::{self, LookupSpan};

use super::fields::{Fields, Value};

/// The target of the spans whose shape is known here.
pub(super) const TARGET: &str = "Kestrel.Scope";

/// One scope: which part of a span it shows, and the fields of that span.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    kind: Kind,
    fields: Arc<Fields>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Activity,
    Connection,
    Request,
    Span(&'static str),
}

impl Scope {
    /// Hands out the text, such as `ConnectionId:0HN`, in pieces. Any of it may come from a stranger.
    pub(super) fn text(&self, emit: &mut dyn FnMut(&str)) {
        match self.kind {
            Kind::Activity => self.list(&["SpanId", "TraceId", "ParentId"], ", ", emit),
            Kind::Connection => self.list(&["ConnectionId"], " ", emit),
            Kind::Request => self.list(&["RequestPath", "RequestId"], " ", emit),
            Kind::Span(name) => {
                emit(name);
                let mut before = "{";
                for (name, value) in self.members() {
                    let Some(value) = value.plain() else { continue };
                    [before, name, "=", value].into_iter().for_each(&mut *emit);
                    before = " ";
                }
                if before == " " {
                    emit("}");
                }
            }
        }
    }

    /// The members of the scope as an object, in the reference's order.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        let known: &[&'static str] = match self.kind {
            Kind::Activity => &["SpanId", "TraceId", "ParentId"],
            Kind::Connection => &["ConnectionId"],
            Kind::Request => &["RequestId", "RequestPath"],
            Kind::Span(_) => &[],
        };
        let own = matches!(self.kind, Kind::Span(_)).then(|| self.fields.iter());
        let known =
            known.iter().map(|name| (*name, self.fields.get(name).unwrap_or(Value::Missing)));
        known.chain(own.into_iter().flatten())
    }

    fn list(&self, names: &[&'static str], separator: &str, emit: &mut dyn FnMut(&str)) {
        for (index, name) in names.iter().enumerate() {
            let value = self.fields.get(name).and_then(Value::text).unwrap_or_default();
            let before = if index == 0 { "" } else { separator };
            [before, name, ":", value].into_iter().for_each(&mut *emit);
        }
    }
}

/// What a span keeps until it is closed. Behind an `Arc`, so that an event takes it along without holding a lock.
#[derive(Debug)]
pub(super) struct SpanFields(pub(super) Arc<Fields>);

/// Collects the scopes of the spans around an event, outermost first.
pub(super) fn collect<'a, S>(spans: Option<registry::Scope<'a, S>>, scopes: &mut Vec<Scope>)
where
    S: LookupSpan<'a>,
{
    let mut activity = None;
    for span in spans.into_iter().flat_map(|spans| spans.from_root()) {
        if let Some(SpanFields(fields)) = span.extensions().get() {
            let kind = kind(span.metadata());
            if kind == Kind::Request && fields.get("TraceId").and_then(Value::text).is_some() {
                activity = Some(Scope { kind: Kind::Activity, fields: Arc::clone(fields) });
            }
            scopes.push(Scope { kind, fields: Arc::clone(fields) });
        }
    }
    if let Some(activity) = activity {
        scopes.insert(0, activity);
    }
}

fn kind(metadata: &Metadata<'static>) -> Kind {
    match (metadata.target(), metadata.name()) {
        (TARGET, "connection") => Kind::Connection,
        (TARGET, "request") => Kind::Request,
        (_, name) => Kind::Span(name),
    }
}
