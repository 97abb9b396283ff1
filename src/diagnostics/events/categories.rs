//! The categories: those of ASP.NET Core, and our own, which begin with `Kestrel.`.

pub(super) const LIFETIME: &str = "Microsoft.Hosting.Lifetime";
pub(super) const HOST: &str = "Microsoft.Extensions.Hosting.Internal.Host";
pub(super) const HOSTING: &str = "Microsoft.AspNetCore.Hosting.Diagnostics";
pub(super) const KESTREL: &str = "Microsoft.AspNetCore.Server.Kestrel";
pub(super) const CONNECTIONS: &str = "Microsoft.AspNetCore.Server.Kestrel.Connections";
pub(super) const BAD_REQUESTS: &str = "Microsoft.AspNetCore.Server.Kestrel.BadRequests";
pub(super) const ROUTING: &str = "Microsoft.AspNetCore.Routing.EndpointRoutingMiddleware";
pub(super) const SOCKETS: &str = "Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets";
pub(super) const HTTPS: &str =
    "Microsoft.AspNetCore.Server.Kestrel.Https.Internal.HttpsConnectionMiddleware";
pub(super) const CORE: &str = "Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServer";
pub(super) const SCOPE: &str = "Kestrel.Scope";
pub(super) const HTTP2: &str = "Microsoft.AspNetCore.Server.Kestrel.Http2";
pub(super) const HOST_FILTERING: &str =
    "Microsoft.AspNetCore.HostFiltering.HostFilteringMiddleware";
pub(super) const FORWARDED_HEADERS: &str =
    "Microsoft.AspNetCore.HttpOverrides.ForwardedHeadersMiddleware";
pub(super) const IIS_INTEGRATION: &str = "Microsoft.AspNetCore.Server.IISIntegration.IISMiddleware";
pub(super) const STATIC_FILES: &str = "Microsoft.AspNetCore.StaticFiles.StaticFileMiddleware";
pub(super) const HSTS: &str = "Microsoft.AspNetCore.HttpsPolicy.HstsMiddleware";
pub(super) const HTTPS_REDIRECTION: &str =
    "Microsoft.AspNetCore.HttpsPolicy.HttpsRedirectionMiddleware";
pub(super) const REQUEST_DECOMPRESSION: &str =
    "Microsoft.AspNetCore.RequestDecompression.DefaultRequestDecompressionProvider";
pub(super) const REWRITE: &str = "Microsoft.AspNetCore.Rewrite.RewriteMiddleware";
pub(super) const CORS: &str = "Microsoft.AspNetCore.Cors.Infrastructure.CorsService";
pub(super) const EXCEPTION_HANDLER: &str =
    "Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware";
pub(super) const DEVELOPER_PAGE: &str =
    "Microsoft.AspNetCore.Diagnostics.DeveloperExceptionPageMiddleware";
pub(super) const RATE_LIMITING: &str = "Microsoft.AspNetCore.RateLimiting.RateLimitingMiddleware";
pub(super) const REQUEST_TIMEOUTS: &str =
    "Microsoft.AspNetCore.Http.Timeouts.RequestTimeoutsMiddleware";
pub(super) const HEALTH_CHECKS: &str =
    "Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService";
pub(super) const ROUTING_MATCHER: &str = "Microsoft.AspNetCore.Routing.Matching.DfaMatcher";
pub(super) const YARP_AFFINITY: &str =
    "Yarp.ReverseProxy.SessionAffinity.SessionAffinityMiddleware";
pub(super) const YARP_FORWARDER: &str = "Yarp.ReverseProxy.Forwarder.HttpForwarder";
pub(super) const YARP_HEALTH: &str = "Yarp.ReverseProxy.Health.DestinationHealthUpdater";
pub(super) const YARP_LOAD_BALANCING: &str =
    "Yarp.ReverseProxy.LoadBalancing.LoadBalancingMiddleware";
pub(super) const YARP_PROBES: &str = "Yarp.ReverseProxy.Health.ActiveHealthCheckMonitor";
pub(super) const HTTP_LOGGING: &str = "Microsoft.AspNetCore.HttpLogging.HttpLoggingMiddleware";

pub(super) const OUR_APP: &str = "Kestrel.App";
pub(super) const OUR_CERTIFICATES: &str = "Kestrel.Certificates";
pub(super) const OUR_CONFIGURATION: &str = "Kestrel.Configuration";
pub(super) const OUR_ENDPOINTS: &str = "Kestrel.Endpoints";
pub(super) const OUR_PIPELINE: &str = "Kestrel.Pipeline";
/// What processes write.
pub(super) const OUR_OUTPUT: &str = "Kestrel.Process.Output";
pub(super) const OUR_PROCESSES: &str = "Kestrel.Process";
pub(super) const OUR_PROXY: &str = "Kestrel.Proxy";
pub(super) const OUR_RELOAD: &str = "Kestrel.Reload";
pub(super) const OUR_REQUEST_LOGS: &str = "Kestrel.RequestLogs";
pub(super) const OUR_SERVER: &str = "Kestrel.Server";
pub(super) const OUR_STATIC_FILES: &str = "Kestrel.StaticFiles";
