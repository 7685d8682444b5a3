import DeadLetters
import EngineCore
import Events
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Refused records are redriven")
struct RedriveTests {
    /// A pipeline with annotations of unknown tasks, bytes that are not JSON, and a record of an unknown project: one
    /// dead letter each.
    private func pipeline(annotations count: Int = 3) throws -> Pipeline {
        let pipeline = try Pipeline()
        for number in 0..<count {
            let value = Wire.annotation("shapes-9-\(number)", "a", .skip)
            try pipeline.send(
                .annotations,
                value,
                headers: [RecordHeader("trace", [0, 0xFF])],
                partition: Int32(number % 2)
            )
        }
        try pipeline.send(.predictions, [0xFE, 1], headers: [RecordHeader("trace", "7"), RecordHeader("trace", nil)])
        try pipeline.send(.commands, Array(#"{"project":"nowhere"}"#.utf8))
        try pipeline.settle()
        #expect(deadLetters(pipeline).count == count + 2)
        return pipeline
    }

    private func redrive(_ pipeline: Pipeline, _ plan: FaultPlan = FaultPlan()) -> Redrive {
        Redrive(
            transport: FaultyTransport(pipeline.cluster, plan),
            topics: pipeline.topics,
            by: "test",
            now: { pipeline.clock.now },
            pause: { pipeline.clock.advance(by: $0) }
        )
    }

    private func records(_ pipeline: Pipeline, _ topic: Topic) -> [StoredRecord] {
        pipeline.cluster.committed(pipeline.topics[topic])
    }

    private func deadLetters(_ pipeline: Pipeline) -> [StoredRecord] {
        records(pipeline, .deadLetters).filter { $0.header("__connect.errors.topic") != nil }
    }

    private func marks(_ pipeline: Pipeline) -> [String] {
        records(pipeline, .deadLetters).compactMap { $0.header("flywheel.redriven.letter") }
    }

    private func redriven(_ pipeline: Pipeline, _ topic: Topic) -> [StoredRecord] {
        records(pipeline, topic).filter { $0.header("flywheel.redrive.attempt") != nil }
    }

    @Test("A record is sent again with its original key, value, headers and partition, and only once")
    func roundTrip() throws {
        let pipeline = try pipeline()
        let before = records(pipeline, .predictions)
        var filter = DeadLetterFilter()
        filter.origins = [pipeline.topics[.predictions]]
        let report = try redrive(pipeline).run(filter)
        #expect((report.matched, report.sent, report.done, report.refusedCount) == (1, 1, 0, 0))
        let sent = try #require(redriven(pipeline, .predictions).first)
        #expect(redriven(pipeline, .predictions).count == 1)
        #expect((sent.key, sent.value) == (before[0].key, before[0].value))
        #expect(sent.headers.suffix(2) == before[0].headers)
        #expect(sent.header("flywheel.redrive.attempt") == "1")
        #expect(pipeline.cluster.committed(pipeline.topics[.predictions], 0).last == sent)
        #expect(marks(pipeline) == [try #require(sent.header("flywheel.redrive.letter"))])
        let second = try redrive(pipeline).run(filter)
        #expect((second.matched, second.sent, second.done, second.refusedCount) == (1, 0, 1, 0))
        #expect(redriven(pipeline, .predictions).count == 1)
        var policy = Redrive.Policy()
        policy.again = true
        #expect(try redrive(pipeline).run(filter, policy).sent == 1)
        #expect(redriven(pipeline, .predictions).compactMap { $0.header("flywheel.redrive.attempt") } == ["1", "2"])
    }

    @Test("A mark is in the partition of its dead letter, so that it cannot expire first")
    func markPartition() throws {
        let pipeline = try Pipeline()
        for number in 0..<8 {
            let key = Array("key-\(number)".utf8)
            try pipeline.cluster.append(
                OutputRecord(
                    topic: pipeline.topics[.predictions],
                    partition: Int32(number % 2),
                    key: key,
                    value: [0xFE]
                )
            )
        }
        try pipeline.settle()
        _ = try redrive(pipeline).run(DeadLetterFilter())
        let topic = pipeline.topics[.deadLetters]
        let partitions = (0..<2 as Range<Int32>).map { pipeline.cluster.committed(topic, $0) }
        #expect(partitions.allSatisfy { $0.contains { $0.header("__connect.errors.topic") != nil } })
        for (partition, records) in partitions.enumerated() {
            let marked = records.compactMap { $0.header("flywheel.redriven.letter") }
            let positions = records.filter { $0.header("__connect.errors.topic") != nil }.map {
                "\(partition)/\($0.offset)"
            }
            #expect(Set(marked) == Set(positions), "\(marked) in \(partition)")
        }
    }

    @Test("Attempts of a record that is refused again are counted, and the third is the last")
    func loopEnds() throws {
        let pipeline = try pipeline(annotations: 1)
        var filter = DeadLetterFilter()
        filter.codes = ["unknown_task"]
        for attempt in 1...3 {
            let report = try redrive(pipeline).run(filter)
            #expect((report.sent, report.done) == (1, attempt - 1))
            try pipeline.settle()
        }
        let last = try #require(deadLetters(pipeline).filter { $0.header("flywheel.redrive.attempt") == "3" }.first)
        // The record's own headers follow the counter.
        #expect(last.headers[2] == RecordHeader("trace", [0, 0xFF]))
        let report = try redrive(pipeline).run(filter)
        #expect((report.matched, report.sent, report.done, report.refusedCount) == (4, 0, 3, 1))
        #expect(report.refused.first?.reason.contains("sent again 3 times") == true)
        #expect(redriven(pipeline, .annotations).count == 3)
        var policy = Redrive.Policy()
        policy.maximumAttempts = 4
        #expect(try redrive(pipeline).run(filter, policy).sent == 1)
    }

    @Test("A run ignores dead letters that are written while it runs")
    func newDeadLetters() throws {
        let pipeline = try pipeline()
        let report = try redrive(pipeline).run(DeadLetterFilter(), Redrive.Policy()) { _, _ in try? pipeline.settle() }
        #expect(report.matched == 5)
    }

    @Test("Filters select the named dead letters, and a dry run sends nothing")
    func filters() throws {
        let pipeline = try pipeline()
        var dry = Redrive.Policy()
        dry.isDry = true
        func matched(_ change: (inout DeadLetterFilter) -> Void) throws -> Int {
            var filter = DeadLetterFilter()
            change(&filter)
            return try redrive(pipeline).run(filter, dry).matched
        }
        #expect(try matched { _ in } == 5)
        #expect(try matched { $0.project = "shapes" } == 3)
        #expect(try matched { $0.project = "nowhere" } == 1)
        #expect(try matched { $0.codes = ["not_json", "unknown_project"] } == 2)
        #expect(
            try matched {
                $0.origins = Set([DeadLetterFilter.topic("annotations", pipeline.topics)].compactMap(\.self))
            } == 3
        )
        #expect(try matched { $0.since = pipeline.clock.now + 1 } == 0)
        #expect(try matched { $0.until = pipeline.clock.now + 1 } == 5)
        var positions: [DeadLetterPosition] = []
        _ = try redrive(pipeline).run(DeadLetterFilter(), dry) { deadLetter, _ in positions.append(deadLetter.position)
        }
        #expect(try matched { $0.positions = [positions[1]] } == 1)
        #expect(marks(pipeline).isEmpty && redriven(pipeline, .annotations).isEmpty)
    }

    @Test("Records that only workers write, and records that were cut, are refused with the reason")
    func refused() throws {
        let pipeline = try Pipeline()
        try pipeline.send(.predictions, [UInt8](repeating: 0x20, count: 1_000_000))
        try pipeline.settle()
        let junk = OutputRecord(topic: pipeline.topics[.journal], partition: Scenario.partition, key: [1], value: [2])
        try pipeline.cluster.append(junk)
        try pipeline.settle()
        let report = try redrive(pipeline).run(DeadLetterFilter())
        #expect((report.matched, report.sent, report.refusedCount) == (2, 0, 2))
        let reasons = report.refused.map(\.reason)
        #expect(
            reasons.contains { $0.contains("1000000 bytes") } && reasons.contains { $0.contains("only workers write") }
        )
    }

    @Test("Killed at any effect and run again, redrive sends every dead letter exactly once")
    func crashes() throws {
        let baselinePlan = FaultPlan()
        let undisturbed = try pipeline()
        _ = try redrive(undisturbed, baselinePlan).run(DeadLetterFilter())
        let expected = [Topic.annotations, .predictions, .commands].map { redriven(undisturbed, $0) }.map { records in
            records.map { "\($0.header("flywheel.redrive.letter") ?? "") \($0.value ?? [])" }.sorted()
        }
        #expect(expected.map(\.count) == [3, 1, 1])
        let steps = FaultPlan.steps(baselinePlan.effects)
        #expect(steps.contains { $0.fault == .crash && $0.moment == .halfway })
        for step in steps {
            let pipeline = try pipeline()
            let plan = FaultPlan(step)
            do {
                _ = try redrive(pipeline, plan).run(DeadLetterFilter())
            } catch {
                #expect(plan.hasStruck, "\(step): \(error)")
                _ = try redrive(pipeline).run(DeadLetterFilter())
            }
            #expect(plan.hasStruck, "\(step)")
            let sent = [Topic.annotations, .predictions, .commands].map { redriven(pipeline, $0) }.map { records in
                records.map { "\($0.header("flywheel.redrive.letter") ?? "") \($0.value ?? [])" }.sorted()
            }
            #expect(sent == expected, "\(step)")
            #expect(Set(marks(pipeline)).count == 5 && marks(pipeline).count == 5, "\(step)")
        }
    }

    @Test("A later run fences the earlier one, which reports it")
    func concurrent() throws {
        let pipeline = try pipeline()
        var policy = Redrive.Policy()
        policy.maximumAttempts = 5
        var inner: Redrive.Report?
        do {
            _ = try redrive(pipeline).run(DeadLetterFilter(), policy) { _, _ in
                if inner == nil { inner = try? redrive(pipeline).run(DeadLetterFilter()) }
            }
            Issue.record("the earlier run was not fenced")
        } catch let error as StreamError {
            #expect(error.disposition == .fatal && error.reason.contains("another redrive"))
        }
        #expect(inner?.sent == 5)
        #expect(marks(pipeline).count == 5 && redriven(pipeline, .annotations).count == 3)
    }
}
