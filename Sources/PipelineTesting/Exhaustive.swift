internal import Foundation

/// Whether tests run every possible fault point, as `make s3` does, instead of a few that a seed selects.
package enum Exhaustive {
    package static let isOn = ProcessInfo.processInfo.environment["FLYWHEEL_EXHAUSTIVE"] == "1"

    /// Returns all cases if tests are exhaustive, otherwise about `count` of them, selected by a seed.
    package static func some<Case>(_ cases: [Case], about count: Int, seed: UInt64 = 7) -> [Case] {
        guard !isOn, cases.count > count else { return cases }
        var draw = seed
        return cases.filter { _ in
            // A linear congruential generator: evenly distributed, with another sequence for each seed.
            draw = draw &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(draw >> 33) % cases.count < count
        }
    }
}
