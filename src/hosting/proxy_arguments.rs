//! `--proxy 'TEMPLATE=ADDRESS'`: a route and a cluster in an argument. Pure.

use std::path::{Path, PathBuf};

use crate::configuration::{ConfigurationSource, Leaf, Origin, Problem, address_without_user_info};

const EXAMPLE: &str =
    "write --proxy 'TEMPLATE=ADDRESS', such as --proxy '/api/{**rest}=http://localhost:3000'";

/// What the arguments say, as settings of the section `ReverseProxy`.
#[derive(Debug, Default)]
pub(super) struct ProxyArguments {
    leaves: Vec<Leaf>,
}

impl ProxyArguments {
    /// Reads the values of `--proxy`, each with its place. What is odd, or wrong, is told.
    pub(super) fn read(arguments: &[(usize, String)], problems: &mut Vec<Problem>) -> Self {
        let mut leaves = Vec::new();
        for (number, (position, text)) in arguments.iter().enumerate() {
            let origin =
                Origin::CommandLine { position: *position, argument: "--proxy".to_owned() };
            let tell = |problem: Problem| problem.key("--proxy").origin(origin.clone());
            match parts(text) {
                Ok(Parts { template, address, odd }) => {
                    problems.extend(odd.into_iter().map(tell));
                    let name = format!("--proxy {}", number + 1);
                    for (key, value) in [
                        (format!("Routes:{name}:ClusterId"), name.as_str()),
                        (format!("Routes:{name}:Match:Path"), template),
                        (format!("Clusters:{name}:Destinations:{name}:Address"), &address),
                    ] {
                        let key = format!("ReverseProxy:{key}");
                        leaves.push(Leaf::new(key, value, origin.clone()));
                    }
                }
                Err(problem) => problems.push(tell(problem)),
            }
        }
        Self { leaves }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }
}

impl ConfigurationSource for ProxyArguments {
    fn name(&self) -> String {
        "--proxy".to_owned()
    }

    fn read(&self, _: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        Ok(self.leaves.clone())
    }

    fn files(&self, _: &Path) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// What an argument says.
#[derive(Debug)]
struct Parts<'a> {
    template: &'a str,
    /// With its scheme.
    address: String,
    odd: Vec<Problem>,
}

fn parts(text: &str) -> Result<Parts<'_>, Problem> {
    let shown = address_without_user_info(text);
    let Some((template, address)) = split(text) else {
        let count = |brace| text.matches(brace).count();
        if text.starts_with('/') && text.contains("://") {
            let what = match count('{') > count('}') {
                true => format!("There is a '{{' without its '}}' in '{shown}'."),
                false => format!("There is no '=' between the paths and the address in '{shown}'."),
            };
            return Err(Problem::error(what).fix(EXAMPLE));
        }
        let what = match text.contains("://") || text.parse::<u16>().is_ok() {
            true => format!("'{shown}' does not say which requests go there."),
            false => format!("'{shown}' does not say where its requests go."),
        };
        let fix = match text.contains("://") {
            true => format!("write --proxy '/{{**rest}}={shown}' for all of them"),
            false => EXAMPLE.to_owned(),
        };
        return Err(Problem::error(what).fix(fix));
    };
    let (template, address) = (template.trim(), address.trim());
    if template.is_empty() {
        let problem = Problem::error(format!("'{shown}' does not say which requests go there."));
        return Err(problem.fix(format!("write --proxy '/{{**rest}}{shown}' for all of them")));
    }
    let mut odd = Vec::new();
    if let (false, Some((before, _))) = (template.contains('{'), template.split_once('*')) {
        odd.push(
            Problem::warning(format!("'{template}' is a path with a '*' in it, and no other one."))
                .fix(format!(
                    "write '{}/{{**rest}}={}' for what is below it",
                    before.trim_end_matches('/'),
                    address_without_user_info(address)
                )),
        );
    } else if !template.contains('{') {
        let slash = if template.ends_with('/') { "" } else { "/" };
        odd.push(
            Problem::information(format!(
                "'{template}' is this path alone: nothing below it goes there."
            ))
            .fix(format!(
                "write '{template}{slash}{{**rest}}={}'",
                address_without_user_info(address)
            )),
        );
    }
    Ok(Parts { template, address: with_scheme(address, &mut odd)?, odd })
}

/// An address with `http://` before it, if it has no scheme, which is told.
fn with_scheme(address: &str, odd: &mut Vec<Problem>) -> Result<String, Problem> {
    if address.contains("://") {
        return Ok(address.to_owned());
    }
    let shown = address_without_user_info(address);
    let host = address.split('/').next().unwrap_or_default();
    if address.is_empty() || address.starts_with('/') && !address.starts_with("//") {
        let problem = match address.is_empty() {
            true => Problem::error("Nothing says where these requests go.").fix(EXAMPLE),
            false => Problem::error(format!("'{shown}' is no address of a server.")).fix(format!(
                "write http://unix:{shown} for a Unix socket, or http://localhost:3000"
            )),
        };
        return Err(problem);
    }
    if host.parse::<u16>().is_ok() {
        let problem = Problem::error(format!("'{shown}' is a port alone."));
        return Err(problem.fix(format!("write http://localhost:{host}")));
    }
    let is_unix = host.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("unix:"));
    let port = host.rsplit_once(':').map(|(_, port)| port);
    if !is_unix && port.is_none_or(|port| port.is_empty() || port.contains(']')) {
        let bare = host.trim_end_matches(':');
        let problem = Problem::error(format!("'{shown}' has no port."));
        return Err(problem.fix(format!("write http://{bare}:5000, or http://{bare} for port 80")));
    }
    odd.push(
        Problem::information(format!("'{shown}' has no scheme: it is taken for http://{shown}."))
            .fix(format!("write http://{shown}")),
    );
    Ok(format!("http://{address}"))
}

/// Splits at the first `=` that stands in no braces: a parameter may have a default.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '=' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::configuration::Severity;

    fn read(texts: &[&str]) -> (Vec<(String, String)>, Vec<Problem>) {
        let arguments: Vec<_> =
            texts.iter().enumerate().map(|(place, text)| (place + 2, (*text).to_owned())).collect();
        let mut problems = Vec::new();
        let read = ProxyArguments::read(&arguments, &mut problems);
        let leaves = read.leaves.into_iter().map(|it| (it.key, it.value.unwrap_or_default()));
        (leaves.collect(), problems)
    }

    #[test]
    fn an_argument_is_a_route_and_a_cluster() {
        let (leaves, problems) = read(&[
            "/api/{id=5}/{**rest}=http://localhost:5000/a=b",
            "/{**r}=http://unix:/run/a.sock",
        ]);
        assert_eq!(problems, []);
        let path = ("ReverseProxy:Routes:--proxy 1:Match:Path", "/api/{id=5}/{**rest}");
        let address = (
            "ReverseProxy:Clusters:--proxy 1:Destinations:--proxy 1:Address",
            "http://localhost:5000/a=b",
        );
        for (key, value) in [path, address] {
            assert!(leaves.contains(&(key.to_owned(), value.to_owned())), "{leaves:?}");
        }
        assert_eq!(leaves.len(), 6);
    }

    #[test]
    fn what_is_half_right_is_told_with_what_to_write() {
        let error = Severity::Error;
        for (text, severity, message, fix) in [
            ("/api", error, "'/api' does not say where its requests go.", EXAMPLE),
            (
                "http://localhost:5000",
                error,
                "'http://localhost:5000' does not say which requests go there.",
                "write --proxy '/{**rest}=http://localhost:5000' for all of them",
            ),
            ("5000", error, "'5000' does not say which requests go there.", EXAMPLE),
            (
                "=http://a:1",
                error,
                "'=http://a:1' does not say which requests go there.",
                "write --proxy '/{**rest}=http://a:1' for all of them",
            ),
            ("/{**r}=", error, "Nothing says where these requests go.", EXAMPLE),
            ("/{**r}=5000", error, "'5000' is a port alone.", "write http://localhost:5000"),
            (
                "/{**r}=localhost",
                error,
                "'localhost' has no port.",
                "write http://localhost:5000, or http://localhost for port 80",
            ),
            (
                "/{**r}=[::1]",
                error,
                "'[::1]' has no port.",
                "write http://[::1]:5000, or http://[::1] for port 80",
            ),
            (
                "/{**r}=/run/a.sock",
                error,
                "'/run/a.sock' is no address of a server.",
                "write http://unix:/run/a.sock for a Unix socket, or http://localhost:3000",
            ),
            (
                "/{**r}=localhost:5000",
                Severity::Information,
                "'localhost:5000' has no scheme: it is taken for http://localhost:5000.",
                "write http://localhost:5000",
            ),
            (
                "/{**r}=unix:/run/a.sock",
                Severity::Information,
                "'unix:/run/a.sock' has no scheme: it is taken for http://unix:/run/a.sock.",
                "write http://unix:/run/a.sock",
            ),
            (
                "/api=http://a:1",
                Severity::Information,
                "'/api' is this path alone: nothing below it goes there.",
                "write '/api/{**rest}=http://a:1'",
            ),
            (
                "/api/**=http://a:1",
                Severity::Warning,
                "'/api/**' is a path with a '*' in it, and no other one.",
                "write '/api/{**rest}=http://a:1' for what is below it",
            ),
            (
                "/{**rest=http://a:1",
                error,
                "There is a '{' without its '}' in '/{**rest=http://a:1'.",
                EXAMPLE,
            ),
            (
                "/{**rest}:http://a:1",
                error,
                "There is no '=' between the paths and the address in '/{**rest}:http://a:1'.",
                EXAMPLE,
            ),
        ] {
            let (leaves, problems) = read(&[text]);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert_eq!(
                (problems[0].severity, &*problems[0].message),
                (severity, message),
                "{text}"
            );
            assert_eq!(problems[0].fix.as_deref(), Some(fix), "{text}");
            assert_eq!(leaves.is_empty(), severity == error, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_argument_is_a_surprise(text in "[{}=/:a-c0-9.*\\[\\]\u{e9}]{0,16}") {
            let (leaves, problems) = read(&[&text]);
            let is_wrong = problems.iter().any(Problem::is_error);
            prop_assert_eq!(leaves.is_empty(), is_wrong);
        }
    }
}
