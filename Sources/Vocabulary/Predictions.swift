/// Request for trainers to predict samples with two models, before people are asked about some of the samples.
///
/// No more than half of the candidates belong to the audit sample, so that the trainer that answers does not learn
/// which do.
public struct PredictionRequest: Hashable, Sendable {
    /// Maximum number of candidates in a request.
    public static let limit = 20

    public let id: RequestID
    /// 2 to `limit` distinct samples, by ascending id.
    public let candidates: [Sample]
    public let champion: ReleasedModel
    /// The model that is judged: the challenger of a pair, or a model at the first step of its rollout.
    public let challenger: ReleasedModel
    /// The time from which people may be asked; later answers carry no information.
    public let deadline: StreamTime

    public init(
        id: RequestID,
        candidates: [Sample],
        champion: ReleasedModel,
        challenger: ReleasedModel,
        deadline: StreamTime
    ) {
        self.id = id
        self.candidates = candidates
        self.champion = champion
        self.challenger = challenger
        self.deadline = deadline
    }
}

/// Predictions of the two models of a request for one candidate.
public struct PredictedAnswer: Hashable, Sendable {
    public let sample: SampleID
    /// Nil if the model could not predict.
    public let champion: Label?
    /// Nil if the model could not predict: a missing prediction.
    public let challenger: Label?

    public init(sample: SampleID, champion: Label? = nil, challenger: Label? = nil) {
        self.sample = sample
        self.champion = champion
        self.challenger = challenger
    }
}

/// A trainer's answer to a request for predictions.
public struct PredictedLabels: Hashable, Sendable {
    public let request: RequestID
    /// One for each candidate of the request, in any order.
    public let answers: [PredictedAnswer]
    /// Reason why a model could not predict, for people.
    public let error: String?
    /// Milliseconds, if the trainer reports them.
    public let duration: Int64?

    public init(request: RequestID, answers: [PredictedAnswer], error: String? = nil, duration: Int64? = nil) {
        self.request = request
        self.answers = answers
        self.error = error
        self.duration = duration
    }
}
