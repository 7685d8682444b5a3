import Acquisition
internal import Kinds
import Learner
import Statistics
import Vocabulary

/// Replays a labelled data set as a stream: in each round a window of candidates is passed to the reducer that the
/// worker runs, the queried samples receive their labels, and the model is trained anew.
struct AcquisitionReplay {
    /// Settings of a replay.
    struct Options {
        var policy: AcquisitionPolicy
        /// Number of candidates per round.
        var window = 500
        /// Total number of labels.
        var budget = 400
        var inverseRegularization = 1.0
        /// Probability that a label is wrong, drawn uniformly among the other classes.
        var labelNoise = 0.0
        /// How many rounds the model that scores candidates is behind.
        var delay = 0
        /// Whether the strategy selects the first batch; otherwise it is selected at random, as in the protocol.
        var startsCold = false
        /// Share of the stream that is unanswerable, below 1.
        var unanswerable = 0.0
        /// Kind of the unanswerable samples.
        var nuisance = Nuisance.scrambled
        /// Whether models predict audit samples again after their tasks were opened; otherwise only their trainer
        /// reports a prediction for them, with the class and no more. Relevant if the policy requests audit labels.
        var repeatsAudits = true
        /// Whether the entries are kept.
        var keepsJournal = false
    }

    /// Unanswerable samples.
    enum Nuisance: String, CaseIterable {
        /// Each feature is that of another row.
        case scrambled
        /// Each feature is drawn uniformly from `-0.1..<1.1`.
        case uniform
        /// All samples are the same blank, except for a little noise.
        case blank
    }

    /// A point of the learning curve: the accuracy on the test part after a number of labels.
    struct Point {
        let labels: Int
        let accuracy: Double
    }

    /// A model, and its version in the project.
    private struct Scorer {
        let version: ModelVersion
        let model: SoftmaxRegression
    }

    let data: LabelledData
    let options: Options
    let seed: UInt64
    private(set) var project: ReplayProject
    private var generator: SplitMix64
    private let train: [Int]
    private let test: [Int]
    /// Rows of the audit sample: a share `auditCutoff` of each class, if the policy requests audit labels.
    private let audits: [Int]
    private let auditRows: Set<Int>
    private var audited: Set<Int> = []
    /// Share of each batch that was selected at random.
    private(set) var explored: [Double] = []
    private var stream: [Int] = []
    private var labelled: [(row: Int, label: Int)] = []
    private var queried: Set<Int> = []
    /// Unanswerable samples, whose ids continue those of the data.
    private var nuisances: [[Double]] = []
    /// IDs of the queried samples, in order.
    private(set) var selections: [SampleID] = []

    init(data: LabelledData, options: Options, seed: UInt64) {
        self.data = data
        self.options = options
        self.seed = seed
        generator = SplitMix64(seed: seed &* 0x9E37_79B9_7F4A_7C15)
        let split = data.stratifiedSplit(testShare: 0.3, using: &generator)
        test = split.test
        var (pool, audits): ([Int], [Int]) = ([], [])
        if options.policy.isAudited {
            var seen = [Int](repeating: 0, count: data.classes.count)
            let cutoff = options.policy.auditCutoff
            for row in split.train {
                let count = Double(seen[data.labels[row]])
                seen[data.labels[row]] += 1
                if Int((count + 1) * cutoff + 1e-9) > Int(count * cutoff + 1e-9) {
                    audits.append(row)
                } else {
                    pool.append(row)
                }
            }
        } else {
            pool = split.train
        }
        (train, self.audits, auditRows) = (pool, audits, Set(audits))
        project = ReplayProject(name: "bench-\(seed)", classes: data.classes, keepsJournal: options.keepsJournal)
    }

    /// Runs the replay, and returns the learning curve with one point per round.
    mutating func run() throws -> [Point] {
        let columns = data.features[0].count
        let testFeatures = try FeatureMatrix(values: test.flatMap { data.features[$0] }, columnCount: columns)
        let testLabels = test.map { data.labels[$0] }
        var points: [Point] = []
        var scorers: [Scorer] = []
        // If no sample is answerable, labels never arrive.
        while labelled.count < min(options.budget, train.count), selections.count < 4 * options.budget {
            let behind = scorers.count - 1 - options.delay
            _ = nextBatch(scorers.isEmpty ? nil : scorers[max(0, behind)], round: points.count)
            // If tasks were unanswerable, the rest of the budget may have been queried at once.
            let tasks = project.claim()
            guard !tasks.isEmpty else { break }
            if !audits.isEmpty { recordExploration(tasks) }
            for task in tasks { try answer(task) }
            guard !labelled.isEmpty else { continue }
            // The first batch is selected at random; from then on the strategy is in force.
            if points.isEmpty, audits.isEmpty {
                _ = project.configure(policy(options.policy, batch: options.policy.batchSize))
            }
            let model = try SoftmaxRegression.fit(
                FeatureMatrix(values: labelled.flatMap { data.features[$0.row] }, columnCount: columns),
                labels: labelled.map(\.label),
                classes: data.classes,
                options: .init(inverseStrength: options.inverseRegularization)
            ).model
            let rows = data.features
            let version = project.train { tested in tested.map { .choice(ClassIndex(Self.likeliest(model, rows[$0]))) }
            }
            if let version { scorers.append(Scorer(version: version, model: model)) }
            points.append(
                Point(labels: labelled.count, accuracy: model.accuracy(on: testFeatures, labels: testLabels))
            )
        }
        return points
    }

    /// Returns a policy under which a round is one batch of the given number of tasks.
    private func policy(_ policy: AcquisitionPolicy, batch: Int) -> AcquisitionPolicy {
        var policy = policy
        policy.batchSize = batch
        policy.openTaskLimit = batch
        policy.votes = batch
        policy.poolCapacity = options.window
        return policy
    }

    private mutating func nextBatch(_ scorer: Scorer?, round: Int) -> [LabelingTask] {
        let batch = min(options.policy.batchSize, options.budget - labelled.count)
        let window = nextWindow()
        if !audits.isEmpty { return nextAuditedBatch(batch, from: window, scorer: scorer, round: round) }
        if round == 0 {
            var pausedPolicy = policy(options.policy, batch: batch)
            pausedPolicy.votes = 0
            _ = project.configure(pausedPolicy)
        } else if batch < options.policy.batchSize {
            _ = project.configure(policy(options.policy, batch: batch))
        }
        for row in window { project.offer(candidate(row, scorer, round)) }
        guard round == 0 else { return project.openWindow() }
        _ = project.openWindow()
        var first = policy(options.policy, batch: batch)
        if !options.startsCold {
            first.function = .random
            first.isDiverse = false
        }
        return project.configure(first)
    }

    /// Returns the next batch together with audit tasks: nothing may be queried while candidates arrive, and then
    /// everything is queried at once.
    private mutating func nextAuditedBatch(_ batch: Int, from window: [Int], scorer: Scorer?, round: Int)
        -> [LabelingTask]
    {
        var pausedPolicy = policy(options.policy, batch: batch)
        pausedPolicy.votes = 0
        _ = project.configure(pausedPolicy)
        for row in audits where options.repeatsAudits || !audited.contains(row) {
            project.offer(candidate(row, scorer, round))
        }
        for row in window { project.offer(candidate(row, scorer, round)) }
        _ = project.openWindow()
        var policy = policy(options.policy, batch: batch)
        policy.votes = batch + audits.count
        policy.openTaskLimit = batch + audits.count
        if round == 0, !options.startsCold {
            policy.function = .random
            policy.isDiverse = false
        }
        let tasks = project.configure(policy)
        // The rest of the budget must not open a second batch.
        _ = project.configure(pausedPolicy)
        return tasks
    }

    /// Number of queried training labels of a class.
    func labels(of label: Int) -> Int { labelled.count { $0.label == label } }

    private mutating func recordExploration(_ tasks: [LabelingTask]) {
        let training = tasks.filter { $0.purpose.split == .training }
        let drawn = training.count { $0.reason.strategy == "exploration" }
        explored.append(Double(drawn) / Double(max(1, training.count)))
    }

    private static func likeliest(_ model: SoftmaxRegression, _ features: [Double]) -> Int {
        let probabilities = model.probabilities(of: features)
        return probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    }

    /// Answers a task: with the right label except for the noise, or with a flag if the sample is unanswerable.
    private mutating func answer(_ task: LabelingTask) throws {
        guard let row = Int(task.sample.id.rawValue) else {
            throw BenchmarkError("task for an unknown sample: \(task.sample.id)")
        }
        if task.purpose == .audit {
            audited.insert(row)
            return project.answer(task.id, ClassIndex(data.labels[row]))
        }
        selections.append(task.sample.id)
        guard row < data.features.count else { return project.flag(task.id, note: "nothing to be seen") }
        queried.insert(row)
        var label = data.labels[row]
        if generator.nextUnit() < options.labelNoise {
            let other = generator.next(below: data.classes.count - 1)
            label = other < label ? other : other + 1
        }
        labelled.append((row, label))
        project.answer(task.id, ClassIndex(label))
    }

    /// Returns the next candidates of the stream that were not queried; the stream restarts when it ends.
    private mutating func nextWindow() -> [Int] {
        var window: [Int] = []
        var taken = queried
        let left = train.count - queried.count
        while window.count < min(options.window, left) {
            if stream.isEmpty {
                stream = train
                SeededSampling.shuffle(&stream, using: &generator)
            }
            let row = stream.removeLast()
            if taken.insert(row).inserted { window.append(row) }
        }
        guard options.unanswerable > 0 else { return window }
        // Unanswerable samples replace as many others, and never occur again.
        for index in window.indices where generator.nextUnit() < options.unanswerable {
            stream.insert(window[index], at: 0)
            window[index] = data.features.count + nuisances.count
            nuisances.append(nuisance())
        }
        return window
    }

    /// Whether an id belongs to an unanswerable sample.
    func isUnanswerable(_ id: SampleID) -> Bool { (Int(id.rawValue) ?? 0) >= data.features.count }

    /// Share of the tasks after the first hundred that were unanswerable.
    var lateNuisance: Double {
        let late = selections.dropFirst(100)
        return Double(late.count { isUnanswerable($0) }) / Double(max(1, late.count))
    }

    private mutating func nuisance() -> [Double] {
        data.features[0].indices.map { column in
            switch options.nuisance {
            case .scrambled: return data.features[generator.next(below: data.features.count)][column]
            case .uniform: return generator.nextUnit() * 1.2 - 0.1
            case .blank: return 0.5 + 0.05 * generator.nextNormal()
            }
        }
    }

    private func features(_ row: Int) -> [Double] {
        row < data.features.count ? data.features[row] : nuisances[row - data.features.count]
    }

    private func candidate(_ row: Int, _ scorer: Scorer?, _ round: Int) -> Candidate {
        var draw = SplitMix64(seed: seed &* 31 &+ UInt64(row) &* 0x5851_F42D_4C95_7F2D &+ UInt64(round))
        let output = scorer.flatMap { scorer in
            ClassDistribution(
                scorer.model.probabilities(of: features(row)).enumerated().map {
                    .init(label: ClassIndex($0.offset), probability: $0.element)
                }
            )
        }
        let score: Double
        switch (options.policy.function, output) {
        case (.random, _), (_, nil): score = draw.nextUnit()
        case (let function, let output?):
            score = function.score(output, classes: data.classes.count, temperature: options.policy.temperature)
        }
        var auditGenerator = SplitMix64(seed: seed &* 131 &+ UInt64(row))
        let isAudited = auditRows.contains(row)
        return Candidate(
            sample: Sample(id: SampleID(String(row)), embedding: features(row).map { Float($0) }),
            output: output.map { .choice($0) },
            model: scorer.map { ModelReference(name: "bench", version: $0.version) },
            score: score,
            auditProbability: isAudited ? options.policy.auditCutoff : nil,
            auditDraw: isAudited ? auditGenerator.nextUnit() * options.policy.auditCutoff : 1,
            predictedAt: StreamTime(milliseconds: 0),
            isExploration: draw.nextUnit() < options.policy.explorationShare
        )
    }
}
