import Engine
import Events
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("A flood of bad records")
struct LetterFloodTests {
    private func leftOut(_ letters: [StoredRecord]) -> Int {
        letters.compactMap { $0.header(DeadLetter.leftOutHeader).flatMap { Int($0) } }.reduce(0, +)
    }

    @Test("Some are kept, all are counted, and good ones between them are heard", arguments: [1, 7, 1_000])
    func flood(_ batchSize: Int) throws {
        let plant = try Plant()
        for number in 0..<600 {
            try plant.send(.predictions, Array("bad \(number)".utf8))
            if number % 100 == 50 { try plant.send(.predictions, Wire.prediction(plant.world.next())) }
        }
        let intake = try plant.makeIntake(
            policy: CommitPolicy(interval: 0, batchSize: batchSize),
            lettersPerSecond: 5
        )
        try intake.settle()
        let counts = try #require(intake.stage as? IntakeStage).counts
        let letters = plant.cluster.committed(plant.topics[.deadLetters])
        #expect(counts.read == 606 && counts.accepted == 6)
        #expect(counts.deadTotal + counts.droppedTotal == 600)
        #expect(Array(counts.dead.keys) == ["not_json"] && counts.deadTotal == Int64(letters.count))
        #expect(leftOut(letters) == Int(counts.droppedTotal))
        // Ten seconds' worth at once, one a turn at least, and the clock stands still.
        let turns = batchSize == 1 ? 606 : (606 + batchSize - 1) / batchSize
        #expect(letters.count >= 50 && letters.count <= 51 + turns)
        if batchSize == 1_000 { #expect(letters.count == 51) }
        // In order, the first ones kept.
        #expect(
            letters.prefix(50).map { String(decoding: $0.value ?? [], as: UTF8.self) } == (0..<50).map { "bad \($0)" }
        )
    }

    @Test("What stands beside a value counts, too: large headers fill the room of many letters")
    func largeHeaders() throws {
        let plant = try Plant()
        let header = RecordHeader("note", String(repeating: "x", count: 100_000))
        for number in 0..<50 {
            try plant.cluster.append(
                OutputRecord(
                    topic: plant.topics[.predictions],
                    partition: 0,
                    value: Array("bad \(number)".utf8),
                    headers: [header]
                )
            )
        }
        let intake = try plant.makeIntake(policy: CommitPolicy(interval: 0, batchSize: 1_000), lettersPerSecond: 5)
        try intake.settle()
        let letters = plant.cluster.committed(plant.topics[.deadLetters])
        // Ten seconds of five letters of 4 KB.
        #expect(letters.count == 3 && leftOut(letters) == 47, "\(letters.count)")
    }

    @Test("What people answered is always kept")
    func answers() throws {
        let plant = try Plant()
        for number in 0..<200 { try plant.send(.annotations, Array("bad \(number)".utf8)) }
        let intake = try plant.makeIntake(lettersPerSecond: 1)
        try intake.settle()
        let letters = plant.cluster.committed(plant.topics[.deadLetters])
        #expect(letters.count == 200 && leftOut(letters) == 0)
    }

    @Test("A turn that is undone leaves nothing behind: what was left out is counted once", arguments: 6..<14)
    func undone(_ effect: Int) throws {
        let plant = try Plant()
        for number in 0..<300 { try plant.send(.predictions, Array("bad \(number)".utf8)) }
        let intake = try plant.makeIntake(FaultPlan(.init(effect, .abortable)), lettersPerSecond: 2, readsState: false)
        try intake.settle()
        let counts = try #require(intake.stage as? IntakeStage).counts
        let letters = plant.cluster.committed(plant.topics[.deadLetters])
        #expect(letters.count + leftOut(letters) == 300)
        #expect(counts.deadTotal + counts.droppedTotal == 300)
    }
}
