//! The first message of a client, before anybody else looks at it: whether it can be the hello
//! that it has to be, and the alert if it cannot (RFC 8446 sections 4.1.2, 5.1 and 6.2).
//!
//! rustls ends such a connection without a word in some cases, and asks clients of TLS 1.1 and
//! older for what they cannot have before it looks at their version.

/// The types of records, and of the first message.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// The first half of the version of every record.
const MAJOR: u8 = 3;

/// The heads of records, and of messages.
const RECORD_HEAD: usize = 5;
const MESSAGE_HEAD: usize = 4;

/// The longest record before there are keys.
const LONGEST_RECORD: usize = 1 << 14;

/// The longest message that rustls takes.
const LONGEST_MESSAGE: usize = 0xffff;

/// The extension supported_versions.
const SUPPORTED_VERSIONS: u16 = 43;

const TLS12: u16 = 0x0303;

/// Why a first message is refused, and the alert that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Objection {
    pub(super) reason: String,
    pub(super) alert: Vec<u8>,
}

/// A fatal alert before there are keys (RFC 8446 section 6).
pub(super) fn alert(description: u8) -> Vec<u8> {
    alert_of(TLS12, description)
}

/// The same in a record of that version.
fn alert_of(version: u16, description: u8) -> Vec<u8> {
    let [major, minor] = version.clamp(0x0300, TLS12).to_be_bytes();
    vec![21, major, minor, 0, 2, 2, description]
}

fn objection(alert: Vec<u8>, reason: &str) -> Objection {
    Objection { reason: format!("Authentication failed: {reason}"), alert }
}

fn unexpected_message(reason: &str) -> Objection {
    objection(alert(10), reason)
}

fn protocol_version(legacy_version: u16, speaks: &str) -> Objection {
    let reason =
        format!("the client speaks {speaks}, and TLS 1.2 is the oldest version that is spoken.");
    objection(alert_of(legacy_version, 70), &reason)
}

/// Whether a connection begins with a record of the handshake, as far as it has come.
pub(super) fn is_handshake(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|kind| *kind == HANDSHAKE)
        && bytes.get(1).is_none_or(|major| *major == MAJOR)
}

/// What is wrong with bytes that begin with something else, if it is TLS all the same. `None` until
/// that is certain.
pub(super) fn no_handshake(bytes: &[u8]) -> Option<Result<Objection, NoTls>> {
    Some(match *bytes {
        [] | [_] => return None,
        // Of any type, known or not (RFC 8446 section 5).
        [_, MAJOR, ..] => {
            Ok(unexpected_message("another record came in the place of the client's hello."))
        }
        // SSL 2.0 has no records like those since: two bytes of a length, CLIENT-HELLO, a version.
        [first, _] if first & 0x80 != 0 => return None,
        [first, _, CLIENT_HELLO, ..] if first & 0x80 != 0 => {
            Ok(protocol_version(0x0300, "SSL 2.0"))
        }
        _ => Err(NoTls),
    })
}

/// Bytes that are no TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoTls;

/// The first message, as it comes.
#[derive(Debug, Default)]
pub(super) struct FirstMessage {
    /// Where the next record begins.
    at: usize,
    /// What the records before it hold.
    message: Vec<u8>,
    complete: bool,
}

impl FirstMessage {
    /// Looks at all that came since the connection began.
    pub(super) fn judge(&mut self, bytes: &[u8]) -> Result<(), Objection> {
        while !self.complete {
            let record = bytes.get(self.at..).unwrap_or_default();
            let Some(length) = record_length(record)? else {
                return Ok(());
            };
            let payload = record.get(RECORD_HEAD..).unwrap_or_default();
            let whole = payload.get(..length);
            let total = message_length(&self.message, whole.unwrap_or(payload))?;
            let Some(whole) = whole else {
                return Ok(());
            };
            self.at += RECORD_HEAD + length;
            self.message.extend_from_slice(whole);
            if let Some(hello) = total.and_then(|total| self.message.get(..total)) {
                self.complete = true;
                judge_versions(hello)?;
            }
        }
        Ok(())
    }
}

/// How much the record holds, once that has come.
fn record_length(record: &[u8]) -> Result<Option<usize>, Objection> {
    if record.first().is_some_and(|kind| *kind != HANDSHAKE) {
        return Err(unexpected_message("another record came in the middle of the client's hello."));
    }
    let &[_, _, _, high, low, ..] = record else {
        return Ok(None);
    };
    match usize::from(u16::from_be_bytes([high, low])) {
        0 => Err(unexpected_message("a record of the handshake is empty.")),
        length if length > LONGEST_RECORD => {
            Err(objection(alert(22), "a record is longer than 16,384 bytes."))
        }
        length => Ok(Some(length)),
    }
}

/// How long the whole message is, once that has come: in `before` and the bytes behind.
fn message_length(before: &[u8], behind: &[u8]) -> Result<Option<usize>, Objection> {
    let mut head = before.iter().chain(behind).copied();
    if head.next().is_some_and(|kind| kind != CLIENT_HELLO) {
        return Err(unexpected_message("the first message of the client is no hello."));
    }
    let (Some(high), Some(middle), Some(low)) = (head.next(), head.next(), head.next()) else {
        return Ok(None);
    };
    match u32::from_be_bytes([0, high, middle, low]) as usize {
        length if length > LONGEST_MESSAGE => {
            Err(objection(alert(50), "the client's hello is longer than 65,535 bytes."))
        }
        length => Ok(Some(MESSAGE_HEAD + length)),
    }
}

/// Whether the client speaks a version that can be spoken here; what cannot be read is for rustls
/// to tell.
fn judge_versions(hello: &[u8]) -> Result<(), Objection> {
    let Some((legacy_version, newest)) = versions(hello) else {
        return Ok(());
    };
    let speaks = match newest {
        TLS12.. => return Ok(()),
        0x0302 => "nothing newer than TLS 1.1",
        0x0301 => "nothing newer than TLS 1.0",
        _ => "nothing newer than SSL 3.0",
    };
    Err(protocol_version(legacy_version, speaks))
}

/// The version in the old field of a hello, and the newest one that is offered.
fn versions(hello: &[u8]) -> Option<(u16, u16)> {
    let mut rest = hello.get(MESSAGE_HEAD..)?;
    let legacy_version = number(take(&mut rest, 2)?);
    // The random bytes.
    take(&mut rest, 32)?;
    // The session, the suites, the compressions: each behind its length.
    for width in [1, 2, 1] {
        let length = number(take(&mut rest, width)?);
        take(&mut rest, length.into())?;
    }
    if rest.is_empty() {
        // Extensions came with TLS 1.2, or not at all.
        return Some((legacy_version, legacy_version));
    }
    let length = number(take(&mut rest, 2)?);
    let mut extensions = take(&mut rest, length.into())?;
    while !extensions.is_empty() {
        let kind = number(take(&mut extensions, 2)?);
        let length = number(take(&mut extensions, 2)?);
        let mut extension = take(&mut extensions, length.into())?;
        if kind == SUPPORTED_VERSIONS {
            let length = number(take(&mut extension, 1)?);
            let offered = take(&mut extension, length.into())?.chunks_exact(2).map(number);
            // What is made up to keep servers tolerant says nothing (RFC 8701).
            let newest = offered.filter(|version| version & 0x0f0f != 0x0a0a).max()?;
            return Some((legacy_version, newest));
        }
    }
    Some((legacy_version, legacy_version))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// One or two bytes as a number.
fn number(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |number, byte| number << 8 | u16::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A hello in one record, with these extensions if there are any.
    fn hello(version: u16, extensions: Option<&[u8]>) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        // No session, one suite, no compression.
        body.extend(b"\0\0\x02\xc0\x2f\x01\0");
        if let Some(extensions) = extensions {
            body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
            body.extend(extensions);
        }
        record(&[&[CLIENT_HELLO, 0, 0, u8::try_from(body.len()).unwrap()][..], &body].concat())
    }

    fn record(payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        [&[HANDSHAKE, 3, 1][..], &length, payload].concat()
    }

    fn verdict(bytes: &[u8]) -> Option<Vec<u8>> {
        FirstMessage::default().judge(bytes).err().map(|objection| objection.alert)
    }

    #[test]
    fn what_can_be_no_hello_has_its_alert() {
        let alert = |minor, description| Some(vec![21, 3, minor, 0, 2, 2, description]);
        let unexpected_message = alert(3, 10);
        for (bytes, expected) in [
            (&b"\x16\x03\x01\0\0"[..], &unexpected_message),
            (b"\x16\x03\x01\0\x04\x02", &unexpected_message),
            (b"\x16\x03\x01\0\x04\x63\0\0\0", &unexpected_message),
            // The rest of the hello comes in a record of another type.
            (b"\x16\x03\x01\0\x02\x01\0\x17\x03\x01\0\x02\0\0", &unexpected_message),
            (b"\x16\x03\x01\0\x02\x01\0\x16\x03\x01\0\0", &unexpected_message),
            (b"\x16\x03\x01\x40\x01", &alert(3, 22)),
            (b"\x16\x03\x01\xff\xff", &alert(3, 22)),
            (b"\x16\x03\x01\x40\x00", &None),
            (b"\x16\x03\x01\0\x04\x01\x01\0\0", &alert(3, 50)),
            (b"\x16\x03\x01\0\x02\x01\x01\x16\x03\x01\0\x02\0\0", &alert(3, 50)),
            (b"\x16\x03\x01\0\x04\x01\0\xff\xff", &None),
            (b"\x16\x03\x01\0\x04\x01\0\0\0", &None),
            (b"", &None),
            (b"\x16", &None),
        ] {
            assert_eq!(verdict(bytes), *expected, "{bytes:?}");
        }
    }

    #[test]
    fn versions_that_are_not_spoken_have_their_alert() {
        let versions = |list: &[u8]| {
            let length = u8::try_from(list.len()).unwrap();
            // Another extension first.
            [b"\0\x17\0\0\0\x2b\0", &[length + 1, length][..], list].concat()
        };
        for (bytes, minor, speaks) in [
            (hello(0x0300, None), Some(0), "SSL 3.0"),
            (hello(0x0301, None), Some(1), "TLS 1.0"),
            (hello(0x0302, None), Some(2), "TLS 1.1"),
            (hello(0x0302, Some(b"")), Some(2), "TLS 1.1"),
            (hello(0x0302, Some(b"\0\x17\0\0")), Some(2), "TLS 1.1"),
            (hello(0x0303, Some(&versions(b"\x03\x02\x03\x01"))), Some(3), "TLS 1.1"),
            (hello(0x0303, Some(&versions(b"\x4a\x4a\x03\x01"))), Some(3), "TLS 1.0"),
            (hello(0x0303, None), None, ""),
            (hello(0x0303, Some(&versions(b"\x03\x04"))), None, ""),
            (hello(0x0302, Some(&versions(b"\x03\x03"))), None, ""),
            (hello(0x0303, Some(&versions(b"\xfa\xfa"))), None, ""),
            (hello(0x0302, Some(b"\0\x17\0\x09")), None, ""),
        ] {
            let objection = FirstMessage::default().judge(&bytes).err();
            let alert = minor.map(|minor| vec![21, 3, minor, 0, 2, 2, 70]);
            assert_eq!(objection.as_ref().map(|one| &one.alert), alert.as_ref(), "{bytes:?}");
            let reason = objection.map_or(String::new(), |objection| objection.reason);
            assert!(reason.contains(speaks), "{reason}");
        }
    }

    #[test]
    fn what_is_no_handshake_is_told_apart() {
        let unexpected_message = Some(Ok(vec![21, 3, 3, 0, 2, 2, 10]));
        let ssl2 = Some(Ok(vec![21, 3, 0, 0, 2, 2, 70]));
        let no_tls = Some(Err(NoTls));
        for (bytes, expected) in [
            (&b"\x17\x03\x03\0\x05hello"[..], &unexpected_message),
            (b"\x14\x03", &unexpected_message),
            (b"\x63\x03", &unexpected_message),
            (b"\x17", &None),
            (b"\x80\x2e", &None),
            (b"\x80\x2e\x01\x03\x01\0\x15\0\0\0\x10", &ssl2),
            (b"\x80\x2e\x02", &no_tls),
            (b"\0\x01", &no_tls),
            (b"\x16\x09\x09", &no_tls),
        ] {
            let verdict = no_handshake(bytes).map(|verdict| verdict.map(|one| one.alert));
            assert_eq!(verdict, *expected, "{bytes:?}");
            assert!(bytes.len() == 1 || !is_handshake(bytes));
        }
        assert!(is_handshake(b"\x16\x03") && is_handshake(b"\x16"));
    }

    proptest! {
        /// However the hello is cut into records, and however these come.
        #[test]
        fn the_verdict_does_not_depend_on_how_it_comes(
            old in any::<bool>(),
            lengths in proptest::collection::vec(1..20_usize, 0..12),
            steps in proptest::collection::vec(1..60_usize, 0..12),
        ) {
            let whole = hello(if old { 0x0302 } else { 0x0303 }, None);
            let mut rest = &whole[RECORD_HEAD..];
            let mut bytes = Vec::new();
            for length in lengths {
                let (piece, left) = rest.split_at(length.min(rest.len().saturating_sub(1)));
                if !piece.is_empty() {
                    bytes.extend(record(piece));
                }
                rest = left;
            }
            bytes.extend(record(rest));
            let mut first = FirstMessage::default();
            let mut come = 0_usize;
            let mut verdict = Ok(());
            for step in steps.into_iter().chain([usize::MAX]) {
                come = bytes.len().min(come.saturating_add(step));
                verdict = first.judge(&bytes[..come]);
                if verdict.is_err() {
                    break;
                }
            }
            prop_assert_eq!(verdict.is_err(), old);
            prop_assert!(old || first.complete);
        }

        #[test]
        fn nothing_makes_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut first = FirstMessage::default();
            let _ = first.judge(&bytes);
            let _ = no_handshake(&bytes);
            bytes.splice(..0, [HANDSHAKE, 3, 1, 0, 150, CLIENT_HELLO, 0, 0, 146]);
            let _ = FirstMessage::default().judge(&bytes);
        }
    }
}
