//! Environment variables as configuration.
//!
//! `__` stands for `:` in the whole name, and only then is a prefix compared, without case. A
//! name with one of the connection-string prefixes of Azure App Service becomes
//! `ConnectionStrings:{name}`, and is no key under its own name.

use crate::configuration::key::keys_equal;
use crate::configuration::layers::Leaf;
use crate::configuration::origin::Origin;

/// Prefixes of connection strings and the provider name they imply.
const CONNECTION_STRINGS: [(&str, Option<&str>); 11] = [
    ("MYSQLCONNSTR_", Some("MySql.Data.MySqlClient")),
    ("SQLAZURECONNSTR_", Some("System.Data.SqlClient")),
    ("SQLCONNSTR_", Some("System.Data.SqlClient")),
    ("POSTGRESQLCONNSTR_", Some("Npgsql")),
    ("APIHUBCONNSTR_", None),
    ("DOCDBCONNSTR_", None),
    ("EVENTHUBCONNSTR_", None),
    ("NOTIFICATIONHUBCONNSTR_", None),
    ("REDISCACHECONNSTR_", None),
    ("SERVICEBUSCONNSTR_", None),
    ("CUSTOMCONNSTR_", None),
];

/// The variables whose key starts with `prefix`, without it; the empty prefix takes all.
pub(crate) fn read(variables: &[(String, String)], prefix: &str) -> Vec<Leaf> {
    variables
        .iter()
        .flat_map(|(name, value)| keys(name, value))
        .filter_map(|(key, value, name)| {
            let key = strip_prefix(&key, prefix)?.to_owned();
            let origin = Origin::EnvironmentVariable(name.to_owned());
            Some(Leaf { key, value: Some(value.to_owned()), origin })
        })
        .collect()
}

/// The keys, with values, that one variable stands for, and its name for the origin.
fn keys<'a>(name: &'a str, value: &'a str) -> Vec<(String, &'a str, &'a str)> {
    for (prefix, provider) in CONNECTION_STRINGS {
        if let Some(rest) = strip_prefix(name, prefix) {
            let key = format!("ConnectionStrings:{}", normalise(rest));
            let provider = provider.map(|provider| (format!("{key}_ProviderName"), provider, name));
            return [Some((key, value, name)), provider].into_iter().flatten().collect();
        }
    }
    vec![(normalise(name), value, name)]
}

fn normalise(name: &str) -> String {
    name.replace("__", ":")
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    keys_equal(start, prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of(name: &str, prefix: &str) -> Vec<(String, String)> {
        let variables = [(name.to_owned(), "v".to_owned())];
        let pair = |leaf: Leaf| (leaf.key, leaf.value.unwrap_or_default());
        read(&variables, prefix).into_iter().map(pair).collect()
    }

    #[test]
    fn names_become_keys() {
        for (name, prefix, key) in [
            ("A__B", "", Some("A:B")),
            ("A:B", "", Some("A:B")),
            ("URLS", "", Some("URLS")),
            ("ASPNETCORE_URLS", "ASPNETCORE_", Some("URLS")),
            (
                "aspnetcore_Kestrel__Endpoints__A__Url",
                "ASPNETCORE_",
                Some("Kestrel:Endpoints:A:Url"),
            ),
            ("ASPNETCORE__URLS", "ASPNETCORE_", None),
            ("DOTNET_URLS", "ASPNETCORE_", None),
            ("ASPNETCORE_FOO", "", Some("ASPNETCORE_FOO")),
            ("CUSTOMCONNSTR_Db", "", Some("ConnectionStrings:Db")),
            ("CUSTOMCONNSTR_Db", "ASPNETCORE_", None),
            ("Ä", "DOTNET_", None),
        ] {
            let expected: Vec<_> =
                key.map(|key| (key.to_owned(), "v".to_owned())).into_iter().collect();
            assert_eq!(keys_of(name, prefix), expected, "{name} {prefix}");
        }
    }

    #[test]
    fn a_connection_string_brings_its_provider() {
        assert_eq!(
            keys_of("sqlconnstr_Db", ""),
            [
                ("ConnectionStrings:Db".to_owned(), "v".to_owned()),
                (
                    "ConnectionStrings:Db_ProviderName".to_owned(),
                    "System.Data.SqlClient".to_owned()
                ),
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_name_makes_it_panic(name in "\\PC*|(SQL|CUSTOM)?CONNSTR_[a-z_]*|ASPNETCORE_[a-z_:]*", value in "\\PC*") {
            for prefix in ["", "ASPNETCORE_", "DOTNET_"] {
                let leaves = read(&[(name.clone(), value.clone())], prefix);
                proptest::prop_assert!(leaves.iter().all(|leaf| leaf.value.is_some()));
            }
        }
    }
}
