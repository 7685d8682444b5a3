import Arguments
import EngineCore
import Events
import Foundation
import JSON
import KafkaClient
import KafkaTransport
import Loop
import Processes

/// `flywheel-bench restore`: the time from a worker's start until it has the loop's tables, from the changelog and from
/// a snapshot.
struct RestoreBenchmark {
    static let specification = CommandSpecification(
        "restore",
        summary: "seconds until a worker has the loop's tables, from the changelog and from a snapshot",
        options: [
            .option("bootstrap", "HOST:PORT", help: "brokers", isRequired: true),
            .option("keys", "N", help: "rows of the changelog", defaultValue: "1000000"),
            .option("repeats", "N", help: "times from each", defaultValue: "3"),
            .repeated("kafka", "NAME=VALUE", help: "a property of librdkafka"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    /// Measurement of one start of a worker.
    private struct Start {
        /// Seconds from the start of the worker until it has the tables.
        let seconds: Double
        /// Seconds from the assignment of its partitions until it has the tables.
        let restoring: Double
        /// Seconds of processor time.
        let processor: Double
        /// Resident memory, in MB.
        let memory: Double
    }

    private let properties: KafkaProperties
    private let kafkaOptions: [String]
    private let keys: Int
    private let repeats: Int

    init(_ arguments: ParsedArguments) throws {
        properties = try KafkaOptions.properties(arguments)
        kafkaOptions = arguments.strings("kafka")
        keys = try arguments.int("keys", in: 1_000...100_000_000) ?? 1_000_000
        repeats = try arguments.int("repeats", in: 1...100) ?? 3
    }

    func run(printsJSON: Bool) throws {
        let pipeline = try LoopPipeline(properties: properties, kafkaOptions: kafkaOptions)
        defer { pipeline.close() }
        let bytes = try fill(pipeline)
        var starts: [(source: String, start: Start)] = []
        for number in 0..<repeats {
            // Each worker may write a few more rows before it is killed.
            let rows = keys + 1...keys + 1 + (number == 0 ? 0 : 10_000)
            starts.append(("changelog", try start(pipeline, rows: rows)))
        }
        try writeSnapshot(pipeline)
        for _ in 0..<repeats { starts.append(("snapshot", try start(pipeline, rows: nil))) }
        print(printsJSON ? json(starts, bytes) : text(starts, bytes))
    }

    /// Writes the rows of as many simulated projects as needed, in transactions, and their journal position.
    ///
    /// - Returns: Bytes of keys and values.
    private func fill(_ pipeline: LoopPipeline) throws -> Int {
        var year = ProjectYear(dailyVotes: 1_000)
        try year.configure()
        // One project is simulated up to a tenth of the wanted rows, within 1,000...100,000: further projects are
        // copies under other names.
        while year.project.rowCount < max(1_000, min(100_000, keys / 10)) { try year.simulateDay() }
        let producer = try KafkaProducer(properties: properties, transactionalID: "\(pipeline.topics.prefix)fill")
        defer { producer.close() }
        try producer.initializeTransactions()
        var (left, number, bytes) = (keys, 0, 0)
        while left > 0 {
            number += 1
            let name = "life-\(number)"
            var records: [KafkaOutputRecord] = []
            for row in year.project.changelogRows(as: name).prefix(left) {
                bytes += row.key.count + row.value.count
                records.append(record(pipeline, row.key, row.value))
            }
            left -= records.count
            try send(records, producer)
        }
        let position = PartitionPosition(
            journalOffset: 0,
            clusterID: try pipeline.admin.clusterID(),
            build: Build.version,
            history: pipeline.topics.prefix
        )
        try send([record(pipeline, Array(PartitionPosition.key.utf8), position.jsonBytes)], producer)
        return bytes
    }

    private func record(_ pipeline: LoopPipeline, _ key: [UInt8], _ value: [UInt8]) -> KafkaOutputRecord {
        KafkaOutputRecord(topic: pipeline.topics[.state], partition: 0, key: key, value: value)
    }

    private func send(_ records: [KafkaOutputRecord], _ producer: KafkaProducer) throws {
        try producer.begin()
        try producer.send(records)
        try producer.commit()
    }

    /// Starts a worker, waits until it has the tables, and kills it before it can write much. It must find a number of
    /// rows in `rows` in the changelog; with nil it starts from the snapshot.
    private func start(_ pipeline: LoopPipeline, rows: ClosedRange<Int>?) throws -> Start {
        let began = ProcessUsage.now().clock
        let worker = try pipeline.startWorker(keepsSnapshots: rows == nil)
        defer {
            worker.kill()
            _ = worker.wait(timeout: .seconds(10))
        }
        let log = WorkerLog(file: pipeline.log)
        let restored = try log.wait(for: "partition restored", worker, seconds: 300)
        let seconds = ProcessUsage.now().clock - began
        let usage = try OtherProcessUsage(of: worker.pid)
        let found = restored["records"] ?? 0
        if let rows {
            guard rows.contains(Int(found)) else {
                throw BenchmarkError("\(found) records were restored, and \(keys + 1) were written")
            }
        } else {
            guard let snapshot = try log.find("snapshot read"), snapshot["rows"] ?? 0 >= keys else {
                throw BenchmarkError("the snapshot was not used, or lacks rows")
            }
        }
        return Start(
            seconds: seconds,
            restoring: Double(restored["ms"] ?? 0) / 1_000,
            processor: usage.seconds,
            memory: usage.memory
        )
    }

    /// Runs a worker until it has written its first entries, and stops it gracefully, so that it writes a snapshot.
    private func writeSnapshot(_ pipeline: LoopPipeline) throws {
        let worker = try pipeline.startWorker(keepsSnapshots: true)
        defer {
            worker.kill()
            _ = worker.wait(timeout: .seconds(10))
        }
        let log = WorkerLog(file: pipeline.log)
        _ = try log.wait(for: "partition restored", worker, seconds: 300)
        let deadline = ProcessUsage.now().clock + 60
        while try pipeline.committed() == 0, ProcessUsage.now().clock < deadline { usleep(50_000) }
        worker.terminate()
        _ = worker.wait(timeout: .seconds(60))
        guard try log.find("snapshot written") != nil else {
            throw BenchmarkError("the worker left no snapshot; see \(pipeline.log.path)")
        }
    }

    private func text(_ starts: [(source: String, start: Start)], _ bytes: Int) -> String {
        let head = String(format: "%d rows, %.1f MB of keys and values", keys, Double(bytes) / 1e6)
        let lines = starts.map { source, start in
            source.padding(toLength: 12, withPad: " ", startingAt: 0)
                + String(
                    format: "%.2f s from the start (%.2f s restoring, %.2f s for a million rows), %.2f CPU s, %.0f MB",
                    start.seconds,
                    start.restoring,
                    start.restoring / Double(keys) * 1e6,
                    start.processor,
                    start.memory
                )
        }
        return ([head] + lines).joined(separator: "\n")
    }

    private func json(_ starts: [(source: String, start: Start)], _ bytes: Int) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("librdkafka", KafkaLibrary.version)
            writer.member("rows", keys)
            writer.member("mb", (Double(bytes) / 1e5).rounded() / 10)
            writer.array("starts") { writer in
                for (source, start) in starts {
                    writer.object { writer in
                        writer.member("from", source)
                        writer.member("seconds", (start.seconds * 1_000).rounded() / 1_000)
                        writer.member("restoring_s", (start.restoring * 1_000).rounded() / 1_000)
                        writer.member("s_per_M_rows", (start.restoring / Double(keys) * 1e9).rounded() / 1_000)
                        writer.member("cpu_s", (start.processor * 100).rounded() / 100)
                        writer.member("memory_mb", start.memory.rounded())
                    }
                }
            }
        }
        return writer.text
    }
}
