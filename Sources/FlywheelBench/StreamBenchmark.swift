import Acquisition
import Arguments
import Foundation
import JSON
import Strategies

/// `flywheel-bench stream`: the accuracy of a model on a stream when only a share of the labels may be queried.
struct StreamBenchmark {
    /// Results of one strategy under one budget and delay, over all seeds.
    struct Cell {
        let budget: LabelShare
        let delay: Int
        let outcomes: [StreamReplay.Outcome]
    }

    static let specification = CommandSpecification(
        "stream",
        summary: "replay a labelled data set in its own order: accuracy under a budget of labels, test then train",
        options: [
            .option(
                "data",
                "FILE",
                help: "comma-separated numbers and a class, with or without a header, in the stream's order",
                isRequired: true
            ),
            .option("label", "COLUMN", help: "the class: a name of the header, or a number from 1", isRequired: true),
            .option(
                "strategy",
                "NAME",
                help: "default (shown beside all others), or one of them, shown beside random",
                defaultValue: "default"
            ),
            .option(
                "budget",
                "LIST",
                help: "shares of the events whose labels may be asked for",
                defaultValue: "0.01,0.10"
            ),
            .option("delay", "LIST", help: "delay of labels, in events", defaultValue: "0,500"),
            .option("seeds", "N", help: "runs, with other draws", defaultValue: "5"),
            .option("learner", "NAME", help: "auto, logistic or bayes", defaultValue: "auto"),
            .option(
                "scale",
                "HOW",
                help: "of the features: none, max (divide all by the largest) or standard",
                defaultValue: "none"
            ),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    let data: LabelledData
    let path: String
    let strategies: [StreamStrategy]
    let budgets: [LabelShare]
    let delays: [Int]
    let seeds: Int
    let learner: StreamLearner.Kind

    init(_ arguments: ParsedArguments) throws {
        path = try arguments.requiredString("data")
        let scale: LabelledData.Scale = try arguments.choice("scale") ?? .none
        data = try LabelledData(path: path, labelColumn: try arguments.requiredString("label"), scale: scale)
        strategies = try Self.strategies(try arguments.requiredString("strategy"))
        budgets = try arguments.requiredString("budget").split(separator: ",").map { text in
            guard let share = Double(text).flatMap({ LabelShare($0) }) else {
                throw BenchmarkError("--budget: expected shares in 0...1 separated by commas, found \"\(text)\"")
            }
            return share
        }
        delays = try arguments.requiredString("delay").split(separator: ",").map { text in
            guard let delay = Int(text), delay >= 0, delay <= 1_000_000_000 else {
                throw BenchmarkError(
                    "--delay: expected events, not less than 0, separated by commas, found \"\(text)\""
                )
            }
            return delay
        }
        guard !budgets.isEmpty, !delays.isEmpty else {
            throw BenchmarkError("--budget and --delay: expected one at least")
        }
        seeds = try arguments.int("seeds", in: 1...10_000) ?? 5
        learner = try arguments.choice("learner") ?? .auto
    }

    private static func strategies(_ name: String) throws -> [StreamStrategy] {
        guard name != "default" else {
            let product = StreamPolicy().strategy
            return [product] + StreamStrategy.allCases.filter { $0 != product }
        }
        guard let strategy = StreamStrategy(rawValue: name) else {
            let known = StreamStrategy.allCases.map(\.rawValue).joined(separator: ", ")
            throw BenchmarkError("--strategy: expected default or one of \(known), found \"\(name)\"")
        }
        return strategy == .random ? [.random] : [strategy, .random]
    }

    /// Measures, and prints a line for each strategy, budget and delay, or one JSON value.
    func run(printsJSON: Bool) { print(report(asJSON: printsJSON)) }

    /// Runs the measurement, and returns its results.
    func report(asJSON: Bool) -> String {
        var measured: [(strategy: StreamStrategy, cells: [Cell])] = []
        for strategy in strategies { measured.append((strategy, cells(strategy))) }
        let ceiling = delays.map { delay in
            var replay = StreamReplay(data: data, options: .init(delay: delay, learner: learner), seed: 0)
            return replay.run().accuracy
        }
        return asJSON ? json(measured, ceiling) : table(measured, ceiling)
    }

    private func cells(_ strategy: StreamStrategy) -> [Cell] {
        budgets.flatMap { budget in
            delays.map { delay in
                let options = StreamReplay.Options(strategy: strategy, share: budget, delay: delay, learner: learner)
                let outcomes = (1...UInt64(seeds)).map { seed in
                    var replay = StreamReplay(data: data, options: options, seed: seed)
                    return replay.run()
                }
                return Cell(budget: budget, delay: delay, outcomes: outcomes)
            }
        }
    }

    /// Share of the largest class: the result of always predicting the same class.
    var majority: Double {
        var counts = [Int](repeating: 0, count: data.classes.count)
        for label in data.labels { counts[label] += 1 }
        return Double(counts.max() ?? 0) / Double(data.labels.count)
    }

    /// Share of events that have the class of the previous event: the result of repeating the last label, if all were
    /// known.
    var noChange: Double {
        let repeats = zip(data.labels, data.labels.dropFirst()).count { $0 == $1 }
        return Double(repeats) / Double(data.labels.count)
    }

    private func table(_ measured: [(strategy: StreamStrategy, cells: [Cell])], _ ceiling: [Double]) -> String {
        var lines = [
            String(format: "majority %.4f, no change %.4f", majority, noChange),
            "all labels "
                + zip(delays, ceiling).map { String(format: "%.4f (%ld late)", $1, $0) }.joined(separator: ", "),
        ]
        for (strategy, cells) in measured {
            for cell in cells {
                let accuracy = Moments(cell.outcomes.map(\.accuracy))
                let share = cell.outcomes.map(\.share).max() ?? 0
                lines.append(
                    "\(strategy.rawValue)  "
                        + String(
                            format: "budget %.4f, %ld late: %.4f ± %.4f  share %.4f at most",
                            cell.budget.value,
                            cell.delay,
                            accuracy.mean,
                            accuracy.deviation,
                            share
                        )
                )
            }
        }
        return lines.joined(separator: "\n")
    }

    private func json(_ measured: [(strategy: StreamStrategy, cells: [Cell])], _ ceiling: [Double]) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("data", (path as NSString).lastPathComponent)
            writer.member("events", data.labels.count)
            writer.member("classes", data.classes.count)
            writer.member("learner", learner.resolved(classCount: data.classes.count).rawValue)
            writer.member("seeds", seeds)
            writer.member("free_labels", min(StreamReplay.freeLabelCount, data.labels.count))
            writer.member("majority", majority)
            writer.member("no_change", noChange)
            writer.array("all_labels") { writer in
                for (delay, accuracy) in zip(delays, ceiling) {
                    writer.object { writer in
                        writer.member("delay", delay)
                        writer.member("accuracy", accuracy)
                    }
                }
            }
            writer.member("strategy", strategies[0].rawValue)
            writer.object("strategies") { writer in
                for (strategy, cells) in measured {
                    writer.key(named: strategy.rawValue)
                    writer.array { writer in for cell in cells { write(cell, to: &writer) } }
                }
            }
        }
        return writer.text
    }

    private func write(_ cell: Cell, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("budget", cell.budget.value)
            writer.member("delay", cell.delay)
            writer.object("accuracy") { Moments(cell.outcomes.map(\.accuracy)).write(to: &$0) }
            writer.object("share") { writer in
                Moments(cell.outcomes.map(\.share)).write(to: &writer)
                writer.member("max", cell.outcomes.map(\.share).max() ?? 0)
            }
            writer.member("overspent", max(0, cell.outcomes.map(\.overspent).max() ?? 0))
        }
    }
}
