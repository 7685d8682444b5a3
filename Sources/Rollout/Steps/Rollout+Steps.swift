internal import Statistics
internal import Tables
public import Vocabulary

/// Rollouts by steps: blessed, canary, live.
extension RolloutState {
    /// The model in rollout; nil if there is none.
    public var canary: ReleasedModel? { progress.value.rollout?.model }

    /// Milliseconds after which a step that lacks evidence is paused, if its own minimum time is shorter.
    static let evidenceWait: Int64 = 3_600_000

    /// Begins the rollout of a model, at its first step.
    mutating func begin(_ rollout: StagedRollout, evidence: Evidence) -> ModelRelease? {
        progress.value.rollout = rollout
        return release(.canary, replaced: nil, evidence: evidence)
    }

    /// Starts the rollout of a challenger that is proven better: it no longer shadows, the era ends, and pairs of the
    /// next era begin when the rollout is over.
    mutating func bless(_ challenger: ReleasedModel, _ evidence: Evidence, _ sequence: Int64?) -> ModelRelease? {
        roles.value.challenger = nil
        roles.value.challengerLivePredictions = 0
        roles.value.livePredictionsWithoutChallenger = 0
        pairs.value = PairCounts()
        endEra()
        return begin(StagedRollout(model: challenger, evidenceThrough: sequence), evidence: evidence)
    }

    /// Advances the rollout in progress as far as time and evidence allow. Called for each entry: no effect occurs
    /// twice.
    ///
    /// - Parameters:
    ///   - policy: The revision in force; a rollout that began under another revision continues under this one.
    ///   - time: The time of the entry; a time before the step's begin counts as no elapsed time.
    /// - Returns: A release if a step is completed, or the rollout is paused or resumed; a notice if a person is
    ///   needed.
    /// - Complexity: O(1).
    public mutating func advance(policy: RolloutPolicy, at time: StreamTime) -> StepOutcome {
        guard var rollout = progress.value.rollout else { return StepOutcome() }
        let suspicion = suspicions.isEmpty ? nil : suspicions[rollout.model.version]
        let (step, since) = (policy.step(rollout.step), rollout.since ?? time)
        let age = time.milliseconds(since: since)
        let (hasEvidence, differs) = (rollout.hasEvidence(step, policy), rollout.differs(policy))
        let isReady = age >= step.bake && hasEvidence && !differs && suspicion == nil && !roles.value.isHeld
        rollout.since = since
        guard !isReady || step.approve && rollout.approvedBy == nil else { return completeStep(rollout, policy, time) }
        var outcome = StepOutcome()
        if isReady, !rollout.isApprovalRequested {
            rollout.isApprovalRequested = true
            outcome.notice = Notice(kind: .approvalWanted, text: approvalText(rollout))
        }
        let isLacking = !hasEvidence && age >= max(step.bake, Self.evidenceWait)
        let pause: RolloutPause? =
            suspicion != nil
            ? .suspected
            : roles.value.isHeld
                ? .manualHold : differs ? .inconclusive : isLacking ? .insufficientEvidence : nil
        let hasChanged = pause != rollout.pause
        if hasChanged, pause == .insufficientEvidence {
            outcome.notice = Notice(kind: .rolloutPaused, text: missingEvidenceText(rollout, step, policy))
        }
        if hasChanged, pause == .inconclusive {
            outcome.notice = Notice(kind: .rolloutPaused, text: rollout.differsText)
        }
        rollout.pause = pause
        if rollout != progress.value.rollout { progress.value.rollout = rollout }
        guard hasChanged else { return outcome }
        let figures = rollout.passed + [figures(rollout, policy, time)]
        outcome.release = release(.canary, replaced: nil, evidence: .rollout(figures))
        return outcome
    }

    /// Returns the time at which the rollout may advance by time alone; nil if nothing waits for it.
    ///
    /// - Parameters:
    ///   - policy: The revision in force.
    ///   - now: The time of the last entry; everything due by then has been handled.
    /// - Returns: A time after `now`.
    public func nextStepDeadline(policy: RolloutPolicy, after now: StreamTime) -> StreamTime? {
        guard let rollout = progress.value.rollout, let since = rollout.since, !roles.value.isHeld,
            rollout.pause != .suspected
        else { return nil }
        let step = policy.step(rollout.step)
        let lacks = !rollout.hasEvidence(step, policy)
        let span = lacks ? max(step.bake, Self.evidenceWait) : step.bake
        let deadline = since.advanced(byMilliseconds: span)
        return deadline > now ? deadline : nil
    }

    /// Records a person's approval, so that the rollout completes the step that requires it once time and evidence
    /// suffice.
    ///
    /// - Parameters:
    ///   - version: The model in rollout.
    ///   - name: The person who approves.
    ///   - policy: The revision in force.
    /// - Returns: Nil if the approval is recorded.
    public mutating func approve(_ version: ModelVersion, by name: String, policy: RolloutPolicy)
        -> EntryRejectionError?
    {
        guard var rollout = progress.value.rollout, rollout.model.version == version else {
            return EntryRejectionError(.unknownModel, "no rollout of \(version) is in progress")
        }
        guard policy.step(rollout.step).approve else {
            return EntryRejectionError(.nothingToApprove, "step \(rollout.step) of \(version) asks for no approval")
        }
        if let before = rollout.approvedBy {
            return EntryRejectionError(
                .nothingToApprove,
                "step \(rollout.step) of \(version) was approved by \(before)"
            )
        }
        rollout.approvedBy = name
        progress.value.rollout = rollout
        return nil
    }

    // MARK: - Steps

    /// Completes a step: the rollout continues with the next step if that is guarded, else the model goes live.
    private mutating func completeStep(_ passed: StagedRollout, _ policy: RolloutPolicy, _ time: StreamTime)
        -> StepOutcome
    {
        var rollout = passed
        rollout.passed = (rollout.passed + [figures(rollout, policy, time)]).suffix(RolloutStep.limit)
        guard rollout.step < policy.steps.count, !policy.step(rollout.step + 1).isUnguarded else {
            return StepOutcome(release: goLive(rollout, policy))
        }
        rollout.step += 1
        rollout.since = time
        (rollout.voices, rollout.negative) = (0, 0)
        (rollout.pause, rollout.approvedBy, rollout.isApprovalRequested, rollout.hasChampionPredicted) = (
            nil, nil, false, false
        )
        progress.value.rollout = rollout
        retireWatches(policy)
        return StepOutcome(release: release(.canary, replaced: nil, evidence: .rollout(rollout.passed)))
    }

    private mutating func goLive(_ rollout: StagedRollout, _ policy: RolloutPolicy) -> ModelRelease? {
        var state = roles.value
        guard let former = state.champion else { return nil }
        let expectedRate = expectedRate(after: watch.value, policy)
        if rollout.isReturn {
            state.history.removeAll { $0.model.version == rollout.model.version }
            state.quarantine(former.version)
        } else {
            state.history.append(FormerChampion(model: former, expectedRate: expectedRate))
            if state.history.count > Self.historyCapacity { state.history.removeFirst() }
        }
        state.champion = rollout.model
        state.evidenceThrough = rollout.evidenceThrough
        state.changedEvidence = 0
        roles.value = state
        watch.value = FeedbackWatch(expectedRate: expectedRate)
        progress.value.rollout = nil
        forgetBake(rollout)
        if rollout.isReturn { forgetWatch(former.version) }
        retireWatches(policy)
        rebaseWatch(rollout.model.version, policy)
        recountPairs()
        endEra()
        return release(.live, replaced: former.version, evidence: .rollout(rollout.passed))
    }

    /// Quarantines the canary; the champion serves as before. Returns nil, and changes nothing, if no rollout is in
    /// progress.
    mutating func rollBackCanary(evidence: Evidence) -> ModelRelease? {
        guard let rollout = progress.value.rollout else { return nil }
        let version = rollout.model.version
        if rollout.isReturn { roles.value.history.removeAll { $0.model.version == version } }
        roles.value.quarantine(version)
        endRollout()
        return release(.canaryRolledBack, replaced: nil, evidence: evidence)
    }

    /// Ends the rollout in progress, if there is one; the voices about its model are not added to the past.
    mutating func endRollout() {
        guard let rollout = progress.value.rollout else { return }
        progress.value.rollout = nil
        forgetBake(rollout)
        forgetWatch(rollout.model.version)
    }

    // MARK: - Texts

    private func figures(_ rollout: StagedRollout, _ policy: RolloutPolicy, _ time: StreamTime) -> StepFigures {
        let step = policy.step(rollout.step)
        // The share that was announced to services, unless none was announced because of a suspicion: a revision may
        // have changed the steps meanwhile.
        let released = progress.value.released.flatMap { $0.pause == .suspected ? nil : $0.canary }
        let reported = released.flatMap { $0.version == rollout.model.version && $0.step == rollout.step ? $0 : nil }
        let watch = watches[rollout.model.version]
        func log(_ value: Double?) -> Double? { value.flatMap { $0 > 0 ? Reproducible.log($0) : nil } }
        return StepFigures(
            step: rollout.step,
            share: reported.map(\.share) ?? step.share,
            ring: reported.map(\.ring) ?? step.ring,
            from: rollout.since ?? time,
            to: time,
            voices: rollout.voices,
            negative: rollout.negative,
            logEAgainstOther: log(watch?.compared?.evidence.mean),
            logEAgainstPast: log(watch?.evidence.mean),
            logEByLabels: rollout.bake?.logCapital,
            approvedBy: rollout.approvedBy,
            compared: rollout.isChecked(policy) ? rollout.compared : 0,
            differing: rollout.isChecked(policy) ? rollout.differing : 0
        )
    }

    private func approvalText(_ rollout: StagedRollout) -> String {
        "step \(rollout.step) of \(rollout.model.version) has its time and its \(rollout.voices) voices, of which \(rollout.negative) reject: it waits for flywheel releases approve"
    }

    private func missingEvidenceText(_ rollout: StagedRollout, _ step: RolloutStep, _ policy: RolloutPolicy) -> String {
        guard rollout.isCompared(policy) else { return rollout.lacksAnswersText(policy) }
        return
            "the rollout of \(rollout.model.version) is paused at step \(rollout.step): \(rollout.voices) of \(step.voices) voices about it have come. Services have to serve it as model-releases says, and feedback has to name its version"
    }
}

extension ModelRoles {
    /// Quarantines a version, so that it is not served again.
    mutating func quarantine(_ version: ModelVersion) {
        quarantined.append(version)
        if quarantined.count > RolloutState.quarantineCapacity { quarantined.removeFirst() }
    }
}
