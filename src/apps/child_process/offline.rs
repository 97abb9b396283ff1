//! The file whose presence closes an app: `app_offline.htm`.

use std::path::Path;

use bytes::Bytes;

/// Larger pages are none.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What the file says, if it is there.
pub(super) fn page(path: &Path) -> Option<Bytes> {
    let facts = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    // One that cannot be read closes the app all the same.
    let page = (facts.len() <= LARGEST).then(|| std::fs::read(path).ok()).flatten();
    Some(page.unwrap_or_default().into())
}
