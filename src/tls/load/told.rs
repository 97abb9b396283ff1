//! A mistake in words: what, why, and how to fix it.

use crate::configuration::Problem;
use crate::tls::CertificateSource;

/// What is wrong with a certificate, before it is known which setting is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    message: String,
    cause: Option<String>,
    fix: Option<String>,
    only_when_served: bool,
}

/// A problem with a certificate, and whether it is one only where the certificate is served.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mistake {
    pub(super) problem: Problem,
    pub(super) only_when_served: bool,
}

impl Told {
    /// A mistake. The message is Kestrel's own where it has one: people search for it.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None, fix: None, only_when_served: false }
    }

    /// Says why, in a line below the message.
    pub(super) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says how to put it right.
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Says that the reference does not mind until the certificate is served.
    pub(super) fn only_when_served(mut self) -> Self {
        self.only_when_served = true;
        self
    }

    /// The mistake of what `key` names.
    pub(super) fn problem(self, key: &str) -> Problem {
        let mut problem = Problem::error(self.message).key(key);
        problem.cause = self.cause;
        problem.fix = self.fix;
        problem
    }

    /// The same as something that is only to be warned of; the key is for the caller to name.
    pub(super) fn warning(self) -> Problem {
        let mut problem = Problem::warning(self.message);
        problem.cause = self.cause;
        problem.fix = self.fix;
        problem
    }

    /// The mistake, with the setting it comes from, such as `KeyPath`. A certificate that code
    /// gave has no settings, only the call it was given in.
    pub(super) fn of(self, source: &CertificateSource, setting: &str) -> Mistake {
        let key = if source.key.contains(':') {
            format!("{}:{setting}", source.key)
        } else {
            source.key.clone()
        };
        let only_when_served = self.only_when_served;
        Mistake { problem: self.problem(&key), only_when_served }
    }
}

/// How to write a private key anew that is not read as it is.
pub(super) fn rewrite_key(shown: &str, why: &str) -> String {
    format!(
        "write the key anew, {why}: openssl pkey -in '{shown}' -aes256 -out key.pem, and set Password to its password"
    )
}
