import Kinds
import Statistics
import Testing
import Vocabulary

@Suite struct WeightedMajorityTests {
    /// The posterior of every class by Bayes' rule, computed class by class.
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

    @Test("The weighted majority equals Bayes' rule", arguments: 0..<128 as Range<UInt64>)
    func bayes(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let classes = 2 + generator.next(below: 6)
        var votes: [(label: ClassIndex, accuracy: Double)] = []
        for _ in 0..<(1 + generator.next(below: 6)) {
            votes.append((ClassIndex(generator.next(below: classes)), 0.01 + 0.98 * generator.nextUnit()))
        }
        let majority = try #require(WeightedMajority(votes: votes, classes: classes))
        let posterior = Self.posterior(votes, classes: classes)
        // The winner is a class that a vote names.
        let named = Set(votes.map(\.label.rawValue))
        let best = named.map { posterior[$0] }.max() ?? 0
        #expect(abs(posterior[majority.label.rawValue] - best) < 1e-12)
        #expect(abs(majority.confidence.value - best) < 1e-12)
        #expect(majority.posteriors.count == votes.count)
        for (vote, found) in zip(votes, majority.posteriors) {
            #expect(abs(found - posterior[vote.label.rawValue]) < 1e-12)
        }
    }

    @Test("In a tie the class with the lower index wins, in any order of votes")
    func ties() {
        let votes = [(label: ClassIndex(2), accuracy: 0.8), (label: ClassIndex(1), accuracy: 0.8)]
        #expect(WeightedMajority(votes: votes, classes: 3)?.label == ClassIndex(1))
        #expect(WeightedMajority(votes: votes.reversed(), classes: 3)?.label == ClassIndex(1))
    }

    @Test("One reliable annotator outweighs two poor ones")
    func weights() {
        let votes = [
            (label: ClassIndex(0), accuracy: 0.97), (label: ClassIndex(1), accuracy: 0.6),
            (label: ClassIndex(1), accuracy: 0.6),
        ]
        #expect(WeightedMajority(votes: votes, classes: 2)?.label == ClassIndex(0))
    }

    @Test("There is no majority without votes, or with a single class")
    func none() {
        #expect(WeightedMajority(votes: [], classes: 3) == nil)
        #expect(WeightedMajority(votes: [(ClassIndex(0), 0.9)], classes: 1) == nil)
    }
}
