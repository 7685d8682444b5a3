public import Events
internal import Intake
public import Vocabulary

/// Reasons why a sample was queried, or was not.
public struct Explanation: Hashable, Sendable {
    /// A candidate entry of the journal: Intake let the sample through.
    public struct Appearance: Hashable, Sendable {
        /// Number of the entry in the project's journal, counted from 1; `partition` and `offset` locate it.
        public let entryNumber: UInt64
        public let partition: Int32
        public let offset: Int64
        /// When the broker appended it.
        public let time: StreamTime
        public let candidate: Candidate
        /// The threshold in the tally of the same model that is nearest in time, in `0...1`; nil if no such tally is
        /// retained.
        public internal(set) var threshold: Double?

        /// Ways by which it was admitted, as text for people.
        public var ways: [String] {
            var ways: [String] = []
            if let probability = candidate.auditProbability {
                ways.append("it belongs to the audit sample (probability \(probability))")
            }
            if candidate.isExploration { ways.append("it was drawn for exploration") }
            ways += candidate.triggers.map { "trigger \($0) fired" }
            ways += candidate.pendingTriggers.map { "trigger \($0) waits for feedback or another prediction" }
            let isByScore = candidate.auditProbability == nil && !candidate.isBelowThreshold && !candidate.isExploration
            if isByScore {
                let isBelow = threshold.map { candidate.score < $0 } ?? false
                let way =
                    isBelow ? "the pool had room, or its model had no threshold yet" : "its score passed the threshold"
                ways.insert(way, at: 0)
            }
            return ways
        }
    }

    /// Result of the loop's handling of the sample.
    public enum Outcome: Hashable, Sendable {
        /// Its task, as last written.
        case queried(LabelingTask)
        /// Queried earlier; its task is no longer on the topic.
        case queriedBefore(TaskPurpose)
        /// Waits in a table: `pool`, `audit`, `triggered` or `awaiting`.
        case waiting(String, triggers: [String])
        /// Waits in the pool behind all others: it lies at the location of a queried sample if `isKnown`, or else among
        /// samples that no annotator could answer.
        case setAside(isKnown: Bool)
        /// Excluded: another sample with its content was queried or imported.
        case copy(TaskPurpose)
        /// Excluded: its group is on the other side of the split.
        case otherSide(TaskPurpose)
        /// The loop has not reached its last entry yet; if the project is paused, the description of the pause.
        case notApplied(pause: String?)
        /// Excluded: it is not in the project's current space; the value describes the fault.
        case outOfSpace(String)
        /// In no table: better candidates replaced it, or the rule of a stream strategy skipped it.
        case passedOver
    }

    /// A prediction of the sample on `predictions`, with the verdict of a repeated check.
    public struct Prediction: Hashable, Sendable {
        public enum Verdict: Hashable, Sendable {
            /// Intake refuses the record; the value is the reason.
            case refused(String)
            /// No tally covers it: Intake has not counted it yet, or its tally has expired.
            case uncounted
            /// Intake has counted it together with other versions, because there are more versions than it
            /// distinguishes.
            case amongOthers
            case below
            /// At or above the recorded threshold, which is the threshold at the end of the transaction.
            case heldBack
        }

        public let partition: Int32
        public let offset: Int64
        public let time: StreamTime
        public let model: ModelReference?
        /// The score, in `0...1`; nil if it is a random draw that requires the worker's salt, or if the prediction was
        /// refused.
        public let score: Double?
        /// The threshold in force at the end of the transaction that counted the prediction, in `0...1`; nil without a
        /// tally for its model.
        public let threshold: Double?
        public let verdict: Verdict
        /// Triggers whose condition the prediction meets, but whose limits were used up.
        public let limitedTriggers: [String]

        /// Reason why it was not admitted, as text for people.
        public var text: String {
            var text: String
            switch verdict {
            case .refused(let reason): text = "refused: \(reason); see flywheel dead-letters list"
            case .uncounted: text = "no tally covers it: Intake has not read it yet, or the tally has expired"
            case .amongOthers:
                text =
                    "Intake has read it, but has no threshold for its version: versions beyond the first \(IntakeProject.versionCapacity) are counted together, without a rate of their own"
            case .below:
                text = "score \(Self.rounded(score)) was below the threshold \(Self.rounded(threshold)) in force"
            case .heldBack:
                text =
                    "score \(Self.rounded(score)) against the threshold \(Self.rounded(threshold)) at its transaction's end: the threshold was higher when it came, or the rate was used up"
            }
            for name in limitedTriggers { text += "; trigger \(name) matched, but its per_hour limit was used up" }
            return text
        }

        private static func rounded(_ value: Double?) -> String {
            value.map { "\(($0 * 10_000).rounded() / 10_000)" } ?? "(a draw)"
        }
    }

    /// Extent of the search, so that an empty result is meaningful.
    public struct Searched: Hashable, Sendable {
        public var entries: UInt64 = 0
        public var predictions: Int64 = 0
        /// Milliseconds since 1970; nil where predictions were not read.
        public var since: Int64?
        public init() {}
    }

    public let project: String
    public let sample: String
    /// The earliest first; the latest `predictionLimit`.
    public internal(set) var appearances: [Appearance] = []
    public internal(set) var outcome: Outcome?
    public internal(set) var label: DatasetLabel?
    /// The latest first; at most `predictionLimit`.
    public internal(set) var predictions: [Prediction] = []
    public internal(set) var searched = Searched()
    /// Topics with an open transaction, in the order in which they were read: the records after it are not known.
    public internal(set) var heldBack: [Topic] = []
    /// The space that the project works in now.
    var space: EmbeddingSpace?

    /// Maximum number of predictions, and of candidate entries, that are kept for one sample.
    public static let predictionLimit = 20

    init(project: String, sample: String) {
        self.project = project
        self.sample = sample
    }

    /// Whether its task, reported as a task of the audit sample, is about a prediction that users dispute: the sample
    /// never belonged to the audit sample.
    public var isDisputed: Bool {
        guard case .queried(let task) = outcome, task.purpose == .audit else { return false }
        return !appearances.contains { $0.candidate.auditProbability != nil }
    }

    /// Whether anything is known about the sample.
    public var isFound: Bool { !appearances.isEmpty || !predictions.isEmpty || outcome != nil }
}

/// A label according to the dataset log.
public struct DatasetLabel: Hashable, Sendable {
    /// A change of the label.
    public struct Change: Hashable, Sendable {
        /// Description of the change, as in "revised from cat to dog".
        public let text: String
        public let by: String
        public let reason: String
        public let at: StreamTime
        public let sequence: Int64
    }

    /// The names of its classes, as in "cat".
    public private(set) var className: String
    /// Confidence of the label, in `0...1`; nil where a person revised it.
    public private(set) var confidence: Double?
    public private(set) var split: Split
    /// Sequence number of the fact that holds the label.
    public private(set) var sequence: Int64
    /// Whether it is excluded from all later versions.
    public private(set) var isRetracted = false
    /// How its sample came to be queried; nil for labels outside the audit sample, and if nothing was recorded.
    public let audit: AuditOrigin?
    /// The earliest first; the latest `changeLimit`.
    public private(set) var changes: [Change] = []

    /// Maximum number of changes that are kept for one label.
    public static let changeLimit = 20

    init(className: String, confidence: Double, split: Split, sequence: Int64, audit: AuditOrigin? = nil) {
        self.audit = audit
        self.className = className
        self.confidence = confidence
        self.split = split
        self.sequence = sequence
    }

    mutating func apply(_ change: LabelChange, _ names: [String]?, _ former: [String]?) {
        changes.append(Change(change, names, former))
        if changes.count > Self.changeLimit { changes.removeFirst() }
        sequence = change.sequence
        switch change.kind {
        case .revised: (className, confidence) = (names?.joined(separator: ", ") ?? className, change.confidence?.value)
        case .retracted: isRetracted = true
        case .moved: split = change.split
        }
    }
}

extension DatasetLabel.Change {
    /// A change with the names of its classes.
    public init(_ change: LabelChange, _ names: [String]?, _ former: [String]?) {
        let (name, former) = (names?.joined(separator: ", "), former?.joined(separator: ", "))
        text =
            switch change.kind {
            case .revised: "revised from \(former ?? "?") to \(name ?? "?")"
            case .retracted: "retracted from \(change.split.rawValue)"
            case .moved(let from): "moved from \(from.rawValue) to \(change.split.rawValue)"
            }
        (by, reason, at, sequence) = (change.by, change.reason, change.at, change.sequence)
    }
}
