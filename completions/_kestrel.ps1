
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'kestrel' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'kestrel'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'kestrel' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Serve, until Ctrl+C or SIGTERM')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check what run would serve, with the same arguments, and print it: run --plan')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve a folder, until Ctrl+C or SIGTERM')
            [CompletionResult]::new('dev-certs', 'dev-certs', [CompletionResultType]::ParameterValue, 'Make, trust, export and remove the development certificate')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Print the configuration of a proxy in front, or of a service, that fits the settings here')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kestrel;run' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT for all interfaces, unix:/path (with ,mode=660,owner=USER,group=GROUP as needed), or unix:@name for an abstract socket')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Hand requests on to another server; may be given more than once. ''TEMPLATE=ADDRESS'', such as ''/api/{**rest}=http://localhost:3000'' or ''/{**rest}=http://unix:/run/app.sock''')
            [CompletionResult]::new('--urls', '--urls', [CompletionResultType]::ParameterName, 'The addresses to bind, separated by '';'' [default: http://localhost:5000]')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The environment, which names appsettings.{Environment}.json [default: Production]')
            [CompletionResult]::new('--contentRoot', '--contentRoot', [CompletionResultType]::ParameterName, 'The folder of appsettings.json [default: the current directory]')
            [CompletionResult]::new('--http_ports', '--http_ports', [CompletionResultType]::ParameterName, 'Ports to bind on all interfaces, separated by '';'', if there are no --urls')
            [CompletionResult]::new('--preferHostingUrls', '--preferHostingUrls', [CompletionResultType]::ParameterName, 'Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]')
            [CompletionResult]::new('--shutdownTimeoutSeconds', '--shutdownTimeoutSeconds', [CompletionResultType]::ParameterName, 'How long a stop may take [default: 30]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Refuse to start on anything that would only be warned about')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Print what would be bound, and who said so, with what a start would say of it, and stop there')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Start the command again when its file changes, or the script that it is given; AspNetCore:Watch names others')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kestrel;check' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT for all interfaces, unix:/path (with ,mode=660,owner=USER,group=GROUP as needed), or unix:@name for an abstract socket')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Hand requests on to another server; may be given more than once. ''TEMPLATE=ADDRESS'', such as ''/api/{**rest}=http://localhost:3000'' or ''/{**rest}=http://unix:/run/app.sock''')
            [CompletionResult]::new('--urls', '--urls', [CompletionResultType]::ParameterName, 'The addresses to bind, separated by '';'' [default: http://localhost:5000]')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The environment, which names appsettings.{Environment}.json [default: Production]')
            [CompletionResult]::new('--contentRoot', '--contentRoot', [CompletionResultType]::ParameterName, 'The folder of appsettings.json [default: the current directory]')
            [CompletionResult]::new('--http_ports', '--http_ports', [CompletionResultType]::ParameterName, 'Ports to bind on all interfaces, separated by '';'', if there are no --urls')
            [CompletionResult]::new('--preferHostingUrls', '--preferHostingUrls', [CompletionResultType]::ParameterName, 'Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]')
            [CompletionResult]::new('--shutdownTimeoutSeconds', '--shutdownTimeoutSeconds', [CompletionResultType]::ParameterName, 'How long a stop may take [default: 30]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Refuse to start on anything that would only be warned about')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Start the command again when its file changes, or the script that it is given; AspNetCore:Watch names others')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kestrel;serve' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port; 0 for a free one')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port; 0 for a free one')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Set a header of every answer; may be given more than once')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'Ask for a user and a password, or what `openssl passwd -6` makes of it; may be given more than once')
            [CompletionResult]::new('--lan', '--lan', [CompletionResultType]::ParameterName, 'Let other machines of the network connect, not this one alone')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'Let other machines connect, too, and show them the address as a QR code')
            [CompletionResult]::new('--open', '--open', [CompletionResultType]::ParameterName, 'Open the address in the browser')
            [CompletionResult]::new('--spa', '--spa', [CompletionResultType]::ParameterName, 'Answer pages that nothing else has with index.html (single-page apps)')
            [CompletionResult]::new('--listing', '--listing', [CompletionResultType]::ParameterName, 'Show what is in a folder that has no index.html')
            [CompletionResult]::new('--cors', '--cors', [CompletionResultType]::ParameterName, 'Let pages of all other origins read the files')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Serve by https, with the development certificate, which is made if there is none')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kestrel;dev-certs' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('https', 'https', [CompletionResultType]::ParameterValue, 'Make sure that there is a certificate for https://localhost')
            break
        }
        'kestrel;dev-certs;https' {
            [CompletionResult]::new('--export-path', '--export-path', [CompletionResultType]::ParameterName, 'Write the certificate to this file')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The password of the exported key, or of the imported file')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'The password of the exported key, or of the imported file')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Together with --clean: take this certificate in')
            [CompletionResult]::new('--import', '--import', [CompletionResultType]::ParameterName, 'Together with --clean: take this certificate in')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The form of the exported certificate')
            [CompletionResult]::new('--no-password', '--no-password', [CompletionResultType]::ParameterName, 'Export the key in PEM form without a password')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Only tell whether there is a certificate')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Only tell whether there is a certificate')
            [CompletionResult]::new('--clean', '--clean', [CompletionResultType]::ParameterName, 'Remove all development certificates, and the trust in them')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Have the certificate trusted')
            [CompletionResult]::new('--trust', '--trust', [CompletionResultType]::ParameterName, 'Have the certificate trusted')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'Together with --trust, as root: have the whole machine trust it')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell every step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell every step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell only what went wrong')
            [CompletionResult]::new('--check-trust-machine-readable', '--check-trust-machine-readable', [CompletionResultType]::ParameterName, 'Tell all certificates, and whether they are trusted, in JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'kestrel;generate' {
            [CompletionResult]::new('--server-name', '--server-name', [CompletionResultType]::ParameterName, 'A name that people know the site by; may be given more than once [default: AllowedHosts]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Where the proxy listens [default: 443 with a certificate, else 80]')
            [CompletionResult]::new('--certificate', '--certificate', [CompletionResultType]::ParameterName, 'The proxy''s certificate, with its chain')
            [CompletionResult]::new('--certificate-key', '--certificate-key', [CompletionResultType]::ParameterName, 'The key of that certificate')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Who runs the service of systemd [default: a user that systemd makes]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kestrel;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'kestrel;help' {
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Serve, until Ctrl+C or SIGTERM')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check what run would serve, with the same arguments, and print it: run --plan')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve a folder, until Ctrl+C or SIGTERM')
            [CompletionResult]::new('dev-certs', 'dev-certs', [CompletionResultType]::ParameterValue, 'Make, trust, export and remove the development certificate')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Print the configuration of a proxy in front, or of a service, that fits the settings here')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kestrel;help;run' {
            break
        }
        'kestrel;help;check' {
            break
        }
        'kestrel;help;serve' {
            break
        }
        'kestrel;help;dev-certs' {
            [CompletionResult]::new('https', 'https', [CompletionResultType]::ParameterValue, 'Make sure that there is a certificate for https://localhost')
            break
        }
        'kestrel;help;dev-certs;https' {
            break
        }
        'kestrel;help;generate' {
            break
        }
        'kestrel;help;completions' {
            break
        }
        'kestrel;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
