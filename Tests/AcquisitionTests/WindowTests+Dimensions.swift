import Acquisition
import Strategies
import Tables
import Testing
import Vocabulary

extension WindowTests {
    /// A point of the given dimension with one large coordinate.
    private func point(_ axis: Int, _ dimension: Int) -> [Float] {
        (0..<dimension).map { $0 == axis ? 10 : Float(($0 * 7 + axis) % 5) / 10 }
    }

    @Test("Novelty counts in spaces of any dimension, under every rule", arguments: [64, 300], BatchRule.allCases)
    func novelty(dimension: Int, rule: BatchRule) throws {
        let policy = policy(rule) {
            $0.batch.weights.novelty = 1
            $0.preselection = 9
            $0.batchSize = 1
        }
        var state = AcquisitionState(
            [candidate("first", score: 1, embedding: point(0, dimension))],
            policy: policy
        )
        #expect(state.batch(policy).ids == ["first"])
        for number in 0..<9 {
            let embedding = point(number < 3 ? 0 : number, dimension)
            let candidate = candidate("s\(number)", score: 0.5, embedding: embedding)
            state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(3))
        }
        let chosen = try #require(state.batch(policy, entry: 4, at: 30_000).first)
        let part = chosen.reason.parts.first { $0.name == .novelty }
        let isKnown = (0..<3).contains { chosen.sample.id.rawValue == "s\($0)" }
        #expect(part != nil && (part?.value ?? 1 < 0.01) == isKnown)
        if rule == .top { #expect(!isKnown) }
    }

    @Test("A duplicate of a queried sample is ranked last in spaces of any dimension", arguments: [64, 300])
    func duplicates(dimension: Int) {
        for rule in [BatchRule.kmeans, .top, .power, .badge, .classBalanced] {
            let policy = policy(rule) {
                $0.batch.duplicateDistance = 0.05
                $0.batchSize = 2
            }
            var state = AcquisitionState(
                [candidate("first", score: 1, embedding: point(0, dimension))],
                policy: policy
            )
            #expect(state.batch(policy).ids == ["first"])
            for number in 0..<5 {
                let embedding = point(number < 2 ? 0 : number, dimension)
                let candidate = candidate("s\(number)", score: 0.9 - Double(number) / 10, embedding: embedding)
                state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(3))
            }
            let ids = state.batch(policy, entry: 4, at: 30_000).ids
            #expect(!ids.contains("s0") && !ids.contains("s1"), "\(rule): \(ids)")
        }
    }

    @Test(
        "Embeddings of two dimensions reduce selection to the highest scores, even if both are folded",
        arguments: BatchRule.allCases
    )
    func mixture(rule: BatchRule) {
        guard rule.needsEmbeddings else { return }
        let policy = policy(rule)
        let candidates = (0..<40).map { number in
            let dimension = number % 2 == 0 ? 300 : 400
            return candidate(
                "s\(100 + number)",
                score: 1 - Double(number) / 50,
                embedding: point(number, dimension)
            )
        }
        var state = AcquisitionState(candidates, policy: policy)
        let batch = state.batch(policy)
        #expect(batch.ids == (0..<5).map { "s\(100 + $0)" })
        #expect(batch.allSatisfy { $0.reason.strategy == "margin" })
    }
}
