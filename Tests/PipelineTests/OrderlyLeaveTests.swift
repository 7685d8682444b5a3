import Events
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// A death is told once: whoever comes after a worker that left in order hears of no death.
@Suite("Workers that leave in order after a death")
struct OrderlyLeaveTests {
    private func tells(_ runner: StageRunner) -> Bool {
        runner.events.contains { if case .foundUnclean = $0 { true } else { false } }
    }

    private func place(_ plant: Plant) -> TopicPartition { TopicPartition(plant.topics[.annotations], 0) }

    /// Something was read and committed, and then the worker died.
    private func afterDeath(pending: Int) throws -> Plant {
        let plant = try Plant(seed: 4)
        for number in 0..<20 { try plant.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        let runner = try plant.makeIntake()
        try runner.settle()
        runner.task.abandon()
        plant.cluster.expireMember("w1", of: "intake")
        for number in 0..<pending { try plant.send(.annotations, Wire.annotation("p\(number)", "a", .skip)) }
        return plant
    }

    /// Assigned, and stopped before anything is taken.
    private func startAndStop(_ plant: Plant) throws -> StageRunner {
        let runner = try plant.makeIntake()
        try runner.task.cycle()
        runner.task.close()
        return runner
    }

    @Test("Without traffic the first start says that the last owner died, and no later one does")
    func withoutTraffic() throws {
        let plant = try afterDeath(pending: 0)
        #expect(plant.cluster.note(of: place(plant), group: "intake") == "open")
        let told = try (0..<4).map { _ in tells(try startAndStop(plant)) }
        #expect(told == [true, false, false, false])
        #expect(plant.cluster.note(of: place(plant), group: "intake") == "clean")
    }

    @Test("With records that nobody got to, care stays and the death is told once")
    func withRecords() throws {
        let plant = try afterDeath(pending: 5)
        let told = try (0..<4).map { _ in tells(try startAndStop(plant)) }
        #expect(told == [true, false, false, false])
        // A word that older builds pass over, as they do with the whole mark: they are careful.
        #expect(plant.cluster.note(of: place(plant), group: "intake") == "open left=suspicious")
        #expect(OffsetMark("open left=suspicious") == .open)
        let next = try plant.makeIntake()
        try next.settle()
        next.task.close()
        #expect(plant.cluster.note(of: place(plant), group: "intake") == "clean")
        #expect(plant.journal().count { $0.text.contains(#""kind":"annotation""#) } == 25)
    }

    @Test("A worker that reads its first records and leaves at once leaves its partitions clean")
    func firstRecords() throws {
        let plant = try Plant(seed: 4)
        try plant.send(.annotations, Wire.annotation("t", "a", .skip))
        let runner = try plant.makeIntake(policy: CommitPolicy(interval: 1_000))
        for _ in 0..<3 { try runner.task.cycle() }
        runner.task.close()
        #expect(plant.cluster.offsets(of: "intake")[place(plant)] == 1)
        #expect(plant.cluster.note(of: place(plant), group: "intake") == "clean")
        #expect(!tells(try startAndStop(plant)))
    }

    @Test("A partition that was left clean stays so where its next owner leaves another one")
    func beside() throws {
        let plant = try Plant(seed: 4)
        for partition: Int32 in 0..<2 {
            try plant.send(.annotations, Wire.annotation("t\(partition)", "a", .skip), partition: partition)
        }
        let first = try plant.makeIntake()
        try first.settle()
        first.task.close()
        // Reads of one partition alone, and leaves in the same transaction.
        try plant.send(.annotations, Wire.annotation("more", "a", .skip), partition: 1)
        let second = try plant.makeIntake()
        try second.settle()
        second.task.close()
        for partition: Int32 in 0..<2 {
            let place = TopicPartition(plant.topics[.annotations], partition)
            #expect(plant.cluster.note(of: place, group: "intake") == "clean", "\(partition)")
        }
        #expect(!tells(try startAndStop(plant)))
    }

    @Test("A record that three workers died of is isolated however many leave in order between the deaths")
    func stillIsolates() throws {
        let plant = try Plant(seed: 4)
        for number in 0..<40 { try plant.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        let lethal = Lethal(topic: plant.topics[.annotations], partition: 0, offset: 17, manner: .death)
        let (_, deaths) = try supervise { life in
            if life > 0 { for _ in 0..<2 { _ = try startAndStop(plant) } }
            return try plant.makeIntake(lethal: lethal)
        }
        #expect((3...6).contains(deaths), "\(deaths) deaths")
        let letters = plant.cluster.committed(plant.topics[.deadLetters])
        #expect(letters.map { $0.header("__connect.errors.offset") } == ["17"])
        #expect(plant.journal().count { $0.text.contains(#""kind":"annotation""#) } == 39)
    }
}
