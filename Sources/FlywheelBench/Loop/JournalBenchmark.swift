import Arguments
import Events
import Foundation
import JSON
import KafkaClient
import KafkaTransport
import Operations
import Processes

/// `flywheel-bench journal`: the cost of the loop in its worker, from the journal's topic to the topics of decisions,
/// and the cost of replay, over the life of one project.
struct JournalBenchmark {
    static let specification = CommandSpecification(
        "journal",
        summary: "entries a second of the loop in a worker, over a project's life in a journal, and of its replay",
        options: [
            .option("bootstrap", "HOST:PORT", help: "brokers", isRequired: true),
            .option("days", "N", help: "of a project's life", defaultValue: "30"),
            .option("votes", "N", help: "answers a day", defaultValue: "1000"),
            .repeated("kafka", "NAME=VALUE", help: "a property of librdkafka"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    /// Work of a process between two measurements.
    private struct Stretch {
        let entries: Int64
        let seconds: Double
        let processor: Double
        let memory: Double
    }

    private let properties: KafkaProperties
    private let kafkaOptions: [String]
    private let days: Int
    private let votes: Int

    init(_ arguments: ParsedArguments) throws {
        properties = try KafkaOptions.properties(arguments)
        kafkaOptions = arguments.strings("kafka")
        days = try arguments.int("days", in: 1...10_000) ?? 30
        votes = try arguments.int("votes", in: 1...100_000) ?? 1_000
    }

    func run(printsJSON: Bool) throws {
        let pipeline = try LoopPipeline(properties: properties, kafkaOptions: kafkaOptions)
        defer { pipeline.close() }
        let year = try feed(pipeline)
        let stretch = try watch(pipeline, Int64(year.entries))
        let began = ProcessUsage.now()
        let report = try Replay(transport: KafkaStreamTransport(properties: properties), topics: pipeline.topics)
            .verify(project: "year", partition: 0)
        let replayed = ProcessUsage.now()
        if let difference = report.firstDifference { throw BenchmarkError("replay differs: \(difference)") }
        // The benchmark's own ticks contain the digests of a loop without a broker: equal digests show that both loops
        // made the same decisions.
        guard report.entries >= UInt64(year.entries), report.decisions >= year.decisions, report.ticksChecked > 0 else {
            throw BenchmarkError("\(report.entries) entries were replayed, and \(year.entries) were written")
        }
        let replay = Stretch(
            entries: Int64(report.entries),
            seconds: replayed.clock - began.clock,
            processor: replayed.processor - began.processor,
            memory: replayed.peakMemory
        )
        print(
            printsJSON
                ? json(of: year, worker: stretch, replay: replay, report: report)
                : text(of: year, worker: stretch, replay: replay, report: report)
        )
    }

    /// Writes the life to the journal, each entry with the time at which it would have been appended.
    private func feed(_ pipeline: LoopPipeline) throws -> ProjectYear {
        let producer = try KafkaProducer(properties: properties.merging(["linger.ms": "20"]))
        defer { producer.close() }
        var year = ProjectYear(dailyVotes: votes)
        let key = Array("year".utf8)
        year.record = { value, time in
            try producer.send(
                KafkaOutputRecord(
                    topic: pipeline.topics[.journal],
                    partition: 0,
                    key: key,
                    value: value,
                    timestamp: time
                )
            )
        }
        try year.configure()
        for _ in 0..<days { try year.simulateDay() }
        year.record = nil
        if let failure = try producer.flush(timeoutMilliseconds: 120_000).first { throw failure.error }
        return year
    }

    /// Runs a worker until it has committed all entries; the measurement begins with its first commit.
    private func watch(_ pipeline: LoopPipeline, _ entries: Int64) throws -> Stretch {
        let worker = try pipeline.startWorker(keepsSnapshots: false)
        defer { worker.stop(grace: .seconds(20)) }
        // librdkafka 2.0.2 cannot read the response about a group that no coordinator has registered yet.
        _ = try WorkerLog(file: pipeline.log).wait(for: "partition restored", worker, seconds: 60)
        var first: (entries: Int64, usage: OtherProcessUsage, clock: Double)?
        let deadline = ProcessUsage.now().clock + 600
        while ProcessUsage.now().clock < deadline {
            guard worker.exitStatus == nil else { throw BenchmarkError("the worker ended") }
            let committed = try pipeline.committed()
            let (usage, clock) = (try OtherProcessUsage(of: worker.pid), ProcessUsage.now().clock)
            if let first, committed >= entries {
                return Stretch(
                    entries: committed - first.entries,
                    seconds: clock - first.clock,
                    processor: usage.seconds - first.usage.seconds,
                    memory: usage.memory
                )
            }
            if first == nil, committed > 0 { first = (committed, usage, clock) }
            usleep(20_000)
        }
        throw BenchmarkError("the worker did not come to the end of the journal")
    }

    private func text(of year: ProjectYear, worker: Stretch, replay: Stretch, report: Replay.Report) -> String {
        func line(_ name: String, entries: Int64, seconds: Double, rest: String) -> String {
            name.padding(toLength: 16, withPad: " ", startingAt: 0)
                + String(format: "%9d entries in %6.2f s: %7.0f entries/s", entries, seconds, Double(entries) / seconds)
                + rest
        }
        func usage(_ stretch: Stretch) -> String {
            String(
                format: ", %.2f CPU s/M, %.0f MB",
                stretch.processor / Double(stretch.entries) * 1e6,
                stretch.memory
            )
        }
        return [
            line("without broker", entries: Int64(year.entries), seconds: year.seconds, rest: ""),
            line("worker", entries: worker.entries, seconds: worker.seconds, rest: usage(worker)),
            line("replay", entries: replay.entries, seconds: replay.seconds, rest: usage(replay)),
            "\(report.compared) decisions equal byte for byte, \(report.compacted) compacted away, \(report.ticksChecked) ticks checked",
        ].joined(separator: "\n")
    }

    private func json(of year: ProjectYear, worker: Stretch, replay: Stretch, report: Replay.Report) -> String {
        func write(_ stretch: Stretch, to writer: inout JSONWriter) {
            writer.object { writer in
                writer.member("entries", stretch.entries)
                writer.member("seconds", (stretch.seconds * 1_000).rounded() / 1_000)
                writer.member("entries_per_s", (Double(stretch.entries) / stretch.seconds).rounded())
                writer.member("cpu_s_per_M", (stretch.processor / Double(stretch.entries) * 1e8).rounded() / 100)
                writer.member("memory_mb", stretch.memory.rounded())
            }
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("librdkafka", KafkaLibrary.version)
            writer.member("days", days)
            writer.member("entries", year.entries)
            writer.member("bytes_per_entry", (Double(year.bytes) / Double(year.entries)).rounded())
            writer.member("without_broker_entries_per_s", (Double(year.entries) / year.seconds).rounded())
            writer.key("worker")
            write(worker, to: &writer)
            writer.key("replay")
            write(replay, to: &writer)
            writer.member("compared", report.compared)
            writer.member("compacted", report.compacted)
            writer.member("ticks_checked", report.ticksChecked)
            writer.member("chain", report.chain)
        }
        return writer.text
    }
}
