import Acquisition
import Statistics
import Testing
import Vocabulary

@Suite struct ExplorationTests {
    /// Forty candidates of one model, of which the last ten have the lowest scores and were forwarded at random.
    private func batch(share: Double, isExploring: Bool, seed: UInt64) -> [Selection] {
        var policy = AcquisitionPolicy()
        policy.isDiverse = false
        policy.batchSize = 10
        policy.openTaskLimit = 100
        policy.auditShare = 0
        policy.maximumWait = 1
        policy.explorationShare = share
        var state = AcquisitionState()
        let context = { (number: UInt64, at: Int64) in
            EntryContext(
                project: ProjectID("p"),
                entryNumber: number,
                time: StreamTime(milliseconds: at),
                seed: seed &+ number
            )
        }
        for number in 0..<40 {
            let candidate = Candidate(
                sample: Sample(id: SampleID("s\(number)")),
                output: ClassDistribution([.init(label: ClassIndex(0), probability: 1)]).map(Output.choice),
                model: ModelReference(name: "m", version: ModelVersion("v1")),
                score: 1 - Double(number) / 40,
                auditProbability: nil,
                auditDraw: 0.5,
                predictedAt: StreamTime(milliseconds: 0),
                isExploration: isExploring && number >= 30
            )
            state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(UInt64(number), 1))
        }
        return state.selectBatch(
            openTasks: 0,
            votesPerTask: 1,
            newestVersionNumber: 1,
            unlearned: 0,
            policy: policy,
            context: context(99, 1_000)
        )
    }

    @Test(
        "A share of the batch is drawn from the randomly forwarded candidates, with the propensity stated",
        arguments: 0..<16 as Range<UInt64>
    )
    func share(seed: UInt64) {
        let batch = batch(share: 0.3, isExploring: true, seed: seed)
        let explored = batch.filter { $0.reason.strategy == "exploration" }
        #expect(batch.count == 10 && Set(batch.map(\.sample.id)).count == 10)
        #expect(explored.count == 3)
        #expect(explored.allSatisfy { ($0.reason.score) <= 0.25 }, "chosen whatever their score")
        #expect(explored.allSatisfy { $0.reason.propensity == 0.3 }, "three of ten were drawn")
        let best = batch.filter { $0.reason.strategy != "exploration" }
        #expect(best.allSatisfy { $0.reason.score > 0.75 && $0.reason.propensity == 1 })
    }

    @Test("Nothing is drawn at random if no candidate was forwarded at random or the share is 0")
    func none() {
        for batch in [batch(share: 0.3, isExploring: false, seed: 1), batch(share: 0, isExploring: true, seed: 1)] {
            #expect(batch.count == 10)
            #expect(batch.allSatisfy { $0.reason.strategy == "margin" })
        }
    }
}
