import Acquisition
import Learner
import Statistics
import Tables
import Vocabulary

/// Replays a labelled data set as a stream: each round a window of candidates goes to the reducer that the worker runs, the
/// samples it asks for get their labels, and the model is trained anew.
struct AcquisitionReplay {
    /// What is replayed, and how.
    struct Options {
        var policy: AcquisitionPolicy
        /// Candidates a round.
        var window = 500
        /// Labels in all.
        var budget = 400
        var inverseRegularization = 1.0
        /// The probability that a label is wrong, drawn evenly among the other classes.
        var labelNoise = 0.0
        /// How many rounds the model that scores candidates is behind.
        var delay = 0
        /// Whether the first batch is left to the reducer, or drawn by chance as the protocol has it.
        var startsCold = false
    }

    /// The accuracy on the test part after so many labels.
    struct Point {
        let labels: Int
        let accuracy: Double
    }

    let data: LabelledData
    let options: Options
    let seed: UInt64
    private var state = AcquisitionState()
    private var generator: SplitMix64
    private let train: [Int]
    private let test: [Int]
    private var stream: [Int] = []
    private var labelled: [(row: Int, label: Int)] = []
    private var asked: Set<Int> = []
    private var entry: UInt64 = 0
    /// The ids asked for, in order.
    private(set) var selections: [Selection] = []

    init(data: LabelledData, options: Options, seed: UInt64) {
        self.data = data
        self.options = options
        self.seed = seed
        generator = SplitMix64(seed: seed &* 0x9E37_79B9_7F4A_7C15)
        let split = data.stratifiedSplit(testShare: 0.3, using: &generator)
        train = split.train
        test = split.test
    }

    /// The learning curve, one point a round.
    mutating func run() throws -> [Point] {
        let testFeatures = try FeatureMatrix(
            values: test.flatMap { data.features[$0] },
            columnCount: data.features[0].count
        )
        let testLabels = test.map { data.labels[$0] }
        var model: SoftmaxRegression?
        var points: [Point] = []
        var round = 0
        var models: [SoftmaxRegression] = []
        while labelled.count < min(options.budget, train.count) {
            let batch = try nextBatch(model, round)
            guard !batch.isEmpty else { break }
            for row in batch {
                asked.insert(row)
                labelled.append((row, answer(row)))
            }
            let fit = try SoftmaxRegression.fit(
                FeatureMatrix(values: labelled.flatMap { data.features[$0.row] }, columnCount: data.features[0].count),
                labels: labelled.map(\.label),
                classes: data.classes,
                options: .init(inverseStrength: options.inverseRegularization)
            )
            models.append(fit.model)
            model = models[max(0, models.count - 1 - options.delay)]
            round += 1
            points.append(
                Point(labels: labelled.count, accuracy: fit.model.accuracy(on: testFeatures, labels: testLabels))
            )
        }
        return points
    }

    private mutating func answer(_ row: Int) -> Int {
        let truth = data.labels[row]
        guard generator.nextUnit() < options.labelNoise else { return truth }
        let other = generator.next(below: data.classes.count - 1)
        return other < truth ? other : other + 1
    }

    /// The next candidates of the stream that were not asked for; it begins anew when it ends.
    private mutating func nextWindow() -> [Int] {
        var window: [Int] = []
        var taken = asked
        let left = train.count - asked.count
        while window.count < min(options.window, left) {
            if stream.isEmpty {
                stream = train
                SeededSampling.shuffle(&stream, using: &generator)
            }
            let row = stream.removeLast()
            if taken.insert(row).inserted { window.append(row) }
        }
        return window
    }

    private mutating func nextBatch(_ model: SoftmaxRegression?, _ round: Int) throws -> [Int] {
        let window = nextWindow()
        let wanted = min(options.policy.batchSize, options.budget - labelled.count)
        if model == nil, !options.startsCold { return Array(window.prefix(wanted)) }
        var policy = options.policy
        policy.batchSize = wanted
        // The window is the pool: what earlier models said of other samples is forgotten.
        for row in state.pool.sortedRows { state.pool[row.key] = nil }
        for row in window {
            entry += 1
            state.receive(candidate(row, model, round), modelOrdinal: round, policy: policy, context: context)
        }
        entry += 1
        let batch = state.selectBatch(
            openTasks: 0,
            votesPerTask: 1,
            newestOrdinal: round,
            unlearned: 0,
            policy: policy,
            context: context
        )
        for _ in batch { state.voteGiven(policy: policy, at: context.time) }
        selections += batch
        return batch.compactMap { Int($0.sample.id.rawValue) }
    }

    private func candidate(_ row: Int, _ model: SoftmaxRegression?, _ round: Int) -> Candidate {
        var draw = SplitMix64(seed: seed &* 31 &+ UInt64(row) &* 0x5851_F42D_4C95_7F2D &+ UInt64(round))
        let output = model.flatMap { model in
            ClassDistribution(
                model.probabilities(of: data.features[row]).enumerated().map {
                    .init(label: ClassIndex($0.offset), probability: $0.element)
                }
            )
        }
        let score: Double
        switch (options.policy.function, output) {
        case (.random, _), (_, nil): score = draw.nextUnit()
        case (let function, let output?): score = function.score(output, classes: data.classes.count)
        }
        return Candidate(
            sample: Sample(id: SampleID(String(row)), embedding: data.features[row].map { Float($0) }),
            output: output,
            model: output == nil ? nil : ModelReference(name: "bench", version: ModelVersion("v\(round)")),
            score: score,
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: StreamTime(milliseconds: 0),
            isExploration: draw.nextUnit() < options.policy.explorationShare
        )
    }

    private var context: EntryContext {
        EntryContext(
            project: ProjectID("bench"),
            entryNumber: entry,
            time: StreamTime(milliseconds: Int64(entry)),
            seed: seed ^ entry &* 0x9E37_79B9_7F4A_7C15
        )
    }
}
