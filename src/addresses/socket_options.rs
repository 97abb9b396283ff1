//! What the file of a Unix socket is to be like: whose it is, and who may use it.

use std::fmt;

/// The rights of a Unix socket's file. Whoever may write to it may connect.
///
/// They are set before the socket is reachable. What they do not say is as the system makes it: the
/// file belongs to the user of the process, and its mode is 777 less the process's umask, which is
/// mostly 755. A proxy that runs as another user, such as `www-data`, cannot connect then.
/// Keys: `Kestrel:Endpoints:{Name}:UnixSocket:*`.
///
/// ```
/// use kestrel::addresses::UnixSocketOptions;
///
/// let mut options = UnixSocketOptions::default();
/// options.mode = Some(0o660);
/// options.group = Some("www-data".to_owned());
/// let builder = kestrel::Host::builder().listen_unix_socket_with("/run/app.sock", options);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnixSocketOptions {
    /// The mode, such as `0o660`. Default: what the umask leaves. Key: `Mode`, in octal digits.
    pub mode: Option<u32>,
    /// The user, by name or number. Only root may name another than the process's own. Default: the
    /// user of the process. Key: `Owner`.
    pub owner: Option<String>,
    /// The group, by name or number. Whoever is not root may only name one of its own. Default: the
    /// group of the process, or of the folder if that has the setgid bit. Key: `Group`.
    pub group: Option<String>,
}

/// The largest mode there is: rights alone, without setuid, setgid and sticky, which mean nothing to
/// a socket.
const MOST: u32 = 0o777;

/// How a mode is written.
const MODE_FORM: &str = "write three octal digits, for owner, group and others, such as 660; to connect takes the right to write";

impl UnixSocketOptions {
    /// Whether they say nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads a mode: octal digits, with a leading `0` or `0o` or without.
    ///
    /// # Errors
    ///
    /// Says how to write it.
    pub(crate) fn parse_mode(text: &str) -> Result<u32, &'static str> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let is_octal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let mode = is_octal.then(|| u32::from_str_radix(digits, 8).ok()).flatten();
        mode.filter(|mode| Self::is_mode(*mode)).ok_or(MODE_FORM)
    }

    /// Whether there is such a mode.
    pub(crate) fn is_mode(mode: u32) -> bool {
        mode <= MOST
    }

    /// Whether nobody but root may connect.
    pub(crate) fn shuts_everybody_out(mode: u32) -> bool {
        mode & 0o222 == 0
    }

    /// Reads `mode=660,owner=app,group=www-data`, in any order: what can be read of it, and all that
    /// is wrong with it.
    pub(super) fn read_list(text: &str) -> (Self, Vec<String>) {
        let mut options = Self::default();
        let mut mistakes = Vec::new();
        for item in text.split(',') {
            let Some((name, value)) = item.split_once('=').filter(|(_, value)| !value.is_empty())
            else {
                mistakes.push(format!("'{item}' says nothing; {LIST_FORM}"));
                continue;
            };
            let known = match name {
                "mode" => match Self::parse_mode(value) {
                    Ok(mode) => options.mode.replace(mode).is_some(),
                    Err(fix) => {
                        mistakes.push(format!("'{value}' is not a mode: {fix}"));
                        false
                    }
                },
                "owner" => options.owner.replace(value.to_owned()).is_some(),
                "group" => options.group.replace(value.to_owned()).is_some(),
                _ => {
                    mistakes.push(format!("'{name}' is not known; {LIST_FORM}"));
                    false
                }
            };
            if known {
                mistakes.push(format!("{name} is given twice: keep one"));
            }
        }
        (options, mistakes)
    }
}

/// How the list behind a path is written.
const LIST_FORM: &str = "write unix:/path,mode=660,owner=USER,group=GROUP, each as needed (a path \
                         with a comma can be given as a URL)";

impl fmt::Display for UnixSocketOptions {
    /// `mode 660, owner app, group www-data`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.mode.map(|mode| format!("mode {mode:03o}")),
            self.owner.as_ref().map(|owner| format!("owner {owner}")),
            self.group.as_ref().map(|group| format!("group {group}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_octal() {
        for (text, mode) in [
            ("660", Some(0o660)),
            ("0660", Some(0o660)),
            ("0o660", Some(0o660)),
            ("0", Some(0)),
            ("777", Some(0o777)),
            ("", None),
            ("0o", None),
            ("1777", None),
            ("4755", None),
            ("668", None),
            ("0x1b0", None),
            ("+660", None),
            ("-1", None),
            ("66 ", None),
            ("rw-rw----", None),
            ("u=rw", None),
            ("99999999999999999999", None),
            ("77777777777777777777777", None),
        ] {
            assert_eq!(UnixSocketOptions::parse_mode(text).ok(), mode, "'{text}'");
        }
    }

    #[test]
    fn a_list_is_read_in_any_order() {
        for (text, shown) in [
            ("mode=660,group=www-data", "mode 660, group www-data"),
            ("group=33,owner=app,mode=0600", "mode 600, owner app, group 33"),
            ("mode=7", "mode 007"),
        ] {
            let (read, mistakes) = UnixSocketOptions::read_list(text);
            assert_eq!((&*read.to_string(), mistakes), (shown, Vec::new()), "{text}");
        }
        for (text, told) in [
            ("", "says nothing"),
            ("mode", "'mode' says nothing"),
            ("mode=", "'mode=' says nothing"),
            ("mode=660,", "says nothing"),
            ("mode=888", "'888' is not a mode: write three octal digits"),
            ("mod=660", "'mod' is not known"),
            ("MODE=660", "'MODE' is not known"),
            ("mode=660,mode=600", "mode is given twice"),
        ] {
            let (_, mistakes) = UnixSocketOptions::read_list(text);
            assert!(mistakes.len() == 1 && mistakes[0].contains(told), "{text}: {mistakes:?}");
        }
        // One mistake hides neither the next one nor what is right.
        let (read, mistakes) = UnixSocketOptions::read_list("mode=9,group=g,mod=1,owner=o");
        assert_eq!((&*read.to_string(), mistakes.len()), ("owner o, group g", 2), "{mistakes:?}");
    }
}
