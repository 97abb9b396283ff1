//! A file as it is sent: its headers, made once, and its bytes or where they are.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY,
};
use http::{HeaderMap, HeaderValue};

use super::body::FileBody;
use super::byte_range::Part;
use super::encodings::Encoding;
use super::header_rules;
use super::options::FileOptions;
use super::root::{Identity, OpenFile};
use super::validators::Validators;
use crate::pipeline::{FilePart, OpenedFile, PreparedHead, Response};

/// From this length on the system may send a file by itself: what is shorter costs less if it is read, and sent
/// with its head.
const WORTH_SENDING: u64 = 64 * 1024;

/// A file in one state.
#[derive(Debug)]
pub(super) struct Representation {
    /// Its path from the root on.
    pub(super) name: Arc<str>,
    pub(super) length: u64,
    pub(super) validators: Validators,
    /// Those of an answer with all of it.
    pub(super) headers: HeaderMap,
    /// The same, prepared, if they can be; made when it is first asked for once more.
    head: OnceLock<Option<Arc<PreparedHead>>>,
    /// That of an answer that it is as the client has it.
    head_of_unchanged: OnceLock<Option<Arc<PreparedHead>>>,
    pub(super) content: Content,
    pub(super) identity: Identity,
    modified: SystemTime,
    /// Its bytes were read so soon after a change that another one may have left the same time and length.
    may_differ: bool,
    /// When it was last found to be so, on the clock of the cache.
    checked: AtomicU64,
    /// Whether it was asked for since the cache looked last.
    used: AtomicBool,
}

/// The bytes of a file.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// All of them.
    Bytes(Bytes),
    /// Where they are read, as they are needed.
    File(Arc<OpenedFile>),
}

/// What it is that is represented.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) content_type: Option<HeaderValue>,
    pub(super) encoding: Option<Encoding>,
}

impl Representation {
    pub(super) fn new(
        of: Named<'_>,
        open: OpenFile,
        bytes: Option<Bytes>,
        options: &FileOptions,
    ) -> Self {
        let OpenFile { file, length, modified, identity } = open;
        let validators = Validators::of(modified, length, of.encoding);
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_LENGTH, length.into());
        if let Some(content_type) = of.content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(ETAG, validators.etag.clone());
        headers.insert(LAST_MODIFIED, validators.last_modified());
        if let Some(encoding) = of.encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        if options.precompressed {
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        header_rules::apply(&options.headers, of.name, &mut headers);
        let content = match bytes {
            Some(bytes) => Content::Bytes(bytes),
            None => Content::File(Arc::new(OpenedFile::new(file, length))),
        };
        let may_differ = matches!(content, Content::Bytes(_)) && is_young(modified);
        Self {
            name: of.name.into(),
            length,
            validators,
            headers,
            head: OnceLock::new(),
            head_of_unchanged: OnceLock::new(),
            content,
            identity,
            modified,
            may_differ,
            checked: AtomicU64::new(0),
            used: AtomicBool::new(false),
        }
    }

    /// The headers of an answer that it is as the client has it.
    pub(super) fn headers_of_unchanged(file: &mut Arc<Self>) -> HeaderMap {
        let mut headers = Self::own_headers(file);
        headers.remove(CONTENT_LENGTH);
        headers
    }

    /// The same, prepared, if they can be, and it is kept: for one answer it would not pay.
    pub(super) fn head_of_unchanged(file: &Arc<Self>) -> Option<Arc<PreparedHead>> {
        let prepare = || PreparedHead::new(Self::headers_of_unchanged(&mut Arc::clone(file)));
        Self::prepared(file, &file.head_of_unchanged, prepare)
    }

    /// The prepared headers of all of it. Of an empty one they are not, as servers write those in another order.
    pub(super) fn head(file: &Arc<Self>) -> Option<Arc<PreparedHead>> {
        let prepare = || PreparedHead::new(file.headers.clone()).filter(|_| file.length > 0);
        Self::prepared(file, &file.head, prepare)
    }

    fn prepared(
        file: &Arc<Self>,
        place: &OnceLock<Option<Arc<PreparedHead>>>,
        prepare: impl FnOnce() -> Option<PreparedHead>,
    ) -> Option<Arc<PreparedHead>> {
        match Arc::strong_count(file) {
            1 => None,
            _ => place.get_or_init(|| prepare().map(Arc::new)).clone(),
        }
    }

    /// A part of a file as an answer, with the headers of the whole. What is kept is copied; of what is not, it is
    /// taken.
    pub(super) fn answer(file: &mut Arc<Self>, part: &Part) -> Response {
        let headers = Self::own_headers(file);
        let mut response = file.bare_answer(part);
        *response.headers_mut() = headers;
        response
    }

    /// The same without headers.
    pub(super) fn bare_answer(&self, part: &Part) -> Response {
        let mut response = Response::new(self.body(part));
        if let Content::File(content) = &self.content {
            let part = self.part(content, part);
            if part.length() >= WORTH_SENDING {
                response.extensions_mut().insert(part);
            }
        }
        response
    }

    fn part(&self, content: &Arc<OpenedFile>, part: &Part) -> FilePart {
        let (file, name) = (Arc::clone(content), Arc::clone(&self.name));
        FilePart { file, range: self.range(part), name }
    }

    /// The headers of a file for its answer.
    pub(super) fn own_headers(file: &mut Arc<Self>) -> HeaderMap {
        match Arc::get_mut(file) {
            Some(only) => std::mem::take(&mut only.headers),
            None => file.headers.clone(),
        }
    }

    fn range(&self, part: &Part) -> Range<u64> {
        match part {
            Part::Whole => 0..self.length,
            Part::Bytes(range) => range.clone(),
            Part::Unsatisfiable => 0..0,
        }
    }

    /// Whether a file that is open is in the same state. It is looked at for each answer: one that is written over would
    /// else be sent with the length and the tag of what it was, and whoever gets it would take it for whole.
    pub(super) fn is_as_it_was(&self) -> bool {
        match &self.content {
            Content::Bytes(_) => true,
            Content::File(file) => {
                file.file().metadata().is_ok_and(|now| Identity::of(&now) == self.identity)
            }
        }
    }

    /// Whether it was changed just now: it may be in the middle of a change.
    pub(super) fn is_young(&self) -> bool {
        is_young(self.modified)
    }

    /// Whether it is what is there now, as far as this tells it.
    pub(super) fn is(&self, name: &str, now: Identity) -> bool {
        self.identity == now && &*self.name == name && !self.may_differ
    }

    /// A part of it as a body.
    pub(super) fn body(&self, part: &Part) -> Body {
        match &self.content {
            Content::Bytes(bytes) => match part {
                Part::Whole => bytes.clone().into(),
                _ => {
                    let range = self.range(part);
                    // What is in memory fits into an address.
                    bytes.slice(range.start as usize..range.end as usize).into()
                }
            },
            Content::File(content) => Body::new(FileBody::new(self.part(content, part))),
        }
    }

    pub(super) fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// It was found to be so.
    pub(super) fn check(&self, now: u64) {
        self.checked.store(now, Ordering::Relaxed);
    }

    pub(super) fn mark_used(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was used since this was asked last.
    pub(super) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }
}

fn is_young(modified: SystemTime) -> bool {
    const YOUNG: Duration = Duration::from_millis(1500);
    let age = match SystemTime::now().duration_since(modified) {
        Ok(age) => age,
        // By another clock.
        Err(ahead) => ahead.duration(),
    };
    age < YOUNG
}
