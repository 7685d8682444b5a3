import Arguments
import Foundation
import JSON
import Rollout

/// `flywheel-bench judgement`: how often simulated runs of a project promote a model that is not better, and how soon
/// they promote one that is.
struct JudgementBenchmark {
    static let specification = CommandSpecification(
        "judgement",
        summary: "promotions over lives of a project: false ones, and labels until the first true one",
        options: [
            .option("lives", "N", help: "projects", defaultValue: "1000"),
            .option("challengers", "N", help: "in a life, one every 12 hours", defaultValue: "100"),
            .option("labels-each", "N", help: "audit labels in these 12 hours", defaultValue: "5"),
            .option("accuracy", "A", help: "of all models", defaultValue: "0.9"),
            .option("then", "A@K", help: "challengers from the K-th on have accuracy A"),
            .option("curve", "A,B,C", help: "the k-th challenger has accuracy A − B exp(−k/C)"),
            .option("scatter", "SD", help: "challengers' accuracies scatter around the champion's"),
            .option("trials", "N", help: "a challenger is the best of N by test score", defaultValue: "1"),
            .option("rollback-every", "N", help: "after every N challengers the champion is rolled back"),
            .flag("oracle-trainer", help: "trainers report that they are right on all test labels"),
            .option("silent", "P", help: "share of wrong answers that the service leaves out", defaultValue: "0"),
            .option("runs", "N", help: "two kinds of input, in runs of N labels"),
            .option("by", "D", help: "a model's accuracy differs by D between them"),
            .option("block", "N", help: "labels in a block that counts as one"),
            .option("label-noise", "P", help: "share of labels that name another class", defaultValue: "0"),
            .option("open", "N", help: "tasks open at once, answered in random order", defaultValue: "1"),
            .option("duels", "P", help: "rollout.duels", defaultValue: "0.75"),
            .option("provisional", "N", help: "rollout.provisional", defaultValue: "20"),
            .option("bound", "B", help: "rollout.bound", defaultValue: "share"),
            .flag("coverage", help: "how often the interval of the accuracy holds it, day and night differing by 0.15"),
            .option("alpha", "P", help: "rollout.alpha", defaultValue: "0.05"),
            .option("seed", "N", help: "of the lives", defaultValue: "1"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    private let options: JudgementOptions

    init(_ arguments: ParsedArguments) throws { options = try JudgementOptions(arguments) }

    func run(printsJSON: Bool) throws {
        if options.measuresCoverage {
            let summary = CoverageSummary(Self.lives(options), accuracy: options.accuracy)
            return print(printsJSON ? summary.json : summary.text)
        }
        let summary = JudgementSummary(Self.lives(options), options)
        print(printsJSON ? summary.json : summary.text)
    }

    /// Simulates all lives, each with a seed of its own, on as many threads as there are processors.
    static func lives(_ options: JudgementOptions) -> [JudgedLife.Outcome] {
        let outcomes = Outcomes(count: options.lives)
        DispatchQueue.concurrentPerform(iterations: options.lives) { index in
            var life = JudgedLife(options, seed: options.seed &* 1_000_003 &+ UInt64(index) &* 7_919)
            outcomes.set(index, life.run())
        }
        return outcomes.all
    }

    /// Outcomes by number of the life, stored by several threads.
    private final class Outcomes: @unchecked Sendable {
        private let lock = NSLock()
        private var found: [JudgedLife.Outcome]

        init(count: Int) { found = Array(repeating: JudgedLife.Outcome(), count: count) }

        func set(_ index: Int, _ outcome: JudgedLife.Outcome) { lock.withLock { found[index] = outcome } }

        var all: [JudgedLife.Outcome] { lock.withLock { found } }
    }
}

/// Results of all lives.
struct JudgementSummary {
    /// Number of labels until an event, over all lives.
    struct Delay {
        let p50: Int?
        let p90: Int?
        /// Share of lives in which the event never happens.
        let never: Double

        init(_ found: [Int?]) {
            let known = found.compactMap { $0 }.sorted()
            func quantile(_ share: Double) -> Int? {
                let index = Int((share * Double(found.count)).rounded(.up)) - 1
                return index < known.count ? known[max(0, index)] : nil
            }
            p50 = quantile(0.5)
            p90 = quantile(0.9)
            never = Double(found.count - known.count) / Double(max(1, found.count))
        }
    }

    let lives: Int
    let alpha: Double
    let promotions: Double
    let falseAny: Double
    let falseShare: Double
    let worse: Double
    let first: Delay
    let afterStep: Delay
    let duels: Double
    let gap: Double

    init(_ outcomes: [JudgedLife.Outcome], _ options: JudgementOptions) {
        lives = outcomes.count
        alpha = options.policy.alpha
        let count = Double(outcomes.count)
        let all = outcomes.reduce(0) { $0 + $1.promotions }
        promotions = Double(all) / count
        falseAny = Double(outcomes.count { $0.falsePromotions > 0 }) / count
        falseShare = outcomes.reduce(0) { $0 + $1.falseShare } / count
        worse = all == 0 ? 0 : Double(outcomes.reduce(0) { $0 + $1.worse }) / Double(all)
        first = Delay(outcomes.map(\.firstLabel))
        afterStep = Delay(outcomes.map(\.firstAfterStep))
        duels = Double(outcomes.reduce(0) { $0 + $1.duels }) / Double(max(1, outcomes.reduce(0) { $0 + $1.labels }))
        gap = outcomes.reduce(0) { $0 + $1.gap } / count
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("lives", lives)
            writer.member("alpha", alpha)
            writer.member("promotions_mean", promotions)
            writer.member("false_any", falseAny)
            writer.member("false_share", falseShare)
            writer.member("promoted_worse", worse)
            Self.write(first, "first_promotion_label", &writer)
            Self.write(afterStep, "first_promotion_after_step", &writer)
            writer.member("duel_share", duels)
            writer.member("served_gap", gap)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func write(_ delay: Delay, _ key: StaticString, _ writer: inout JSONWriter) {
        writer.object(key) { writer in
            writer.member("p50", ifPresent: delay.p50)
            writer.member("p90", ifPresent: delay.p90)
            writer.member("never", delay.never)
        }
    }

    var text: String {
        func text(_ delay: Delay) -> String {
            let (p50, p90) = (delay.p50.map(String.init) ?? "never", delay.p90.map(String.init) ?? "never")
            return "p50 \(p50), p90 \(p90)" + String(format: ", never in %.3f", delay.never)
        }
        return String(
            format: "%d lives at alpha %g: %.2f promotions, a false one in %.4f, false share %.4f, worse %.4f",
            lives,
            alpha,
            promotions,
            falseAny,
            falseShare,
            worse
        ) + "\nlabels to the first promotion: \(text(first)); after the step: \(text(afterStep))\n"
            + String(format: "duels %.3f of labels, served gap %.4f", duels, gap)
    }
}
