//! Which parts of requests and answers are logged. Pure.

use std::fmt;
use std::ops::BitOr;

/// Parts of requests and answers, by the names of ASP.NET Core's `HttpLoggingFields`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HttpLoggingFields(u16);

impl HttpLoggingFields {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const REQUEST_PATH: Self = Self(1);
    pub(crate) const REQUEST_QUERY: Self = Self(1 << 1);
    pub(crate) const REQUEST_PROTOCOL: Self = Self(1 << 2);
    pub(crate) const REQUEST_METHOD: Self = Self(1 << 3);
    pub(crate) const REQUEST_SCHEME: Self = Self(1 << 4);
    pub(crate) const RESPONSE_STATUS_CODE: Self = Self(1 << 5);
    pub(crate) const REQUEST_HEADERS: Self = Self(1 << 6);
    pub(crate) const RESPONSE_HEADERS: Self = Self(1 << 7);
    /// Nothing is logged of trailers, as on ASP.NET Core.
    const TRAILERS: Self = Self(0);
    pub(crate) const REQUEST_BODY: Self = Self(1 << 10);
    pub(crate) const RESPONSE_BODY: Self = Self(1 << 11);
    pub(crate) const DURATION: Self = Self(1 << 12);
    const REQUEST_PROPERTIES: Self = Self(
        Self::REQUEST_PATH.0
            | Self::REQUEST_PROTOCOL.0
            | Self::REQUEST_METHOD.0
            | Self::REQUEST_SCHEME.0,
    );
    const REQUEST_PROPERTIES_AND_HEADERS: Self =
        Self(Self::REQUEST_PROPERTIES.0 | Self::REQUEST_HEADERS.0);
    pub(super) const RESPONSE_PROPERTIES_AND_HEADERS: Self =
        Self(Self::RESPONSE_STATUS_CODE.0 | Self::RESPONSE_HEADERS.0);
    const REQUEST: Self = Self(Self::REQUEST_PROPERTIES_AND_HEADERS.0 | Self::REQUEST_BODY.0);
    const RESPONSE: Self = Self(Self::RESPONSE_PROPERTIES_AND_HEADERS.0 | Self::RESPONSE_BODY.0);
    const ALL: Self = Self(Self::REQUEST.0 | Self::RESPONSE.0 | Self::DURATION.0);

    /// What is logged unless something else is said: neither queries nor bodies, which may tell secrets.
    pub(crate) const DEFAULT: Self =
        Self(Self::REQUEST_PROPERTIES_AND_HEADERS.0 | Self::RESPONSE_PROPERTIES_AND_HEADERS.0);

    pub(crate) const NAMES: [(&'static str, Self); 20] = [
        ("None", Self::NONE),
        ("RequestPath", Self::REQUEST_PATH),
        ("RequestQuery", Self::REQUEST_QUERY),
        ("RequestProtocol", Self::REQUEST_PROTOCOL),
        ("RequestMethod", Self::REQUEST_METHOD),
        ("RequestScheme", Self::REQUEST_SCHEME),
        ("ResponseStatusCode", Self::RESPONSE_STATUS_CODE),
        ("RequestHeaders", Self::REQUEST_HEADERS),
        ("ResponseHeaders", Self::RESPONSE_HEADERS),
        ("RequestTrailers", Self::TRAILERS),
        ("ResponseTrailers", Self::TRAILERS),
        ("RequestBody", Self::REQUEST_BODY),
        ("ResponseBody", Self::RESPONSE_BODY),
        ("Duration", Self::DURATION),
        ("RequestProperties", Self::REQUEST_PROPERTIES),
        ("RequestPropertiesAndHeaders", Self::REQUEST_PROPERTIES_AND_HEADERS),
        ("ResponsePropertiesAndHeaders", Self::RESPONSE_PROPERTIES_AND_HEADERS),
        ("Request", Self::REQUEST),
        ("Response", Self::RESPONSE),
        ("All", Self::ALL),
    ];

    /// Whether one of these is among them.
    pub(crate) fn has(self, fields: Self) -> bool {
        self.0 & fields.0 != 0
    }
}

/// By the names of what is there, or of all of it.
impl fmt::Display for HttpLoggingFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = Self::NAMES.iter().find(|(_, fields)| fields == self) {
            return f.write_str(name);
        }
        let single = Self::NAMES.iter().filter(|(_, it)| it.0.is_power_of_two() && self.has(*it));
        let names: Vec<_> = single.map(|(name, _)| *name).collect();
        f.write_str(&names.join(", "))
    }
}

impl BitOr for HttpLoggingFields {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
