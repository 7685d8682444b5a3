import Flywheel
import Rollout
import Statistics
import Tables
import Vocabulary

/// Releases in steps, and their failures.
extension GoldenScenario {
    /// Outcomes that each of the plans with steps must reach.
    static let staged: [String: Set<String>] = [
        "steps": [
            "canary", "live", "assignment", "suppression", "approval_wanted", "other_version_served",
            "suppression_ignored", "nothing_to_approve", "suppression_refused", "blocks", "canary_rolled_back",
            "nobody_serves", "rollout_paused",
        ],
        "disputes": [
            "canary", "labels_in_rollout", "feedback_raid", "trusts", "disputes", "verified",
        ],
    ]

    /// Operators approve a model or suppress a class, services follow or do not, hours elapse, and annotators and
    /// trainers are quick.
    mutating func advanceStaged() {
        switch generator.next(below: 16) {
        case 0:
            let name = ["cat", "dog", "cow", "ox"][generator.next(below: 4)]
            sendCommand(.suppress(generator.next(below: 3) > 0, className: name))
        case 1: sendCommand(.approve(scenario.state.rollout.canary?.version ?? ModelVersion("v77")))
        case 2, 3:
            if let rollout = scenario.state.rollout.progress.value.rollout { follow(rollout) } else { serveOutdated() }
        case 4..<11 where scenario.state.rollout.canary != nil:
            if let rollout = scenario.state.rollout.progress.value.rollout { follow(rollout) }
        default: scenario.hasten()
        }
    }

    /// Without a rollout in progress, publishes a prediction of a former champion, or of a suppressed class.
    private mutating func serveOutdated() {
        let roles = scenario.state.rollout.roles.value
        if generator.next(below: 3) == 0 { scenario.now += 700_000 }
        let former = [roles.quarantined.last, roles.history.first?.model.version].compactMap { $0 }
        if !former.isEmpty, generator.next(below: 2) == 0 { return show(former[generator.next(below: former.count)]) }
        if let champion = roles.champion?.version { show(champion) }
    }

    /// Every third canary is not served by services, waits an hour for voices, and is rolled back; the others receive
    /// feedback and are approved.
    private mutating func follow(_ rollout: StagedRollout) {
        let version = rollout.model.version
        if rollout.isApprovalRequested { return sendCommand(.approve(version)) }
        guard (Int(version.rawValue.dropFirst()) ?? 0) % 3 == 0 else { return receiveFeedback(version) }
        if !rollout.isServed, rollout.unserved < 50, let champion = scenario.state.rollout.roles.value.champion?.version
        {
            for _ in 0..<10 { show(champion) }
        } else if rollout.pause == nil {
            scenario.now += 3_700_000
            scenario.tick()
        } else {
            sendCommand(.rollBack(version))
        }
    }

    /// Adds a confirmation of every serving model, each by another user.
    private mutating func receiveFeedback(_ version: ModelVersion) {
        let rollout = scenario.state.rollout
        let (champion, holdback) = (
            rollout.roles.value.champion?.version, rollout.progress.value.released?.holdback?.version
        )
        for about in [version, champion, holdback].compactMap({ $0 }) {
            giveFeedback(.confirmation, by: "s\(scenario.journal.count)", about: about)
        }
        if generator.next(below: 4) == 0 { scenario.tick() }
    }

    private mutating func sendCommand(_ action: Command.Action) {
        let id = "s\(scenario.journal.count)"
        scenario.append(.command(Command(id: id, action: action, by: "eve", reason: "stage")))
    }

    /// Publishes a prediction of a version, of a suppressed class if there is one.
    private mutating func show(_ version: ModelVersion) {
        let classes = scenario.state.configuration.value?.schema.classes ?? []
        let suppressed = scenario.state.rollout.suppressedClasses.first.flatMap { classes.firstIndex(of: $0) }
        let top = ClassIndex(suppressed ?? generator.next(below: 3))
        let number = generator.next(below: 500)
        scenario.append(
            .candidate(
                Candidate(
                    sample: Sample(id: SampleID("e\(number)"), embedding: [Float(number % 17), Float(number % 5)]),
                    output: ClassDistribution([.init(label: top, probability: 1)]).map(Output.choice),
                    model: ModelReference(name: "m", version: version),
                    score: generator.nextUnit(),
                    auditProbability: nil,
                    auditDraw: 1,
                    predictedAt: StreamTime(milliseconds: scenario.now)
                )
            )
        )
    }
}
