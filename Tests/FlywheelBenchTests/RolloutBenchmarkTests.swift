import Arguments
import Testing
import Vocabulary

@testable import FlywheelBench

@Suite("The benchmark of rollouts")
struct RolloutBenchmarkTests {
    private func result(_ options: [String]) throws -> RolloutResult {
        let parser = ArgumentParser(FlywheelBench.root)
        guard case .run(let arguments) = try parser.parse(["rollout"] + options) else {
            throw BenchmarkError("no arguments")
        }
        return try RolloutBenchmark(arguments).result()
    }

    @Test("A rollout killed after every entry ends with the same bytes, and passes through every state")
    func kills() throws {
        let result = try result(["--days", "2", "--steps", "2", "--voices-per-hour", "6", "--kills", "all"])
        #expect(result.isEqual && result.kills == result.entries - 1)
        let states = Set(result.transitions.compactMap { $0.split(separator: ":").first }.map(String.init))
        #expect(
            states.isSuperset(of: [
                "v2 shadow blessed", "v2 blessed canary", "v2 canary paused", "v2 paused canary", "v1 live superseded",
                "v2 canary live", "v3 paused rolling_back", "v3 rolling_back quarantined",
            ]),
            "\(result.transitions)"
        )
        // The services of the benchmark shadow, so no trainer's prediction contradicts them.
        let pauses = Set(RolloutPause.allCases).subtracting([.inconclusive])
        #expect(Set(result.paused.keys) == pauses, "\(result.paused)")
    }
}
