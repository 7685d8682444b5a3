internal import Acquisition
internal import Flywheel
internal import Vocabulary

extension ProjectConfiguration {
    static let longestSpan: Int64 = 10 * 365 * 86_400_000
}

extension LabelSchema {
    static let longestName = 128
    static let longestQuestion = 2_000
}

extension AcquisitionPolicy {
    static let highestMoney: Int64 = 1_000_000_000_000_000
    static let mostCarriedWindows = 1_000

    /// What is wrong where a budget has nothing to be counted by; nil where nothing is.
    var costComplaint: String? {
        if time ?? 0 > 0, voteCost.maximumTime == 0 {
            return "a budget of time needs the most time that a vote may take (maximum_time), above 0"
        }
        if money ?? 0 > 0, voteCost.maximumMoney == 0 {
            return "a budget of money needs the price of a vote or of a second (vote_micros, second_micros), above 0"
        }
        return nil
    }
}

extension BatchPolicy {
    static let largestWeight = 16.0
    static let largestMemory = 10_000
}

extension StreamPolicy {
    static let longestSavings = 1_000_000
}
