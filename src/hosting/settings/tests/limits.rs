//! The server's options and limits: defaults, ranges, and Kestrel's words for what is out of them.

use super::*;
use crate::configuration::Origin;
use crate::features::MinDataRate;
use crate::server::Limits;

/// As [`read`], from a file and by code.
fn read_file(
    json: &str,
    variables: &[(&str, &str)],
    configure: impl FnOnce(&mut ServerOptions),
) -> HostSettings {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
    let inputs = Inputs {
        variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        current_directory: folder.path().to_owned(),
        ..Inputs::default()
    };
    HostSettings::read(&load(&inputs), CodeEndpoints::default(), configure)
}

const NO_INT32: &str =
    "Failed to convert configuration value '{value}' at '{key}' to type 'System.Int32'.";
const NO_INT64: &str =
    "Failed to convert configuration value '{value}' at '{key}' to type 'System.Int64'.";
const NO_DOUBLE: &str =
    "Failed to convert configuration value '{value}' at '{key}' to type 'System.Double'.";
const NO_SPAN: &str =
    "Failed to convert configuration value '{value}' at '{key}' to type 'System.TimeSpan'.";
const POSITIVE: &str = "Value must be a positive number. '{key}' is '{value}'.";
const OR_POSITIVE: &str = "Value must be null or a positive number. '{key}' is '{value}'.";
const OR_NOT_NEGATIVE: &str = "Value must be null or a non-negative number. '{key}' is '{value}'.";
const ABOVE_ZERO: &str = "A value greater than zero is required. '{key}' is '{value}'.";
const FROM_ZERO: &str = "A value greater than or equal to zero is required. '{key}' is '{value}'.";
const FRAME: &str = "A value between 16384 and 16777215 is required. '{key}' is '{value}'.";
const WINDOW: &str = "A value between 65535 and 2147483647 is required. '{key}' is '{value}'.";
const POSITIVE_SPAN: &str = "Value must be a positive TimeSpan. '{key}' is '{value}'.";
const A_SECOND: &str =
    "A TimeSpan value greater than or equal to 00:00:01 is required. '{key}' is '{value}'.";
const NO_RATE: &str = "Value must be a positive number. To disable a minimum data rate, use null where a MinDataRate instance is expected. '{key}' is '{value}'.";
const NO_GRACE: &str = "The request body rate enforcement grace period must be greater than 1 second. '{key}' is '{value}'.";

/// A text, and what becomes of it.
type Texts = &'static [(&'static str, &'static str)];

/// Name, how to show it, default, what is read, what is refused.
type Row = (&'static str, fn(&Limits) -> String, &'static str, Texts, Texts);

const TABLE: &[Row] = &[
    (
        "MaxConcurrentConnections",
        |limits| format!("{:?}", limits.max_concurrent_connections),
        "None",
        &[("1", "Some(1)"), (" 9223372036854775807 ", "Some(9223372036854775807)"), ("", "None")],
        &[
            ("0", OR_POSITIVE),
            ("-1", OR_POSITIVE),
            ("abc", NO_INT64),
            ("9223372036854775808", NO_INT64),
        ],
    ),
    (
        "MaxConcurrentUpgradedConnections",
        |limits| format!("{:?}", limits.max_concurrent_upgraded_connections),
        "None",
        &[("0", "Some(0)"), ("9223372036854775807", "Some(9223372036854775807)"), ("", "None")],
        &[("-1", OR_NOT_NEGATIVE), ("1.5", NO_INT64)],
    ),
    (
        "MaxRequestBodySize",
        |limits| format!("{:?}", limits.max_request_body_size),
        "Some(30000000)",
        &[("0", "Some(0)"), ("9223372036854775807", "Some(9223372036854775807)"), ("", "None")],
        &[("-1", OR_NOT_NEGATIVE), ("30MB", NO_INT64)],
    ),
    (
        "MaxRequestLineSize",
        |limits| limits.max_request_line_size.to_string(),
        "8192",
        &[("1", "1"), ("1048576", "1048576"), ("0x2000", "8192"), ("+5", "5")],
        &[
            ("0", POSITIVE),
            ("-1", POSITIVE),
            ("", NO_INT32),
            ("8k", NO_INT32),
            ("2147483648", NO_INT32),
        ],
    ),
    (
        "MaxRequestHeadersTotalSize",
        |limits| limits.max_request_headers_total_size.to_string(),
        "32768",
        &[("1", "1"), ("1048576", "1048576")],
        &[("0", POSITIVE), ("", NO_INT32)],
    ),
    (
        "MaxRequestHeaderCount",
        |limits| limits.max_request_header_count.to_string(),
        "100",
        &[("1", "1"), ("2147483647", "2147483647")],
        &[("0", POSITIVE), ("", NO_INT32), ("99999999999", NO_INT32)],
    ),
    (
        "MaxRequestBufferSize",
        |limits| format!("{:?}", limits.max_request_buffer_size),
        "Some(1048576)",
        &[("32768", "Some(32768)"), ("2147483648", "Some(2147483648)"), ("", "None")],
        &[("0", OR_POSITIVE), ("-1", OR_POSITIVE), ("1M", NO_INT64)],
    ),
    (
        "MaxResponseBufferSize",
        |limits| format!("{:?}", limits.max_response_buffer_size),
        "Some(65536)",
        &[("0", "Some(0)"), ("1", "Some(1)"), ("", "None")],
        &[("-1", OR_NOT_NEGATIVE), ("64k", NO_INT64)],
    ),
    (
        "KeepAliveTimeout",
        |limits| format!("{:?}", limits.keep_alive_timeout),
        "130s",
        &[
            ("00:00:00.0000001", "100ns"),
            ("1.00:00:00", "86400s"),
            ("-00:00:00.0010000", "3153600000s"),
            ("-00:00:00.001", "3153600000s"),
        ],
        &[
            ("00:00:00", POSITIVE_SPAN),
            ("-00:00:05", POSITIVE_SPAN),
            ("5", NO_SPAN),
            ("-1", NO_SPAN),
            ("", NO_SPAN),
            ("abc", NO_SPAN),
        ],
    ),
    (
        "RequestHeadersTimeout",
        |limits| format!("{:?}", limits.request_headers_timeout),
        "30s",
        &[("00:00:01", "1s"), ("-00:00:00.0010000", "3153600000s")],
        &[("00:00", POSITIVE_SPAN), ("-00:00:00.0020000", POSITIVE_SPAN), ("30s", NO_SPAN)],
    ),
    (
        "Http2:MaxStreamsPerConnection",
        |limits| limits.http2.max_streams_per_connection.to_string(),
        "100",
        &[("1", "1"), ("2147483647", "2147483647")],
        &[("0", ABOVE_ZERO), ("-1", ABOVE_ZERO), ("", NO_INT32)],
    ),
    (
        "Http2:HeaderTableSize",
        |limits| limits.http2.header_table_size.to_string(),
        "4096",
        &[("0", "0"), ("2147483647", "2147483647")],
        &[("-1", FROM_ZERO), ("4k", NO_INT32)],
    ),
    (
        "Http2:MaxFrameSize",
        |limits| limits.http2.max_frame_size.to_string(),
        "16384",
        &[("16384", "16384"), ("16777215", "16777215")],
        &[
            ("1", FRAME),
            ("16383", FRAME),
            ("16777216", FRAME),
            ("-1", FRAME),
            ("2147483648", NO_INT32),
        ],
    ),
    (
        "Http2:MaxRequestHeaderFieldSize",
        |limits| limits.http2.max_request_header_field_size.to_string(),
        "32768",
        &[("1", "1"), ("2147483647", "2147483647")],
        &[("0", ABOVE_ZERO), ("", NO_INT32)],
    ),
    (
        "Http2:InitialConnectionWindowSize",
        |limits| limits.http2.initial_connection_window_size.to_string(),
        "1048576",
        &[("786432", "786432"), ("2147483647", "2147483647")],
        &[("65534", WINDOW), ("0", WINDOW), ("2147483648", NO_INT32)],
    ),
    (
        "Http2:InitialStreamWindowSize",
        |limits| limits.http2.initial_stream_window_size.to_string(),
        "786432",
        &[("65535", "65535"), ("1048576", "1048576")],
        &[("65534", WINDOW), ("2147483648", NO_INT32)],
    ),
    (
        "Http2:KeepAlivePingDelay",
        |limits| format!("{:?}", limits.http2.keep_alive_ping_delay),
        "None",
        &[("00:00:01", "Some(1s)"), ("-00:00:00.0010000", "None")],
        &[("00:00:00.9999999", A_SECOND), ("-00:00:05", A_SECOND), ("30", NO_SPAN)],
    ),
    (
        "Http2:KeepAlivePingTimeout",
        |limits| format!("{:?}", limits.http2.keep_alive_ping_timeout),
        "20s",
        &[("00:00:01", "1s"), ("-00:00:00.0010000", "3153600000s")],
        &[("00:00:00", A_SECOND), ("20", NO_SPAN)],
    ),
    (
        "MinRequestBodyDataRate:BytesPerSecond",
        |limits| {
            format!("{:?}", limits.min_request_body_data_rate.map(MinDataRate::bytes_per_second))
        },
        "Some(240.0)",
        &[("1000", "Some(1000.0)"), ("0.5", "Some(0.5)"), ("1E-2", "Some(0.01)")],
        &[("0", NO_RATE), ("-1", NO_RATE), ("1e999", NO_RATE), ("", NO_DOUBLE), ("1k", NO_DOUBLE)],
    ),
    (
        "MinResponseDataRate:GracePeriod",
        |limits| format!("{:?}", limits.min_response_data_rate.map(MinDataRate::grace_period)),
        "Some(5s)",
        &[("00:00:01.5", "Some(1.5s)"), ("00:01", "Some(60s)")],
        &[
            ("00:00:01", NO_GRACE),
            ("-00:00:05", NO_GRACE),
            ("-00:00:00.0010000", NO_GRACE),
            ("5", NO_SPAN),
        ],
    ),
];

#[test]
fn each_limit_has_its_default_its_range_and_its_words() {
    for (name, shown, default, legal, illegal) in TABLE {
        let key = format!("Kestrel:Limits:{name}");
        assert_eq!(shown(&read(&[], &[]).server.limits), *default, "{name}");
        for (text, value) in *legal {
            let settings = read(&[&format!("--{key}={text}")], &[]);
            assert_eq!(shown(&settings.server.limits), *value, "{name} = '{text}'");
            assert_eq!(settings.problems, [], "{name} = '{text}'");
        }
        for (text, message) in *illegal {
            let settings = read(&[&format!("--{key}={text}")], &[]);
            assert_eq!(shown(&settings.server.limits), *default, "{name} = '{text}'");
            let [problem] = &settings.problems[..] else {
                panic!("{name} = '{text}': {:#?}", settings.problems);
            };
            assert_eq!(problem.message, message.replace("{key}", &key).replace("{value}", text));
            assert_eq!(problem.severity, Severity::Error);
            assert_eq!(problem.key.as_deref(), Some(&*key));
            let argument = format!("--{key}");
            assert_eq!(problem.origin, Some(Origin::CommandLine { position: 0, argument }));
            assert!(problem.fix.is_some(), "{name} = '{text}'");
        }
    }
}

#[test]
fn the_switches_of_the_server_are_read() {
    let shown = |options: &ServerOptions| {
        [
            options.add_server_header,
            options.allow_alternate_schemes,
            options.allow_host_header_override,
            options.allow_response_header_compression,
            options.disable_http1_line_feed_terminators,
        ]
    };
    let defaults = [true, false, false, true, false];
    let names = [
        "AddServerHeader",
        "AllowAlternateSchemes",
        "AllowHostHeaderOverride",
        "AllowResponseHeaderCompression",
        "DisableHttp1LineFeedTerminators",
    ];
    assert_eq!(shown(&read(&[], &[]).server), defaults);
    for (place, name) in names.into_iter().enumerate() {
        let mut expected = defaults;
        expected[place] = !expected[place];
        let settings = read(&[&format!("--Kestrel:{name}={}", expected[place])], &[]);
        assert_eq!((shown(&settings.server), settings.problems), (expected, vec![]), "{name}");
        let settings = read(&[&format!("--Kestrel:{name}=on")], &[]);
        assert_eq!(shown(&settings.server), defaults, "{name}");
        let message = format!(
            "Failed to convert configuration value 'on' at 'Kestrel:{name}' to type 'System.Boolean'."
        );
        assert_eq!(told(&settings, Severity::Error), [message]);
    }
}

#[test]
fn null_is_no_limit_where_there_may_be_none() {
    let settings = read_file(
        r#"{ "Kestrel": { "Limits": {
            "MaxRequestBodySize": null, "MaxRequestBufferSize": null, "MaxResponseBufferSize": null,
            "MaxRequestLineSize": null, "KeepAliveTimeout": null,
            "MinRequestBodyDataRate": null, "MinResponseDataRate": { "BytesPerSecond": null }
        } } }"#,
        &[],
        |_| {},
    );
    assert_eq!(settings.problems, []);
    let expected = Limits {
        max_request_body_size: None,
        max_request_buffer_size: None,
        max_response_buffer_size: None,
        min_request_body_data_rate: None,
        ..Limits::default()
    };
    assert_eq!(settings.server.limits, expected);
}

#[test]
fn the_stronger_source_says_whether_there_is_a_rate() {
    let rates = r#"{ "Kestrel": { "Limits": { "MinRequestBodyDataRate":
        { "BytesPerSecond": 1000, "GracePeriod": "00:00:02" } } } }"#;
    let none = r#"{ "Kestrel": { "Limits": { "MinRequestBodyDataRate": null } } }"#;
    let whole = "Kestrel__Limits__MinRequestBodyDataRate";
    let half = "Kestrel__Limits__MinRequestBodyDataRate__BytesPerSecond";
    let rate = |bytes, seconds| MinDataRate::new(bytes, Duration::from_secs(seconds)).ok();
    for (json, variables, expected) in [
        (rates, &[][..], rate(1000.0, 2)),
        (rates, &[(half, "500.5")], rate(500.5, 2)),
        (rates, &[(whole, "")], None),
        (none, &[], None),
        (none, &[(half, "500")], rate(500.0, 5)),
        ("{}", &[(whole, ""), (half, "500")], rate(500.0, 5)),
    ] {
        let settings = read_file(json, variables, |_| {});
        assert_eq!(settings.problems, []);
        let limits = settings.server.limits;
        assert_eq!(limits.min_request_body_data_rate, expected, "{json} {variables:?}");
        assert_eq!(limits.min_response_data_rate, Some(MinDataRate::DEFAULT));
    }
    let settings = read(&["--Kestrel:Limits:MinResponseDataRate=240"], &[]);
    assert_eq!(
        told(&settings, Severity::Error),
        [
            "Failed to convert configuration value '240' at 'Kestrel:Limits:MinResponseDataRate' to type 'Microsoft.AspNetCore.Server.Kestrel.Core.MinDataRate'."
        ]
    );
}

/// Every problem as it is printed.
fn printed(settings: &HostSettings) -> Vec<String> {
    settings.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn limits_that_do_not_go_together_name_both() {
    let limit = |name: &str, value| format!("--Kestrel:Limits:{name}={value}");
    let [buffer, line, headers] =
        ["MaxRequestBufferSize", "MaxRequestLineSize", "MaxRequestHeadersTotalSize"];
    for (arguments, expected) in [
        (
            vec![limit(buffer, "1000")],
            vec![
                "Maximum request buffer size (1000) must be greater than or equal to maximum request line size (8192).
  set by: command line, argument 0 (--Kestrel:Limits:MaxRequestBufferSize), key Kestrel:Limits:MaxRequestBufferSize
  fix: write 32768 or more, or lower Kestrel:Limits:MaxRequestLineSize, which has its default",
                "Maximum request buffer size (1000) must be greater than or equal to maximum request header size (32768).
  set by: command line, argument 0 (--Kestrel:Limits:MaxRequestBufferSize), key Kestrel:Limits:MaxRequestBufferSize
  fix: write 32768 or more, or lower Kestrel:Limits:MaxRequestHeadersTotalSize, which has its default",
            ],
        ),
        (
            vec![limit(line, "2000000")],
            vec![
                "Maximum request buffer size (1048576) must be greater than or equal to maximum request line size (2000000).
  set by: command line, argument 0 (--Kestrel:Limits:MaxRequestLineSize), key Kestrel:Limits:MaxRequestLineSize
  fix: write 1048576 or less, or raise Kestrel:Limits:MaxRequestBufferSize, which has its default",
            ],
        ),
        (
            vec![limit(buffer, "1000"), limit(line, "1000"), limit(headers, "1001")],
            vec![
                "Maximum request buffer size (1000) must be greater than or equal to maximum request header size (1001).
  set by: command line, argument 0 (--Kestrel:Limits:MaxRequestBufferSize), key Kestrel:Limits:MaxRequestBufferSize
  fix: write 1001 or more, or lower Kestrel:Limits:MaxRequestHeadersTotalSize, which is set by command line, argument 2 (--Kestrel:Limits:MaxRequestHeadersTotalSize)",
            ],
        ),
        (vec![limit(buffer, "1000"), limit(line, "1000"), limit(headers, "1000")], vec![]),
        (vec![limit(buffer, ""), limit(line, "2000000")], vec![]),
        (
            // One that is refused is not blamed for its default as well.
            vec![limit(buffer, "1k"), limit(line, "2000000")],
            vec![
                "Failed to convert configuration value '1k' at 'Kestrel:Limits:MaxRequestBufferSize' to type 'System.Int64'.
  '1k' is no whole number.
  set by: command line, argument 0 (--Kestrel:Limits:MaxRequestBufferSize), key Kestrel:Limits:MaxRequestBufferSize
  fix: write a whole number, without a unit",
            ],
        ),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let settings = read(&arguments, &[]);
        assert_eq!(printed(&settings), expected, "{arguments:?}");
    }
}

#[test]
fn a_window_that_its_connection_does_not_have_is_odd() {
    for (name, value, message, fix) in [
        (
            "InitialStreamWindowSize",
            "2000000",
            "An HTTP/2 request body cannot use its window of 2000000 bytes: its connection has 1048576.",
            "write 1048576 or less, or raise Kestrel:Limits:Http2:InitialConnectionWindowSize, which has its default",
        ),
        (
            "InitialConnectionWindowSize",
            "65535",
            "An HTTP/2 request body cannot use its window of 786432 bytes: its connection has 65535.",
            "write 786432 or more, or lower Kestrel:Limits:Http2:InitialStreamWindowSize, which has its default",
        ),
    ] {
        let settings = read(&[&format!("--Kestrel:Limits:Http2:{name}={value}")], &[]);
        assert_eq!(told(&settings, Severity::Error), [""; 0]);
        assert_eq!(told(&settings, Severity::Warning), [message]);
        assert_eq!(settings.problems[0].fix.as_deref(), Some(fix));
    }
}

#[test]
fn what_is_not_there_yet_is_told() {
    let settings = read_file(
        r#"{ "Kestrel": { "Limits": { "Http3": { "MaxRequestHeaderFieldSize": 1 }, "Http2": {} } } }"#,
        &[],
        |_| {},
    );
    assert_eq!(
        told(&settings, Severity::Warning),
        ["Kestrel:Limits:Http3 has no effect in this version: HTTP/3 is not spoken."]
    );
}

#[test]
fn code_has_the_last_word() {
    let json = r#"{ "Kestrel": { "AddServerHeader": false, "Limits": {
        "MaxRequestLineSize": 1000, "MaxRequestHeaderCount": 7, "MaxRequestBufferSize": 5000 } } }"#;
    let settings = read_file(json, &[], |options| {
        assert_eq!(options.limits.max_request_line_size, 1000);
        options.add_server_header = true;
        options.limits.max_request_line_size = 2000;
        // The default would be too large for the file's buffer.
        options.limits.max_request_headers_total_size = 5000;
        options.limits.keep_alive_timeout = Duration::MAX;
    });
    assert_eq!(settings.problems, []);
    let ServerOptions { add_server_header, limits, .. } = settings.server;
    assert!(add_server_header);
    assert_eq!((limits.max_request_line_size, limits.max_request_header_count), (2000, 7));
}

#[test]
fn code_is_held_to_the_same_ranges() {
    let variables = [("Kestrel__Limits__MaxRequestBufferSize", "40000")];
    let settings = read_file("{}", &variables, |options| {
        let limits = &mut options.limits;
        limits.max_concurrent_connections = Some(0);
        limits.max_request_header_count = 1 << 31;
        limits.request_headers_timeout = Duration::ZERO;
        limits.http2.max_frame_size = 1;
        limits.http2.keep_alive_ping_delay = Some(Duration::from_millis(5));
        limits.max_request_headers_total_size = 50_000;
    });
    let expected = [
        "Value must be null or a positive number. 'Kestrel:Limits:MaxConcurrentConnections' is '0'.
  set by: code (configure_kestrel), key Kestrel:Limits:MaxConcurrentConnections
  fix: write 1 or more, or None for no limit",
        "Value must be a positive number. 'Kestrel:Limits:MaxRequestHeaderCount' is '2147483648'.
  set by: code (configure_kestrel), key Kestrel:Limits:MaxRequestHeaderCount
  fix: write 1 to 2147483647",
        "A value between 16384 and 16777215 is required. 'Kestrel:Limits:Http2:MaxFrameSize' is '1'.
  set by: code (configure_kestrel), key Kestrel:Limits:Http2:MaxFrameSize
  fix: write 16384 to 16777215",
        "Value must be a positive TimeSpan. 'Kestrel:Limits:RequestHeadersTimeout' is '0ns'.
  A TimeSpan is a length of time.
  set by: code (configure_kestrel), key Kestrel:Limits:RequestHeadersTimeout
  fix: write more than 00:00:00, or Limits::NEVER for never",
        "A TimeSpan value greater than or equal to 00:00:01 is required. 'Kestrel:Limits:Http2:KeepAlivePingDelay' is '5ms'.
  A TimeSpan is a length of time.
  set by: code (configure_kestrel), key Kestrel:Limits:Http2:KeepAlivePingDelay
  fix: write 00:00:01 or more, or Limits::NEVER for never",
        "Maximum request buffer size (40000) must be greater than or equal to maximum request header size (50000).
  set by: environment variable Kestrel__Limits__MaxRequestBufferSize, key Kestrel:Limits:MaxRequestBufferSize
  fix: write 50000 or more, or lower Kestrel:Limits:MaxRequestHeadersTotalSize, which is set by code (configure_kestrel)",
    ];
    assert_eq!(printed(&settings), expected);
}

#[test]
fn no_fix_is_a_value_that_would_be_refused_next() {
    for (key, value) in [
        ("KeepAliveTimeout", "0"),
        ("KeepAliveTimeout", "0s"),
        ("RequestHeadersTimeout", "0ms"),
        ("Http2:KeepAlivePingDelay", "0"),
        ("Http2:KeepAlivePingDelay", "500ms"),
        ("Http2:KeepAlivePingTimeout", "0s"),
        ("MinRequestBodyDataRate:GracePeriod", "1"),
        ("MinResponseDataRate:GracePeriod", "1s"),
    ] {
        let argument = format!("--Kestrel:Limits:{key}={value}");
        let settings = read(&[&argument], &[]);
        let [problem] = &settings.problems[..] else { panic!("{:?}", settings.problems) };
        let fix = problem.fix.clone().unwrap_or_default();
        let range = fix.starts_with("write more than 00:00:0") || fix.contains(" or more, or ");
        assert!(range, "{key} {value}: {fix}");
    }
    // One that is in range is written out as before.
    let settings = read(&["--Kestrel:Limits:KeepAliveTimeout=30s"], &[]);
    let fix = settings.problems[0].fix.as_deref();
    assert_eq!(fix, Some("write 00:00:30, which is hours:minutes:seconds"));
}

#[test]
fn two_numbers_are_told_both_of_their_meanings() {
    for (text, expected) in [
        ("30:00", "write 00:30:00 for minutes and seconds, or 1.06:00:00 for hours and minutes"),
        ("00:90", "write 00:01:30 for minutes and seconds, or 01:30:00 for hours and minutes"),
        (
            "30:00:00",
            "write 1.06:00:00: hours end at 23, minutes and seconds at 59, and days stand before them with a dot",
        ),
    ] {
        let settings = read(&[&format!("--Kestrel:Limits:KeepAliveTimeout={text}")], &[]);
        assert_eq!(settings.problems[0].fix.as_deref(), Some(expected), "{text}");
    }
}
