public import Events
internal import Telemetry
internal import Vocabulary

extension Evidence {
    /// Describes the figures in a sentence for people. Text from outside the engine is escaped; numbers are rounded to
    /// hundredths.
    ///
    /// - Parameters:
    ///   - winner: The version that the evidence speaks for.
    ///   - loser: The version that it speaks against.
    /// - Returns: The sentence without a full stop; nil if there is no evidence.
    func text(for winner: String, against loser: String) -> String? {
        switch self {
        case .none: nil
        case .paired(let labels, let challengerOnly, let championOnly, let logE, let threshold):
            "on \(labels) audit labels that both predicted, \(winner) agreed better with \(challengerOnly) and \(loser) with \(championOnly); log e \(Self.rounded(logE)) of \(Self.rounded(threshold)) needed"
        case .judged(let evidence):
            "on \(evidence.all.labels) audit labels of era \(evidence.era), of samples predicted before they were queried, challengers agreed better with \(evidence.all.wins) and \(loser) with \(evidence.all.losses)\(evidence.silent > 0 ? " (\(evidence.silent) of all samples without a challenger's prediction in time)" : ""), \(winner) itself agreed better with \(evidence.own.wins) and worse with \(evidence.own.losses); log e \(Self.rounded(evidence.logE)) of \(Self.rounded(evidence.threshold)) needed"
        case .provisional(let labels, let challengerOnly, let championOnly):
            "nothing is claimed: on the \(labels) audit labels known \(winner) agreed better with \(challengerOnly) and \(loser) with \(championOnly)"
        case .feedback(let negative, let total, let expectedRate, let statistic, let threshold):
            "users rejected \(negative) of \(total) predictions of \(loser), where a share of \(Self.rounded(expectedRate)) was expected; the detector reached \(Self.rounded(statistic)) of \(Self.rounded(threshold))"
        case .compared(let voices):
            "at the same time \(voices.negative) of \(voices.total) voices reject \(loser), and \(voices.otherNegative) of \(voices.otherTotal) reject \(ReleaseLogRecord.name(voices.other)), where \(Self.rounded(voices.tolerance)) more is tolerated; log e \(Self.rounded(voices.logE)) of \(Self.rounded(voices.threshold)) needed"
        case .baked(let labels): Self.text(labels, against: loser)
        case .suspected(let verdict): Self.text(verdict, against: loser)
        case .rollout(let steps): Self.text(steps)
        case .command(let id, let by, let reason, let metrics):
            Self.text(command: id, by: by, reason: reason, metrics)
        }
    }

    private static func text(command id: String, by: String, reason: String, _ metrics: [ModelMetric]) -> String {
        let figures = metrics.map { "\(ForeignText.line($0.name, limit: 64)) \($0.value)" }.joined(separator: ", ")
        let words = reason.isEmpty ? "" : ": \(ForeignText.line(reason, limit: 1_100))"
        return
            "\(ForeignText.line(by, limit: 300)) requested it (command \(ForeignText.line(id, limit: 300)))\(words)\(figures.isEmpty ? "" : " [\(figures)]")"
    }

    private static func text(_ labels: BakedLabels, against loser: String) -> String {
        let other = ReleaseLogRecord.name(labels.other)
        return
            "on \(labels.labels) audit labels of its rollout, of samples that \(loser) had served before their tasks were opened, \(other) agreed better with \(labels.otherBetter) and \(loser) with \(labels.canaryBetter); log e \(rounded(labels.logE)) of \(rounded(labels.threshold)) needed"
    }

    private static func text(_ verdict: SuspicionVerdict, against loser: String) -> String {
        let disputed =
            verdict.disputed > 0
            ? "; of \(verdict.disputed) samples that users had rejected it had \(verdict.disputedWrong) wrong" : ""
        return
            "\(verdict.rejecting) of \(verdict.voices) voices rejected \(loser), but would not have raised an alarm without the few buckets of users that rejected most, so audit labels decided: \(loser) had \(plain(verdict.right)) of \(verdict.labels) right; fewer than \(verdict.leastRight) cause a rollback (its accuracy before was at least \(rounded(verdict.accuracy * 100)) %)\(disputed)"
    }

    private static func text(_ steps: [StepFigures]) -> String? {
        guard !steps.isEmpty else { return nil }
        return steps.map { step in
            let whom =
                step.ring.map { "ring \(ForeignText.line("\($0.key)=\($0.value)", limit: 340))" }
                ?? "share \(rounded((step.share ?? 0) * 100) / 100)"
            let person = step.approvedBy.map { ", approved by \(ForeignText.line($0, limit: 300))" } ?? ""
            let answers =
                step.compared > 0
                ? ", \(step.differing) of the newest \(step.compared) answers of services that were compared differ from the trainer's"
                : ""
            return
                "step \(step.step) (\(whom)) from \(RFC3339.text(milliseconds: step.from.milliseconds)) to \(RFC3339.text(milliseconds: step.to.milliseconds)): \(step.negative) of \(step.voices) voices reject\(answers)\(person)"
        }
        .joined(separator: "; ")
    }

    /// To hundredths; a whole number has no point.
    private static func plain(_ value: Double) -> String {
        let rounded = rounded(value)
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    /// To hundredths; 0 has no sign.
    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 + 0 }
}

extension ReleaseLogRecord {
    /// The transition on one line: time, version, states, reason.
    public var line: String {
        let from = transition.from?.rawValue ?? "new"
        let time = RFC3339.text(milliseconds: at.milliseconds)
        return "\(time)  \(Self.name(transition.version))  \(from) -> \(transition.to.rawValue)  \(why)"
    }

    /// The reason of the transition in a sentence.
    public var why: String {
        let proof = evidenceText
        return proof.map { "\(summary); \($0)" } ?? summary
    }

    private var summary: String {
        let other = (transition.replacedBy ?? transition.replaced).map { Self.name($0) } ?? "another version"
        let words = transition.reason.map { ": \(ForeignText.line($0, limit: 1_100))" } ?? ""
        switch (transition.cause, transition.to) {
        case (.trained, _): return "trained, and not released\(words)"
        case (.release(.first), _): return "the first model of the project"
        case (.release(.registered), _): return "served before Flywheel, and was registered"
        case (.release(.shadow), .superseded): return "\(other) shadows in its place"
        case (.release(.shadow), _):
            return transition.replaced == nil ? "shadows the live version" : "shadows in the place of \(other)"
        case (.release(.promoted), .superseded): return "\(other) is better, and was promoted"
        case (.release(.promoted), _): return "better than \(other), and was promoted"
        case (.release(.provisional), .superseded): return "\(other) leads on the few audit labels known, and serves"
        case (.release(.provisional), _):
            return "leads \(other) on the few audit labels known, before anything can be proven"
        case (.release(.canary), .blessed): return "better than the live version"
        case (.release(.canary), .paused): return "its rollout is paused\(words)"
        case (.release(.canary), _): return "serves beside the live version\(words)"
        case (.release(.live), .live): return "its rollout has no further step: it replaces \(other)"
        case (.release(.live), _): return "the rollout of \(other) has no further step, and it serves"
        case (.release(.canaryRolledBack), _): return "rolled back as canary, \(other) serves as before"
        case (.release(.suppression), _): return "a command changed the classes that services may answer with"
        case (.release(.assignment), _): return "shares changed with a revision of the project"
        case (.release(.rolledBack), .quarantined): return "rolled back by feedback, \(other) serves again"
        case (.release(.command), .quarantined): return "rolled back by command, \(other) serves again"
        case (.release(.command), .superseded): return "releases were frozen, and \(other) serves again"
        case (.release(.rolledBack), _), (.release(.command), _): return "serves again, in the place of \(other)"
        }
    }

    /// The evidence, described from the viewpoint of the version that it supports.
    private var evidenceText: String? {
        let (own, replaced, replacing) = (
            Self.name(transition.version), transition.replaced.map { Self.name($0) },
            transition.replacedBy.map { Self.name($0) }
        )
        return transition.evidence.text(
            for: replacing ?? own,
            against: replacing == nil ? replaced ?? "the version before" : own
        )
    }

    static func name(_ version: ModelVersion) -> String { ForeignText.line(version.rawValue, limit: 300) }
}
