import Acquisition
import Flywheel
import Kinds
import Labeling
import Rollout
import Statistics
import Tables
import Vocabulary

/// A few users who dispute predictions of a champion or a canary, and canaries that perform worse in service than as
/// shadows.
extension GoldenScenario {
    mutating func dispute() {
        let rollout = scenario.state.rollout
        let draw = generator.next(below: 8)
        let isWaiting = rollout.canary == nil && rollout.roles.value.challenger == nil
        if draw == 7 || isWaiting && draw < 5 { return scenario.hasten() }
        if rollout.isSuspected, draw == 0 { return predictDisputed(rollout.verificationsWithoutContent.first) }
        if let canary = rollout.canary?.version, let champion = rollout.roles.value.champion?.version,
            !rollout.isSuspected
        {
            if rollout.watches[champion]?.total ?? 0 < 12 { return confirm(champion) }
            if kind(of: canary) != 2, draw < 3 { return raid(canary) }
        }
        if !scenario.state.labeling.open.isEmpty { return answer() }
        let differing = scenario.state.acquisition.audit.pairings.count { $1.stratum == .disagree }
        if differing < 3 { return compare() }
        // Time does not advance to the next deadline, because tasks would expire.
        scenario.now += 2_100
        scenario.append(.tick(ChainMark(entryNumber: scenario.state.position.value.entryNumber, digest: "")))
    }

    /// Kind of a canary. Kind 0 is disputed and as wrong as the champion, kind 2 is undisputed and alone wrong, and the
    /// others are disputed and right.
    private func kind(of canary: ModelVersion) -> Int { (Int(canary.rawValue.dropFirst()) ?? 0) % 4 }

    /// Several users confirm predictions of a version.
    private mutating func confirm(_ version: ModelVersion) {
        for _ in 0..<4 { giveFeedback(.confirmation, by: "s\(scenario.journal.count)", about: version) }
    }

    /// Six users reject samples that wait in the pool, audit samples, and an unknown sample.
    private mutating func raid(_ version: ModelVersion?) {
        guard let version else { return }
        let pooled = scenario.state.acquisition.pool.candidates.sortedRows
            .filter { $1.candidate.model?.version == version }.map(\.key)
        let audited = scenario.state.rollout.rows.sortedRows.filter { $1.label == nil }.map(\.key)
        let samples = pooled.prefix(3) + audited.prefix(2) + [SampleID("n\(generator.next(below: 40))")]
        for user in 0..<6 {
            let sample = samples[generator.next(below: samples.count)]
            giveFeedback(.rejection, by: "r\(user)", about: version, of: sample)
        }
        scenario.now += 600
    }

    /// Predicts a disputed sample, as if Intake had forwarded it because of its name.
    private mutating func predictDisputed(_ sample: SampleID?) {
        guard let sample, let version = scenario.state.rollout.verifications[sample]?.version else {
            return scenario.tick()
        }
        predict(sample, by: version, generator.next(below: 3), isAudit: false)
    }

    /// Champion and canary, or challenger, see an audit sample: of some of them the newer one is always wrong.
    private mutating func compare() {
        let rollout = scenario.state.rollout
        guard let champion = rollout.roles.value.champion?.version else { return scenario.hasten() }
        let number = generator.next(below: 2_000)
        let sample = SampleID("d\(number)")
        let newer = rollout.canary?.version ?? rollout.roles.value.challenger?.version
        let kind = rollout.canary.map { self.kind(of: $0.version) }
        let (right, wrong) = (number % 3, (number + 1) % 3)
        predict(sample, by: champion, kind == 2 || kind == 1 || kind == 3 ? right : wrong, isAudit: true)
        if let newer { predict(sample, by: newer, kind == 0 || kind == 2 ? wrong : right, isAudit: true) }
    }

    /// Annotators answer an open task about a sample of `compare`, or another task if there is none.
    private mutating func answer() {
        let open = scenario.state.labeling.open.sortedRows
        let known = open.first { $0.value.selection.sample.id.rawValue.hasPrefix("d") }
        guard let task = known ?? open.first else { return scenario.hasten() }
        let number = Int(task.value.selection.sample.id.rawValue.dropFirst()) ?? 0
        for who in ["a1", "a2", "a3"] {
            let outcome = Annotation.Outcome.answer(.choice(ClassIndex(number % 3)))
            let annotation = Annotation(task: task.key, annotator: AnnotatorID(who), outcome: outcome, duration: 900)
            scenario.append(.annotation(annotation))
            if scenario.state.labeling.open[task.key] == nil { return }
        }
    }

    private mutating func predict(_ sample: SampleID, by version: ModelVersion, _ top: Int, isAudit: Bool) {
        scenario.append(
            .candidate(
                Candidate(
                    sample: Sample(id: sample, embedding: [Float(generator.next(below: 17)), 3]),
                    output: ClassDistribution([.init(label: ClassIndex(top), probability: 1)]).map(Output.choice),
                    model: ModelReference(name: "m", version: version),
                    score: 0.4,
                    auditProbability: isAudit ? 0.4 : nil,
                    auditDraw: isAudit ? generator.nextUnit() * 0.4 : 1,
                    predictedAt: StreamTime(milliseconds: scenario.now),
                    isBelowThreshold: !isAudit
                )
            )
        )
    }
}
