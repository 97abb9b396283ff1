//! The steps of a case.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use serde_json::Value;

use super::connection::Connection;
use super::frames;
use crate::http1::latin1;
use crate::suite::app::App;

/// The largest payload that is put into one DATA frame.
const PIECE: usize = 16384;

/// Takes a step.
///
/// # Errors
/// When nobody here knows it.
pub(crate) fn take(connection: &mut Connection<'_>, app: &App, step: &Value) -> Result<()> {
    let has = |name: &str| !step[name].is_null();
    let stream = |connection: &Connection<'_>| number(&step["stream"]).unwrap_or(connection.last);
    let on_stream = number(&step["stream"]).unwrap_or(0);
    if has("repeat") && has("steps") {
        for _ in 0..number(&step["repeat"]).unwrap_or(0) {
            for step in step["steps"].as_array().into_iter().flatten() {
                take(connection, app, step)?;
            }
            if connection.send_failed {
                break;
            }
        }
    } else if let Some(seconds) = step["wait"].as_f64() {
        connection.read(Duration::from_secs_f64(seconds), None, |_| false);
    } else if let Some(what) = step["until"].as_str() {
        let of = stream(connection);
        let limit = Duration::from_secs_f64(step["s"].as_f64().unwrap_or(3.0));
        connection.read(limit, None, |seen| match (what, seen.streams.get(&of)) {
            ("goaway", _) => !seen.goaway.is_empty(),
            ("status", Some(own)) => own.status.is_some(),
            ("end", Some(own)) => own.end,
            ("rst", Some(own)) => own.reset.is_some(),
            _ => false,
        });
    } else if let Some(raw) = step["raw"].as_str() {
        connection.send(&latin1(raw));
    } else if let Some(name) = step["signal"].as_str() {
        connection.began = Instant::now();
        app.server.signal(format!("SIG{name}").parse::<Signal>()?);
    } else if has("get") || has("headers") || has("block") {
        send_headers(connection, step)?;
    } else if has("data") {
        send_data(connection, step)?;
    } else if has("settings") {
        connection.send(&frames::settings(on_stream, &settings(&step["settings"])));
    } else if let Some(by) = number(&step["window"]) {
        connection.send(&frames::window_update(on_stream, by));
    } else if let Some(code) = number(&step["rst"]) {
        let stream = stream_of(connection, step, Stream::Last);
        connection.send(&frames::rst_stream(stream, code));
    } else if has("priority") {
        connection.send(&frames::priority(on_stream, &priority(&step["priority"])));
    } else if let Some(payload) = step["ping"].as_str() {
        let flags = if step["ack"] == true { frames::ACK } else { 0 };
        connection.send(&frames::ping(flags, on_stream, &latin1(payload)));
    } else if let Some(code) = number(&step["goaway"]) {
        connection.send(&frames::goaway(on_stream, number(&step["last"]).unwrap_or(0), code));
    } else if let Value::Array(frame) = &step["frame"] {
        connection.send(&any_frame(frame, &step["length"])?);
    } else {
        bail!("nobody here knows the step {step}");
    }
    Ok(())
}

/// The stream of a step that does not name one.
#[derive(Clone, Copy)]
enum Stream {
    Next,
    Last,
}

/// The stream of a step, as a number or as `next` or `last`.
fn stream_of(connection: &mut Connection<'_>, step: &Value, default: Stream) -> u32 {
    let named = match step["stream"].as_str() {
        Some("next") => Stream::Next,
        Some("last") => Stream::Last,
        _ => default,
    };
    let stream = match (number(&step["stream"]), named) {
        (Some(stream), _) => {
            if stream % 2 == 1 {
                connection.next = connection.next.max(stream + 2);
            }
            stream
        }
        (None, Stream::Next) => {
            connection.next += 2;
            connection.next - 2
        }
        (None, Stream::Last) => connection.last,
    };
    connection.last = stream;
    stream
}

/// HEADERS and, where the case wants them, CONTINUATIONs.
fn send_headers(connection: &mut Connection<'_>, step: &Value) -> Result<()> {
    let stream = stream_of(connection, step, Stream::Next);
    let block = match step["block"].as_str() {
        Some(block) => latin1(block),
        None => frames::block(&fields(step)?),
    };
    let end = |name: &str, flag: u8| if step[name] == false { 0 } else { flag };
    let end_headers = end("end_headers", frames::END_HEADERS);
    let mut flags = end("end", frames::END_STREAM) | end_headers;
    let mut payload = Vec::new();
    if let Some(pad) = number(&step["pad"]) {
        flags |= frames::PADDED;
        payload.push(u8::try_from(pad)?);
    }
    if !step["prio"].is_null() {
        flags |= frames::WITH_PRIORITY;
        payload.extend(priority(&step["prio"]));
    }
    let size = size(&step["cont"])?.unwrap_or(block.len().max(1));
    let mut parts = block.chunks(size);
    payload.extend(parts.next().unwrap_or_default());
    payload.extend(vec![0; padding(step)?]);
    let mut parts = parts.peekable();
    if parts.peek().is_some() {
        flags &= !frames::END_HEADERS;
    }
    connection.send(&frames::headers(flags, stream, &payload));
    while let Some(part) = parts.next() {
        let flags = if parts.peek().is_none() { end_headers } else { 0 };
        connection.send(&frames::continuation(flags, stream, part));
    }
    Ok(())
}

/// The fields of a request: those of a GET, or the given ones.
pub(crate) fn fields(step: &Value) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut fields = Vec::new();
    if let Some(path) = step["get"].as_str() {
        let method = step["method"].as_str().unwrap_or("GET");
        for (name, value) in
            [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)]
        {
            fields.push((name.into(), value.into()));
        }
    }
    for list in [&step["headers"], &step["add"]] {
        for field in list.as_array().into_iter().flatten() {
            let name = field[0].as_str().context("a name of a field")?;
            fields.push((latin1(name), repeated(&field[1])?));
        }
    }
    Ok(fields)
}

/// A text, or one that is repeated.
fn repeated(value: &Value) -> Result<Vec<u8>> {
    match (value.as_str(), value["repeat"].as_str(), number(&value["n"])) {
        (Some(text), ..) => Ok(latin1(text)),
        (None, Some(text), Some(times)) => Ok(latin1(text).repeat(usize::try_from(times)?)),
        _ => bail!("nobody here knows the text {value}"),
    }
}

fn send_data(connection: &mut Connection<'_>, step: &Value) -> Result<()> {
    let stream = stream_of(connection, step, Stream::Last);
    let data = repeated(&step["data"])?;
    let end = if step["end"] == true { frames::END_STREAM } else { 0 };
    if let Some(pad) = number(&step["pad"]) {
        let mut payload = vec![u8::try_from(pad)?];
        payload.extend(&data);
        payload.extend(vec![0; padding(step)?]);
        connection.send(&frames::data(end | frames::PADDED, stream, &payload));
        return Ok(());
    }
    let size = size(&step["size"])?.unwrap_or(PIECE);
    let mut pieces = data.chunks(size).peekable();
    if pieces.peek().is_none() {
        connection.send(&frames::data(end, stream, &[]));
    }
    while let Some(piece) = pieces.next() {
        let flags = if pieces.peek().is_none() { end } else { 0 };
        connection.send(&frames::data(flags, stream, piece));
    }
    Ok(())
}

/// How much padding really follows, which need not be what the frame claims.
fn padding(step: &Value) -> Result<usize> {
    Ok(size(&step["padding"])?.or(size(&step["pad"])?).unwrap_or(0))
}

fn size(value: &Value) -> Result<Option<usize>> {
    Ok(number(value).map(usize::try_from).transpose()?)
}

/// `[dependency, weight, exclusive]`
fn priority(value: &Value) -> Vec<u8> {
    let exclusive = value[2] == true || value[2] == 1;
    let dependency = number(&value[0]).unwrap_or(0) | u32::from(exclusive) << 31;
    let weight = u8::try_from(number(&value[1]).unwrap_or(0)).unwrap_or(u8::MAX);
    [&dependency.to_be_bytes()[..], &[weight]].concat()
}

/// Settings as `[[id, value], ...]`.
pub(crate) fn settings(value: &Value) -> Vec<(u16, u32)> {
    let pair = |pair: &Value| Some((u16::try_from(number(&pair[0])?).ok()?, number(&pair[1])?));
    value.as_array().into_iter().flatten().filter_map(pair).collect()
}

/// `[type, flags, stream, payload]`, with a length that may be a lie.
fn any_frame(frame: &[Value], length: &Value) -> Result<Vec<u8>> {
    let [kind, flags, stream, payload] = frame else { bail!("a frame has four parts") };
    let byte = |value: &Value| u8::try_from(number(value).unwrap_or(0));
    let payload = latin1(payload.as_str().context("a payload")?);
    let length = size(length)?.unwrap_or(payload.len());
    let stream = number(stream).context("a stream")?;
    Ok(frames::frame_of_length(byte(kind)?, byte(flags)?, stream, &payload, length))
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| number.try_into().ok())
}

/// The harness's test of this file.
pub(crate) fn check() {
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    assert_eq!(settings(&json("[[4, 0], [3, 7]]")), [(4, 0), (3, 7)]);
    assert_eq!(priority(&json("[3, 16, true]")), [128, 0, 0, 3, 16]);
    let step = json(r#"{"get": "/x", "add": [["a", {"repeat": "b", "n": 3}]]}"#);
    let fields = fields(&step).expect("fields");
    assert_eq!(fields.len(), 5);
    assert_eq!(fields[4], (b"a".to_vec(), b"bbb".to_vec()));
}
