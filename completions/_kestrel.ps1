
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
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            break
        }
        'kestrel;run' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT for all interfaces, unix:/path, or unix:@name for an abstract socket')
            [CompletionResult]::new('--urls', '--urls', [CompletionResultType]::ParameterName, 'The addresses to bind, separated by '';'' [default: http://localhost:5000]')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'The environment, which names appsettings.{Environment}.json [default: Production]')
            [CompletionResult]::new('--contentRoot', '--contentRoot', [CompletionResultType]::ParameterName, 'The folder of appsettings.json [default: the current directory]')
            [CompletionResult]::new('--http_ports', '--http_ports', [CompletionResultType]::ParameterName, 'Ports to bind on all interfaces, separated by '';'', if there are no --urls')
            [CompletionResult]::new('--preferHostingUrls', '--preferHostingUrls', [CompletionResultType]::ParameterName, 'Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]')
            [CompletionResult]::new('--shutdownTimeoutSeconds', '--shutdownTimeoutSeconds', [CompletionResultType]::ParameterName, 'How long a stop may take [default: 30]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Refuse to start on anything that would only be warned about')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Print what would be bound, and who said so, and stop there')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kestrel;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
