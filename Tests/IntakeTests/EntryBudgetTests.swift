import EngineCore
import Events
import Flywheel
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Intake

/// Limits the entries that a flood adds to the journal, which keeps them for ever.
@Suite("The budget of journal entries")
struct EntryBudgetTests {
    private func limits(_ topic: Topic, _ entries: Int, bytes: Int = 1 << 40) -> EntryLimits {
        var limits = EntryLimits.usual
        limits.entries[topic] = entries
        limits.bytes = bytes
        return limits
    }

    private func result(_ number: Int, project: String = "shapes") -> [UInt8] {
        Array(#"{"project":"\#(project)","request":"r\#(number)","trial":0,"repeat":0,"status":"failed"}"#.utf8)
    }

    private func counts(_ runner: ProcessorRunner) throws -> IntakeCounts {
        try #require(runner.processor as? IntakeProcessor).counts
    }

    /// Before: 25,000 entries; 136,305 in 22 s on a broker.
    @Test("The usual limit admits an hour's worth of a flood of forged results, and other records continue")
    func forgedResults() throws {
        let pipeline = try Pipeline()
        for number in 0..<25_000 { try pipeline.send(.trainingResults, result(number)) }
        for number in 0..<50 { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let counts = try counts(intake)
        #expect(counts.forwarded == 20_050)
        #expect(counts.deadTotal + counts.droppedTotal == 5_000 && Set(counts.dead.keys) == ["entry_budget"])
        #expect(counts.read == counts.accepted + counts.deadTotal + counts.droppedTotal)
        #expect(pipeline.journal().count == 20_051)
    }

    /// Before: all accounts were removed, and a project that had used up its hour began again.
    @Test("With more accounts than are kept, those that are full again are removed, and no others")
    func capacity() {
        var budget = EntryBudget(limits(.commands, 3_600))
        func admits(_ name: String, at time: Int64) -> Bool {
            budget.admits(ProjectID(name), .commands, size: 1, at: time, share: 1)
        }
        var admitted = 0
        while admits("spent", at: 0) { admitted += 1 }
        #expect(admitted == 3_600)
        // Each is full again after a second; the one that is spent has one entry left for each second.
        var refused = 0
        for number in 0..<60_000 where !admits("p\(number)", at: 2_000) { refused += 1 }
        for number in 60_000..<120_000 where !admits("p\(number)", at: 4_000) { refused += 1 }
        #expect(refused == 0 && budget.count <= 65_536)
        var remaining = 0
        while admits("spent", at: 4_000) { remaining += 1 }
        #expect((3...4).contains(remaining), "\(remaining)")
    }

    @Test("Where no account is full again, all are removed: memory is bounded")
    func noneFull() {
        var budget = EntryBudget(limits(.commands, 3_600))
        for number in 0..<70_000 { _ = budget.admits(ProjectID("p\(number)"), .commands, size: 1, at: 0, share: 1) }
        #expect(budget.count <= 65_536 && budget.count > 0)
    }

    @Test("Dead letters for records beyond the budget are capped and counted like those for bad records")
    func deadLetters() throws {
        let pipeline = try Pipeline()
        for number in 0..<500 { try pipeline.send(.commands, Wire.command("c\(number)", .hold)) }
        let intake = try pipeline.makeIntake(
            policy: CommitPolicy(interval: 0, batchSize: 1_000),
            deadLettersPerSecond: 5,
            entryLimits: limits(.commands, 100)
        )
        try intake.settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        let leftOut = deadLetters.compactMap { $0.header(DeadLetterRecord.leftOutHeader).flatMap { Int($0) } }.reduce(
            0,
            +
        )
        #expect(deadLetters.count <= 52 && deadLetters.count + leftOut == 400)
        #expect(deadLetters.allSatisfy { $0.header("flywheel.reason.code") == "entry_budget" })
    }

    @Test("A budget grows continuously, and one project's flood does not reduce the others' budgets")
    func byProjectAndTime() throws {
        let pipeline = try Pipeline()
        let usual = Scenario.configuration()
        let other = ProjectConfiguration(
            project: ProjectID("other"),
            revision: 1,
            partition: 0,
            schema: usual.schema,
            acquisition: usual.acquisition,
            labeling: usual.labeling,
            datasets: usual.datasets,
            training: usual.training,
            rollout: usual.rollout
        )
        let key = Array("other".utf8)
        try pipeline.cluster.append(
            OutputRecord(topic: pipeline.topics[.projects], partition: 0, key: key, value: other.jsonBytes)
        )
        let intake = try pipeline.makeIntake(entryLimits: limits(.trainingResults, 100))
        func send(_ count: Int, to project: String) throws -> Int64 {
            let before = try counts(intake).forwarded
            for number in 0..<count { try pipeline.send(.trainingResults, result(number, project: project)) }
            try intake.settle()
            return try counts(intake).forwarded - before
        }
        #expect(try send(150, to: "shapes") == 100)
        #expect(try send(60, to: "other") == 60)
        pipeline.clock.advance(by: 1_800_000)
        #expect(try (49...51).contains(send(150, to: "shapes")))
        pipeline.clock.advance(by: 36_000_000)
        #expect(try send(150, to: "shapes") == 100)
    }

    @Test("Bytes are limited, too, and the largest entry is written while any of the budget is left")
    func bytes() throws {
        let pipeline = try Pipeline()
        let fill = String(repeating: #"\""#, count: 100_000)
        for number in 0..<10 {
            let value =
                #"{"project":"shapes","request":"r\#(number)","trial":0,"repeat":0,"status":"failed","error":"\#(fill)"}"#
            try pipeline.send(.trainingResults, Array(value.utf8))
        }
        // Each entry has two thirds of a megabyte.
        let intake = try pipeline.makeIntake(entryLimits: limits(.trainingResults, 1_000, bytes: 2_000_000))
        try intake.settle()
        #expect(try counts(intake).forwarded == 4)
    }

    @Test("The budget of an aborted transaction is returned: its records are read again", arguments: 6..<14)
    func aborted(effect: Int) throws {
        let pipeline = try Pipeline()
        for number in 0..<100 { try pipeline.send(.trainingResults, result(number)) }
        let intake = try pipeline.makeIntake(
            FaultPlan(.init(effect, .abortable)),
            entryLimits: limits(.trainingResults, 100),
            readsState: false
        )
        try intake.settle()
        #expect(try counts(intake).forwarded == 100 && counts(intake).dead.isEmpty)
    }

    private func revision(
        _ number: Int,
        of project: String = "shapes",
        more classes: [String] = []
    ) -> ProjectConfiguration {
        let usual = Scenario.configuration()
        return ProjectConfiguration(
            project: ProjectID(project),
            revision: number,
            partition: Scenario.partition,
            schema: LabelSchema(question: "What is it, number \(number)?", classes: Scenario.classes + classes),
            acquisition: usual.acquisition,
            labeling: usual.labeling,
            datasets: usual.datasets,
            training: usual.training,
            rollout: usual.rollout
        )
    }

    private func put(_ pipeline: Pipeline, _ configuration: ProjectConfiguration) throws {
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.projects],
                partition: 0,
                key: Array(configuration.project.rawValue.utf8),
                value: configuration.jsonBytes
            )
        )
    }

    /// Revisions in the journal of a project, in order of arrival.
    private func revisions(_ pipeline: Pipeline, of project: String = "shapes") throws -> [Int] {
        try pipeline.decoded(.journal) { try JournalEntry(json: $0) }.compactMap { entry in
            guard case .configured(let configuration) = entry.body, entry.project.rawValue == project else {
                return nil
            }
            return configuration.revision
        }
    }

    /// Before: the journal stored every revision that was written, 50 MiB in 12 s.
    @Test(
        "Of endless revisions the journal stores an hour's budget, then the newest one when budget is free"
    )
    func flippedRevisions() throws {
        let pipeline = try Pipeline()
        try put(pipeline, revision(1, of: "other"))
        let intake = try pipeline.makeIntake()
        let processor = try #require(intake.processor as? IntakeProcessor)
        try pipeline.send(.annotations, Wire.annotation("t", "a", .skip))
        try intake.settle()
        for number in 2...300 {
            try put(pipeline, revision(number))
            try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip))
            try intake.settle()
        }
        #expect(try revisions(pipeline) == Array(1...120))
        #expect(
            processor.counts.accepted == 300 && processor.counts.deadTotal == 0,
            "entries go on under the one before"
        )
        #expect(processor.projectFaults.map(\.project) == ["shapes"])
        #expect(processor.projectFaults.first?.reason.contains("entry_budget.projects") == true)
        // Another project's revision is applied at once.
        try put(pipeline, revision(2, of: "other"))
        try pipeline.send(.trainingResults, result(1, project: "other"))
        try intake.settle()
        #expect(try revisions(pipeline, of: "other") == [2])
        #expect(processor.projectFaults.map(\.project) == ["shapes"])
        // Half a minute is one revision, and it is the newest.
        pipeline.clock.advance(by: 31_000)
        try pipeline.send(.annotations, Wire.annotation("late", "a", .skip))
        try intake.settle()
        #expect(try revisions(pipeline).suffix(2) == [120, 300])
        #expect(processor.projectFaults.isEmpty)
    }

    @Test("Bytes of revisions have their own limit, and a revision under which no entry was written costs nothing")
    func revisionBytes() throws {
        let pipeline = try Pipeline()
        let intake = try pipeline.makeIntake()
        let processor = try #require(intake.processor as? IntakeProcessor)
        let name = String(repeating: "c", count: 93)
        let classes = (1_000..<5_000).map { "\(name)\($0)" }
        // No record is sent meanwhile: nothing is written.
        for number in 2...400 {
            try put(pipeline, revision(number))
            try intake.settle()
        }
        #expect(processor.projectFaults.isEmpty)
        for number in 401...500 {
            try put(pipeline, revision(number, more: classes))
            try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip))
            try intake.settle()
        }
        let count = try revisions(pipeline).count
        #expect(try revisions(pipeline).first == 401 && (40...42).contains(count), "\(count)")
        #expect(count * 400_000 < EntryLimits.revisionBytes + 500_000)
        #expect(processor.projectFaults.map(\.project) == ["shapes"])
    }

    @Test("The budget of a revision whose transaction was aborted is returned", arguments: 6..<14)
    func abortedRevision(effect: Int) throws {
        let pipeline = try Pipeline()
        try pipeline.send(.annotations, Wire.annotation("t", "a", .skip))
        let intake = try pipeline.makeIntake(
            FaultPlan(.init(effect, .abortable)),
            entryLimits: limits(.projects, 1),
            readsState: false
        )
        try intake.settle()
        let processor = try #require(intake.processor as? IntakeProcessor)
        #expect(try revisions(pipeline) == [1] && processor.projectFaults.isEmpty)
        try put(pipeline, revision(2))
        try pipeline.send(.annotations, Wire.annotation("u", "a", .skip))
        try intake.settle()
        #expect(try revisions(pipeline) == [1] && processor.projectFaults.count == 1)
    }

    @Test("A project that is repeatedly removed and created has one budget")
    func recreated() throws {
        let pipeline = try Pipeline()
        let intake = try pipeline.makeIntake(entryLimits: limits(.projects, 10))
        let processor = try #require(intake.processor as? IntakeProcessor)
        for number in 1...30 {
            try put(pipeline, revision(number))
            try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip))
            try intake.settle()
            try pipeline.cluster.append(
                OutputRecord(topic: pipeline.topics[.projects], partition: 0, key: Array("shapes".utf8), value: nil)
            )
            try intake.settle()
            try pipeline.send(.annotations, Wire.annotation("gone\(number)", "a", .skip))
            try intake.settle()
        }
        #expect(try revisions(pipeline).count == 10)
        #expect(processor.counts.dead["faulty_project"] == 20 && processor.counts.dead["unknown_project"] == 30)
    }

    /// The audit share does not limit a flood, and every invented model version has a threshold of its own.
    @Test("Candidates are bounded whatever the reason for forwarding, and refused ones are not in the tallies")
    func candidates() throws {
        let pipeline = try Pipeline()
        for number in 0..<5_000 {
            let sample = Sample(id: SampleID("s\(number)"), content: .uri("memory:x"))
            try pipeline.send(.predictions, Wire.prediction(sample, [0.4, 0.3, 0.3], version: "v\(number % 300)"))
        }
        let intake = try pipeline.makeIntake(entryLimits: limits(.predictions, 200))
        try intake.settle()
        let counts = try counts(intake)
        #expect(counts.forwarded == 200)
        let refused = counts.deadTotal + counts.droppedTotal
        #expect(refused > 500, "\(refused)")
        let tallied = try pipeline.decoded(.tallies) { try Tally(json: $0) }
        #expect(tallied.reduce(0) { $0 + $1.forwarded } == 200)
        #expect(tallied.reduce(0) { $0 + $1.predictions } == 5_000 - refused)
    }
}
