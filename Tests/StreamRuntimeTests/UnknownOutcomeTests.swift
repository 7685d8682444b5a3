import Events
import JSON
import PipelineTesting
import Statistics
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// A coordinator that receives a commit and never answers.
@Suite("A commit whose outcome stays unknown")
struct UnknownOutcomeTests {
    private func makePipeline() throws -> Pipeline {
        let pipeline = try Pipeline(seed: 7)
        for number in 0..<600 {
            try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next(), [0.5, 0.3, 0.2], version: "v"))
            if number % 4 == 0 { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        }
        return pipeline
    }

    /// Runs a worker that continues carefully after a death, with batches larger than its slices.
    private func run(_ step: FaultPlan.Step?) throws -> (pipeline: Pipeline, plan: FaultPlan) {
        let baselinePlan = FaultPlan()
        try makePipeline().makeIntake(baselinePlan).settle()
        // The first commit records that the worker is active, and the second would be the first with records.
        let commits = baselinePlan.effects.indices.filter { baselinePlan.effects[$0] == .commit }
        let pipeline = try makePipeline()
        #expect(throws: StreamError.self) { try pipeline.makeIntake(FaultPlan(.init(commits[1], .crash))).settle() }
        let plan = FaultPlan(step)
        try pipeline.makeIntake(plan).settle()
        return (pipeline, plan)
    }

    @Test(
        "Whether the commit is committed or aborted, every record is processed once",
        arguments: [FaultPlan.Moment.before, .after]
    )
    func intake(moment: FaultPlan.Moment) throws {
        let undisturbed = try run(nil)
        let commits = undisturbed.plan.effects.indices.filter { undisturbed.plan.effects[$0] == .commit }
        #expect(commits.count > 4, "the worker goes on with care: \(commits.count) transactions")
        for number in commits {
            let (pipeline, plan) = try run(.init(number, .unanswered, moment))
            #expect(plan.hasStruck)
            let note = "commit at effect \(number)"
            let tallies = try pipeline.decoded(.tallies) { try Tally(json: $0) }
            #expect(tallies.reduce(0) { $0 + $1.predictions } == 600, "\(note)")
            let annotationCounts = counted(
                pipeline.journal().filter { $0.text.contains(#""kind":"annotation""#) }.map { $0.header("ce_id") ?? "" }
            )
            #expect(
                annotationCounts.count == 150 && annotationCounts.values.allSatisfy { $0 == 1 },
                "\(note): \(annotationCounts.count)"
            )
        }
    }
}
