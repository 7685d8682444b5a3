import Arguments
import Foundation
import JSON
import Rollout

/// `flywheel-bench rollback`: how often, and how soon, feedback rolls back a champion, on the state that the worker
/// runs.
struct RollbackBenchmark {
    static let specification = CommandSpecification(
        "rollback",
        summary: "how often, and how soon, feedback rolls a champion back",
        options: [
            .option("lives", "N", help: "champions, each with users of its own", defaultValue: "300"),
            .option("voices", "N", help: "after which a life ends", defaultValue: "20000"),
            .option("days", "N", help: "after which a life ends", defaultValue: "60"),
            .option("rate", "R", help: "the share of honest voices that reject", defaultValue: "0.1"),
            .option("tolerated", "R", help: "the rate that is tolerated; by default the rate and 0.1"),
            .option("then", "R@K", help: "the rate is R from voice K on"),
            .option("holdback", "P", help: "the share that the former champion goes on serving", defaultValue: "0"),
            .option("raid-canary", "P", help: "share of the judged version's buckets that always reject"),
            .option("world-shift", "R@K", help: "the rate of both versions is R from voice K on"),
            .option("honest-per-hour", "N", help: "feedback of honest users", defaultValue: "60"),
            .option("users", "N", help: "honest users", defaultValue: "100000"),
            .option("raiders", "N", help: "accounts that reject once an hour", defaultValue: "0"),
            .option("raid-from", "K", help: "voices after which they begin", defaultValue: "0"),
            .option(
                "labels-per-day",
                "N",
                help: "audit labels, right as often as users are content",
                defaultValue: "24"
            ),
            .option("buckets", "N", help: "that users fall into", defaultValue: "4096"),
            .option("alpha", "A", help: "rollback_alpha", defaultValue: "0.01"),
            .option("seed", "N", help: "of all lives", defaultValue: "1"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    let lives: Int
    let seed: Int
    let scenario: RollbackScenario

    init(_ arguments: ParsedArguments) throws {
        lives = try arguments.int("lives", in: 1...1_000_000) ?? 300
        seed = try arguments.int("seed", in: 0...Int.max / 2) ?? 1
        let rate = try arguments.double("rate", in: 0...1) ?? 0.1
        let tolerated = try arguments.double("tolerated", in: 0...1) ?? min(1, rate + 0.1)
        let holdback = try arguments.double("holdback", in: 0...0.5) ?? 0
        let policy = RolloutPolicy(
            minimumShadow: 0,
            // In a comparison with another version, the tolerance is the margin over that version.
            tolerance: max(0, tolerated - rate),
            rollbackAlpha: try arguments.double("alpha", in: 0.0001...0.5) ?? 0.01,
            userBuckets: try arguments.int("buckets", in: 1...RolloutState.maximumBuckets) ?? 4_096,
            holdback: holdback
        )
        scenario = RollbackScenario(
            rate: rate,
            rateChange: try Self.change("then", arguments),
            shift: try Self.change("world-shift", arguments),
            raided: try arguments.double("raid-canary", in: 0...1) ?? 0,
            tolerated: tolerated,
            voices: try arguments.int("voices", in: 1...100_000_000) ?? 20_000,
            days: try arguments.int("days", in: 1...36_500) ?? 60,
            honestPerHour: try arguments.int("honest-per-hour", in: 0...1_000_000) ?? 60,
            users: try arguments.int("users", in: 1...1_000_000_000) ?? 100_000,
            raiders: try arguments.int("raiders", in: 0...1_000_000) ?? 0,
            raidFrom: try arguments.int("raid-from", in: 0...100_000_000) ?? 0,
            labelsPerDay: try arguments.int("labels-per-day", in: 0...1_000_000) ?? 24,
            policy: policy
        )
    }

    /// Parses a change of a rate: the rate, and the number of the voice from which it applies.
    private static func change(_ name: String, _ arguments: ParsedArguments) throws -> (rate: Double, voice: Int)? {
        try arguments.string(name).map { text in
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count == 2, let rate = Double(parts[0]), (0...1).contains(rate), let voice = Int(parts[1]),
                voice >= 0
            else {
                throw arguments.failure("--\(name) \(text): expected a rate in 0...1, @, and a voice, as in 0.9@1000")
            }
            return (rate: rate, voice: voice)
        }
    }

    /// Simulates all runs, and prints the results.
    func run(printsJSON: Bool) {
        let result = result()
        print(printsJSON ? result.json : result.text)
    }

    /// Runs all simulated lives.
    func result() -> RollbackResult {
        var result = RollbackResult(lives: lives, change: scenario.rateChange?.voice ?? scenario.shift?.voice)
        for life in 0..<lives {
            var next = RollbackLife(scenario, seed: UInt64(seed), number: UInt64(life))
            let begin = Self.processorTime
            next.run()
            result.add(next, seconds: Self.processorTime - begin)
        }
        return result
    }

    /// Processor time of this process, in seconds.
    private static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Results of all lives.
struct RollbackResult {
    let lives: Int
    /// Number of the voice from which the rate is changed; nil if it does not change.
    let change: Int?
    private(set) var rolledBack = 0
    /// Number of these rollbacks that occurred before the rate changed.
    private(set) var early = 0
    private(set) var suspected = 0
    private(set) var cleared = 0
    private(set) var voices = 0
    private var received = 0
    private var seconds = 0.0
    /// Number of voices from the change to the rollback; from the first voice if nothing changes.
    private var delays: [Int] = []

    init(lives: Int, change: Int?) {
        self.lives = lives
        self.change = change
    }

    mutating func add(_ life: RollbackLife, seconds: Double) {
        voices += life.voices
        received += life.received
        self.seconds += seconds
        if life.wasSuspected { suspected += 1 }
        if life.wasCleared { cleared += 1 }
        guard life.isRolledBack else { return }
        rolledBack += 1
        let delay = life.voices - (change ?? 0)
        if delay > 0 { delays.append(delay) } else { early += 1 }
    }

    /// Returns a quantile of the delay over lives not rolled back before the change; nil if too few were rolled back.
    func delay(_ share: Double) -> Int? {
        let index = Int((Double(lives - early) * share).rounded(.up)) - 1
        let sorted = delays.sorted()
        return sorted.indices.contains(max(0, index)) ? sorted[max(0, index)] : nil
    }

    /// Processor time per feedback in microseconds, including its generation and audit labels.
    var microseconds: Double { received == 0 ? 0 : seconds * 1e6 / Double(received) }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("lives", lives)
            writer.member("rolled_back", rolledBack)
            writer.member("rolled_back_before_change", early)
            writer.member("suspected", suspected)
            writer.member("cleared_by_labels", cleared)
            writer.key("delay")
            writer.object { writer in
                writer.member("p50", ifPresent: delay(0.5))
                writer.member("p90", ifPresent: delay(0.9))
            }
            writer.member("voices", voices)
            writer.member("voice_us", (microseconds * 100).rounded() / 100)
        }
        return writer.text
    }

    var text: String {
        func words(_ delay: Int?) -> String { delay.map { "\($0)" } ?? "never" }
        return """
            rolled back   \(rolledBack) of \(lives)\(early > 0 ? ", \(early) before the change" : "")
            suspected     \(suspected), cleared by labels \(cleared)
            delay         \(words(delay(0.5))) voices (median), \(words(delay(0.9))) (nine in ten)
            voices        \(voices), \((microseconds * 100).rounded() / 100) µs each
            """
    }
}
