internal import Statistics
public import Vocabulary

/// Summary of a distribution for the scores of one output: its two likeliest classes and the mass that is not
/// named.
public struct OutputSummary: Hashable, Sendable {
    /// Position of the likeliest class; on ties, the lowest.
    public var top = 0
    /// The bit patterns of the two highest probabilities; the first is below 0 while there is none. Bit patterns of
    /// numbers that are not negative have the order of the numbers, and integers are selected without a branch.
    @usableFromInline var firstBits: Int64 = -1
    @usableFromInline var secondBits: Int64 = 0
    /// The highest probability, in `0...1`; below 0 while there is none.
    @inlinable public var first: Double { firstBits < 0 ? -1 : Double(bitPattern: UInt64(bitPattern: firstBits)) }
    /// The next probability, in `0...1`.
    @inlinable public var second: Double { Double(bitPattern: UInt64(bitPattern: secondBits)) }
    /// Number of classes named.
    public var count = 0
    /// Sum of all probabilities.
    public var sum = 0.0
    /// The mass of all classes that are not named, in `0...1`.
    public var remainder = 0.0
    @usableFromInline var entropy = 0.0
    @usableFromInline let needsEntropy: Bool

    /// Creates a summary of a distribution that names no class yet; `function` is the score that will be requested.
    public init(for function: AcquisitionFunction) { needsEntropy = function == .entropy }

    /// A class of an output: its position and its probability, in `0...1`.
    public struct Component {
        @usableFromInline let label: Int
        @usableFromInline let probability: Double
        /// Bit pattern of the probability; minus zero counts as zero.
        @inlinable @inline(__always) var bits: Int64 { Int64(bitPattern: (probability + 0).bitPattern) }

        @inlinable @inline(__always)
        public init(label: Int, probability: Double) {
            self.label = label
            self.probability = probability
        }
    }

    /// Adds classes, each of which is added once.
    ///
    /// - Complexity: O(*k*) in their number.
    @inlinable @inline(__always)
    public mutating func add(_ parts: UnsafeBufferPointer<Component>) {
        // Passes over integers without a branch: no branch predictor can predict the position of the likeliest class.
        var (highest, next, total) = (firstBits, secondBits, sum)
        for part in parts {
            total += part.probability
            next = max(next, min(highest, part.bits))
            highest = max(highest, part.bits)
        }
        // Ties go to the lowest label.
        var lowest = highest == firstBits ? top : Int.max
        for part in parts { lowest = min(lowest, part.bits == highest ? part.label : Int.max) }
        if needsEntropy {
            for part in parts { entropy -= Self.negatedEntropyTerm(part.probability) }
        }
        count &+= parts.count
        (firstBits, secondBits, top, sum) = (highest, next, lowest, total)
    }

    @inline(never) @usableFromInline static func negatedEntropyTerm(_ probability: Double) -> Double {
        probability > 0 ? probability * Reproducible.log(probability) : 0
    }

    /// Returns the score of the distribution: `AcquisitionFunction.score` of the whole output, except for rounding.
    ///
    /// - Complexity: O(1).
    public func score(_ function: AcquisitionFunction, classes: Int) -> Double {
        guard classes > 1, count > 0 else { return 0 }
        let unnamed = classes - count
        let topTwo = ClassDistribution.topTwo((first, second), remainder: remainder, unnamed: unnamed)
        switch function {
        case .random: return 0
        case .leastConfidence: return LeastConfidence.score(first: topTwo.first, classes: classes)
        case .ratio: return Ratio.score(first: topTwo.first, second: topTwo.second)
        case .entropy:
            return Entropy.score(sum: entropy, remainder: remainder, unnamed: unnamed, classes: classes)
        // The margin is used for a function whose evidence is missing.
        case .margin, .provided, .bald, .voteEntropy, .consensusEntropy, .klDivergence, .maxDisagreement,
            .variationRatio:
            return Margin.score(first: topTwo.first, second: topTwo.second)
        }
    }
}
