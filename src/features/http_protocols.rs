//! Which versions of HTTP are spoken.

use std::fmt;

/// Which versions of HTTP an endpoint speaks. Key: `Kestrel:Endpoints:{Name}:Protocols`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpProtocols {
    /// None: every connection is closed at once.
    None,
    /// HTTP/1.1 and 1.0.
    Http1,
    /// HTTP/2; in clear text with prior knowledge.
    Http2,
    /// Both. In clear text HTTP/2 is taken with prior knowledge, told by its preface.
    #[default]
    Http1AndHttp2,
    /// HTTP/3, which needs TLS.
    Http3,
    /// All three; HTTP/3 needs TLS.
    Http1AndHttp2AndHttp3,
}

impl HttpProtocols {
    /// All names, as configuration spells them.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("None", Self::None),
        ("Http1", Self::Http1),
        ("Http2", Self::Http2),
        ("Http1AndHttp2", Self::Http1AndHttp2),
        ("Http3", Self::Http3),
        ("Http1AndHttp2AndHttp3", Self::Http1AndHttp2AndHttp3),
    ];

    /// The names of what is spoken: those to recommend.
    pub(crate) const SPOKEN: [&'static str; 3] = ["Http1", "Http2", "Http1AndHttp2"];

    /// Reads a name without case, the number of the flags, or a comma list of names.
    pub fn parse(text: &str) -> Option<Self> {
        let flags = text
            .split(',')
            .try_fold(0, |flags, name| Some(flags | Self::flags_of(name.trim())?))?;
        Some(match flags {
            0 => Self::None,
            1 => Self::Http1,
            2 => Self::Http2,
            3 => Self::Http1AndHttp2,
            4 => Self::Http3,
            7 => Self::Http1AndHttp2AndHttp3,
            _ => return None,
        })
    }

    fn flags_of(name: &str) -> Option<u8> {
        let named = Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match named {
            Some((_, protocols)) => Some(match protocols {
                Self::None => 0,
                Self::Http1 => 1,
                Self::Http2 => 2,
                Self::Http1AndHttp2 => 3,
                Self::Http3 => 4,
                Self::Http1AndHttp2AndHttp3 => 7,
            }),
            None => name.parse().ok().filter(|number| *number <= 7),
        }
    }
}

impl fmt::Display for HttpProtocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, protocols)| protocols == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_read_as_flags() {
        for (text, read) in [
            ("Http1", Some(HttpProtocols::Http1)),
            ("http1", Some(HttpProtocols::Http1)),
            ("Http1, Http2", Some(HttpProtocols::Http1AndHttp2)),
            ("3", Some(HttpProtocols::Http1AndHttp2)),
            ("Http1AndHttp2AndHttp3", Some(HttpProtocols::Http1AndHttp2AndHttp3)),
            ("None", Some(HttpProtocols::None)),
            ("Http9", None),
            ("5", None),
            ("8", None),
            ("", None),
        ] {
            assert_eq!(HttpProtocols::parse(text), read, "{text}");
        }
    }
}
