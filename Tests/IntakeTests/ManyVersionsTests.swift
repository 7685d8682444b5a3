import Events
import Flywheel
import JSON
import Labeling
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Model versions that Intake distinguishes")
struct ManyVersionsTests {
    /// Predictions counted by version; those of versions counted together have the empty name.
    private func counted(_ pipeline: Pipeline) throws -> [String: Int64] {
        var sums: [String: Int64] = [:]
        for tally in try pipeline.decoded(.tallies, { try Tally(json: $0) }) {
            sums[tally.modelVersion?.rawValue ?? "", default: 0] += tally.predictions
        }
        return sums
    }

    @Test("Versions beyond sixty-four are counted together, and a later cycle distinguishes versions again")
    func flood() throws {
        let pipeline = try Pipeline()
        let intake = try pipeline.makeIntake(policy: CommitPolicy(interval: 0, batchSize: 1_000))
        let sure = [0.98, 0.01, 0.01]
        try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next(), sure, version: "warm"))
        try intake.settle()
        for number in 0..<600 {
            let value = Wire.prediction(pipeline.scenario.next(), sure, version: "v\(number % 200)")
            try pipeline.send(.predictions, value)
        }
        try intake.settle()
        var sums = try counted(pipeline)
        #expect(sums.values.reduce(0, +) == 601)
        #expect(sums.count == 66 && sums["warm"] == 1)
        #expect(sums[""] == Int64(408))
        #expect(sums.filter { $0.key.hasPrefix("v") }.allSatisfy { $0.value == 3 })

        for _ in 0..<5 {
            try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next(), sure, version: "late"))
        }
        try intake.settle()
        sums = try counted(pipeline)
        #expect(sums["late"] == 5 && sums.values.reduce(0, +) == 606)
    }

    @Test("A prediction of a new class is judged by the revision that adds the class in the meantime")
    func revisionMeanwhile() throws {
        let pipeline = try Pipeline()
        for number in 0..<20 {
            let value = Wire.prediction(pipeline.scenario.next(), [0.98, 0.01, 0.01], version: "v\(number)")
            try pipeline.send(.predictions, value)
        }
        let current = pipeline.configuration
        let revision = ProjectConfiguration(
            project: Scenario.project,
            revision: 2,
            partition: Scenario.partition,
            schema: LabelSchema(question: current.schema.question, classes: Scenario.classes + ["cube"]),
            acquisition: current.acquisition,
            labeling: current.labeling,
            datasets: current.datasets,
            training: current.training,
            rollout: current.rollout
        )
        // The revision arrives while a batch is being processed: when Intake reads the clock a second time.
        var clockReads = Int.min
        let intake = try pipeline.makeIntake(now: { [pipeline] in
            clockReads += 1
            if clockReads == 2 {
                try? pipeline.cluster.append(
                    OutputRecord(
                        topic: pipeline.topics[.projects],
                        partition: 0,
                        key: Array(Scenario.project.rawValue.utf8),
                        value: revision.jsonBytes
                    )
                )
            }
            return pipeline.clock.now
        })
        try intake.settle()
        let text =
            #"{"project":"shapes","sample":{"id":"late","uri":"memory:late"},"model":{"name":"m","version":"v19","role":"champion"},"#
            + #""output":{"kind":"choice","probabilities":{"circle":0.34,"square":0.33,"star":0.33}},"members":[{"cube":0.5,"circle":0.5},{"cube":0.9,"circle":0.1}]}"#
        try pipeline.send(.predictions, Array(text.utf8))
        clockReads = 0
        try intake.settle()
        #expect(clockReads >= 2)
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
        #expect(pipeline.journal().count { $0.text.contains(#""late""#) } == 1)
        #expect(try counted(pipeline)["v19"] == 2)
    }
}
