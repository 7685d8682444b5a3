internal import Hashing
internal import Tables
public import Vocabulary

/// Models that serve beside the champion.
extension RolloutState {
    /// Staging to be announced to services; nil in a project without rollout steps and hold-back.
    ///
    /// - Complexity: O(1).
    public func staging(_ policy: RolloutPolicy) -> Staging? {
        let rollout = progress.value.rollout
        guard policy.stagesPromotions || policy.holdback > 0 || rollout != nil, let champion = roles.value.champion
        else { return nil }
        var shadows: [ModelVersion] = []
        // If trainers predict, no service is expected to shadow.
        if !policy.predicts {
            if let challenger = roles.value.challenger { shadows.append(challenger.version) }
            // The canary shadows where others serve, and the champion where the canary serves: labels compare the two.
            if let rollout { shadows += [rollout.model.version, champion.version] }
        }
        return Staging(
            state: rollout == nil ? .live : rollout?.pause == nil ? .canary : .paused,
            pause: rollout?.pause,
            canary: rollout.map { rollout in
                let step = policy.step(rollout.step)
                let isSuspected = rollout.pause == .suspected
                return Staging.Canary(
                    version: rollout.model.version,
                    artifact: rollout.model.artifact,
                    share: isSuspected ? 0 : step.share,
                    ring: isSuspected ? nil : step.ring,
                    step: rollout.step
                )
            },
            holdback: holdback(policy).map {
                Staging.Holdback(version: $0.version, artifact: $0.artifact, share: policy.holdback)
            },
            shadows: shadows,
            unit: policy.unit
        )
    }

    /// Returns the former champion that continues to serve a share; nil if there is none.
    func holdback(_ policy: RolloutPolicy) -> ReleasedModel? {
        policy.holdback > 0 ? roles.value.history.last?.model : nil
    }

    /// Records the staging that a release announces: to be called for every release, with the staging included in it.
    public mutating func noteStaging(_ staging: Staging?, at time: StreamTime) {
        guard staging != nil || progress.value.released != nil else { return }
        progress.value.released = staging
        progress.value.releasedAt = time
    }

    /// Returns a release that announces changed shares, if a revision of the project has changed them.
    public func reassign(_ policy: RolloutPolicy) -> ModelRelease? {
        guard staging(policy) != progress.value.released else { return nil }
        return release(.assignment, replaced: nil, evidence: .none)
    }

    /// Whether a version serves users, so that their feedback about it counts. A canary that serves no users while it
    /// is suspected has served: late voices count.
    func serves(_ version: ModelVersion, _ policy: RolloutPolicy) -> Bool {
        if version == progress.value.rollout?.model.version { return true }
        if version == roles.value.champion?.version { return !isChampionReplaced(policy) }
        return version == holdback(policy)?.version
    }

    /// Whether no share remains for the champion beside canary and hold-back.
    private func isChampionReplaced(_ policy: RolloutPolicy) -> Bool {
        guard let rollout = progress.value.rollout, rollout.pause != .suspected else { return false }
        return policy.step(rollout.step).share == 1
    }

    /// Returns the version that serves at the same time and that a version is compared with; nil if there is none.
    ///
    /// The canary is compared with the champion, or with the hold-back if the champion no longer serves; the champion
    /// is compared with the hold-back.
    func rival(of version: ModelVersion, _ policy: RolloutPolicy) -> ModelVersion? {
        guard let champion = roles.value.champion?.version else { return nil }
        let former = holdback(policy)?.version
        let isCanary = version == progress.value.rollout?.model.version
        if isCanary, !isChampionReplaced(policy) { return champion }
        guard isCanary || version == champion, former != version else { return nil }
        return former
    }

    /// Returns the share that a version serves; nil if it is not known, as for a ring.
    func share(of version: ModelVersion, _ policy: RolloutPolicy) -> Double? {
        if version == holdback(policy)?.version { return policy.holdback }
        let rollout = progress.value.rollout
        let canary = rollout.flatMap { $0.pause == .suspected ? 0 : policy.step($0.step).share }
        if version == rollout?.model.version { return canary.map { min($0, 1 - policy.holdback) } }
        return max(0, 1 - policy.holdback - (canary ?? 0))
    }
}

/// Predictions that services show.
extension RolloutState {
    /// Time that services are given to follow a release, in milliseconds.
    private static let deployment: Int64 = 600_000
    /// Milliseconds before the notice is repeated.
    private static let interval: Int64 = 3_600_000
    /// Number of predictions expected of the canary, by its share, before it counts as not served.
    private static let expected = 10.0

    /// Records a prediction that a service showed.
    ///
    /// - Parameters:
    ///   - version: The version that made the prediction.
    ///   - policy: The revision in force.
    ///   - time: The time of the entry.
    /// - Returns: A notice that no service serves the canary, once a rollout; or that a service serves a version which
    ///   the release does not name, once an hour, from 10 minutes after the release on.
    public mutating func noteShown(by version: ModelVersion, policy: RolloutPolicy, at time: StreamTime) -> Notice? {
        guard let released = progress.value.released, let champion = roles.value.champion?.version else { return nil }
        if let rollout = progress.value.rollout {
            if version == rollout.model.version {
                if !rollout.isServed { progress.value.rollout?.isServed = true }
                return nil
            }
            if version == champion, rollout.pause != .suspected, let notice = noteMissingCanary(rollout, policy) {
                return notice
            }
        }
        guard version != champion, version != released.holdback?.version, !released.shadows.contains(version),
            knows(version), let since = progress.value.releasedAt, time.milliseconds(since: since) >= Self.deployment,
            progress.value.otherReportedAt.map({ time.milliseconds(since: $0) >= Self.interval }) ?? true
        else { return nil }
        progress.value.otherReportedAt = time
        let text =
            "a service shows predictions of \(version), which the release does not name: \(champion) is champion\(canary.map { " and \($0.version) on its way" } ?? "")"
        return Notice(kind: .otherVersionServed, text: text)
    }

    /// Counts a prediction of the champion while no service has shown a prediction of the canary.
    private mutating func noteMissingCanary(_ rollout: StagedRollout, _ policy: RolloutPolicy) -> Notice? {
        // The share of a ring is not known, so a hundredth is assumed.
        let share = policy.step(rollout.step).share ?? 0.01
        let enough = Int((Self.expected / share).rounded(.up))
        guard !rollout.isServed, rollout.unserved < enough else { return nil }
        progress.value.rollout?.unserved += 1
        guard rollout.unserved + 1 == enough else { return nil }
        let text =
            "nobody serves \(rollout.model.version), which is at step \(rollout.step) of its rollout: \(enough) predictions of the champion were shown and none of it. Services have to serve `canary` of model-releases to its share"
        return Notice(kind: .nobodyServes, text: text)
    }
}

extension ModelRelease {
    /// Returns the version that serves a unit: the draw of purpose `canary`, without salt, decides.
    ///
    /// - Parameters:
    ///   - unit: A user or a sample, as `staging` specifies.
    ///   - project: The project of the release.
    ///   - metadata: The metadata of the sample, for a ring.
    /// - Returns: The champion if the release names no other version.
    /// - Complexity: O(*n*) in the bytes of the names.
    public func version(for unit: String, of project: ProjectID, metadata: SampleMetadata = .none) -> ModelVersion {
        guard let staging else { return champion.version }
        let draw = StableHash.unit(project: project.rawValue, purpose: "canary", key: unit)
        return staging.version(champion: champion.version, draw: draw, metadata: metadata)
    }
}
