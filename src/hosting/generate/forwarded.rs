//! In which headers a proxy tells who its client is, and which of a client's own it must not hand on.

use http::HeaderName;

use super::plain_text::refused;
use crate::configuration::Problem;
use crate::features::Proxies;
use crate::hosting::settings::StageSettings;
use crate::middleware::Believed;

/// What a proxy knows of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Client,
    Scheme,
    Host,
}

/// The headers that tell of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// Those that are filled, believed or not: what is not believed now may be tomorrow.
    pub(super) told: [(String, Fact); 3],
    /// Those that nothing is known for, and those that go by other names here: what a client writes there is no
    /// proxy's word.
    pub(super) removed: Vec<String>,
    /// Whether other proxies stand in front of this one, and are believed by their addresses: then it adds to
    /// what they have told.
    pub(super) adds: bool,
}

/// What ASP.NET Core calls the headers of client, scheme, host and path base.
const DEFAULTS: [&str; 4] =
    ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix"];

impl Forwarded {
    /// By what is believed here.
    ///
    /// # Errors
    ///
    /// The name of a header means something else in the configuration of a proxy.
    pub(super) fn of(stages: &StageSettings) -> Result<Self, Problem> {
        let settings = stages.forwarded_headers.as_ref();
        let believed = settings.map(|it| &it.believed);
        let own = match settings {
            Some(it) => it.headers.each_ref().map(titled),
            None => DEFAULTS.map(str::to_owned),
        };
        if let Some(name) = own.iter().find(|name| !is_plain(name)) {
            let kind = "a name of letters, digits, '-' and '_'";
            let key = settings.map_or("ForwardedHeaders", |it| it.key);
            return Err(refused("a header of ForwardedHeaders", name, kind).key(key));
        }
        let others = DEFAULTS.map(str::to_owned).into_iter().filter(|name| !own.contains(name));
        let others: Vec<_> = others.collect();
        let [client, scheme, host, path_base] = own;
        Ok(Self {
            told: [(client, Fact::Client), (scheme, Fact::Scheme), (host, Fact::Host)],
            removed: std::iter::once(path_base).chain(others).collect(),
            adds: believed.is_some_and(others_are_known),
        })
    }
}

/// Whether what other proxies have told counts only where it is theirs.
fn others_are_known(believed: &Believed) -> bool {
    let are_named = believed.proxies != Proxies::All && believed.proxies.network_of_all().is_none();
    let are_counted = believed.limit.is_some();
    believed.client.is_some() && believed.limit != Some(1) && (are_named || are_counted)
}

/// A name as proxies write it.
fn titled(name: &HeaderName) -> String {
    let word = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    };
    name.as_str().split('-').map(word).collect::<Vec<_>>().join("-")
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl Fact {
    /// The header that Caddy tells it in by itself.
    pub(super) fn default_name(self) -> &'static str {
        let [client, scheme, host, _] = DEFAULTS;
        match self {
            Self::Client => client,
            Self::Scheme => scheme,
            Self::Host => host,
        }
    }
}
