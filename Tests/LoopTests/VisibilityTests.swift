import Events
import Loop
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("When parts of the changelog become visible")
struct VisibilityTests {
    /// A pipeline whose loop has decided a short journal.
    private func decided() throws -> Pipeline {
        let pipeline = try Recording(seed: 1, rounds: 3).pipeline()
        try pipeline.makeLoop(now: { 0 }).settle()
        return pipeline
    }

    private func refusal(_ pipeline: Pipeline) -> String {
        do {
            try pipeline.makeLoop().settle()
            return "none"
        } catch { return "\(error)" }
    }

    private var journal: TopicPartition { TopicPartition("t.journal", Scenario.partition) }

    @Test(
        "If the group's offset is visible before the changelog, the loop waits for the changelog",
        arguments: [0, 700, 5_000]
    )
    func lateChangelog(delay: Int64) throws {
        let recording = try Recording(seed: 1, rounds: 5)
        let undisturbed = try recording.pipeline()
        let policy = CommitPolicy(interval: 0, maximumRecords: 20, batchSize: 20)
        try undisturbed.makeLoop(policy: policy, now: { 0 }).settle()
        let expected = undisturbed.decisions()
        let pipeline = try recording.pipeline()
        pipeline.cluster.delayMarkers(of: pipeline.topics[.state], by: delay)
        var aheadCount = 0
        for cycles in 1...6 {
            let before = pipeline.cluster.offsets(of: "loop")[journal]
            let runner = try pipeline.makeLoop(policy: policy, now: { 0 })
            for _ in 0..<cycles { try runner.task.cycle() }
            let offset = pipeline.cluster.offsets(of: "loop")[journal] ?? 0
            let rows = pipeline.cluster.committed(pipeline.topics[.state], Scenario.partition)
            if offset != before, !rows.contains(where: { $0.text.contains("\"journal_offset\":\(offset),") }) {
                aheadCount += 1
            }
            // The worker ends without leaving, as with kill -9; the next one has the same name.
        }
        #expect((aheadCount > 2) == (delay > 0), "\(aheadCount) times the group's offset was ahead")
        try pipeline.makeLoop(policy: policy, now: { 0 }).settle()
        // Time advances during the wait, and deadlines of the recording are due.
        let recorded = undisturbed.journal().count
        let isSame = pipeline.decisions().filter { $0.entryNumber <= recorded } == expected
        #expect(isSame)
    }

    @Test(
        "The loop does not wait for an end of the changelog that a marker or compaction has removed",
        arguments: [false, true]
    )
    func endIsRemoved(isTombstone: Bool) throws {
        let pipeline = try decided()
        let expected = pipeline.decisions()
        let state = TopicPartition(pipeline.topics[.state], Scenario.partition)
        let record = { (value: String?) in
            OutputRecord(
                topic: state.topic,
                partition: state.partition,
                key: Array("shapes/loop.commands/zz".utf8),
                value: value.map { Array($0.utf8) }
            )
        }
        // The last records of the log: an aborted transaction, or a row and its tombstone, both compacted away.
        if isTombstone {
            try pipeline.cluster.append(record("1"))
            try pipeline.cluster.append(record(nil))
        } else {
            let producer = try pipeline.cluster.makeProducer(transactionalID: "another")
            try producer.initializeTransactions()
            try producer.begin()
            try producer.send([record("1")])
            try producer.abort()
        }
        let high = try pipeline.cluster.makeReader(topics: [state.topic]).watermarks(state).high
        pipeline.cluster.compact(state, removingTombstones: true)
        #expect(pipeline.cluster.committed(state.topic, state.partition).allSatisfy { $0.offset < high - 1 })
        let began = pipeline.clock.now
        try pipeline.makeLoop(now: { 0 }).settle()
        #expect(pipeline.clock.now - began < 1_000)
        #expect(pipeline.decisions() == expected)
    }

    @Test("A changelog whose end never becomes visible is refused eventually, with a hint")
    func hangingTransaction() throws {
        let pipeline = try decided()
        let state = TopicPartition(pipeline.topics[.state], Scenario.partition)
        pipeline.cluster.delayMarkers(of: state.topic, by: 86_400_000)
        let producer = try pipeline.cluster.makeProducer(transactionalID: "hangs")
        try producer.initializeTransactions()
        try producer.begin()
        try producer.send([OutputRecord(topic: state.topic, partition: state.partition, key: [1], value: [2])])
        try producer.commit()
        #expect(refusal(pipeline).contains("kafka-transactions.sh"))
    }

    @Test("Restoring reports its progress")
    func progress() throws {
        let pipeline = try decided()
        var store = try StateStore(transport: pipeline.cluster, topics: pipeline.topics)
        defer { store.close() }
        var reported: [RestoreProgress] = []
        store.progress = { reported.append($0) }
        let restored = try store.restore(Scenario.partition)
        #expect(reported.last?.records == restored.records)
        #expect((reported.last?.percent ?? 0) > 90)
        #expect(reported.map(\.offset) == reported.map(\.offset).sorted())
    }
}
