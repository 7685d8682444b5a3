internal import Rollout
internal import Tables
internal import Vocabulary

extension ProjectState {
    /// Decides a release, and notes who serves from now on.
    mutating func decide(_ release: ModelRelease, insteadOf challenger: ModelVersion? = nil, _ step: inout Step) {
        rollout.noteService(at: step.context.time)
        var release = release
        let before = rollout.progress.value.released
        release.staging = configuration.value.flatMap { rollout.staging($0.rollout) }
        rollout.noteStaging(release.staging, at: step.context.time)
        step.decide(release, insteadOf: challenger)
        step.transitions += release.rolloutTransitions(after: before)
    }
}

extension Step {
    /// Decides a release, and collects the transitions that follow from it.
    ///
    /// - Parameters:
    ///   - release: The release.
    ///   - challenger: The version that shadowed before; of a release that begins another shadow.
    mutating func decide(_ release: ModelRelease, insteadOf challenger: ModelVersion? = nil) {
        decide(.release(release))
        transitions += release.transitions(insteadOf: challenger)
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
    /// They come after all other decisions of the entry: the ids of tasks and requests contain the ordinal of the decision, and
    /// a journal of an earlier build names tasks by ids that were assigned without transitions.
    mutating func decideTransitions(under configuration: ProjectConfiguration) {
        guard !transitions.isEmpty else { return }
        for transition in transitions { decide(.transition(transition, under: configuration)) }
        transitions = []
    }
}

extension ModelRelease {
    /// The transitions of the versions that a release concerns. A version that gives up a state comes before the one that takes
    /// it over, so that no two versions are live, or shadow, at once.
    func transitions(insteadOf challenger: ModelVersion?) -> [ModelTransition] {
        let live = champion.version
        switch cause {
        case .first, .registered: return [transition(of: live, from: nil, to: .live)]
        case .shadow:
            guard let shadow = self.challenger?.version else { return [] }
            let former = challenger.map { transition(of: $0, from: .shadow, to: .superseded, replacedBy: shadow) }
            return [former, transition(of: shadow, from: nil, to: .shadow, replaced: challenger)].compactMap { $0 }
        case .promoted, .provisional:
            let former = replaced.map { transition(of: $0, from: .live, to: .superseded, replacedBy: live) }
            return [former, transition(of: live, from: .shadow, to: .live, replaced: replaced)].compactMap { $0 }
        case .rolledBack, .command:
            // A freeze takes a version back without a word against it.
            let former = replaced.map {
                let isBroken = quarantined.contains($0)
                return transition(of: $0, from: .live, to: isBroken ? .quarantined : .superseded, replacedBy: live)
            }
            guard replaced != nil else { return [] }
            return [former, transition(of: live, from: .superseded, to: .live, replaced: replaced)].compactMap { $0 }
        // Of the canary: `rolloutTransitions`.
        case .canary, .live, .canaryRolledBack, .assignment: return []
        }
    }

    func transition(
        of version: ModelVersion,
        from: ReleaseState?,
        to: ReleaseState,
        replaced: ModelVersion? = nil,
        replacedBy: ModelVersion? = nil,
        because words: String? = nil
    ) -> ModelTransition {
        var (by, reason): (String?, String?) = (nil, words)
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
