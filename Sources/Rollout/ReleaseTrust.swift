internal import Tables
public import Vocabulary

/// The time that a version has been champion.
public struct ServiceTime: Hashable, Sendable {
    public let version: ModelVersion
    /// The time at which it last became champion; nil while it is not champion.
    public var since: StreamTime?
    /// Total time as champion before that, in milliseconds.
    public var before: Int64
    /// Time at which it was last replaced, in a project with rollout steps; nil if that is not known.
    public var until: StreamTime?

    public init(version: ModelVersion, since: StreamTime?, before: Int64 = 0, until: StreamTime? = nil) {
        self.until = until
        self.version = version
        self.since = since
        self.before = before
    }

    /// Returns the total time as champion, in milliseconds.
    func total(at time: StreamTime) -> Int64 {
        min(before.adding(since.map { max(0, time.milliseconds(since: $0)) } ?? 0), Self.longest)
    }

    /// Upper limit of a total: a stored row holds no larger number.
    static let longest: Int64 = 1 << 53
}

/// Whether releases are frozen, and how long the versions that a freeze could return to have served.
public struct ReleaseTrust: Hashable, Sendable {
    /// Whether an operator stopped promotions and studies.
    public var isFrozen: Bool
    /// Service times of the champion and of the former champions that are kept; at most `capacity`.
    public var served: [ServiceTime]

    /// Maximum number of service times: those of the champion and of the former champions that are kept.
    public static let capacity = RolloutState.historyCapacity + 1

    public init(isFrozen: Bool = false, served: [ServiceTime] = []) {
        self.isFrozen = isFrozen
        self.served = served
    }
}

extension RolloutState {
    /// Whether promotions and studies are stopped.
    public var isFrozen: Bool { trust.value.isFrozen }

    /// Records which version is champion from now on; to be called after every release.
    public mutating func noteService(at time: StreamTime) {
        let (roles, old) = (roles.value, trust.value)
        let champion = roles.champion?.version
        var new = old
        for index in new.served.indices where new.served[index].since != nil {
            guard new.served[index].version != champion else { continue }
            new.served[index].before = new.served[index].total(at: time)
            new.served[index].since = nil
            if progress.value.released != nil { new.served[index].until = time }
        }
        if let champion {
            if let index = new.served.firstIndex(where: { $0.version == champion }) {
                new.served[index].since = new.served[index].since ?? time
            } else {
                new.served.append(ServiceTime(version: champion, since: time))
            }
        }
        new.served.removeAll { served in
            served.version != champion && !roles.history.contains { $0.model.version == served.version }
        }
        if new != old { trust.value = new }
    }

    /// Stops promotions and studies, and returns to the last champion that served for long enough.
    ///
    /// The champion stays if it has served for that long itself, or if no former champion has. A version whose service
    /// time is not known served before service times were recorded, and counts as trusted. Former champions newer than
    /// the one that serves again are removed: no rollback returns to them. A rollout in progress ends. No version is
    /// quarantined.
    ///
    /// - Parameters:
    ///   - policy: The revision in force.
    ///   - evidence: The command.
    ///   - time: The time of the entry.
    /// - Returns: The release, if another model serves from now on, or a canary no longer does.
    public mutating func freeze(policy: RolloutPolicy, evidence: Evidence, at time: StreamTime) -> ModelRelease? {
        trust.value.isFrozen = true
        var state = roles.value
        guard let champion = state.champion, !isTrusted(champion.version, policy, time),
            let index = state.history.lastIndex(where: { isTrusted($0.model.version, policy, time) })
        else {
            // The champion stays, and the model in rollout no longer serves any users.
            guard progress.value.rollout != nil else { return nil }
            endRollout()
            return release(.command, replaced: nil, evidence: evidence)
        }
        let former = state.history[index]
        state.champion = former.model
        state.history.removeSubrange(index...)
        state.evidenceThrough = nil
        state.changedEvidence = 0
        roles.value = state
        watch.value = FeedbackWatch(expectedRate: former.expectedRate)
        endRollout()
        recountPairs()
        endEra()
        return release(.command, replaced: champion.version, evidence: evidence)
    }

    /// Allows promotions and studies again.
    public mutating func endFreeze() { trust.value.isFrozen = false }

    private func isTrusted(_ version: ModelVersion, _ policy: RolloutPolicy, _ time: StreamTime) -> Bool {
        let served = trust.value.served.first { $0.version == version }
        return served.map { $0.total(at: time) >= policy.bakeBeforeTrust } ?? true
    }
}
