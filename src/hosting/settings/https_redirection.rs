//! How requests in clear text are sent to https.

use http::StatusCode;

use super::parse::{cannot_convert, read_boolean, read_with, shown};
use super::switched::Switched;
use crate::configuration::text::integer;
use crate::configuration::{Configuration, Origin, Problem, Setting, Sourced};
use crate::middleware::Redirection;

const ENABLED: &str = "HttpsRedirection:Enabled";
const STATUS: &str = "HttpsRedirection:RedirectStatusCode";
const PORT: &str = "HttpsRedirection:HttpsPort";

/// Where the port may stand that is not in the section, the strongest first: ASP.NET Core's own key, and
/// that of the ASP.NET Core Module.
const PORTS_ELSEWHERE: [&str; 2] = ["https_port", "ANCM_HTTPS_PORT"];

/// The statuses that send a client elsewhere.
pub(super) const STATUSES: [&str; 5] = ["301", "302", "303", "307", "308"];

/// Reads the section, and the port from wherever it may stand.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<Redirection>> {
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let status = read_with(configuration, STATUS, problems, status);
    let port = read_with(configuration, PORT, problems, port_of_section);
    problems.extend(without_section(configuration));
    let elsewhere = match port {
        Some(_) => None,
        // Without the redirection they mean nothing, and are not judged.
        None if on => {
            PORTS_ELSEWHERE.iter().find_map(|key| elsewhere(configuration, key, problems))
        }
        None => None,
    };
    let (port, of_port) = match (port, elsewhere) {
        (Some(port), _) => (Some(port), configuration.setting(PORT).map(|it| it.origin.clone())),
        (None, Some(port)) => (Some(port.value), Some(port.origin)),
        (None, None) => (None, None),
    };
    let redirection =
        Redirection { status: status.unwrap_or(StatusCode::TEMPORARY_REDIRECT), port };
    let shown = vec![
        Sourced::new(
            match port {
                Some(port) => format!("to port {port}"),
                None => "to the port of the endpoint that speaks https".to_owned(),
            },
            of_port.unwrap_or(Origin::Default),
        ),
        Sourced::new(
            format!("with status {}", redirection.status.as_u16()),
            configuration.setting(STATUS).map_or(Origin::Default, |it| it.origin.clone()),
        ),
    ];
    Switched::by(configuration, ENABLED, on, redirection).map(|it| it.shown(shown))
}

fn status(setting: &Setting, text: &str) -> Result<StatusCode, Problem> {
    let status = STATUSES.contains(&text).then(|| text.parse().ok()).flatten();
    status.ok_or_else(|| {
        cannot_convert(
            setting,
            text,
            "System.Net.HttpStatusCode",
            "write 307 or 308, which keep the method, or 301, 302, 303",
        )
    })
}

fn port_of_section(setting: &Setting, text: &str) -> Result<u16, Problem> {
    port(text).ok_or_else(|| {
        let fix =
            "write the port of https, 1 to 65535, or remove it: then it is that of an endpoint";
        cannot_convert(setting, text, "System.Int32", fix)
    })
}

fn port(text: &str) -> Option<u16> {
    u16::try_from(integer(text)?).ok().filter(|port| *port > 0)
}

/// The port at a key beside the section. What is no number counts as nothing, as on ASP.NET Core, and is
/// told; what is a number and no port is a mistake.
fn elsewhere(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<Sourced<u16>> {
    let text = configuration.non_empty(key)?;
    if let Some(port) = port(text.value).filter(|_| is_integer(text.value)) {
        return Some(text.map(|_| port));
    }
    let value = shown(key, text.value);
    let problem = match is_integer(text.value) {
        true => Problem::error(format!("'{value}' is no port, which are 1 to 65535.")),
        false => Problem::warning(format!("'{value}' is no port, and counts as nothing.")),
    };
    let fix = "write the port of https alone, such as 443";
    problems.push(problem.key(key).origin(text.origin).fix(fix));
    None
}

/// Whether a text is a number as the reference takes one here: digits, with a sign at most.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is to be said of a port that nothing is sent to, because nobody has said whether it should be.
fn without_section(configuration: &Configuration) -> Option<Problem> {
    let key = PORTS_ELSEWHERE[0];
    let port = configuration.non_empty(key)?;
    let said = configuration.setting(ENABLED).is_some();
    (!said).then(|| {
        Problem::warning(format!("'{key}' has no effect: {ENABLED} is not set."))
            .key(key)
            .origin(port.origin)
            .fix(format!(
                "set {ENABLED} to true to send requests in clear text to https; to listen on the port, \
                 set https_ports"
            ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(settings: &[&str]) -> (Option<Redirection>, Vec<Problem>) {
        let arguments = settings.iter().map(|setting| format!("--{setting}"));
        let inputs = Inputs { arguments: arguments.enumerate().collect(), ..Inputs::default() };
        let mut problems = Vec::new();
        let read = read(&load(&inputs).configuration, &mut problems);
        (read.map(|it| it.value), problems)
    }

    #[test]
    fn the_port_is_that_of_the_strongest_place_that_has_one() {
        const ON: &str = "HttpsRedirection:Enabled=true";
        for (settings, port, told) in [
            (&[ON][..], None, 0),
            (&[ON, "https_port=1", "ANCM_HTTPS_PORT=2"], Some(1), 0),
            (&[ON, "https_port=1", "HttpsRedirection:HttpsPort=3"], Some(3), 0),
            (&[ON, "ANCM_HTTPS_PORT=2"], Some(2), 0),
            (&[ON, "https_port=", "ANCM_HTTPS_PORT=2"], Some(2), 0),
            (&[ON, "https_port=a", "ANCM_HTTPS_PORT=2"], Some(2), 1),
            (&[ON, "https_port= 443 "], None, 1),
            (&[ON, "https_port=0x1BB"], None, 1),
            (&[ON, "https_port=+443"], Some(443), 0),
        ] {
            let (read, problems) = read_of(settings);
            let seen = (read.expect("it is on").port, problems.len());
            assert_eq!(seen, (port, told), "{settings:?}: {problems:?}");
            assert!(!problems.iter().any(Problem::is_error), "{settings:?}: {problems:?}");
        }
    }

    #[test]
    fn what_is_a_number_and_no_port_refuses_the_start() {
        for setting in [
            "https_port=0",
            "https_port=-1",
            "ANCM_HTTPS_PORT=99999",
            "https_port=99999999999",
            "HttpsRedirection:HttpsPort=0",
            "HttpsRedirection:RedirectStatusCode=200",
        ] {
            let (_, problems) = read_of(&["HttpsRedirection:Enabled=true", setting]);
            assert!(problems.len() == 1 && problems[0].is_error(), "{setting}: {problems:?}");
        }
    }

    #[test]
    fn a_port_without_the_section_is_told() {
        let (read, problems) = read_of(&["https_port=443"]);
        assert_eq!(read, None);
        assert_eq!(
            problems.iter().map(|it| it.message.as_str()).collect::<Vec<_>>(),
            ["'https_port' has no effect: HttpsRedirection:Enabled is not set."]
        );
        assert_eq!(read_of(&["https_port=a", "HttpsRedirection:Enabled=false"]), (None, vec![]));
    }
}
