public import Strategies
public import Vocabulary

/// Record of a sample that nobody could answer.
public struct UnanswerableSample: Hashable, Sendable {
    /// How many came before it.
    public let number: Int
    public let sample: SampleID
    /// Where it lies; nil where it has no embedding.
    public let sketch: EmbeddingSketch?
    /// Notes that people wrote with their flags, at most `noteLimit`.
    public let notes: [String]

    /// Samples remembered; the oldest gives way.
    public static let limit = 256
    /// Notes kept of one sample.
    public static let noteLimit = 3

    public init(number: Int, sample: SampleID, sketch: EmbeddingSketch?, notes: [String]) {
        self.number = number
        self.sample = sample
        self.sketch = sketch
        self.notes = Array(notes.prefix(Self.noteLimit))
    }
}
