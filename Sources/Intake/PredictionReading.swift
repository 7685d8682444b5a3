internal import Acquisition
internal import JSON
internal import Kinds
internal import Vocabulary

/// Parts read of a prediction that is only counted; their bytes are in the record's text.
struct PredictionReading {
    /// Nil until something was read.
    var project: ProjectTable.Slot?
    var sample = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Empty of a sample without one.
    var group = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Empty of a sample that no model has seen.
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
    /// 0 of a sample without coordinates.
    var dimension = 0
    /// At least the square of its norm.
    var squares = 0.0
    /// Empty where the sample names no space.
    var space = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The coordinates if they are a list, to be read when `squares` is not sufficient.
    var numbers: JSONScan?
}
