import Acquisition
import Statistics
import Testing
import Vocabulary

/// Selections for training must depend on audit labels only by the rate of confident errors: otherwise the test set
/// would influence the training set.
@Suite("Audit labels do not leak into the selection of training samples")
struct TestSetLeakTests {
    /// Simulates batches in which a fixed number of the queried audit samples get another label than predicted.
    ///
    /// - Parameters:
    ///   - seed: Seed of the candidates.
    ///   - wrong: Indices of the wrong ones among the audit samples of a batch, ordered by id.
    /// - Returns: Samples and propensities of the training selections of each batch, and the labels given.
    private func simulate(seed: UInt64, wrong: (_ count: Int, _ wanted: Int) -> Set<Int>) -> (
        training: [[String]], labels: [String]
    ) {
        let policy = freePolicy {
            $0.auditShare = 0.2
            $0.auditFirst = 0
            $0.explorationMost = 0.4
            $0.batchSize = 8
        }
        var state = AcquisitionState()
        var generator = SplitMix64(seed: seed)
        var (training, labels): ([[String]], [String]) = ([], [])
        for round in 1...40 {
            for number in 0..<24 {
                let isAudited = number % 3 == 0
                // Audit samples differ only in their ids, so any of them may be the wrong one.
                let confidence = isAudited ? 0.97 : 0.9 + 0.0999 * generator.nextUnit()
                let outputs = [
                    ClassDistribution.Entry(label: ClassIndex(0), probability: confidence),
                    .init(label: ClassIndex(1), probability: 1 - confidence),
                ]
                let candidate = Candidate(
                    sample: Sample(id: SampleID("s\(round)-\(number)")),
                    output: ClassDistribution(outputs).map(Output.choice),
                    model: ModelReference(name: "m", version: ModelVersion("v\(round)")),
                    score: generator.nextUnit(),
                    auditProbability: isAudited ? 0.3 : nil,
                    auditDraw: isAudited ? generator.nextUnit() * 0.3 : 1,
                    predictedAt: StreamTime(milliseconds: 0)
                )
                let entry = context(UInt64(round * 100 + number))
                state.receive(candidate, modelVersionNumber: round, classes: 2, policy: policy, context: entry)
            }
            let batch = state.batch(policy, entry: UInt64(10_000 + round), at: Int64(10_000 * round))
            training.append(
                batch.filter { $0.purpose == .acquisition }.map {
                    "\($0.sample.id) \($0.reason.propensity.map { "\($0)" } ?? "")"
                }
            )
            let audited = batch.filter { $0.purpose == .audit }.map(\.sample.id).sorted()
            let mistaken = wrong(audited.count, min(audited.count, round % 3))
            for (index, id) in audited.enumerated() {
                let label = ClassIndex(mistaken.contains(index) ? 1 : 0)
                labels.append("\(id)=\(label)")
                state.auditClosed(id, label: .choice(label), policy: policy)
            }
        }
        return (training, labels)
    }

    @Test("Which audit samples are mistaken does not matter, only how many", arguments: 0..<20 as Range<UInt64>)
    func exchanged(seed: UInt64) {
        let first = simulate(seed: seed) { _, wanted in Set(0..<wanted) }
        let last = simulate(seed: seed) { count, wanted in Set(count - wanted..<count) }
        #expect(first.labels != last.labels)
        #expect(first.training == last.training)
        // The rate itself does matter; otherwise the test would be vacuous.
        let none = simulate(seed: seed) { _, _ in [] }
        #expect(first.training != none.training)
    }
}
