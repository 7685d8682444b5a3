import Arguments
import EngineCore
import Events
import Foundation
import Processes
import Telemetry
import Worker

/// The worker that the live benchmark feeds: Intake and the loop, until it is killed.
struct LiveWorker {
    static let specification = CommandSpecification(
        "live-worker",
        summary: "the worker of the benchmarks `live`, `journal` and `restore`, which start it",
        options: [
            .option("bootstrap", "HOST:PORT", help: "brokers", isRequired: true),
            .option("prefix", "PREFIX", help: "of all topics", isRequired: true),
            .option("interval", "MS", help: "between two commits of Intake", isRequired: true),
            .option("roles", "LIST", help: "that it plays", defaultValue: "intake,loop"),
            .option("state", "PATH", help: "folder of the loop's snapshots; empty for none", defaultValue: ""),
            .flag("verbose", help: "log more than warnings and errors"),
            .repeated("kafka", "NAME=VALUE", help: "a property of librdkafka"),
        ]
    )

    private let configuration: WorkerConfiguration
    private let level: LogLevel

    init(_ arguments: ParsedArguments) throws {
        let interval = Int64(try arguments.int("interval", in: 1...10_000) ?? 100)
        configuration = WorkerConfiguration(
            kafka: try KafkaOptions.properties(arguments),
            topics: TopicNames(prefix: try arguments.requiredString("prefix")),
            instance: "bench",
            roles: (arguments.string("roles") ?? "").split(separator: ",").compactMap { Role(rawValue: String($0)) },
            statePath: arguments.string("state") ?? "",
            intakeInterval: interval,
            loopInterval: min(50, interval)
        )
        level = arguments.flag("verbose") ? .info : .warning
    }

    func run() {
        let stop = StopFlag()
        let trap = SignalTrap { _ in stop.raise() }
        defer { trap.cancel() }
        Worker(
            configuration: configuration,
            logger: Logger(module: "bench", level: level, sink: StandardErrorSink()),
            registry: MetricsRegistry(),
            stop: stop
        ).run()
    }
}
