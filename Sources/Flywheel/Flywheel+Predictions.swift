internal import Acquisition
internal import Labeling
internal import Rollout
internal import Tables
internal import Training
internal import Vocabulary

/// Audit samples of one pair of models for which a trainer is to be queried.
private struct WaitingPredictions {
    let champion: ReleasedModel
    let challenger: ReleasedModel
    /// The samples and the time since which each waits; the one that waits longest is first.
    var samples: [(sample: Sample, since: StreamTime)]
}

/// Predictions by trainers: requested before annotators are queried, and received.
extension ProjectState {
    /// Maximum number of audit samples that may wait for a trainer's predictions at the same time.
    static let maximumAwaited = 60
    /// Maximum number of audit samples in a request: each is hidden by another candidate.
    private static let maximumAudits = PredictionRequest.limit / 2
    /// Maximum bytes of a request's candidates, so that its record fits into its topic.
    private static let maximumRequestBytes = 900_000

    /// Maximum time, in milliseconds, that samples wait for others with which they share a request.
    private func maximumWait(_ policy: RolloutPolicy) -> Int64 { min(2_000, policy.shadowWait / 2) }

    /// Writes the requests that are due.
    ///
    /// - Complexity: O(1) if services shadow, otherwise O(*capacity*) of the audit sample; O(*poolCapacity*) for each
    ///   request.
    mutating func requestPredictions(_ configuration: ProjectConfiguration, _ step: inout Step) {
        guard configuration.rollout.predicts else { return }
        let (now, maximumWait) = (step.context.time, maximumWait(configuration.rollout))
        for group in waitingPredictions(configuration) {
            var rest = group.samples[...]
            while let first = rest.first, rollout.nextRequest(at: now) <= now,
                rest.count >= Self.maximumAudits || now.milliseconds(since: first.since) >= maximumWait
            {
                let count = writeRequest(rest.prefix(Self.maximumAudits).map(\.sample), of: group, configuration, &step)
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Time at which a request could become due without a further entry; nil if there is none.
    func nextPredictionDeadline(_ configuration: ProjectConfiguration) -> StreamTime? {
        guard configuration.rollout.predicts else { return nil }
        let first = waitingPredictions(configuration).compactMap(\.samples.first?.since).min()
        guard let first, acquisition.hasCovers() else { return nil }
        let now = position.value.time
        return max(first.advanced(byMilliseconds: maximumWait(configuration.rollout)), rollout.nextRequest(at: now))
    }

    /// Writes one request.
    ///
    /// - Returns: The number of samples that the request contains; 0 if there are no candidates to hide them among.
    private mutating func writeRequest(
        _ samples: [Sample],
        of group: WaitingPredictions,
        _ configuration: ProjectConfiguration,
        _ step: inout Step
    ) -> Int {
        let covers = acquisition.drawCovers(samples.count, step.context)
        var candidates: [Sample] = []
        var (size, hidden): (Int, [SampleID]) = (0, [])
        for (sample, cover) in zip(samples, covers) {
            size += sample.encodedBound + cover.encodedBound
            guard size <= Self.maximumRequestBytes || candidates.isEmpty else { break }
            candidates += [sample, cover]
            hidden.append(cover.id)
        }
        guard !candidates.isEmpty else { return 0 }
        let request = PredictionRequest(
            id: RequestID(step.context.nextID()),
            // Sorted by id: the order reveals nothing about the draw.
            candidates: candidates.sorted { $0.id < $1.id },
            champion: group.champion,
            challenger: group.challenger,
            deadline: step.context.time.advanced(byMilliseconds: configuration.rollout.shadowWait)
        )
        acquisition.noteCovers(hidden, at: step.context.time)
        rollout.noteRequest(request, at: step.context.time)
        for sample in samples.prefix(hidden.count) { notePairing(of: sample.id) }
        step.decide(.prediction(request), id: request.id.rawValue)
        return hidden.count
    }

    /// Groups the samples that trainers are to predict: by pairs of models, the oldest first; then, for a model in
    /// rollout, answers of services that are to be compared, and audit samples that are with annotators while the model
    /// is suspected and serves no user.
    private func waitingPredictions(_ configuration: ProjectConfiguration) -> [WaitingPredictions] {
        var groups: [WaitingPredictions] = []
        var groupOf: [Int: Int] = [:]
        for (id, pairing) in acquisition.audit.unrequested {
            guard let number = pairing.pair, let sample = acquisition.audit.candidates[id]?.candidate.sample else {
                continue
            }
            if groupOf[number] == nil {
                guard let names = rollout.models(ofPair: number), let champion = released(names.champion),
                    let challenger = released(names.challenger)
                else { continue }
                groupOf[number] = groups.count
                groups.append(WaitingPredictions(champion: champion, challenger: challenger, samples: []))
            }
            if let group = groupOf[number] { groups[group].samples.append((sample, pairing.fixedAt)) }
        }
        guard let champion = rollout.roles.value.champion, let canary = rollout.canary else { return groups }
        let queried = Set(groups.flatMap(\.samples).map(\.sample.id))
        let samples = (servedSamples(configuration) + suspectedSamples).filter { !queried.contains($0.sample.id) }
            .sorted { ($0.since, $0.sample.id) < ($1.since, $1.sample.id) }
        guard !samples.isEmpty else { return groups }
        return groups + [WaitingPredictions(champion: champion, challenger: canary, samples: samples)]
    }

    private func servedSamples(_ configuration: ProjectConfiguration) -> [(sample: Sample, since: StreamTime)] {
        rollout.unrequestedAnswers(configuration.rollout).compactMap { id, since in
            acquisition.audit.candidates[id].map { ($0.candidate.sample, since) }
        }
    }

    private var suspectedSamples: [(sample: Sample, since: StreamTime)] {
        guard let suspect = rollout.suspectedCanary else { return [] }
        return labeling.open.sortedRows.compactMap { _, task in
            let sample = task.selection.sample
            guard task.selection.purpose == .audit, rollout.needsPrediction(by: suspect.version, of: sample.id) else {
                return nil
            }
            return (sample, task.openedAt)
        }
    }

    /// A model with its artifact, as far as it is remembered.
    private func released(_ version: ModelVersion) -> ReleasedModel? {
        let roles = rollout.roles.value
        let known = [roles.champion, roles.challenger, roles.waiting, rollout.canary] + roles.history.map(\.model)
        return known.compactMap { $0 }.first { $0.version == version } ?? training.models[version]
    }

    /// Whether a sample of the audit draw may be assigned a pair: if trainers predict, a request must have capacity for
    /// it soon, and it must be possible to hide it.
    mutating func canBePredicted(
        _ sample: SampleID,
        by version: ModelVersion,
        under configuration: ProjectConfiguration,
        in step: inout Step
    ) -> Bool {
        let serving = rollout.canary?.version ?? rollout.roles.value.champion?.version
        guard configuration.rollout.predicts, version == serving,
            rollout.pairing(of: sample)?.pair == nil
        else { return true }
        let soon = step.context.time.advanced(byMilliseconds: maximumWait(configuration.rollout))
        guard rollout.nextRequest(at: step.context.time) <= soon else { return false }
        guard !acquisition.hasCovers(acquisition.audit.unrequested.count + 1) else { return true }
        guard rollout.canary == nil, !rollout.isProvisional(configuration.rollout) else { return false }
        if let notice = rollout.noteMissingPrediction(of: nil, policy: configuration.rollout, at: step.context.time) {
            step.decide(.notice(notice))
        }
        return false
    }

    // MARK: - Answers

    mutating func receive(_ labels: PredictedLabels, _ configuration: ProjectConfiguration, _ step: inout Step) {
        let policy = configuration.rollout
        switch rollout.receive(labels, under: configuration.question, policy: policy) {
        case .failure(let error): refuse(error.refusal, &step)
        case .success(let accepted):
            for sample in accepted { notePairing(of: sample) }
            promoteIfBetter(configuration, &step)
        }
    }

    /// Reports the current pairing of an audit sample to the audit source, and counts it.
    private mutating func notePairing(of sample: SampleID) {
        guard let pairing = rollout.pairing(of: sample) else { return }
        acquisition.audit.note(sample, pairing)
        rollout.countCandidate(sample, pairing)
    }
}
