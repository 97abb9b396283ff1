//! Whether an answer may be compressed over TLS.

/// What a stage says of an answer that is compressed over TLS, in the answer's extensions; without it, the
/// setting for all counts. Compression over TLS can tell what else is in the answer (BREACH): files that are the
/// same for everybody have nothing to tell. (What `HttpsCompressionMode` is in ASP.NET Core.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HttpsCompression {
    /// As the setting for all answers says.
    #[default]
    Default,
    /// Never.
    DoNotCompress,
    /// Wherever clear text is.
    Compress,
}

impl HttpsCompression {
    pub(crate) const ALL: [Self; 3] = [Self::Compress, Self::DoNotCompress, Self::Default];

    /// Their names, in this order.
    pub(crate) const NAMES: [&str; 3] =
        [Self::ALL[0].name(), Self::ALL[1].name(), Self::ALL[2].name()];

    /// As it is written in settings.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Compress => "Compress",
            Self::DoNotCompress => "DoNotCompress",
            Self::Default => "Default",
        }
    }
}
