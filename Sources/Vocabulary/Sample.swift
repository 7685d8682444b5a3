/// Content of a sample: a reference to it, or a small payload carried in line.
public enum Content: Hashable, Sendable {
    /// Location at which the owner stores the content, and can erase it.
    case uri(String)
    /// At most 16 KB.
    case inline(mediaType: String, text: String)

    /// Maximum number of bytes of an inline payload.
    public static let inlineLimit = 16_384
    /// Maximum number of bytes of a reference.
    public static let longestURI = 2_048
}

/// One example: its name, its content, and its coordinates from a model.
public struct Sample: Hashable, Sendable {
    public let id: SampleID
    public let content: Content?
    /// Coordinates of the sample in the space in which a batch is spread out; finite, at most 4,096 of them.
    public let embedding: [Float]?
    /// Metadata from the sample's service beside the content; one of its keys may name the slice that the sample
    /// belongs to.
    public let metadata: SampleMetadata
    /// The space of the embedding, if its service or the project names it; nil without an embedding.
    public let space: SpaceID?
    /// The sample's group, if any; its name replaces the sample's name in the draw of the audit sample.
    public let group: GroupID?

    public init(
        id: SampleID,
        content: Content? = nil,
        embedding: [Float]? = nil,
        metadata: SampleMetadata = .none,
        space: SpaceID? = nil,
        group: GroupID? = nil
    ) {
        self.group = group
        self.space = embedding == nil ? nil : space
        self.id = id
        self.content = content
        self.embedding = embedding
        self.metadata = metadata
    }

    /// Returns the sample with its embedding in a space of this name; unchanged where the embedding names one
    /// itself, or there is none.
    public func placed(in space: SpaceID) -> Sample {
        guard embedding != nil, self.space == nil else { return self }
        return Sample(
            id: id,
            content: content,
            embedding: embedding,
            metadata: metadata,
            space: space,
            group: group
        )
    }
}

/// Role of a model that predicts.
public enum ModelRole: String, Hashable, Sendable, CaseIterable {
    case champion, challenger
}

/// A model as its predictions name it.
public struct ModelReference: Hashable, Sendable {
    public let name: String
    public let version: ModelVersion
    /// `base`, or the way in which the model was derived (pruned, int8, distilled).
    public let variant: String
    public let role: ModelRole

    public init(name: String, version: ModelVersion, variant: String = "base", role: ModelRole = .champion) {
        self.name = name
        self.version = version
        self.variant = variant
        self.role = role
    }
}

/// Reference to an external file, with the size and digest that it must have when it is fetched.
public struct ArtifactReference: Hashable, Sendable {
    public let uri: String
    /// Bytes; nil for a registered model whose operator did not specify it.
    public let size: Int64?
    /// Hexadecimal; nil for a registered model whose operator did not specify it.
    public let sha256: String?

    public init(uri: String, size: Int64?, sha256: String?) {
        self.uri = uri
        self.size = size
        self.sha256 = sha256
    }
}

/// A sample that Intake admitted, with a model's prediction for it, or without one if no model has seen it.
public struct Candidate: Hashable, Sendable {
    public let sample: Sample
    public let output: Output?
    public let model: ModelReference?
    /// Acquisition score, in `0...1`; higher is more useful. For random selection, the sample's own draw.
    public let score: Double
    /// The probability with which the sample belongs to the audit sample; nil if it does not.
    public let auditProbability: Double?
    /// The sample's draw in `0..<1` for the audit purpose: audit labels are queried in this order.
    public let auditDraw: Double
    /// Time of the prediction, as far as the reported time is credible.
    public let predictedAt: StreamTime
    /// Whether the sample was admitted at random, whatever its score: samples on which the model is wrongly confident
    /// are found in no other way.
    public let isExploration: Bool
    /// Names of the triggers that fired for this prediction.
    public let triggers: [String]
    /// Names of the triggers that wait for a user's reaction, or for another model's prediction.
    public let pendingTriggers: [String]
    /// Whether the candidate was admitted by triggers alone, and not by its score.
    public let isBelowThreshold: Bool

    public init(
        sample: Sample,
        output: Output?,
        model: ModelReference?,
        score: Double,
        auditProbability: Double?,
        auditDraw: Double,
        predictedAt: StreamTime,
        isExploration: Bool = false,
        triggers: [String] = [],
        pendingTriggers: [String] = [],
        isBelowThreshold: Bool = false
    ) {
        self.isExploration = isExploration
        self.triggers = triggers
        self.pendingTriggers = pendingTriggers
        self.isBelowThreshold = isBelowThreshold
        self.sample = sample
        self.output = output
        self.model = model
        self.score = score
        self.auditProbability = auditProbability
        self.auditDraw = auditDraw
        self.predictedAt = predictedAt
    }

    /// Returns the candidate with its sample's embedding in a space of this name, unless the embedding names one
    /// itself.
    public func placed(in space: SpaceID) -> Candidate {
        guard sample.embedding != nil, sample.space == nil else { return self }
        return Candidate(
            sample: sample.placed(in: space),
            output: output,
            model: model,
            score: score,
            auditProbability: auditProbability,
            auditDraw: auditDraw,
            predictedAt: predictedAt,
            isExploration: isExploration,
            triggers: triggers,
            pendingTriggers: pendingTriggers,
            isBelowThreshold: isBelowThreshold
        )
    }
}
