//! From configuration to settings.

mod documents;
mod limits;
mod programs;
mod rows;
mod sites;
mod stages;
mod tls;
mod told;

use super::*;
use crate::configuration::{CodeSettings, Inputs, Origin, Severity, load};

fn read(arguments: &[&str], variables: &[(&str, &str)]) -> HostSettings {
    let folder = tempfile::tempdir().unwrap();
    let inputs = Inputs {
        variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        arguments: arguments.iter().map(|a| (*a).to_owned()).enumerate().collect(),
        current_directory: folder.path().to_owned(),
        ..Inputs::default()
    };
    HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {})
}

fn told(settings: &HostSettings, severity: Severity) -> Vec<&str> {
    let of_kind = settings.problems.iter().filter(|problem| problem.severity == severity);
    of_kind.map(|problem| problem.message.as_str()).collect()
}

#[test]
fn all_mistakes_are_told_at_once() {
    let settings = read(
        &[
            "--Kestrel:Endpoints:A:Url=",
            "--Kestrel:Endpoints:B:Url=http://*:1",
            "--Kestrel:Endpoints:B:Certificate:Path=x.pem",
            "--Kestrel:Limits:MaxConcurrentConnections=abc",
            "--Kestrel:Limits:MaxRequestLineSize=0",
            "--Kestrel:Limits:KeepAliveTimeout=5",
            "--Kestrel:AddServerHeader=1",
            "--Logging:LogLevel:Default=Loud",
        ],
        &[],
    );
    assert_eq!(
        told(&settings, Severity::Error),
        [
            "The endpoint A is missing the required 'Url' parameter.",
            "The non-HTTPS endpoint B includes HTTPS-only configuration for Certificate.",
            "Failed to convert configuration value '1' at 'Kestrel:AddServerHeader' to type 'System.Boolean'.",
            "Failed to convert configuration value 'abc' at 'Kestrel:Limits:MaxConcurrentConnections' to type 'System.Int64'.",
            "Value must be a positive number. 'Kestrel:Limits:MaxRequestLineSize' is '0'.",
            "Failed to convert configuration value '5' at 'Kestrel:Limits:KeepAliveTimeout' to type 'System.TimeSpan'.",
            "Configuration value 'Loud' is not supported.",
        ]
    );
    assert!(
        settings.problems.iter().all(|problem| problem.fix.is_some() && problem.origin.is_some())
    );
}

#[test]
fn what_is_odd_is_a_warning() {
    let settings = read(
        &[
            "--Kestrel:Endpoints:A:Url=http://*:1",
            "--Kestrel:Endpoints:A:Protocols=Htp1",
            "--shutdownTimeoutSeconds=soon",
            "--Logging:Console:FormatterName=xml",
            "--url=http://*:1",
        ],
        &[("ENVIRONMENT", "Development")],
    );
    assert_eq!(told(&settings, Severity::Error), [""; 0]);
    assert_eq!(
        told(&settings, Severity::Warning),
        [
            "'Htp1' names no HTTP protocols and is left out.",
            "No console formatter is called 'xml'; simple is used.",
            "'soon' is no number of seconds; 30 is used.",
            "'Development' comes too late: the environment is already 'Production'.",
            "The key 'url' means nothing to the server.",
        ]
    );
}

#[test]
fn a_file_for_the_environment_in_another_spelling_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("appsettings.Development.json"), "{}").unwrap();
    for (environment, told) in [("development", true), ("Development", false), ("Staging", false)] {
        let inputs = Inputs {
            current_directory: folder.path().to_owned(),
            code: CodeSettings {
                environment: Some(environment.to_owned()),
                ..CodeSettings::default()
            },
            ..Inputs::default()
        };
        let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
        assert_eq!(
            settings.problems.len(),
            usize::from(told),
            "{environment}: {:?}",
            settings.problems
        );
    }
}

#[test]
fn a_process_manager_needs_all_three_variables() {
    let all =
        [("ASPNETCORE_PORT", "6010"), ("ASPNETCORE_APPL_PATH", "/"), ("ASPNETCORE_TOKEN", "t")];
    assert!(read(&[], &all).endpoints.process_manager.is_some());
    for missing in 0..3 {
        let mut some = all.to_vec();
        some.remove(missing);
        assert!(read(&[], &some).endpoints.process_manager.is_none());
    }
    let dotnet = [("DOTNET_PORT", "6010"), ("DOTNET_APPL_PATH", "/"), ("DOTNET_TOKEN", "t")];
    assert!(read(&[], &dotnet).endpoints.process_manager.is_none());
}

#[test]
fn nothing_shows_the_token_of_a_process_manager() {
    let all = [
        ("ASPNETCORE_PORT", "1"),
        ("ASPNETCORE_APPL_PATH", "/app"),
        ("ASPNETCORE_TOKEN", "secret-t"),
    ];
    let settings = read(&[], &all);
    assert_eq!(told(&settings, Severity::Warning), [""; 0]);
    let manager = settings.stages.process_manager.as_ref().expect("there is one");
    assert_eq!(manager.origin, Origin::EnvironmentVariable("ASPNETCORE_TOKEN".to_owned()));
    assert!(!format!("{settings:?}").contains("secret-t"));
}

#[test]
fn a_site_has_no_process_manager_of_its_own() {
    let all =
        [("ASPNETCORE_PORT", "1"), ("ASPNETCORE_APPL_PATH", "/"), ("ASPNETCORE_TOKEN", "secret-t")];
    let settings =
        read(&["--Sites:A:Hosts:0=a.example", "--Sites:A:PathBase=/a", "--AllowedHosts=*"], &all);
    let sites = settings.stages.sites.as_ref().expect("there is one");
    assert!(sites.sites.iter().all(|site| site.stages.process_manager.is_none()));
    assert!(settings.stages.process_manager.is_some());
}

#[test]
fn foreign_variables_are_left_alone() {
    let settings = read(&[], &[("URL", "https://site.example"), ("KESTRAL", "x"), ("PORT", "1")]);
    assert_eq!(told(&settings, Severity::Warning), [""; 0]);
    let settings = read(&[], &[("ASPNETCORE_URL", "x"), ("Kestrel__Endpoint__A__Url", "y")]);
    assert_eq!(settings.problems.len(), 2, "{:#?}", settings.problems);
}
