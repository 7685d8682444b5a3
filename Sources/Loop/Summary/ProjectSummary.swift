internal import Acquisition
internal import Datasets
internal import Flywheel
internal import Hashing
internal import Labeling
internal import Rollout
internal import Tables
internal import Training
public import Vocabulary

/// Summary of a project, as shown by `flywheel status`, the metrics and the demo's page.
public struct ProjectSummary: Hashable, Sendable {
    /// Duration of a phase, in seconds, over all its measurements.
    public struct CyclePhaseSummary: Hashable, Sendable {
        public let name: String
        public let count: Int64
        public let meanSeconds: Double
        public let lastSeconds: Double
    }

    /// Answers and estimated error of an annotator; the error is in `0...1`.
    public struct AnnotatorSummary: Hashable, Sendable {
        public let id: String
        public let answers: Int
        /// Estimated error of the annotator; nil before the first answer in a closed task.
        public let estimatedError: Double?
        /// Whether the annotator has standing, because the project names them or they have earned it: their answers
        /// count in full.
        public let hasStanding: Bool
    }

    /// Number of entries that changed nothing for one reason.
    public struct RefusalSummary: Hashable, Sendable {
        public let code: String
        public let count: Int64
        /// Whether such entries occur without any fault, such as answers to a task that has enough votes already.
        public let isExpected: Bool
    }

    /// Traffic of a model that no release names.
    public struct UnregisteredSummary: Hashable, Sendable {
        public let version: String
        public let predictions: Int64
        public let feedback: Int64
        /// Milliseconds since 1970.
        public let lastAt: Int64
    }

    public let project: String
    public let entryNumber: UInt64
    public let chain: String
    public let champion: ReleasedModel?
    public let challenger: ReleasedModel?
    public let newest: ReleasedModel?
    public let quarantined: [String]
    /// Models that predict though no release names them, the busiest first.
    public let unregistered: [UnregisteredSummary]
    public let isHeld: Bool
    /// Whether only few users are behind an alarm about the champion, and nothing is promoted until labels have
    /// decided.
    public let isSuspected: Bool
    /// Versions that labels decide about, ordered by version.
    public let suspicions: [SuspicionStanding]
    /// Whether promotions and studies are stopped.
    public let isFrozen: Bool
    /// The former champion that serves a share beside the champion; nil if there is none.
    public let holdback: Staging.Holdback?
    /// The newest model, waiting until the challenger's evaluation ends; nil if none waits.
    public let waiting: ReleasedModel?
    /// Names of the classes that are suppressed.
    public let suppressed: [String]
    /// Progress of a rollout by steps; nil while there is none.
    public let rollout: RolloutStanding?
    /// Labels in the evidence of the champion's promotion that were changed since; the evidence stays as it was.
    public let changedEvidence: Int
    /// Labels that were removed from later versions.
    public let retractedLabels: Int
    public let openTasks: Int
    public let votesBudget: Int
    public let votesSpent: Int
    /// Votes carried over from earlier windows.
    public let votesCarried: Int
    public let votesReserved: Int
    public let votesTotal: Int
    /// Budgets of time and money, if there are any.
    public let accounts: [AccountSummary]
    public let candidates: Int
    public let labels: Int
    public let trainingLabels: Int
    public let validationLabels: Int
    public let testLabels: Int
    public let versions: Int
    public let studies: Int
    public let phases: [CyclePhaseSummary]
    public let annotators: [AnnotatorSummary]
    /// Entries that changed nothing, by reason.
    public let refusals: [RefusalSummary]
    public let feedbackNegative: Int
    public let feedbackTotal: Int
    public let pairedLabels: Int
    /// Progress of the challenger; nil while there is none.
    public let standing: ChallengerStanding?
    /// Reason why nothing is queried, as of the last entry; nil if something is due.
    public let obstacle: String?
    /// Set while the project's entries wait.
    public let pause: ProjectPause?

    public init(_ project: LoopProject) {
        let state = project.state
        let policy = state.configuration.value
        let ledger = state.acquisition.accounts.ledger.value
        let log = state.datasets.position.value
        let roles = state.rollout.roles.value
        self.project = state.project.rawValue
        entryNumber = state.position.value.entryNumber
        chain = project.chain.digest.hex
        champion = roles.champion
        challenger = roles.challenger
        newest = state.training.progress.value.newest
        quarantined = roles.quarantined.map(\.rawValue)
        unregistered = state.unregistered.sortedRows.filter { !state.isRegistered($0.key) }
            .map {
                UnregisteredSummary(
                    version: $0.key.rawValue,
                    predictions: $0.value.predictions,
                    feedback: $0.value.feedback,
                    lastAt: $0.value.lastAt.milliseconds
                )
            }
            .sorted { ($1.predictions, $0.version) < ($0.predictions, $1.version) }
        isHeld = roles.isHeld
        isFrozen = state.rollout.isFrozen
        holdback = state.rollout.progress.value.released?.holdback
        waiting = state.rollout.roles.value.waiting
        suppressed = state.rollout.suppressedClasses
        changedEvidence = roles.changedEvidence
        openTasks = state.labeling.open.count
        votesBudget = policy?.acquisition.votes ?? 0
        votesSpent = ledger.spent
        votesCarried = Int(ledger.votes.carried)
        votesReserved = ledger.reserved
        votesTotal = ledger.totalSpent
        accounts = [
            AccountSummary("time_ms", policy?.acquisition.time, ledger.time),
            AccountSummary("money_micros", policy?.acquisition.money, ledger.money),
        ].compactMap { $0 }
        candidates = state.acquisition.pool.candidates.count
        obstacle = state.obstacle
        labels = log.training + log.validation + log.test
        retractedLabels = max(0, state.datasets.labels.count - labels)
        trainingLabels = log.training
        validationLabels = log.validation
        testLabels = log.test
        versions = log.versionNumber
        studies = state.training.progress.value.studies
        phases = CyclePhase.allCases.compactMap { phase in
            state.phases[phase].map {
                CyclePhaseSummary(
                    name: phase.rawValue,
                    count: $0.count,
                    meanSeconds: $0.mean / 1_000,
                    lastSeconds: Double($0.last) / 1_000
                )
            }
        }
        let labeling = policy?.labeling ?? LabelingPolicy()
        let known = state.labeling.annotators
        // An annotator who is named and has not answered yet has standing nevertheless.
        annotators = Set(known.sortedKeys + labeling.annotators).sorted().map {
            AnnotatorSummary(
                id: $0.rawValue,
                answers: known[$0]?.answers ?? 0,
                estimatedError: known[$0]?.estimatedError,
                hasStanding: state.labeling.hasStanding($0, policy: labeling)
            )
        }
        refusals = state.refusals.sortedRows.map {
            let isExpected =
                EntryRejection.Code(rawValue: $0.key).map { !$0.isDeadLetter && $0 != .wrongSpace } ?? false
            return RefusalSummary(code: $0.key, count: $0.value, isExpected: isExpected)
        }
        let voices = roles.champion.flatMap { state.rollout.watches[$0.version] }
        feedbackNegative = voices?.negative ?? state.rollout.watch.value.negative
        feedbackTotal = voices?.total ?? state.rollout.watch.value.total
        isSuspected = state.rollout.isSuspected
        suspicions = SuspicionStanding.all(state.rollout)
        rollout = policy.flatMap { RolloutStanding(state.rollout, $0.rollout) }
        pairedLabels = state.rollout.pairs.value.labels
        standing = roles.challenger.map { _ in
            ChallengerStanding(state.rollout, policy?.rollout ?? RolloutPolicy())
        }
        pause = project.pause
    }

    /// Votes that can still be reserved in this window.
    public var votesLeft: Int { max(0, votesBudget + votesCarried - votesSpent - votesReserved) }

    /// The phase with the longest mean duration, once any has been measured.
    public var bottleneck: CyclePhaseSummary? { phases.max { ($0.meanSeconds, $1.name) < ($1.meanSeconds, $0.name) } }

    public static func == (a: Self, b: Self) -> Bool {
        a.project == b.project && a.entryNumber == b.entryNumber && a.chain == b.chain
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(project)
        hasher.combine(entryNumber)
    }
}
