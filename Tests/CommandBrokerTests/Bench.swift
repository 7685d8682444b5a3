import Foundation
import KafkaClient
import KafkaTesting
import Processes
import Testing

/// Topics under a prefix of their own, and the processes of the program `flywheel` that use them.
final class Bench {
    let broker: BrokerProcess
    let prefix = "commands-\(UUID().uuidString.prefix(8).lowercased())."
    let directory: URL
    private var running: [ChildProcess] = []

    /// The reason why these tests cannot run on this machine; nil if they can.
    static let missing: String? = {
        guard FileManager.default.isExecutableFile(atPath: program) else { return "\(program) is not built" }
        if case .failure(let error) = BrokerProcess.shared { return "there is no broker: \(error)" }
        return nil
    }()

    /// Condition for the trait of a test: prints the missing prerequisite once.
    static let isAvailable: Bool = {
        if let missing { print("tests of commands skipped: \(missing)") }
        return missing == nil
    }()

    static let program: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let beside = Bundle.main.bundleURL.appendingPathComponent("flywheel").path
        let built = root.appendingPathComponent(".build/debug/flywheel").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : built
    }()

    init(broker: BrokerProcess? = nil) throws {
        self.broker = try broker ?? BrokerProcess.shared.get()
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(prefix)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit {
        for process in running { process.stop(grace: .seconds(2)) }
        try? FileManager.default.removeItem(at: directory)
    }

    var connection: [String] { ["--bootstrap", broker.bootstrap, "--prefix", prefix] }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }
    func text(_ name: String) -> String { (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? "" }

    /// Runs a command to its end.
    func flywheel(_ command: String...) throws -> CapturedRun {
        try ChildProcess.run(Self.program, command + connection, timeout: .seconds(60))
    }

    /// Starts a command whose standard output and error go to files `NAME.out` and `NAME.err`.
    func start(_ name: String, _ command: String...) throws -> ChildProcess { try start(name, arguments: command) }

    /// Starts a command, given as an array, whose standard output and error go to files `NAME.out` and `NAME.err`.
    func start(_ name: String, arguments: [String]) throws -> ChildProcess {
        let process = try ChildProcess(
            Self.program,
            arguments + connection,
            output: .file(path("\(name).out")),
            errors: .file(path("\(name).err"))
        )
        running.append(process)
        return process
    }

    /// Checks every 20 ms whether the condition holds; returns false if it does not hold within the limit.
    func wait(_ limit: Duration = .seconds(40), until condition: () throws -> Bool) rethrows -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try condition() { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return false
    }

    func write(_ count: Int, to topic: String, _ record: (Int) -> KafkaOutputRecord) throws {
        let producer = try KafkaProducer(properties: broker.properties)
        defer { producer.close() }
        for number in 0..<count { try producer.send(record(number)) }
        #expect(try producer.flush(timeoutMilliseconds: 60_000) == [])
    }

    /// The headers of all records that are committed in a topic at present.
    func headers(_ topic: String) throws -> [[KafkaHeader]] {
        let reader = try KafkaReader(properties: broker.properties, topics: [prefix + topic])
        defer { reader.close() }
        let partitions = try reader.partitions(of: prefix + topic).map { KafkaTopicPartition(prefix + topic, $0) }
        try reader.start(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }))
        var found: [[KafkaHeader]] = []
        var ended: Set<KafkaTopicPartition> = []
        let end = ContinuousClock.now + .seconds(30)
        while ended.count < partitions.count {
            try #require(ContinuousClock.now < end, "no end of \(topic) within 30 s")
            switch try reader.poll(maximum: 5_000, timeoutMilliseconds: 200) {
            case .idle: break
            case .records: found += reader.records.indices.map { reader.headers(at: $0) }
            case .endOfPartition(let partition, _): ended.insert(partition)
            }
        }
        return found
    }
}

/// The value of the last header of a name, as text.
func text(_ name: String, of headers: [KafkaHeader]) -> String? {
    headers.last { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
}
