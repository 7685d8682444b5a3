internal import Vocabulary

extension Utility {
    /// Expected value of a sample's label, divided by the largest value of a class, which is at least 1. If no model
    /// has scored the sample, all classes count as equally likely.
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
