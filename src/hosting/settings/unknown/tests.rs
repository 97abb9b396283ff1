use super::*;
use crate::configuration::{CodeSettings, Inputs, load};

/// What is told of settings in a file: the first line and the fix of each.
fn told(json: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
    told_of(&Inputs { current_directory: folder.path().to_owned(), ..Inputs::default() })
}

fn told_of(inputs: &Inputs) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    report(&load(inputs), &mut problems);
    problems.into_iter().map(|problem| (problem.message, problem.fix.unwrap())).collect()
}

/// What is told of one key with a text.
fn told_of_key(key: &str) -> Option<(String, String)> {
    let mut all = told(&format!("{{ \"{key}\": \"x\" }}"));
    assert!(all.len() < 2, "{all:?}");
    all.pop()
}

#[test]
fn a_near_miss_names_the_key_that_was_meant() {
    for (key, meant) in [
        ("url", Some(("url", "urls"))),
        ("Kestrel:EndPoint:Http:Url", Some(("Kestrel:EndPoint", "Kestrel:Endpoints"))),
        (
            "Kestrel:Endpoints:Http:Uri",
            Some(("Kestrel:Endpoints:Http:Uri", "Kestrel:Endpoints:Http:Url")),
        ),
        (
            "Kestrel:Limits:MaxRequestBodysize2",
            Some(("Kestrel:Limits:MaxRequestBodysize2", "Kestrel:Limits:MaxRequestBodySize")),
        ),
        ("Logging:LogLevl:Default", Some(("Logging:LogLevl", "Logging:LogLevel"))),
        ("Logging:LogLevl", Some(("Logging:LogLevl", "Logging:LogLevel"))),
        ("KESTREL:endpoints:x:url", None),
        ("Logging:LogLevel:Anything", None),
        ("Logging:LogLevel:h2::codec", None),
        ("Logging:Console:LogLevel:my_app::shop::cart", None),
        ("Logging:Seq:ServerUrl", None),
        ("A", None),
        ("Foo", None),
        ("MyApp:Url", None),
        ("ReverseProxy:Routes:a:ClusterId", None),
        ("", None),
    ] {
        let expected = meant.map(|(wrong, right)| {
            (
                format!("The key '{wrong}' means nothing to the server."),
                format!("did you mean {right}?"),
            )
        });
        assert_eq!(told_of_key(key), expected, "{key}");
    }
}

#[test]
fn what_an_app_has_at_the_top_is_only_told_if_it_can_be_meant() {
    for (json, meant) in [
        (r#"{"Hosts":{"a":{"Name":"b"}}}"#, None),
        (r#"{"Hosts":["a"]}"#, None),
        (r#"{"Hosts":"a"}"#, None),
        (r#"{"Host":{"Enabled":true}}"#, None),
        (r#"{"Url":{"Shop":"http://a"}}"#, None),
        (r#"{"Environments":{"a":{"b":1}}}"#, None),
        (r#"{"Environments":["a"]}"#, None),
        (r#"{"AllowedHost":{"a":"b"}}"#, None),
        (r#"{"Hst":{"MaxAge":"1.00:00:00"}}"#, Some("Hsts")),
        (r#"{"Url":"http://a"}"#, Some("urls")),
        (r#"{"Url":["http://a"]}"#, Some("urls")),
        (r#"{"AllowedHost":"a"}"#, Some("AllowedHosts")),
        (r#"{"AllowedHost":["a"]}"#, Some("AllowedHosts")),
        (r#"{"Kestrl":{"Endpoints":{"A":{"Url":"http://*:1"}}}}"#, Some("Kestrel")),
        (r#"{"Kesterl":{"Mine":1}}"#, Some("Kestrel")),
        (r#"{"Loging":{"LogLevel":{"Default":"Debug"}}}"#, Some("Logging")),
        (r#"{"ForwardedHeader":{"Enabled":true}}"#, Some("ForwardedHeaders")),
        (r#"{"ForwardHeaders":{"KnownProxies":["10.0.0.1"]}}"#, Some("ForwardedHeaders")),
    ] {
        let told = told(json);
        let fixes: Vec<_> = told.iter().map(|(_, fix)| fix.as_str()).collect();
        let expected = meant.map(|meant| format!("did you mean {meant}?"));
        assert_eq!(fixes, expected.as_slice(), "{json}");
    }
}

#[test]
fn inside_of_kestrel_an_unknown_name_is_told_however_far_off_it_is() {
    for (key, wrong, fix) in [
        ("Kestrel:Limits:Nonsense", "Kestrel:Limits:Nonsense", "remove it; below Kestrel:Limits"),
        ("kestrel:limits:Foo:Bar", "kestrel:limits:Foo", "remove it; below kestrel:limits"),
        (
            "Kestrel:Limits:Http2:X",
            "Kestrel:Limits:Http2:X",
            "remove it; below Kestrel:Limits:Http2",
        ),
        (
            "Kestrel:Limits:Http2:MaxStreamPerConnection",
            "Kestrel:Limits:Http2:MaxStreamPerConnection",
            "did you mean Kestrel:Limits:Http2:MaxStreamsPerConnection?",
        ),
        (
            "Kestrel:Limits:MaxRequest",
            "Kestrel:Limits:MaxRequest",
            "remove it; below Kestrel:Limits there are",
        ),
        (
            "Kestrel:Limits:MinResponseDataRate:Bytes",
            "Kestrel:Limits:MinResponseDataRate:Bytes",
            "remove it; below Kestrel:Limits:MinResponseDataRate there are BytesPerSecond, GracePeriod",
        ),
        ("Kestrel:Colour", "Kestrel:Colour", "remove it; below Kestrel there are Endpoints,"),
        (
            "Kestrel:Endpoints:Htttp:Colour",
            "Kestrel:Endpoints:Htttp:Colour",
            "remove it; below Kestrel:Endpoints:Htttp there are Url, Protocols",
        ),
        (
            "Kestrel:Endpoints:A:Sni:b.example:Cipher",
            "Kestrel:Endpoints:A:Sni:b.example:Cipher",
            "remove it; below Kestrel:Endpoints:A:Sni:b.example there are",
        ),
        (
            "Kestrel:Certificates:Default:Thumbprint",
            "Kestrel:Certificates:Default:Thumbprint",
            "remove it; below Kestrel:Certificates:Default there are Path, KeyPath",
        ),
        (
            "Kestrel:EndpointDefaults:Sni:x",
            "Kestrel:EndpointDefaults:Sni",
            "remove it; below Kestrel:EndpointDefaults there are Protocols",
        ),
    ] {
        let (message, told) = told_of_key(key).unwrap();
        assert_eq!(message, format!("The key '{wrong}' means nothing to the server."));
        assert!(told.starts_with(fix), "{told}");
    }
    assert_eq!(told_of_key("Kestrel:Limits:Http3:Anything"), None);
}

#[test]
fn a_list_or_a_section_where_a_text_is_read_is_told() {
    for (json, message, fix) in [
        (
            r#"{"Kestrel":{"Endpoints":{"A":{"Protocols":["Http2"]}}}}"#,
            "'Kestrel:Endpoints:A:Protocols' is one text: the list has no effect there.",
            r#"write one text: "Protocols": "Http2""#,
        ),
        (
            r#"{"Kestrel":{"Endpoints":{"A":{"Protocols":["Http1","Http2"]}}}}"#,
            "'Kestrel:Endpoints:A:Protocols' is one text: the list has no effect there.",
            "write one text",
        ),
        (
            r#"{"Kestrel":{"Endpoints":{"A":{"Url":{"Host":"a","Port":1}}}}}"#,
            "'Kestrel:Endpoints:A:Url' is one text: the section has no effect there.",
            "write one text",
        ),
        (
            r#"{"http_ports":[8080,8081]}"#,
            "'http_ports' is one text: the list has no effect there.",
            r#"write one text: "http_ports": "8080;8081""#,
        ),
        (
            r#"{"HttpLogging":{"LoggingFields":["RequestPath","Duration"]}}"#,
            "'HttpLogging:LoggingFields' is one text: the list has no effect there.",
            r#"write one text: "LoggingFields": "RequestPath, Duration""#,
        ),
        (
            r#"{"Kestrel":{"Certificates":{"Default":{"Password":["hunter2"]}}}}"#,
            "'Kestrel:Certificates:Default:Password' is one text: the list has no effect there.",
            "write one text",
        ),
        (
            r#"{"Kestrel":{"Limits":{"KeepAliveTimeout":{"Minutes":2}}}}"#,
            "'Kestrel:Limits:KeepAliveTimeout' is one text: the section has no effect there.",
            "write one text",
        ),
        (
            r#"{"Logging":{"LogLevel":{"Microsoft":{"AspNetCore":"Warning"}}}}"#,
            "'Logging:LogLevel:Microsoft' is one text: the section has no effect there.",
            r#"write a category as one name: "Microsoft.AspNetCore": "Warning""#,
        ),
        (
            r#"{"Logging":{"Console":{"FormatterName":["json"]}}}"#,
            "'Logging:Console:FormatterName' is one text: the list has no effect there.",
            r#"write one text: "FormatterName": "json""#,
        ),
        (
            r#"{"Kestrel":{"Endpoints":{"A":{"SslProtocols":{"Min":{"x":"Tls12"}}}}}}"#,
            "'Kestrel:Endpoints:A:SslProtocols:Min' is one text: the section has no effect there.",
            "write one text",
        ),
    ] {
        assert_eq!(told(json), [(message.to_owned(), fix.to_owned())], "{json}");
    }
}

#[test]
fn a_text_where_names_are_read_is_told() {
    for (json, message, fix) in [
        (
            r#"{"Kestrel":"x"}"#,
            "'Kestrel' is a section: the text 'x' has no effect there.",
            "set what belongs below it, such as Kestrel:Endpoints:Http:Url",
        ),
        (
            r#"{"Kestrel":{"Endpoints":"http://*:1"}}"#,
            "'Kestrel:Endpoints' is a section: the text 'http://*:1' has no effect there.",
            "set what belongs below it, such as Kestrel:Endpoints:Http:Url",
        ),
        (
            r#"{"Logging":"Debug"}"#,
            "'Logging' is a section: the text 'Debug' has no effect there.",
            "set what belongs below it, such as Logging:LogLevel:Default",
        ),
        (
            r#"{"Logging":{"LogLevel":"Debug"}}"#,
            "'Logging:LogLevel' is a section: the text 'Debug' has no effect there.",
            "set what belongs below it, such as Logging:LogLevel:Default",
        ),
        (
            r#"{"Logging":{"Default":"Debug"}}"#,
            "The key 'Logging:Default' means nothing to the server.",
            "levels stand below LogLevel: Logging:LogLevel:Default",
        ),
        (
            r#"{"Kestrel":{"Endpoints":{"A":{"Certificate":"a.pem"}}}}"#,
            "'Kestrel:Endpoints:A:Certificate' is a section: the text '(hidden)' has no effect there.",
            "set what belongs below it, such as Kestrel:Endpoints:A:Certificate:Path",
        ),
        (
            r#"{"StaticFiles":{"Headers":{"Cache-Control":"no-cache"}}}"#,
            "'StaticFiles:Headers:Cache-Control' is a section: the text 'no-cache' has no effect there.",
            "name the files that it is for: StaticFiles:Headers:*:Cache-Control",
        ),
        (
            r#"{"StaticFiles":{"Headers":{"*.js":"no-cache"}}}"#,
            "'StaticFiles:Headers:*.js' is a section: the text 'no-cache' has no effect there.",
            "set what belongs below it, such as StaticFiles:Headers:*.js:Cache-Control",
        ),
        (
            r#"{"Kestrel":{"EndpointDefaults":{"SslProtocols":"Tls12"}}}"#,
            "'Kestrel:EndpointDefaults:SslProtocols' is a list: the text 'Tls12' has no effect there.",
            r#"write a list: "SslProtocols": ["Tls12"]"#,
        ),
    ] {
        assert_eq!(told(json), [(message.to_owned(), fix.to_owned())], "{json}");
    }
    // Nothing is no text.
    for json in [r#"{"Kestrel":{"Endpoints":{}}}"#, r#"{"Logging":null}"#, r#"{"Kestrel":[]}"#] {
        assert_eq!(told(json), [], "{json}");
    }
}

#[test]
fn on_a_command_line_that_no_app_reads_every_key_has_to_be_known() {
    for (key, host_alone, fix) in [
        ("Greeting", true, Some("remove it: no app is here that could read it")),
        ("MyApp:Colour", true, Some("remove it: no app is here that could read it")),
        ("Greeting", false, None),
        ("MyApp:Colour", false, None),
        ("strct", false, Some("did you mean --strict?")),
        ("url", false, Some("did you mean urls?")),
        ("Logging:Seq:ServerUrl", true, Some("remove it: no app")),
    ] {
        let inputs = Inputs {
            arguments: vec![(1, format!("--{key}=hello"))],
            current_directory: std::env::temp_dir(),
            code: CodeSettings { host_alone, ..CodeSettings::default() },
            ..Inputs::default()
        };
        let told = told_of(&inputs);
        let told = told.first().map(|(_, fix)| fix.as_str());
        assert_eq!(told.is_some(), fix.is_some(), "{key}: {told:?}");
        assert!(told.unwrap_or_default().starts_with(fix.unwrap_or_default()), "{told:?}");
    }
}

#[test]
fn a_section_that_is_nearly_called_so_is_told_where_no_app_could_have_it() {
    for (json, meant) in [
        (r#"{"BasicAuth":{"Enabled":true}}"#, Some("BasicAuthentication")),
        (r#"{"BasicAuth":{"Passwords":{"a":"b"}}}"#, Some("BasicAuthentication")),
        (r#"{"HttpLog":{"Enabled":true}}"#, Some("HttpLogging")),
        (r#"{"RateLimiting":{"Enabled":true}}"#, Some("RateLimiter")),
        (r#"{"RateLimits":{"Enabled":true}}"#, Some("RateLimiter")),
        (r#"{"HealthCheck":{"Enabled":true}}"#, Some("HealthChecks")),
        (r#"{"Compression":{"Enabled":true}}"#, Some("ResponseCompression")),
        (r#"{"Compression":true}"#, Some("ResponseCompression")),
        (r#"{"AccessLogging":{"Enabled":true}}"#, Some("AccessLog")),
        (r#"{"SecurityHeaders":{"Enabled":true}}"#, Some("Headers")),
        (r#"{"Header":{"Enabled":true}}"#, Some("Headers")),
        (r#"{"HttpLoggingOptions":{"LoggingFields":"All"}}"#, Some("HttpLogging")),
        (r#"{"Timeouts":{"Enabled":true}}"#, Some("RequestTimeouts")),
        (r#"{"Redirection":{"Enabled":true}}"#, Some("HttpsRedirection")),
        // Of apps that are configured beside.
        (r#"{"Authentication":{"Schemes":{"Bearer":{"Audience":"a"}}}}"#, None),
        (r#"{"HealthChecksUI":{"EvaluationTimeInSeconds":10}}"#, None),
        (r#"{"RequestLogging":{"Enabled":true}}"#, None),
        (r#"{"Serilog":{"MinimumLevel":"Debug"}}"#, None),
        (r#"{"Shop":{"Enabled":true}}"#, None),
        (r#"{"Auth":{"Enabled":true}}"#, None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        for host_alone in [true, false] {
            let told = told_of(&Inputs {
                current_directory: folder.path().to_owned(),
                code: CodeSettings { host_alone, ..CodeSettings::default() },
                ..Inputs::default()
            });
            let fixes: Vec<_> = told.iter().map(|(_, fix)| fix.as_str()).collect();
            let expected = meant.map(|meant| format!("did you mean {meant}?"));
            // One letter is wrong, for an app as well.
            if host_alone || !json.contains("HealthCheck\"") {
                let expected = expected.filter(|_| host_alone);
                assert_eq!(fixes, expected.as_slice(), "{json} {host_alone}");
            }
        }
    }
}

#[test]
fn every_limit_is_known() {
    use crate::server::limit_rules::{NUMBERS, SPANS};
    let names = NUMBERS.iter().map(|number| number.name);
    for name in names.chain(SPANS.iter().map(|span| span.name)) {
        assert!(is_text(&format!("Kestrel:Limits:{name}")), "{name}");
    }
}

#[test]
fn a_section_that_protects_must_not_open_by_a_misspelled_word() {
    for (json, is_wrong) in [
        (r#"{"BasicAuthentification":{"Enabled":true,"Passwords":{"a":"b"}}}"#, true),
        (r#"{"BasicAuthentification":{"Enabled":true}}"#, true),
        (r#"{"BasicAuth":{"Passwords":{"a":"b"}}}"#, true),
        (r#"{"BasicAuthentification":{"Enabled":false,"Passwords":{"a":"b"}}}"#, false),
        (r#"{"BasicAuthentication":{"Enabled":false},"BasicAuth":{"Passwords":{"a":"b"}}}"#, false),
        (r#"{"BasicAuthentication":{"Enabled":false},"BasicAuth":{"Enabled":true}}"#, true),
        (r#"{"RateLimiting":{"Enabled":true}}"#, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        let mut problems = Vec::new();
        let inputs = Inputs {
            current_directory: folder.path().to_owned(),
            code: CodeSettings { host_alone: true, ..CodeSettings::default() },
            ..Inputs::default()
        };
        report(&load(&inputs), &mut problems);
        let [problem] = &problems[..] else { panic!("{json}: {problems:?}") };
        assert_eq!(problem.is_error(), is_wrong, "{json}");
        assert_eq!(problem.message.starts_with("Nobody is asked for a password"), is_wrong);
        assert!(problem.fix.as_deref().unwrap_or_default().starts_with("did you mean "), "{json}");
    }
}

#[test]
fn a_program_does_not_run_by_what_has_another_shape() {
    for (json, is_wrong) in [
        (r#"{"AspNetCore":{"ProcessPath":"sh","User":["nobody"]}}"#, true),
        (r#"{"AspNetCore":{"ProcessPath":"sh","User":{"Name":"nobody"}}}"#, true),
        (r#"{"AspNetCore":{"ProcessPath":"sh","Limits":"512MiB"}}"#, true),
        (
            r#"{"Sites":{"A":{"Hosts":["a"],"AspNetCore":{"ProcessPath":"sh","Umask":["077"]}}}}"#,
            true,
        ),
        (r#"{"AllowedHosts":["a"]}"#, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        let mut problems = Vec::new();
        let directory = folder.path().to_owned();
        report(&load(&Inputs { current_directory: directory, ..Inputs::default() }), &mut problems);
        assert!(!problems.is_empty(), "{json}");
        assert_eq!(problems.iter().any(Problem::is_error), is_wrong, "{json}: {problems:?}");
    }
}

#[test]
fn a_filter_must_not_open_by_a_word_that_nobody_reads() {
    for (json, is_wrong) in [
        (r#"{"AddressFilter":{"Enabled":true,"Allow":["10.0.0.0/8"],"Denny":["10.0.0.1"]}}"#, true),
        (r#"{"AddressFilter":{"Enabled":false,"Denny":["10.0.0.1"]}}"#, false),
        (r#"{"AddressFilter":{"Enabled":true},"AdressFilter":{"Allow":["10.0.0.0/8"]}}"#, true),
        (r#"{"Kestrel":{"AddressFilter":{"Enabled":true,"Deny":["10.0.0.1"]}}}"#, true),
        (r#"{"StaticFiles":{"BasicAuthentication":{"Enabled":true}}}"#, true),
        (r#"{"Site":{"A":{"Hosts":["a"],"AddressFilter":{"Enabled":true}}}}"#, true),
        (r#"{"Site":{"A":{"Hosts":["a"]}}}"#, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        let mut problems = Vec::new();
        let inputs = Inputs {
            current_directory: folder.path().to_owned(),
            code: CodeSettings { host_alone: true, ..CodeSettings::default() },
            ..Inputs::default()
        };
        report(&load(&inputs), &mut problems);
        assert!(!problems.is_empty(), "{json}");
        assert_eq!(problems.iter().any(Problem::is_error), is_wrong, "{json}: {problems:?}");
    }
}

#[test]
fn what_was_said_to_the_host_is_told_with_the_name_that_was_meant() {
    for (key, meant) in [
        ("BasicAuthentification:Enabled", "BasicAuthentication"),
        ("RateLimiting:GlobalLimiter:PermitLimit", "RateLimiter"),
        ("Hst:Enabled", "Hsts"),
        ("Cros:Enabled", "Cors"),
        ("AllowedHost", "AllowedHosts"),
    ] {
        let code = CodeSettings { host_alone: true, ..CodeSettings::default() };
        let current_directory = std::env::temp_dir();
        let by_argument = Inputs {
            arguments: vec![(1, format!("--{key}=true"))],
            current_directory: current_directory.clone(),
            code: code.clone(),
            ..Inputs::default()
        };
        let name = format!("ASPNETCORE_{}", key.replace(':', "__"));
        let by_variable = Inputs {
            variables: vec![(name, "true".to_owned())],
            current_directory,
            code,
            ..Inputs::default()
        };
        for inputs in [by_argument, by_variable] {
            let told = told_of(&inputs);
            let fixes: Vec<_> = told.iter().map(|(_, fix)| fix.as_str()).collect();
            assert_eq!(fixes, [format!("did you mean {meant}?")], "{key}: {told:?}");
        }
    }
}

#[test]
fn what_belongs_into_another_section_of_the_log_is_told_with_its_key() {
    for (json, wrong, fix) in [
        (r#"{"Level":{"Default":"Debug"}}"#, "Logging:Level", "did you mean Logging:LogLevel?"),
        (r#"{"Level":"Debug"}"#, "Logging:Level", "write Logging:LogLevel:Default"),
        (r#"{"MinimumLevel":"Debug"}"#, "Logging:MinimumLevel", "write Logging:LogLevel:Default"),
        (
            r#"{"Formatter":"json"}"#,
            "Logging:Formatter",
            "did you mean Logging:Console:FormatterName?",
        ),
        (
            r#"{"SingleLine":true}"#,
            "Logging:SingleLine",
            "did you mean Logging:Console:FormatterOptions:SingleLine?",
        ),
        (
            r#"{"Console":{"Formatter":"json"}}"#,
            "Logging:Console:Formatter",
            "did you mean Logging:Console:FormatterName?",
        ),
        (
            r#"{"Console":{"Level":"Debug"}}"#,
            "Logging:Console:Level",
            "did you mean Logging:Console:LogLevel?",
        ),
        (
            r#"{"Console":{"SingleLine":true}}"#,
            "Logging:Console:SingleLine",
            "did you mean Logging:Console:FormatterOptions:SingleLine?",
        ),
    ] {
        let expected = (format!("The key '{wrong}' means nothing to the server."), fix.to_owned());
        assert_eq!(told(&format!(r#"{{"Logging":{json}}}"#)), [expected], "{json}");
    }
    // Options of providers that are not here.
    let json = r#"{"Logging":{"Seq":{"MinimumLevel":"Debug","ServerUrl":"http://a"}}}"#;
    assert_eq!(told(json), []);
}

#[test]
fn a_key_that_stands_a_section_too_high_is_told_with_the_right_one() {
    for (json, fix) in [
        (
            r#"{"Kestrel":{"MaxRequestBodySize":1}}"#,
            "did you mean Kestrel:Limits:MaxRequestBodySize?",
        ),
        (
            r#"{"RateLimiter":{"PermitLimit":1}}"#,
            "did you mean RateLimiter:GlobalLimiter:PermitLimit?",
        ),
        (
            r#"{"Cors":{"Origins":["https://a.example"]}}"#,
            "did you mean Cors:Policies:default:Origins?",
        ),
        (r#"{"DefaultFiles":["a.html"]}"#, "did you mean the list DefaultFiles:DefaultFileNames?"),
        (
            r#"{"NavigationFallback":{"Enabled":true}}"#,
            "remove it; below NavigationFallback there is Path",
        ),
        (
            r#"{"Headers":{"X-Frame-Options":"DENY"}}"#,
            "headers that are set stand below Set: Headers:Set:X-Frame-Options",
        ),
    ] {
        let told = told(json);
        assert_eq!(told.iter().map(|(_, fix)| fix.as_str()).collect::<Vec<_>>(), [fix], "{json}");
    }
}
