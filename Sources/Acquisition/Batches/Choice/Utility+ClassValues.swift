internal import Vocabulary

extension Utility {
    /// The expected value of the label, over the largest that there is. Where no model has seen the sample every class is
    /// as likely.
    static func worth(_ output: ClassDistribution?, _ values: [Double]) -> Double {
        var most = 1.0
        var sum = 0.0
        for value in values {
            most = max(most, value)
            sum += value
        }
        guard let output else { return values.isEmpty ? 1 : sum / Double(values.count) / most }
        var worth = output.remainder
        for entry in output.entries {
            let label = entry.label.rawValue
            worth += entry.probability * (label < values.count ? values[label] : 1)
        }
        return worth / most
    }
}
