# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kestrel_global_optspecs
    string join \n h/help V/version
end

function __fish_kestrel_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kestrel_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kestrel_using_subcommand
    set -l cmd (__fish_kestrel_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kestrel -n "__fish_kestrel_needs_command" -s h -l help -d 'Print help'
complete -c kestrel -n "__fish_kestrel_needs_command" -s V -l version -d 'Print version'
complete -c kestrel -n "__fish_kestrel_needs_command" -f -a "run" -d 'Serve, until Ctrl+C or SIGTERM'
complete -c kestrel -n "__fish_kestrel_needs_command" -f -a "check" -d 'Check what run would serve, with the same arguments, and print it: run --plan'
complete -c kestrel -n "__fish_kestrel_needs_command" -f -a "serve" -d 'Serve a folder, until Ctrl+C or SIGTERM'
complete -c kestrel -n "__fish_kestrel_needs_command" -f -a "dev-certs" -d 'Make, trust, export and remove the development certificate'
complete -c kestrel -n "__fish_kestrel_needs_command" -f -a "generate" -d 'Print the configuration of a proxy in front, or of a service, that fits the settings here'
complete -c kestrel -n "__fish_kestrel_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c kestrel -n "__fish_kestrel_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l listen -d 'Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT for all interfaces, unix:/path (with ,mode=660,owner=USER,group=GROUP as needed), or unix:@name for an abstract socket' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l proxy -d 'Hand requests on to another server; may be given more than once. \'TEMPLATE=ADDRESS\', such as \'/api/{**rest}=http://localhost:3000\' or \'/{**rest}=http://unix:/run/app.sock\'' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l urls -d 'The addresses to bind, separated by \';\' [default: http://localhost:5000]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l environment -d 'The environment, which names appsettings.{Environment}.json [default: Production]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l contentRoot -d 'The folder of appsettings.json [default: the current directory]' -r -f -a "(__fish_complete_directories)"
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l http_ports -d 'Ports to bind on all interfaces, separated by \';\', if there are no --urls' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l preferHostingUrls -d 'Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l shutdownTimeoutSeconds -d 'How long a stop may take [default: 30]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l strict -d 'Refuse to start on anything that would only be warned about'
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l plan -d 'Print what would be bound, and who said so, with what a start would say of it, and stop there'
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -l watch -d 'Start the command again when its file changes, or the script that it is given; AspNetCore:Watch names others'
complete -c kestrel -n "__fish_kestrel_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l listen -d 'Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT for all interfaces, unix:/path (with ,mode=660,owner=USER,group=GROUP as needed), or unix:@name for an abstract socket' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l proxy -d 'Hand requests on to another server; may be given more than once. \'TEMPLATE=ADDRESS\', such as \'/api/{**rest}=http://localhost:3000\' or \'/{**rest}=http://unix:/run/app.sock\'' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l urls -d 'The addresses to bind, separated by \';\' [default: http://localhost:5000]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l environment -d 'The environment, which names appsettings.{Environment}.json [default: Production]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l contentRoot -d 'The folder of appsettings.json [default: the current directory]' -r -f -a "(__fish_complete_directories)"
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l http_ports -d 'Ports to bind on all interfaces, separated by \';\', if there are no --urls' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l preferHostingUrls -d 'Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l shutdownTimeoutSeconds -d 'How long a stop may take [default: 30]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l strict -d 'Refuse to start on anything that would only be warned about'
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -l watch -d 'Start the command again when its file changes, or the script that it is given; AspNetCore:Watch names others'
complete -c kestrel -n "__fish_kestrel_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -s p -l port -d 'The port; 0 for a free one' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l header -d 'Set a header of every answer; may be given more than once' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l auth -d 'Ask for a user and a password, or what `openssl passwd -6` makes of it; may be given more than once' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l lan -d 'Let other machines of the network connect, not this one alone'
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l qr -d 'Let other machines connect, too, and show them the address as a QR code'
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l open -d 'Open the address in the browser'
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l spa -d 'Answer pages that nothing else has with index.html (single-page apps)'
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l listing -d 'Show what is in a folder that has no index.html'
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l cors -d 'Let pages of all other origins read the files'
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -l tls -d 'Serve by https, with the development certificate, which is made if there is none'
complete -c kestrel -n "__fish_kestrel_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and not __fish_seen_subcommand_from https" -s h -l help -d 'Print help'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and not __fish_seen_subcommand_from https" -f -a "https" -d 'Make sure that there is a certificate for https://localhost'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -l export-path -d 'Write the certificate to this file' -r -F
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -s p -l password -d 'The password of the exported key, or of the imported file' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -s i -l import -d 'Together with --clean: take this certificate in' -r -F
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -l format -d 'The form of the exported certificate' -r -f -a "Pfx\t''
Pem\t''"
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -l no-password -d 'Export the key in PEM form without a password'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -s c -l check -d 'Only tell whether there is a certificate'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -l clean -d 'Remove all development certificates, and the trust in them'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -s t -l trust -d 'Have the certificate trusted'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -l system -d 'Together with --trust, as root: have the whole machine trust it'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -s v -l verbose -d 'Tell every step'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -s q -l quiet -d 'Tell only what went wrong'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -l check-trust-machine-readable -d 'Tell all certificates, and whether they are trusted, in JSON'
complete -c kestrel -n "__fish_kestrel_using_subcommand dev-certs; and __fish_seen_subcommand_from https" -s h -l help -d 'Print help'
complete -c kestrel -n "__fish_kestrel_using_subcommand generate" -l server-name -d 'A name that people know the site by; may be given more than once [default: AllowedHosts]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand generate" -l port -d 'Where the proxy listens [default: 443 with a certificate, else 80]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand generate" -l certificate -d 'The proxy\'s certificate, with its chain' -r -F
complete -c kestrel -n "__fish_kestrel_using_subcommand generate" -l certificate-key -d 'The key of that certificate' -r -F
complete -c kestrel -n "__fish_kestrel_using_subcommand generate" -l user -d 'Who runs the service of systemd [default: a user that systemd makes]' -r
complete -c kestrel -n "__fish_kestrel_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kestrel -n "__fish_kestrel_using_subcommand completions" -s h -l help -d 'Print help'
complete -c kestrel -n "__fish_kestrel_using_subcommand help; and not __fish_seen_subcommand_from run check serve dev-certs generate completions help" -f -a "run" -d 'Serve, until Ctrl+C or SIGTERM'
complete -c kestrel -n "__fish_kestrel_using_subcommand help; and not __fish_seen_subcommand_from run check serve dev-certs generate completions help" -f -a "check" -d 'Check what run would serve, with the same arguments, and print it: run --plan'
complete -c kestrel -n "__fish_kestrel_using_subcommand help; and not __fish_seen_subcommand_from run check serve dev-certs generate completions help" -f -a "serve" -d 'Serve a folder, until Ctrl+C or SIGTERM'
complete -c kestrel -n "__fish_kestrel_using_subcommand help; and not __fish_seen_subcommand_from run check serve dev-certs generate completions help" -f -a "dev-certs" -d 'Make, trust, export and remove the development certificate'
complete -c kestrel -n "__fish_kestrel_using_subcommand help; and not __fish_seen_subcommand_from run check serve dev-certs generate completions help" -f -a "generate" -d 'Print the configuration of a proxy in front, or of a service, that fits the settings here'
complete -c kestrel -n "__fish_kestrel_using_subcommand help; and not __fish_seen_subcommand_from run check serve dev-certs generate completions help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c kestrel -n "__fish_kestrel_using_subcommand help; and not __fish_seen_subcommand_from run check serve dev-certs generate completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kestrel -n "__fish_kestrel_using_subcommand help; and __fish_seen_subcommand_from dev-certs" -f -a "https" -d 'Make sure that there is a certificate for https://localhost'
