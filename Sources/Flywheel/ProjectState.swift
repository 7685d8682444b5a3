public import Acquisition
public import Datasets
public import Labeling
public import Rollout
public import Tables
public import Training
public import Vocabulary

/// A phase of the cycle whose time is measured.
public enum CyclePhase: String, Hashable, Sendable, CaseIterable, Comparable {
    /// From a sample's prediction to its task.
    case select
    /// From a task to its label.
    case label
    /// From a label to the cut that holds it: the first label waits longest.
    case collect
    /// From a cut to its sealed version.
    case seal
    /// From a training request to its last result.
    case train
    /// From a challenger's first shadow to its promotion.
    case judge

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Duration of a phase, in milliseconds.
public struct CyclePhaseTime: Hashable, Sendable {
    /// Number of measurements.
    public var count: Int64
    /// Sum of all measurements, in milliseconds.
    public var total: Int64
    /// Latest measurement, in milliseconds.
    public var last: Int64

    /// Upper limit of the sums: a row cannot hold a larger number.
    static let longest: Int64 = 1 << 53

    public init(count: Int64 = 0, total: Int64 = 0, last: Int64 = 0) {
        self.count = count
        self.total = total
        self.last = last
    }

    /// Mean of all measurements, in milliseconds; 0 before the first one.
    public var mean: Double { count == 0 ? 0 : Double(total) / Double(count) }
}

/// Position of the loop of a project.
public struct LoopPosition: Hashable, Sendable {
    /// Entries applied.
    public var entryNumber: UInt64
    /// The latest append time of any entry applied; never runs back.
    public var time: StreamTime
    /// The build that decides; upgrades go forward only.
    public var build: String
    /// Ticks applied.
    public var ticks: UInt64

    public init(
        entryNumber: UInt64 = 0,
        time: StreamTime = StreamTime(milliseconds: 0),
        build: String = "",
        ticks: UInt64 = 0
    ) {
        self.entryNumber = entryNumber
        self.time = time
        self.build = build
        self.ticks = ticks
    }
}

/// The whole state of one project: the slices of the five reducers, and the loop's own.
///
/// ```swift
/// let project = ProjectID("pets")
/// let question = Question.choice(LabelSchema(question: "Which animal?", classes: ["cat", "dog"]))
/// let revision = ProjectConfiguration(project: project, revision: 1, partition: 0, question: question)
/// var state = ProjectState(project: project)
/// let entry = JournalEntry(project: project, body: .configured(revision))
/// let decisions = state.apply(entry, appendedAt: StreamTime(milliseconds: 1_000))
/// ```
public struct ProjectState: Sendable {
    public let project: ProjectID
    public var position = Cell(LoopPosition())
    /// The revision in force; nil before the first one, and until then all other entries have no effect.
    public var configuration = Cell<ProjectConfiguration?>(nil)
    public var acquisition = AcquisitionState()
    public var labeling = LabelingState()
    public var datasets = DatasetsState()
    public var training = TrainingState()
    public var rollout = RolloutState()
    /// The latest executed commands by id, each with the number of the entry that executed it; see `commandCapacity`.
    public var commands = Table<String, UInt64>()
    /// Maximum number of remembered commands: a command that is repeated while it is known is refused as a duplicate.
    public static let commandCapacity = 10_000
    /// Duration of each phase of the cycle.
    public var phases = Table<CyclePhase, CyclePhaseTime>()
    /// Refusals counted by reason code.
    public var refusals = Table<String, Int64>()
    /// Number of corrections to each class that the project lacks, by the name of the class. See `ClassProposals`.
    public var proposals = Table<String, Int64>()
    /// Traffic of models that no release names, by version. See `UnregisteredTraffic`.
    public var unregistered = Table<ModelVersion, UnregisteredTraffic>()
    /// Entries applied by kind.
    public var entries = Table<String, Int64>()

    public init(project: ProjectID) { self.project = project }

    /// Time at which the next tick is due, if anything depends on the passing of time.
    public var nextDeadline: StreamTime? {
        guard let configuration = configuration.value else { return nil }
        // No deadline depends on the seed.
        let entry = EntryContext(
            project: project,
            entryNumber: position.value.entryNumber,
            time: position.value.time,
            seed: 0
        )
        let deadlines = [
            acquisition.nextDeadline(selectionContext(configuration, entry)),
            labeling.nextDeadline,
            labeling.nextAgeing(policy: configuration.labeling),
            datasets.nextDeadline(policy: configuration.datasets),
            training.nextDeadline,
            rollout.nextStepDeadline(policy: configuration.rollout, after: position.value.time),
            nextPredictionDeadline(configuration),
        ]
        return deadlines.compactMap { $0 }.min()
    }

    /// Whether a release has named the version, or a study gives it to its model, as far as either is remembered.
    public func isRegistered(_ version: ModelVersion) -> Bool { rollout.knows(version) || training.hasNamed(version) }

    mutating func recordDuration(_ phase: CyclePhase, _ milliseconds: Int64) {
        var time = phases[phase] ?? CyclePhaseTime()
        time.count += 1
        time.total = min(time.total.adding(max(0, milliseconds)), CyclePhaseTime.longest)
        time.last = min(max(0, milliseconds), CyclePhaseTime.longest)
        phases[phase] = time
    }
}
