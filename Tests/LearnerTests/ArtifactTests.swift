import Learner
import Statistics
import Testing

@Suite struct ArtifactTests {
    private func model() throws -> SoftmaxRegression {
        try SoftmaxRegression(classes: ["cat", "dög"], featureCount: 2, weights: [1, -2.5, 0, 1e-300, 3, -0.0])
    }

    @Test("A model survives the round trip through bytes, and equal models have equal bytes")
    func roundTrip() throws {
        let bytes = try model().bytes
        #expect(try SoftmaxRegression(bytes: bytes) == model())
        #expect(try SoftmaxRegression(bytes: bytes).bytes == bytes)
        #expect(bytes.count == 16 + 4 + 3 + 4 + 4 + 6 * 8)
    }

    @Test("Bytes truncated anywhere, or with one byte too many, are refused")
    func truncation() throws {
        let bytes = try model().bytes
        for count in bytes.indices {
            #expect(throws: LearnerError.self) { try SoftmaxRegression(bytes: Array(bytes[..<count])) }
        }
        #expect(throws: LearnerError.self) { try SoftmaxRegression(bytes: bytes + [0]) }
    }

    @Test("Changed bytes are refused or give a valid model, and never cause a crash", arguments: 0..<8 as Range<UInt64>)
    func mutations(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let bytes = try model().bytes
        for _ in 0..<2_000 {
            var changed = bytes
            for _ in 0...generator.next(below: 3) {
                changed[generator.next(below: bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
            }
            guard let read = try? SoftmaxRegression(bytes: changed) else { continue }
            #expect(read.bytes == changed)
            let sum = read.probabilities(of: [Double](repeating: 0.5, count: read.featureCount)).reduce(0, +)
            #expect((sum - 1).magnitude < 1e-9 || sum.isNaN)
        }
    }

    @Test("Hostile sizes are refused before any memory is reserved")
    func hostileSizes() throws {
        var bytes = try model().bytes
        bytes.replaceSubrange(8..<16, with: [UInt8](repeating: 0xff, count: 8))
        #expect(throws: LearnerError.self) { try SoftmaxRegression(bytes: bytes) }
    }
}
