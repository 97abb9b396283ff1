//! Statuses in words, as ASP.NET Core has them.

/// The reason phrase of a status; `None` of one that has no name.
pub(super) fn reason(status: u16) -> Option<&'static str> {
    REASONS.iter().find(|(own, _)| *own == status).map(|(_, reason)| *reason)
}

/// The title of a problem with this status.
pub(super) fn title(status: u16) -> Option<&'static str> {
    match status {
        413 => Some("Content Too Large"),
        500 => Some("An error occurred while processing your request."),
        status => reason(status),
    }
}

/// Where the status is defined; `None` of one that ASP.NET Core has no link for.
pub(super) fn definition(status: u16) -> Option<String> {
    let section = match status {
        400 | 401 | 403..=417 => format!("rfc9110#section-15.5.{}", status - 399),
        421 => "rfc9110#section-15.5.20".to_owned(),
        426 => "rfc9110#section-15.5.22".to_owned(),
        422 => "rfc4918#section-11.2".to_owned(),
        500..=505 => format!("rfc9110#section-15.6.{}", status - 499),
        _ => return None,
    };
    Some(format!("https://tools.ietf.org/html/{section}"))
}

const REASONS: [(u16, &str); 41] = [
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (410, "Gone"),
    (411, "Length Required"),
    (412, "Precondition Failed"),
    (413, "Payload Too Large"),
    (414, "URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Range Not Satisfiable"),
    (417, "Expectation Failed"),
    (418, "I'm a teapot"),
    (419, "Authentication Timeout"),
    (421, "Misdirected Request"),
    (422, "Unprocessable Entity"),
    (423, "Locked"),
    (424, "Failed Dependency"),
    (426, "Upgrade Required"),
    (428, "Precondition Required"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (451, "Unavailable For Legal Reasons"),
    (499, "Client Closed Request"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (505, "HTTP Version Not Supported"),
    (506, "Variant Also Negotiates"),
    (507, "Insufficient Storage"),
    (508, "Loop Detected"),
    (510, "Not Extended"),
    (511, "Network Authentication Required"),
];
