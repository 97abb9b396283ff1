//! How an event is written down: its category, its level and its id stand in one line.

/// The message of an event, for its field `message`: the template, and what stands in it.
macro_rules! message {
    ($template:expr $(; $($name:ident = $value:expr),+)?) => {
        ::tracing::field::display($crate::diagnostics::message::Message {
            template: $template,
            fields: &[$($((stringify!($name), &$value as &dyn $crate::diagnostics::message::Text)),+)?],
        })
    };
}

/// One event: category, level, id, template, optional detail, then the template's fields.
macro_rules! emit {
    ($category:expr, $level:ident, $id:literal, $template:literal
     $(, detail: $detail:expr)? $(; $($name:ident = $value:expr),+)?) => {
        ::tracing::event!(target: $category, ::tracing::Level::$level,
               message = message!($template $(; $($name = $value),+)?), event.id = $id as u64, event.template = $template
               $(, event.detail = $detail)? $($(, $name = $value)+)?)
    };
}

/// The same as data, for what is printed or judged as well as logged.
macro_rules! notice {
    ($category:expr, $level:ident, $id:literal, $template:literal
     $(, detail: $detail:expr)? $(; $($name:ident = $value:expr),+)?) => {
        $crate::diagnostics::notice::Notice {
            level: ::tracing::Level::$level,
            category: $category,
            id: $id,
            template: $template,
            fields: vec![$($((stringify!($name), $value.to_string())),+)?],
            detail: {
                let detail: &[&str] = &[$($detail)?];
                detail.concat()
            },
            // One that needs no field does not look at it.
            log: |_notice| {
                emit!($category, $level, $id, $template, detail: _notice.detail()
                      $(; $($name = _notice.field(stringify!($name))),+)?);
            },
        }
    };
}

/// One event about a request, with its connection and its id in front.
macro_rules! emit_request {
    ($category:expr, $level:ident, $id:literal, $template:literal, $connection:expr, $request:expr
     $(, detail: $detail:expr)? $(; $($name:ident = $value:expr),+)?) => {
        ::tracing::event!(target: $category, ::tracing::Level::$level,
               message = message!(
                   concat!("Connection id \"{ConnectionId}\", Request id \"{TraceIdentifier}\": ", $template);
                   ConnectionId = ::tracing::field::display($connection),
                   TraceIdentifier = ::tracing::field::display($crate::diagnostics::events::request_id::RequestId($connection, $request))
                   $($(, $name = $value)+)?),
               event.id = $id as u64,
               event.template = concat!("Connection id \"{ConnectionId}\", Request id \"{TraceIdentifier}\": ", $template)
               $(, event.detail = $detail)?,
               ConnectionId = ::tracing::field::display($connection),
               TraceIdentifier = ::tracing::field::display($crate::diagnostics::events::request_id::RequestId($connection, $request))
               $($(, $name = $value)+)?)
    };
}
