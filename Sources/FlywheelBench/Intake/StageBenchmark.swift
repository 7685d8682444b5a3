import Acquisition
import Arguments
import EngineCore
import Events
import Flywheel
import Foundation
import Hashing
import Intake
import JSON
import StreamRuntime
import Vocabulary

/// `flywheel-bench stage`: the cost of Intake's own code, without a broker and its client: the records are in memory.
///
/// Intended for profilers: the same arguments do the same work.
struct StageBenchmark {
    static let specification = CommandSpecification(
        "stage",
        summary: "processor time of Intake's own code for a prediction, without a broker",
        options: [
            .option("events", "N", help: "records", defaultValue: "2000000"),
            .option("embedding", "N", help: "coordinates of each sample", defaultValue: "0"),
            .option(
                "asked",
                "N",
                help: "other samples that were queried before; pools are full",
                defaultValue: "0"
            ),
            .option("bad", "SHARE", help: "of the records that are no predictions", defaultValue: "0.001"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )
    /// Number of distinct records, which are reused.
    private static let distinct = 20_000
    private static let batchSize = 10_000
    /// Number of batches between commits, as many as Intake reads in 100 ms.
    private static let transactionLength = 8
    private static let time: Int64 = 1_767_225_600_000

    private let events: Int
    private let embedding: Int
    private let queried: Int
    private let bad: Double

    init(_ arguments: ParsedArguments) throws {
        events = try arguments.int("events", in: 1...1_000_000_000) ?? 2_000_000
        embedding = try arguments.int("embedding", in: 0...4_096) ?? 0
        queried = try arguments.int("asked", in: 0...10_000_000) ?? 0
        bad = try arguments.double("bad", in: 0...0.9) ?? 0.001
    }

    /// Result of a run.
    struct Outcome {
        var counts = IntakeCounts()
        /// Processor time of Intake's own code, in seconds.
        var seconds = 0.0
        /// Bytes of all records read.
        var bytes = 0
        /// Records written.
        var written = 0
        /// Digest of every record written, in order, over topic, partition, key, value and headers.
        var digest = ""
    }

    func run(printsJSON: Bool) throws { report(try measure(), printsJSON) }

    /// Runs Intake over the records; the same arguments write the same bytes.
    func measure() throws -> Outcome {
        let topics = TopicNames(prefix: "bench.")
        let configurations = try IntakeTraffic.configurations(revision: 1)
        let projects = configurations.map { configuration in
            (key: Array(configuration.project.rawValue.utf8), value: configuration.jsonBytes)
        }
        var milliseconds = Self.time
        let processor = IntakeProcessor(
            topics: topics,
            directory: try ProjectDirectory(
                transport: FixedTransport(topic: topics[.projects], count: projects.count) { projects[$0] },
                topics: topics
            ),
            state: queried == 0 ? nil : try stateDirectory(topics, configurations),
            salt: [1, 2, 3],
            tokens: TokenKeys(salt: [1, 2, 3]),
            worker: "bench",
            partitionCount: 4,
            now: { milliseconds }
        )
        let partitions = (0..<Int32(4)).map { TopicPartition(topics[.predictions], $0) }
        _ = try processor.assigned(partitions, committed: [:])
        var traffic = IntakeTraffic(embedding: embedding, bad: bad, seed: 7)
        let values = (0..<Self.distinct).map { _ in UnsafeRawBufferPointer(Self.copy(traffic.next().value)) }
        defer { for value in values { value.deallocate() } }

        let names = IntakeProcessor.inputs.map { topics[$0] }
        let topic = IntakeProcessor.inputs.firstIndex(of: .predictions) ?? 0
        let batch = RecordBatch()
        var outcome = Outcome()
        var hasher = SHA256Hasher()
        var done = 0
        var next: [Int64] = [0, 0, 0, 0]
        var (transaction, length) = (PendingTransaction(), 0)
        while done < events {
            batch.records.removeAll(keepingCapacity: true)
            for _ in 0..<min(Self.batchSize, events - done) {
                let partition = done % 4
                let value = values[done % values.count]
                batch.records.append(
                    RecordView(
                        topic: topic,
                        partition: Int32(partition),
                        offset: next[partition],
                        timestamp: milliseconds,
                        key: UnsafeRawBufferPointer(start: nil, count: 0),
                        value: value
                    )
                )
                next[partition] += 1
                outcome.bytes += value.count
                done += 1
            }
            let began = ProcessUsage.now().processor
            try processor.process(batch, topics: names, into: &transaction)
            length += 1
            if length == Self.transactionLength || done == events {
                try processor.willCommit(into: &transaction)
                processor.committed()
                length = 0
            }
            outcome.seconds += ProcessUsage.now().processor - began
            milliseconds += 12
            guard length == 0 || done == events else { continue }
            for record in transaction.outputs { Self.add(record, to: &hasher) }
            outcome.written += transaction.outputs.count
            transaction = PendingTransaction()
        }
        outcome.counts = processor.counts
        outcome.digest = hasher.finish().hex
        return outcome
    }

    /// Hashes each part of a record with its length, absent parts with -1, so that no two records give the same bytes.
    private static func add(_ record: OutputRecord, to hasher: inout SHA256Hasher) {
        func add(_ bytes: [UInt8]?) {
            withUnsafeBytes(of: Int64(bytes?.count ?? -1).littleEndian) { hasher.update($0) }
            if let bytes { hasher.update(bytes) }
        }
        add(Array(record.topic.utf8))
        withUnsafeBytes(of: (record.partition ?? -1).littleEndian) { hasher.update($0) }
        add(record.key)
        add(record.value)
        for header in record.headers {
            add(Array(header.name.utf8))
            add(header.value)
        }
    }

    /// Returns a directory of `state` with the loop's rows of samples that do not occur again.
    private func stateDirectory(_ topics: TopicNames, _ projects: [ProjectConfiguration]) throws -> StateDirectory {
        let names = projects.map(\.project.rawValue)
        let pooled = projects.reduce(0) { $0 + $1.acquisition.poolCapacity }
        let transport = FixedTransport(topic: topics[.state], count: pooled + queried) { row in
            let table = row < pooled ? "pool" : "asked"
            return (Array("\(names[row % names.count])/acquisition.\(table)/old-\(row)".utf8), [UInt8(ascii: "1")])
        }
        return try StateDirectory(transport: transport, topics: topics, salt: [1, 2, 3])
    }

    private func report(_ outcome: Outcome, _ printsJSON: Bool) {
        let cost = outcome.seconds / Double(events) * 1e6
        let bytes = Double(outcome.bytes) / Double(events)
        let counts = outcome.counts
        if printsJSON {
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("events", events)
                writer.member("bytes_per_event", bytes)
                writer.member("us_per_event", cost)
                writer.member("peak_mb", ProcessUsage.now().peakMemory)
                writer.member("forwarded", counts.forwarded)
                writer.member("dead", counts.deadTotal)
                writer.member("records_written", outcome.written)
                writer.member("digest", outcome.digest)
            }
            print(String(decoding: writer.bytes, as: UTF8.self))
        } else {
            print(
                String(format: "%d events of %.0f bytes: %.3f µs each, ", events, bytes, cost)
                    + "\(counts.forwarded) forwarded, \(counts.deadTotal) dead, \(outcome.written) records written"
                    + String(format: "\n%.0f MB at most, ", ProcessUsage.now().peakMemory)
                    + "digest \(outcome.digest)"
            )
        }
    }

    private static func copy(_ bytes: [UInt8]) -> UnsafeMutableRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        return copy
    }
}
