import Acquisition
import Datasets
import Flywheel
import Labeling
import Rollout
import Tables
import Training
import Vocabulary

/// A project under replay: the records that the stream, people, the materializer and a trainer would write become
/// entries of its journal, and the reducer that the worker runs applies them.
///
/// A round is one window of the budget: its votes are spent at once, candidates arrive while none is left, and the next
/// window opens with a batch selected from all of them.
struct ReplayProject {
    /// An entry and the time of its append.
    struct Record {
        let entry: JournalEntry
        let time: StreamTime
    }

    /// One window of the budget, in milliseconds: longer than any maximum wait.
    static let window: Int64 = 1_000_000_000

    private(set) var state: ProjectState
    /// All applied entries, in order, if they are kept.
    private(set) var journal: [Record] = []
    private let keepsJournal: Bool
    private let schema: LabelSchema
    private var time = StreamTime(milliseconds: 0)
    private var revision = 0
    private var cut: VersionCut?
    /// Tasks that were opened and are not answered yet.
    private var unclaimed: [LabelingTask] = []

    /// - Parameters:
    ///   - name: Name of the project; with the number of an entry it seeds the reducer's random draws.
    ///   - classes: At least two distinct names.
    ///   - keepsJournal: Whether `journal` stores the applied entries.
    init(name: String, classes: [String], keepsJournal: Bool = false) {
        state = ProjectState(project: ProjectID(name))
        schema = LabelSchema(question: "Which class?", classes: classes)
        self.keepsJournal = keepsJournal
    }

    /// Puts a policy in force. Everything other than acquisition is kept simple: one answer per label, a version and a
    /// model for every batch, no deadlines.
    ///
    /// - Returns: The tasks that it opens.
    mutating func configure(_ policy: AcquisitionPolicy) -> [LabelingTask] {
        revision += 1
        var policy = policy
        policy.window = Self.window
        let configuration = ProjectConfiguration(
            project: state.project,
            revision: revision,
            partition: 0,
            schema: schema,
            acquisition: policy,
            labeling: LabelingPolicy(minimumVotes: 1, maximumVotes: 1, lifetime: Self.never),
            datasets: DatasetPolicy(cutEvery: policy.batchSize, cutAfter: Self.never),
            training: TrainingPolicy(newLabels: 1, repeats: 1, deadline: Self.never)
        )
        return apply(.configured(configuration))
    }

    /// Ten years in milliseconds: no timer of the project expires within a replay.
    private static let never: Int64 = 10 * 365 * 86_400_000

    /// Adds a candidate.
    mutating func offer(_ candidate: Candidate) { _ = apply(.candidate(candidate)) }

    /// Advances the time: the next window of the budget opens, and with it a batch.
    mutating func openWindow() -> [LabelingTask] {
        time = time.advanced(byMilliseconds: Self.window)
        return apply(.tick(ChainMark(entryNumber: state.position.value.entryNumber, digest: "")))
    }

    /// Answers a task.
    mutating func answer(_ task: TaskID, _ label: ClassIndex) {
        let annotation = Annotation(task: task, annotator: AnnotatorID("replay"), outcome: .answer(.choice(label)))
        _ = apply(.annotation(annotation))
    }

    /// Returns the tasks that were opened since the last call.
    mutating func claim() -> [LabelingTask] {
        defer { unclaimed = [] }
        return unclaimed
    }

    /// Flags a task by one annotator after another, until it closes.
    mutating func flag(_ task: TaskID, note: String) {
        while state.labeling.open[task] != nil {
            let annotator = AnnotatorID("replay-\(state.labeling.open[task]?.declined.count ?? 0)")
            _ = apply(.annotation(Annotation(task: task, annotator: annotator, outcome: .flag(note))))
        }
    }

    /// Seals the version that the answers produced, and ends the study that it requests successfully.
    ///
    /// - Parameter predict: Returns the class that the model predicts for each of the given audit samples, by their
    ///   numbers; called if there are test labels.
    /// - Returns: The version of the model from then on; nil when no version was due.
    mutating func train(_ predict: ([Int]) -> [Label]) -> ModelVersion? {
        guard let cut else { return nil }
        self.cut = nil
        let file = ArtifactReference(uri: "memory:replay", size: 0, sha256: String(repeating: "0", count: 64))
        let version = SealedVersion(
            id: DatasetVersionID("replay-\(cut.versionNumber)"),
            versionNumber: cut.versionNumber,
            parent: nil,
            semanticVersion: "0.\(cut.versionNumber).0",
            manifest: file,
            training: cut.training,
            validation: cut.validation,
            test: cut.test
        )
        _ = apply(.versionSealed(version))
        guard let request = state.training.progress.value.running?.request else { return nil }
        let tested = state.datasets.testSamples(of: cut.versionNumber, first: cut.test).compactMap { Int($0.rawValue) }
        let outcome = TrainingResult.Outcome.finished(
            artifact: file,
            score: nil,
            itemsScored: 0,
            predictions: tested.isEmpty ? nil : predict(tested)
        )
        _ = apply(.trainingResult(TrainingResult(request: request.id, trial: 0, repetition: 0, outcome: outcome)))
        return request.modelVersion
    }

    private mutating func apply(_ body: JournalEntry.Body) -> [LabelingTask] {
        let entry = JournalEntry(project: state.project, body: body)
        time = time.advanced(byMilliseconds: 1)
        if keepsJournal { journal.append(Record(entry: entry, time: time)) }
        var tasks: [LabelingTask] = []
        for decision in state.apply(entry, appendedAt: time) {
            switch decision.body {
            case .task(let task) where task.state == .open && task.votes == 0: tasks.append(task)
            case .cut(let version): cut = version
            default: break
            }
        }
        unclaimed += tasks
        return tasks
    }
}
