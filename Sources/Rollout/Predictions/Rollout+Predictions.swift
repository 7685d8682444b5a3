internal import Kinds
internal import Tables
public import Vocabulary

/// Where services cannot shadow: trainers say what a challenger answers to audit samples, before people are asked.
extension RolloutState {
    /// Requests remembered, answered or not.
    public static let requestCapacity = 256
    /// Requests that may wait for their answers at the same time.
    public static let requestsAtOnce = 16
    /// Requests that may be written in a minute: their answers stay far below what a project's journal takes in an hour.
    public static let requestsAMinute = 60
    private static let minute: Int64 = 60_000

    /// Champion and challenger of a pair of the running era.
    ///
    /// - Complexity: O(1).
    public func models(ofPair number: Int) -> (champion: ModelVersion, challenger: ModelVersion)? {
        bets[number].map { ($0.champion, $0.challenger) }
    }

    /// How an audit sample stands; nil where nothing is kept of it.
    ///
    /// - Complexity: O(1).
    public func pairing(of sample: SampleID) -> AuditPairing? { rows[sample].map { pairing(of: $0) } }

    /// When the next request may be written: at most `requestsAtOnce` wait for their answers, and `requestsAMinute` are written.
    ///
    /// - Parameter now: Of the entry.
    /// - Returns: `now`, or a later time.
    /// - Complexity: O(`requestCapacity` log `requestCapacity`).
    public func nextRequest(at now: StreamTime) -> StreamTime {
        let waiting = requests.reduce(into: [StreamTime]()) { times, _, request in
            if !request.isAnswered, request.deadline > now { times.append(request.deadline) }
        }
        let recent = requests.reduce(into: [StreamTime]()) { times, _, request in
            let over = request.askedAt.advanced(byMilliseconds: Self.minute)
            if over > now { times.append(over) }
        }
        // The times at which so many are left that one more has room.
        let room = [(waiting, Self.requestsAtOnce), (recent, Self.requestsAMinute)].map { times, most in
            times.count < most ? now : times.sorted()[times.count - most]
        }
        return max(room[0], room[1])
    }

    /// Whether an audit sample lacks the word of a version, and no request that is remembered asked for it.
    ///
    /// - Complexity: O(`requestCapacity`).
    public func wants(wordOf version: ModelVersion, on sample: SampleID) -> Bool {
        guard let row = rows[sample], row.label == nil, row.prediction(of: version) == nil else { return false }
        return !requests.contains { $1.challenger == version && $1.samples.contains(sample) }
    }

    /// The model on its way, where labels decide about it: it serves nobody meanwhile, so that no service speaks for it.
    public var suspectedCanary: ReleasedModel? {
        guard !suspicions.isEmpty, let canary, suspicions[canary.version] != nil else { return nil }
        return canary
    }

    /// A request is written: its audit samples are not asked about before its deadline, unless its answer comes.
    ///
    /// - Parameters:
    ///   - request: With its audit samples and others.
    ///   - time: Of the entry.
    /// - Complexity: O(`requestCapacity`).
    public mutating func asked(_ request: PredictionRequest, at time: StreamTime) {
        let (champion, challenger) = (request.champion.version, request.challenger.version)
        let number = requests.reduce(into: 0) { $0 = max($0, $2.number) } + 1
        requests[request.id] = AskedPredictions(
            number: number,
            champion: champion,
            challenger: challenger,
            samples: request.candidates.map(\.id),
            askedAt: time,
            deadline: request.deadline
        )
        if requests.count > Self.requestCapacity,
            let oldest = requests.minimum(by: { ($0.value.number, $0.key) < ($1.value.number, $1.key) })
        {
            requests[oldest.key] = nil
        }
        for sample in request.candidates {
            if var check = checks[sample.id], [champion, challenger].contains(check.version), !check.isAsked {
                check.isAsked = true
                checks[sample.id] = check
            }
            guard var row = rows[sample.id], let pair = row.pair, let bet = bets[pair.number],
                bet.champion == champion, bet.challenger == challenger, pair.awaitedUntil == nil
            else { continue }
            row.pair?.awaitedUntil = request.deadline
            order.set(sample.id, row, in: &rows)
        }
    }

    /// Takes a trainer's answer in. What it says of a sample counts unless its task is open: that is counted as late.
    ///
    /// - Parameters:
    ///   - labels: The answer.
    ///   - question: In force.
    ///   - policy: The revision in force.
    /// - Returns: Audit samples of which something new is known; refused where no such request is known, it was answered, or the
    ///   answer is not one to it.
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
        var heard: [SampleID] = []
        for answer in labels.answers {
            // A pair of the rollout has the model on its way in the champion's part.
            if let label = answer.champion { compare(answer.sample, with: label, of: request.champion, policy) }
            guard let label = answer.challenger else { continue }
            compare(answer.sample, with: label, of: request.challenger, policy)
            if hear(label, of: answer.sample, by: request.challenger) { heard.append(answer.sample) }
        }
        return .success(heard)
    }

    /// Notes what a trainer says that a model answers; the first word counts.
    private mutating func hear(_ label: Label, of sample: SampleID, by version: ModelVersion) -> Bool {
        let state = phase.value
        guard var row = rows[sample], row.prediction(of: version) == nil,
            isInQuestion(version, state) || isInPair(version, row.pair)
        else { return false }
        if version == state.challenger?.version {
            phase.value.challengerLivePredictions += 1
            phase.value.livePredictionsWithoutChallenger = 0
        }
        countLate(version, row)
        let pair = row.pair
        row.predictions.removeAll { !isInQuestion($0.version, state) && !isInPair($0.version, pair) }
        row.predictions.append(AuditPrediction(version: version, label: label, isByTrainer: true))
        order.set(sample, row, in: &rows)
        if version == state.champion?.version || version == state.challenger?.version { countPair(row, state) }
        return true
    }

    /// Counts an audit sample that is asked about, or passed over, without a trainer's word on the challenger.
    ///
    /// - Parameters:
    ///   - sample: Whose task has opened; nil of one that got no pair, as nothing was there to hide it among.
    ///   - policy: The revision in force.
    ///   - time: Of the entry.
    /// - Returns: What to tell people once as many in a row went without as a challenger needs, and 10 at least; once an hour.
    /// - Complexity: O(1).
    public mutating func missPrediction(
        of sample: SampleID?,
        policy: RolloutPolicy,
        at time: StreamTime
    ) -> Notice? {
        guard policy.predicts, let challenger = phase.value.challenger else { return nil }
        if let sample {
            guard let number = rows[sample]?.opening, let opening = openings[number], opening.challenger == nil,
                bets[opening.pair]?.challenger == challenger.version
            else { return nil }
        }
        let enough = Self.missedPredictions(policy)
        if phase.value.livePredictionsWithoutChallenger < enough { phase.value.livePredictionsWithoutChallenger += 1 }
        guard phase.value.livePredictionsWithoutChallenger >= enough,
            phase.value.silenceToldAt.map({ time.milliseconds(since: $0) >= Self.silenceInterval }) ?? true
        else { return nil }
        phase.value.silenceToldAt = time
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
