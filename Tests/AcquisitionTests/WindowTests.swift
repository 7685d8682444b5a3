import Acquisition
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

/// The candidates that a rule considers, and the space in which it compares them.
@Suite("Candidates that a rule considers")
struct WindowTests {
    func policy(_ rule: BatchRule, _ change: (inout AcquisitionPolicy) -> Void = { _ in })
        -> AcquisitionPolicy
    {
        freePolicy {
            $0.isDiverse = true
            $0.batch = BatchPolicy(rule: rule, coldStart: .none, duplicateDistance: 0)
            $0.poolCapacity = 5_000
            $0.preselection = 3
            change(&$0)
        }
    }

    @Test("Large batches follow the rule; above the affordable size the highest utilities are selected")
    func large() {
        for (rule, count, isChosen) in [
            (BatchRule.herding, 512, true), (.kCenter, 600, true), (.power, 1_024, true), (.classBalanced, 1_024, true),
            (.herding, 1_100, false), (.kCenter, 1_100, false), (.badge, 1_100, false), (.typical, 1_100, false),
        ] {
            let policy = policy(rule) { $0.batchSize = count }
            var generator = SplitMix64(seed: 5)
            var state = AcquisitionState(StrategyTests.candidates(4 * count, &generator), policy: policy)
            let highest = state.pool.candidates.sortedRows.map(\.value).sorted {
                ($1.candidate.score, $0.candidate.sample.id) < ($0.candidate.score, $1.candidate.sample.id)
            }.prefix(count).map(\.candidate.sample.id.rawValue)
            let batch = state.batch(policy)
            #expect(Set(batch.ids).count == count)
            #expect((Set(batch.ids) != Set(highest)) == isChosen, "\(rule) of \(count)")
            let name = isChosen ? "margin+\(rule.rawValue)" : "margin"
            #expect(batch.allSatisfy { $0.reason.strategy == name }, "\(rule) of \(count)")
        }
    }

    @Test("Under the rule `top`, density and duplicates within the window count, too")
    func top() {
        let dense = policy(.top) {
            $0.batch.weights.density = 16
            $0.batchSize = 2
        }
        // The best two are isolated.
        var candidates = (0..<2).map { candidate("lone\($0)", score: 0.91, embedding: [Float($0 * 90), 50]) }
        for number in 0..<4 {
            candidates.append(candidate("many\(number)", score: 0.9, embedding: [1, Float(number)]))
        }
        var state = AcquisitionState(candidates, policy: dense)
        #expect(state.batch(dense).ids.allSatisfy { $0.hasPrefix("many") })

        let distinct = policy(.top) {
            $0.batch.duplicateDistance = 0.05
            $0.batchSize = 2
        }
        var others = AcquisitionState(
            [
                candidate("a", score: 0.9, embedding: [1, 1]), candidate("b", score: 0.8, embedding: [1, 1]),
                candidate("c", score: 0.7, embedding: [9, 1]), candidate("d", score: 0.6, embedding: [1, 9]),
            ],
            policy: distinct
        )
        #expect(others.batch(distinct).ids == ["a", "c"])
    }
}
