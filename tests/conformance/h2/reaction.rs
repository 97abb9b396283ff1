//! How ours may react where the recording allows or demands another reaction than the recorded one.
//!
//! The recordings say it in words (`ours_reaction`). Each text stands here for the reactions it
//! names, so that none is let through because nobody read it: a text that this file does not know
//! is an error.

use anyhow::{Result, bail};

use super::seen::{Seen, Stream};
use super::steps;
use crate::suite::Line;

/// The reactions a text names; one of them must be seen.
#[derive(Debug)]
pub(crate) struct Reactions {
    text: String,
    any_of: Vec<Reaction>,
}

/// One reaction.
#[derive(Clone, Debug)]
enum Reaction {
    /// As the reference did.
    AsRecorded,
    /// The stream in question is reset, with one of these codes, or any; the connection goes on,
    /// and other requests on it are answered.
    ResetStream(Codes),
    /// The stream in question is answered with this status, or any; the connection goes on.
    Status(Option<u16>),
    /// GOAWAY with one of these codes, or any, and the end of the connection.
    Goaway(Codes),
    /// GOAWAY with the recorded code, and the end of the connection.
    SameGoaway(String),
    /// The connection ends.
    Close,
    /// Nothing happens: the connection goes on.
    GoesOn,
}

/// Names of error codes; none for any.
type Codes = &'static [&'static str];

const PROTOCOL: Codes = &["PROTOCOL_ERROR"];
const PROTOCOL_OR_CLOSED: Codes = &["PROTOCOL_ERROR", "STREAM_CLOSED"];
const CALM: Codes = &["ENHANCE_YOUR_CALM"];
const ANY: Codes = &[];

/// The most header fields a request may have, and their most bytes, by default.
const MAX_FIELDS: usize = 100;
const MAX_BYTES: usize = 32 * 1024;

impl Reactions {
    /// The reactions that `case` allows.
    ///
    /// # Errors
    /// When nobody here knows the text.
    pub(crate) fn of(case: &Line) -> Result<Self> {
        use Reaction::{AsRecorded, Close, Goaway, GoesOn, ResetStream, SameGoaway, Status};
        let text = case.all["ours_reaction"].as_str().unwrap_or_default();
        let any_of = match text {
            "answer, or GOAWAY PROTOCOL_ERROR" => vec![Status(Some(200)), Goaway(PROTOCOL)],
            "GOAWAY PROTOCOL_ERROR or close at once" => vec![Goaway(PROTOCOL), Close],
            "RST_STREAM PROTOCOL_ERROR or status 400"
            | "RST_STREAM PROTOCOL_ERROR or status 400 on the stream"
            | "RST_STREAM PROTOCOL_ERROR or status 400 on the stream, next stream served" => {
                vec![ResetStream(PROTOCOL), Status(Some(400))]
            }
            "status 400 or RST_STREAM on the stream, next stream served" => {
                vec![ResetStream(ANY), Status(Some(400))]
            }
            "RST_STREAM PROTOCOL_ERROR or status 414" => {
                vec![ResetStream(PROTOCOL), Status(Some(414))]
            }
            "app dependent" => vec![ResetStream(ANY), Status(None)],
            "RST_STREAM PROTOCOL_ERROR on the stream, or the connection error" => {
                vec![ResetStream(PROTOCOL), Goaway(PROTOCOL)]
            }
            "STREAM_CLOSED or PROTOCOL_ERROR, stream or connection" => {
                vec![ResetStream(PROTOCOL_OR_CLOSED), Goaway(PROTOCOL_OR_CLOSED)]
            }
            "GOAWAY with PROTOCOL_ERROR or STREAM_CLOSED" => vec![Goaway(PROTOCOL_OR_CLOSED)],
            "as Kestrel, or ignored, or a stream error" => {
                let code = case.recorded["goaway"][0]["code"].as_str().unwrap_or_default();
                vec![SameGoaway(code.to_owned()), GoesOn, ResetStream(ANY)]
            }
            "GOAWAY or close; no unbounded work" => vec![Goaway(ANY), Close],
            "431, RST_STREAM or GOAWAY as soon as the limit is passed; 200 at or below it" => {
                match passes_the_limit(case)? {
                    true => vec![AsRecorded, Status(Some(431)), ResetStream(ANY), Goaway(ANY)],
                    false => vec![Status(Some(200))],
                }
            }
            "served, or GOAWAY ENHANCE_YOUR_CALM, or the connection ends" => {
                vec![GoesOn, Goaway(CALM), Close]
            }
            "RST_STREAM with INTERNAL_ERROR or another code" => vec![ResetStream(ANY)],
            "RST_STREAM on the slow stream (or status 408), the other stream is answered" => {
                vec![ResetStream(ANY), Status(Some(408))]
            }
            other => bail!("nobody here knows the reaction `{other}`"),
        };
        Ok(Self { text: text.to_owned(), any_of })
    }

    /// Whether one of them was seen.
    pub(crate) fn met_by(&self, seen: &Seen, as_recorded: bool) -> Result<(), String> {
        match self.any_of.iter().any(|reaction| reaction.is_met(seen, as_recorded)) {
            true => Ok(()),
            false => Err(self.text.clone()),
        }
    }
}

impl Reaction {
    fn is_met(&self, seen: &Seen, as_recorded: bool) -> bool {
        let goes_on = seen.goaway.is_empty() && seen.end.is_none();
        // The stream in question is the first one; the others are to see whether the connection
        // goes on.
        let mut streams = seen.streams.values();
        let first = streams.next();
        let others_are_served = streams.all(|other| other.status == Some(200));
        let on_first =
            |met: &dyn Fn(&Stream) -> bool| goes_on && others_are_served && first.is_some_and(met);
        match self {
            Self::AsRecorded => as_recorded,
            Self::ResetStream(codes) => {
                on_first(&|stream| stream.reset.as_deref().is_some_and(|code| fits(codes, code)))
            }
            Self::Status(status) => on_first(&|stream| match status {
                Some(_) => stream.status == *status,
                None => stream.status.is_some(),
            }),
            Self::Goaway(codes) => {
                seen.end.is_some() && seen.goaway.iter().any(|goaway| fits(codes, &goaway.code))
            }
            Self::SameGoaway(code) => {
                seen.end.is_some() && seen.goaway.iter().any(|goaway| goaway.code == *code)
            }
            Self::Close => seen.end.is_some(),
            Self::GoesOn => goes_on,
        }
    }
}

fn fits(codes: Codes, code: &str) -> bool {
    codes.is_empty() || codes.contains(&code)
}

/// Whether a header block of the case has more fields, or more bytes, than a request may have.
fn passes_the_limit(case: &Line) -> Result<bool> {
    for step in case.all["send"].as_array().into_iter().flatten() {
        let fields = steps::fields(step)?;
        let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        if fields.len() > MAX_FIELDS || bytes > MAX_BYTES {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The harness's test of this file.
pub(crate) fn check() {
    use super::seen::{End, Goaway};
    let case = |text: &str| {
        let line = format!(r#"{{"id": "x-001", "ours_reaction": "{text}", "send": []}}"#);
        crate::suite::lines(&line).expect("a case").remove(0)
    };
    let mut seen = Seen::default();
    seen.stream(1).reset = Some("PROTOCOL_ERROR".to_owned());
    seen.stream(3).status = Some(200);
    let met = |text: &str, seen: &Seen| {
        Reactions::of(&case(text)).expect("a known text").met_by(seen, false).is_ok()
    };
    let stream = "RST_STREAM PROTOCOL_ERROR or status 400 on the stream, next stream served";
    let goaway = "GOAWAY with PROTOCOL_ERROR or STREAM_CLOSED";
    assert!(met(stream, &seen) && !met(goaway, &seen));
    seen.stream(3).status = None;
    assert!(!met(stream, &seen), "the next stream is to be served");
    seen.stream(3).status = Some(200);
    let code = "STREAM_CLOSED".to_owned();
    seen.goaway.push(Goaway { last: 1, code, after: Default::default() });
    seen.end = Some(End::Fin);
    assert!(!met(stream, &seen) && met(goaway, &seen));
    assert!(Reactions::of(&case("as you like it")).is_err());
}
