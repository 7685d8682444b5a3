internal import Kinds
public import Vocabulary

/// A request for predictions that was written.
public struct RequestedPredictions: Hashable, Sendable {
    /// Number of the request among all requests, from 1.
    public let number: Int
    public let champion: ModelVersion
    public let challenger: ModelVersion
    /// The candidates of the request, whether or not they belong to the audit sample.
    public let samples: [SampleID]
    public let requestedAt: StreamTime
    public let deadline: StreamTime
    public var isAnswered: Bool

    public init(
        number: Int,
        champion: ModelVersion,
        challenger: ModelVersion,
        samples: [SampleID],
        requestedAt: StreamTime,
        deadline: StreamTime,
        isAnswered: Bool = false
    ) {
        self.number = number
        self.champion = champion
        self.challenger = challenger
        self.samples = samples
        self.requestedAt = requestedAt
        self.deadline = deadline
        self.isAnswered = isAnswered
    }

    /// Describes content of an answer that was not requested, or requested content that is missing; nil if nothing is
    /// wrong.
    ///
    /// - Complexity: O(*n*) in the answers.
    func contradiction(_ labels: PredictedLabels, under question: Question) -> String? {
        let wanted = Set(samples)
        var seen: Set<SampleID> = []
        for answer in labels.answers {
            guard wanted.contains(answer.sample) else {
                return "\(labels.request) did not ask about sample \(answer.sample)"
            }
            guard seen.insert(answer.sample).inserted else {
                return "the answer to \(labels.request) names sample \(answer.sample) twice"
            }
            for label in [answer.champion, answer.challenger].compactMap({ $0 }) {
                if let text = question.complaint(predictions: [label]) {
                    return "the answer to \(labels.request) predicts \(text)"
                }
            }
        }
        guard seen.count < wanted.count else { return nil }
        return
            "the answer to \(labels.request) names \(seen.count) of its \(wanted.count) candidates: each is due, without labels where a model cannot be asked"
    }
}

/// Answer of a service about an audit sample at the first step of a rollout.
public struct ServedAnswer: Hashable, Sendable {
    /// The model in rollout.
    public let version: ModelVersion
    public let label: Label
    public let at: StreamTime
    /// Whether a prediction of the sample was requested from a trainer.
    public var isRequested: Bool
    /// Whether it was compared: a sample counts once.
    public var isCompared: Bool

    public init(
        version: ModelVersion,
        label: Label,
        at: StreamTime,
        isRequested: Bool = false,
        isCompared: Bool = false
    ) {
        self.version = version
        self.label = label
        self.at = at
        self.isRequested = isRequested
        self.isCompared = isCompared
    }
}

extension RolloutPolicy {
    /// Minimum time that a trainer is given to answer, in milliseconds.
    static let shortestPredictWait: Int64 = 1_000

    /// Whether trainers, in place of services, report the predictions of a challenger for audit samples.
    public var predicts: Bool { predict && bound != .challenger }

    /// Whether a promoted model is rolled out first: it has steps to complete, or services' answers have to be
    /// compared.
    public var stagesPromotions: Bool { isStaged || predicts && minimumShadow > 0 }

    /// Describes the fault of a policy under which trainers predict but have too little time; nil if there is none.
    var predictFault: String? {
        guard predict, shadowWait < Self.shortestPredictWait else { return nil }
        return
            "expected at least \(Self.shortestPredictWait) ms beside predict, found \(shadowWait): it is the time that trainers have to answer"
    }
}
