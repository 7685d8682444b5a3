import Acquisition
import Arguments
import Foundation
import JSON
internal import Vocabulary

/// `flywheel-bench rare`: how many samples of a rare class are found when the model is confident and wrong about them.
struct RareBenchmark {
    /// Measurements of one seed.
    struct Run {
        /// Training labels of the rare class.
        let found: Int
        /// Number of labels needed for an accuracy of 95 % over all classes; the budget if it is never reached.
        let labels: Int
        /// Mean share of the batches that was selected at random.
        let explored: Double
        /// The final accuracy over all classes.
        let accuracy: Double
    }

    static let specification = CommandSpecification(
        "rare",
        summary: "count how many samples of a rare class are found although the model confidently misses it",
        options: [
            .option("rare", "N", help: "samples of it in a pool of \(RareScenario.pool)", defaultValue: "9"),
            .option("budget", "N", help: "labels in all", defaultValue: "102"),
            .option("batch", "N", help: "labels a round", defaultValue: "10"),
            .option("seeds", "N", help: "worlds", defaultValue: "20"),
            .flag("audit-once", help: "audit samples are not predicted again once they were queried"),
            .flag("warm", help: "the first batch is drawn by chance"),
        ]
    )

    let rare: Int
    let seeds: Int
    let batch: Int
    let budget: Int
    let repeatsAudits: Bool
    let startsCold: Bool

    init(_ arguments: ParsedArguments) throws {
        rare = try arguments.int("rare", in: 0...100) ?? 9
        seeds = try arguments.int("seeds", in: 1...10_000) ?? 20
        batch = try arguments.int("batch", in: 1...RareScenario.pool) ?? 10
        budget = try arguments.int("budget", in: 1...RareScenario.pool) ?? 102
        repeatsAudits = !arguments.flag("audit-once")
        startsCold = !arguments.flag("warm")
    }

    /// Creates a benchmark with the default settings and a given number of seeds.
    init(rare: Int, seeds: Int) {
        (self.rare, self.seeds, batch, budget) = (rare, seeds, 10, 102)
        (repeatsAudits, startsCold) = (true, true)
    }

    /// Prints a line for each edition and bound.
    func run() throws {
        for (edition, most) in [(1, 0.0), (2, 0.0), (2, 0.2), (2, 0.5)] {
            var policy = AcquisitionPolicy(batchSize: batch)
            policy.edition = edition
            policy.explorationMost = most
            try report("edition \(edition), exploration_most \(most)", policy)
        }
        try report("by chance", AcquisitionPolicy(function: .random, isDiverse: false, batchSize: batch))
    }

    private func report(_ name: String, _ policy: AcquisitionPolicy) throws {
        var runs: [Run] = []
        for seed in 1...UInt64(seeds) { runs.append(try measure(policy, seed: seed)) }
        let found = Moments(runs.map { Double($0.found) })
        let labels = Moments(runs.map { Double($0.labels) })
        let explored = Moments(runs.map(\.explored))
        let accuracy = Moments(runs.map(\.accuracy))
        print(
            name
                + String(format: "  found %.2f ± %.2f", found.mean, found.deviation)
                + String(format: "  to 0.95: %.1f ± %.1f", labels.mean, labels.deviation)
                + String(format: "  accuracy %.4f ± %.4f", accuracy.mean, accuracy.deviation)
                + String(format: "  by chance %.3f", explored.mean) + "  "
                + runs.map { String($0.found) }.joined(separator: " ")
        )
    }

    /// Measures a policy with one seed.
    func measure(_ policy: AcquisitionPolicy, seed: UInt64) throws -> Run {
        var options = AcquisitionReplay.Options(policy: policy)
        options.policy.auditCutoff = 0.5
        options.budget = budget
        options.repeatsAudits = repeatsAudits
        options.startsCold = startsCold
        let data = RareScenario.data(rare: rare, seed: seed)
        var replay = AcquisitionReplay(data: data, options: options, seed: seed)
        let points = try replay.run()
        return Run(
            found: replay.labels(of: 3),
            labels: points.first { $0.accuracy >= 0.95 }?.labels ?? budget,
            explored: replay.explored.reduce(0, +) / Double(max(1, replay.explored.count)),
            accuracy: points.last?.accuracy ?? 0
        )
    }
}
