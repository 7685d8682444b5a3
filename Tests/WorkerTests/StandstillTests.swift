import Events
import KafkaClient
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import EngineCore
@testable import Worker

/// A role that cycles but commits no work is not healthy.
@Suite("Stalled work")
struct StandstillTests {
    /// Before: `running` and ready for ever, with every transaction aborted.
    @Test("Work that no transaction commits for a minute is reported, in any state, until a transaction commits")
    func journalGone() throws {
        let pipeline = try Pipeline()
        let intake = try pipeline.makeIntake()
        try intake.settle()
        #expect(intake.task.unsettledSince == nil)
        pipeline.cluster.deleteTopic(pipeline.topics[.journal])
        try pipeline.send(.annotations, Wire.annotation("t", "a", .skip))
        let began = pipeline.clock.now
        while pipeline.clock.now - began < 60_000 {
            try intake.task.cycle()
            pipeline.clock.advance(by: 100)
        }
        let since = try #require(intake.task.unsettledSince)
        #expect(since - began < 1_000)
        let text = WorkerHealth.standstill(since: since, cause: "no such topic", at: since + 60_000)
        #expect(text == "no transaction has committed for 60 s although there is work; last: no such topic")
        #expect(WorkerHealth.standstill(since: since, cause: "", at: since + 59_999) == nil)
        pipeline.cluster.createTopic(pipeline.topics[.journal], partitions: 2)
        for _ in 0..<20 { try intake.task.cycle() }
        #expect(intake.task.unsettledSince == nil)
    }

    @Test("A run inherits the unfinished work of its predecessor, and ten quiet seconds clear it")
    func nextRun() throws {
        let pipeline = try Pipeline()
        let intake = try pipeline.makeIntake()
        intake.task.unsettledSince = pipeline.clock.now
        try intake.settle()
        let began = pipeline.clock.now
        while pipeline.clock.now - began < 9_000 {
            try intake.task.cycle()
            pipeline.clock.advance(by: 100)
        }
        #expect(intake.task.unsettledSince != nil)
        for _ in 0..<20 {
            try intake.task.cycle()
            pipeline.clock.advance(by: 100)
        }
        #expect(intake.task.unsettledSince == nil)
    }

    @Test("A deleted topic is detected by the next scan, and its return by the following one")
    func topicDeleted() throws {
        let pipeline = try Pipeline()
        let watch = TopicWatch(roles: [.intake, .loop], topics: pipeline.topics) {
            [cluster = pipeline.cluster] () throws(StreamError) in
            try cluster.makeReader(topics: [])
        }
        #expect(watch.update() == [:])
        pipeline.cluster.deleteTopic(pipeline.topics[.journal])
        pipeline.cluster.deleteTopic(pipeline.topics[.annotations])
        #expect(
            watch.update() == [
                .intake: ["t.annotations is missing", "t.journal is missing"], .loop: ["t.journal is missing"],
            ]
        )
        for topic in [Topic.journal, .annotations] {
            pipeline.cluster.createTopic(pipeline.topics[topic], partitions: 2)
        }
        #expect(watch.update() == [:])
        let silent = TopicWatch(roles: [.loop], topics: pipeline.topics) { () throws(StreamError) in
            throw StreamError(.retry, operation: "look", code: "_TRANSPORT", reason: "nobody answers")
        }
        #expect(silent.update() == nil)
    }

    /// Before: no report, and the state was `running`.
    @Test("An open transaction of another client is reported after a minute, for every role that reads there")
    func transactionOpen() throws {
        let pipeline = try Pipeline(transactionTimeout: 900_000)
        let watch = TopicWatch(
            roles: [.intake, .materializer],
            topics: pipeline.topics,
            now: { [clock = pipeline.clock] in clock.now }
        ) {
            [cluster = pipeline.cluster] () throws(StreamError) in
            try cluster.makeReader(topics: [])
        }
        let otherProducer = try pipeline.cluster.makeProducer(transactionalID: "stranger")
        try otherProducer.initializeTransactions()
        try otherProducer.begin()
        try otherProducer.send([OutputRecord(topic: pipeline.topics[.annotations], partition: 1, key: [1], value: [2])])
        #expect(watch.update() == [:])
        pipeline.clock.advance(by: 59_000)
        #expect(watch.update() == [:])
        pipeline.clock.advance(by: 15_000)
        let found = watch.update()
        #expect(
            found == [
                .intake: [
                    "t.annotations[1] is held by an open transaction at offset 0, for more than a minute in total, and later records cannot be read"
                ]
            ]
        )
        #expect(RoleTopics.remedy(of: found?[.intake] ?? [], .intake, [:]) == OpenTransactions.remedy)
        pipeline.clock.advance(by: 15_000)
        try otherProducer.abort()
        #expect(watch.update() == [:])
    }

    /// Before: each transaction restarted the minute, and nothing was reported.
    @Test("Alternating transactions are reported, too; a busy topic with an advancing stable end is not")
    func transactionsInTurn() throws {
        let pipeline = try Pipeline(transactionTimeout: 900_000)
        let watch = TopicWatch(
            roles: [.intake],
            topics: pipeline.topics,
            now: { [clock = pipeline.clock] in clock.now }
        ) {
            [cluster = pipeline.cluster] () throws(StreamError) in
            try cluster.makeReader(topics: [])
        }
        func open(_ id: String, _ topic: Topic) throws -> any TransactionalProducer {
            let producer = try pipeline.cluster.makeProducer(transactionalID: id)
            try producer.initializeTransactions()
            try producer.begin()
            try producer.send([OutputRecord(topic: pipeline.topics[topic], partition: 0, key: [1], value: [2])])
            return producer
        }
        var (held, busy) = (try open("a0", .annotations), try open("b0", .feedback))
        var reported: [Int: [String]] = [:]
        for step in 1...24 {
            pipeline.clock.advance(by: 15_000)
            // One transaction every 45 s, overlapping the previous one, and one at each scan.
            if step % 3 == 0 {
                let next = try open("a\(step)", .annotations)
                try held.abort()
                held = next
            }
            let next = try open("b\(step)", .feedback)
            try busy.commit()
            busy = next
            if let found = watch.update()?[.intake] { reported[step] = found }
        }
        #expect(reported.count > 8, "\(reported.keys.sorted())")
        #expect(reported.values.joined().allSatisfy { $0.contains("t.annotations[0] is held by") })
        try held.abort()
        pipeline.clock.advance(by: 15_000)
        #expect(watch.update() == [:])
    }

    /// Before: running and ready for the whole duration.
    @Test("A role that cycles too slowly is not ready after 30 s and not alive after 60 s; a trainer stays both")
    func slowTransaction() {
        let health = WorkerHealth()
        health.set(.intake, .running, partitions: 2, at: 1_000)
        health.set(.trainer, .running, at: 1_000)
        #expect(health.isReady(at: 30_999) && health.isLive(at: 30_999))
        #expect(!health.isReady(at: 31_000) && health.isLive(at: 60_999))
        #expect(!health.isLive(at: 61_000))
        #expect(
            health.snapshot(at: 41_000).map(\.health.reason) == ["it has completed no cycle for 40 s", ""]
        )
    }

    @Test("An external alarm overrides a role's own state, and equal remarks of several threads are reported once")
    func alarm() throws {
        let health = WorkerHealth()
        for thread in 0..<3 {
            health.set(.intake, thread: thread, .running, partitions: 2, at: 1)
            health.remark(.intake, thread: thread, ["project x", "thread \(thread)"])
        }
        #expect(health.isReady(at: 2))
        #expect(health.snapshot.first?.health.remarks == ["project x", "thread 0", "thread 1", "thread 2"])
        health.alarm(.intake, "t.journal is missing")
        #expect(!health.isReady(at: 2) && health.isLive(at: 2))
        #expect(health.snapshot.first?.health.reason == "t.journal is missing")
        health.alarm(.intake, nil)
        #expect(health.isReady(at: 2))
    }
}
