internal import EngineCore
internal import Foundation
public import HTTPServer
internal import JSON
public import Processes
public import Telemetry
public import Worker

/// The worker's HTTP server: health and metrics, or health alone. Used on one thread.
public final class Console {
    /// Pages that a console serves.
    public enum Pages: String, Sendable {
        /// Health, metrics, and a list of the pages.
        case all = "console"
        /// Health alone: for a port and a thread of its own, which no other request can keep busy.
        case health
    }

    private let server: HTTPServer
    private let droppedConnections: Counter
    private let pages: Pages
    private let logger: Logger
    /// Number of drops that are included in the metric.
    private var countedDrops = 0
    /// Number of drops that were logged, and the time of the last log entry, in milliseconds since 1970.
    private var lastLogged = (drops: 0, at: Int64(0))

    /// Port on which it listens.
    public var port: UInt16 { server.port }

    /// Describes why no console can listen on a host, regardless of other listeners; nil if one can.
    public static func fault(ofHost host: String) -> String? { HTTPServer.fault(ofAddress: host) }

    public init(
        host: String,
        port: UInt16,
        pages: Pages = .all,
        health: WorkerHealth,
        registry: MetricsRegistry,
        logger: Logger
    ) throws(HTTPServerError) {
        self.pages = pages
        self.logger = logger
        droppedConnections = registry.counter(
            "flywheel_connections_dropped_total",
            help: "Connections closed because they were idle, or to free a slot for another.",
            labels: ["listener": pages.rawValue]
        )
        server = try HTTPServer(address: host, port: port, maximumBodySize: 1 << 10, logger: logger) { request in
            Console.answer(request, pages: pages, health: health, registry: registry)
        }
    }

    /// Serves until the flag is raised.
    public func run(until stop: StopFlag) throws(HTTPServerError) {
        while !stop.isRaised {
            try server.runOnce()
            noteDrops()
        }
    }

    /// Counts the connections that were dropped; logs them once a minute at most.
    private func noteDrops() {
        let now = WallClock.now()
        droppedConnections.increment(by: server.dropped - countedDrops)
        countedDrops = server.dropped
        guard server.dropped > lastLogged.drops, now - lastLogged.at >= 60_000 else { return }
        logger.warning(
            "connections dropped",
            [
                "listener": .string(pages.rawValue), "count": .number(server.dropped - lastLogged.drops),
                "reason": .string("they were idle for seconds, or occupied slots that others needed"),
            ]
        )
        lastLogged = (server.dropped, now)
    }

    static func answer(
        _ request: HTTPRequest,
        pages: Pages,
        health: WorkerHealth,
        registry: MetricsRegistry
    ) -> HTTPResponse {
        guard request.method != .post else { return .text("only GET and HEAD are answered here\n", status: 405) }
        let now = WallClock.now()
        switch request.path {
        case "/health/live":
            let isLive = health.isLive(at: now)
            return .json(body(health, now, isLive ? "live" : "stalled"), status: isLive ? 200 : 503)
        case "/health/ready":
            let isReady = health.isReady(at: now)
            return .json(body(health, now, isReady ? "ready" : "not ready"), status: isReady ? 200 : 503)
        case "/metrics" where pages == .all:
            return HTTPResponse(
                status: 200,
                contentType: MetricsRegistry.contentType,
                body: Array(registry.exposition().utf8)
            )
        case "/":
            let others = pages == .all ? "/metrics\n" : ""
            return .text("flywheel \(Build.version)\n/health/live\n/health/ready\n\(others)")
        default: return .text("there is no such page; see /\n", status: 404)
        }
    }

    private static func body(_ health: WorkerHealth, _ now: Int64, _ status: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", status)
            writer.object("roles") { writer in
                for (role, state) in health.snapshot(at: now) {
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
        // Reasons and remarks may quote foreign text; in JSON, an escape stands for the same character.
        return Array(ForeignText.line(writer.text).utf8)
    }
}
