//! The content codings, and how much time they may take.

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Zstd,
}

impl Encoding {
    pub(crate) const NAMES: [(&'static str, Self); 3] =
        [("br", Self::Brotli), ("gzip", Self::Gzip), ("zstd", Self::Zstd)];

    /// Whether a piece of an answer takes it more than some thousandths of a second: too long for a thread that
    /// has other requests.
    pub(super) fn takes_long(self, level: Level) -> bool {
        level == Level::SmallestSize && matches!(self, Self::Brotli | Self::Zstd)
    }

    /// As it is called in headers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// How much time is taken for how much less to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Fastest,
    Optimal,
    SmallestSize,
    NoCompression,
}

impl Level {
    pub(crate) const NAMES: [(&'static str, Self); 4] = [
        ("Fastest", Self::Fastest),
        ("Optimal", Self::Optimal),
        ("SmallestSize", Self::SmallestSize),
        ("NoCompression", Self::NoCompression),
    ];

    /// One of four numbers.
    #[cfg(feature = "compression")]
    pub(super) fn of<T>(self, fastest: T, optimal: T, smallest: T, none: T) -> T {
        match self {
            Self::Fastest => fastest,
            Self::Optimal => optimal,
            Self::SmallestSize => smallest,
            Self::NoCompression => none,
        }
    }
}
