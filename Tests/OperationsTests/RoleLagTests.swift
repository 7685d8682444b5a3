import DeadLetters
import EngineCore
import Events
import Intake
import Loop
import Materializer
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Lag as operators use it counts records, not offsets.
@Suite("Lag is counted in records")
struct RoleLagTests {
    private func view(
        _ pipeline: Pipeline,
        limit: Int = LagView.limit,
        maximumWait: Duration = .seconds(60)
    ) throws -> LagView {
        try LagView(transport: pipeline.cluster, topics: pipeline.topics, limit: limit, maximumWait: maximumWait) {
            $0.rawValue
        }
    }

    private func numbers(_ lags: [RoleLag]) -> [Int64] { lags.map(\.records) }

    /// Writes records in a transaction, whose markers occupy offsets without being work, as those of a redrive, an
    /// operator or a service do.
    private func writeInTransaction(_ pipeline: Pipeline, _ topic: Topic, _ values: [[UInt8]], commits: Bool = true)
        throws
    {
        let producer = try pipeline.cluster.makeProducer(transactionalID: "somebody")
        defer { producer.close() }
        try producer.initializeTransactions()
        try producer.begin()
        try producer.send(
            values.map { OutputRecord(topic: pipeline.topics[topic], partition: 0, key: [0x6B], value: $0) }
        )
        if commits { try producer.commit() } else { try producer.abort() }
    }

    @Test("With no work left the lag is 0, whatever the offsets", arguments: 1...3 as ClosedRange<UInt64>)
    func idle(seed: UInt64) throws {
        let pipeline = try Pipeline(seed: seed)
        for _ in 0..<12 { try pipeline.round() }
        for topic: Topic in [.predictions, .annotations, .commands] {
            try writeInTransaction(pipeline, topic, [Array("{}".utf8)])
            try writeInTransaction(pipeline, topic, [Array("{}".utf8)], commits: false)
        }
        // Tallies are folded after ten seconds.
        for _ in 0..<4 {
            pipeline.clock.advance(by: 11_000)
            try pipeline.settle()
        }
        let view = try view(pipeline)
        defer { view.close() }
        let lags = try view.lags()
        #expect(numbers(lags) == [0, 0, 0], "seed \(seed): \(lags)")
        #expect(lags.allSatisfy { $0.isExact })
        // Lag as computed from offsets.
        let offsetLags = try [IntakeProcessor.inputs, LoopProcessor.inputs, MaterializerProcessor.inputs].enumerated()
            .map {
                index,
                topics in
                let offsets = pipeline.cluster.offsets(of: LagView.roles[index].rawValue)
                let topicPartitions = topics.flatMap { topic in
                    (0..<Int32(pipeline.cluster.partitionCount(of: pipeline.topics[topic]))).map {
                        TopicPartition(pipeline.topics[topic], $0)
                    }
                }
                let reader = try pipeline.cluster.makeReader(topics: topics.map { pipeline.topics[$0] })
                return try topicPartitions.reduce(0) { try $0 + reader.watermarks($1).high - (offsets[$1] ?? 0) }
            }
        print("seed \(seed): offsets would say intake, loop, materializer \(offsetLags), and nothing is left")
        #expect(offsetLags[0] > 0 && offsetLags[2] > 0, "seed \(seed): \(offsetLags)")
    }

    @Test("Unread records are counted one by one, and so are versions that are cut and not yet announced")
    func atWork() throws {
        let pipeline = try Pipeline()
        for number in 0..<7 { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        try writeInTransaction(pipeline, .commands, [Array("{}".utf8), Array("{}".utf8)])
        let view = try view(pipeline)
        defer { view.close() }
        #expect(numbers(try view.lags()) == [9, 0, 0])
        // The materializer does not run while versions are cut.
        let (intake, loop) = (try pipeline.makeIntake(), try pipeline.makeLoop())
        let (materializer, trainer) = (try pipeline.makeMaterializer(), try pipeline.makeTrainer())
        try materializer.settle()
        var facts: Int64 = 0
        for _ in 0..<40 where facts == 0 {
            try pipeline.serve(8)
            for runner in [intake, loop, trainer] { try runner.settle() }
            try pipeline.annotate()
            for _ in 0..<2 { for runner in [intake, loop, trainer] { try runner.settle() } }
            pipeline.clock.advance(by: 1_500)
            facts = try view.lags()[2].records
        }
        #expect(facts > 1)
        let written = pipeline.cluster.committed(pipeline.topics[.datasetLog]).count
        #expect(facts <= Int64(written))
        try materializer.settle()
        #expect(try view.lags()[2] == RoleLag(materializer: 0))
    }

    @Test("For very many records the lag is an upper bound, and never too low")
    func many() throws {
        let pipeline = try Pipeline()
        for number in 0..<50 {
            try writeInTransaction(pipeline, .annotations, [Wire.annotation("t\(number)", "a", .skip)])
        }
        let view = try view(pipeline, limit: 20)
        defer { view.close() }
        let lag = try view.lags()[0]
        #expect(!lag.isExact && lag.records >= 50 && lag.records <= 100, "\(lag)")
    }

    /// Writes `labels` labels of a project, then `cuts` cuts, and announces the first `announced` versions.
    private func writeFacts(_ pipeline: Pipeline, _ project: String, labels: Int, cuts: Int, announced: Int) throws {
        var sequence = 0
        func fact(_ kind: String, _ more: String) throws {
            sequence += 1
            let text = #"{"kind":"\#(kind)","project":"\#(project)","sequence":\#(sequence)\#(more)}"#
            try pipeline.cluster.append(
                OutputRecord(topic: pipeline.topics[.datasetLog], partition: 0, key: [0x6B], value: Array(text.utf8))
            )
        }
        for _ in 0..<labels { try fact("label_accepted", "") }
        for versionNumber in stride(from: 1, through: cuts, by: 1) {
            try fact("version_cut", #","ordinal":\#(versionNumber)"#)
        }
        for versionNumber in stride(from: 1, through: announced, by: 1) {
            let text = #"{"project":"\#(project)","ordinal":\#(versionNumber)}"#
            try pipeline.cluster.append(
                OutputRecord(
                    topic: pipeline.topics[.datasetVersions],
                    partition: 0,
                    key: [0x6B],
                    value: Array(text.utf8)
                )
            )
        }
    }

    /// Before: at most 3,107, without any work left.
    @Test(
        "With many small projects in a partition an idle materializer's lag is 0, and pending facts are counted exactly"
    )
    func sharedPartition() throws {
        let pipeline = try Pipeline(isApplied: false)
        // The first label in the log waits for a cut of its project, which has none.
        try writeFacts(pipeline, "waiting", labels: 5, cuts: 0, announced: 0)
        for number in 0..<50 { try writeFacts(pipeline, "small-\(number)", labels: 100, cuts: 1, announced: 1) }
        let view = try view(pipeline)
        defer { view.close() }
        #expect(try view.lags()[2] == RoleLag(materializer: 0))
        try writeFacts(pipeline, "late", labels: 6, cuts: 1, announced: 0)
        #expect(try view.lags()[2] == RoleLag(materializer: 7))
        #expect(try view.lags()[2] == RoleLag(materializer: 7), "what was read is not counted twice")
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.datasetVersions],
                partition: 0,
                key: [0x6B],
                value: Array(#"{"project":"late","ordinal":1}"#.utf8)
            )
        )
        #expect(try view.lags()[2] == RoleLag(materializer: 0))
    }

    @Test(
        "Without time to read all facts the lag is an upper bound, and the next scan continues where this one ended"
    )
    func noTime() throws {
        let pipeline = try Pipeline(isApplied: false)
        try writeFacts(pipeline, "small", labels: 12_000, cuts: 1, announced: 1)
        let view = try view(pipeline, maximumWait: .zero)
        defer { view.close() }
        let lag = try view.lags()[2]
        #expect(!lag.isExact && lag.records == 12_001, "\(lag)")
    }

    @Test("Records after an open transaction count as an upper bound: a stalled stream is not idle")
    func open() throws {
        let pipeline = try Pipeline()
        let producer = try pipeline.cluster.makeProducer(transactionalID: "forgotten")
        try producer.initializeTransactions()
        try producer.begin()
        try producer.send([OutputRecord(topic: pipeline.topics[.annotations], partition: 0, key: [0x6B], value: [0x7B])]
        )
        for number in 0..<5 { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        let view = try view(pipeline)
        defer { view.close() }
        let lag = try view.lags()[0]
        #expect(!lag.isExact && lag.records >= 5, "\(lag)")
    }

    /// Before: these readers waited for ten seconds and more, and then gave up.
    @Test("Readers of projects and state read up to the committed end, and can report an open transaction")
    func readers() throws {
        let pipeline = try Pipeline()
        for _ in 0..<3 { try pipeline.round() }
        let directory = try ProjectDirectory(transport: pipeline.cluster, topics: pipeline.topics)
        defer { directory.close() }
        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        try directory.readToEnd(stable: true)
        #expect(try !directory.isHeldBack() && view.heldBack().isEmpty)
        let producer = try pipeline.cluster.makeProducer(transactionalID: "forgotten")
        try producer.initializeTransactions()
        try producer.begin()
        try producer.send([
            OutputRecord(topic: pipeline.topics[.projects], partition: 0, key: [0x6B], value: [0x7B]),
            OutputRecord(topic: pipeline.topics[.state], partition: 1, key: Array("a/b/c".utf8), value: [0x7B]),
        ])
        let began = ContinuousClock.now
        try directory.readToEnd(stable: true)
        #expect(directory["shapes"] != nil)
        #expect(try directory.isHeldBack())
        #expect(try view.summaries().map(\.project) == ["shapes"])
        #expect(try view.heldBack() == [1])
        #expect(throws: StreamError.self, "what is numbered must see everything") {
            try directory.readToEnd(maximumWait: 200)
        }
        // Two scans of a second and a half, because a short transaction does not hold the reader back.
        #expect(began.duration(to: .now) < .seconds(5))
    }

    // MARK: - Dead letters

    @Test(
        "Dead letters are counted without other records of their topic, and redriven ones are counted separately"
    )
    func deadLetters() throws {
        let pipeline = try Pipeline()
        for number in 0..<19 { try pipeline.send(.annotations, Wire.annotation("shapes-9-\(number)", "a", .skip)) }
        try pipeline.settle()
        let count = try DeadLetterCount(transport: pipeline.cluster, topics: pipeline.topics)
        defer { count.close() }
        try count.update()
        #expect(count.count == 19 && count.redriven == 0 && count.isExact)
        var filter = DeadLetterFilter()
        filter.origins = [pipeline.topics[.annotations]]
        let redrive = Redrive(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            by: "test",
            now: { pipeline.clock.now },
            pause: { pipeline.clock.advance(by: $0) }
        )
        let report = try redrive.run(filter)
        #expect(report.sent == 19)
        // No worker has read the redriven records yet.
        try count.update()
        #expect(count.count == 19 && count.redriven == 19, "\(count.count), \(count.redriven)")
        // The redriven records are refused again.
        try pipeline.settle()
        try count.update()
        #expect(count.count == 38 && count.redriven == 19)
        let fresh = try DeadLetterCount(transport: pipeline.cluster, topics: pipeline.topics)
        defer { fresh.close() }
        try fresh.update()
        #expect(fresh.count == 38 && fresh.redriven == 19 && fresh.isExact)
        let offsets = try (0..<2 as Range<Int32>).reduce(Int64(0)) { sum, partition in
            let reader = try pipeline.cluster.makeReader(topics: [pipeline.topics[.deadLetters]])
            return try sum + reader.watermarks(TopicPartition(pipeline.topics[.deadLetters], partition)).high
        }
        print("38 dead letters, \(offsets) offsets")
        #expect(offsets > 57, "\(offsets)")
    }

    @Test("Expired dead letters are no longer counted, and with too many at least the newest are counted")
    func expiry() throws {
        let pipeline = try Pipeline()
        for number in 0..<30 { try pipeline.send(.annotations, Wire.annotation("shapes-9-\(number)", "a", .skip)) }
        try pipeline.settle()
        let count = try DeadLetterCount(transport: pipeline.cluster, topics: pipeline.topics)
        defer { count.close() }
        try count.update()
        #expect(count.count == 30)
        for partition: Int32 in 0..<2 {
            let topicPartition = TopicPartition(pipeline.topics[.deadLetters], partition)
            pipeline.cluster.delete(
                topicPartition,
                before: pipeline.cluster.committed(topicPartition.topic, partition).last?.offset ?? 0
            )
        }
        try count.update()
        #expect((1...2).contains(count.count))
        let few = try DeadLetterCount(transport: pipeline.cluster, topics: pipeline.topics, limit: 1)
        defer { few.close() }
        try few.update()
        #expect(!few.isExact || few.count <= 2)
    }
}

extension RoleLag {
    fileprivate init(materializer records: Int64) { self.init(.materializer, records: records, isExact: true) }
}
