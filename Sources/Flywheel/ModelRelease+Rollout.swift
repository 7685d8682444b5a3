internal import Vocabulary

extension ModelRelease {
    /// The transitions of the canary that a release concerns, and of the champion that it replaces.
    ///
    /// - Parameter before: The staging of the previous release; nil for a project that had none.
    /// - Returns: The transitions in the order in which they happened.
    func rolloutTransitions(after before: Staging?) -> [ModelTransition] {
        let (was, now) = (before?.canary, staging?.canary)
        var transitions: [ModelTransition] = []
        if let was, was.version != now?.version { transitions += ending(was, from: before?.state ?? .canary) }
        guard let now else { return transitions }
        let text = Self.text(now, staging?.pause)
        guard was?.version == now.version else {
            let isReturn = if case .command = evidence { true } else { false }
            if isReturn {
                transitions.append(transition(of: now.version, from: .superseded, to: .canary, because: text))
                return transitions
            }
            return transitions + [
                transition(of: now.version, from: .shadow, to: .blessed),
                transition(of: now.version, from: .blessed, to: .canary, because: text),
            ]
        }
        guard cause == .canary, let from = before?.state, let to = staging?.state else { return transitions }
        return transitions + [transition(of: now.version, from: from, to: to, because: text)]
    }

    /// Returns the transitions of a version that is no longer the canary.
    private func ending(_ canary: Staging.Canary, from state: ReleaseState) -> [ModelTransition] {
        let version = canary.version
        if version == champion.version {
            guard cause == .live else { return [] }
            let former = replaced.map {
                let isBroken = quarantined.contains($0)
                return transition(of: $0, from: .live, to: isBroken ? .quarantined : .superseded, replacedBy: version)
            }
            return [former, transition(of: version, from: state, to: .live, replaced: replaced)].compactMap { $0 }
        }
        if quarantined.contains(version) {
            return [
                transition(of: version, from: state, to: .rollingBack, replacedBy: champion.version),
                transition(of: version, from: .rollingBack, to: .quarantined, replacedBy: champion.version),
            ]
        }
        return [transition(of: version, from: state, to: .superseded, replacedBy: champion.version)]
    }

    private static func text(_ canary: Staging.Canary, _ pause: RolloutPause?) -> String {
        let audience =
            canary.ring.map { "the ring \($0.key)=\($0.value)" } ?? "a share of \(canary.share ?? 0)"
        let rest = pause.map { ", paused: \($0.rawValue)" } ?? ""
        return "step \(canary.step), \(audience)\(rest)"
    }
}
