internal import Rollout
internal import Tables
internal import Vocabulary

extension ProjectState {
    /// Decides a release, and notes which models serve from now on.
    mutating func decide(
        _ release: ModelRelease,
        insteadOf challenger: ModelVersion? = nil,
        hasWaited: Bool = false,
        _ step: inout Step
    ) {
        rollout.noteService(at: step.context.time)
        var release = release
        let before = rollout.progress.value.released
        release.staging = configuration.value.flatMap { rollout.staging($0.rollout) }
        release.suppressed = rollout.suppressedClasses
        rollout.noteStaging(release.staging, at: step.context.time)
        step.decide(release, insteadOf: challenger, hasWaited: hasWaited)
        step.transitions += release.rolloutTransitions(after: before)
    }

    /// Lets the waiting model replace the challenger, if nothing delays it any more.
    mutating func admitWaiting(_ configuration: ProjectConfiguration, _ step: inout Step) {
        let challenger = rollout.roles.value.challenger?.version
        guard let release = rollout.admitWaiting(policy: configuration.rollout, at: step.context.time) else { return }
        decide(release, insteadOf: challenger, hasWaited: true, &step)
        promoteIfBetter(configuration, &step)
    }
}

extension Step {
    /// Decides a release, and collects the transitions that follow from it.
    ///
    /// - Parameters:
    ///   - release: The release.
    ///   - challenger: The version that shadowed before; for a release that begins another shadow.
    ///   - hasWaited: Whether the version that shadows now had to wait for it.
    mutating func decide(
        _ release: ModelRelease,
        insteadOf challenger: ModelVersion? = nil,
        hasWaited: Bool = false
    ) {
        decide(.release(release))
        transitions += release.transitions(insteadOf: challenger, hasWaited: hasWaited)
    }

    /// Collects the transitions of a trained model that waits, and of the one that waited before it.
    ///
    /// - Parameters:
    ///   - version: The newest model.
    ///   - challenger: The version that it waits to replace; nothing is collected if there is none.
    ///   - former: The version that waited before, which is never admitted.
    mutating func wait(_ version: ModelVersion, for challenger: ModelVersion?, insteadOf former: ModelVersion?) {
        guard let challenger else { return }
        if let former {
            transitions.append(
                ModelTransition(
                    version: former,
                    from: .registered,
                    to: .superseded,
                    cause: .trained,
                    replacedBy: version,
                    evidence: .none
                )
            )
        }
        keepBack(version, because: "it waits until \(challenger), of an era that suffices to promote, is heard out")
    }

    /// Collects the transition of a trained model that does not go live.
    mutating func keepBack(_ version: ModelVersion, because reason: String) {
        transitions.append(
            ModelTransition(
                version: version,
                from: nil,
                to: .registered,
                cause: .trained,
                reason: reason,
                evidence: .none
            )
        )
    }

    /// Decides the collected transitions, in the order in which they happened.
    ///
    /// They follow all other decisions of the entry: the ids of tasks and requests contain the index of the decision,
    /// and a journal of an earlier build names tasks by ids that were assigned without transitions.
    mutating func decideTransitions(under configuration: ProjectConfiguration) {
        guard !transitions.isEmpty else { return }
        for transition in transitions { decide(.transition(transition, under: configuration)) }
        transitions = []
    }
}

extension ModelRelease {
    /// The transitions of the versions that a release concerns. A version that loses a state precedes the version that
    /// enters it, so that no two versions are live, or shadow, at once.
    func transitions(insteadOf challenger: ModelVersion?, hasWaited: Bool) -> [ModelTransition] {
        let live = champion.version
        switch cause {
        case .first, .registered: return [transition(of: live, from: nil, to: .live)]
        case .shadow:
            guard let shadow = self.challenger?.version else { return [] }
            let former = challenger.map { transition(of: $0, from: .shadow, to: .superseded, replacedBy: shadow) }
            let before = hasWaited ? ReleaseState.registered : nil
            return [former, transition(of: shadow, from: before, to: .shadow, replaced: challenger)].compactMap { $0 }
        case .promoted, .provisional:
            let former = replaced.map { transition(of: $0, from: .live, to: .superseded, replacedBy: live) }
            return [former, transition(of: live, from: .shadow, to: .live, replaced: replaced)].compactMap { $0 }
        case .rolledBack, .command:
            // A freeze rolls a version back without evidence against it.
            let former = replaced.map {
                let isBroken = quarantined.contains($0)
                return transition(of: $0, from: .live, to: isBroken ? .quarantined : .superseded, replacedBy: live)
            }
            guard replaced != nil else { return [] }
            return [former, transition(of: live, from: .superseded, to: .live, replaced: replaced)].compactMap { $0 }
        // `rolloutTransitions` returns those of the canary.
        case .canary, .live, .canaryRolledBack, .assignment, .suppression: return []
        }
    }

    func transition(
        of version: ModelVersion,
        from: ReleaseState?,
        to: ReleaseState,
        replaced: ModelVersion? = nil,
        replacedBy: ModelVersion? = nil,
        because text: String? = nil
    ) -> ModelTransition {
        var (by, reason): (String?, String?) = (nil, text)
        if case .command(_, let operatorName, let words, _) = evidence { (by, reason) = (operatorName, words) }
        return ModelTransition(
            version: version,
            from: from,
            to: to,
            cause: .release(cause),
            by: by,
            reason: reason,
            replaced: replaced,
            replacedBy: replacedBy,
            evidence: evidence
        )
    }
}
