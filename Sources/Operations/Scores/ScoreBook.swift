internal import Datasets
internal import Events
public import Flywheel
internal import Kinds
internal import Rollout
public import Statistics
internal import Tables
public import Vocabulary

/// Answers of models to the audit labels of a project: the basis of all scores.
///
/// The journal is applied again, and the resulting decisions are only observed. An answer counts as live if it was
/// entered before its label was known; answers that a trainer reported for known labels are marked (`isReported`).
public struct ScoreBook: Sendable {
    /// Answer of one model to one sample.
    public struct Answer: Hashable, Sendable {
        public let label: Label
        /// Whether a trainer reported the answer when the label was already known; otherwise the answer was live.
        public let isReported: Bool
    }

    /// An audit label, with the answers.
    public struct Item: Sendable {
        public let sample: SampleID
        /// Counted from 1 in the order of acceptance.
        public let number: Int
        public let acceptedAt: StreamTime
        /// Current label; revisions change scores.
        public internal(set) var label: Label
        /// The probability that the label is right, by the reliability of its annotators, in `0...1`.
        public internal(set) var confidence: Double
        /// Its cell among all candidates.
        public let cell: PostStratification.Cell
        /// Whether it was queried because two models disagreed.
        public let isDuel: Bool
        public internal(set) var answers: [ModelVersion: Answer]
        /// Time at which it was moved from the test labels to training: no model has been scored by it since. Nil while
        /// it is a test label.
        public internal(set) var leftAt: StreamTime?
    }

    /// A time from which a version was live.
    public struct LivePeriod: Hashable, Sendable {
        public let version: ModelVersion
        public let since: StreamTime
    }

    /// Items by `number`, counted from 1; see `anchorSize`.
    public private(set) var items: [Int: Item] = [:]
    /// Versions in the order in which they became live.
    public private(set) var livePeriods: [LivePeriod] = []
    /// When each version was first registered.
    public private(set) var registered: [ModelVersion: StreamTime] = [:]
    /// Scores of the repeats of each version's trial.
    public private(set) var repeats: [ModelVersion: [Double]] = [:]
    /// The question in force; nil before the first revision.
    public private(set) var question: Question?

    /// Number of labels of the anchor: the first labels accepted, including those that have left the test labels since.
    public static let anchorSize = DatasetsState.anchorSize
    /// Maximum number of labels of the window, the newest test labels: `rollout.window` of the revision in force.
    public var windowSize: Int { state.configuration.value?.rollout.window ?? RolloutPolicy().window }

    private var state: ProjectState
    private var numbers: [SampleID: Int] = [:]
    private var accepted = 0
    /// Results of the running study, by artifact.
    private var results: [String: TrainingResult] = [:]
    private var scores: [Int: [Double]] = [:]
    private var study: RequestID?

    public init(project: ProjectID) { state = ProjectState(project: project) }

    /// Weights of labels by the distribution of the project's candidates.
    public var weighting: PostStratification { PostStratification(candidates: candidates) }

    /// Audit candidates by stratum and day, labelled or not.
    var candidates: [(stratum: AuditStratum, day: Int, count: Int)] { state.rollout.candidateCounts }

    // MARK: - Watching

    /// Applies the next entry of the project's journal.
    ///
    /// - Complexity: That of `ProjectState.apply`.
    public mutating func apply(_ entry: JournalEntry, appendedAt time: StreamTime) {
        var earlierDatasets: DatasetsState?
        if case .trainingResult(let result) = entry.body {
            note(result)
            // The state forgets the test labels of the study's version when the study ends.
            earlierDatasets = state.datasets
        }
        let decisions = state.apply(entry, appendedAt: time)
        state.commit()
        let now = state.position.value.time
        for decision in decisions {
            switch decision.body {
            case .label(let fact) where fact.split == .test: accept(fact, at: now)
            case .change(let change): apply(change, at: now)
            case .release(let release): register(release, &earlierDatasets)
            case .transition(let transition, under: _): apply(transition, at: now)
            case .task, .label, .cut, .training, .prediction, .notice, .refused: break
            }
        }
        question = state.configuration.value?.question ?? question
    }

    private mutating func note(_ result: TrainingResult) {
        if study != result.request {
            study = result.request
            results = [:]
            scores = [:]
        }
        guard case .finished(let artifact, let score, _, _) = result.outcome else { return }
        results[artifact.uri] = result
        if let score { scores[result.trial, default: []].append(score) }
    }

    private mutating func accept(_ fact: LabelFact, at time: StreamTime) {
        accepted += 1
        let sample = fact.consensus.sample.id
        let row = state.rollout.rows[sample]
        let day = Int((Double((row?.since ?? time).milliseconds) / 86_400_000).rounded(.down))
        let stratum = row?.stratum ?? .unknown
        numbers[sample] = accepted
        items[accepted] = Item(
            sample: sample,
            number: accepted,
            acceptedAt: time,
            label: fact.consensus.label,
            confidence: fact.consensus.confidence.value,
            cell: PostStratification.Cell(stratum: stratum.index, day: day),
            isDuel: row?.isDuel ?? false,
            answers: (row?.predictions ?? []).reduce(into: [:]) {
                $0[$1.version] = Answer(label: $1.label, isReported: false)
            }
        )
    }

    private mutating func apply(_ change: LabelChange, at time: StreamTime) {
        guard let number = numbers[change.sample] else { return }
        switch change.kind {
        case .revised(_, let label):
            items[number]?.label = label
            items[number]?.confidence = change.confidence?.value ?? 1
        case .moved: items[number]?.leftAt = time
        case .retracted: items[number] = nil
        }
    }

    private mutating func apply(_ transition: ModelTransition, at time: StreamTime) {
        if registered[transition.version] == nil { registered[transition.version] = time }
        if transition.to == .live { livePeriods.append(LivePeriod(version: transition.version, since: time)) }
    }

    /// Registers a model's repeats and its trainer's reported answers for the known labels.
    private mutating func register(_ release: ModelRelease, _ earlierDatasets: inout DatasetsState?) {
        guard
            let model = [release.challenger, release.champion].compactMap({ $0 }).first(where: { model in
                repeats[model.version] == nil && results[model.artifact.uri] != nil
            }), let result = results[model.artifact.uri], registered[model.version] == nil
        else { return }
        repeats[model.version] = scores[result.trial] ?? []
        guard case .finished(_, _, _, let predictions?) = result.outcome,
            let samples = earlierDatasets?.testSamples(of: model.datasetVersionNumber, first: predictions.count)
        else { return }
        let leftOut = Set(result.leftOut?.testPositions ?? [])
        for (position, (sample, label)) in zip(samples, predictions).enumerated() where !leftOut.contains(position) {
            guard let number = numbers[sample], items[number]?.answers[model.version] == nil else { continue }
            items[number]?.answers[model.version] = Answer(label: label, isReported: true)
        }
    }

    // MARK: - Sets of items

    /// The current test labels, in the order of acceptance.
    public var testItems: [Item] { testItems(at: nil) }

    /// The labels that were accepted by a given time and were test labels then; nil for the current test labels.
    private func testItems(at time: StreamTime?) -> [Item] {
        items.sorted { $0.key < $1.key }.map(\.value).filter { item in
            guard let time else { return item.leftAt == nil }
            return item.acceptedAt <= time && item.leftAt.map { $0 > time } ?? true
        }
    }

    /// Items among the first `anchorSize` labels that are still test labels.
    public var anchor: [Item] { testItems.filter { $0.number <= Self.anchorSize } }

    /// The newest labels, at most `windowSize`.
    ///
    /// - Parameter time: The time of the window, which includes labels that have left the test labels since: a version
    ///   that was live then was trained on none of them. Nil for the current window.
    /// - Returns: The items in the order of acceptance.
    public func window(until time: StreamTime? = nil) -> [Item] { Array(testItems(at: time).suffix(windowSize)) }

    /// Time at which a version last became live, or else was registered: newer labels played no part in its release.
    public func since(_ version: ModelVersion) -> StreamTime? {
        livePeriods.last { $0.version == version }?.since ?? registered[version]
    }
}
