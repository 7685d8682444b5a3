import Learner
import Statistics
import Testing

@Suite struct OnlineLearnerTests {
    /// Three classes around corners of a triangle, with features whose scales differ by a factor of a million.
    private func samples(_ count: Int, seed: UInt64) -> [(features: [Double], label: Int)] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            let label = generator.next(below: 3)
            let x = (label == 1 ? 4.0 : 0) + generator.nextNormal()
            let y = (label == 2 ? 4.0 : 0) + generator.nextNormal()
            return ([x * 1_000_000, y, 7], label)
        }
    }

    private func isMostLikely(_ label: Int, _ probabilities: [Double]) -> Bool {
        probabilities.indices.allSatisfy { $0 == label || probabilities[$0] < probabilities[label] }
    }

    private func isDistribution(_ probabilities: [Double]) -> Bool {
        var sum = 0.0
        for probability in probabilities { sum += probability }
        return abs(sum - 1) < 1e-12
    }

    @Test("A regression learns classes on any scale, and returns probabilities")
    func regression() {
        var model = OnlineSoftmaxRegression(featureCount: 3, classCount: 3, rate: 0.05)
        let third = 1.0 / 3
        #expect(model.probabilities(of: [1, 2, 3]) == [third, third, third])
        for sample in samples(2_000, seed: 1) {
            model.observe(sample.features)
            model.learn(sample.features, label: sample.label)
        }
        var hits = 0
        for sample in samples(500, seed: 2) {
            let probabilities = model.probabilities(of: sample.features)
            if isMostLikely(sample.label, probabilities) { hits += 1 }
            #expect(isDistribution(probabilities))
        }
        #expect(hits > 460)
    }

    @Test("Naive Bayes learns from a few labels, and gives probability 0 to a class that it has never seen")
    func bayes() {
        var model = OnlineNaiveBayes(featureCount: 3, classCount: 4)
        #expect(model.probabilities(of: [1, 2, 3]) == [0.25, 0.25, 0.25, 0.25])
        for (index, sample) in samples(500, seed: 3).enumerated() {
            model.observe(sample.features)
            if index % 10 == 0 { model.learn(sample.features, label: sample.label) }
        }
        var hits = 0
        for sample in samples(500, seed: 4) {
            let probabilities = model.probabilities(of: sample.features)
            if isMostLikely(sample.label, probabilities) { hits += 1 }
            #expect(probabilities[3] == 0 && isDistribution(probabilities))
        }
        #expect(hits > 450)
    }

    @Test("One label, and constant features, give finite numbers")
    func scarce() {
        var model = OnlineNaiveBayes(featureCount: 2, classCount: 2)
        for _ in 0..<3 { model.observe([5, 5]) }
        model.learn([5, 5], label: 1)
        #expect(model.probabilities(of: [5, 5]) == [0, 1])
        var regression = OnlineSoftmaxRegression(featureCount: 2, classCount: 2)
        regression.learn([5, 5], label: 1)
        let probabilities = regression.probabilities(of: [5, 5])
        #expect(isDistribution(probabilities))
    }

    @Test("Online standardisation gives the mean and variance of all observed values")
    func standardization() {
        var scale = OnlineStandardization(featureCount: 1)
        #expect(scale.standardized([3]) == [0])
        for value in [1.0, 2, 3, 4] { scale.observe([value]) }
        #expect(abs(scale.variance(0) - 1.25) < 1e-12)
        #expect(abs(scale.standardized([2.5])[0]) < 1e-12)
    }
}
