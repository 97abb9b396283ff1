//! What a process manager such as the ASP.NET Core Module tells the process that it starts.

use super::forwarded_headers::of_process_manager;
use super::path_base::leads_elsewhere;
use super::switched::Switched;
use crate::configuration::{Configuration, Loaded, Origin, Problem, Sourced};
use crate::middleware::{PairingToken, PathBase, ProcessManagerOptions};

/// What its variables say. They have the prefix `ASPNETCORE_`, and no other source counts.
pub(super) struct Said<'a> {
    pub(super) port: Sourced<&'a str>,
    application_path: Sourced<&'a str>,
    token: Sourced<&'a str>,
}

/// What is said to this process; it has a process manager only if all three say something.
pub(super) fn said(variables: &Configuration) -> Option<Said<'_>> {
    Some(Said {
        port: variables.non_empty("PORT")?,
        application_path: variables.non_empty("APPL_PATH")?,
        token: variables.non_empty("TOKEN")?,
    })
}

/// Reads what requests of a process manager go by; `has_proxies` says whether forwarded headers are on by
/// themselves.
pub(super) fn read(
    loaded: &Loaded,
    has_proxies: bool,
    problems: &mut Vec<Problem>,
) -> Option<Switched<ProcessManagerOptions>> {
    let said = said(&loaded.aspnetcore_variables)?;
    let path_base = match path_base(&said.application_path) {
        Ok(path_base) => path_base,
        Err(problem) => {
            problems.push(*problem);
            None
        }
    };
    let origin = said.token.origin;
    let mut shown =
        vec![Sourced::new("requests with its pairing token alone".to_owned(), origin.clone())];
    shown.extend(path_base.as_ref().map(|base| {
        Sourced::new(format!("below {}", base.text()), said.application_path.origin.clone())
    }));
    let believed = (!has_proxies).then(of_process_manager);
    shown.extend(believed.as_ref().map(|_| {
        let text = "believes x-forwarded-for, x-forwarded-proto of one proxy in a row";
        Sourced::new(text.to_owned(), Origin::Default)
    }));
    let token = PairingToken::new(said.token.value);
    let value = ProcessManagerOptions { token, path_base, believed };
    Some(Switched { key: "ASPNETCORE_TOKEN", origin, value, shown })
}

/// The path base, which is a path without escapes; `None` is the root.
fn path_base(said: &Sourced<&str>) -> Result<Option<PathBase>, Box<Problem>> {
    let (text, origin) = (said.value, &said.origin);
    let problem = |message: String, fix: String| {
        Err(Box::new(Problem::error(message).origin(origin.clone()).fix(fix)))
    };
    if !text.starts_with('/') {
        return problem(
            format!(
                "The path in 'ASPNETCORE_APPL_PATH' must start with '/': '{}' does not.",
                text.escape_debug()
            ),
            format!("write /{}", text.escape_debug()),
        );
    }
    if leads_elsewhere(text.as_bytes()) {
        return problem(
            format!(
                "'{}' cannot be a path base: links that begin with it would lead elsewhere.",
                text.escape_debug()
            ),
            "write the path below which clients see the app, such as /app".to_owned(),
        );
    }
    Ok(PathBase::of_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(
        path: &str,
        has_proxies: bool,
    ) -> (Option<Switched<ProcessManagerOptions>>, Vec<Problem>) {
        let variables = [("PORT", "6010"), ("APPL_PATH", path), ("TOKEN", "hunter2")];
        let variables = variables
            .map(|(name, value)| (format!("ASPNETCORE_{name}"), value.to_owned()))
            .into_iter()
            .collect();
        let mut problems = Vec::new();
        let loaded = load(&Inputs { variables, ..Inputs::default() });
        let read = read(&loaded, has_proxies, &mut problems);
        (read, problems)
    }

    #[test]
    fn what_its_requests_go_by_is_shown_without_the_token() {
        for (path, has_proxies, expected) in [
            ("/", true, &["requests with its pairing token alone"][..]),
            ("/app/", true, &["requests with its pairing token alone", "below /app"]),
            (
                "/a%20b",
                false,
                &[
                    "requests with its pairing token alone",
                    "below /a%20b",
                    "believes x-forwarded-for, x-forwarded-proto of one proxy in a row",
                ],
            ),
        ] {
            let (read, problems) = read_of(path, has_proxies);
            let read = read.expect("it is on");
            let shown: Vec<_> = read.shown.iter().map(|it| it.value.as_str()).collect();
            assert_eq!((&shown[..], problems), (expected, vec![]), "{path}");
            let all = format!("{read:?}");
            assert!(!all.contains("hunter2") && !all.contains("104, 117"), "{all}");
        }
    }

    #[test]
    fn a_path_that_is_none_is_refused() {
        for (path, fix) in [
            ("app", "write /app"),
            ("//a.example", "write the path below which clients see the app, such as /app"),
            ("/\\a.example", "write the path below which clients see the app, such as /app"),
            ("/a\r\nb", "write the path below which clients see the app, such as /app"),
        ] {
            let (read, problems) = read_of(path, false);
            assert!(read.is_some_and(|it| it.value.path_base.is_none()), "{path}");
            let [problem] = &problems[..] else { panic!("{path}: {problems:?}") };
            assert!(problem.is_error());
            assert_eq!(problem.fix.as_deref(), Some(fix), "{path}");
        }
    }
}
