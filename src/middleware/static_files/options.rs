//! What is served, and how.

use std::path::PathBuf;

use http::HeaderValue;

use super::header_rules::HeaderRule;
use crate::features::HttpsCompression;

/// What is served from a folder. (What `FileServerOptions` is in ASP.NET Core, and `MapFallbackToFile`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StaticFilesOptions {
    /// The web root.
    pub(crate) root: PathBuf,
    /// How files are served, if they are.
    pub(crate) files: Option<FileOptions>,
    /// How folders are shown, if they are.
    pub(crate) browser: Option<BrowserOptions>,
    /// The page of a single-page app, from the root on: what it answers for pages that nothing else has.
    pub(crate) fallback: Option<String>,
    /// What is sent with 404, from the root on, if it is there.
    pub(crate) not_found_page: Option<String>,
    /// What answers everything else.
    pub(crate) behind: Behind,
}

/// What answers a request that no file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// What follows in the pipeline.
    App,
    /// Nothing: it is not found.
    Nothing,
}

/// How files are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileOptions {
    /// Below which path: empty, or `/` and segments.
    pub(crate) request_path: String,
    /// Whether files are served whose content type nobody knows.
    pub(crate) unknown_types: bool,
    /// The content type of those.
    pub(crate) default_type: Option<HeaderValue>,
    /// What folders are asked for, the first that is there.
    pub(crate) default_files: Vec<String>,
    /// Whether a folder that is asked for without a slash is asked for again with it.
    pub(crate) redirects: bool,
    /// Whether `app.js.br` is sent in the place of `app.js` to who takes it.
    pub(crate) precompressed: bool,
    pub(crate) https_compression: HttpsCompression,
    pub(crate) headers: Vec<HeaderRule>,
}

impl Default for FileOptions {
    /// As in ASP.NET Core, default files included.
    fn default() -> Self {
        Self {
            request_path: String::new(),
            unknown_types: false,
            default_type: None,
            default_files: DEFAULT_FILES.map(str::to_owned).to_vec(),
            redirects: true,
            precompressed: false,
            https_compression: HttpsCompression::Compress,
            headers: Vec::new(),
        }
    }
}

/// What folders are asked for unless configured.
pub(crate) const DEFAULT_FILES: [&str; 4] =
    ["default.htm", "default.html", "index.htm", "index.html"];

/// How folders are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrowserOptions {
    /// Below which path: empty, or `/` and segments.
    pub(crate) request_path: String,
    /// Whether a folder that is asked for without a slash is asked for again with it.
    pub(crate) redirects: bool,
}
