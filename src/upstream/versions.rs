//! Which version of HTTP a server is spoken to in.

use http::Version;

use super::failure::{Failure, FailureKind};

/// What may be spoken in the place of the version that is asked for (`HttpRequest:VersionPolicy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum VersionPolicy {
    /// That version or an older one.
    #[default]
    OrLower,
    /// That version or a newer one, which the server offers in the handshake of TLS.
    OrHigher,
    /// No other one.
    Exact,
}

/// What is spoken to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Speaks {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, whether or not it was agreed on before.
    Http2,
    /// Whatever the handshake of TLS agrees on.
    Negotiated,
}

/// What is spoken to a server if a version is asked for. In clear text nothing can be agreed on, so that
/// HTTP/2 takes a policy that has no place for 1.1.
///
/// # Errors
///
/// It cannot be had.
pub(super) fn speaks(
    version: Version,
    policy: VersionPolicy,
    secure: bool,
) -> Result<Speaks, Failure> {
    use VersionPolicy::{Exact, OrHigher, OrLower};

    Ok(match (version, policy, secure) {
        (Version::HTTP_3, Exact | OrHigher, _) => {
            return Err(Failure::new(
                FailureKind::Version,
                "HTTP/3 is not spoken to destinations; set HttpRequest:VersionPolicy to RequestVersionOrLower, or HttpRequest:Version to 2",
            ));
        }
        (Version::HTTP_2 | Version::HTTP_3, OrLower, true) => Speaks::Negotiated,
        (Version::HTTP_2 | Version::HTTP_3, OrLower, false) => Speaks::Http1,
        (Version::HTTP_2, Exact | OrHigher, _) => Speaks::Http2,
        (_, OrHigher, true) => Speaks::Negotiated,
        (_, _, _) => Speaks::Http1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoken_follows_from_version_and_policy() {
        use VersionPolicy::{Exact, OrHigher, OrLower};
        const V1: Version = Version::HTTP_11;
        const V2: Version = Version::HTTP_2;
        const V3: Version = Version::HTTP_3;

        for (version, policy, clear, secure) in [
            (V1, OrLower, Some(Speaks::Http1), Some(Speaks::Http1)),
            (V1, Exact, Some(Speaks::Http1), Some(Speaks::Http1)),
            (V1, OrHigher, Some(Speaks::Http1), Some(Speaks::Negotiated)),
            (V2, OrLower, Some(Speaks::Http1), Some(Speaks::Negotiated)),
            (V2, Exact, Some(Speaks::Http2), Some(Speaks::Http2)),
            (V2, OrHigher, Some(Speaks::Http2), Some(Speaks::Http2)),
            (V3, OrLower, Some(Speaks::Http1), Some(Speaks::Negotiated)),
            (V3, Exact, None, None),
            (V3, OrHigher, None, None),
        ] {
            let of = |secure| speaks(version, policy, secure).ok();
            assert_eq!((of(false), of(true)), (clear, secure), "{version:?} {policy:?}");
        }
    }
}
