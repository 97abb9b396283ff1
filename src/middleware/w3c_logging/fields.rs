//! Which fields a line has. Pure.

use std::fmt;
use std::ops::BitOr;

use http::HeaderName;
use http::header::{COOKIE, HOST, REFERER, USER_AGENT};

/// Fields of a line, by the names of ASP.NET Core's `W3CLoggingFields`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct W3cFields(u32);

/// The fields that there are: their names in settings and in a file, in the order of a line.
const SINGLE: [(&str, &str); 17] = [
    ("Date", "date"),
    ("Time", "time"),
    ("ClientIpAddress", "c-ip"),
    ("UserName", "cs-username"),
    ("ServerName", "s-computername"),
    ("ServerIpAddress", "s-ip"),
    ("ServerPort", "s-port"),
    ("Method", "cs-method"),
    ("UriStem", "cs-uri-stem"),
    ("UriQuery", "cs-uri-query"),
    ("ProtocolStatus", "sc-status"),
    ("TimeTaken", "time-taken"),
    ("ProtocolVersion", "cs-version"),
    ("Host", "cs-host"),
    ("UserAgent", "cs(User-Agent)"),
    ("Cookie", "cs(Cookie)"),
    ("Referer", "cs(Referer)"),
];

/// Fields that ASP.NET Core has not, and that stand at the end of a line.
const OURS: [(&str, &str); 2] = [("BytesSent", "sc-bytes"), ("Completion", "x-completion")];

impl W3cFields {
    pub(crate) const NONE: Self = Self(0);
    pub(super) const DATE: Self = Self(1);
    pub(super) const TIME: Self = Self(1 << 1);
    pub(super) const CLIENT: Self = Self(1 << 2);
    pub(super) const USER: Self = Self(1 << 3);
    pub(super) const SERVER_NAME: Self = Self(1 << 4);
    pub(super) const SERVER_IP: Self = Self(1 << 5);
    pub(super) const SERVER_PORT: Self = Self(1 << 6);
    pub(super) const METHOD: Self = Self(1 << 7);
    pub(super) const STEM: Self = Self(1 << 8);
    pub(super) const QUERY: Self = Self(1 << 9);
    pub(super) const STATUS: Self = Self(1 << 10);
    pub(super) const TIME_TAKEN: Self = Self(1 << 11);
    pub(super) const VERSION: Self = Self(1 << 12);
    pub(super) const HOST: Self = Self(1 << 13);
    pub(super) const USER_AGENT: Self = Self(1 << 14);
    pub(super) const COOKIE: Self = Self(1 << 15);
    pub(super) const REFERER: Self = Self(1 << 16);
    /// How much of the body of the answer was sent.
    pub(super) const BYTES_SENT: Self = Self(1 << 17);
    /// Whether all of it was.
    pub(super) const COMPLETION: Self = Self(1 << 18);
    const OPTIONAL: Self = Self(Self::USER.0 | Self::COOKIE.0);
    /// All of ASP.NET Core's.
    const ALL: Self = Self((1 << 17) - 1);
    const CONNECTION: Self = Self(Self::CLIENT.0 | Self::SERVER_IP.0 | Self::SERVER_PORT.0);
    const HEADERS: Self = Self(Self::HOST.0 | Self::USER_AGENT.0 | Self::REFERER.0);
    const REQUEST: Self = Self(
        Self::STEM.0
            | Self::QUERY.0
            | Self::VERSION.0
            | Self::METHOD.0
            | Self::COOKIE.0
            | Self::HEADERS.0,
    );

    /// What a line has unless something else is said: neither names of users nor cookies.
    pub(crate) const DEFAULT: Self = Self(Self::ALL.0 & !Self::OPTIONAL.0);

    pub(crate) const NAMES: [(&'static str, Self); 26] = [
        ("None", Self::NONE),
        (SINGLE[0].0, Self::DATE),
        (SINGLE[1].0, Self::TIME),
        (SINGLE[2].0, Self::CLIENT),
        (SINGLE[3].0, Self::USER),
        (SINGLE[4].0, Self::SERVER_NAME),
        (SINGLE[5].0, Self::SERVER_IP),
        (SINGLE[6].0, Self::SERVER_PORT),
        (SINGLE[7].0, Self::METHOD),
        (SINGLE[8].0, Self::STEM),
        (SINGLE[9].0, Self::QUERY),
        (SINGLE[10].0, Self::STATUS),
        (SINGLE[11].0, Self::TIME_TAKEN),
        (SINGLE[12].0, Self::VERSION),
        (SINGLE[13].0, Self::HOST),
        (SINGLE[14].0, Self::USER_AGENT),
        (SINGLE[15].0, Self::COOKIE),
        (SINGLE[16].0, Self::REFERER),
        ("ConnectionInfoFields", Self::CONNECTION),
        ("RequestHeaders", Self::HEADERS),
        ("ResponseHeaders", Self::SERVER_NAME),
        ("Request", Self::REQUEST),
        ("Default", Self::DEFAULT),
        ("All", Self::ALL),
        (OURS[0].0, Self::BYTES_SENT),
        (OURS[1].0, Self::COMPLETION),
    ];

    /// Whether one of these is among them.
    pub(crate) fn has(self, fields: Self) -> bool {
        self.0 & fields.0 != 0
    }

    /// Whether a header of requests is one of them.
    pub(crate) fn has_header(self, name: &HeaderName) -> bool {
        let headers = [
            (HOST, Self::HOST),
            (USER_AGENT, Self::USER_AGENT),
            (COOKIE, Self::COOKIE),
            (REFERER, Self::REFERER),
        ];
        headers.iter().any(|(header, field)| header == name && self.has(*field))
    }

    /// The fields as the head of a file names them.
    pub(super) fn in_file(self) -> impl Iterator<Item = &'static str> {
        self.of(0, &SINGLE).map(|(_, name)| *name)
    }

    /// The same of those at the end of a line.
    pub(super) fn last_in_file(self) -> impl Iterator<Item = &'static str> {
        self.of(SINGLE.len(), &OURS).map(|(_, name)| *name)
    }

    /// Those of `names`, the first of which is this one, that are among them.
    fn of(
        self,
        first: usize,
        names: &'static [(&'static str, &'static str)],
    ) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let there = names.iter().zip(first..).filter(move |(_, place)| self.0 >> place & 1 == 1);
        there.map(|(names, _)| names)
    }
}

/// By the name of all of them, or their own.
impl fmt::Display for W3cFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = Self::NAMES.iter().find(|(_, fields)| fields == self) {
            return f.write_str(name);
        }
        let there = self.of(0, &SINGLE).chain(self.of(SINGLE.len(), &OURS));
        f.write_str(&there.map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
    }
}

impl BitOr for W3cFields {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
