import Acquisition
import Datasets
import Events
import Flywheel
import Foundation
import Hashing
import Labeling
import Rollout
import Statistics
import Tables
import Training
import Vocabulary

/// A project in which one model becomes champion, a better one passes all steps, with pauses of every kind on its way,
/// and a broken one is rolled back as canary.
struct RolloutLife {
    struct Entry {
        let entry: JournalEntry
        let appendedAt: StreamTime
        let decisions: [Decision]
    }

    private(set) var journal: [Entry] = []
    /// State before the first entry.
    let initial: ProjectState
    private(set) var state: ProjectState
    private(set) var labelTime = RolloutResult.CallTime()
    private(set) var voiceTime = RolloutResult.CallTime()

    private static let project = ProjectID("rollout")
    private static let hour: Int64 = 3_600_000
    private let plan: RolloutPlan
    private var generator: SplitMix64
    private var now: Int64 = 0
    private var count = 0
    private var request: RequestID?
    private var hasHeld = false
    private var hasRaided = false
    private var isSilent: Bool { rollout?.step == 1 && rollout?.pause == nil && !hasPaused }
    private var hasPaused = false

    init(_ plan: RolloutPlan) {
        self.plan = plan
        generator = SplitMix64(projectHash: plan.seed, entryNumber: 0)
        var state = ProjectState(project: Self.project)
        // Three versions were cut before and wait to be sealed.
        for versionNumber in 1...3 {
            let start = StreamTime(milliseconds: 0)
            state.datasets.pending[versionNumber] = PendingCut(cutAt: start, newestSampleAt: start)
        }
        state.commit()
        initial = state
        self.state = state
    }

    private var rollout: StagedRollout? { state.rollout.progress.value.rollout }
    private var staging: Staging? { state.rollout.progress.value.released }

    /// Simulates the whole life: the rollout, and two days for the broken model.
    mutating func run() {
        apply(.configured(configuration))
        train(1)
        for _ in 0..<24 { simulateHour() }
        train(2)
        addAuditLabels("better", newerIsRight: true)
        let end = now + Int64(plan.days) * 86_400_000
        while now < end {
            if rollout == nil, state.training.progress.value.studies < 3, staging?.canary == nil { break }
            performDueActions()
            simulateHour()
        }
        train(3)
        addAuditLabels("other", newerIsRight: true)
        for _ in 0..<48 where rollout != nil {
            simulateHour(broken: "v3")
            if rollout?.pause == .suspected { addAuditLabels("broken-\(count)", newerIsRight: false) }
        }
    }

    /// Applies the actions of people that are due at this point of the rollout.
    private mutating func performDueActions() {
        guard let rollout else { return }
        if rollout.pause == .insufficientEvidence { hasPaused = true }
        if rollout.step == 1, hasPaused, !hasHeld {
            command(.hold)
            hasHeld = true
        } else if state.rollout.roles.value.isHeld {
            command(.releaseHold)
        }
        if rollout.step == min(2, plan.steps), !hasRaided, rollout.voices > 5 {
            hasRaided = true
            raid(rollout.model.version)
        }
        if rollout.pause == .suspected { addAuditLabels("cleared-\(count)", newerIsRight: true) }
        if rollout.isApprovalRequested, rollout.approvedBy == nil { command(.approve(rollout.model.version)) }
    }

    // MARK: - An hour

    private mutating func simulateHour(broken: String? = nil) {
        for _ in 0..<plan.voicesPerHour {
            now += Self.hour / Int64(plan.voicesPerHour)
            addDueTicks()
            let user = "user-\(generator.next(below: 10_000))"
            guard let version = served(user) else { continue }
            // No feedback about it is sent until its rollout is paused.
            if isSilent, version == rollout?.model.version { continue }
            feedback(user, version, generator.nextUnit() < (version.rawValue == broken ? 0.9 : 0.1))
        }
        predict("live-\(count)", newerIsRight: true)
    }

    /// Simulates a raid: twelve accounts reject a version within minutes, while honest users confirm the champion.
    private mutating func raid(_ version: ModelVersion) {
        let champion = state.rollout.roles.value.champion?.version ?? version
        for account in 0..<12 {
            for honest in 0..<4 { feedback("honest-\(account)-\(honest)", champion, false) }
            feedback("account-\(account)", version, true)
            now += 60_000
        }
    }

    private func served(_ user: String) -> ModelVersion? {
        guard let champion = state.rollout.roles.value.champion?.version else { return nil }
        let draw = StableHash.unit(project: Self.project.rawValue, purpose: "canary", key: user)
        return staging?.version(champion: champion, draw: draw) ?? champion
    }

    private mutating func feedback(_ user: String, _ version: ModelVersion, _ isNegative: Bool) {
        count += 1
        apply(
            .feedback(
                Feedback(
                    key: UInt64(count) &* 0x9e37_79b9_7f4a_7c15,
                    sample: SampleID("f"),
                    modelVersion: version,
                    user: UserDigest(user),
                    verdict: isNegative ? .rejection : .confirmation,
                    answer: nil
                )
            )
        )
    }

    // MARK: - Labels

    /// Adds audit samples, on which the newer model is right and the champion is not if `newerIsRight`, and their
    /// labels, until the release changes or 120 samples were added.
    private mutating func addAuditLabels(_ name: String, newerIsRight: Bool) {
        let before = staging
        for number in 0..<120 {
            predict("\(name)-\(number)", newerIsRight: newerIsRight)
            // Audit samples get only a share of the tasks, other samples the rest.
            predict("\(name)-pool-\(number)", newerIsRight: newerIsRight, isAudit: false)
            now += 3_000
            addDueTicks()
            answer()
            if staging != before { return }
        }
    }

    /// Applies the predictions of champion, challenger and canary for an audit sample.
    private mutating func predict(_ sample: String, newerIsRight: Bool, isAudit: Bool = true) {
        let roles = state.rollout.roles.value
        let newer = [roles.challenger?.version, rollout?.model.version].compactMap { $0 }
        let all = newer.map { ($0, true) } + [roles.champion?.version].compactMap { $0 }.map { ($0, false) }
        for (version, isNewer) in all {
            let isRight = isNewer && newerIsRight && count % 9 != 0
            let output = ClassDistribution([
                .init(label: ClassIndex(isRight ? 0 : 1), probability: 0.7),
                .init(label: ClassIndex(isRight ? 1 : 0), probability: 0.3),
            ])
            apply(
                .candidate(
                    Candidate(
                        sample: Sample(id: SampleID(sample), content: .uri("https://x.example/\(sample)")),
                        output: output.map(Output.choice),
                        model: ModelReference(
                            name: "m",
                            version: version,
                            role: version == roles.challenger?.version ? .challenger : .champion
                        ),
                        score: 0.3,
                        auditProbability: isAudit ? 0.9 : nil,
                        auditDraw: isAudit ? 0.5 : 0.95,
                        predictedAt: StreamTime(milliseconds: now)
                    )
                )
            )
        }
        count += 1
    }

    /// Answers the open tasks.
    private mutating func answer() {
        while let task = state.labeling.open.sortedRows.first?.key {
            let outcome = Annotation.Outcome.answer(.choice(ClassIndex(0)))
            apply(.annotation(Annotation(task: task, annotator: AnnotatorID("a"), outcome: outcome)))
        }
    }

    // MARK: - Entries

    /// Simulates the study of a version, which requests a model and receives it.
    private mutating func train(_ versionNumber: Int) {
        let artifact = ArtifactReference(
            uri: "s3://m/\(versionNumber)",
            size: 7,
            sha256: String(repeating: "a", count: 64)
        )
        apply(
            .versionSealed(
                SealedVersion(
                    id: DatasetVersionID(String(repeating: "\(versionNumber)", count: 64)),
                    versionNumber: versionNumber,
                    parent: nil,
                    semanticVersion: "\(versionNumber).0.0",
                    manifest: artifact,
                    training: versionNumber * 100,
                    validation: 0,
                    test: 0
                )
            )
        )
        guard let request else { return }
        let outcome = TrainingResult.Outcome.finished(artifact: artifact, score: 0.5, itemsScored: 0, predictions: nil)
        apply(.trainingResult(TrainingResult(request: request, trial: 0, repetition: 0, outcome: outcome)))
    }

    private mutating func command(_ action: Command.Action) {
        count += 1
        apply(.command(Command(id: "c\(count)", action: action, by: "ada", reason: "bench")))
    }

    /// Adds ticks at the deadlines that have passed, as the worker writes them.
    private mutating func addDueTicks() {
        for _ in 0..<1_000 {
            guard let deadline = state.nextDeadline, deadline.milliseconds <= now else { return }
            let time = now
            now = deadline.milliseconds
            apply(.tick(ChainMark(entryNumber: state.position.value.entryNumber, digest: "")))
            now = time
        }
    }

    private mutating func apply(_ body: JournalEntry.Body) {
        let entry = JournalEntry(project: Self.project, body: body)
        let at = StreamTime(milliseconds: now)
        let began = ProcessUsage.now().clock
        let decisions = state.apply(entry, appendedAt: at)
        let seconds = ProcessUsage.now().clock - began
        if case .feedback = body { voiceTime.add(seconds) }
        if case .annotation = body { labelTime.add(seconds) }
        for decision in decisions { if case .training(let training) = decision.body { request = training.id } }
        journal.append(Entry(entry: entry, appendedAt: at, decisions: decisions))
        state.commit()
    }

    private var configuration: ProjectConfiguration {
        var acquisition = AcquisitionPolicy(
            batchSize: 4,
            poolCapacity: 10,
            openTaskLimit: 8,
            auditShare: 0.9,
            votes: 1_000_000,
            window: 86_400_000,
            maximumWait: 1_000
        )
        (acquisition.edition, acquisition.auditFirst) = (2, 0)
        return ProjectConfiguration(
            project: Self.project,
            revision: 1,
            partition: 0,
            schema: LabelSchema(question: "Which?", classes: ["a", "b"]),
            acquisition: acquisition,
            labeling: LabelingPolicy(minimumVotes: 1, maximumVotes: 1),
            datasets: DatasetPolicy(cutEvery: 1_000_000, cutAfter: 300_000_000_000),
            training: TrainingPolicy(newLabels: 1, trials: [Hyperparameters()], repeats: 1),
            rollout: plan.policy
        )
    }
}
