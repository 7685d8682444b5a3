import Acquisition
import Events
import Flywheel
import Hashing
import JSON
import PipelineTesting
import Strategies
import StreamRuntime
import StreamTesting
import Synchronization
import Testing
import Vocabulary

@testable import Intake

@Suite("Queried samples as Intake knows them")
struct QueriedSampleTests {
    private static let draws = StableHash(project: Scenario.project.rawValue, purpose: "audit", salt: [1, 2, 3])

    private func directory(_ pipeline: Pipeline) throws -> StateDirectory {
        try StateDirectory(
            transport: FaultyTransport(pipeline.cluster, FaultPlan()),
            topics: pipeline.topics,
            salt: [1, 2, 3]
        )
    }

    private func row(
        _ table: String,
        _ sample: String,
        _ value: String?,
        partition: Int32 = Scenario.partition,
        in pipeline: Pipeline
    ) throws {
        try row(key: "\(Scenario.project)/acquisition.\(table)/\(sample)", value, partition: partition, in: pipeline)
    }

    private func row(key: String, _ value: String?, partition: Int32 = Scenario.partition, in pipeline: Pipeline) throws
    {
        let record = OutputRecord(
            topic: pipeline.topics[.state],
            partition: partition,
            key: Array(key.utf8),
            value: value.map { Array($0.utf8) }
        )
        try pipeline.cluster.append(record)
    }

    private func candidates(_ pipeline: Pipeline) throws -> [Candidate] {
        try pipeline.decoded(.journal) { try JournalEntry(json: $0) }.compactMap {
            if case .candidate(let candidate) = $0.body { candidate } else { nil }
        }
    }

    /// A policy under which every candidate would be above the threshold by its score.
    private static func configuration(
        auditCutoff: Double = 0,
        capacity: Int = 40,
        _ change: (inout AcquisitionPolicy) -> Void = { _ in }
    ) -> ProjectConfiguration {
        let usual = Scenario.configuration()
        var policy = usual.acquisition
        policy.auditCutoff = auditCutoff
        policy.poolCapacity = capacity
        change(&policy)
        return usual.with(policy)
    }

    @Test("Rows are added and removed in any order, and malformed rows are ignored")
    func rows() throws {
        let pipeline = try Pipeline()
        let directory = try directory(pipeline)
        let pool = try #require(directory.pool(of: pipeline.configuration))
        func status(_ sample: String) -> SampleTable.Status {
            directory.samples.status(of: Self.draws.hash(key: sample))
        }
        #expect(!pool.isKnown)
        try row("pool", "a", "{}", in: pipeline)
        try row("pool", "b/with/slashes", "{}", in: pipeline)
        try row("pool", "c", "{}", in: pipeline)
        try row("asked", "d", "\"acquisition\"", in: pipeline)
        // A purpose that only a newer build defines.
        try row("asked", "e", "{\"new\":1}", in: pipeline)
        try directory.readToEnd(now: { pipeline.clock.now })
        #expect(pool.isKnown && pool.count.load(ordering: .relaxed) == 3)
        #expect(status("a") == .pooled && status("b/with/slashes") == .pooled)
        #expect(status("d") == .queried && status("e") == .queried && status("f") == .unknown)
        // A sample that is queried: either of its two rows may be read first.
        try row("pool", "a", nil, in: pipeline)
        try row("asked", "a", "\"acquisition\"", in: pipeline)
        try row("asked", "c", "\"audit\"", in: pipeline)
        try row("pool", "c", nil, in: pipeline)
        try row("pool", "d", "{}", in: pipeline)
        try directory.refresh()
        #expect(status("a") == .queried && status("c") == .queried && status("d") == .queried)
        #expect(pool.count.load(ordering: .relaxed) == 1)
        // Removed rows, each twice, and removals of rows that never existed.
        for _ in 0..<2 { for table in ["asked", "pool"] { try row(table, "e", nil, in: pipeline) } }
        try row("pool", "never", nil, in: pipeline)
        try row("pool", "b/with/slashes", nil, in: pipeline)
        try row("asked", "b/with/slashes", nil, in: pipeline)
        try directory.refresh()
        #expect(status("e") == .unknown && status("b/with/slashes") == .unknown)
        #expect(pool.count.load(ordering: .relaxed) == 0)
        for key in [
            "", "/", "//", "shapes", "shapes/acquisition.asked", "shapes//x", "/acquisition.asked/x", "position",
        ] {
            try row(key: key, "\u{0}", in: pipeline)
        }
        try row("asked", String(repeating: "x", count: 100_000), "1", in: pipeline)
        try row("asked", "", "", in: pipeline)
        try directory.refresh()
        #expect(status("d") == .queried && !directory.hasFailed)
    }

    @Test("The extra exploration for confident errors applies in Intake as long as the loop's row contains it")
    func exploration() throws {
        let pipeline = try Pipeline(configuration: Self.configuration { $0.explorationMost = 0.5 })
        var previousCount = 0
        func flagged() throws -> Int {
            for number in 0..<60 {
                let prediction = Wire.prediction(pipeline.scenario.next(), [0.4, 0.3, 0.3])
                try pipeline.send(.predictions, prediction, partition: Int32(number % 2))
            }
            try pipeline.settle()
            let all = try candidates(pipeline).count { $0.isExploration }
            defer { previousCount = all }
            return all - previousCount
        }
        #expect(try flagged() == 0)
        for (extra, isRaised) in [("0.3", true), ("0.0", false), ("1.0", true)] {
            try row("exploration", "_", #"{"labels":40,"extra":\#(extra),"classes":[0]}"#, in: pipeline)
            // The row may be read only after the first round, and a token bucket holds no more than one batch.
            let (first, second) = (try flagged(), try flagged())
            #expect(isRaised ? first + second > 0 : second == 0, "extra \(extra): \(first), \(second)")
        }
        try row("exploration", "_", nil, in: pipeline)
        _ = try flagged()
        #expect(try flagged() == 0)
    }

    @Test("The free capacity of a pool is unknown without an end of its partition; added partitions are found")
    func partitions() throws {
        let pipeline = try Pipeline()
        let directory = try directory(pipeline)
        try directory.readToEnd(now: { pipeline.clock.now })
        let pool = try #require(directory.pool(of: pipeline.configuration))
        #expect(pool.isKnown)
        var other = pipeline.configuration
        other = ProjectConfiguration(
            project: ProjectID("other"),
            revision: 1,
            partition: 7,
            question: .choice(Scenario.schema),
            acquisition: pipeline.configuration.acquisition
        )
        #expect(try #require(directory.pool(of: other)).isKnown == false)
    }

    /// Before: 60 candidates of each round, for ever.
    @Test("A queried sample is counted, but affects no threshold, trigger or journal, also after a restart")
    func queried() throws {
        let trigger = Trigger(name: "any", condition: .confidence(nil, try #require(TriggerBounds(above: 0.1))))
        let pipeline = try Pipeline(configuration: Self.configuration { $0.triggers = [trigger] })
        for number in 0..<60 where number % 3 != 0 { try row("asked", "s\(number)", "\"acquisition\"", in: pipeline) }
        let samples = (0..<60).map { _ in pipeline.scenario.next() }
        func serve() throws {
            for (number, sample) in samples.enumerated() {
                try pipeline.send(.predictions, Wire.prediction(sample, [0.4, 0.3, 0.3]), partition: Int32(number % 2))
            }
        }
        for round in 1...3 {
            try serve()
            pipeline.cluster.expireMember("w\(round - 1)", of: "intake")
            let intake = try pipeline.makeIntake(instance: "w\(round)")
            try intake.settle()
            #expect(try #require(intake.processor as? IntakeProcessor).counts.accepted == 60)
            let forwarded = try candidates(pipeline)
            #expect(forwarded.count == 20 * round)
            #expect(forwarded.allSatisfy { Int($0.sample.id.rawValue.dropFirst()).map { $0 % 3 == 0 } ?? false })
        }
        let tallies = try pipeline.decoded(.tallies) { try Tally(json: $0) }
        #expect(tallies.reduce(0) { $0 + $1.predictions } == 180)
    }

    @Test("Every candidate of the audit sample is forwarded, queried or not, because releases are judged by it")
    func audit() throws {
        let pipeline = try Pipeline(configuration: Self.configuration(auditCutoff: 0.5))
        let samples = (0..<60).map { _ in pipeline.scenario.next() }
        for sample in samples { try row("asked", sample.id.rawValue, "\"audit\"", in: pipeline) }
        for sample in samples { try pipeline.send(.predictions, Wire.prediction(sample, [0.4, 0.3, 0.3])) }
        try pipeline.makeIntake().settle()
        let audited = samples.filter { Self.draws.unit(key: $0.id.rawValue) < 0.5 }
        #expect(!audited.isEmpty && audited.count < 60)
        #expect(try candidates(pipeline).map(\.sample.id) == audited.map(\.id))
    }

    @Test("A threshold learns nothing from queried samples")
    func threshold() throws {
        let pipeline = try Pipeline(configuration: Self.configuration { $0.oversample = 1 })
        for number in 0..<400 { try row("asked", "top-\(number)", "1", in: pipeline) }
        // The pool is full: candidates are forwarded by their scores only.
        for number in 0..<40 { try row("pool", "old-\(number)", "{}", in: pipeline) }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        for number in 0..<400 {
            let sample = Sample(id: SampleID("top-\(number)"))
            try pipeline.send(.predictions, Wire.prediction(sample, [0.34, 0.33, 0.33]))
        }
        try intake.settle()
        let processor = try #require(intake.processor as? IntakeProcessor)
        let project = try #require(processor.projects["shapes"])
        let version = "v1"
        var name = version
        let index = name.withUTF8 { project.pointee.stream(UnsafeRawBufferPointer($0), in: 0, share: 1) }
        let threshold = project.pointee.streams[try #require(index)].threshold
        #expect(threshold.value == 0 && processor.counts.forwarded == 0)
    }

    @Test("A pool is filled although Intake fails at any of its effects, and no sample is sent twice without need")
    func everyEffect() throws {
        func makePipeline() throws -> Pipeline {
            // No candidate is forwarded by its score.
            let pipeline = try Pipeline(configuration: Self.configuration(capacity: 12) { $0.oversample = 1 })
            for number in 0..<24 {
                let sample = pipeline.scenario.next()
                try pipeline.send(
                    .predictions,
                    Wire.prediction(sample, [0.98, 0.01, 0.01]),
                    partition: Int32(number % 2)
                )
            }
            return pipeline
        }
        let policy = CommitPolicy(interval: 0, maximumRecords: 8, batchSize: 8)
        let undisturbed = try makePipeline()
        let counting = FaultPlan()
        try undisturbed.makeIntake(counting, policy: policy).settle()
        let expected = try candidates(undisturbed)
        #expect(expected.count >= 12 && expected.count <= 18)
        for step in FaultPlan.steps(counting.effects, [.crash, .abortable]) {
            let pipeline = try makePipeline()
            let plan = FaultPlan(step)
            do {
                try pipeline.makeIntake(plan, policy: policy).settle()
            } catch {
                pipeline.cluster.expireMember("w1", of: "intake")
                pipeline.clock.advance(by: 60_000)
                try pipeline.makeIntake(policy: policy).settle()
            }
            let found = try candidates(pipeline).map(\.sample.id)
            #expect(Set(found).count >= 12, "\(step)")
            // The set of samples known to be in transit is lost with the run.
            #expect(found.count <= 24 && Set(found).count == found.count, "\(step)")
        }
    }

    @Test("A sample that was sent and appears in no row is sent again after ten minutes, and no sooner")
    func late() throws {
        let pipeline = try Pipeline(configuration: Self.configuration(capacity: 30) { $0.oversample = 1 })
        let samples = (0..<20).map { _ in pipeline.scenario.next() }
        let intake = try pipeline.makeIntake()
        func serve() throws {
            for sample in samples { try pipeline.send(.predictions, Wire.prediction(sample, [0.98, 0.01, 0.01])) }
            try intake.settle()
        }
        for _ in 0..<5 {
            try serve()
            pipeline.clock.advance(by: 60_000)
        }
        // An initial burst is forwarded by its scores.
        let before = try candidates(pipeline).count
        #expect(before >= 20 && before <= 26)
        pipeline.clock.advance(by: 400_000)
        try serve()
        #expect(try candidates(pipeline).count == before + 20)
    }

    @Test("A sample in the pool is forwarded once for each model")
    func oncePerModel() throws {
        let pipeline = try Pipeline(configuration: Self.configuration(capacity: 20) { $0.oversample = 1 })
        let samples = (0..<20).map { _ in pipeline.scenario.next() }
        for sample in samples { try row("pool", sample.id.rawValue, "{}", in: pipeline) }
        let intake = try pipeline.makeIntake()
        for round in 0..<6 {
            for sample in samples {
                let value = Wire.prediction(sample, [0.98, 0.01, 0.01], version: "v\(round / 3)")
                try pipeline.send(.predictions, value)
            }
            try intake.settle()
        }
        #expect(try candidates(pipeline).count == 40)
    }
}

extension ProjectConfiguration {
    fileprivate func with(_ policy: AcquisitionPolicy) -> ProjectConfiguration {
        ProjectConfiguration(
            project: project,
            revision: revision,
            partition: partition,
            schema: schema,
            acquisition: policy,
            labeling: labeling,
            datasets: datasets,
            training: training,
            rollout: rollout
        )
    }
}

@Suite("Samples that users dispute, as Intake knows them")
struct DisputedSampleTests {
    @Test("While labels decide, predictions of disputed samples are forwarded whatever their score, a few of each")
    func forwarded() throws {
        var policy = Scenario.configuration().acquisition
        (policy.auditCutoff, policy.explorationShare, policy.poolCapacity) = (0, 0, 1)
        // So few candidates are wanted that none is forwarded by its score after the first ones.
        policy.votes = 1
        let pipeline = try Pipeline(configuration: Scenario.configuration().with(policy))
        func row(_ sample: String, _ value: String?) throws {
            let record = OutputRecord(
                topic: pipeline.topics[.state],
                partition: Scenario.partition,
                key: Array("\(Scenario.project)/rollout.verifications/\(sample)".utf8),
                value: value.map { Array($0.utf8) }
            )
            try pipeline.cluster.append(record)
        }
        var samples: [Sample] = []
        for _ in 0..<400 { samples.append(pipeline.scenario.next()) }
        func send(_ samples: ArraySlice<Sample>) throws -> [Candidate] {
            let before = try candidates().count
            for (number, sample) in samples.enumerated() {
                try pipeline.send(
                    .predictions,
                    Wire.prediction(sample, [0.98, 0.01, 0.01]),
                    partition: Int32(number % 2)
                )
            }
            try pipeline.settle()
            return Array(try candidates().dropFirst(before))
        }
        func candidates() throws -> [Candidate] {
            try pipeline.decoded(.journal) { try JournalEntry(json: $0) }.compactMap {
                if case .candidate(let candidate) = $0.body { candidate } else { nil }
            }
        }
        _ = try send(samples[0..<300])
        let disputed = samples[350].id
        #expect(try !send(samples[340..<360]).contains { $0.sample.id == disputed })
        try row(disputed.rawValue, #"{"version":"v1","buckets":[1]}"#)
        var forwarded: [Candidate] = []
        for _ in 0..<20 { forwarded += try send(samples[345..<355]).filter { $0.sample.id == disputed } }
        #expect((1...8).contains(forwarded.count) && forwarded.allSatisfy(\.isBelowThreshold), "\(forwarded.count)")
        // The dispute is over, and begins again with the same sample.
        try row(disputed.rawValue, nil)
        _ = try send(samples[0..<10])
        #expect(try !send(samples[345..<355]).contains { $0.sample.id == disputed })
        try row(disputed.rawValue, #"{"version":"v1","buckets":[1]}"#)
        _ = try send(samples[0..<10])
        #expect(try send(samples[345..<355]).contains { $0.sample.id == disputed })
    }
}
