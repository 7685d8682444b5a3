import Events
import Foundation
import KafkaClient
import KafkaTransport
import Operations
import Processes

/// The topics of one run of a benchmark of the loop, one partition each, and the worker that reads them.
final class LoopPipeline {
    let topics: TopicNames
    let properties: KafkaProperties
    let admin: KafkaAdmin
    /// Log of the worker, one JSON value per line.
    let log: URL
    /// Folder of the worker's snapshots.
    let state: URL

    private let kafkaOptions: [String]
    private let folder: URL

    /// Creates the topics; the journal keeps the timestamps that its entries are written with.
    init(properties: KafkaProperties, kafkaOptions: [String]) throws {
        self.properties = properties
        self.kafkaOptions = kafkaOptions
        let id = "\(ProcessInfo.processInfo.processIdentifier)-\(Int(Date().timeIntervalSince1970 * 1_000))"
        topics = TopicNames(prefix: "flywheel-loop-\(id).")
        folder = FileManager.default.temporaryDirectory.appending(path: "flywheel-loop-\(id)")
        log = folder.appending(path: "log")
        state = folder.appending(path: "state")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        admin = try KafkaAdmin(properties: properties)
        var journal: [String: String] = [:]
        for (name, value) in Topic.journal.configuration { journal[name] = value }
        journal["message.timestamp.type"] = "CreateTime"
        journal["message.timestamp.after.max.ms"] = String(Int64.max)
        _ = try admin.createTopics([
            KafkaTopicSpecification(name: topics[.journal], partitions: 1, configuration: journal)
        ])
        let administration = try TopicAdministration(properties: properties, topics: topics)
        defer { administration.close() }
        _ = try administration.create(.init(trafficPartitions: 1, projectPartitions: 1))
    }

    /// Deletes the topics, the log and the snapshots.
    func close() {
        _ = try? admin.deleteTopics(Topic.allCases.map { topics[$0] })
        admin.close()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts a worker that runs only the loop, with a log of its own.
    func startWorker(keepsSnapshots: Bool) throws -> ChildProcess {
        let arguments = [
            "live-worker", "--bootstrap", properties["bootstrap.servers"] ?? "", "--prefix", topics.prefix,
            "--roles", "loop", "--interval", "50", "--state", keepsSnapshots ? state.path : "", "--verbose",
        ]
        return try ChildProcess(
            CommandLine.arguments[0],
            arguments + kafkaOptions.flatMap { ["--kafka", $0] },
            errors: .file(log.path)
        )
    }

    /// The next offset of the journal that the loop has committed; 0 before the first. Not to be called before the
    /// journal has partitions.
    func committed() throws -> Int64 {
        let topicPartition = KafkaTopicPartition(topics[.journal], 0)
        return try admin.committedOffsets(group: "\(topics.prefix)loop", [topicPartition])[topicPartition] ?? 0
    }
}
