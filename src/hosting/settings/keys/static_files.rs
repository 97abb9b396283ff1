//! The rows of what is served from the web root.

use super::row::{Key, Kind, Others, any, boolean, list, names, text, words};
use crate::features::HttpsCompression;

pub(super) const WEB_ROOT: Key = text(
    "webroot",
    Kind::Path,
    "the folder of files to serve; one that is named here is made at the start if it is missing",
)
.default_in_words("`wwwroot` in the content root");

pub(super) const STATIC_FILES: Key = names(
    "StaticFiles",
    Others::Nothing,
    &[
        boolean(
            "Enabled",
            "false",
            "serve the files of the web root; `kestrel run` does so without being asked, if there is one",
        ),
        text("RequestPath", Kind::Text, "below which path, such as `/files`")
            .default_in_words("everywhere"),
        boolean(
            "ServeUnknownFileTypes",
            "false",
            "serve files whose name says no known content type, too",
        ),
        text("DefaultContentType", Kind::Text, "the content type of those")
            .default_in_words("none is sent"),
        words(
            "HttpsCompression",
            &HttpsCompression::NAMES,
            "whether `ResponseCompression` may compress them over TLS",
        )
        .default("Compress"),
        boolean(
            "RedirectToAppendTrailingSlash",
            "true",
            "send who asks for a folder without a slash at the end to the one with it",
        ),
        boolean(
            "Precompressed",
            "false",
            "send `app.js.br`, `.zst` or `.gz` in the place of `app.js` to who takes it",
        ),
        text("NotFoundPage", Kind::Text, "the page that is sent with 404, from the web root on")
            .default_in_words("`404.html` of `kestrel run`, if it is there"),
        any(
            "Headers",
            "/assets/*",
            &any(
                "{Pattern}",
                "Cache-Control",
                &text("{Header}", Kind::Text, "its value"),
                "the headers of files that are called so",
            ),
            "headers by name or path; `*` is any text, and of several patterns the longer one counts",
        ),
    ],
    "files and folders",
)
.at_once();

pub(super) const DEFAULT_FILES: Key = names(
    "DefaultFiles",
    Others::Nothing,
    &[
        boolean("Enabled", "true", "answer a folder with a file in it, wherever files are served"),
        list(
            "DefaultFileNames",
            &text("{Number}", Kind::Text, "a name"),
            "which one, the first that is there",
        )
        .default_in_words("`default.htm`, `default.html`, `index.htm`, `index.html`"),
    ],
    "the page of a folder",
)
.at_once();

pub(super) const DIRECTORY_BROWSER: Key = names(
    "DirectoryBrowser",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "show what is in a folder"),
        text("RequestPath", Kind::Text, "below which path").default_in_words("everywhere"),
        boolean(
            "RedirectToAppendTrailingSlash",
            "true",
            "send who asks for a folder without a slash at the end to the one with it",
        ),
    ],
    "lists of folders",
)
.at_once();

pub(super) const NAVIGATION_FALLBACK: Key = names(
    "NavigationFallback",
    Others::Nothing,
    &[text(
        "Path",
        Kind::Text,
        "the page of a single-page app, such as `index.html`: the answer to a path without an extension that nothing else has",
    )],
    "single-page apps",
)
.at_once();
