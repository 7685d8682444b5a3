import Statistics
import Testing

@testable import Acquisition
@testable import Strategies

/// Features of queried samples, updated with each change.
@Suite("Known samples")
struct KnownSamplesTests {
    private static func point(_ generator: inout SplitMix64, by factor: Float) -> [Float] {
        (0..<12).map { _ in Float(generator.nextNormal()) * factor }
    }

    @Test(
        "The known samples are the same whether they are built at once or updated change by change",
        arguments: 0..<16 as Range<UInt64>
    )
    func followed(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var points: [[Float]] = []
        var incremental = KnownSamples()
        var (copies, near, distant) = (0, 0, 0)
        for step in 0..<40 {
            // Samples of usual scale, of another scale, far outside, of another dimension, and copies.
            let factor: Float = step % 9 == 8 ? 64 : 1
            for _ in 0..<generator.next(below: 6) {
                switch generator.next(below: 8) {
                case 0: points.append(Self.point(&generator, by: 1_000))
                case 1: points.append([1, 2])
                case 2 where !points.isEmpty: points.append(points[generator.next(below: points.count)])
                default: points.append(Self.point(&generator, by: factor))
                }
            }
            if !points.isEmpty { points[generator.next(below: points.count)] = Self.point(&generator, by: factor) }
            if step % 11 == 10 { points.removeLast(points.count / 2) }
            let sketches = points.enumerated().compactMap { EmbeddingSketch($1, keepsDigest: $0 % 3 > 0) }
            let share = [0.05, 0.4, 0][step % 7 == 6 ? 2 : step % 2]
            incremental.update(sketches, dimension: 12, share: share)
            var atOnce = KnownSamples()
            atOnce.update(sketches, dimension: 12, share: share)
            #expect(incremental.rows?.values == atOnce.rows?.values)
            #expect(incremental.rows?.scale == atOnce.rows?.scale)
            for point in points + (0..<20).map({ _ in Self.point(&generator, by: 1) }) {
                let (likeness, expected) = (incremental.likeness(of: point), atOnce.likeness(of: point))
                #expect(likeness == expected, "seed \(seed), step \(step)")
                if likeness == .copy { copies += 1 } else if likeness == .near { near += 1 } else { distant += 1 }
            }
        }
        #expect(copies > 0 && near > 0 && distant > 0)
    }
}
