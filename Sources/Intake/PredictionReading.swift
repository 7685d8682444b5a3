internal import Acquisition
internal import JSON
internal import Kinds
internal import Vocabulary

/// Parts read of a prediction that is only counted; their bytes are in the record's text.
struct PredictionReading {
    /// Nil until something was read.
    var project: ProjectTable.Place?
    var sample = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Empty of a sample without one.
    var group = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Empty of a sample that no model has seen.
    var version = UnsafeRawBufferPointer(start: nil, count: 0)
    var role: ModelRole?
    /// Milliseconds since 1970, unchecked.
    var predictedAt: Int64?
    /// Whether a model has seen the sample: `output` says nothing otherwise.
    var hasOutput = false
    var output = OutputSummary(for: .margin)
    var embedding = EmbeddingReading()

    /// In place: a call would make it elsewhere, and 200 bytes be copied for each prediction.
    @inline(__always)
    init() {}
}

/// Where a sample says that it lies.
struct EmbeddingReading {
    /// 0 of a sample without coordinates.
    var dimension = 0
    /// At least the square of its norm.
    var squares = 0.0
    /// Empty where the sample names no space.
    var space = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Its coordinates where they are a list, to be read when `squares` says too little.
    var numbers: JSONScan?
}
