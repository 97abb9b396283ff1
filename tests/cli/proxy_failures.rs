//! What the reverse proxy says where a request has no answer of a destination.

use std::net::{SocketAddr, TcpListener};

use crate::http::get;
use crate::process::Kestrel;

#[expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]
fn listening() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// A route for each reason, with its name for its path.
fn routes(nobody: SocketAddr, silent: SocketAddr) -> String {
    format!(
        r#"{{ "ReverseProxy": {{
  "Routes": {{
    "none": {{ "Match": {{ "Path": "/none" }} }},
    "empty": {{ "ClusterId": "empty", "Match": {{ "Path": "/empty" }} }},
    "ill": {{ "ClusterId": "ill", "Match": {{ "Path": "/ill" }} }},
    "stays": {{ "ClusterId": "stays", "Match": {{ "Path": "/stays" }} }},
    "gone": {{ "ClusterId": "gone", "Match": {{ "Path": "/gone" }} }},
    "slow": {{ "ClusterId": "slow", "Match": {{ "Path": "/slow" }}, "Timeout": "00:00:00.200" }}
  }},
  "Clusters": {{
    "empty": {{ "LoadBalancingPolicy": "Random" }},
    "ill": {{
      "Destinations": {{ "d": {{ "Address": "http://{nobody}" }} }},
      "HealthCheck": {{ "AvailableDestinationsPolicy": "HealthyAndUnknown", "Active": {{ "Enabled": true }} }},
      "Metadata": {{ "ConsecutiveFailuresHealthPolicy.Threshold": "1" }}
    }},
    "stays": {{
      "Destinations": {{ "d": {{ "Address": "http://{nobody}" }} }},
      "SessionAffinity": {{ "Enabled": true, "AffinityKeyName": "k", "FailurePolicy": "Return503Error" }}
    }},
    "gone": {{ "Destinations": {{ "d": {{ "Address": "http://{nobody}" }} }} }},
    "slow": {{ "Destinations": {{ "d": {{ "Address": "http://{silent}" }} }} }}
  }} }} }}"#
    )
}

const REASONS: [(&str, u16, &str, &str); 6] = [
    ("none", 503, "it names no cluster that is there", "as its ClusterId."),
    ("empty", 503, "its cluster 'empty' has no destination", "below Destinations of the cluster."),
    (
        "ill",
        503,
        "no destination of its cluster 'ill' is healthy: 'd' (http://127.0.0.1:",
        "Look whether they run",
    ),
    (
        "stays",
        503,
        "leads to no destination that its cluster 'stays' has",
        "FailurePolicy of SessionAffinity to Redistribute.",
    ),
    ("gone", 502, "of cluster 'gone'", "Look whether it runs, and listens at that address."),
    (
        "slow",
        504,
        "there was no answer within the route's Timeout of 0.2 s",
        "If it may take so long, raise Timeout of the route.",
    ),
];

#[test]
fn the_log_says_why_there_is_no_answer_and_what_to_do() {
    let (silent, address) = listening();
    let nobody = listening().1;
    let running = Kestrel::run([]).file("appsettings.json", &routes(nobody, address)).started();
    running.wait_for("Destination 'd' of cluster 'ill' is unhealthy by its active check");
    let address = running.address();
    for (route, status, _, _) in REASONS {
        for _ in 0..2 {
            let answer = get(&address, &format!("/{route}"), &["Cookie: k=another"]);
            assert_eq!((answer.status, &*answer.body), (status, ""), "{route}");
        }
    }
    drop(silent);
    let said = running.terminated().stdout;
    for (route, status, what, remedy) in REASONS {
        let lines: Vec<_> = said
            .lines()
            .filter(|line| line.contains(&format!("Route '{route}'")) && line.contains(what))
            .collect();
        assert_eq!(lines.len(), 1, "{route}, once: {said}");
        assert!(lines[0].contains(remedy), "{route}: {}", lines[0]);
        let answers = format!("Route '{route}' answers 503: ");
        assert_eq!(lines[0].contains(&answers), status == 503, "{}", lines[0]);
    }
    assert!(said.contains("is unhealthy by its active check for "), "{said}");
    // What YARP says stands beside it.
    for line in [
        "Route 'none' has no cluster information.",
        "No available destinations after load balancing for cluster 'empty'.",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn in_development_the_client_is_told_as_well() {
    let (silent, address) = listening();
    let nobody = listening().1;
    for (environment, explains) in [("Development", true), ("Production", false)] {
        let running = Kestrel::run(["--environment", environment])
            .file("appsettings.json", &routes(nobody, address))
            .started();
        running.wait_for("Destination 'd' of cluster 'ill' is unhealthy by its active check");
        let address = running.address();
        for (accept, media_type) in [
            ("*/*", "text/plain; charset=utf-8"),
            ("text/html", "text/html; charset=utf-8"),
            ("application/json", "application/problem+json"),
        ] {
            for (route, status, what, remedy) in REASONS {
                let accept = format!("Accept: {accept}");
                let fields = ["Cookie: k=another", &accept];
                let answer = get(&address, &format!("/{route}"), &fields);
                assert_eq!(answer.status, status, "{route}");
                let body = &answer.body;
                for part in [what, remedy] {
                    assert_eq!(body.contains(part), explains, "{route} {part}: {body}");
                }
                let is_typed = explains || accept != "Accept: */*";
                assert_eq!(answer.header("Content-Type"), is_typed.then_some(media_type));
            }
        }
        running.terminated();
    }
    drop(silent);
}

#[test]
fn a_cluster_without_destinations_is_told_of_before_the_start() {
    let nobody = listening().1;
    let file = routes(nobody, nobody);
    let outcome = Kestrel::run(["--plan"]).file("appsettings.json", &file).ended();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for line in [
        "The cluster 'empty' has no destination: route 'empty' answers 503.",
        "fix: write ReverseProxy:Clusters:empty:Destinations:one:Address, such as http://localhost:5000",
    ] {
        assert_eq!(outcome.stderr.matches(line).count(), 1, "{line}: {}", outcome.stderr);
    }
}
