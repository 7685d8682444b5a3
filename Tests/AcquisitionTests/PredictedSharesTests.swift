import Acquisition
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

/// Cold starts under models that predict the same output for every sample, so that a test sets their mean output.
@Suite("A cold start ends once predicted shares are stable") struct PredictedSharesTests {
    private static let policy = freePolicy {
        $0.isDiverse = true
        $0.batch.coldStart = .herding
        $0.batch.handover = 8
    }

    /// Adds new candidates for which a model predicts the given shares, and opens a batch.
    ///
    /// - Returns: Whether the batch was cold.
    private static func isCold(
        _ state: inout AcquisitionState,
        _ shares: [Double],
        versionNumber: Int,
        labels: Int,
        policy: AcquisitionPolicy = policy,
        expecting count: Int? = policy.batchSize
    ) -> Bool {
        var generator = SplitMix64(seed: UInt64(versionNumber * 1_000 + labels))
        for number in 0..<40 {
            let candidate = Candidate(
                sample: Sample(
                    id: SampleID("\(versionNumber)-\(labels)-\(number)"),
                    embedding: [Float(generator.nextUnit()), Float(generator.nextUnit())]
                ),
                output: ClassDistribution(
                    shares.enumerated().map { .init(label: ClassIndex($0.offset), probability: $0.element) }
                ).map(Output.choice),
                model: ModelReference(name: "m", version: ModelVersion("v\(versionNumber)")),
                score: generator.nextUnit(),
                auditProbability: nil,
                auditDraw: 1,
                predictedAt: StreamTime(milliseconds: 0)
            )
            state.receive(candidate, modelVersionNumber: versionNumber, policy: policy, context: context(1))
        }
        state.accounts.schedule.value.acquisitionTasks = labels
        let batch = state.selectBatch(
            openTasks: 0,
            votesPerTask: 1,
            newestVersionNumber: versionNumber,
            unlearned: 0,
            policy: policy,
            context: context(UInt64(versionNumber), at: Int64(labels) * 10_000)
        )
        if let count { #expect(batch.count == count) }
        let cold = batch.count { $0.reason.strategy.hasSuffix("+herding") }
        #expect(cold == 0 || cold == batch.count)
        return cold > 0
    }

    @Test("Stable shares end the cold start from three labels per class on") func rest() {
        var state = AcquisitionState()
        // With four equally likely classes the cold start ends at 12 labels at the earliest, at 32 at the latest.
        let even = [0.25, 0.25, 0.25, 0.25]
        #expect(Self.isCold(&state, even, versionNumber: 1, labels: 5))
        // The shares are stable, but there are too few labels.
        #expect(Self.isCold(&state, even, versionNumber: 2, labels: 10))
        #expect(!Self.isCold(&state, [0.26, 0.24, 0.26, 0.24], versionNumber: 3, labels: 15))
    }

    @Test("Moving shares do not end the cold start before eight labels per class") func movement() {
        var state = AcquisitionState()
        for (index, labels) in [5, 10, 15, 20, 25, 30].enumerated() {
            // Half the sum of the differences is 0.06.
            let moved = index % 2 == 0 ? 0.03 : -0.03
            let shares = [0.25 + moved, 0.25 + moved, 0.25 - moved, 0.25 - moved]
            #expect(Self.isCold(&state, shares, versionNumber: index + 1, labels: labels), "\(labels) labels")
        }
        #expect(!Self.isCold(&state, [0.1, 0.3, 0.3, 0.3], versionNumber: 9, labels: 35))
    }

    @Test("A model trained on few more labels is no evidence of stability") func growth() {
        var state = AcquisitionState()
        #expect(Self.isCold(&state, [0.4, 0.2, 0.2, 0.2], versionNumber: 1, labels: 15))
        // Less than a sixth more than 15 labels.
        #expect(Self.isCold(&state, [0.4, 0.2, 0.2, 0.2], versionNumber: 2, labels: 17))
        #expect(!Self.isCold(&state, [0.4, 0.2, 0.2, 0.2], versionNumber: 3, labels: 18))
    }

    @Test("A later batch of the same model is no evidence either, even if labels were added") func sameModel() {
        var state = AcquisitionState()
        let shares = [0.4, 0.2, 0.2, 0.2]
        #expect(Self.isCold(&state, shares, versionNumber: 1, labels: 15))
        let before = state.pool.shares.value
        _ = Self.isCold(&state, shares, versionNumber: 1, labels: 20, expecting: nil)
        #expect(state.pool.shares.value == before)
    }

    @Test("Shares that move again, for example because of a new class, make a batch cold again") func unrest() {
        var state = AcquisitionState()
        let even = [0.25, 0.25, 0.25, 0.25]
        #expect(Self.isCold(&state, even, versionNumber: 1, labels: 10))
        #expect(!Self.isCold(&state, even, versionNumber: 2, labels: 15))
        #expect(Self.isCold(&state, [0.2, 0.2, 0.2, 0.2, 0.2], versionNumber: 3, labels: 20))
        #expect(!Self.isCold(&state, [0.2, 0.2, 0.2, 0.2, 0.2], versionNumber: 4, labels: 25))
    }

    @Test("Edition 1 counts labels alone") func firstEdition() {
        var state = AcquisitionState()
        var policy = Self.policy
        policy.edition = 1
        let even = [0.25, 0.25, 0.25, 0.25]
        for (index, labels) in [10, 15, 20, 25, 30].enumerated() {
            #expect(Self.isCold(&state, even, versionNumber: index + 1, labels: labels, policy: policy))
        }
        #expect(state.pool.shares.value == PredictedShares())
        #expect(!Self.isCold(&state, even, versionNumber: 9, labels: 35, policy: policy))
    }

    @Test("Of 2,002 classes the 64 largest shares are kept, which is enough to find them stable") func manyClasses() {
        var state = AcquisitionState()
        var generator = SplitMix64(seed: 4)
        let weights = (0..<2_000).map { _ in generator.nextUnit() / 1_000 }
        let rest = weights.reduce(0, +)
        let shares = [0.5 * (1 - rest / 2), 0.5 * (1 - rest / 2)] + weights.map { $0 / 2 }
        let sum = shares.reduce(0, +)
        let even = shares.map { $0 / sum }
        _ = Self.isCold(&state, even, versionNumber: 1, labels: 10)
        _ = Self.isCold(&state, even, versionNumber: 2, labels: 20)
        #expect(state.pool.shares.value.classes.count == 64)
        #expect(state.pool.shares.value.isSettled)
        #expect(state.pool.shares.value.classes.prefix(2) == [ClassIndex(0), ClassIndex(1)])
    }

    @Test("A row that lacks shares causes no trap") func spoiltRow() {
        var state = AcquisitionState()
        let classes = [ClassIndex(0), ClassIndex(1), ClassIndex(2)]
        var row = PredictedShares(versionNumber: 1, labels: 10, candidates: 40)
        (row.classes, row.shares) = (classes, [0.5])
        state.pool.shares.value = row
        #expect(Self.isCold(&state, [0.25, 0.25, 0.25, 0.25], versionNumber: 2, labels: 15))
        #expect(state.pool.shares.value.versionNumber == 2)
    }
}
