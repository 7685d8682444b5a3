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

/// The plan of one golden journal: a project under several revisions, one after the other.
struct GoldenPlan: Sendable {
    let name: String
    /// Revisions by the entry before which each enters, the first at entry 2.
    let revisions: [ProjectConfiguration]

    static let entries = 1_000
    /// Rows and snapshot of every set are taken after this entry.
    static let middle = 500

    /// The first entry under each revision: evenly spaced, so that the middle lies within one.
    func begin(of revision: Int) -> Int { revision * (Self.entries / revisions.count) }

    /// Journals that no file holds yet are made from these; a recorded one is an input and stands for ever.
    static let all: [GoldenPlan] = [
        GoldenPlan("batches") { policy, revision in
            policy.batch.rule = [.top, .kmeans, .kCenter, .badge][revision]
            policy.batch.coldStart = [.none, .typical, .herding, .none][revision]
            policy.batch.handover = 2
            policy.function = [.leastConfidence, .margin, .entropy, .bald][revision]
            policy.isDiverse = revision != 0
            policy.explorationShare = revision == 3 ? 0.3 : 0
            // A batch waits for the newest model, and for enough that it scored.
            (policy.batchSize, policy.patience) = (2, 30_000)
            policy.poolCapacity = 100
        },
        GoldenPlan("weights") { policy, revision in
            policy.batch.rule = [.power, .softmax, .classBalanced, .herding, .typical][revision]
            policy.batch.coldStart = revision == 3 ? .herding : .none
            policy.batch.sharpness = revision == 1 ? 4 : 2
            policy.batch.classValues = [1, 3, 0.5]
            policy.batch.halfLife = 20_000
            policy.batch.duplicateDistance = revision % 2 == 0 ? 0.2 : 0
            policy.batch.memory = revision == 4 ? 5 : 40
            policy.batch.weights = UtilityWeights(
                uncertainty: revision == 2 ? 0.5 : 1,
                value: 0.7,
                freshness: 0.4,
                novelty: revision == 0 ? 0 : 0.8,
                density: revision == 3 ? 0 : 0.3
            )
            policy.function = [.ratio, .provided, .voteEntropy, .margin, .consensusEntropy][revision]
            policy.temperature = 1.5
            (policy.batchSize, policy.preselection, policy.patience) = (3, 5, 9_000)
        },
        GoldenPlan("slices", ageing: 5_000) { policy, revision in
            let share = LabelShare(millionths: 250_000)
            policy.slices = SlicePolicy(
                key: "shelter",
                share: share,
                shares: revision == 1 ? [.init(slice: "n1", share: LabelShare(millionths: 600_000))] : [],
                newShare: revision == 2 ? LabelShare(millionths: 500_000) : nil,
                newFor: 30_000
            )
            policy.carriedWindows = revision
            policy.window = 40_000
            (policy.batch.rule, policy.batch.coldStart) = (.badge, .none)
            policy.poolCapacity = revision == 3 ? 12 : 40
            policy.function = [.klDivergence, .maxDisagreement, .variationRatio, .margin][revision]
            if revision == 3 { policy.slices = nil }
        },
        GoldenPlan("stream") { policy, revision in
            policy.stream = StreamPolicy(
                strategy: StreamStrategy.allCases[revision],
                share: LabelShare(millionths: 400_000),
                burst: revision,
                savings: revision % 2 == 0 ? nil : 6
            )
            if revision == 5 {
                policy.slices = SlicePolicy(key: "shelter", share: LabelShare(millionths: 300_000))
                policy.window = 50_000
            }
        },
        GoldenPlan("budgets") { policy, revision in
            (policy.batch.rule, policy.batch.coldStart) = (.herding, .typical)
            policy.voteCost = VoteCost(maximumTime: 2_000, perVote: revision == 0 ? 0 : 10, perSecond: 5)
            policy.time = revision == 1 ? nil : 60_000
            policy.money = revision == 0 ? nil : 700
            policy.carriedWindows = revision == 2 ? 2 : 0
            policy.votes = revision == 3 ? 0 : 24
            policy.window = 30_000
            policy.function = revision == 2 ? .random : .margin
            policy.auditShare = revision == 2 ? 0 : 0.4
        },
        GoldenPlan("triggers") { policy, revision in
            policy.triggers = [
                Trigger(name: "sure", condition: .not(.role(.challenger)), perHour: 500),
                Trigger(name: "disputed", condition: .all([.disagreement, .sample(0.7)])),
                Trigger(name: "overridden", condition: .any([.overridden, .version(ModelVersion("v2"))])),
                Trigger(name: "both", condition: .all([.disagreement, .overridden])),
            ]
            if let narrow = TriggerBounds(above: 0.2, below: 0.8), let low = TriggerBounds(below: 0.5) {
                policy.triggers.append(
                    Trigger(
                        name: "facts",
                        condition: .all([
                            .confidence(ClassIndex(1), narrow), .probability(ClassIndex(0), low), .margin(low),
                            .score(narrow), .metadata(key: "shelter", values: ["n1", "n2"]),
                        ])
                    )
                )
            }
            policy.triggerShare = [0.3, 0, 1, 0.5][revision]
            if revision == 2 { policy.stream = StreamPolicy(share: LabelShare(millionths: 200_000)) }
            if revision == 3 {
                policy.slices = SlicePolicy(key: "shelter", share: LabelShare(millionths: 400_000))
            }
        },
        // Learnt, named, learnt under a name, and of another dimension.
        GoldenPlan(
            "spaces",
            embedding: {
                [
                    nil, EmbeddingSpace(name: SpaceID("encoder-2"), dimension: 2, norm: 30),
                    EmbeddingSpace(name: SpaceID("encoder-3")),
                    EmbeddingSpace(name: SpaceID("encoder-3"), dimension: 3),
                ][$0]
            }
        ) { policy, revision in
            policy.triggers = [Trigger(name: "disputed", condition: .all([.disagreement, .sample(0.7)]))]
            policy.patience = 9_000
        },
        // Earned, given by name, taken back, and given to others.
        GoldenPlan(
            "standing",
            labeling: { policy, revision in
                (policy.minimumVotes, policy.maximumVotes) = (2 - revision % 2, 3)
                policy.annotators = [[], ["a1", "a2"], [], ["a6", "nobody"]][revision].map { AnnotatorID($0) }
            }
        ) { policy, revision in
            policy.votes = 120
            policy.patience = 4_000 + Int64(revision)
        },
        // Corrections that name classes which the project lacks, while one is appended.
        GoldenPlan("proposals") { policy, revision in
            policy.votes = 100
            policy.patience = 5_000 + Int64(revision)
        },
        // From the first edition of the rules of choosing to the second, with several shares of the audit sample.
        GoldenPlan("shares") { policy, revision in
            policy.edition = revision == 0 ? 1 : 2
            policy.auditFirst = [0, 0, 6, 40][revision]
            policy.auditShare = [0.3, 0.2, 0.5, 0.1][revision]
            (policy.votes, policy.window) = (60, 50_000)
            policy.patience = 8_000
        },
        // Tasks that nobody can answer after one skip or flag, copies of what was asked for, in batches and one by one.
        GoldenPlan(
            "declined",
            labeling: { policy, _ in policy.maximumSkips = 1 },
            change: { policy, revision in
                policy.edition = 2
                policy.votes = 120
                policy.patience = 5_000 + Int64(revision)
                policy.batch.duplicateDistance = [0.05, 0.3, 0.1, 0.2][revision]
                if revision == 2 { policy.stream = StreamPolicy(share: LabelShare(millionths: 300_000)) }
                policy.voteCost = VoteCost(maximumTime: 20_000)
                policy.time = 10_000_000
            }
        ),
        // A first model waits, then an incumbent is registered; traffic of models that nobody registered; imported labels.
        GoldenPlan("incumbents") { policy, revision in
            policy.votes = 100
            policy.patience = 6_000 + Int64(revision)
        },
    ]

    /// Whether an operator returns to former champions; else users' feedback does.
    var rollsBackByCommand: Bool { ["slices", "budgets", "standing"].contains(name) }

    private init(
        _ name: String,
        ageing: Int64? = nil,
        embedding: (Int) -> EmbeddingSpace? = { _ in nil },
        labeling changeLabeling: (inout LabelingPolicy, Int) -> Void = { _, _ in },
        change: (inout AcquisitionPolicy, Int) -> Void
    ) {
        self.name = name
        let counts = ["stream": StreamStrategy.allCases.count, "weights": 5]
        revisions = (0..<(counts[name] ?? 4)).map { revision in
            // A class is appended half-way.
            let classes = ["cat", "dog", "cow"] + (revision >= 2 ? ["horse"] : [])
            let usual = configuration(revision: revision + 1, classes: classes, votes: 90)
            var (acquisition, labeling) = (usual.acquisition, usual.labeling)
            var (datasets, training, rollout) = (usual.datasets, usual.training, usual.rollout)
            change(&acquisition, revision)
            if revision % 2 == 1 {
                (labeling.minimumVotes, labeling.confidence) = (2, 0.8)
                (datasets.cutEvery, training.repeats) = (4, 1)
            }
            (rollout.minimumShadow, rollout.alpha) = (revision % 2, 0.4)
            if name == "incumbents" { rollout.first = FirstModelPolicy(trainingLabels: 10_000, score: 0.5) }
            if let ageing { (labeling.ageingEvery, labeling.ageingBy) = (ageing, 0.25) }
            changeLabeling(&labeling, revision)
            return ProjectConfiguration(
                project: usual.project,
                revision: usual.revision,
                partition: usual.partition,
                schema: usual.schema,
                acquisition: acquisition,
                labeling: labeling,
                datasets: datasets,
                training: training,
                rollout: rollout,
                embedding: embedding(revision),
                initialClasses: name == "proposals" ? 3 : nil
            )
        }
    }

    /// Whether candidates come from several encoders.
    var hasSpaces: Bool { name == "spaces" }
}

/// A world that follows a plan and, beside what any world does, sends what is seldom or wrong.
struct GoldenWorld {
    private let plan: GoldenPlan
    private(set) var world: World
    private var generator: SplitMix64
    private var revision = 1

    /// The journal of a plan, of the first seed under which tasks, a study and a challenger are open after the middle entry, and
    /// a champion is rolled back at some time; nil if none of the first thousand is such.
    static func journal(of plan: GoldenPlan) -> [Appended]? {
        for seed in 0..<1_000 as Range<UInt64> {
            var golden = GoldenWorld(plan, seed: seed)
            golden.run(to: GoldenPlan.middle)
            let state = golden.world.state
            guard golden.world.journal.count == GoldenPlan.middle, !state.labeling.open.isEmpty,
                state.training.progress.value.running != nil, state.rollout.phase.value.challenger != nil
            else { continue }
            golden.run(to: GoldenPlan.entries)
            guard golden.hasRolledBack else { continue }
            return golden.world.journal.prefix(GoldenPlan.entries).enumerated().map { golden.told($1, at: $0) }
        }
        return nil
    }

    private init(_ plan: GoldenPlan, seed: UInt64) {
        self.plan = plan
        world = World(seed: seed, first: plan.revisions[0])
        generator = SplitMix64(seed: seed ^ 0x676F_6C64)
    }

    private var hasRolledBack: Bool {
        world.decisions.prefix(GoldenPlan.entries).joined().contains {
            guard case .release(let release) = $0.body else { return false }
            return release.cause == (plan.rollsBackByCommand ? .command : .rolledBack)
        }
    }

    private mutating func run(to count: Int) {
        while world.journal.count < count {
            if revision < plan.revisions.count, world.journal.count >= plan.begin(of: revision) {
                world.append(.configured(plan.revisions[revision]))
                revision += 1
            } else if generator.next(below: 6) == 0 {
                act()
            } else {
                world.run(entries: 1)
            }
        }
    }

    private mutating func act() {
        switch generator.next(below: 12) {
        case 0..<5: world.append(.candidate(candidate()))
        case 5: again()
        case 6:
            // Known already, or newer and without classes that there were.
            let known = world.state.configuration.value?.revision ?? 1
            let revision = known + generator.next(below: 2)
            world.append(.configured(configuration(revision: revision, classes: ["cat", "pig"])))
        case 7:
            let failed = TrainingResult.Outcome.failed("no such request")
            world.append(
                .trainingResult(
                    TrainingResult(request: RequestID("pets-0-0"), trial: 0, repetition: 0, outcome: failed)
                )
            )
        case 6 where plan.name == "incumbents", 5 where plan.name == "incumbents": bring()
        case 8 where plan.name == "incumbents" && generator.next(below: 2) == 0: register()
        case 8:
            let phase = world.state.rollout.phase.value
            let champion = phase.champion?.version ?? ModelVersion("v77")
            let actions: [Command.Action] = [.resume, .rollBack(ModelVersion("v77")), .rollBack(champion)]
            let isDue = !phase.history.isEmpty && plan.rollsBackByCommand
            let action = isDue ? actions[2] : actions[generator.next(below: plan.rollsBackByCommand ? 3 : 2)]
            world.append(.command(Command(id: "g\(world.journal.count)", action: action, by: "bob", reason: "test")))
        case 9: giveFeedback(.correction, by: "u\(generator.next(below: 30))")
        case 10:
            // A release that nobody likes, once there is one to return to.
            let isReplaceable = !world.state.rollout.phase.value.history.isEmpty
            guard isReplaceable || generator.next(below: 3) == 0 else { return world.tick() }
            for user in 0..<(isReplaceable ? 40 : 14) {
                giveFeedback(.rejection, by: "w\(world.journal.count)-\(user)")
            }
        default: report()
        }
    }

    /// Once a model waits: under its name, which is taken; and an incumbent, which is in time the first time alone.
    private mutating func register() {
        let artifact = ArtifactReference(uri: "s3://models/theirs", size: nil, sha256: nil)
        guard let newest = world.state.training.progress.value.newest else { return world.tick() }
        for version in [newest.version, ModelVersion("theirs-\(world.journal.count)")] {
            let model = IncumbentModel(
                version: version,
                artifact: artifact,
                metrics: [ModelMetric(name: "accuracy", value: 0.9)]
            )
            let id = "r\(world.journal.count)"
            world.append(.command(Command(id: id, action: .register(model), by: "bob", reason: "served before")))
        }
    }

    /// Imported labels: of new samples, of such as have one, and of one that is being asked for.
    private mutating func bring() {
        let asked = world.state.labeling.open.sortedRows.first?.value.selection.sample.id
        let number = world.journal.count
        for (place, sample) in [SampleID("i\(number % 97)"), asked ?? SampleID("i\(number)")].enumerated() {
            let label = ClassIndex(generator.next(below: 3))
            let vote = Vote(annotator: AnnotatorID("tool/ada"), label: label)
            world.append(
                .importedLabel(
                    ImportedLabel(
                        key: UInt64(number + place),
                        origin: ImportOrigin(source: "tool", id: "\(number + place)"),
                        sample: Sample(id: sample, embedding: number % 3 == 0 ? nil : [Float(number % 17) / 4, 1]),
                        answer: number % 2 == 0 ? .label(label) : .votes([vote]),
                        isValidation: number % 5 == 0,
                        labeledAt: number % 4 == 0 ? StreamTime(milliseconds: Int64(number)) : nil
                    )
                )
            )
        }
    }

    /// One result of the study that runs, twice, as after a trainer's retry.
    private mutating func report() {
        guard let request = world.state.training.progress.value.running?.request else { return world.tick() }
        let digest = String(repeating: "b", count: 64)
        let artifact = ArtifactReference(uri: "s3://models/\(request.modelVersion)", size: 7, sha256: digest)
        let outcome = TrainingResult.Outcome.finished(
            artifact: artifact,
            score: 0.9,
            itemsScored: request.dataset.test,
            predictions: nil
        )
        // Intake found it, did not find it, or could not look.
        let verified = plan.name == "standing" ? [true, false, nil][world.journal.count % 3] : nil
        let result = TrainingResult(request: request.id, trial: 0, repetition: 0, outcome: outcome).verified(verified)
        if plan.name == "shares" { world.append(.trainingResult(contradiction(of: request))) }
        for _ in 0..<2 { world.append(.trainingResult(result)) }
    }

    /// A result that says of its version what cannot be.
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

    /// An entry that was there before, as after a producer's retry.
    private mutating func again() {
        let position = generator.next(below: world.journal.count)
        for appended in world.journal[position...] {
            switch appended.entry.body {
            case .trainingResult, .annotation, .versionSealed, .command, .feedback:
                world.append(appended.entry.body)
                return
            default: continue
            }
        }
    }

    private mutating func giveFeedback(_ verdict: Feedback.Verdict, by user: String) {
        guard let champion = world.state.rollout.phase.value.champion else { return }
        world.append(
            .feedback(
                Feedback(
                    key: UInt64(1_000_000 + world.journal.count),
                    sample: SampleID("s\(generator.next(below: 600))"),
                    modelVersion: champion.version,
                    user: UserDigest(user),
                    verdict: verdict,
                    answer: verdict == .correction ? ClassIndex(generator.next(below: 3)) : nil,
                    inclusionProbability: 0.5
                )
            )
        )
    }

    /// Candidates unlike those of other worlds: inline content, no embedding or a larger one, many classes, a remainder.
    private mutating func candidate() -> Candidate {
        let number = 1_000 + generator.next(below: 300)
        let first = 0.35 + generator.nextUnit() / 4
        let entries = [
            ClassDistribution.Entry(label: ClassIndex(number % 3), probability: first),
            .init(label: ClassIndex((number + 1) % 3), probability: 0.3),
        ]
        let champion = world.state.rollout.phase.value.champion?.version ?? ModelVersion("outside")
        let isUnseen = generator.next(below: 6) == 0
        let isAudit = generator.next(below: 8) == 0
        var embedding: [Float]? = number % 4 == 0 ? nil : [Float(number % 17) / 4, Float(number % 13) / 2]
        var space: SpaceID?
        if plan.hasSpaces {
            if number % 5 == 1 { embedding?.append(1) }
            if number % 23 == 2 { embedding?[0] = 1e30 }
            if number % 3 == 0 { space = SpaceID("encoder-\(1 + number % 4)") }
        }
        return Candidate(
            sample: Sample(
                id: SampleID("g\(number)"),
                content: number % 3 == 0 ? .inline(mediaType: "text/plain", text: "Grüße \(number)\n\"ok\"") : nil,
                embedding: embedding,
                metadata: SampleMetadata([.init(key: "shelter", value: "n\(number % 7)")]) ?? .none,
                space: space
            ),
            output: isUnseen ? nil : ClassDistribution(entries, remainder: 0.7 - first),
            model: isUnseen ? nil : ModelReference(name: "m", version: champion, variant: "int8"),
            score: generator.nextUnit(),
            auditProbability: isAudit ? 0.25 : nil,
            auditDraw: generator.nextUnit() / 4,
            predictedAt: StreamTime(milliseconds: max(0, world.now - Int64(generator.next(below: 60_000)))),
            isExploration: number % 2 == 0,
            triggers: number % 5 == 0 ? ["facts"] : [],
            isBelowThreshold: false
        )
    }

    /// Every third entry that comes from outside names the record behind it.
    private func told(_ appended: Appended, at position: Int) -> Appended {
        let topic: String
        switch appended.entry.body {
        case .annotation: topic = "annotations"
        case .feedback: topic = "feedback"
        case .trainingResult: topic = "training-results"
        case .command: topic = "commands"
        case .importedLabel: topic = "imports"
        default: return appended
        }
        guard position % 3 == 0 else { return appended }
        let origin = EntryOrigin(
            topic: "flywheel.\(topic)",
            partition: Int32(position % 4),
            offset: Int64(position),
            value: Array("{}".utf8),
            key: Array("k".utf8),
            headers: [OriginHeader(name: "ce_id", value: Array("\(position)".utf8))]
        )
        let entry = JournalEntry(project: appended.entry.project, body: appended.entry.body, origin: origin)
        return Appended(entry: entry, at: appended.at)
    }
}
