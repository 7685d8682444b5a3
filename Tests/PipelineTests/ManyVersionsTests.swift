import Events
import Flywheel
import JSON
import Labeling
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Model versions that Intake tells apart")
struct ManyVersionsTests {
    /// Predictions counted by version; of those counted together under the empty name.
    private func counted(_ plant: Plant) throws -> [String: Int64] {
        var sums: [String: Int64] = [:]
        for tally in try plant.decoded(.tallies, { try Tally(json: $0) }) {
            sums[tally.modelVersion?.rawValue ?? "", default: 0] += tally.predictions
        }
        return sums
    }

    @Test("A flood of versions is counted together beyond the sixty-four, and a later turn knows versions again")
    func flood() throws {
        let plant = try Plant()
        let intake = try plant.makeIntake(policy: CommitPolicy(interval: 0, batchSize: 1_000))
        let sure = [0.98, 0.01, 0.01]
        try plant.send(.predictions, Wire.prediction(plant.world.next(), sure, version: "warm"))
        try intake.settle()
        for number in 0..<600 {
            let value = Wire.prediction(plant.world.next(), sure, version: "v\(number % 200)")
            try plant.send(.predictions, value)
        }
        try intake.settle()
        var sums = try counted(plant)
        #expect(sums.values.reduce(0, +) == 601)
        #expect(sums.count == 66 && sums["warm"] == 1)
        #expect(sums[""] == Int64(408))
        #expect(sums.filter { $0.key.hasPrefix("v") }.allSatisfy { $0.value == 3 })

        for _ in 0..<5 { try plant.send(.predictions, Wire.prediction(plant.world.next(), sure, version: "late")) }
        try intake.settle()
        sums = try counted(plant)
        #expect(sums["late"] == 5 && sums.values.reduce(0, +) == 606)
    }

    @Test("A revision that names a class may come while a prediction of that class is taken: it is judged by it")
    func revisionMeanwhile() throws {
        let plant = try Plant()
        for number in 0..<20 {
            let value = Wire.prediction(plant.world.next(), [0.98, 0.01, 0.01], version: "v\(number)")
            try plant.send(.predictions, value)
        }
        let world = plant.configuration
        let revision = ProjectConfiguration(
            project: World.project,
            revision: 2,
            partition: World.partition,
            schema: LabelSchema(question: world.schema.question, classes: World.classes + ["cube"]),
            acquisition: world.acquisition,
            labeling: world.labeling,
            datasets: world.datasets,
            training: world.training,
            rollout: world.rollout
        )
        // It arrives once a batch is under way: when Intake asks the clock a second time.
        var asked = Int.min
        let intake = try plant.makeIntake(now: { [plant] in
            asked += 1
            if asked == 2 {
                try? plant.cluster.append(
                    OutputRecord(
                        topic: plant.topics[.projects],
                        partition: 0,
                        key: Array(World.project.rawValue.utf8),
                        value: revision.jsonBytes
                    )
                )
            }
            return plant.clock.now
        })
        try intake.settle()
        let text =
            #"{"project":"shapes","sample":{"id":"late","uri":"memory:late"},"model":{"name":"m","version":"v19","role":"champion"},"#
            + #""output":{"kind":"choice","probabilities":{"circle":0.34,"square":0.33,"star":0.33}},"members":[{"cube":0.5,"circle":0.5},{"cube":0.9,"circle":0.1}]}"#
        try plant.send(.predictions, Array(text.utf8))
        asked = 0
        try intake.settle()
        #expect(asked >= 2)
        #expect(plant.cluster.committed(plant.topics[.deadLetters]).isEmpty)
        #expect(plant.journal().count { $0.text.contains(#""late""#) } == 1)
        #expect(try counted(plant)["v19"] == 2)
    }
}
