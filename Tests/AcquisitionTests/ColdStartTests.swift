import Acquisition
import Foundation
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

@Suite struct ColdStartTests {
    @Test(
        "With one model, a batch is cold while labels are fewer than the handover for each class that it distinguishes",
        arguments: 0..<200 as Range<UInt64>
    )
    func handover(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let classes = 2 + generator.next(below: 8)
        let sharpness = generator.nextUnit()
        let unpredicted = generator.next(below: 3) == 0 ? generator.next(below: 40) : 0
        let policy = freePolicy {
            $0.isDiverse = true
            $0.batch.coldStart = .herding
            $0.batch.handover = Double(1 + generator.next(below: 8))
        }
        var mass = [Double](repeating: 0, count: classes)
        let candidates = (0..<40).map { number in
            let output = number < unpredicted ? nil : Self.output(classes, sharpness, &generator)
            for entry in output?.entries ?? [] { mass[entry.label.rawValue] += entry.probability }
            return Candidate(
                sample: Sample(
                    id: SampleID(BatchTests.name(number)),
                    embedding: [Float(generator.nextUnit()), Float(generator.nextUnit())]
                ),
                output: output.map(Output.choice),
                model: output == nil ? nil : ModelReference(name: "m", version: ModelVersion("v1")),
                score: generator.nextUnit(),
                auditProbability: nil,
                auditDraw: 1,
                predictedAt: StreamTime(milliseconds: 0)
            )
        }
        var state = AcquisitionState(candidates, policy: policy)
        // The number of labels ranges from zero to well beyond the handover.
        let labels = generator.next(below: 3 * classes * Int(policy.batch.handover))
        state.accounts.schedule.value.acquisitionTasks = labels

        var entropy = 0.0
        for sum in mass where sum > 0 {
            let share = sum / Double(40 - unpredicted)
            entropy -= share * log(share)
        }
        let isCold = unpredicted == 40 || Double(labels) < policy.batch.handover * exp(entropy)
        let batch = state.batch(policy)
        #expect(batch.count == policy.batchSize)
        #expect(batch.allSatisfy { $0.reason.strategy.hasSuffix("+herding") == isCold }, "\(labels) labels")
    }

    private static func output(
        _ classes: Int,
        _ sharpness: Double,
        _ generator: inout SplitMix64
    ) -> ClassDistribution? {
        var weights = (0..<classes).map { _ in generator.nextUnit() * (1 - sharpness) + 0.001 }
        weights[generator.next(below: max(1, classes / 2))] += sharpness
        let sum = weights.reduce(0, +)
        return ClassDistribution(
            weights.enumerated().map { .init(label: ClassIndex($0.offset), probability: $0.element / sum) }
        )
    }
}
