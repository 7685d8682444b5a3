import Arguments
import Engine
import Events
import Foundation
import Telemetry

/// The worker that the live benchmark feeds: Intake and the loop, until it is killed.
struct LiveWorker {
    static let specification = CommandSpecification(
        "live-worker",
        summary: "the worker of the live benchmark; `live` starts it",
        options: [
            .option("bootstrap", "HOST:PORT", help: "brokers", isRequired: true),
            .option("prefix", "PREFIX", help: "of all topics", isRequired: true),
            .option("interval", "MS", help: "between two commits of Intake", isRequired: true),
            .repeated("kafka", "NAME=VALUE", help: "a property of librdkafka"),
        ]
    )

    private let configuration: WorkerConfiguration

    init(_ arguments: ParsedArguments) throws {
        let interval = Int64(try arguments.int("interval", in: 1...10_000) ?? 100)
        configuration = WorkerConfiguration(
            kafka: try KafkaOptions.properties(arguments),
            topics: TopicNames(prefix: try arguments.requiredString("prefix")),
            instance: "bench",
            roles: [.intake, .loop],
            statePath: "",
            intakeInterval: interval,
            loopInterval: min(50, interval)
        )
    }

    func run() {
        Worker(
            configuration: configuration,
            logger: Logger(module: "bench", level: .warning, sink: StandardErrorSink()),
            registry: MetricsRegistry(),
            stop: StopFlag()
        ).run()
    }
}
