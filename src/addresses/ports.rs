//! The `;` lists of `http_ports` and `https_ports`.

use super::address_error::{AddressError, AddressProblem};
use super::endpoint::GivenAddress;
use crate::configuration::{Excerpt, Problem, Sourced, address_without_user_info};

/// The address that stands for every port of `scheme`.
fn prefix(scheme: &str) -> String {
    format!("{scheme}://*:")
}

/// The addresses of a list of ports: all interfaces, one after the other.
pub(super) fn addresses(
    key: &'static str,
    scheme: &str,
    ports: &Sourced<String>,
) -> Vec<GivenAddress> {
    let list = address_without_user_info(&ports.value);
    let items = list.split(';').map(str::trim).filter(|port| !port.is_empty());
    let address = |port: &str| {
        let text = format!("{}{port}", prefix(scheme));
        GivenAddress { key, text: Sourced::new(text, ports.origin.clone()) }
    };
    items.map(address).collect()
}

/// What is wrong with an item of such a list, of which `address` was made: in words about the item,
/// because nobody wrote the address.
pub(super) fn problem(address: &GivenAddress, error: AddressError) -> Problem {
    let scheme = address.text.value.split_once("://").map_or("", |(scheme, _)| scheme);
    let item = address.text.value.strip_prefix(&prefix(scheme)).unwrap_or_default();
    let (message, cause, fix) = match error.problem {
        AddressProblem::PortRange { .. } => (error.problem.to_string(), error.cause, error.fix),
        _ => {
            let (port, whole) = (item.to_owned(), address.text.value.clone());
            let problem = AddressProblem::Port { port, address: whole };
            (problem.to_string(), None, fix(item, address.key, scheme))
        }
    };
    let wrong = item.char_indices().find(|(_, character)| !character.is_ascii_digit());
    let column = wrong.map_or(1, |(place, _)| item[..place].chars().count() + 1);
    let mut problem = Problem::error(message).fix(fix);
    problem.cause = cause;
    problem.excerpt(Excerpt { line: None, column, text: item.to_owned() })
}

fn fix(item: &str, key: &str, scheme: &str) -> String {
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let items: Vec<&str> =
        item.split([',', ' ', '|', '\t']).filter(|port| !port.is_empty()).collect();
    let bare = item.trim_matches(['"', '\'']);
    if items.len() > 1 && items.iter().all(|port| is_port(port)) {
        return format!("separate ports by ';': {}", items.join(";"));
    }
    if bare != item && bare.split(';').all(is_port) {
        return format!("the quotes are part of the value; remove them: {bare}");
    }
    // A list of quoted ports is split before its quotes are seen.
    if bare != item && is_port(bare) {
        return "the quotes are part of the value; remove them".to_owned();
    }
    if item.contains(['$', '{', '<', '%']) {
        return format!("nothing fills in '{item}' here: write the number, such as 8080");
    }
    let port = item.trim_end_matches('/').rsplit_once(':');
    match port.filter(|(_, port)| is_port(port)) {
        Some(("" | "*" | "http://*" | "https://*" | "http://+" | "https://+", port)) => {
            format!("write the port alone: {port}")
        }
        Some((host, port)) => {
            let (scheme, host) = host.split_once("://").unwrap_or((scheme, host));
            format!(
                "write the port alone, for all interfaces: {port}; a whole address belongs to the key urls: {scheme}://{host}:{port}"
            )
        }
        None => {
            format!("write numbers from 0 to 65535 in {key}, separated by ';', such as 8080;8081")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::binding_address::BindingAddress;
    use super::*;
    use crate::configuration::Origin;

    #[test]
    fn what_is_no_port_is_told_as_what_it_is() {
        for (item, message, fix) in [
            ("http://*:8081", "Invalid port: 'http://*:8081'", "write the port alone: 8081"),
            (
                "http://localhost:8081/",
                "Invalid port: 'http://localhost:8081/'",
                "write the port alone, for all interfaces: 8081; a whole address belongs to the key urls: http://localhost:8081",
            ),
            ("*:8081", "Invalid port: '*:8081'", "write the port alone: 8081"),
            (":8081", "Invalid port: ':8081'", "write the port alone: 8081"),
            (
                "127.0.0.1:8081",
                "Invalid port: '127.0.0.1:8081'",
                "write the port alone, for all interfaces: 8081; a whole address belongs to the key urls: https://127.0.0.1:8081",
            ),
            ("8081,8082", "Invalid port: '8081,8082'", "separate ports by ';': 8081;8082"),
            ("8081, 8082", "Invalid port: '8081, 8082'", "separate ports by ';': 8081;8082"),
            ("8081 8082", "Invalid port: '8081 8082'", "separate ports by ';': 8081;8082"),
            (
                "\"8081\"",
                "Invalid port: '\"8081\"'",
                "the quotes are part of the value; remove them: 8081",
            ),
            (
                "$PORT",
                "Invalid port: '$PORT'",
                "nothing fills in '$PORT' here: write the number, such as 8080",
            ),
            (
                "abc",
                "Invalid port: 'abc'",
                "write numbers from 0 to 65535 in https_ports, separated by ';', such as 8080;8081",
            ),
            (
                "70000",
                "Specified argument was out of the range of valid values. (Parameter 'port')",
                "write a port from 0 to 65535",
            ),
        ] {
            let ports = Sourced::new(item.to_owned(), Origin::Default);
            let given = addresses("https_ports", "https", &ports).remove(0);
            let error = BindingAddress::parse(&given.text.value).unwrap_err();
            let told = problem(&given, error);
            assert!(told.message.starts_with(message), "{told}");
            assert_eq!(told.fix.as_deref(), Some(fix), "{told}");
        }
    }

    #[test]
    fn a_password_among_the_ports_is_not_told() {
        for list in ["http://user:hunter2@a:1", "http://u:p;hunter2@a:1", "user:hunter2@8080"] {
            let ports = Sourced::new(list.to_owned(), Origin::Default);
            for given in addresses("http_ports", "http", &ports) {
                let error = BindingAddress::parse(&given.text.value).unwrap_err();
                assert!(!format!("{given:?} {}", problem(&given, error)).contains("hunter2"));
            }
        }
    }
}
