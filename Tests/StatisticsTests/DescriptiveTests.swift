import Statistics
import Testing

@Suite struct DescriptiveTests {
    @Test("A summary has the usual statistics")
    func summary() throws {
        let summary = try #require(Summary(of: [4, 1, 3, 2]))
        #expect(summary.count == 4)
        #expect(summary.mean == 2.5)
        #expect(summary.median == 2.5)
        #expect(summary.minimum == 1 && summary.maximum == 4)
        #expect((summary.standardDeviation - 1.2909944487358056).magnitude < 1e-15)
        #expect(Summary(of: [7])?.standardDeviation == 0)
        #expect(Summary(of: [9, 1, 5])?.median == 5)
        #expect(Summary(of: []) == nil)
        #expect(Summary(of: [1, .nan]) == nil)
    }

    @Test("Running moments agree with the two-pass formulas, whole or merged", arguments: 0..<16 as Range<UInt64>)
    func moments(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let numbers = (0..<200).map { _ in 1e6 + generator.nextNormal() }
        var whole = RunningMoments()
        var left = RunningMoments()
        var right = RunningMoments()
        let cut = generator.next(below: 201)
        for (index, number) in numbers.enumerated() {
            whole.add(number)
            if index < cut { left.add(number) } else { right.add(number) }
        }
        left.merge(right)
        let expected = standardDeviation(numbers)
        for moments in [whole, left] {
            #expect(moments.count == 200)
            #expect((moments.mean - mean(numbers)).magnitude < 1e-8)
            #expect((try #require(moments.standardDeviation) - expected).magnitude < 1e-8)
        }
        #expect(RunningMoments().variance == nil)
    }
}
