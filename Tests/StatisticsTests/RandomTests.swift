import Statistics
import Testing

@Suite struct RandomTests {
    @Test("SplitMix64 gives the published numbers")
    func publishedNumbers() {
        var generator = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
        let found = expected.map { _ in generator.next() }
        #expect(found == expected)
    }

    @Test("Entries and projects have separate streams")
    func derivation() {
        var firsts: Set<UInt64> = []
        for project in 0..<50 as Range<UInt64> {
            for entry in 0..<50 as Range<UInt64> {
                var generator = SplitMix64(projectHash: project, entryNumber: entry)
                firsts.insert(generator.next())
            }
        }
        #expect(firsts.count == 2_500)
    }

    @Test("Bounded numbers are uniformly distributed within their bound", arguments: [1, 2, 3, 7, 10])
    func bounded(bound: Int) {
        var generator = SplitMix64(seed: 5)
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<10_000 * bound { counts[generator.next(below: bound)] += 1 }
        for count in counts { #expect((9_500...10_500).contains(count)) }
        for _ in 0..<1_000 {
            let number = generator.next(below: Int.max)
            #expect(number >= 0)
        }
    }

    @Test("A seed determines a shuffle")
    func goldenShuffle() {
        var generator = SplitMix64(seed: 42)
        let permutation = SeededSampling.permutation(of: 10, using: &generator)
        var again = SplitMix64(seed: 42)
        let repeated = SeededSampling.permutation(of: 10, using: &again)
        #expect(permutation == repeated)
        #expect(permutation == [8, 3, 6, 5, 4, 0, 9, 2, 1, 7])
    }

    @Test("Every order of three elements is equally likely")
    func evenShuffle() {
        var generator = SplitMix64(seed: 9)
        var counts: [[Int]: Int] = [:]
        for _ in 0..<60_000 { counts[SeededSampling.permutation(of: 3, using: &generator), default: 0] += 1 }
        #expect(counts.count == 6)
        for count in counts.values { #expect((9_500...10_500).contains(count)) }
    }

    @Test("Samples are distinct, and bootstrap samples are drawn from all elements", arguments: 0..<16 as Range<UInt64>)
    func samples(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let distinct = SeededSampling.distinctIndices(8, of: 20, using: &generator)
        #expect(Set(distinct).count == 8)
        #expect(distinct.allSatisfy { (0..<20).contains($0) })
        let all = SeededSampling.distinctIndices(8, of: 3, using: &generator)
        #expect(all.sorted() == [0, 1, 2])
        let none = SeededSampling.distinctIndices(8, of: 0, using: &generator)
        #expect(none.isEmpty)
        let bootstrap = SeededSampling.bootstrapIndices(200, of: 5, using: &generator)
        #expect(bootstrap.count == 200 && Set(bootstrap) == [0, 1, 2, 3, 4])
        let empty = SeededSampling.bootstrapIndices(0, of: 0, using: &generator)
        #expect(empty.isEmpty)
    }

    @Test("Normal numbers have mean 0 and standard deviation 1")
    func normalNumbers() {
        var generator = SplitMix64(seed: 3)
        var moments = RunningMoments()
        for _ in 0..<20_000 { moments.add(generator.nextNormal()) }
        #expect(moments.mean.magnitude < 0.03)
        #expect(((moments.standardDeviation ?? 0) - 1).magnitude < 0.03)
    }
}
