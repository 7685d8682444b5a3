import EngineCore
import Events
import Flywheel
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Operations

/// A transport on which, when a topic is read, another producer takes over a transactional id.
private struct RivalTransport: StreamTransport {
    let cluster: InMemoryCluster
    let transactionalID: String

    func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
        try cluster.makeProducer(transactionalID: transactionalID).initializeTransactions()
        return try cluster.makeReader(topics: topics)
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
    ) throws(StreamError) -> [TopicPartition: GroupOffset] {
        try cluster.groupOffsets(group, partitions)
    }
}

/// Before: both were told in librdkafka's words, "make a new producer and rewind (_FENCED)".
@Suite("Two operators at the same time")
struct ConcurrentOperatorTests {
    @Test("Of two applies of a project the earlier one fails, writes nothing, and says what happened")
    func applies() throws {
        let pipeline = try Pipeline()
        let count = pipeline.cluster.committed(pipeline.topics[.projects]).count
        let id = "\(pipeline.topics.prefix)apply.\(Scenario.project)"
        let apply = ProjectApply(
            transport: RivalTransport(cluster: pipeline.cluster, transactionalID: id),
            topics: pipeline.topics
        )
        let error = #expect(throws: EngineError.self) {
            try apply.apply(Scenario.configuration(votes: 17), partitions: 2)
        }
        #expect(error?.reason == "another apply of it began meanwhile", "\(String(describing: error))")
        #expect(pipeline.cluster.committed(pipeline.topics[.projects]).count == count)
    }

    @Test("Of two commands to a project the earlier one fails, writes nothing, and says what happened")
    func commands() throws {
        let pipeline = try Pipeline()
        let name = Scenario.project.rawValue
        let (first, second) = (
            try OperatorCommandSender(transport: pipeline.cluster, topics: pipeline.topics, project: name),
            try OperatorCommandSender(transport: pipeline.cluster, topics: pipeline.topics, project: name)
        )
        let command = Command(id: "c1", action: .hold, by: "ada", reason: "noon")
        let error = #expect(throws: EngineError.self) { try first.send(command, at: 0) }
        #expect(error?.reason == "another command to it was sent meanwhile", "\(String(describing: error))")
        #expect(pipeline.cluster.committed(pipeline.topics[.commands]).isEmpty)
        try second.send(command, at: 0)
        #expect(pipeline.cluster.committed(pipeline.topics[.commands]).count == 1)
    }
}
