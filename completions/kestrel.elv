
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
            cand completions 'Print the completion script of a shell'
        }
        &'kestrel;run'= {
            cand --listen 'Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT for all interfaces, unix:/path, or unix:@name for an abstract socket'
            cand --urls 'The addresses to bind, separated by '';'' [default: http://localhost:5000]'
            cand --environment 'The environment, which names appsettings.{Environment}.json [default: Production]'
            cand --contentRoot 'The folder of appsettings.json [default: the current directory]'
            cand --http_ports 'Ports to bind on all interfaces, separated by '';'', if there are no --urls'
            cand --preferHostingUrls 'Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]'
            cand --shutdownTimeoutSeconds 'How long a stop may take [default: 30]'
            cand --strict 'Refuse to start on anything that would only be warned about'
            cand --plan 'Print what would be bound, and who said so, and stop there'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'kestrel;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
