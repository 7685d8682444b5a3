internal import Kinds
internal import Tables
public import Vocabulary

/// Predictions by trainers where services cannot shadow: trainers report the predictions of a challenger for audit
/// samples before annotators are queried.
extension RolloutState {
    /// Maximum number of requests that are kept, answered or not.
    public static let requestCapacity = 256
    /// Maximum number of requests that wait for their answers at the same time.
    public static let pendingRequestLimit = 16
    /// Maximum number of requests written in a minute: their answers stay far below the number that a project's journal
    /// accepts in an hour.
    public static let requestLimitPerMinute = 60
    private static let minute: Int64 = 60_000

    /// Champion and challenger of a pair of the running era or the rollout in progress; nil if the pair is not stored.
    ///
    /// - Complexity: O(1).
    public func models(ofPair number: Int) -> (champion: ModelVersion, challenger: ModelVersion)? {
        bets[number].map { ($0.champion, $0.challenger) }
    }

    /// Returns the pairing of an audit sample; nil if nothing is stored about it.
    ///
    /// - Complexity: O(1).
    public func pairing(of sample: SampleID) -> AuditPairing? { rows[sample].map { pairing(of: $0) } }

    /// Returns the time from which the next request may be written: at most `pendingRequestLimit` wait for answers,
    /// and at most `requestLimitPerMinute` are written in a minute.
    ///
    /// - Parameter now: The time of the entry.
    /// - Returns: `now`, or a later time.
    /// - Complexity: O(`requestCapacity` log `requestCapacity`).
    public func nextRequest(at now: StreamTime) -> StreamTime {
        let waiting = requests.reduce(into: [StreamTime]()) { times, _, request in
            if !request.isAnswered, request.deadline > now { times.append(request.deadline) }
        }
        let recent = requests.reduce(into: [StreamTime]()) { times, _, request in
            let over = request.requestedAt.advanced(byMilliseconds: Self.minute)
            if over > now { times.append(over) }
        }
        // Times from which both limits leave room for one more request.
        let earliest = [(waiting, Self.pendingRequestLimit), (recent, Self.requestLimitPerMinute)].map { times, limit in
            times.count < limit ? now : times.sorted()[times.count - limit]
        }
        return max(earliest[0], earliest[1])
    }

    /// Whether an audit sample lacks a prediction of a version, and no stored request asked for it.
    ///
    /// - Complexity: O(`requestCapacity`).
    public func needsPrediction(by version: ModelVersion, of sample: SampleID) -> Bool {
        guard let row = rows[sample], row.label == nil, row.prediction(of: version) == nil else { return false }
        return !requests.contains { $1.challenger == version && $1.samples.contains(sample) }
    }

    /// The model in rollout, if it is suspected: it serves no users until labels have decided, so that no service
    /// predicts for it.
    public var suspectedCanary: ReleasedModel? {
        guard !suspicions.isEmpty, let canary, suspicions[canary.version] != nil else { return nil }
        return canary
    }

    /// Records a written request: its audit samples are not queried before its deadline, unless its answer is received.
    ///
    /// - Parameters:
    ///   - request: The request, with audit samples and others.
    ///   - time: The time of the entry.
    /// - Complexity: O(`requestCapacity`).
    public mutating func noteRequest(_ request: PredictionRequest, at time: StreamTime) {
        let (champion, challenger) = (request.champion.version, request.challenger.version)
        let number = requests.reduce(into: 0) { $0 = max($0, $2.number) } + 1
        requests[request.id] = RequestedPredictions(
            number: number,
            champion: champion,
            challenger: challenger,
            samples: request.candidates.map(\.id),
            requestedAt: time,
            deadline: request.deadline
        )
        if requests.count > Self.requestCapacity,
            let oldest = requests.minimum(by: { ($0.value.number, $0.key) < ($1.value.number, $1.key) })
        {
            requests[oldest.key] = nil
        }
        for sample in request.candidates {
            if var check = checks[sample.id], [champion, challenger].contains(check.version), !check.isRequested {
                check.isRequested = true
                checks[sample.id] = check
            }
            guard var row = rows[sample.id], let pair = row.pair, let bet = bets[pair.number],
                bet.champion == champion, bet.challenger == challenger, pair.awaitedUntil == nil
            else { continue }
            row.pair?.awaitedUntil = request.deadline
            order.set(sample.id, row, in: &rows)
        }
    }

    /// Applies a trainer's answer. Its prediction for a sample counts unless the sample's task is open: then it is
    /// counted as late.
    ///
    /// - Parameters:
    ///   - labels: The answer.
    ///   - question: The question in force.
    ///   - policy: The revision in force.
    /// - Returns: Audit samples with a new prediction; refused if no such request is known, if it was answered before,
    ///   or if the answer does not match it.
    /// - Complexity: O(*n*) in the answers.
    public mutating func receive(
        _ labels: PredictedLabels,
        under question: Question,
        policy: RolloutPolicy
    ) -> Result<[SampleID], EntryRejectionError> {
        guard let request = requests[labels.request] else {
            return .failure(.init(.unknownRequest, "there is no request for predictions \(labels.request)"))
        }
        guard !request.isAnswered else {
            return .failure(.init(.duplicateResult, "\(labels.request) was answered before"))
        }
        if let text = request.contradiction(labels, under: question) {
            return .failure(.init(.contradictsRequest, text))
        }
        requests[labels.request]?.isAnswered = true
        var accepted: [SampleID] = []
        for answer in labels.answers {
            // In the pair of a rollout, the model in rollout has the role of the champion.
            if let label = answer.champion { compare(answer.sample, with: label, of: request.champion, policy) }
            guard let label = answer.challenger else { continue }
            compare(answer.sample, with: label, of: request.challenger, policy)
            if recordReportedPrediction(label, of: answer.sample, by: request.challenger) {
                accepted.append(answer.sample)
            }
        }
        return .success(accepted)
    }

    /// Records a model's prediction that a trainer reports; the first prediction counts.
    private mutating func recordReportedPrediction(_ label: Label, of sample: SampleID, by version: ModelVersion)
        -> Bool
    {
        let state = roles.value
        guard var row = rows[sample], row.prediction(of: version) == nil,
            isTracked(version, state) || isInPair(version, row.pair)
        else { return false }
        if version == state.challenger?.version {
            roles.value.challengerLivePredictions += 1
            roles.value.livePredictionsWithoutChallenger = 0
        }
        countLate(version, row)
        let pair = row.pair
        row.predictions.removeAll { !isTracked($0.version, state) && !isInPair($0.version, pair) }
        row.predictions.append(AuditPrediction(version: version, label: label, isByTrainer: true))
        order.set(sample, row, in: &rows)
        if version == state.champion?.version || version == state.challenger?.version { countPair(row, state) }
        return true
    }

    /// Counts an audit sample that is queried, or skipped, without a trainer's report of the challenger's prediction.
    ///
    /// - Parameters:
    ///   - sample: The sample whose task has opened; nil for a sample that got no pair because there were no candidates
    ///     to hide it among.
    ///   - policy: The revision in force.
    ///   - time: The time of the entry.
    /// - Returns: A notice for people, once as many consecutive samples as a challenger needs, and at least 10, had no
    ///   report; once an hour.
    /// - Complexity: O(1).
    public mutating func noteMissingPrediction(
        of sample: SampleID?,
        policy: RolloutPolicy,
        at time: StreamTime
    ) -> Notice? {
        guard policy.predicts, let challenger = roles.value.challenger else { return nil }
        if let sample {
            guard let number = rows[sample]?.opening, let opening = openings[number], opening.challenger == nil,
                bets[opening.pair]?.challenger == challenger.version
            else { return nil }
        }
        let enough = Self.silenceThreshold(policy)
        if roles.value.livePredictionsWithoutChallenger < enough { roles.value.livePredictionsWithoutChallenger += 1 }
        guard roles.value.livePredictionsWithoutChallenger >= enough,
            roles.value.silenceReportedAt.map({ time.milliseconds(since: $0) >= Self.silenceInterval }) ?? true
        else { return nil }
        roles.value.silenceReportedAt = time
        let reason =
            sample == nil
            ? "the pool holds no candidate that was not sent before, to hide them among"
            : "trainers have to answer requests of kind predict on training-requests before their deadline (rollout.shadow_wait)"
        return Notice(
            kind: .predictionsMissing,
            text:
                "\(challenger.version) waits for trainers to predict audit samples, and the last \(enough) of them went without: \(reason)"
        )
    }
}
