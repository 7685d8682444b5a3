internal import Acquisition
internal import Vocabulary

/// What is looked at of a prediction that is only counted; the bytes stand in the text.
struct PredictionReading {
    /// Nil until something was read.
    var project: ProjectTable.Place?
    var sample = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Empty of a sample that no model has seen.
    var version = UnsafeRawBufferPointer(start: nil, count: 0)
    var role: ModelRole?
    /// Milliseconds since 1970, unchecked.
    var predictedAt: Int64?
    /// Whether a model has seen the sample: `output` says nothing otherwise.
    var hasOutput = false
    var output = OutputSummary(for: .margin)
}
