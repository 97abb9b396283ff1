//! The target of a request (RFC 9112 section 3.2), and whether the Host header fits it.

use std::ops::Range;

use crate::server::host_header::{is_valid_host, names_a_port};
use crate::server::rejection::{Reason, Rejection};

/// The form of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A path, perhaps with a query.
    Origin {
        /// It holds characters hyper would refuse, or cut it off at.
        unsafe_characters: bool,
    },
    /// `*`
    Asterisk,
    /// A URL.
    Absolute {
        /// Where its host and port stand.
        authority: Range<usize>,
        /// Where its path begins.
        path: usize,
        secure: bool,
    },
    /// Host and port, of a CONNECT.
    Authority,
}

/// The longest target of which `http::Uri` holds every form it may be given in.
pub(super) const LONGEST: usize = 65_534 / 3;

/// The form of `target`, if `method` may have it.
pub(super) fn form(method: &[u8], target: &[u8]) -> Result<Form, Rejection> {
    let invalid = || Reason::InvalidRequestTarget.with(target);
    if target.len() > LONGEST {
        return Err(Reason::RequestLineTooLong.into());
    }
    // A CONNECT names a host and a port, and nothing else (RFC 9112 section 3.2.3).
    if method == b"CONNECT" && target.contains(&b'/') {
        return Err(invalid());
    }
    if let [b'/', ..] = target {
        // One look at all bytes; what is unusual gets a second one.
        let mut unsafe_characters = false;
        if target.iter().fold(false, |odd, byte| odd | ODD[usize::from(*byte)]) {
            check_characters(target)?;
            unsafe_characters = target.iter().any(|byte| is_unsafe(*byte));
        }
        return Ok(Form::Origin { unsafe_characters });
    }
    if target == b"*" {
        return match method {
            b"OPTIONS" => Ok(Form::Asterisk),
            _ => Err(Reason::OptionsMethodRequired.into()),
        };
    }
    for (scheme, secure) in [(&b"http://"[..], false), (&b"https://"[..], true)] {
        if let Some((own, rest)) = target.split_at_checked(scheme.len())
            && own.eq_ignore_ascii_case(scheme)
        {
            check_characters(target)?;
            let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
            let path = scheme.len() + end.unwrap_or(rest.len());
            let at = target[..path].iter().rposition(|byte| *byte == b'@');
            let authority = at.map_or(scheme.len(), |at| at + 1)..path;
            let host = &target[authority.clone()];
            if host.is_empty() || !is_valid_host(host) {
                return Err(invalid());
            }
            return Ok(Form::Absolute { authority, path, secure });
        }
    }
    let allowed = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-' | b'[' | b']' | b'@')
    };
    if !target.iter().all(allowed) {
        return Err(invalid());
    }
    match method {
        b"CONNECT" if names_a_port(target) => Ok(Form::Authority),
        b"CONNECT" => Err(invalid()),
        _ => Err(Reason::ConnectMethodRequired.into()),
    }
}

/// No controls, nothing but ASCII, no encoded NUL in the path.
fn check_characters(target: &[u8]) -> Result<(), Rejection> {
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let nul = path.windows(3).any(|three| three == b"%00");
    match nul || target.iter().any(|byte| !(0x21..0x7F).contains(byte)) {
        true => Err(Reason::InvalidRequestTarget.with(target)),
        false => Ok(()),
    }
}

/// Whether `byte` can stand in any target, and means itself there.
pub(super) fn is_plain(byte: u8) -> bool {
    !ODD[usize::from(byte)]
}

/// What needs a second look: an escape, a control, what hyper cannot read, what is no ASCII.
const ODD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] =
            !(byte > 0x20 && byte < 0x7F) || byte == b'%' as usize || is_unsafe(byte as u8);
        byte += 1;
    }
    table
};

/// What `http::Uri` refuses or, as `#`, cuts the rest off at. Kestrel takes it as it is.
const fn is_unsafe(byte: u8) -> bool {
    matches!(byte, b'"' | b'#' | b'<' | b'>' | b'`')
}

/// Whether the Host header may stand beside `target`. Only a target that names a host can differ.
pub(super) fn host_matches(form: &Form, target: &[u8], host: &[u8]) -> bool {
    match form {
        Form::Origin { .. } | Form::Asterisk => true,
        Form::Authority => target == host,
        Form::Absolute { authority, secure, .. } => {
            let port: &[u8] = if *secure { b":443" } else { b":80" };
            let without =
                |text| <[u8]>::strip_suffix(text, port).unwrap_or(text).to_ascii_lowercase();
            without(&target[authority.clone()]) == without(host)
        }
    }
}

impl Form {
    /// Whether hyper has to be given the target in another form.
    pub(super) fn needs_rewriting(&self) -> bool {
        match self {
            Self::Origin { unsafe_characters } => *unsafe_characters,
            Self::Absolute { .. } => true,
            Self::Asterisk | Self::Authority => false,
        }
    }

    /// Writes the target as hyper is to read it: in origin form, unsafe characters encoded.
    pub(super) fn write_for_hyper(&self, target: &[u8], out: &mut Vec<u8>) {
        let target = match self {
            Self::Absolute { path, .. } => {
                if target.get(*path) != Some(&b'/') {
                    out.push(b'/');
                }
                &target[*path..]
            }
            _ => target,
        };
        for byte in target {
            match byte {
                byte if is_unsafe(*byte) => out.extend(format!("%{byte:02X}").bytes()),
                byte => out.push(*byte),
            }
        }
    }

    /// Host and port of an absolute target.
    pub(super) fn authority<'a>(&self, target: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Absolute { authority, .. } => &target[authority.clone()],
            _ => target,
        }
    }
}

#[cfg(test)]
mod tests;
