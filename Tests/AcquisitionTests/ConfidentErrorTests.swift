import Acquisition
import Statistics
import Tables
import Testing
import Vocabulary

/// Model that reports a confidence for each sample, and audit labels that determine how often it is wrong.
private struct AuditedModel {
    var policy = freePolicy {
        $0.auditShare = 0.2
        $0.auditFirst = 0
        $0.explorationMost = 0.4
        $0.batchSize = 8
    }
    private(set) var state = AcquisitionState()
    private var generator: SplitMix64
    private var next = 0
    private var round = 0
    /// The extra share after each batch; `drawn` is the share of its training selections that was drawn at random.
    private(set) var extras: [Double] = []
    private(set) var drawn: [Double] = []
    /// Selections of the latest batch that were drawn at random.
    private(set) var selections: [Selection] = []

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// Selects a batch and labels its audit tasks: the confidence of the model is drawn uniformly from 0.9 upwards, and
    /// the actual rate of errors is a function of the rate that the confidence states.
    mutating func advance(surplus: (Double) -> Double, isClosedWithoutLabel: Bool = false) {
        round += 1
        for number in 0..<24 {
            let isAudited = number % 3 == 0
            let confidence = 0.9 + 0.0999 * generator.nextUnit()
            let outputs = [
                ClassDistribution.Entry(label: ClassIndex(0), probability: confidence),
                .init(label: ClassIndex(1), probability: 1 - confidence),
            ]
            next += 1
            let candidate = Candidate(
                sample: Sample(id: SampleID("s\(next)")),
                output: ClassDistribution(outputs).map(Output.choice),
                model: ModelReference(name: "m", version: ModelVersion("v\(round)")),
                score: generator.nextUnit(),
                auditProbability: isAudited ? 0.3 : nil,
                auditDraw: isAudited ? generator.nextUnit() * 0.3 : 1,
                predictedAt: StreamTime(milliseconds: 0)
            )
            state.receive(
                candidate,
                modelVersionNumber: round,
                classes: 2,
                policy: policy,
                context: context(UInt64(next))
            )
        }
        let batch = state.batch(policy, entry: UInt64(10_000 + round), at: Int64(10_000 * round))
        let level = state.accounts.confidentErrors.level.value
        extras.append(level.extra)
        let training = batch.filter { $0.purpose == .acquisition }
        selections = training.filter { $0.reason.strategy == "exploration" }
        drawn.append(Double(selections.count) / Double(max(1, training.count)))
        for selection in batch where selection.purpose == .audit {
            let verdict = state.accounts.confidentErrors.verdicts[selection.sample.id]
            let wrong = generator.nextUnit() < surplus(1 - (verdict?.confidence ?? 1))
            let label = isClosedWithoutLabel ? nil : Label.choice(ClassIndex(wrong ? 1 : 0))
            state.auditClosed(selection.sample.id, label: label, policy: policy)
        }
    }
}

@Suite("Exploration follows the rate of confident errors")
struct ConfidentErrorTests {
    @Test("A model that is wrong as often as it states is explored in less than a tenth of the batches")
    func calibrated() {
        var (batches, raised) = (0, 0)
        for seed in 0..<30 as Range<UInt64> {
            var model = AuditedModel(seed: seed)
            for _ in 0..<60 { model.advance { $0 } }
            batches += model.extras.count
            raised += model.extras.count { $0 > 0 }
        }
        print("calibrated: extra in \(raised) of \(batches) batches")
        #expect(Double(raised) < 0.1 * Double(batches))
    }

    @Test(
        "The share grows with the rate of errors, stays within its bounds, and is 0 once the errors have stopped",
        arguments: 0..<12 as Range<UInt64>
    )
    func grows(seed: UInt64) {
        var (some, many) = (AuditedModel(seed: seed), AuditedModel(seed: seed))
        for _ in 0..<60 {
            some.advance { $0 + 0.03 }
            many.advance { $0 + 0.3 }
        }
        func mean(_ values: some Collection<Double>) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
        #expect(mean(many.extras) > mean(some.extras))
        #expect(mean(many.drawn.suffix(20)) > 0.3)
        #expect(many.drawn.allSatisfy { $0 <= 0.4 } && many.extras.allSatisfy { (0...1).contains($0) })
        for _ in 0..<200 { many.advance { _ in 0 } }
        #expect(many.extras.last == 0 && many.drawn.last == 0)
    }

    @Test("Correct predictions of the same audit samples, by a newer model or its trainer, end exploration at once")
    func corrected() throws {
        for isByTrainer in [false, true] {
            var model = AuditedModel(seed: 3)
            for _ in 0..<20 { model.advance { $0 + 0.3 } }
            var state = model.state
            #expect(try #require(model.extras.last) > 0)
            for (id, verdict) in state.accounts.confidentErrors.verdicts.sortedRows {
                guard let label = verdict.label else { continue }
                if isByTrainer {
                    state.auditPredicted(id, .choice(label), modelVersionNumber: 1_000)
                    continue
                }
                let corrected = Candidate(
                    sample: Sample(id: id),
                    output: ClassDistribution([.init(label: label, probability: 1)]).map(Output.choice),
                    model: ModelReference(name: "m", version: ModelVersion("v1000")),
                    score: 0,
                    auditProbability: 0.3,
                    auditDraw: 0.1,
                    predictedAt: StreamTime(milliseconds: 0)
                )
                state.receive(
                    corrected,
                    modelVersionNumber: 1_000,
                    classes: 2,
                    policy: model.policy,
                    context: context(1)
                )
            }
            #expect(!state.batch(model.policy, entry: 99_999, at: 250_000).isEmpty)
            #expect(state.accounts.confidentErrors.level.value.extra == 0, "by trainer: \(isByTrainer)")
        }
    }

    @Test("Rows are bounded, and a task that closes without a label leaves none")
    func bounded() {
        var model = AuditedModel(seed: 5)
        for _ in 0..<20 { model.advance(surplus: { $0 }, isClosedWithoutLabel: true) }
        #expect(model.state.accounts.confidentErrors.verdicts.isEmpty)
        for _ in 0..<300 { model.advance { $0 } }
        #expect(model.state.accounts.confidentErrors.level.value.labels > ConfidentErrors.capacity)
        #expect(model.state.accounts.confidentErrors.verdicts.count == ConfidentErrors.capacity)
    }

    @Test("Samples are drawn with the probability that their tasks state")
    func propensity() throws {
        var model = AuditedModel(seed: 7)
        for _ in 0..<20 { model.advance { $0 + 0.3 } }
        #expect(try #require(model.extras.last) > 0)
        let state = model.state
        var counts: [SampleID: Int] = [:]
        var stated: [SampleID: Double] = [:]
        let tries = 2_000
        for number in 0..<tries {
            var copy = state
            for selection in copy.batch(model.policy, entry: UInt64(50_000 + number), at: 99_999_999) {
                guard selection.reason.strategy == "exploration" else { continue }
                counts[selection.sample.id, default: 0] += 1
                stated[selection.sample.id] = selection.reason.propensity
            }
        }
        #expect(counts.count > 5)
        for (id, count) in counts {
            let expected = try #require(stated[id]) * Double(tries)
            #expect(abs(Double(count) - expected) < 5 * expected.squareRoot(), "\(id): \(count), \(expected) expected")
        }
    }

    @Test("Under edition 1, a bound of 0, or a share at the bound, nothing is measured and nothing extra is drawn")
    func off() {
        let changes: [(inout AcquisitionPolicy) -> Void] = [
            { $0.edition = 1 }, { $0.explorationMost = 0 }, { ($0.explorationShare, $0.explorationMost) = (0.4, 0.4) },
        ]
        for change in changes {
            var model = AuditedModel(seed: 9)
            change(&model.policy)
            for _ in 0..<20 { model.advance { $0 + 0.3 } }
            #expect(model.state.accounts.confidentErrors.verdicts.isEmpty)
            #expect(model.extras.allSatisfy { $0 == 0 } && model.drawn.allSatisfy { $0 == 0 })
            #expect(model.policy.explorationShare(extra: 1) == model.policy.explorationShare)
        }
    }
}
