import Console
import EngineCore
import Foundation
import HTTPClient
import Processes
import Synchronization
import Telemetry
import Testing
import Worker

/// A console that runs on a thread of its own until it is released.
private final class RunningConsole: Sendable {
    let health = WorkerHealth()
    let registry = MetricsRegistry()
    let port: UInt16
    private let stop = StopFlag()
    private let ended = DispatchSemaphore(value: 0)

    init(_ pages: Console.Pages) throws {
        let started = DispatchSemaphore(value: 0)
        let found = Mutex<UInt16>(0)
        let (health, registry, stop, ended) = (health, registry, stop, ended)
        Thread.detachNewThread {
            defer { ended.signal() }
            let console = try? Console(
                host: "127.0.0.1",
                port: 0,
                pages: pages,
                health: health,
                registry: registry,
                logger: Logger(module: "console", sink: NullLogSink())
            )
            found.withLock { $0 = console?.port ?? 0 }
            started.signal()
            try? console?.run(until: stop)
        }
        started.wait()
        port = found.withLock { $0 }
        try #require(port > 0)
    }

    deinit {
        stop.raise()
        ended.wait()
    }

    func answer(_ path: String, by method: HTTPCall.Method = .get) throws -> (status: Int, text: String) {
        let answer = try HTTPClient().send(HTTPCall(method, "http://127.0.0.1:\(port)\(path)"))
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }
}

@Suite("The console of a worker")
struct ConsoleTests {
    @Test("The console lists its pages; one for health alone serves no metrics")
    func pages() throws {
        let all = try RunningConsole(.all)
        #expect(try all.answer("/").text.hasSuffix("/health/live\n/health/ready\n/metrics\n"))
        #expect(try all.answer("/metrics").text.contains("# HELP flywheel_connections_dropped_total"))
        let health = try RunningConsole(.health)
        #expect(try health.answer("/").text.hasSuffix("/health/live\n/health/ready\n"))
        #expect(try health.answer("/metrics").status == 404)
    }

    @Test("Unknown paths are not found, and POST is not allowed")
    func refused() throws {
        let console = try RunningConsole(.all)
        #expect(try console.answer("/health").status == 404)
        #expect(try console.answer("/health/live", by: .post).status == 405)
        #expect(try console.answer("/health/live", by: .head).text.isEmpty)
    }

    @Test("Readiness follows the roles, and a reason with hostile characters does not break the JSON")
    func health() throws {
        let console = try RunningConsole(.all)
        let now = WallClock.now()
        console.health.set(.intake, .running, partitions: 2, at: now)
        #expect(try console.answer("/health/ready").status == 200)
        let reason = "\"}\n\u{1B}[31m\u{2028}\\ end"
        console.health.set(.intake, .degraded, reason: reason, partitions: 2, at: now)
        let ready = try console.answer("/health/ready")
        #expect(ready.status == 503 && !ready.text.contains("\n") && ForeignText.isPlain(ready.text))
        let body = try JSONSerialization.jsonObject(with: Data(ready.text.utf8)) as? [String: Any]
        let roles = try #require(body?["roles"] as? [String: [String: Any]])
        #expect(body?["status"] as? String == "not ready")
        #expect(roles["intake"]?["reason"] as? String == reason)
        #expect(roles["intake"]?["partitions"] as? Int == 2)
        #expect(try console.answer("/health/live").status == 200)
    }
}
