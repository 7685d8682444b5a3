/// The identity of an imported label: its source, and its name within the source.
public struct ImportOrigin: Hashable, Sendable {
    /// Maximum number of bytes of a source's name.
    public static let longestSource = 64

    /// The file, tool or project that it comes from: 1 to 64 bytes.
    public let source: String
    /// The row's name within its source: 1 to 256 bytes.
    public let id: String

    public init(source: String, id: String) {
        self.source = source
        self.id = id
    }
}

/// A label that exists independently of a Flywheel query.
public struct ImportedLabel: Hashable, Sendable {
    /// Answer that the source gives.
    public enum Answer: Hashable, Sendable {
        /// A label without a named annotator: it is accepted unchanged.
        case label(Label)
        /// Votes of named annotators; at least one, each annotator once. They are weighed as those of unknown
        /// annotators.
        case votes([Vote])
    }

    /// Maximum number of votes of one label.
    public static let voteLimit = 100

    /// XXH64 of source and id, by which a duplicate is recognized.
    public let key: UInt64
    public let origin: ImportOrigin
    public let sample: Sample
    public let answer: Answer
    /// Whether scores are measured on the label; else it is used for training.
    public let isValidation: Bool
    /// Time at which the label was given, as reported by the source; nil if no credible time is known.
    public let labeledAt: StreamTime?

    public init(
        key: UInt64,
        origin: ImportOrigin,
        sample: Sample,
        answer: Answer,
        isValidation: Bool = false,
        labeledAt: StreamTime? = nil
    ) {
        self.key = key
        self.origin = origin
        self.sample = sample
        self.answer = answer
        self.isValidation = isValidation
        self.labeledAt = labeledAt
    }

    /// Purpose of the sample's label, in terms of the purposes of tasks.
    public var purpose: TaskPurpose { isValidation ? .importedValidation : .imported }

    /// Returns the label with its sample's embedding in a space of this name, unless the embedding names one
    /// itself.
    public func placed(in space: SpaceID) -> ImportedLabel {
        ImportedLabel(
            key: key,
            origin: origin,
            sample: sample.placed(in: space),
            answer: answer,
            isValidation: isValidation,
            labeledAt: labeledAt
        )
    }
}
