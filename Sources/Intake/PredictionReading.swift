internal import Acquisition
internal import JSON
internal import Kinds
internal import Vocabulary

/// Parts of a prediction that are read without parsing it completely; their bytes are in the record's text.
struct PredictionReading {
    /// Nil until the project was read.
    var project: ProjectTable.Slot?
    var sample = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Group of the sample; empty if it has none.
    var group = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Version of the model; empty for a sample that no model has seen.
    var version = UnsafeRawBufferPointer(start: nil, count: 0)
    var role: ModelRole?
    /// Milliseconds since 1970, unchecked.
    var predictedAt: Int64?
    /// Whether a model has seen the sample: otherwise `output` has no meaning.
    var hasOutput = false
    var output = OutputSummary(for: .margin)
    var embedding = EmbeddingReading()

    /// Constructed in place: a call would construct it elsewhere, and 200 bytes would be copied for each prediction.
    @inline(__always)
    init() {}
}

/// Embedding that a sample states.
struct EmbeddingReading {
    /// Number of coordinates; 0 for a sample without coordinates.
    var dimension = 0
    /// Upper bound on the square of its norm.
    var squares = 0.0
    /// Name of its space; empty if the sample states none.
    var space = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The coordinates if they are a list, to be read when `squares` is not sufficient.
    var numbers: JSONScan?
}
