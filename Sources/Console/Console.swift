public import Engine
internal import Foundation
public import HTTPServer
internal import JSON
public import Telemetry

/// The worker's HTTP side: health and metrics. Used on one thread.
public final class Console {
    private let server: HTTPServer
    private let health: WorkerHealth

    /// Where it listens.
    public var port: UInt16 { server.port }

    public init(
        host: String,
        port: UInt16,
        health: WorkerHealth,
        registry: MetricsRegistry,
        logger: Logger
    ) throws(HTTPServerError) {
        self.health = health
        server = try HTTPServer(address: host, port: port, logger: logger) { request in
            Console.answer(request, health, registry)
        }
    }

    /// Serves until the flag is raised.
    public func run(until stop: StopFlag) throws(HTTPServerError) { try server.run { stop.isRaised } }

    static func answer(_ request: HTTPRequest, _ health: WorkerHealth, _ registry: MetricsRegistry) -> HTTPResponse {
        guard request.method != .post else { return .text("only GET and HEAD are answered here\n", status: 405) }
        switch request.path {
        case "/health/live":
            let isLive = health.isLive(at: WallClock.now())
            return .json(body(health, isLive ? "live" : "stalled"), status: isLive ? 200 : 503)
        case "/health/ready":
            return .json(body(health, health.isReady ? "ready" : "not ready"), status: health.isReady ? 200 : 503)
        case "/metrics":
            return HTTPResponse(
                status: 200,
                contentType: MetricsRegistry.contentType,
                body: Array(registry.exposition().utf8)
            )
        case "/":
            return .text("flywheel \(Build.version)\n/health/live\n/health/ready\n/metrics\n")
        default: return .text("there is no \(request.path.prefix(100)); see /\n", status: 404)
        }
    }

    private static func body(_ health: WorkerHealth, _ status: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", status)
            writer.object("roles") { writer in
                for (role, state) in health.snapshot {
                    writer.key(named: role.rawValue)
                    writer.object { writer in
                        writer.member("condition", state.condition.rawValue)
                        if !state.reason.isEmpty { writer.member("reason", state.reason) }
                        writer.member("partitions", state.partitions)
                        if !state.remarks.isEmpty { writer.array("remarks", of: state.remarks) }
                    }
                }
            }
        }
        return writer.bytes
    }
}
