//! What can be wrong with a URL to bind.

/// What is wrong with a URL to bind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
#[non_exhaustive]
pub struct AddressError {
    /// What is wrong. Users and passwords are blotted out in it.
    pub problem: AddressProblem,
    /// Why, where the problem does not say it in words that everybody knows.
    pub cause: Option<String>,
    /// Where in the text, as an offset in bytes, if one place is to blame.
    pub position: Option<usize>,
    /// How to put it right.
    pub fix: String,
}

/// The kinds of mistakes, with Kestrel's text where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressProblem {
    /// No scheme, or no host.
    #[error("Invalid url: '{0}'")]
    InvalidUrl(String),
    /// Neither `http` nor `https`.
    #[error(
        "Unrecognized scheme in server address '{0}'. Only 'http://' and 'https://' are supported."
    )]
    Scheme(String),
    /// Something follows the port.
    #[error(
        "A path base can only be configured using IApplicationBuilder.UsePathBase(). The address '{0}' has one."
    )]
    PathBase(String),
    /// The port is no number.
    #[error("Invalid port: '{port}' in the address '{address}', only numbers are allowed.")]
    Port {
        /// The text in the place of the port.
        port: String,
        /// The whole address.
        address: String,
    },
    /// The port is a number that is no port.
    #[error(
        "Specified argument was out of the range of valid values. (Parameter 'port') The port {port} of the address '{address}' does not lie between 0 and 65535."
    )]
    PortRange {
        /// The number.
        port: i64,
        /// The whole address.
        address: String,
    },
    /// A host of digits and dots that is no IP address.
    #[error("'{host}' in the address '{address}' is not an IP address.")]
    MistypedIp {
        /// The host.
        host: String,
        /// The whole address.
        address: String,
    },
    /// A blank in or around the host.
    #[error("Invalid url: '{0}' has a blank where the host stands.")]
    Blank(String),
    /// A user or a password, which no address to listen on has.
    #[error("Invalid url: '{0}' has a user or a password.")]
    UserInfo(String),
    /// Brackets without an IPv6 address in them, or an IPv6 address without brackets.
    #[error("Invalid url: '{0}' has no IPv6 address in brackets.")]
    Brackets(String),
    /// A character that cannot stand in a host.
    #[error("Invalid url: {character:?} cannot stand in the host of '{address}'.")]
    HostCharacter {
        /// The character.
        character: char,
        /// The whole address.
        address: String,
    },
    /// The path of a Unix socket does not end where it should.
    #[error("Invalid url: '{0}' does not name a Unix socket.")]
    UnixSocket(String),
}

impl AddressProblem {
    pub(super) fn at(self, position: Option<usize>, fix: impl Into<String>) -> AddressError {
        AddressError { problem: self, cause: None, position, fix: fix.into() }
    }
}

impl AddressError {
    pub(super) fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}
