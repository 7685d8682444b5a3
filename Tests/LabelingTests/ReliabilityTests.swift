import Labeling
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct WeightedMajorityTests {
    /// The posterior of every class by Bayes' rule, class by class.
    static func posterior(_ votes: [(label: ClassIndex, accuracy: Double)], classes: Int) -> [Double] {
        var likelihoods = [Double](repeating: 1, count: classes)
        for truth in 0..<classes {
            for vote in votes {
                let isRight = vote.label.rawValue == truth
                likelihoods[truth] *= isRight ? vote.accuracy : (1 - vote.accuracy) / Double(classes - 1)
            }
        }
        let total = likelihoods.reduce(0, +)
        return likelihoods.map { $0 / total }
    }

    @Test("The weighted majority is Bayes' rule", arguments: 0..<128 as Range<UInt64>)
    func bayes(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let classes = 2 + generator.next(below: 6)
        var votes: [(label: ClassIndex, accuracy: Double)] = []
        for _ in 0..<(1 + generator.next(below: 6)) {
            votes.append((ClassIndex(generator.next(below: classes)), 0.01 + 0.98 * generator.nextUnit()))
        }
        let majority = try #require(WeightedMajority(votes: votes, classes: classes))
        let posterior = Self.posterior(votes, classes: classes)
        // The winner is a class that somebody named.
        let named = Set(votes.map(\.label.rawValue))
        let best = named.map { posterior[$0] }.max() ?? 0
        #expect(abs(posterior[majority.label.rawValue] - best) < 1e-12)
        #expect(abs(majority.confidence.value - best) < 1e-12)
        #expect(majority.posteriors.count == votes.count)
        for (vote, found) in zip(votes, majority.posteriors) {
            #expect(abs(found - posterior[vote.label.rawValue]) < 1e-12)
        }
    }

    @Test("Between equals the lower class wins, whoever voted first")
    func ties() {
        let votes = [(label: ClassIndex(2), accuracy: 0.8), (label: ClassIndex(1), accuracy: 0.8)]
        #expect(WeightedMajority(votes: votes, classes: 3)?.label == ClassIndex(1))
        #expect(WeightedMajority(votes: votes.reversed(), classes: 3)?.label == ClassIndex(1))
    }

    @Test("One reliable annotator outweighs two poor ones, and three poor ones outweigh nobody's prior")
    func weights() {
        let votes = [
            (label: ClassIndex(0), accuracy: 0.97), (label: ClassIndex(1), accuracy: 0.6),
            (label: ClassIndex(1), accuracy: 0.6),
        ]
        #expect(WeightedMajority(votes: votes, classes: 2)?.label == ClassIndex(0))
    }

    @Test("There is no majority without votes, or of one class")
    func none() {
        #expect(WeightedMajority(votes: [], classes: 3) == nil)
        #expect(WeightedMajority(votes: [(ClassIndex(0), 0.9)], classes: 1) == nil)
    }
}

@Suite struct AnnotatorReliabilityTests {
    @Test("A stranger is taken for right four times of five, and nobody for infallible or hopeless")
    func prior() {
        #expect(AnnotatorReliability().accuracy == 0.8)
        #expect(AnnotatorReliability().estimatedError == nil)
        #expect(AnnotatorReliability(answers: 100_000, correct: 100_000).accuracy == 0.99)
        #expect(AnnotatorReliability(answers: 100_000, correct: 0).accuracy == 0.01)
        #expect(AnnotatorReliability(answers: 4, correct: 3).estimatedError == 0.25)
    }

    @Test("The estimated errors of annotators come within 0.06 of the true ones", arguments: 0..<8 as Range<UInt64>)
    func convergence(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let errors = [0.02, 0.05, 0.1, 0.15, 0.2, 0.25]
        let policy = LabelingPolicy(minimumVotes: 3, maximumVotes: 5, confidence: 0.95)
        let labels = LabelSchema(question: "?", classes: (0..<10).map { "\($0)" })
        var state = LabelingState()
        var (right, all) = (0, 0)
        for number in 0..<1_200 {
            let id = TaskID("t\(number)")
            let truth = generator.next(below: 10)
            _ = state.openTask(id, for: selection("s\(number)"), schema: labels, policy: policy, at: time(0))
            for who in SeededSampling.permutation(of: errors.count, using: &generator) {
                let isWrong = generator.nextUnit() < errors[who]
                let said = isWrong ? (truth + 1 + generator.next(below: 9)) % 10 : truth
                let result = state.receive(
                    answer(id.rawValue, "a\(who)", said),
                    schema: labels,
                    policy: policy,
                    at: time(1)
                )
                guard let consensus = try result.get().consensus else { continue }
                all += 1
                if consensus.label.rawValue == truth { right += 1 }
                break
            }
        }
        #expect(all == 1_200)
        #expect(Double(right) / Double(all) > 0.98)
        for (who, error) in errors.enumerated() {
            let estimate = try #require(state.annotators[AnnotatorID("a\(who)")]?.estimatedError)
            #expect(abs(estimate - error) < 0.06, "annotator of error \(error) is taken for \(estimate)")
        }
    }
}
