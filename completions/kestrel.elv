
use builtin;
use str;

set edit:completion:arg-completer[kestrel] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'kestrel'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'kestrel'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand run 'Serve, until Ctrl+C or SIGTERM'
            cand check 'Check what run would serve, with the same arguments, and print it: run --plan'
            cand serve 'Serve a folder, until Ctrl+C or SIGTERM'
            cand dev-certs 'Make, trust, export and remove the development certificate'
            cand generate 'Print the configuration of a proxy in front, or of a service, that fits the settings here'
            cand completions 'Print the completion script of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'kestrel;run'= {
            cand --listen 'Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT for all interfaces, unix:/path (with ,mode=660,owner=USER,group=GROUP as needed), or unix:@name for an abstract socket'
            cand --proxy 'Hand requests on to another server; may be given more than once. ''TEMPLATE=ADDRESS'', such as ''/api/{**rest}=http://localhost:3000'' or ''/{**rest}=http://unix:/run/app.sock'''
            cand --urls 'The addresses to bind, separated by '';'' [default: http://localhost:5000]'
            cand --environment 'The environment, which names appsettings.{Environment}.json [default: Production]'
            cand --contentRoot 'The folder of appsettings.json [default: the current directory]'
            cand --http_ports 'Ports to bind on all interfaces, separated by '';'', if there are no --urls'
            cand --preferHostingUrls 'Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]'
            cand --shutdownTimeoutSeconds 'How long a stop may take [default: 30]'
            cand --strict 'Refuse to start on anything that would only be warned about'
            cand --plan 'Print what would be bound, and who said so, with what a start would say of it, and stop there'
            cand --watch 'Start the command again when its file changes, or the script that it is given; AspNetCore:Watch names others'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kestrel;check'= {
            cand --listen 'Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT for all interfaces, unix:/path (with ,mode=660,owner=USER,group=GROUP as needed), or unix:@name for an abstract socket'
            cand --proxy 'Hand requests on to another server; may be given more than once. ''TEMPLATE=ADDRESS'', such as ''/api/{**rest}=http://localhost:3000'' or ''/{**rest}=http://unix:/run/app.sock'''
            cand --urls 'The addresses to bind, separated by '';'' [default: http://localhost:5000]'
            cand --environment 'The environment, which names appsettings.{Environment}.json [default: Production]'
            cand --contentRoot 'The folder of appsettings.json [default: the current directory]'
            cand --http_ports 'Ports to bind on all interfaces, separated by '';'', if there are no --urls'
            cand --preferHostingUrls 'Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]'
            cand --shutdownTimeoutSeconds 'How long a stop may take [default: 30]'
            cand --strict 'Refuse to start on anything that would only be warned about'
            cand --watch 'Start the command again when its file changes, or the script that it is given; AspNetCore:Watch names others'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kestrel;serve'= {
            cand -p 'The port; 0 for a free one'
            cand --port 'The port; 0 for a free one'
            cand --header 'Set a header of every answer; may be given more than once'
            cand --auth 'Ask for a user and a password, or what `openssl passwd -6` makes of it; may be given more than once'
            cand --lan 'Let other machines of the network connect, not this one alone'
            cand --qr 'Let other machines connect, too, and show them the address as a QR code'
            cand --open 'Open the address in the browser'
            cand --spa 'Answer pages that nothing else has with index.html (single-page apps)'
            cand --listing 'Show what is in a folder that has no index.html'
            cand --cors 'Let pages of all other origins read the files'
            cand --tls 'Serve by https, with the development certificate, which is made if there is none'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kestrel;dev-certs'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand https 'Make sure that there is a certificate for https://localhost'
        }
        &'kestrel;dev-certs;https'= {
            cand --export-path 'Write the certificate to this file'
            cand -p 'The password of the exported key, or of the imported file'
            cand --password 'The password of the exported key, or of the imported file'
            cand -i 'Together with --clean: take this certificate in'
            cand --import 'Together with --clean: take this certificate in'
            cand --format 'The form of the exported certificate'
            cand --no-password 'Export the key in PEM form without a password'
            cand -c 'Only tell whether there is a certificate'
            cand --check 'Only tell whether there is a certificate'
            cand --clean 'Remove all development certificates, and the trust in them'
            cand -t 'Have the certificate trusted'
            cand --trust 'Have the certificate trusted'
            cand --system 'Together with --trust, as root: have the whole machine trust it'
            cand -v 'Tell every step'
            cand --verbose 'Tell every step'
            cand -q 'Tell only what went wrong'
            cand --quiet 'Tell only what went wrong'
            cand --check-trust-machine-readable 'Tell all certificates, and whether they are trusted, in JSON'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'kestrel;generate'= {
            cand --server-name 'A name that people know the site by; may be given more than once [default: AllowedHosts]'
            cand --port 'Where the proxy listens [default: 443 with a certificate, else 80]'
            cand --certificate 'The proxy''s certificate, with its chain'
            cand --certificate-key 'The key of that certificate'
            cand --user 'Who runs the service of systemd [default: a user that systemd makes]'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kestrel;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'kestrel;help'= {
            cand run 'Serve, until Ctrl+C or SIGTERM'
            cand check 'Check what run would serve, with the same arguments, and print it: run --plan'
            cand serve 'Serve a folder, until Ctrl+C or SIGTERM'
            cand dev-certs 'Make, trust, export and remove the development certificate'
            cand generate 'Print the configuration of a proxy in front, or of a service, that fits the settings here'
            cand completions 'Print the completion script of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'kestrel;help;run'= {
        }
        &'kestrel;help;check'= {
        }
        &'kestrel;help;serve'= {
        }
        &'kestrel;help;dev-certs'= {
            cand https 'Make sure that there is a certificate for https://localhost'
        }
        &'kestrel;help;dev-certs;https'= {
        }
        &'kestrel;help;generate'= {
        }
        &'kestrel;help;completions'= {
        }
        &'kestrel;help;help'= {
        }
    ]
    $completions[$command]
}
