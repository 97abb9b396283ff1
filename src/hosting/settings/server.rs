//! The server's options: those of `Kestrel` itself here, `Kestrel:Limits` in [`limits`].

use super::limits;
use super::parse::read_boolean;
use crate::configuration::{Configuration, Origin, Problem};
use crate::server::ServerOptions;

/// Reads the options, lets code have the last word, and checks what came out.
pub(super) fn read(
    configuration: &Configuration,
    code: impl FnOnce(&mut ServerOptions),
    problems: &mut Vec<Problem>,
) -> ServerOptions {
    let mut options = ServerOptions::default();
    for (name, option) in [
        ("AddServerHeader", &mut options.add_server_header),
        ("AllowAlternateSchemes", &mut options.allow_alternate_schemes),
        ("AllowHostHeaderOverride", &mut options.allow_host_header_override),
        ("AllowResponseHeaderCompression", &mut options.allow_response_header_compression),
        ("DisableHttp1LineFeedTerminators", &mut options.disable_http1_line_feed_terminators),
    ] {
        if let Some(value) = read_boolean(configuration, &format!("Kestrel:{name}"), problems) {
            *option = value;
        }
    }
    options.limits = limits::read(configuration, problems);
    let configured = options.limits.clone();
    code(&mut options);
    limits::check(configuration, &configured, &options.limits, problems);
    if options.handshake_timeout.is_zero() {
        problems.push(
            Problem::error("HandshakeTimeout: Value must be a positive TimeSpan.")
                .cause("A TimeSpan is a length of time.")
                .key("handshake_timeout")
                .origin(Origin::Code("configure_kestrel"))
                .fix("give clients some time, or Limits::NEVER for no limit"),
        );
    }
    options
}
