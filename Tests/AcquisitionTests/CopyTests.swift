import Acquisition
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

/// Further copies of a sample, and an extreme outlier, do not change the queried samples.
@Suite("Copies and outliers")
struct CopyTests {
    static let rules: [BatchPolicy] =
        BatchRule.allCases.map { BatchPolicy(rule: $0, coldStart: .none) } + [
            BatchPolicy(), BatchPolicy(coldStart: .typical),
            BatchPolicy(rule: .top, coldStart: .none, weights: UtilityWeights(novelty: 1, density: 0.5)),
            BatchPolicy(coldStart: .none, weights: UtilityWeights(freshness: 1, novelty: 2)),
        ]

    static func policy(_ batch: BatchPolicy, capacity: Int = 400) -> AcquisitionPolicy {
        freePolicy {
            $0.isDiverse = true
            $0.batch = batch
            $0.batchSize = 6
            $0.preselection = 3
            $0.poolCapacity = capacity
        }
    }

    /// Candidates of a given dimension in clusters of some width, each with an output of four classes.
    static func candidates(_ count: Int, _ prefix: String, _ generator: inout SplitMix64, dimension: Int) -> [Candidate]
    {
        let centres = (0..<4).map { _ in (0..<dimension).map { _ in 3 * generator.nextNormal() } }
        return (0..<count).map { number in
            let centre = centres[generator.next(below: 4)]
            let point = centre.map { Float($0 + generator.nextNormal()) }
            return scored("\(prefix)\(1_000 + number)", point, &generator)
        }
    }

    static func scored(_ id: String, _ point: [Float], _ generator: inout SplitMix64) -> Candidate {
        let first = 0.26 + 0.7 * generator.nextUnit()
        let top = generator.next(below: 4)
        let entries = (0..<4).map {
            ClassDistribution.Entry(label: ClassIndex($0), probability: $0 == top ? first : (1 - first) / 3)
        }
        return Candidate(
            sample: Sample(id: SampleID(id), embedding: point),
            output: ClassDistribution(entries).map(Output.choice),
            model: ModelReference(name: "m", version: ModelVersion("v1")),
            score: generator.nextUnit(),
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: StreamTime(milliseconds: 0)
        )
    }

    /// Samples queried in some batches after the first one, which is the same in all scenarios.
    private func queried(
        _ first: [Candidate],
        then more: [Candidate],
        _ policy: AcquisitionPolicy,
        batches: Int = 3
    ) -> [[String]] {
        var state = AcquisitionState(first, policy: policy)
        _ = state.batch(policy, entry: 2, at: 10_000)
        for candidate in more {
            state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(3, at: 10_000))
        }
        return (0..<batches).map { round in
            state.batch(policy, entry: UInt64(4 + round), at: Int64(20_000 * (round + 1))).ids
        }
    }

    @Test(
        "Any number of copies of a queried sample changes no other query",
        arguments: rules,
        0..<2 as Range<UInt64>
    )
    func copies(batch: BatchPolicy, seed: UInt64) throws {
        var generator = SplitMix64(seed: seed + 11)
        let policy = Self.policy(batch)
        let dimension = [6, 300][Int(seed)]
        let first = Self.candidates(40, "a", &generator, dimension: dimension)
        let others = Self.candidates(50, "b", &generator, dimension: dimension)
        var before = AcquisitionState(first, policy: policy)
        let known = before.batch(policy, entry: 2, at: 10_000)
        let point = try #require(known[generator.next(below: known.count)].sample.embedding)
        let number = [1, 60, 700][generator.next(below: 3)]
        var more = others
        for copy in 0..<number {
            // Ids before, between and behind those of the others.
            let prefix = ["A", "b1040x", "z"][generator.next(below: 3)]
            more.append(Self.scored("\(prefix)copy\(copy)", point, &generator))
        }
        SeededSampling.shuffle(&more, using: &generator)
        let alone = queried(first, then: others, policy)
        #expect(queried(first, then: more, policy) == alone)
        #expect(alone.allSatisfy { $0.count == policy.batchSize })
    }

    @Test(
        "Copies received before the query of their sample are evicted from a full pool",
        arguments: 0..<6 as Range<UInt64>
    )
    func copiesBefore(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed + 5)
        let policy = Self.policy(BatchPolicy(coldStart: .none), capacity: 60)
        var state = AcquisitionState()
        let point = (0..<8).map { _ in Float(generator.nextNormal()) }
        for number in 0..<60 {
            let copy = candidate("copy\(number)", score: 0.99 - Double(number) / 1_000, embedding: point)
            state.receive(copy, modelVersionNumber: 1, policy: policy, context: context(1))
        }
        let first = state.batch(policy, entry: 2, at: 10_000).ids
        #expect(first.contains("copy0"))
        for other in Self.candidates(60, "b", &generator, dimension: 8) {
            state.receive(other, modelVersionNumber: 1, policy: policy, context: context(3, at: 10_000))
        }
        for round in 0..<5 {
            let ids = state.batch(policy, entry: UInt64(4 + round), at: Int64(20_000 * (round + 1))).ids
            #expect(ids.count == 6)
            #expect(ids.allSatisfy { $0.hasPrefix("b") })
        }
    }

    @Test("Copies are queried if no other candidates remain")
    func nothingElse() {
        let policy = Self.policy(BatchPolicy(coldStart: .none))
        var state = AcquisitionState((0..<20).map { candidate("s\($0)", embedding: [1, 2, 3]) }, policy: policy)
        for round in 0..<3 as Range<UInt64> {
            #expect(state.batch(policy, entry: round + 2, at: Int64(20_000 * (round + 1))).count == 6)
        }
    }

    @Test(
        "An embedding scaled by 1,000 does not affect which of the other candidates are queried",
        arguments: rules,
        0..<2 as Range<UInt64>
    )
    func outlier(batch: BatchPolicy, seed: UInt64) {
        var generator = SplitMix64(seed: seed + 31)
        let policy = Self.policy(batch)
        let dimension = [6, 300][Int(seed)]
        let first = Self.candidates(40, "a", &generator, dimension: dimension)
        let others = Self.candidates(50, "b", &generator, dimension: dimension)
        let alone = queried(first, then: others, policy)
        var more = others
        for number in 0..<1 + generator.next(below: 2) {
            let point = Self.candidates(1, "far", &generator, dimension: dimension)[0].sample.embedding ?? []
            more.append(Self.scored("far\(number)", point.map { $0 * 1_000 }, &generator))
        }
        SeededSampling.shuffle(&more, using: &generator)
        #expect(queried(first, then: more, policy) == alone)
    }

    @Test("An embedding scaled by 1,000 in the first batch does not affect the queries either", arguments: rules)
    func outlierFirst(batch: BatchPolicy) {
        var generator = SplitMix64(seed: 77)
        let policy = Self.policy(batch)
        let others = Self.candidates(70, "b", &generator, dimension: 8)
        var far = Self.candidates(1, "far", &generator, dimension: 8)
        far = far.map { Self.scored("far", ($0.sample.embedding ?? []).map { $0 * 1_000 }, &generator) }
        var (with, without) = (
            AcquisitionState(far + others, policy: policy), AcquisitionState(others, policy: policy)
        )
        for round in 0..<5 as Range<UInt64> {
            let time = Int64(20_000 * (round + 1))
            #expect(
                with.batch(policy, entry: round + 2, at: time).ids
                    == without.batch(policy, entry: round + 2, at: time).ids
            )
        }
    }

    @Test("Novelty is computed over the whole pool: novel candidates are found below the highest scores")
    func noveltyBehindTheCut() {
        var generator = SplitMix64(seed: 3)
        let policy = Self.policy(
            BatchPolicy(rule: .top, coldStart: .none, weights: UtilityWeights(novelty: 4), duplicateDistance: 0)
        )
        let old = (0..<8).map { _ in Float(generator.nextNormal()) }
        let known = (0..<6).map { candidate("known\($0)", score: 1, embedding: old.map { $0 + Float($0 * 0.01) }) }
        // The highest scores are near queried samples; 200 of them exceed any window.
        var more = (0..<200).map { number in
            candidate("old\(number)", score: 0.9, embedding: old.map { $0 + Float(generator.nextNormal()) * 0.3 })
        }
        for number in 0..<6 {
            more.append(candidate("new\(number)", score: 0.8, embedding: old.map { $0 + 8 + Float(number * 2) }))
        }
        let batches = queried(known, then: more, policy, batches: 1)
        #expect(batches[0].sorted() == (0..<6).map { "new\($0)" })
    }

    @Test("A quota is used for novel candidates of a slice, not for copies of one sample")
    func quotas() {
        var generator = SplitMix64(seed: 9)
        var policy = Self.policy(BatchPolicy(rule: .top, coldStart: .none))
        policy.votes = 100
        policy.batchSize = 12
        policy.slices = SlicePolicy(key: "site", share: LabelShare(millionths: 50_000))
        func sample(_ id: String, site: String, score: Double, _ point: [Float]) -> Candidate {
            let plain = candidate(id, score: score)
            let metadata = SampleMetadata([SampleMetadata.Entry(key: "site", value: site)]) ?? .none
            return Candidate(
                sample: Sample(id: SampleID(id), embedding: point, metadata: metadata),
                output: plain.output,
                model: plain.model,
                score: score,
                auditProbability: nil,
                auditDraw: 1,
                predictedAt: StreamTime(milliseconds: 0)
            )
        }
        func point() -> [Float] { (0..<8).map { _ in Float(generator.nextNormal()) } }
        let same = point()
        var all = (0..<100).map { sample("same\($0)", site: "a", score: 0.9, same) }
        for number in 0..<20 {
            all.append(sample("a\(number)", site: "a", score: 0.5, point()))
            all.append(sample("b\(number)", site: "b", score: 0.4, point()))
        }
        var state = AcquisitionState(all, policy: policy)
        let ids = state.batch(policy).ids
        #expect(ids.count == 10)
        #expect(ids.count { $0.hasPrefix("same") } == 1)
        #expect(ids.count { $0.hasPrefix("a") } == 4)
        #expect(ids.count { $0.hasPrefix("b") } == 5)
    }
}
