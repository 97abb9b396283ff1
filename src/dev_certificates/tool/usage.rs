//! The texts of help, those of .NET's tool but for its name and what is ours.

pub(super) const UNKNOWN: &str = "Specify --help for a list of available options and commands.";

pub(super) const HELP: &str = "

Usage: kestrel dev-certs [options] [command]

Options:
  -h|--help  Show help information

Commands:
  https  

Use \"kestrel dev-certs [command] --help\" for more information about a command.
";

pub(super) const HTTPS_HELP: &str = "

Usage: kestrel dev-certs https [options]

Options:
  -ep|--export-path               Full path to the exported certificate
  -p|--password                   Password to use when exporting the certificate with the private key into a pfx file or to encrypt the Pem exported key
  -np|--no-password               Explicitly request that you don't use a password for the key when exporting a certificate to a PEM format
  -c|--check                      Check for the existence of the certificate but do not perform any action
  --clean                         Cleans all HTTPS development certificates from the machine.
  -i|--import                     Imports the provided HTTPS development certificate into the machine. All other HTTPS developer certificates will be cleared out
  --format                        Export the certificate in the given format. Valid values are Pfx and Pem. Pfx is the default.
  -t|--trust                      When not combined with the --check option, trusts the certificate on the current platform, creating one if necessary.
                     When combined with the --check option, validates that there is a certificate and it is trusted.
  --system                        Together with --trust, as root: has the whole machine trust the certificate, by update-ca-certificates. --clean undoes it.
  -v|--verbose                    Display more debug information.
  -q|--quiet                      Display warnings and errors only.
  --check-trust-machine-readable  Same as running --check --trust, but output the results in json.
  -h|--help                       Show help information
";

pub(super) const INCOMPATIBLE: &str = "Incompatible set of flags. Sample usages
'kestrel dev-certs https'
'kestrel dev-certs https --clean'
'kestrel dev-certs https --clean --import ./certificate.pfx -p password'
'kestrel dev-certs https --check --trust'
'kestrel dev-certs https -ep ./certificate.pfx -p password --trust'
'kestrel dev-certs https -ep ./certificate.crt --trust --format Pem'
'kestrel dev-certs https -ep ./certificate.crt -p password --trust --format Pem'";
