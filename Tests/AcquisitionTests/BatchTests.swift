import Acquisition
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

@Suite struct BatchTests {
    /// Name that sorts as its number does.
    static func name(_ number: Int) -> String { "s\(100_000 + number)" }

    @Test(
        "Without diversity the highest scores are selected, and of equal scores the lower id",
        arguments: 0..<32 as Range<UInt64>
    )
    func topScores(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var candidates: [Candidate] = []
        for number in 0..<60 {
            candidates.append(candidate(Self.name(number), score: Double(generator.next(below: 8)) / 8))
        }
        let expected = candidates.sorted { ($1.score, $0.sample.id) < ($0.score, $1.sample.id) }.prefix(5)
        SeededSampling.shuffle(&candidates, using: &generator)
        var state = AcquisitionState(candidates, policy: freePolicy())
        #expect(state.batch(freePolicy()).ids == expected.map(\.sample.id.rawValue))
    }

    @Test(
        "Embeddings that are missing or of different dimensions reduce selection to the highest scores",
        arguments: [0, 1, 2]
    )
    func noSpread(kind: Int) {
        var candidates: [Candidate] = []
        for number in 0..<60 {
            let embedding: [Float]? =
                switch kind {
                case 0: nil
                case 1: number == 7 ? nil : [Float(number), 1]
                default: number == 7 ? [Float(number)] : [Float(number), 1]
                }
            candidates.append(candidate(Self.name(number), score: 1 - Double(number) / 100, embedding: embedding))
        }
        let policy = freePolicy { $0.isDiverse = true }
        var state = AcquisitionState(candidates, policy: policy)
        #expect(state.batch(policy).ids == (0..<5).map { Self.name($0) })
    }

    @Test("A diverse batch contains one candidate of each well separated cluster", arguments: 0..<48 as Range<UInt64>)
    func spread(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let clusters = 2 + generator.next(below: 7)
        var candidates: [Candidate] = []
        for number in 0..<(clusters * 10) {
            let cluster = number % clusters
            var point = [Float](repeating: 0, count: 4)
            point[cluster % 4] = Float(100 * (1 + cluster / 4))
            for axis in 0..<4 { point[axis] += Float(generator.nextUnit() - 0.5) }
            let score = 0.5 + generator.nextUnit() / 2
            candidates.append(candidate("\(Self.name(number))/\(cluster)", score: score, embedding: point))
        }
        let policy = freePolicy {
            $0.isDiverse = true
            $0.batchSize = clusters
        }
        var state = AcquisitionState(candidates, policy: policy)
        let chosen = state.batch(policy, entry: seed + 2).ids.compactMap { $0.split(separator: "/").last }
        #expect(chosen.sorted() == (0..<clusters).map { "\($0)" })
    }

    @Test("A diverse batch has the full size and distinct samples, even if points coincide or scores are zero")
    func degenerate() {
        let policy = freePolicy { $0.isDiverse = true }
        for score in [0.0, 1.0] {
            for point in [[0, 0], [3e38, -3e38], [1e-38, 0]] as [[Float]] {
                let candidates = (0..<60).map { candidate(Self.name($0), score: score, embedding: point) }
                var state = AcquisitionState(candidates, policy: policy)
                let batch = state.batch(policy).ids
                #expect(batch.count == 5)
                #expect(Set(batch).count == 5)
            }
        }
    }

    @Test(
        "The order of candidates changes nothing, not even when the pool overflows",
        arguments: 0..<32 as Range<UInt64>
    )
    func insertionOrder(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = freePolicy {
            $0.isDiverse = seed % 2 == 0
            $0.poolCapacity = seed % 3 == 0 ? 40 : 1_000
            $0.auditShare = 0.3
        }
        var candidates: [Candidate] = []
        for number in 0..<120 {
            let point = [Float(generator.nextUnit()), Float(generator.nextUnit())]
            candidates.append(
                candidate(
                    Self.name(number),
                    score: Double(generator.next(below: 10)) / 10,
                    draw: generator.nextUnit(),
                    cutoff: 0.2,
                    embedding: point
                )
            )
        }
        var first = AcquisitionState(candidates, policy: policy)
        SeededSampling.shuffle(&candidates, using: &generator)
        var second = AcquisitionState(candidates, policy: policy)
        #expect(first.pool.candidates.sortedKeys == second.pool.candidates.sortedKeys)
        for round in 0..<4 as Range<UInt64> {
            let time = Int64(10_000 * (round + 1))
            let batch = first.batch(policy, entry: round, at: time)
            #expect(!batch.isEmpty)
            #expect(batch == second.batch(policy, entry: round, at: time))
        }
    }

    @Test("The same entry always selects the same diverse batch; another entry may select another")
    func seeds() {
        var generator = SplitMix64(seed: 1)
        var candidates: [Candidate] = []
        for number in 0..<100 {
            let point = [Float(generator.nextUnit()), Float(generator.nextUnit())]
            candidates.append(candidate(Self.name(number), embedding: point))
        }
        let policy = freePolicy {
            $0.isDiverse = true
            // A cold start by herding has no random draws.
            $0.batch.coldStart = .none
        }
        let state = AcquisitionState(candidates, policy: policy)
        var batches: Set<[String]> = []
        for entry in 2..<12 as Range<UInt64> {
            var (first, second) = (state, state)
            let batch = first.batch(policy, entry: entry)
            #expect(batch == second.batch(policy, entry: entry))
            batches.insert(batch.ids)
        }
        #expect(batches.count > 1)
    }

    @Test("A candidate is rescored by a newer model only")
    func rescoring() {
        let policy = freePolicy { $0.batchSize = 1 }
        var state = AcquisitionState([candidate("a", score: 0.1), candidate("b", score: 0.5)], policy: policy)
        state.receive(candidate("a", score: 0.9), modelVersionNumber: 1, policy: policy, context: context(2))
        #expect(state.pool.candidates[SampleID("a")]?.candidate.score == 0.1)
        state.receive(candidate("a", score: 0.2), modelVersionNumber: 2, policy: policy, context: context(3))
        #expect(state.pool.candidates[SampleID("a")]?.candidate.score == 0.2)
        state.receive(candidate("a", score: 0.9), modelVersionNumber: 1, policy: policy, context: context(4))
        #expect(state.pool.candidates[SampleID("a")]?.candidate.score == 0.2)
        // Candidates scored by the newest model are selected first, whatever score an older model assigned.
        #expect(state.batch(policy).ids == ["a"])
    }

    @Test("A task states why it was selected, and which model scored it")
    func reasons() {
        let policy = freePolicy { $0.auditShare = 0.5 }
        let candidates = [
            candidate("warm", score: 0.25), candidate("cold", score: 0.75, isCold: true),
            candidate("audit", score: 0.5, draw: 0.01, cutoff: 0.1),
        ]
        var state = AcquisitionState(candidates, policy: policy)
        let reasons = Dictionary(uniqueKeysWithValues: state.batch(policy).map { ($0.sample.id.rawValue, $0.reason) })
        #expect(reasons["warm"]?.strategy == "margin")
        #expect(reasons["warm"]?.scoredBy == ModelVersion("v1"))
        #expect(reasons["warm"]?.inclusionProbability == nil)
        #expect(reasons["cold"]?.strategy == "cold_start")
        #expect(reasons["cold"]?.scoredBy == nil)
        #expect(reasons["audit"]?.strategy == "audit")
        #expect(reasons["audit"]?.inclusionProbability == 0.1)
        #expect(reasons["audit"]?.score != 0.01)
    }
}
