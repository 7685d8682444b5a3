import Arguments
import EngineCore
import Events
import Foundation
import JSON
import KafkaClient
import KafkaTransport
import Processes
import Telemetry
import Worker

/// One mode of the Intake benchmark, in a process of its own.
struct IntakeMode {
    enum Kind: String, CaseIterable {
        /// A bare consumer that parses nothing.
        case raw
        case exactlyOnce = "exactly_once"
        case atLeastOnce = "at_least_once"
    }

    /// Figures of one run, over the events after the warm-up.
    struct Figures {
        let rate: Double
        let processor: Double
        let memory: Double

        init(_ began: ProcessUsage, _ ended: ProcessUsage, events: Int) {
            rate = Double(events) / (ended.clock - began.clock)
            processor = (ended.processor - began.processor) / Double(events) * 1e6
            memory = ended.peakMemory
        }

        init(json: JSONValue) throws {
            let object = try json.object()
            rate = try object.double("events_per_s")
            processor = try object.double("cpu_s_per_M")
            memory = try object.double("max_rss_mb")
        }

        var jsonBytes: [UInt8] {
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("events_per_s", rate)
                writer.member("cpu_s_per_M", processor)
                writer.member("max_rss_mb", memory)
            }
            return writer.bytes
        }
    }

    static let specification = CommandSpecification(
        "intake-mode",
        summary: "one mode of the Intake benchmark; `intake` starts it",
        options: [
            .option("mode", "NAME", help: "raw, exactly_once or at_least_once", isRequired: true),
            .option("bootstrap", "HOST:PORT", help: "brokers", isRequired: true),
            .option("topic", "NAME", help: "of the predictions", isRequired: true),
            .option("prefix", "PREFIX", help: "of all other topics, and of the group", isRequired: true),
            .option("events", "N", help: "records of the topic", isRequired: true),
            .option("threads", "N", help: "of Intake", defaultValue: "1"),
            .option("warm-up", "N", help: "records that are not measured", isRequired: true),
            .repeated("kafka", "NAME=VALUE", help: "a property of librdkafka"),
        ]
    )

    let kind: Kind
    let properties: KafkaProperties
    let topic: String
    let prefix: String
    let events: Int
    let warmUp: Int
    let threads: Int

    init(_ arguments: ParsedArguments) throws {
        kind = try arguments.choice("mode") ?? .raw
        properties = try KafkaOptions.properties(arguments)
        topic = try arguments.requiredString("topic")
        prefix = try arguments.requiredString("prefix")
        events = try arguments.int("events", in: 1...1_000_000_000) ?? 1
        threads = try arguments.int("threads", in: 1...64) ?? 1
        warmUp = try arguments.int("warm-up", in: 0...events) ?? 0
    }

    func run() throws {
        let figures = try kind == .raw ? countMessages() : runWorker()
        print(String(decoding: figures.jsonBytes, as: UTF8.self))
    }

    private func countMessages() throws -> Figures {
        let counter = try KafkaMessageCounter(properties: properties, group: "\(prefix)raw", topic: topic)
        defer { counter.close() }
        while counter.count < warmUp { try counter.consume(timeoutMilliseconds: 100) }
        let (began, first) = (ProcessUsage.now(), counter.count)
        while counter.count < events { try counter.consume(timeoutMilliseconds: 100) }
        try counter.commit()
        return Figures(began, ProcessUsage.now(), events: counter.count - first)
    }

    /// Runs the worker of `flywheel run --roles intake`; the events that it has read are those that it has committed.
    private func runWorker() throws -> Figures {
        let stop = StopFlag()
        let worker = Worker(
            configuration: WorkerConfiguration(
                kafka: properties,
                topics: IntakeBenchmark.topics(prefix: prefix, predictions: topic),
                instance: "bench",
                roles: [.intake],
                statePath: "",
                intakeThreads: threads,
                intakeDelivery: kind == .exactlyOnce ? .exactlyOnce : .atLeastOnce
            ),
            logger: Logger(module: "bench", level: .warning, sink: StandardErrorSink()),
            registry: MetricsRegistry(),
            stop: stop
        )
        let thread = Thread { worker.run() }
        thread.stackSize = 8 << 20
        thread.start()
        let committed = worker.metrics.registry.counter(
            "flywheel_records_read_total",
            help: "Records read and committed.",
            labels: ["role": "intake"]
        )
        let deadline = ProcessUsage.now().clock + 600
        try wait(for: warmUp, committed, until: deadline)
        let (began, first) = (ProcessUsage.now(), Int(committed.value))
        try wait(for: events, committed, until: deadline)
        let figures = Figures(began, ProcessUsage.now(), events: Int(committed.value) - first)
        stop.raise()
        while !thread.isFinished { usleep(10_000) }
        return figures
    }

    private func wait(for count: Int, _ counter: Counter, until deadline: Double) throws {
        while counter.value < UInt64(count) {
            usleep(5_000)
            guard ProcessUsage.now().clock < deadline else {
                throw BenchmarkError("Intake has committed \(counter.value) of \(count) records in 600 s")
            }
        }
    }
}

/// Options that state the addresses of the brokers.
enum KafkaOptions {
    static func properties(_ arguments: ParsedArguments) throws -> KafkaProperties {
        var properties = KafkaProperties()
        properties["bootstrap.servers"] = try arguments.requiredString("bootstrap")
        for property in arguments.strings("kafka") {
            guard let cut = property.firstIndex(of: "="), cut > property.startIndex else {
                throw BenchmarkError("--kafka: expected NAME=VALUE, found \"\(property)\"")
            }
            properties[String(property[..<cut])] = String(property[property.index(after: cut)...])
        }
        return properties
    }
}
