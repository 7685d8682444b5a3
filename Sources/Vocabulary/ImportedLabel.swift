/// The identity of an imported label: who brought it, and under which name.
public struct ImportOrigin: Hashable, Sendable {
    /// Bytes of a source's name.
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

    /// Votes of one label.
    public static let voteLimit = 100

    /// XXH64 of source and id, by which a second one is known.
    public let key: UInt64
    public let origin: ImportOrigin
    public let sample: Sample
    public let answer: Answer
    /// Whether scores are read on it; else it trains.
    public let isValidation: Bool
    /// When it was given, as far as it can be believed.
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

    /// Why the sample has a label, as far as that is known of its tasks.
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
