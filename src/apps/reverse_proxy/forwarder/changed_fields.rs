//! The fields of a request whose route changes some of them.

use http::header::{CONTENT_LENGTH, FORWARDED, HOST, SEC_WEBSOCKET_KEY, TE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::facts::Facts;
use super::fields::{Named, each_in_one_line, is_another, is_of_connection, separator};
use crate::apps::reverse_proxy::template::RouteValues;
use crate::apps::reverse_proxy::transform_options::{
    Change, Copied, Forwarded, ForwardedAction, ForwardedHeader, RequestTransform, XForwarded,
};
use crate::upstream::{Content, Value};

/// What a request tells once its route has changed it.
#[derive(Debug, Default)]
pub(super) struct ChangedFields {
    pub(super) headers: HeaderMap,
}

/// What the changes go by.
pub(super) struct Sent<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) named: &'a Named<'a>,
    pub(super) facts: &'a Facts<'a>,
    pub(super) takes_trailers: bool,
    /// The key of a WebSocket, if the client has none.
    pub(super) key: Option<&'a str>,
    /// The client's certificate, as it stands in a header.
    pub(super) certificate: Option<HeaderValue>,
}

impl ChangedFields {
    /// Takes what goes on by itself.
    pub(super) fn copied(sent: &Sent<'_>, copied: &Copied, original_host: bool) -> Self {
        let passes = |name: &HeaderName| {
            copied.allowed.contains(name)
                || copied.all
                    && !is_of_connection(name)
                    && !is_another(name.as_str())
                    && !sent.named.contains(name)
        };
        let mut headers = HeaderMap::with_capacity(sent.headers.keys_len() + 8);
        let mut take = |name: &HeaderName, value: Value<'_>| {
            let value = match value {
                Value::Kept(value) => Some(value.clone()),
                Value::Made(parts) => HeaderValue::from_bytes(&parts.concat()).ok(),
            };
            if let Some(value) = value {
                headers.insert(name.clone(), value);
            }
        };
        each_in_one_line(sent.headers, passes, &mut take);
        headers.remove(HOST);
        if copied.all && sent.takes_trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        if let Some(key) = sent.key.and_then(|key| HeaderValue::from_str(key).ok()) {
            headers.insert(SEC_WEBSOCKET_KEY, key);
        }
        if original_host
            && !sent.facts.host.is_empty()
            && let Ok(host) = HeaderValue::from_str(sent.facts.host)
        {
            headers.insert(HOST, host);
        }
        Self { headers }
    }

    /// Makes one change, if it is one of fields.
    pub(super) fn change(
        &mut self,
        sent: &Sent<'_>,
        change: &RequestTransform,
        values: &RouteValues<'_>,
    ) {
        match change {
            RequestTransform::Header { name, value, how } => self.put(name, value.clone(), *how),
            RequestTransform::HeaderOfRoute { name, parameter, how } => {
                let value = values.get(parameter.place);
                match value.and_then(|value| HeaderValue::from_str(value).ok()) {
                    Some(value) => self.put(name, value, *how),
                    // What the client says in its place is not what the route would.
                    None if *how == Change::Set => drop(self.headers.remove(name)),
                    None => {}
                }
            }
            RequestTransform::HeaderRemove(name) => drop(self.headers.remove(name)),
            RequestTransform::XForwarded(told) => self.tell_x_forwarded(sent, told),
            RequestTransform::Forwarded(told) => self.tell_forwarded(sent, told),
            RequestTransform::ClientCertificate(name) => {
                self.headers.remove(name);
                if let Some(certificate) = &sent.certificate {
                    self.headers.insert(name.clone(), certificate.clone());
                }
            }
            RequestTransform::PathPrefix(_)
            | RequestTransform::PathRemovePrefix(_)
            | RequestTransform::PathSet(_)
            | RequestTransform::PathPattern(_)
            | RequestTransform::Query { .. }
            | RequestTransform::QueryRemove(_)
            | RequestTransform::Method { .. } => {}
        }
    }

    /// Sets a field, or puts a value behind the one that it has.
    fn put(&mut self, name: &HeaderName, value: HeaderValue, how: Change) {
        let before = match how {
            Change::Set => None,
            Change::Append => self.headers.get(name).filter(|before| !before.is_empty()),
        };
        let value = match before {
            None => Ok(value),
            Some(before) => {
                let both = [before.as_bytes(), separator(name), value.as_bytes()].concat();
                HeaderValue::from_bytes(&both)
            }
        };
        if let Ok(value) = value {
            self.headers.insert(name.clone(), value);
        }
    }

    /// Takes the host, which is told apart.
    pub(super) fn take_host(&mut self) -> Option<Box<[u8]>> {
        self.headers.remove(HOST).map(|host| host.as_bytes().into())
    }

    /// The body, framed as the changes have it: one whose length is not handed on goes out in chunks.
    pub(super) fn reframed(
        &mut self,
        content: Option<Content>,
        copied: &Copied,
    ) -> Option<Content> {
        let length = self.headers.remove(CONTENT_LENGTH);
        let is_chunked = self.headers.remove(TRANSFER_ENCODING).is_some();
        content.map(|mut content| {
            if let Some(length) = length {
                content.length = length.to_str().ok().and_then(|length| length.parse().ok());
            } else if is_chunked || !copied.all && !copied.allowed.contains(&CONTENT_LENGTH) {
                content.length = None;
            }
            content
        })
    }

    fn tell_x_forwarded(&mut self, sent: &Sent<'_>, told: &XForwarded) {
        let XForwarded { client, proto, host, prefix } = told;
        let facts = sent.facts;
        let address = facts.client.map(|address| address.ip().to_string()).unwrap_or_default();
        for (header, value) in [
            (client, &*address),
            (host, facts.host),
            (proto, facts.scheme),
            (prefix, &*facts.path_base),
        ] {
            self.tell(header, value);
        }
        if [client, proto, host, prefix].iter().any(|it| it.action != ForwardedAction::Off) {
            // It would say something else.
            self.headers.remove(FORWARDED);
        }
    }

    fn tell(&mut self, header: &ForwardedHeader, value: &str) {
        let how = match header.action {
            ForwardedAction::Off => return,
            ForwardedAction::Append => Change::Append,
            ForwardedAction::Set | ForwardedAction::Remove => {
                self.headers.remove(&header.name);
                Change::Set
            }
        };
        if header.action != ForwardedAction::Remove
            && !value.is_empty()
            && let Ok(value) = HeaderValue::from_str(value)
        {
            self.put(&header.name, value, how);
        }
    }

    fn tell_forwarded(&mut self, sent: &Sent<'_>, told: &Forwarded) {
        if told.action == ForwardedAction::Off {
            return;
        }
        for header in
            ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix"]
        {
            self.headers.remove(header);
        }
        let header = ForwardedHeader { name: FORWARDED, action: told.action };
        self.tell(&header, &sent.facts.forwarded(told));
    }
}
