//! Certificates of .NET's stores.

use super::*;

const STORE: &str = r"
store=.dotnet/corefx/cryptography/x509stores
mkdir -p $store/my $store/root
new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem $@; }
put() { openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass: -out $store/my/$1.pfx; }
new -days 10 -subj '/O=Example/CN=one.example'
put a
cp c.pem one.pem
new -days 20 -subj /CN=one.example
put b
new -days 30 -subj /CN=one.example -addext extendedKeyUsage=clientAuth
put c
new -days 40 -subj /CN=one.example
openssl pkcs12 -export -nokeys -in c.pem -passout pass: -out $store/my/d.pfx
new -days 50 -subj /CN=two.example
put e
echo garbage > $store/my/f.pfx
cp $store/my/e.pfx $store/my/e.txt
openssl pkcs12 -export -nokeys -in one.pem -passout pass: -out $store/root/one.pfx
";

#[test]
#[cfg_attr(not(feature = "pkcs12"), ignore = "takes the feature `pkcs12`")]
fn a_store_gives_the_certificate_that_is_valid_longest() {
    let Some(home) = made("a_store_gives_the_certificate_that_is_valid_longest", STORE) else {
        return;
    };
    let home = home.path();
    let now = SystemTime::now();
    let places = Places {
        home: home.to_owned(),
        // None of the system's authorities: they have nothing to do with it, and take time.
        ssl_cert_file: Some(home.join("none.pem").display().to_string()),
        ..Places::default()
    };
    let wanted = |subject: &str, store: &str, location, allow_invalid| {
        source(CertificateLocation::Store {
            subject: subject.to_owned(),
            store: store.to_owned(),
            location,
            allow_invalid,
        })
    };
    let user = StoreLocation::CurrentUser;
    let day = Duration::from_secs(24 * 60 * 60);
    let found = [
        // By validity, not by trust; part of the subject, in any case.
        (wanted("ONE.ex", "My", user, true), now, "b.pfx"),
        (wanted("one.example", "", user, true), now, "b.pfx"),
        // Only this one is trusted.
        (wanted("one.example", "My", user, false), now, "a.pfx"),
        (wanted("Example, one", "my", user, true), now, "a.pfx"),
        // Out of time, and allowed.
        (wanted("two", "My", user, true), now + 60 * day, "e.pfx"),
    ];
    for (source, now, file) in found {
        let loaded = load(&source, &places, now).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(loaded.files.len(), 1);
        assert_eq!(loaded.files[0].file_name().unwrap(), file, "{source:?}");
    }

    let machine = StoreLocation::LocalMachine;
    let missing = "The requested certificate {} could not be found in";
    let refused = [
        (wanted("three", "My", user, true), now, missing, "CN=two.example (another subject)"),
        (wanted("CN=two", "My", user, true), now, missing, "without CN="),
        (wanted("two", "My", user, false), now, missing, "CN=two.example (not trusted)"),
        (
            wanted("one", "My", user, false),
            now + 15 * day,
            missing,
            "CN=one.example, O=Example (valid from",
        ),
        (wanted("one", "My", user, false), now, "", ""),
        (wanted("two", "Root", user, true), now, missing, "(another subject)"),
        (wanted("one", "Root", user, true), now, missing, "(without a private key)"),
        (
            wanted("two", "WebHosting", user, true),
            now,
            missing,
            "x509stores/webhosting does not exist",
        ),
        (
            wanted("two", "a/b", user, true),
            now,
            "The storeName value was invalid.",
            "name such as My",
        ),
        (
            wanted("two", "..", user, true),
            now,
            "The storeName value was invalid.",
            "name such as My",
        ),
        (
            wanted("two", "My", machine, true),
            now,
            "Unix LocalMachine X509Store is limited",
            "CurrentUser",
        ),
        (wanted("two", "Root", machine, true), now, missing, "without private keys"),
    ];
    for (source, now, first, rest) in refused {
        let loaded = load(&source, &places, now);
        if first.is_empty() {
            assert!(loaded.is_ok());
            continue;
        }
        let problem = loaded.unwrap_err();
        let told = problem.to_string();
        let CertificateLocation::Store { subject, .. } = &source.location else { panic!() };
        assert!(told.starts_with(&first.replace("{}", subject)), "{told}");
        assert!(told.contains(rest), "{told}");
        assert_eq!(problem.key, Some(format!("{KEY}:Subject")));
    }
}
