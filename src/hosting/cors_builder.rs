//! What a program says of pages of other origins, beside the section `Cors`.

use super::builder::HostBuilder;
use crate::middleware::OriginCheck;

impl HostBuilder {
    /// Lets code say whose pages may read answers by a policy, beside the origins that
    /// `Cors:Policies:{policy}:Origins` lists; a policy that the configuration does not know is made by it. It is asked
    /// with the origin as the browser sends it, for every request that has one, so it should not take long.
    /// It counts while `Cors:Enabled` is true. (What `SetIsOriginAllowed` is in ASP.NET Core.)
    ///
    /// ```
    /// use kestrel::Host;
    ///
    /// let builder = Host::builder()
    ///     .use_setting("Cors:Enabled", "true")
    ///     .cors_origins("default", |origin| origin.ends_with(".customer.example"));
    /// ```
    pub fn cors_origins(
        mut self,
        policy: impl Into<String>,
        is_allowed: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.0.cors.checks.push((policy.into(), OriginCheck::new(is_allowed)));
        self
    }

    /// Gives requests whose paths begin with `path` a policy of their own, one of `Cors:Policies`, in the place of
    /// the one that counts for all. Paths are compared by whole segments, in any case; the longest one wins. One that
    /// is not there refuses the start. (What `RequireCors` is in ASP.NET Core.)
    ///
    /// ```
    /// use kestrel::Host;
    ///
    /// let builder = Host::builder()
    ///     .use_setting("Cors:Enabled", "true")
    ///     .use_setting("Cors:Policies:partners:Origins:0", "https://partner.example")
    ///     .cors_policy("/api/partners", "partners");
    /// ```
    pub fn cors_policy(mut self, path: impl Into<String>, policy: impl Into<String>) -> Self {
        self.0.cors.paths.push((path.into(), Some(policy.into())));
        self
    }

    /// Lets no page of another origin read what is at `path` and below it, whatever the policies say: preflight
    /// requests are answered without a permission. (What `[DisableCors]` is in ASP.NET Core.)
    ///
    /// ```
    /// use kestrel::Host;
    ///
    /// let builder = Host::builder()
    ///     .use_setting("Cors:Enabled", "true")
    ///     .use_setting("Cors:Policies:default:Origins:0", "*")
    ///     .without_cors("/account");
    /// ```
    pub fn without_cors(mut self, path: impl Into<String>) -> Self {
        self.0.cors.paths.push((path.into(), None));
        self
    }
}
