//! Where certificates are kept for a user, as .NET lays it out.

use std::path::PathBuf;

/// The folders and variables that decide where certificates are looked for. Taken once from the
/// process, so that everything here is a function of its input.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command line reads the rest"))]
pub(crate) struct Places {
    /// The user's home folder: `HOME`, else what the system says of the account.
    pub(crate) home: PathBuf,
    /// `APPDATA`, which decides where development files are, on Unix, too.
    pub(crate) app_data: Option<PathBuf>,
    /// `SSL_CERT_DIR` and `SSL_CERT_FILE`: what OpenSSL trusts.
    pub(crate) ssl_cert_dir: Option<String>,
    pub(crate) ssl_cert_file: Option<String>,
    /// `PATH`, to find `openssl` and `certutil`.
    pub(crate) path: Option<String>,
    /// `DOTNET_DEV_CERTS_OPENSSL_CERTIFICATE_DIRECTORY`, in the place of the trust folder.
    pub(crate) openssl_trust_folder: Option<PathBuf>,
    /// `DOTNET_DEV_CERTS_NSSDB_PATHS`: a `:` list in the place of the known NSS databases.
    pub(crate) nss_databases: Option<String>,
}

impl Places {
    /// Reads them from environment variables. `account_home` is for a process without `HOME`.
    pub(crate) fn new(variables: &[(String, String)], account_home: Option<PathBuf>) -> Self {
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| {
                // Windows has `Path`, and does not tell names apart by case.
                known == name || (cfg!(windows) && known.eq_ignore_ascii_case(name))
            });
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        Self {
            home: value("HOME").map(folder).or(account_home).unwrap_or_default(),
            app_data: value("APPDATA").map(folder),
            ssl_cert_dir: value("SSL_CERT_DIR"),
            ssl_cert_file: value("SSL_CERT_FILE"),
            path: value("PATH"),
            openssl_trust_folder: value("DOTNET_DEV_CERTS_OPENSSL_CERTIFICATE_DIRECTORY")
                .map(PathBuf::from),
            nss_databases: value("DOTNET_DEV_CERTS_NSSDB_PATHS"),
        }
    }

    /// The folder of one of the user's certificate stores, such as `My` or `Root`.
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        // Part by part, for the separator of the system.
        let mut store = self.home.clone();
        store.extend([".dotnet", "corefx", "cryptography", "x509stores", &name.to_lowercase()]);
        store
    }

    /// The development certificate of one application, exported to a file.
    pub(crate) fn development_file(&self, application: &str) -> PathBuf {
        let folder = match &self.app_data {
            Some(folder) => folder.join("ASP.NET").join("https"),
            None => self.home.join(".aspnet").join("https"),
        };
        folder.join(format!("{application}.pfx"))
    }
}

/// The folder, with the separator of the system: Windows takes both.
fn folder(text: String) -> PathBuf {
    let path = PathBuf::from(text);
    if cfg!(windows) { path.components().collect() } else { path }
}
