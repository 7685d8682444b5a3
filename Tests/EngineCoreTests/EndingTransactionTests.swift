import Events
import Flywheel
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import EngineCore

@Suite("A transaction that ends while its topic is read")
struct EndingTransactionTests {
    /// A cluster in which a transaction ends as soon as a client queries whether one is open.
    private struct EndingTransport: StreamTransport {
        let cluster: InMemoryCluster
        let end: @Sendable () -> Void

        func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
            Reader(try cluster.makeReader(topics: topics), end)
        }
        func makeConsumer(group: String, instance: String, topics: [String]) throws(StreamError) -> any GroupConsumer {
            try cluster.makeConsumer(group: group, instance: instance, topics: topics)
        }
        func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
            try cluster.makeProducer(transactionalID: transactionalID)
        }
        func clusterID() throws(StreamError) -> String { try cluster.clusterID() }
        func groupOffsets(
            _ group: String,
            _ partitions: [TopicPartition]
        ) throws(StreamError) -> [TopicPartition: GroupOffset] { try cluster.groupOffsets(group, partitions) }
    }

    private final class Reader: LogReader {
        private let reader: any LogReader
        private let end: () -> Void
        var topics: [String] { reader.topics }

        init(_ reader: any LogReader, _ end: @escaping () -> Void) {
            self.reader = reader
            self.end = end
        }

        func partitions(of topic: String) throws(StreamError) -> [Int32] { try reader.partitions(of: topic) }
        func start(_ positions: [TopicPartition: Int64]) throws(StreamError) { try reader.start(positions) }
        func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
            try reader.poll(into: batch, maximum: maximum, timeoutMilliseconds: timeoutMilliseconds)
        }
        func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
            try reader.watermarks(partition)
        }
        func ends(of partitions: [TopicPartition], stable: Bool) throws(StreamError) -> [TopicPartition: Int64] {
            if !stable { end() }
            return try reader.ends(of: partitions, stable: stable)
        }
        func close() { reader.close() }
    }

    /// Before: "there is no such project" shortly after `project apply` had reported that it was applied, on a busy
    /// broker.
    @Test("A project is found if its transaction ends between the scan and the query for open transactions")
    func found() throws {
        let pipeline = try Pipeline()
        let writer = try pipeline.cluster.makeProducer(transactionalID: "apply")
        try writer.initializeTransactions()
        try writer.begin()
        let name = "late"
        let usual = Scenario.configuration()
        let configuration = ProjectConfiguration(
            project: ProjectID(name),
            revision: 1,
            partition: Scenario.partition,
            question: usual.question,
            acquisition: usual.acquisition,
            labeling: usual.labeling,
            datasets: usual.datasets,
            training: usual.training,
            rollout: usual.rollout
        )
        let record = OutputRecord(
            topic: pipeline.topics[.projects],
            partition: 0,
            key: Array(name.utf8),
            value: configuration.jsonBytes
        )
        try writer.send([record])
        nonisolated(unsafe) let producer = writer
        nonisolated(unsafe) var isOpen = true
        let transport = EndingTransport(cluster: pipeline.cluster) {
            if isOpen { try? producer.commit() }
            isOpen = false
        }
        let directory = try ProjectDirectory(transport: transport, topics: pipeline.topics)
        defer { directory.close() }
        try directory.readToEnd(for: name, pause: { _ in })
        #expect(directory[name]?.revision == 1)
        // The search for a project that does not exist waits for no transaction.
        try directory.readToEnd(for: "nowhere", pause: { _ in Issue.record("nothing is open") })
        #expect(directory["nowhere"] == nil)
    }
}
