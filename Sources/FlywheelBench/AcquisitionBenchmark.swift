import Acquisition
import Arguments
import Foundation
import JSON
import Statistics
internal import Strategies
internal import Vocabulary

/// `flywheel-bench acquisition`: how many labels a strategy needs, compared with random selection.
struct AcquisitionBenchmark {
    /// Results of one strategy over all seeds.
    struct Series {
        let strategy: String
        let curves: [[AcquisitionReplay.Point]]
        /// Share of the tasks after the first hundred that were unanswerable, one number per seed.
        let nuisances: [Double]
        /// Mean share of the batches that was sampled at random, one number for each seed.
        let explored: [Double]

        /// Labels until the accuracy was reached first, one number for each seed; nil where it never was.
        func labels(to target: Double) -> [Int?] {
            curves.map { $0.first { $0.accuracy >= target }?.labels }
        }

        /// The mean accuracy over the rounds, one number for each seed.
        var areas: [Double] { curves.map { $0.map(\.accuracy).reduce(0, +) / Double(max(1, $0.count)) } }
    }

    static let specification = CommandSpecification(
        "acquisition",
        summary: "replay a labelled data set as a stream: labels that a strategy needs, beside random selection",
        options: [
            .option(
                "data",
                "FILE",
                help: "comma-separated numbers and a class, with or without a header",
                isRequired: true
            ),
            .option("label", "COLUMN", help: "the class: a name of the header, or a number from 1", isRequired: true),
            .option(
                "strategy",
                "NAME",
                help: "default, or score, rule and start as in margin, margin+kmeans, margin+kmeans+herding_start",
                defaultValue: "default"
            ),
            .option("window", "N", help: "candidates a round", defaultValue: "500"),
            .option("batch", "N", help: "labels a round", defaultValue: "10"),
            .option("budget", "N", help: "labels in all", defaultValue: "400"),
            .option("seeds", "N", help: "runs, with other splits and streams", defaultValue: "10"),
            .option(
                "scale",
                "HOW",
                help: "of the features: none, max (divide all by the largest) or standard",
                defaultValue: "none"
            ),
            .option("targets", "LIST", help: "accuracies to reach", defaultValue: "0.90,0.95"),
            .option("preselection", "N", help: "size of the preselection by score for kmeans, in batches"),
            .option("handover", "N", help: "labels per class at which a cold start ends"),
            .option("duplicates", "D", help: "distance, as a share of the spread, below which samples are duplicates"),
            .option("weights", "LIST", help: "of the utility's parts, as in uncertainty=1,novelty=0.5"),
            .option("temperature", "T", help: "temperature of the models' outputs", defaultValue: "1"),
            .option("exploration", "SHARE", help: "of a batch that is drawn by chance", defaultValue: "0"),
            .option("exploration-most", "SHARE", help: "that confident errors raise it to", defaultValue: "0.5"),
            .option(
                "audit",
                "SHARE",
                help: "of the tasks that are audit tasks, beside the labels counted",
                defaultValue: "0"
            ),
            .option(
                "audit-cutoff",
                "SHARE",
                help: "of the stream that belongs to the audit sample",
                defaultValue: "0.1"
            ),
            .flag("audit-once", help: "audit samples are not predicted again once they were queried"),
            .option("noise", "P", help: "probability that a label is wrong", defaultValue: "0"),
            .option("delay", "N", help: "rounds by which the scoring model is behind", defaultValue: "0"),
            .option("unanswerable", "SHARE", help: "of the stream that nobody can answer", defaultValue: "0"),
            .option("nuisance", "KIND", help: "content of these samples: scrambled, uniform or blank"),
            .option("edition", "N", help: "of the selection rules (default: the newest)"),
            .flag("cold", help: "leave the first batch to the strategy; else it is drawn by chance"),
            .flag("alone", help: "leave out random selection"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    let data: LabelledData
    let path: String
    let options: AcquisitionReplay.Options
    let seeds: Int
    /// Whether random selection is left out.
    let isAlone: Bool
    /// Accuracies to reach, as given on the command line.
    let targets: [String]

    init(_ arguments: ParsedArguments) throws {
        path = try arguments.requiredString("data")
        let scale: LabelledData.Scale = try arguments.choice("scale") ?? .none
        data = try LabelledData(path: path, labelColumn: try arguments.requiredString("label"), scale: scale)
        let batch = try arguments.int("batch", in: 1...10_000) ?? 10
        let window = try arguments.int("window", in: batch...100_000) ?? 500
        var policy = AcquisitionPolicy(batchSize: batch, auditShare: 0)
        policy.explorationShare = try arguments.double("exploration", in: 0...1) ?? 0
        policy.explorationMost = try arguments.double("exploration-most", in: 0...1) ?? 0.5
        policy.auditShare = try arguments.double("audit", in: 0...0.9) ?? 0
        policy.auditCutoff = try arguments.double("audit-cutoff", in: 0...0.9) ?? 0.1
        policy.temperature = try arguments.double("temperature", in: 0.01...100) ?? 1
        try policy.setStrategy(try arguments.requiredString("strategy"))
        policy.preselection = try arguments.int("preselection", in: 1...1_000) ?? policy.preselection
        policy.batch.handover = try arguments.double("handover", in: 0...1e6) ?? policy.batch.handover
        policy.batch.duplicateDistance =
            try arguments.double("duplicates", in: 0...1) ?? policy.batch.duplicateDistance
        if let weights = arguments.string("weights") { try policy.setWeights(weights) }
        var options = AcquisitionReplay.Options(policy: policy)
        options.window = window
        options.budget = try arguments.int("budget", in: 1...10_000_000) ?? 400
        options.labelNoise = try arguments.double("noise", in: 0...1) ?? 0
        options.delay = try arguments.int("delay", in: 0...1_000) ?? 0
        options.repeatsAudits = !arguments.flag("audit-once")
        options.startsCold = arguments.flag("cold")
        options.unanswerable = try arguments.double("unanswerable", in: 0...0.9) ?? 0
        options.nuisance = try arguments.choice("nuisance") ?? .scrambled
        options.policy.edition =
            try arguments.int("edition", in: 1...AcquisitionPolicy.latestEdition) ?? AcquisitionPolicy.latestEdition
        self.options = options
        isAlone = arguments.flag("alone")
        seeds = try arguments.int("seeds", in: 1...10_000) ?? 10
        targets = try arguments.requiredString("targets").split(separator: ",").map(String.init)
        guard targets.allSatisfy({ (0...1).contains(Double($0) ?? -1) }) else {
            throw BenchmarkError("--targets: expected accuracies in 0...1 separated by commas, as in 0.90,0.95")
        }
    }

    /// Measures, and prints a line for the strategy and one for random selection, or one JSON value.
    func run(printsJSON: Bool) throws {
        var randomOptions = options
        randomOptions.policy = AcquisitionPolicy(
            function: .random,
            isDiverse: false,
            auditShare: options.policy.auditShare,
            auditCutoff: options.policy.auditCutoff
        )
        randomOptions.policy.batchSize = options.policy.batchSize
        let measured = try series(options)
        let random = isAlone ? nil : try series(randomOptions)
        if printsJSON { return print(json(measured, random: random)) }
        print(line(measured))
        if let random { print(line(random)) }
    }

    private func line(_ series: Series) -> String {
        var line = series.strategy
        for target in targets {
            let labels = series.labels(to: Double(target) ?? 1)
            let summary = Moments(labels.map { Double($0 ?? options.budget) })
            let never = labels.count { $0 == nil }
            line += String(format: "  %@: %.1f ± %.1f", target, summary.mean, summary.deviation)
            if never > 0 { line += " (\(never) never)" }
        }
        let area = Moments(series.areas)
        line += String(format: "  area %.4f ± %.4f", area.mean, area.deviation)
        if options.policy.isAudited {
            let drawn = Moments(series.explored)
            line += String(format: "  by chance %.3f ± %.3f", drawn.mean, drawn.deviation)
        }
        guard options.unanswerable > 0 else { return line }
        let nuisance = Moments(series.nuisances)
        return line + String(format: "  unanswerable %.3f ± %.3f", nuisance.mean, nuisance.deviation)
    }

    private func series(_ options: AcquisitionReplay.Options) throws -> Series {
        var curves: [[AcquisitionReplay.Point]] = []
        var nuisances: [Double] = []
        var explored: [Double] = []
        for seed in 1...UInt64(seeds) {
            var replay = AcquisitionReplay(data: data, options: options, seed: seed)
            curves.append(try replay.run())
            nuisances.append(replay.lateNuisance)
            explored.append(replay.explored.reduce(0, +) / Double(max(1, replay.explored.count)))
        }
        return Series(
            strategy: options.policy.strategyName,
            curves: curves,
            nuisances: nuisances,
            explored: explored
        )
    }

    // MARK: - JSON

    private func json(_ series: Series, random: Series?) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("data")
            writer.value((path as NSString).lastPathComponent)
            writer.key("strategy")
            writer.value(series.strategy)
            writer.key("seeds")
            writer.value(seeds)
            write(series, to: &writer)
            guard let random else { return }
            writer.key("random")
            writer.object { write(random, to: &$0) }
        }
        return writer.text
    }

    private func write(_ series: Series, to writer: inout JSONWriter) {
        writer.key("labels_to")
        writer.object { writer in
            for target in targets {
                let labels = series.labels(to: Double(target) ?? 1)
                writer.key(named: target)
                writer.object { writer in
                    Moments(labels.map { Double($0 ?? options.budget) }).write(to: &writer)
                    writer.key("never")
                    writer.value(labels.count { $0 == nil })
                }
            }
        }
        writer.key("alc")
        writer.object { Moments(series.areas).write(to: &$0) }
        if options.unanswerable > 0 {
            writer.key("unanswerable")
            writer.object { Moments(series.nuisances).write(to: &$0) }
        }
        writer.key("curve")
        writer.array { writer in
            let rounds = series.curves.map(\.count).min() ?? 0
            for round in 0..<rounds {
                let point = Moments(series.curves.map { $0[round].accuracy })
                writer.array { writer in
                    writer.value(series.curves[0][round].labels)
                    writer.value(point.mean)
                    writer.value(point.deviation)
                }
            }
        }
    }
}
