import Acquisition
import Arguments
import Events
import Flywheel
import Foundation
import JSON
import KafkaClient
import KafkaTransport
import Labeling
import Operations
import Processes
import Strategies
import StreamRuntime

/// `flywheel-bench live`: the time from a prediction to the task for it, under a steady load.
///
/// A worker in a process of its own receives predictions at a fixed rate. Its projects open a task for every candidate
/// that Intake admits, one by one and at once, so that the measurement covers the path and not the wait for a batch.
struct LiveBenchmark {
    static let specification = CommandSpecification(
        "live",
        summary: "time from a prediction to its labeling task, and processor time, at fixed rates",
        options: [
            .option("bootstrap", "HOST:PORT", help: "brokers", isRequired: true),
            .option("rates", "LIST", help: "predictions a second", defaultValue: "10000,50000,100000"),
            .option("intervals", "LIST", help: "milliseconds between two commits of Intake", defaultValue: "100"),
            .option("seconds", "N", help: "measured at each rate, after five to warm up", defaultValue: "20"),
            .option("tasks", "N", help: "wanted each second", defaultValue: "50"),
            .option("embedding", "N", help: "coordinates of each sample", defaultValue: "0"),
            .option("partitions", "N", help: "of the predictions", defaultValue: "4"),
            .repeated("kafka", "NAME=VALUE", help: "a property of librdkafka"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    /// Result at one rate.
    struct Row {
        let rate: Int
        let interval: Int
        let sent: Double
        /// Latencies in milliseconds, ascending.
        let latencies: [Double]
        /// Processor time of the worker, in seconds per second.
        let processor: Double
        let memory: Double

        func quantile(_ share: Double) -> Double {
            guard !latencies.isEmpty else { return .infinity }
            return latencies[min(latencies.count - 1, Int(Double(latencies.count) * share))]
        }
    }

    private let properties: KafkaProperties
    private let kafkaOptions: [String]
    private let rates: [Int]
    private let intervals: [Int]
    private let seconds: Int
    private let tasks: Int
    private let embedding: Int
    private let partitions: Int

    init(_ arguments: ParsedArguments) throws {
        func numbers(_ name: String) throws -> [Int] {
            try (arguments.string(name) ?? "").split(separator: ",").map { text in
                guard let number = Int(text), number > 0 else {
                    throw BenchmarkError("--\(name): expected numbers above 0 with commas between, found \"\(text)\"")
                }
                return number
            }
        }
        properties = try KafkaOptions.properties(arguments)
        kafkaOptions = arguments.strings("kafka")
        rates = try numbers("rates")
        intervals = try numbers("intervals")
        seconds = try arguments.int("seconds", in: 1...3_600) ?? 20
        tasks = try arguments.int("tasks", in: 1...10_000) ?? 50
        embedding = try arguments.int("embedding", in: 0...4_096) ?? 0
        partitions = try arguments.int("partitions", in: 1...64) ?? 4
    }

    func run(printsJSON: Bool) throws {
        var rows: [Row] = []
        for rate in rates {
            for interval in intervals {
                let row = try measure(rate, interval)
                FileHandle.standardError.write(Data("\(Self.line(row))\n".utf8))
                rows.append(row)
            }
        }
        print(printsJSON ? Self.json(rows) : rows.map(Self.line).joined(separator: "\n"))
    }

    private func measure(_ rate: Int, _ interval: Int) throws -> Row {
        let id = "\(ProcessInfo.processInfo.processIdentifier)-\(Int(Date().timeIntervalSince1970 * 1_000))"
        let topics = TopicNames(prefix: "flywheel-live-\(id).")
        let administration = try TopicAdministration(properties: properties, topics: topics)
        defer { administration.close() }
        _ = try administration.create(.init(trafficPartitions: partitions, projectPartitions: 4))
        let admin = try KafkaAdmin(properties: properties)
        defer {
            _ = try? admin.deleteTopics(Topic.allCases.map { topics[$0] })
            admin.close()
        }
        try apply(topics)
        let worker = try ChildProcess(
            CommandLine.arguments[0],
            [
                "live-worker", "--bootstrap", properties["bootstrap.servers"] ?? "", "--prefix", topics.prefix,
                "--interval", "\(interval)",
            ] + kafkaOptions.flatMap { ["--kafka", $0] }
        )
        defer {
            worker.kill()
            _ = worker.wait(timeout: .seconds(10))
        }
        let feeder = LiveFeeder(
            properties: properties,
            topic: topics[.predictions],
            rate: rate,
            partitions: partitions,
            embedding: embedding
        )
        feeder.start()
        defer { feeder.stop() }
        return try watch(feeder, worker: worker, topics: topics, rate: rate, interval: interval)
    }

    /// Applies projects whose tasks are opened as soon as a candidate arrives, at the requested rate.
    private func apply(_ topics: TopicNames) throws {
        let apply = ProjectApply(transport: KafkaStreamTransport(properties: properties), topics: topics)
        for configuration in try IntakeTraffic.configurations() {
            var policy = configuration.acquisition
            policy.maximumWait = 1
            policy.openTaskLimit = 1_000_000
            policy.auditShare = 0
            policy.auditCutoff = 0
            policy.isDiverse = false
            // Tasks are opened one by one, for every candidate that Intake admits.
            policy.stream = StreamPolicy(strategy: .random, share: LabelShare(millionths: LabelShare.whole), burst: 100)
            // A candidate queried by a trigger must not wait for its share either.
            policy.triggerShare = 1
            policy.window = 3_600_000
            policy.oversample = 1
            let hourly = tasks * 3_600 / IntakeTraffic.projectCount
            policy.votes = max(1, hourly) * configuration.labeling.maximumVotes
            let live = ProjectConfiguration(
                project: configuration.project,
                revision: 0,
                partition: 0,
                question: configuration.question,
                acquisition: policy
            )
            _ = try apply.apply(live, partitions: 4)
        }
    }

    private func watch(
        _ feeder: LiveFeeder,
        worker: borrowing ChildProcess,
        topics: TopicNames,
        rate: Int,
        interval: Int
    ) throws -> Row {
        let reader = try KafkaReader(properties: properties, topics: [topics[.labelingTasks]])
        defer { reader.close() }
        let name = topics[.labelingTasks]
        let positions = try reader.partitions(of: name).map { (KafkaTopicPartition(name, $0), Int64(0)) }
        try reader.start(Dictionary(positions, uniquingKeysWith: { first, _ in first }))
        let parser = JSONParser()
        var latencies: [Double] = []
        // The warm-up is long enough for a consumer group, which waits three seconds for its first members.
        let warmUp = ProcessUsage.now().clock + 10
        let end = warmUp + Double(seconds)
        var began: (usage: OtherProcessUsage, clock: Double, sent: Int)?
        while ProcessUsage.now().clock < end {
            let outcome = try reader.poll(maximum: 1_000, timeoutMilliseconds: 5)
            if let problem = feeder.problem { throw BenchmarkError("the feeder failed: \(problem)") }
            guard worker.exitStatus == nil else { throw BenchmarkError("the worker ended") }
            let isMeasured = ProcessUsage.now().clock >= warmUp
            if isMeasured, began == nil {
                began = (try OtherProcessUsage(of: worker.pid), ProcessUsage.now().clock, feeder.count)
            }
            guard case .records = outcome else { continue }
            let now = LiveFeeder.milliseconds()
            for record in reader.records where isMeasured && record.value.baseAddress != nil {
                let sample = try parser.parse(record.value).object().object("sample").string("id")
                if let age = LiveFeeder.age(of: sample, at: now) { latencies.append(age) }
            }
        }
        guard let began else { throw BenchmarkError("nothing was measured") }
        let used = try OtherProcessUsage(of: worker.pid)
        let length = ProcessUsage.now().clock - began.clock
        return Row(
            rate: rate,
            interval: interval,
            sent: Double(feeder.count - began.sent) / length,
            latencies: latencies.sorted(),
            processor: (used.seconds - began.usage.seconds) / length,
            memory: used.memory
        )
    }

    private static func line(_ row: Row) -> String {
        String(
            format:
                "%6d/s (sent %.0f/s), commits %d ms apart: %d tasks, p50 %.0f ms, p95 %.0f ms, p99 %.0f ms; %.2f processors, %.2f CPU s/M, %.0f MB",
            row.rate,
            row.sent,
            row.interval,
            row.latencies.count,
            row.quantile(0.5),
            row.quantile(0.95),
            row.quantile(0.99),
            row.processor,
            row.processor / row.sent * 1e6,
            row.memory
        )
    }

    private static func json(_ rows: [Row]) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("librdkafka", KafkaLibrary.version)
            writer.array("rows") { writer in
                for row in rows {
                    writer.object { writer in
                        writer.member("rate", row.rate)
                        writer.member("interval_ms", row.interval)
                        writer.member("sent_per_s", row.sent.rounded())
                        writer.member("tasks", row.latencies.count)
                        writer.member("p50_ms", row.quantile(0.5).rounded())
                        writer.member("p95_ms", row.quantile(0.95).rounded())
                        writer.member("p99_ms", row.quantile(0.99).rounded())
                        writer.member("processors", (row.processor * 1_000).rounded() / 1_000)
                        writer.member("cpu_s_per_M", (row.processor / row.sent * 1e9).rounded() / 1_000)
                        writer.member("rss_mb", row.memory.rounded())
                    }
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
