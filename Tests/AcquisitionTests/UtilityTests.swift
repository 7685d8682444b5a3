import Acquisition
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

/// Utility of candidates, and the statement of it on a task.
@Suite struct UtilityTests {
    static func part(_ reason: SelectionReason, _ name: ScorePart.Name) -> ScorePart? {
        reason.parts.first { $0.name == name }
    }

    @Test(
        "A task's score is the product of its parts, each to the power of its weight",
        arguments: 0..<16 as Range<UInt64>
    )
    func product(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = StrategyTests.policy(BatchPolicy(rule: .kmeans, coldStart: .none)) {
            $0.batch.weights = UtilityWeights(uncertainty: 1, value: 0.5, freshness: 2, novelty: 1, density: 0.25)
            $0.batch.classValues = [5, 1]
        }
        var state = AcquisitionState(StrategyTests.candidates(80, &generator), policy: policy)
        var scored = 0
        for round in 0..<3 as Range<UInt64> {
            for selection in state.batch(policy, entry: round, at: Int64(10_000 * (round + 1))) {
                let reason = selection.reason
                #expect(reason.parts.map(\.name) == [.uncertainty, .value, .freshness, .novelty, .density])
                var product = 1.0
                for part in reason.parts {
                    #expect((0...1).contains(part.value))
                    product *= Reproducible.pow(part.value, part.weight)
                }
                #expect(abs(product - reason.score) < 1e-12)
                scored += 1
            }
        }
        #expect(scored == 21)
    }

    @Test("With the default weights the score is the model's, and a random draw is named as such")
    func plain() {
        let policy = freePolicy()
        var state = AcquisitionState(
            [candidate("warm", score: 0.25), candidate("cold", score: 0.75, isCold: true)],
            policy: policy
        )
        let reasons = Dictionary(uniqueKeysWithValues: state.batch(policy).map { ($0.sample.id.rawValue, $0.reason) })
        #expect(reasons["warm"]?.parts == [ScorePart(name: .uncertainty, value: 0.25, weight: 1)])
        #expect(reasons["cold"]?.parts == [ScorePart(name: .chance, value: 0.75, weight: 1)])
        #expect(reasons["warm"]?.score == 0.25)
    }

    @Test("A prediction is half as fresh after each half-life")
    func freshness() {
        let policy = freePolicy {
            $0.batch.weights.freshness = 1
            $0.batch.halfLife = 10_000
        }
        var state = AcquisitionState([candidate("s")], policy: policy)
        let reason = state.batch(policy, at: 20_000)[0].reason
        #expect(abs((Self.part(reason, .freshness)?.value ?? 0) - 0.25) < 1e-12)
    }

    @Test("A class of higher value is queried first")
    func value() throws {
        let policy = freePolicy {
            $0.batchSize = 1
            $0.batch.weights.value = 1
            $0.batch.classValues = [1, 10]
        }
        var candidates: [Candidate] = []
        for label in 0..<2 {
            let output = try #require(ClassDistribution([.init(label: ClassIndex(label), probability: 1)]))
            candidates.append(
                Candidate(
                    sample: Sample(id: SampleID("s\(label)")),
                    output: .choice(output),
                    model: ModelReference(name: "m", version: ModelVersion("v1")),
                    score: label == 0 ? 0.9 : 0.5,
                    auditProbability: nil,
                    auditDraw: 1,
                    predictedAt: StreamTime(milliseconds: 0)
                )
            )
        }
        var state = AcquisitionState(candidates, policy: policy)
        let batch = state.batch(policy)
        #expect(batch.ids == ["s1"])
        #expect(Self.part(batch[0].reason, .value)?.value == 1)
    }

    @Test("Near duplicates of queried samples, and of the batch, are ranked last", arguments: 0..<8 as Range<UInt64>)
    func duplicates(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = freePolicy {
            $0.isDiverse = true
            $0.preselection = 100
            $0.batch.coldStart = .none
            $0.batch.rule = [.kmeans, .kCenter, .badge, .herding, .power, .classBalanced][Int(seed) % 6]
        }
        // Ten locations with ten candidates each and a little noise.
        var candidates: [Candidate] = []
        for number in 0..<100 {
            let cell = number % 10
            let point = [Float(cell % 5), Float(cell / 5)].map { $0 + Float(generator.nextUnit()) * 0.001 }
            candidates.append(
                candidate("s\(100 + number)/\(cell)", score: 0.5 + generator.nextUnit() / 2, embedding: point)
            )
        }
        var state = AcquisitionState(candidates, policy: policy)
        var cells: [Substring] = []
        for round in 0..<2 as Range<UInt64> {
            let ids = state.batch(policy, entry: round, at: Int64(10_000 * (round + 1))).ids
            cells += ids.compactMap { $0.split(separator: "/").last }
        }
        #expect(Set(cells).count == 10, "\(policy.batch.rule): \(cells)")
        // The remaining candidates are duplicates: they are queried rather than nothing.
        #expect(state.batch(policy, entry: 3, at: 90_000).count == 5)
    }

    @Test("A queried sample is recognized in any slot, with few comparisons or many", arguments: [20, 100])
    func knownSlots(count: Int) {
        let policy = freePolicy {
            $0.isDiverse = true
            $0.batchSize = count - 2
            $0.batch.coldStart = .none
            $0.batch.duplicateDistance = 0.01
        }
        let candidates = (0..<count).map { candidate("s\($0)", embedding: [Float($0 + 1), 1]) }
        var state = AcquisitionState(candidates, policy: policy)
        state.pool.queriedSketches[3] = EmbeddingSketch([1, 1] as [Float])
        // Sketches of another model's space, and in slots beyond the memory of the policy.
        state.pool.queriedSketches[9] = EmbeddingSketch([3, 1, 0] as [Float])
        state.pool.queriedSketches[900] = EmbeddingSketch([2, 1] as [Float])
        state.pool.queriedSketches[policy.batch.memory] = EmbeddingSketch([4, 1] as [Float])
        #expect(Set(state.batch(policy).ids) == Set((2..<count).map { "s\($0)" }))
    }

    @Test("The queried sketches never exceed the number that the policy allows")
    func memory() {
        var policy = freePolicy {
            $0.isDiverse = true
            $0.batch.memory = 12
        }
        var state = AcquisitionState((0..<200).map { candidate("s\($0)", embedding: [Float($0)]) }, policy: policy)
        for round in 0..<6 as Range<UInt64> {
            _ = state.batch(policy, entry: round, at: Int64(10_000 * (round + 1)))
            #expect(state.pool.queriedSketches.count == min(12, 5 * Int(round + 1)))
        }
        policy.batch.memory = 4
        _ = state.batch(policy, entry: 7, at: 90_000)
        #expect(state.pool.queriedSketches.count <= 4)
        policy.batch.memory = 0
        _ = state.batch(policy, entry: 8, at: 190_000)
        #expect(state.pool.queriedSketches.isEmpty)
    }

    @Test("A sketch keeps coordinates to within half a step, and distances of long embeddings on average")
    func sketches() throws {
        var generator = SplitMix64(seed: 2)
        func draw(_ count: Int) -> [Float] { (0..<count).map { _ in Float(generator.nextNormal()) } }
        let short = draw(200)
        let sketch = try #require(EmbeddingSketch(short))
        for (kept, given) in zip(sketch.values, short) { #expect(abs(kept - given) <= sketch.unit * 0.51) }
        func square(_ a: [Float], _ b: [Float]) -> Double {
            var sum = 0.0
            for (x, y) in zip(a, b) { sum += Double(x - y) * Double(x - y) }
            return sum
        }
        var ratio = 0.0
        for _ in 0..<50 {
            let (a, b) = (draw(1_000), draw(1_000))
            let (x, y) = (try #require(EmbeddingSketch(a)).values, try #require(EmbeddingSketch(b)).values)
            ratio += square(x, y) / square(a, b) / 50
        }
        #expect(abs(ratio - 1) < 0.05)
        #expect(EmbeddingSketch([]) == nil)
        #expect(EmbeddingSketch([.nan]) == nil)
        #expect(EmbeddingSketch([0, 0])?.values == [0, 0])
        #expect(EmbeddingSketch([3e38, -3e38])?.values.allSatisfy { $0.isFinite } == true)
    }
}
