//! Every format, against lines recorded from the reference.

use super::*;

#[test]
fn simple_lines() {
    assert_logs(
        console(FormatterName::Simple),
        || {
            listening();
            started();
        },
        &[
            "info: Microsoft.Hosting.Lifetime[14]",
            "      Now listening on: http://localhost:5000",
            "info: Microsoft.Hosting.Lifetime[0]",
            "      Application started. Press Ctrl+C to shut down.",
            "info: Microsoft.Hosting.Lifetime[0]",
            "      Hosting environment: Production",
        ],
    );
}

#[test]
fn simple_on_one_line() {
    let options = ConsoleOptions {
        single_line: true,
        include_scopes: true,
        ..console(FormatterName::Simple)
    };
    assert_logs(
        options,
        || {
            listening();
            failed_in_a_request();
        },
        &[
            "info: Microsoft.Hosting.Lifetime[14] Now listening on: http://localhost:5000",
            "fail: Microsoft.AspNetCore.Server.Kestrel[13] => SpanId:202d3b2880927d7a, TraceId:3634779b0af9d07aa3d4a91b013bec25, ParentId:0000000000000000 => ConnectionId:0HN1 => RequestPath:/throw RequestId:0HN1:00000001 Connection id \"0HN1\", Request id \"0HN1:00000001\": An unhandled exception was thrown by the application. System.InvalidOperationException: thrown by the app    at Program.<>c__DisplayClass0_0.<<<Main>$>b__4>d.MoveNext() in /src/app/Program.cs:line 115 --- End of stack trace from previous location ---",
        ],
    );
}

#[test]
fn simple_scopes_and_detail() {
    let options = ConsoleOptions {
        include_scopes: true,
        timestamp_format: Some("'19:36:48 '".to_owned()),
        ..console(FormatterName::Simple)
    };
    assert_logs(
        options,
        failed_in_a_request,
        &[
            "19:36:48 fail: Microsoft.AspNetCore.Server.Kestrel[13]",
            "      => SpanId:202d3b2880927d7a, TraceId:3634779b0af9d07aa3d4a91b013bec25, ParentId:0000000000000000 => ConnectionId:0HN1 => RequestPath:/throw RequestId:0HN1:00000001",
            "      Connection id \"0HN1\", Request id \"0HN1:00000001\": An unhandled exception was thrown by the application.",
            "      System.InvalidOperationException: thrown by the app",
            "         at Program.<>c__DisplayClass0_0.<<<Main>$>b__4>d.MoveNext() in /src/app/Program.cs:line 115",
            "      --- End of stack trace from previous location ---",
        ],
    );
}

#[test]
fn systemd_lines() {
    let options = ConsoleOptions { include_scopes: true, ..console(FormatterName::Systemd) };
    assert_logs(
        options,
        || {
            listening();
            failed_in_a_request();
            ordinary();
        },
        &[
            "<6>Microsoft.Hosting.Lifetime[14] Now listening on: http://localhost:5000",
            "<3>Microsoft.AspNetCore.Server.Kestrel[13] => SpanId:202d3b2880927d7a, TraceId:3634779b0af9d07aa3d4a91b013bec25, ParentId:0000000000000000 => ConnectionId:0HN1 => RequestPath:/throw RequestId:0HN1:00000001 Connection id \"0HN1\", Request id \"0HN1:00000001\": An unhandled exception was thrown by the application. System.InvalidOperationException: thrown by the app    at Program.<>c__DisplayClass0_0.<<<Main>$>b__4>d.MoveNext() in /src/app/Program.cs:line 115 --- End of stack trace from previous location ---",
            "<4>my_app[0] two lines 1 count=3 name=x\\u000Ay ratio=0.5 on=true",
            "<7>my_app[0] count=3",
            "<6>my_app[0]",
        ],
    );
}

#[test]
fn values_cannot_forge_a_line() {
    assert_logs(
        console(FormatterName::Simple),
        forged,
        &[
            "info: Microsoft.AspNetCore.Hosting.Diagnostics[1]",
            "      Request starting /a\\u001B[31m\\u000D\\u000A\\u0007info: Forged[0]\\u000Db - (null)",
            "info: Microsoft.AspNetCore.Hosting.Diagnostics[1]",
            "      Request starting /a\\u000Ab",
        ],
    );
}

#[test]
fn ordinary_events_carry_their_fields() {
    assert_logs(
        console(FormatterName::Simple),
        ordinary,
        &[
            "warn: my_app[0]",
            "      two",
            "      lines 1 count=3 name=x\\u000Ay ratio=0.5 on=true",
            "dbug: my_app[0]",
            "      count=3",
            "info: my_app[0]",
        ],
    );
}

#[test]
fn json_lines() {
    assert_logs(
        console(FormatterName::Json),
        || {
            listening();
            started();
            ordinary();
        },
        &[
            r#"{"EventId":14,"LogLevel":"Information","Category":"Microsoft.Hosting.Lifetime","Message":"Now listening on: http://localhost:5000","State":{"address":"http://localhost:5000","{OriginalFormat}":"Now listening on: {address}"}}"#,
            r#"{"EventId":0,"LogLevel":"Information","Category":"Microsoft.Hosting.Lifetime","Message":"Application started. Press Ctrl\u002BC to shut down.","State":{"{OriginalFormat}":"Application started. Press Ctrl\u002BC to shut down."}}"#,
            r#"{"EventId":0,"LogLevel":"Information","Category":"Microsoft.Hosting.Lifetime","Message":"Hosting environment: Production","State":{"EnvName":"Production","{OriginalFormat}":"Hosting environment: {EnvName}"}}"#,
            r#"{"EventId":0,"LogLevel":"Warning","Category":"my_app","Message":"two\nlines 1","State":{"count":3,"name":"x\ny","ratio":0.5,"on":true,"absent":null,"{OriginalFormat}":"two\nlines 1"}}"#,
            r#"{"EventId":0,"LogLevel":"Debug","Category":"my_app","Message":"","State":{"count":3,"{OriginalFormat}":""}}"#,
            r#"{"EventId":0,"LogLevel":"Information","Category":"my_app","Message":"","State":{"{OriginalFormat}":""}}"#,
        ],
    );
}

#[test]
fn json_scopes_and_exception() {
    let options = ConsoleOptions {
        include_scopes: true,
        timestamp_format: Some("'+'".to_owned()),
        ..console(FormatterName::Json)
    };
    assert_logs(
        options,
        || {
            event!(target: "A", Level::INFO, event.template = "Outside");
            failed_in_a_request();
        },
        &[
            r#"{"Timestamp":"\u002B","EventId":0,"LogLevel":"Information","Category":"A","Message":"Outside","State":{"{OriginalFormat}":"Outside"},"Scopes":[]}"#,
            r#"{"Timestamp":"\u002B","EventId":13,"LogLevel":"Error","Category":"Microsoft.AspNetCore.Server.Kestrel","Message":"Connection id \u00220HN1\u0022, Request id \u00220HN1:00000001\u0022: An unhandled exception was thrown by the application.","Exception":"System.InvalidOperationException: thrown by the app\n   at Program.\u003C\u003Ec__DisplayClass0_0.\u003C\u003C\u003CMain\u003E$\u003Eb__4\u003Ed.MoveNext() in /src/app/Program.cs:line 115\n--- End of stack trace from previous location ---","State":{"ConnectionId":"0HN1","TraceIdentifier":"0HN1:00000001","{OriginalFormat}":"Connection id \u0022{ConnectionId}\u0022, Request id \u0022{TraceIdentifier}\u0022: An unhandled exception was thrown by the application."},"Scopes":[{"Message":"SpanId:202d3b2880927d7a, TraceId:3634779b0af9d07aa3d4a91b013bec25, ParentId:0000000000000000","SpanId":"202d3b2880927d7a","TraceId":"3634779b0af9d07aa3d4a91b013bec25","ParentId":"0000000000000000"},{"Message":"ConnectionId:0HN1","ConnectionId":"0HN1"},{"Message":"RequestPath:/throw RequestId:0HN1:00000001","RequestId":"0HN1:00000001","RequestPath":"/throw"}]}"#,
        ],
    );
}

#[test]
fn json_indented() {
    let options = ConsoleOptions {
        include_scopes: true,
        json_indented: true,
        ..console(FormatterName::Json)
    };
    assert_logs(
        options,
        listening,
        &[
            "{",
            "  \"EventId\": 14,",
            "  \"LogLevel\": \"Information\",",
            "  \"Category\": \"Microsoft.Hosting.Lifetime\",",
            "  \"Message\": \"Now listening on: http://localhost:5000\",",
            "  \"State\": {",
            "    \"address\": \"http://localhost:5000\",",
            "    \"{OriginalFormat}\": \"Now listening on: {address}\"",
            "  },",
            "  \"Scopes\": []",
            "}",
        ],
    );
}

#[test]
fn every_level_has_its_color() {
    let options = ConsoleOptions {
        color_behavior: ColorBehavior::Enabled,
        single_line: true,
        ..console(FormatterName::Simple)
    };
    assert_logs(
        options,
        || {
            tracing::trace!(target: "A", "m");
            tracing::debug!(target: "A", "m");
            tracing::info!(target: "A", "m");
            tracing::warn!(target: "A", "m");
            tracing::error!(target: "A", "m");
            event!(target: "A", Level::ERROR, event.critical = true, event.template = "m");
        },
        &[
            "\x1b[40m\x1b[37mtrce\x1b[39m\x1b[22m\x1b[49m: A[0] m",
            "\x1b[40m\x1b[37mdbug\x1b[39m\x1b[22m\x1b[49m: A[0] m",
            "\x1b[40m\x1b[32minfo\x1b[39m\x1b[22m\x1b[49m: A[0] m",
            "\x1b[40m\x1b[1m\x1b[33mwarn\x1b[39m\x1b[22m\x1b[49m: A[0] m",
            "\x1b[41m\x1b[30mfail\x1b[39m\x1b[22m\x1b[49m: A[0] m",
            "\x1b[41m\x1b[1m\x1b[37mcrit\x1b[39m\x1b[22m\x1b[49m: A[0] m",
        ],
    );
}
