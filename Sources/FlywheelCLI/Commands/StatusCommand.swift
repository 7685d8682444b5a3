import Arguments
import DeadLetters
import EngineCore
import Events
import Foundation
import KafkaTransport
import Loop
import Operations
import Processes
import Worker

/// `flywheel status`.
enum StatusCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.connected(arguments)
        let transport = KafkaStreamTransport(properties: worker.kafka)
        let view = try StatusView(transport: transport, topics: worker.topics)
        defer { view.close() }
        let lags = try LagView(transport: transport, topics: worker.topics)
        defer { lags.close() }
        let deadLetters = try DeadLetterCount(transport: transport, topics: worker.topics)
        defer { deadLetters.close() }
        let stop = StopFlag()
        let trap = SignalTrap([SIGINT, SIGTERM]) { _ in stop.raise() }
        defer { trap.cancel() }
        var isFirst = true
        let directory = try ProjectDirectory(transport: transport, topics: worker.topics)
        defer { directory.close() }
        repeat {
            try deadLetters.update()
            let projects = try view.summaries()
            try directory.readToEnd(stable: true)
            let known = Set(projects.map { "\($0.project)" })
            let report = StatusReport(
                projects: projects,
                withoutEntry: directory.projects.keys.map { "\($0)" }.filter { !known.contains($0) }.sorted(),
                lag: try lags.lags(),
                deadLetters: .init(
                    count: deadLetters.count,
                    redriven: deadLetters.redriven,
                    isExact: deadLetters.isExact
                )
            )
            if arguments.flag("watch"), !arguments.flag("json") { Terminal.clear() }
            Terminal.show(arguments.flag("json") ? report.json : report.text)
            // The loop's own transactions are open for milliseconds: not every refresh reports them.
            if isFirst, try !view.heldBack().isEmpty { Terminal.complain(openTransaction(on: worker.topics[.state])) }
            isFirst = false
            guard arguments.flag("watch") else { break }
            var left = 20
            while left > 0, !stop.isRaised {
                WallClock.pause(100)
                left -= 1
            }
        } while !stop.isRaised
        return true
    }
}
