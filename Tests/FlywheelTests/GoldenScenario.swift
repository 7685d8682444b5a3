import Acquisition
import Datasets
import Events
import Flywheel
import Labeling
import Rollout
import Statistics
import Tables
import Training
import Vocabulary

/// A scenario that follows a plan and, in addition to the usual entries, sends rare or wrong ones.
struct GoldenScenario {
    let plan: GoldenPlan
    var scenario: Scenario
    var generator: SplitMix64
    private var revision = 1

    /// The journal of a plan, for the first seed with which tasks, a study and a challenger are open after the middle
    /// entry, and a champion is rolled back and silence is reported at some time; nil if none of the first thousand
    /// seeds qualifies.
    static func journal(of plan: GoldenPlan) -> [Appended]? {
        for seed in 0..<1_000 as Range<UInt64> {
            var golden = GoldenScenario(plan, seed: seed)
            golden.run(to: plan.middle)
            let state = golden.scenario.state
            let isTraining = state.training.progress.value.running != nil
            // In this plan a canary is in rollout most of the time.
            guard golden.scenario.journal.count == plan.middle || plan.name == "disputes", !state.labeling.open.isEmpty,
                isTraining && state.rollout.roles.value.challenger != nil || plan.name == "disputes",
                plan.name != "eras" || golden.isJudging,
                plan.name != "moves" || !state.datasets.window.isEmpty
            else { continue }
            golden.run(to: plan.entries)
            guard golden.hasRolledBack, golden.hasReportedSilence, golden.hasChanged, golden.hasBeenRaided
            else { continue }
            return golden.scenario.journal.prefix(plan.entries).enumerated().map { golden.reported($1, at: $0) }
        }
        return nil
    }

    init(_ plan: GoldenPlan, seed: UInt64) {
        self.plan = plan
        scenario = Scenario(seed: seed, first: plan.revisions[0])
        generator = SplitMix64(seed: seed ^ 0x676F_6C64)
    }

    /// Whether all tables of eras have rows.
    private var isJudging: Bool {
        let (rollout, audit) = (scenario.state.rollout, scenario.state.acquisition.audit)
        return !rollout.openings.isEmpty && !rollout.bets.isEmpty && !audit.pairings.isEmpty
    }

    private var hasRolledBack: Bool {
        // In these plans all rejections may come from a raid.
        ["raids", "steps", "disputes", "moves", "predicted"].contains(plan.name)
            || scenario.decisions.prefix(plan.entries).joined().contains {
                guard case .release(let release) = $0.body else { return false }
                return release.cause == (plan.rollsBackByCommand ? .command : .rolledBack)
            }
    }

    /// Whether the plan `silence` reports each kind of silence; true for other plans.
    private var hasReportedSilence: Bool {
        let kinds = scenario.decisions.prefix(plan.entries).joined().compactMap {
            if case .notice(let notice) = $0.body { notice.kind } else { nil }
        }
        return plan.name != "silence" || Set(kinds).isSuperset(of: [.nothingQueried, .nobodyShadows])
    }

    /// Whether the plan `raids` ends with a suspicion; true for other plans.
    private var hasBeenRaided: Bool {
        guard plan.name == "raids" else { return true }
        var state = ProjectState(project: ProjectID("pets"))
        for appended in scenario.journal.prefix(plan.entries) {
            _ = state.apply(appended.entry, appendedAt: appended.at)
        }
        return state.rollout.isSuspected
    }

    /// Whether the plan reaches its required outcomes. The plan `changes` makes and is refused each change, keeps the
    /// data that a study may need, and promotes on a label changed later. The plan `eras` has a promotion in an era
    /// and a provisional release. True for plans without required outcomes.
    private var hasChanged: Bool {
        if let staged = Self.staged[plan.name] { return found.isSuperset(of: staged) }
        if plan.name == "predicted" { return found.isSuperset(of: Self.predicted) }
        if plan.name == "moves" { return found.isSuperset(of: Self.moving) }
        if plan.name == "eras" { return found.isSuperset(of: ["provisional", "judged"]) }
        guard plan.name == "changes" else { return true }
        return found.isSuperset(of: [
            "revised", "retracted", "moved", "unknown_label", "labels_fixed", "split_fixed", "promoted", "former",
            "evidence",
        ])
    }

    var found: Set<String> {
        var (found, movedSamples): (Set<String>, Set<SampleID>) = ([], [])
        var state = ProjectState(project: ProjectID("pets"))
        for appended in scenario.journal.prefix(plan.entries) {
            for decision in state.apply(appended.entry, appendedAt: appended.at) {
                if case .change(let change) = decision.body {
                    found.insert(change.by == "rollout.move" ? "left" : change.kind.word)
                    if movedSamples.contains(change.sample) { found.insert("late \(change.kind.word)") }
                    if change.by == "rollout.move" { movedSamples.insert(change.sample) }
                }
                if case .refused(let refusal) = decision.body { found.insert(refusal.code.rawValue) }
                if case .notice(let notice) = decision.body { found.insert(notice.kind.rawValue) }
                if case .prediction = decision.body { found.insert("prediction") }
                if case .release(let release) = decision.body {
                    found.insert(release.cause.rawValue)
                    if case .judged = release.evidence { found.insert("judged") }
                    if let pause = release.staging?.pause { found.insert(pause.rawValue) }
                    if case .baked = release.evidence { found.insert("labels_in_rollout") }
                    if case .suspected = release.evidence { found.insert("labels_after_suspicion") }
                }
            }
            if !state.datasets.window.isEmpty { found.insert("window") }
            if case .predicted = appended.entry.body { found.insert("predicted") }
            if state.rollout.era.value.counts.late > 0 { found.insert("late") }
            if !state.rollout.blocks.isEmpty { found.insert("blocks") }
            if !state.datasets.former.isEmpty { found.insert("former") }
            if !state.rollout.trusts.isEmpty { found.insert("trusts") }
            if !state.rollout.disputes.isEmpty { found.insert("disputes") }
            if state.rollout.suspicions.sortedRows.contains(where: { $1.disputed > 0 }) { found.insert("verified") }
            if state.rollout.roles.value.changedEvidence > 0 { found.insert("evidence") }
        }
        return found
    }

    mutating func run(to count: Int) {
        while scenario.journal.count < count {
            if revision < plan.revisions.count, scenario.journal.count >= plan.begin(of: revision) {
                scenario.append(.configured(plan.revisions[revision]))
                revision += 1
            } else if plan.name == "declined", generator.next(below: 5) == 0 {
                decline()
            } else if plan.name == "eras", generator.next(below: 2) == 0 {
                scenario.hasten()
            } else if plan.name == "predicted", generator.next(below: 2) == 0 {
                advancePredicted()
            } else if plan.name == "disputes", generator.next(below: 4) > 0 {
                dispute()
            } else if Self.staged[plan.name] != nil, generator.next(below: 2) == 0 {
                advanceStaged()
            } else if plan.name == "moves", generator.next(below: 4) > 0 {
                move()
            } else if plan.name == "changes", generator.next(below: 2) == 0 {
                generator.next(below: 4) == 0 ? scenario.change() : scenario.hasten()
            } else if generator.next(below: 6) == 0 {
                act()
            } else {
                scenario.run(entries: 1)
            }
        }
    }

    private mutating func act() {
        switch generator.next(below: 12) {
        case 0..<5: scenario.append(.candidate(candidate()))
        case 5 where plan.name == "incumbents" && generator.next(below: 2) == 0: importLabels()
        case 6 where plan.name == "incumbents": importLabels()
        case 5: repeatEntry()
        case 6:
            // The revision is known, or newer and without classes of the one before.
            let known = scenario.state.configuration.value?.revision ?? 1
            let revision = known + generator.next(below: 2)
            scenario.append(.configured(configuration(revision: revision, classes: ["cat", "pig"])))
        case 7:
            let failed = TrainingResult.Outcome.failed("no such request")
            scenario.append(
                .trainingResult(
                    TrainingResult(request: RequestID("pets-0-0"), trial: 0, repetition: 0, outcome: failed)
                )
            )
        case 8 where plan.name == "incumbents" && generator.next(below: 2) == 0: register()
        case 8:
            let roles = scenario.state.rollout.roles.value
            let champion = roles.champion?.version ?? ModelVersion("v77")
            let actions: [Command.Action] = [.resume, .rollBack(ModelVersion("v77")), .rollBack(champion)]
            let isDue = !roles.history.isEmpty && plan.rollsBackByCommand
            let action = isDue ? actions[2] : actions[generator.next(below: plan.rollsBackByCommand ? 3 : 2)]
            scenario.append(
                .command(Command(id: "g\(scenario.journal.count)", action: action, by: "bob", reason: "test"))
            )
        case 9: giveFeedback(.correction, by: "u\(generator.next(below: 30))")
        case 10:
            // Users reject a release, once there is a former one to roll back to.
            let isReplaceable = !scenario.state.rollout.roles.value.history.isEmpty
            guard isReplaceable || generator.next(below: 3) == 0 else { return scenario.tick() }
            let isLate = scenario.journal.count > plan.middle
            let isRaid = plan.name == "raids" && (isLate || generator.next(below: 3) == 0)
            for user in 0..<(isReplaceable ? 40 : 14) {
                // In a raid the same few users reject.
                giveFeedback(.rejection, by: isRaid ? "r\(user % 6)" : "w\(scenario.journal.count)-\(user)")
                if isRaid, user % 6 == 5 { scenario.now += 600 }
            }
        default: report()
        }
    }

    /// Tries to register models once a model waits: one under the name of the waiting model, which is in use, and an
    /// incumbent, which is accepted at the first attempt only.
    private mutating func register() {
        let artifact = ArtifactReference(uri: "s3://models/theirs", size: nil, sha256: nil)
        guard let newest = scenario.state.training.progress.value.newest else { return scenario.tick() }
        for version in [newest.version, ModelVersion("theirs-\(scenario.journal.count)")] {
            let model = IncumbentModel(
                version: version,
                artifact: artifact,
                metrics: [ModelMetric(name: "accuracy", value: 0.9)]
            )
            let id = "r\(scenario.journal.count)"
            scenario.append(.command(Command(id: id, action: .register(model), by: "bob", reason: "served before")))
        }
    }

    /// Skips or flags a blank sample that is queried, or adds a blank sample or a copy of a queried one.
    private mutating func decline() {
        let number = scenario.journal.count
        let open = scenario.state.labeling.open.sortedRows
        func isBlank(_ sample: Sample) -> Bool { sample.id.rawValue.hasPrefix("b") }
        if let task = open.first(where: { isBlank($0.value.selection.sample) })?.key {
            let outcome: Annotation.Outcome = number % 3 == 0 ? .skip : .flag(" blank,\n\(number % 4) ")
            let who = AnnotatorID("a\(number % 5)")
            scenario.append(.annotation(Annotation(task: task, annotator: who, outcome: outcome, duration: 4_000)))
            return
        }
        let queried = open.last?.value.selection.sample.embedding
        let isCopy = generator.next(below: 3) == 0 && queried != nil
        let blank = [60 + Float(generator.nextUnit()) * 3, -20 - Float(generator.nextUnit()) * 3]
        let champion = scenario.state.rollout.roles.value.champion?.version
        scenario.append(
            .candidate(
                Candidate(
                    sample: Sample(id: SampleID("\(isCopy ? "c" : "b")\(number)"), embedding: isCopy ? queried : blank),
                    output: champion == nil
                        ? nil : ClassDistribution([.init(label: ClassIndex(0), probability: 1)]).map(Output.choice),
                    model: champion.map { ModelReference(name: "m", version: $0) },
                    score: 0.6 + generator.nextUnit() * 0.4,
                    auditProbability: nil,
                    auditDraw: 1,
                    predictedAt: StreamTime(milliseconds: scenario.now)
                )
            )
        )
    }

    /// Imports labels: of new samples, of samples that already have one, and of a queried sample.
    private mutating func importLabels() {
        let queried = scenario.state.labeling.open.sortedRows.first?.value.selection.sample.id
        let number = scenario.journal.count
        for (index, sample) in [SampleID("i\(number % 7)"), queried ?? SampleID("i\(number)")].enumerated() {
            let label = ClassIndex(generator.next(below: 3))
            let vote = Vote(annotator: AnnotatorID("tool/ada"), answer: .choice(label))
            scenario.append(
                .importedLabel(
                    ImportedLabel(
                        key: UInt64(number + index),
                        origin: ImportOrigin(source: "tool", id: "\(number + index)"),
                        sample: Sample(id: sample, embedding: number % 3 == 0 ? nil : [Float(number % 17) / 4, 1]),
                        answer: number % 2 == 0 ? .label(.choice(label)) : .votes([vote]),
                        isValidation: number % 5 == 0,
                        labeledAt: number % 4 == 0 ? StreamTime(milliseconds: Int64(number)) : nil
                    )
                )
            )
        }
    }

    /// Reports one result of the running study twice, as after a trainer's retry.
    private mutating func report() {
        guard let request = scenario.state.training.progress.value.running?.request else { return scenario.tick() }
        let digest = String(repeating: "b", count: 64)
        let artifact = ArtifactReference(uri: "s3://models/\(request.modelVersion)", size: 7, sha256: digest)
        let outcome = TrainingResult.Outcome.finished(
            artifact: artifact,
            score: 0.9,
            itemsScored: request.dataset.test,
            predictions: nil
        )
        // Intake found the artifact, did not find it, or could not check it.
        let verified = plan.name == "standing" ? [true, false, nil][scenario.journal.count % 3] : nil
        let result = TrainingResult(request: request.id, trial: 0, repetition: 0, outcome: outcome).verified(verified)
        if plan.name == "shares" { scenario.append(.trainingResult(contradiction(of: request))) }
        for _ in 0..<2 { scenario.append(.trainingResult(result)) }
    }

    /// A result that contradicts the request in what it states of the dataset version.
    private func contradiction(of request: TrainingRequest) -> TrainingResult {
        let artifact = ArtifactReference(uri: "s3://models/odd", size: 7, sha256: String(repeating: "c", count: 64))
        return TrainingResult(
            request: request.id,
            trial: 0,
            repetition: 0,
            outcome: .finished(artifact: artifact, score: 1, itemsScored: request.dataset.test + 1, predictions: nil),
            dataset: request.dataset.id
        )
    }

    /// Appends an earlier entry again, as after a producer's retry.
    private mutating func repeatEntry() {
        let position = generator.next(below: scenario.journal.count)
        for appended in scenario.journal[position...] {
            switch appended.entry.body {
            case .trainingResult, .annotation, .versionSealed, .command, .feedback:
                scenario.append(appended.entry.body)
                return
            default: continue
            }
        }
    }
}
