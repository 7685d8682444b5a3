/// Predictions of the members of an ensemble for one sample, or of several passes of one model with dropout: a
/// distribution each.
public struct EnsembleOutput: Hashable, Sendable {
    /// Classes of the columns, distinct; every other class has probability 0.
    public let labels: [ClassIndex]
    /// `count` rows of `width` probabilities in `0...1`, each row summing to 1 within `ClassDistribution.tolerance`.
    public let probabilities: [Double]
    /// Members; at least 1.
    public let count: Int
    /// Classes that each row names; at least 1.
    public var width: Int { labels.count }

    /// Maximum number of members.
    public static let memberLimit = 128

    /// Fails unless there are 1 to 128 members and at least one label, and each member has one finite number in `0...1`
    /// for each label, with a sum of 1 within 0.01.
    ///
    /// - Parameters:
    ///   - members: One row of probabilities for each member.
    ///   - labels: Distinct classes of the columns; nil for all classes in their order.
    public init?(_ members: [[Double]], labels: [ClassIndex]? = nil) {
        guard let first = members.first, !first.isEmpty, members.count <= Self.memberLimit else { return nil }
        let labels = labels ?? first.indices.map { ClassIndex($0) }
        var all: [Double] = []
        all.reserveCapacity(members.count * labels.count)
        for member in members {
            guard member.count == labels.count, Self.isDistribution(member) else { return nil }
            // A value below 0 is a rounding error, and counts as 0.
            for probability in member { all.append(probability < 0 ? 0 : probability) }
        }
        self.labels = labels
        probabilities = all
        count = members.count
    }

    /// Whether numbers are finite and in `0...1`, by `ClassDistribution.accepted`, and sum to 1 within 0.01.
    public static func isDistribution(_ member: [Double]) -> Bool {
        var sum = 0.0
        for probability in member {
            guard let probability = ClassDistribution.accepted(probability) else { return false }
            sum += probability
        }
        return sum > 1 - ClassDistribution.tolerance && sum < 1 + ClassDistribution.tolerance
    }

    /// Probabilities of one member, in the order of `labels`.
    public subscript(member: Int) -> ArraySlice<Double> { probabilities[member * width..<(member + 1) * width] }

    /// The mean of all members, one number a class.
    ///
    /// - Complexity: O(*count* · *width*).
    public var consensus: [Double] {
        var mean = [Double](repeating: 0, count: width)
        for member in 0..<count {
            for label in 0..<width { mean[label] += probabilities[member * width + label] }
        }
        for label in mean.indices { mean[label] /= Double(count) }
        return mean
    }

    /// Number of members for which each class is the likeliest, one number per class; of equals, the first counts.
    ///
    /// - Complexity: O(*count* · *width*).
    public var votes: [Int] {
        var votes = [Int](repeating: 0, count: width)
        for member in 0..<count {
            let start = member * width
            var best = 0
            for label in 1..<max(width, 1) where probabilities[start + label] > probabilities[start + best] {
                best = label
            }
            votes[best] += 1
        }
        return votes
    }
}
