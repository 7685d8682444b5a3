import Acquisition
internal import Kinds
import Learner
import Statistics
import Strategies
import Tables
import Vocabulary

/// Replays a labelled data set in its own order: every event is predicted first, then the reducer that the worker runs
/// decides whether its label is worth querying, and the label arrives after a delay.
struct StreamReplay {
    /// Settings of a replay.
    struct Options {
        /// Query strategy; nil: every label arrives, which gives the accuracy that a strategy can lose.
        var strategy: StreamStrategy?
        var share = LabelShare(millionths: 10_000)
        /// Number of events between the query of a label and its arrival.
        var delay = 0
        var learner = StreamLearner.Kind.auto
    }

    /// Result of one run.
    struct Outcome: Hashable {
        /// The share of events that were predicted right, each before its label was known.
        let accuracy: Double
        /// Number of queried labels over the number of all events; the free labels at the start are not included.
        let share: Double
        /// The largest excess of queried labels over share × events, in labels; not above 0 unless a budget was
        /// overspent.
        let overspent: Double
        /// Events whose label was queried, in order.
        let queried: [Int]
    }

    /// Number of labels that every run begins with at no cost.
    static let freeLabelCount = 20

    let data: LabelledData
    let options: Options
    let seed: UInt64
    private let policy: AcquisitionPolicy
    private var state = AcquisitionState()
    private var learner: StreamLearner

    init(data: LabelledData, options: Options, seed: UInt64) {
        self.data = data
        self.options = options
        self.seed = seed
        var policy = AcquisitionPolicy(function: .margin, batchSize: 1, openTaskLimit: .max / 2, auditShare: 0)
        policy.votes = .max / 2
        policy.stream = StreamPolicy(strategy: options.strategy ?? .random, share: options.share)
        self.policy = policy
        learner = StreamLearner(options.learner, featureCount: data.features[0].count, classCount: data.classes.count)
    }

    /// Runs through the stream once.
    ///
    /// - Complexity: O(events × (features × classes + 100)).
    mutating func run() -> Outcome {
        var hits = 0
        var pending: [Int] = []
        var arrived = 0
        var queried: [Int] = []
        var overspent = -Double.infinity
        for event in data.labels.indices {
            // A label that was queried at event t is known before event t + delay + 1 is predicted.
            while arrived < pending.count, pending[arrived] + options.delay < event {
                learner.learn(data.features[pending[arrived]], label: data.labels[pending[arrived]])
                arrived += 1
            }
            let features = data.features[event]
            learner.observe(features)
            let probabilities = learner.probabilities(of: features)
            if Self.likeliest(probabilities) == data.labels[event] { hits += 1 }
            let isFree = event < Self.freeLabelCount || options.strategy == nil
            if isFree {
                pending.append(event)
            } else if queriesLabel(event, probabilities, pending: pending.count - arrived) {
                pending.append(event)
                queried.append(event)
            }
            overspent = max(overspent, Double(queried.count) - options.share.value * Double(event + 1))
        }
        let count = Double(data.labels.count)
        return Outcome(
            accuracy: Double(hits) / count,
            share: Double(queried.count) / count,
            overspent: overspent,
            queried: queried
        )
    }

    private mutating func queriesLabel(_ event: Int, _ probabilities: [Double], pending: Int) -> Bool {
        let output = ClassDistribution(
            probabilities.enumerated().map { .init(label: ClassIndex($0.offset), probability: $0.element) }
        )
        guard let output else { return false }
        let entry = EntryContext(
            project: ProjectID("bench"),
            entryNumber: UInt64(event),
            time: StreamTime(milliseconds: Int64(event)),
            seed: (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(event) &* 0xD6E8_FEB8_6659_FD93
        )
        let context = SelectionContext(
            policy: Boxed(policy),
            classes: data.classes.count,
            unlearnedLabels: pending,
            entry: entry
        )
        let candidate = Candidate(
            sample: Sample(id: SampleID(String(event))),
            output: .choice(output),
            model: ModelReference(name: "bench", version: ModelVersion("online")),
            score: policy.function.score(output, classes: data.classes.count),
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: entry.time
        )
        state.receive(candidate, modelVersionNumber: 0, context)
        let batch = state.selectBatch(context)
        for _ in batch { state.voteGiven(policy: policy, at: entry.time) }
        return !batch.isEmpty
    }

    /// Returns the most likely class; of equal ones the first.
    private static func likeliest(_ probabilities: [Double]) -> Int {
        var best = 0
        for index in probabilities.indices where probabilities[index] > probabilities[best] { best = index }
        return best
    }
}
