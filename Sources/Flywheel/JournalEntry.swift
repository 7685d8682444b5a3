public import Vocabulary

/// Position at which the record behind an entry was read, and its content: a refused entry is written to the dead
/// letters as received.
public struct EntryOrigin: Hashable, Sendable {
    public let topic: String
    public let partition: Int32
    public let offset: Int64
    /// The record's value; nil where an entry cannot be refused.
    public let value: [UInt8]?
    public let key: [UInt8]?
    public let headers: [OriginHeader]

    public init(
        topic: String,
        partition: Int32,
        offset: Int64,
        value: [UInt8]? = nil,
        key: [UInt8]? = nil,
        headers: [OriginHeader] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.value = value
        self.key = key
        self.headers = headers
    }
}

/// A header of the record behind an entry.
public struct OriginHeader: Hashable, Sendable {
    public let name: String
    public let value: [UInt8]?
    public init(name: String, value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}

/// The chain digest of the decisions up to an entry.
public struct ChainMark: Hashable, Sendable {
    public let entryNumber: UInt64
    /// SHA-256 in hexadecimal.
    public let digest: String
    public init(entryNumber: UInt64, digest: String) {
        self.entryNumber = entryNumber
        self.digest = digest
    }
}

/// One entry of a project's journal: everything that a decision may depend on, in one order.
public struct JournalEntry: Hashable, Sendable {
    public enum Body: Hashable, Sendable {
        case configured(ProjectConfiguration)
        case candidate(Candidate)
        case feedback(Feedback)
        case annotation(Annotation)
        case trainingResult(TrainingResult)
        case versionSealed(SealedVersion)
        case command(Command)
        case tally([Tally])
        case tick(ChainMark)
        case engine(build: String)
        case importedLabel(ImportedLabel)
        case predicted(PredictedLabels)
    }

    public let project: ProjectID
    public let body: Body
    public let origin: EntryOrigin?

    public init(project: ProjectID, body: Body, origin: EntryOrigin? = nil) {
        self.project = project
        self.body = body
        self.origin = origin
    }
}

/// One decision of the loop.
public struct Decision: Hashable, Sendable {
    public enum Body: Hashable, Sendable {
        case task(LabelingTask)
        case label(LabelFact)
        case change(LabelChange)
        case cut(VersionCut)
        case training(TrainingRequest)
        case prediction(PredictionRequest)
        case release(ModelRelease)
        /// The consequence of a release for one version, with the revision in force.
        indirect case transition(ModelTransition, under: ProjectConfiguration)
        case notice(Notice)
        /// The entry changed nothing; the reason is counted, and the record is written to the dead letters if people
        /// must inspect it.
        case refused(EntryRejection)
    }

    /// Derived from project, entry number and index of the decision.
    public let id: String
    public let body: Body

    public init(id: String, body: Body) {
        self.id = id
        self.body = body
    }
}

extension JournalEntry {
    /// A kind of entry, by its name in the journal. The most frequent kinds are first, so that they are found first.
    public enum Kind: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
        case candidate, feedback, tally, tick, annotation
        case trainingResult = "training_result"
        case versionSealed = "version_sealed"
        case configured, command, engine
        case importedLabel = "imported_label"
        case predicted

        /// The name in the journal.
        public var description: String { rawValue }
    }
}

extension JournalEntry.Body {
    /// The kind of the entry.
    public var kind: JournalEntry.Kind {
        switch self {
        case .configured: .configured
        case .candidate: .candidate
        case .feedback: .feedback
        case .annotation: .annotation
        case .trainingResult: .trainingResult
        case .versionSealed: .versionSealed
        case .command: .command
        case .tally: .tally
        case .tick: .tick
        case .engine: .engine
        case .importedLabel: .importedLabel
        case .predicted: .predicted
        }
    }
}
