public import Strategies
public import Vocabulary

/// Record of an unanswerable sample.
public struct UnanswerableSample: Hashable, Sendable {
    /// Number of unanswerable samples before it.
    public let number: Int
    public let sample: SampleID
    /// Sketch of its embedding; nil if it has none.
    public let sketch: EmbeddingSketch?
    /// Notes that people wrote with their flags, at most `noteLimit`.
    public let notes: [String]

    /// Largest number of samples remembered; the oldest is replaced.
    public static let limit = 256
    /// Largest number of notes kept for one sample.
    public static let noteLimit = 3

    public init(number: Int, sample: SampleID, sketch: EmbeddingSketch?, notes: [String]) {
        self.number = number
        self.sample = sample
        self.sketch = sketch
        self.notes = Array(notes.prefix(Self.noteLimit))
    }
}
