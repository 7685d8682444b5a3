import Arguments
import Engine
import Foundation
import KafkaTransport
import Processes

/// `flywheel status`.
enum StatusCommand {
    static func run(_ arguments: ParsedArguments) throws -> Bool {
        let worker = try WorkerFile.connected(arguments)
        let transport = KafkaStreamTransport(properties: worker.kafka)
        let view = try StatusView(transport: transport, topics: worker.topics)
        defer { view.close() }
        let lags = try LagView(transport: transport, topics: worker.topics)
        defer { lags.close() }
        let letters = try LetterCount(transport: transport, topics: worker.topics)
        defer { letters.close() }
        let stop = StopFlag()
        let trap = SignalTrap([SIGINT, SIGTERM]) { _ in stop.raise() }
        defer { trap.cancel() }
        repeat {
            try letters.update()
            let report = StatusReport(
                projects: try view.summaries(),
                lag: try lags.lags(),
                deadLetters: .init(count: letters.count, redriven: letters.redriven, isExact: letters.isExact)
            )
            if arguments.flag("watch"), !arguments.flag("json") { Terminal.clear() }
            Terminal.show(arguments.flag("json") ? report.json : report.text)
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
