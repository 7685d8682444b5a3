import Labeling
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct AnnotatorReliabilityTests {
    @Test("An unknown annotator has accuracy 0.8, and no annotator has accuracy 0 or 1")
    func prior() {
        #expect(AnnotatorReliability().accuracy == 0.8)
        #expect(AnnotatorReliability().estimatedError == nil)
        #expect(AnnotatorReliability(answers: 100_000, correct: 100_000).accuracy == 0.99)
        #expect(AnnotatorReliability(answers: 100_000, correct: 0).accuracy == 0.01)
        #expect(AnnotatorReliability(answers: 4, correct: 3).estimatedError == 0.25)
    }

    @Test("The estimated errors of annotators are within 0.06 of the true ones", arguments: 0..<8 as Range<UInt64>)
    func convergence(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let errors = [0.02, 0.05, 0.1, 0.15, 0.2, 0.25]
        let policy = LabelingPolicy(minimumVotes: 3, maximumVotes: 5, confidence: 0.95)
        let question = Question.choice(LabelSchema(question: "?", classes: (0..<10).map { "\($0)" }))
        var state = LabelingState()
        var (right, all) = (0, 0)
        for number in 0..<1_200 {
            let id = TaskID("t\(number)")
            let truth = generator.next(below: 10)
            _ = state.openTask(id, for: selection("s\(number)"), question: question, policy: policy, at: time(0))
            for who in SeededSampling.permutation(of: errors.count, using: &generator) {
                let isWrong = generator.nextUnit() < errors[who]
                let label = isWrong ? (truth + 1 + generator.next(below: 9)) % 10 : truth
                let result = state.receive(
                    answer(id.rawValue, "a\(who)", label),
                    question: question,
                    policy: policy,
                    at: time(1)
                )
                guard let consensus = try result.get().consensus else { continue }
                all += 1
                if consensus.label.classIndex?.rawValue == truth { right += 1 }
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
