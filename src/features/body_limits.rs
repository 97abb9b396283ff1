//! What limits the body of one request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::MinDataRate;

/// The limits of one request's body, which may be changed until the app starts to read it.
///
/// The server puts it into the extensions of every request that has a body, with the server's own
/// limits as first values. (What `IHttpMaxRequestBodySizeFeature` and
/// `IHttpMinRequestBodyDataRateFeature` are in ASP.NET Core.)
///
/// ```
/// use axum::body::Bytes;
/// use axum::extract::Request;
/// use kestrel::RequestBodyLimits;
///
/// async fn upload(request: Request) -> Result<String, kestrel::Unhandled> {
///     if let Some(limits) = request.extensions().get::<RequestBodyLimits>() {
///         limits.set_max_size(Some(1_000_000_000))?;
///     }
///     let body = axum::body::to_bytes(request.into_body(), usize::MAX).await?;
///     Ok(format!("{} bytes", body.len()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct RequestBodyLimits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `u64::MAX` is no limit: nothing can be larger.
    max_size: AtomicU64,
    min_data_rate: Mutex<Option<MinDataRate>>,
    reading: AtomicBool,
    /// A stage has made more of it than may be.
    exceeded: AtomicBool,
}

/// Why a limit cannot be changed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyLimitReadOnly {
    /// The app has begun to read the body.
    #[error(
        "The maximum request body size cannot be modified after the app has already started reading from the request body."
    )]
    Reading,
}

impl RequestBodyLimits {
    pub(crate) fn new(max_size: Option<u64>, min_data_rate: Option<MinDataRate>) -> Self {
        Self(Arc::new(Shared {
            max_size: AtomicU64::new(max_size.unwrap_or(u64::MAX)),
            min_data_rate: Mutex::new(min_data_rate),
            reading: AtomicBool::new(false),
            exceeded: AtomicBool::new(false),
        }))
    }

    /// The largest body in bytes, `None` for no limit.
    pub fn max_size(&self) -> Option<u64> {
        Some(self.0.max_size.load(Ordering::Relaxed)).filter(|size| *size != u64::MAX)
    }

    /// Sets the largest body, `None` for no limit.
    ///
    /// # Errors
    ///
    /// The app has begun to read.
    pub fn set_max_size(&self, max_size: Option<u64>) -> Result<(), BodyLimitReadOnly> {
        if self.is_read_only() {
            return Err(BodyLimitReadOnly::Reading);
        }
        self.0.max_size.store(max_size.unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(())
    }

    /// Whether the largest body can still be changed.
    pub fn is_read_only(&self) -> bool {
        self.0.reading.load(Ordering::Acquire)
    }

    /// The slowest the body may come, `None` if it may take for ever.
    pub fn min_data_rate(&self) -> Option<MinDataRate> {
        *self.0.min_data_rate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the slowest the body may come, `None` to let it take for ever. It can be changed at
    /// any time.
    pub fn set_min_data_rate(&self, rate: Option<MinDataRate>) {
        *self.0.min_data_rate.lock().unwrap_or_else(PoisonError::into_inner) = rate;
    }

    /// What became of the body on its way to the app is larger than it may be.
    pub(crate) fn exceed(&self) {
        self.0.exceeded.store(true, Ordering::Release);
    }

    pub(crate) fn is_exceeded(&self) -> bool {
        self.0.exceeded.load(Ordering::Acquire)
    }

    /// The app reads for the first time.
    pub(crate) fn reading_starts(&self) {
        self.0.reading.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_can_be_changed_until_reading_starts() {
        let limits = RequestBodyLimits::new(Some(3), Some(MinDataRate::DEFAULT));
        assert_eq!(limits.max_size(), Some(3));
        limits.set_max_size(None).unwrap();
        assert_eq!(limits.max_size(), None);
        assert!(!limits.is_read_only());
        limits.reading_starts();
        assert!(limits.is_read_only());
        assert_eq!(limits.set_max_size(Some(5)), Err(BodyLimitReadOnly::Reading));
        assert_eq!(limits.max_size(), None);
        limits.set_min_data_rate(None);
        assert_eq!(limits.min_data_rate(), None);
    }
}
