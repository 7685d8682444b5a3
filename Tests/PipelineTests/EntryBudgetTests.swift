import Engine
import Events
import Flywheel
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// What floods add to the journal, where it stays for ever.
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

    private func counts(_ runner: StageRunner) throws -> IntakeCounts {
        try #require(runner.stage as? IntakeStage).counts
    }

    /// Before: 25,000 entries; 136,305 in 22 s on a broker.
    @Test("Of a flood of forged results the usual limit lets an hour's worth through, and others go on")
    func forgedResults() throws {
        let plant = try Plant()
        for number in 0..<25_000 { try plant.send(.trainingResults, result(number)) }
        for number in 0..<50 { try plant.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        let intake = try plant.makeIntake()
        try intake.settle()
        let counts = try counts(intake)
        #expect(counts.forwarded == 20_050)
        #expect(counts.deadTotal + counts.droppedTotal == 5_000 && Set(counts.dead.keys) == ["entry_budget"])
        #expect(counts.read == counts.accepted + counts.deadTotal + counts.droppedTotal)
        #expect(plant.journal().count == 20_051)
    }

    @Test("Letters of a flood are capped and counted, as those of traffic are")
    func letters() throws {
        let plant = try Plant()
        for number in 0..<500 { try plant.send(.commands, Wire.command("c\(number)", .hold)) }
        let intake = try plant.makeIntake(
            policy: CommitPolicy(interval: 0, batchSize: 1_000),
            lettersPerSecond: 5,
            entryLimits: limits(.commands, 100)
        )
        try intake.settle()
        let letters = plant.cluster.committed(plant.topics[.deadLetters])
        let leftOut = letters.compactMap { $0.header(DeadLetter.leftOutHeader).flatMap { Int($0) } }.reduce(0, +)
        #expect(letters.count <= 52 && letters.count + leftOut == 400)
        #expect(letters.allSatisfy { $0.header("flywheel.reason.code") == "entry_budget" })
    }

    @Test("A budget grows by the moment, and one project's flood leaves the others theirs")
    func byProjectAndTime() throws {
        let plant = try Plant()
        let usual = World.configuration()
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
        try plant.cluster.append(
            OutputRecord(topic: plant.topics[.projects], partition: 0, key: key, value: other.jsonBytes)
        )
        let intake = try plant.makeIntake(entryLimits: limits(.trainingResults, 100))
        func send(_ count: Int, to project: String) throws -> Int64 {
            let before = try counts(intake).forwarded
            for number in 0..<count { try plant.send(.trainingResults, result(number, project: project)) }
            try intake.settle()
            return try counts(intake).forwarded - before
        }
        #expect(try send(150, to: "shapes") == 100)
        #expect(try send(60, to: "other") == 60)
        plant.clock.advance(by: 1_800_000)
        #expect(try (49...51).contains(send(150, to: "shapes")))
        plant.clock.advance(by: 36_000_000)
        #expect(try send(150, to: "shapes") == 100)
    }

    @Test("Bytes are limited, too, and the largest entry goes while anything is left")
    func bytes() throws {
        let plant = try Plant()
        let fill = String(repeating: #"\""#, count: 100_000)
        for number in 0..<10 {
            let value =
                #"{"project":"shapes","request":"r\#(number)","trial":0,"repeat":0,"status":"failed","error":"\#(fill)"}"#
            try plant.send(.trainingResults, Array(value.utf8))
        }
        // Two thirds of a megabyte each.
        let intake = try plant.makeIntake(entryLimits: limits(.trainingResults, 1_000, bytes: 2_000_000))
        try intake.settle()
        #expect(try counts(intake).forwarded == 4)
    }

    @Test("What an aborted transaction took is given back: its records come again", arguments: 6..<14)
    func aborted(effect: Int) throws {
        let plant = try Plant()
        for number in 0..<100 { try plant.send(.trainingResults, result(number)) }
        let intake = try plant.makeIntake(
            FaultPlan(.init(effect, .abortable)),
            entryLimits: limits(.trainingResults, 100),
            readsState: false
        )
        try intake.settle()
        #expect(try counts(intake).forwarded == 100 && counts(intake).dead.isEmpty)
    }

    /// The audit share is no limit of a flood, and every invented model version has a threshold of its own.
    @Test("Candidates are bounded whatever lets them through, and those beyond leave no trace in the tallies")
    func candidates() throws {
        let plant = try Plant()
        for number in 0..<5_000 {
            let sample = Sample(id: SampleID("s\(number)"), content: .uri("memory:x"))
            try plant.send(.predictions, Wire.prediction(sample, [0.4, 0.3, 0.3], version: "v\(number % 300)"))
        }
        let intake = try plant.makeIntake(entryLimits: limits(.predictions, 200))
        try intake.settle()
        let counts = try counts(intake)
        #expect(counts.forwarded == 200)
        let refused = counts.deadTotal + counts.droppedTotal
        #expect(refused > 500, "\(refused)")
        let tallied = try plant.decoded(.tallies) { try Tally(json: $0) }
        #expect(tallied.reduce(0) { $0 + $1.forwarded } == 200)
        #expect(tallied.reduce(0) { $0 + $1.predictions } == 5_000 - refused)
    }
}
