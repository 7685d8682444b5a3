import Console
import Foundation
import Processes
import Telemetry
import Worker

/// A console on a thread of its own, so that neither a role nor another console can keep it busy.
final class ListenerThread: Sendable {
    /// Failure to start, passed on once: the thread writes it before it signals, and the starter reads it after that.
    private final class Outcome: @unchecked Sendable { var failure: (any Error)? }

    private let finished = DispatchSemaphore(value: 0)

    /// Starts the thread, and returns once it listens.
    ///
    /// - Throws: `HTTPServerError` if the address cannot be bound.
    init(
        _ pages: Console.Pages,
        port: UInt16,
        worker: Worker,
        registry: MetricsRegistry,
        logger: Logger,
        stop: StopFlag
    ) throws {
        let (finished, started, outcome) = (finished, DispatchSemaphore(value: 0), Outcome())
        let (host, health) = (worker.configuration.consoleHost, worker.health)
        let thread = Thread {
            defer { finished.signal() }
            let console: Console
            do {
                console = try Console(
                    host: host,
                    port: port,
                    pages: pages,
                    health: health,
                    registry: registry,
                    logger: logger
                )
            } catch {
                outcome.failure = error
                started.signal()
                return
            }
            logger.info("\(pages.rawValue) listens", ["address": .string("http://\(host):\(console.port)")])
            started.signal()
            do { try console.run(until: stop) } catch {
                logger.error("\(pages.rawValue) has stopped", ["reason": .string("\(error)")])
            }
        }
        thread.name = "flywheel.\(pages.rawValue)"
        thread.start()
        started.wait()
        if let failure = outcome.failure { throw failure }
    }

    /// Waits until the thread has ended, which it does after the stop flag is raised.
    func wait() {
        finished.wait()
        finished.signal()
    }
}
