import Acquisition
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

/// Laws that hold for every way to select a batch.
@Suite struct StrategyTests {
    /// Every combination of a rule and a cold start.
    static let policies: [BatchPolicy] = BatchRule.allCases.flatMap { rule in
        ColdStart.allCases.map { BatchPolicy(rule: rule, coldStart: $0) }
    }

    static func policy(_ batch: BatchPolicy, _ change: (inout AcquisitionPolicy) -> Void = { _ in })
        -> AcquisitionPolicy
    {
        freePolicy {
            $0.isDiverse = true
            $0.batch = batch
            $0.batchSize = 7
            $0.poolCapacity = 80
            change(&$0)
        }
    }

    /// Candidates of three classes in five dimensions; some coincide.
    static func candidates(_ count: Int, _ generator: inout SplitMix64, isCold: Bool = false) -> [Candidate] {
        (0..<count).map { number in
            let point = (0..<5).map { _ in Float(generator.next(below: 6)) }
            let first = 0.34 + 0.66 * generator.nextUnit()
            let top = generator.next(below: 3)
            let entries = (0..<3).map {
                ClassDistribution.Entry(label: ClassIndex($0), probability: $0 == top ? first : (1 - first) / 2)
            }
            return Candidate(
                sample: Sample(id: SampleID("s\(1_000 + number)"), embedding: point),
                output: isCold ? nil : ClassDistribution(entries).map(Output.choice),
                model: isCold ? nil : ModelReference(name: "m", version: ModelVersion("v1")),
                score: generator.nextUnit(),
                auditProbability: nil,
                auditDraw: 1,
                predictedAt: StreamTime(milliseconds: Int64(generator.next(below: 9_000)))
            )
        }
    }

    @Test(
        "A batch holds distinct samples of the pool, as many as configured or as there are",
        arguments: policies,
        [1, 6, 7, 8, 60, 120]
    )
    func subset(batch: BatchPolicy, size: Int) {
        var generator = SplitMix64(seed: UInt64(size))
        let policy = Self.policy(batch)
        let candidates = Self.candidates(size, &generator, isCold: size % 2 == 0)
        var state = AcquisitionState(candidates, policy: policy)
        let pool = Set(state.pool.candidates.sortedKeys)
        var left = pool
        for round in 0..<3 as Range<UInt64> {
            let ids = state.batch(policy, entry: round, at: Int64(10_000 * (round + 1))).map(\.sample.id)
            #expect(ids.count == min(policy.batchSize, left.count))
            #expect(Set(ids).count == ids.count)
            #expect(Set(ids).isSubset(of: left))
            left.subtract(ids)
        }
    }

    @Test("A batch is never larger than the budget", arguments: policies, [0, 1, 5, 11])
    func budget(batch: BatchPolicy, votes: Int) {
        var generator = SplitMix64(seed: 9)
        let policy = Self.policy(batch) { $0.votes = votes }
        var state = AcquisitionState(Self.candidates(60, &generator), policy: policy)
        #expect(state.batch(policy, votesPerTask: 2).count == min(policy.batchSize, votes / 2))
    }

    @Test(
        "The same entry selects the same batch, in any order of candidates",
        arguments: policies,
        0..<3 as Range<UInt64>
    )
    func order(batch: BatchPolicy, seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = Self.policy(batch) { $0.batch.weights = UtilityWeights(freshness: 0.5, novelty: 1, density: 0.5) }
        var candidates = Self.candidates(100, &generator, isCold: seed == 2)
        var first = AcquisitionState(candidates, policy: policy)
        SeededSampling.shuffle(&candidates, using: &generator)
        var second = AcquisitionState(candidates, policy: policy)
        for round in 0..<4 as Range<UInt64> {
            let time = Int64(10_000 * (round + 1))
            let batch = first.batch(policy, entry: round, at: time)
            #expect(batch == second.batch(policy, entry: round, at: time))
            #expect(!batch.isEmpty)
        }
    }

    @Test("Rules without random draws do not depend on the entry; the others do", arguments: BatchRule.allCases)
    func draws(rule: BatchRule) {
        var generator = SplitMix64(seed: 4)
        let policy = Self.policy(BatchPolicy(rule: rule, coldStart: .none))
        let state = AcquisitionState(Self.candidates(80, &generator), policy: policy)
        var batches: Set<[String]> = []
        for entry in 2..<10 as Range<UInt64> {
            var copy = state
            batches.insert(copy.batch(policy, entry: entry).ids)
        }
        let drawsNothing: Set<BatchRule> = [.top, .kCenter, .herding, .classBalanced]
        #expect((batches.count == 1) == drawsNothing.contains(rule))
    }

    @Test(
        "Equal or zero scores, one class, and coinciding or missing points still give a whole batch",
        arguments: policies
    )
    func degenerate(batch: BatchPolicy) {
        let policy = Self.policy(batch)
        for score in [0.0, 0.5, 1] {
            for point in [[0, 0], [3e38, -3e38], [1e-38, 0], nil] as [[Float]?] {
                let candidates = (0..<40).map { candidate("s\($0)", score: score, embedding: point) }
                var state = AcquisitionState(candidates, policy: policy)
                let ids = state.batch(policy).ids
                #expect(Set(ids).count == 7, "\(score), \(point ?? [])")
            }
        }
    }

    @Test(
        "Embeddings missing, not finite, empty or of several dimensions reduce selection to the highest scores",
        arguments: policies
    )
    func noPoints(batch: BatchPolicy) {
        let policy = Self.policy(batch)
        for bad in [nil, [], [.nan, 1], [1, .infinity], [1, 2, 3]] as [[Float]?] {
            let candidates = (0..<40).map { number in
                candidate("s\(100 + number)", score: 1 - Double(number) / 50, embedding: number == 3 ? bad : [1, 2])
            }
            var state = AcquisitionState(candidates, policy: policy)
            let selections = state.batch(policy)
            #expect(Set(selections.ids).count == 7)
            guard batch.rule.needsEmbeddings, batch.coldStart == .none else { continue }
            #expect(selections.ids == (0..<7).map { "s\(100 + $0)" })
            #expect(selections.allSatisfy { $0.reason.strategy == "margin" })
        }
    }

    @Test(
        "A change of dimension in mid-stream neither shrinks batches nor keeps old candidates in them",
        arguments: policies
    )
    func dimensionChanges(batch: BatchPolicy) {
        let policy = Self.policy(batch)
        var state = AcquisitionState((0..<40).map { candidate("a\($0)", embedding: [Float($0), 1]) }, policy: policy)
        #expect(state.batch(policy, entry: 1, at: 10_000).count == 7)
        for number in 0..<80 {
            state.receive(
                candidate("b\(number)", embedding: [Float(number), 1, Float(number % 7)]),
                modelVersionNumber: 2,
                policy: policy,
                context: context(2)
            )
        }
        for round in 2..<5 as Range<UInt64> {
            let ids = state.batch(policy, entry: round, at: Int64(10_000 * round)).ids
            #expect(ids.count == 7)
            #expect(ids.allSatisfy { $0.hasPrefix("b") })
        }
    }

    @Test("Ten thousand classes are supported by every rule", arguments: policies)
    func manyClasses(batch: BatchPolicy) throws {
        let policy = Self.policy(batch)
        var generator = SplitMix64(seed: 8)
        var candidates: [Candidate] = []
        for number in 0..<60 {
            let label = generator.next(below: 10_000)
            let output = try #require(
                ClassDistribution([.init(label: ClassIndex(label), probability: 0.5)], remainder: 0.5)
            )
            candidates.append(
                Candidate(
                    sample: Sample(id: SampleID("s\(number)"), embedding: [Float(label), Float(number)]),
                    output: .choice(output),
                    model: ModelReference(name: "m", version: ModelVersion("v1")),
                    score: generator.nextUnit(),
                    auditProbability: nil,
                    auditDraw: 1,
                    predictedAt: StreamTime(milliseconds: 0)
                )
            )
        }
        var state = AcquisitionState(candidates, policy: policy)
        #expect(Set(state.batch(policy).ids).count == 7)
    }
}
