import Acquisition
import Datasets
import Events
import Flywheel
import Labeling
import Rollout
import Statistics
import Strategies
import Tables
import Training
import Vocabulary

/// The plan of one golden journal: a project under several revisions, one after the other.
struct GoldenPlan: Sendable {
    let name: String
    /// Revisions of the project: the first is entry 2, and each other one is appended at its beginning.
    let revisions: [ProjectConfiguration]

    /// Number of entries of a scenario's journal, which is smaller where the set would exceed its size limit.
    static func entries(of scenario: String) -> Int {
        ["changes": 400, "predicted": 800, "moves": 1_000][scenario] ?? 1_000
    }
    /// Number of entries after which the rows and the snapshot of a set are recorded.
    static func middle(of scenario: String) -> Int { entries(of: scenario) / 2 }

    var entries: Int { Self.entries(of: name) }
    var middle: Int { Self.middle(of: name) }

    /// The number of entries after which a revision is appended. Revisions are evenly spaced.
    func begin(of revision: Int) -> Int { revision * (entries / revisions.count) }

    /// Journals that are not yet recorded in a file are generated from these plans; a recorded journal is an input and
    /// is never changed.
    static let all: [GoldenPlan] = [
        GoldenPlan("batches") { policy, revision in
            policy.batch.rule = [.top, .kmeans, .kCenter, .badge][revision]
            policy.batch.coldStart = [.none, .typical, .herding, .none][revision]
            policy.batch.handover = 2
            policy.function = [.leastConfidence, .margin, .entropy, .bald][revision]
            policy.isDiverse = revision != 0
            policy.explorationShare = revision == 3 ? 0.3 : 0
            // A batch waits for the newest model, and for enough candidates that it has scored.
            (policy.batchSize, policy.maximumWait) = (2, 30_000)
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
            (policy.batchSize, policy.preselection, policy.maximumWait) = (3, 5, 9_000)
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
        // The space is learnt, then declared by name, then learnt under a name, then declared with another dimension.
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
            policy.maximumWait = 9_000
        },
        // Standing is earned, assigned by name, withdrawn, and assigned to others.
        GoldenPlan(
            "standing",
            labeling: { policy, revision in
                (policy.minimumVotes, policy.maximumVotes) = (2 - revision % 2, 3)
                policy.annotators = [[], ["a1", "a2"], [], ["a6", "nobody"]][revision].map { AnnotatorID($0) }
            }
        ) { policy, revision in
            policy.votes = 120
            policy.maximumWait = 4_000 + Int64(revision)
        },
        // Corrections name classes that the project lacks; one of them is appended later.
        GoldenPlan("proposals") { policy, revision in
            policy.votes = 100
            policy.maximumWait = 5_000 + Int64(revision)
        },
        // The rules of selection change from edition 1 to edition 2, with several shares of the audit sample.
        GoldenPlan("shares") { policy, revision in
            policy.edition = revision == 0 ? 1 : 2
            policy.auditFirst = [0, 0, 6, 40][revision]
            policy.auditShare = [0.3, 0.2, 0.5, 0.1][revision]
            (policy.votes, policy.window) = (60, 50_000)
            policy.maximumWait = 8_000
        },
        // Tasks are unanswerable after one skip or flag, and queried samples have copies, in batches and in a stream.
        GoldenPlan(
            "declined",
            labeling: { policy, _ in policy.maximumSkips = 1 },
            change: { policy, revision in
                policy.edition = 2
                policy.votes = 120
                (policy.poolCapacity, policy.batch.memory) = (16, 12)
                policy.maximumWait = 5_000 + Int64(revision)
                policy.batch.duplicateDistance = [0.05, 0.3, 0.1, 0.2][revision]
                if revision == 2 { policy.stream = StreamPolicy(share: LabelShare(millionths: 300_000)) }
                policy.voteCost = VoteCost(maximumTime: 20_000)
                policy.time = 10_000_000
            }
        ),
        // Missing events are reported: the budget covers no task, and no service runs a challenger. Groups and texts
        // recur under other ids.
        GoldenPlan("silence") { policy, revision in
            policy.edition = 2
            policy.votes = revision >= 2 ? 2 : 200
            policy.openTaskLimit = 12 - revision
            policy.maximumWait = 5_000 + Int64(revision)
            policy.voteCost = VoteCost(maximumTime: 2_000, perVote: 1)
            policy.money = 1_000_000
            // Small tables keep the set within its size limit.
            (policy.poolCapacity, policy.batch.memory) = (8, 8)
        },
        // A model is confident, because its outputs are tempered, and wrong: exploration starts, and follows its bound.
        GoldenPlan("confident") { policy, revision in
            policy.edition = 2
            policy.explorationMost = [0.5, 0.2, 1, 0.5][revision]
            policy.temperature = 0.1
            (policy.poolCapacity, policy.batch.memory) = (12, 8)
            policy.auditShare = 0.4
            policy.votes = 200
            policy.maximumWait = 5_000 + Int64(revision)
        },
        // A first model waits, then an incumbent is registered; unregistered models serve, and labels are imported.
        GoldenPlan("incumbents") { policy, revision in
            policy.votes = 100
            policy.maximumWait = 6_000 + Int64(revision)
        },
        // Labels are revised, retracted and moved once a revision allows it; a later revision cannot disallow it again.
        GoldenPlan("changes") { policy, revision in
            policy.edition = 2
            policy.votes = 200
            policy.explorationMost = 0.5
            (policy.poolCapacity, policy.batch.memory) = (12, 8)
            (policy.batchSize, policy.auditFirst) = (2, 4)
            policy.maximumWait = 2_000 + Int64(revision)
        },
        // Eras judge challengers: first the newest leading model serves provisionally, then challengers bet, alone and
        // in blocks.
        GoldenPlan("eras") { policy, revision in
            policy.edition = 2
            policy.votes = 800
            (policy.poolCapacity, policy.batch.memory) = (12, 8)
            (policy.batchSize, policy.auditFirst, policy.auditShare) = (2, 8, 0.6)
            policy.auditAge = revision == 1 ? 20_000 : 0
            policy.maximumWait = 2_000 + Int64(revision)
        },
        // A few users reject repeatedly, and at other times many users reject.
        GoldenPlan("raids") { policy, revision in
            policy.edition = 2
            policy.votes = 200
            (policy.poolCapacity, policy.batch.memory) = (8, 8)
            (policy.auditShare, policy.auditFirst) = (0.5, 4)
            policy.maximumWait = 3_000 + Int64(revision)
        },
        // Rollouts have steps; some services ignore them, some hours pass without voices, and classes are suppressed.
        GoldenPlan("steps", change: staged),
        // A few users dispute predictions, and labels roll canaries back.
        GoldenPlan("disputes") { policy, revision in
            staged(&policy, revision)
            (policy.votes, policy.auditShare) = (900, 0.7)
        },
        // Test labels leave a window that shrinks twice, and none leave while `rollout.move` is off.
        GoldenPlan("moves") { policy, revision in
            policy.edition = 2
            policy.votes = 4_000
            (policy.poolCapacity, policy.batch.memory) = (12, 8)
            (policy.batchSize, policy.openTaskLimit, policy.auditShare) = (2, 20, 0.85)
            policy.maximumWait = 1_000 + Int64(revision)
        },
        // Services cannot shadow: trainers predict, and the answers of services are compared at the first step.
        GoldenPlan("predicted") { policy, revision in
            policy.edition = 2
            policy.votes = 800
            (policy.poolCapacity, policy.batch.memory) = (40, 8)
            (policy.batchSize, policy.auditFirst, policy.auditShare) = (2, 30, 0.6)
            policy.maximumWait = 4_000 + Int64(revision)
        },
    ]

    private static func staged(_ policy: inout AcquisitionPolicy, _ revision: Int) {
        policy.edition = 2
        policy.votes = 400
        (policy.poolCapacity, policy.batch.memory) = (12, 8)
        (policy.batchSize, policy.auditFirst, policy.auditShare) = (2, 4, 0.4)
        policy.maximumWait = 2_000 + Int64(revision)
    }

    /// Whether rollbacks in the plan are made by an operator; otherwise users' feedback causes them.
    var rollsBackByCommand: Bool {
        ["slices", "budgets", "standing", "silence", "confident", "changes", "eras"].contains(name)
    }

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
            // A class is appended halfway.
            let classes = ["cat", "dog", "cow"] + (revision >= 2 ? ["horse"] : [])
            let usual = configuration(revision: revision + 1, classes: classes, votes: 90)
            var (acquisition, labeling) = (usual.acquisition, usual.labeling)
            var (datasets, training, rollout) = (usual.datasets, usual.training, usual.rollout)
            change(&acquisition, revision)
            if revision % 2 == 1, !["eras", "moves"].contains(name) {
                (labeling.minimumVotes, labeling.confidence) = (2, 0.8)
                (datasets.cutEvery, training.repeats) = (4, 1)
            }
            (rollout.minimumShadow, rollout.alpha) = (revision % 2, 0.4)
            if name == "silence" { rollout.minimumShadow = 3 }
            if name == "changes" {
                datasets.format = [nil, 2, 2, 1][revision]
                datasets.revise = revision == 2 ? .apply : .report
                (datasets.cutEvery, training.newLabels, rollout.alpha) = (2, 1, 0.5)
                (training.repeats, training.trials, rollout.minimumShadow) = (1, [Hyperparameters()], 0)
                (labeling.minimumVotes, labeling.maximumVotes) = (1, 1)
            }
            if name == "eras" {
                rollout.bound = [.share, .any, .share, .share][revision]
                (rollout.duels, rollout.provisional, rollout.alpha) = (0.75, revision == 0 ? 1_000 : 0, 0.5)
                (rollout.shadowWait, rollout.shadowShare) = (3_000, revision == 2 ? 0.7 : 1)
                rollout.block = revision == 3 ? 10_000 : 0
                (rollout.minimumShadow, training.repeats, training.trials) = (1, 1, [Hyperparameters()])
                datasets.format = revision == 0 ? nil : 2
                (training.newLabels, datasets.cutEvery) = revision < 2 ? (5, 5) : (60, 60)
                (labeling.minimumVotes, labeling.maximumVotes) = (1, 1)
            }
            if name == "steps" {
                rollout.steps = [
                    RolloutStep(share: [0.2, 0.4, 0.4, 0.3][revision], bake: 4_000, voices: revision == 2 ? 30 : 2),
                    RolloutStep(share: 0.8, bake: 4_000, voices: 2, approve: true), RolloutStep(share: 1),
                ]
                rollout.holdback = [0, 0.1, 0.1, 0][revision]
                (rollout.userWindow, rollout.rollbackAlpha, rollout.calibration) = (500, 0.05, 5)
                (rollout.minimumShadow, rollout.alpha) = (0, 0.5)
                (training.repeats, training.trials, training.newLabels) = (1, [Hyperparameters()], 5)
                (datasets.cutEvery, labeling.minimumVotes, labeling.maximumVotes) = (5, 1, 1)
            }
            if name == "disputes" {
                rollout.steps = [RolloutStep(share: 0.5, bake: 60_000, voices: 40), RolloutStep(share: 1)]
                (rollout.bound, rollout.provisional, rollout.duels) = (.share, 0, 0.75)
                (rollout.userWindow, rollout.rollbackAlpha, rollout.calibration) = (500, 0.2, 5)
                (rollout.minimumShadow, rollout.alpha, rollout.shadowWait) = (0, 0.5, 1_000)
                (training.repeats, training.trials, training.newLabels) = (1, [Hyperparameters()], 5)
                let interval = [5, 10, 15, 5][revision]
                (datasets.cutEvery, training.newLabels) = (interval, interval)
                (labeling.minimumVotes, labeling.maximumVotes) = (1, 1)
            }
            if name == "moves" {
                (rollout.move, rollout.window) = (revision != 2, [8, 3, 3, 2][revision])
                (rollout.bound, rollout.provisional, rollout.duels) = (.share, 4, 0.25)
                (rollout.alpha, rollout.minimumShadow, rollout.shadowWait) = (0.5, 1, 500)
                (datasets.format, datasets.cutEvery, datasets.cutAfter) = (2, 2, 10_000)
                (training.repeats, training.trials, training.newLabels) = (1, [Hyperparameters()], 3)
                (labeling.minimumVotes, labeling.maximumVotes) = (1, 1)
            }
            if name == "predicted" {
                (rollout.bound, rollout.provisional, rollout.alpha) = (.share, 0, 0.5)
                (rollout.predict, rollout.duels) = (revision > 0, 0.75)
                (rollout.shadowWait, rollout.minimumShadow) = (4_000, 1)
                (training.repeats, training.trials, training.newLabels) = (
                    1, [Hyperparameters()], [6, 6, 12, 60][revision]
                )
                (datasets.cutEvery, labeling.minimumVotes, labeling.maximumVotes) = (6, 1, 1)
            }
            if name == "raids" {
                (rollout.userWindow, rollout.rollbackAlpha, rollout.verification) = (500, 0.05, 10 * revision)
                (rollout.calibration, rollout.minimumShadow, rollout.userBuckets) = (5, 0, 65_536)
                rollout.alpha = 0.5
            }
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

    /// Whether samples belong to groups and texts recur under other ids.
    var hasGroups: Bool { name == "silence" }

    /// Whether candidates are from several encoders.
    var hasSpaces: Bool { name == "spaces" }
}
