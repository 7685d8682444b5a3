import Arguments
import Events
import Foundation
import JSON
import KafkaClient
import KafkaTransport
import Operations
import Processes
import StreamRuntime

/// `flywheel-bench intake`: the cost of Intake, compared with a consumer that does not inspect records.
///
/// Every mode reads the same topic from its first record, in a process of its own; modes alternate, so that other load
/// on the machine affects all equally. Intake's output is compared with the records sent; without a match there is no
/// result.
struct IntakeBenchmark {
    static let specification = CommandSpecification(
        "intake",
        summary: "events a second and processor seconds per million of Intake, beside a consumer that parses nothing",
        options: [
            .option("bootstrap", "HOST:PORT", help: "brokers", isRequired: true),
            .option(
                "topic",
                "NAME",
                help: "topic that has, or will keep, the traffic (default: a temporary one)"
            ),
            .option("events", "N", help: "records, the warm-up included", defaultValue: "1000000"),
            .option("embedding", "N", help: "coordinates of each sample", defaultValue: "0"),
            .option("bad", "SHARE", help: "of the records that are no predictions", defaultValue: "0.001"),
            .option("partitions", "N", help: "of the topic", defaultValue: "4"),
            .option("threads", "N", help: "of Intake", defaultValue: "1"),
            .option("repeats", "N", help: "runs of each mode", defaultValue: "3"),
            .option("modes", "LIST", help: "which", defaultValue: "raw,exactly_once,at_least_once"),
            .repeated("kafka", "NAME=VALUE", help: "a property of librdkafka, for every mode"),
            .option("broker", "TEXT", help: "what the report calls the brokers; else their addresses"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    private let properties: KafkaProperties
    private let kafkaOptions: [String]
    private let keptTopic: String?
    private let events: Int
    private let embedding: Int
    private let bad: Double
    private let partitions: Int
    private let threads: Int
    private let repeats: Int
    private let modes: [IntakeMode.Kind]
    private let broker: String?

    init(_ arguments: ParsedArguments) throws {
        properties = try KafkaOptions.properties(arguments)
        kafkaOptions = arguments.strings("kafka")
        keptTopic = arguments.string("topic")
        broker = arguments.string("broker")
        events = try arguments.int("events", in: 10_000...100_000_000) ?? 1_000_000
        embedding = try arguments.int("embedding", in: 0...4_096) ?? 0
        bad = try arguments.double("bad", in: 0...0.9) ?? 0.001
        partitions = try arguments.int("partitions", in: 1...64) ?? 4
        threads = try arguments.int("threads", in: 1...64) ?? 1
        repeats = try arguments.int("repeats", in: 1...100) ?? 3
        modes = try (arguments.string("modes") ?? "").split(separator: ",").map { name in
            guard let mode = IntakeMode.Kind(rawValue: String(name)) else {
                throw BenchmarkError("--modes: expected raw, exactly_once or at_least_once, found \"\(name)\"")
            }
            return mode
        }
    }

    /// Returns the topics of one mode: topics of its own, except those that all modes read.
    static func topics(prefix: String, predictions: String) -> TopicNames {
        TopicNames(prefix: prefix, overrides: [.predictions: predictions, .projects: "\(predictions).projects"])
    }

    func run(printsJSON: Bool) throws {
        let admin = try KafkaAdmin(properties: properties)
        defer { admin.close() }
        let id = "flywheel-bench-\(ProcessInfo.processInfo.processIdentifier)-\(Int(Date().timeIntervalSince1970))"
        let topic = keptTopic ?? "\(id).predictions"
        let source = IntakeSource(properties: properties, topic: topic)
        let sent = try source.prepare(
            admin,
            traffic: IntakeTraffic(embedding: embedding, bad: bad, seed: 7),
            events: events,
            partitions: partitions
        )
        defer { if keptTopic == nil { _ = try? admin.deleteTopics(source.topics) } }
        var figures: [IntakeMode.Kind: [IntakeMode.Figures]] = [:]
        for repetition in 1...repeats {
            for mode in modes {
                let measured = try measure(
                    mode,
                    prefix: "\(id).\(mode.rawValue).\(repetition).",
                    topic: topic,
                    sent: sent.ledger,
                    admin: admin
                )
                writeToStandardError("\(mode.rawValue) \(repetition): \(text(measured))")
                figures[mode, default: []].append(measured)
            }
        }
        let report = IntakeReport(
            broker: try broker ?? admin.brokers().map { "\($0)" }.joined(separator: " "),
            events: sent.ledger.events,
            bytes: sent.bytes,
            figures: figures
        )
        print(printsJSON ? report.json : report.table)
    }

    private func measure(
        _ mode: IntakeMode.Kind,
        prefix: String,
        topic: String,
        sent: IntakeLedger,
        admin: KafkaAdmin
    ) throws -> IntakeMode.Figures {
        let topics = Self.topics(prefix: prefix, predictions: topic)
        let isIntake = mode != .raw
        if isIntake {
            let administration = try TopicAdministration(properties: properties, topics: topics)
            defer { administration.close() }
            _ = try administration.create(.init(trafficPartitions: 1, projectPartitions: 4))
        }
        defer {
            if isIntake {
                let own = Topic.allCases.filter { topics.overrides[$0] == nil }
                _ = try? admin.deleteTopics(own.map { topics[$0] })
            }
        }
        let run = try ChildProcess.run(
            CommandLine.arguments[0],
            [
                "intake-mode", "--mode", mode.rawValue, "--bootstrap", properties["bootstrap.servers"] ?? "",
                "--topic", topic, "--prefix", prefix, "--events", "\(sent.events)",
                "--threads", "\(threads)", "--warm-up", "\(sent.events / 10)",
            ] + kafkaOptions.flatMap { ["--kafka", $0] },
            timeout: .seconds(900)
        )
        guard run.status == .exited(0), let line = run.outputText.split(separator: "\n").last else {
            throw BenchmarkError("\(mode.rawValue) ended with \(run.status): \(run.errorText.suffix(1_000))")
        }
        if !run.errorText.isEmpty { writeToStandardError(run.errorText) }
        if isIntake {
            let (found, _) = try IntakeLedger.readOutput(KafkaStreamTransport(properties: properties), topics)
            if let difference = found.difference(from: sent) { throw BenchmarkError("\(mode.rawValue): \(difference)") }
        }
        let parser = JSONParser()
        return try Array(line.utf8).withUnsafeBytes { try IntakeMode.Figures(json: parser.parse($0)) }
    }

    private func text(_ figures: IntakeMode.Figures) -> String {
        String(
            format: "%.0f events/s, %.3f CPU s/M, %.0f MB",
            figures.rate,
            figures.processor,
            figures.memory
        )
    }

    private func writeToStandardError(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
