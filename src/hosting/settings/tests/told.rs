//! What is said to the server and reaches nobody, each with the line to write.

use super::*;

/// What a host of an app, or one alone, is told: first lines with their fixes.
fn told(arguments: &[&str], variables: &[(&str, &str)], host_alone: bool) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    of(&Inputs {
        variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        arguments: arguments.iter().map(|a| (*a).to_owned()).enumerate().collect(),
        current_directory: folder.path().to_owned(),
        code: CodeSettings { host_alone, ..CodeSettings::default() },
        ..Inputs::default()
    })
}

/// The same of a file.
fn told_of_file(json: &str, host_alone: bool) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
    of(&Inputs {
        current_directory: folder.path().to_owned(),
        code: CodeSettings { host_alone, ..CodeSettings::default() },
        ..Inputs::default()
    })
}

fn of(inputs: &Inputs) -> Vec<(String, String)> {
    let settings = HostSettings::read(&load(inputs), CodeEndpoints::default(), |_| {});
    let pair = |problem: Problem| (problem.message, problem.fix.unwrap_or_default());
    settings.problems.into_iter().map(pair).collect()
}

fn fixes(told: Vec<(String, String)>) -> Vec<String> {
    told.into_iter().map(|(_, fix)| fix).collect()
}

#[test]
fn what_other_servers_call_it_is_told_with_the_line_to_write() {
    const PORT: &str = "write --urls http://localhost:8080 for this machine alone, or --http_ports 8080 for all interfaces";
    for (arguments, expected) in [
        (&["--port", "8080"][..], &[PORT][..]),
        (&["--port=8080"], &[PORT]),
        (&["/p", "8080"], &[PORT]),
        (&["-p", "8080"], &[PORT]),
        (&["-p=8080"], &[PORT]),
        (&["8080"], &[PORT]),
        (&["--host", "0.0.0.0"], &["write --urls http://0.0.0.0:5000"]),
        (&["--bind", "127.0.0.1:8000"], &["write --urls http://127.0.0.1:8000"]),
        (&["--host", "::1"], &["write --urls http://[::1]:5000"]),
        (&["--bind", "[::]:81"], &["write --urls http://[::]:81"]),
        (
            &["--host", "*", "--port", "81"],
            &["write --urls http://*:81", "write --urls http://*:81"],
        ),
        (&["--server.urls", "http://*:1"], &["write --urls http://*:1"]),
        (&["--server.urls=http://*:1"], &["write --urls http://*:1"]),
        (&["-u", "http://*:1"], &["write --urls http://*:1"]),
        (&["-urls", "http://*:1"], &["write --urls http://*:1"]),
        (&["http://*:1"], &["write --urls http://*:1"]),
        (&["localhost:81"], &["write --urls http://localhost:81"]),
        (&["-e", "Staging"], &["write --environment Staging"]),
        (&["--env", "Developmnt"], &["write --environment Developmnt"]),
        (&["--log-level", "Debug"], &["write --Logging:LogLevel:Default=Debug"]),
        (&["./site"], &["to read the settings files of a folder, write --contentRoot ./site"]),
        (&["-x=1"], &["settings take two dashes: --x=1"]),
    ] {
        for host_alone in [true, false] {
            assert_eq!(fixes(told(arguments, &[], host_alone)), expected, "{arguments:?}");
        }
    }
    // A program of its own runs no other.
    const USUAL: &str = "settings are written --key value, --key=value or key=value";
    let command = "; a command to run stands behind two dashes: kestrel run -- python3 ...";
    assert_eq!(fixes(told(&["python3"], &[], false)), [USUAL]);
    assert_eq!(fixes(told(&["python3"], &[], true)), [format!("{USUAL}{command}")]);
}

#[test]
fn the_keys_of_an_app_are_left_alone() {
    for arguments in [
        &["--host", "db.example"][..],
        &["--port", "COM1"],
        &["--address", "12 Main Street"],
        &["--env", "blue"],
        &["--Greeting", "hello"],
        &["--log-level", "loud"],
    ] {
        assert_eq!(told(arguments, &[], false), [], "{arguments:?}");
        assert_eq!(told(arguments, &[], true).len(), 1, "{arguments:?}");
    }
    for json in [r#"{"Port":8080,"Host":"0.0.0.0"}"#, r#"{"MyApp":{"Port":1}}"#] {
        assert_eq!(told_of_file(json, false), [], "{json}");
    }
}

#[test]
fn variables_that_are_nearly_ours_are_told_with_the_line_to_write() {
    let urls = "http://*:1";
    for (name, value, expected) in [
        ("ASPNETCORE__URLS", urls, Some("write ASPNETCORE_URLS=http://*:1")),
        ("DOTNET__ENVIRONMENT", "x", Some("write DOTNET_ENVIRONMENT=x")),
        (
            "ASPNETCORE__Kestrel__AddServerHeader",
            "true",
            Some("write ASPNETCORE_Kestrel__AddServerHeader=true"),
        ),
        ("ASPNETCORE_SERVER_URLS", urls, Some("write ASPNETCORE_URLS=http://*:1")),
        ("ASPNETCORE__SERVER_URLS", urls, Some("write ASPNETCORE_URLS=http://*:1")),
        ("ASPNET_URLS", urls, Some("write ASPNETCORE_URLS=http://*:1")),
        ("ASPNET_CORE_URLS", urls, Some("write ASPNETCORE_URLS=http://*:1")),
        ("ASPNETCOR_URLS", urls, Some("write ASPNETCORE_URLS=http://*:1")),
        ("KESTREL_URLS", urls, Some("write ASPNETCORE_URLS=http://*:1")),
        ("ASPNETCORE_URL", urls, Some("did you mean urls?")),
        (
            "KESTREL_ENDPOINTS_HTTP_URL",
            urls,
            Some("write KESTREL__ENDPOINTS__HTTP__URL=http://*:1"),
        ),
        ("Logging_LogLevel_Default", "Debug", Some("write Logging__LogLevel__Default=Debug")),
        (
            "ASPNETCORE_Logging_LogLevel_Default",
            "Debug",
            Some("write ASPNETCORE_Logging__LogLevel__Default=Debug"),
        ),
        ("ASPNETCORE_HOST", "0.0.0.0", Some("write ASPNETCORE_URLS=http://0.0.0.0:5000")),
        ("ASPNETCORE_PORT", "8080", Some("write ASPNETCORE_HTTP_PORTS=8080")),
        (
            "KESTREL_CERTIFICATES_DEFAULT_PASSWORD",
            "hunter2",
            Some("write KESTREL__CERTIFICATES__DEFAULT__PASSWORD=(hidden)"),
        ),
        // What others set.
        ("KESTREL_PORT", "tcp://10.0.0.1:80", None),
        ("KESTREL_SERVICE_HOST", "10.0.0.1", None),
        ("ASPNET_VERSION", "10.0.0", None),
        ("DOTNET_VERSION", "10.0.0", None),
        ("DOTNET_RUNNING_IN_CONTAINER", "true", None),
        ("NODE_ENVIRONMENT", "x", None),
        ("HOST", "0.0.0.0", None),
        ("SERVER_URLS", urls, None),
        ("LOGGING_DIR", "/var/log", None),
        ("MY__URLS", urls, None),
        ("TOKEN__A", "x", None),
    ] {
        let expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(fixes(told(&[], &[(name, value)], false)), expected, "{name}");
    }
}

#[test]
fn a_port_is_told_where_nothing_else_says_where_to_listen() {
    let port = ("PORT", "8080");
    let settings = read(&[], &[port]);
    assert_eq!(super::told(&settings, Severity::Warning), [""; 0]);
    assert_eq!(
        super::told(&settings, Severity::Information),
        ["PORT=8080 has no effect: no setting is called so."]
    );
    assert_eq!(
        settings.problems[0].fix.as_deref(),
        Some("write ASPNETCORE_HTTP_PORTS=8080, or start with --http_ports \"$PORT\"")
    );
    for (arguments, variables) in [
        (&["--urls", "http://*:8080"][..], &[port][..]),
        (&[], &[port, ("ASPNETCORE_HTTP_PORTS", "8080")]),
        (&["--Kestrel:Endpoints:A:Url=http://*:8080"], &[port]),
        (&[], &[("PORT", "tcp://10.0.0.1:80")]),
        (&[], &[("PORT", "0")]),
        (&[], &[("PORT", "")]),
    ] {
        assert_eq!(read(arguments, variables).problems, [], "{arguments:?} {variables:?}");
    }
}

#[test]
fn a_list_of_addresses_is_taken_for_a_text_and_told() {
    let told = |json: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        let inputs = |variables: &[(&str, &str)], arguments: &[&str]| Inputs {
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            arguments: arguments.iter().map(|a| (*a).to_owned()).enumerate().collect(),
            current_directory: folder.path().to_owned(),
            ..Inputs::default()
        };
        let read = |variables: &[(&str, &str)], arguments: &[&str]| {
            let inputs = inputs(variables, arguments);
            HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {})
        };
        [
            read(&[], &[]),
            read(&[("ASPNETCORE_URLS", "http://*:9")], &[]),
            read(&[], &["--urls", "http://*:9"]),
        ]
    };
    let urls = |settings: &HostSettings| settings.endpoints.urls.clone().map(|urls| urls.value);
    let list = r#"{"Urls":["http://*:1","http://*:2"]}"#;
    let [alone, beside_weaker, beside_stronger] = told(list);
    for settings in [&alone, &beside_weaker] {
        assert_eq!(urls(settings).as_deref(), Some("http://*:1;http://*:2"));
        let [problem] = &settings.problems[..] else { panic!("{:?}", settings.problems) };
        assert_eq!(
            problem.to_string(),
            "'Urls' is one text: its list is taken for 'http://*:1;http://*:2'.\n  \
             set by: appsettings.json:1:10, key Urls\n  \
             fix: write \"Urls\": \"http://*:1;http://*:2\""
        );
    }
    // What lost is told with what won, as of any other two.
    let lost = &beside_weaker.endpoints.shadowed_urls;
    assert_eq!(lost.iter().map(|urls| urls.value.as_str()).collect::<Vec<_>>(), ["http://*:9"]);
    assert_eq!(urls(&beside_stronger).as_deref(), Some("http://*:9"));
    let [problem] = &beside_stronger.problems[..] else { panic!("{:?}", beside_stronger.problems) };
    assert_eq!(problem.message, "'Urls' is one text: the list has no effect there.");
    let counts = "What counts is set by command line, argument 0 (--urls).";
    assert_eq!(problem.cause.as_deref(), Some(counts));

    // Anything else in its place has no effect.
    for json in [r#"{"Urls":{"Http":"http://*:1"}}"#, r#"{"Urls":[{"Url":"http://*:1"}]}"#] {
        let [alone, ..] = told(json);
        assert_eq!(urls(&alone), None, "{json}");
        assert_eq!(alone.problems.len(), 1, "{json} {:?}", alone.problems);
        assert_eq!(alone.problems[0].severity, Severity::Warning);
    }
}

#[test]
fn a_variable_that_is_nearly_a_certificate_is_told_without_its_value() {
    let told = told(&[], &[("ASPNETCORE__KESTREL__CERTIFICATES__DEFAULT", "hunter2")], true);
    assert!(!told.is_empty());
    assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
}

#[test]
fn a_switch_that_is_neither_on_nor_off_is_told() {
    let counts = |text: &str, value: bool| {
        format!("'{text}' is neither true nor false: it counts as {value}.")
    };
    for (arguments, variables, message) in [
        (&["--preferHostingUrls", "maybe"][..], &[][..], Some(counts("maybe", false))),
        (&["--preferHostingUrls", "yes"], &[], Some(counts("yes", false))),
        (&["--preferHostingUrls", "True"], &[], None),
        (&["--preferHostingUrls", "0"], &[], None),
        (&["--preferHostingUrls", ""], &[], None),
        (&["--Logging:CaptureScopes", "never"], &[], Some(counts("never", true))),
        (&[], &[("DOTNET_USE_POLLING_FILE_WATCHER", "yes")], Some(counts("yes", false))),
        (&[], &[("DOTNET_USE_POLLING_FILE_WATCHER", "1")], None),
        (
            &[],
            &[("DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION", "on")],
            Some(counts("on", false)),
        ),
        (
            &["--Logging:Console:Format", "json"],
            &[],
            Some("No console format is called 'json'; the default is used.".to_owned()),
        ),
        (&["--Logging:Console:Format", "systemd"], &[], None),
    ] {
        let told: Vec<_> =
            told(arguments, variables, true).into_iter().map(|(message, _)| message).collect();
        assert_eq!(told, message.into_iter().collect::<Vec<_>>(), "{arguments:?} {variables:?}");
    }
    let settings = read(
        &["--Logging:CaptureScopes=false", "--Logging:Console:FormatterOptions:IncludeScopes=true"],
        &[],
    );
    assert!(!settings.logging.console.include_scopes);
}

#[test]
fn features_that_are_not_there_yet_are_told() {
    for (arguments, variables, told_to_apps, told_to_the_host) in
        [(&["--Kestrel:Limits:Http3:X=b"][..], &[][..], 1, 1)]
    {
        for (host_alone, number) in [(false, told_to_apps), (true, told_to_the_host)] {
            let told = told(arguments, variables, host_alone);
            assert_eq!(told.len(), number, "{arguments:?} {variables:?} {told:?}");
        }
    }
}

#[test]
fn no_password_is_printed_wherever_an_address_stands() {
    let url = "http://user:hunter2@127.0.0.1:1";
    let in_a_file = [
        r#"{"Urls":["URL"]}"#,
        r#"{"http_ports":["URL"]}"#,
        r#"{"Kestrel":"URL"}"#,
        r#"{"Kestrel":{"Endpoints":{"A":"URL"}}}"#,
        r#"{"Kestrel":{"Endpoints":{"A":{"Url":["URL"]}}}}"#,
        r#"{"Kestrel":{"AddServerHeader":"URL"}}"#,
        r#"{"preferHostingUrls":"URL"}"#,
    ];
    let all = in_a_file.iter().map(|json| told_of_file(&json.replace("URL", url), true)).chain([
        told(&["--server.urls", url], &[], true),
        told(&["-u", url], &[], true),
        told(&[url], &[], true),
        told(&[], &[("ASPNETCORE__URLS", url)], true),
        told(&[], &[("ASPNETCORE_SERVER_URLS", url)], true),
    ]);
    for told in all {
        assert!(!told.is_empty());
        assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
    }
}

#[test]
fn every_key_that_is_read_is_in_the_vocabulary() {
    let folder = tempfile::tempdir().unwrap();
    // Everything that has readers below it is there.
    let json = r#"{ "Urls": "http://*:1", "Kestrel": { "Endpoints": {
        "A": { "Url": "https://*:1", "Sni": { "*": { "Certificate": { "Path": "x" } } } },
        "B": { "Url": "http://unix:/x", "UnixSocket": { "Mode": "660" } } },
        "Limits": { "MinResponseDataRate": { "BytesPerSecond": 1 } } },
        "Logging": { "LogLevel": { "Default": "Debug" }, "Console": { "LogLevel": { "A": "Debug" } } } }"#;
    std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
    let inputs = Inputs { current_directory: folder.path().to_owned(), ..Inputs::default() };
    crate::configuration::asked_keys();
    let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
    let asked = crate::configuration::asked_keys();
    assert_eq!(settings.endpoints.endpoints.len(), 2, "{:?}", settings.problems);
    assert!(asked.iter().any(|key| key == "Kestrel:Endpoints:A:Sni:*:Certificate:Password"));
    // Variables, which have readers of their own.
    let variables = ["PORT", "APPL_PATH", "TOKEN"];
    let unknown: Vec<_> = asked
        .iter()
        .filter(|key| !variables.contains(&key.as_str()) && !key.starts_with("DOTNET_"))
        .filter(|key| !keys::is_in_vocabulary(key))
        .collect();
    assert_eq!(unknown, Vec::<&String>::new());
}

#[test]
fn a_text_in_the_place_of_an_endpoint_is_refused_with_what_to_write() {
    assert_eq!(
        told_of_file(r#"{"Kestrel":{"Endpoints":{"A":"http://*:1"}}}"#, false),
        [(
            "The endpoint A is missing the required 'Url' parameter.".to_owned(),
            "write \"A\": { \"Url\": \"http://*:1\" }".to_owned()
        )]
    );
}

#[test]
fn variables_that_are_no_text_are_told_if_they_are_ours() {
    let names = ["ASPNETCORE_URLS", "DOTNET_X\u{fffd}", "Kestrel__Endpoints__A__Url", "URLS"];
    let others = ["LS_COLORS", "MYAPP__X", "K\u{fffd}"];
    let folder = tempfile::tempdir().unwrap();
    let told = of(&Inputs {
        unreadable_variables: names.iter().chain(&others).map(|name| (*name).to_owned()).collect(),
        current_directory: folder.path().to_owned(),
        ..Inputs::default()
    });
    let expected = names.map(|name| format!("The variable {name} is no text, and left out."));
    assert_eq!(told.into_iter().map(|(message, _)| message).collect::<Vec<_>>(), expected);
}

#[test]
fn an_endpoint_without_a_url_tells_what_stands_in_its_place() {
    const SET: &str = "set Kestrel:Endpoints:A:Url to an address such as http://localhost:5000";
    const MEANT: &str = "did you mean Kestrel:Endpoints:A:Url?";
    for (endpoint, key, fix, more) in [
        (r#"{"Urls":"http://*:1"}"#, "Urls", MEANT, &[][..]),
        (r#"{"Urls":["http://*:1"]}"#, "Urls", MEANT, &[]),
        (r#"{"Uri":"http://*:1"}"#, "Uri", MEANT, &[]),
        (r#"{"Address":"http://*:1"}"#, "Address", MEANT, &[]),
        (r#"{"url ":"http://*:1"}"#, "url ", MEANT, &[]),
        (r#"{"Ur":"http://*:1"}"#, "Ur", MEANT, &[]),
        (r#"{"Lru":"http://*:1","Protocols":"Http1"}"#, "Url", SET, &["Lru"]),
        (r#"{"Protocols":"Http1"}"#, "Url", SET, &[]),
        (r#"{"Bogus":1}"#, "Url", SET, &["Bogus"]),
        (r#"{"Bogus":1,"Urls":"http://*:1","Uri":"x"}"#, "Uri", MEANT, &["Bogus", "Urls"]),
        (r#"{"Url":""}"#, "Url", SET, &[]),
        (
            r#"{"Url":["http://*:1"],"Bogus":1}"#,
            "Url",
            r#"write one text: "Url": "http://*:1""#,
            &["Bogus"],
        ),
        (
            r#"{"Url":["http://*:1","http://*:2"]}"#,
            "Url",
            r#"write one text, "Url": "http://*:1", and give every other address an endpoint of its own, such as Kestrel:Endpoints:A2:Url"#,
            &[],
        ),
        (
            r#"{"Url":{"Host":"a","Port":1}}"#,
            "Url",
            r#"write one text, such as "Url": "http://localhost:5000""#,
            &[],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let json = format!(r#"{{"Kestrel":{{"Endpoints":{{"A":{endpoint}}}}}}}"#);
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        let inputs = Inputs { current_directory: folder.path().to_owned(), ..Inputs::default() };
        let settings = HostSettings::read(&load(&inputs), CodeEndpoints::default(), |_| {});
        let [missing, others @ ..] = &settings.problems[..] else { panic!("{endpoint}") };
        assert_eq!(
            missing.message, "The endpoint A is missing the required 'Url' parameter.",
            "{endpoint}"
        );
        let full = |name: &str| format!("Kestrel:Endpoints:A:{name}");
        assert_eq!(missing.key, Some(full(key)), "{endpoint}");
        assert_eq!(missing.fix.as_deref(), Some(fix), "{endpoint}");
        // A place is named only together with the key that was set there.
        assert_eq!(missing.origin.is_some(), fix != SET || endpoint.contains("Url"), "{endpoint}");
        let others: Vec<_> = others.iter().map(|problem| problem.message.clone()).collect();
        let expected = more
            .iter()
            .map(|name| format!("The key '{}' means nothing to the server.", full(name)));
        assert_eq!(others, expected.collect::<Vec<_>>(), "{endpoint}");
        assert!(settings.endpoints.endpoints.is_empty(), "{endpoint}");
        assert_eq!(settings.endpoints.refused.len(), 1, "{endpoint}");
    }
}

#[test]
fn a_wrong_url_hides_no_other_mistake_of_its_endpoint() {
    for (url, first) in [
        ("", "The endpoint A is missing the required 'Url' parameter."),
        (r#""Url":"htp://x","#, "'9' is not the mode of a socket's file."),
        (r#""Url":"http://[::1:80","#, "'9' is not the mode of a socket's file."),
    ] {
        let rest =
            r#""UnixSocket":{"Mode":"9"},"SslProtocols":["Tls1"],"ClientCertificateMode":"x""#;
        let json = format!(r#"{{"Kestrel":{{"Endpoints":{{"A":{{{url}{rest}}}}}}}}}"#);
        let told = told_of_file(&json, false);
        let messages: Vec<_> = told.iter().map(|(message, _)| &**message).collect();
        assert_eq!(messages[0], first, "{url}");
        for part in ["'9' is not the mode", "Tls1", "'x'"] {
            assert!(messages.iter().any(|it| it.contains(part)), "{url}: {part}: {messages:?}");
        }
    }
}

#[test]
fn a_flag_with_one_dash_is_told_with_two() {
    for (arguments, fix) in [
        (&["-listen", "*:5001"][..], "did you mean --listen *:5001?"),
        (&["-listen=*:5001"], "did you mean --listen *:5001?"),
        (&["-strict"], "did you mean --strict?"),
        (&["-Plan"], "did you mean --plan?"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let inputs = Inputs {
            arguments: arguments.iter().map(|text| (*text).to_owned()).enumerate().collect(),
            current_directory: folder.path().to_owned(),
            ..Inputs::default()
        };
        assert_eq!(fixes(of(&inputs)), [fix], "{arguments:?}");
    }
}

#[test]
fn a_list_of_hosts_is_taken_for_one_text() {
    let told = told_of_file(r#"{"AllowedHosts":["a.example","b.example"]}"#, true);
    let [(message, _)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(message, "'AllowedHosts' is one text: its list is taken for 'a.example;b.example'.");
}

#[test]
fn a_program_to_start_is_told_once_and_nothing_false_with_it() {
    const TOLD: &str = "No program is started by -- here.";
    for (arguments, fix) in [
        (
            &["--", "sleep", "3"][..],
            "leave out -- and what follows; kestrel run -- sleep starts it, and so does AspNetCore:ProcessPath",
        ),
        (
            &["--", "--urls", "http://*:1"],
            "settings stand without it: leave -- out, and write --urls ...",
        ),
    ] {
        for host_alone in [true, false] {
            let told = told(arguments, &[], host_alone);
            assert_eq!(told, [(TOLD.to_owned(), fix.to_owned())], "{arguments:?}");
        }
    }
}

#[test]
fn a_switch_without_a_value_is_told_to_take_one_only_where_it_is_read() {
    for (switch, host_alone, fix) in [
        ("--urls", true, "write --urls VALUE or --urls=VALUE"),
        (
            "/Kestrel:AddServerHeader",
            false,
            "write /Kestrel:AddServerHeader VALUE or /Kestrel:AddServerHeader=VALUE",
        ),
        (
            "--Kestrel:EndpointDefaults:ClientCertificateRoots",
            true,
            "write --Kestrel:EndpointDefaults:ClientCertificateRoots VALUE or --Kestrel:EndpointDefaults:ClientCertificateRoots=VALUE",
        ),
        ("--verbose", true, "leave it out: no setting is called so; --help has the usual ones"),
        (
            "--no-launch-profile",
            false,
            "leave it out, or write --no-launch-profile=VALUE if it is a setting of the program's",
        ),
    ] {
        let message = format!("The switch '{switch}' has no value and is ignored.");
        assert_eq!(told(&[switch], &[], host_alone), [(message, fix.to_owned())], "{switch}");
    }
}

#[test]
fn a_key_at_another_place_than_it_is_read_is_told_with_that_place() {
    let top = "write urls at the top, beside Kestrel and not in it";
    let colons = "write Kestrel:Limits:KeepAliveTimeout; two underscores stand in variables alone";
    let endpoints = r#"{"Endpoints":{"A":{"Url":"http://*:1"}}}"#;
    assert_eq!(fixes(told_of_file(r#"{"Kestrel":{"Urls":"http://*:1"}}"#, true)), [top]);
    assert_eq!(fixes(told_of_file(endpoints, true)), ["did you mean Kestrel:Endpoints?"]);
    assert_eq!(fixes(told_of_file(endpoints, false)), [""; 0]);
    let argument = "--Kestrel__Limits__KeepAliveTimeout=00:01:00";
    assert_eq!(fixes(told(&[argument], &[], true)), [colons]);
}

#[test]
fn a_category_that_is_nearly_one_of_ours_is_told() {
    for (category, fix) in [
        ("Defalt", "did you mean Default?"),
        ("defualt", "did you mean Default?"),
        ("Microsft.AspNetCore", "did you mean Microsoft.AspNetCore?"),
        ("Kestrl.Reload", "did you mean Kestrel.Reload?"),
    ] {
        let json = format!(r#"{{"Logging":{{"LogLevel":{{"{category}":"Debug"}}}}}}"#);
        assert_eq!(fixes(told_of_file(&json, false)), [fix], "{category}");
    }
    for category in ["Default", "Kestrel", "Microsoft.Hosting", "h2::codec", "Shop.Default", "Del"]
    {
        let json = format!(r#"{{"Logging":{{"LogLevel":{{"{category}":"Debug"}}}}}}"#);
        assert_eq!(told_of_file(&json, false), [], "{category}");
    }
}

#[test]
fn hosts_in_a_variable_that_is_nearly_called_so_are_told_where_every_host_passes() {
    for (variables, fix) in [
        (&[("AllowedHost", "a.example")][..], Some("a.example")),
        (&[("ALLOWED_HOSTS", "a.example;b.example")], Some("a.example;b.example")),
        (&[("ALLOWED_HOSTS", "*")], None),
        (&[("ALLOWED_HOSTS", "")], None),
        (&[("ALLOWED_HOSTS", "a.example"), ("AllowedHosts", "b.example")], None),
        (&[("ALLOWED_THINGS", "a.example")], None),
    ] {
        let expected = fix.map(|hosts| {
            format!(
                "if it is meant for this server, write AllowedHosts={hosts}, with ; between hosts"
            )
        });
        assert_eq!(fixes(told(&[], variables, true)), expected.as_slice(), "{variables:?}");
        // An app may read it.
        assert_eq!(fixes(told(&[], variables, false)), [""; 0], "{variables:?}");
    }
}
