//! What a program that runs behind the host changes of all else.

use std::path::PathBuf;

use super::*;
use crate::middleware::static_files::Behind;

/// All settings of a host alone, in a folder that has a site to serve.
fn whole(settings: &[&str]) -> HostSettings {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("wwwroot")).unwrap();
    let inputs = Inputs {
        arguments: settings.iter().map(|it| format!("--{it}")).enumerate().collect(),
        current_directory: folder.path().to_owned(),
        code: CodeSettings { host_alone: true, ..CodeSettings::default() },
        ..Inputs::default()
    };
    HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {})
}

#[test]
fn with_a_program_files_are_served_only_if_they_are_asked_for() {
    const SH: &str = "AspNetCore:ProcessPath=/bin/sh";
    for (settings, served) in [
        (&[][..], true),
        (&[SH], false),
        (&[SH, "StaticFiles:Enabled=true"], true),
        (&[SH, "AspNetCore:Enabled=false"], true),
    ] {
        let stages = whole(settings).stages;
        let files = stages.static_files.as_ref().map(|it| &it.options);
        assert_eq!(files.is_some(), served, "{settings:?}");
        let runs = stages.child_process.is_some();
        assert_eq!(stages.answers_without_files(), runs, "{settings:?}");
        // What is no file is for the program, which has pages of its own for what is not there.
        let goes_on =
            files.is_none_or(|it| it.behind == Behind::App && it.not_found_page.is_none());
        assert!(!runs || goes_on, "{settings:?}");
    }
}

#[test]
fn a_web_root_that_is_named_beside_a_program_is_told_of() {
    const PROGRAM: &str = "ProcessPath=/bin/sh";
    for (settings, is_told) in [
        (vec![format!("AspNetCore:{PROGRAM}"), "webroot=wwwroot".to_owned()], true),
        (vec![format!("AspNetCore:{PROGRAM}")], false),
        (vec!["webroot=wwwroot".to_owned()], false),
        (
            vec![
                format!("AspNetCore:{PROGRAM}"),
                "webroot=wwwroot".to_owned(),
                "StaticFiles:Enabled=false".to_owned(),
            ],
            false,
        ),
        (
            vec![
                format!("Sites:A:AspNetCore:{PROGRAM}"),
                "Sites:A:webroot=wwwroot".to_owned(),
                "Sites:A:PathBase=/a".to_owned(),
            ],
            true,
        ),
    ] {
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        let told = whole(&settings).problems;
        let told: Vec<_> = told.iter().map(|it| it.message.as_str()).collect();
        let is_it = told.iter().any(|it| it.ends_with("the program answers all requests."));
        assert_eq!((is_it, told.len()), (is_told, usize::from(is_told)), "{settings:?} {told:?}");
    }
}

#[test]
fn what_has_no_route_and_no_site_is_for_the_program() {
    let settings = whole(&[
        "AspNetCore:ProcessPath=/bin/sh",
        "PathBase=/app",
        "ReverseProxy:Routes:a:ClusterId=a",
        "ReverseProxy:Routes:a:Match:Path=/a",
        "ReverseProxy:Clusters:a:Destinations:a:Address=http://a.test",
        "Sites:Shop:Hosts:0=shop.example",
        "Sites:Shop:PathBase=/shop",
        "Sites:Shop:AspNetCore:ProcessPath=/no/such/program",
        "Sites:Shop:AspNetCore:WorkingDirectory=/",
    ]);
    assert_eq!(settings.problems, []);
    let stages = settings.stages;
    assert!(!stages.reverse_proxy.as_ref().expect("there is a route").value.is_last);
    let program = |stages: &StageSettings| {
        let options = &stages.child_process.as_ref().expect("it is named").value;
        (options.path_base.clone(), options.offline_page.clone())
    };
    assert_eq!(program(&stages).0, "/app");
    let site = |stages: &StageSettings| stages.child_process.as_ref()?.value.site.clone();
    assert_eq!(site(&stages), None);
    let sites = stages.sites.as_ref().expect("there is one");
    assert!(!sites.is_last);
    assert_eq!(site(&sites.sites[0].stages).as_deref(), Some("Shop"));
    let offline = PathBuf::from("/app_offline.htm");
    assert_eq!(program(&sites.sites[0].stages), ("/shop".to_owned(), offline));
    let [problem] = &stages.cannot_start().collect::<Vec<_>>()[..] else { panic!("{stages:?}") };
    assert!(problem.message.starts_with("The site 'Shop': There is no program"), "{problem}");
    let key = "Sites:Shop:AspNetCore:ProcessPath";
    assert_eq!(problem.key.as_deref(), Some(key));
}
