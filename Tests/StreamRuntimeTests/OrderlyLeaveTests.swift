import Events
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// A death is reported once: the successor of a worker that stopped in order observes no death.
@Suite("Workers that stop in an orderly way after a death")
struct OrderlyLeaveTests {
    private func reportsDeath(_ runner: ProcessorRunner) -> Bool {
        runner.events.contains { if case .foundUnclean = $0 { true } else { false } }
    }

    private func topicPartition(_ pipeline: Pipeline) -> TopicPartition {
        TopicPartition(pipeline.topics[.annotations], 0)
    }

    /// Makes a pipeline in which a worker has committed records and died, with `pending` further records.
    private func afterDeath(pending: Int) throws -> Pipeline {
        let pipeline = try Pipeline(seed: 4)
        for number in 0..<20 { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        let runner = try pipeline.makeIntake()
        try runner.settle()
        runner.task.abandon()
        pipeline.cluster.expireMember("w1", of: "intake")
        for number in 0..<pending { try pipeline.send(.annotations, Wire.annotation("p\(number)", "a", .skip)) }
        return pipeline
    }

    /// Starts a worker, which is assigned partitions and stopped before it reads a record.
    private func startAndStop(_ pipeline: Pipeline) throws -> ProcessorRunner {
        let runner = try pipeline.makeIntake()
        try runner.task.cycle()
        runner.task.close()
        return runner
    }

    @Test("Without traffic the first start reports the last owner's death, and no later start does")
    func withoutTraffic() throws {
        let pipeline = try afterDeath(pending: 0)
        #expect(pipeline.cluster.note(of: topicPartition(pipeline), group: "intake") == "open")
        let reported = try (0..<4).map { _ in reportsDeath(try startAndStop(pipeline)) }
        #expect(reported == [true, false, false, false])
        #expect(pipeline.cluster.note(of: topicPartition(pipeline), group: "intake") == "clean")
    }

    @Test("With unprocessed records careful processing continues, and the death is reported once")
    func withRecords() throws {
        let pipeline = try afterDeath(pending: 5)
        let reported = try (0..<4).map { _ in reportsDeath(try startAndStop(pipeline)) }
        #expect(reported == [true, false, false, false])
        // The metadata has a word that older builds do not know; they ignore all of it and are cautious.
        #expect(pipeline.cluster.note(of: topicPartition(pipeline), group: "intake") == "open left=suspicious")
        #expect(OffsetMetadata("open left=suspicious") == .open)
        let next = try pipeline.makeIntake()
        try next.settle()
        next.task.close()
        #expect(pipeline.cluster.note(of: topicPartition(pipeline), group: "intake") == "clean")
        #expect(pipeline.journal().count { $0.text.contains(#""kind":"annotation""#) } == 25)
    }

    @Test("A worker that reads its first records and stops at once marks its partitions clean")
    func firstRecords() throws {
        let pipeline = try Pipeline(seed: 4)
        try pipeline.send(.annotations, Wire.annotation("t", "a", .skip))
        let runner = try pipeline.makeIntake(policy: CommitPolicy(interval: 1_000))
        for _ in 0..<3 { try runner.task.cycle() }
        runner.task.close()
        #expect(pipeline.cluster.offsets(of: "intake")[topicPartition(pipeline)] == 1)
        #expect(pipeline.cluster.note(of: topicPartition(pipeline), group: "intake") == "clean")
        #expect(!reportsDeath(try startAndStop(pipeline)))
    }

    @Test("A partition marked clean stays so when its next owner stops after reading another one")
    func otherPartition() throws {
        let pipeline = try Pipeline(seed: 4)
        for partition: Int32 in 0..<2 {
            try pipeline.send(.annotations, Wire.annotation("t\(partition)", "a", .skip), partition: partition)
        }
        let first = try pipeline.makeIntake()
        try first.settle()
        first.task.close()
        // The worker reads from one partition only, and stops in the same transaction.
        try pipeline.send(.annotations, Wire.annotation("more", "a", .skip), partition: 1)
        let second = try pipeline.makeIntake()
        try second.settle()
        second.task.close()
        for partition: Int32 in 0..<2 {
            let topicPartition = TopicPartition(pipeline.topics[.annotations], partition)
            #expect(pipeline.cluster.note(of: topicPartition, group: "intake") == "clean", "\(partition)")
        }
        #expect(!reportsDeath(try startAndStop(pipeline)))
    }

    @Test("A record that kills three workers is isolated, however many stop in an orderly way between the deaths")
    func stillQuarantines() throws {
        let pipeline = try Pipeline(seed: 4)
        for number in 0..<40 { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        let lethal = LethalRecord(topic: pipeline.topics[.annotations], partition: 0, offset: 17, manner: .death)
        let (_, deaths) = try supervise { incarnation in
            if incarnation > 0 { for _ in 0..<2 { _ = try startAndStop(pipeline) } }
            return try pipeline.makeIntake(lethal: lethal)
        }
        #expect((3...6).contains(deaths), "\(deaths) deaths")
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("__connect.errors.offset") } == ["17"])
        #expect(pipeline.journal().count { $0.text.contains(#""kind":"annotation""#) } == 39)
    }
}
